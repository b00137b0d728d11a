//! `:reload`: the configuration is read again while stacktop runs. What cannot be understood changes nothing; what can be taken over is told
//! by name, and so is what needs a restart. Targets go on as they are.

use super::arguments::{Arguments, parse};
use super::check::surfaces;
use super::given::wishes;
use super::trust::Care;
use crate::app::msg::Reloaded;
use crate::config::discover::Surroundings;
use crate::config::listed::Listing;
use crate::config::resolve::{Settings, resolve};
use crate::core::alert::Rulebook;
use crate::core::text::counted;
use crate::core::world::all_rules;
use crate::runtime::effects::Reload;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is in force, as far as it is compared.
#[derive(Clone, Debug)]
struct InForce {
    rules: Rulebook,
    keys: String,
    theme: (Option<String>, bool, bool),
    notify: String,
    /// How each target is reached and read, by its name. Secrets are not told apart.
    targets: BTreeMap<String, String>,
    /// What else needs a restart: each by the key that it is written with.
    others: BTreeMap<&'static str, String>,
}

impl InForce {
    fn of(settings: &Settings) -> Self {
        let Settings { environment, production, read_only, patience, webhook, topology, .. } = settings;
        // Those of lists come and go by themselves, and no others have a group.
        let own = settings.targets.iter().filter(|target| target.group.is_none());
        let targets = own.map(|it| (it.id.to_string(), format!("{it:?}")));
        let lists: Vec<String> = settings.lists.iter().map(Listing::saying).collect();
        let others = BTreeMap::from([
            ("environment", format!("{environment:?} {production}")),
            ("read_only", format!("{read_only:?}")),
            ("[engine]", format!("{patience:?}")),
            ("webhook", format!("{webhook:?}")),
            ("[[depends]]", format!("{topology:?}")),
            ("[[discover]]", lists.join(" ")),
        ]);
        Self {
            rules: settings.rules.clone(),
            keys: format!("{:?}", settings.keys),
            theme: (settings.theme.clone(), settings.ascii, settings.blocks),
            notify: format!("{:?}", settings.notify),
            targets: targets.collect(),
            others,
        }
    }
}

/// What reads it again, for a run that began with `begin`.
pub(super) fn reload(begin: &Settings) -> Reload {
    let known = Mutex::new(InForce::of(begin));
    Reload(Arc::new(move || {
        let arguments =
            parse(std::env::args_os()).map_err(|_| "the arguments cannot be read again".to_owned())?;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let (reloaded, now) = again(&arguments, &Surroundings::here(), &known)?;
        *known = now;
        Ok(reloaded)
    }))
}

/// What is written now, against what was in force `before`.
fn again(
    arguments: &Arguments,
    around: &Surroundings,
    before: &InForce,
) -> Result<(Reloaded, InForce), String> {
    // Lists are followed by themselves: none is read here.
    let settings = resolve(&wishes(arguments, around, Care::Again)?, around)?;
    let (keymap, themes) = surfaces(arguments, around, &settings)?;
    let now = InForce::of(&settings);
    let rules = all_rules();
    let changed = rules.iter().filter(|rule| before.rules.get(rule.id) != now.rules.get(rule.id)).count();
    let mut taken = Vec::new();
    match changed {
        0 if before.rules != now.rules => taken.push("rules of single targets".to_owned()),
        0 => {}
        count => taken.push(counted(count, "rule")),
    }
    if before.keys != now.keys {
        taken.push("keys".to_owned());
    }
    let theme = (before.theme != now.theme).then_some(themes.theme);
    taken.extend(theme.as_ref().map(|theme| format!("theme {}", theme.name)));
    if before.notify != now.notify {
        taken.push("notifications".to_owned());
    }
    let words = match (taken.is_empty(), left(before, &now)) {
        (true, None) => "read again: nothing in it has changed".to_owned(),
        (true, Some(left)) => format!("read again: {left}"),
        (false, None) => format!("read again, in force now: {}", taken.join(", ")),
        (false, Some(left)) => format!("read again, in force now: {}; {left}", taken.join(", ")),
    };
    // What needs a restart is told until there was one.
    let targets = before.targets.clone();
    let known = InForce { targets, others: before.others.clone(), ..now };
    let notify = settings.notify;
    Ok((Reloaded { keymap, theme, rules: settings.rules, notify, words }, known))
}

