//! What an operator does: commands, what is typed and pasted while something is open, what is said, and what the status line tells.

use crate::pages::world::Stage;
use crate::screens::Drive;
use stacktop::actions::audit::{AuditLine, Phase, Tail};
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::model::Kind;
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::Overlay;
use stacktop::core::action::{Action, ActionError, Outcome, Verdict, Verification};
use stacktop::core::arming::{Access, Arming};
use stacktop::core::enlisted::Enlisted;
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::place::Screen;
use stacktop::core::postgres::{BackendId, PgAction};
use stacktop::core::time::Now;
use stacktop::core::world::TargetState;
use stacktop::panels::panel;
use std::time::Duration;

/// The demo stack after two seconds, in a terminal of a usual size.
async fn demo() -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(2).await;
    drive.drawn(120, 40);
    drive
}

/// The same in the middle of its incident.
async fn incident() -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.drawn(120, 40);
    drive
}

fn run(drive: &mut Drive, command: Command) -> Vec<Effect> {
    drive.tell(Msg::Command(command))
}

fn typed(drive: &mut Drive, text: &str) {
    text.chars().for_each(|c| drop(drive.tell(Msg::Typed(c))));
}

fn said(drive: &Drive) -> String {
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

/// A command as it is typed behind a colon.
fn palette(drive: &mut Drive, text: &str) -> Vec<Effect> {
    run(drive, Command::Palette);
    typed(drive, text);
    run(drive, Command::Accept)
}

fn first_line(drive: &mut Drive) -> String {
    drive.drawn(160, 40).lines().next().unwrap_or_default().to_owned()
}

fn terminate() -> Action {
    let backend = BackendId { pid: 1, backend_start_micros: 2 };
    Action::Postgres { target: TargetId::new("shop-db"), act: PgAction::one((backend, None), true) }
}

fn ended(verdict: Verdict) -> Msg {
    let outcome = Outcome { verdict, summary: "1 backend signalled".to_owned(), details: Vec::new() };
    Msg::ActionDone { id: "a-1".to_owned(), action: terminate(), result: Ok(outcome) }
}

fn looked(id: &str, settled: bool) -> Msg {
    let found = Verification { settled, sentence: "2 are released".to_owned() };
    Msg::Verified { id: id.to_owned(), action: terminate(), result: Ok(found) }
}

#[tokio::test]
async fn a_digit_opens_its_screen() {
    let mut drive = demo().await;
    for (digit, screen) in ('1'..='8').zip(Screen::ALL) {
        drive.key(Key::char(digit));
        assert_eq!(drive.model.screen, *screen);
    }
}

#[tokio::test]
async fn the_screens_go_round_in_both_directions() {
    let mut drive = demo().await;
    run(&mut drive, Command::PreviousScreen);
    assert_eq!(drive.model.screen, Screen::Timeline);
    run(&mut drive, Command::NextScreen);
    assert_eq!(drive.model.screen, Screen::Overview);
}

#[tokio::test]
async fn the_last_screen_is_the_one_before() {
    let mut drive = demo().await;
    run(&mut drive, Command::Screen(Screen::Search));
    run(&mut drive, Command::LastScreen);
    assert_eq!(drive.model.screen, Screen::Overview);
    run(&mut drive, Command::LastScreen);
    assert_eq!(drive.model.screen, Screen::Search);
}

#[tokio::test]
async fn the_key_of_the_open_screen_leads_to_its_first_level() {
    let mut drive = incident().await;
    drive.key(Key::char('2'));
    drive.key(Key::plain(Code::Enter));
    assert_eq!(drive.model.place().path.len(), 1);
    drive.key(Key::char('2'));
    assert!(drive.model.place().path.is_empty());
}

#[tokio::test]
async fn back_on_the_first_level_does_nothing_and_never_quits() {
    let mut drive = demo().await;
    assert_eq!(run(&mut drive, Command::Back), []);
}

#[tokio::test]
async fn quitting_ends() {
    let mut drive = demo().await;
    assert_eq!(run(&mut drive, Command::Quit), [Effect::Quit]);
}

#[tokio::test]
async fn quitting_while_an_action_runs_asks_once() {
    let mut drive = demo().await;
    drive.model.running = 1;
    assert_eq!(run(&mut drive, Command::Quit), []);
    assert_eq!(said(&drive), "an action is still running; press q again to stop it and leave");
    assert_eq!(run(&mut drive, Command::Quit), [Effect::Quit]);
}

#[tokio::test]
async fn anything_else_takes_the_first_quit_back() {
    let mut drive = demo().await;
    drive.model.running = 1;
    run(&mut drive, Command::Quit);
    run(&mut drive, Command::Down);
    assert_eq!(run(&mut drive, Command::Quit), []);
}

#[tokio::test]
async fn refreshing_asks_every_source() {
    let mut drive = demo().await;
    assert_eq!(run(&mut drive, Command::Refresh), [Effect::PollAll]);
}

#[tokio::test]
async fn redrawing_and_suspending_are_for_the_loop() {
    let mut drive = demo().await;
    assert_eq!(run(&mut drive, Command::Redraw), [Effect::Redraw]);
    assert_eq!(run(&mut drive, Command::Suspend), [Effect::Suspend]);
}

#[tokio::test]
async fn they_are_also_while_a_dialog_is_open() {
    let mut drive = demo().await;
    run(&mut drive, Command::Help);
    assert_eq!(run(&mut drive, Command::Redraw), [Effect::Redraw]);
    assert!(matches!(drive.model.overlay, Some(Overlay::Help(_))));
}

#[tokio::test]
async fn the_action_log_is_read_when_it_opens() {
    let mut drive = demo().await;
    assert_eq!(run(&mut drive, Command::ActionLog), [Effect::ReadAudit]);
}

#[tokio::test]
async fn what_opened_a_list_closes_it() {
    let mut drive = demo().await;
    for command in [Command::Help, Command::Sources, Command::ActionLog, Command::Logs] {
        run(&mut drive, command);
        assert!(drive.model.overlay.is_some(), "{command:?}");
        run(&mut drive, command);
        assert_eq!(drive.model.overlay, None, "{command:?}");
    }
}

#[tokio::test]
async fn the_next_theme_is_named() {
    let mut drive = demo().await;
    let before = drive.model.theme.name.clone();
    run(&mut drive, Command::Theme);
    assert_ne!(drive.model.theme.name, before);
    assert_eq!(said(&drive), format!("theme: {}", drive.model.theme.name));
}

#[tokio::test]
async fn a_theme_keeps_to_ascii() {
    let mut drive = demo().await;
    drive.model.theme.ascii = true;
    run(&mut drive, Command::Theme);
    assert!(drive.model.theme.ascii);
}

#[tokio::test]
async fn a_finding_is_copied_as_a_sentence() {
    let mut drive = incident().await;
    let effects = run(&mut drive, Command::Copy);
    assert!(matches!(&effects[..], [Effect::Copy(text)] if text.ends_with(')')), "{effects:?}");
}

#[tokio::test]
async fn a_row_without_a_name_is_copied_as_its_values() {
    let mut drive = demo().await;
    run(&mut drive, Command::Screen(Screen::Search));
    let effects = run(&mut drive, Command::Copy);
    assert!(matches!(&effects[..], [Effect::Copy(text)] if text.starts_with("catalogue-1\t")), "{effects:?}");
}

#[tokio::test]
async fn a_row_with_nothing_behind_it_shows_all_of_itself() {
    let mut drive = demo().await;
    let leaf = |screen: &Screen| {
        let content = panel(*screen).content(drive.model.seen(), &[]);
        let tables = content.sections.iter().filter_map(|section| section.table.as_ref());
        let at = tables.flat_map(|table| &table.rows).position(|row| !row.opens)?;
        Some((*screen, at))
    };
    let (screen, leaf) = Screen::ALL.iter().find_map(leaf).expect("a row that leads nowhere");
    run(&mut drive, Command::Screen(screen));
    for _ in 0..leaf {
        run(&mut drive, Command::Down);
    }
    run(&mut drive, Command::Open);
    assert!(matches!(drive.model.overlay, Some(Overlay::Details(_))), "{:?}", drive.model.overlay);
}

#[tokio::test]
async fn a_finding_opens_its_page_and_from_there_where_it_is_seen() {
    let mut drive = incident().await;
    run(&mut drive, Command::Open);
    assert_eq!((drive.model.screen, drive.model.place().path.len()), (Screen::Overview, 1));
    run(&mut drive, Command::Open);
    assert_ne!(drive.model.screen, Screen::Overview);
}

#[tokio::test]
async fn a_command_is_run_by_its_name() {
    let mut drive = demo().await;
    assert_eq!(palette(&mut drive, "refresh"), [Effect::PollAll]);
}

#[tokio::test]
async fn the_beginning_of_a_name_is_enough() {
    let mut drive = demo().await;
    palette(&mut drive, "que");
    assert!(matches!(drive.model.screen, Screen::Queries | Screen::Queues));
}

#[tokio::test]
async fn a_whole_name_goes_before_a_longer_one() {
    let mut drive = demo().await;
    run(&mut drive, Command::Screen(Screen::Queries));
    palette(&mut drive, "sort");
    assert!(matches!(drive.model.overlay, Some(Overlay::Columns(_))), "{:?}", drive.model.overlay);
}

#[tokio::test]
async fn a_name_that_is_none_is_said_with_where_they_are_listed() {
    let mut drive = demo().await;
    palette(&mut drive, "nonsense");
    assert_eq!(said(&drive), "there is no command `nonsense`; ? lists them");
}

#[tokio::test]
async fn a_name_is_completed() {
    let mut drive = demo().await;
    run(&mut drive, Command::Palette);
    typed(&mut drive, "refr");
    run(&mut drive, Command::Complete);
    let Some(Overlay::Palette(palette)) = &drive.model.overlay else { panic!("the palette") };
    assert_eq!(palette.field.text(), "refresh");
}

#[tokio::test]
async fn a_text_is_looked_for_only_in_a_queue() {
    let mut drive = demo().await;
    palette(&mut drive, "find ann");
    assert_eq!(said(&drive), "jobs are looked for in a queue: open one (6, Enter), then :find TEXT");
}

#[tokio::test]
async fn a_text_that_is_looked_for_in_a_queue_opens_what_holds_it() {
    let mut drive = demo().await;
    run(&mut drive, Command::Screen(Screen::Queues));
    let effects = palette(&mut drive, "find ann");
    assert_eq!(drive.model.place().path.len(), 1, "{}", said(&drive));
    assert!(effects.is_empty() && drive.drawn(120, 40).contains("jobs with \"ann\""));
}

#[tokio::test]
async fn pasted_text_is_ignored_where_no_field_is_open() {
    let mut drive = demo().await;
    drive.tell(Msg::Paste("q".to_owned()));
    assert_eq!(said(&drive), "pasted text was ignored: no field is open that takes it");
}

#[tokio::test]
async fn a_word_that_confirms_is_never_pasted() {
    let mut drive = demo().await;
    let access = [(TargetId::new("shop-db"), Access::WhenArmed)].into();
    drive.model.arming = Arming::new("shop".to_owned(), true, None, access);
    run(&mut drive, Command::Arm);
    drive.tell(Msg::Paste("shop".to_owned()));
    let Some(Overlay::Arm(typing)) = &drive.model.overlay else { panic!("{}", said(&drive)) };
    assert_eq!(typing.field.text(), "");
}

#[tokio::test]
async fn pasted_lines_are_one_line_of_a_filter() {
    let mut drive = demo().await;
    run(&mut drive, Command::Filter);
    drive.tell(Msg::Paste("a\nb\u{1b}[2J".to_owned()));
    let filter = drive.model.place().level().map(|level| level.filter.clone()).unwrap_or_default();
    assert!(!filter.contains(['\n', '\u{1b}']) && filter.starts_with('a'), "{filter:?}");
}

#[tokio::test]
async fn a_field_takes_no_more_than_a_name_is_long() {
    let mut drive = demo().await;
    run(&mut drive, Command::Palette);
    drive.tell(Msg::Paste("x".repeat(5000)));
    let Some(Overlay::Palette(palette)) = &drive.model.overlay else { panic!("the palette") };
    assert_eq!(palette.field.text().len(), 200);
}

#[tokio::test]
async fn a_filter_filters_letter_by_letter_and_is_cleared_by_back() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Queries));
    run(&mut drive, Command::Filter);
    typed(&mut drive, "shop");
    let filter = |drive: &Drive| drive.model.place().level().map(|level| level.filter.clone());
    assert_eq!(filter(&drive), Some("shop".to_owned()));
    run(&mut drive, Command::Back);
    assert_eq!((filter(&drive), drive.model.overlay.is_none()), (Some(String::new()), true));
}

