//! The program in a real terminal: drawn at once, given back in every way it can end, and in charge of its keys.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than a dialog waits before it takes its first key.
const SETTLE: Duration = Duration::from_millis(500);

/// A running stacktop on a pseudo terminal.
pub struct Screen {
    pub child: Box<dyn Child + Send + Sync>,
    /// Kept open: the terminal is there as long as this is.
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    state: tempfile::TempDir,
}

impl Screen {
    pub fn start(arguments: &[&str], variables: &[(&str, &str)], (width, height): (u16, u16)) -> Self {
        let mut all = vec![env!("CARGO_BIN_EXE_stacktop")];
        all.extend(arguments);
        Self::start_as(&all, variables, (width, height))
    }

    pub fn start_as(words: &[&str], variables: &[(&str, &str)], (width, height): (u16, u16)) -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let mut command = CommandBuilder::new(words[0]);
        command.args(&words[1..]);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", state.path());
        command.env("USER", "tester");
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.cwd(state.path());
        for (name, value) in variables {
            command.env(name, value);
        }
        let size = PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(
            height.try_into().expect("not zero"),
            width.try_into().expect("not zero"),
            0,
        )));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (seen, bytes) = (Arc::clone(&parser), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                // What is seen on the screen is among the bytes already.
                bytes.lock().expect("no panic").extend_from_slice(&buffer[..count]);
                seen.lock().expect("no panic").process(&buffer[..count]);
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self { child, master: pair.master, writer, parser, raw, state }
    }

    pub fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("written");
        self.writer.flush().expect("written");
    }

    /// Gives the terminal another size.
    fn resize(&self, width: u16, height: u16) {
        let size = PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 };
        let (rows, columns) = (height.try_into().expect("not zero"), width.try_into().expect("not zero"));
        self.parser.lock().expect("no panic").screen_mut().set_size(rows, columns);
        self.master.resize(size).expect("resized");
    }

    pub fn text(&self) -> String {
        self.parser.lock().expect("no panic").screen().contents()
    }

    fn alternate(&self) -> bool {
        self.parser.lock().expect("no panic").screen().alternate_screen()
    }

    fn cursor_hidden(&self) -> bool {
        self.parser.lock().expect("no panic").screen().hide_cursor()
    }

    pub fn raw_text(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().expect("no panic")).into_owned()
    }

    /// Waits until `text` is on the screen; how long that took.
    #[track_caller]
    pub fn until(&self, text: &str, seconds: u64) -> Duration {
        self.until_that(text, seconds, |screen| screen.contains(text))
    }

    #[track_caller]
    pub fn until_that(&self, what: &str, seconds: u64, done: impl Fn(&str) -> bool) -> Duration {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(seconds) {
            if done(&self.text()) {
                return began.elapsed();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("`{what}` did not come:\n{}", self.text());
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.process_id().expect("a pid").to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().expect("kill").success());
    }

    #[track_caller]
    pub fn ended(&mut self, seconds: u64) -> u32 {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(seconds) {
            if let Some(status) = self.child.try_wait().expect("a status") {
                std::thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not end:\n{}", self.text());
    }

    pub fn state_folder(&self) -> &Path {
        self.state.path()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn demo() -> Screen {
    let screen = Screen::start(&["demo"], &[], (160, 50));
    screen.until("DEMO", 10);
    screen
}

#[track_caller]
fn given_back(screen: &Screen) {
    assert!(!screen.alternate(), "the alternate screen was not left");
    assert!(!screen.cursor_hidden(), "the cursor was not shown again");
    assert!(screen.raw_text().contains("\u{1b}[?2004l"), "bracketed paste was not switched off");
}

#[test]
fn the_terminal_is_given_back_on_quit_and_on_signals() {
    for (how, code) in [("q", 0), ("-TERM", 143), ("-INT", 130), ("-HUP", 129)] {
        let mut screen = demo();
        if how == "q" {
            screen.keys("q");
        } else {
            screen.signal(how);
        }
        assert_eq!(screen.ended(5), code, "{how}");
        given_back(&screen);
    }
}

/// What a terminal that has an alternate screen, and one that has none, makes of the same output.
fn with_and_without_alternate(raw: &str) -> [String; 2] {
    [raw.to_owned(), raw.replace("\u{1b}[?1049h", "").replace("\u{1b}[?1049l", "")].map(|raw| {
        let mut parser =
            vt100::Parser::new(24.try_into().expect("not zero"), 80.try_into().expect("not zero"), 0);
        parser.process(raw.as_bytes());
        parser.screen().contents()
    })
}

#[test]
fn where_there_is_no_alternate_screen_nothing_stays_of_what_was_there() {
    let line = format!("seq 1000 1200; exec {} demo", env!("CARGO_BIN_EXE_stacktop"));
    let mut screen = Screen::start_as(&["sh", "-c", &line], &[], (80, 24));
    screen.until("shop-db", 10);
    let [with, without] = with_and_without_alternate(&screen.raw_text());
    assert!(with.starts_with("DEMO"), "{with}");
    assert_eq!(without, with);
    screen.keys("q");
    screen.ended(3);
    let [with, without] = with_and_without_alternate(&screen.raw_text());
    assert!(with.starts_with('1') && with.contains("stacktop: the demo ran"), "{with}");
    assert!(without.starts_with("stacktop: the demo ran") && !without.contains("shop-db  "), "{without}");
}

#[test]
fn a_terminal_that_is_gone_ends_the_program() {
    // The only descriptor of the terminal's other end must be closed, which portable-pty's cloned reader prevents.
    const HANG_UP: &str = "
import fcntl, os, pty, signal, struct, sys, termios, time
signal.alarm(30)
pid, master = pty.fork()
if pid == 0:
    if sys.argv[2] == 'ignored':
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.alarm(0)
    time.sleep(0.2)
    os.execve(sys.argv[1], [sys.argv[1], 'demo'], {'TERM': 'xterm', 'HOME': sys.argv[3]})
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
seen = b''
while b'DEMO' not in seen:
    seen += os.read(master, 65536)
end = time.time() + float(sys.argv[4])
while time.time() < end:
    os.set_blocking(master, False)
    try:
        os.read(master, 65536)
    except BlockingIOError:
        time.sleep(0.01)
os.close(master)
for _ in range(100):
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status))
        sys.exit(0)
    time.sleep(0.05)
os.kill(pid, 9)
print('still running')
";
    let home = tempfile::tempdir().expect("a folder");
    for (how, after) in [("default", "0"), ("ignored", "0"), ("default", "2"), ("ignored", "2")] {
        let output = std::process::Command::new("python3")
            .args(["-c", HANG_UP, env!("CARGO_BIN_EXE_stacktop"), how])
            .arg(home.path())
            .arg(after)
            .output()
            .expect("python3");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        // 129 as after a hang-up; never an abort (signal 6) and never a process that stays.
        assert_eq!(said, "-129", "{how}, after {after} s: {output:?}");
    }
}

#[test]
fn a_signal_ends_it_while_nobody_reads_its_terminal() {
    // The other end of the terminal is held and not read: what is written there blocks, as over a connection that stalled.
    const STALL: &str = "
import fcntl, os, pty, signal, struct, sys, termios, time
signal.alarm(60)
pid, master = pty.fork()
if pid == 0:
    signal.alarm(0)
    time.sleep(0.2)
    os.execve(sys.argv[1], [sys.argv[1], 'demo'], {'TERM': 'xterm', 'HOME': sys.argv[3]})
def size(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
size(60, 200)
before = termios.tcgetattr(master)
seen = b''
while b'DEMO' not in seen:
    seen += os.read(master, 65536)
# Whole frames until one of them does not fit: the thread that draws waits in a write.
def writes():
    with open('/proc/%d/syscall' % pid) as file:
        return file.read().split()[0] == '1'
waited = 0
for turn in range(400):
    size(60 - turn % 2, 200)
    time.sleep(0.02)
    waited = waited + 1 if writes() else 0
    if waited > 20:
        break
assert waited > 20, 'it does not block'
began = time.time()
os.kill(pid, int(sys.argv[2]))
while True:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    if time.time() - began > 10:
        os.kill(pid, 9)
        print('still running')
        sys.exit(0)
    time.sleep(0.02)
after = termios.tcgetattr(master)
os.set_blocking(master, False)
rest = b''
try:
    while True:
        rest += os.read(master, 65536)
except OSError:
    pass
print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
      'settings' if before[:4] == after[:4] else 'raw', 'left' if b'[?1049l' in rest else 'alternate')
";
    let home = tempfile::tempdir().expect("a folder");
    for (signal, code) in [("15", 143), ("2", 130), ("1", 129)] {
        let output = std::process::Command::new("python3")
            .args(["-c", STALL, env!("CARGO_BIN_EXE_stacktop"), signal])
            .arg(home.path())
            .output()
            .expect("python3");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(said, format!("{code} settings left"), "signal {signal}: {output:?}");
    }
}

#[test]
fn stopped_from_outside_it_comes_back_with_its_keys() {
    let script =
        format!("set -m; {} demo; echo STOPPED; read -r line; fg; echo LEFT", env!("CARGO_BIN_EXE_stacktop"));
    for signal in ["-STOP", "-TSTP"] {
        let mut screen = Screen::start_as(&["bash", "-c", &script], &[], (160, 50));
        screen.until("DEMO", 10);
        let shell = screen.child.process_id().expect("a pid").to_string();
        let child = std::process::Command::new("pgrep").args(["-P", &shell]).output().expect("pgrep").stdout;
        let pid = String::from_utf8_lossy(&child).trim().to_owned();
        let send = |signal: &str| {
            let status = std::process::Command::new("kill").args([signal, &pid]).status().expect("kill");
            assert!(status.success());
        };
        send(signal);
        screen.until("STOPPED", 15);
        // Continued in the background it leaves the terminal to the shell, and waits.
        let before = screen.raw_text().len();
        send("-CONT");
        std::thread::sleep(Duration::from_millis(1200));
        let wrote = screen.raw_text().split_off(before);
        assert!(!wrote.contains("overview"), "{signal}: it drew in the background: {wrote:?}");
        screen.keys("\n");
        screen.until("1 overview", 15);
        assert!(screen.alternate(), "{signal}");
        // Its keys, without Enter behind them; and the size that the terminal has now.
        screen.resize(120, 40);
        screen.keys("7");
        screen.until("catalogue-2", 15);
        screen.keys("q");
        screen.until("LEFT", 15);
        given_back(&screen);
    }
}

#[test]
fn stopped_and_continued_where_no_shell_is_it_has_its_keys_and_a_whole_screen() {
    for signal in ["-STOP", "-TSTP"] {
        let mut screen = demo();
        screen.until("1 overview", 15);
        screen.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        // Whatever happened to the screen meanwhile.
        screen.parser.lock().expect("no panic").process(b"\x1b[2J\x1b[?1049l\x1b[?25h");
        screen.signal("-CONT");
        screen.until("1 overview", 15);
        assert!(screen.alternate() && screen.cursor_hidden(), "{signal}");
        screen.keys("7");
        screen.until("catalogue-2", 15);
        screen.keys("q");
        assert_eq!(screen.ended(5), 0, "{signal}");
        given_back(&screen);
    }
}

/// Starts the demo on a terminal that answers what it is asked with `answer`, after `wait` milliseconds.
fn answering(answer: &str, wait: u64) -> Screen {
    let mut screen = Screen::start(&["demo"], &[], (120, 40));
    let began = Instant::now();
    while !screen.raw_text().contains("\u{1b}]11;?") {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not ask");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(wait));
    screen.keys(answer);
    screen.until("DEMO", 10);
    screen
}

#[test]
fn the_colours_fit_the_background_that_the_terminal_tells_of() {
    // The grey of what is less important, of each theme.
    let (for_light, for_dark) = ("38;5;59", "38;5;248");
    for (answer, fits, not) in [
        ("\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\", for_light, for_dark),
        ("\u{1b}]11;rgb:1e1e/1e1e/1e1e\u{7}", for_dark, for_light),
    ] {
        for wait in [0, 1500] {
            let mut screen = answering(answer, wait);
            // A key behind the answer is one, and what it shows is drawn in the colours that fit.
            let before = screen.raw_text().len();
            screen.keys("7");
            screen.until("catalogue-2", 15);
            let drawn = screen.raw_text().split_off(before);
            assert!(drawn.contains(fits) && !drawn.contains(not), "{answer:?} {wait}");
        }
    }
}

/// The question is not waited for: the first frame stands before it is asked.
#[test]
fn the_first_frame_waits_for_no_answer() {
    let screen = Screen::start(&["demo"], &[], (120, 40));
    screen.until("DEMO", 10);
    screen.until_that("the question", 10, |_| screen.raw_text().contains("\u{1b}]11;?"));
    let text = screen.raw_text();
    let place = |what: &str| text.find(what).expect("it is there");
    assert!(place("DEMO") < place("\u{1b}]11;?"));
    // Who named a theme is not asked what fits.
    let screen = Screen::start(&["demo", "--theme", "dark"], &[], (120, 40));
    screen.until("catalogue", 15);
    assert!(!screen.raw_text().contains("\u{1b}]11;?"));
}

#[test]
fn a_table_and_the_screen_are_written_to_files() {
    let mut screen = demo();
    screen.keys("6");
    screen.until("nightly-exports", 15);
    screen.keys("e");
    screen.until("exported: ", 15);
    let folder = screen.state_folder().join(".local/state/stacktop/exports");
    let mut read = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let ending = path.extension().expect("an ending").to_string_lossy().into_owned();
        read.insert(ending, std::fs::read_to_string(path).expect("a text"));
    }
    assert_eq!(read.keys().collect::<Vec<_>>(), ["csv", "json", "md", "txt"]);
    assert!(read["csv"].starts_with("\"queue\",\"library\","), "{}", read["csv"]);
    assert!(read["md"].contains("| nightly-exports | Bull |"), "{}", read["md"]);
    assert!(read["txt"].starts_with("DEMO") && read["txt"].contains("> order-mails"), "{}", read["txt"]);
    let json: serde_json::Value = serde_json::from_str(&read["json"]).expect("json");
    assert_eq!(json["rows"][3][0], "nightly-exports");
    assert!(json["rows"][3][3].is_u64(), "{json}");
}

#[test]
fn the_mouse_is_the_terminals_until_it_is_asked_for() {
    let mut screen = demo();
    screen.until("1 overview", 15);
    let on = "\u{1b}[?1000h";
    assert!(!screen.raw_text().contains(on));
    screen.keys("m");
    screen.until("the mouse chooses and opens", 15);
    assert!(screen.raw_text().contains(on));
    let press = |screen: &mut Screen, line: usize, column: usize| {
        screen.keys(&format!("\u{1b}[<0;{column};{line}M\u{1b}[<0;{column};{line}m"));
    };
    // The tab of the queues, then a row: once chooses it, twice opens it.
    let line_of = |screen: &Screen, word: &str| {
        let text = screen.text();
        let found = text.lines().enumerate().find(|(_, line)| line.contains(word)).expect("it is there");
        let column = found.1.split(word).next().unwrap_or_default().chars().count();
        (found.0 + 1, column + 1)
    };
    let (line, column) = line_of(&screen, "6 queues");
    press(&mut screen, line, column + 3);
    screen.until("nightly-exports", 15);
    let (line, column) = line_of(&screen, "nightly-exports");
    press(&mut screen, line, column);
    screen.until("> nightly-exports", 15);
    screen.keys("\u{1b}[<64;5;9M");
    screen.until("> thumbnails", 15);
    let (line, column) = line_of(&screen, "> thumbnails");
    press(&mut screen, line, column);
    screen.until("queue thumbnails", 15);
    screen.keys("q");
    assert_eq!(screen.ended(5), 0);
    assert!(screen.raw_text().contains("\u{1b}[?1000l"), "the mouse was not given back");
}

#[test]
fn suspend_gives_the_terminal_back_and_continues_with_a_whole_screen() {
    // A shell with job control, as an operator has it.
    let script = format!(
        "set -m; {} demo; echo SUSPENDED; read -r line; fg; echo LEFT",
        env!("CARGO_BIN_EXE_stacktop")
    );
    let mut screen = Screen::start_as(&["bash", "-c", &script], &[], (160, 50));
    screen.until("DEMO", 10);
    screen.keys("\u{1a}");
    screen.until("SUSPENDED", 15);
    given_back(&screen);
    screen.keys("\n");
    screen.until("1 overview", 15);
    assert!(screen.alternate());
    screen.keys("q");
    screen.until("LEFT", 15);
    given_back(&screen);
}

#[test]
fn a_key_at_the_moment_of_a_resize_is_not_lost() {
    let mut screen = demo();
    for round in 0..120 {
        let (key, tab) = if round % 2 == 0 { ("7", "catalogue-2") } else { ("6", "nightly-exports") };
        let (width, height) = [(80, 24), (160, 50), (120, 40)][round % 3];
        screen.resize(width, height);
        screen.keys(key);
        screen.until_that(&format!("round {round}: {tab}"), 2, |text| text.contains(tab));
    }
    screen.keys("q");
}

#[test]
fn a_value_is_edited_in_the_operators_editor_and_keys_are_its_own_meanwhile() {
    // An editor that is asked for a line, and that fails when it is told to.
    let folder = tempfile::tempdir().expect("a folder");
    let editor = folder.path().join("editor");
    let script = "#!/bin/sh\necho EDITOR OPEN; read -r line; test \"$line\" = fail && exit 3\n\
                  stat -c %a \"$1\" > \"$0.mode\"; printf '{\\n  \"typed\": \"%s\"\\n}\\n' \"$line\" > \"$1\"\n";
    std::fs::write(&editor, script).expect("an editor");
    let editor = editor.to_str().expect("a path");
    let made = std::process::Command::new("chmod").args(["+x", editor]).status().expect("chmod");
    assert!(made.success());
    let mut screen = Screen::start(&["demo"], &[("EDITOR", editor), ("VISUAL", "")], (160, 50));
    screen.until("DEMO", 10);
    screen.keys("6");
    screen.until("nightly-exports", 15);
    screen.keys("x");
    screen.until("add a job", 15);
    std::thread::sleep(SETTLE);
    screen.keys("n");
    screen.until("Ctrl-O opens $EDITOR", 15);
    screen.keys("\u{f}");
    screen.until("EDITOR OPEN", 15);
    assert!(!screen.alternate());
    // None of it is a key of ours: q would end it.
    screen.keys("q and x\n");
    screen.until("{\"typed\":\"q and x\"}_", 15);
    assert!(screen.alternate());
    let rights = std::fs::read_to_string(format!("{editor}.mode")).expect("it ran");
    assert_eq!(rights.trim(), "600");
    screen.keys("\u{f}");
    screen.until("EDITOR OPEN", 15);
    screen.keys("fail\n");
    screen.until("nothing was taken over", 15);
    screen.until("{\"typed\":\"q and x\"}_", 15);
    screen.keys("\u{1b}");
    screen.until_that("the dialog is closed", 15, |text| !text.contains("Ctrl-O opens"));
    screen.keys("q");
}

#[test]
fn pasted_text_is_never_keys() {
    let mut screen = demo();
    screen.keys("\u{1b}[200~q2x\u{3}t\u{1b}[201~");
    std::thread::sleep(Duration::from_millis(500));
    assert!(screen.child.try_wait().expect("a status").is_none(), "a pasted q ended it");
    assert!(screen.text().contains("Findings"), "{}", screen.text());
    // In an open text field it is text, in one line.
    screen.keys("/");
    screen.keys("\u{1b}[200~jo\nbs\u{1b}[201~");
    screen.until("jo", 15);
    assert!(screen.child.try_wait().expect("a status").is_none());
}

#[test]
fn escape_goes_up_and_never_quits() {
    let mut screen = demo();
    screen.until("Sources", 10);
    for _ in 0..5 {
        screen.keys("\u{1b}");
        std::thread::sleep(Duration::from_millis(120));
    }
    assert!(screen.child.try_wait().expect("a status").is_none());
    screen.keys("?");
    screen.until("Help: ", 15);
    screen.keys("\u{1b}");
    screen.until_that("the overview", 3, |text| !text.contains("Help: "));
}

#[test]
fn the_demo_incident_is_ended_by_the_right_keys() {
    let mut screen = demo();
    screen.until("blocks 9 sessions", 60);
    let text = screen.text();
    let verdict = text.lines().nth(1).expect("a verdict");
    assert!(verdict.contains("cause (likely): pid 4918"), "the culprit stands in the verdict: {verdict}");
    screen.keys("2");
    screen.until("9 sessions wait behind 1 root", 15);
    screen.keys("x");
    screen.until("terminate backend", 15);
    // A dialog takes no key at first, so that no reflex chooses.
    std::thread::sleep(SETTLE);
    screen.keys("t");
    screen.until("release 1 session; 8 move up", 15);
    // Enter never confirms.
    screen.keys("\r");
    std::thread::sleep(Duration::from_millis(600));
    assert!(screen.text().contains("Keep it"), "{}", screen.text());
    screen.keys("t");
    screen.until("nobody waits for a lock", 10);
    screen.keys("6");
    screen.until("order-mails", 15);
    screen.keys("\r");
    screen.until("canceling statement", 15);
    screen.keys("\u{1b}");
    screen.until("(DLQ)", 15);
    screen.keys("\r");
    screen.until("canceling statement", 15);
    // Only the failed jobs, not the kinds of failures and not what runs.
    screen.keys("/3/3\r");
    // What came of the termination may still stand in that line.
    screen.until("filter: 3/3", 15);
    screen.keys(" ");
    std::thread::sleep(Duration::from_millis(100));
    screen.keys(" ");
    std::thread::sleep(Duration::from_millis(100));
    screen.keys("x");
    screen.until("retry marked jobs", 15);
    std::thread::sleep(SETTLE);
    screen.keys("r");
    screen.until("Retry 2 jobs", 15);
    std::thread::sleep(SETTLE);
    screen.keys("r");
    screen.until("2 completed", 10);
    let audit = screen.state_folder().join(".local/state/stacktop/demo-audit.jsonl");
    let lines = std::fs::read_to_string(audit).expect("the audit trail");
    assert_eq!(lines.lines().count(), 6, "{lines}");
    assert!(lines.contains("terminate_backend") && lines.contains("retry_jobs"), "{lines}");
    screen.keys("@");
    screen.until("retry_jobs", 15);
}

/// Run as a child on a terminal of its own by [`a_panic_gives_the_terminal_back_only_where_it_must`].
#[test]
fn child_that_panics() {
    let Ok(place) = std::env::var("STACKTOP_TEST_PANIC") else { return };
    stacktop::runtime::terminal::guard_panics(|info| eprintln!("REPORTED {info}"));
    let mut tty = stacktop::runtime::terminal::Tty::take().expect("a terminal");
    let mut draw = |text: &str| {
        tty.draw(|frame| {
            let area = frame.area();
            frame.buffer_mut().set_string(area.x, area.y, text, ratatui::style::Style::new());
        })
        .expect("drawn");
    };
    draw("BEFORE");
    assert!(place != "here", "on the thread that draws");
    let task = std::thread::spawn(|| panic!("in a task"));
    assert!(task.join().is_err());
    draw("AFTER ");
    std::thread::sleep(Duration::from_secs(2));
}

#[test]
fn a_panic_gives_the_terminal_back_only_where_it_must() {
    let itself = std::env::current_exe().expect("a path").display().to_string();
    let words = [itself.as_str(), "pty::child_that_panics", "--exact", "--nocapture"];
    let mut screen = Screen::start_as(&words, &[("STACKTOP_TEST_PANIC", "here")], (100, 30));
    assert_eq!(screen.ended(10), 101);
    given_back(&screen);
    assert!(screen.text().contains("REPORTED"), "the report is on the normal screen: {}", screen.text());
    let mut screen = Screen::start_as(&words, &[("STACKTOP_TEST_PANIC", "task")], (100, 30));
    screen.until("AFTER", 10);
    assert!(screen.alternate(), "a panic in a task took the screen away");
    assert!(!screen.raw_text().contains("in a task"), "a panic in a task wrote on the screen");
    assert_eq!(screen.ended(10), 0);
    given_back(&screen);
}

#[test]
fn without_a_terminal_it_says_so() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .arg("demo")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no terminal"), "{output:?}");
}

#[test]
fn mistakes_are_told_before_the_screen_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("c.toml");
    for (text, expected) in [
        (
            "[[postgres]]\nurl = \"postgres://u@localhost/d\"\nintervall = \"2s\"\n",
            "c.toml:3:1: unknown field `intervall`",
        ),
        ("[[redis]]\nurl = \"redis://localhost\"\ntimeout = \"4 parsecs\"\n", "500ms, 2s, 5m or 1h"),
        ("[keys]\nqitu = \"q\"\n", "c.toml:2:1: there is no such command"),
    ] {
        std::fs::write(&file, text).expect("written");
        let mut screen = Screen::start(&["--config", &file.display().to_string()], &[], (120, 40));
        assert_eq!(screen.ended(5), 2, "{text}");
        assert!(screen.raw_text().contains(expected), "{}", screen.raw_text());
        assert!(!screen.raw_text().contains("\u{1b}[?1049h"), "the screen was taken");
    }
}

#[test]
fn no_color_means_no_colour() {
    let screen = Screen::start(&["demo"], &[("NO_COLOR", "1")], (120, 40));
    screen.until("DEMO", 10);
    std::thread::sleep(Duration::from_millis(500));
    let raw = screen.raw_text();
    for colour in ["\u{1b}[38;", "\u{1b}[48;", "\u{1b}[31m", "\u{1b}[32m"] {
        assert!(!raw.contains(colour), "{colour:?}");
    }
    assert!(
        raw.contains("\u{1b}[7m") || raw.contains("\u{1b}[1m"),
        "the selection is visible by other means"
    );
}

/// Freezes a process and everything below it, until it is dropped.
struct Frozen(Vec<String>);

impl Frozen {
    fn all(pid: &str) -> Self {
        let children = std::process::Command::new("pgrep").args(["-P", pid]).output().expect("pgrep").stdout;
        let mut pids: Vec<String> =
            String::from_utf8_lossy(&children).split_whitespace().map(str::to_owned).collect();
        pids.push(pid.to_owned());
        for pid in &pids {
            let _ = std::process::Command::new("kill").args(["-STOP", pid]).status();
        }
        Self(pids)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = std::process::Command::new("kill").args(["-CONT", pid]).status();
        }
    }
}

