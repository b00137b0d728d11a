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

/// The sessions of one poll.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    at: Now,
    /// The time that it stands for: since the look before it. Nothing where there was none.
    stood: Duration,
    counts: Counts,
}

/// Samples of [`ACTIVITY_WINDOW`], and the past of each class for drawing. A slow server is asked less often, and each look at it
/// weighs as much more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    samples: VecDeque<Sample>,
    /// When somebody looked last, with or without an answer.
    looked: Option<Now>,
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
        // Nobody waited for what was not seen before.
        let nobody = self.past.values().next().map_or_else(Series::default, |known| known.like(0.0));
        for class in classes.keys() {
            self.past.entry((*class).to_owned()).or_insert_with(|| nobody.clone());
        }
        for (class, series) in &mut self.past {
            series.push(now, Some(f64::from(classes.get(class.as_str()).copied().unwrap_or_default())));
        }
        // Polls in quick succession (a person pressed a key) must not weigh more than the others: the newest of them counts.
        let mut stood = self.looked.map_or(Duration::ZERO, |looked| now.since(looked));
        while self.samples.len() > 1 && self.samples.back().is_some_and(|last| now.since(last.at) < CLOSE) {
            stood += self.samples.pop_back().map_or(Duration::ZERO, |close| close.stood);
        }
        self.looked = Some(now);
        self.samples.push_back(Sample { at: now, stood, counts });
        while self.samples.front().is_some_and(|sample| now.since(sample.at) > ACTIVITY_WINDOW) {
            self.samples.pop_front();
        }
    }

    /// A poll without an answer.
    pub fn gap(&mut self, now: Now) {
        self.past.values_mut().for_each(|series| series.push(now, None));
        self.looked = Some(now);
    }

    /// Nobody was running for a while.
    pub fn interrupt(&mut self) {
        self.past.values_mut().for_each(Series::interrupt);
        self.looked = None;
    }

    /// Sessions that were active on average over the window.
    #[must_use]
    pub fn average(&self) -> f64 {
        let weighed = self.weighed();
        let sessions = weighed
            .iter()
            .flat_map(|(weight, counts)| counts.values().map(move |count| weight * f64::from(*count)));
        sessions.sum()
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

    /// The past of a class.
    #[must_use]
    pub fn past(&self, class: &str) -> Option<&Series> {
        self.past.get(class)
    }

    /// Every sample with its share of the time that was seen.
    fn weighed(&self) -> Vec<(f64, &Counts)> {
        let time: Duration = self.samples.iter().map(|sample| sample.stood).sum();
        let share = |sample: &Sample| {
            if time.is_zero() {
                1.0 / self.samples.len() as f64
            } else {
                sample.stood.as_secs_f64() / time.as_secs_f64()
            }
        };
        self.samples.iter().map(|sample| (share(sample), &sample.counts)).collect()
    }

    fn ranked<'a>(&'a self, name: impl Fn(&'a (String, String)) -> Option<&'a String>) -> Vec<Waiting> {
        let mut found: BTreeMap<&String, (u32, f64)> = BTreeMap::new();
        let newest = self.samples.len().saturating_sub(1);
        let mut all = 0.0;
        for (at, (weight, counts)) in self.weighed().into_iter().enumerate() {
            for (key, count) in counts {
                let weighed = weight * f64::from(*count);
                all += weighed;
                if let Some(name) = name(key) {
                    let entry = found.entry(name).or_default();
                    entry.0 += if at == newest { *count } else { 0 };
                    entry.1 += weighed;
                }
            }
        }
        let waiting = |(name, (now, average)): (&String, (u32, f64))| Waiting {
            name: name.clone(),
            now,
            average,
            share: if all > 0.0 { average / all } else { 0.0 },
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
        activity.absorb(&[session(None)], Now::example(1));
        activity.absorb(&[session(None), lock(), lock(), session(Some(("Lock", "tuple")))], Now::example(2));
        let classes = activity.classes();
        assert_eq!(classes[0], Waiting { name: "Lock".to_owned(), now: 3, average: 1.5, share: 0.6 });
        assert_eq!(classes[1], Waiting { name: CPU.to_owned(), now: 1, average: 1.0, share: 0.4 });
        assert_eq!(activity.events("Lock")[0].name, "transactionid");
        assert!((activity.average() - 2.5).abs() < 1e-9);
        // A class that came later has a past as long as the others.
        let past = |activity: &Activity, class| {
            activity.past(class).map(|past| past.columns(9, Duration::from_secs(1))).unwrap_or_default()
        };
        assert_eq!(past(&activity, "Lock"), vec![Some(0.0), Some(0.0), Some(3.0)]);
        activity.gap(Now::example(3));
        assert_eq!(past(&activity, CPU), vec![Some(1.0), Some(1.0), Some(1.0), None]);
    }

    #[test]
    fn each_look_weighs_as_much_as_the_time_since_the_one_before() {
        let mut activity = Activity::default();
        for (at, busy) in [(0, 0), (2, 0), (4, 0), (20, 4)] {
            activity.absorb(&vec![session(None); busy], Now::example(at));
        }
        assert!((activity.average() - 4.0 * 16.0 / 20.0).abs() < 1e-9, "{}", activity.average());
        // Nothing is known of the time without an answer.
        activity.gap(Now::example(80));
        activity.absorb(&[], Now::example(84));
        assert!((activity.average() - 4.0 * 16.0 / 24.0).abs() < 1e-9, "{}", activity.average());
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
