//! The rule about how fast an operation uses up the share of it that may fail.

use super::parts::{Its, row_of};
use crate::core::alert::RuleUnit::{Count, Ratio};
use crate::core::alert::Triage::{Errors, Forecast};
use crate::core::alert::{Grade, Rule, RuleSpec, Severity};
use crate::core::metrics::{LONG, MetricsReading, MetricsState};
use crate::core::text::{lasting, tidy};

/// What is aimed at: nothing is told by it alone.
pub static ERROR_BUDGET: Rule<MetricsState> = Rule::threshold(
    RuleSpec::new(
        "metrics.error_budget",
        "share of an operation that may fail: what its budget of errors is made of (a threshold that metrics.burn looks at)",
        Ratio,
        Forecast,
    )
    .warning(0.01),
);

/// How fast a budget of errors is used up.
pub static BURN: Rule<MetricsState> = Rule::new(
    RuleSpec::new(
        "metrics.burn",
        "how many times faster than it may an operation uses up its budget of errors, over the last five minutes and over the last hour",
        Count,
        Errors,
    )
    .clear(60)
    .warning(6.0)
    .critical(14.4)
    .hold(10)
    .over(60),
    burn,
);

fn burn(its: &mut Its<'_>, _: &MetricsReading) {
    let Some(share) = its.setting(&ERROR_BUDGET).warning else { return };
    let state = its.state;
    for level in state.service_levels.iter().filter(|level| level.told && !level.operation.is_part()) {
        let Some(burn) = level.budget.burn(its.now, share) else { continue };
        let subject = format!("{} {}", level.operation.word(), level.family);
        let Some(grade) = its.level(&subject, burn.both()) else { continue };
        // Of a few minutes the long window is the short one: what is bad in both is not known yet.
        let known = burn.ended.watched >= LONG / 2;
        let grade = Grade { severity: if known { grade.severity } else { Severity::Warning }, ..grade };
        let (what, failed) = (level.operation.words(), burn.ended.share().unwrap_or_default() * 100.0);
        let watched = if burn.ended.watched + LONG / 60 < LONG {
            format!("watched for {} only", lasting(burn.ended.watched))
        } else {
            "over an hour".to_owned()
        };
        let sentence = format!(
            "{}: {failed:.1} % of its {what} fail, {:.0} times what may ({}, {watched})",
            its.target,
            burn.both(),
            tidy(&level.family, 50)
        );
        let row = row_of(its.target, level);
        its.tell(grade, subject, sentence).look("look at what it depends on").row(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, Severity, judge};
    use crate::core::ids::TargetId;
    use crate::core::metrics::{MetricKind, MetricSample, MetricsRow};
    use crate::core::row::RowKey;
    use crate::core::time::Now;
    use crate::core::world::all_rules;

    /// What is told after so many minutes, in which of a hundred jobs a minute so many fail.
    fn told(minutes: u32, failed: f64) -> Vec<(Severity, String, RowKey)> {
        let sample = |status: &str, value: f64| MetricSample {
            name: "job_seconds_count".to_owned(),
            labels: vec![("status".to_owned(), status.to_owned())],
            value,
        };
        let bucket = MetricSample {
            name: "job_seconds_bucket".to_owned(),
            labels: vec![("le".to_owned(), "+Inf".to_owned())],
            value: 1.0,
        };
        let kinds = [("job_seconds".to_owned(), MetricKind::Histogram)].into();
        let mut state = MetricsState::default();
        let end = Now::example(u64::from(minutes) * 60);
        for step in 0..=minutes * 6 {
            let minute = f64::from(step) / 6.0;
            let samples = [
                sample("completed", (100.0 - failed) * minute),
                sample("failed", failed * minute),
                bucket.clone(),
            ];
            state.absorb(MetricsReading::of(&samples, &kinds), Now::example(u64::from(step) * 10));
        }
        let all = judge(&state, &TargetId::new("mailer"), &Rulebook::defaults(&all_rules()), end);
        let burns = all.into_iter().filter(|breach| breach.rule == BURN.spec.id);
        burns.map(|breach| (breach.severity, breach.sentence, breach.place.row.expect("a row"))).collect()
    }

    #[test]
    fn a_budget_that_burns_is_told_with_what_was_watched() {
        assert_eq!(told(60, 5.0), []);
        let (severity, sentence, row) = told(60, 7.0).remove(0);
        assert_eq!(severity, Severity::Warning);
        assert_eq!(sentence, "mailer: 7.0 % of its jobs fail, 7 times what may (job_seconds, over an hour)");
        let level = MetricsRow::Level(crate::core::metrics::Operation::Job, "job_seconds".to_owned());
        assert_eq!(row, RowKey::Metrics(TargetId::new("mailer"), level));
        assert_eq!(told(45, 20.0).remove(0).0, Severity::Critical);
        let (severity, sentence, _) = told(12, 20.0).remove(0);
        assert_eq!(severity, Severity::Warning, "of twelve minutes nobody knows an hour");
        assert!(sentence.ends_with("(job_seconds, watched for 12m00s only)"), "{sentence}");
        assert_eq!(told(3, 50.0), []);
    }
}
