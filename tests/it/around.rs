//! What stands around a verdict: who is not it, what cannot be seen from here, what changed just before; and what is not said of anybody.

use crate::pages::world::{FIRST, Stage, payload, queue, redis, target, warm_at};
use stacktop::core::around::{coincident, coverage, exonerated};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Gap, GapKind, Part};
use stacktop::core::place::Screen;
use stacktop::core::postgres::{Health, Migrations, PostgresReading};
use stacktop::core::prometheus::{PrometheusReading, ScrapeTarget};
use stacktop::core::redis::{Evidence, Happened, QueueReading, RedisReading};
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;
use stacktop::core::verdict::Verdict;

/// A queue whose jobs fail, on a server of this version.
fn failing(version: &str) -> RedisReading {
    let happened =
        Happened { completed: 1, failed: 60, reason: payload("the provider said no"), ..Happened::default() };
    let evidence = Evidence { workers: Some(2), ..Evidence::default() };
    let mails = QueueReading { happened: Part::Ready(happened), evidence, ..queue("mails") };
    let mut reading = redis(vec![mails]);
    version.clone_into(&mut reading.server.version);
    reading
}

/// What `exonerated` says of the lead: target and words.
fn not_it(stage: &Stage) -> Vec<String> {
    let now = Now::example(stage.second);
    let lead = Verdict::over(&stage.world, now).lead.expect("something is wrong");
    let said = exonerated(&stage.world, lead, now);
    said.into_iter().map(|one| format!("{}: {}", one.target, one.words)).collect()
}

#[test]
fn who_answers_and_is_past_nothing_is_not_it_and_who_is_not_read_is_not_said_to_be() {
    let kinds = [("cache", SystemKind::Redis), ("pg", SystemKind::Postgres), ("blind", SystemKind::Postgres)];
    let mut stage = Stage::with(&kinds);
    let gap = Part::Unavailable(Gap::new(GapKind::NotPermitted, "no right"));
    let blind = PostgresReading { sessions: gap, ..PostgresReading::default() };
    for second in FIRST..FIRST + 30 {
        stage = stage.then(second, "pg", PostgresReading::default()).then(second, "blind", blind.clone());
        stage = stage.then(second, "cache", failing("7.4.1"));
    }
    assert_eq!(not_it(&stage), ["pg: answers in 3 ms, nothing past its threshold"]);
    stage.page(Screen::Overview).says("not it: pg (answers in 3 ms, nothing past its threshold)");
    // Six seconds later nobody knows what pg does.
    for second in FIRST + 30..FIRST + 40 {
        stage = stage.then(second, "cache", failing("7.4.1"));
    }
    assert_eq!(not_it(&stage), Vec::<String>::new());
    let coverage = coverage(&stage.world, Now::example(stage.second));
    assert_eq!(coverage.unseen, ["applications", "hosts", "the network between them"]);
    assert_eq!(coverage.unread, [&target("blind")]);
    let aged: Vec<&str> = coverage.stale.iter().map(|(target, _)| target.as_str()).collect();
    assert_eq!(aged, ["pg", "blind"]);
    stage.page(Screen::Overview).says("not visible from here: applications, hosts");
}

#[test]
fn trouble_that_is_clearly_older_is_said_to_be_older_and_newer_trouble_is_not_excused() {
    let check = |began: u64, expected: usize| {
        let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("other", SystemKind::Redis)]);
        // Jobs of one server fail since `began`, those of the other since two thousand seconds later.
        let calm = || redis(Vec::new());
        for second in (FIRST..FIRST + 2_100).step_by(5) {
            let old = if second >= began { failing("7.4.1") } else { calm() };
            let new = if second >= FIRST + 2_000 { failing("7.4.1") } else { calm() };
            stage = stage.then(second, "other", old).then(second, "cache", new);
        }
        let firing = stage.world.alerts.firing();
        let lead = firing.iter().find(|finding| finding.breach.target == target("cache")).expect("it fires");
        let said = exonerated(&stage.world, lead, Now::example(stage.second));
        assert_eq!(said.len(), expected, "{said:?}");
        said.first().map(|one| one.words.clone()).unwrap_or_default()
    };
    let words = check(FIRST, 1);
    assert!(words.contains("but for 34m"), "{words}");
    check(FIRST + 1_900, 0);
}

