//! Whatever a finding advises was tried: each wording of a next step in the sources stands here with the test that does it, or with why
//! there is nothing to do. A new wording, one that is gone, and a test that is not there fail this.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How a wording was tried.
#[derive(Clone, Copy)]
enum Tried {
    /// This test does it on a real server; beside it in its file stands what is done.
    By(&'static str, &'static str),
    /// The same at a server of the test's own making, for the real builds at hand lack it.
    Faked(&'static str, &'static str),
    /// It says where to look, or whom to ask: who follows it changes nothing.
    Looks,
    /// It is done by people, or to a program, a machine or a network that no test has: why.
    Beyond(&'static str),
}
use Tried::{Beyond, By, Faked, Looks};

/// What stacktop itself does, by the names of `Remedy`.
const REMEDIES: [(&str, Tried); 11] = [
    ("Cancel", By("a_running_statement_is_cancelled_and_the_session_stays", "chosen(&watch)")),
    ("Terminate", By("a_root_with_nine_waiters_is_named_and_ended", "terminate.choice")),
    ("TerminateGroup", By("a_server_at_its_limits_is_still_seen_and_acted_on", "PgRow::ClientGroup")),
    ("Resume", By("two_operators_retry_everything_and_a_resume_loses_nothing", "RedisAction::Resume")),
    ("Recover", By("stalled_jobs_are_brought_back_once_or_failed", "JobAct::Release")),
    ("Reschedule", By("what_nobody_brings_back_is_a_finding", "Change::Unschedule")),
    ("Free", By("jobs_thrown_away_for_a_holder_that_is_gone_are_told_until_it_is_freed", "Change::Free")),
    ("KillScript", By("a_server_that_one_script_holds_is_broken", "offer.letter == 'k'")),
    ("RetryStep", Faked("a_step_of_elasticsearch_is_retried_while_it_stands_there", "/_ilm/retry")),
    ("Unblock", By("search_live_3a_a_block_is_refused_above_the_mark_and_taken_off_below_it", "'u'")),
    ("Allocate", By("search_live_3c_allocation_is_switched_on_again", "ENABLE")),
];

const TABLES: &str = "what_is_advised_about_tables_mends_them";
const KEPT: &str = "what_is_advised_about_copies_and_archives_mends_them";
const WORKERS: &str = "started_workers_end_what_is_told_of_none";
const MEMORY: &str = "what_is_advised_about_memory_ends_evictions";

const POSTGRES: &[(&str, Tried)] = &[
    (
        "first cancel pid {}, which waits: releases {freed} at once",
        By("a_migration_behind_four_readers_is_cancelled_first", "lab.offered('W', 'd')"),
    ),
    (
        "let it finish: it comes back. Cancel who waits first in line, and try again after it",
        By("a_vacuum_that_must_be_finishes_and_who_waits_gives_way_to_it", "pg_cancel_backend"),
    ),
    ("{} {}", By("a_prepared_transaction_beside_a_session_has_its_command", "batch_execute(&command)")),
    (
        "COMMIT or ROLLBACK PREPARED as its owner",
        By("a_prepared_transaction_beside_a_session_has_its_command", "ROLLBACK PREPARED"),
    ),
    ("look again", Looks),
    (
        "SELECT pg_wal_replay_resume()",
        By("a_standby_that_is_paused_is_one_root_with_what_its_primary_tells", "batch_execute(&step)"),
    ),
    ("look for a long query on the standby", Looks),
    ("look for a long query or slow disk there", Looks),
    ("look whether it runs and reaches this server", Looks),
    (
        "ALTER SUBSCRIPTION … ENABLE when its reason is gone, or drop it",
        By("a_subscription_that_breaks_or_is_disabled_is_told", "ALTER SUBSCRIPTION s ENABLE"),
    ),
    ("see the server's log for its error", Looks),
    ("look for new large scans (queries)", Looks),
    ("see the server's log", Looks),
    ("see archive_command in the server's log", Looks),
    ("set archive_command", By(KEPT, "ALTER SYSTEM SET archive_command = 'true'")),
    (
        "save the files first; then pg_amcheck, a copy or a backup",
        Beyond("a damaged page stays damaged: there is nothing that a test could see end"),
    ),
    ("let autovacuum finish; find what holds xmin", Looks),
    ("open it among the looks of the health screen", Looks),
    (
        "mend it in the configuration, or grant what it needs",
        By("a_panel_that_watches_nothing_is_told", "CREATE TABLE nowhere"),
    ),
    ("check the pooler and `pgbouncer` of the target", Looks),
    ("find what holds them (blocking, queries)", Looks),
    ("look at the server", Looks),
    ("look for what holds them (blocking, queries)", Looks),
    (
        "RESUME or ENABLE it on its console when the reason is gone",
        By("a_pooler_goes_on_by_what_is_advised", "\"RESUME shop\""),
    ),
    (
        "fence one of them now; if one was restored from a backup on purpose, switch this rule off",
        Beyond("which of two primaries is the right one is for people to say"),
    ),
    (
        "bring its reader back; drop the slot only if that will never come",
        By(KEPT, "pg_drop_replication_slot('left')"),
    ),
    (
        "stop what grows, or raise the limit",
        Beyond("it is about what will be, and names no limit of its own"),
    ),
    ("check the primary and the network", Looks),
    (
        "keep readers away until it caught up",
        Beyond("readers are sent elsewhere by what stands before the servers"),
    ),
    (
        "bring the standby back, or change synchronous_standby_names",
        By("commits_go_on_by_what_is_advised", "synchronous_standby_names = ''"),
    ),
    ("see why none was made", Looks),
    ("see `backups` of the target", Looks),
    ("its plan, and what its tables went through", Looks),
    (
        "REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY and make it anew",
        By(TABLES, "REINDEX INDEX CONCURRENTLY twice_id"),
    ),
    (
        "make the partition, and see why its job did not",
        By("what_nobody_looks_at_is_found_and_ends_when_it_is_mended", "log_next"),
    ),
    (
        "make their partitions: a new one is refused while its rows are in the default",
        By(TABLES, "ATTACH PARTITION log_now"),
    ),
    (
        "see why its job does not detach and drop what is old",
        By("what_nobody_looks_at_is_found_and_ends_when_it_is_mended", "DROP TABLE log_old"),
    ),
    (
        "ALTER TABLE … ENABLE ROW LEVEL SECURITY, and FORCE, with a policy",
        By(TABLES, "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"),
    ),
    ("VACUUM it, and see what holds autovacuum back", By(TABLES, "VACUUM swept")),
    (
        "make its column bigint, and the sequence: ALTER SEQUENCE … AS bigint NO MAXVALUE",
        By(TABLES, "ALTER SEQUENCE orders_id_seq AS bigint NO MAXVALUE"),
    ),
    (
        "GRANT pg_read_all_data (14 and later), or SELECT ON ALL SEQUENCES",
        By(TABLES, "GRANT SELECT ON ALL SEQUENCES"),
    ),
    ("let the application log in as a role without it", By(TABLES, "shop@")),
    (
        "see its log, mend the schema, and let the tool mark it (resolve, repair, force)",
        By(TABLES, "TRUNCATE schema_migrations"),
    ),
    ("they go with the next restart of the server", Beyond("it says what will be")),
    ("see what it runs", Looks),
    ("see which statements write (queries)", Looks),
];

const REDIS: &[(&str, Tried)] = &[
    (
        "let its application add it again, as it does when it starts; one that is over (limit) is removed by key",
        By("a_repeatable_job_that_comes_no_more_is_told_until_it_is_added_again", "removeRepeatableByKey"),
    ),
    (
        "wait; what is in its files is not lost",
        By("a_server_that_loads_its_data_is_broken_and_says_how_far_it_is", "server.loading"),
    ),
    (
        "retry the children, or have their own library remove them, when their cause is gone",
        By("a_parent_goes_on_when_its_child_is_retried_or_removed", "\"remove\""),
    ),
    (
        "add the child again (with its `jobId` and its `parent`): when that is done the parent goes on",
        By("a_parent_whose_child_is_gone_goes_on_when_one_is_added", "parent: {{ id: '{parent}'"),
    ),
    (
        "find it by its id in the open queue: if it has run or should not, remove it; then add again what was thrown away",
        By(
            "a_job_in_no_list_that_throws_others_away_is_told_until_it_is_removed",
            "JobAct::Remove(JobState::Lost)",
        ),
    ),
    (
        "add a child to it (with its `parent`): when that is done it goes on",
        By("a_parent_whose_child_is_gone_goes_on_when_one_is_added", "parent: {{ id: '{parent}'"),
    ),
    (
        "read the newest failure; retry when its cause is gone",
        By("all_that_failed_alike_are_retried_and_a_twin_is_told", "Retry"),
    ),
    (
        "keep some: a number as removeOnComplete and removeOnFail",
        By("kept_jobs_tell_how_they_end", "removeOnComplete: 100"),
    ),
    (
        "read the newest failure; pause it while its cause lasts",
        By("our_pause_and_resume_are_the_library_s_own", "RedisAction::Pause"),
    ),
    ("see Redis's log", Looks),
    ("see Sentinel, or what stands in front of it: a failover, or several servers in turn", Looks),
    (
        "let clients follow the primary (Sentinel, or the name of the service)",
        By("a_failover_is_followed_to_the_new_primary", "entinel"),
    ),
    ("see what became of the primary", Looks),
    (
        "find who did it (ACL LOG, CLIENT LIST); take it away: ACL SETUSER … -flushall -flushdb",
        By("what_is_advised_after_a_flush_keeps_every_library_alive", "ACL SETUSER … "),
    ),
    (
        "scan in small steps instead (SCAN, UNLINK, smaller scripts)",
        Beyond("the application is written anew"),
    ),
    (
        "its workers look each 30 s and bring them back; read their log",
        By("a_worker_that_looks_brings_a_stalled_job_back_as_is_said", "it was brought back"),
    ),
    ("start the workers: so many queues lost them for one reason", By(WORKERS, "let workers")),
    (
        "start its workers: one that runs takes back what another held (BullMQ and Bull check each 30 s)",
        By(WORKERS, "takes back what another held"),
    ),
    ("start its workers", By(WORKERS, "lab.worker(\"bullmq5\", \"one\")")),
    (
        "run the same major version on both sides",
        By("the_same_version_on_both_sides_ends_a_mismatch", "lab.worker(\"bullmq4\", \"mails\")"),
    ),
    ("look at its workers", Looks),
    ("see whether its limit is meant to be so low", Looks),
    ("look which queues keep jobs", Looks),
    ("redis-cli --cluster check", By("a_cluster_that_is_down_says_so", "redis_cli")),
    (
        "make room, then maxmemory-policy noeviction (a full server refuses writes)",
        By(MEMORY, "step.split(' ')"),
    ),
    ("raise maxmemory", By(MEMORY, "\"maxmemory\", \"200mb\"")),
    ("find who leaks connections", Looks),
    ("look at memory, disk and role", Looks),
    ("look at the disk and at Redis's log", Looks),
    ("look at the primary", Looks),
    ("look at its network and what it runs", Looks),
    ("look whether it loops: repl-backlog-size, client-output-buffer-limit", Looks),
];

const SEARCH: &[(&str, Tried)] = &[
    (
        "start the missing master nodes; their logs say why none is elected",
        By("search_lost_master_is_broken_in_the_nodes_own_words", "-KILL"),
    ),
    ("look why the primaries are on no node", Looks),
    (
        "it has one data node: set number_of_replicas to 0, or add a node",
        By("search_live_3b_an_index_wants_no_more_copies_than_there_are_nodes", "index.number_of_replicas"),
    ),
    (
        "bring the missing node back, or look why",
        By("search_live_4_a_killed_node_turns_the_cluster_yellow", "KILL"),
    ),
    ("look why they are on no node", Looks),
    (
        "free disk; the block goes by itself below the high watermark (7.4 and newer)",
        By(
            "search_live_3a_a_block_is_refused_above_the_mark_and_taken_off_below_it",
            "take it off by themselves",
        ),
    ),
    (
        "bring it back, or look why it left",
        By("search_live_4_a_killed_node_turns_the_cluster_yellow", "KILL"),
    ),
    (
        "the cluster's disk thresholds are off, and it may not go by itself",
        By("search_live_3a_a_block_is_refused_above_the_mark_and_taken_off_below_it", "'u'"),
    ),
    (
        "every disk is within its marks",
        By("search_live_3a_a_block_is_refused_above_the_mark_and_taken_off_below_it", "'u'"),
    ),
    ("look at heap, queues and hot nodes", Looks),
    ("look for large queries and fielddata", Looks),
    ("look at its hot threads", Looks),
    ("free disk or add a node", Beyond("a disk of the test's own cannot be made larger")),
    ("the look `snapshots`: what it makes, where, and why it fails", Looks),
    ("the look `snapshots`, and the repository that it names", Looks),
];

const OTHERS: &[(&str, Tried)] = &[
    ("open the alerts screen", Looks),
    ("look whether Prometheus runs, evaluates its rules and reaches this Alertmanager", Looks),
    ("its log says why: an address, a token or a certificate; until then nobody is told by it", Looks),
    ("`amtool check-config FILE` says what is wrong in it", Looks),
    ("look whether the members reach each other on the cluster's port (9094)", Looks),
    (
        "mend the list; what cannot be read is watched as it was, what is gone is not",
        Beyond("a list is written by whoever makes it"),
    ),
    ("look for evictions, a flush, or keys that changed", Looks),
    ("look for what holds the connections (blocking, slow queries)", Looks),
    ("look whether a new version of it tells this elsewhere, or has lost a check", Looks),
    ("open it: every value that it tells", Looks),
    ("look whether what makes the document still runs, and for a cache before it", Looks),
    ("whoever takes it out of rotation by this endpoint may do so soon", Looks),
    ("look whether {host} runs and can be reached", Looks),
    ("its own log says which of its parts is not running", Looks),
    ("open its lines", Looks),
    ("see what is known of it", Looks),
    (
        "look which queues keep jobs; raise maxmemory where the machine has it",
        Beyond("it is about what will be"),
    ),
    ("look at what ships the logs (Alloy, Promtail, the Docker driver) and at what Loki refuses", Looks),
    ("open the logs screen", Looks),
    ("look at what it depends on", Looks),
    ("look into the kernel's log (dmesg)", Looks),
    ("find the folder of many small files (du --inodes)", Looks),
    ("look what grows there, or give it room", Looks),
    ("mend `requests` in the configuration; the families stand on the metrics screen", Looks),
    ("mend the exporter; the other lines are used", Beyond("an exporter is another program")),
    ("let Prometheus scrape it, or ask it for fewer families", Beyond("an exporter is another program")),
    ("look at what is slow (queries, search, queues)", Looks),
    ("look at the slowest statements (queries)", Looks),
    ("profile it: large JSON, synchronous work, a loop over all rows", Looks),
    ("look for what holds them (blocking, slow queries)", Looks),
    (
        "give it more (--max-old-space-size), or look what it keeps (a heap snapshot)",
        Beyond("the application is started anew by whoever runs it"),
    ),
    ("look what it makes so many of, or give its heap more room", Looks),
    ("look which connections or timers are not closed", Looks),
    (
        "raise its limit (ulimit -n), or look which connections are not closed",
        Beyond("the application is started anew by whoever runs it"),
    ),
    ("open its own page, or its log", Looks),
    (
        "renew it, and have the server read it anew: a new file alone changes nothing",
        Beyond("whoever signs certificates renews them"),
    ),
    ("compare with the others on its host", Looks),
    ("open the metrics screen", Looks),
    (
        "set `alerting` in its configuration; where others send its alerts switch this rule off",
        Beyond("whoever runs Prometheus starts it with another file"),
    ),
    (
        "`stacktop doctor` says what to grant",
        By("the_printed_access_lists_let_one_look_and_the_other_act", "obey("),
    ),
    (
        "end clients that are not needed",
        By("a_server_at_its_limits_is_still_seen_and_acted_on", "PgRow::ClientGroup"),
    ),
    (
        "set both by NTP (chronyc tracking, timedatectl)",
        Beyond("the clock of a machine is not a test's to set"),
    ),
    ("see the timeline and the audit trail", Looks),
    ("the version before, and what it did with these jobs", Looks),
    ("check that it runs and can be reached", Looks),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("its text");
            found.push((path, text));
        }
    }
}

