//! What a list of endpoints (`[[discover]]`) means: the targets that it names, how each is asked, and its group. What stands in it is read
//! elsewhere (`sources/lists`). Pure.

use super::defaults::default_interval;
use super::discover_file::DiscoverFile;
use super::entries::endpoint_at;
use super::target::{Connect, DEFAULT_TIMEOUT, Locality, TargetConfig};
use crate::core::ids::{SystemKind, TargetId};
use crate::core::redact;
use crate::core::text::{counted, is_tame, tidy};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A list is looked at this often.
const REFRESH: Duration = Duration::from_secs(30);
/// Of one list so many targets are watched: each is asked, judged and drawn.
const MOST: usize = 1000;
/// The labels that name a group, in this order, unless the entry names one.
const GROUPS: [&str; 3] = ["service", "app", "job"];
/// A name has to fit into a line.
const NAME_CHARS: usize = 64;
/// So much of what stands in a list is repeated.
const SHOWN: usize = 80;

/// Some targets of a list, with the labels that they have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// `host:port` each.
    #[serde(deserialize_with = "given")]
    pub targets: Vec<String>,
    /// Their labels.
    #[serde(default, deserialize_with = "given")]
    pub labels: BTreeMap<String, String>,
}

/// What stands there, if anything does: a template leaves `labels:` alone where there is none.
fn given<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(reader: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

/// Reads a list.
///
/// # Errors
/// What is wrong with it, with line and column.
pub fn read(text: &str, yaml: bool) -> Result<Vec<Listed>, String> {
    if text.trim().is_empty() {
        // Who writes it anew begins so; a list of nothing says so.
        return Err("it is empty: a list that names nothing is []".to_owned());
    }
    let read = if yaml {
        serde_yaml_ng::from_str(text).map_err(|error| error.to_string())
    } else {
        serde_json::from_str(text).map_err(|error| error.to_string())
    };
    // It repeats what it cannot read.
    read.map_err(|why| tidy(&redact::said(&why, []), 2 * SHOWN))
}

/// An address as it may be repeated: without a login, and without the value of a parameter that may be secret.
fn shown(address: &str) -> String {
    let clean = redact::line(address, &[""; 0]);
    let (scheme, rest) = clean.find("://").map_or(("", clean.as_str()), |at| clean.split_at(at + 3));
    let at = rest.rsplit_once('@').map_or(rest, |(_, at)| at);
    tidy(&format!("{scheme}{at}"), SHOWN)
}

/// A list of endpoints.
#[derive(Clone, Debug)]
pub struct Listing {
    entry: DiscoverFile,
    place: String,
}

impl Listing {
    /// The list of this entry, which stands at `place`.
    pub(super) const fn new(entry: DiscoverFile, place: String) -> Self {
        Self { entry, place }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.entry.name.get_ref()
    }

    /// Everything that its entry says, to be compared. It may hold a secret, and is never shown.
    #[must_use]
    pub fn saying(&self) -> String {
        self.entry.saying()
    }

    /// Patterns of its files.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.entry.files
    }

    /// Its command: the program and each argument. It stands in the configuration, and is never shown.
    #[must_use]
    pub fn command(&self) -> Option<(&str, &[String])> {
        self.entry.command.split_first().map(|(program, arguments)| (program.as_str(), arguments))
    }

    /// How often it is looked at.
    #[must_use]
    pub fn refresh(&self) -> Duration {
        self.entry.refresh.map_or(REFRESH, |lasting| lasting.0)
    }

    /// The targets that it names, in its order, and what is wrong with others. Names in `taken` are those of other targets.
    #[must_use]
    pub fn targets(&self, listed: &[Listed], taken: &BTreeSet<String>) -> (Vec<TargetConfig>, Vec<String>) {
        let (mut targets, mut wrong) = (Vec::new(), Vec::new());
        let (mut names, mut urls) = (taken.clone(), BTreeSet::new());
        let all = listed.iter().flat_map(|some| some.targets.iter().map(move |at| (at, &some.labels)));
        for (address, labels) in all {
            let found = url(address, labels).and_then(|url| {
                let connect = endpoint_at(&self.entry.at(url.clone()))?;
                Ok((url, connect))
            });
            let (url, connect) = match found {
                Ok(found) => found,
                Err(why) => {
                    wrong.push(format!("`{}`: {why}", shown(address)));
                    continue;
                }
            };
            if !urls.insert(url.clone()) {
                continue;
            }
            if targets.len() == MOST {
                wrong.push(format!("it names more than {MOST} targets: the first ones are watched"));
                break;
            }
            // As long as they are told: two of one name would be one target.
            let instance = labels.get("instance").filter(|name| !name.trim().is_empty());
            let whole = shown(&url);
            let bare = whole.split_once("://").map_or(whole.as_str(), |(_, rest)| rest);
            let called = [instance.unwrap_or(address).as_str(), bare].map(|name| tidy(name, NAME_CHARS));
            let Some(name) = called.into_iter().find(|name| !names.contains(name)) else {
                wrong.push(format!("`{}`: another target has this name", shown(address)));
                continue;
            };
            names.insert(name.clone());
            targets.push(TargetConfig {
                id: TargetId::new(&name),
                group: Some(self.group(labels)),
                chosen_because: format!("{} lists it ({})", self.name(), self.place),
                interval: self
                    .entry
                    .interval
                    .map_or(default_interval(SystemKind::Metrics), |lasting| lasting.0),
                timeout: self.entry.timeout.map_or(DEFAULT_TIMEOUT, |lasting| lasting.0),
                read_only: false,
                locality: Locality::ByEvidence,
                connect: Connect::Metrics(connect),
            });
        }
        (targets, wrong)
    }

    /// The group of a target with these labels: what its label says, else the list.
    fn group(&self, labels: &BTreeMap<String, String>) -> String {
        let named = match &self.entry.group {
            Some(label) => labels.get(label),
            None => GROUPS.iter().find_map(|label| labels.get(*label)),
        };
        tidy(named.map_or(self.name(), String::as_str), NAME_CHARS)
    }

    /// The words for what is wrong with some of its targets; nothing where none is.
    #[must_use]
    pub fn trouble(wrong: &[String]) -> Option<String> {
        let first = wrong.first()?;
        let more = wrong.len() - 1;
        Some(if more == 0 { first.clone() } else { format!("{first}; and {} more", counted(more, "target")) })
    }
}

