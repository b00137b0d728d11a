//! The logs screen, pages of lines, and from which row which lines are asked for.

use super::world::{
    FIRST, Page, Stage, backend_row, gap, job_row, postgres, queue, queue_ref, redis, secs, session, target,
    warm,
};
use stacktop::core::focus::Focus;
use stacktop::core::ids::SystemKind;
use stacktop::core::lines::{About, Asked, Count, LeftOut, LogLine, Question, Window};
use stacktop::core::log::{LogReading, LogRow, LogSettings};
use stacktop::core::loki::{LokiReading, LokiRow, LokiSettings, Readiness, Received};
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{Look, PgRow};
use stacktop::core::prometheus::{PanelReading, PromQuery};
use stacktop::core::redis::{FailedJob, FailedPage, JobDetail, JobState, RedisReading};
use stacktop::core::row::RowKey;
use stacktop::core::settings::SystemSettings;
use stacktop::core::time::Now;
use stacktop::ui::content::Role;

fn count(name: &str, lines: f64) -> Count {
    Count { name: name.to_owned(), lines }
}

fn reading() -> LokiReading {
    let received = Received {
        selector: "{app=~\".+\"}".to_owned(),
        label: Some("app".to_owned()),
        streams: vec![count("web", 900.0), count("api", 93.0)],
    };
    LokiReading {
        ready: Part::Ready(Readiness { ready: true, says: String::new() }),
        labels: Part::Ready(warm(vec!["app".to_owned(), "pod".to_owned()])),
        received: Part::Ready(warm(received)),
        errors: Part::Ready(warm(vec![count("api", 3.0)])),
        ..LokiReading::default()
    }
}

fn row(row: LokiRow) -> RowKey {
    RowKey::Loki(target("logs"), row)
}

fn line(at: i64, level: &str, text: &str) -> LogLine {
    let labels = [("app", "api"), ("detected_level", level), ("pod", "api-7")];
    LogLine {
        at: at * 1_000_000_000,
        dated: true,
        digest: 7,
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        text: text.to_owned(),
    }
}

fn question() -> Question {
    let lines = About::Query("{app=\"api\"}".to_owned());
    Question { about: "api".to_owned(), lines, window: Window::Between(1_790_000_000_000, 1_790_000_060_000) }
}

fn asked(lines: Part<Vec<LogLine>>) -> Asked {
    Asked {
        question: question(),
        query: "{app=\"api\"} |= \"42\"".to_owned(),
        why: "all streams".to_owned(),
        lines,
        more: false,
        left_out: None,
        asking: false,
    }
}

fn opened(asked: Asked) -> Page {
    let reading = LokiReading { asked: vec![asked], ..reading() };
    Stage::of(reading).opened(Screen::Logs, &[row(LokiRow::Lines(question()))])
}

#[test]
fn without_one_it_says_so_and_one_that_never_answered_says_why() {
    Stage::empty().page(Screen::Logs).says("no Loki is configured ([[loki]]), and no log of this machine");
    Stage::silent(SystemKind::Loki).page(Screen::Logs).says("connection refused; start it");
}

#[test]
fn it_tells_lines_and_errors_by_stream_the_worst_first() {
    let page = Stage::of(reading()).page(Screen::Logs);
    page.says("logs ready");
    page.says("993 lines a minute, 3 errors, counted 0 s ago");
    page.says("streams by app");
    assert_eq!(page.firsts(), ["api", "web"]);
    assert_eq!(page.cell("api", "errors/min"), "3");
    assert_eq!(
        (page.role("api", "errors/min"), page.role("web", "errors/min")),
        (Role::Critical, Role::Text)
    );
}

#[test]
fn errors_that_are_not_known_are_not_none() {
    let unknown = LokiReading { errors: gap("no line says what level it has"), ..reading() };
    let page = Stage::of(unknown).page(Screen::Logs);
    page.says("993 lines a minute, errors not known");
    page.says("errors are not known: no line says what level it has");
    assert_eq!((page.cell("api", "errors/min"), page.number("api", "errors/min")), ("—".to_owned(), None));
    let unread =
        LokiReading { received: gap("too many outstanding requests"), errors: Part::NotAsked, ..reading() };
    let page = Stage::of(unread).page(Screen::Logs);
    page.says("too many outstanding requests");
    page.says_not("0 lines");
}

