//! Logs of this machine: files as programs, logrotate and accidents leave them, and commands as they go wrong.

use stacktop::config::target::{Connect, Locality, LogConnect, LogPlace, TargetConfig};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::lines::{About, Asked, LogLine, Question, Window};
use stacktop::core::log::LogReading;
use stacktop::core::part::{GapKind, Part, Warm};
use stacktop::core::reading::Reading;
use stacktop::core::report::PollError;
use stacktop::core::time::{Clock, Now};
use stacktop::runtime::clock::SystemClock;
use stacktop::sources::Source;
use stacktop::systems;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A source and the moment of its next poll.
struct Watched {
    source: Box<dyn Source>,
    now: Now,
}

impl Watched {
    fn of(connect: LogConnect) -> Self {
        let target = TargetConfig {
            group: None,
            id: TargetId::new("shop-log"),
            chosen_because: String::new(),
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(20),
            read_only: false,
            locality: Locality::default(),
            connect: Connect::Log(connect),
        };
        Self { source: systems::open_source(&target), now: SystemClock::start().now() }
    }

    fn file(path: &Path) -> Self {
        Self::of(LogConnect::file(path.to_owned()))
    }

    async fn look(&mut self, focus: &[Focus]) -> Result<LogReading, PollError> {
        self.now = self.now.plus(Duration::from_secs(2));
        match self.source.poll(self.now, focus).await? {
            Reading::Log(reading) => Ok(*reading),
            other => panic!("{other:?}"),
        }
    }

    /// What a page of lines with `word` shows after one more look.
    async fn asked(&mut self, word: &str, window: Window) -> Asked {
        let mut reading = self.look(&[Focus::Lines(question(word, window))]).await.expect("a look");
        reading.asked.remove(0)
    }

    /// The lines of that page, the newest first.
    async fn lines(&mut self, word: &str) -> Vec<String> {
        texts(&self.asked(word, Window::Last(900)).await)
    }

    async fn refused(&mut self, kind: GapKind, words: &str) {
        let reading = self.look(&[Focus::Lines(question("4711", Window::Last(900)))]).await.expect("a look");
        let gap = reading.lines.gap().expect("it must be refused");
        assert!(gap.kind == kind && gap.note.contains(words), "{gap:?}");
        assert_eq!(reading.errors.gap(), Some(gap), "nobody knows of any error");
        let asked = &reading.asked[0];
        let known = asked.lines.ready().is_some_and(|lines| !lines.is_empty());
        assert!(if known { asked.why.contains(words) } else { asked.lines.gap() == Some(gap) }, "{asked:?}");
        assert!(!format!("{reading:?}").contains("geheim"), "{reading:?}");
    }
}

fn question(word: &str, window: Window) -> Question {
    let words: Vec<String> =
        Some(word).filter(|word| !word.is_empty()).map(str::to_owned).into_iter().collect();
    let lines =
        About::Named { words, text: String::new(), of: vec!["shop-log".to_owned()], names: Vec::new() };
    Question { about: word.to_owned(), lines, window }
}

fn texts(asked: &Asked) -> Vec<String> {
    asked.lines.ready().expect("lines").iter().map(|line| line.text.clone()).collect()
}

fn log() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.log");
    (folder, path)
}

fn append(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opened");
    file.write_all(bytes.as_ref()).expect("written");
}

#[tokio::test]
async fn lines_across_a_rotation_are_shown_once_and_none_is_lost() {
    let (folder, path) = log();
    append(&path, "job 4711 begun\njob 7 begun\n");
    let mut watched = Watched::file(&path);
    assert_eq!(watched.lines("4711").await, ["job 4711 begun"]);
    append(&path, "job 4711 tried\n");
    assert_eq!(watched.lines("4711").await, ["job 4711 tried", "job 4711 begun"]);
    // logrotate: the file gets another name; its writer writes on into it until it is told.
    append(&path, "job 4711 before\n");
    let old = folder.path().join("shop.log.1");
    fs::rename(&path, &old).expect("renamed");
    append(&old, "job 4711 late\njob 4711 without an end");
    append(&path, "job 4711 new\n");
    let all = [
        "job 4711 new",
        "job 4711 without an end",
        "job 4711 late",
        "job 4711 before",
        "job 4711 tried",
        "job 4711 begun",
    ];
    assert_eq!(watched.lines("4711").await, all);
    assert_eq!(watched.lines("4711").await, all);
}

