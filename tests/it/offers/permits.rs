//! Who may change what: read-only, production, arming, and where a server is, from `x` to the dialog.

use crate::screens::Drive;
use stacktop::app::command::Command;
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::Overlay;
use stacktop::core::arming::{Access, Arming, Mode};
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::time::Now;
use stacktop::core::whereabouts::Whereabouts;
use std::collections::BTreeMap;

fn pg() -> TargetId {
    TargetId::new("pg")
}

fn arming(access: Access) -> Arming {
    Arming::new("shop".to_owned(), false, None, BTreeMap::from([(pg(), access)]))
}

/// Why nothing is permitted on a server whose whereabouts are these.
#[track_caller]
fn refused(access: Access, found: Whereabouts, sentence: &str) {
    let mut arming = arming(access);
    arming.learn(&pg(), found);
    let refusal = arming.permit(&pg(), Now::example(0)).expect_err("it is refused");
    assert_eq!(refusal.sentence(), sentence);
}

#[track_caller]
fn free(access: Access, found: Whereabouts) {
    let mut arming = arming(access);
    arming.learn(&pg(), found);
    assert_eq!(arming.permit(&pg(), Now::example(0)).map(|permit| permit.until), Ok(None));
}

/// The demo stack with a menu on the root of the blocking screen, as the environment allows it.
async fn chosen(change: impl FnOnce(&mut Drive)) -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    change(&mut drive);
    drive.drawn(120, 40);
    drive.tell(Msg::Command(Command::Screen(Screen::Blocking)));
    drive.tell(Msg::Command(Command::Actions));
    drive.drawn(120, 40);
    drive.second += 1;
    if drive.model.overlay.is_some() {
        drive.tell(Msg::Typed('t'));
    }
    drive
}

fn environment(drive: &mut Drive, production: bool, read_only: Option<&str>, access: Access) {
    let targets: Vec<TargetId> = drive.model.world.targets().iter().map(|target| target.id.clone()).collect();
    let access = targets.into_iter().map(|target| (target, access)).collect();
    drive.model.arming = Arming::new("shop".to_owned(), production, read_only.map(str::to_owned), access);
}

