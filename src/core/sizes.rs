//! Sizes as stacktop saw them itself, over a week: a sample in half an hour, those of earlier runs included. By them it is told what grows
//! where no Prometheus server remembers it. Pure: what is to be kept for runs to come is handed out, and somebody else writes it.

use super::forecast;
use super::time::Now;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A sample in so many seconds: what grows by the day needs no more.
const SLOT_SECONDS: i64 = 1800;
/// So far back they reach.
const KEPT_SECONDS: i64 = 7 * 86_400;
/// So many of one size are kept: all of that time.
const MOST_SAMPLES: usize = (KEPT_SECONDS / SLOT_SECONDS) as usize;
/// Sizes of one target: databases, tables, disks. More are not taken in while these are seen.
const MOST_SIZES: usize = 64;
/// What was not seen for so long makes room for another.
const GONE_SECONDS: i64 = 2 * SLOT_SECONDS;
/// What is smaller by more than this share was emptied, rewritten or restarted, and begins anew.
const SHRINK: f64 = 0.1;
/// What polls bring is looked at this often.
const LOOKED_EACH: Duration = Duration::from_secs(5);
/// A size that was seen last before so long says nothing of now.
const OLD_SECONDS: i64 = 6 * 3600;

/// A size at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// What it is: `database shop`.
    pub what: String,
    /// Whose: another server at the same place is another one, and so is one that was started anew with empty hands.
    pub of: String,
    /// How large.
    pub bytes: f64,
    /// When.
    pub at: DateTime<Utc>,
}

/// Sizes of one server at a moment, as they are kept for runs to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizesAt {
    /// When.
    pub at: DateTime<Utc>,
    /// The target.
    pub target: String,
    /// Whose they are.
    pub of: String,
    /// Bytes by what it is.
    pub bytes: BTreeMap<String, u64>,
}

impl SizesAt {
    /// Without what is in `kept` of the same half hour; nothing where all of it is.
    pub(super) fn without(mut self, kept: &[Self]) -> Option<Self> {
        let slot = |sizes: &Self| sizes.at.timestamp() / SLOT_SECONDS;
        let here = slot(&self);
        for known in kept.iter().filter(|known| known.target == self.target && slot(known) == here) {
            self.bytes.retain(|what, _| !known.bytes.contains_key(what));
        }
        (!self.bytes.is_empty()).then_some(self)
    }

    /// These sizes of `target`, those together that are of one server and one moment.
    #[must_use]
    pub fn together(target: &str, sizes: Vec<Size>) -> Vec<Self> {
        let mut all: BTreeMap<(DateTime<Utc>, String), BTreeMap<String, u64>> = BTreeMap::new();
        for size in sizes {
            all.entry((size.at, size.of)).or_default().insert(size.what, size.bytes as u64);
        }
        all.into_iter().map(|((at, of), bytes)| Self { at, target: target.to_owned(), of, bytes }).collect()
    }

    fn each(self) -> impl Iterator<Item = Size> {
        let Self { at, of, bytes, .. } = self;
        bytes.into_iter().map(move |(what, bytes)| Size { what, of: of.clone(), bytes: bytes as f64, at })
    }
}

/// How something grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// How large it was when it was looked at last.
    pub bytes: f64,
    /// By how many bytes it grows in a day.
    pub per_day: f64,
    /// Over how long that was seen.
    pub span: Duration,
}

/// The past of one size since it began anew: seconds since 1970, and bytes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Past {
    samples: VecDeque<(i64, f64)>,
    pace: Option<Pace>,
    /// When it was looked at last, also where nothing was kept of that.
    looked: i64,
}

impl Past {
    /// Takes in a sample; whether it is the first one of its half hour.
    fn push(&mut self, at: i64, bytes: f64) -> bool {
        self.looked = at;
        // What is ahead of now was seen by a clock that was set back since.
        while self.samples.back().is_some_and(|(known, _)| *known > at) {
            self.samples.pop_back();
        }
        if self.samples.back().is_some_and(|(known, _)| known / SLOT_SECONDS == at / SLOT_SECONDS) {
            return false;
        }
        if self.samples.back().is_some_and(|(_, before)| bytes < before * (1.0 - SHRINK)) {
            self.samples.clear();
        }
        self.samples.push_back((at, bytes));
        while self.samples.len() > MOST_SAMPLES
            || self.samples.front().is_some_and(|(known, _)| at - known > KEPT_SECONDS)
        {
            self.samples.pop_front();
        }
        true
    }

    /// What follows from all of it.
    fn measure(&mut self) {
        let ends = self.samples.front().copied().zip(self.samples.back().copied());
        self.pace = ends.and_then(|((first, _), (last, bytes))| {
            let points = self.samples.iter().map(|(at, bytes)| ((at - first) as f64, *bytes));
            let per_day = forecast::of_a_day(&points.collect::<Vec<_>>())?;
            let span = Duration::from_secs(u64::try_from(last - first).ok()?);
            Some(Pace { bytes, per_day, span })
        });
    }

