//! The tests of `:reload`.

use super::*;
use crate::cli::given::settings;
use clap::Parser;

const ONE: &str = "[[metrics]]\nname = \"api\"\nurl = \"http://h/metrics\"\n";

/// What is told, and what is then in force, when `written` is what the file of a run that began with [`ONE`] says now.
fn told(written: &str) -> Result<(Reloaded, InForce), String> {
    told_with(written, &mut Names::default()).map(|(reloaded, _, known)| (reloaded, known))
}

fn told_with(written: &str, names: &mut Names) -> Result<(Reloaded, Vec<TargetConfig>, InForce), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let arguments = Arguments::parse_from(["stacktop", "--config", &file.display().to_string()]);
    let around = Surroundings::empty(folder.path()).with("TERM", "xterm-256color");
    std::fs::write(&file, ONE).unwrap();
    let begin = InForce::of(&settings(&arguments, &around, Care::Again).unwrap());
    std::fs::write(&file, written).unwrap();
    again(read(&arguments, &around)?, &begin, names)
}

#[track_caller]
fn check(written: &str, expected: &str) {
    assert_eq!(told(written).map(|(reloaded, _)| reloaded.words).unwrap(), expected);
}

/// A change of the group or the interval of a list was told to be none.
#[test]
fn every_key_of_a_list_counts() {
    let list = "[[discover]]\nname = \"shop\"\nfiles = [\"l.json\"]\n";
    let all = "refresh = \"1m\"\ngroup = \"team\"\nuser = \"u\"\npassword_file = \"p\"\nca = \"c\"\ninterval = \"9s\"\ntimeout = \"2s\"";
    for key in all.lines() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["p", "c"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let file = folder.path().join("c.toml");
        let arguments = Arguments::parse_from(["stacktop", "--config", &file.display().to_string()]);
        let around = Surroundings::empty(folder.path()).with("TERM", "xterm-256color");
        let pair = if key.starts_with("password") || key.starts_with("user") {
            "user = \"u\"\npassword_file = \"p\"\n".to_owned()
        } else {
            format!("{key}\n")
        };
        std::fs::write(&file, format!("{ONE}{list}")).unwrap();
        let begin = InForce::of(&settings(&arguments, &around, Care::Again).unwrap());
        std::fs::write(&file, format!("# moved\n{ONE}{list}{pair}")).unwrap();
        let written = read(&arguments, &around).unwrap();
        let told = again(written, &begin, &mut Names::default());
        let words = told.map(|(reloaded, ..)| reloaded.words).unwrap();
        assert_eq!(words, "read again, needs a restart: [[discover]]", "{key}");
    }
}

#[test]
fn what_is_taken_over_and_what_needs_a_restart_is_told_by_name() {
    check(ONE, "read again: nothing in it has changed");
    check(&format!("{ONE}[rules.\"metrics.errors\"]\nwarning = 0.03\n"), "read again, in force now: 1 rule");
    check(&format!("theme = \"light\"\n{ONE}"), "read again, in force now: theme light");
    check(
        &format!("{ONE}[keys]\nquit = \"Q\"\n[notify]\nbell = \"off\"\n"),
        "read again, in force now: keys, notifications",
    );
    check(
        &format!("{ONE}[columns.\"Sessions/pid\"]\nhide = [\"user\"]\n"),
        "read again, in force now: columns",
    );
    check(&ONE.replace("http://h", "http://other"), "read again, in force now: api is asked in another way");
    check(&ONE.replace("\"api\"", "\"web\""), "read again, in force now: web is new, api is watched no more");
    let more = ["m0", "m1", "m2", "m3", "m4", "m5"].map(|name| ONE.replace("api", name)).concat();
    check(&format!("{ONE}{more}"), "read again, in force now: 6 targets are new (m0, m1, m2, m3, …)");
    check(
        &format!("environment = \"prod\"\nread_only = true\n{ONE}[engine]\nbreaker_failures = 9\n"),
        "read again, in force now: environment, production, read_only; needs a restart: [engine]",
    );
    let named = format!("environment = \"prod\"\nproduction = false\n{ONE}");
    check(&named, "read again, needs a restart: environment");
    check("", "read again, needs a restart: api is not found now and watched until then");
}

#[test]
fn what_needs_a_restart_is_told_again_and_what_was_taken_over_is_not() {
    let written = format!("theme = \"light\"\n{ONE}[engine]\nbreaker_failures = 9\n");
    let (_, known) = told(&written.replace("\"api\"", "\"web\"")).unwrap();
    assert_eq!(known.theme.0.as_deref(), Some("light"));
    assert_eq!(known.patience, Patience::default(), "it is told until there was a restart");
    assert_eq!(known.targets.keys().map(TargetId::as_str).collect::<Vec<_>>(), ["web"]);
}

const JOBS: &str = "[[redis]]\nname = \"jobs\"\nurl = \"redis://h:1\"\n";

