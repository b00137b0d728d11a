//! Who blocks whom, as real servers tell it: the cases of the lab on the oldest version, the distribution's and the newest.

use super::{Watch, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::postgres::PostgresState;
use stacktop::core::postgres::blocking::{Edge, Node, Who};
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

const VERSIONS: [u32; 3] = [13, 15, 18];

/// One server with a table of its own and sessions that are known by a letter.
struct Lab {
    url: String,
    table: String,
    names: BTreeMap<i32, char>,
    watch: Watch,
}

impl Lab {
    /// A lab on each version that is there.
    async fn each(test: &str) -> Vec<Self> {
        let mut labs = Vec::new();
        for version in VERSIONS {
            let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
            let table = test.chars().filter(|c| *c != '_').take(40).collect::<String>();
            let sql = format!(
                "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id int PRIMARY KEY, state text); \
                 INSERT INTO {table} SELECT n, 'new' FROM generate_series(1, 2000) n; ANALYZE {table}; \
                 GRANT ALL ON {table} TO crowd"
            );
            let admin = connected(&url).await;
            // What a run that was broken off left behind must not hold this one up.
            let _ = admin.batch_execute(&format!("ROLLBACK PREPARED '{table}'")).await;
            admin.batch_execute("SET lock_timeout = '5s'").await.expect("set");
            admin.batch_execute(&sql).await.expect("a table");
            let watch = Watch::new(Connect::Postgres(url::postgres(&url).expect("a URL")));
            labs.push(Self { url, table, names: BTreeMap::new(), watch });
        }
        labs
    }

    async fn session(&mut self, name: char) -> Client {
        let url = self.url.clone();
        self.session_at(&url, name).await
    }

    async fn session_at(&mut self, url: &str, name: char) -> Client {
        let client = connected(url).await;
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
        self.names.insert(pid, name);
        client
    }

    /// Somebody who runs `sql` in a transaction and is not awaited.
    async fn waiter(&mut self, name: char, sql: &str) -> tokio::task::JoinHandle<bool> {
        let client = self.session(name).await;
        let sql = format!("BEGIN; {}; COMMIT", sql.replace('@', &self.table));
        let running = tokio::spawn(async move { client.batch_execute(&sql).await.is_ok() });
        // They queue up in the order in which they came.
        tokio::time::sleep(Duration::from_millis(150)).await;
        running
    }

    async fn holder(&mut self, name: char, sql: &str) -> Client {
        let client = self.session(name).await;
        client.batch_execute(&format!("BEGIN; {}", sql.replace('@', &self.table))).await.expect("a lock");
        client
    }

    fn state(&self) -> &PostgresState {
        match &self.watch.world.targets()[0].system {
            SystemState::Postgres(state) => state,
            other => panic!("{other:?}"),
        }
    }

    fn letter(&self, who: &Who) -> Option<String> {
        match who {
            Who::Backend(id) => self.names.get(&id.pid).map(char::to_string),
            Who::Prepared(gid) => (*gid == self.table).then(|| "prepared".to_owned()),
            Who::Gone(_) => None,
        }
    }

    /// The forest without the sessions of others: `>` is a step down, `~` a place in the queue.
    fn drawn(&self) -> String {
        let drawn = self.state().forest.nodes.iter().filter_map(|node| {
            let mark = if node.edge == Edge::QueuedBehind { "~" } else { "" };
            Some(format!("{}{mark}{}", ">".repeat(node.depth), self.letter(&node.who)?))
        });
        drawn.collect::<Vec<_>>().join(" ")
    }

    fn node(&self, name: &str) -> &Node {
        let mut nodes = self.state().forest.nodes.iter();
        nodes.find(|node| self.letter(&node.who).as_deref() == Some(name)).expect("the node")
    }

    async fn until(&mut self, expected: &str) {
        for _ in 0..50 {
            self.watch.poll().await.expect("a poll");
            if self.drawn() == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("expected {expected}, found {} on {}", self.drawn(), self.url);
    }
}

async fn connected(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_is_above_the_row_the_ddl_and_the_reader() {
    for mut lab in Lab::each("a_prepared_transaction_is_above_the_row_the_ddl_and_the_reader").await {
        let gid = lab.table.clone();
        let owner = connected(&lab.url).await;
        let sql = format!("BEGIN; UPDATE {gid} SET state = 'held' WHERE id = 1; PREPARE TRANSACTION '{gid}'");
        owner.batch_execute(&sql).await.expect("prepared");
        let row = "UPDATE @ SET state = 'paid' WHERE id = 1";
        let mut waiters = vec![lab.waiter('a', row).await, lab.waiter('b', row).await];
        waiters.push(lab.waiter('d', "ALTER TABLE @ ADD COLUMN more int").await);
        waiters.push(lab.waiter('r', "SELECT count(*) FROM @").await);
        lab.until("prepared >a >>b >d >>~r").await;
        assert_eq!(lab.node("prepared").victims, 4);
        assert_eq!(lab.node("d").releases_if_cancelled, 1);
        let verdict = lab.watch.verdict();
        assert!(verdict.contains(&gid[..20]), "{verdict}");
        owner.batch_execute(&format!("ROLLBACK PREPARED '{gid}'")).await.expect("rolled back");
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
        lab.until("").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eighty_waiters_on_one_row_have_one_root() {
    for mut lab in Lab::each("eighty_waiters_on_one_row_have_one_root").await {
        let root = lab.holder('R', "UPDATE @ SET state = 'held' WHERE id = 1").await;
        let many = 80;
        let crowd = lab.url.replace("postgres:postgres-secret", "crowd");
        let mut waiters = Vec::new();
        for _ in 0..many {
            let client = lab.session_at(&crowd, 'w').await;
            let sql = format!("UPDATE {} SET state = 'paid' WHERE id = 1", lab.table);
            waiters.push(tokio::spawn(async move { client.batch_execute(&sql).await.is_ok() }));
        }
        for _ in 0..100 {
            lab.watch.poll().await.expect("a poll");
            if lab.drawn().matches('w').count() == many {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let roots: Vec<String> =
            lab.state().forest.roots().filter_map(|node| lab.letter(&node.who)).collect();
        assert_eq!(roots, ["R"]);
        assert_eq!(lab.node("R").victims, many, "{}", lab.drawn());
        assert!(lab.node("R").longest.is_some());
        root.batch_execute("ROLLBACK").await.expect("released");
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_ddl_is_told_from_the_one_that_holds() {
    for mut lab in Lab::each("a_queued_ddl_is_told_from_the_one_that_holds").await {
        let reader = lab.holder('R', "SELECT count(*) FROM @").await;
        let ddl = lab.waiter('d', "ALTER TABLE @ ADD COLUMN more int").await;
        let mut waiters = Vec::new();
        for name in ['a', 'b', 'c'] {
            waiters.push(lab.waiter(name, "SELECT count(*) FROM @").await);
        }
        lab.until("R >d >>~a >>~b >>~c").await;
        assert_eq!(lab.node("d").releases_if_cancelled, 3);
        let shown =
            format!("{:?}", panel(stacktop::core::place::Screen::Blocking).content(lab.watch.context(), &[]));
        assert!(shown.contains("cancel releases 3"), "{shown}");
        reader.batch_execute("ROLLBACK").await.expect("released");
        assert!(ddl.await.expect("no panic"));
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_lock_has_its_holder() {
    for mut lab in Lab::each("an_advisory_lock_has_its_holder").await {
        let root = lab.holder('R', "SELECT pg_advisory_xact_lock(7, 4711)").await;
        let one = lab.waiter('a', "SELECT pg_advisory_xact_lock_shared(7, 4711)").await;
        let two = lab.waiter('b', "SELECT pg_advisory_xact_lock(7, 4711)").await;
        // Another key is nobody's business.
        assert!(lab.waiter('x', "SELECT pg_advisory_xact_lock(7, 4712)").await.await.expect("no panic"));
        lab.until("R >a >b").await;
        let (_, object) = lab.node("R").holds.clone().expect("what it holds");
        assert!(object.contains("advisory"), "{object}");
        root.batch_execute("ROLLBACK").await.expect("released");
        assert!(one.await.expect("no panic") && two.await.expect("no panic"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parallel_group_is_one_waiter() {
    for mut lab in Lab::each("a_parallel_group_is_one_waiter").await {
        let table = lab.table.clone();
        // A function that its author calls safe, so that the workers wait and not their leader.
        let sql = format!(
            "DROP TABLE IF EXISTS {table}_other; CREATE TABLE {table}_other (id int); \
             CREATE OR REPLACE FUNCTION {table}_looks(int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS \
             $$ BEGIN PERFORM count(*) FROM {table}_other; RETURN 1; END $$"
        );
        connected(&lab.url).await.batch_execute(&sql).await.expect("a function");
        let root = lab.holder('R', "LOCK TABLE @_other IN ACCESS EXCLUSIVE MODE").await;
        let query = "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; \
             SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_leader_participation = off; \
             SET LOCAL max_parallel_workers_per_gather = 2; SELECT count(*) FROM @ WHERE @_looks(id) = 1";
        let leader = lab.waiter('L', query).await;
        lab.until("R >L").await;
        let sessions = lab.state().reading().and_then(|reading| reading.sessions.ready()).expect("sessions");
        let leader_pid = lab.names.iter().find(|(_, name)| **name == 'L').map(|(pid, _)| *pid);
        let workers = sessions.iter().filter(|session| session.leader_pid == leader_pid).count();
        assert!(workers >= 1, "a plan without workers proves nothing");
        assert_eq!(lab.node("R").victims, 1);
        root.batch_execute("ROLLBACK").await.expect("released");
        assert!(leader.await.expect("no panic"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_shown_before_the_server_breaks_it() {
    for mut lab in Lab::each("a_deadlock_is_shown_before_the_server_breaks_it").await {
        let (a, b) = (
            lab.holder('a', "UPDATE @ SET state = 'held' WHERE id = 1").await,
            lab.holder('b', "UPDATE @ SET state = 'held' WHERE id = 2").await,
        );
        let table = lab.table.clone();
        let cancel = b.cancel_token();
        let crossing = |client: Client, id: i32| {
            let sql = format!("UPDATE {table} SET state = 'paid' WHERE id = {id}");
            tokio::spawn(async move { client.batch_execute(&sql).await.is_ok() })
        };
        let (first, second) = (crossing(a, 2), crossing(b, 1));
        let third = lab.waiter('c', "UPDATE @ SET state = 'late' WHERE id = 1").await;
        for _ in 0..50 {
            lab.watch.poll().await.expect("a poll");
            if !lab.state().forest.cycles.is_empty() && lab.drawn().contains('c') {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let cycles = &lab.state().forest.cycles;
        let named: Vec<String> = cycles
            .iter()
            .map(|cycle| cycle.iter().filter_map(|pid| lab.names.get(pid)).collect::<String>())
            .collect();
        assert!(named.iter().any(|cycle| cycle == "ab" || cycle == "ba"), "{named:?} {}", lab.drawn());
        for name in ["a", "b", "c"] {
            lab.node(name);
        }
        cancel.cancel_query(NoTls).await.expect("cancelled");
        assert!(!second.await.expect("no panic"), "it was the one that was cancelled");
        assert!(first.await.expect("no panic") && third.await.expect("no panic"));
    }
}
