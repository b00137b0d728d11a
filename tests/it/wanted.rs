//! Tables as the operator wants them: order, columns, width, a row beside its list, how often the sources are asked.

use crate::screens::Drive;
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::Overlay;
use stacktop::core::place::Screen;

async fn demo(screen: Screen, width: u16, height: u16) -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.size = Size { width, height };
    drive.tell(Msg::Command(Command::Screen(screen)));
    drive.run_to(46).await;
    drive
}

fn say(drive: &Drive) -> String {
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

fn screen(drive: &mut Drive) -> String {
    let Size { width, height } = drive.model.size;
    drive.drawn(width, height)
}

/// The row under the cursor.
fn here(drive: &mut Drive) -> String {
    screen(drive).lines().find(|line| line.starts_with("> ")).unwrap_or_default().to_owned()
}

/// The line of headings that holds `title`.
fn header(drive: &mut Drive, title: &str) -> String {
    screen(drive).lines().find(|line| line.contains(title)).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_order_is_chosen_from_a_menu_and_kept_for_its_table() {
    let mut drive = demo(Screen::Queues, 140, 40).await;
    drive.key(Key::char('s'));
    let menu = screen(&mut drive);
    assert!(menu.contains("Sort by") && menu.contains("> by importance"), "{menu}");
    for _ in 0..7 {
        drive.key(Key::char('j'));
    }
    let menu = screen(&mut drive);
    assert!(menu.contains("> failed"), "{menu}");
    drive.key(Key::plain(Code::Enter));
    assert_eq!(drive.model.overlay, None);
    assert!(say(&drive).starts_with("sorted by failed, highest first"), "{}", say(&drive));
    assert!(header(&mut drive, "failed▼").contains("queue"));
    // Turned around in the menu, where it says what holds.
    drive.key(Key::char('s'));
    assert!(screen(&mut drive).contains("now, highest first"));
    drive.key(Key::char('I'));
    assert!(screen(&mut drive).contains("now, lowest first"));
    drive.key(Key::plain(Code::Esc));
    // Another screen has its own order, and this one is as it was left.
    drive.key(Key::char('3'));
    assert!(!screen(&mut drive).contains('▲'));
    drive.key(Key::char('6'));
    assert!(screen(&mut drive).contains("failed▲"));
    drive.key(Key::char('s'));
    drive.key(Key::char('g'));
    drive.key(Key::plain(Code::Enter));
    assert_eq!(say(&drive), "sorted by importance");
    assert!(!screen(&mut drive).contains("failed▲"));
}

#[tokio::test]
async fn two_tables_of_one_screen_have_two_orders() {
    let mut drive = demo(Screen::Queries, 140, 50).await;
    drive.key(Key::char('>'));
    assert!(say(&drive).starts_with("sorted by pid"), "{}", say(&drive));
    drive.key(Key::char('G'));
    drive.key(Key::char('>'));
    assert!(say(&drive).starts_with("sorted by share"), "{}", say(&drive));
    let text = screen(&mut drive);
    assert!(text.contains("pid▼") && text.contains("share▼"), "{text}");
    drive.key(Key::char('<'));
    assert_eq!(say(&drive), "sorted by importance");
    let text = screen(&mut drive);
    assert!(text.contains("pid▼") && !text.contains("share▼"), "{text}");
}

#[tokio::test]
async fn columns_are_chosen_and_come_back() {
    let mut drive = demo(Screen::Queues, 140, 40).await;
    assert!(header(&mut drive, "workers").contains("library"));
    drive.key(Key::char('C'));
    drive.key(Key::char(' '));
    assert!(say(&drive).contains("it stays"), "the first one says what a row is about");
    drive.key(Key::char('j'));
    drive.key(Key::char(' '));
    let list = screen(&mut drive);
    assert!(list.contains("> library  hidden"), "{list}");
    drive.key(Key::plain(Code::Esc));
    assert!(!header(&mut drive, "workers").contains("library"));
    drive.key(Key::char('C'));
    drive.key(Key::char('j'));
    drive.key(Key::char(' '));
    drive.key(Key::plain(Code::Esc));
    assert!(header(&mut drive, "workers").contains("library"));
}

#[tokio::test]
async fn a_wide_table_scrolls_sideways_and_its_first_column_stays() {
    let mut drive = demo(Screen::Queries, 80, 24).await;
    let narrow = header(&mut drive, "statement");
    assert!(!narrow.contains("database") && narrow.ends_with('›'), "{narrow}");
    drive.key(Key::char('('));
    assert!(say(&drive).contains("w makes it wide"), "{}", say(&drive));
    drive.key(Key::char('w'));
    let wide = header(&mut drive, "application");
    assert!(wide.contains("pid") && wide.contains("user") && wide.ends_with('›'), "{wide}");
    for _ in 0..3 {
        drive.key(Key::char(')'));
    }
    let moved = header(&mut drive, "state");
    assert!(moved.starts_with('‹') && moved.contains("pid") && !moved.contains("user"), "{moved}");
    assert!(here(&mut drive).contains("4918"), "the frozen column");
    for _ in 0..9 {
        drive.key(Key::char(')'));
    }
    let end = screen(&mut drive);
    assert!(end.contains("SET invoice_state = 'pending' WHERE id = 8831"), "a statement in full: {end}");
    drive.key(Key::char('w'));
    assert_eq!(header(&mut drive, "statement"), narrow);
}

#[tokio::test]
async fn one_table_is_zoomed_and_back_leaves_it() {
    let mut drive = demo(Screen::Queries, 100, 30).await;
    drive.key(Key::char('z'));
    let text = screen(&mut drive);
    assert!(text.contains("queries  zoomed") && !text.contains("Statements over"), "{text}");
    drive.key(Key::plain(Code::Esc));
    assert!(screen(&mut drive).contains("Active sessions over"));
    assert!(drive.model.place().level().is_some_and(|level| level.zoomed.is_none()));
}

#[tokio::test]
async fn a_row_is_kept_on_top_and_a_range_is_marked() {
    let mut drive = demo(Screen::Queries, 100, 30).await;
    for _ in 0..4 {
        drive.key(Key::char('j'));
    }
    let row = here(&mut drive);
    drive.key(Key::char('F'));
    let text = screen(&mut drive);
    let top = text.lines().skip_while(|line| !line.contains(" state ")).nth(1).expect("a row");
    assert_eq!(top[..12], row[..12], "{text}");
    assert!(text.contains("1 pinned"), "{text}");
    drive.key(Key::char('F'));
    assert!(!screen(&mut drive).contains("1 pinned"));
    drive.key(Key::char('g'));
    drive.key(Key::char('v'));
    assert!(say(&drive).contains("mark its first row (Space)"), "{}", say(&drive));
    drive.key(Key::char(' '));
    for _ in 0..3 {
        drive.key(Key::char('j'));
    }
    drive.key(Key::char('v'));
    assert!(say(&drive).starts_with("4 marked by a range of rows, 1 by hand (U clears)"), "{}", say(&drive));
}

#[tokio::test]
async fn on_a_wide_screen_the_row_stands_beside_its_list() {
    let mut drive = demo(Screen::Overview, 160, 50).await;
    let text = screen(&mut drive);
    assert!(text.lines().filter(|line| line.contains('│')).count() > 40, "{text}");
    assert!(text.contains("rule     postgres.blocked"), "the page of the finding: {text}");
    drive.key(Key::char('j'));
    assert!(!screen(&mut drive).contains("rule     postgres.blocked"), "it follows the cursor");
    // Of a page that would have to be read nothing is asked: the values stand there.
    drive.key(Key::char('6'));
    let focus = drive.model.focus.clone();
    let text = screen(&mut drive);
    assert!(text.contains("All of the row") && text.contains("│ library   BullMQ 5"), "{text}");
    drive.key(Key::char('j'));
    assert_eq!(drive.model.focus, focus);
    drive.key(Key::char('L'));
    assert!(!screen(&mut drive).contains("All of the row"));
    drive.key(Key::char('L'));
    // A usual screen has no room for it.
    drive.model.size = Size { width: 120, height: 40 };
    assert!(!screen(&mut drive).contains("All of the row"));
}

#[tokio::test]
async fn the_thing_and_the_next_step_are_told_in_a_usual_window() {
    let mut drive = demo(Screen::Blocking, 80, 24).await;
    let row = here(&mut drive);
    for words in ["4918", "billing", "billing-worker", "orders, id = 8831"] {
        assert!(row.contains(words), "{words}: {row}");
    }
    let text = screen(&mut drive);
    assert!(text.contains("state idle in tx · lock holds EXCLUSIVE on transaction 90412"), "{text}");
    // Where every column is in full nothing stands below.
    drive.key(Key::char('w'));
    assert!(!screen(&mut drive).contains("state idle in tx ·"), "{}", screen(&mut drive));
    drive.key(Key::char('1'));
    let text = screen(&mut drive);
    assert!(text.contains("next step x: terminate its session"), "{text}");
}

#[tokio::test]
async fn no_column_is_stretched_beyond_what_stands_in_it() {
    let mut drive = demo(Screen::Queues, 160, 50).await;
    drive.key(Key::char('L'));
    let row =
        screen(&mut drive).lines().find(|line| line.contains("thumbnails")).expect("a queue").to_owned();
    let words = row.trim_end();
    let gap = words.split(|c: char| c != ' ').map(str::len).max().unwrap_or(0);
    assert!(gap <= 18, "{gap} blanks in {words}");
}

#[tokio::test]
async fn how_often_is_asked_is_changed_and_what_it_costs_is_said() {
    let mut drive = demo(Screen::Overview, 100, 30).await;
    let asked = drive.press(Key::char('+'));
    assert_eq!(asked, [Effect::Pace(2)], "who asks for less load gets no more of it at once");
    let words = say(&drive);
    let targets = drive.model.world.targets();
    let often: f64 = targets.iter().map(|target| 1.0 / target.configured_interval.as_secs_f64()).sum();
    let polls = format!("2 times less often: {:.1} polls and ", often / 2.0);
    assert!(words.starts_with(&polls), "{words}");
    assert!(words.ends_with("of their time a second, 6 sources (+ less, - more)"), "{words}");
    let narrow = drive.drawn(80, 24);
    assert!(narrow.lines().next().is_some_and(|line| line.contains("│ 1/2 │")), "{narrow}");
    for _ in 0..5 {
        drive.press(Key::char('+'));
    }
    assert!(say(&drive).contains("16 times less often"), "{}", say(&drive));
    assert_eq!(drive.press(Key::char('+')), [], "no slower");
    for times in [8, 4, 2, 1] {
        assert_eq!(drive.press(Key::char('-')), [Effect::Pace(times), Effect::PollAll]);
    }
    let polls = format!("as often as configured: {often:.1} polls");
    assert!(say(&drive).contains(&polls), "{}", say(&drive));
    assert_eq!(drive.press(Key::char('-')), [], "not more than configured");
}

#[tokio::test]
async fn what_has_a_menu_of_columns_closes_as_it_opened() {
    let mut drive = demo(Screen::Queues, 100, 30).await;
    for key in ['s', 'C', 'd'] {
        drive.key(Key::char(key));
        assert!(matches!(drive.model.overlay, Some(Overlay::Columns(_) | Overlay::Details(_))), "{key}");
        drive.key(Key::char(key));
        assert_eq!(drive.model.overlay, None, "{key}");
    }
}
