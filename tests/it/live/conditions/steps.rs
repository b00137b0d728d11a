//! What is advised is done, in the words in which it is advised, on servers of the test's own: then the finding is over, and not before.

use super::cluster::{Cluster, Ground, free_port, run};
use super::{Load, Lookout};
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::core::alert::RuleSetting;
use stacktop::core::world::all_rules;
use stacktop::sources::postgres::PostgresSource;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// It comes and goes within this, or not at all.
pub const WITHIN: Duration = Duration::from_secs(40);

impl Lookout {
    /// Polls until `rule` tells something with `words` in it; the next step of that.
    pub async fn step(&mut self, rule: &str, words: &str) -> String {
        let began = Instant::now();
        loop {
            self.poll().await;
            let firing = self.world.alerts.firing();
            let mut its = firing.iter().filter(|one| one.breach.rule == rule);
            if let Some(finding) = its.find(|one| one.breach.sentence.contains(words)) {
                return finding.breach.step.words();
            }
            let told = firing.iter().map(|one| one.breach.sentence.clone()).collect::<Vec<_>>();
            assert!(began.elapsed() < WITHIN, "{rule} says no `{words}`: {told:?}");
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Polls until `rule` tells nothing with `words` in it any more.
    pub async fn over(&mut self, rule: &str, words: &str) {
        let began = Instant::now();
        loop {
            self.poll().await;
            let firing = self.world.alerts.firing();
            let mut its = firing.iter().filter(|one| one.breach.rule == rule);
            let Some(left) = its.find(|one| one.breach.sentence.contains(words)) else { return };
            assert!(began.elapsed() < WITHIN, "{rule} goes on: {}", left.breach.sentence);
            sleep(Duration::from_millis(300)).await;
        }
    }
}

/// Looks in the background each second, and tells what it finds at once.
fn looking(connect: PostgresConnect) -> Lookout {
    let mut lookout = Lookout::new(vec![("pg", Connect::Postgres(connect.clone()))]);
    lookout.watches[0].source = Box::new(PostgresSource::new(connect).watching_each(Duration::from_secs(1)));
    let spec = all_rules().into_iter().find(|spec| spec.id == "postgres.table_overdue").expect("a rule");
    let setting = RuleSetting { hold: Duration::ZERO, ..lookout.world.rules.get(spec.id) };
    assert!(lookout.world.rules.set("postgres.table_overdue", setting));
    lookout
}

const SCENE: &str = "CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1); \
    CREATE TABLE orders (id serial PRIMARY KEY); SELECT setval('orders_id_seq', 2000000000); \
    CREATE SEQUENCE tickets MAXVALUE 100; SELECT setval('tickets', 95); \
    CREATE TABLE safe (id int, tenant_id int); ALTER TABLE safe ENABLE ROW LEVEL SECURITY; \
    CREATE TABLE documents (id int, tenant_id int); CREATE INDEX ON documents (tenant_id); \
    CREATE TABLE log (at date, what text) PARTITION BY RANGE (at); CREATE TABLE log_rest PARTITION OF log DEFAULT; \
    INSERT INTO log SELECT current_date, 'x' FROM generate_series(1, 50); ANALYZE log_rest; \
    CREATE TABLE swept AS SELECT n AS id FROM generate_series(1, 30000) n; DELETE FROM swept; \
    CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (2, true); \
    CREATE ROLE shop LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO shop; CREATE ROLE plain LOGIN";

/// Rule, words of its sentence, what is advised, and that done: each in the order of the words.
const MENDS: [(&str, &str, &str, &[&str]); 8] = [
    (
        "postgres.index_invalid",
        "twice_id",
        "REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY and make it anew",
        &["DELETE FROM twice WHERE ctid = '(0,2)'", "REINDEX INDEX CONCURRENTLY twice_id"],
    ),
    (
        "postgres.index_invalid",
        "twice_again",
        "REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY and make it anew",
        &[
            "DROP INDEX CONCURRENTLY twice_again",
            "CREATE UNIQUE INDEX CONCURRENTLY twice_again ON twice (id)",
        ],
    ),
    (
        "postgres.sequence",
        "orders_id_seq",
        "make its column bigint, and the sequence: ALTER SEQUENCE … AS bigint NO MAXVALUE",
        &["ALTER TABLE orders ALTER id TYPE bigint", "ALTER SEQUENCE orders_id_seq AS bigint NO MAXVALUE"],
    ),
    (
        "postgres.sequence",
        "tickets",
        "make its column bigint, and the sequence: ALTER SEQUENCE … AS bigint NO MAXVALUE",
        &["ALTER SEQUENCE tickets AS bigint NO MAXVALUE"],
    ),
    (
        "postgres.rls_hole",
        "documents",
        "ALTER TABLE … ENABLE ROW LEVEL SECURITY, and FORCE, with a policy",
        &[
            "ALTER TABLE documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            "CREATE POLICY own ON documents USING (tenant_id = current_setting('shop.tenant')::int)",
        ],
    ),
    (
        "postgres.partition_default_filling",
        "log",
        "make their partitions: a new one is refused while its rows are in the default",
        &["BEGIN; CREATE TABLE log_now (LIKE log); \
                 WITH moved AS (DELETE FROM log_rest RETURNING *) INSERT INTO log_now SELECT * FROM moved; \
                 DO $$ BEGIN EXECUTE format('ALTER TABLE log ATTACH PARTITION log_now FOR VALUES FROM (%L) TO (%L)', \
                 current_date - 30, current_date + 400); END $$; COMMIT; ANALYZE log_rest"],
    ),
    ("postgres.table_overdue", "swept", "VACUUM it, and see what holds autovacuum back", &["VACUUM swept"]),
    (
        "postgres.migration_failed",
        "schema_migrations",
        "see its log, mend the schema, and let the tool mark it (resolve, repair, force)",
        // What `migrate force 1` does.
        &["BEGIN; TRUNCATE schema_migrations; INSERT INTO schema_migrations VALUES (1, false); COMMIT"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_advised_about_tables_mends_them() {
    let test = "what_is_advised_about_tables_mends_them";
    let Some(ground) = Ground::new(test) else { return };
    let cluster = ground.server("tables", &["autovacuum=off"]).await;
    let own = cluster.client().await;
    own.batch_execute(SCENE).await.expect("the scene");
    for index in ["twice_id", "twice_again"] {
        let sql = format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON twice (id)");
        own.batch_execute(&sql).await.expect_err("two rows are alike");
    }
    let mut lookout = looking(url::postgres(&cluster.url()).expect("a URL"));
    for (rule, words, advised, done) in MENDS {
        let step = lookout.step(rule, words).await;
        assert_eq!(step, advised, "{rule}");
        if rule == "postgres.partition_default_filling" {
            let early = "DO $$ BEGIN EXECUTE format('CREATE TABLE log_early PARTITION OF log FOR VALUES FROM (%L) TO (%L)', \
                current_date, current_date + 1); END $$";
            own.batch_execute(early).await.expect_err("its rows are in the default");
        }
        for sql in done {
            own.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
        lookout.over(rule, words).await;
    }
    a_role_without_it(&cluster, &mut lookout, own).await;
    sequences_that_may_be_read(&cluster).await;
}

/// The application's session is that of a role for which row security does not hold; then it is another's.
async fn a_role_without_it(cluster: &Cluster, lookout: &mut Lookout, own: tokio_postgres::Client) {
    let step = lookout.step("postgres.role_bypassrls", "role postgres").await;
    assert_eq!(step, "let the application log in as a role without it");
    drop(own);
    let _shop = super::super::client(&cluster.url().replace("postgres@", "shop@")).await;
    lookout.over("postgres.role_bypassrls", "role postgres").await;
}

async fn sequences_that_may_be_read(cluster: &Cluster) {
    let plain = cluster.url().replace("postgres@", "plain@");
    for (grant, take) in [
        ("GRANT pg_read_all_data TO plain", "REVOKE pg_read_all_data FROM plain"),
        ("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO plain", "SELECT 1"),
    ] {
        let mut lookout = looking(url::postgres(&plain).expect("a URL"));
        let step = lookout.step("postgres.sequence", "cannot be read").await;
        assert_eq!(step, "GRANT pg_read_all_data (14 and later), or SELECT ON ALL SEQUENCES");
        let admin = cluster.client().await;
        admin.batch_execute(grant).await.expect("granted");
        lookout.over("postgres.sequence", "cannot be read").await;
        admin.batch_execute(take).await.expect("taken");
    }
}

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_advised_about_copies_and_archives_mends_them() {
    let test = "what_is_advised_about_copies_and_archives_mends_them";
    let Some(ground) = Ground::new(test) else { return };
    let cluster = ground.server("kept", &["archive_mode=on"]).await;
    let admin = cluster.client().await;
    let mut lookout =
        Lookout::new(vec![("pg", cluster.connect())]).from("postgres.slot_retained", 3_000_000.0);
    // Archiving is on, and there is no command.
    assert_eq!(lookout.step("postgres.archiver", "no archive_command").await, "set archive_command");
    for sql in ["ALTER SYSTEM SET archive_command = 'true'", "SELECT pg_reload_conf()"] {
        admin.batch_execute(sql).await.expect("set");
    }
    lookout.over("postgres.archiver", "").await;
    // A slot that nobody reads: its reader comes back; then it goes for good, and the slot with it.
    let sql = "SELECT pg_create_physical_replication_slot('left', true); CREATE TABLE written (id int)";
    admin.batch_execute(sql).await.expect("a slot");
    let writer = cluster.client().await;
    let _load = Load::new(async move {
        loop {
            let _ = writer.simple_query("INSERT INTO written SELECT 1; SELECT pg_switch_wal()").await;
            sleep(Duration::from_millis(400)).await;
        }
    });
    let advised = "bring its reader back; drop the slot only if that will never come";
    assert_eq!(lookout.step("postgres.slot_retained", "slot left").await, advised);
    let folder = ground.place("received");
    run(ground.command("mkdir").arg(&folder));
    let mut receives = ground.command("pg_receivewal");
    receives.args(["-h", "127.0.0.1", "-U", "postgres", "-S", "left", "-p", &cluster.port.to_string()]);
    let reader = Running(receives.arg("-D").arg(&folder).spawn().expect("pg_receivewal"));
    lookout.over("postgres.slot_retained", "slot left").await;
    drop(reader);
    assert_eq!(lookout.step("postgres.slot_retained", "slot left").await, advised);
    admin.batch_execute("SELECT pg_drop_replication_slot('left')").await.expect("dropped");
    lookout.over("postgres.slot_retained", "slot left").await;
}

/// Commits wait for a copy that is gone: it is brought back; then nobody waits for it any more.
#[tokio::test(flavor = "multi_thread")]
async fn commits_go_on_by_what_is_advised() {
    let test = "commits_go_on_by_what_is_advised";
    let Some(ground) = Ground::new(test) else { return };
    let (primary, mut standby) = super::copies::pair(&ground).await;
    let admin = primary.client().await;
    for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
        admin.batch_execute(sql).await.expect("set");
    }
    let mut lookout = Lookout::new(vec![("pg", primary.connect())]);
    let advised = "bring the standby back, or change synchronous_standby_names";
    for back in [true, false] {
        standby.stop();
        let writer = primary.client().await;
        let commits =
            tokio::spawn(async move { writer.batch_execute("CREATE TABLE IF NOT EXISTS t ()").await });
        assert_eq!(lookout.step("postgres.synchronous", "none is connected").await, advised);
        if back {
            standby.start(&ground).await;
        } else {
            for sql in ["ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()"] {
                admin.batch_execute(sql).await.expect("set");
            }
        }
        lookout.over("postgres.synchronous", "none is connected").await;
        commits.await.expect("no panic").expect("it was committed");
    }
}

/// A database of a pooler is paused, then disabled, and goes on by the command of its console.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_goes_on_by_what_is_advised() {
    let test = "a_pooler_goes_on_by_what_is_advised";
    let Some(ground) = Ground::new(test) else { return };
    let cluster = ground.server("pooled", &[]).await;
    let port = free_port();
    let file = ground.place("pooler.ini");
    let settings = format!(
        "[databases]\nshop = host=127.0.0.1 port={} user=postgres dbname=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nauth_type = any\nadmin_users = postgres\nunix_socket_dir =\n",
        cluster.port
    );
    std::fs::write(&file, settings).expect("a file");
    let mut command = ground.command("/usr/sbin/pgbouncer");
    let _pooler = Running(command.arg(&file).spawn().expect("pgbouncer"));
    let console = format!("postgres://postgres@127.0.0.1:{port}/pgbouncer");
    let by_console = Some(Box::new(url::postgres(&console).expect("a URL")));
    let connect = PostgresConnect { pgbouncer: by_console, ..url::postgres(&cluster.url()).expect("a URL") };
    let mut lookout = Lookout::new(vec![("pg", Connect::Postgres(connect))]);
    lookout.settles().await;
    for (stop, told, goes_on) in
        [("PAUSE shop", "is paused", "RESUME shop"), ("DISABLE shop", "is disabled", "ENABLE shop")]
    {
        let admin = super::super::client(&console).await;
        admin.simple_query(stop).await.expect("stopped");
        let step = lookout.step("pgbouncer.paused", told).await;
        assert_eq!(step, "RESUME or ENABLE it on its console when the reason is gone");
        admin.simple_query(goes_on).await.expect("it goes on");
        lookout.over("pgbouncer.paused", told).await;
    }
}

/// The console of a Redis server, as whoever reads the advice has it.
pub fn redis_cli(port: u16, words: &[&str]) -> String {
    let output =
        Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).stdin(Stdio::null()).output();
    let output = output.expect("redis-cli");
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