#[tokio::test]
async fn a_file_that_is_begun_anew_is_read_from_its_beginning() {
    let (_folder, path) = log();
    append(&path, "job 4711 one\njob 4711 two\n");
    let mut watched = Watched::file(&path);
    assert_eq!(watched.lines("4711").await.len(), 2);
    // copytruncate, and shorter than before.
    File::create(&path).expect("truncated").write_all(b"job 4711 three\n").expect("written");
    assert_eq!(watched.lines("4711").await[0], "job 4711 three");
    // It grew beyond what was read before anybody looked: by its size nobody could tell.
    File::create(&path).expect("truncated");
    append(&path, "job 4711 four, a longer line than the one before\njob 4711 five\n");
    assert_eq!(
        watched.lines("4711").await[..2],
        ["job 4711 five", "job 4711 four, a longer line than the one before"]
    );
    // A writer that goes on at its old place leaves a hole.
    let file = File::create(&path).expect("truncated");
    file.write_all_at(b"job 4711 six\n", 5000).expect("written");
    assert_eq!(watched.lines("4711").await[0], "job 4711 six");
    // A large one, of which only the end is looked through.
    let file = File::create(&path).expect("truncated");
    file.write_all_at(b"job 4711 far\n", 300 << 20).expect("written");
    assert_eq!(watched.lines("4711").await[0], "job 4711 far");
    assert_eq!(Watched::file(&path).lines("4711").await, ["job 4711 far"]);
    // Deleted, and another one of its name, which often has the same number.
    fs::remove_file(&path).expect("deleted");
    watched.refused(GapKind::Failed, "there is no file").await;
    append(&path, "job 4711 seven, in a file of its own\n");
    assert_eq!(watched.lines("4711").await[0], "job 4711 seven, in a file of its own");
}

#[tokio::test]
async fn what_is_no_text_is_shown_tame_and_bounded() {
    let (_folder, path) = log();
    append(&path, b"job 4711 \xff\xfe caf\xe9 \x1b]0;owned\x07\x1b[31mred\x1b[0m\r\n");
    append(&path, format!("job 4711 {}\n", "x".repeat(300_000)));
    append(&path, "job 4711 redis://:geheim@h password=geheim card=4111\n");
    let masks = vec!["card".to_owned()];
    let mut watched = Watched::of(LogConnect { masks, ..LogConnect::file(path.clone()) });
    let lines = watched.lines("4711").await;
    assert_eq!(lines[0], "job 4711 redis://•••@h password=••• card=•••");
    assert!(lines[1].chars().count() < 4100, "{}", lines[1].len());
    assert_eq!(lines[2], "job 4711 \u{fffd}\u{fffd} caf\u{fffd} ]0;ownedred");
    // A line whose end never comes is one after two looks.
    append(&path, "job 4711 killed in the middle of a wo");
    assert_eq!(watched.lines("4711").await.len(), 3);
    watched.lines("4711").await;
    assert_eq!(watched.lines("4711").await[0], "job 4711 killed in the middle of a wo");
    // One that is written in parts is one line.
    append(&path, "\njob 4711 in ");
    watched.lines("4711").await;
    append(&path, "parts\n");
    assert_eq!(watched.lines("4711").await[0], "job 4711 in parts");
}

