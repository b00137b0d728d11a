//! A real application in Node that measures itself with prom-client: what it does is read as its service levels.

use super::{RATES, Watch, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::metrics::{Known, MetricsState, Operation, Quantile, ServiceLevel};
use stacktop::core::world::SystemState;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// It ends with this.
struct Shop(Child);

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn level(state: &MetricsState, operation: Operation) -> &ServiceLevel {
    state.levels(operation).next().unwrap_or_else(|| panic!("{operation:?}: {:?}", state.service_levels))
}

#[track_caller]
fn takes(state: &MetricsState, operation: Operation, (least, most): (f64, f64)) {
    let level = level(state, operation);
    let Some(Quantile::Value(p95)) = level.spread.p95 else { panic!("{level:?}") };
    assert!((least..=most).contains(&p95) && level.spread.count >= 20.0, "{operation:?}: {p95} {level:?}");
}

#[tokio::test]
async fn an_application_of_node_is_read_as_its_service_levels() {
    let test = "an_application_of_node_is_read_as_its_service_levels";
    let Some(script) = server(test, "STACKTOP_TEST_SHOP_JS") else { return };
    let mut node = Command::new("node");
    let child = node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node");
    let mut shop = Shop(child);
    let mut port = String::new();
    BufReader::new(shop.0.stdout.take().expect("its output")).read_line(&mut port).expect("its port");
    let http = url::http(&format!("http://127.0.0.1:{}/metrics", port.trim())).expect("a URL");
    let mut watch = Watch::new(Connect::Metrics(http));
    for _ in 0..4 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(RATES).await;
    }
    let SystemState::Metrics(state) = &watch.world.targets()[0].system else { panic!("another kind") };
    takes(state, Operation::Get, (0.0, 0.05));
    takes(state, Operation::Post, (0.5, 1.0));
    takes(state, Operation::SimpleQuery, (0.0, 0.005));
    takes(state, Operation::ComplexQuery, (0.1, 0.5));
    takes(state, Operation::Search, (0.02, 0.1));
    takes(state, Operation::Job, (1.0, 5.0));
    takes(state, Operation::Cache, (0.0, 0.001));
    assert_eq!(level(state, Operation::Cache).known, Known::Worst(1));
    let (now, _) = state.latest.as_ref().expect("a reading");
    for (operation, told, share) in [
        (Operation::Get, true, 0.0),
        (Operation::Post, true, 0.1),
        (Operation::Job, true, 0.1),
        (Operation::Query, false, 0.0),
    ] {
        let level = level(state, operation);
        let found = level.budget.lately(*now).share().expect("something ended");
        assert!(level.told == told && (found - share).abs() < 0.01, "{operation:?}: {found} {level:?}");
    }
    let signs = state.signs;
    assert!(signs.late.is_some() && signs.heap_used().is_some_and(|share| share < 0.5), "{signs:?}");
    assert!(signs.files_used().is_some() && signs.handles.is_some(), "{signs:?}");
    let pools = state.pools();
    assert_eq!((pools.len(), pools[0].used, pools[0].most), (1, 9.0, 10.0), "{pools:?}");
    assert!(state.cache_hit.is_some_and(|share| (share - 0.74).abs() < 0.02), "{:?}", state.cache_hit);
}
