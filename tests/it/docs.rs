//! `docs/`: a page for each rule (one for all that ship switched off) and each screen, with heads that are made from the code; every link
//! leads somewhere, every command and every rule that is named is one.

mod pictures;
mod statements;

use crate::pages::alerts;
use crate::pages::blocking::{behind_prepared, migration};
use crate::pages::world::{
    Stage, backend_row, job_row, payload, postgres, queue, queue_ref, queue_row, redis, session, session_in,
    target, warm,
};
use stacktop::app::command::{self, Context, registry};
use stacktop::core::action::Offer;
use stacktop::core::alert::{RuleId, RuleSpec, RuleUnit};
use stacktop::core::alertmanager::AlertmanagerRow;
use stacktop::core::chain::edges;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{ClientGroup, PgRow, SessionState, StatementKey};
use stacktop::core::redis::{
    DeadLetter, JobDetail, JobState, LostHolder, QueueReading, QueueWorkings, RedisReading, RedisRow,
    Scheduler,
};
use stacktop::core::row::RowKey;
use stacktop::core::search::{SearchReading, SearchRow, TaskId};
use stacktop::core::text::{lasting, sized};
use stacktop::core::world::all_rules;
use stacktop::panels::PANELS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What stands between these lines is rendered from the code.
const END: &str = "<!-- end of what is made from the code -->";

/// The page of all rules that ship switched off: they are of one kind.
const AIMS: &str = "metrics.aims";

/// The sections of a page about a rule, in their order.
const SECTIONS: [&str; 6] = [
    "What it means",
    "How it is judged",
    "What it comes from",
    "Look here first",
    "What can be done",
    "What it is not",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn docs(name: &str) -> PathBuf {
    root().join("docs").join(name)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn begin(what: &str) -> String {
    format!("<!-- made from the code: {what} -->")
}

/// What stands between the lines of `what` in the page at `path` is `expected`; in update mode it is put there.
#[track_caller]
fn current(path: &Path, what: &str, expected: &str) {
    let page = text(path);
    let begin = format!("{}\n", begin(what));
    let (before, rest) =
        page.split_once(&begin).unwrap_or_else(|| panic!("{}: no line {begin}", path.display()));
    let (found, after) = rest.split_once(END).unwrap_or_else(|| panic!("{}: no end", path.display()));
    if std::env::var_os("STACKTOP_UPDATE_SAMPLE").is_some() {
        // In one step: other tests read the page at this moment.
        let name = path.file_name().expect("a name").to_string_lossy();
        let anew = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{what}"));
        std::fs::write(&anew, format!("{before}{begin}{expected}{END}{after}")).expect("written");
        std::fs::rename(&anew, path).expect("in its place");
        return;
    }
    let place = path.display();
    assert_eq!(found, expected, "{place}: run once with STACKTOP_UPDATE_SAMPLE=1 to render it anew");
}

/// Every Markdown page below `docs/`, and the README.
fn pages() -> Vec<PathBuf> {
    let mut list = vec![root().join("README.md")];
    let mut folders = vec![docs("")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                list.push(path);
            }
        }
    }
    list
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(docs(folder)).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().trim_end_matches(".md").to_owned()
    };
    entries.map(name).collect()
}

/// The name of the page that tells of a rule.
fn page_of(id: RuleId) -> &'static str {
    all_rules().into_iter().find(|spec| spec.id == id).map_or(id.as_str(), RuleSpec::page)
}

/// A threshold in words.
fn threshold(spec: &RuleSpec, value: Option<f64>) -> String {
    let Some(value) = value else { return "none".to_owned() };
    match spec.unit {
        RuleUnit::Count | RuleUnit::State => format!("{value}"),
        RuleUnit::Ratio => format!("{value} ({:.0} %)", value * 100.0),
        RuleUnit::Seconds if value < 1.0 => format!("{value} ({})", spec.unit.told(value)),
        RuleUnit::Seconds => format!("{value} ({})", lasting(Duration::from_secs_f64(value))),
        RuleUnit::Bytes => format!("{value} ({})", sized(value)),
        RuleUnit::PerSecond => format!("{value} per second"),
    }
}

fn waits(span: Duration) -> String {
    if span.is_zero() { "none".to_owned() } else { lasting(span) }
}

