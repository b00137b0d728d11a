//! What was read survives a file: every reading of every system, every number to its last bit, and the world that follows from it.

use crate::made::{Turns, made};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stacktop::core::alert::Rulebook;
use stacktop::core::alertmanager::AlertmanagerReading;
use stacktop::core::focus::Focus;
use stacktop::core::health::HealthReading;
use stacktop::core::log::LogReading;
use stacktop::core::loki::LokiReading;
use stacktop::core::metrics::MetricsReading;
use stacktop::core::postgres::{Look, PostgresReading};
use stacktop::core::probe::ProbeReading;
use stacktop::core::prometheus::PrometheusReading;
use stacktop::core::redis::{QueueRef, RedisReading};
use stacktop::core::report::PollReport;
use stacktop::core::search::SearchReading;
use stacktop::core::time::Now;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::drill::{Stack, StackTarget};
use std::fmt::Debug;

fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("every reading can be written")
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// NaN is not itself, so what is compared is the text of everything: it tells all numbers apart, `-0.0` from `0.0`, too.
#[track_caller]
fn check<T: Debug + Serialize + DeserializeOwned>(value: &T) {
    let text = written(value);
    let back: T = read(&text);
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "{text}");
    assert_eq!(written(&back), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_reading_survives_a_round_trip(seed in any::<u64>()) {
        let turns = &mut Turns::default();
        check::<PostgresReading>(&made(seed, turns));
        check::<RedisReading>(&made(seed, turns));
        check::<SearchReading>(&made(seed, turns));
        check::<PrometheusReading>(&made(seed, turns));
        check::<MetricsReading>(&made(seed, turns));
        check::<AlertmanagerReading>(&made(seed, turns));
        check::<LokiReading>(&made(seed, turns));
        check::<LogReading>(&made(seed, turns));
        check::<HealthReading>(&made(seed, turns));
        check::<ProbeReading>(&made(seed, turns));
        check::<PollReport>(&made(seed, turns));
    }
}

#[test]
fn every_variant_of_every_reading_has_its_turn() {
    let mut turns = Turns::default();
    for seed in 0..4000 {
        let report: PollReport = made(seed, &mut turns);
        let text = written(&report);
        assert!(!text.contains("[]") && !text.contains("{}"), "a list is empty: {text}");
    }
    assert!(turns.enums() > 15, "{turns:?}");
    assert_eq!(turns.missing(), Vec::<String>::new());
}

/// What is configured is no part of a reading: in a file it would hold what belongs to the one who wrote it.
#[test]
fn what_is_configured_stands_in_no_reading() {
    let mut turns = Turns::default();
    for seed in 0..20 {
        let text = written(&made::<PollReport>(seed, &mut turns));
        for word in
            ["rotation", "thresholds", "envelope", "brake", "warning\":", "critical\":", "mask\"", "masks\""]
        {
            assert!(!text.contains(&format!("\"{word}")), "{word}: {text}");
        }
    }
}

/// What somebody looks at: it brings the parts that are read for that only.
fn focus() -> [Focus; 6] {
    let queue = QueueRef { prefix: "bull".to_owned(), name: "order-mails".to_owned() };
    [
        Focus::StatementTexts((0..20).collect()),
        Focus::Look(Look::Topic("tables".to_owned())),
        Focus::Server { node: String::new() },
        Focus::FailedJobs { queue: queue.clone(), offset: 0, limit: 50 },
        Focus::OpenJobs { queue: queue.clone() },
        Focus::More { queue },
    ]
}

/// The demo told by its reports, and by the same after they stood in a file: the worlds are the same.
#[tokio::test]
async fn a_world_of_recorded_reports_is_the_same_world() {
    let start = Now::example(0);
    let stack = Stack::demo(1, start);
    let state = |target: &StackTarget| {
        let (id, settings) = (target.id.clone(), target.settings.clone());
        TargetState::new(id, settings, target.address.clone(), target.interval, start)
    };
    let rules = Rulebook::defaults(&all_rules());
    let mut live = World::new(stack.targets().iter().map(state).collect(), rules);
    let mut replayed = live.clone();
    let mut sources: Vec<_> = stack.jobs().into_iter().map(|job| (job.target, (job.source)())).collect();
    for second in 1..=60 {
        let now = Now::example(second);
        for (target, source) in &mut sources {
            let result = source.poll(now, &focus()).await;
            let report = PollReport::example(target.clone(), result, now);
            replayed.apply(read(&written(&report)));
            live.apply(report);
        }
        live.evaluate(now);
        replayed.evaluate(now);
    }
    assert!(live.alerts.firing().len() > 2, "there is an incident: {:?}", live.alerts.firing());
    assert_eq!(replayed, live);
}
