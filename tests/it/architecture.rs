//! The house's own rules: who may use whom, what every file has, what may stand only in one place.

use proc_macro2::{TokenStream, TokenTree};
use stacktop::app::command::registry;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which modules a module may use. What is not here may not be; what is here and not used fails too.
const MAY_USE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("config", &["core"]),
    ("ui", &["core"]),
    ("sources", &["core", "config"]),
    // An executor opens its connection as the source of the same system does.
    ("actions", &["core", "config", "sources"]),
    ("panels", &["core", "ui"]),
    ("engine", &["core", "sources"]),
    // The one place that knows every system from both sides.
    ("systems", &["core", "config", "sources", "actions"]),
    ("drill", &["core", "sources", "actions", "engine"]),
    // Audit lines and the gate's words are data to the app; it performs nothing.
    ("app", &["core", "ui", "panels", "actions"]),
    // It reads what others noted of findings, and performs nothing.
    ("headless", &["core", "app", "panels", "engine", "actions"]),
    ("runtime", &["core", "app", "engine", "actions"]),
    (
        "cli",
        &[
            "core", "config", "sources", "actions", "systems", "engine", "drill", "app", "ui", "headless",
            "runtime",
        ],
    ),
];

/// Outside crates, and the only modules that may use them.
const CRATES: &[(&str, &[&str])] = &[
    ("tokio_postgres", &["sources", "actions"]),
    ("redis", &["sources", "actions"]),
    ("reqwest", &["sources"]),
    ("encoding_rs", &["sources"]),
    ("rustls", &["sources"]),
    ("ratatui", &["ui", "app", "runtime", "cli"]),
    ("tokio", &["sources", "actions", "engine", "headless", "runtime", "cli"]),
    ("hyper", &["headless"]),
    ("hyper_util", &["headless"]),
    ("http_body_util", &["headless"]),
    ("color_eyre", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("toml", &["config", "ui"]),
    ("tui_input", &["ui"]),
    ("crossterm", &["runtime", "cli"]),
];

/// Files that begin a task or a thread by itself, each with what ends it. A task in a set ends with the set; work that blocks has a place.
const BEGIN: &[(&str, &str)] = &[
    ("actions/writer.rs", "a thread for a file that outlives the run: ends with who gives it work"),
    ("engine/mod.rs", "one for each target: end with the engine, and when the run ends"),
    ("runtime/clipboard.rs", "one write to the terminal: nobody waits for it at the end"),
    ("runtime/effects.rs", "reads the configuration again: nobody waits for it at the end"),
    ("runtime/export.rs", "writes a few files: nobody waits for it at the end"),
    ("runtime/logging.rs", "reads the end of a file: nobody waits for it at the end"),
    ("runtime/input.rs", "the thread that reads keys, which cannot be given up: ends with the process"),
    ("sources/owned.rs", "ends with its owner"),
    ("sources/bulkhead.rs", "so many for each key: each ends with its work"),
    ("sources/postgres/asking.rs", "cancels what its connection left behind: ends after two seconds"),
    ("sources/postgres/login.rs", "drives a connection: takes leave of the server and ends with its client"),
];

/// Files that are longer than [`LONGEST`], each with its reason.
const LONG: &[(&str, &str)] = &[];
/// Lines without tests that a file may have.
const LONGEST: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn rust_files(folder: &Path, list: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, list);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            list.push(path);
        }
    }
}

/// Whether the file at `path` holds the tests of the module above it and nothing else.
pub fn is_tests(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
}

/// What stands in the file at `path` before its tests.
pub fn before_tests<'a>(path: &Path, text: &'a str) -> &'a str {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    if is_tests(path) { "" } else { code }
}

/// Every source file: its path below `src`, its top-level module, its text without tests and comments.
fn sources() -> Vec<(String, String, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("text");
            let path = path.strip_prefix(&src).expect("below src").display().to_string();
            let top = path.split('/').next().expect("a part").trim_end_matches(".rs").to_owned();
            let code: Vec<&str> = before_tests(Path::new(&path), &text)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            (path, top, code.join("\n"))
        })
        .collect()
}

/// The modules of ours that `code` names after `crate::`, alone or in braces.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(inside) => {
                let inside = inside.split('}').next().unwrap_or_default();
                names.extend(inside.split(',').map(|name| word(name.trim())));
            }
            None => {
                names.insert(word(rest));
            }
        }
    }
    names.remove("");
    names
}