#[tokio::test]
async fn what_is_no_file_of_lines_is_refused_with_a_sentence() {
    let (folder, path) = log();
    Watched::file(&path).refused(GapKind::Failed, "there is no file").await;
    Watched::file(folder.path()).refused(GapKind::Failed, "it is a folder").await;
    Watched::file(Path::new("/dev/zero")).refused(GapKind::Failed, "it is a device").await;
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    Watched::file(&path).refused(GapKind::Failed, "it is a pipe").await;
    fs::remove_file(&path).expect("removed");
    append(&path, "geheim\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("closed");
    // Root may read everything.
    if File::open(&path).is_err() {
        Watched::file(&path).refused(GapKind::NotPermitted, "may not be read by this user").await;
    }
    // It comes later.
    let later = folder.path().join("later.log");
    let mut watched = Watched::file(&later);
    watched.refused(GapKind::Failed, "there is no file").await;
    append(&later, "job 4711\n");
    assert_eq!(watched.lines("4711").await, ["job 4711"]);
}

#[tokio::test]
async fn a_flood_is_bounded_and_told() {
    let (_folder, path) = log();
    append(&path, "begin\n");
    let mut watched = Watched::file(&path);
    watched.asked("", Window::Last(900)).await;
    append(&path, "a line of a flood that nobody reads\n".repeat(300_000));
    append(&path, "the end\n");
    let asked = watched.asked("", Window::Last(900)).await;
    let lines = texts(&asked);
    assert_eq!((lines.len(), lines[0].as_str()), (2000, "the end"));
    assert!(asked.more && asked.left_out.is_some_and(|left| left.more), "{:?}", asked.left_out);
    // Who asks anew is told of how much it was looked for.
    let asked = watched.asked("end", Window::Last(900)).await;
    assert_eq!(texts(&asked), ["the end"]);
    assert!(asked.query.starts_with("lines with end in the last 8.0 MiB of"), "{}", asked.query);
    assert!(asked.more);
    assert_eq!(watched.lines("nothing").await, [""; 0]);
}

/// A time as a log has it, so many seconds before the file was written.
fn stamped(form: &str, seconds: i64, east: i64) -> String {
    let at = chrono::Utc::now() - chrono::Duration::seconds(seconds) + chrono::Duration::hours(east);
    at.format(form).to_string()
}

#[tokio::test]
async fn lines_are_of_their_time_and_a_trace_belongs_to_its_error() {
    let (_folder, path) = log();
    let at = |seconds| stamped("%Y-%m-%dT%H:%M:%S%.3fZ", seconds, 0);
    append(&path, format!("{} INFO job 4711 of yesterday\n", at(86_400)));
    append(&path, format!("{} ERROR job 4711 failed\nTypeError: x is not\n    at y.js:3\n", at(60)));
    append(&path, format!("{} INFO job 7\n    of nobody\n", at(10)));
    let mut watched = Watched::file(&path);
    let asked = watched.asked("4711", Window::Last(900)).await;
    let lines: &Vec<LogLine> = asked.lines.ready().expect("lines");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].dated
            && lines[0].level() == "ERROR"
            && lines[0].text.ends_with("\nTypeError: x is not\n    at y.js:3")
    );
    // A trace that comes with the next look belongs to the line before it, as well.
    append(&path, format!("{} ERROR job 4711 again\n", at(0)));
    watched.asked("4711", Window::Last(900)).await;
    append(&path, "    at z.js:9\n");
    let asked = watched.asked("4711", Window::Last(900)).await;
    assert!(texts(&asked)[0].ends_with("ERROR job 4711 again\n    at z.js:9"), "{asked:?}");
    // A clock that says no zone is in that by which the file was just written.
    let (_folder, path) = log();
    for seconds in [86_400, 60, 0] {
        append(&path, format!("{} ERROR job 4711\n", stamped("%Y-%m-%d %H:%M:%S,%3f", seconds, 2)));
    }
    let asked = Watched::file(&path).asked("4711", Window::Last(900)).await;
    let lines = asked.lines.ready().expect("lines");
    assert!(lines.len() == 2 && lines.iter().all(|line| line.dated), "{lines:?}");
    // Where it fits none, nobody knows, and nothing is left out.
    let (_folder, path) = log();
    append(&path, "2026-01-01 00:07:30 ERROR job 4711\nplain job 4711\n");
    fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_790_000_123)))
        .expect("a time");
    let asked = Watched::file(&path).asked("4711", Window::Last(900)).await;
    let lines = asked.lines.ready().expect("lines");
    assert!(lines.len() == 1 && !lines[0].dated, "{lines:?}");
}

