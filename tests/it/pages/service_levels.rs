//! What operations reach against what is aimed at, and how their processes are.

use super::world::{FIRST, Page, Stage, target};
use stacktop::core::alert::RuleSetting;
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::{
    MetricKind, MetricSample, MetricsReading, MetricsRow, MetricsSettings, Operation,
};
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::settings::SystemSettings;
use stacktop::core::source_rules::SILENT;
use stacktop::core::time::Now;
use stacktop::headless::report::sentence;
use stacktop::headless::watching::Seen;
use stacktop::ui::content::Role;
use std::collections::BTreeMap;

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

/// So many observations up to 50 ms, up to 200 ms, and in all, of which the last tell this status.
fn histogram(family: &str, labels: &[(&str, &str)], counts: [f64; 3]) -> Vec<MetricSample> {
    let with = |bound| labels.iter().copied().chain([("le", bound)]).collect::<Vec<_>>();
    let bucket = |(bound, count)| sample(&format!("{family}_bucket"), &with(bound), count);
    let mut all: Vec<_> = ["0.05", "0.2", "+Inf"].into_iter().zip(counts).map(bucket).collect();
    all.push(sample(&format!("{family}_count"), labels, counts[2]));
    all
}

fn reading(samples: &[MetricSample], share: f64) -> MetricsReading {
    let mut kinds = BTreeMap::new();
    for sample in samples {
        let family = ["_bucket", "_count"].iter().find_map(|end| sample.name.strip_suffix(end));
        let kind = match family {
            Some(_) => MetricKind::Histogram,
            None if sample.name.ends_with("_total") => MetricKind::Counter,
            None => MetricKind::Gauge,
        };
        kinds.insert(family.unwrap_or(&sample.name).to_owned(), kind);
    }
    let grown: Vec<MetricSample> = samples
        .iter()
        .map(|sample| {
            let gauge = kinds.get(&sample.name) == Some(&MetricKind::Gauge);
            let value = if gauge { sample.value } else { sample.value * share };
            MetricSample { value, ..sample.clone() }
        })
        .collect();
    MetricsReading::of(&grown, &kinds)
}

/// The endpoints of these names after a minute in which their numbers grew from nothing to what they are.
fn stage(names: &[(&str, Vec<MetricSample>)]) -> Stage {
    let targets: Vec<_> = names.iter().map(|(name, _)| (*name, SystemKind::Metrics)).collect();
    let mut stage = Stage::with(&targets);
    for step in 0..=6_u32 {
        for (name, samples) in names {
            let share = f64::from(step) / 6.0;
            stage = stage.then(FIRST + u64::from(step) * 10, name, reading(samples, share));
        }
    }
    stage
}

fn alone(samples: Vec<MetricSample>) -> Page {
    stage(&[("shop", samples)]).page(Screen::Metrics)
}

fn requests(method: &str, counts: [f64; 3]) -> Vec<MetricSample> {
    histogram("http_request_duration_seconds", &[("method", method), ("code", "200")], counts)
}

#[test]
fn an_operation_is_met_or_missed_against_its_own_targets() {
    let page = alone([requests("GET", [90.0, 100.0, 100.0]), requests("POST", [10.0, 20.0, 100.0])].concat());
    assert_eq!(page.cell("GET", "n, 1 min"), "100");
    assert_eq!(page.cell("GET", "aimed at"), "50 ms · 200 ms · 500 ms");
    assert_eq!((page.cell("GET", ""), page.role("GET", "")), ("met".to_owned(), Role::Ok));
    // Beyond the last bucket it is more than 200 ms: that the median misses 100 ms is certain, and no more.
    assert_eq!(page.cell("POST", "p99"), ">200 ms");
    assert_eq!((page.cell("POST", ""), page.role("POST", "p50")), ("misses p50".to_owned(), Role::Warning));
    assert_eq!(page.firsts()[..2], ["POST", "GET"], "the worst first");
}

#[test]
fn of_few_nothing_is_said_but_how_many() {
    let page = alone(histogram("db_query_duration_seconds", &[], [5.0, 12.0, 12.0]));
    assert_eq!(
        (page.cell("query", "n, 1 min"), page.cell("query", "p95")),
        ("12".to_owned(), "—".to_owned())
    );
    assert_eq!(
        (page.cell("query", ""), page.cell("query", "errors")),
        ("too few".to_owned(), "—".to_owned())
    );
}

#[test]
fn series_with_different_buckets_are_not_added_up() {
    let mut samples = histogram("search_duration_seconds", &[("index", "a")], [90.0, 100.0, 100.0]);
    samples.extend(
        histogram("search_duration_seconds", &[("index", "b")], [1.0, 2.0, 50.0])
            .into_iter()
            .filter(|sample| !sample.labels.contains(&("le".to_owned(), "0.2".to_owned()))),
    );
    let page = alone(samples);
    assert_eq!(
        (page.cell("search", "n, 1 min"), page.cell("search", "p95")),
        ("150".to_owned(), "—".to_owned())
    );
    assert_eq!(page.cell("search", ""), "its buckets differ");
}