    fn seen(&self) -> i64 {
        self.samples.back().map_or(i64::MIN, |(at, _)| *at)
    }
}

/// The sizes of one target, by what they are and whose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sizes {
    pasts: BTreeMap<(String, String), Past>,
    /// What was handed out of which half hour, by what it is: who answers in turn at one place is kept no more often than one alone.
    told: BTreeMap<String, i64>,
    looked: Option<Now>,
}

impl Sizes {
    /// Whether they are to be looked at again: what many polls a second bring is not asked for names each time.
    pub(super) fn is_due(&mut self, now: Now) -> bool {
        let due = self.looked.is_none_or(|at| now.since(at) >= LOOKED_EACH);
        if due {
            self.looked = Some(now);
        }
        due
    }

    /// Takes in what was seen; tells which of it is to be kept: what is the first of its half hour.
    pub(super) fn look(&mut self, seen: Vec<Size>) -> Vec<Size> {
        let mut news = Vec::new();
        for size in seen.into_iter().filter(|size| size.bytes.is_finite() && size.bytes >= 0.0) {
            let (name, at) = ((size.what.clone(), size.of.clone()), size.at.timestamp());
            if !self.pasts.contains_key(&name) && !self.has_room(&size.what, at) {
                continue;
            }
            let past = self.pasts.entry(name).or_default();
            if past.push(at, size.bytes) {
                past.measure();
                if self.told.insert(size.what.clone(), at / SLOT_SECONDS) != Some(at / SLOT_SECONDS) {
                    news.push(size);
                }
            }
        }
        if let Some(newest) = self.told.values().max().copied() {
            self.told.retain(|_, slot| *slot == newest);
        }
        news
    }

    /// Puts what earlier runs saw, or others do, in front of what this one did.
    pub(super) fn recall(&mut self, kept: Vec<SizesAt>, now: Now) {
        let lately = |at: DateTime<Utc>| at <= now.wall && (now.wall - at).num_seconds() <= KEPT_SECONDS;
        let mut all: Vec<Size> =
            kept.into_iter().filter(|sizes| lately(sizes.at)).flat_map(SizesAt::each).collect();
        for ((what, of), past) in std::mem::take(&mut self.pasts) {
            let size = |(at, bytes): (i64, f64)| {
                let at = DateTime::from_timestamp(at, 0)?;
                Some(Size { what: what.clone(), of: of.clone(), bytes, at })
            };
            all.extend(past.samples.into_iter().filter_map(size));
        }
        all.sort_by_key(|size| size.at);
        for size in all {
            if size.at.timestamp() / SLOT_SECONDS == now.wall.timestamp() / SLOT_SECONDS {
                self.told.insert(size.what.clone(), size.at.timestamp() / SLOT_SECONDS);
            }
            let past = self.pasts.entry((size.what, size.of)).or_default();
            past.push(size.at.timestamp(), size.bytes);
        }
        self.forget();
        self.pasts.values_mut().for_each(Past::measure);
    }

    /// How `what` of `of` grows; nothing where it does not, and where it was not seen lately.
    #[must_use]
    pub fn pace(&self, what: &str, of: &str, now: Now) -> Option<Pace> {
        let past = self.pasts.get(&(what.to_owned(), of.to_owned()))?;
        past.pace.filter(|_| now.wall.timestamp() - past.seen() <= OLD_SECONDS)
    }

    /// Whether one more is taken in at this time: another server at the same place comes in for the one before it, and any for what is seen no
    /// longer.
    fn has_room(&mut self, what: &str, at: i64) -> bool {
        if self.pasts.len() >= MOST_SIZES {
            let same = self.pasts.iter().filter(|(name, past)| name.0 == what && past.looked < at);
            let same = same.min_by_key(|(_, past)| past.looked);
            let gone = || self.oldest().filter(|(_, past)| at - past.looked >= GONE_SECONDS);
            if let Some(name) = same.or_else(gone).map(|(name, _)| name.clone()) {
                self.pasts.remove(&name);
            }
        }
        self.pasts.len() < MOST_SIZES
    }

    fn forget(&mut self) {
        while self.pasts.len() > MOST_SIZES {
            let Some(oldest) = self.oldest().map(|(name, _)| name.clone()) else { return };
            self.pasts.remove(&oldest);
        }
    }