#[test]
fn modules_use_only_what_they_may() {
    let tops: BTreeSet<String> = sources().into_iter().map(|(_, top, _)| top).collect();
    for top in tops.iter().filter(|top| !matches!(top.as_str(), "lib" | "main")) {
        assert!(MAY_USE.iter().any(|(name, _)| name == top), "the module {top} has no line in MAY_USE");
    }
    for (name, allowed) in MAY_USE {
        let mut seen = BTreeSet::new();
        for (path, top, code) in sources() {
            if top != *name {
                continue;
            }
            for target in used(&code) {
                if target == *name || !tops.contains(&target) {
                    continue;
                }
                assert!(allowed.contains(&target.as_str()), "{path} uses {target}, which {name} may not");
                seen.insert(target);
            }
        }
        for target in *allowed {
            assert!(seen.contains(*target), "{name} may use {target} but does not: take the permission away");
        }
    }
}

#[test]
fn every_task_and_every_thread_has_an_end() {
    let begins = ["tokio::spawn(", "spawn_blocking(", "thread::spawn(", "thread::Builder", "spawn_local("];
    let found: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(_, _, code)| begins.iter().any(|word| code.contains(word)))
        .map(|(path, ..)| path)
        .collect();
    let known: BTreeSet<String> = BEGIN.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, known, "what begins a task or a thread, and what is known of that");
}

/// The table in lib.rs says of each layer what this list allows it.
#[test]
fn the_map_of_the_house_is_true() {
    let map = std::fs::read_to_string(root().join("src/lib.rs")).expect("text");
    let rows: Vec<Vec<&str>> = map
        .lines()
        .filter_map(|line| line.strip_prefix("//! | [`"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), MAY_USE.len());
    for (row, (name, allowed)) in rows.iter().zip(MAY_USE) {
        assert_eq!(row[0].trim_end_matches("`]"), *name);
        let said = row[2].split('(').next().unwrap_or_default().trim();
        let expected = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
        assert_eq!(said, expected, "what {name} may use");
    }
}

#[test]
fn outside_crates_stay_in_their_places() {
    for (krate, allowed) in CRATES {
        for (path, top, code) in sources() {
            let own = code.contains(&format!("use {krate}::"))
                || code.contains(&format!(" {krate}::"))
                || code.contains(&format!("({krate}::"));
            // A module of ours has the name of the crate.
            let ours =
                code.contains(&format!("mod {krate};")) || code.contains(&format!("use super::{krate}"));
            if own && !ours && *krate == "redis" && !matches!(top.as_str(), "sources" | "actions") {
                let outside = code.contains("use redis::")
                    || code.contains(" redis::cmd")
                    || code.contains("redis::Value");
                assert!(!outside, "{path} uses the crate redis");
            } else if own && !ours && *krate != "redis" {
                assert!(allowed.contains(&top.as_str()), "{path} uses the crate {krate}");
            }
        }
    }
}

/// There is one way to a world: what is drawn is of the moment that is looked at.
#[test]
fn what_is_drawn_is_of_one_moment() {
    for (path, _, code) in sources() {
        if !path.starts_with("app/view/") && path != "app/sheet.rs" && path != "app/verdict.rs" {
            continue;
        }
        assert!(!code.contains("model.world"), "{path} looks past the lens");
        // How long an arming lasts, how long a moment is held and how long ago somebody acted is of the present.
        let present = code.matches("model.now").count();
        let allowed = ["mode(model.now)", "model.now.since(moment.now)", "when(model.now)"]
            .map(|word| code.matches(word).count());
        assert_eq!(present, allowed.iter().sum::<usize>(), "{path} looks past the lens");
    }
}

/// A panel looks at the world through the scope: else it would show, or act on, what is not looked at.
#[test]
fn no_panel_looks_past_the_scope() {
    for (path, _, code) in sources() {
        if path.starts_with("panels/") && path != "panels/panel.rs" {
            assert!(!code.contains("world."), "{path} looks past the scope");
        }
    }
}

