//! What nobody looks at is found all the same, on real servers: topics in the background become findings, and end when they are mended.

use super::looks::connect;
use super::{Watch, client, server};
use stacktop::config::target::Connect;
use stacktop::core::alert::RuleSetting;
use stacktop::core::world::all_rules;
use stacktop::sources::postgres::PostgresSource;
use std::time::Duration;

const SCENE: &str = "CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1); \
    CREATE TABLE documents (id int, tenant_id int); CREATE INDEX ON documents (tenant_id); \
    CREATE TABLE safe (id int, tenant_id int); ALTER TABLE safe ENABLE ROW LEVEL SECURITY; \
    CREATE SEQUENCE numbers MAXVALUE 100; SELECT setval('numbers', 95); \
    CREATE TABLE log (at timestamptz) PARTITION BY RANGE (at); \
    CREATE TABLE log_old PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); \
    DO $$ BEGIN EXECUTE format('CREATE TABLE log_now PARTITION OF log FOR VALUES FROM (%L) TO (%L)', \
      now() - interval '1 day', now() + interval '2 days'); END $$";

const MENDED: &str = "DROP INDEX twice_id; DROP TABLE log_old; ALTER TABLE documents ENABLE ROW LEVEL SECURITY; ALTER SEQUENCE numbers MAXVALUE 100000; \
    DO $$ BEGIN EXECUTE format('CREATE TABLE log_next PARTITION OF log FOR VALUES FROM (%L) TO (%L)', \
      (SELECT substring(pg_get_expr(relpartbound, oid) FROM $b$TO \\('(.*)'\\)$b$) FROM pg_class WHERE relname = 'log_now'), \
      now() + interval '90 days'); END $$";

const RULES: [(&str, &str); 5] = [
    ("postgres.index_invalid", "index public.twice_id of public.twice is invalid"),
    ("postgres.partition_missing", "table public.log: the next period has no partition"),
    ("postgres.partition_retention", "table public.log: its oldest partition ended "),
    ("postgres.sequence", "sequence public.numbers has used 95 % of its numbers, 5 numbers left"),
    ("postgres.rls_hole", "public.documents of 2 tenant tables has no row-level security"),
];

pub fn firing(watch: &Watch, rule: &str) -> Vec<String> {
    let all = watch.world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == rule);
    all.map(|finding| finding.breach.sentence.clone()).collect()
}

/// Polls without looking at anything until that is so.
pub async fn until(watch: &mut Watch, what: &str, done: impl Fn(&Watch) -> bool) {
    for _ in 0..1200 {
        watch.poll().await.expect("a poll");
        if done(watch) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: {:?}", RULES.map(|(rule, _)| firing(watch, rule)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_looks_at_is_found_and_ends_when_it_is_mended() {
    let test = "what_nobody_looks_at_is_found_and_ends_when_it_is_mended";
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let admin = client(&url).await;
        admin.batch_execute("DROP DATABASE IF EXISTS watched WITH (FORCE)").await.expect("none");
        admin.batch_execute("CREATE DATABASE watched").await.expect("a database");
        let (place, _) = url.rsplit_once('/').expect("a database");
        let url = format!("{place}/watched");
        let own = client(&url).await;
        own.batch_execute(SCENE).await.expect("the scene");
        let twice = own.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY twice_id ON twice (id)").await;
        twice.expect_err("two rows are alike");
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        watch.source = Box::new(PostgresSource::new(connect(&url)).watching_each(Duration::from_secs(1)));
        let spec = all_rules().into_iter().find(|spec| spec.id == "postgres.partition_retention");
        let kept = watch.world.rules.get(spec.expect("a rule").id);
        let kept = RuleSetting { warning: Some(90.0 * 86_400.0), ..kept };
        assert!(watch.world.rules.set_on("postgres.partition_retention", "public.log", kept));
        for (rule, words) in RULES {
            until(&mut watch, rule, |watch| !firing(watch, rule).is_empty()).await;
            let told = firing(&watch, rule).concat();
            assert!(told.starts_with(words) && told.contains("; last looked "), "{version}: {told}");
        }
        // The owner of this session is a superuser, and a table here relies on row security.
        until(&mut watch, "a role", |watch| !firing(watch, "postgres.role_bypassrls").is_empty()).await;
        // What cannot be read is said, and nothing is over because of it.
        own.batch_execute("BEGIN; ALTER SEQUENCE numbers MAXVALUE 99").await.expect("a lock");
        let unread = |watch: &Watch| firing(watch, "source.unread").concat();
        until(&mut watch, "a lock", |watch| unread(watch).contains("nobody watches sequences")).await;
        assert!(!firing(&watch, "postgres.sequence").is_empty(), "{version}");
        own.batch_execute("ROLLBACK").await.expect("unlocked");
        until(&mut watch, "no lock", |watch| unread(watch).is_empty()).await;
        own.batch_execute(MENDED).await.expect("mended");
        for (rule, _) in RULES {
            until(&mut watch, "its end", |watch| firing(watch, rule).is_empty()).await;
        }
        drop((watch, own));
        admin.batch_execute("DROP DATABASE watched WITH (FORCE)").await.expect("dropped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_looked_at_and_says_that_it_is_one() {
    let test = "a_standby_is_looked_at_and_says_that_it_is_one";
    let both = ["STACKTOP_TEST_PG_URL", "STACKTOP_TEST_PG_STANDBY_URL"].map(|name| server(test, name));
    let [Some(primary), Some(standby)] = both else { return };
    let admin = client(&primary).await;
    admin.batch_execute("DROP DATABASE IF EXISTS watched_copy WITH (FORCE)").await.expect("none");
    admin.batch_execute("CREATE DATABASE watched_copy").await.expect("a database");
    let there = |url: &str| format!("{}/watched_copy", url.rsplit_once('/').expect("a database").0);
    let own = client(&there(&primary)).await;
    own.batch_execute(SCENE).await.expect("the scene");
    own.batch_execute("CREATE UNLOGGED TABLE fleeting (id bigserial)").await.expect("a table");
    let twice = own.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY twice_id ON twice (id)").await;
    twice.expect_err("two rows are alike");
    let copied = async {
        while tokio_postgres::connect(&there(&standby), tokio_postgres::NoTls).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), copied).await.expect("it was copied");
    let mut watch = Watch::new(Connect::Postgres(connect(&there(&standby))));
    let source = PostgresSource::new(connect(&there(&standby))).watching_each(Duration::from_secs(1));
    watch.source = Box::new(source);
    for rule in ["postgres.index_invalid", "postgres.sequence", "postgres.rls_hole"] {
        until(&mut watch, rule, |watch| !firing(watch, rule).is_empty()).await;
        let told = firing(&watch, rule).concat();
        assert!(told.contains("(seen on a standby, to be mended on its primary)"), "{told}");
    }
    assert_eq!(firing(&watch, "source.unread"), Vec::<String>::new());
    drop((watch, own));
    admin.batch_execute("DROP DATABASE watched_copy WITH (FORCE)").await.expect("dropped");
}