/// Where a target of a list is asked.
fn url(address: &str, labels: &BTreeMap<String, String>) -> Result<String, String> {
    let label = |name: &str, usual: &str| labels.get(name).map_or(usual, String::as_str).to_owned();
    let host = !address.is_empty()
        && address.chars().all(|c| is_tame(c) && !c.is_whitespace() && !"/?#@\\".contains(c));
    if !host {
        return Err(
            "a target is host:port; scheme and path are labels (__scheme__, __metrics_path__)".to_owned()
        );
    }
    let scheme = label("__scheme__", "http");
    if scheme != "http" && scheme != "https" {
        return Err("__scheme__ is http or https".to_owned());
    }
    let path = label("__metrics_path__", "/metrics");
    let slash = if path.starts_with('/') { "" } else { "/" };
    let parameters: Vec<String> = labels
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("__param_")?, value)))
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    Ok(format!("{scheme}://{address}{slash}{path}{query}"))
}

/// The value of a parameter as it stands in a URL.
fn escaped(value: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(more: &str) -> Listing {
        let text = format!("name = \"shop\"\nfiles = [\"a.json\"]\n{more}");
        Listing::new(toml::from_str(&text).expect("TOML"), "c.toml:1:1".to_owned())
    }

    fn url_of(target: &TargetConfig) -> String {
        let Connect::Metrics(http) = &target.connect else { return String::new() };
        http.url.clone()
    }

    #[track_caller]
    fn check(list: &Listing, text: &str, expected: &[(&str, &str, &str)]) {
        let listed = read(text, true).expect("a list");
        let (targets, wrong) = list.targets(&listed, &BTreeSet::from(["pg".to_owned()]));
        assert_eq!(wrong, Vec::<String>::new());
        let found: Vec<(String, String, String)> = targets
            .iter()
            .map(|target| (target.id.to_string(), target.group.clone().unwrap_or_default(), url_of(target)))
            .collect();
        let expected = expected.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned()));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{text}");
    }

    #[test]
    fn labels_say_how_a_target_is_asked_and_which_group_it_is_of() {
        let text = r#"[{"targets": ["10.0.0.1:9100", "10.0.0.2:9100"], "labels": {"job": "node", "app": "shop"}},
            {"targets": ["api.internal"], "labels": {"__scheme__": "https", "__metrics_path__": "app/metrics", "job": "api", "instance": "api-1"}},
            {"targets": ["[::1]:9115"], "labels": {"__metrics_path__": "/probe", "__param_target": "https://a.b/?c"}},
            {"targets": ["10.0.0.1:9100"]}]"#;
        let asked = [
            ("10.0.0.1:9100", "shop", "http://10.0.0.1:9100/metrics"),
            ("10.0.0.2:9100", "shop", "http://10.0.0.2:9100/metrics"),
            ("api-1", "api", "https://api.internal/app/metrics"),
            ("[::1]:9115", "shop", "http://[::1]:9115/probe?target=https%3A%2F%2Fa.b%2F%3Fc"),
        ];
        check(&listing(""), text, &asked);
        let yaml = "- targets: [pg, 'a:1']\n  labels: {team: red, job: x, __metrics_path__: /m}\n- targets: ['a:1']\n";
        let asked = [
            ("pg/m", "red", "http://pg/m"),
            ("a:1", "red", "http://a:1/m"),
            ("a:1/metrics", "shop", "http://a:1/metrics"),
        ];
        check(&listing("group = \"team\""), yaml, &asked);
    }

    #[track_caller]
    fn refused(text: &str, yaml: bool, expected: &str) {
        let why = read(text, yaml).expect_err("no list");
        assert!(why.contains(expected), "{why}");
    }

    #[test]
    fn what_is_no_list_is_told_with_its_place() {
        refused("[{\"targets\": [\"a:1\"],}]", false, "line 1 column 22");
        refused("- targets: [a:1]\n  labels:\n  - b\n", true, "line 3 column 3");
        refused("[{\"labels\": {}}]", false, "missing field `targets`");
        refused("[{\"targets\": [\"a:1\"], \"label\": {}}]", false, "unknown field `label`");
        refused("", true, "it is empty");
        refused(" \n", false, "it is empty");
    }

    #[test]
    fn what_a_template_leaves_empty_is_nothing() {
        let named =
            |text: &str| read(text, true).map(|list| list.iter().map(|one| one.targets.len()).collect());
        assert_eq!(named("# nobody yet\n"), Ok(Vec::<usize>::new()));
        assert_eq!(named("- targets: ['a:1']\n  labels:\n"), Ok(vec![1]));
        assert_eq!(named("- targets:\n  labels: {shard: 1, canary: true}\n"), Ok(vec![0]));
    }

    #[test]
    fn what_is_repeated_of_an_address_holds_no_secret() {
        for (address, told) in [
            ("http://a:1/metrics", "http://a:1/metrics"),
            ("http://u:geheim@a:1/metrics", "http://a:1/metrics"),
            ("u:geheim@a:1", "a:1"),
        ] {
            assert_eq!(shown(address), told);
        }
        let told = shown("http://a:1/metrics?token=geheim&target=b");
        assert!(!told.contains("geheim") && told.contains("target=b"), "{told}");
    }

    #[test]
    fn one_that_cannot_be_asked_keeps_nobody_else_from_being_watched() {
        let text = r#"[{"targets": ["http://a:1/metrics", "b:1", "c d"]}, {"targets": ["e:1"], "labels": {"__scheme__": "ftp"}}]"#;
        let (targets, wrong) = listing("").targets(&read(text, false).expect("a list"), &BTreeSet::new());
        assert_eq!(targets.len(), 1);
        assert_eq!(wrong.len(), 3);
        let told = Listing::trouble(&wrong).expect("something");
        assert!(told.starts_with("`http://a:1/metrics`: a target is host:port"), "{told}");
        assert!(told.ends_with("; and 2 targets more"), "{told}");
        let many: Vec<String> = (0..1200).map(|number| format!("h{number}:1")).collect();
        let listed = [Listed { targets: many, labels: BTreeMap::new() }];
        let (targets, wrong) = listing("").targets(&listed, &BTreeSet::new());
        assert_eq!((targets.len(), wrong.len()), (1000, 1), "{wrong:?}");
    }
}