/// How bad a number is says the rulebook: a panel that compares it with a number of its own disagrees sooner or later.
#[test]
fn no_panel_has_a_threshold() {
    for (path, _, code) in sources() {
        if !path.starts_with("panels/") {
            continue;
        }
        let lines: Vec<&str> = code.lines().collect();
        for pair in lines.windows(2) {
            let compares = ["> 0.", ">= 0.", "< 0.", "<= 0."].iter().any(|word| {
                pair[0].match_indices(word).any(|(at, _)| {
                    pair[0][at + word.len()..].starts_with(|c: char| c.is_ascii_digit() && c != '0')
                })
            });
            let colours =
                pair.iter().any(|line| line.contains("Role::Warning") || line.contains("Role::Critical"));
            assert!(!(compares && colours), "{path} grades a number itself: {}", pair.join("\n"));
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    let mut long: Vec<&str> = LONG.iter().map(|(path, _)| *path).collect();
    for (path, _, code) in sources() {
        let text = std::fs::read_to_string(root().join("src").join(&path)).expect("text");
        assert!(text.starts_with("//! "), "{path} does not say what it is");
        let lines = before_tests(Path::new(&path), &text).lines().count();
        if let Some(at) = long.iter().position(|known| *known == path) {
            assert!(lines > LONGEST, "{path} is short again: take it off the list");
            long.remove(at);
        } else {
            assert!(lines <= LONGEST, "{path} has {lines} lines");
        }
        assert!(!code.contains("todo!(") && !code.contains("unimplemented!("), "{path} is not finished");
    }
    assert!(long.is_empty(), "not there any more: {long:?}");
}

/// What the rules above pass over are tests and nothing else: they end their file, in it or in a `tests.rs` that is built for them alone.
#[test]
fn what_counts_as_tests_is_built_for_tests_alone() {
    let src = root().join("src");
    let mut apart = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for (path, _, code) in sources() {
        let path = Path::new(&path);
        if is_tests(path) {
            apart.insert(path.to_owned());
            continue;
        }
        assert!(!code.contains("mod tests"), "{} has tests that are built for all", path.display());
        assert!(!code.contains("tests.rs"), "{} takes in tests by their file", path.display());
        let text = std::fs::read_to_string(src.join(path)).expect("text");
        let Some((_, tests)) = text.split_once("#[cfg(test)]") else { continue };
        if tests == "\nmod tests;\n" {
            let name = path.file_stem().expect("a name");
            let folder = if name == "mod" { path.with_file_name("") } else { path.with_extension("") };
            taken.insert(folder.join("tests.rs"));
        } else {
            let first_end = tests.find("\n}\n").map(|at| at + "\n}\n".len());
            let ends = tests.starts_with("\nmod tests {\n") && first_end == Some(tests.len());
            assert!(ends, "{} goes on behind its tests", path.display());
        }
    }
    assert!(apart.len() > 10, "the test finds the files: {apart:?}");
    assert_eq!(apart, taken, "files of tests, and those that a module takes in for tests alone");
}

#[test]
fn only_one_file_confirms() {
    for (path, _, code) in sources() {
        let confirms = code.contains("by_a_person(");
        assert!(
            !confirms || matches!(path.as_str(), "core/action.rs" | "app/overlay.rs"),
            "{path} confirms an action"
        );
    }
}

/// The text of a job past its masks is for those who change or copy that job; the type's own file has it.
#[test]
fn only_edit_and_duplicate_see_what_a_job_holds() {
    let seeing: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, code)| code.contains(".unmasked(") || code.contains("::unmasked"))
        .map(|(path, ..)| path)
        .collect();
    assert_eq!(seeing, ["panels/redis/acts/changes.rs"], "who asks for the original of a payload");
}

