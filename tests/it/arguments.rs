//! The command line through the program itself: URLs, JSON, completions, the man page, what is refused and with which exit code.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Stands in every URL, and may stand nowhere else.
const SECRET: &str = "zq7XbNKw9vRt";

fn run(folder: &Path, variables: &[(&str, &str)], words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .args(words)
        .env_clear()
        .env("HOME", folder)
        .env("TERM", "xterm-256color")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

/// What is printed, and the exit code; nothing of the secret is in either stream.
#[track_caller]
fn said(folder: &Path, variables: &[(&str, &str)], words: &[&str], code: i32) -> (String, String) {
    let output = run(folder, variables, words);
    let out = String::from_utf8(output.stdout).expect("text");
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(code), "{words:?}: {out}{error}");
    assert!(!out.contains(SECRET) && !error.contains(SECRET), "{words:?}: {out}{error}");
    (out, error)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn urls_are_watched_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    // What a folder brings along, and what the environment names, is about something else.
    std::fs::write(folder.path().join("stacktop.toml"), "[[redis]]\nurl = \"redis://theirs\"\n")
        .expect("written");
    let around = [("REDIS_URL", "redis://elsewhere")];
    for (url, system, address) in [
        (format!("postgres://ann:{SECRET}@db.example/app"), "Postgres", "db.example:5432/app"),
        (format!("redis://:{SECRET}@10.1.2.3:6380/1"), "Redis", "10.1.2.3:6380/1"),
        (format!("https://elastic:{SECRET}@es.example:9200"), "Elasticsearch", "https://es.example:9200"),
        (format!("prometheus+http://ann:{SECRET}@p.example"), "Prometheus", "http://p.example"),
        (
            "http://shop.example:8080/metrics".to_owned(),
            "metrics endpoint",
            "http://shop.example:8080/metrics",
        ),
    ] {
        let (out, _) = said(folder.path(), &around, &["targets", &url, "-o", "json"], 0);
        let told = json(&out);
        let targets = told["targets"].as_array().expect("a list");
        assert_eq!(targets.len(), 1, "{out}");
        assert_eq!((&targets[0]["system"], &targets[0]["address"]), (&system.into(), &address.into()));
        assert!(out.contains("stacktop.toml is not read"), "{out}");
        assert_eq!(out.contains("its password stands in the arguments"), url.contains(SECRET), "{out}");
        // Without a command it wants a terminal, and asks nothing before.
        let (_, error) = said(folder.path(), &around, &[&url], 2);
        assert!(error.contains("this is no terminal"), "{error}");
    }
}

#[test]
fn what_is_refused_says_what_would_do_and_ends_with_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let mysql = format!("mysql://ann:{SECRET}@db/app");
    let bare = format!("https://ann:{SECRET}@es.example");
    let port = format!("redis://:{SECRET}@h:99999");
    let good = format!("redis://:{SECRET}@h");
    for (words, expected) in [
        (&[mysql.as_str()][..], "`mysql://` is nothing that stacktop watches; write postgres://"),
        (
            &["targets", &bare],
            "write search+, prometheus+, metrics+, alertmanager+, loki+, health+ or probe+ before its scheme",
        ),
        (&["doctor", &good, &port], "URL 2 cannot be used: its port"),
        (&[SECRET], "there is no command like that, and it is no URL"),
        (&["tragets"], "did you mean `targets`?"),
        (&[&good, "doctor"], "a command stands before its URLs: `stacktop doctor URL`"),
        (&["config", &good], "this command takes no URL"),
        (&["config", "--read-only"], "--read-only changes nothing about `stacktop config`: leave it out"),
        (&["--read-only", "targets"], "--read-only changes nothing about `stacktop targets`"),
        (&["demo", "--config", "x"], "--config changes nothing about `stacktop demo`"),
        (&["check-config", "--theme", "dark"], "--theme changes nothing about `stacktop check-config`"),
        (&["licences", "--ascii"], "--ascii changes nothing about `stacktop licences`"),
        (&["config", "-o", "json"], "there is no argument like that"),
        (&["completions", "tcsh"], "<SHELL> has no value, or one that cannot be used"),
    ] {
        let (out, error) = said(folder.path(), &[], words, 2);
        assert!(out.is_empty() && error.contains(expected), "{words:?}: {out}{error}");
    }
}

