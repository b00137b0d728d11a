//! Versions that applications write into the name of their sessions (`shop-api@1.4.2`, `shop-api/1.4.2`, `shop v1.4.2`). Numbers of pods,
//! hosts and addresses are no versions. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// So many applications of one server, and so many versions of each, are remembered: what has more of them writes something else there.
const APPLICATIONS: usize = 64;
const VERSIONS: usize = 16;
/// The server cuts names here: the end of such a name may be no end.
const CUT: usize = 63;

/// The versions that were seen, by application.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Versions(BTreeMap<String, BTreeSet<String>>);

impl Versions {
    /// Takes in the names of the sessions that are there now; the versions of applications that had another one before.
    pub(super) fn follow<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, version) in names.filter_map(version) {
            let room = self.0.len() < APPLICATIONS;
            match self.0.get_mut(name) {
                Some(known) if known.len() < VERSIONS && !known.contains(version) => {
                    known.insert(version.to_owned());
                    found.push((name.to_owned(), version.to_owned()));
                }
                None if room => {
                    self.0.insert(name.to_owned(), BTreeSet::from([version.to_owned()]));
                }
                Some(_) | None => {}
            }
        }
        found
    }
}

/// The application and its version, where a name is nothing but these two.
fn version(name: &str) -> Option<(&str, &str)> {
    let (application, rest) = name.rsplit_once(['@', '/', ' ']).filter(|_| name.len() < CUT)?;
    let separator = name[application.len()..].chars().next()?;
    let version = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
    // Behind a blank anything may stand: there a `v` has to say what it is.
    let said = separator != ' ' || version.len() < rest.len();
    let application = application.trim_end();
    (said && application.contains(|c: char| c.is_alphabetic()) && is_version(version))
        .then_some((application, version))
}

/// Two or three numbers with dots between them, and perhaps a mark behind them. One number is a pod, four are an address.
fn is_version(text: &str) -> bool {
    let (numbers, mark) = text.find(['-', '+']).map_or((text, ""), |at| text.split_at(at));
    let parts: Vec<&str> = numbers.split('.').collect();
    let number =
        |part: &&str| (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let marked = mark.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
    (2..=3).contains(&parts.len()) && parts.iter().all(number) && marked && mark.len() != 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, &str)>) {
        assert_eq!(version(name), expected, "{name}");
    }

    #[test]
    fn a_version_is_told_from_the_number_of_a_pod_a_host_or_an_address() {
        check("shop-api@1.4.2", Some(("shop-api", "1.4.2")));
        check("shop-api/1.4.2", Some(("shop-api", "1.4.2")));
        check("shop v1.4.2", Some(("shop", "1.4.2")));
        check("shop-api@v2.0", Some(("shop-api", "2.0")));
        check("shop-api@1.4.2-rc.1", Some(("shop-api", "1.4.2-rc.1")));
        check("shop-api/1.4.2+7f9c", Some(("shop-api", "1.4.2+7f9c")));
        check("shop-api@2026.11", Some(("shop-api", "2026.11")));
        for none in [
            "shop-api",
            "shop-api-7f9c4d-x2x4z",
            "shop-api-1.4.2",
            "worker/3",
            "worker@12",
            "worker 3",
            "web@10.0.0.5",
            "web/10.0.0.5:5432",
            "web@db1.example",
            "web@1.4.x",
            "web@1..2",
            "web@1.4-",
            "10.0.0.5/1.4",
            "shop 1.4.2",
            "DBeaver 23.1.0 - Main",
            "pgAdmin 4 - DB:shop",
            "PostgreSQL JDBC Driver",
            "job 2026-11-29/02.30.00.5",
            "",
            "@1.2.3",
        ] {
            check(none, None);
        }
        let cut = format!("{}@1.4", "x".repeat(60));
        check(&cut, None);
    }

    #[test]
    fn only_another_version_of_a_known_application_is_new() {
        let mut versions = Versions::default();
        let mut follow = |names: &[&str]| versions.follow(names.iter().copied());
        assert_eq!(follow(&["shop@1.4.2", "psql"]), Vec::new());
        assert_eq!(follow(&["shop@1.4.2", "mails@2.0"]), Vec::new(), "who comes is no deployment");
        let new = vec![("shop".to_owned(), "1.4.3".to_owned())];
        assert_eq!(follow(&["shop@1.4.2", "shop@1.4.3", "mails@2.0"]), new);
        assert_eq!(follow(&["shop@1.4.3", "shop@1.4.2"]), Vec::new(), "back to one that was there");
        let many: Vec<String> = (0..40).map(|pod| format!("pod@1.{pod}")).collect();
        let found: usize =
            many.iter().map(|name| versions.follow(std::iter::once(name.as_str())).len()).sum();
        assert_eq!(found, VERSIONS - 1, "what has so many is no version");
    }
}