fn said(drive: &Drive) -> String {
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

#[test]
fn a_server_that_says_it_is_here_needs_no_arming() {
    free(Access::WhenHere, Whereabouts::Here);
}

#[test]
fn a_server_that_the_configuration_calls_local_needs_none_wherever_it_is() {
    free(Access::Free, Whereabouts::Cloud("RDS".to_owned()));
}

#[test]
fn a_server_here_that_calls_itself_production_needs_arming() {
    refused(
        Access::WhenHere,
        Whereabouts::Here.saying(&[("cluster_name", "prod-eu")]),
        "pg calls itself production (its cluster_name is prod-eu; `local = true` in its entry of the configuration says \
         otherwise), and stacktop is not armed; arm `shop` first",
    );
}

#[test]
fn a_server_that_has_not_said_where_it_is_is_treated_as_elsewhere() {
    refused(
        Access::WhenHere,
        Whereabouts::Unknown,
        "pg has not said yet whether it is on this machine, and stacktop is not armed; arm `shop` first",
    );
}

#[test]
fn a_tunnel_is_not_this_machine() {
    refused(
        Access::WhenHere,
        Whereabouts::Elsewhere("it sees us come from 10.0.0.1".to_owned()),
        "pg may be elsewhere (it sees us come from 10.0.0.1; `local = true` in its entry of the configuration says \
         otherwise), and stacktop is not armed; arm `shop` first",
    );
}

#[test]
fn a_managed_service_is_never_this_machine() {
    refused(
        Access::WhenHere,
        Whereabouts::Cloud("RDS".to_owned()),
        "pg is a managed service (RDS; `local = true` in its entry of the configuration says otherwise), and stacktop \
         is not armed; arm `shop` first",
    );
}

#[test]
fn a_server_elsewhere_needs_arming() {
    refused(
        Access::WhenArmed,
        Whereabouts::Here,
        "pg is not on this machine, and stacktop is not armed; arm `shop` first",
    );
}

#[test]
fn a_target_that_is_configured_as_read_only_stays_so_when_armed() {
    let mut arming = arming(Access::Never);
    arming.arm("shop", Now::example(0)).expect("it is its name");
    let refusal = arming.permit(&pg(), Now::example(0)).expect_err("it is refused");
    assert_eq!(
        refusal.sentence(),
        "pg is configured as read-only; remove `read_only` from it in the configuration"
    );
}

#[test]
fn a_target_that_nobody_configured_is_not_changed() {
    assert!(arming(Access::Free).permit(&TargetId::new("other"), Now::example(0)).is_err());
}

#[test]
fn arming_lasts_ten_minutes() {
    let mut arming = arming(Access::WhenArmed);
    arming.arm("shop", Now::example(0)).expect("it is its name");
    assert!(arming.permit(&pg(), Now::example(599)).is_ok());
    assert!(arming.permit(&pg(), Now::example(600)).is_err());
}

#[test]
fn arming_asks_for_the_name_of_the_environment() {
    let refusal = arming(Access::WhenArmed).arm("other", Now::example(0)).expect_err("another name");
    assert_eq!(refusal.sentence(), "that is not the name of this environment; type `shop` to arm it");
}

#[test]
fn disarming_ends_it_at_once() {
    let mut arming = arming(Access::WhenArmed);
    arming.arm("shop", Now::example(0)).expect("it is its name");
    arming.disarm();
    assert_eq!(arming.mode(Now::example(1)), Mode::Disarmed);
}

#[test]
fn what_is_read_only_as_a_whole_cannot_be_armed() {
    let access = BTreeMap::from([(pg(), Access::WhenArmed)]);
    let mut arming = Arming::new("shop".to_owned(), false, Some("--read-only was given".to_owned()), access);
    assert_eq!(
        arming.arm("shop", Now::example(0)).map_err(|why| why.sentence()),
        Err("--read-only was given".to_owned())
    );
}

#[test]
fn targets_that_are_all_read_only_leave_nothing_to_be_armed() {
    assert_eq!(arming(Access::Never).mode(Now::example(0)), Mode::ReadOnly);
}

#[tokio::test]
async fn where_nothing_needs_arming_a_dialog_opens() {
    let drive = chosen(|drive| environment(drive, false, None, Access::Free)).await;
    let Some(Overlay::Confirm(dialog)) = &drive.model.overlay else { panic!("{}", said(&drive)) };
    assert_eq!(dialog.word, None);
}

#[tokio::test]
async fn production_asks_for_its_name() {
    let drive = chosen(|drive| environment(drive, true, None, Access::Free)).await;
    let Some(Overlay::Confirm(dialog)) = &drive.model.overlay else { panic!("{}", said(&drive)) };
    assert_eq!(dialog.word, Some("shop".to_owned()));
}

#[tokio::test]
async fn production_that_is_not_armed_opens_no_dialog_and_names_the_command() {
    let drive = chosen(|drive| environment(drive, true, None, Access::WhenArmed)).await;
    assert_eq!(drive.model.overlay, None);
    assert_eq!(
        said(&drive),
        "arm `shop` first (:arm): shop-db is not on this machine, and stacktop is not armed"
    );
}

#[tokio::test]
async fn what_is_read_only_names_no_command_that_would_not_help() {
    let drive = chosen(|drive| environment(drive, false, Some("--read-only was given"), Access::Free)).await;
    assert_eq!((drive.model.overlay.is_none(), said(&drive)), (true, "--read-only was given".to_owned()));
}

#[tokio::test]
async fn a_target_that_is_read_only_names_no_command_that_would_not_help() {
    let drive = chosen(|drive| environment(drive, false, None, Access::Never)).await;
    assert_eq!(
        said(&drive),
        "shop-db is configured as read-only; remove `read_only` from it in the configuration"
    );
}

#[tokio::test]
async fn a_refused_offer_is_said_with_its_name() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.drawn(120, 40);
    drive.tell(Msg::Command(Command::Screen(Screen::Blocking)));
    drive.tell(Msg::Command(Command::Actions));
    drive.drawn(120, 40);
    drive.second += 1;
    // The root is idle in its transaction: there is nothing to cancel.
    drive.tell(Msg::Typed('c'));
    let words = said(&drive);
    assert!(
        words.starts_with("cancel query ")
            && words.contains("a cancel does nothing to a session that is idle in"),
        "{words}"
    );
}

