//! Probes on the metrics screen, the page of one, and its link.

use super::world::{FIRST, Stage, target};
use stacktop::core::ids::SystemKind;
use stacktop::core::place::Screen;
use stacktop::core::probe::{Certificate, Look, ProbeReading, ProbeRow, ProbeSettings};
use stacktop::core::row::RowKey;
use stacktop::core::settings::SystemSettings;
use stacktop::ui::content::Role;
use std::time::Duration;

fn reading(fine: bool, days: i64) -> ProbeReading {
    let found = if fine { "it answers 200" } else { "it answers 502" };
    ProbeReading {
        took: Duration::from_millis(40),
        status: Some(200),
        certificate: Some(Certificate {
            subject: "shop.example".to_owned(),
            left_seconds: days * 86_400,
            lasts_seconds: None,
        }),
        version: "1.2".to_owned(),
        looks: vec![Look { name: "status".to_owned(), fine, found: found.to_owned() }],
    }
}

#[test]
fn a_row_says_whether_it_answers_as_it_should() {
    let page = Stage::of(reading(true, 40)).page(Screen::Metrics);
    assert_eq!(page.row("probe"), ["probe", "up", "40 ms", "40 days", "it answers 200 · version 1.2"]);
    let page = Stage::of(reading(false, 2)).page(Screen::Metrics);
    assert_eq!((page.cell("probe", "says"), page.role("probe", "says")), ("DOWN".to_owned(), Role::Critical));
    assert_eq!(page.role("probe", "certificate"), Role::Critical);
    page.says("it answers 502");
    let page = Stage::silent(SystemKind::Probe).page(Screen::Metrics);
    assert_eq!(page.cell("probe", "says"), "DOWN");
    page.says("connection refused; start it");
    Stage::waiting(SystemKind::Probe).page(Screen::Metrics).says("waiting for the first answer");
}

#[test]
fn the_worst_stand_first() {
    let targets = [("a", SystemKind::Probe), ("b", SystemKind::Probe), ("c", SystemKind::Probe)];
    let stage =
        Stage::with(&targets).then(FIRST, "a", reading(true, 40)).then(FIRST, "c", reading(false, 40));
    assert_eq!(stage.page(Screen::Metrics).firsts(), ["c", "b", "a"]);
}

#[test]
fn its_page_tells_what_was_looked_at_and_where_its_link_is() {
    let link = Some("https://grafana.example/d/shop".to_owned());
    let stage = Stage::configured(SystemSettings::Probe(ProbeSettings { link }), reading(true, -1));
    let row = RowKey::Probe(target("probe"), ProbeRow::Probe);
    let page = stage.opened(Screen::Metrics, std::slice::from_ref(&row));
    for words in [
        "status: it answers 200",
        "version 1.2",
        "certificate of shop.example: has ended",
        "o copies https://grafana.example/d/shop",
    ] {
        page.says(words);
    }
    assert_eq!(stage.link(Screen::Metrics, &row).as_deref(), Some("https://grafana.example/d/shop"));
    let other = RowKey::Target(target("probe"));
    assert_eq!(stage.link(Screen::Metrics, &other), None);
}