/// What changed and needs a restart.
fn left(before: &InForce, now: &InForce) -> Option<String> {
    let mut left = Vec::new();
    for (name, how) in &now.targets {
        match before.targets.get(name) {
            None => left.push(format!("{name} is new")),
            Some(known) if known != how => left.push(format!("{name} is another")),
            Some(_) => {}
        }
    }
    left.extend(
        before
            .targets
            .keys()
            .filter(|name| !now.targets.contains_key(*name))
            .map(|name| format!("{name} is gone")),
    );
    let others = now.others.iter().filter(|(key, how)| before.others.get(*key) != Some(how));
    left.extend(others.map(|(key, _)| (*key).to_owned()));
    (!left.is_empty()).then(|| format!("needs a restart: {}", left.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::given::settings;
    use clap::Parser;

    const ONE: &str = "[[metrics]]\nname = \"api\"\nurl = \"http://h/metrics\"\n";

    /// What is told, and what is then in force, when `written` is what the file of a run that began with [`ONE`] says now.
    fn told(written: &str) -> Result<(Reloaded, InForce), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        let arguments = Arguments::parse_from(["stacktop", "--config", &file.display().to_string()]);
        let around = Surroundings::empty(folder.path()).with("TERM", "xterm-256color");
        std::fs::write(&file, ONE).unwrap();
        let begin = InForce::of(&settings(&arguments, &around, Care::Again).unwrap());
        std::fs::write(&file, written).unwrap();
        again(&arguments, &around, &begin)
    }

    #[track_caller]
    fn check(written: &str, expected: &str) {
        assert_eq!(told(written).map(|(reloaded, _)| reloaded.words).unwrap(), expected);
    }

    #[test]
    fn what_is_taken_over_and_what_needs_a_restart_is_told_by_name() {
        check(ONE, "read again: nothing in it has changed");
        check(
            &format!("{ONE}[rules.\"metrics.errors\"]\nwarning = 0.03\n"),
            "read again, in force now: 1 rule",
        );
        check(&format!("theme = \"light\"\n{ONE}"), "read again, in force now: theme light");
        check(
            &format!("{ONE}[keys]\nquit = \"Q\"\n[notify]\nbell = \"off\"\n"),
            "read again, in force now: keys, notifications",
        );
        check(&ONE.replace("http://h", "http://other"), "read again: needs a restart: api is another");
        check(&ONE.replace("\"api\"", "\"web\""), "read again: needs a restart: web is new, api is gone");
        check(
            &format!("environment = \"prod\"\n{ONE}[rules.\"metrics.errors\"]\nwarning = 0.03\n"),
            "read again, in force now: 1 rule; needs a restart: environment",
        );
        check(&format!("read_only = true\n{ONE}"), "read again: needs a restart: read_only");
        check(&format!("{ONE}[engine]\nbackoff_cap = \"40s\"\n"), "read again: needs a restart: [engine]");
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
            let words = again(&arguments, &around, &begin).map(|(reloaded, _)| reloaded.words).unwrap();
            assert_eq!(words, "read again: needs a restart: [[discover]]", "{key}");
        }
    }

    #[test]
    fn what_needs_a_restart_is_told_again_and_what_was_taken_over_is_not() {
        let (_, known) = told(&format!("theme = \"light\"\n{ONE}").replace("\"api\"", "\"web\"")).unwrap();
        assert_eq!(known.theme.0.as_deref(), Some("light"));
        assert!(known.targets.contains_key("api") && !known.targets.contains_key("web"), "{known:?}");
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_its_place() {
        for (written, place) in [
            (format!("{ONE}[rules.\"metrics.errors\"]\nwarnin = 1\n"), "c.toml:5:1"),
            (format!("{ONE}[keys]\nqiut = \"Q\"\n"), "c.toml:5:1"),
            (format!("theme = \"lihgt\"\n{ONE}"), "c.toml:1:"),
        ] {
            let why = told(&written).expect_err("a mistake");
            assert!(why.contains(place), "{why}");
        }
    }
}
