//! Who is told of what beside the screen: the terminal's bell, a notification of the desktop, a webhook. Only decided here, and only for
//! what happens in the present: a moment that is looked at again tells nobody.

use super::alert::Severity;
use super::ids::TargetId;
use super::time::Now;
use super::timeline::{About, Event, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// At most one bell and one notification in this time; what comes meanwhile is told with the next one.
const PAUSE: Duration = Duration::from_secs(10);
/// A finding that comes and goes is told once in this time.
const AGAIN: Duration = Duration::from_secs(3600);
/// So many findings are told by a webhook within [`PAUSE`]; more are only on the timeline.
const POSTS: usize = 20;

/// How a terminal is asked to show a notification of the desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Desktop {
    /// Not at all.
    #[default]
    Off,
    /// `OSC 9` (iTerm2, WezTerm, kitty, Windows Terminal, ghostty).
    Osc9,
    /// `OSC 777` (urxvt, foot, WezTerm, ghostty).
    Osc777,
}

/// What is wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotifySettings {
    /// The bell rings from here on; never, where there is none.
    pub bell: Option<Severity>,
    /// How the desktop is told: of what rings the bell, and with the bell off, of what is critical.
    pub desktop: Desktop,
    /// The webhook is told from here on; never, where there is none.
    pub webhook: Option<Severity>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self { bell: Some(Severity::Critical), ..Self::SILENT }
    }
}

impl NotifySettings {
    /// Nobody is told.
    pub const SILENT: Self = Self { bell: None, desktop: Desktop::Off, webhook: None };
}

/// Somebody is to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The terminal's bell.
    Bell,
    /// A notification of the desktop.
    Desktop(Desktop, String),
    /// This, by the webhook.
    Post(Arc<Event>),
}

type Key = (String, String, String, Severity);

/// Decides, and remembers who was told of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Notifier {
    settings: NotifySettings,
    /// When the bell rang, or the desktop was told.
    rung: Option<Now>,
    /// What rang, or would have, by finding and severity.
    told: BTreeMap<Key, Now>,
    /// What is told with the next one.
    waiting: Vec<String>,
    /// What the webhook was told of, by finding and severity.
    posted: BTreeMap<Key, Now>,
    /// When it was told of the last ones.
    posts: Vec<Now>,
    /// What it was told of and has not ended yet.
    unended: BTreeSet<(String, String, String)>,
}

impl Notifier {
    /// One that tells as `settings` say.
    #[must_use]
    pub const fn new(settings: NotifySettings) -> Self {
        Self {
            settings,
            rung: None,
            told: BTreeMap::new(),
            waiting: Vec::new(),
            posted: BTreeMap::new(),
            posts: Vec::new(),
            unended: BTreeSet::new(),
        }
    }

    /// From now on it tells as `settings` say; what was told stays told.
    pub const fn tell_as(&mut self, settings: NotifySettings) {
        self.settings = settings;
    }

    /// These targets are watched no more, or asked in another way: what is found under their names next is told, whatever was told before.
    pub fn part(&mut self, left: &[TargetId]) {
        let stays = |(_, target, ..): &Key| !left.iter().any(|gone| gone.as_str() == target);
        self.told.retain(|key, _| stays(key));
        self.posted.retain(|key, _| stays(key));
    }

    /// Who is told of `news`, and of what waited since.
    pub fn decide(&mut self, news: &[Arc<Event>], now: Now) -> Vec<Notice> {
        self.told.retain(|_, at| now.since(*at) < AGAIN);
        self.posted.retain(|_, at| now.since(*at) < AGAIN);
        let mut notices = self.posts(news, now);
        notices.extend(self.rings(news, now));
        notices
    }

