//! Servers, files and arguments that try to act on the terminal: clipboard, titles, bidi, C1, forged lines, piles of marks. What the
//! program prints of them holds nothing that a terminal acts on.

use stacktop::core::text::clean_lines;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Everything at once, as a server would send it; `\u{1}` stands where a raw byte follows that is no UTF-8.
fn evil() -> Vec<u8> {
    let marks = "\u{301}".repeat(40);
    let text = format!(
        "EVIL\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]0;title\u{1b}\\\u{1b}[2J\u{9b}31m\u{9d}0;t\u{9c}\u{202e}abc\u{2066}\u{61c}\u{e0041}\u{200d}z{marks}\u{8}\u{7f}"
    );
    [text.as_bytes(), b"\x9b2J\xff\xed\xa0\x80"].concat()
}

/// The same with a line that looks like one of ours.
fn forged() -> Vec<u8> {
    [&evil()[..], b"\n  ok       forged: all is well\r\nstacktop: forged\n"].concat()
}

/// What a fake says to everybody, whichever protocol it is spoken to in.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// Status line and headers of HTTP.
    status: &'static str,
    /// SQLSTATE of the refusal by Postgres.
    sqlstate: &'static str,
    /// The refusal comes before the login, or to each question after it.
    after_login: bool,
    /// The first word of the answer of Redis.
    code: &'static str,
}

/// A server that speaks every protocol badly, until the test ends; its port.
pub fn server(manner: usize) -> u16 {
    let manner = MANNERS[manner];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = answer(stream, manner);
            });
        }
    });
    port
}

const MANNERS: [Manner; 4] = [
    Manner { status: "403 Forbidden", sqlstate: "28P01", after_login: false, code: "ERR" },
    Manner { status: "500 Oh", sqlstate: "XX000", after_login: false, code: "NOPERM" },
    Manner { status: "200 OK", sqlstate: "3D000", after_login: false, code: "WRONGPASS" },
    Manner { status: "503 Wait", sqlstate: "42501", after_login: true, code: "LOADING" },
];

fn answer(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(3)))?;
    let mut bytes = [0; 8192];
    let mut logged_in = false;
    loop {
        let count = stream.read(&mut bytes)?;
        let asked = &bytes[..count];
        match asked {
            [] => return Ok(()),
            // SSLRequest: no.
            [0, 0, 0, 8, 4, 210, 22, 47] => stream.write_all(b"N")?,
            [0, ..] if manner.after_login => {
                logged_in = true;
                stream.write_all(
                    &[&[b'R', 0, 0, 0, 8, 0, 0, 0, 0][..], &parameter(), &[b'Z', 0, 0, 0, 5, b'I']].concat(),
                )?;
            }
            [0, ..] => {
                stream.write_all(&refusal(manner.sqlstate, "FATAL"))?;
                return Ok(());
            }
            [b'*', ..] => {
                let words = evil().into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
                let reply =
                    [b"-", manner.code.as_bytes(), b" ", &words.collect::<Vec<_>>(), b"\r\n"].concat();
                let commands = asked.split(|byte| *byte == b'*').skip(1).count();
                stream.write_all(&reply.repeat(commands))?;
            }
            _ if logged_in => {
                let ready = [b'Z', 0, 0, 0, 5, b'I'];
                stream.write_all(&[&refusal(manner.sqlstate, "ERROR")[..], &ready].concat())?;
            }
            _ => {
                let body = forged();
                let head = format!(
                    "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Evil: \u{202e}\r\n\r\n",
                    manner.status,
                    body.len()
                );
                stream.write_all(&[head.as_bytes(), &body].concat())?;
            }
        }
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [&[kind][..], &length, body].concat()
}

fn parameter() -> Vec<u8> {
    message(b'S', &[b"server_version\0", &evil()[..], b"\0"].concat())
}

fn refusal(sqlstate: &str, severity: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in [
        (b'S', severity.as_bytes()),
        (b'V', severity.as_bytes()),
        (b'C', sqlstate.as_bytes()),
        (b'M', &lossless(&forged())),
        (b'D', &lossless(&forged())),
        (b'H', &lossless(&forged())),
    ] {
        body.push(field);
        body.extend(value);
        body.push(0);
    }
    body.push(0);
    message(b'E', &body)
}

/// Valid UTF-8, without which the client gives the message no words at all.
fn lossless(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).into_owned().into_bytes()
}

