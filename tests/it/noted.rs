//! Notes outlive the program, however it ends, and are seen by the one beside it.

use crate::pty;
use crate::timeline::Shop;
use std::process::Command;
use std::sync::atomic::Ordering;

fn kill(screen: &mut pty::Screen) {
    let pid = screen.child.process_id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().expect("it ran").success());
    screen.ended(10);
}

#[test]
fn what_was_noted_outlives_a_kill_and_is_seen_by_the_one_beside_it() {
    let (shop, port) = Shop::open();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stacktop.toml");
    let config = format!(
        "[[metrics]]\nname = \"shop-api\"\nurl = \"http://127.0.0.1:{port}/metrics\"\ninterval = \"500ms\"\n\
         [rules.\"metrics.errors\"]\nhold = \"0s\"\n"
    );
    std::fs::write(&file, config).expect("written");
    let state = folder.path().display().to_string();
    let start = |who: &str| {
        let variables = [("XDG_STATE_HOME", state.as_str()), ("USER", who)];
        pty::Screen::start(&["--config", &file.display().to_string()], &variables, (160, 50))
    };
    let kept = || std::fs::read_to_string(folder.path().join("stacktop/notes.jsonl")).unwrap_or_default();
    let mut ana = start("ana");
    ana.until("1 source answers", 20);
    shop.failing.store(50, Ordering::SeqCst);
    ana.until("BROKEN", 20);
    ana.keys("a");
    ana.until("note", 5);
    ana.keys("calling redis://u:s3cret@h\r");
    ana.until("acknowledged by ana", 10);
    ana.until_that("the line", 10, |_| kept().contains("\"over\""));
    kill(&mut ana);
    // The next one, and the one beside that, know who noted what.
    let (mut bob, mut eve) = (start("bob"), start("eve"));
    for screen in [&mut bob, &mut eve] {
        screen.until("(acknowledged)", 20);
    }
    bob.keys("A");
    bob.until("15m", 5);
    bob.keys("\r");
    bob.until("by bob", 10);
    eve.until("(snoozed, 15 min left)", 10);
    kill(&mut bob);
    kill(&mut eve);
    assert_eq!(kept().lines().count(), 2, "{}", kept());
    let mut next = start("ana");
    next.until("(snoozed, 15 min left)", 20);
    next.keys("\r");
    next.until("by bob at", 10);
    next.keys("\u{1b}");
    shop.failing.store(0, Ordering::SeqCst);
    next.until("lasted", 60);
    next.keys("q");
    next.ended(10);
    assert!(!kept().contains("s3cret") && kept().contains("calling redis://"), "{}", kept());
    // What is over is over for those to come, too; a snooze keeps its time.
    shop.failing.store(50, Ordering::SeqCst);
    let mut last = start("eve");
    last.until("(snoozed, ", 20);
    last.keys("a");
    last.until("note", 5);
    last.keys("\r");
    last.until("acknowledged by eve", 10);
    shop.failing.store(0, Ordering::SeqCst);
    last.until("lasted", 60);
    last.until_that("the end", 10, |_| kept().contains("\"ended\""));
    kill(&mut last);
    shop.failing.store(50, Ordering::SeqCst);
    let mut after = start("ana");
    after.until("BROKEN", 20);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(
        !after.text().contains("(acknowledged)") && !after.text().contains("(snoozed"),
        "{}",
        after.text()
    );
    after.keys("q");
}
