//! From the graph of locks to trees that can be read: every waiter once, below its culprit. Pure.
//!
//! Of all who hold what somebody wants the culprit is the one whose transaction began first; the others are named beside the waiter,
//! and stand below the trees where they have no place of their own. A waiter that nobody but the queue stops hangs below the nearest
//! that stands ahead. What an end would bring is never read from the trees but from the graph: [`Graph::without`].

pub use super::forest::{Edge, Forest, Node};
pub use super::graph::{Aftermath, Graph, Who};

use super::Session;
use super::grow::grow;
use super::locks::LockReading;

/// The forest of everybody who waits for a lock.
#[must_use]
pub fn forest(sessions: &[Session], reading: &LockReading) -> Forest {
    let graph = Graph::of(sessions, reading);
    let (nodes, cycles) = grow(&graph);
    Forest { nodes, cycles, graph }
}

#[cfg(test)]
mod tests {
    use super::super::locks::{LockMode, LockRow, PreparedTransaction};
    use super::super::{BackendId, SessionState, StatementText};
    use super::*;
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn session(pid: i32, leader: Option<i32>) -> Session {
        Session {
            id: BackendId { pid, backend_start_micros: 1 },
            leader_pid: leader,
            database: "app".to_owned(),
            user: "app_rw".to_owned(),
            application: String::new(),
            client: String::new(),
            backend_type: "client backend".to_owned(),
            state: SessionState::Active,
            wait: None,
            transaction_age: None,
            query_age: Some(Duration::from_secs(1)),
            state_age: None,
            query_start_micros: None,
            writes: false,
            xmin_age: None,
            superuser: false,
            query: StatementText::default(),
            query_id: None,
        }
    }

    fn lock(pid: i32, tag: &str, mode: LockMode, granted: bool, waiting: Option<u64>) -> LockRow {
        LockRow {
            pid: (pid != 0).then_some(pid),
            prepared_xid: (pid == 0).then(|| "900".to_owned()),
            tag: tag.to_owned(),
            object: tag.to_owned(),
            mode,
            granted,
            waiting: waiting.map(Duration::from_secs),
            blockers: Vec::new(),
        }
    }

    /// Draws a forest as `pid(children…)`; `~` marks a soft edge, `P` a prepared transaction.
    fn drawn(forest: &Forest) -> String {
        let mut out = String::new();
        for node in &forest.nodes {
            let mark = if node.edge == Edge::QueuedBehind { "~" } else { "" };
            let name = match &node.who {
                Who::Backend(id) => id.pid.to_string(),
                Who::Prepared(gid) => format!("P{gid}"),
                Who::Gone(pid) => format!("gone{pid}"),
            };
            out.push_str(&format!("{}{mark}{name} ", ">".repeat(node.depth)));
        }
        out.trim_end().to_owned()
    }

    fn grow(pids: &[i32], rows: Vec<LockRow>) -> Forest {
        let sessions: Vec<Session> = pids.iter().map(|pid| session(*pid, None)).collect();
        let prepared = vec![PreparedTransaction {
            gid: "tx1".to_owned(),
            xid: "900".to_owned(),
            owner: "ana".to_owned(),
            database: "app".to_owned(),
            age: Duration::from_secs(60),
        }];
        let reading = LockReading { rows, prepared, ..LockReading::default() };
        forest(&sessions, &reading)
    }

    use LockMode::{AccessExclusive, AccessShare, Exclusive, RowExclusive, Share, ShareRowExclusive};

    /// The same where transactions have ages, in seconds, by pid.
    fn aged(ages: &[(i32, u64)], rows: Vec<LockRow>) -> Forest {
        let sessions: Vec<Session> = ages
            .iter()
            .map(|(pid, age)| Session {
                transaction_age: Some(Duration::from_secs(*age)),
                ..session(*pid, None)
            })
            .collect();
        forest(&sessions, &LockReading { rows, ..LockReading::default() })
    }

    /// What follows from the end of these: `released | moves up | held<by`.
    #[track_caller]
    fn check_end(forest: &Forest, gone: &[i32], expected: &str) {
        let id = |pid: &i32| Who::Backend(session(*pid, None).id);
        let after = forest.graph.without(&gone.iter().map(id).collect::<Vec<_>>());
        let names = |list: &[Who]| list.iter().map(Who::name).collect::<Vec<_>>().join(" ");
        let held: Vec<String> =
            after.held.iter().map(|(who, by)| format!("{}<{}", who.name(), names(by))).collect();
        let told = format!("{} | {} | {}", names(&after.released), names(&after.moves_up), held.join(" "));
        assert_eq!(told, expected, "after the end of {gone:?}: {}", drawn(forest));
    }

