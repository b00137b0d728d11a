//! From two counter values to a rate. A counter that went down was reset: that interval is a gap, not a zero.

use super::time::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// A rate or a ratio needs at least this much time between its two samples, however often somebody asks: servers bring their statistics up
/// to date about once a second, and between two updates nothing seems to happen.
pub const LEAST_WINDOW: Duration = Duration::from_millis(1500);

/// From which earlier sample rates are counted. Polls that come too soon after it (a person pressed a key, another page was opened) move
/// nothing: the sample is held until enough time has passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter<T> {
    held: Option<(Now, T)>,
    anew: bool,
}

/// What can be counted from.
#[derive(Clone, Debug, PartialEq)]
pub enum Window<T> {
    /// Nothing: no rate is known.
    Nothing,
    /// An earlier sample that is too young: the rates that are known hold on, they are not older than it.
    Early,
    /// This sample, so long ago.
    Over(T, Duration),
}

impl<T> Window<T> {
    /// The same window, over a part of the sample.
    pub fn map<U>(&self, part: impl FnOnce(&T) -> U) -> Window<U> {
        match self {
            Self::Nothing => Window::Nothing,
            Self::Early => Window::Early,
            Self::Over(sample, elapsed) => Window::Over(part(sample), *elapsed),
        }
    }
}

impl<T> Default for Meter<T> {
    fn default() -> Self {
        Self { held: None, anew: false }
    }
}

impl<T> Meter<T> {
    /// What the sample of `now` is to be counted from, given the one just before it.
    pub fn window(&mut self, before: Option<(Now, T)>, now: Now) -> Window<T> {
        if std::mem::take(&mut self.anew) {
            self.held = None;
            return Window::Nothing;
        }
        let Some((at, sample)) = self.held.take().or(before) else { return Window::Nothing };
        let elapsed = now.since(at);
        if elapsed < LEAST_WINDOW {
            self.held = Some((at, sample));
            return Window::Early;
        }
        Window::Over(sample, elapsed)
    }

    /// The next sample counts from nothing: what was counted before means nothing any more.
    pub const fn begin_anew(&mut self) {
        self.anew = true;
    }
}

/// For so long something that happened counts as lately.
pub const LATELY: Duration = Duration::from_secs(60);

/// What happened within the last minute, counted from poll to poll. What happens now and then is one condition with one beginning: the
/// interval of the polls does not end it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lately {
    parts: VecDeque<Counted>,
    since: Option<Now>,
}

/// So often in the time before `at`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Counted {
    at: Now,
    over: Duration,
    times: f64,
}

impl Lately {
    /// It happened so many times more (if that is known) in the time up to `now`.
    pub fn add(&mut self, times: Option<f64>, over: Duration, now: Now) {
        self.parts.extend(times.map(|times| Counted { at: now, over, times }));
        while self.parts.front().is_some_and(|part| now.since(part.at) >= LATELY) {
            self.parts.pop_front();
        }
        self.since = if self.times() > 0.0 { self.since.or(Some(now)) } else { None };
    }

    /// How often within the last minute.
    #[must_use]
    pub fn times(&self) -> f64 {
        self.parts.iter().map(|part| part.times).sum()
    }

    /// How often per second, over what was counted of the last minute.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        let over: Duration = self.parts.iter().map(|part| part.over).sum();
        (!over.is_zero()).then(|| self.times() / over.as_secs_f64())
    }

    /// Since when it has been happening, never more than a minute apart.
    #[must_use]
    pub const fn since(&self) -> Option<Now> {
        self.since
    }
}

/// The increase of a counter that only grows, or `None` when it fell (reset, restart, eviction).
#[must_use]
pub fn increase(before: f64, after: f64) -> Option<f64> {
    let grown = after - before;
    (grown >= 0.0 && grown.is_finite()).then_some(grown)
}