    fn rings(&mut self, news: &[Arc<Event>], now: Now) -> Vec<Notice> {
        let NotifySettings { bell, desktop, .. } = self.settings;
        if bell.is_none() && desktop == Desktop::Off {
            return Vec::new();
        }
        let least = bell.unwrap_or(Severity::Critical);
        for event in news {
            let Some(key) = key(event).filter(|(.., severity)| *severity >= least) else { continue };
            if self.told.insert(key, now).is_none() {
                self.waiting.push(sentence(event));
            }
        }
        let paused = self.rung.is_some_and(|rung| now.since(rung) < PAUSE);
        let Some(first) = self.waiting.first().filter(|_| !paused) else { return Vec::new() };
        let more = self.waiting.len() - 1;
        let text = if more > 0 { format!("{first} (and {more} more)") } else { first.clone() };
        self.waiting.clear();
        self.rung = Some(now);
        let bell = bell.map(|_| Notice::Bell);
        let shown = (desktop != Desktop::Off).then_some(Notice::Desktop(desktop, text));
        bell.into_iter().chain(shown).collect()
    }

    fn posts(&mut self, news: &[Arc<Event>], now: Now) -> Vec<Notice> {
        let Some(least) = self.settings.webhook else { return Vec::new() };
        self.posts.retain(|at| now.since(*at) < PAUSE);
        let mut notices = Vec::new();
        for event in news {
            if event.kind == Kind::Ended {
                // Whoever was told that it began is told that it is over.
                let over = finding(event).is_some_and(|finding| self.unended.remove(&finding));
                notices.extend(over.then(|| Notice::Post(Arc::clone(event))));
                continue;
            }
            let Some(key) = key(event).filter(|(.., severity)| *severity >= least) else { continue };
            if self.posted.contains_key(&key) || self.posts.len() >= POSTS {
                continue;
            }
            self.posts.push(now);
            self.posted.insert(key, now);
            self.unended.extend(finding(event));
            notices.push(Notice::Post(Arc::clone(event)));
        }
        notices
    }
}

/// The finding that began or became worse, with its severity.
fn key(event: &Event) -> Option<Key> {
    let (rule, target, subject) =
        finding(event).filter(|_| matches!(event.kind, Kind::Began | Kind::Worsened))?;
    Some((rule, target, subject, event.severity()?))
}

fn finding(event: &Event) -> Option<(String, String, String)> {
    let About { rule, subject, .. } = event.about.as_ref()?;
    Some((rule.clone(), event.target.as_ref()?.to_string(), subject.clone()))
}