#[tokio::test]
async fn a_filter_is_kept_by_enter_and_taken_up_again() {
    let mut drive = incident().await;
    run(&mut drive, Command::Filter);
    typed(&mut drive, "shop");
    run(&mut drive, Command::Accept);
    run(&mut drive, Command::Filter);
    let Some(Overlay::Filter(field)) = &drive.model.overlay else { panic!("the filter") };
    assert_eq!(field.text(), "shop");
}

#[tokio::test]
async fn arming_by_its_name_says_for_how_long_and_how_it_ends() {
    let mut drive = demo().await;
    let access = [(TargetId::new("shop-db"), Access::WhenArmed)].into();
    drive.model.arming = Arming::new("shop".to_owned(), false, None, access);
    run(&mut drive, Command::Arm);
    drive.drawn(120, 40);
    typed(&mut drive, "shop");
    run(&mut drive, Command::Accept);
    assert_eq!(said(&drive), "armed for 10 minutes (:disarm ends it)");
}

#[tokio::test]
async fn arming_by_another_name_does_not_arm() {
    let mut drive = demo().await;
    let access = [(TargetId::new("shop-db"), Access::WhenArmed)].into();
    drive.model.arming = Arming::new("shop".to_owned(), false, None, access);
    run(&mut drive, Command::Arm);
    drive.drawn(120, 40);
    typed(&mut drive, "shop2");
    run(&mut drive, Command::Accept);
    assert!(
        said(&drive).starts_with("not armed: that is not the name of this environment"),
        "{}",
        said(&drive)
    );
}

