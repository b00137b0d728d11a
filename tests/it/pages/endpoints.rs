//! Endpoints that are scraped: what each tells, family by family.

use super::world::{FIRST, Page, Stage, target};
use stacktop::core::ids::SystemKind;
use stacktop::core::metrics::{MetricKind, MetricSample, MetricsReading, MetricsRow};
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::ui::content::Role;
use std::collections::BTreeMap;

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

fn reading(samples: &[MetricSample]) -> MetricsReading {
    let kinds = [
        ("jobs", MetricKind::Counter),
        ("http_requests", MetricKind::Counter),
        ("temperature", MetricKind::Gauge),
        ("wait_seconds", MetricKind::Summary),
    ];
    let kinds: BTreeMap<String, MetricKind> =
        kinds.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    MetricsReading { bytes: 2048, ..MetricsReading::of(samples, &kinds) }
}

fn one(name: &str, value: f64) -> MetricsReading {
    reading(&[sample(name, &[], value)])
}

fn page(reading: MetricsReading) -> Page {
    Stage::of(reading).page(Screen::Metrics)
}

/// Two scrapes ten seconds apart.
fn grown(before: MetricsReading, after: MetricsReading) -> Stage {
    Stage::of(before).then(FIRST + 10, "shop", after)
}

fn family(name: &str) -> RowKey {
    RowKey::Metrics(target("shop"), MetricsRow::Family(name.to_owned()))
}

fn disk(size: f64, free: f64) -> MetricsReading {
    let of = [("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/")];
    let fact = |name: &str, value| sample(name, &of, value);
    reading(&[
        fact("node_filesystem_size_bytes", size),
        fact("node_filesystem_avail_bytes", free),
        fact("node_filesystem_free_bytes", free),
        fact("node_filesystem_readonly", 0.0),
    ])
}

/// Many endpoints, of which only the first answers.
fn many() -> Stage {
    let names = ["a", "b", "c", "d", "e"].map(|name| (name, SystemKind::Metrics));
    Stage::with(&names).then(FIRST, "a", one("temperature", 20.0))
}

#[test]
fn before_the_first_answer_it_waits() {
    Stage::waiting(SystemKind::Metrics)
        .page(Screen::Metrics)
        .says("shop.example:1 · waiting for the first answer");
}

#[test]
fn an_endpoint_that_never_answered_says_why() {
    Stage::silent(SystemKind::Metrics).page(Screen::Metrics).says("connection refused; start it");
}

#[test]
fn samples_and_bytes_are_told() {
    page(reading(&[sample("a", &[], 1.0), sample("b", &[], 1.0)])).says("shop 2 samples, 2.0 KiB");
}

#[test]
fn one_sample_is_no_samples() {
    page(one("temperature", 1.0)).says("shop 1 sample, 2.0 KiB");
}

#[test]
fn an_endpoint_that_counts_no_requests_shows_none() {
    page(one("temperature", 1.0)).says_not("requests");
}

#[test]
fn requests_are_told_per_second() {
    let at = |total| reading(&[sample("http_requests_total", &[("code", "200")], total)]);
    grown(at(0.0), at(100.0)).page(Screen::Metrics).says("requests 10/s");
}

#[test]
fn requests_that_end_in_5xx_are_errors() {
    let at = |good, bad| {
        reading(&[
            sample("http_requests_total", &[("code", "200")], good),
            sample("http_requests_total", &[("code", "503")], bad),
        ])
    };
    grown(at(0.0, 0.0), at(75.0, 25.0)).page(Screen::Metrics).says("errors 25 %");
}

#[test]
fn a_gauge_is_shown_as_it_is() {
    let page = page(one("temperature", 21.5));
    assert_eq!(
        (page.cell("temperature", "kind"), page.cell("temperature", "now")),
        ("gauge".to_owned(), "21.50".to_owned())
    );
}

#[test]
fn a_gauge_of_several_series_is_a_sum_and_says_so() {
    let both = [sample("temperature", &[("room", "a")], 20.0), sample("temperature", &[("room", "b")], 1.0)];
    let page = page(reading(&both));
    assert_eq!(
        (page.cell("temperature", "now"), page.cell("temperature", "series")),
        ("sum 21".to_owned(), "2".to_owned())
    );
}

#[test]
fn one_series_that_is_not_a_number_takes_nothing_from_the_others() {
    let both =
        [sample("temperature", &[("room", "a")], f64::NAN), sample("temperature", &[("room", "b")], 1.0)];
    assert_eq!(page(reading(&both)).cell("temperature", "now"), "sum 1");
}

#[test]
fn a_gauge_that_is_not_a_number_is_shown_as_such() {
    assert_eq!(page(one("temperature", f64::NAN)).cell("temperature", "now"), "NaN");
}

#[test]
fn a_counter_scraped_once_has_no_rate_and_no_zero() {
    let page = page(one("jobs_total", 700.0));
    assert_eq!((page.cell("jobs", "now"), page.number("jobs", "now")), ("—".to_owned(), None));
}