/// Everything before the end of what began before `text`: a bracket, or a statement.
fn inside(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' | ';' if depth == 0 => return &text[..at],
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// Whether what comes after `before` is the note of an act: that one is tried by its remedy.
fn is_note(before: &str) -> bool {
    before.rsplit_once("Step::Act(").is_some_and(|(_, given)| inside(given) == given)
}

/// The literals in `text`, joined where they go on on the next line, each with what stands before and after it.
fn literals(text: &str) -> Vec<(&str, String, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(begin) = text[from..].find('"').map(|at| from + at) {
        let mut end = begin + 1;
        while !text[end..].starts_with('"') {
            end += if text[end..].starts_with('\\') { 2 } else { 1 };
            while !text.is_char_boundary(end) {
                end += 1;
            }
        }
        let joined: Vec<&str> = text[begin + 1..end].split("\\\n").collect();
        let joined: Vec<&str> = joined
            .iter()
            .enumerate()
            .map(|(n, part)| if n == 0 { part } else { part.trim_start() })
            .collect();
        if !is_note(&text[..begin]) {
            found.push((&text[..begin], joined.concat(), &text[end + 1..]));
        }
        from = end + 1;
    }
    found
}

/// What a name stands for in this file: the literals of its constant, or those that its `let` may give; of a pair the last of each.
fn meant(name: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(name) {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let Some(line) = before.rsplit([';', '{', '}']).next().map(str::trim_start) else { continue };
        let Some((pattern, value)) = after.split_once('=') else { continue };
        if line.starts_with("let (") && pattern.trim() == ")" {
            let ends = |after: &str| after.trim_start_matches(',').trim_start().starts_with(')');
            let told = literals(inside(value)).into_iter();
            found.extend(
                told.filter(|(before, _, after)| ends(after) && !before.trim_end().ends_with("format!("))
                    .map(|(_, text, _)| text),
            );
        } else if line.starts_with("let ") && pattern.trim().is_empty()
            || line.contains("const ") && pattern.starts_with(": &str")
        {
            found.extend(literals(inside(value)).into_iter().map(|(_, text, _)| text));
        }
    }
    found
}

/// Every wording of a next step that is no act of ours, and where it stands.
fn wordings() -> BTreeMap<String, String> {
    let mut sources = Vec::new();
    files(&root().join("src/core"), &mut sources);
    let mut found = BTreeMap::new();
    for (path, text) in &sources {
        let code = crate::architecture::before_tests(path, text);
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
            String::new(),
            |mut code, line| {
                code.push_str(line);
                code.push('\n');
                code
            },
        );
        let place = path.strip_prefix(root()).expect("below it").display().to_string();
        for call in [".say(", ".look(", "Step::Say(", "Step::Look(", "panel_rules::past("] {
            for (at, _) in code.match_indices(call) {
                let given = inside(&code[at + call.len()..]);
                let mut told: Vec<String> = literals(given).into_iter().map(|(_, text, _)| text).collect();
                if told.is_empty() {
                    let names = given.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                    told = names.filter(|name| name.len() > 1).flat_map(|name| meant(name, &code)).collect();
                }
                // What passes words on, or looks in another sense, has none of its own.
                found.extend(told.into_iter().map(|words| (words, place.clone())));
            }
        }
    }
    found
}

