//! The overview: findings, worst first, and every source with how far it can be believed.

use super::world::{FIRST, Stage, gap, postgres, queue, redis, redis_at, session_in, target};
use crate::screens::Drive;
use stacktop::app::farewell;
use stacktop::app::key::Key;
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::MetricsReading;
use stacktop::core::part::{Part, Warm};
use stacktop::core::place::Screen;
use stacktop::core::postgres::{PostgresReading, SessionState, SqlTable, Watched};
use stacktop::core::prometheus::{PrometheusReading, RangeReading, SPANS};
use stacktop::core::redis::{Evidence, QueueReading};
use stacktop::core::row::RowKey;
use stacktop::core::sizes::SizesAt;
use stacktop::core::time::Now;
use stacktop::ui::content::{Line, Role};
use std::collections::BTreeMap;
use std::time::Duration;

const GIB: f64 = 1_073_741_824.0;

fn unattended() -> QueueReading {
    let evidence = Evidence { workers: Some(0), ..queue("mails").evidence };
    QueueReading { waiting: 3, evidence, ..queue("mails") }
}

/// Jobs wait for longer than the rule holds back, and no worker is there.
fn fires() -> Stage {
    let mut stage = Stage::of(redis(vec![unattended()]));
    for second in FIRST + 1..FIRST + 30 {
        stage = stage.then(second, "cache", redis_at(second, vec![unattended()]));
    }
    stage
}

/// The same with a worker again.
fn over() -> Stage {
    let mut stage = fires();
    for second in FIRST + 30..FIRST + 60 {
        stage = stage.then(second, "cache", redis_at(second, vec![queue("mails")]));
    }
    stage
}

fn finding(stage: &Stage) -> RowKey {
    let key = |found: &stacktop::ui::content::Row| found.key.clone();
    let page = stage.page(Screen::Overview);
    let table = page.0.sections.iter().find_map(|section| section.table.as_ref()).expect("findings");
    table.rows.iter().map(key).next().expect("a finding")
}

#[test]
fn without_a_target_it_says_where_to_look() {
    Stage::empty()
        .page(Screen::Overview)
        .says("no target was found; press ! for what was looked for, or run `stacktop demo`");
}

#[test]
fn where_nothing_is_wrong_it_says_so() {
    Stage::of(redis(vec![queue("mails")])).page(Screen::Overview).says("nothing is past its threshold");
}

#[test]
fn without_a_finding_no_key_is_named_that_would_lead_to_one() {
    Stage::of(redis(vec![queue("mails")])).page(Screen::Overview).says_not("explains each");
}

#[test]
fn findings_are_counted_and_the_keys_are_those_in_force() {
    fires().page(Screen::Overview).says("Findings (1, worst first; Enter explains each)");
}

#[test]
fn a_finding_names_its_target() {
    let stage = fires();
    let page = stage.page(Screen::Overview);
    assert_eq!(page.cell("! WARN", "target"), "cache");
}

#[test]
fn a_warning_is_marked_without_colour_too() {
    assert_eq!(fires().page(Screen::Overview).role("! WARN", ""), Role::Warning);
}

#[test]
fn how_long_it_lasts_is_a_number_that_filters_compare() {
    let number = fires().page(Screen::Overview).number("! WARN", "for").expect("a number");
    assert!((20.0..30.0).contains(&number), "{number}");
}

#[test]
fn what_is_over_stays_for_a_while_and_says_so() {
    let page = over().page(Screen::Overview);
    assert_eq!(page.role("over", ""), Role::Ok);
}

#[test]
fn a_finding_leads_to_the_screen_where_it_is_seen() {
    let stage = fires();
    let row = finding(&stage);
    assert_eq!(stage.jump(Screen::Overview, &[], &row), None, "first it explains itself");
    let place = stage.jump(Screen::Overview, std::slice::from_ref(&row), &row).expect("a place");
    assert_eq!(place.screen, Screen::Queues);
}