#[test]
fn json_says_what_the_table_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("redis://:{SECRET}@127.0.0.1:1/0");
    let around = [("REDIS_URL", url.as_str()), ("PGPASSWORD", SECRET)];
    let (text, _) = said(folder.path(), &around, &["targets"], 0);
    let (out, _) = said(folder.path(), &around, &["targets", "--output", "json"], 0);
    let told = json(&out);
    let redis =
        told["targets"].as_array().expect("a list").iter().find(|one| one["name"] == "redis").expect("it");
    assert_eq!((&redis["address"], &redis["interval_seconds"]), (&"127.0.0.1:1/0".into(), &2.0.into()));
    assert_eq!(redis["chosen_because"], "REDIS_URL is set");
    for line in told["looked_at"].as_array().expect("a list") {
        let line = line.as_str().expect("text");
        assert!(text.contains(line), "{line} in {text}");
    }
    // Nothing listens on port 1.
    let (out, _) = said(folder.path(), &[], &["doctor", &url, "-o", "json"], 1);
    let told = json(&out);
    let target = &told["targets"][0];
    assert_eq!((&told["readable"], &target["readable"]), (&false.into(), &false.into()));
    assert_eq!(
        (&target["checks"][0]["feature"], &target["checks"][0]["standing"]),
        (&"connection".into(), &"refused".into())
    );
    let (text, _) = said(folder.path(), &[], &["doctor", &url], 1);
    let found = target["checks"][0]["found"].as_str().expect("text");
    assert!(text.contains(&format!("REFUSED  connection: {found}")), "{found} in {text}");
}

#[test]
fn info_tells_paths_terminal_and_findings_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("postgres://ann:{SECRET}@127.0.0.1:1/app");
    let around = [("DATABASE_URL", url.as_str()), ("PGPASSWORD", SECRET), ("LANG", "C")];
    let (text, _) = said(folder.path(), &around, &["info"], 0);
    for expected in [
        concat!("stacktop                ", env!("CARGO_PKG_VERSION")),
        "/.config/stacktop/config.toml (not there)",
        "/.local/state/stacktop/audit.jsonl (not there)",
        "TERM                    xterm-256color",
        "theme                   dark",
        "other theme             light",
        "ascii                   yes",
        "DATABASE_URL\n",
        "pg  Postgres  127.0.0.1:1/app",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let (out, _) = said(folder.path(), &around, &["info", "-o", "json"], 0);
    let told = json(&out);
    assert_eq!(told["versions"]["stacktop"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["detected"]["variables_set"], serde_json::json!(["DATABASE_URL", "PGPASSWORD"]));
    // What is wrong is a part of the report.
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, format!("[[redis]]\nurl = \"redis://:{SECRET}@h:x\"\n")).expect("written");
    let (text, _) = said(folder.path(), &[], &["info", "--config", "wrong.toml"], 0);
    assert!(text.contains("problem") && text.contains("wrong.toml:2:7"), "{text}");
}

#[test]
fn completions_and_the_man_page_know_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let verbs = [
        "demo",
        "targets",
        "trust",
        "mark",
        "doctor",
        "info",
        "check-config",
        "completions",
        "man",
        "licences",
    ];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (text, _) = said(folder.path(), &[], &["completions", shell], 0);
        for word in verbs.iter().chain(&["read-only", "output"]) {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    let (page, _) = said(folder.path(), &[], &["man"], 0);
    assert!(page.contains(".TH stacktop 1") && page.contains("Exit codes: 0"), "{page}");
    for word in verbs {
        let heading = format!(".SH \"{}\"\n", word.to_uppercase());
        assert!(page.contains(&heading), "{word} in {page}");
    }
    assert!(page.replace('\\', "").contains("--seed") && !page.contains("stacktop\\-demo(1)"), "{page}");
    // A shell takes it as it is.
    let place = folder.path().join("stacktop.bash");
    std::fs::write(&place, said(folder.path(), &[], &["completions", "bash"], 0).0).expect("written");
    let asks = "source ./stacktop.bash && COMP_WORDS=(stacktop che) COMP_CWORD=1 && \
                _stacktop stacktop che stacktop && echo \"${COMPREPLY[@]}\"";
    let Ok(output) = Command::new("bash").args(["-c", asks]).current_dir(folder.path()).output() else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "check check-config", "{output:?}");
}

#[test]
fn the_exit_codes_are_documented_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let (help, _) = said(folder.path(), &[], &["--help"], 0);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("Exit codes: 0 it is as asked; 1 no target was found (targets)"), "{help}");
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("text");
    assert!(readme.contains("**Exit codes**"));
    said(folder.path(), &[], &["check-config"], 1);
    said(folder.path(), &[], &["doctor", "redis://127.0.0.1:1"], 1);
    said(folder.path(), &[], &["--config", "nowhere.toml"], 2);
}