fn head(spec: &RuleSpec) -> String {
    let needs: Vec<&str> = spec.needs.iter().map(|need| need.0).collect();
    let needs = if needs.is_empty() { "an answer of the source".to_owned() } else { needs.join(", ") };
    let less = if spec.less_is_worse() { " (below it)" } else { "" };
    let root = if spec.names_root { "yes" } else { "no" };
    let rows = [
        ("unit", spec.unit.word().to_owned()),
        ("warning", format!("{}{less}", threshold(spec, spec.warning))),
        ("critical", threshold(spec, spec.critical)),
        ("hold", waits(spec.hold)),
        ("clear", waits(spec.clear)),
        ("needs", needs),
        ("names a root", root.to_owned()),
    ];
    let rows: String = rows.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
    format!("`[rules.\"{}\"]`: {}\n\n| | default |\n|---|---|\n{rows}", spec.id, spec.help)
}

/// What the page of the rules that are off tells of each of them.
fn aims(off: &[&RuleSpec]) -> String {
    let row = |spec: &&RuleSpec| {
        format!("| {} | {} | {} |\n", spec.id, threshold(spec, spec.warning), waits(spec.hold))
    };
    let rows: String = off.iter().map(row).collect();
    format!("| rule | warning from | hold |\n|---|---|---|\n{rows}")
}

/// The edges that lead to a rule and away from it.
fn chain(id: RuleId) -> String {
    let link = |id: &RuleId| format!("[{id}]({}.md)", page_of(*id));
    let list = |ids: &[RuleId]| ids.iter().map(link).collect::<Vec<_>>().join(", ");
    let mut lines = String::new();
    for edge in edges().filter(|edge| edge.effects.contains(&id)) {
        let (causes, verb, not) = (list(edge.causes), edge.verb, edge.withdrawn_by);
        lines.push_str(&format!("- From {causes}: \"{verb}\". Withdrawn when {not}.\n"));
    }
    for edge in edges().filter(|edge| edge.causes.contains(&id)) {
        let (effects, verb, not) = (list(edge.effects), edge.verb, edge.withdrawn_by);
        lines.push_str(&format!("- Leads to {effects}: \"{verb}\". Withdrawn when {not}.\n"));
    }
    if lines.is_empty() {
        "No edge of the chain leads to it or from it: it stands alone in the list.\n".to_owned()
    } else {
        lines
    }
}

#[test]
fn every_rule_has_its_page_and_every_page_its_rule() {
    let rules: BTreeSet<String> = all_rules().iter().map(|spec| page_of(spec.id).to_owned()).collect();
    assert_eq!(names("rules"), rules);
    let (on, off): (Vec<&RuleSpec>, Vec<&RuleSpec>) = all_rules().into_iter().partition(|spec| spec.on);
    for spec in on {
        let path = docs(&format!("rules/{}.md", spec.id));
        current(&path, "head", &head(spec));
        current(&path, "chain", &chain(spec.id));
    }
    let path = docs(&format!("rules/{AIMS}.md"));
    current(&path, "aims", &aims(&off));
    let chains: BTreeSet<String> = off.iter().map(|spec| chain(spec.id)).collect();
    current(&path, "chain", &chains.into_iter().collect::<String>());
    // What none of them has in common with the others would be told wrong there.
    assert!(
        off.iter().all(|spec| spec.id.as_str().starts_with("metrics.") && spec.unit == RuleUnit::Seconds)
    );
    for name in rules {
        let page = text(&docs(&format!("rules/{name}.md")));
        assert!(page.starts_with(&format!("# {name}\n")), "{name}");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, SECTIONS, "{name}");
    }
}

#[test]
fn the_list_of_rules_is_current() {
    let row =
        |spec: &&RuleSpec| format!("| [{}](rules/{}.md) | {} |\n", spec.id, page_of(spec.id), spec.help);
    let rows: String = all_rules().iter().map(row).collect();
    current(&docs("rules.md"), "rules", &format!("| rule | what it looks for |\n|---|---|\n{rows}"));
}

#[test]
fn every_screen_has_its_page_and_every_page_its_screen() {
    let titles: BTreeSet<String> = PANELS.iter().map(|panel| panel.title().to_owned()).collect();
    assert_eq!(names("screens"), titles);
    let registry = registry();
    for panel in PANELS {
        let entry = registry.iter().find(|entry| entry.command == command::Command::Screen(panel.screen()));
        let key = entry.and_then(|entry| entry.keys.first()).map(|key| format!("Key `{key}`, command"));
        let reached = key.as_deref().unwrap_or("Command");
        let (title, help, name) = (panel.title(), panel.help(), panel.screen().name());
        let expected = format!("{reached} `:{name}`: {help}.\n");
        current(&docs(&format!("screens/{title}.md")), "head", &expected);
    }
}