#[tokio::test]
async fn lines_and_errors_of_a_minute_are_counted_by_when_they_came() {
    let (_folder, path) = log();
    append(&path, "ERROR before anybody looked\n".repeat(50));
    let mut watched = Watched::file(&path);
    let mut last = LogReading::default();
    for look in 0..46 {
        append(&path, "INFO fine\nERROR not\n");
        last = watched.look(&[]).await.expect("a look");
        assert_eq!(last.lines.ready().is_some(), look >= 30, "{look}");
    }
    let counted = |part: &Part<Warm<u64>>| part.ready().map(|all| **all);
    assert_eq!((counted(&last.lines), counted(&last.errors)), (Some(60), Some(30)));
    assert!(last.bytes.is_some_and(|bytes| bytes > 2000) && last.written.is_some());
    assert!(last.asked.is_empty(), "nobody looks");
    // Of the lines themselves nothing is written down.
    let asked = watched.look(&[Focus::Lines(question("", Window::Last(900)))]).await.expect("a look");
    assert!(!asked.asked.is_empty());
    assert!(!serde_json::to_string(&asked).expect("JSON").contains("fine"));
}

fn command(words: &[&str]) -> Watched {
    command_within(words, Duration::from_millis(700))
}

fn command_within(words: &[&str], within: Duration) -> Watched {
    let place = LogPlace::Command {
        program: words[0].to_owned(),
        arguments: words[1..].iter().map(|word| (*word).to_owned()).collect(),
        within,
    };
    Watched::of(LogConnect { place, ..LogConnect::file(PathBuf::new()) })
}

#[tokio::test]
async fn lines_that_a_command_prints_are_shown_and_new_ones_counted() {
    let (_folder, path) = log();
    append(&path, "job 4711 one\njob 7\n");
    let mut watched = command(&["tail", "-n", "3", path.to_str().expect("a path")]);
    let asked = watched.asked("4711", Window::Last(900)).await;
    assert_eq!(
        (texts(&asked), asked.query.as_str()),
        (vec!["job 4711 one".to_owned()], "lines with 4711 in the 2 lines that it prints")
    );
    append(&path, "job 4711 two\n");
    let mut shown = Vec::new();
    for _ in 0..20 {
        shown = watched.lines("4711").await;
        if shown.len() == 2 {
            break;
        }
    }
    assert_eq!(shown, ["job 4711 two", "job 4711 one"]);
}

#[tokio::test]
async fn a_command_that_goes_wrong_says_how() {
    command(&["/nowhere/logs", "geheim"])
        .refused(GapKind::Failed, "the command `logs`: it cannot be started")
        .await;
    command(&["sleep", "60"]).refused(GapKind::TimedOut, "did not end within 0.7 s and was stopped").await;
    command(&["yes", "geheim"]).refused(GapKind::Failed, "prints more than 2048 KiB").await;
    let fails = ["sh", "-c", "echo line; echo no right for token geheim >&2; exit 3", "sh", "geheim"];
    command(&fails).refused(GapKind::Failed, "it ended with exit status: 3: no right").await;
    // What it says is not given to a shell.
    let mut watched = command(&["echo", "4711; touch /tmp/owned $(id)"]);
    assert_eq!(watched.lines("4711").await, ["4711; touch /tmp/owned $(id)"]);
}

