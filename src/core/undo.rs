//! Whether an action can be undone, and by what. It stands in the head of every preview, so that nobody has to know it. Pure.

use super::action::Action;
use super::alertmanager::AlertmanagerAct;
use super::postgres::{PgAction, Upkeep};
use super::redis::{Change, JobAct, RedisAction, Sweep};
use super::search::SearchAction;

/// What stands for all that ends, starts or forgets something.
const NEVER: &str = "cannot be undone";
/// Nothing is lost or started by it.
const HARMLESS: &str = "nothing to be undone";
/// What was removed is in a file first.
const PUT_BACK: &str = "jobs can be put back";

/// "cannot be undone", or what undoes it.
#[must_use]
pub const fn undo(action: &Action) -> &'static str {
    match action {
        Action::Postgres { act, .. } => match act {
            PgAction::Cancel { .. } | PgAction::Terminate { .. } | PgAction::Several { .. } => NEVER,
            PgAction::Upkeep { upkeep, .. } => match upkeep {
                Upkeep::Analyze | Upkeep::Vacuum | Upkeep::Reindex => HARMLESS,
                Upkeep::ResetStatements => NEVER,
            },
        },
        Action::Redis { act, .. } => match act {
            RedisAction::Jobs { act, .. } => job(*act),
            RedisAction::Pause { .. } => "resume undoes it",
            RedisAction::Resume { .. } => "pause undoes it",
            RedisAction::Switches { resume, .. } => {
                if *resume {
                    "pause undoes it"
                } else {
                    "resume undoes it"
                }
            }
            RedisAction::Change { change, .. } => changed(change),
            RedisAction::Redrive { .. } => NEVER,
        },
        Action::Search { act, .. } => match act {
            SearchAction::RetryFailed { .. } => HARMLESS,
            SearchAction::Unblock { .. } | SearchAction::Replicas { .. } | SearchAction::Allocate { .. } => {
                "the cluster's own interface sets it again"
            }
            SearchAction::RetryStep { .. } | SearchAction::CancelTask { .. } => NEVER,
        },
        Action::Alertmanager { act, .. } => match act {
            AlertmanagerAct::Silence { .. } => "expire undoes it",
            AlertmanagerAct::Extend { .. } => "expire ends it",
            AlertmanagerAct::Expire { .. } => NEVER,
        },
    }
}

const fn job(act: JobAct) -> &'static str {
    match act {
        JobAct::Remove(_) => PUT_BACK,
        JobAct::Priority(_) | JobAct::Delay(_) => "can be set again",
        JobAct::Retry(_) | JobAct::RunAgain | JobAct::Promote | JobAct::Release | JobAct::GiveUp => NEVER,
    }
}

const fn changed(change: &Change) -> &'static str {
    match change {
        Change::Sweep(sweep) => match sweep {
            Sweep::Drain | Sweep::Clean(..) | Sweep::Obliterate => PUT_BACK,
            Sweep::Retry | Sweep::RetryCarefully(_) | Sweep::Promote => NEVER,
        },
        Change::Add { .. } | Change::Copy { .. } | Change::PutBack => {
            "jobs can be removed until a worker has them"
        }
        Change::Edit { .. } | Change::Concurrency(_) => "can be set again",
        Change::Schedule { .. } => "the scheduler can be removed again",
        Change::RetryKind(_) | Change::EndScript | Change::Unschedule { .. } | Change::Free(_) => NEVER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::redis::{JobState, QueueRef};

    fn queue() -> QueueRef {
        QueueRef { prefix: "bull".to_owned(), name: "mails".to_owned() }
    }

    #[track_caller]
    fn check(act: RedisAction, expected: &str) {
        assert_eq!(undo(&Action::Redis { target: TargetId::new("jobs"), act }), expected);
    }

    #[test]
    fn each_says_what_undoes_it_or_that_nothing_does() {
        check(RedisAction::Pause { queue: queue() }, "resume undoes it");
        check(RedisAction::Switches { queue: queue(), others: Vec::new(), resume: true }, "pause undoes it");
        let jobs = |act| RedisAction::Jobs { queue: queue(), ids: vec!["1".to_owned()], act };
        check(jobs(JobAct::Remove(JobState::Failed)), PUT_BACK);
        check(jobs(JobAct::RunAgain), NEVER);
        check(RedisAction::Change { queue: queue(), change: Change::Sweep(Sweep::Drain) }, PUT_BACK);
        check(RedisAction::Change { queue: queue(), change: Change::Sweep(Sweep::Retry) }, NEVER);
        let upkeep = |upkeep| PgAction::Upkeep { upkeep, relation: String::new() };
        let postgres = |act| undo(&Action::Postgres { target: TargetId::new("pg"), act });
        assert_eq!(postgres(upkeep(Upkeep::Vacuum)), HARMLESS);
        assert_eq!(postgres(upkeep(Upkeep::ResetStatements)), NEVER);
    }
}
