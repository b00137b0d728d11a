//! What README, config.toml, CHANGELOG and the pages of `docs/` say is so: commands are run, examples are read, keys and commands are looked
//! up in the registry, figures are those of the code.

use super::{apart, docs, is_known, pages, root, text};
use stacktop::app::ALIASES;
use stacktop::app::command::{Command, Context, registry};
use stacktop::app::key::Key;
use stacktop::app::keymap::Keymap;
use stacktop::app::overlay::SPANS;
use stacktop::config::discover::Surroundings;
use stacktop::config::resolve::{Settings, resolve};
use stacktop::config::wishes::Wishes;
use stacktop::core::chain::edges;
use stacktop::core::place::Screen;
use stacktop::ui::field::Edit;
use stacktop::ui::theme::BUILT_IN;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Whatever is written for operators: README, CHANGELOG, the sample and the pages.
fn written() -> Vec<PathBuf> {
    let mut list = pages();
    list.extend(["CHANGELOG.md", "config.toml"].map(|name| root().join(name)));
    list
}

/// What stands between backticks outside of fences.
fn quoted(page: &str) -> Vec<String> {
    apart(page).0.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table of the README: what stands in its first column, and what each of these keys does.
#[test]
fn the_keys_of_the_readme_are_those_of_the_registry() {
    let readme = text(&root().join("README.md"));
    let table = readme.split("| key | what |").nth(1).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let named: BTreeSet<String> =
        rows.flat_map(|row| quoted(row.split(" | ").next().unwrap_or_default())).collect();
    let on_screens = |command| (Context::Screens, command);
    let expected: BTreeMap<&str, (Context, Command)> = [
        ("1", on_screens(Command::Screen(Screen::Overview))),
        ("9", on_screens(Command::Screen(Screen::Alerts))),
        ("0", on_screens(Command::Screen(Screen::Timeline))),
        ("Enter", on_screens(Command::Open)),
        ("Esc", on_screens(Command::Back)),
        ("x", on_screens(Command::Actions)),
        ("a", on_screens(Command::Acknowledge)),
        ("A", on_screens(Command::Snooze)),
        ("o", on_screens(Command::Runbook)),
        ("/", on_screens(Command::Filter)),
        ("s", on_screens(Command::Sort)),
        ("c", on_screens(Command::Count)),
        ("p", on_screens(Command::Freeze)),
        ("r", on_screens(Command::Refresh)),
        ("e", on_screens(Command::Export)),
        ("T", on_screens(Command::Theme)),
        ("m", on_screens(Command::Mouse)),
        ("@", on_screens(Command::ActionLog)),
        ("!", on_screens(Command::Sources)),
        ("f", on_screens(Command::Lines)),
        ("?", on_screens(Command::Help)),
        (":", on_screens(Command::Palette)),
        ("^O", (Context::Fields, Command::Editor)),
        ("^A", (Context::Fields, Command::Edit(Edit::Start))),
        ("^E", (Context::Fields, Command::Edit(Edit::End))),
        ("^W", (Context::Fields, Command::Edit(Edit::EraseWord))),
        ("^U", (Context::Fields, Command::Edit(Edit::EraseBefore))),
        ("^K", (Context::Fields, Command::Edit(Edit::EraseAfter))),
        ("^←", (Context::Fields, Command::Edit(Edit::WordLeft))),
        ("^→", (Context::Fields, Command::Edit(Edit::WordRight))),
    ]
    .into();
    let keymap = Keymap::default();
    for (name, (context, command)) in &expected {
        let plain = name.strip_prefix('^').map_or_else(
            || if name.len() > 1 { name.to_lowercase() } else { (*name).to_owned() },
            |key| match key {
                "←" => "ctrl-left".to_owned(),
                "→" => "ctrl-right".to_owned(),
                key => format!("ctrl-{}", key.to_lowercase()),
            },
        );
        let key = Key::parse(&plain).unwrap_or_else(|why| panic!("{plain}: {why}"));
        assert_eq!(keymap.command(*context, key), Some(*command), "{name}");
        assert!(readme.contains(&format!("`{name}`")), "{name} is told");
    }
    let told = |name: &String| expected.contains_key(name.as_str()) || name.starts_with(':');
    assert!(named.iter().all(told), "{:?}", named.iter().filter(|name| !told(name)).collect::<Vec<_>>());
    assert!(named.len() > 18, "{named:?}");
}

/// `:arm`, `:target NAME`: each is a command by its name.
#[test]
fn every_command_by_name_is_in_the_registry() {
    let names: BTreeSet<&str> = registry().iter().map(|entry| entry.name).collect();
    let mut found = BTreeSet::new();
    for path in written() {
        for words in quoted(&text(&path)).iter().filter_map(|words| words.strip_prefix(':')) {
            let name = words.split(' ').next().unwrap_or_default();
            if !name.is_empty() && name != "NAME" {
                let known = names.contains(name) || ALIASES.iter().any(|(alias, _)| *alias == name);
                assert!(known, "{}: no command :{name}", path.display());
                found.insert(name.to_owned());
            }
        }
    }
    for name in ["arm", "disarm", "target", "find", "stop"] {
        assert!(found.contains(name), "{found:?}");
    }
}

/// Flags and commands in CHANGELOG and config.toml, too; whatever the program names itself is there.
#[test]
fn what_changelog_and_sample_name_of_the_command_line_is_there() {
    for name in ["CHANGELOG.md", "config.toml"] {
        let page = text(&root().join(name));
        let lines: BTreeSet<String> = quoted(&page)
            .iter()
            .filter_map(|words| words.strip_prefix("stacktop ").map(str::to_owned))
            .collect();
        for line in &lines {
            assert!(is_known(line), "{name}: stacktop {line}");
        }
        assert!(!lines.is_empty(), "{name}");
    }
    let help = String::from_utf8(stacktop(&root(), "stacktop --help").0).expect("text");
    let demo = String::from_utf8(stacktop(&root(), "stacktop demo --help").0).expect("text");
    let targets = String::from_utf8(stacktop(&root(), "stacktop targets --help").0).expect("text");
    let check = String::from_utf8(stacktop(&root(), "stacktop check --help").0).expect("text");
    let serve = String::from_utf8(stacktop(&root(), "stacktop serve --help").0).expect("text");
    for path in written() {
        for words in quoted(&text(&path)) {
            let Some(flag) = words.split(' ').next().filter(|flag| flag.starts_with("--")) else { continue };
            // Flags of others are named with what they belong to.
            let others = ["--release", "--requirepass"];
            let known = [&help, &demo, &targets, &check, &serve].iter().any(|help| help.contains(flag));
            assert!(known || others.contains(&flag), "{}: {flag}", path.display());
        }
    }
}

/// The sentence about exit codes is that of `--help`; that they are so is shown in `arguments` and `pty`.
#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let flat = |text: &str| text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ");
    let help = flat(&String::from_utf8(stacktop(&root(), "stacktop --help").0).expect("text"));
    let readme = flat(&text(&root().join("README.md")));
    let codes = |text: &str, begin: &str| {
        let rest = text.split(begin).nth(1).expect("exit codes").to_owned();
        rest.split("terminal is gone)").next().expect("an end").trim().to_owned()
    };
    assert_eq!(codes(&readme, "**Exit codes**:"), codes(&help, "Exit codes:"));
}

