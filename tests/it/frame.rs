//! What stands around every page: which system it is, the state of every source, both clocks where they have room, how old the page is;
//! and the reports and layouts that the keys and commands around a page give.

use crate::screens::{Drive, is_plotted};
use chrono::FixedOffset;
use stacktop::app::command::Context;
use stacktop::app::key::{Code, Key};
use stacktop::app::keymap::{Binding, Keymap};
use stacktop::app::layout::{Layout, Size};
use stacktop::app::model::Kind;
use stacktop::app::msg::{Effect, FileText, Msg, Reloaded};
use stacktop::app::overlay::Overlay;
use stacktop::core::action::{Outcome, Verdict};
use stacktop::core::alert::RuleSetting;
use stacktop::core::arming::{Arming, Stance};
use stacktop::core::enlisted::Enlisted;
use stacktop::core::ids::TargetId;
use stacktop::core::notify::NotifySettings;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::world::all_rules;
use stacktop::ui::content::Role;
use stacktop::ui::theme::Theme;
use std::collections::BTreeMap;
use std::time::Duration;

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (160, 50)];

async fn incident() -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive
}

fn production(drive: &mut Drive) {
    drive.model.kind = Kind::Live;
    drive.model.arming = Arming::new("shop".to_owned(), true, Some("--read-only".to_owned()), [].into());
}

fn line(drive: &mut Drive, (width, height): (u16, u16), at: usize) -> String {
    drive.drawn(width, height).lines().nth(at).expect("a line").to_owned()
}

/// Nothing comes for so many seconds.
fn silence(drive: &mut Drive, seconds: u64) {
    for _ in 0..seconds {
        drive.second += 1;
        drive.tell(Msg::Tick(FixedOffset::east_opt(0).expect("a zone")));
    }
}

fn typed(drive: &mut Drive, text: &str) -> Vec<Effect> {
    drive.key(Key::char(':'));
    text.chars().for_each(|c| drive.key(Key::char(c)));
    drive.press(Key::plain(Code::Enter))
}

#[tokio::test]
async fn production_has_a_rail_on_every_line_also_without_colours_and_beside_dialogs() {
    let mut drive = incident().await;
    assert!(!drive.drawn(80, 24).contains('▌'), "the demo is no production");
    production(&mut drive);
    for (ascii, rail) in [(false, '▌'), (true, '#')] {
        drive.model.theme = Theme::built_in("mono").expect("it is built in");
        drive.model.theme.ascii = ascii;
        for (width, height) in [(61, 16), (80, 24), (160, 50)] {
            for key in [Key::char('1'), Key::char('?')] {
                drive.drawn(width, height);
                drive.key(key);
                let text = drive.drawn(width, height);
                assert!(text.lines().all(|line| line.starts_with(rail)), "{width}x{height}:\n{text}");
                assert!(text.starts_with(&format!("{rail}PROD shop")), "{text}");
                assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
            }
            drive.key(Key::plain(Code::Esc));
        }
    }
    // Where every column is needed the word says it alone.
    let text = drive.drawn(60, 16);
    assert!(text.starts_with("PROD shop") && text.contains("BROKEN"), "{text}");
}

#[tokio::test]
async fn behind_the_rail_the_mouse_still_meets_what_it_points_at() {
    let mut drive = incident().await;
    production(&mut drive);
    let tabs = line(&mut drive, (80, 24), 3);
    let column = tabs.chars().position(|c| c == '3').expect("the tab of queries") as u16;
    drive.tell(Msg::Click(column, 3));
    assert_eq!(drive.model.screen, Screen::Queries);
}