    #[test]
    fn all_who_hold_on_are_known_and_the_oldest_is_the_culprit() {
        let rows = vec![
            lock(1, "relation t", Share, true, None),
            lock(2, "relation t", Share, true, None),
            lock(3, "relation t", RowExclusive, false, Some(9)),
        ];
        let forest = aged(&[(1, 10), (2, 60), (3, 9)], rows);
        assert_eq!(drawn(&forest), "2 >3 1");
        let edges: Vec<Edge> = forest.nodes.iter().map(|node| node.edge).collect();
        assert_eq!(edges, [Edge::Root, Edge::Holds, Edge::AlsoHolds]);
        assert_eq!(forest.nodes[1].others, [Who::Backend(session(1, None).id)]);
        assert_eq!((forest.nodes[2].victims, forest.nodes[2].direct), (1, 1));
        assert_eq!(forest.roots().count(), 1);
        check_end(&forest, &[2], " |  | 3<1");
        check_end(&forest, &[1], " |  | 3<2");
        check_end(&forest, &[1, 2], "3 |  | ");
    }

    #[test]
    fn a_migration_behind_four_readers_with_a_queue_behind_it() {
        let mut rows: Vec<LockRow> =
            (1..=4).map(|pid| lock(pid, "relation t", AccessShare, true, None)).collect();
        rows.push(lock(5, "relation t", AccessExclusive, false, Some(50)));
        rows.extend((6..=8).map(|pid| lock(pid, "relation t", AccessShare, false, Some(40 - pid as u64))));
        // It began last of the readers and stands first in the list: it is not the culprit.
        let forest = aged(&[(1, 5), (2, 100), (3, 70), (4, 80), (5, 51), (6, 1), (7, 1), (8, 1)], rows);
        assert_eq!(drawn(&forest), "2 >5 >>~6 >>~7 >>~8 4 3 1");
        assert_eq!(forest.nodes[1].others.len(), 3);
        assert_eq!(forest.nodes[1].releases_if_cancelled, 3);
        for pid in [2, 4, 5, 7] {
            let head = forest.queue_head(&Who::Backend(session(pid, None).id)).map(|node| node.who.name());
            let expected = if pid == 4 { None } else { Some("5".to_owned()) };
            assert_eq!(head, expected, "from {pid}");
        }
        check_end(&forest, &[2], " |  | 5<1 3 4 6<1 3 4 7<1 3 4 8<1 3 4");
        check_end(&forest, &[5], "6 7 8 |  | ");
        check_end(&forest, &[1, 2, 3, 4], "5 | 6 7 8 | ");
    }

    #[test]
    fn who_holds_already_is_served_before_who_came_earlier() {
        // 2 has SHARE and 3 wants to write; then 2 asks for more: the server puts it before 3, or both would wait for ever.
        let rows = vec![
            lock(1, "relation t", Share, true, None),
            lock(2, "relation t", Share, true, None),
            lock(3, "relation t", RowExclusive, false, Some(30)),
            lock(2, "relation t", ShareRowExclusive, false, Some(10)),
            lock(4, "relation t", Share, false, Some(5)),
        ];
        let forest = aged(&[(1, 99), (2, 50), (3, 30), (4, 5)], rows);
        assert_eq!(forest.cycles, Vec::<Vec<i32>>::new());
        assert_eq!(drawn(&forest), "1 >3 >>~4 >2");
        check_end(&forest, &[1], "2 | 3 4 | ");
    }

    #[test]
    fn a_deadlock_is_found_although_a_free_holder_stands_beside() {
        let rows = vec![
            lock(1, "a", Share, true, None),
            lock(2, "a", Share, true, None),
            lock(3, "b", Exclusive, true, None),
            lock(3, "a", Exclusive, false, Some(5)),
            lock(2, "b", Exclusive, false, Some(4)),
        ];
        let forest = aged(&[(1, 10), (2, 20), (3, 30)], rows);
        assert_eq!(forest.cycles, vec![vec![2, 3]]);
        assert_eq!(drawn(&forest), "1 >3 >>2");
        // The end of the one that is free ends no deadlock.
        check_end(&forest, &[1], " |  | 3<2");
        check_end(&forest, &[2], " |  | 3<1");
    }

    #[test]
    fn without_a_beginning_the_order_is_the_servers_word() {
        // Statements of the same age: 3 came after 4, as the server says.
        let mut first = lock(3, "relation t", AccessShare, false, None);
        first.blockers = vec![4];
        let rows = vec![
            lock(1, "relation t", AccessShare, true, None),
            first,
            lock(4, "relation t", AccessExclusive, false, None),
        ];
        assert_eq!(drawn(&grow(&[1, 3, 4], rows)), "1 >4 >>~3");
    }

