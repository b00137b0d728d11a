//! The Prometheus half of the metrics screen.

use super::world::{FIRST, Page, Stage, gap, secs, target};
use stacktop::core::focus::Focus;
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::prometheus::{
    AlertingRule, PanelReading, PrometheusReading, PrometheusRow, RulesReading, ScrapeTarget,
};
use stacktop::core::prometheus::{PromQuery, PrometheusSettings, Range, RangeReading, SPANS};
use stacktop::core::row::RowKey;
use stacktop::core::settings::SystemSettings;
use stacktop::ui::content::Role;

fn page(reading: PrometheusReading) -> Page {
    staged(reading).page(Screen::Metrics)
}

/// Where a panel `lag` is configured.
fn staged(reading: PrometheusReading) -> Stage {
    let lag = PromQuery {
        title: "lag".to_owned(),
        expr: "lag".to_owned(),
        unit: " s".to_owned(),
        warning: Some(5.0),
        critical: Some(10.0),
    };
    Stage::configured(
        SystemSettings::Prometheus(PrometheusSettings { panels: vec![lag], past: Vec::new() }),
        reading,
    )
}

fn scraped(instance: &str, health: &str) -> ScrapeTarget {
    ScrapeTarget {
        job: "node".to_owned(),
        instance: instance.to_owned(),
        health: health.to_owned(),
        last_error: "no route to host".to_owned(),
        ..ScrapeTarget::default()
    }
}

fn targets(list: Vec<ScrapeTarget>) -> PrometheusReading {
    PrometheusReading { targets: Part::Ready(list), ..PrometheusReading::default() }
}

fn rules(notable: Vec<AlertingRule>) -> PrometheusReading {
    let rules = RulesReading { total: 9, notable, ..RulesReading::default() };
    PrometheusReading { rules: Part::Ready(rules), ..PrometheusReading::default() }
}

fn alert(state: &str) -> AlertingRule {
    AlertingRule {
        name: "DiskFull".to_owned(),
        labels: "host=a".to_owned(),
        state: state.to_owned(),
        query: "disk > 1".to_owned(),
        summary: "the disk is full".to_owned(),
        active_for: Some(secs(90)),
        ..AlertingRule::default()
    }
}

fn panel(value: f64) -> PrometheusReading {
    let panel = PanelReading {
        title: "lag".to_owned(),
        series: Part::Ready(vec![("host=a".to_owned(), value)]),
        cut: None,
    };
    PrometheusReading { panels: vec![panel], ..PrometheusReading::default() }
}

#[test]
fn without_a_target_it_says_so() {
    Stage::empty()
        .page(Screen::Metrics)
        .says("no Prometheus, metrics endpoint, health endpoint or probe is configured");
}

#[test]
fn before_the_first_answer_it_waits() {
    Stage::waiting(SystemKind::Prometheus)
        .page(Screen::Metrics)
        .says("prom.example:1 · waiting for the first answer");
}

#[test]
fn a_server_that_never_answered_says_why() {
    Stage::silent(SystemKind::Prometheus).page(Screen::Metrics).says("connection refused; start it");
}

#[test]
fn it_names_the_version() {
    page(PrometheusReading { version: Part::Ready("2.53.1".to_owned()), ..Default::default() })
        .says("prom Prometheus 2.53.1");
}

#[test]
fn a_version_that_is_not_known_is_not_made_up() {
    page(PrometheusReading::default()).says("Prometheus version not known");
}

#[test]
fn targets_are_counted_with_those_that_are_down() {
    page(targets(vec![scraped("a", "up"), scraped("b", "down")])).says("2 targets, 1 down");
}

#[test]
fn one_target_is_no_targets() {
    page(targets(vec![scraped("a", "up")])).says("1 target, 0 down");
}

#[test]
fn a_target_that_is_not_known_yet_is_not_down() {
    page(targets(vec![scraped("a", "unknown")])).says("1 target, 0 down");
}

#[test]
fn a_target_that_is_down_warns() {
    assert_eq!(page(targets(vec![scraped("b", "down")])).tone("1 down"), Role::Warning);
}

#[test]
fn a_target_that_is_down_is_listed_with_its_error() {
    assert_eq!(
        page(targets(vec![scraped("b", "down")])).row("down"),
        ["down", "node b", "", "no route to host"]
    );
}

#[test]
fn a_target_that_is_up_is_not_listed() {
    page(targets(vec![scraped("a", "up")])).says_not("Down, firing or failing");
}