/// What `line` prints and how it ends, with `stacktop` on the path and nothing of the operator's around.
fn stacktop(folder: &Path, line: &str) -> (Vec<u8>, Option<i32>) {
    let program = Path::new(env!("CARGO_BIN_EXE_stacktop")).parent().expect("a folder");
    let path = format!("{}:/usr/bin:/bin", program.display());
    let output = std::process::Command::new("sh")
        .args(["-c", line])
        .env_clear()
        .env("HOME", folder)
        .env("PATH", path)
        .env("TERM", "xterm-256color")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    (output.stdout, output.status.code())
}

/// What a newcomer is told to type works as it stands, in an empty folder.
#[test]
fn the_first_five_minutes_work_as_they_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = text(&docs("start.md"));
    let typed: Vec<String> = apart(&page).1.lines().map(str::to_owned).collect();
    let expected = ["config > stacktop.toml", "trust", "check-config --config stacktop.toml"]
        .map(|line| format!("stacktop {line}"));
    for line in &expected {
        assert!(typed.contains(line), "{line} in {typed:?}");
        let (out, code) = stacktop(folder.path(), line);
        assert_eq!(code, Some(0), "{line}: {}", String::from_utf8_lossy(&out));
    }
    let sample = std::fs::read_to_string(folder.path().join("stacktop.toml")).expect("it was written");
    assert_eq!(sample, text(&root().join("config.toml")));
    // What is left wants a terminal, servers or a stack.
    let wants: BTreeSet<&str> = ["stacktop", "stacktop demo", "stacktop targets", "stacktop doctor"].into();
    for line in typed.iter().filter(|line| !line.is_empty() && !expected.contains(line)) {
        assert!(wants.contains(line.as_str()), "{line} is run by no test");
    }
    let (out, code) = stacktop(folder.path(), "stacktop demo");
    assert_eq!(
        (String::from_utf8_lossy(&out).as_ref(), code),
        ("", Some(2)),
        "no terminal, said on the other stream"
    );
}

