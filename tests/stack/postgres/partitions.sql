-- Partitioned tables of every kind, covered and not.
CREATE SCHEMA parts; SET search_path = parts;
DO $do$
DECLARE y int := extract(year FROM now()); this date := date_trunc('month', now()); nxt date := date_trunc('month', now()) + interval '1 month';
BEGIN
 EXECUTE 'CREATE TABLE int_year (y int) PARTITION BY RANGE (y)'; EXECUTE format('CREATE TABLE int_year_1 PARTITION OF int_year FOR VALUES FROM (%s) TO (%s)', y, y + 2);
 EXECUTE 'CREATE TABLE int_year_old (y int) PARTITION BY RANGE (y)'; EXECUTE format('CREATE TABLE int_year_old_1 PARTITION OF int_year_old FOR VALUES FROM (%s) TO (%s)', y - 2, y);
 EXECUTE 'CREATE TABLE text_month (m text) PARTITION BY RANGE (m)'; EXECUTE format('CREATE TABLE text_month_1 PARTITION OF text_month FOR VALUES FROM (%L) TO (%L)', to_char(this - interval '3 months', 'YYYY-MM'), to_char(this, 'YYYY-MM'));
 EXECUTE 'CREATE TABLE open_end (at timestamptz) PARTITION BY RANGE (at)'; EXECUTE format('CREATE TABLE open_end_1 PARTITION OF open_end FOR VALUES FROM (MINVALUE) TO (%L)', this); EXECUTE format('CREATE TABLE open_end_2 PARTITION OF open_end FOR VALUES FROM (%L) TO (MAXVALUE)', this);
 EXECUTE 'CREATE TABLE hole (at timestamptz) PARTITION BY RANGE (at)'; EXECUTE format('CREATE TABLE hole_1 PARTITION OF hole FOR VALUES FROM (%L) TO (%L)', this - interval '25 months', this - interval '23 months'); EXECUTE format('CREATE TABLE hole_2 PARTITION OF hole FOR VALUES FROM (%L) TO (%L)', this + interval '23 months', this + interval '24 months');
 EXECUTE 'CREATE TABLE ended (at date) PARTITION BY RANGE (at)'; EXECUTE format('CREATE TABLE ended_1 PARTITION OF ended FOR VALUES FROM (%L) TO (%L)', this - interval '25 months', this - interval '23 months'); EXECUTE 'CREATE TABLE ended_d PARTITION OF ended DEFAULT';
 EXECUTE 'CREATE TABLE days (at timestamp) PARTITION BY RANGE (at)'; EXECUTE format('CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (%L) TO (%L)', now()::date - 1, now()::date + 1); EXECUTE format('CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (%L) TO (%L)', now()::date + 1, now()::date + 2);
 EXECUTE 'CREATE TABLE today (at timestamptz) PARTITION BY RANGE (at)'; EXECUTE format('CREATE TABLE today_1 PARTITION OF today FOR VALUES FROM (%L) TO (%L)', now()::date - 1, now()::date + 1);
 EXECUTE 'CREATE TABLE ids (id bigint) PARTITION BY RANGE (id)'; EXECUTE 'CREATE TABLE ids_1 PARTITION OF ids FOR VALUES FROM (0) TO (2000)'; EXECUTE 'CREATE TABLE ids_2 PARTITION OF ids FOR VALUES FROM (2000) TO (4000)';
 EXECUTE 'CREATE TABLE many (at date, region int) PARTITION BY RANGE (at, region)'; EXECUTE format('CREATE TABLE many_1 PARTITION OF many FOR VALUES FROM (%L, MINVALUE) TO (%L, 5)', this, this + interval '2 months');
 EXECUTE 'CREATE TABLE region_first (region int, at date) PARTITION BY RANGE (region, at)'; EXECUTE format('CREATE TABLE region_first_1 PARTITION OF region_first FOR VALUES FROM (1, %L) TO (1, %L)', this, this + interval '2 months');
 EXECUTE 'CREATE TABLE list_year (y int) PARTITION BY LIST (y)'; EXECUTE format('CREATE TABLE list_year_1 PARTITION OF list_year FOR VALUES IN (%s, %s)', y - 1, y); EXECUTE format('CREATE TABLE list_year_2 PARTITION OF list_year FOR VALUES IN (%s, NULL)', y + 1);
 EXECUTE 'CREATE TABLE list_old (y text) PARTITION BY LIST (y)'; EXECUTE format('CREATE TABLE list_old_1 PARTITION OF list_old FOR VALUES IN (%L)', (y - 1)::text);
 EXECUTE 'CREATE TABLE list_name (s text) PARTITION BY LIST (s)'; EXECUTE 'CREATE TABLE list_name_1 PARTITION OF list_name FOR VALUES IN (''it''''s, so'', ''2024'')';
 EXECUTE 'CREATE TABLE hashed (i int) PARTITION BY HASH (i)'; EXECUTE 'CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (modulus 2, remainder 0)';
 EXECUTE 'CREATE TABLE hash_full (i int) PARTITION BY HASH (i)'; EXECUTE 'CREATE TABLE hash_full_0 PARTITION OF hash_full FOR VALUES WITH (modulus 2, remainder 0)'; EXECUTE 'CREATE TABLE hash_full_1 PARTITION OF hash_full FOR VALUES WITH (modulus 2, remainder 1)';
 EXECUTE 'CREATE TABLE sub (at date) PARTITION BY RANGE (at)'; EXECUTE format('CREATE TABLE sub_old PARTITION OF sub FOR VALUES FROM (%L) TO (%L) PARTITION BY RANGE (at)', this - interval '12 months', this); EXECUTE format('CREATE TABLE sub_old_1 PARTITION OF sub_old FOR VALUES FROM (%L) TO (%L)', this - interval '12 months', this);
 EXECUTE format('CREATE TABLE sub_now PARTITION OF sub FOR VALUES FROM (%L) TO (%L) PARTITION BY RANGE (at)', this, this + interval '3 months'); EXECUTE format('CREATE TABLE sub_now_1 PARTITION OF sub_now FOR VALUES FROM (%L) TO (%L)', this + interval '1 month', this + interval '3 months');
 EXECUTE format('CREATE TABLE sub_far PARTITION OF sub FOR VALUES FROM (%L) TO (%L) PARTITION BY RANGE (at)', this + interval '3 months', this + interval '6 months');
 EXECUTE 'CREATE TABLE empty (at date) PARTITION BY RANGE (at)';
 EXECUTE 'CREATE TABLE expr (at timestamptz) PARTITION BY RANGE ((date_part(''year'', at AT TIME ZONE ''UTC'')))'; EXECUTE format('CREATE TABLE expr_1 PARTITION OF expr FOR VALUES FROM (%s) TO (%s)', y, y + 3);
 EXECUTE 'CREATE TABLE odd_text (m text) PARTITION BY RANGE (m)'; EXECUTE 'CREATE TABLE odd_text_1 PARTITION OF odd_text FOR VALUES FROM (''2019-02-30'') TO (''2019-03-32'')';
 EXECUTE 'CREATE TABLE inf (at timestamptz) PARTITION BY RANGE (at)'; EXECUTE 'CREATE TABLE inf_1 PARTITION OF inf FOR VALUES FROM (''-infinity'') TO (''infinity'')';
END $do$;