#[tokio::test]
async fn the_state_of_every_source_has_room_whatever_else_is_told() {
    let mut drive = incident().await;
    production(&mut drive);
    drive.model.arming.environment = "a-production-environment-with-a-long-name".to_owned();
    drive.model.habits.private = true;
    for size in SIZES {
        let first = line(&mut drive, size, 0);
        assert!(first.contains("PROD") && first.contains("READ-ONLY") && first.contains("PRIV"), "{first}");
        let all = ["pg ●", "redis ●", "search ●", "prom ●", "metrics ●"];
        let each = all.iter().all(|source| first.contains(source)) || first.contains("prometheus ●");
        assert!(each || first.contains("5 kinds ●"), "{size:?}: {first}");
        assert!(!first.ends_with('…'), "{first}");
    }
    // Those that are silent are named, or at least counted.
    silence(&mut drive, 100);
    for (size, told) in [
        ((60, 16), " 5 kinds ○"),
        ((80, 24), " 5 kinds ○"),
        ((120, 30), "pg ○ redis ○ search ○ prom ○ metrics ○"),
    ] {
        let first = line(&mut drive, size, 0);
        assert!(first.ends_with(told), "{first}");
    }
    drive.model.habits.private = false;
    drive.model.arming.environment = "shop".to_owned();
    let first = line(&mut drive, (200, 50), 0);
    assert!(first.contains("postgres ○ 2 of 2 no data 1m40s"), "{first}");
}

#[tokio::test]
async fn when_it_began_is_told_in_local_time_and_in_utc_where_nothing_gives_way_for_it() {
    let mut drive = incident().await;
    drive.model.zone = FixedOffset::east_opt(2 * 3600).expect("a zone");
    let wide = drive.drawn(200, 50);
    assert!(wide.contains("since 16:13:29 local, 14:13:29Z ("), "{wide}");
    assert!(wide.contains("16:14:05 local 14:14:05Z"), "{wide}");
    let narrow = drive.drawn(80, 24);
    assert!(narrow.contains("since 16:13:29 ("), "{narrow}");
    let lines: Vec<&str> = narrow.lines().collect();
    assert!(lines[2].contains("+6 more"), "nothing gave way: {narrow}");
}

#[tokio::test]
async fn every_page_says_how_old_what_it_shows_is() {
    let mut drive = incident().await;
    for number in "1234567890".chars() {
        drive.key(Key::char(number));
        drive.run_to(drive.second + 1).await;
        for (width, height) in SIZES {
            let said = line(&mut drive, (width, height), usize::from(height) - 2);
            let told = said.contains("data, <2 s old") || said.contains("data of 14:14:");
            // Nothing of that kind is watched in the demo.
            let none = matches!(drive.model.screen, Screen::Alerts | Screen::Logs);
            assert!(told != none, "{number} at {width}x{height}: {said}");
        }
    }
    // It goes on by the clock while nothing comes, and is of what the page is about.
    drive.key(Key::char('2'));
    silence(&mut drive, 60);
    for (width, height) in SIZES {
        let said = line(&mut drive, (width, height), usize::from(height) - 2);
        assert!(said.contains("STALE, 1m00s old"), "{said}");
    }
}

#[tokio::test]
async fn a_long_message_has_the_whole_line_while_it_stands() {
    let mut drive = incident().await;
    drive.tell(Msg::Told("x".repeat(75)));
    let said = line(&mut drive, (80, 24), 22);
    assert!(said.contains(&"x".repeat(75)), "{said}");
    drive.tell(Msg::Told("short".to_owned()));
    let said = line(&mut drive, (80, 24), 22);
    assert!(said.starts_with("short") && said.ends_with("old"), "{said}");
}

#[tokio::test]
async fn rows_are_not_marked_where_nobody_sees_them() {
    let mut drive = incident().await;
    drive.key(Key::char('2'));
    drive.drawn(50, 10);
    typed(&mut drive, "mark-all");
    assert_eq!(drive.model.place().level().map(|level| level.marks.len()), Some(0));
    assert!(drive.model.toast.as_ref().is_some_and(|toast| toast.text.contains("60x16")));
    typed(&mut drive, "actions");
    assert!(drive.model.overlay.is_none(), "nothing is offered unseen");
    drive.drawn(80, 24);
    typed(&mut drive, "mark-all");
    assert!(drive.model.place().level().is_some_and(|level| level.marks.len() > 1));
}