#[test]
fn a_server_that_prometheus_reaches_is_not_said_to_be_down() {
    let check = |instance: &str, health: &str, expected: usize| {
        let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("prom", SystemKind::Prometheus)]);
        let scraped = ScrapeTarget {
            instance: instance.to_owned(),
            health: health.to_owned(),
            ..ScrapeTarget::default()
        };
        let reading =
            PrometheusReading { targets: Part::Ready(vec![scraped]), ..PrometheusReading::default() };
        stage = stage.then(FIRST, "pg", PostgresReading::default());
        for second in FIRST + 1..FIRST + 40 {
            stage = stage.fails(second, "pg").then(second, "prom", reading.clone());
        }
        let said: Vec<String> =
            not_it(&stage).into_iter().filter(|words| words.starts_with("pg: ")).collect();
        assert_eq!(said.len(), expected, "{instance} {health}: {said:?}");
        assert!(said.iter().all(|words| words.contains("prom gets data from pg.example:1")), "{said:?}");
    };
    check("pg.example:1", "up", 1);
    check("pg.example:1", "down", 0);
    check("pg.example:9187", "up", 0);
}

/// A version is first seen so many seconds before the jobs begin to fail.
fn changed(before: u64) -> Stage {
    let mut stage = Stage::waiting(SystemKind::Redis);
    let begins = FIRST + 1_000;
    for second in (FIRST..begins + 20).step_by(5) {
        let version = if second >= begins - before { "7.4.2" } else { "7.4.1" };
        let mut reading = failing(version);
        if second < begins {
            reading.queues = Part::Ready(Vec::new());
        }
        stage = stage.then(second, "cache", reading);
    }
    stage
}

/// So much was written to a table of migrations until so many seconds before the jobs begin to fail; more is written then, or less.
fn migrated(before: u64, written: f64) -> Stage {
    let mut stage = Stage::with(&[("cache", SystemKind::Redis), ("pg", SystemKind::Postgres)]);
    let begins = FIRST + 1_000;
    for second in (FIRST..begins + 20).step_by(5) {
        let written = if second >= begins - before { written } else { 7.0 };
        let noted = Migrations { table: "public._prisma_migrations".to_owned(), written };
        let health = Health { migrations: Part::Ready(vec![noted]), ..Health::default() };
        let health = Part::Ready(warm_at(second, health));
        let mut reading = failing("7.4.1");
        if second < begins {
            reading.queues = Part::Ready(Vec::new());
        }
        stage = stage.then(second, "pg", PostgresReading { health, ..PostgresReading::default() });
        stage = stage.then(second, "cache", reading);
    }
    stage
}

#[test]
fn a_migration_within_ten_minutes_before_stands_beside_what_began_after_it() {
    let told = |stage: &Stage| {
        let lead = Verdict::over(&stage.world, Now::example(stage.second)).lead.expect("jobs fail");
        coincident(&stage.world, lead).iter().map(|event| event.words.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&migrated(60, 8.0)), ["a migration was noted in public._prisma_migrations"]);
    assert_eq!(told(&migrated(700, 8.0)), Vec::<String>::new(), "long before");
    assert_eq!(told(&migrated(60, 0.0)), Vec::<String>::new(), "counters were reset");
    assert_eq!(told(&migrated(60, 7.0)), Vec::<String>::new());
}

#[test]
fn what_changed_within_ten_minutes_before_is_told_and_not_called_a_cause() {
    let told = |stage: &Stage| {
        let lead = Verdict::over(&stage.world, Now::example(stage.second)).lead.expect("jobs fail");
        coincident(&stage.world, lead).iter().map(|event| event.id).collect::<Vec<_>>()
    };
    let stage = changed(60);
    let ids = told(&stage);
    assert_eq!(ids.len(), 1);
    stage.page(Screen::Overview).says("coincident, not called a cause: ");
    let place = stage.jump(Screen::Overview, &[], &RowKey::Event(ids[0])).expect("it leads there");
    assert_eq!(place.screen, Screen::Timeline);
    assert!(stage.world.chain.is_empty(), "nothing was tied to it");
    assert_eq!(told(&changed(700)), [], "long before");
}