#[tokio::test]
async fn what_is_read_only_cannot_be_armed() {
    let mut drive = demo().await;
    let why = Some("--read-only was given".to_owned());
    drive.model.arming = Arming::new("shop".to_owned(), false, why, [].into());
    run(&mut drive, Command::Arm);
    assert_eq!(
        (drive.model.overlay.is_none(), said(&drive)),
        (true, "cannot be armed: --read-only was given".to_owned())
    );
}

#[tokio::test]
async fn a_window_that_is_too_small_opens_no_dialog_that_decides() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Blocking));
    drive.tell(Msg::Resize(Size { width: 50, height: 10 }));
    run(&mut drive, Command::Actions);
    assert_eq!(drive.model.overlay, None);
    assert_eq!(
        said(&drive),
        "nothing can be done in a window of 50x10: it could not be shown; make it at least 60x16"
    );
}

#[tokio::test]
async fn a_dialog_that_is_left_did_nothing() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Blocking));
    run(&mut drive, Command::Actions);
    drive.drawn(120, 40);
    drive.second += 1;
    drive.tell(Msg::Typed('t'));
    assert!(matches!(drive.model.overlay, Some(Overlay::Confirm(_))));
    assert_eq!(run(&mut drive, Command::Back), []);
    assert_eq!((drive.model.overlay.is_none(), said(&drive)), (true, "nothing was done".to_owned()));
}