#[test]
fn targets_that_may_not_be_read_say_why() {
    page(PrometheusReading { targets: gap("403 Forbidden"), ..Default::default() }).says("403 Forbidden");
}

#[test]
fn rules_are_counted_firing_and_failing() {
    let failing = AlertingRule { error: "bad query".to_owned(), ..alert("inactive") };
    page(rules(vec![alert("firing"), failing])).says("9 rules, 1 firing, 1 failing");
}

#[test]
fn an_alert_shows_its_summary_and_how_long() {
    assert_eq!(
        page(rules(vec![alert("firing")])).row("firing"),
        ["firing", "DiskFull host=a", "1m30s", "the disk is full"]
    );
}

#[test]
fn an_alert_without_a_summary_shows_its_query() {
    let bare = AlertingRule { summary: String::new(), ..alert("firing") };
    assert_eq!(page(rules(vec![bare])).row("firing")[3], "disk > 1");
}

#[test]
fn a_rule_that_cannot_be_evaluated_says_why() {
    let failing = AlertingRule { error: "bad query".to_owned(), ..alert("inactive") };
    assert_eq!(page(rules(vec![failing])).row("failing")[3], "bad query");
}

#[test]
fn a_pending_alert_is_worth_a_look_and_a_firing_one_a_warning() {
    let role = |state: &str| page(rules(vec![alert(state)])).role(state, "");
    assert_eq!((role("pending"), role("firing")), (Role::Note, Role::Warning));
}

#[test]
fn a_pending_alert_does_not_fire() {
    page(rules(vec![alert("pending")])).says("9 rules, 0 firing, 0 failing");
}

#[test]
fn a_silenced_alert_says_so_in_place_of_its_state() {
    let muted = AlertingRule { muted: Some("silenced by ann until 15:00".to_owned()), ..alert("firing") };
    let page = page(rules(vec![muted]));
    assert_eq!(page.row("silenced")[3], "silenced by ann until 15:00 · the disk is full");
    page.says("1 firing (1 alert kept back by the Alertmanager)");
}

#[test]
fn an_alertmanager_that_does_not_answer_is_told() {
    page(PrometheusReading { muted: gap("timed out"), ..rules(vec![alert("firing")]) })
        .says("which alerts are silenced is not known: timed out");
}

#[test]
fn an_alert_without_labels_has_no_blank_behind_its_name() {
    let bare = AlertingRule { labels: String::new(), ..alert("firing") };
    assert_eq!(page(rules(vec![bare])).row("firing")[1], "DiskFull");
}

#[track_caller]
fn graded(value: f64, text: &str, role: Role) {
    let page = page(panel(value));
    assert_eq!((page.cell("lag", "value"), page.role("lag", "value")), (text.to_owned(), role));
}

#[test]
fn a_panel_below_its_thresholds_is_plain() {
    graded(4.5, "4.50 s", Role::Text);
}

#[test]
fn a_panel_at_its_warning_warns() {
    graded(5.0, "5 s", Role::Warning);
}

#[test]
fn a_panel_at_its_critical_threshold_is_critical() {
    graded(10.0, "10 s", Role::Critical);
}

#[test]
fn a_panel_that_is_not_a_number_is_past_nothing() {
    graded(f64::NAN, "NaN s", Role::Text);
}

#[test]
fn a_very_small_number_keeps_its_digits() {
    graded(0.00012, "0.000120 s", Role::Text);
}

#[test]
fn an_infinite_number_is_past_everything() {
    graded(f64::INFINITY, "+Inf s", Role::Critical);
}

#[test]
fn a_panel_that_fails_says_why() {
    let mut reading = panel(1.0);
    reading.panels[0].series = gap("parse error");
    assert_eq!(page(reading).row("lag")[1], "parse error");
}

#[test]
fn a_panel_of_which_not_all_is_judged_says_so() {
    let mut reading = panel(1.0);
    reading.panels[0].cut = Some("only 100 series are judged".to_owned());
    page(reading).says("lag: only 100 series are judged");
}

#[test]
fn the_name_is_what_is_copied_of_a_rule() {
    let stage = Stage::of(rules(vec![alert("firing")]));
    let row = stage.page(Screen::Metrics).key("firing");
    assert_eq!(stage.copy(Screen::Metrics, &row), Some("DiskFull".to_owned()));
}

#[test]
fn the_instance_is_what_is_copied_of_a_target() {
    let row = PrometheusRow::Scraped { job: "node".to_owned(), instance: "a:9100".to_owned() };
    let row = RowKey::Prometheus(target("prom"), row);
    assert_eq!(Stage::empty().copy(Screen::Metrics, &row), Some("a:9100".to_owned()));
}