/// Increase per second over the *measured* time between two samples; `None` on a reset, or within less than
/// [`LEAST_WINDOW`].
#[must_use]
pub fn per_second(before: f64, after: f64, elapsed: Duration) -> Option<f64> {
    if elapsed < LEAST_WINDOW {
        return None;
    }
    increase(before, after).map(|grown| grown / elapsed.as_secs_f64())
}

/// `part / whole` as 0–1, or `None` when `whole` is below `floor` (too little happened to say anything).
#[must_use]
pub fn ratio(part: f64, whole: f64, floor: f64) -> Option<f64> {
    (whole >= floor && whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_a_gap() {
        assert_eq!(increase(10.0, 4.0), None);
        assert_eq!(per_second(10.0, 30.0, Duration::from_secs(2)), Some(10.0));
        assert_eq!(per_second(10.0, 30.0, Duration::from_millis(1400)), None);
        assert_eq!(per_second(10.0, f64::NAN, Duration::from_secs(2)), None);
    }

    #[test]
    fn polls_that_come_too_soon_move_nothing() {
        let mut meter = Meter::default();
        let mut latest: Option<(Now, u32)> = None;
        let mut windows = Vec::new();
        for (sample, millis) in [0, 200, 400, 1600, 1700, 3600, 5600].into_iter().enumerate() {
            let now = Now::example(0).plus(Duration::from_millis(millis));
            windows.push(meter.window(latest, now));
            latest = Some((now, sample as u32));
        }
        let over = |sample, millis| Window::Over(sample, Duration::from_millis(millis));
        let early = Window::Early;
        let expected = [
            Window::Nothing,
            early.clone(),
            early.clone(),
            over(0, 1600),
            early,
            over(3, 2000),
            over(5, 2000),
        ];
        assert_eq!(windows, expected);
    }

    #[test]
    fn begun_anew_it_counts_from_nothing_once() {
        let mut meter = Meter::default();
        meter.begin_anew();
        assert_eq!(meter.window(Some((Now::example(0), 1)), Now::example(9)), Window::Nothing);
        assert_eq!(
            meter.window(Some((Now::example(9), 2)), Now::example(11)),
            Window::Over(2, Duration::from_secs(2))
        );
    }

    #[test]
    fn what_happens_now_and_then_is_one_condition() {
        let mut lately = Lately::default();
        let mut add = |second: u64, times: f64| {
            lately.add(Some(times), Duration::from_secs(2), Now::example(second));
            (lately.times(), lately.since())
        };
        assert_eq!(add(0, 0.0), (0.0, None));
        for second in (2..=180).step_by(2) {
            let (times, since) = add(second, if second % 20 == 2 { 1.0 } else { 0.0 });
            assert!((1.0..=3.0).contains(&times), "{second}: {times}");
            assert_eq!(since, Some(Now::example(2)), "{second}");
        }
        for second in (182..222).step_by(2) {
            assert!(add(second, 0.0).1.is_some(), "{second}");
        }
        assert_eq!(add(222, 0.0), (0.0, None), "a minute after the last one");
        assert_eq!(add(224, 5.0), (5.0, Some(Now::example(224))));
    }

    #[test]
    fn so_often_per_second_is_over_what_was_counted() {
        let mut lately = Lately::default();
        assert_eq!(lately.per_second(), None);
        lately.add(Some(10.0), Duration::from_secs(2), Now::example(2));
        assert_eq!(lately.per_second(), Some(5.0));
        lately.add(None, Duration::from_secs(2), Now::example(4));
        lately.add(Some(0.0), Duration::from_secs(8), Now::example(12));
        assert_eq!(lately.per_second(), Some(1.0));
    }

    #[test]
    fn too_little_traffic_has_no_ratio() {
        assert_eq!(ratio(1.0, 1.0, 1000.0), None);
        assert_eq!(ratio(900.0, 1000.0, 1000.0), Some(0.9));
        assert_eq!(ratio(0.0, 0.0, 0.0), None);
    }
}