#[tokio::test]
async fn a_letter_that_follows_too_quickly_was_meant_for_what_was_there_before() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Blocking));
    run(&mut drive, Command::Actions);
    drive.drawn(120, 40);
    drive.tell(Msg::Typed('t'));
    assert!(matches!(drive.model.overlay, Some(Overlay::Menu(_))));
}

#[tokio::test]
async fn another_letter_than_those_offered_chooses_nothing() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Blocking));
    run(&mut drive, Command::Actions);
    drive.drawn(120, 40);
    drive.second += 1;
    drive.tell(Msg::Typed('w'));
    assert!(matches!(drive.model.overlay, Some(Overlay::Menu(_))));
}

#[tokio::test]
async fn the_editor_gets_what_was_typed_laid_out() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Queues));
    run(&mut drive, Command::Actions);
    drive.drawn(160, 60);
    drive.second += 1;
    drive.tell(Msg::Typed('g'));
    assert!(matches!(drive.model.overlay, Some(Overlay::Answer(_))), "{}", said(&drive));
    assert_eq!(run(&mut drive, Command::Editor), [Effect::Edit("0".to_owned())]);
}

#[tokio::test]
async fn what_the_editor_left_is_what_was_typed() {
    let mut drive = incident().await;
    run(&mut drive, Command::Screen(Screen::Queues));
    run(&mut drive, Command::Actions);
    drive.drawn(160, 60);
    drive.second += 1;
    drive.tell(Msg::Typed('g'));
    drive.tell(Msg::Edited(Ok("  7\n".to_owned())));
    let Some(Overlay::Answer(asking)) = &drive.model.overlay else { panic!("{}", said(&drive)) };
    assert_eq!(asking.field.text().trim(), "7");
}