#[tokio::test]
async fn a_command_that_is_stopped_leaves_nothing_behind() {
    let (folder, _) = log();
    let pid = folder.path().join("pid");
    let script = format!("sleep 300 & echo $! > {}; wait", pid.display());
    command(&["sh", "-c", &script]).refused(GapKind::TimedOut, "was stopped").await;
    let child = fs::read_to_string(&pid).expect("its child ran");
    let state = || {
        let text = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        text.rsplit(") ").next().and_then(|rest| rest.chars().next())
    };
    for _ in 0..100 {
        // Gone, or dead and not yet taken by whoever takes orphans here.
        if matches!(state(), None | Some('Z')) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the child {} lives: {:?}", child.trim(), state());
}

/// A file that was written to last so many seconds ago.
fn rotated(folder: &Path, name: &str, text: &str, seconds: u64) {
    let path = folder.join(name);
    append(&path, text);
    let then = std::time::SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(&path).and_then(|file| file.set_modified(then)).expect("a time");
}

#[tokio::test]
async fn what_was_rotated_is_searched_where_a_question_reaches_back_to_it() {
    let (folder, path) = log();
    let at = |seconds| stamped("%Y-%m-%dT%H:%M:%S%.3fZ", seconds, 0);
    rotated(folder.path(), "shop.log.4", &format!("{} job 4711 of yesterday\n", at(80_000)), 79_000);
    rotated(folder.path(), "shop.log.3.gz", "packed", 790);
    rotated(folder.path(), "shop.log.2", &format!("{} job 4711 one\n", at(800)), 799);
    rotated(
        folder.path(),
        "shop.log.1",
        &format!("{} job 4711 two\n{} job 7\n    at x\n", at(500), at(400)),
        399,
    );
    rotated(folder.path(), "shop.log.bak", &format!("{} job 4711 no\n", at(90)), 89);
    append(&path, format!("    at y\n{} job 4711 three\n", at(60)));
    let told = async |back| {
        let asked = Watched::file(&path).asked("4711", Window::Last(back)).await;
        let ends =
            texts(&asked).iter().map(|text| text.rsplit(' ').next().unwrap_or("").to_owned()).collect();
        (ends, asked.query)
    };
    let (ends, query): (Vec<String>, _) = told(900).await;
    assert_eq!(ends, ["three", "two", "one"]);
    assert!(query.contains(", and in shop.log.1 (") && query.contains(", and in shop.log.2 ("), "{query}");
    assert!(query.contains("; 1 older file is packed, and not read; what is older"), "{query}");
    // As far back as is asked for, and no further.
    let (ends, query) = told(450).await;
    assert_eq!(ends, ["three"]);
    assert!(
        query.contains("shop.log.1") && !query.contains("shop.log.2") && !query.contains("packed"),
        "{query}"
    );
    let (ends, query) = told(50).await;
    assert!(ends.is_empty() && !query.contains("shop.log."), "{query}");
    // A file that is new and empty has nothing but what was rotated.
    fs::rename(&path, folder.path().join("shop.log.0")).expect("rotated");
    append(&path, "");
    assert_eq!(told(900).await.0, ["three", "two", "one"]);
    // What cannot be read is told.
    let secret = folder.path().join("shop.log.5");
    append(&secret, "job 4711 geheim\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("closed");
    if File::open(&secret).is_err() {
        assert!(told(900).await.1.contains("1 older file is not readable"));
    }
}

#[tokio::test]
async fn what_was_rotated_is_bounded() {
    let (folder, path) = log();
    for (number, size) in [(3, 1000), (2, 5_000_000), (1, 5_000_000)] {
        let text = format!(
            "job 4711 of {number}\n{}\njob 4711 at the end of {number}\n",
            "x".repeat(99).repeat(size / 99)
        );
        rotated(folder.path(), &format!("shop.log.{number}"), &text, number * 10);
    }
    append(&path, "job 4711 now\n");
    let asked = Watched::file(&path).asked("4711", Window::Last(900)).await;
    assert_eq!(
        texts(&asked),
        ["job 4711 now", "job 4711 at the end of 1", "job 4711 of 1", "job 4711 at the end of 2"]
    );
    assert!(asked.more && asked.query.contains("the end of shop.log.2"), "{}", asked.query);
    assert!(!asked.query.contains("shop.log.3"), "{}", asked.query);
    // Of many small ones so many are read, and that there are more is said.
    let (folder, path) = log();
    for number in 1..=9 {
        rotated(
            folder.path(),
            &format!("shop.log.{number}"),
            &format!("job 4711 of {number}\n"),
            number * 10,
        );
    }
    append(&path, "job 4711 now\n");
    let asked = Watched::file(&path).asked("4711", Window::Last(900)).await;
    assert_eq!(texts(&asked).last().map(String::as_str), Some("job 4711 of 8"));
    assert!(asked.more, "{}", asked.query);
}

#[tokio::test]
async fn a_file_amid_those_that_are_searched_is_told_where_it_is_not_read() {
    let (folder, path) = log();
    let at = |seconds| stamped("%Y-%m-%dT%H:%M:%S%.3fZ", seconds, 0);
    rotated(folder.path(), "shop.log.10", &format!("{} job 4711 one\n", at(1200)), 800);
    for number in 1..=9 {
        rotated(folder.path(), &format!("shop.log.{number}.gz"), "packed", number * 10);
    }
    append(&path, format!("{} job 4711 two\n", at(5)));
    let window = Window::Last(1000);
    let asked = Watched::file(&path).asked("job", window).await;
    assert!(
        asked.query.contains("in shop.log.10 (")
            && asked.query.contains("; 9 older files are packed, and not read"),
        "{}",
        asked.query
    );
}

#[tokio::test]
async fn a_command_that_is_idle_is_no_alarm_though_its_lines_are_alike() {
    let (_folder, path) = log();
    append(&path, "tick\n".repeat(3));
    // It may be slow to start here.
    let mut watched =
        command_within(&["tail", "-n", "3", path.to_str().expect("a path")], Duration::from_secs(20));
    let mut last = LogReading::default();
    for _ in 0..40 {
        last = watched.look(&[]).await.expect("a look");
        assert_eq!(last.lines.gap(), None, "nothing seems to have come");
    }
    let gap = last.errors.gap().expect("whether an error came nobody knows");
    assert!(gap.note.contains("alike and as before"), "{gap:?}");
    // Once it is seen that lines come which cannot be counted, that is told.
    append(&path, "tock\n");
    let mut told = false;
    for _ in 0..40 {
        told |= watched.look(&[]).await.expect("a look").lines.gap().is_some();
    }
    assert!(told);
}

#[tokio::test]
async fn files_of_a_pattern_are_one_log_and_each_line_says_its_file() {
    let (folder, _) = log();
    let path = |name: &str| folder.path().join(name);
    let at = |seconds| stamped("%Y-%m-%dT%H:%M:%S%.3fZ", seconds, 0);
    let pattern = path("*.log");
    Watched::file(&pattern).refused(GapKind::Failed, "there is no file").await;
    append(&path("a.log"), format!("{} job 4711 one\n    at x\n{} job 4711 three\n", at(300), at(100)));
    append(&path("b.log"), format!("{} job 4711 two\n", at(200)));
    rotated(folder.path(), "b.log.1", &format!("{} job 4711 zero\n", at(400)), 390);
    append(&path("c.txt"), "job 4711 of no log\n");
    let mut watched = Watched::file(&pattern);
    let lines = async |watched: &mut Watched| {
        let asked = watched.asked("4711", Window::Last(900)).await;
        let line = |line: &LogLine| {
            let text = line.text.lines().next().unwrap_or_default();
            format!("{} {}", line.label("file"), text.rsplit(' ').next().unwrap_or_default())
        };
        (asked.lines.ready().expect("lines").iter().map(line).collect::<Vec<_>>(), asked.query)
    };
    let (shown, query) = lines(&mut watched).await;
    assert_eq!(shown, ["a.log three", "b.log two", "a.log one", "b.log zero"]);
    assert!(
        query.starts_with("lines with 4711 in 2 files (a.log: all of it") && query.contains("b.log.1"),
        "{query}"
    );
    // What comes stands where it belongs, with the trace that comes behind it.
    append(&path("b.log"), format!("{} job 4711 four\n", at(0)));
    append(&path("a.log"), "    at y of three\n");
    let asked = watched.asked("4711", Window::Last(900)).await;
    assert!(
        texts(&asked)[0].ends_with("four") && texts(&asked)[1].ends_with("three\n    at y of three"),
        "{asked:?}"
    );
    // One that joins is read from its beginning, one that was only rotated is not new, and one that goes is no trouble.
    fs::rename(path("a.log"), path("a-1.log")).expect("renamed");
    append(&path("a.log"), format!("{} job 4711 five\n", at(0)));
    append(&path("d.log"), format!("{} job 4711 six\nERROR x\n", at(0)));
    fs::remove_file(path("b.log")).expect("removed");
    let mut last = LogReading::default();
    for _ in 0..40 {
        last = watched.look(&[Focus::Lines(question("4711", Window::Last(900)))]).await.expect("a look");
        assert_eq!(last.lines.gap(), None, "{:?}", last.lines);
    }
    let shown = texts(&last.asked[0]);
    let has = |end: &str| {
        shown.iter().filter(|text| text.lines().next().is_some_and(|line| line.ends_with(end))).count()
    };
    for end in ["five", "six", "three"] {
        assert_eq!(has(end), 1, "{end}: {shown:?}");
    }
    // What cannot be read of them is told, and the others are shown.
    let secret = path("e.log");
    append(&secret, "job 4711 geheim\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("closed");
    if File::open(&secret).is_err() {
        for _ in 0..6 {
            last = watched.look(&[]).await.expect("a look");
        }
        assert!(
            last.lines.gap().is_some_and(|gap| gap.note.starts_with("1 of 4 files: ")),
            "{:?}",
            last.lines
        );
    }
}

#[tokio::test]
async fn the_files_of_a_pattern_are_bounded_together() {
    let (folder, _) = log();
    for number in 0..40_u64 {
        let text = format!("job 4711 of {number}\n").repeat(200);
        rotated(folder.path(), &format!("{number}.log"), &text, 100 - number);
    }
    let mut watched = Watched::file(&folder.path().join("*.log"));
    let asked = watched.asked("4711", Window::Last(900)).await;
    let lines = texts(&asked);
    assert!(lines.len() == 2000 && asked.more, "{}", lines.len());
    assert!(
        lines.iter().all(|line| !line.ends_with(" 7") && !line.ends_with(" 0")),
        "the oldest are not read"
    );
    assert!(asked.query.contains("in 32 files, written to last (8 older not read)"), "{}", asked.query);
}

/// Lines and errors of the newest minute, after so many looks.
async fn counts(watched: &mut Watched, looks: usize) -> (Option<u64>, Option<u64>) {
    let mut last = LogReading::default();
    for _ in 0..looks {
        last = watched.look(&[]).await.expect("a look");
    }
    let count = |part: &Part<Warm<u64>>| part.ready().map(|all| **all);
    (count(&last.lines), count(&last.errors))
}

/// Looks until a minute is known.
const WARM: usize = 32;
/// Looks until what comes is told.
const TOLD: usize = 9;
/// Looks until what is gone is no longer waited for.
const AWAY: usize = 24;

const fn both(count: u64) -> (Option<u64>, Option<u64>) {
    (Some(count), Some(count))
}

#[tokio::test]
async fn what_comes_to_files_of_a_pattern_is_counted_once() {
    let (folder, path) = log();
    let beside = |name: &str| folder.path().join(name);
    append(&path, "ERROR old\n".repeat(50));
    append(&beside("shop.log.1"), "ERROR older\n".repeat(50));
    append(&beside("web-1.log"), "ERROR old\n".repeat(50));
    std::os::unix::fs::symlink(&path, beside("a-current.log")).expect("linked");
    let mut watched = Watched::file(&beside("*.log*"));
    assert_eq!(counts(&mut watched, WARM).await, both(0));
    // By rename, with what is written late to the old one.
    append(&path, "ERROR one\n");
    fs::rename(beside("shop.log.1"), beside("shop.log.2")).expect("renamed");
    fs::rename(&path, beside("shop.log.1")).expect("renamed");
    append(&beside("shop.log.1"), "ERROR late\n");
    append(&path, "ERROR two\n");
    assert_eq!(counts(&mut watched, TOLD).await, both(3));
    // By a copy.
    fs::copy(&path, beside("shop.log.1")).expect("copied");
    File::create(&path).expect("truncated");
    append(&path, "ERROR three\n");
    assert_eq!(counts(&mut watched, TOLD).await, both(4));
    // To a name that nobody knows as that of a rotated file, while there is a file of that name already.
    assert_eq!(counts(&mut watched, WARM).await, both(0));
    append(&beside("web-1.log"), "ERROR one\n");
    fs::rename(beside("web-1.log"), beside("web-2.log")).expect("renamed");
    append(&beside("web-1.log"), "ERROR one\n");
    assert_eq!(counts(&mut watched, TOLD).await, both(2));
    append(&beside("web-2.log"), "ERROR late\n");
    assert_eq!(counts(&mut watched, TOLD).await, both(3));
}

#[tokio::test]
async fn lines_that_are_alike_in_two_files_are_two() {
    let (folder, _) = log();
    let line = format!("{} job 4711 failed\n", stamped("%Y-%m-%dT%H:%M:%S%.3fZ", 9, 0));
    append(&folder.path().join("web-1.log"), &line);
    append(&folder.path().join("web-2.log"), &line);
    assert_eq!(Watched::file(&folder.path().join("*.log")).lines("4711").await.len(), 2);
}

#[tokio::test]
async fn a_file_that_others_were_written_to_after_is_counted_when_it_is_written_to() {
    let (folder, _) = log();
    for number in 0..40_u64 {
        rotated(folder.path(), &format!("{number}.log"), &"ERROR old\n".repeat(9), 1000 - number);
    }
    let mut watched = Watched::file(&folder.path().join("*.log"));
    assert_eq!(counts(&mut watched, WARM).await, both(0));
    append(&folder.path().join("0.log"), "ERROR new\n");
    assert_eq!(counts(&mut watched, 2 * TOLD).await, both(1));
}

#[tokio::test]
async fn the_newest_of_very_many_files_is_found() {
    let (folder, _) = log();
    for number in 0..1100_u64 {
        rotated(folder.path(), &format!("app-{number:04}.log"), "job 4711 of long ago\n", 9000 - number);
    }
    append(&folder.path().join("app-9999.log"), "job 4711 of today\n");
    let mut watched = Watched::file(&folder.path().join("app-*.log"));
    assert!(watched.lines("4711").await.contains(&"job 4711 of today".to_owned()));
}

#[tokio::test]
async fn what_was_written_while_it_could_not_be_read_is_not_of_this_minute() {
    let (folder, _) = log();
    let name = |name: &str| folder.path().join(name);
    for of in ["x", "y"] {
        fs::create_dir(name(of)).expect("made");
        append(&name(of).join("app.log"), "ERROR old\n".repeat(50));
    }
    let mut watched = Watched::file(&name("*/app.log"));
    assert_eq!(counts(&mut watched, WARM).await, both(0));
    // A folder that is gone for a while, as one of another machine.
    let away = folder.path().with_extension("away");
    fs::rename(name("x"), &away).expect("renamed");
    assert_eq!(counts(&mut watched, AWAY).await, both(0));
    append(&away.join("app.log"), "ERROR meanwhile\n".repeat(50));
    fs::rename(&away, name("x")).expect("renamed");
    assert_eq!(counts(&mut watched, TOLD).await, both(0));
    append(&name("x/app.log"), "ERROR new\n");
    assert_eq!(counts(&mut watched, TOLD).await, both(1));
    // A file that cannot be read for a moment.
    assert_eq!(counts(&mut watched, WARM).await, both(0));
    let (path, away) = (name("x/app.log"), name("x/away"));
    fs::rename(&path, &away).expect("renamed");
    fs::create_dir(&path).expect("made");
    let reading = watched.look(&[]).await.expect("a look");
    assert!(reading.errors.gap().is_some_and(|gap| gap.note.starts_with("1 of 2 files: ")), "{reading:?}");
    append(&away, "ERROR meanwhile\n".repeat(50));
    fs::remove_dir(&path).expect("removed");
    fs::rename(&away, &path).expect("renamed");
    assert_eq!(counts(&mut watched, TOLD).await, (None, None), "not known yet");
    assert_eq!(counts(&mut watched, WARM).await, both(0));
}

#[tokio::test]
async fn a_folder_that_cannot_be_entered_is_not_none() {
    let (folder, _) = log();
    let name = |name: &str| folder.path().join(name);
    fs::create_dir(name("x")).expect("made");
    append(&name("x/app.log"), "ERROR old\n");
    let mut watched = Watched::file(&name("*/app.log"));
    assert_eq!(counts(&mut watched, WARM).await, both(0));
    // Root may enter every folder, but none that leads to itself.
    std::os::unix::fs::symlink("y", name("y")).expect("linked");
    assert_eq!(counts(&mut watched, TOLD).await, (None, None));
    let reading = watched.look(&[]).await.expect("a look");
    let gap = reading.errors.gap().expect("nobody knows");
    assert!(gap.note.contains("y/app.log cannot be looked into: "), "{gap:?}");
}