fn settings(folder: &Path, text: &str) -> Settings {
    let path = folder.join("written.toml");
    std::fs::write(&path, text).expect("written");
    resolve(&Wishes { config: Some(path), ..Wishes::default() }, &Surroundings::empty(folder))
        .unwrap_or_else(|mistake| panic!("{mistake}\n{text}"))
}

/// The examples before the targets: each line that is a comment and a setting is taken out of its comment.
#[test]
fn the_settings_of_the_sample_are_valid_once_uncommented() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = text(&root().join("config.toml"));
    let head = sample.split_once("# ── Targets").expect("the targets").0;
    let is_setting = |line: &str| {
        let name = line.split(" = ").next().unwrap_or_default();
        let plain = |sign: char| sign.is_ascii_lowercase() || matches!(sign, '_' | '-');
        line.starts_with('[') || line.contains(" = ") && !name.is_empty() && name.chars().all(plain)
    };
    let mut lines: Vec<&str> = Vec::new();
    for line in head.lines() {
        let open = line.strip_prefix("# ").filter(|line| is_setting(line)).unwrap_or(line);
        lines.push(open);
    }
    // The secret is not on this machine, and there is no second theme file.
    let open = lines
        .join("\n")
        .replace("url_file = \"/run/secrets/stacktop-webhook\"", "url = \"https://hook.example/x\"");
    let settings = settings(folder.path(), &open);
    assert_eq!((settings.environment.as_str(), settings.production), ("staging", true));
    assert!(settings.webhook.is_some() && !settings.keys.is_empty());
    assert_eq!(settings.theme.as_deref(), Some("dark"));
}

/// A setting that a page names (`local = true`) is one that the sample documents.
#[test]
fn every_setting_that_is_named_is_in_the_sample() {
    let sample = text(&root().join("config.toml"));
    // Of servers, and not ours; the pages of rules name many more of them.
    let others = ["track_io_timing", "reserved_connections"];
    let of_a_rule = |path: &Path| path.starts_with(docs("rules"));
    let mut found = BTreeSet::new();
    for path in written().iter().filter(|path| !of_a_rule(path) && !path.ends_with("config.toml")) {
        for words in quoted(&text(path)) {
            let Some((name, _)) = words.split_once(" = ") else { continue };
            let name = name.rsplit("] ").next().unwrap_or_default();
            if name.is_empty()
                || others.contains(&name)
                || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            {
                continue;
            }
            let there = [format!("{name} = "), format!("{name} (true or false)"), format!("{name} (")];
            assert!(there.iter().any(|form| sample.contains(form)), "{}: {words}", path.display());
            found.insert(name.to_owned());
        }
    }
    for name in ["runbook", "local", "pgbouncer", "hide_literals", "read_only"] {
        assert!(found.contains(name), "{found:?}");
    }
}

