//! One alert that several servers tell of: a pair of replicas with the same rules, a server and the one that passes its rules on
//! (Thanos' querier, `-vmalert.proxyURL`). It is one row, which names the others.

use super::rules::ALERT;
use crate::core::alert::{Breach, FindingKey};
use crate::core::ids::TargetId;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::Duration;

/// What began within so long of each other on both is the same: they evaluate at different moments.
const TOGETHER: Duration = Duration::from_secs(15);

/// Of an alert with the same rule, group and labels that has been active since the same time on several servers one server tells: that which
/// has told it already, or the first. What was told of both goes on so: neither of them ends. `read` is when a server was read.
pub(crate) fn once(
    breaches: &mut Vec<Breach>,
    told: impl Fn(&FindingKey) -> bool,
    read: impl Fn(&TargetId) -> Option<DateTime<Utc>>,
) {
    let began = |breach: &Breach| Some(read(&breach.target)? - breach.observed_for?);
    // By its subject who tells it, and how far from its beginning another one's may be: who told it goes on with what is near.
    let mut first: HashMap<String, Vec<(usize, Duration)>> = HashMap::new();
    let mut others: HashMap<usize, Vec<TargetId>> = HashMap::new();
    let mut doubled = vec![false; breaches.len()];
    let alert = |at: &usize| breaches[*at].rule == ALERT.id();
    let (already, newly): (Vec<usize>, Vec<usize>) =
        (0..breaches.len()).filter(alert).partition(|at| told(&breaches[*at].key()));
    let old = already.len();
    for (place, at) in already.into_iter().chain(newly).enumerate() {
        let breach = &breaches[at];
        let tellers = first.entry(breach.subject.clone()).or_default();
        let same = tellers.iter().find(|(teller, within)| {
            let one = &breaches[*teller];
            let ages = began(one).zip(began(breach));
            place >= old
                && one.target != breach.target
                && one.severity == breach.severity
                && ages.is_some_and(|(one, other)| (one - other).abs().to_std().is_ok_and(|by| by <= *within))
        });
        if let Some((teller, _)) = same {
            others.entry(*teller).or_default().push(breach.target.clone());
            doubled[at] = true;
        } else {
            tellers.push((at, if place < old { TOGETHER * 2 } else { TOGETHER }));
        }
    }
    for (at, who) in others {
        let names: Vec<&str> = who.iter().map(TargetId::as_str).collect();
        let says = if names.len() == 1 { "says" } else { "say" };
        breaches[at].sentence.push_str(&format!(" ({} {says} so, too)", names.join(", ")));
    }
    let mut doubled = doubled.into_iter();
    breaches.retain(|_| doubled.next() != Some(true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Grade, Severity};
    use crate::core::place::Screen;

    fn alert(target: &str, subject: &str, age: Option<u64>) -> Breach {
        let grade = Grade { severity: Severity::Warning, value: None, threshold: None };
        let about = (subject, format!("{subject} fires"));
        let mut breach = Breach::new(&ALERT.spec, &TargetId::new(target), Screen::Metrics, grade, about);
        breach.since(age.map(Duration::from_secs));
        breach
    }

    #[track_caller]
    fn check(breaches: Vec<Breach>, expected: &[&str]) {
        check_after(&[], breaches, expected);
    }

    /// After the servers `told` have told it.
    #[track_caller]
    fn check_after(told: &[&str], mut breaches: Vec<Breach>, expected: &[&str]) {
        let read = |target: &TargetId| {
            // One of them was read ten seconds later.
            let later = if target.as_str() == "late" { 10 } else { 0 };
            DateTime::from_timestamp(1_000_000 + later, 0)
        };
        once(&mut breaches, |key| told.contains(&key.target.as_str()), read);
        let told: Vec<String> =
            breaches.iter().map(|breach| format!("{}: {}", breach.target, breach.sentence)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn an_alert_of_several_servers_is_one_row_that_names_them() {
        let (a, b) = (alert("a", "Down", Some(100)), alert("b", "Down", Some(104)));
        check(vec![a.clone(), b.clone()], &["a: Down fires (b says so, too)"]);
        let c = alert("c", "Down", Some(98));
        check(vec![a.clone(), b.clone(), c], &["a: Down fires (b, c say so, too)"]);
        // A row that is there already stays.
        check_after(&["b"], vec![a.clone(), b.clone()], &["b: Down fires (a says so, too)"]);
        // So do two of them, and one goes on with what is near.
        check_after(&["a", "b"], vec![a.clone(), b], &["a: Down fires", "b: Down fires"]);
        let near = || alert("b", "Down", Some(120));
        check(vec![a.clone(), near()], &["a: Down fires", "b: Down fires"]);
        check_after(&["a"], vec![a.clone(), near()], &["a: Down fires (b says so, too)"]);
        // It began then, whenever it was asked.
        check(vec![a.clone(), alert("late", "Down", Some(120))], &["a: Down fires (late says so, too)"]);
        // Of other labels, since another time, or since nobody knows when.
        check(vec![a.clone(), alert("b", "Full", Some(100))], &["a: Down fires", "b: Full fires"]);
        check(vec![a.clone(), alert("b", "Down", Some(160))], &["a: Down fires", "b: Down fires"]);
        check(vec![a, alert("b", "Down", None)], &["a: Down fires", "b: Down fires"]);
    }
}