#[test]
fn the_table_of_keys_is_current() {
    let words = |context| match context {
        Context::Screens => "On the screens",
        Context::Dialogs => "In dialogs",
        Context::Fields => "Where text is typed",
    };
    let mut expected = String::new();
    for context in Context::ALL {
        let table = context.table();
        expected.push_str(&format!("\n## {}\n\n", words(context)));
        expected
            .push_str(&format!("Configured in `[{table}]`.\n\n| keys | command | what |\n|---|---|---|\n"));
        for entry in registry().iter().filter(|entry| entry.context == context) {
            let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
            let keys = if keys.is_empty() { "by its name".to_owned() } else { keys.join(" ") };
            expected.push_str(&format!("| {keys} | `{}` | {} |\n", entry.name, entry.help));
        }
    }
    expected.push('\n');
    current(&docs("keys.md"), "keys", &expected);
}

/// What is offered on each kind of row of Postgres: what the row is, and the offers.
fn acts_on_postgres() -> Vec<(&'static str, Vec<Offer>)> {
    let pg = |row: PgRow| RowKey::Postgres(target("pg"), row);
    let idle = |pid| session_in(pid, SessionState::Idle);
    let calm = || Stage::of(postgres(vec![session(7), idle(1), idle(2)]));
    let group = ClientGroup {
        application: "web".to_owned(),
        user: "app".to_owned(),
        client: "10.0.0.5".to_owned(),
        database: "shop".to_owned(),
        state: SessionState::Idle.words(),
    };
    let statement = StatementKey { user: 1, database: 1, query: 1, toplevel: true };
    let prepared = RowKey::prepared(&target("pg"), "tx's");
    vec![
        ("a session", calm().offers(Screen::Queries, &backend_row(7)).0),
        ("a session behind which a waiter stops others", {
            Stage::of(migration()).offers(Screen::Blocking, &backend_row(30)).0
        }),
        ("a prepared transaction", Stage::of(behind_prepared()).offers(Screen::Blocking, &prepared).0),
        ("a group of clients", calm().offers(Screen::Health, &pg(PgRow::ClientGroup(group))).0),
        ("a table", calm().offers(Screen::Health, &pg(PgRow::Table("public.orders".to_owned()))).0),
        ("an index", calm().offers(Screen::Health, &pg(PgRow::Index("public.i".to_owned()))).0),
        ("a statement", calm().offers(Screen::Queries, &pg(PgRow::Statement(statement))).0),
    ]
}

/// The same of Redis and its queues.
fn acts_on_redis() -> Vec<(&'static str, Vec<Offer>)> {
    let mails = |dead_letter| QueueReading { failed: 2, completed: 2, dead_letter, ..queue("mails") };
    let of = |reading: RedisReading, row: &RowKey| Stage::of(reading).offers(Screen::Queues, row).0;
    let job = |state: JobState| {
        let detail = JobDetail {
            queue: queue_ref("mails"),
            id: "7".to_owned(),
            state: state.word().to_owned(),
            fields: [("data".to_owned(), payload("{}"))].into(),
            ..JobDetail::default()
        };
        let reading = RedisReading { jobs: vec![detail], ..redis(vec![mails(None)]) };
        of(reading, &job_row("mails", "7", state))
    };
    let scheduler = Scheduler { id: "nightly".to_owned(), ..Scheduler::default() };
    let workings =
        QueueWorkings { queue: queue_ref("mails"), schedulers: vec![scheduler], ..QueueWorkings::default() };
    let on_scheduler =
        RowKey::Redis(target("cache"), RedisRow::Scheduler(queue_ref("mails"), "nightly".to_owned()));
    let lost = LostHolder { id: "order-7".to_owned(), holder: "12".to_owned(), stray: false, thrown: 2 };
    let throwing = QueueReading { lost_holders: vec![lost], ..mails(None) };
    let mut freed = of(redis(vec![throwing]), &queue_row("mails"));
    freed.retain(|offer| offer.letter == 'f');
    let letters = Some(DeadLetter { source: Some("pdf".to_owned()) });
    let server = RowKey::Redis(target("cache"), RedisRow::Server(String::new()));
    vec![
        ("a queue", of(redis(vec![mails(None)]), &queue_row("mails"))),
        ("a queue that throws jobs away for a job that is gone, beside these", freed),
        ("a dead-letter queue", of(redis(vec![mails(letters)]), &queue_row("mails"))),
        ("a failed job", job(JobState::Failed)),
        ("a delayed job", job(JobState::Delayed)),
        ("a waiting job", job(JobState::Waiting)),
        ("a completed job", job(JobState::Completed)),
        ("a job in progress", job(JobState::Active)),
        ("a job in no list", job(JobState::Lost)),
        ("a scheduler", {
            of(RedisReading { more: vec![warm(workings)], ..redis(vec![mails(None)]) }, &on_scheduler)
        }),
        ("the server", of(redis(Vec::new()), &server)),
    ]
}