#[tokio::test]
async fn a_row_without_offers_opens_no_menu() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.drawn(120, 40);
    drive.tell(Msg::Command(Command::Screen(Screen::Search)));
    drive.tell(Msg::Command(Command::Actions));
    assert_eq!(said(&drive), "nothing can be done to this row from here");
}

#[tokio::test]
async fn stopping_where_nothing_runs_stops_nothing() {
    let mut drive = Drive::demo();
    drive.run_to(2).await;
    assert_eq!(drive.tell(Msg::Command(Command::Stop)), []);
    assert_eq!(said(&drive), "no action is running");
}

#[tokio::test]
async fn stopping_what_runs_asks_for_it() {
    let mut drive = Drive::demo();
    drive.run_to(2).await;
    drive.model.running = 1;
    assert_eq!(drive.tell(Msg::Command(Command::Stop)), [Effect::StopActions]);
}

/// What is done to a root of the blocking screen where the demo's targets allow this, and what line one and the hints say then.
async fn under(access: Access) -> (String, String, Drive) {
    let drive = &mut Drive::demo();
    drive.run_to(45).await;
    environment(drive, false, None, access);
    drive.tell(Msg::Command(Command::Screen(Screen::Blocking)));
    let text = drive.drawn(160, 40);
    let line = |at: Option<&str>| at.unwrap_or_default().to_owned();
    let (first, last) = (line(text.lines().next()), line(text.lines().last()));
    let mut drive = std::mem::replace(drive, Drive::demo());
    drive.tell(Msg::Command(Command::Actions));
    (first, last, drive)
}

#[tokio::test]
async fn where_every_target_is_read_only_the_screen_says_so_and_hints_at_no_action() {
    let (first, hints, drive) = under(Access::Never).await;
    assert!(first.contains("READ-ONLY") && !first.contains("OPEN"), "{first}");
    assert!(!hints.contains("actions"), "{hints}");
    assert_eq!(drive.model.overlay, None, "no menu of what cannot be done");
    assert_eq!(
        said(&drive),
        "shop-db is configured as read-only; remove `read_only` from it in the configuration"
    );
}

#[tokio::test]
async fn what_only_needs_arming_is_hinted_at_and_has_its_menu() {
    let (first, hints, drive) = under(Access::WhenArmed).await;
    assert!(first.contains("DISARMED"), "{first}");
    assert!(hints.contains("x actions"), "{hints}");
    assert!(matches!(drive.model.overlay, Some(Overlay::Menu(_))));
}

#[tokio::test]
async fn line_one_says_how_many_targets_stay_as_they_are() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    let targets: Vec<TargetId> = drive.model.world.targets().iter().map(|target| target.id.clone()).collect();
    let allows = |(at, target)| (target, if at == 0 { Access::Never } else { Access::Free });
    let access = targets.into_iter().enumerate().map(allows).collect();
    drive.model.arming = Arming::new("shop".to_owned(), false, None, access);
    for (width, height) in [(160, 50), (80, 24)] {
        let text = drive.drawn(width, height);
        assert!(text.starts_with("DEMO │ ACTIONS OPEN, 1 READ-ONLY"), "{text}");
    }
}

#[tokio::test]
async fn a_message_that_has_no_room_says_where_all_of_it_stands() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    let why = "a dialog was closed because the server that it was about ".repeat(3) + "has gone";
    let offered = Err(why.clone());
    drive.tell(Msg::Reloaded(offered));
    let text = drive.drawn(80, 24);
    let message = text.lines().rev().nth(1).unwrap_or_default();
    assert!(
        message.starts_with("nothing was changed: a dialog") && message.ends_with("… :own-log"),
        "{text}"
    );
    drive.tell(Msg::Command(Command::Logs));
    let text = drive.drawn(80, 24).replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Messages") && text.contains("has gone"), "{text}");
}
