//! When a silence ends, as people type it: a time from now, or a moment by the clock of this terminal.

use crate::core::action::Refusal;
use crate::core::alertmanager::End;
use crate::core::text;
use crate::panels::panel::PanelContext;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};
use std::time::Duration;

/// Whoever wants longer wants other rules.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
const SHORTEST: Duration = Duration::from_secs(60);

fn form() -> Refusal {
    Refusal::new("it begins with its end")
        .remedy("write it as 30m, 1h, 1h30m, 2d, until 18:30 or until 2026-01-31 18:30")
}

/// The first word of `text`, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim())
}

/// When it ends, and what was typed behind that.
pub(super) fn end<'a>(context: PanelContext<'_>, text: &'a str) -> Result<(End, &'a str), Refusal> {
    let (first, rest) = word(text);
    if first.eq_ignore_ascii_case("until") {
        let (at, rest) = moment(context, rest)?;
        let left = (at - context.now.wall).to_std().unwrap_or_default();
        bounded(left)?;
        return Ok((End::At(at), rest));
    }
    let span = span(first).ok_or_else(form)?;
    bounded(span)?;
    Ok((End::After(span), rest))
}

fn bounded(span: Duration) -> Result<(), Refusal> {
    match span {
        span if span < SHORTEST => Err(Refusal::new("that is over within a minute, or past")),
        span if span > LONGEST => Err(Refusal::new("that is more than a year")
            .remedy("who should never be told needs another rule or route")),
        _ => Ok(()),
    }
}

/// "90m", "1h30m", "2w".
fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut all = Duration::ZERO;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let behind = rest[unit..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |at| unit + at);
        let (one, after) = rest.split_at(behind);
        let one = match one.strip_suffix('w') {
            Some(weeks) => Duration::from_secs(u64::from(weeks.parse::<u32>().ok()?) * 7 * 86_400),
            None => text::span(one)?,
        };
        all = all.checked_add(one)?;
        rest = after;
    }
    (!text.is_empty()).then_some(all)
}

/// "18:30" (the next one), "2026-01-31 18:30", "2026-01-31T18:30:00Z".
fn moment<'a>(context: PanelContext<'_>, text: &'a str) -> Result<(DateTime<Utc>, &'a str), Refusal> {
    let (first, rest) = word(text);
    if let Ok(at) = DateTime::parse_from_rfc3339(first) {
        return Ok((at.with_timezone(&Utc), rest));
    }
    let here = context.now.wall.with_timezone(&context.zone);
    let on = |day: NaiveDate, time: NaiveTime| -> Option<DateTime<FixedOffset>> {
        context.zone.from_local_datetime(&day.and_time(time)).single()
    };
    if let Ok(time) = NaiveTime::parse_from_str(first, "%H:%M") {
        let day = here.date_naive();
        let today = on(day, time).filter(|at| *at > here);
        let at = today.or_else(|| on(day.succ_opt()?, time)).ok_or_else(form)?;
        return Ok((at.with_timezone(&Utc), rest));
    }
    let day = NaiveDate::parse_from_str(first, "%Y-%m-%d").map_err(|_| form())?;
    let (second, rest) = word(rest);
    let time = NaiveTime::parse_from_str(second, "%H:%M").map_err(|_| form())?;
    let at = on(day, time).ok_or_else(form)?;
    Ok((at.with_timezone(&Utc), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Rulebook;
    use crate::core::scope::Scope;
    use crate::core::time::Now;
    use crate::core::world::World;
    use crate::panels::panel::Keys;

    /// The moment of the examples is 2026-09-21 14:13:20 UTC, 16:13:20 here.
    #[track_caller]
    fn check(text: &str, expected: Result<(&str, &str), &str>) {
        let (keys, world) = (Keys::default(), World::new(Vec::new(), Rulebook::defaults(&[])));
        let zone = FixedOffset::east_opt(7200).expect("a zone");
        let context = PanelContext {
            keys: &keys,
            world: &world,
            scope: &Scope::All,
            now: Now::example(0),
            live: true,
            zone,
            who: "ana",
            arming: None,
        };
        let words = |end: End| match end {
            End::After(span) => format!("{} s", span.as_secs()),
            End::At(at) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        };
        let found = end(context, text).map(|(end, rest)| (words(end), rest)).map_err(|why| why.why);
        let found = found.as_ref().map(|(end, rest)| (end.as_str(), *rest)).map_err(String::as_str);
        assert_eq!(found, expected);
    }

    #[test]
    fn an_end_is_a_span_or_a_moment() {
        check("1h a deploy", Ok(("3600 s", "a deploy")));
        check(" 30m", Ok(("1800 s", "")));
        check("1h30m x", Ok(("5400 s", "x")));
        check("2w x", Ok(("1209600 s", "x")));
        check("until 18:30 a deploy", Ok(("2026-09-21T16:30:00Z", "a deploy")));
        check("until 15:00 x", Ok(("2026-09-22T13:00:00Z", "x")));
        check("until 2026-09-30 08:00 x", Ok(("2026-09-30T06:00:00Z", "x")));
        check("Until 2026-09-30T08:00:00Z x", Ok(("2026-09-30T08:00:00Z", "x")));
    }

    #[test]
    fn what_is_no_end_is_told() {
        for text in
            ["", "a deploy", "1", "h", "until", "until noon", "until 2026-09-30", "1h30", "1.2.3h", "-1h"]
        {
            check(text, Err("it begins with its end"));
        }
        check("30s x", Err("that is over within a minute, or past"));
        check("until 2026-09-20 08:00", Err("that is over within a minute, or past"));
        check("53w", Err("that is more than a year"));
    }
}
