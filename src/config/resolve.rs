//! From what was found to what is in force: command line over file over discovery over defaults. Every refusal names its place.

use super::discover::{self, Surroundings};
use super::file::{ColumnsFile, DiscoverFile, File, RuleFile};
use super::form::Spans;
use super::keys::KeysFile;
use super::listed::Listing;
use super::login;
use super::secret::Secret;
use super::target::{Connect, DEFAULT_TIMEOUT, Locality, TargetConfig};
use super::wishes::FolderFile;
use super::written::Written;
use super::{depends, masks, named, panels, system, written};
use crate::config::defaults::default_interval;
use crate::config::defaults::free_name;
use crate::config::wishes::Wishes;
use crate::core::alert::{RuleSetting, Rulebook};
use crate::core::arming::LOCAL;
use crate::core::ids::TargetId;
use crate::core::notify::NotifySettings;
use crate::core::text::counted;
use crate::core::topology::Topology;
use crate::core::whereabouts::sounds_like_production;
use crate::core::world::all_rules;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How failing targets are treated; the engine has the same in its own words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// The longest wait between tries.
    pub backoff_cap: Duration,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// How long it stays open.
    pub breaker_open: Duration,
    /// Successes in a row that close it.
    pub breaker_successes: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            backoff_cap: Duration::from_secs(30),
            breaker_failures: 5,
            breaker_open: Duration::from_secs(30),
            breaker_successes: 2,
        }
    }
}

/// Everything that is in force.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
pub struct Settings {
    /// What the stack is called.
    pub environment: String,
    /// Nobody said what it is called and whether it is production: what its servers say of themselves may tell.
    pub guessed: bool,
    /// Whether every action asks for a typed word.
    pub production: bool,
    /// Why everything is read-only, if it is.
    pub read_only: Option<String>,
    /// A built-in theme or a path, if one was named.
    pub theme: Option<String>,
    /// Only ASCII on the screen.
    pub ascii: bool,
    /// Graphs with blocks instead of braille patterns.
    pub blocks: bool,
    /// How failing targets are treated.
    pub patience: Patience,
    /// Keys by command, as they are written.
    pub keys: BTreeMap<String, KeysFile>,
    /// Columns of tables by their names, as they are written.
    pub columns: BTreeMap<String, ColumnsFile>,
    /// Who is told of findings beside the screen.
    pub notify: NotifySettings,
    /// The URL of the webhook that is told, if one is.
    pub webhook: Option<Secret>,
    /// The rules in force.
    pub rules: Rulebook,
    /// The targets, without those of lists.
    pub targets: Vec<TargetConfig>,
    /// They were found and not written: one that does not run is not among them.
    pub found: bool,
    /// The lists that name more of them.
    pub lists: Vec<Listing>,
    /// Which service depends on which of them.
    pub topology: Topology,
    /// What was looked for and what was found, line by line.
    pub trail: Vec<String>,
    /// Where the keys of the configuration file stand, for what is found wrong later.
    pub places: Spans,
}

/// Resolves everything.
///
/// # Errors
/// One sentence with its place.
pub fn resolve(wishes: &Wishes, around: &Surroundings) -> Result<Settings, String> {
    let mut trail = Vec::new();
    let written = written::applying(wishes, around, &mut trail)?.unwrap_or_default();
    in_force(wishes, around, written, trail, true)
}

