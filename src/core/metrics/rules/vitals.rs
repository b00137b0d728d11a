//! The rules about the process behind an endpoint: its heap, its garbage collection, what it holds open.

use super::parts::{Its, SUBJECT};
use crate::core::alert::RuleUnit::{Count, Ratio};
use crate::core::alert::Triage::{Forecast, Latency, Saturation};
use crate::core::alert::{Rule, RuleSpec};
use crate::core::metrics::{MetricsReading, MetricsState};
use crate::core::text::sized;

/// How full the heap is.
pub static HEAP: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.heap",
        "how full the heap of a process is against the limit that it tells (Node): near it, it does little but collect garbage, then it ends",
        Ratio,
        Saturation,
    )
    .warning(0.85)
    .critical(0.95)
    .hold(60)
    .root(),
    heap,
);

/// How long it collects garbage.
pub static COLLECTING: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.gc",
        "share of the time in which an application collects garbage, and does nothing else meanwhile",
        Ratio,
        Latency,
    )
    .warning(0.1)
    .critical(0.3)
    .hold(30)
    .root(),
    collecting,
);

pub(crate) static HANDLES: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.handles",
        "so many sockets, timers and the like more than a quarter of an hour ago, and more all the time (Node): something is not given back",
        Count,
        Forecast,
    )
    .warning(100.0)
    .hold(60),
    handles,
);

/// How many of its files are open.
pub static FILES: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.files",
        "open files and sockets of a process against its limit: beyond it no connection is accepted",
        Ratio,
        Saturation,
    )
    .warning(0.8)
    .critical(0.9)
    .hold(10)
    .root(),
    files,
);

fn heap(its: &mut Its<'_>, _: &MetricsReading) {
    let signs = its.state.signs;
    let (Some(share), Some(used), Some(limit)) = (signs.heap_used(), signs.heap, signs.heap_limit) else {
        return;
    };
    let Some(grade) = its.level(SUBJECT, share) else { return };
    let sentence =
        format!("{}: {} of the {} that its heap may have are in use", its.target, sized(used), sized(limit));
    its.tell(grade, SUBJECT, sentence)
        .say("give it more (--max-old-space-size), or look what it keeps (a heap snapshot)");
}

fn collecting(its: &mut Its<'_>, _: &MetricsReading) {
    let Some(share) = its.state.signs.collecting else { return };
    let Some(grade) = its.level(SUBJECT, share) else { return };
    let sentence = format!("{}: it collects garbage {:.0} % of the time", its.target, share * 100.0);
    its.tell(grade, SUBJECT, sentence).say("look what it makes so many of, or give its heap more room");
}

fn handles(its: &mut Its<'_>, _: &MetricsReading) {
    let Some(grown) = its.state.handles_grown() else { return };
    let Some(grade) = its.level(SUBJECT, grown) else { return };
    let open = its.state.signs.handles.unwrap_or_default();
    let sentence = format!(
        "{}: it holds {open:.0} handles open, {grown:.0} more than a quarter of an hour ago, and more all the time",
        its.target
    );
    its.tell(grade, SUBJECT, sentence).say("look which connections or timers are not closed");
}

fn files(its: &mut Its<'_>, _: &MetricsReading) {
    let signs = its.state.signs;
    let (Some(share), Some(open), Some(most)) = (signs.files_used(), signs.files, signs.most_files) else {
        return;
    };
    let Some(grade) = its.level(SUBJECT, share) else { return };
    let sentence =
        format!("{}: {open:.0} of the {most:.0} files and sockets that it may have are open", its.target);
    its.tell(grade, SUBJECT, sentence)
        .say("raise its limit (ulimit -n), or look which connections are not closed");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, Severity, judge};
    use crate::core::ids::TargetId;
    use crate::core::metrics::MetricSample;
    use crate::core::time::Now;
    use crate::core::world::all_rules;
    use std::collections::BTreeMap;

    /// What is told of a process that tells these for twenty minutes; a number that grows does so by itself each minute.
    #[track_caller]
    fn check(samples: &[(&str, f64, f64)], expected: &[(&str, Severity)]) {
        let mut state = MetricsState::default();
        for minute in 0..=20_u32 {
            let sample = |(name, value, grows): &(&str, f64, f64)| MetricSample {
                name: (*name).to_owned(),
                value: value + grows * f64::from(minute),
                ..MetricSample::default()
            };
            let samples: Vec<_> = samples.iter().map(sample).collect();
            let kinds =
                [("nodejs_gc_duration_seconds".to_owned(), crate::core::metrics::MetricKind::Histogram)];
            let reading = MetricsReading::of(&samples, &BTreeMap::from(kinds));
            state.absorb(reading, Now::example(u64::from(minute) * 60));
        }
        let rules = Rulebook::defaults(&all_rules());
        let told = judge(&state, &TargetId::new("api"), &rules, Now::example(1200));
        let found: Vec<_> = told.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect();
        assert_eq!(found, expected, "{told:?}");
    }

    #[test]
    fn a_process_is_told_that_is_near_its_end() {
        let heap =
            |used| [("nodejs_heap_size_used_bytes", used, 0.0), ("nodejs_heap_size_limit_bytes", 100.0, 0.0)];
        check(&heap(80.0), &[]);
        check(&heap(90.0), &[("metrics.heap", Severity::Warning)]);
        check(&heap(96.0), &[("metrics.heap", Severity::Critical)]);
        check(&heap(96.0)[..1], &[]);
        let files = |open| [("process_open_fds", open, 0.0), ("process_max_fds", 100.0, 0.0)];
        check(&files(79.0), &[]);
        check(&files(95.0), &[("metrics.files", Severity::Critical)]);
        check(&[("nodejs_gc_duration_seconds_sum", 0.0, 12.0)], &[("metrics.gc", Severity::Warning)]);
        check(&[("nodejs_gc_duration_seconds_sum", 0.0, 1.0)], &[]);
        check(&[("nodejs_active_handles_total", 10.0, 10.0)], &[("metrics.handles", Severity::Warning)]);
        check(&[("nodejs_active_handles_total", 900.0, 0.0)], &[]);
    }
}