#[test]
fn two_alerts_of_one_rule_are_two_rows() {
    let other = AlertingRule { labels: "host=b".to_owned(), ..alert("firing") };
    assert_eq!(page(rules(vec![alert("firing"), other])).firsts(), ["firing", "firing", "all metrics"]);
}

#[test]
fn old_numbers_are_late_and_then_stale() {
    let at = |second| staged(panel(1.0)).at(FIRST + second).page(Screen::Metrics);
    at(9).says("LATE, 9.0 s old");
    assert_eq!(at(90).role("lag", "value"), Role::Stale);
}

/// What was read of each span of `expr`: this number all the time, after a gap.
fn remembered(expr: &str, series: &[(&str, f64)]) -> PrometheusReading {
    let ranges = SPANS.map(|span| {
        let range = Range { expr: expr.to_owned(), span };
        let values = |value: f64| [vec![f64::NAN; 40], vec![value; range.columns() - 40]].concat();
        let series = series.iter().map(|(labels, value)| ((*labels).to_owned(), values(*value))).collect();
        RangeReading { series: Part::Ready(series), range, cut: false }
    });
    PrometheusReading { ranges: ranges.to_vec(), ..panel(7.0) }
}

fn panel_row(labels: &str) -> RowKey {
    RowKey::Prometheus(
        target("prom"),
        PrometheusRow::Panel { title: "lag".to_owned(), labels: labels.to_owned() },
    )
}

#[test]
fn a_panel_opens_with_its_past_which_is_asked_only_there() {
    let stage = staged(panel(7.0));
    let row = stage.page(Screen::Metrics).key("lag");
    assert_eq!(row, panel_row("host=a"));
    assert_eq!(stage.focus(Screen::Metrics, &[]), []);
    let ranges = SPANS.map(|span| Focus::Range(Range { expr: "lag".to_owned(), span }));
    assert_eq!(stage.focus(Screen::Metrics, std::slice::from_ref(&row)), ranges);
    let page = stage.opened(Screen::Metrics, std::slice::from_ref(&row));
    page.says("reading the last 60 min");
    let read = staged(remembered("lag", &[("host=b", 9.0), ("host=a", 3.0)]));
    let page = read.opened(Screen::Metrics, &[row]);
    page.says("host=a (s) 3 · min 3 · max 3 · last 60 min");
    page.says("last 24 h");
    page.says("last 6 days");
    page.says_not("reading");
}

#[test]
fn a_past_that_cannot_be_read_says_why() {
    let range = Range { expr: "lag".to_owned(), span: SPANS[0] };
    let refused = RangeReading { range, series: gap("query timed out"), cut: false };
    let reading = PrometheusReading { ranges: vec![refused], ..panel(7.0) };
    let page = staged(reading).opened(Screen::Metrics, &[panel_row("host=a")]);
    page.says("the last 60 min: query timed out");
}

#[test]
fn of_many_series_the_largest_are_drawn_and_all_are_counted() {
    let names: Vec<String> = (0..9).map(|number| format!("host={number}")).collect();
    let series: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    let page = staged(remembered("lag", &series)).opened(Screen::Metrics, &[panel_row("host=7")]);
    page.says("host=7 (s)");
    page.says("9 series in all; the 4 largest are drawn");
}

#[test]
fn every_metric_is_listed_and_opens_as_a_graph() {
    let row = RowKey::Prometheus(target("prom"), PrometheusRow::Names);
    let stage = staged(panel(7.0));
    assert_eq!(stage.page(Screen::Metrics).key("all metrics"), row);
    assert_eq!(stage.focus(Screen::Metrics, std::slice::from_ref(&row)), [Focus::MetricNames]);
    stage.opened(Screen::Metrics, std::slice::from_ref(&row)).says("reading the names of its metrics");
    let names = Part::Ready(vec!["http_requests_total".to_owned(), "up".to_owned()]);
    let known = staged(PrometheusReading { names, ..panel(7.0) });
    let page = known.opened(Screen::Metrics, std::slice::from_ref(&row));
    assert_eq!(
        page.cell("http_requests_total", "graphed as"),
        "sum by (job) (rate(http_requests_total[5m]))"
    );
    let asked = known.focus(Screen::Metrics, &[row, page.key("up")]);
    assert_eq!(asked[0], Focus::Range(Range { expr: "sum by (job) (up)".to_owned(), span: SPANS[0] }));
}