#[test]
fn a_counter_is_shown_per_second() {
    let page = grown(one("jobs_total", 700.0), one("jobs_total", 750.0)).page(Screen::Metrics);
    assert_eq!(page.cell("jobs", "now"), "5.0/s");
}

#[test]
fn a_counter_that_fell_has_no_rate() {
    let page = grown(one("jobs_total", 700.0), one("jobs_total", 5.0)).page(Screen::Metrics);
    assert_eq!(page.cell("jobs", "now"), "—");
}

#[test]
fn families_stand_by_name() {
    assert_eq!(page(reading(&[sample("b", &[], 1.0), sample("a", &[], 1.0)])).firsts(), ["a", "b"]);
}

#[test]
fn lines_that_cannot_be_read_are_counted_and_the_first_is_named() {
    let bad = vec![(7, "no value".to_owned())];
    page(MetricsReading { bad, bad_total: 3, ..one("temperature", 1.0) })
        .says("3 lines cannot be read; the first is line 7: no value");
}

#[test]
fn one_line_that_cannot_be_read_is_one_line() {
    let bad = vec![(7, "no value".to_owned())];
    page(MetricsReading { bad, bad_total: 1, ..one("temperature", 1.0) })
        .says("1 line cannot be read: line 7: no value");
}

#[test]
fn samples_that_were_left_out_are_said_to_be() {
    page(MetricsReading { truncated: true, ..one("temperature", 1.0) })
        .says("there are more than 1 sample: those beyond are left out");
}

#[test]
fn a_file_system_says_how_full_it_is() {
    page(disk(1000.0 * 1024.0, 250.0 * 1024.0)).says("75 % of 1000 KiB, 250 KiB left");
}

#[test]
fn a_full_file_system_is_critical() {
    let gib = 1024.0 * 1024.0 * 1024.0;
    assert_eq!(page(disk(100.0 * gib, gib)).tone("99.0 % of 100 GiB"), Role::Critical);
}

#[test]
fn an_opened_family_lists_its_series() {
    let both = [sample("temperature", &[("room", "a")], 20.0), sample("temperature", &[("room", "b")], 1.0)];
    let page = Stage::of(reading(&both)).opened(Screen::Metrics, &[family("temperature")]);
    assert_eq!(page.firsts().len(), 2);
    page.says("temperature (gauge)");
}

#[test]
fn a_series_without_labels_has_its_name() {
    let page = Stage::of(one("temperature", 20.0)).opened(Screen::Metrics, &[family("temperature")]);
    assert_eq!(
        (page.firsts(), page.cell("temperature", "value")),
        (vec!["temperature".to_owned()], "20".to_owned())
    );
}

#[test]
fn sum_and_count_of_a_summary_are_told_apart() {
    let of = |name| sample(name, &[("path", "/")], 4.0);
    let stage = Stage::of(reading(&[of("wait_seconds_sum"), of("wait_seconds_count")]));
    let firsts = stage.opened(Screen::Metrics, &[family("wait_seconds")]).firsts();
    assert!(firsts[0].starts_with("_sum ") && firsts[1].starts_with("_count "), "{firsts:?}");
}

#[test]
fn many_endpoints_are_a_list_with_their_number() {
    let page = many().page(Screen::Metrics);
    assert_eq!(page.titles(), ["Endpoints (5; Enter opens one)"]);
    assert_eq!(page.firsts(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn in_a_list_what_was_not_read_yet_waits_and_is_no_zero() {
    let page = many().page(Screen::Metrics);
    assert_eq!(page.row("b"), ["b", "—", "—", "—", "—", "—", "waiting for the first answer"]);
}

#[test]
fn in_a_list_a_silent_endpoint_says_why() {
    let page = many().fails(FIRST, "b").page(Screen::Metrics);
    assert!(page.row("b")[6].starts_with("connection refused; start it"), "{:?}", page.row("b"));
}

#[test]
fn in_a_list_a_late_endpoint_says_how_late() {
    let page = many().at(FIRST + 9).page(Screen::Metrics);
    assert_eq!((page.row("a")[6].as_str(), page.role("a", "samples")), ("LATE, 9.0 s old", Role::Stale));
}

#[test]
fn in_a_list_bad_lines_are_counted() {
    let bad = MetricsReading { bad_total: 1, bad: vec![(1, "x".to_owned())], ..one("temperature", 1.0) };
    assert_eq!(many().then(FIRST, "b", bad).page(Screen::Metrics).row("b")[6], "1 line cannot be read");
}

#[test]
fn one_of_many_opens_with_its_families() {
    let row = RowKey::Metrics(target("a"), MetricsRow::Endpoint);
    assert_eq!(many().opened(Screen::Metrics, &[row]).firsts(), ["temperature"]);
}

#[test]
fn the_name_is_what_is_copied_of_a_family() {
    assert_eq!(Stage::empty().copy(Screen::Metrics, &family("jobs")), Some("jobs".to_owned()));
}