/// Files of this repository, between backticks.
#[test]
fn every_file_that_is_named_is_there() {
    let folders = ["tests/", "src/", "packaging/", "docs/", "themes/"];
    let mut found = 0;
    for path in written() {
        for words in quoted(&text(&path)) {
            let name = words.split(' ').next().unwrap_or_default();
            if folders.iter().any(|folder| name.starts_with(folder)) {
                assert!(root().join(name).exists(), "{}: no {name}", path.display());
                found += 1;
            }
        }
    }
    assert!(found > 8, "{found}");
}

/// Names of our own variables occur in the code or in the scripts.
#[test]
fn every_variable_of_ours_is_read_somewhere() {
    let mut code = String::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("statements.rs") {
                code.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let mut found = 0;
    for path in written() {
        let page = text(&path);
        for rest in page.split("STACKTOP_").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            assert!(code.contains(&format!("STACKTOP_{name}")), "{}: STACKTOP_{name}", path.display());
            found += 1;
        }
    }
    assert!(found > 2, "{found}");
}

/// For how long actions are permitted.
const MINUTES: &str = "pub const ARMED_FOR: Duration = Duration::from_secs(600);";

/// What a page says, and the line of the code that it comes from.
const FIGURES: [(&str, &str, &str, &str); 18] = [
    (
        "README.md",
        "more than a fifth of its interval doubles",
        "engine/schedule.rs",
        "SLOW_SHARE: f64 = 0.2;",
    ),
    ("README.md", "up to four times what is configured", "engine/schedule.rs", "WIDEST: u32 = 4;"),
    (
        "docs/fleets.md",
        "more than a fifth of its interval doubles",
        "engine/schedule.rs",
        "SLOW_SHARE: f64 = 0.2;",
    ),
    ("docs/fleets.md", "With more than twelve targets", "panels/groups.rs", "LISTED_TO: usize = 12;"),
    ("docs/fleets.md", "Five endpoints and more", "panels/metrics/list.rs", "LISTED_FROM: usize = 5;"),
    ("README.md", "until `:arm` (ten minutes)", "core/arming.rs", MINUTES),
    ("docs/safety.md", "permits changes for ten minutes", "core/arming.rs", MINUTES),
    ("config.toml", "(:arm, for ten minutes)", "core/arming.rs", MINUTES),
    (
        "docs/safety.md",
        "for the first 300 ms",
        "app/overlay.rs",
        "SETTLE: Duration = Duration::from_millis(300);",
    ),
    ("README.md", "(4 MiB and one older file)", "actions/keeper.rs", "FILE_BYTES: u64 = 4 * 1024 * 1024;"),
    (
        "docs/screens/timeline.md",
        "4 MiB and one older file",
        "actions/keeper.rs",
        "FILE_BYTES: u64 = 4 * 1024 * 1024;",
    ),
    (
        "README.md",
        "changes of the ten minutes before",
        "core/around.rs",
        "BEFORE: Duration = Duration::from_secs(600);",
    ),
    (
        "README.md",
        "its number over a quarter of an hour",
        "panels/finding.rs",
        "SPAN: Duration = Duration::from_secs(15 * 60);",
    ),
    (
        "docs/screens/blocking.md",
        "a lock timeout of 100 ms and a statement timeout of 2 s",
        "sources/postgres/settings.rs",
        "(\"lock_timeout\", \"100ms\"),",
    ),
    (
        "docs/screens/queues.md",
        "reads at most 512 KiB of jobs",
        "sources/redis/budget.rs",
        "MOST: u64 = 512 * 1024;",
    ),
    (
        "CHANGELOG.md",
        "expositions of up to 128 MiB",
        "sources/metrics/mod.rs",
        "BODY_BYTES: usize = 128 * 1024 * 1024;",
    ),
    (
        "CHANGELOG.md",
        "(3 s at most)",
        "actions/ongoing.rs",
        "ENDED_WITHIN: Duration = Duration::from_secs(3);",
    ),
    (
        "config.toml",
        "timeout (\"4s\")",
        "config/postgres.rs",
        "DEFAULT_TIMEOUT: Duration = Duration::from_secs(4);",
    ),
];

