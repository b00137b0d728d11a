//! Active session history: what the sessions that were active at the recent polls waited for, by class and event. Pure.

use super::{Session, SessionState};
use crate::core::history::Series;
use crate::core::time::Now;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Shares look back this far.
pub const ACTIVITY_WINDOW: Duration = Duration::from_secs(300);
/// Samples that are closer together count once.
const CLOSE: Duration = Duration::from_millis(500);
/// The class of sessions that wait for nothing: they compute.
pub const CPU: &str = "CPU";

/// Class and event that an active session waits for; `None` for one that is not active, or is our own.
#[must_use]
pub fn waits(session: &Session) -> Option<(&str, &str)> {
    let counts = session.is_client() || session.leader_pid.is_some();
    if session.state != SessionState::Active || !counts || session.application == "stacktop" {
        return None;
    }
    Some(session.wait.as_ref().map_or((CPU, ""), |(class, event)| (class.as_str(), event.as_str())))
}

/// One class (or event) of waiting.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its name.
    pub name: String,
    /// Sessions at the newest poll.
    pub now: u32,
    /// Sessions on average over the window.
    pub average: f64,
    /// Its share of all active sessions in the window, 0–1.
    pub share: f64,
}

/// Sessions by class and event.
type Counts = BTreeMap<(String, String), u32>;

/// Samples of [`ACTIVITY_WINDOW`], and the past of each class for drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    samples: VecDeque<(Now, Counts)>,
    past: BTreeMap<String, Series>,
}

impl Activity {
    /// Takes in the sessions of one poll.
    pub fn absorb(&mut self, sessions: &[Session], now: Now) {
        let mut counts = Counts::new();
        let mut classes: BTreeMap<&str, u32> = BTreeMap::new();
        for (class, event) in sessions.iter().filter_map(waits) {
            *counts.entry((class.to_owned(), event.to_owned())).or_default() += 1;
            *classes.entry(class).or_default() += 1;
        }
        let seen = self.past.values().map(Series::len).max().unwrap_or_default();
        for class in classes.keys() {
            self.past.entry((*class).to_owned()).or_insert_with(|| {
                let mut series = Series::default();
                (0..seen).for_each(|_| series.push(Some(0.0)));
                series
            });
        }
        for (class, series) in &mut self.past {
            series.push(Some(f64::from(classes.get(class.as_str()).copied().unwrap_or_default())));
        }
        // Polls in quick succession (a person pressed a key) must not weigh more than the others: the newest of them counts.
        while self.samples.len() > 1 && self.samples.back().is_some_and(|(at, _)| now.since(*at) < CLOSE) {
            self.samples.pop_back();
        }
        self.samples.push_back((now, counts));
        while self.samples.front().is_some_and(|(at, _)| now.since(*at) > ACTIVITY_WINDOW) {
            self.samples.pop_front();
        }
    }

    /// A poll without an answer.
    pub fn gap(&mut self) {
        self.past.values_mut().for_each(|series| series.push(None));
    }

    /// Sessions that were active on average over the window.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.sum(|_| true) / (self.samples.len().max(1) as f64)
    }

    /// The classes of the window, the heaviest first.
    #[must_use]
    pub fn classes(&self) -> Vec<Waiting> {
        self.ranked(|(class, _)| Some(class))
    }

    /// The events of one class, the heaviest first.
    #[must_use]
    pub fn events(&self, of: &str) -> Vec<Waiting> {
        self.ranked(|(class, event)| (class == of).then_some(event))
    }

    /// The newest `count` samples of a class.
    #[must_use]
    pub fn tail(&self, class: &str, count: usize) -> Vec<Option<f64>> {
        self.past.get(class).map(|series| series.tail(count)).unwrap_or_default()
    }

    fn sum(&self, pick: impl Fn(&(String, String)) -> bool) -> f64 {
        let counted = self.samples.iter().flat_map(|(_, counts)| counts.iter());
        counted.filter(|(key, _)| pick(key)).map(|(_, count)| f64::from(*count)).sum()
    }

    fn ranked<'a>(&'a self, name: impl Fn(&'a (String, String)) -> Option<&'a String>) -> Vec<Waiting> {
        let mut found: BTreeMap<&String, (u32, f64)> = BTreeMap::new();
        let newest = self.samples.len().saturating_sub(1);
        for (at, (_, counts)) in self.samples.iter().enumerate() {
            for (key, count) in counts {
                if let Some(name) = name(key) {
                    let entry = found.entry(name).or_default();
                    entry.0 += if at == newest { *count } else { 0 };
                    entry.1 += f64::from(*count);
                }
            }
        }
        let all = self.sum(|_| true).max(1.0);
        let samples = self.samples.len().max(1) as f64;
        let waiting = |(name, (now, sum)): (&String, (u32, f64))| Waiting {
            name: name.clone(),
            now,
            average: sum / samples,
            share: sum / all,
        };
        let mut list: Vec<Waiting> = found.into_iter().map(waiting).collect();
        list.sort_by(|a, b| b.average.total_cmp(&a.average));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(wait: Option<(&str, &str)>) -> Session {
        Session {
            backend_type: "client backend".to_owned(),
            state: SessionState::Active,
            wait: wait.map(|(class, event)| (class.to_owned(), event.to_owned())),
            ..Session::default()
        }
    }

    #[test]
    fn shares_averages_and_what_is_not_active() {
        let mut activity = Activity::default();
        let lock = || session(Some(("Lock", "transactionid")));
        let idle = Session { state: SessionState::Idle, ..session(Some(("Client", "ClientRead"))) };
        let own = Session { application: "stacktop".to_owned(), ..session(None) };
        activity.absorb(&[session(None), idle, own], Now::example(0));
        activity.absorb(&[session(None), lock(), lock(), session(Some(("Lock", "tuple")))], Now::example(1));
        let classes = activity.classes();
        assert_eq!(classes[0], Waiting { name: "Lock".to_owned(), now: 3, average: 1.5, share: 0.6 });
        assert_eq!(classes[1], Waiting { name: CPU.to_owned(), now: 1, average: 1.0, share: 0.4 });
        assert_eq!(activity.events("Lock")[0].name, "transactionid");
        assert!((activity.average() - 2.5).abs() < 1e-9);
        // A class that came later has a past as long as the others.
        assert_eq!(activity.tail("Lock", 9), vec![Some(0.0), Some(3.0)]);
        activity.gap();
        assert_eq!(activity.tail(CPU, 2), vec![Some(1.0), None]);
    }

    #[test]
    fn a_worker_counts_and_the_window_moves_on() {
        let mut activity = Activity::default();
        let worker = Session {
            leader_pid: Some(1),
            backend_type: "parallel worker".to_owned(),
            ..session(Some(("IO", "DataFileRead")))
        };
        activity.absorb(&[worker], Now::example(0));
        assert_eq!(activity.classes()[0].now, 1);
        activity.absorb(&[], Now::example(ACTIVITY_WINDOW.as_secs() + 1));
        assert!(activity.classes().is_empty());
        assert!(activity.average() < 1e-9);
    }
}