#[test]
fn a_finding_that_is_gone_leads_nowhere() {
    let row = finding(&fires());
    let stage = Stage::of(redis(vec![queue("mails")]));
    assert_eq!(stage.jump(Screen::Overview, std::slice::from_ref(&row), &row), None);
}

#[test]
fn a_source_leads_nowhere_else_but_into_itself() {
    assert_eq!(fires().jump(Screen::Overview, &[], &RowKey::Target(target("cache"))), None);
}

#[test]
fn a_finding_is_copied_as_a_sentence_with_its_target() {
    let stage = fires();
    let text = stage.copy(Screen::Overview, &finding(&stage)).expect("a sentence");
    assert!(text.contains("mails") && text.ends_with("(cache)"), "{text}");
}

#[test]
fn a_source_that_was_not_asked_yet_waits() {
    let page = Stage::waiting(SystemKind::Redis).page(Screen::Overview);
    assert_eq!(
        (page.cell("cache", "state"), page.cell("cache", "poll")),
        ("waiting".to_owned(), "—".to_owned())
    );
}

#[test]
fn a_source_that_answers_is_ok_and_shows_what_a_poll_takes() {
    let page = Stage::of(redis(Vec::new())).at(FIRST + 1).page(Screen::Overview);
    assert_eq!(
        (page.cell("cache", "state"), page.cell("cache", "poll")),
        ("ok, <2 s".to_owned(), "3 ms".to_owned())
    );
}

#[test]
fn a_source_shows_where_it_is() {
    let page = Stage::of(redis(Vec::new())).page(Screen::Overview);
    assert_eq!(page.cell("cache", "where, or why silent"), "cache.example:1");
}

#[test]
fn a_source_that_is_overdue_is_late() {
    let page = Stage::of(redis(Vec::new())).at(FIRST + 9).page(Screen::Overview);
    assert_eq!(
        (page.cell("cache", "state"), page.role("cache", "state")),
        ("LATE 9 s".to_owned(), Role::Warning)
    );
}

#[test]
fn a_source_that_is_long_overdue_is_stale() {
    let page = Stage::of(redis(Vec::new())).at(FIRST + 90).page(Screen::Overview);
    assert_eq!(page.cell("cache", "state"), "STALE 1m30s");
}

#[test]
fn a_silent_source_says_why_in_place_of_where() {
    let page = Stage::silent(SystemKind::Redis).page(Screen::Overview);
    assert!(page.cell("cache", "where, or why silent").starts_with("connection refused; start it"));
}

#[test]
fn silence_is_a_finding_of_its_own() {
    let page = Stage::of(redis(Vec::new())).at(FIRST + 90).page(Screen::Overview);
    assert_eq!(page.role("‼ CRIT", ""), Role::Critical);
}

#[test]
fn a_source_names_its_kind() {
    let kinds = SystemKind::ALL.iter().map(|kind| Stage::waiting(*kind).page(Screen::Overview).text());
    for (kind, text) in SystemKind::ALL.iter().zip(kinds) {
        assert!(text.contains(kind.name()), "{text}");
    }
}

#[test]
fn an_opened_source_says_when_it_gave_data_last() {
    Stage::of(redis(Vec::new()))
        .opened(Screen::Overview, &[RowKey::Target(target("cache"))])
        .says("last data 2026-09-21 14:15:00Z");
}

#[test]
fn an_opened_source_that_never_gave_data_does_not_say_when() {
    Stage::silent(SystemKind::Redis)
        .opened(Screen::Overview, &[RowKey::Target(target("cache"))])
        .says_not("last data");
}

#[test]
fn an_opened_source_counts_one_failure_as_one() {
    Stage::silent(SystemKind::Redis)
        .opened(Screen::Overview, &[RowKey::Target(target("cache"))])
        .says("closed, 1 failure in a row");
}

#[test]
fn an_opened_source_without_a_failure_has_none_in_a_row() {
    Stage::of(redis(Vec::new()))
        .opened(Screen::Overview, &[RowKey::Target(target("cache"))])
        .says("closed, 0 failures in a row");
}

#[test]
fn a_source_that_is_not_watched_shows_nothing() {
    let page = Stage::empty().opened(Screen::Overview, &[RowKey::Target(target("gone"))]);
    assert_eq!(page.text(), "");
}