#[tokio::test]
async fn layouts_have_names_and_are_gone_through() {
    let mut drive = incident().await;
    drive.model.size = Size { width: 160, height: 50 };
    assert!(drive.drawn(160, 50).lines().any(|line| line.matches('│').count() == 1 && line.contains("│ ")));
    for layout in [Layout::List, Layout::Dense, Layout::Beside] {
        drive.key(Key::char('L'));
        assert_eq!(drive.model.habits.layout, layout);
        assert!(drive.model.toast.as_ref().is_some_and(|toast| toast.text.contains(layout.name())));
    }
    let plotted = |text: &str| text.lines().filter(|line| is_plotted(line)).count();
    let usual = drive.drawn(80, 24);
    typed(&mut drive, "layout dense");
    let dense = drive.drawn(80, 24);
    assert!(plotted(&usual) > plotted(&dense), "{dense}");
    assert!(dense.contains("min 0 %") && !dense.contains("next step"), "{dense}");
    let rows =
        |text: &str| text.lines().filter(|line| line.contains("WARN") || line.contains("note")).count();
    let low = drive.drawn(60, 16);
    typed(&mut drive, "layout beside");
    assert!(rows(&low) > rows(&drive.drawn(60, 16)), "{low}");
    assert_eq!(drive.drawn(80, 24), usual, "and back");
    typed(&mut drive, "layout nonsense");
    assert!(drive.model.toast.as_ref().is_some_and(|toast| toast.text.contains("beside, list, dense")));
}

fn files(effects: Vec<Effect>) -> Vec<FileText> {
    effects
        .into_iter()
        .find_map(|effect| if let Effect::Export { files, .. } = effect { Some(files) } else { None })
        .expect("files")
}

