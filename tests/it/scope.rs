//! One target or one group at a time, on the screens of the demo stack: what is outside is not shown and not acted on, and is never hidden
//! where it is worse.

use crate::screens::Drive;
use stacktop::app::command::Command;
use stacktop::app::msg::Msg;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;

fn type_in(drive: &mut Drive, text: &str, end: Command) {
    drive.tell(Msg::Command(Command::Palette));
    text.chars().for_each(|c| drop(drive.tell(Msg::Typed(c))));
    drive.tell(Msg::Command(end));
}

fn narrow(drive: &mut Drive, text: &str) -> String {
    type_in(drive, text, Command::Accept);
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

/// What stands between the tabs and the newest message.
fn middle(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[3..lines.len() - 2].join("\n")
}

#[tokio::test]
async fn no_screen_shows_what_is_outside_the_scope() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    assert_eq!(narrow(&mut drive, "target jobs"), "only jobs is shown (1 of 6)");
    drive.run_to(47).await;
    for screen in Screen::ALL.iter().copied() {
        drive.tell(Msg::Command(Command::Screen(screen)));
        drive.run_to(drive.second + 1).await;
        let text = drive.drawn(200, 60);
        assert!(text.lines().next().is_some_and(|line| line.contains("ONLY jobs (1 of 6)")), "{text}");
        let middle = middle(&text);
        let own = middle.lines().filter(|line| !line.contains("outside the scope"));
        for line in own {
            for other in ["shop-db", "shop-api", "catalogue", "4918"] {
                assert!(!line.contains(other), "{screen:?} shows {other}: {line}");
            }
        }
    }
    drive.tell(Msg::Command(Command::Screen(Screen::Metrics)));
    assert!(drive.drawn(200, 60).contains("no Prometheus, metrics endpoint, health endpoint or probe"));
    drive.tell(Msg::Command(Command::Screen(Screen::Queues)));
    assert!(middle(&drive.drawn(200, 60)).contains("order-mails"));
    assert_eq!(narrow(&mut drive, "target"), "every target is shown (6)");
    drive.tell(Msg::Command(Command::Screen(Screen::Blocking)));
    let text = drive.drawn(200, 60);
    assert!(middle(&text).contains("4918") && !text.contains("ONLY"), "{text}");
}

#[tokio::test]
async fn what_is_worse_outside_is_told_in_line_two_and_on_the_overview() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    let all = drive.drawn(200, 60);
    let verdict = |text: &str| text.lines().nth(1).unwrap_or_default().to_owned();
    assert!(verdict(&all).starts_with("BROKEN since") && verdict(&all).contains("shop-api"), "{all}");
    narrow(&mut drive, "target jobs");
    let text = drive.drawn(200, 60);
    assert!(
        verdict(&text).starts_with("BROKEN (outside the scope: shop-api, shop-db, shop-db-copy) since"),
        "{text}"
    );
    let told = middle(&text).lines().find(|line| line.contains("outside the scope: ")).map(str::to_owned);
    let told = told.expect("the overview tells it, too");
    assert!(told.contains("1 CRIT") && told.contains("; the worst: shop-api answers"), "{told}");
    // What is named and inside is not said to be outside.
    narrow(&mut drive, "target shop-*");
    let text = drive.drawn(200, 60);
    assert!(text.lines().next().is_some_and(|line| line.contains("ONLY shop-* (3 of 6)")), "{text}");
    assert!(!verdict(&text).contains("shop-api,") && !verdict(&text).contains("(outside the scope: shop"));
}

#[tokio::test]
async fn what_was_opened_and_marked_outside_is_left() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.tell(Msg::Command(Command::Screen(Screen::Queues)));
    drive.run_to(46).await;
    drive.tell(Msg::Command(Command::Mark));
    drive.tell(Msg::Command(Command::Open));
    let place = |drive: &Drive| drive.model.places.get(&Screen::Queues).cloned().unwrap_or_default();
    let marks = |drive: &Drive| place(drive).levels.iter().map(|level| level.marks.len()).sum::<usize>();
    assert_eq!((place(&drive).path.len(), marks(&drive)), (1, 1));
    narrow(&mut drive, "target jobs");
    assert_eq!((place(&drive).path.len(), marks(&drive)), (1, 1), "it is inside");
    narrow(&mut drive, "target catalogue");
    assert_eq!((place(&drive).path.len(), place(&drive).levels.len(), marks(&drive)), (0, 1, 0));
    drive.tell(Msg::Command(Command::Actions));
    assert!(drive.model.overlay.is_none(), "there is no row to act on");
    assert!(drive.model.focus.iter().all(|(target, _)| target.as_str() == "catalogue"));
}

#[tokio::test]
async fn a_name_that_nobody_has_changes_nothing_and_is_completed_where_somebody_has() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    narrow(&mut drive, "target shop-db");
    let said = narrow(&mut drive, "target shopp");
    assert!(said.starts_with("no target is called or grouped `shopp`; there are catalogue, jobs"), "{said}");
    assert!(drive.drawn(200, 60).contains("ONLY shop-db (1 of 6)"));
    type_in(&mut drive, "target cat", Command::Complete);
    assert!(drive.drawn(200, 60).contains(":target catalogue"));
    drive.tell(Msg::Command(Command::Accept));
    assert!(drive.drawn(200, 60).contains("ONLY catalogue (1 of 6)"));
    let finding = |key: &RowKey| matches!(key, RowKey::Finding { .. });
    assert!(drive.model.page.as_ref().is_some_and(|page| {
        let rows = page.content.sections.iter().filter_map(|section| section.table.as_ref());
        let mut found = rows.flat_map(|table| &table.rows).filter(|row| finding(&row.key));
        found.all(|row| row.key.target().is_some_and(|target| target.as_str() == "catalogue"))
    }));
}
