//! The page of a finding as an operator goes through it: four keys to the end of an incident, notes, runbooks, and what was predicted.

use crate::screens::Drive;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::msg::{Effect, Msg};
use stacktop::core::action::{Outcome, Verdict};
use stacktop::core::alert::{Finding, FindingKey};
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::timeline::Kind;
use std::path::Path;

/// The incident of the demo in a terminal of 80x24, the cursor where it begins.
async fn incident() -> Drive {
    let mut drive = Drive::demo();
    drive.model.size = Size { width: 80, height: 24 };
    drive.run_to(45).await;
    drive
}

fn enter(drive: &mut Drive) {
    drive.key(Key::plain(Code::Enter));
}

fn write(drive: &mut Drive, text: &str) {
    text.chars().for_each(|c| drive.key(Key::char(c)));
}

/// What the newest message says.
fn said(drive: &Drive) -> &str {
    drive.model.toast.as_ref().map_or("", |toast| &toast.text)
}

/// The second line of the screen.
fn band(drive: &mut Drive) -> String {
    drive.drawn(80, 24).lines().nth(1).expect("a line").to_owned()
}

/// Opens the page of the culprit, its menu, the preview, and confirms: the confirmed action, if that was all.
fn in_four_keys(drive: &mut Drive) -> Vec<Effect> {
    enter(drive);
    assert!(drive.drawn(80, 24).contains("next     x: terminate its session"), "{}", drive.drawn(80, 24));
    drive.key(Key::char('x'));
    assert!(drive.drawn(80, 24).contains("t  terminate backend 4918"), "{}", drive.drawn(80, 24));
    drive.second += 1;
    drive.key(Key::char('t'));
    let preview = drive.drawn(80, 24);
    assert!(preview.contains("predicted    within 2m00s (likely): 9 sessions free"), "{preview}");
    assert!(preview.contains("t = Terminate pid 4918"), "{preview}");
    drive.second += 1;
    drive.press(Key::char('t'))
}

#[tokio::test]
async fn the_culprit_ends_in_four_keys_and_its_prediction_goes_along() {
    let mut drive = incident().await;
    let effects = in_four_keys(&mut drive);
    let Some(Effect::Perform { confirmed, .. }) = effects.first() else { panic!("{effects:?}") };
    let predicted = confirmed.predicted().expect("it is the root of a branch");
    let begins = "within 2m00s (likely): 9 sessions free, shop-api metrics.errors below 1 %";
    assert!(predicted.starts_with(begins), "{predicted}");
}