    fn oldest(&self) -> Option<(&(String, String), &Past)> {
        self.pasts.iter().min_by_key(|(_, past)| past.looked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const MIB: f64 = 1_048_576.0;

    fn size(of: &str, at: Now, bytes: f64) -> Size {
        Size { what: "memory".to_owned(), of: of.to_owned(), bytes, at: at.wall }
    }

    /// What is known after these (hours from the start, MiB), each of "a" or of another server.
    fn seen(samples: impl IntoIterator<Item = (f64, f64, &'static str)>) -> (Sizes, Now) {
        let (mut sizes, mut now) = (Sizes::default(), Now::example(0));
        for (hours, mib, of) in samples {
            now = Now::example((hours * HOUR as f64) as u64);
            sizes.look(vec![size(of, now, mib * MIB)]);
        }
        (sizes, now)
    }

    /// How many MiB a day "a" grows by, from how many hours.
    #[track_caller]
    fn grows(
        why: &str,
        samples: impl IntoIterator<Item = (f64, f64, &'static str)>,
        expected: Option<(f64, f64)>,
    ) {
        let (sizes, now) = seen(samples);
        let pace = sizes.pace("memory", "a", now);
        let found =
            pace.map(|pace| ((pace.per_day / MIB).round(), (pace.span.as_secs_f64() / HOUR as f64).round()));
        assert_eq!(found, expected, "{why}");
    }

    fn halves(hours: u32) -> impl Iterator<Item = f64> + Clone {
        (0..=hours * 2).map(|half| f64::from(half) / 2.0)
    }

    #[test]
    fn a_day_is_told_by_what_was_seen_for_some_hours() {
        let steady = |hours| halves(hours).map(|at| (at, 100.0 + at, "a"));
        grows("steady", steady(72), Some((24.0, 72.0)));
        grows("six hours", steady(6), Some((24.0, 6.0)));
        grows("five hours are too few", steady(5), None);
        grows(
            "more often than in half an hour",
            (0..720).map(|at| f64::from(at) / 60.0).map(|at| (at, 100.0 + at, "a")),
            Some((24.0, 12.0)),
        );
        grows("it rests", halves(72).map(|at| (at, 100.0, "a")), None);
        grows("it came to rest", halves(72).map(|at| (at, 100.0 + at.min(40.0), "a")), None);
        let trembles = |at: f64| if ((at * 2.0) as u64).is_multiple_of(2) { 2.0 } else { 0.0 };
        grows("noisy", halves(72).map(|at| (at, 100.0 + at + trembles(at), "a")), Some((24.0, 72.0)));
        grows("nothing but noise", halves(72).map(|at| (at, 100.0 + trembles(at), "a")), None);
        grows("a week is kept", steady(400), Some((24.0, 168.0)));
        grows("nothing", [], None);
    }

    #[test]
    fn what_shrank_begins_anew() {
        let emptied =
            |after: f64| halves(72).map(move |at| (at, if at < after { 500.0 } else { 100.0 } + at, "a"));
        grows("emptied a day ago", emptied(48.0), Some((24.0, 24.0)));
        grows("emptied four hours ago", emptied(68.0), None);
        let slightly = halves(72).map(|at| (at, 1000.0 + at * 2.0 - if at < 36.0 { 0.0 } else { 5.0 }, "a"));
        let (sizes, now) = seen(slightly);
        assert_eq!(
            sizes.pace("memory", "a", now).map(|pace| pace.span),
            Some(Duration::from_secs(72 * HOUR))
        );
    }

    #[test]
    fn nobody_ran_for_a_while() {
        let gap = |from: f64, to: f64| {
            halves(72).filter(move |at| !(from..to).contains(at)).map(|at| (at, 100.0 + at, "a"))
        };
        grows("a night", gap(30.0, 40.0), Some((24.0, 72.0)));
        grows("two days", gap(2.0, 60.0), Some((24.0, 72.0)));
        grows("all of the last third but an hour", gap(20.0, 71.5), None);
        let (sizes, now) = seen(gap(80.0, 80.0));
        assert!(sizes.pace("memory", "a", now.plus(Duration::from_secs(5 * HOUR))).is_some());
        assert!(
            sizes.pace("memory", "a", now.plus(Duration::from_secs(7 * HOUR))).is_none(),
            "that is not now"
        );
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_growth() {
        let ahead = halves(24).map(|at| (at + 100.0, 100.0 + at, "a"));
        let back = |hours| halves(hours).map(|at| (at, 124.0 + at, "a"));
        grows("what was ahead is gone", ahead.clone().chain(back(3)), None);
        grows("and it begins anew", ahead.chain(back(12)), Some((24.0, 12.0)));
        let an_hour = halves(24).map(|at| (at, 100.0 + at, "a"));
        let again = halves(12).map(|at| (at + 23.0, 125.0 + at, "a"));
        let (sizes, now) = seen(an_hour.chain(again));
        assert_eq!(
            sizes.pace("memory", "a", now).map(|pace| pace.span),
            Some(Duration::from_secs(35 * HOUR))
        );
    }

    #[test]
    fn another_server_at_the_same_place_is_another_one() {
        let failover = halves(72).map(|at| (at, 100.0 + at, if at < 69.0 { "a" } else { "b" }));
        let (sizes, now) = seen(failover);
        assert_eq!(sizes.pace("memory", "b", now), None, "three hours of it");
        let both = halves(72).flat_map(|at| [(at, 100.0 + at, "a"), (at, 900.0 - at, "b")]);
        let (sizes, now) = seen(both);
        assert!(sizes.pace("memory", "a", now).is_some() && sizes.pace("memory", "b", now).is_none());
    }

    #[test]
    fn what_others_kept_stands_in_front_and_is_merged_by_the_half_hour() {
        let kept = |at: f64, of: &str| {
            let now = Now::example((at * HOUR as f64) as u64);
            SizesAt::together("r", vec![size(of, now, (100.0 + at) * MIB)])
        };
        let two_wrote =
            halves(48).flat_map(|at| [kept(at, "a"), kept(at + 0.1, "a"), kept(at, "b")].concat());
        let (mut sizes, now) = seen(halves(2).map(|at| (at + 48.0, 148.0 + at, "a")));
        assert_eq!(sizes.pace("memory", "a", now), None);
        sizes.recall(two_wrote.collect(), now);
        let pace = sizes.pace("memory", "a", now).expect("it grows");
        assert!((pace.per_day / MIB - 24.0).abs() < 0.1, "{pace:?}");
        assert_eq!(pace.span, Duration::from_secs(50 * HOUR));
        // What comes from the future, and what is too old, is not believed.
        let mut sizes = Sizes::default();
        sizes.recall(halves(48).flat_map(|at| kept(at, "a")).collect(), Now::example(20 * HOUR));
        let pace = sizes.pace("memory", "a", Now::example(20 * HOUR)).expect("it grows");
        assert_eq!(pace.span, Duration::from_secs(20 * HOUR));
        let mut sizes = Sizes::default();
        sizes.recall(kept(0.0, "a"), Now::example(8 * 24 * HOUR));
        assert_eq!(sizes, Sizes::default());
    }

    #[test]
    fn only_the_first_of_half_an_hour_is_kept_and_there_is_an_end_to_names() {
        let mut sizes = Sizes::default();
        let mut look = |minute: u64| sizes.look(vec![size("a", Now::example(minute * 60), MIB)]).len();
        let news: Vec<usize> = (0..90).map(&mut look).collect();
        assert!((3..=4).contains(&news.iter().sum::<usize>()), "{news:?}");
        assert!(sizes.look(vec![size("a", Now::example(0), f64::NAN)]).is_empty());
        let (mut sizes, mut news) = (Sizes::default(), 0);
        let named = |n: u64, at: Now| Size { what: format!("table {n}"), ..size("a", at, MIB) };
        for minute in 0..90 {
            let at = Now::example(minute * 60);
            news += sizes.look((0..500).map(|n| named(n, at)).collect()).len();
            assert_eq!(sizes.pasts.len(), MOST_SIZES);
        }
        assert!((3 * MOST_SIZES..=4 * MOST_SIZES).contains(&news), "those that are known stay: {news}");
        let later = Now::example(4 * HOUR);
        assert_eq!(sizes.look(vec![named(600, later)]).len(), 1, "what is gone makes room");
        assert!(sizes.told.len() <= MOST_SIZES && sizes.pasts.len() == MOST_SIZES);
    }

    #[test]
    fn who_answers_in_turn_is_handed_out_once_in_half_an_hour() {
        let mut sizes = Sizes::default();
        let look =
            |second: u64| sizes.look(vec![size(&format!("run {second}"), Now::example(second), MIB)]).len();
        let news: Vec<usize> = (0..1080).map(|turn| turn * 5).map(look).collect();
        assert!((3..=4).contains(&news.iter().sum::<usize>()), "{news:?}");
    }

    #[test]
    fn what_was_kept_in_this_half_hour_is_not_kept_again() {
        let at = Now::example(0);
        let kept = SizesAt::together("r", vec![size("a", at, MIB)]);
        let mut sizes = Sizes::default();
        sizes.recall(kept, at.plus(Duration::from_secs(1)));
        assert!(sizes.look(vec![size("a", at.plus(Duration::from_secs(2)), MIB)]).is_empty());
        // What was seen before that was known is taken back.
        let seen = |second: u64, target: &str| {
            let at = Now::example(second);
            SizesAt::together(target, vec![size("a", at, MIB)]).remove(0)
        };
        let kept = [seen(0, "r")];
        assert_eq!(seen(5, "r").without(&kept), None);
        assert_eq!(seen(5, "s").without(&kept), Some(seen(5, "s")));
        assert_eq!(seen(HOUR, "r").without(&kept), Some(seen(HOUR, "r")));
    }
}