/// The same of an Alertmanager.
fn acts_on_alertmanager() -> Vec<(&'static str, Vec<Offer>)> {
    let of = |row: AlertmanagerRow| {
        let key = RowKey::Alertmanager(target("am"), row);
        Stage::of(alerts::reading()).offers(Screen::Alerts, &key).0
    };
    let group = AlertmanagerRow::Group { receiver: "night".to_owned(), labels: "job=api".to_owned() };
    vec![
        ("a group of alerts", of(group)),
        ("an alert", of(AlertmanagerRow::Alert("f1".to_owned()))),
        ("a silence", of(AlertmanagerRow::Silence("s1".to_owned()))),
    ]
}

/// The same of search clusters.
fn acts_on_search() -> Vec<(&'static str, Vec<Offer>)> {
    let of = |row: SearchRow| {
        let row = RowKey::Search(target("es"), row);
        Stage::of(SearchReading::default()).offers(Screen::Search, &row).0
    };
    let shard = SearchRow::Shard { index: "logs".to_owned(), shard: "0".to_owned(), primary: false };
    vec![
        ("a shard on no node, or a group of them", of(shard)),
        ("an index that refuses writes", of(SearchRow::Blocked("logs".to_owned()))),
        ("a lifecycle that fails", of(SearchRow::Lifecycle("logs".to_owned()))),
        ("allocation", of(SearchRow::Allocation)),
        ("a task", of(SearchRow::Task(TaskId::default()))),
    ]
}

#[test]
fn the_table_of_acts_is_current() {
    let mut expected = String::new();
    for (system, acts) in [
        ("Postgres", acts_on_postgres()),
        ("Redis and its queues", acts_on_redis()),
        ("Alertmanager", acts_on_alertmanager()),
        ("Search clusters", acts_on_search()),
    ] {
        expected.push_str(&format!("\n## {system}\n\n| on | letter | act | effect |\n|---|---|---|---|\n"));
        for (row, offers) in acts {
            assert!(!offers.is_empty(), "{row}");
            for offer in offers {
                let (letter, label, effect) = (offer.letter, &offer.label, &offer.effect);
                expected.push_str(&format!("| {row} | `{letter}` | {label} | {effect} |\n"));
            }
        }
    }
    expected.push('\n');
    current(&docs("acts.md"), "acts", &expected);
}

/// The letters behind `x` in a page, however it names them: "`x` then `c`", "`x`, then `c`", "`x` `c`", "`x c`".
fn letters(page: &str) -> Vec<char> {
    let behind = |words: &str| {
        let parts = page.split(words).skip(1).map(|rest| rest.strip_prefix('`').unwrap_or(rest).to_owned());
        parts.filter_map(|rest| rest.chars().next().filter(char::is_ascii_lowercase)).collect::<Vec<_>>()
    };
    ["`x` then `", "`x`, then `", "`x` `", "`x "].into_iter().flat_map(behind).collect()
}

/// A page names only letters that rows offer; that of a rule only those of its system.
#[test]
fn every_letter_that_is_named_is_offered() {
    let offered = |acts: Vec<(&str, Vec<Offer>)>| -> String {
        acts.into_iter().flat_map(|(_, offers)| offers).map(|offer| offer.letter).collect()
    };
    let (postgres, redis) = (offered(acts_on_postgres()), offered(acts_on_redis()));
    let (alerts, search) = (offered(acts_on_alertmanager()), offered(acts_on_search()));
    let all = format!("{postgres}{redis}{alerts}{search}");
    let mut named = 0;
    for path in pages().into_iter().chain([root().join("CHANGELOG.md")]) {
        let rule =
            path.starts_with(docs("rules")).then(|| path.file_name().unwrap_or_default().to_string_lossy());
        let known = match rule.as_deref().map(|rule| rule.split('.').next().unwrap_or_default()) {
            Some("postgres" | "pgbouncer" | "source") => postgres.as_str(),
            Some("redis" | "queue") => redis.as_str(),
            Some("alertmanager") => alerts.as_str(),
            Some("search") => search.as_str(),
            Some(_) => "",
            None => all.as_str(),
        };
        for letter in letters(&text(&path)) {
            assert!(known.contains(letter), "{}: {letter}", path.display());
            named += 1;
        }
    }
    assert!(named > 40, "{named}");
}

