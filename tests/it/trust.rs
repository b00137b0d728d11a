//! A folder's own configuration is read after a question, once for each content; its commands do not run before. And what a command
//! started is not left behind.

use crate::pty::Screen;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A folder with a configuration whose password command leaves a trace.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[[postgres]]\nname = \"shop\"\nurl = \"postgres://u@127.0.0.1:1/d\"\npassword_command = \"touch ran; echo pw\"\n\
                [[log]]\nname = \"lines\"\ncommand = [\"touch\", \"logged\"]\n";
    std::fs::write(folder.path().join("stacktop.toml"), text).expect("written");
    folder
}

fn start(folder: &Path) -> Screen {
    let state = folder.join("state").display().to_string();
    let line = format!("cd {} && exec {}", folder.display(), env!("CARGO_BIN_EXE_stacktop"));
    Screen::start_as(&["sh", "-c", &line], &[("XDG_STATE_HOME", &state)], (120, 40))
}

#[test]
fn a_cloned_folder_runs_nothing_before_it_is_trusted() {
    let folder = folder();
    let ran = folder.path().join("ran");
    let mut screen = start(folder.path());
    screen.until("touch ran; echo pw", 10);
    screen.until("127.0.0.1:1/d", 10);
    screen.until("touch logged", 10);
    screen.keys("\r");
    screen.until("is not trusted", 10);
    assert_eq!(screen.child.wait().expect("it ends").exit_code(), 2);
    let state = folder.path().join("state");
    // Without a terminal there is nobody to ask.
    for verb in [vec![], vec!["doctor"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_stacktop"))
            .args(&verb)
            .current_dir(folder.path())
            .env("XDG_STATE_HOME", &state)
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("stacktop trust"), "{verb:?}: {said}");
    }
    let logged = folder.path().join("logged");
    assert!(!ran.exists() && !logged.exists(), "nothing ran");
    let mut screen = start(folder.path());
    screen.until("touch ran; echo pw", 10);
    screen.keys("y\r");
    screen.until("shop", 10);
    for _ in 0..100 {
        if ran.exists() && logged.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(ran.exists() && logged.exists(), "trusted, it runs");
    // The next start does not ask.
    let mut screen = start(folder.path());
    screen.until("cannot be reached", 10);
    assert!(!screen.text().contains("Trust it"), "{}", screen.text());
    screen.keys("q");
}

#[test]
fn a_password_command_that_hangs_is_blamed_and_ends_with_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let pids = folder.path().join("pids");
    let config = folder.path().join("c.toml");
    let text = format!(
        "[[postgres]]\nurl = \"postgres://u@127.0.0.1:1/d\"\ntimeout = \"1s\"\npassword_command = \"sleep 1000 & echo $! >> {}; wait\"\n",
        pids.display()
    );
    std::fs::write(&config, text).expect("written");
    let mut screen = Screen::start(&["--config", &config.display().to_string()], &[], (160, 40));
    screen.until("password command `sleep", 10);
    screen.until("did not end within", 10);
    assert!(!screen.text().contains("no answer within"), "{}", screen.text());
    screen.keys("rrr");
    std::thread::sleep(Duration::from_millis(300));
    screen.keys("q");
    screen.child.wait().expect("it ends");
    let started = std::fs::read_to_string(&pids).expect("it ran");
    let left: Vec<&str> = started
        .lines()
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.contains("(sleep)") && !stat.contains(") Z ")
        })
        .collect();
    assert!(left.is_empty(), "{left:?} of {started}");
}