/// What is written down of a prediction two minutes after this outcome, while nothing became better.
async fn checked(verdict: Verdict) -> Option<String> {
    let mut drive = incident().await;
    let effects = in_four_keys(&mut drive);
    let Some(Effect::Perform { confirmed, .. }) = effects.first() else { panic!("{effects:?}") };
    let outcome = Outcome { verdict, summary: "signalled".to_owned(), details: Vec::new() };
    let action = confirmed.action().clone();
    drive.tell(Msg::ActionDone { id: "one".to_owned(), action, result: Ok(outcome) });
    let (second, before) = (drive.second, drive.asked.len());
    drive.run_to(second + 119).await;
    assert!(!drive.asked.iter().any(|effect| matches!(effect, Effect::Checked { .. })), "it is too early");
    drive.run_to(second + 122).await;
    let all: Vec<&Effect> =
        drive.asked[before..].iter().filter(|effect| matches!(effect, Effect::Checked { .. })).collect();
    assert!(all.len() < 2, "it is told once: {all:?}");
    let told = |event: &stacktop::core::timeline::Event| event.words.contains("4918: unchanged after 2m");
    assert_eq!(drive.model.world.timeline.events().any(told), !all.is_empty());
    all.first().map(|effect| match effect {
        Effect::Checked { id, words, .. } if id == "one" => words.clone(),
        other => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn what_did_not_come_is_written_down_after_its_time() {
    let words = checked(Verdict::Done).await.expect("it is known then");
    assert!(words.starts_with("unchanged after 2m") && words.ends_with("(still there)"), "{words}");
    assert_eq!(checked(Verdict::Nothing).await, None, "of what was not done nothing comes");
}

#[tokio::test]
async fn after_a_sleep_nobody_knows_whether_it_came() {
    let mut drive = incident().await;
    let effects = in_four_keys(&mut drive);
    let Some(Effect::Perform { confirmed, .. }) = effects.first() else { panic!("{effects:?}") };
    let outcome = Outcome { verdict: Verdict::Done, summary: String::new(), details: Vec::new() };
    let action = confirmed.action().clone();
    drive.tell(Msg::ActionDone { id: "one".to_owned(), action: action.clone(), result: Ok(outcome) });
    drive.second += 3600;
    let woken = drive.tell(Msg::Tick(drive.model.zone));
    let words = "not known: nobody looked for a while".to_owned();
    assert!(woken.contains(&Effect::Checked { id: "one".to_owned(), action, words }), "{woken:?}");
}

#[tokio::test]
async fn an_acknowledged_finding_stays_in_the_list_and_in_line_two() {
    let mut drive = incident().await;
    assert!(band(&mut drive).starts_with("BROKEN"));
    // The second row is the only critical one: it leads, and says that somebody is at it.
    drive.key(Key::char('j'));
    drive.key(Key::char('a'));
    write(&mut drive, "bob is at it");
    enter(&mut drive);
    assert_eq!(said(&drive), "acknowledged by ana (bob is at it); it stays in the list");
    let text = drive.drawn(80, 24);
    assert!(band(&mut drive).contains("(acknowledged) shop-api answers"), "{text}");
    assert!(text.contains("└ likely: (acknowledged) shop-api"), "{text}");
    let mut noted = drive.model.world.timeline.events().filter(|event| event.kind == Kind::Noted);
    let words = noted.next().map(|event| event.words.clone()).expect("the timeline has it");
    drop(noted);
    assert!(words.starts_with("acknowledged by ana (bob is at it): shop-api answers"), "{words}");
    drive.run_to(50).await;
    assert!(drive.drawn(80, 24).contains("(acknowledged) shop-api"));
}

#[tokio::test]
async fn a_finding_is_snoozed_for_a_span_and_that_is_taken_back() {
    let mut drive = incident().await;
    drive.key(Key::char('A'));
    drive.key(Key::plain(Code::Tab));
    enter(&mut drive);
    assert_eq!(said(&drive), "snoozed until 15:14 by ana; it stays in the list");
    assert!(drive.drawn(120, 40).contains("(snoozed, 60 min left) pid 4918"), "{}", drive.drawn(120, 40));
    drive.model.size = Size { width: 80, height: 24 };
    drive.key(Key::char('A'));
    for _ in 0..3 {
        drive.key(Key::plain(Code::Backspace));
    }
    write(&mut drive, "for ever");
    enter(&mut drive);
    assert_eq!(said(&drive), "one of 15m, 1h, until clear, or now");
    for _ in 0..8 {
        drive.key(Key::plain(Code::Backspace));
    }
    write(&mut drive, "now");
    enter(&mut drive);
    assert_eq!(said(&drive), "taken back by ana; it stays in the list");
    assert!(!drive.drawn(120, 40).contains("snoozed,"), "{}", drive.drawn(120, 40));
}

#[tokio::test]
async fn nothing_is_noted_of_a_source_of_a_frozen_screen_or_by_leaving() {
    let mut drive = incident().await;
    drive.key(Key::char('a'));
    drive.key(Key::plain(Code::Esc));
    assert_eq!(said(&drive), "nothing was noted");
    drive.key(Key::char('G'));
    drive.key(Key::char('a'));
    assert!(said(&drive).starts_with("note is taken of a finding that is there"), "{}", said(&drive));
    drive.key(Key::char('g'));
    drive.key(Key::char('p'));
    drive.key(Key::char('A'));
    assert!(said(&drive).starts_with("the screen is frozen"), "{}", said(&drive));
    assert!(drive.model.overlay.is_none());
}

#[tokio::test]
async fn a_runbook_is_copied_from_the_list_and_from_the_page() {
    let mut drive = incident().await;
    // Its own page, which ships; a test holds that each rule has one.
    let own = [Effect::Copy("docs/rules/postgres.blocked.md".to_owned())];
    assert_eq!(drive.press(Key::char('o')), own);
    drive.key(Key::char('G'));
    assert_eq!(drive.press(Key::char('o')), []);
    assert_eq!(said(&drive), "a finding has a runbook: choose one on the overview");
    drive.key(Key::char('g'));
    let rule = drive.model.world.alerts.firing().into_iter().map(|finding| finding.breach.rule);
    let rule = rule.into_iter().find(|rule| *rule == "postgres.blocked").expect("it fires");
    let mut setting = drive.model.world.rules.get(rule);
    setting.runbook = Some("https://wiki.example/blocked".to_owned());
    assert!(drive.model.world.rules.set(rule.as_str(), setting));
    let copied = [Effect::Copy("https://wiki.example/blocked".to_owned())];
    assert_eq!(drive.press(Key::char('o')), copied);
    enter(&mut drive);
    assert!(drive.drawn(80, 24).contains("runbook  https://wiki.example/blocked (o copies it)"));
    assert_eq!(drive.press(Key::char('o')), copied);
}

/// The address that `o` copies is that of a page that is there, whatever is found.
#[tokio::test]
async fn every_finding_of_the_demo_leads_to_a_page_that_is_there() {
    let mut drive = incident().await;
    let findings: Vec<FindingKey> = drive.model.world.alerts.firing().into_iter().map(Finding::key).collect();
    assert!(findings.len() > 5, "{findings:?}");
    for key in findings {
        let place = drive.model.places.entry(Screen::Overview).or_default();
        place.levels[0].cursor = Some(RowKey::Finding(key.clone()));
        let effects = drive.press(Key::char('o'));
        let [Effect::Copy(address)] = effects.as_slice() else { panic!("{key:?}: {effects:?}") };
        let page =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(address)).expect(address);
        assert!(page.starts_with(&format!("# {}\n", key.rule)), "{address}");
    }
}