/// From what is written to what is in force; other places are looked at for targets only if `look`.
fn in_force(
    wishes: &Wishes,
    around: &Surroundings,
    (name, file, places): Written,
    mut trail: Vec<String>,
    look: bool,
) -> Result<Settings, String> {
    let place = |at: usize| places.at(at);
    let rules = rulebook(&file);
    let typed = !wishes.urls.is_empty();
    let mut targets = if typed {
        trail.push("the command line names what to watch; nothing else was looked for".to_owned());
        named::targets(&wishes.urls, around, &mut trail)?
    } else {
        configured(&file, &name, &place, around)
    };
    let lists = if typed { Vec::new() } else { lists(&file, &place) };
    let mut found = false;
    if targets.is_empty() && lists.is_empty() && look {
        if !name.is_empty() {
            trail.push(format!("{name} names no target; looking further"));
        }
        targets = discover::targets(around, &mut trail)?;
        found = true;
    } else if !typed {
        let many = counted(targets.len(), "target");
        trail.push(format!("{many} from {name}; nothing else was looked for"));
    }
    // One that cannot be used is shown beside the others; with nothing beside it there is nothing to show, nor is it right.
    let unusable: Vec<&str> = targets.iter().filter_map(TargetConfig::unusable).collect();
    if !unusable.is_empty() && (!look || (unusable.len() == targets.len() && lists.is_empty())) {
        return Err(unusable.join("\n"));
    }
    // A panel asks a target that the file may leave to be found elsewhere.
    if !typed && (look || !targets.is_empty()) {
        panels::assign(&file, &mut targets, &place)?;
    }
    masks::share(&mut targets);
    let topology = if typed || (!look && targets.is_empty()) {
        Topology::default()
    } else {
        depends::topology(depends::written(&file, &targets, &place)?, &targets, around, &mut trail)
    };
    for target in &mut targets {
        let timeout = target.timeout;
        if let Connect::Postgres(pg) = &mut target.connect {
            pg.timeout = timeout;
            login::fill(around, pg, &mut trail);
            if let Some(console) = &mut pg.pgbouncer {
                console.timeout = timeout;
                login::fill(around, console, &mut trail);
            }
        }
    }
    trail.extend(targets.iter().filter_map(TargetConfig::exposed));
    let local = lists.is_empty() && targets.iter().all(TargetConfig::is_local);
    let named = file.environment.clone().or_else(|| around.var("STACKTOP_ENVIRONMENT"));
    let guessed = named.is_none() && file.production.is_none();
    let environment =
        named.unwrap_or_else(|| if local { LOCAL.to_owned() } else { guess_environment(&targets) });
    let sounds = sounds_like_production(&environment) || (!local && targets.iter().any(is_production));
    let read_only = if wishes.read_only {
        Some("stacktop runs with --read-only".to_owned())
    } else {
        file.read_only.unwrap_or(false).then(|| format!("{name} says read_only = true"))
    };
    let (notify, webhook) = file.notify.in_force();
    Ok(Settings {
        production: file.production.unwrap_or(sounds),
        environment,
        guessed,
        read_only,
        theme: file.theme.clone(),
        ascii: file.ascii.unwrap_or(false),
        blocks: file.blocks.unwrap_or(false),
        patience: patience(&file),
        keys: file.keys.clone(),
        columns: file.columns.clone(),
        notify,
        webhook,
        rules,
        targets,
        found,
        lists,
        topology,
        trail,
        places,
    })
}

/// What is in force by the configuration file alone, and a line about what stands in it; nothing when there is none.
///
/// # Errors
/// Every mistake with its place.
pub fn check_config(wishes: &Wishes, around: &Surroundings) -> Result<Option<(Settings, String)>, String> {
    let mut trail = Vec::new();
    let Some(written) = written::applying(wishes, around, &mut trail)? else { return Ok(None) };
    let (name, file, _) = &written;
    let line = format!(
        "{name} is right: {}, {}",
        counted(file.entries().len(), "target"),
        counted(file.panel.len(), "panel")
    );
    Ok(Some((in_force(wishes, around, written, trail, false)?, line)))
}

/// What a folder's file would make stacktop do: where it connects, in words without secrets, and the commands that it runs.
///
/// # Errors
/// When it cannot be used as it is.
pub fn deeds(folder: &FolderFile, around: &Surroundings) -> Result<(Vec<String>, Vec<String>), String> {
    let (name, file, places) = written::understood(&folder.path, &folder.text, around)?;
    let targets = configured(&file, &name, &|at| places.at(at), around);
    if let Some(why) = targets.iter().find_map(TargetConfig::unusable) {
        return Err(why.to_owned());
    }
    let servers = targets.iter().map(|target| format!("{} at {}", target.kind().name(), target.address()));
    let lists = file.discover.iter().map(DiscoverFile::deed);
    Ok((servers.chain(lists).chain(file.notify.deed()).collect(), file.commands()))
}

fn patience(file: &File) -> Patience {
    let default = Patience::default();
    let engine = &file.engine;
    Patience {
        backoff_cap: engine.backoff_cap.map_or(default.backoff_cap, |lasting| lasting.0),
        breaker_failures: engine.breaker_failures.unwrap_or(default.breaker_failures).max(1),
        breaker_open: engine.breaker_open.map_or(default.breaker_open, |lasting| lasting.0),
        breaker_successes: engine.breaker_successes.unwrap_or(default.breaker_successes).max(1),
    }
}

fn changed(old: &RuleSetting, change: &RuleFile) -> RuleSetting {
    RuleSetting {
        enabled: change.enabled.unwrap_or(old.enabled),
        warning: change.warning.or(old.warning),
        critical: change.critical.or(old.critical),
        hold: change.hold.map_or(old.hold, |lasting| lasting.0),
        clear: change.clear.map_or(old.clear, |lasting| lasting.0),
        runbook: change.runbook.clone().or_else(|| old.runbook.clone()),
    }
}

