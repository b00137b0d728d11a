//! `config.toml` is the documented sample: it says what the defaults are, for every rule, and nothing else.

use stacktop::config::discover::Surroundings;
use stacktop::config::resolve::{Settings, resolve};
use stacktop::config::wishes::Wishes;
use stacktop::core::alert::RuleSpec;
use stacktop::core::world::all_rules;
use std::path::PathBuf;

/// Where the rules begin in the sample: everything after this line is rendered from the code.
const RULES_BEGIN: &str = "enabled = false switches it off.\n";

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config.toml")
}

fn section(spec: &RuleSpec) -> String {
    let mut text = format!("\n[rules.\"{}\"]  # {} ({})\n", spec.id, spec.help, spec.unit.word());
    for (name, value) in [("warning", spec.warning), ("critical", spec.critical)] {
        if let Some(value) = value {
            text.push_str(&format!("{name} = {value:?}\n"));
        }
    }
    text.push_str(&format!("hold = \"{}s\"\n", spec.hold.as_secs()));
    if !spec.clear.is_zero() {
        text.push_str(&format!("clear = \"{}s\"\n", spec.clear.as_secs()));
    }
    if !spec.on {
        text.push_str("enabled = false\n");
    }
    text
}

fn settings(config: Option<PathBuf>) -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    resolve(&Wishes { config, ..Wishes::default() }, &Surroundings::empty(folder.path()))
        .expect("it is valid")
}

#[test]
fn the_sample_lists_every_rule_as_it_is() {
    let text = std::fs::read_to_string(sample()).expect("config.toml");
    let (head, rules) = text.split_once(RULES_BEGIN).expect("the line before the rules");
    let expected: String = all_rules().into_iter().map(section).collect();
    if std::env::var_os("STACKTOP_UPDATE_SAMPLE").is_some() {
        std::fs::write(sample(), format!("{head}{RULES_BEGIN}{expected}")).expect("written");
        return;
    }
    assert_eq!(rules, expected, "run once with STACKTOP_UPDATE_SAMPLE=1 to render it anew");
}

#[test]
fn the_sample_equals_the_defaults() {
    let (written, default) = (settings(Some(sample())), settings(None));
    assert_eq!(written.rules, default.rules);
    assert_eq!(written.patience, default.patience);
    assert_eq!(written.keys, default.keys);
    assert_eq!(written.notify, default.notify);
    assert!(written.webhook.is_none() && default.webhook.is_none());
    assert_eq!(
        (written.ascii, written.blocks, written.read_only, written.theme),
        (default.ascii, default.blocks, default.read_only, default.theme)
    );
    assert_eq!((written.environment, written.production), (default.environment, default.production));
    assert!(written.targets.is_empty() && default.targets.is_empty());
}

#[test]
fn the_examples_in_the_sample_are_valid_once_uncommented() {
    let text = std::fs::read_to_string(sample()).expect("config.toml");
    let (_, targets) = text.split_once("── Targets").expect("the targets");
    let (targets, _) = targets.split_once("── Rules").expect("the rules");
    let examples: String = targets
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .skip_while(|line| !line.starts_with("[["))
        .filter(|line| line.starts_with("[[") || line.contains(" = "))
        // The sample's secrets are not on this machine.
        .filter(|line| !line.contains("_file = ") && !line.contains("ca = "))
        .map(|line| format!("{line}\n"))
        .collect();
    let file = tempfile::NamedTempFile::with_suffix(".toml").expect("a file");
    std::fs::write(file.path(), &examples).expect("written");
    let settings = settings(Some(file.path().to_owned()));
    assert_eq!(settings.targets.len(), 13, "{examples}");
    assert_eq!(settings.environment, "remote");
}

#[test]
fn the_compose_file_for_trying_is_found_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let compose = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("compose.yaml");
    std::fs::copy(compose, folder.path().join("compose.yaml")).expect("copied");
    let settings = resolve(&Wishes::default(), &Surroundings::empty(folder.path())).expect("it is valid");
    let found: Vec<String> =
        settings.targets.iter().map(|target| format!("{} {}", target.id, target.address())).collect();
    let expected = [
        "db 127.0.0.1:5433/shop",
        "redis 127.0.0.1:6390/0",
        "search http://127.0.0.1:9210",
        "prometheus http://127.0.0.1:9095",
    ];
    assert_eq!(found, expected, "{:?}", settings.trail);
}

/// `targets` fails where there is none; what listens on this machine's well-known ports is one.
#[test]
fn targets_fails_where_none_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |variables: &[(&str, &str)]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stacktop"))
            .arg("targets")
            .env_clear()
            .env("HOME", folder.path())
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = run(&[]);
    let none = text.contains("no target was found");
    assert_eq!(code, Some(i32::from(none)), "{text}");
    let (code, text) = run(&[("REDIS_URL", "redis://127.0.0.1:9")]);
    assert!(code == Some(0) && text.contains("127.0.0.1:9"), "{code:?} {text}");
}

/// What is wrong with a key is told where it stands, with the remedy; what is right needs no word.
#[test]
fn a_key_that_cannot_be_is_told_at_its_own_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |text: &str| {
        std::fs::write(folder.path().join("keys.toml"), text).expect("written");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stacktop"))
            .args(["check-config", "--config", "keys.toml"])
            .env_clear()
            .env("HOME", folder.path())
            .current_dir(folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let target = "[[redis]]\nurl = \"redis://127.0.0.1:9\"\n";
    for (keys, place, words) in [
        ("quit = \"Q\"\ntheme = \"esc\"\n", "keys.toml:3:1", "Esc always means `back`"),
        ("terminate = \"t\"\n", "keys.toml:2:1", "it stays behind x and its dialogs"),
        ("arm = { add = \"A\" }\n", "keys.toml:2:1", "give `arm` a key with Control"),
        ("quit = 3\n", "keys.toml:2:8", "is not a key in quotes"),
        ("quit = { remove = \"q\" }\n", "keys.toml:2:1", "write a key in quotes"),
        ("[keys.fields]\n\neditor = [\"f9\", \"g\"]\n", "keys.toml:4:1", "in a dialog g is typed"),
        ("dialogs = \"x\"\n", "keys.toml:2:1", "write [keys.dialogs]"),
    ] {
        let (code, told) = run(&format!("[keys]\n{keys}{target}"));
        assert_eq!(code, Some(2), "{keys}: {told}");
        assert!(told.contains(place) && told.contains(words), "{keys}: {told}");
        assert_eq!(told.lines().count(), 1, "{keys}: {told}");
    }
    let right = "quit = { add = \"Q\" }\nfreeze = [\"z\", \"f2\"]\ntheme = []\n[keys.dialogs]\npage-down = \"f8\"\n\
                 [keys.fields]\neditor = { add = \"f9\" }\n";
    let (code, told) = run(&format!("[keys]\n{right}{target}"));
    assert_eq!(code, Some(0), "{told}");
}