#[test]
fn a_stream_opens_its_lines_and_they_are_asked_for_only_then() {
    let stage = Stage::of(reading());
    let path = [row(LokiRow::Stream("api".to_owned()))];
    stage.opened(Screen::Logs, &path).says("reading the lines");
    let lines = About::Query("{app=\"api\"}".to_owned());
    let wanted = Question { about: "api".to_owned(), lines, window: Window::Last(900) };
    assert_eq!(stage.focus(Screen::Logs, &path), [Focus::Lines(wanted.clone())]);
    // A line that is open belongs to the page below it.
    let deeper = [path[0].clone(), row(LokiRow::Line(1, 2))];
    assert_eq!(stage.focus(Screen::Logs, &deeper), [Focus::Lines(wanted)]);
    assert!(stage.focus(Screen::Logs, &[]).is_empty());
}

#[test]
fn a_page_says_what_was_asked_why_there_and_what_came() {
    let lines =
        vec![line(1_790_000_030, "error", "job 42 failed"), line(1_790_000_010, "debug", "job 42 begun")];
    let page = opened(asked(Part::Ready(lines.clone())));
    page.says("# lines of api");
    page.says("asked: {app=\"api\"} |= \"42\" (all streams)");
    page.says("from 2026-09-21 14:13:20 to 14:14:20");
    page.says("2 lines, the newest first");
    assert_eq!(page.row("job 42 failed"), ["14:13:50.000", "error", "api", "job 42 failed"]);
    assert_eq!(
        (page.role("job 42 failed", "line"), page.role("job 42 begun", "line")),
        (Role::Critical, Role::Muted)
    );
    let flood = Asked {
        more: true,
        left_out: Some(LeftOut { counted: 400, more: false }),
        ..asked(Part::Ready(lines))
    };
    let page = opened(flood);
    page.says("2 lines, the newest; there are more");
    page.says("lines came too fast: 400 lines left out");
    opened(asked(Part::Ready(Vec::new()))).says("no line");
    opened(asked(gap("parse error at line 1"))).says("parse error at line 1");
}

#[test]
fn a_line_opens_to_its_labels_and_to_what_its_stream_wrote_around_it() {
    let lines = Part::Ready(vec![line(1_790_000_030, "error", "job 42 failed")]);
    let stage = Stage::of(LokiReading { asked: vec![asked(lines)], ..reading() });
    let key = row(LokiRow::Line(1_790_000_030_000_000_000, 7));
    let page = stage.opened(Screen::Logs, &[row(LokiRow::Lines(question())), key.clone()]);
    page.says("detected_level = error");
    page.says("what {app=\"api\", pod=\"api-7\"} wrote a minute before and after it");
    // Where each level is a stream of its own, what led to an error is in another one.
    let by_level = Part::Ready(warm(["app", "detected_level"].map(str::to_owned).to_vec()));
    let lines = Part::Ready(vec![line(1_790_000_030, "error", "job 42 failed")]);
    let split = LokiReading { labels: by_level, asked: vec![asked(lines)], ..reading() };
    let page = Stage::of(split).opened(Screen::Logs, &[row(LokiRow::Lines(question())), key.clone()]);
    page.says("what {app=\"api\"} wrote a minute before and after it");
    assert_eq!(stage.copy(Screen::Logs, &key).as_deref(), Some("job 42 failed"));
    let gone = stage.opened(Screen::Logs, &[row(LokiRow::Line(1, 1))]);
    gone.says("this line is no longer among those");
}

#[test]
fn panels_of_the_team_show_numbers_or_open_lines() {
    let query = |title: &str, expr: &str, warning| PromQuery {
        title: title.to_owned(),
        expr: expr.to_owned(),
        warning,
        ..PromQuery::default()
    };
    let panels = vec![
        query("slow", "sum(rate({app=\"pg\"}[1m]))", Some(2.0)),
        query("deploys", "{app=\"ci\"} |= \"deploy\"", None),
    ];
    let series = Part::Ready(vec![("app=pg".to_owned(), 2.5)]);
    let reading = LokiReading {
        panels: vec![PanelReading { title: "slow".to_owned(), series, cut: None }],
        ..reading()
    };
    let stage = Stage::configured(SystemSettings::Loki(LokiSettings { panels }), reading);
    let page = stage.page(Screen::Logs);
    assert_eq!(page.row("slow")[..3], ["slow", "app=pg", "2.50"]);
    assert_eq!(page.role("slow", "value"), Role::Warning);
    let path = [page.key("deploys")];
    let lines = About::Query("{app=\"ci\"} |= \"deploy\"".to_owned());
    let wanted = Question { about: "deploys".to_owned(), lines, window: Window::Last(900) };
    assert_eq!(stage.focus(Screen::Logs, &path), [Focus::Lines(wanted)]);
}