#[tokio::test]
async fn an_incident_is_written_with_causes_actions_and_what_happened_and_without_constants() {
    let mut drive = incident().await;
    drive.run_to(60).await;
    let wrote = files(typed(&mut drive, "incident"));
    let [text, data] = wrote.as_slice() else { panic!("two files: {wrote:?}") };
    assert!(text.name.starts_with("incident-2026"), "{}", text.name);
    assert_eq!(data.name, text.name.replace(".md", ".json"));
    for wanted in [
        "# Incident, demo, 2026-",
        "BROKEN since",
        "## Findings",
        "  - likely: pid 4918",
        "## What was done",
        "began",
    ] {
        assert!(text.text.contains(wanted), "{wanted}: {}", text.text);
    }
    let read: serde_json::Value = serde_json::from_str(&data.text).expect("JSON");
    let findings = read["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|finding| finding["cause"]["tie"] == "certain"), "{}", data.text);
    assert!(
        findings.iter().all(|finding| finding["since"].as_str().is_some_and(|since| since.ends_with('Z')))
    );
    assert!(!read["timeline"].as_array().expect("events").is_empty());
    for secret in ["8831", "'paid'", "'pending'", "cart:all"] {
        assert!(!text.text.contains(secret) && !data.text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_number_that_changed_has_a_sign_in_front_of_it() {
    let mut drive = Drive::demo();
    drive.run_to(25).await;
    drive.key(Key::char('6'));
    drive.drawn(160, 50);
    assert!(!drive.drawn(160, 50).contains('↑'), "nothing is known of before");
    drive.run_to(40).await;
    for (width, height) in [(80, 24), (160, 50)] {
        let text = drive.drawn(width, height);
        let mails = text.lines().find(|line| line.contains("order-mails ")).expect("the queue");
        assert!(mails.contains('↑'), "{text}");
    }
    // Another page is compared with nothing, and a held one does not change.
    drive.key(Key::char('5'));
    drive.key(Key::char('6'));
    assert!(!drive.drawn(160, 50).contains('↑'));
}

/// The configuration was read again, and these targets have gone.
fn read_again(drive: &Drive, left: &[&str], words: &str) -> Reloaded {
    let arming = &drive.model.arming;
    Reloaded {
        keymap: Keymap::default(),
        columns: BTreeMap::new(),
        theme: None,
        rules: drive.model.world.rules.clone(),
        notify: NotifySettings::SILENT,
        targets: Enlisted {
            left: left.iter().map(|name| TargetId::new(name)).collect(),
            ..Enlisted::default()
        },
        access: Vec::new(),
        stance: Stance {
            environment: arming.environment.clone(),
            guessed: false,
            production: arming.production,
            read_only: arming.read_only.clone(),
        },
        topology: drive.model.world.topology.clone(),
        trail: Vec::new(),
        words: words.to_owned(),
    }
}

#[tokio::test]
async fn a_target_that_is_configured_no_more_takes_its_findings_marks_and_dialogs_along() {
    let mut drive = incident().await;
    drive.key(Key::char('2'));
    drive.drawn(160, 50);
    drive.key(Key::char('x'));
    drive.drawn(160, 50);
    let Some(Overlay::Menu(menu)) = &drive.model.overlay else { panic!("the menu of a session") };
    let database = menu.row.target().expect("a target").clone();
    let row = menu.row.clone();
    let other = RowKey::Target(TargetId::new("another"));
    let place = drive.model.places.entry(Screen::Overview).or_default();
    place.levels[0].marks = [(row, String::new()), (other.clone(), String::new())].into();
    let of_it = |drive: &Drive| {
        drive.model.world.alerts.firing().iter().filter(|it| it.breach.target == database).count()
    };
    assert!(of_it(&drive) > 0);
    let again = read_again(&drive, &[database.as_str()], "read again, in force now: it is watched no more");
    drive.tell(Msg::Reloaded(Ok(Box::new(again))));
    assert_eq!((of_it(&drive), drive.model.overlay.is_none()), (0, true));
    assert_eq!(drive.model.places[&Screen::Overview].levels[0].marks.keys().collect::<Vec<_>>(), [&other]);
    assert!(drive.model.world.target(database.as_str()).is_none());
    let toast = drive.model.toast.clone().expect("it is said").text;
    assert!(toast.contains("the dialog was closed") && toast.contains("watched no more"), "{toast}");
    drive.key(Key::char('1'));
    assert!(drive.drawn(80, 24).contains("the dialog was closed"));
    let text = drive.drawn(160, 120);
    let gone = |line: &str| line.starts_with("  gone ") && line.contains("no longer watched for 0 s");
    assert!(text.lines().any(gone), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("  over ")), "nobody says that it is over: {text}");
    assert!(drive.model.arming.permit(&database, drive.model.now).is_err(), "nothing may be done there");
    silence(&mut drive, 30);
    assert!(!drive.drawn(160, 50).contains("all clear"));
}

#[tokio::test]
async fn a_configuration_that_was_read_again_holds_at_once_or_changes_nothing() {
    let mut drive = incident().await;
    assert_eq!(typed(&mut drive, "reload"), [Effect::Reload]);
    let errors =
        |drive: &Drive| drive.model.world.alerts.firing().iter().any(|it| it.breach.rule == "metrics.errors");
    assert!(errors(&drive));
    let before = (drive.model.theme.clone(), drive.model.world.rules.clone());
    drive.tell(Msg::Reloaded(Err("c.toml:3:1: no rule is called so\nc.toml:9:1: no key".to_owned())));
    let toast = drive.model.toast.clone().expect("a message");
    assert_eq!(toast.text, "nothing was changed: c.toml:3:1: no rule is called so; c.toml:9:1: no key");
    assert_eq!(before, (drive.model.theme.clone(), drive.model.world.rules.clone()));
    let mut rules = before.1.clone();
    let spec = all_rules().into_iter().find(|rule| rule.id == "metrics.errors").expect("a rule");
    let off = RuleSetting { enabled: false, clear: Duration::ZERO, ..rules.get(spec.id) };
    assert!(rules.set("metrics.errors", off));
    let quit = Binding {
        context: Context::Screens,
        command: "quit".to_owned(),
        keys: vec!["Q".to_owned()],
        adds: false,
    };
    let reloaded = Reloaded {
        keymap: Keymap::with(&[quit]).expect("keys"),
        theme: Theme::built_in("light").ok(),
        rules,
        ..read_again(&drive, &[], "read again, in force now: 1 rule, keys, theme light")
    };
    drive.tell(Msg::Reloaded(Ok(Box::new(reloaded))));
    assert!(!errors(&drive), "what was read last is judged anew");
    assert_eq!(drive.model.theme.name, "light");
    assert!(drive.drawn(80, 24).contains("read again, in force now: 1 rule"));
    assert!(drive.drawn(80, 24).contains("Q quit"), "{}", drive.drawn(80, 24));
    assert_eq!(drive.model.place().path, [], "and everything is where it was");
}

/// The dialog of a session is open, all of it was drawn, and a second has gone by.
async fn asked() -> (Drive, TargetId, Key) {
    let mut drive = incident().await;
    drive.key(Key::char('2'));
    drive.drawn(160, 50);
    drive.key(Key::char('x'));
    drive.drawn(160, 50);
    drive.second += 1;
    drive.key(Key::char('t'));
    drive.drawn(160, 50);
    drive.second += 1;
    let Some(Overlay::Confirm(dialog)) = &drive.model.overlay else { panic!("{}", drive.drawn(160, 50)) };
    let (target, confirms) = (dialog.action.target().clone(), Key::char(dialog.preview.confirm_key));
    (drive, target, confirms)
}

fn performs(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Perform { .. }))
}

#[tokio::test]
async fn what_becomes_stricter_under_an_open_dialog_holds_for_it() {
    let (mut drive, _, confirms) = asked().await;
    assert!(performs(&drive.press(confirms)), "{}", drive.drawn(160, 50));
    let read_only = Some("c.toml says read_only = true".to_owned());
    for (stricter, says) in [
        (Stance { read_only: read_only.clone(), ..read_again(&drive, &[], "").stance }, "read_only = true"),
        (Stance { production: true, ..read_again(&drive, &[], "").stance }, "for which nobody was asked"),
    ] {
        let (mut drive, _, confirms) = asked().await;
        let reloaded = Reloaded { stance: stricter.clone(), ..read_again(&drive, &[], "read again") };
        drive.tell(Msg::Reloaded(Ok(Box::new(reloaded))));
        let text = drive.drawn(160, 50);
        assert!(text.contains(says), "{text}");
        assert!(!performs(&drive.press(confirms)), "{stricter:?}");
        // Also where nothing was told between.
        let (mut drive, _, confirms) = asked().await;
        drive.model.arming.tighten(&stricter);
        assert!(!performs(&drive.press(confirms)), "{stricter:?}");
        let toast = drive.model.toast.clone().expect("it is said").text;
        assert!(toast.starts_with("nothing was done: ") && toast.contains(says), "{toast}");
        assert_eq!((drive.model.running, drive.model.overlay.is_none()), (0, true));
    }
}

#[tokio::test]
async fn a_prediction_about_a_target_that_has_gone_is_never_confirmed() {
    let (mut drive, target, confirms) = asked().await;
    let sent = drive.press(confirms).into_iter().find_map(|effect| match effect {
        Effect::Perform { confirmed, .. } => Some(confirmed),
        _ => None,
    });
    let confirmed = sent.expect("it is sent");
    assert!(confirmed.predicted().is_some(), "the session blocks others");
    let outcome = Outcome { verdict: Verdict::Done, summary: "done".to_owned(), details: Vec::new() };
    let done =
        Msg::ActionDone { id: "1".to_owned(), action: confirmed.action().clone(), result: Ok(outcome) };
    drive.tell(done);
    let reloaded = read_again(&drive, &[target.as_str()], "read again");
    let told = drive.tell(Msg::Reloaded(Ok(Box::new(reloaded))));
    let words = told.iter().find_map(|effect| match effect {
        Effect::Checked { words, .. } => Some(words.as_str()),
        _ => None,
    });
    assert!(words.is_some_and(|words| words.starts_with("not known: ")), "{told:?}");
    silence(&mut drive, 30);
    let ends = drive.model.toast.clone().filter(|toast| toast.text.contains("no longer watched"));
    assert!(ends.is_none_or(|toast| toast.role != Role::Ok), "nobody saw that it is over");
}