/// The demo in its incident, where everything has to be armed first, with `7` typed for a queue and confirmed as far as it goes.
async fn typed_unarmed() -> Drive {
    let mut drive = incident().await;
    let targets = drive.model.world.targets().iter();
    let access = targets.map(|target| (target.id.clone(), Access::WhenArmed)).collect();
    drive.model.arming = Arming::new("shop".to_owned(), false, None, access);
    run(&mut drive, Command::Screen(Screen::Queues));
    run(&mut drive, Command::Actions);
    drive.drawn(160, 60);
    drive.second += 1;
    drive.tell(Msg::Typed('g'));
    drive.tell(Msg::Edited(Ok("7".to_owned())));
    drive.drawn(160, 60);
    run(&mut drive, Command::Accept);
    drive
}

fn armed(drive: &mut Drive) {
    run(drive, Command::Arm);
    drive.drawn(160, 60);
    typed(drive, "shop");
    run(drive, Command::Accept);
    drive.drawn(160, 60);
}

/// What stands in the field that an action asks for.
fn asked(drive: &Drive) -> Option<&str> {
    match &drive.model.overlay {
        Some(Overlay::Answer(asking)) => Some(asking.field.text()),
        _ => None,
    }
}

#[tokio::test]
async fn what_was_typed_before_it_was_armed_is_asked_for_again() {
    let mut drive = typed_unarmed().await;
    assert!(
        drive.model.overlay.is_none() && said(&drive).ends_with("; what was typed is kept"),
        "{}",
        said(&drive)
    );
    armed(&mut drive);
    assert_eq!(asked(&drive), Some("7"));
    run(&mut drive, Command::Accept);
    assert!(matches!(drive.model.overlay, Some(Overlay::Confirm(_))), "{}", said(&drive));
    // Arming ends under the open dialog.
    drive.model.arming.disarm();
    run(&mut drive, Command::Back);
    assert_eq!(said(&drive), "nothing was done; what was typed is kept");
    armed(&mut drive);
    assert_eq!(asked(&drive), Some("7"));
    // What could have been confirmed and was left is given up.
    run(&mut drive, Command::Accept);
    run(&mut drive, Command::Back);
    assert_eq!(said(&drive), "nothing was done");
    armed(&mut drive);
    assert_eq!((asked(&drive), drive.model.overlay.is_none()), (None, true));
}

#[tokio::test]
async fn what_was_typed_is_kept_for_the_same_page_row_and_ten_minutes() {
    let mut drive = typed_unarmed().await;
    run(&mut drive, Command::Screen(Screen::Overview));
    armed(&mut drive);
    assert!(drive.model.overlay.is_none(), "another page is open");
    run(&mut drive, Command::Screen(Screen::Queues));
    run(&mut drive, Command::Actions);
    drive.drawn(160, 60);
    drive.second += 1;
    drive.tell(Msg::Typed('g'));
    assert_eq!(asked(&drive), Some("7"), "it is chosen again");
    let mut drive = typed_unarmed().await;
    let later = drive.second + 600;
    drive.run_to(later).await;
    armed(&mut drive);
    assert!(drive.model.overlay.is_none());
}