#[test]
fn freeze_every_server_and_the_keys_still_answer() {
    let test = "freeze_every_server_and_the_keys_still_answer";
    let mut servers = Vec::new();
    for (kind, url, pid) in [
        ("postgres", "FREEZE_PG_URL", "FREEZE_PG_PID"),
        ("redis", "FREEZE_REDIS_URL", "FREEZE_REDIS_PID"),
        ("prometheus", "PROMETHEUS_URL", "FREEZE_PROMETHEUS_PID"),
        ("metrics", "METRICS2_URL", "FREEZE_METRICS_PID"),
    ] {
        let url = crate::live::server(test, &format!("STACKTOP_TEST_{url}"));
        let pid = crate::live::server(test, &format!("STACKTOP_TEST_{pid}"));
        if let Some((url, pid)) = url.zip(pid) {
            servers.push((kind, url, pid));
        }
    }
    if servers.len() == 4 {
        freeze(&servers);
    }
}

/// Targets of a configuration that is changed while it runs.
#[test]
fn targets_of_a_changed_configuration_come_and_go_without_a_restart() {
    let ports = [(), ()].map(|()| std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
    let entry = |name: &str, port: usize| {
        let port = ports[port].local_addr().expect("an address").port();
        format!("[[probe]]\nname = \"{name}\"\ntcp = \"127.0.0.1:{port}\"\ninterval = \"1s\"\n")
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("c.toml");
    std::fs::write(&file, entry("first", 0)).expect("written");
    let mut screen = Screen::start(&["--config", &file.display().to_string()], &[], (120, 40));
    screen.keys("8");
    screen.until("first", 10);
    std::fs::write(&file, entry("second", 1)).expect("written");
    screen.keys(":reload\r");
    screen.until("second is new, first is watched no more", 10);
    screen.until_that("its answer", 10, |text| {
        text.lines().any(|line| line.contains("second") && line.contains("it takes connections"))
    });
    std::fs::write(&file, "[[probe]]\nname = \"x\"\ntpc = \"h:1\"\n").expect("written");
    screen.keys(":reload\r");
    screen.until("nothing was changed", 10);
    screen.keys("q");
    assert_eq!(screen.ended(10), 0);
}

/// Stops each of `servers` (kind, URL, pid) in turn and then all of them, under a running stacktop.
pub fn freeze(servers: &[(&str, String, String)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stacktop.toml");
    let config: String = servers
        .iter()
        .map(|(kind, url, _)| format!("[[{kind}]]\nurl = \"{url}\"\ninterval = \"1s\"\ntimeout = \"2s\"\n"))
        .collect();
    std::fs::write(&file, config).expect("written");
    let mut screen = Screen::start(&["--config", &file.display().to_string()], &[], (160, 50));
    let answering =
        |text: &str| text.lines().next().is_some_and(|line| line.matches('●').count() == servers.len());
    screen.until_that("all answer", 20, answering);
    for (kind, _, pid) in servers {
        let frozen = Frozen::all(pid);
        // Marked by the clock, not by the poller that hangs.
        screen.until_that("it is marked", 20, |text| {
            let line = text.lines().next().unwrap_or_default();
            line.contains("LATE") || line.contains("no data")
        });
        screen.until_that("its signals carry their age", 5, |text| text.contains(" old · "));
        assert!(
            !screen.text().lines().nth(1).unwrap_or_default().starts_with("OK"),
            "never green while silent"
        );
        drop(frozen);
        screen.until_that("it answers again", 60, answering);
        eprintln!("{kind}: marked while stopped, back without a restart");
    }
    let frozen: Vec<Frozen> = servers.iter().map(|(_, _, pid)| Frozen::all(pid)).collect();
    std::thread::sleep(Duration::from_secs(3));
    let mut times = Vec::new();
    for _ in 0..10 {
        screen.keys("?");
        times.push(screen.until("Esc closes", 15));
        screen.keys("\u{1b}");
        times.push(screen.until_that("no help", 5, |text| !text.contains("Esc closes")));
        screen.keys("4");
        times.push(screen.until_that("another screen", 5, |text| !text.contains("Findings")));
        screen.keys("1");
        times.push(screen.until("Findings", 15));
    }
    times.sort();
    eprintln!(
        "with all servers stopped a key answered within {:?} (median), {:?} (worst)",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    drop(frozen);
    screen.until_that("all answer again", 60, answering);
}

#[test]
fn a_hostile_server_does_nothing_to_the_terminal_nor_to_who_reads_the_log() {
    for manner in 0..2 {
        let port = crate::hostile::server(manner);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("stacktop.toml");
        let config = format!(
            "[[postgres]]\nurl = \"postgres://ann:x@127.0.0.1:{port}/x\"\n[[redis]]\nurl = \"redis://127.0.0.1:{port}\"\n\
             [[search]]\nurl = \"http://127.0.0.1:{port}\"\n"
        );
        std::fs::write(&file, config).expect("written");
        let mut screen = Screen::start(
            &["--config", &file.display().to_string()],
            &[("STACKTOP_LOG", "trace")],
            (160, 50),
        );
        screen.until("no data", 20);
        screen.keys("!");
        screen.until("EVIL", 20);
        screen.keys("q");
        let raw = screen.raw.lock().expect("no panic").clone();
        // All that is ours is what the terminal is asked for at the start.
        let text = String::from_utf8(raw).expect("text").replacen("\u{1b}]11;?", "", 1);
        for act in [
            "\u{1b}]",
            "\u{9b}",
            "\u{9d}",
            "\u{202e}",
            "\u{2066}",
            "\u{61c}",
            "\u{e0041}",
            "\u{200d}",
            "\u{8}",
        ] {
            assert!(!text.contains(act), "{act:?} reaches the terminal");
        }
        assert!(!text.contains(&"\u{301}".repeat(5)), "marks pile up");
        let log = screen.state.path().join(".local/state/stacktop/stacktop.log");
        if let Ok(bytes) = std::fs::read(log) {
            crate::hostile::assert_tame("the log", &bytes);
        }
    }
}