/// The lines that are asked for of `row`, where a Loki is watched beside these.
#[track_caller]
fn lines_of(stage: &Stage, row: &RowKey) -> (Vec<String>, String, Vec<String>, Vec<String>, Window) {
    let found = stage.lines(&[], Some(row)).expect("lines");
    match found {
        RowKey::Loki(
            id,
            LokiRow::Lines(Question { lines: About::Named { words, text, of, names }, window, .. }),
        ) => {
            assert_eq!(id, target("logs"));
            (words, text, of, names, window)
        }
        other => panic!("{other:?}"),
    }
}

fn with_loki() -> Stage {
    Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres), ("logs", SystemKind::Loki)])
}

/// A moment of the stage, so many seconds after its first reading, in milliseconds since 1970.
fn at(seconds: i64) -> i64 {
    Now::example(FIRST).wall.timestamp_millis() + seconds * 1000
}

#[test]
fn of_a_failed_job_its_id_is_looked_for_around_its_failure() {
    let failed =
        FailedJob { id: "42".into(), age: Some(secs(30)), ran_for: Some(secs(5)), ..FailedJob::default() };
    let page = FailedPage { queue: queue_ref("mails"), jobs: vec![failed], ..FailedPage::default() };
    let reading = RedisReading { failed: vec![page], ..redis(vec![queue("mails")]) };
    let stage = with_loki().then(FIRST, "cache", reading.clone());
    let job = job_row("mails", "42", JobState::Failed);
    let (words, _, of, names, window) = lines_of(&stage, &job);
    assert_eq!(
        (words, of, names),
        (vec!["42".to_owned()], vec!["mails".to_owned(), "cache".to_owned()], vec!["mails".to_owned()])
    );
    // Five minutes of earlier tries, the run, and two minutes before that.
    assert_eq!(window, Window::Between(at(-30 - 5 - 300 - 120), at(-30 + 60)));
    // Once it is open, its own fields say when it was added, and which request it came from.
    let fields = [
        ("timestamp", at(-90).to_string()),
        ("finishedOn", at(-30).to_string()),
        ("data", r#"{"requestId":"req-7f3a9c"}"#.to_owned()),
    ];
    let fields =
        fields.into_iter().map(|(name, value)| (name.to_owned(), super::world::payload(&value))).collect();
    let detail = JobDetail { queue: queue_ref("mails"), id: "42".into(), fields, ..JobDetail::default() };
    let stage = with_loki().then(FIRST, "cache", RedisReading { jobs: vec![detail], ..reading });
    let (words, .., window) = lines_of(&stage, &job);
    assert_eq!(words, ["42", "req-7f3a9c"]);
    assert_eq!(window, Window::Between(at(-90 - 120), at(-30 + 60)));
    // On its page the rows are of its flow.
    let other = job_row("mails", "43", JobState::Failed);
    assert_eq!(
        stage.lines(&[super::world::queue_row("mails"), job.clone()], Some(&other)),
        stage.lines(&[], Some(&job))
    );
}

#[test]
fn of_a_session_its_pid_is_looked_for_since_its_transaction_began() {
    let stage = with_loki().then(FIRST, "pg", postgres(vec![session(4711)]));
    let (words, _, of, names, window) = lines_of(&stage, &backend_row(4711));
    assert_eq!(
        (words, of, names),
        (vec!["4711".to_owned()], vec!["pg".to_owned()], vec!["pg".to_owned(), "postgres".to_owned()])
    );
    assert_eq!(window, Window::Since(at(-8 - 120)));
}

#[test]
fn of_a_source_that_is_silent_its_address_is_looked_for_everywhere() {
    let stage = with_loki()
        .then(FIRST, "cache", redis(vec![queue("mails")]))
        .fails(FIRST + 40, "cache")
        .at(FIRST + 100);
    let firing = stage.world.alerts.firing();
    let silent = firing.iter().find(|finding| finding.breach.rule == "source.silent").expect("it is silent");
    let (words, _, _, names, window) = lines_of(&stage, &RowKey::Finding(silent.key()));
    assert_eq!((words, names), (vec!["cache.example:1".to_owned()], Vec::<String>::new()));
    assert!(matches!(window, Window::Since(_)), "{window:?}");
}

#[test]
fn without_a_loki_the_log_of_a_postgres_server_is_opened() {
    let stage = Stage::of(postgres(vec![session(4711)]));
    let log = RowKey::Postgres(target("pg"), PgRow::Look(Look::Topic("log".to_owned())));
    assert_eq!(stage.filtered(&backend_row(4711)), Some((log.clone(), "4711".to_owned())));
    assert_eq!(stage.filtered(&RowKey::Target(target("pg"))), Some((log, String::new())));
}

#[test]
fn without_a_loki_or_a_row_it_says_why() {
    let stage = Stage::of(redis(vec![queue("mails")]));
    let row = super::world::queue_row("mails");
    assert!(
        stage.lines(&[], Some(&row)).expect_err("none").contains("no Loki is watched and no log is read")
    );
    assert_eq!(with_loki().lines(&[], None), Err("there is no row here".to_owned()));
}

fn log_settings(of: &[&str]) -> LogSettings {
    LogSettings { of: of.iter().map(|name| (*name).to_owned()).collect() }
}

fn log_row(of: &str, question: &Question) -> RowKey {
    RowKey::Log(target(of), LogRow::Lines(question.clone()))
}

fn about(words: &[&str], of: &[&str]) -> Question {
    let owned = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    let lines = About::Named { words: owned(words), text: String::new(), of: owned(of), names: owned(of) };
    Question { about: "job 42".to_owned(), lines, window: Window::Last(900) }
}

/// A reading of a log whose page shows these lines.
fn of_log(question: &Question, lines: Vec<LogLine>) -> LogReading {
    let asked = Asked { question: question.clone(), why: String::new(), ..asked(Part::Ready(lines)) };
    LogReading {
        bytes: Some(2048),
        lines: Part::Ready(warm(60)),
        errors: Part::Ready(warm(3)),
        asked: vec![asked],
        ..LogReading::default()
    }
}

#[test]
fn logs_of_this_machine_are_listed_with_what_is_known_of_them() {
    let reading = of_log(&question(), Vec::new());
    let page =
        Stage::configured(SystemSettings::Log(log_settings(&["mails"])), reading.clone()).page(Screen::Logs);
    assert_eq!(
        (page.cell("shop-log", "lines/min"), page.cell("shop-log", "errors/min")),
        ("60".into(), "3".into())
    );
    assert_eq!(page.role("shop-log", "errors/min"), Role::Critical);
    assert_eq!(page.cell("shop-log", "for"), "mails");
    page.says("shop-log.example:1, 2.0 KiB");
    page.says_not("no Loki");
    // What is not counted is no zero.
    let unread =
        LogReading { lines: Part::NotAsked, errors: gap("no line says what level it has"), ..reading };
    let page = Stage::of(unread).page(Screen::Logs);
    assert_eq!(
        (page.cell("shop-log", "lines/min"), page.cell("shop-log", "errors/min")),
        ("…".into(), "—".into())
    );
    assert_eq!(page.number("shop-log", "errors/min"), None);
    page.says("no line says what level it has");
    Stage::silent(SystemKind::Log).page(Screen::Logs).says("connection refused; start it");
    Stage::waiting(SystemKind::Log).page(Screen::Logs).says("waiting for the first look");
}

#[test]
fn a_page_puts_lines_of_several_logs_together_and_tells_what_is_unread() {
    let wanted = about(&["42"], &["mails"]);
    let logs = [("api", SystemKind::Log), ("worker", SystemKind::Log), ("third", SystemKind::Log)];
    let undated =
        LogLine { dated: false, digest: 9, text: "no time".to_owned(), ..line(1_790_000_015, "info", "") };
    let stage = Stage::with(&logs)
        .then(
            FIRST,
            "api",
            of_log(
                &wanted,
                vec![line(1_790_000_030, "error", "third"), line(1_790_000_010, "info", "first")],
            ),
        )
        .then(FIRST, "worker", of_log(&wanted, vec![line(1_790_000_020, "info", "second"), undated]))
        .fails(FIRST, "third");
    let path = [log_row("api", &wanted)];
    assert_eq!(stage.focus(Screen::Logs, &path).len(), 3, "each of them is asked");
    let page = stage.opened(Screen::Logs, &path);
    page.says("api: asked: ");
    page.says("worker: 2 lines, the newest first");
    page.says("third: ");
    page.says("connection refused");
    assert_eq!(page.row("second"), ["14:13:40.000", "info", "worker", "second"]);
    assert_eq!(page.row("no time"), ["", "info", "worker", "no time"]);
    let order: Vec<String> =
        ["third", "second", "no time", "first"].map(|text| page.row(text)[3].clone()).to_vec();
    assert_eq!(order, ["third", "second", "no time", "first"]);
    // One line of it, and what stands around it.
    let one = RowKey::Log(target("worker"), LogRow::Line(7));
    let page = stage.opened(Screen::Logs, &[path[0].clone(), one.clone()]);
    page.says("second");
    page.says("what worker holds of a minute before and after it");
    assert_eq!(stage.copy(Screen::Logs, &one).as_deref(), Some("second"));
    let undated =
        stage.opened(Screen::Logs, &[path[0].clone(), RowKey::Log(target("worker"), LogRow::Line(9))]);
    undated.says("it says no time with a zone");
}

/// Where the lines of a failed job of `mails` are looked for.
fn opened_for(stage: &Stage) -> Result<String, String> {
    match stage.lines(&[], Some(&super::world::queue_row("mails")))? {
        RowKey::Log(id, LogRow::Lines(Question { lines: About::Named { of, .. }, .. })) => {
            assert_eq!(of, ["mails", "cache"]);
            Ok(id.to_string())
        }
        RowKey::Loki(id, _) => Ok(id.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn logs_named_for_it_go_before_a_loki_and_that_before_logs_of_anybody() {
    let logs = |with: &[(&str, &[&str])], loki: bool| {
        let mut all = vec![("cache", SystemSettings::from(SystemKind::Redis))];
        if loki {
            all.push(("logs", SystemKind::Loki.into()));
        }
        all.extend(with.iter().map(|(name, of)| (*name, SystemSettings::Log(log_settings(of)))));
        Stage::configured_as(all)
    };
    let any: (&str, &[&str]) = ("any", &[]);
    let own: (&str, &[&str]) = ("own", &["mails"]);
    let server: (&str, &[&str]) = ("server", &["cache"]);
    let other: (&str, &[&str]) = ("other", &["web"]);
    for (with, loki, expected) in [
        (&[any, own][..], true, "own"),
        (&[any, server], true, "server"),
        (&[any, other], true, "logs"),
        (&[other, any], false, "any"),
    ] {
        assert_eq!(opened_for(&logs(with, loki)).as_deref(), Ok(expected), "{with:?} {loki}");
    }
    let none = opened_for(&logs(&[other], false)).expect_err("none is its");
    assert!(none.contains("no log is read for mails: name it in `for`"), "{none}");
    // Who is not reached is named by those who try, whoever they are.
    let stage = logs(&[server, other, any], false).fails(FIRST + 40, "cache").at(FIRST + 100);
    let firing = stage.world.alerts.firing();
    let silent = firing.iter().find(|finding| finding.breach.rule == "source.silent").expect("it is silent");
    let row = stage.lines(&[], Some(&RowKey::Finding(silent.key()))).expect("lines");
    assert_eq!(stage.focus(Screen::Logs, &[row]).len(), 3);
}

#[test]
fn the_own_log_of_a_postgres_server_goes_before_logs_of_anybody() {
    let pg = ("pg", SystemKind::Postgres.into());
    let stage = |of: &[&str]| {
        Stage::configured_as(vec![pg.clone(), ("app", SystemSettings::Log(log_settings(of)))]).then(
            FIRST,
            "pg",
            postgres(vec![session(4711)]),
        )
    };
    let found = |of: &[&str]| stage(of).lines(&[], Some(&backend_row(4711))).expect("lines");
    assert!(matches!(found(&[]), RowKey::Postgres(..)), "{:?}", found(&[]));
    assert!(matches!(found(&["pg"]), RowKey::Log(..)), "{:?}", found(&["pg"]));
}
