//! What the operator sees of the audit trail of earlier runs.

use crate::pty::Screen;

/// One line of an earlier run.
fn line(phase: &str, id: &str) -> String {
    format!(
        "{{\"at\":\"2026-01-02T03:04:05.000Z\",\"phase\":\"{phase}\",\"id\":\"{id}\",\"who\":\"ana\",\"host\":\"elsewhere\",\
         \"environment\":\"prod\",\"target\":\"shop\",\"address\":\"db:5432/app\",\"action\":\"terminate_backend\",\
         \"identity\":\"pid 4711\",\"statement\":\"SELECT 1\",\"result\":\"\"}}\n"
    )
}

#[test]
fn an_intent_without_outcome_and_lines_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("stacktop");
    std::fs::create_dir(&state).expect("a folder");
    let mut bytes = b"\xff\xfe\ntorn {\"at\n".to_vec();
    bytes.extend_from_slice(line("intent", "20260102T030405-4711-0").as_bytes());
    std::fs::write(state.join("audit.jsonl"), bytes).expect("written");
    let config = folder.path().join("c.toml");
    std::fs::write(&config, "[[redis]]\nurl = \"redis://127.0.0.1:1\"\n").expect("written");
    let config = config.display().to_string();
    let home = folder.path().display().to_string();
    let mut screen = Screen::start(&["--config", &config], &[("XDG_STATE_HOME", &home)], (160, 40));
    screen.until("terminate_backend on shop, pid 4711, 2026-01-02 03:04:05Z", 10);
    screen.until("its outcome is not known", 10);
    screen.keys("@");
    screen.until("2 lines of the file cannot be read", 10);
    screen.until("unknown  ana@elsewhere terminate_backend on shop", 10);
    assert!(!screen.text().contains("no action"), "{}", screen.text());
    let mode = |path: &std::path::Path| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).expect("it is there").permissions())
            & 0o777
    };
    assert_eq!((mode(&state), mode(&state.join("audit.jsonl"))), (0o700, 0o600));
}

#[test]
fn the_demo_shows_no_action_of_another_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("stacktop");
    std::fs::create_dir(&state).expect("a folder");
    let before =
        [line("intent", "20260102T030405-4711-0"), line("outcome", "20260102T030405-4711-0")].concat();
    std::fs::write(state.join("demo-audit.jsonl"), before).expect("written");
    let home = folder.path().display().to_string();
    let mut screen = Screen::start(&["demo"], &[("XDG_STATE_HOME", &home)], (120, 40));
    screen.until("DEMO", 10);
    screen.keys("@");
    screen.until("no action was taken in this run", 10);
    assert!(!screen.text().contains("4711"), "{}", screen.text());
}