#[test]
fn rights_that_are_missing_are_a_finding_and_name_the_grant() {
    let reading = PostgresReading { sessions: gap("GRANT pg_monitor TO watch"), ..postgres(Vec::new()) };
    let stage =
        Stage::of(reading.clone()).then(FIRST + 30, "pg", reading.clone()).then(FIRST + 60, "pg", reading);
    stage.page(Screen::Overview).says("GRANT pg_monitor TO watch");
}

#[test]
fn two_sources_of_one_name_in_a_row_are_two_rows() {
    let two = [("a", SystemKind::Redis), ("b", SystemKind::Redis)];
    assert_eq!(Stage::with(&two).page(Screen::Overview).firsts(), ["a", "b"]);
}

#[test]
fn an_idle_session_is_no_finding() {
    Stage::of(postgres(vec![session_in(1, SessionState::Idle)]))
        .page(Screen::Overview)
        .says("nothing is past its threshold");
}

/// A hundred endpoints of two services and twenty caches, of which two endpoints and a cache cannot be reached.
fn crowd() -> Stage {
    let names: Vec<(String, SystemKind)> = (1..=80)
        .map(|number| (format!("checkout-{number}"), SystemKind::Metrics))
        .chain((1..=20).map(|number| (format!("mail-{number}"), SystemKind::Metrics)))
        .chain((1..=20).map(|number| (format!("cache-{number}"), SystemKind::Redis)))
        .collect();
    let targets: Vec<(&str, SystemKind)> = names.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let mut stage = Stage::with(&targets);
    for second in FIRST..FIRST + 3 {
        for (name, kind) in &targets {
            let broken = matches!(*name, "checkout-7" | "checkout-44" | "cache-3");
            stage = match kind {
                _ if broken && second > FIRST => stage.fails(second, name),
                SystemKind::Redis => stage.then(second, name, redis_at(second, vec![queue("mails")])),
                _ => stage.then(second, name, MetricsReading::default()),
            };
        }
    }
    stage
}

#[test]
fn many_targets_are_groups_with_the_worst_first() {
    let page = crowd().at(FIRST + 4).page(Screen::Overview);
    page.says("Sources (120 in 3 groups, worst first; Enter opens one)");
    let sources = page.0.sections.iter().find(|section| section.title.starts_with("Sources"));
    let rows = &sources.and_then(|section| section.table.as_ref()).expect("sources").rows;
    let names: Vec<String> = rows.iter().map(|row| row.cells[0].words().into_owned()).collect();
    assert_eq!(names, ["checkout (80)", "cache (20)", "mail (20)"]);
    assert_eq!(page.cell("checkout (80)", "state"), "2 LATE");
    assert!(page.cell("checkout (80)", "where, or why silent").starts_with("checkout-7: connection refused"));
    assert_eq!(page.cell("mail (20)", "state"), "all ok");
    let signals =
        page.0.sections.iter().find(|section| section.title.starts_with("Signals")).expect("signals");
    assert_eq!(signals.lines.len(), 3, "one line a group");
    let told: Vec<String> = signals.lines.iter().map(Line::plain).collect();
    assert!(told.iter().any(|line| line.starts_with("cache (20)")), "{told:?}");
}

#[test]
fn a_group_of_sources_opens_and_its_worst_is_first() {
    let page = crowd().at(FIRST + 4).opened(Screen::Overview, &[RowKey::Group("checkout".to_owned())]);
    page.says("Sources of checkout (80, worst first)");
    let names = page.firsts();
    assert_eq!(
        (names.len(), &names[..3]),
        (80, &["checkout-7".to_owned(), "checkout-44".into(), "checkout-1".into()][..])
    );
}

#[test]
fn what_is_over_has_no_next_step() {
    assert!(!fires().page(Screen::Overview).cell("! WARN", "next step").is_empty());
    assert_eq!(over().page(Screen::Overview).cell("over", "next step"), "");
}