#[tokio::test]
async fn of_targets_that_come_it_is_recalled_how_they_grew() {
    let mut drive = demo().await;
    let (second, now) = (Duration::from_secs(1), Now::example(drive.second));
    let state = TargetState::new(TargetId::new("new"), SystemKind::Redis, String::new(), second, now);
    let enlisted = |joined| Msg::Enlisted(Box::new(Enlisted { joined, ..Enlisted::default() }));
    assert!(drive.tell(enlisted(vec![state])).contains(&Effect::RecallSizes));
    assert!(!drive.tell(enlisted(Vec::new())).contains(&Effect::RecallSizes));
    // Until it is known, nothing is kept that may be there already: here the first of another half hour.
    let keeps = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::KeepSizes(_)));
    drive.second += 1800;
    drive.asked.clear();
    let later = drive.second + 10;
    drive.run_to(later).await;
    assert!(!keeps(&drive.asked));
    assert!(keeps(&drive.tell(Msg::SizesRecalled(Vec::new()))));
}

#[tokio::test]
async fn an_editor_that_fails_is_told_and_changes_nothing() {
    let mut drive = demo().await;
    drive.tell(Msg::Edited(Err("`vi` ended with 1".to_owned())));
    assert_eq!(said(&drive), "`vi` ended with 1");
}

#[tokio::test]
async fn more_than_a_field_takes_is_not_taken_over_from_the_editor() {
    let mut drive = demo().await;
    drive.tell(Msg::Edited(Ok("x".repeat(65_537))));
    assert_eq!(said(&drive), "nothing was taken over: 65537 bytes are more than 65536");
}

#[tokio::test]
async fn what_came_of_an_action_is_said_and_its_target_is_asked() {
    let mut drive = demo().await;
    drive.model.running = 1;
    let effects = drive.tell(ended(Verdict::Done));
    assert_eq!(effects[..2], [Effect::PollNow(TargetId::new("shop-db")), Effect::ReadAudit]);
    let kept = |effect: &Effect| matches!(effect, Effect::Keep(events) if events[0].words.ends_with("1 backend signalled"));
    assert!(effects.len() == 3 && kept(&effects[2]), "{effects:?}");
    assert_eq!((said(&drive), drive.model.running), ("1 backend signalled".to_owned(), 0));
}

#[tokio::test]
async fn an_action_that_failed_is_said_as_an_error() {
    let mut drive = demo().await;
    let result = Err(ActionError::NotDone("it is gone".to_owned()));
    drive.tell(Msg::ActionDone { id: "a-1".to_owned(), action: terminate(), result });
    assert_eq!(said(&drive), "not done: it is gone");
}

#[tokio::test]
async fn a_look_afterwards_is_said() {
    let mut drive = demo().await;
    drive.tell(ended(Verdict::Done));
    drive.tell(looked("a-1", true));
    assert_eq!(said(&drive), "2 are released");
}

#[tokio::test]
async fn what_was_not_done_stays_in_front_of_the_look() {
    let mut drive = demo().await;
    drive.tell(ended(Verdict::Partly));
    drive.tell(looked("a-1", true));
    assert_eq!(said(&drive), "1 backend signalled · now: 2 are released");
}

#[tokio::test]
async fn the_look_after_another_action_does_not_speak_of_it() {
    let mut drive = demo().await;
    drive.tell(ended(Verdict::Partly));
    drive.tell(looked("a-2", true));
    assert_eq!(said(&drive), "2 are released");
}

#[tokio::test]
async fn an_action_of_an_earlier_run_without_an_outcome_is_told_at_the_start() {
    let mut drive = demo().await;
    let line = AuditLine {
        at: "2026-09-21T14:00:00Z".to_owned(),
        phase: Phase::Intent,
        id: "a-1".to_owned(),
        who: "ann".to_owned(),
        host: "box".to_owned(),
        environment: "demo".to_owned(),
        target: "jobs".to_owned(),
        address: "cache:6379".to_owned(),
        action: "retry_jobs".to_owned(),
        identity: "queue bull:mails jobs 7".to_owned(),
        statement: String::new(),
        result: String::new(),
    };
    let tail = Tail { unanswered: vec![line.clone(), line], ..Tail::default() };
    drive.tell(Msg::AuditTail(tail));
    let words = said(&drive);
    assert!(words.starts_with("retry_jobs on jobs, queue bull:mails jobs 7, "), "{words}");
    assert!(words.ends_with("look at jobs (1 more in the action log)"), "{words}");
}

#[tokio::test]
async fn a_message_goes_away_after_a_while() {
    let mut drive = demo().await;
    drive.tell(Msg::Told("copied".to_owned()));
    drive.run_to(10).await;
    assert_eq!(said(&drive), "copied");
    drive.run_to(15).await;
    assert_eq!(said(&drive), "");
}