/// The texts that stand in `code`, also inside macros.
fn literals(tokens: TokenStream, list: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => literals(group.stream(), list),
            TokenTree::Literal(literal) => {
                if let Ok(syn::Lit::Str(text)) = syn::parse_str(&literal.to_string()) {
                    list.push(text.value());
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// What in `text` names a key, a command by what is typed for it, or the number of a screen.
fn names_a_key(text: &str, commands: &[String]) -> Option<String> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let words: Vec<&str> = text.split(|c: char| !part(c)).filter(|word| !word.is_empty()).collect();
    for word in &words {
        if matches!(*word, "Enter" | "Esc" | "PageUp" | "PageDown" | "PgUp" | "PgDn")
            || word.starts_with("Ctrl-")
        {
            return Some((*word).to_owned());
        }
    }
    let digit = |(at, _): (usize, &str)| {
        let mut next = text[at + 1..].chars();
        next.next().is_some_and(|c| c.is_ascii_digit()) && next.next() == Some(')')
    };
    // SQL and Lua call functions; a sentence has a blank before what it puts in brackets.
    if text.starts_with("x ") || text.match_indices('(').any(|at| text[..at.0].ends_with(' ') && digit(at)) {
        return Some("a key in brackets".to_owned());
    }
    for pair in words.windows(2) {
        let letter = pair[1].len() == 1 && pair[1].bytes().all(|byte| byte.is_ascii_lowercase());
        let number = pair[1].bytes().all(|byte| byte.is_ascii_digit());
        if matches!(pair[0], "x" | "press") && letter || matches!(pair[0], "screen" | "press") && number {
            return Some(pair.join(" "));
        }
    }
    let shown =
        ["(x)", "(x ", ", x)", "; x ", "(y)", "(space)", "press !", "press :", "press ?", "? lists", "`x`"];
    if let Some(found) = shown.iter().find(|found| text.contains(**found)) {
        return Some((*found).to_owned());
    }
    commands
        .iter()
        .find(|command| {
            text.match_indices(command.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back().unwrap_or(' ');
                let after = text[at + command.len()..].chars().next().unwrap_or(' ');
                matches!(before, ' ' | '(' | '`') && !part(after)
            })
        })
        .cloned()
}

/// Which key is in force is known by the keymap alone: what others say names the act or the row, and takes the key from the keymap.
#[test]
fn no_text_names_a_key_or_the_number_of_a_screen() {
    const EXEMPT: [(&str, &str); 3] = [
        ("app/key.rs", "the names of the keys themselves"),
        ("app/lists.rs", "Enter never confirms, whatever is configured"),
        ("cli/trust.rs", "a question before there is a screen"),
    ];
    let mut wrong = Vec::new();
    let commands: Vec<String> = registry().iter().map(|entry| format!(":{}", entry.name)).collect();
    for (path, _, code) in sources() {
        if EXEMPT.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let mut texts = Vec::new();
        literals(code.parse().expect("tokens"), &mut texts);
        let named = texts.into_iter().filter(|text| names_a_key(text, &commands).is_some());
        wrong.extend(named.map(|text| format!("{path}: {text}")));
    }
    let mut others = Vec::new();
    collect(&root().join("src"), &mut others);
    for path in
        others.iter().filter(|path| path.extension().is_some_and(|kind| kind == "sql" || kind == "lua"))
    {
        let text = std::fs::read_to_string(path).expect("text");
        let named = text.split('\'').skip(1).step_by(2).filter(|text| names_a_key(text, &commands).is_some());
        wrong.extend(named.map(|text| format!("{}: {text}", path.display())));
    }
    assert!(wrong.is_empty(), "a text names a key or a screen's number:\n{}", wrong.join("\n"));
    for wrong in [
        "open it on screen 4",
        "retry (x)",
        "x u puts",
        "Enter lists",
        ":stop ends it",
        "press y",
        "`x` is it",
        "x on it",
        "look why (7)",
    ] {
        assert!(names_a_key(wrong, &commands).is_some(), "{wrong}");
    }
}

#[test]
fn what_is_printed_goes_through_one_door() {
    const DOORS: [&str; 3] = ["cli/print.rs", "runtime/terminal.rs", "runtime/clipboard.rs"];
    for (path, _, code) in sources() {
        for word in ["io::stdout()", "io::stderr()", "println!", "print!(", "dbg!("] {
            // Whether it is a terminal may be asked by anybody.
            let asks = code.matches(&format!("{word}.is_terminal")).count();
            let writes = code.matches(word).count() - asks;
            assert!(writes == 0 || DOORS.contains(&path.as_str()), "{path} uses {word}");
        }
    }
}

#[test]
fn core_panels_and_app_are_pure() {
    for (path, top, code) in sources() {
        if !matches!(top.as_str(), "core" | "ui" | "panels" | "app") {
            continue;
        }
        for word in ["std::fs", "std::net", "std::process", "std::env", "tokio::", "println!", "eprintln!"] {
            // Addresses are data; what could be opened with them is not here.
            let code = code.replace("std::net::{IpAddr, SocketAddr}", "");
            assert!(!code.contains(word), "{path} uses {word}");
        }
    }
}

#[test]
fn no_path_of_a_machine_and_no_host_of_a_registry() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "themes"] {
        collect(&root().join(folder), &mut files);
    }
    files.extend(
        ["README.md", "CHANGELOG.md", "Cargo.toml", "config.toml", "compose.yaml"]
            .map(|name| root().join(name)),
    );
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if path.ends_with("architecture.rs") {
            continue;
        }
        for word in [
            "/home/",
            "/root/",
            "/work/",
            "crates.io/",
            "registry.npmjs",
            "repo1.maven",
            "proxy.golang",
            "pypi.org",
        ] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

fn collect(folder: &Path, list: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, list);
        } else {
            list.push(path);
        }
    }
}
