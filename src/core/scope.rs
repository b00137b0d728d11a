//! Which targets are looked at: all of them, one, or those whose name or group is like a pattern. It narrows what is shown and nothing else:
//! every target is asked and judged as before.

use super::ids::TargetId;
use super::target::TargetState;

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Every target.
    #[default]
    All,
    /// One target.
    One(TargetId),
    /// The targets whose name or group is like this; `*` stands for anything.
    Like(String),
}

impl Scope {
    /// What `text` stands for among `targets`: nothing is all of them, a name is that target, anything else a pattern.
    ///
    /// # Errors
    /// A sentence when no target is meant by it.
    pub fn find<'a>(
        text: &str,
        targets: impl Iterator<Item = &'a TargetState> + Clone,
    ) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::All);
        }
        if let Some(target) = targets.clone().find(|target| target.id.as_str().eq_ignore_ascii_case(text)) {
            return Ok(Self::One(target.id.clone()));
        }
        let scope = Self::Like(text.to_owned());
        if targets.clone().any(|target| scope.holds(target)) {
            return Ok(scope);
        }
        let mut names: Vec<&str> = targets.map(TargetState::group).collect();
        names.sort_unstable();
        names.dedup();
        let more = if names.len() > 8 { ", …" } else { "" };
        names.truncate(8);
        Err(format!("no target is called or grouped `{text}`; there are {}{more}", names.join(", ")))
    }

    /// Whether `target` is looked at.
    #[must_use]
    pub fn holds(&self, target: &TargetState) -> bool {
        match self {
            Self::All => true,
            Self::One(id) => target.id == *id,
            Self::Like(pattern) => is_like(target.id.as_str(), pattern) || is_like(target.group(), pattern),
        }
    }

    /// Its words, where it is not everything.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::One(id) => Some(id.as_str()),
            Self::Like(pattern) => Some(pattern),
        }
    }
}

/// Whether `text` is like `pattern`, in which `*` stands for anything; capitals are no difference.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, between @ .., last] = parts.as_slice() else { return text == pattern };
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::SystemKind;
    use crate::core::time::Now;
    use std::time::Duration;

    fn targets() -> Vec<TargetState> {
        let state = |name: &str| {
            let second = Duration::from_secs(1);
            let id = TargetId::new(name);
            TargetState::new(id, SystemKind::Metrics, String::new(), second, Now::example(0))
        };
        ["checkout-1", "checkout-02", "pg", "pg-2", "mail", "42"].map(state).to_vec()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let all = targets();
        let scope = Scope::find(text, all.iter()).expect("it means something");
        let held = all.iter().filter(|target| scope.holds(target)).map(|target| target.id.as_str());
        assert_eq!(held.collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_name_is_one_target_and_a_pattern_or_a_group_several() {
        check("", &["checkout-1", "checkout-02", "pg", "pg-2", "mail", "42"]);
        check("checkout", &["checkout-1", "checkout-02"]);
        check("CHECKOUT-*", &["checkout-1", "checkout-02"]);
        check("checkout-1", &["checkout-1"]);
        check("pg", &["pg"]);
        check("pg*", &["pg", "pg-2"]);
        check("*-*2", &["checkout-02", "pg-2"]);
        check("42", &["42"]);
        check("*", &["checkout-1", "checkout-02", "pg", "pg-2", "mail", "42"]);
        let error = Scope::find("chekout", targets().iter()).expect_err("nobody");
        assert_eq!(error, "no target is called or grouped `chekout`; there are 42, checkout, mail, pg");
    }

    #[test]
    fn a_pattern_is_matched_from_end_to_end() {
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "a*c", true),
            ("ac", "a*c", true),
            ("a", "a*a", false),
            ("abcabc", "*b*c", true),
            ("abc", "*b", false),
            ("abc", "*b*b*", false),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
    }
}