fn rulebook(file: &File) -> Rulebook {
    let specs = all_rules();
    let mut rules = Rulebook::defaults(&specs);
    for (id, change) in &file.rules {
        let id = id.get_ref().as_str();
        let Some(old) = specs.iter().find(|spec| spec.id.as_str() == id).map(|spec| rules.get(spec.id))
        else {
            continue;
        };
        let setting = changed(&old, change);
        for (place, own) in &change.on {
            rules.set_on(id, place, changed(&setting, own));
        }
        for (group, own) in &change.group {
            rules.set_of(id, group, changed(&setting, own));
        }
        rules.set(id, setting);
    }
    rules
}

fn lists(file: &File, place: &dyn Fn(usize) -> String) -> Vec<Listing> {
    let one = |entry: &DiscoverFile| Listing::new(entry.clone(), place(entry.name.span().start));
    file.discover.iter().map(one).collect()
}

fn configured(
    file: &File,
    name: &str,
    place: &dyn Fn(usize) -> String,
    around: &Surroundings,
) -> Vec<TargetConfig> {
    let mut names = BTreeSet::new();
    let mut targets = Vec::new();
    for (kind, common, connect) in system::configured(file, around) {
        let at = place(common.begins);
        let connect =
            connect.unwrap_or_else(|error| Connect::Unusable { kind, why: format!("{at}: {error}") });
        let id = match common.name {
            Some(given) => given.get_ref().clone(),
            None => free_name(kind, &names),
        };
        names.insert(id.clone());
        let interval = common.interval.map_or(default_interval(kind), |lasting| lasting.0);
        targets.push(TargetConfig {
            group: None,
            id: TargetId::new(&id),
            chosen_because: format!("{name} names it"),
            interval,
            timeout: common.timeout.map_or(DEFAULT_TIMEOUT, |lasting| lasting.0),
            read_only: common.read_only.unwrap_or(false),
            locality: match common.local {
                None => Locality::ByEvidence,
                Some(true) => Locality::Here,
                Some(false) => Locality::Elsewhere,
            },
            connect,
        });
    }
    targets
}

fn is_production(target: &TargetConfig) -> bool {
    sounds_like_production(target.id.as_str()) || sounds_like_production(&target.address())
}