#[tokio::test]
async fn an_empty_action_log_of_a_demo_speaks_of_this_run() {
    let mut drive = demo().await;
    run(&mut drive, Command::ActionLog);
    assert!(drive.drawn(120, 40).contains("no action was taken in this run"));
}

#[tokio::test]
async fn lines_of_the_log_that_cannot_be_read_are_counted() {
    let mut drive = demo().await;
    run(&mut drive, Command::ActionLog);
    for (unreadable, words) in
        [(1, "1 line of the file cannot be read"), (3, "3 lines of the file cannot be read")]
    {
        drive.tell(Msg::AuditTail(Tail { unreadable, ..Tail::default() }));
        assert!(drive.drawn(120, 40).contains(words), "{words}");
    }
}

#[tokio::test]
async fn the_status_line_says_what_kind_of_run_it_is() {
    let mut drive = demo().await;
    assert!(first_line(&mut drive).starts_with("DEMO │ ACTIONS OPEN"), "{}", first_line(&mut drive));
}

#[tokio::test]
async fn production_stands_first() {
    let mut drive = demo().await;
    drive.model.kind = Kind::Live;
    drive.model.arming = Arming::new("shop".to_owned(), true, None, [].into());
    assert!(first_line(&mut drive).starts_with("▌PROD shop"), "{}", first_line(&mut drive));
}

#[tokio::test]
async fn the_time_that_arming_lasts_is_counted_down() {
    let mut drive = demo().await;
    let access = [(TargetId::new("shop-db"), Access::WhenArmed)].into();
    drive.model.arming = Arming::new("shop".to_owned(), false, None, access);
    assert!(first_line(&mut drive).contains("DISARMED"), "{}", first_line(&mut drive));
    drive.model.arming.arm("shop", Now::example(2)).expect("its name");
    drive.run_to(5).await;
    assert!(first_line(&mut drive).contains("ARMED 9:57"), "{}", first_line(&mut drive));
}

#[tokio::test]
async fn what_is_read_only_says_so() {
    let mut drive = demo().await;
    drive.model.arming = Arming::new("shop".to_owned(), false, Some("because".to_owned()), [].into());
    assert!(first_line(&mut drive).contains("READ-ONLY"));
}

#[tokio::test]
async fn a_held_screen_says_for_how_long() {
    let mut drive = demo().await;
    run(&mut drive, Command::Freeze);
    drive.run_to(12).await;
    assert!(first_line(&mut drive).contains("FROZEN 10 s"), "{}", first_line(&mut drive));
}

#[tokio::test]
async fn the_worst_source_of_a_kind_counts_and_says_how_many_are_like_it() {
    let mut drive = demo().await;
    let two = [("a", SystemKind::Redis), ("b", SystemKind::Redis), ("c", SystemKind::Redis)];
    let redis = || crate::pages::world::redis(Vec::new());
    let stage = Stage::with(&two).then(100, "a", redis()).fails(100, "b").fails(100, "c");
    drive.model.world = stage.world;
    drive.model.now = Now::example(100);
    assert!(first_line(&mut drive).contains("2 of 3 no data 0 s"), "{}", first_line(&mut drive));
}

#[tokio::test]
async fn one_report_that_came_too_late_is_one_report() {
    let mut drive = demo().await;
    drive.model.world = Stage::overtaken(1).world;
    assert!(first_line(&mut drive).contains("1 report came too late"), "{}", first_line(&mut drive));
}

#[tokio::test]
async fn the_sources_say_why_each_was_chosen() {
    let mut drive = demo().await;
    drive.model.trail = vec!["DATABASE_URL is not set".to_owned()];
    run(&mut drive, Command::Sources);
    assert!(drive.drawn(120, 40).contains("DATABASE_URL is not set"));
}

#[tokio::test]
async fn the_help_names_every_screen_with_what_it_answers() {
    let mut drive = demo().await;
    run(&mut drive, Command::Help);
    let text = drive.drawn(160, 120);
    for panel in stacktop::panels::PANELS {
        // A long one goes on in the next line.
        let begin: String = panel.help().chars().take(40).collect();
        assert!(text.contains(&begin), "{begin}:\n{text}");
    }
}