    #[test]
    fn eighty_waiters_on_one_row_have_one_culprit() {
        let mut rows = vec![lock(1, "transactionid 700", Exclusive, true, None)];
        for waiter in 2..=81 {
            let first = waiter == 2;
            if first {
                rows.push(lock(2, "tuple 5", Exclusive, true, None));
                rows.push(lock(2, "transactionid 700", Share, false, Some(100)));
            } else {
                rows.push(lock(waiter, "tuple 5", Exclusive, false, Some(100 - u64::from(waiter as u32))));
            }
        }
        let pids: Vec<i32> = (1..=81).collect();
        let forest = grow(&pids, rows);
        let roots: Vec<&Node> = forest.roots().collect();
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].who, Who::Backend(session(1, None).id));
        assert_eq!(roots[0].victims, 80);
        assert_eq!(roots[0].longest, Some(Duration::from_secs(100)));
        let depths: BTreeSet<usize> = forest.nodes.iter().map(|node| node.depth).collect();
        assert_eq!(depths, BTreeSet::from([0, 1, 2]));
    }

    #[test]
    fn a_prepared_transaction_is_the_root_of_the_lab_case() {
        // prepared holds the row and the table; w1 waits for it, w2 behind w1, DDL w3 behind all, SELECT w4 behind the DDL.
        let rows = vec![
            lock(0, "transactionid 900", Exclusive, true, None),
            lock(0, "relation t", RowExclusive, true, None),
            lock(11, "transactionid 900", Share, false, Some(40)),
            lock(11, "tuple 1", Exclusive, true, None),
            lock(11, "relation t", RowExclusive, true, None),
            lock(12, "tuple 1", Exclusive, false, Some(30)),
            lock(12, "relation t", RowExclusive, true, None),
            lock(13, "relation t", AccessExclusive, false, Some(20)),
            lock(14, "relation t", AccessShare, false, Some(10)),
        ];
        let forest = grow(&[11, 12, 13, 14], rows);
        assert_eq!(drawn(&forest), "Ptx1 >11 >>12 >13 >>~14");
        let ddl = &forest.nodes[3];
        assert_eq!(ddl.releases_if_cancelled, 1);
        assert_eq!(forest.nodes[0].holds, Some((Exclusive, "transactionid 900".to_owned())));
    }

    #[test]
    fn a_queued_ddl_releases_everybody_behind_it() {
        let mut rows = vec![
            lock(1, "relation t", AccessShare, true, None),
            lock(2, "relation t", AccessExclusive, false, Some(50)),
        ];
        for reader in 3..=7 {
            rows.push(lock(reader, "relation t", AccessShare, false, Some(5)));
        }
        let forest = grow(&[1, 2, 3, 4, 5, 6, 7], rows);
        assert_eq!(forest.nodes[0].victims, 6);
        assert_eq!(forest.nodes[1].releases_if_cancelled, 5);
        assert_eq!(drawn(&forest), "1 >2 >>~3 >>~4 >>~5 >>~6 >>~7");
    }

    #[test]
    fn a_deadlock_is_a_cycle_and_is_still_shown() {
        let rows = vec![
            lock(1, "a", Exclusive, true, None),
            lock(1, "b", Exclusive, false, Some(1)),
            lock(2, "b", Exclusive, true, None),
            lock(2, "a", Exclusive, false, Some(1)),
            lock(3, "a", Exclusive, false, Some(1)),
        ];
        let forest = grow(&[1, 2, 3], rows);
        assert_eq!(forest.cycles, vec![vec![1, 2]]);
        assert_eq!(forest.nodes.len(), 3, "{}", drawn(&forest));
    }

    #[test]
    fn a_parallel_worker_stands_for_its_leader() {
        let sessions = vec![session(1, None), session(5, None), session(6, Some(5))];
        let reading = LockReading {
            rows: vec![
                lock(1, "relation t", AccessExclusive, true, None),
                lock(6, "relation t", AccessShare, false, Some(3)),
            ],
            ..LockReading::default()
        };
        assert_eq!(drawn(&forest(&sessions, &reading)), "1 >5");
    }

    #[test]
    fn advisory_locks_and_a_blocker_that_is_gone() {
        let rows = vec![
            lock(1, "advisory 42", Exclusive, true, None),
            lock(2, "advisory 42", Exclusive, false, Some(3)),
        ];
        assert_eq!(drawn(&grow(&[2], rows)), "gone1 >2");
        assert_eq!(drawn(&grow(&[1], Vec::new())), "");
    }
}