/// What stands on the overview of the demo after so many seconds, in a terminal of this size.
async fn demo(second: u64, (columns, rows): (u16, u16)) -> String {
    let mut drive = Drive::demo();
    // Without the row beside the list.
    drive.key(Key::char('L'));
    drive.run_to(second).await;
    drive.drawn(columns, rows)
}

#[tokio::test]
async fn at_every_size_a_graph_shows_a_quarter_of_an_hour_and_when_the_incident_began() {
    for size in [(80, 24), (100, 30), (160, 50), (220, 60)] {
        let calm = demo(8, size).await;
        assert!(calm.contains("last 15 min") && calm.contains("-15m") && !calm.contains("began"), "{calm}");
        let broken = demo(45, size).await;
        for words in ["answered with 5xx", "min 0 %", "max ", "last 15 min", "-15m", "-10m", "began 1"] {
            assert!(broken.contains(words), "{words} at {size:?}:\n{broken}");
        }
        let beside = broken.matches("· last 15 min").count();
        assert_eq!(
            beside,
            if size.0 < 142 {
                1
            } else if size.0 < 214 {
                2
            } else {
                3
            },
            "{broken}"
        );
    }
    let small = demo(45, (60, 16)).await;
    assert!(small.contains("answered with 5xx") && !small.contains("-15m"), "{small}");
}