/// A configuration that is written again while stacktop runs.
struct Written {
    folder: tempfile::TempDir,
    arguments: Arguments,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml").display().to_string();
        Self { folder, arguments: Arguments::parse_from(["stacktop", "--config", &file]) }
    }

    fn write(&self, written: &str) -> Surroundings {
        std::fs::write(self.folder.path().join("c.toml"), written).unwrap();
        Surroundings::empty(self.folder.path()).with("TERM", "xterm-256color")
    }

    /// What is in force at the start.
    fn begin(&self, written: &str) -> InForce {
        let around = self.write(written);
        InForce::of(&settings(&self.arguments, &around, Care::Again).unwrap())
    }

    /// What is said of what is written now, and what is in force then.
    fn again(&self, written: &str, before: &InForce) -> (String, InForce) {
        let around = self.write(written);
        let written = read(&self.arguments, &around).unwrap();
        let (reloaded, _, now) = super::again(written, before, &mut Names::default()).unwrap();
        (reloaded.words, now)
    }
}

#[test]
fn what_a_target_allows_becomes_milder_by_a_restart_only() {
    let file = Written::new();
    let begin = file.begin(&format!("{JOBS}read_only = true\n"));
    let again = |written: &str, before: &InForce| file.again(written, before);
    let waits = "needs a restart: jobs is allowed no more than before";
    let (words, now) = again(JOBS, &begin);
    assert_eq!(words, format!("read again, in force now: jobs is asked in another way; {waits}"));
    let (words, now) = again(JOBS, &now);
    assert_eq!(words, format!("read again, {waits}"), "it is told until there was one");
    let (words, _) = again(&format!("{JOBS}read_only = true\n"), &now);
    assert_eq!(words, "read again, in force now: jobs is asked in another way");
    let (words, _) = again(&format!("{JOBS}local = true\n"), &now);
    assert_eq!(words, format!("read again, in force now: jobs is asked in another way; {waits}"));
}

#[test]
fn a_target_that_comes_again_allows_no_more_than_it_did_in_this_run() {
    let file = Written::new();
    let begin = file.begin(&format!("production = true\n{ONE}{JOBS}read_only = true\n"));
    let again = |written: &str, before: &InForce| file.again(written, before);
    let (words, now) = again(&format!("production = true\n{ONE}"), &begin);
    assert_eq!(words, "read again, in force now: jobs is watched no more");
    let (words, now) = again(&format!("production = true\n{ONE}{JOBS}"), &now);
    let waits = "needs a restart: jobs is allowed no more than before";
    assert_eq!(words, format!("read again, in force now: jobs is new; {waits}"));
    let (_, now) = again(&format!("production = false\n{ONE}"), &now);
    let (words, now) = again(&format!("production = false\n{ONE}{JOBS}local = true\n"), &now);
    let waits = "needs a restart: production, jobs is allowed no more than before";
    assert_eq!(words, format!("read again, in force now: jobs is new; {waits}"));
    assert_eq!((now.access[&TargetId::new("jobs")], now.stance.production), (Access::Never, true));
}

#[test]
fn a_secret_that_changed_is_another_way() {
    let of = |password: &str| ONE.replace("http://h", &format!("http://me:{password}@h"));
    let folder = tempfile::tempdir().unwrap();
    let around = Surroundings::empty(folder.path());
    let in_force = |written: &str| {
        let file = folder.path().join("c.toml");
        std::fs::write(&file, written).unwrap();
        let arguments = Arguments::parse_from(["stacktop", "--config", &file.display().to_string()]);
        InForce::of(&settings(&arguments, &around, Care::Again).unwrap())
    };
    let moved = |a: &str, b: &str| {
        Moves::between(&in_force(&of(a)), &mut in_force(&of(b)), false, &BTreeSet::new()).changed.len()
    };
    assert_eq!((moved("old", "old"), moved("old", "new")), (0, 1));
}

#[test]
fn a_name_that_a_list_has_is_not_taken_over() {
    let mut names = Names { listed: BTreeSet::from(["web".to_owned()]), ..Names::default() };
    let more = format!("{ONE}{}", ONE.replace("\"api\"", "\"web\"").replace("//h", "//other"));
    let (reloaded, joined, _) = told_with(&more, &mut names).unwrap();
    assert_eq!(reloaded.words, "read again, needs a restart: web is called as one of a list");
    assert!(joined.is_empty() && names.own == BTreeSet::from(["api".to_owned()]), "{names:?}");
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_place() {
    for (written, place) in [
        (format!("{ONE}[rules.\"metrics.errors\"]\nwarnin = 1\n"), "c.toml:5:1"),
        (format!("{ONE}[keys]\nqiut = \"Q\"\n"), "c.toml:5:1"),
        (format!("theme = \"lihgt\"\n{ONE}"), "c.toml:1:"),
        (format!("{ONE}[columns.\"Sesions/pid\"]\nhide = []\n"), "c.toml:4:"),
        // A target that cannot be used, beside one that can: what is new, and what was good before.
        (format!("{ONE}{}", ONE.replace("api", "web").replace("http:", "ftp:")), "c.toml:6:7"),
        (format!("{}{}", ONE.replace("http:", "ftp:"), ONE.replace("api", "web")), "c.toml:3:7"),
    ] {
        let why = told(&written).expect_err("a mistake");
        assert!(why.contains(place), "{why}");
    }
}