/// The names of the variants of `Remedy`.
fn remedies() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("src/core/alert/step.rs")).expect("its text");
    let body = inside(text.split_once("pub enum Remedy {").expect("the remedies").1).to_owned();
    let names = body.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.is_empty());
    names.map(|line| line.trim_end_matches(',').to_owned()).collect()
}

/// The file that has this test in it, if it is one that runs.
fn test_file<'a>(name: &str, tests: &'a [(PathBuf, String)]) -> Option<&'a str> {
    tests.iter().find_map(|(_, text)| {
        let (before, _) = text.split_once(&format!("fn {name}()"))?;
        let head = before.rsplit("\n\n").next()?;
        (head.contains("test") && !head.contains("#[ignore")).then_some(text.as_str())
    })
}

#[track_caller]
fn check(rows: &BTreeMap<&str, Tried>, told: &BTreeMap<String, String>, tests: &[(PathBuf, String)]) {
    let untried: Vec<_> = told.iter().filter(|(words, _)| !rows.contains_key(words.as_str())).collect();
    assert!(untried.is_empty(), "nobody has tried these: {untried:#?}");
    let gone: Vec<_> = rows.keys().filter(|words| !told.contains_key(**words)).collect();
    assert!(gone.is_empty(), "nobody advises these any more: {gone:#?}");
    for (words, tried) in rows {
        match tried {
            By(name, done) | Faked(name, done) => {
                let file =
                    test_file(name, tests).unwrap_or_else(|| panic!("{words}: there is no test {name}"));
                assert!(file.contains(done), "{words}: `{done}` does not stand beside {name}");
            }
            Beyond(why) => assert!(!why.is_empty(), "{words}"),
            Looks => {}
        }
    }
}

#[test]
fn every_next_step_that_is_worded_was_tried() {
    let mut tests = Vec::new();
    files(&root().join("tests/it"), &mut tests);
    tests.retain(|(path, _)| !path.ends_with("it/steps.rs"));
    let rows: BTreeMap<&str, Tried> =
        [POSTGRES, REDIS, SEARCH, OTHERS].into_iter().flatten().copied().collect();
    check(&rows, &wordings(), &tests);
    let told = remedies().into_iter().map(|name| (name, String::new())).collect();
    check(&REMEDIES.into_iter().collect(), &told, &tests);
}