/// The text without what stands in fences, and what stands there.
fn apart(page: &str) -> (String, String) {
    let (mut outside, mut inside) = (String::new(), String::new());
    let mut fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let side = if fenced { &mut inside } else { &mut outside };
        side.push_str(line);
        side.push('\n');
    }
    (outside, inside)
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = |sign: &char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | ' ');
    heading.to_lowercase().chars().filter(kept).map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

fn anchors(page: &str) -> BTreeSet<String> {
    let (page, _) = apart(page);
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// What is wrong with the links of a page in `folder`.
fn broken(folder: &Path, page: &str) -> Vec<String> {
    let (body, _) = apart(page);
    let inside = |begin, end| body.split(begin).skip(1).filter_map(move |rest: &str| rest.split(end).next());
    let links = inside("](", ')').chain(inside("src=\"", '"')).chain(inside("srcset=\"", '"'));
    let leads_nowhere = |link: &&str| {
        let (file, name) = link.split_once('#').unwrap_or((link, ""));
        let path = folder.join(file);
        let there = file.is_empty() || path.exists();
        let there_stands = || std::fs::read_to_string(&path).unwrap_or_default();
        let target = if file.is_empty() { page.to_owned() } else { there_stands() };
        !there || (!name.is_empty() && !anchors(&target).contains(name))
    };
    links.filter(|link| !link.contains("://")).filter(leads_nowhere).map(str::to_owned).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    for path in pages() {
        let folder = path.parent().expect("a folder");
        assert_eq!(broken(folder, &text(&path)), Vec::<String>::new(), "{}", path.display());
    }
    let bad = "# One Two\n[a](#one-two) [b](#three) [c](no-such.md) [d](README.md#two-commands) [e](README.md#no)\n\
               <img src=\"README.md\"> <source srcset=\"none.svg\">\n";
    assert_eq!(broken(&root(), bad), ["#three", "no-such.md", "README.md#no", "none.svg"]);
}

#[test]
fn the_readme_leads_to_the_docs() {
    let readme = text(&root().join("README.md"));
    for page in [
        "README",
        "start",
        "safety",
        "permissions",
        "keys",
        "rules",
        "docker",
        "fleets",
        "headless",
        "neighbours",
    ] {
        let link = format!("docs/{page}.md");
        assert!(readme.contains(&format!("]({link})")), "{link}");
    }
    // What no page leads to is found by nobody.
    let linked: String = pages().iter().map(|path| text(path)).collect();
    for path in pages() {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(name == "README.md" || linked.contains(&format!("{name})")), "no page leads to {name}");
    }
}

#[test]
fn every_rule_that_is_named_is_one() {
    let known: BTreeSet<String> = all_rules().iter().map(|spec| spec.id.to_string()).collect();
    let mut found = 0;
    for path in pages() {
        let page = text(&path);
        for named in page.split("rules.\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(known.contains(named), "{}: {named}", path.display());
            found += 1;
        }
    }
    assert!(found >= names("rules").len());
}

/// The command lines of stacktop that a page names, between backticks or in fences.
fn commands(page: &str) -> BTreeSet<String> {
    let (body, fenced) = apart(page);
    let ours = |words: &str| {
        let words = words.trim().replace("cargo run --release --", "stacktop");
        words.strip_prefix("stacktop ").map(|rest| {
            rest.split(" #")
                .next()
                .and_then(|rest| rest.split(" > ").next())
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
    };
    body.split('`').skip(1).step_by(2).chain(fenced.lines()).filter_map(ours).collect()
}

/// Whether the program's own arguments know these words. With `--help` behind them nothing is run, yet everything before it is read.
fn is_known(line: &str) -> bool {
    let example = |word: &str| match word {
        "URL" | "URL…" | "[URL…]" => "redis://127.0.0.1:9".to_owned(),
        "SHELL" => "bash".to_owned(),
        word => word.to_owned(),
    };
    let words: Vec<String> = line.split_whitespace().map(example).collect();
    let output = Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .args(&words)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    // A first word that is no command would be taken for a URL.
    let verb = words.first().filter(|word| !word.starts_with('-') && !word.contains("://"));
    output.status.success() && verb.is_none_or(|verb| told.contains(&format!("Usage: stacktop {verb}")))
}

#[test]
fn every_command_line_that_is_named_is_one() {
    let mut lines = BTreeSet::new();
    for path in pages() {
        for line in commands(&text(&path)) {
            assert!(is_known(&line), "{}: stacktop {line}", path.display());
            lines.insert(line);
        }
    }
    assert!(lines.contains("doctor") && lines.contains("demo"), "{lines:?}");
    assert!(!is_known("no-such-command") && !is_known("--no-such-flag"));
}