fn run(folder: &Path, variables: &[(&str, String)], words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .args(words)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

/// Holds that `bytes` can do nothing to a terminal, and that nothing in it is a line of somebody else.
#[track_caller]
pub fn assert_tame(what: &str, bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for line in text.split('\n') {
        let shown: String = clean_lines(line).concat();
        assert_eq!(shown, line, "{what}");
        let bare = line.trim_start();
        assert!(
            !bare.starts_with("ok       forged") && !bare.starts_with("stacktop: forged"),
            "{what}: {text}"
        );
    }
}

#[test]
fn what_hostile_servers_say_is_printed_tamely() {
    let mut repeated = 0;
    for (manner, how) in MANNERS.iter().enumerate() {
        let port = server(manner);
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "[[postgres]]\nurl = \"postgres://ann:x@127.0.0.1:{port}/x\"\ntimeout = \"2s\"\n\
             [[redis]]\nurl = \"redis://:x@127.0.0.1:{port}\"\n[[search]]\nurl = \"http://127.0.0.1:{port}\"\n\
             [[prometheus]]\nurl = \"http://127.0.0.1:{port}\"\n[[metrics]]\nurl = \"http://127.0.0.1:{port}/metrics\"\n"
        );
        std::fs::write(folder.path().join("stacktop.toml"), config).expect("written");
        for words in [&["targets", "--config", "stacktop.toml"][..], &["doctor", "--config", "stacktop.toml"]]
        {
            let output = run(folder.path(), &[], words);
            let what = format!("{words:?} of {how:?}");
            assert_tame(&what, &output.stdout);
            assert_tame(&what, &output.stderr);
            repeated += String::from_utf8_lossy(&output.stdout).matches("EVIL").count();
        }
    }
    // They are heard, or this would show nothing.
    assert!(repeated >= 8, "{repeated}");
}

#[test]
fn what_hostile_files_and_arguments_hold_is_printed_tamely() {
    let evil = String::from_utf8_lossy(&forged()).into_owned();
    let quoted = serde_json::Value::from(evil.as_str()).to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let services = serde_json::json!({"services": {
        format!("db{evil}"): {"image": "postgres", "ports": ["127.0.0.1:1:5432"], "environment": {"POSTGRES_USER": evil, "POSTGRES_DB": evil}},
        format!("hidden{evil}"): {"image": "redis"},
    }});
    std::fs::write(folder.path().join("compose.yaml"), services.to_string()).expect("written");
    let variables = [
        ("STACKTOP_ENVIRONMENT", evil.replace('\u{0}', "")),
        ("REDIS_URL", format!("redis://{}@127.0.0.1:1/0", evil.replace(['/', '\n', '\r'], ""))),
    ];
    for words in [
        &["targets"][..],
        &["doctor"],
        &[evil.as_str()],
        &["--config", &evil],
        &["--theme", &evil],
        &["targets", "--theme", &evil],
    ] {
        let output = run(folder.path(), &variables, words);
        assert_tame("arguments", &output.stdout);
        assert_tame("arguments", &output.stderr);
        assert!(!(output.stdout.is_empty() && output.stderr.is_empty()), "{words:?}");
    }
    for text in [
        format!("[[redis]]\nname = {quoted}\nurl = \"redis://127.0.0.1:1\"\n"),
        format!("environment = {quoted}\n"),
        format!("{quoted} = 1\n"),
        format!("[keys]\n{quoted} = \"q\"\n"),
        format!("[rules.{quoted}]\nwarning = 1.0\n"),
        format!("[[panel]]\nname = {quoted}\nkind = {quoted}\nsql = \"x\"\ntarget = {quoted}\n"),
        evil.clone(),
    ] {
        std::fs::write(folder.path().join("stacktop.toml"), &text).expect("written");
        for words in
            [&["check-config", "--config", "stacktop.toml"][..], &["targets", "--config", "stacktop.toml"]]
        {
            let output = run(folder.path(), &[], words);
            assert_tame(&text, &output.stdout);
            assert_tame(&text, &output.stderr);
            assert_eq!(output.status.code(), Some(2), "{text}");
        }
    }
}

#[test]
fn exit_codes_tell_right_from_wrong_and_from_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let nothing = run(folder.path(), &[], &["check-config"]);
    assert_eq!(nothing.status.code(), Some(1), "there is none");
    let code = |words: &[&str]| {
        let words = [words, &["--config", "stacktop.toml"]].concat();
        run(folder.path(), &[], &words).status.code()
    };
    let file = folder.path().join("stacktop.toml");
    std::fs::write(&file, "[[redis]]\nurl = \"redis://127.0.0.1:1\"\n").expect("written");
    assert_eq!((code(&["check-config"]), code(&["targets"])), (Some(0), Some(0)));
    for wrong in
        ["theme = \"drak\"\n", "[keys]\nquit = \"esc\"\n", "[engine]\nbackoff_cap = \"0s\"\n", "[redis]\n"]
    {
        std::fs::write(&file, wrong).expect("written");
        assert_eq!(
            (code(&["check-config"]), code(&["targets"]), code(&["doctor"])),
            (Some(2), Some(2), Some(2)),
            "{wrong}"
        );
    }
    assert_eq!((code(&["no-such-command"]), code(&["--help"])), (Some(2), Some(0)));
    // A sample that anybody may copy is right.
    std::fs::write(&file, include_str!("../../config.toml")).expect("written");
    assert_eq!(code(&["check-config"]), Some(0));
}
