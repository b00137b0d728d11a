//! What the binary is made of: each package is named with its licence, and none asks for a newer Rust than we say.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn metadata() -> Value {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-musl",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The packages that the binary is made of, by id: whatever is reached without development dependencies.
fn shipped(data: &Value) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Value> =
        list(&data["resolve"]["nodes"]).iter().map(|node| (text(&node["id"]), node)).collect();
    let root = text(&data["resolve"]["root"]);
    let (mut seen, mut left) = (BTreeSet::new(), vec![root]);
    while let Some(package) = left.pop() {
        if seen.insert(package) {
            let normal = |dependency: &&Value| {
                list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null())
            };
            left.extend(
                list(&nodes[package]["deps"])
                    .iter()
                    .filter(normal)
                    .map(|dependency| text(&dependency["pkg"])),
            );
        }
    }
    seen.remove(root);
    seen
}

#[test]
fn every_package_of_the_binary_is_in_the_notices_and_no_other() {
    let data = metadata();
    let shipped = shipped(&data);
    assert!(shipped.len() > 100, "{} packages", shipped.len());
    let expected: BTreeSet<String> = list(&data["packages"])
        .iter()
        .filter(|package| shipped.contains(text(&package["id"])))
        .map(|package| {
            format!("{} {}: {}", text(&package["name"]), text(&package["version"]), text(&package["license"]))
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("THIRD-PARTY.txt");
    let notices = std::fs::read_to_string(path).expect("the notices");
    let listed = notices.split("\n====").next().unwrap_or_default().lines().skip(2);
    let named: BTreeSet<String> =
        listed.filter(|line| !line.is_empty() && !line.starts_with(' ')).map(str::to_owned).collect();
    assert_eq!(named, expected, "run `tests/notices > THIRD-PARTY.txt`");
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_stacktop")).arg("licences").output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), notices, "the binary brings them along");
}

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file")
}

#[test]
fn the_version_stands_in_one_place() {
    let version = env!("CARGO_PKG_VERSION");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .arg("--version")
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("stacktop {version}\n"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert!(files.len() >= 7, "{files:?}");
    for path in files.iter().chain([&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/build")]) {
        let text = std::fs::read_to_string(path).expect("text");
        assert!(!text.contains(version), "{} names the version", path.display());
    }
}

#[test]
fn the_notes_of_a_release_are_its_part_of_the_changelog() {
    let notes = |version: &[&str]| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/notes");
        std::process::Command::new(path).args(version).output().expect("it runs")
    };
    let output = notes(&[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let heading = format!("## {}", env!("CARGO_PKG_VERSION"));
    let changelog = file("CHANGELOG.md");
    let part =
        changelog.split("\n## ").find(|part| format!("## {part}").starts_with(&heading)).expect("a part");
    let part = part.split_once('\n').expect("a heading").1;
    assert!(output.status.success() && text.trim() == part.trim() && text.starts_with("- "), "{text}");
    let none = notes(&["99.0.0"]);
    assert!(!none.status.success() && none.stdout.is_empty());
}

/// The profiles for others are made from the quick one, which leaves our own crate as it is.
#[test]
fn what_is_given_to_others_and_what_is_measured_is_optimised() {
    let manifest: toml::Table = file("Cargo.toml").parse().expect("TOML");
    for name in ["fat", "bench"] {
        let profile = &manifest["profile"][name];
        assert_eq!(profile["lto"].as_str(), Some("fat"), "{name}");
        assert_eq!(profile["opt-level"].as_integer(), Some(3), "{name}");
    }
    // What is given to others is also small: most of what stays in memory is code.
    let ours = |name: &str| manifest["profile"][name]["package"]["stacktop"]["opt-level"].clone();
    assert_eq!((ours("fat").as_str(), ours("bench").as_integer()), (Some("s"), Some(3)));
    assert!(file("tests/build").contains("cargo build --profile fat"));
}

/// What looks for an archive, and what makes it, agree on its name.
#[test]
fn archives_are_found_under_the_names_that_they_are_given() {
    let release = file("packaging/release");
    assert!(release.contains("name=stacktop-$VERSION-$1-unknown-linux-musl\n"));
    let manifest = file("Cargo.toml");
    assert!(manifest.contains("/stacktop-{ version }-{ target }.tar.gz\""), "binstall");
    assert!(manifest.contains("bin-dir = \"stacktop-{ version }-{ target }/{ bin }{ binary-ext }\""));
    let formula = file("packaging/stacktop.rb.in");
    for arch in ["x86_64", "aarch64"] {
        assert!(formula.contains(&format!("/stacktop-@VERSION@-{arch}-unknown-linux-musl.tar.gz\"")));
    }
    for word in ["@VERSION@", "@SUM_X86_64@", "@SUM_AARCH64@"] {
        assert!(release.contains(word) && formula.contains(word), "{word}");
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust_than_we_say() {
    let version =
        |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().expect("a number")).collect() };
    let data = metadata();
    let ours = list(&data["packages"]).iter().find(|package| package["name"] == "stacktop").expect("us");
    let ours = version(text(&ours["rust_version"]));
    assert_eq!(ours[..2], [1, 88], "clippy's incompatible_msrv holds our own code to this");
    let newer: Vec<String> = list(&data["packages"])
        .iter()
        .filter_map(|package| Some((package, package["rust_version"].as_str()?)))
        .filter(|(_, wanted)| version(wanted)[..2] > ours[..2])
        .map(|(package, wanted)| format!("{} wants {wanted}", package["name"]))
        .collect();
    assert_eq!(newer, Vec::<String>::new());
}

#[test]
fn the_lint_that_holds_our_code_to_its_rust_is_not_switched_off() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    assert!(manifest.contains("rust-version = \"1.88\"") && !manifest.contains("incompatible_msrv"));
    // A version there would go before that of the manifest.
    assert!(!std::fs::read_to_string(root.join("clippy.toml")).expect("a file").contains("msrv"));
}