/// A stack that nobody named: production if anything in it sounds so, else by its first host.
fn guess_environment(targets: &[TargetConfig]) -> String {
    if targets.iter().any(is_production) {
        return "production".to_owned();
    }
    "remote".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stacktop.toml");
        std::fs::write(&path, text).expect("written");
        let around = Surroundings::empty(folder.path());
        resolve(&Wishes { config: Some(path), ..Wishes::default() }, &around)
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = settings(text).expect_err("must be refused");
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_rule_may_differ_for_one_place_and_keeps_there_what_is_not_said() {
        let text = "[rules.\"postgres.replication_lag\"]\nhold = \"7s\"\n\
                    [rules.\"postgres.replication_lag\".on.\"shop-replica\"]\ncritical = 1.0\nwarning = 0.1\n\
                    [rules.\"metrics.get_p95\".on.shop]\nenabled = true\n";
        let rules = settings(text).expect("it is valid").rules;
        let spec = |id: &str| all_rules().into_iter().find(|spec| spec.id == id).expect("a rule").id;
        let (lag, get) = (spec("postgres.replication_lag"), spec("metrics.get_p95"));
        let own = rules.on(lag, &["shop-replica"]);
        assert_eq!((own.warning, own.critical, own.hold), (Some(0.1), Some(1.0), Duration::from_secs(7)));
        assert_eq!((rules.get(lag).warning, rules.get(lag).critical), (Some(5.0), None));
        assert!(rules.on(get, &["shop"]).enabled && !rules.on(get, &["other"]).enabled);
    }

    #[test]
    fn a_rule_may_differ_for_a_group_and_a_target_in_it_has_the_last_word() {
        let text = "[rules.\"metrics.get_p95\"]\nwarning = 0.3\n\
                    [rules.\"metrics.get_p95\".group.reports]\nwarning = 2.0\n\
                    [rules.\"metrics.get_p95\".on.\"reports-9\"]\nwarning = 9.0\n";
        let mut rules = settings(text).expect("it is valid").rules;
        let get = all_rules().into_iter().find(|spec| spec.id == "metrics.get_p95").expect("a rule").id;
        for name in ["reports-1", "reports-9"] {
            rules.belongs(name, "reports");
        }
        rules.belongs("shop-1", "shop");
        let warnings =
            ["reports-1", "reports-9", "shop-1", "unknown"].map(|name| rules.on(get, &[name]).warning);
        assert_eq!(warnings, [Some(2.0), Some(9.0), Some(0.3), Some(0.3)]);
        rules.belongs("shop-1", "reports");
        assert_eq!(rules.on(get, &["shop-1"]).warning, Some(2.0), "what it says of itself came later");
        refused(
            "[rules.\"metrics.get_p95\".group.a]\nwarning = 2.0\n[rules.\"metrics.get_p95\".group.a.group.b]\nwarning = 1.0\n",
            "`group` stands once, below the rule",
        );
        refused("[rules.\"metrics.get_p95\".group.a]\nwarning = -2.0\n", "warning is below 0");
    }

    #[test]
    fn refusals_name_place_and_remedy() {
        let two = "[[redis]]\nname = \"a\"\nurl = \"redis://localhost\"\n[[metrics]]\nname = \"a\"\nurl = \"http://localhost/metrics\"\n";
        refused(two, "stacktop.toml:5:1: a second target has this name");
        refused("[rules.\"postgres.blokking\"]\nwarning = 1.0\n", "did you mean `postgres.block");
        let on = |name: &str| {
            format!(
                "[[redis]]\nname = \"orders\"\nurl = \"redis://h\"\n[[depends]]\nservice = \"a\"\non = \"{name}\"\n"
            )
        };
        refused(&on("order"), "stacktop.toml:6:6: there is no target `order`; did you mean `orders`?");
        let said = settings(&on("orders")).expect("fine").topology;
        let because = said.because("a", &TargetId::new("orders")).expect("it is said");
        assert!(because.ends_with("stacktop.toml:5:11 says so"), "{because}");
        refused("[depends]\nservice = \"a\"\non = \"b\"\n", "write [[depends]] in double brackets");
        refused("[[postgres]]\nurl = \"mysql://h\"\n", "stacktop.toml:2:7: `mysql://` is not Postgres");
        refused(
            "[[postgres]]\nurl = \"postgres://u@h/d\"\npassword_file = \"/nowhere/secret\"\n",
            "stacktop.toml:2:7: the file that it names does not exist",
        );
        refused("[[search]]\nurl = \"http://h:9200\"\nuser = \"elastic\"\n", "a user without a password");
        refused(
            "[[redis]]\nurl = \"redis://h\"\ninterval = \"10ms\"\n",
            "stacktop.toml:3:1: interval can be from 200ms to 1h",
        );
    }

    #[test]
    fn a_password_that_goes_unencrypted_to_another_machine_is_warned_of() {
        let warned = |text: &str| {
            let trail = settings(text).expect("fine").trail;
            trail.iter().any(|line| line.starts_with("WARNING") && line.contains(": use "))
        };
        for (text, expected) in [
            ("[[redis]]\nurl = \"redis://:pw@10.0.0.9\"\n", true),
            ("[[redis]]\nurl = \"rediss://:pw@10.0.0.9\"\n", false),
            ("[[redis]]\nurl = \"redis://10.0.0.9\"\n", false),
            ("[[redis]]\nurl = \"redis://:pw@localhost\"\n", false),
            ("[[postgres]]\nurl = \"postgres://u:pw@10.0.0.9/d\"\n", true),
            ("[[postgres]]\nurl = \"postgres://u:pw@10.0.0.9/d?sslmode=require\"\n", false),
            ("[[search]]\nurl = \"http://u:pw@10.0.0.9:9200\"\n", true),
            ("[[search]]\nurl = \"https://u:pw@10.0.0.9:9200\"\n", false),
            ("[[prometheus]]\nurl = \"http://u:pw@10.0.0.9:9090\"\n", true),
        ] {
            assert_eq!(warned(text), expected, "{text}");
        }
    }

    #[test]
    fn production_is_recognised_by_name() {
        let far =
            |name: &str| format!("[[postgres]]\nname = \"{name}\"\nurl = \"postgres://u@10.1.2.3/d\"\n");
        assert!(settings(&far("orders-prod")).expect("fine").production);
        assert!(!settings(&far("orders-staging")).expect("fine").production);
        assert!(!settings("").expect("fine").production);
        assert_eq!(settings("").expect("fine").environment, "local");
    }

    #[test]
    fn a_file_that_came_with_the_folder_is_not_read_unasked() {
        let folder = tempfile::tempdir().expect("a folder");
        let around = Surroundings::empty(folder.path());
        let path = folder.path().join("stacktop.toml");
        std::fs::write(&path, "environment = \"theirs\"\n").expect("written");
        let error = resolve(&Wishes::default(), &around).expect_err("refused");
        assert!(error.contains("is not trusted: run `stacktop trust`"), "{error}");
        let wishes = Wishes { folder: Some(FolderFile::read(&path).expect("read")), ..Wishes::default() };
        assert_eq!(resolve(&wishes, &around).expect("trusted").environment, "theirs");
    }

    #[test]
    fn nothing_found_says_what_was_looked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = resolve(&Wishes::default(), &Surroundings::empty(folder.path())).expect("fine");
        assert!(settings.targets.is_empty());
        let trail = settings.trail.join("\n");
        for word in ["DATABASE_URL", "REDIS_URL", "compose", "5432"] {
            assert!(trail.contains(word), "{word} in {trail}");
        }
    }
}