#[test]
fn errors_have_a_share_and_a_budget_of_what_was_watched() {
    let jobs =
        |status, count| histogram("job_duration_seconds", &[("status", status)], [count, count, count]);
    let page = alone([jobs("completed", 199.0), jobs("failed", 1.0)].concat());
    assert_eq!(
        (page.cell("job", "errors"), page.cell("job", "budget")),
        ("0.5 %".to_owned(), "50 %".to_owned())
    );
    page.says("errors of the last 5 minutes; budget left of the last hour (watched for 1m00s only)");
    let gone = alone([jobs("completed", 90.0), jobs("failed", 10.0)].concat());
    assert_eq!(gone.cell("job", "budget"), "0 %");
}

#[test]
fn a_summary_tells_its_own_quantiles_and_the_worst_of_them_counts() {
    let told = |path: &'static str, p95| {
        let quantile =
            |quantile, value| sample("search_seconds", &[("path", path), ("quantile", quantile)], value);
        vec![
            quantile("0.5", 0.01),
            quantile("0.95", p95),
            sample("search_seconds_count", &[("path", path)], 300.0),
        ]
    };
    let samples = [told("/a", 0.02), told("/b", 0.3)].concat();
    let mut stage = Stage::with(&[("shop", SystemKind::Metrics)]);
    for step in 0..=6_u32 {
        let grown: Vec<_> = samples
            .iter()
            .map(|sample| {
                let counts = sample.name.ends_with("_count");
                let value = if counts { sample.value * f64::from(step) / 6.0 } else { sample.value };
                MetricSample { value, ..sample.clone() }
            })
            .collect();
        let kinds = BTreeMap::from([("search_seconds".to_owned(), MetricKind::Summary)]);
        stage = stage.then(FIRST + u64::from(step) * 10, "shop", MetricsReading::of(&grown, &kinds));
    }
    let page = stage.page(Screen::Metrics);
    assert_eq!(
        (page.cell("search", "p95"), page.cell("search", "p99")),
        ("300 ms".to_owned(), "—".to_owned())
    );
    assert_eq!(page.cell("search", ""), "misses p95 · the worst of 2 series");
}

#[test]
fn a_service_of_many_endpoints_is_one_row_that_opens() {
    let names = ["shop-1", "shop-2", "shop-3", "shop-4", "shop-5"];
    let fast = |name| (name, requests("GET", [100.0, 100.0, 100.0]));
    let mut all = names.map(fast);
    all[3].1 = requests("GET", [0.0, 0.0, 300.0]);
    let stage = stage(&all);
    let page = stage.page(Screen::Metrics);
    assert_eq!(page.cell("shop GET", "n, 1 min"), "700");
    assert_eq!(page.cell("shop GET", ""), "misses p95", "{}", page.text());
    let shared = RowKey::Metrics(target("shop-1"), MetricsRow::Shared(Operation::Get, "shop".to_owned()));
    assert_eq!(page.key("shop GET"), shared);
    let members = stage.opened(Screen::Metrics, std::slice::from_ref(&shared));
    assert_eq!(members.firsts(), ["shop-4", "shop-1", "shop-2", "shop-3", "shop-5"]);
    let series = stage.opened(Screen::Metrics, &[shared, members.key("shop-4")]);
    series.says("http_request_duration_seconds (histogram)");
}

#[test]
fn a_family_that_is_named_and_not_there_is_told() {
    let operations = BTreeMap::from([(Operation::Job, "mailing".to_owned())]);
    let settings = SystemSettings::Metrics(MetricsSettings { operations, ..MetricsSettings::default() });
    Stage::configured(settings, reading(&[sample("up", &[], 1.0)], 1.0))
        .page(Screen::Metrics)
        .says("mailing, which is named for jobs, is not there");
}

#[test]
fn the_process_and_its_pools_are_a_line_each() {
    let page = alone(vec![
        sample("nodejs_eventloop_lag_p99_seconds", &[], 0.25),
        sample("nodejs_heap_size_used_bytes", &[], 1_048_576.0),
        sample("process_open_fds", &[], 20.0),
        sample("process_max_fds", &[], 1024.0),
        sample("db_pool_used", &[], 9.0),
        sample("db_pool_max", &[], 10.0),
        sample("db_pool_waiting", &[], 3.0),
    ]);
    page.says("process event loop 250 ms late · heap 1.0 MiB · files 20 of 1.0k");
    assert_eq!(page.tone("event loop"), Role::Warning);
    page.says("pool db_pool 9 of 10 connections in use, 3 wait for one");
    assert_eq!(page.tone("connections in use"), Role::Critical);
}

