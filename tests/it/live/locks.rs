//! Who blocks whom, as real servers tell it: the cases of the lab on the oldest version, the distribution's and the newest.

use super::{Watch, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::action::{Action, Preview};
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::postgres::PostgresState;
use stacktop::core::postgres::blocking::{Edge, Node, Who};
use stacktop::core::row::RowKey;
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use std::collections::{BTreeMap, BTreeSet};
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

    /// What the server says of each of ours who waits: everybody in its way.
    async fn told(&self) -> BTreeMap<char, BTreeSet<i32>> {
        let pids: Vec<i32> = self.names.keys().copied().collect();
        let sql = "SELECT p, pg_blocking_pids(p) FROM unnest($1::int4[]) p WHERE cardinality(pg_blocking_pids(p)) > 0";
        let rows = connected(&self.url).await.query(sql, &[&pids]).await.expect("the server's word");
        rows.iter()
            .map(|row| (self.names[&row.get(0)], row.get::<_, Vec<i32>>(1).into_iter().collect()))
            .collect()
    }

    /// The same as the program sees it.
    fn seen(&self) -> BTreeMap<char, BTreeSet<i32>> {
        let graph = &self.state().forest.graph;
        let nodes = self.state().forest.nodes.iter().filter(|node| node.wants.is_some());
        let ours = nodes.filter_map(|node| Some((*self.names.get(&node.who.pid()?)?, &node.who)));
        ours.map(|(name, who)| {
            (name, graph.in_the_way(who).iter().map(|other| other.pid().unwrap_or(0)).collect())
        })
        .collect()
    }

    fn key(&self, name: char) -> RowKey {
        match self.node(&name.to_string()).who {
            Who::Backend(id) => RowKey::backend(&TargetId::new("it"), id),
            ref other => panic!("{other:?}"),
        }
    }

    /// What letter `letter` of the menu would do to `name`.
    fn offered(&self, name: char, letter: char) -> (Action, Preview) {
        let offers = panel(Screen::Blocking).offers(self.watch.context(), &[], &self.key(name), &[]);
        let offer = offers.into_iter().find(|offer| offer.letter == letter).expect("the offer");
        offer.choice.expect("possible")
    }

    /// Does it, and tells what was found afterwards.
    async fn act(&mut self, action: Action) -> String {
        self.watch.act(action).await.expect("done");
        let text = std::fs::read_to_string(self.watch.audit_file()).expect("an audit trail");
        let last: serde_json::Value =
            serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        assert_eq!(last["phase"], "verified");
        last["result"].as_str().expect("a result").to_owned()
    }

    /// Polls until the trees are these; then everybody in the way of everybody is as the server says.
    async fn until(&mut self, expected: &str) {
        for _ in 0..50 {
            self.watch.poll().await.expect("a poll");
            if self.drawn() == expected {
                assert_eq!(self.seen(), self.told().await, "{expected} on {}", self.url);
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
        let shown = format!("{:?}", panel(Screen::Blocking).content(lab.watch.context(), &[]));
        assert!(shown.contains("cancel releases 3"), "{shown}");
        reader.batch_execute("ROLLBACK").await.expect("released");
        assert!(ddl.await.expect("no panic"));
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_hold_on_are_both_known_and_nothing_false_is_promised() {
    for mut lab in Lab::each("two_who_hold_on_are_both_known_and_nothing_false_is_promised").await {
        let _older = lab.holder('A', "LOCK TABLE @ IN SHARE MODE").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _younger = lab.holder('B', "LOCK TABLE @ IN SHARE MODE").await;
        let waiter = lab.waiter('u', "UPDATE @ SET state = 'paid' WHERE id = 1").await;
        lab.until("A >u B").await;
        let pid = |name: char| *lab.names.iter().find(|(_, other)| **other == name).expect("a pid").0;
        let (a, b, u) = (pid('A'), pid('B'), pid('u'));
        let screen = format!("{:?}", panel(Screen::Blocking).content(lab.watch.context(), &[]));
        assert!(screen.contains(&format!("+1 more holder: {b}")), "{screen}");
        assert!(screen.contains("on beside") && screen.contains("also holds SHARE on table"), "{screen}");
        let card = format!("{:?}", panel(Screen::Blocking).content(lab.watch.context(), &[lab.key('u')]));
        assert!(card.contains(&format!("pid {a}")) && card.contains(&format!("pid {b}")), "{card}");

        let (action, preview) = lab.offered('A', 't');
        assert!(
            preview.title.ends_with("and release nobody; 1 is still held by others"),
            "{}",
            preview.title
        );
        let held = preview.facts.iter().find(|(label, _)| label == "still held").expect("who is held");
        assert!(held.1.starts_with(&format!("pid {u} by pid {b} (")), "{}", held.1);
        let found = lab.act(action).await;
        let expected =
            format!("pid {a} is gone; it alone stopped nobody, and 1 of 1 still wait (pid {u} for {b})");
        assert_eq!(found, expected);
        lab.until("B >u").await;
        let (action, preview) = lab.offered('B', 't');
        assert!(preview.title.ends_with("and release 1 session"), "{}", preview.title);
        assert_eq!(lab.act(action).await, format!("pid {b} is gone; 1 of 1 released"));
        assert!(waiter.await.expect("no panic"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_behind_four_readers_is_cancelled_first() {
    for mut lab in Lab::each("a_migration_behind_four_readers_is_cancelled_first").await {
        let mut readers = Vec::new();
        for name in ['W', 'X', 'Y', 'Z'] {
            readers.push(lab.holder(name, "SELECT count(*) FROM @").await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ddl = lab.waiter('d', "ALTER TABLE @ ADD COLUMN more int").await;
        let mut waiters = Vec::new();
        for name in ['a', 'b', 'c'] {
            waiters.push(lab.waiter(name, "SELECT count(*) FROM @").await);
        }
        lab.until("W >d >>~a >>~b >>~c X Y Z").await;
        let pid = |name: char| *lab.names.iter().find(|(_, other)| **other == name).expect("a pid").0;
        let verdict = lab.watch.verdict();
        let culprit = format!("pid {} (postgres, idle in transaction", pid('W'));
        assert!(
            verdict.contains(&culprit) && verdict.contains("and 3 more holders block 4 sessions"),
            "{verdict}"
        );
        let offers = panel(Screen::Blocking).offers(lab.watch.context(), &[], &lab.key('W'), &[]);
        assert_eq!(offers[0].label, format!("cancel pid {}, which waits and stops the queue", pid('d')));
        let (_, preview) = lab.offered('W', 't');
        assert!(
            preview.title.ends_with("and release nobody; 4 are still held by others"),
            "{}",
            preview.title
        );
        let (action, preview) = lab.offered('W', 'd');
        assert!(preview.title.ends_with("and release 3 sessions"), "{}", preview.title);
        let found = lab.act(action).await;
        assert!(found.contains("stopped its statement") || found.contains("is gone"), "{found}");
        assert!(found.ends_with("3 of 3 released"), "{found}");
        assert!(!ddl.await.expect("no panic"), "it was cancelled");
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"), "the readers still hold on and nobody waits");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_already_is_served_before_who_came_earlier() {
    for mut lab in Lab::each("who_holds_already_is_served_before_who_came_earlier").await {
        let older = lab.holder('A', "LOCK TABLE @ IN SHARE MODE").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let both = lab.holder('B', "LOCK TABLE @ IN SHARE MODE").await;
        let writer = lab.waiter('u', "UPDATE @ SET state = 'paid' WHERE id = 1").await;
        let sql = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE; COMMIT", lab.table);
        let both = tokio::spawn(async move { both.batch_execute(&sql).await.is_ok() });
        tokio::time::sleep(Duration::from_millis(150)).await;
        let reader = lab.waiter('s', "LOCK TABLE @ IN SHARE MODE").await;
        lab.until("A >u >>~s >B").await;
        let (_, preview) = lab.offered('A', 't');
        assert!(preview.title.ends_with("and release 1 session; 2 move up"), "{}", preview.title);
        older.batch_execute("ROLLBACK").await.expect("released");
        assert!(
            both.await.expect("no panic")
                && writer.await.expect("no panic")
                && reader.await.expect("no panic")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_beside_a_session_has_its_command() {
    for mut lab in Lab::each("a_prepared_transaction_beside_a_session_has_its_command").await {
        let gid = lab.table.clone();
        let owner = connected(&lab.url).await;
        let sql = format!("BEGIN; UPDATE {gid} SET state = 'held' WHERE id = 1; PREPARE TRANSACTION '{gid}'");
        owner.batch_execute(&sql).await.expect("prepared");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let live = lab.holder('R', "UPDATE @ SET state = 'held' WHERE id = 2").await;
        let waiter = lab.waiter('w', "LOCK TABLE @ IN SHARE MODE").await;
        lab.until("prepared >w R").await;
        let key = RowKey::prepared(&TargetId::new("it"), &gid);
        let blocking = panel(Screen::Blocking);
        let card = format!("{:?}", blocking.content(lab.watch.context(), std::slice::from_ref(&key)));
        let command = format!("ROLLBACK PREPARED '{gid}'");
        assert!(card.contains(&command) && card.contains("in database postgres, as postgres"), "{card}");
        assert_eq!(blocking.copy(lab.watch.context(), &[], &key), Some(command.clone()));
        let refusal =
            blocking.offers(lab.watch.context(), &[], &key, &[])[0].choice.clone().expect_err("no signal");
        assert!(refusal.remedy.expect("a way").contains(&command));
        let (_, preview) = lab.offered('R', 't');
        let held = preview.facts.iter().find(|(label, _)| label == "still held").expect("who is held");
        assert!(
            held.1.ends_with(&format!("by prepared {}", &gid[..39.min(gid.len())]))
                || held.1.contains("by prepared"),
            "{}",
            held.1
        );
        owner.batch_execute(&command).await.expect("rolled back");
        lab.until("R >w").await;
        live.batch_execute("ROLLBACK").await.expect("released");
        assert!(waiter.await.expect("no panic"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_locked_in_another_database_is_said_to_be_there() {
    for mut lab in Lab::each("what_is_locked_in_another_database_is_said_to_be_there").await {
        let admin = connected(&lab.url).await;
        for sql in ["DROP DATABASE IF EXISTS lockselsewhere", "CREATE DATABASE lockselsewhere"] {
            admin.batch_execute(sql).await.expect("a database");
        }
        let home = std::mem::take(&mut lab.url);
        lab.url = home.rsplit_once('/').map(|(server, _)| format!("{server}/lockselsewhere")).expect("a URL");
        connected(&lab.url).await.batch_execute("CREATE TABLE there (id int)").await.expect("a table");
        let root = lab.holder('R', "LOCK TABLE there; SELECT pg_advisory_xact_lock(7, -2), pg_advisory_xact_lock(9223372036854775807)").await;
        let table = lab.waiter('a', "SELECT count(*) FROM there").await;
        let pair = lab.waiter('b', "SELECT pg_advisory_xact_lock(7, -2)").await;
        let long = lab.waiter('c', "SELECT pg_advisory_xact_lock(9223372036854775807)").await;
        lab.until("R >a >b >c").await;
        let wanted = |name: &str| lab.node(name).wants.clone().expect("what it wants").1;
        assert!(
            wanted("a").starts_with("table ") && wanted("a").ends_with(" of database lockselsewhere"),
            "{}",
            wanted("a")
        );
        assert_eq!(wanted("b"), "advisory lock (7, -2) of database lockselsewhere");
        assert_eq!(wanted("c"), "advisory lock 9223372036854775807 of database lockselsewhere");
        root.batch_execute("ROLLBACK").await.expect("released");
        for waiter in [table, pair, long] {
            assert!(waiter.await.expect("no panic"));
        }
        drop(root);
        lab.url = home;
        let _ = admin.batch_execute("DROP DATABASE lockselsewhere").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_role_sees_who_waits_and_says_what_it_does_not_see() {
    let test = "a_plain_role_sees_who_waits_and_says_what_it_does_not_see";
    for mut lab in Lab::each(test).await {
        let root = lab.holder('R', "UPDATE @ SET state = 'held' WHERE id = 1").await;
        let waiters = [
            lab.waiter('a', "UPDATE @ SET state = 'paid' WHERE id = 1").await,
            lab.waiter('b', "LOCK TABLE @ IN SHARE MODE").await,
        ];
        let poor = lab.url.replace("postgres:postgres-secret", "nobody_role:nobody_role-secret");
        lab.watch = Watch::new(Connect::Postgres(url::postgres(&poor).expect("a URL")));
        // Ages are hidden: who is the culprit of b is not known, that it is one of the two is.
        for _ in 0..50 {
            lab.watch.poll().await.expect("a poll");
            if lab.drawn().contains('a') && lab.drawn().contains('b') {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(lab.seen(), lab.told().await);
        let reading = lab.state().reading().expect("a reading");
        assert!(!reading.server.reads_all_stats, "a role with rights proves nothing");
        let said = "sessions of others cannot be read without GRANT pg_monitor TO nobody_role";
        let verdict = lab.watch.verdict();
        assert!(!verdict.starts_with("OK") && verdict.contains(said), "{verdict}");
        assert!(
            verdict.contains("nobody watches idle transactions, long statements and crashes"),
            "{verdict}"
        );
        let screen = |screen: Screen| format!("{:?}", panel(screen).content(lab.watch.context(), &[]));
        let blocking = screen(Screen::Blocking);
        assert!(blocking.contains(" behind ") && blocking.contains("not visible"), "{blocking}");
        assert!(lab.state().waiting().is_some_and(|waiting| waiting >= 2), "{:?}", lab.state().waiting());
        let overview = screen(Screen::Overview);
        assert!(!overview.contains(" 0 waiting for locks"), "{overview}");
        assert!(screen(Screen::Queries).contains(said));
        assert!(lab.node("a").waiting.is_some(), "told by the lock, or since we saw it");
        let offers = panel(Screen::Blocking).offers(lab.watch.context(), &[], &lab.key('R'), &[]);
        assert!(offers.iter().all(|offer| offer.choice.is_err()), "{offers:?}");
        root.batch_execute("ROLLBACK").await.expect("released");
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
        let rich = lab.url.replace("postgres:postgres-secret", "monitor:monitor-secret");
        lab.watch = Watch::new(Connect::Postgres(url::postgres(&rich).expect("a URL")));
        lab.watch.poll().await.expect("a poll");
        let findings = lab.watch.world.alerts.findings();
        assert!(findings.iter().all(|finding| finding.breach.rule != "source.unread"), "{findings:?}");
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
        assert_eq!(object, "advisory lock (7, 4711) of database postgres");
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
