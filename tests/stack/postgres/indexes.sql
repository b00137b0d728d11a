-- Indexes of every kind that may and may not be done without.
CREATE SCHEMA advice; SET search_path = advice;
CREATE TABLE t (id int, a int, b int, c text, d int, u int);
CREATE UNIQUE INDEX t_old_unique ON t (id);
CREATE INDEX t_old_plain ON t (id);
ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX t_pkey_ccold ON t (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'advice.t_pkey_ccold'::regclass;
CREATE INDEX t_a ON t (a); CREATE INDEX t_ab ON t (a, b); CREATE INDEX t_a_desc ON t (a DESC); CREATE INDEX t_a_part ON t (a) WHERE b > 0; CREATE INDEX t_a_part2 ON t (a) WHERE  b > 0;
CREATE INDEX t_c ON t (c); CREATE INDEX t_c_pattern ON t (c text_pattern_ops); CREATE INDEX t_cd ON t (c COLLATE "C", d);
CREATE INDEX t_lower ON t (lower(c)); CREATE INDEX t_lower_d ON t (lower(c), d); CREATE INDEX t_lower2 ON t (  lower(c));
CREATE INDEX t_hash ON t USING hash (d); CREATE UNIQUE INDEX t_ua ON t (u); CREATE UNIQUE INDEX t_uab ON t (u, a);
CREATE TABLE k (u int REFERENCES t (id));
CREATE TABLE r (id int NOT NULL, x int NOT NULL); CREATE UNIQUE INDEX r_first ON r (id); CREATE UNIQUE INDEX r_ident ON r (id); ALTER TABLE r REPLICA IDENTITY USING INDEX r_ident;
CREATE TABLE inc (a int, b int, c int); CREATE INDEX inc_a_b ON inc (a) INCLUDE (b); CREATE INDEX inc_a ON inc (a); CREATE INDEX inc_ac ON inc (a, c);
CREATE TABLE cl (a int, b int); CREATE INDEX cl_a ON cl (a); CREATE INDEX cl_a2 ON cl (a); CLUSTER cl USING cl_a2;
CREATE TABLE uu (a int); CREATE UNIQUE INDEX uu_1 ON uu (a); CREATE UNIQUE INDEX uu_2 ON uu (a); 
CREATE TABLE de (a int); ALTER TABLE de ADD CONSTRAINT de_uq UNIQUE (a) DEFERRABLE; CREATE UNIQUE INDEX de_1 ON de (a);
CREATE TABLE pt (a int, b int) PARTITION BY RANGE (a); CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (10); CREATE INDEX pt_b ON pt (b); CREATE INDEX pt1_b_own ON pt1 (b);