fn sentence(event: &Event) -> String {
    let severity = event.severity().map_or("", Severity::word);
    let target = event.target.as_ref().map_or("", |target| target.as_str());
    format!("{severity} {target}: {}", event.words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;

    fn event(kind: Kind, subject: &str, severity: Severity, second: u64) -> Arc<Event> {
        let at = Now::example(second);
        let about = About {
            rule: "postgres.blocked".to_owned(),
            subject: subject.to_owned(),
            severity,
            since: at,
            at_least: false,
        };
        let event = Event::new(kind, Some(&TargetId::new("pg")), at, subject);
        Arc::new(Event { about: Some(about), ..event })
    }

    fn began(subject: &str, severity: Severity, second: u64) -> Arc<Event> {
        event(Kind::Began, subject, severity, second)
    }

    fn words(notices: &[Notice]) -> Vec<String> {
        let word = |notice: &Notice| match notice {
            Notice::Bell => "bell".to_owned(),
            Notice::Desktop(_, text) => text.clone(),
            Notice::Post(event) => format!("post {} {}", event.kind.word(), event.words),
        };
        notices.iter().map(word).collect()
    }

    /// A second, what happens then, and who is told.
    type Step<'a> = (u64, &'a [Arc<Event>], &'a [&'a str]);

    #[track_caller]
    fn check(settings: NotifySettings, steps: &[Step<'_>]) {
        let mut notifier = Notifier::new(settings);
        for (second, news, expected) in steps {
            let told = notifier.decide(news, Now::example(*second));
            assert_eq!(words(&told), *expected, "at second {second}");
        }
    }

    #[test]
    fn the_bell_rings_for_what_is_newly_critical() {
        let critical = |subject, second| began(subject, Severity::Critical, second);
        check(
            NotifySettings::default(),
            &[
                (1, &[began("a", Severity::Warning, 1)], &[]),
                (2, &[event(Kind::Ended, "b", Severity::Critical, 2)], &[]),
                (3, &[event(Kind::Worsened, "a", Severity::Critical, 3)], &["bell"]),
                (4, &[], &[]),
                // Within the pause it waits, and rings once for all of them.
                (5, &[critical("c", 5), critical("d", 5)], &[]),
                (12, &[], &[]),
                (13, &[], &["bell"]),
                (14, &[], &[]),
                // One that comes and goes is told once in an hour.
                (60, &[critical("c", 60)], &[]),
                (3700, &[critical("c", 3700)], &["bell"]),
            ],
        );
        check(NotifySettings::SILENT, &[(1, &[critical("a", 1)], &[])]);
    }

    #[test]
    fn what_was_told_of_a_target_that_has_gone_is_told_of_the_one_that_has_its_name() {
        let settings = NotifySettings { webhook: Some(Severity::Critical), ..NotifySettings::default() };
        for (gone, tells) in [("pg", true), ("another", false)] {
            let mut notifier = Notifier::new(settings);
            let told = notifier.decide(&[began("a", Severity::Critical, 1)], Now::example(1));
            assert_eq!(words(&told), ["post began a", "bell"]);
            notifier.part(&[TargetId::new(gone)]);
            let ended = notifier.decide(&[event(Kind::Ended, "a", Severity::Critical, 20)], Now::example(20));
            assert_eq!(
                words(&ended),
                ["post ended a"],
                "whoever was told that it began is told that it ended"
            );
            let told = notifier.decide(&[began("a", Severity::Critical, 40)], Now::example(40));
            assert_eq!(words(&told), if tells { vec!["post began a", "bell"] } else { vec![] }, "{gone}");
        }
    }

    #[test]
    fn the_desktop_is_told_in_words_what_rings_the_bell() {
        let settings = NotifySettings {
            bell: Some(Severity::Warning),
            desktop: Desktop::Osc9,
            ..NotifySettings::SILENT
        };
        let warning = |subject, second| began(subject, Severity::Warning, second);
        check(
            settings,
            &[
                (1, &[warning("a", 1)], &["bell", "WARN pg: a"]),
                (2, &[warning("b", 2), warning("c", 2)], &[]),
                (11, &[], &["bell", "WARN pg: b (and 1 more)"]),
            ],
        );
        check(NotifySettings { bell: None, ..settings }, &[(1, &[warning("a", 1)], &[])]);
        let critical = began("a", Severity::Critical, 1);
        check(NotifySettings { bell: None, ..settings }, &[(1, &[critical], &["CRIT pg: a"])]);
    }

    #[test]
    fn a_webhook_is_told_of_the_end_of_what_it_was_told_of() {
        let settings = NotifySettings { webhook: Some(Severity::Critical), ..NotifySettings::SILENT };
        let ended = |subject, second| event(Kind::Ended, subject, Severity::Critical, second);
        check(
            settings,
            &[
                (
                    1,
                    &[began("a", Severity::Critical, 1), began("b", Severity::Warning, 1)],
                    &["post began a"],
                ),
                (2, &[ended("a", 2), ended("b", 2)], &["post ended a"]),
                (3, &[began("a", Severity::Critical, 3)], &[]),
                (4, &[ended("a", 4)], &[]),
            ],
        );
        let many: Vec<_> = (0..30).map(|n| began(&n.to_string(), Severity::Critical, 1)).collect();
        let told = Notifier::new(settings).decide(&many, Now::example(1));
        assert_eq!(told.len(), POSTS);
    }
}