#[tokio::test]
async fn the_demo_says_what_it_is_and_sums_up() {
    let mut drive = Drive::demo();
    let start = drive.model.now;
    let welcome = farewell::welcome(&drive.model).text;
    assert!(welcome.starts_with("nothing here is real") && welcome.chars().count() < 80, "{welcome}");
    let told = farewell::farewell(&drive.model, start);
    assert!(told[0].contains("0 findings began, 0 ended") && told.len() == 2, "{told:?}");
    drive.run_to(60).await;
    let told = farewell::farewell(&drive.model, start).join("\n");
    for words in [
        "the demo ran 1m00s",
        "findings began",
        "first, at ",
        "you changed nothing; x on the first",
        "next: `stacktop`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

/// Memory that grows by an eighth of a GiB a day, as Prometheus remembers six days; it is asked while the page is looked at.
#[test]
fn what_grows_by_the_day_is_told_with_the_day_when_it_is_full() {
    let path = [RowKey::Target(target("cache"))];
    let reading = |most: Option<f64>| {
        let mut reading = redis(Vec::new());
        reading.server.maxmemory_bytes = most;
        reading
    };
    let told = |most: Option<f64>, per_sample: f64| {
        let both = [("cache", SystemKind::Redis), ("prom", SystemKind::Prometheus)];
        let stage = Stage::with(&both).then(FIRST, "cache", reading(most));
        let asked = stage
            .focus(Screen::Overview, &path)
            .into_iter()
            .find_map(|focus| focus.range().filter(|range| range.span == SPANS[2]).cloned());
        let range = asked.expect("it is asked for");
        assert!(range.expr.contains("redis_memory_used_bytes") && range.expr.contains("cache"), "{range:?}");
        let values = (0..range.columns()).map(|at| GIB + at as f64 * per_sample).collect();
        let series = Part::Ready(vec![(String::new(), values)]);
        let ranges = vec![RangeReading { range, series, cut: false }];
        stage.then(FIRST, "prom", PrometheusReading { ranges, ..PrometheusReading::default() })
    };
    // Forty samples a day.
    let each = GIB / 8.0 / 40.0;
    let stage = told(Some(3.0 * GIB), each);
    let now = Now::example(FIRST).wall + chrono::TimeDelta::seconds(10 * 86_400);
    let words = format!("memory  1.7 GiB · +128 MiB a day · full (3.0 GiB) on {}", now.format("%-d %b"));
    stage.opened(Screen::Overview, &path).says(&words);
    told(None, each).opened(Screen::Overview, &path).says("+128 MiB a day");
    told(None, each).opened(Screen::Overview, &path).says_not("full (");
    told(Some(3.0 * GIB), 0.0).opened(Screen::Overview, &path).says_not("a day");
    let other = Stage::with(&[("cache", SystemKind::Redis)]).then(FIRST, "cache", reading(Some(GIB)));
    other.opened(Screen::Overview, &path).says_not("Growth");
    // What is seen here stands in for it, and only where Prometheus knows nothing of it.
    let with_own = |stage: Stage| {
        let mut stage = stage;
        let half = |at: u64| {
            let at = Now::example(FIRST).minus(Duration::from_secs(at * 1800)).wall;
            let bytes =
                BTreeMap::from([("memory".to_owned(), (GIB - (at_half(at) * 4.0 * 1_048_576.0)) as u64)]);
            SizesAt { at, target: "cache".to_owned(), of: String::new(), bytes }
        };
        stage.world.recall_sizes((0..72 * 2).map(half).collect(), Now::example(FIRST));
        stage
    };
    let mut full = reading(Some(1.5 * GIB));
    full.server.used_memory_bytes = Some(GIB);
    let ours = with_own(Stage::with(&[("cache", SystemKind::Redis)]).then(FIRST, "cache", full.clone()));
    let day = |days: f64| Now::example(FIRST).plus(Duration::from_secs_f64(days * 86_400.0)).wall;
    let words = format!(
        "memory  1.0 GiB · +192 MiB a day, from 2 d · full (1.5 GiB) on {}",
        day(512.0 / 192.0).format("%-d %b")
    );
    let page = ours.opened(Screen::Overview, &path);
    page.says("Growth, by own samples");
    page.says(&words);
    full.server.policy = Some("allkeys-lru".to_owned());
    let evicts = with_own(Stage::with(&[("cache", SystemKind::Redis)]).then(FIRST, "cache", full));
    evicts.opened(Screen::Overview, &path).says("from 2 d · evicts keys (1.5 GiB) on");
    let both = with_own(told(Some(3.0 * GIB), 0.0));
    both.opened(Screen::Overview, &path).says_not("a day");
}

/// A database that grows for two days, on a server whose data lies there.
fn growing(data_directory: Option<&str>) -> Stage {
    let at = Now::example(FIRST);
    let cell = |text: &str| Some(text.to_owned());
    let table = SqlTable {
        at,
        took: Duration::ZERO,
        place: String::new(),
        columns: ["database", "size_bytes"].map(str::to_owned).to_vec(),
        rows: vec![vec![cell("shop"), cell("1073741824")]],
        truncated: false,
    };
    let watched = Watched { topic: "sizes".to_owned(), table: Part::Ready(Warm::new(at, table)) };
    let mut reading = PostgresReading { watched: vec![watched], ..PostgresReading::default() };
    reading.server.system = Some("73".to_owned());
    reading.server.data_directory = data_directory.map(str::to_owned);
    reading.server.direct = true;
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres)]).then(FIRST, "pg", reading);
    let half = |n: u64| {
        let bytes = (GIB - n as f64 * 4.0 * 1_048_576.0) as u64;
        SizesAt {
            at: at.minus(Duration::from_secs(n * 1800)).wall,
            target: "pg".to_owned(),
            of: "73".to_owned(),
            bytes: BTreeMap::from([("database shop".to_owned(), bytes)]),
        }
    };
    stage.world.recall_sizes((0..96).map(half).collect(), at);
    stage
}

#[test]
fn when_the_disk_under_a_database_is_full_is_told_or_said_to_be_unknown() {
    let path = [RowKey::Target(target("pg"))];
    let page = growing(Some("/var/lib/pg")).opened(Screen::Overview, &path);
    page.says("database shop  1.0 GiB · +192 MiB a day, from 47 h");
    page.says(
        "when its disk is full is not known: no node_exporter that is watched tells of the disks of its host",
    );
    let unread = growing(None).opened(Screen::Overview, &path);
    unread.says("when its disk is full is not known: our role may not read data_directory (pg_monitor may)");
}

/// How many half hours before the first reading that is.
fn at_half(at: chrono::DateTime<chrono::Utc>) -> f64 {
    (Now::example(FIRST).wall - at).num_seconds() as f64 / 1800.0
}