/// So many endpoints of a shop of which one of ten requests fails, and one of a mailer that is well.
fn failing(many: usize) -> Stage {
    let ended = |code: &'static str, count| sample("http_requests_total", &[("code", code)], count);
    let names: Vec<String> = (1..=many).map(|number| format!("shop-{number}")).collect();
    let mut all: Vec<(&str, Vec<MetricSample>)> =
        names.iter().map(|name| (name.as_str(), vec![ended("200", 900.0), ended("500", 100.0)])).collect();
    all.push(("mail", vec![ended("200", 900.0)]));
    stage(&all)
}

#[test]
fn many_of_one_service_that_fail_are_one_row_that_opens() {
    let page = failing(5).page(Screen::Overview);
    page.says(
        "5 of 5 shop (shop-1, shop-2, shop-3 and 2 more): shop-1 answers 10.0 % of its requests with 5xx",
    );
    let row = page.key("5 targets");
    assert!(
        matches!(&row, RowKey::Alike(rule, _, group) if *rule == "metrics.errors" && group == "shop"),
        "{row:?}"
    );
    let opened = failing(5).opened(Screen::Overview, std::slice::from_ref(&row));
    assert_eq!(opened.text().matches("answers 10.0 % of its requests").count(), 5, "{}", opened.text());
    let finding = opened.key("shop-4");
    let place = failing(5).jump(Screen::Overview, &[row, finding.clone()], &finding).expect("a place");
    assert_eq!(place.row, Some(RowKey::Metrics(target("shop-4"), MetricsRow::Endpoint)));
    // Three are three rows.
    failing(3).page(Screen::Overview).says_not("more):");
}

/// Line 2 as it is told where nothing is left out.
fn line_2(stage: &Stage) -> String {
    let zone = chrono::FixedOffset::east_opt(0).expect("UTC");
    let (costs, now) = (BTreeMap::new(), Now::example(stage.second));
    let world = &stage.world;
    sentence(Seen { environment: "", world, costs: &costs, now, started: Now::example(0), zone })
}

#[test]
fn line_2_names_a_group_where_many_of_it_have_the_same_fault() {
    let told = line_2(&failing(5));
    let group =
        ": 5 of 5 shop (shop-1, shop-2, shop-3 and 2 more): shop-1 answers 10.0 % of its requests with 5xx";
    assert!(told.contains(group), "{told}");
    assert!(!told.contains("; shop-2") && !told.contains("more;") && !told.contains("; +"), "{told}");
    let told = line_2(&failing(3));
    assert!(!told.contains(" of 3 shop") && told.contains("; shop-2 answers"), "{told}");
}

/// What holds for a group holds for each of its targets, and one of them has the last word.
#[test]
fn a_group_has_settings_of_its_own() {
    let mut stage = Stage::with(&["shop-1", "shop-2", "mail"].map(|name| (name, SystemKind::Metrics)));
    let rules = &mut stage.world.rules;
    let known = rules.get(SILENT.id);
    assert!(rules.set_of("source.silent", "shop", RuleSetting { enabled: false, ..known.clone() }));
    assert!(rules.set_on("source.silent", "shop-2", known));
    let stage = stage.fails(FIRST, "shop-1").fails(FIRST, "shop-2").fails(FIRST, "mail").at(FIRST + 100);
    let mut told: Vec<&str> =
        stage.world.alerts.firing().iter().map(|finding| finding.breach.target.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["mail", "shop-2"]);
}

#[test]
fn what_is_listed_in_a_group_is_found_on_its_way() {
    let endpoint = |name| RowKey::Metrics(target(name), MetricsRow::Endpoint);
    let level = RowKey::Metrics(
        target("shop-3"),
        MetricsRow::Level(Operation::Request, "http_requests_total".to_owned()),
    );
    let group = RowKey::Group("shop".to_owned());
    let shared = RowKey::Metrics(target("shop-1"), MetricsRow::Shared(Operation::Request, "shop".to_owned()));
    let many = failing(13);
    assert_eq!(many.way(Screen::Metrics, &endpoint("shop-3")), std::slice::from_ref(&group));
    assert_eq!(many.way(Screen::Metrics, &endpoint("mail")), []);
    assert_eq!(many.way(Screen::Metrics, &level), std::slice::from_ref(&shared));
    // Where each way ends there is the row.
    for (way, row) in [(group, endpoint("shop-3")), (shared, level.clone())] {
        let page = many.opened(Screen::Metrics, &[way]);
        let mut rows =
            page.0.sections.iter().filter_map(|section| section.table.as_ref()).flat_map(|table| &table.rows);
        assert!(rows.any(|found| found.key == row), "{row:?}: {}", page.text());
    }
    let few = failing(3);
    assert_eq!(
        (few.way(Screen::Metrics, &endpoint("shop-3")), few.way(Screen::Metrics, &level)),
        (vec![], vec![])
    );
}