/// Figures with the line of the code that they come from: who changes one is told of the other.
#[test]
fn figures_are_those_of_the_code() {
    for (page, words, file, line) in FIGURES {
        // Lines of a page are broken anywhere.
        let flat = |text: &str| text.replace("\n#", "\n").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&text(&root().join(page))).contains(&flat(words)), "{page} says no more: {words}");
        assert!(
            text(&root().join("src").join(file)).contains(line),
            "{page} says {words}, src/{file} has no {line}"
        );
    }
    let readme = text(&root().join("README.md"));
    assert!(readme.contains(&format!("Rust toolchain ({} or newer)", env!("CARGO_PKG_RUST_VERSION"))));
    assert!(readme.contains("(15 m, 1 h, until clear)") && SPANS == ["15m", "1h", "until clear"]);
    let (about, edges) = (70, edges().count());
    assert!(
        text(&root().join("CHANGELOG.md")).contains("About seventy mechanisms") && edges.abs_diff(about) <= 5,
        "{edges}"
    );
}

/// Intervals and themes that the sample names are those of the code.
#[test]
fn the_sample_names_intervals_and_themes_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(
        folder.path(),
        "[[postgres]]\nurl = \"postgres://a@127.0.0.1/a\"\n[[redis]]\nurl = \"redis://127.0.0.1\"\n\
         [[search]]\nurl = \"http://127.0.0.1:9200\"\n[[prometheus]]\nurl = \"http://127.0.0.1:9090\"\n\
         [[metrics]]\nurl = \"http://127.0.0.1:1/metrics\"\n[[alertmanager]]\nurl = \"http://127.0.0.1:9093\"\n\
         [[loki]]\nurl = \"http://127.0.0.1:3100\"\n[[log]]\nname = \"log\"\nfile = \"/var/log/shop.log\"\n[[health]]\nurl = \"http://127.0.0.1:1/health\"\n[[probe]]\ntcp = \"127.0.0.1:1\"\n",
    );
    let intervals: Vec<(String, u64)> =
        settings.targets.iter().map(|target| (target.id.to_string(), target.interval.as_secs())).collect();
    let expected = [
        ("pg", 2),
        ("redis", 2),
        ("search", 5),
        ("prom", 5),
        ("metrics", 5),
        ("alertmanager", 10),
        ("loki", 2),
        ("log", 2),
        ("health", 10),
        ("probe", 10),
    ];
    assert_eq!(intervals, expected.map(|(name, seconds)| (name.to_owned(), seconds)));
    let sample = text(&root().join("config.toml"));
    let flat = |text: &str| text.replace("\n#", "\n").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(&sample).contains(
        "name (default: pg, redis, search, prom, metrics, alertmanager, loki, health, probe; a log has to have one), interval (postgres, redis, loki and log \"2s\", \
         alertmanager, health and probe \"10s\", the others \"5s\")"
    ));
    let (known, help) =
        (sample.split("[engine]").next().expect("a head"), stacktop(&root(), "stacktop --help").0);
    for (name, _) in BUILT_IN {
        assert!(known.contains(name), "config.toml names {name}");
        let base = name.strip_suffix("-light").unwrap_or(name);
        assert!(String::from_utf8_lossy(&help).contains(base), "--help names {name}");
    }
}
