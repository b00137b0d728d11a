//! Lines two and three of every screen: what is broken, since when, by what cause if one can be told; in one sentence, and never green
//! while a source is silent.

use crate::core::alert::{Finding, Onset};
use crate::core::hosts::HOST_SILENT;
use crate::core::time::Now;
use crate::core::verdict::{Overall, Verdict};
use crate::panels::PanelContext;
use crate::ui::content::{Line, Role, Span};
use crate::ui::format::duration;
use chrono::FixedOffset;

/// What of the others is told beside a cause, and beside none.
const BESIDE_A_CAUSE: usize = 1;
const BESIDE_NONE: usize = 2;
/// A symptom or a cause is cut to this at most.
const SHORTEST: usize = 40;

/// The sentence for what is looked at.
#[must_use]
pub fn verdict(seen: PanelContext<'_>) -> Line {
    let mut line = Line::default();
    for part in parts(seen) {
        line.spans.extend(part.spans);
    }
    line
}

/// The same on at most `rows` lines of `columns`. What has no room is left out whole, and its number stands at the end; the symptom and its
/// cause are always told, if need be cut with a mark.
#[must_use]
pub fn band(seen: PanelContext<'_>, columns: usize, rows: usize) -> Vec<Line> {
    let mut parts = parts(seen);
    let least = parts.iter().take_while(|part| part.needed).count().max(1);
    for told in (least..=parts.len()).rev() {
        let lines = joined(&parts, told, None).flow(columns, 0);
        if lines.len() <= rows {
            // The other clock, too, where nothing gives way for it.
            parts.iter_mut().for_each(Part::tell_both_clocks);
            let both = joined(&parts, told, None).flow(columns, 0);
            return if both.len() <= rows { both } else { lines };
        }
    }
    let mut length = parts.get(least - 1).map_or(0, |part| part.text().chars().count());
    while length > SHORTEST {
        length -= 1;
        let lines = joined(&parts, least, Some(length)).flow(columns, 0);
        if lines.len() <= rows {
            return lines;
        }
    }
    let mut lines = joined(&parts, least, Some(SHORTEST)).flow(columns, 0);
    lines.truncate(rows);
    lines
}

/// The first `told` of the parts, the last of them cut to `length`, and the number of those that are left out.
fn joined(parts: &[Part], told: usize, length: Option<usize>) -> Line {
    let mut line = Line::default();
    for (at, part) in parts.iter().take(told).enumerate() {
        let mut left = length.filter(|_| at + 1 == told).unwrap_or(usize::MAX);
        for span in &part.spans {
            let chars = span.text.chars().count();
            let text: String = span.text.chars().take(left).collect();
            let mark = if chars > left { "…" } else { "" };
            left = left.saturating_sub(chars);
            line.spans.push(Span { text: text + mark, role: span.role });
            if !mark.is_empty() {
                break;
            }
        }
    }
    let left: usize = parts.iter().skip(told).map(|part| part.count).sum();
    if left > 0 { line.then(Role::Muted, format!("; +{left} more")) } else { line }
}

/// One part of the sentence, which is told whole or not at all.
struct Part {
    spans: Vec<Span>,
    /// How many findings it stands for.
    count: usize,
    /// It is told in any case.
    needed: bool,
    /// When it began in UTC, which stands beside local time where there is room.
    utc: Option<String>,
}

impl Part {
    fn of(line: Line) -> Self {
        Self { spans: line.spans, count: 1, needed: false, utc: None }
    }

    fn needed(line: Line) -> Self {
        Self { needed: true, ..Self::of(line) }
    }

    /// Local time with its word, and UTC behind it.
    fn tell_both_clocks(&mut self) {
        let Some(utc) = self.utc.take() else { return };
        for span in self.spans.iter_mut().filter(|span| span.text.starts_with("since ")) {
            span.text.insert_str("since 00:00:00".len(), &format!(" local, {utc}"));
        }
    }

    fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

fn parts(seen: PanelContext<'_>) -> Vec<Part> {
    let PanelContext { world, now, .. } = seen;
    let verdict = Verdict::over(world, now);
    let mut parts = match verdict.overall {
        Overall::Nothing => {
            let line = Line::of(
                Role::Warning,
                "NOTHING TO WATCH: no target was found (! or stacktop targets shows what was looked for)",
            );
            vec![Part::of(line)]
        }
        Overall::Broken => broken(&verdict, Role::Critical, seen),
        Overall::Degraded => broken(&verdict, Role::Warning, seen),
        Overall::Unknown => unknown(&verdict, seen),
        Overall::Waiting | Overall::Ok => calm(&verdict, seen),
    };
    for finding in &verdict.blind {
        parts.push(Part::of(Line::of(Role::Warning, format!("; {}", finding.breach.sentence))));
    }
    for finding in verdict.ahead.iter().take(1) {
        parts.push(Part::of(Line::of(Role::Warning, format!("; {}", finding.sentence(now)))));
    }
    parts
}

/// What is said of a source that is late is old: how old stands behind the first word, for the end of a long sentence may have no room.
/// Where nothing is known, the sentence itself is about that.
fn as_of(line: Line, verdict: &Verdict<'_>) -> Line {
    let Some((oldest, age, others)) = verdict.late else { return line };
    let more = if others > 0 { format!(", {others} more late") } else { String::new() };
    line.then(Role::Warning, format!("({oldest} as of {} ago{more}) ", duration(age)))
}

/// The verdict is about everything: what it names outside the scope stands behind its first word.
fn out_of_scope(line: Line, verdict: &Verdict<'_>, seen: PanelContext<'_>) -> Line {
    let told = verdict.lead.into_iter().chain(verdict.cause.map(|cause| cause.root));
    let told = told.chain(verdict.others.iter().copied().take(1));
    let ids = told.map(|finding| finding.breach.target.as_str());
    // A list that cannot be read is no target, and is of no scope.
    let is_outside = |id: &&str| {
        seen.target(id).is_none() && seen.world.targets().iter().any(|target| target.id.as_str() == *id)
    };
    let outside: std::collections::BTreeSet<&str> = ids.filter(is_outside).collect();
    if outside.is_empty() {
        return line;
    }
    let names: Vec<&str> = outside.into_iter().collect();
    line.then(Role::Warning, format!("(outside the scope: {}) ", names.join(", ")))
}

/// One of the others: how old what another system says is, and how many others it explains.
fn beside(verdict: &Verdict<'_>, finding: &Finding, now: Now) -> Part {
    let mut words = format!("; {}", finding.sentence(now));
    if finding.is_standing() {
        words.push_str(&format!(", for {}", duration(finding.lasted(now))));
    }
    words.push_str(&explains(verdict, finding));
    Part { count: verdict.stands_for(finding), ..Part::of(Line::of(Role::Text, words)) }
}

fn explains(verdict: &Verdict<'_>, finding: &Finding) -> String {
    let behind = verdict.behind.get(&finding.key());
    behind.map_or(String::new(), |(count, tie)| format!(" (explains {count} more, {})", tie.word()))
}

fn no_data(verdict: &Verdict<'_>, finding: &Finding, role: Role) -> Part {
    let told = if finding.breach.rule == HOST_SILENT.id {
        finding.breach.sentence.clone()
    } else {
        format!("no data from {}", finding.breach.target)
    };
    let words = format!("; {told}{}", explains(verdict, finding));
    Part { count: verdict.stands_for(finding), ..Part::of(Line::of(role, words)) }
}

fn since(finding: &Finding, (now, zone): (Now, FixedOffset)) -> String {
    let local = finding.since.wall.with_timezone(&zone);
    let earlier = if finding.onset == Onset::OrEarlier { ", or earlier" } else { "" };
    format!("since {}{earlier} ({})", local.format("%H:%M:%S"), duration(finding.lasted(now)))
}

fn utc(finding: &Finding) -> String {
    finding.since.wall.format("%H:%M:%SZ").to_string()
}

fn broken(verdict: &Verdict<'_>, role: Role, seen: PanelContext<'_>) -> Vec<Part> {
    let Some(lead) = verdict.lead else { return Vec::new() };
    let when = (seen.now, seen.zone);
    let line = out_of_scope(Line::of(role, format!("{} ", verdict.overall.word())), verdict, seen);
    let line = as_of(line, verdict);
    let told = verdict.alike.as_ref().map_or_else(|| lead.sentence(when.0), |alike| alike.words(when.0));
    let line = line.then(Role::Text, format!("{}: ", since(lead, when))).then(Role::Strong, told);
    let mut parts = vec![Part { utc: Some(utc(lead)), ..Part::needed(line) }];
    if let Some(cause) = verdict.cause {
        let line = Line::of(Role::Text, format!("; cause ({}): ", cause.tie.word()))
            .then(Role::Strong, cause.root.sentence(when.0));
        parts.push(Part::needed(line));
    }
    if !verdict.hit.is_empty() {
        let line = Line::of(Role::Text, format!("; hit: {}", verdict.hit.join(", ")));
        parts.push(Part { count: verdict.hit.len(), ..Part::of(line) });
    }
    let told = if verdict.cause.is_some() { BESIDE_A_CAUSE } else { BESIDE_NONE };
    parts.extend(verdict.others.iter().take(told).map(|finding| beside(verdict, finding, when.0)));
    let more = verdict.more(told);
    if more > 0 {
        let line = Line::of(Role::Muted, format!("; +{more} more"));
        parts.push(Part { count: more, ..Part::of(line) });
    }
    parts.extend(verdict.silent.iter().map(|finding| no_data(verdict, finding, Role::Warning)));
    parts
}

fn unknown(verdict: &Verdict<'_>, seen: PanelContext<'_>) -> Vec<Part> {
    let Some(lead) = verdict.lead else { return Vec::new() };
    let when = (seen.now, seen.zone);
    let line = out_of_scope(Line::of(Role::Critical, "UNKNOWN "), verdict, seen)
        .then(Role::Text, format!("{}: ", since(lead, when)))
        .then(Role::Strong, &lead.breach.sentence);
    let mut parts = vec![Part { utc: Some(utc(lead)), ..Part::needed(line) }];
    parts.extend(verdict.silent.iter().map(|finding| no_data(verdict, finding, Role::Text)));
    parts.extend(verdict.others.iter().take(1).map(|finding| beside(verdict, finding, when.0)));
    let more = verdict.more(1);
    if more > 0 {
        parts.push(Part { count: more, ..Part::of(Line::of(Role::Muted, format!("; +{more} more"))) });
    }
    parts
}

fn calm(verdict: &Verdict<'_>, seen: PanelContext<'_>) -> Vec<Part> {
    if verdict.overall == Overall::Waiting {
        let names: Vec<&str> = verdict.waiting.iter().map(|id| id.as_str()).collect();
        let line = Line::of(Role::Note, format!("WAITING for the first answer of {}", names.join(", ")));
        return vec![Part::of(line)];
    }
    let count = seen.world.targets().len();
    let words = if count == 1 {
        "1 source answers, nothing is past its threshold".to_owned()
    } else {
        format!("{count} sources answer, nothing is past its threshold")
    };
    let line = as_of(Line::of(Role::Ok, "OK "), verdict).then(Role::Text, words);
    let mut parts = vec![Part::of(line)];
    if let Some(note) = verdict.notes.first() {
        parts.push(Part::of(Line::of(Role::Muted, format!("; {}", note.sentence(seen.now)))));
    }
    parts
}

#[cfg(test)]
mod tests;
