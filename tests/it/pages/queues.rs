//! The list of queues: counts, rates, one word for how each is doing, failures of all of them by kind.

use super::world::{FIRST, Page, Stage, job_row, queue, queue_ref, queue_row, redis, redis_at, secs};
use crate::pages::world::payload;
use stacktop::core::focus::Focus;
use stacktop::core::part::{Part, Warm};
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    DeadLetter, Evidence, FailedJob, FailedPage, Happened, JobState, QueueReading, RedisReading,
};
use stacktop::core::time::Now;
use stacktop::ui::content::Role;
use std::time::Duration;

fn page(queue: QueueReading) -> Page {
    Stage::of(redis(vec![queue])).page(Screen::Queues)
}

fn mails() -> QueueReading {
    queue("mails")
}

fn evidence(workers: Option<usize>) -> Evidence {
    Evidence { workers, ..mails().evidence }
}

fn failed_page(name: &str, reasons: &[&str]) -> FailedPage {
    let job = |(at, reason): (usize, &&str)| FailedJob {
        id: format!("{name}-{at}"),
        reason: payload(reason),
        age: Some(secs(30)),
        ..FailedJob::default()
    };
    let jobs = reasons.iter().enumerate().map(job).collect();
    FailedPage { queue: queue_ref(name), offset: 0, jobs }
}

#[track_caller]
fn word(queue: QueueReading, expected: &str, role: Role) {
    let page = page(queue);
    assert_eq!((page.cell("mails", "state"), page.role("mails", "state")), (expected.to_owned(), role));
}

#[test]
fn an_empty_queue_is_idle() {
    word(mails(), "idle", Role::Muted);
}

#[test]
fn a_queue_with_a_job_in_progress_is_busy() {
    word(QueueReading { active: 1, ..mails() }, "busy", Role::Muted);
}

#[test]
fn a_queue_that_empties_says_in_which_time_it_is_done() {
    let left = |second: u64, waiting, added| {
        let queue = QueueReading { waiting, active: 2, added_total: Some(added), ..mails() };
        redis_at(FIRST + second, vec![queue])
    };
    let stage = Stage::of(left(0, 190, 0.0));
    let stage =
        stage.then(FIRST + 10, "cache", left(10, 170, 10.0)).then(FIRST + 20, "cache", left(20, 150, 20.0));
    let page = stage.at(FIRST + 20).page(Screen::Queues);
    assert_eq!(page.cell("mails", "state"), "done in 1m15s");
}

#[test]
fn a_paused_queue_says_so() {
    word(QueueReading { paused: true, waiting: 4, ..mails() }, "paused", Role::Note);
}

#[test]
fn a_queue_held_by_its_rate_limit_says_so() {
    word(QueueReading { limited_for: Some(secs(5)), waiting: 4, ..mails() }, "limited", Role::Note);
}

#[test]
fn jobs_left_behind_by_a_pause_are_a_warning() {
    word(QueueReading { stranded: 2, ..mails() }, "stranded", Role::Warning);
}

#[test]
fn jobs_without_a_worker_are_a_warning() {
    word(QueueReading { waiting: 4, evidence: evidence(Some(0)), ..mails() }, "no worker", Role::Warning);
}

#[test]
fn jobs_of_a_worker_that_is_gone_are_a_warning() {
    word(QueueReading { active: 1, evidence: evidence(Some(0)), ..mails() }, "no worker", Role::Warning);
}

#[test]
fn a_queue_of_which_nobody_knows_the_workers_is_not_said_to_have_none() {
    let checked = QueueReading { waiting: 4, checked_by_worker: true, evidence: evidence(None), ..mails() };
    word(checked, "busy", Role::Muted);
}

#[test]
fn a_queue_where_more_fails_than_is_done_is_failing() {
    word(QueueReading { failed_last_five_minutes: 50, ..mails() }, "failing", Role::Warning);
}

#[test]
fn a_paused_queue_is_paused_whatever_else_it_is() {
    let both = QueueReading { paused: true, waiting: 4, evidence: evidence(Some(0)), ..mails() };
    word(both, "paused", Role::Note);
}

#[test]
fn a_dead_letter_queue_is_marked_and_muted() {
    let letters =
        QueueReading { dead_letter: Some(DeadLetter::default()), evidence: evidence(Some(0)), ..mails() };
    let page = page(letters);
    assert_eq!(
        (page.cell("mails (DLQ)", "state"), page.role("mails (DLQ)", "queue")),
        ("dead jobs".to_owned(), Role::Muted)
    );
}

#[test]
fn prioritized_jobs_wait_too() {
    assert_eq!(
        page(QueueReading { waiting: 2, prioritized: 3, ..mails() }).number("mails", "waiting"),
        Some(5.0)
    );
}

#[test]
fn counts_are_short_and_compared_exactly() {
    let page = page(QueueReading { failed: 12_345, ..mails() });
    assert_eq!(
        (page.cell("mails", "failed"), page.number("mails", "failed")),
        ("12k".to_owned(), Some(12_345.0))
    );
}

#[test]
fn failures_that_are_not_kept_are_counted_as_they_happened() {
    let happened = Happened { failed: 9, ..Happened::default() };
    let page = page(QueueReading { happened: Part::Ready(happened), ..mails() });
    assert_eq!(page.number("mails", "dead 5 m"), Some(9.0));
}

#[test]
fn workers_that_are_not_known_are_a_question_and_no_zero() {
    let page = page(QueueReading { evidence: evidence(None), ..mails() });
    assert_eq!((page.cell("mails", "workers"), page.number("mails", "workers")), ("?".to_owned(), None));
}

#[test]
fn nobody_waiting_has_no_oldest() {
    let page = page(mails());
    assert_eq!((page.cell("mails", "oldest"), page.number("mails", "oldest")), ("—".to_owned(), None));
}

#[test]
fn the_oldest_wait_is_a_span_that_filters_compare() {
    let page = page(QueueReading { oldest_wait: Some(secs(90)), ..mails() });
    assert_eq!(
        (page.cell("mails", "oldest"), page.number("mails", "oldest")),
        ("1m30s".to_owned(), Some(90.0))
    );
}

#[test]
fn one_reading_tells_no_rate_of_added_jobs() {
    assert_eq!(page(QueueReading { added_total: Some(5.0), ..mails() }).cell("mails", "added"), "—");
}

#[test]
fn added_jobs_are_told_per_second() {
    let at = |second, total| {
        let reading = QueueReading { added_total: Some(total), ..mails() };
        let queues = Part::Ready(vec![Warm::new(Now::example(second), reading)]);
        RedisReading { queues, ..redis(Vec::new()) }
    };
    let stage = Stage::of(at(FIRST, 0.0)).then(FIRST + 10, "cache", at(FIRST + 10, 20.0));
    assert_eq!(stage.page(Screen::Queues).cell("mails", "added"), "2.0/s");
}

#[test]
fn a_queue_that_was_read_long_ago_has_its_age_beside_its_name() {
    let stage = Stage::of(redis(vec![mails()])).then(FIRST + 12, "cache", redis(vec![mails()]));
    let page = stage.page(Screen::Queues);
    assert_eq!(page.role("mails · 12 s ago", "waiting"), Role::Stale);
}

#[test]
fn dead_letters_that_grow_are_critical() {
    let at = |second, failed| {
        let queues = Part::Ready(vec![Warm::new(Now::example(second), QueueReading { failed, ..mails() })]);
        RedisReading { queues, ..redis(Vec::new()) }
    };
    let stage = Stage::of(at(FIRST, 1)).then(FIRST + 5, "cache", at(FIRST + 5, 3));
    assert_eq!(stage.page(Screen::Queues).role("mails", "failed"), Role::Critical);
}

#[test]
fn failed_jobs_that_stand_still_are_not() {
    assert_eq!(page(QueueReading { failed: 3, ..mails() }).role("mails", "failed"), Role::Text);
}

#[test]
fn a_queue_below_another_prefix_is_another_queue() {
    let mut other = mails();
    other.queue.prefix = "app".to_owned();
    let page = Stage::of(redis(vec![mails(), other])).page(Screen::Queues);
    let table = page.0.sections[0].table.as_ref().expect("queues");
    assert_ne!(table.rows[0].key, table.rows[1].key);
}

#[test]
fn the_newest_failures_of_failing_queues_are_asked_for() {
    let stage = Stage::of(redis(vec![mails(), QueueReading { failed: 2, ..queue("pdf") }]));
    let wanted = Focus::FailedJobs { queue: queue_ref("pdf"), offset: 0, limit: 50 };
    assert_eq!(stage.focus(Screen::Queues, &[]), [wanted]);
}

#[test]
fn an_opened_queue_asks_for_its_jobs() {
    let focus = Stage::of(redis(vec![mails()])).focus(Screen::Queues, &[queue_row("mails")]);
    assert_eq!(focus.len(), 3, "{focus:?}");
}

#[test]
fn an_opened_job_is_asked_for_too() {
    let path = [queue_row("mails"), job_row("mails", "7", JobState::Failed)];
    let focus = Stage::of(redis(vec![mails()])).focus(Screen::Queues, &path);
    assert!(focus.contains(&Focus::Job { queue: queue_ref("mails"), id: "7".to_owned() }), "{focus:?}");
}

#[test]
fn failures_of_several_queues_are_told_by_kind() {
    let failed = vec![failed_page("mails", &["timeout"]), failed_page("pdf", &["timeout", "timeout"])];
    let page = Stage::of(RedisReading { failed, ..redis(vec![mails(), queue("pdf")]) }).page(Screen::Queues);
    assert_eq!(page.row("timeout"), ["3", "3", "30 s", "pdf 2, mails 1", "timeout"]);
}

#[test]
fn failures_of_one_queue_are_told_in_that_queue() {
    let failed = vec![failed_page("mails", &["timeout"])];
    Stage::of(RedisReading { failed, ..redis(vec![mails()]) }).page(Screen::Queues).says_not("by kind");
}

#[test]
fn a_kind_of_failure_without_a_recent_one_is_not_critical() {
    let mut failed = vec![failed_page("mails", &["timeout"]), failed_page("pdf", &["timeout"])];
    for page in &mut failed {
        page.jobs[0].age = Some(Duration::from_secs(4000));
    }
    let page = Stage::of(RedisReading { failed, ..redis(vec![mails(), queue("pdf")]) }).page(Screen::Queues);
    assert_eq!(
        (page.cell("timeout", "in 5 m"), page.role("timeout", "in 5 m")),
        ("0".to_owned(), Role::Text)
    );
}

#[test]
fn the_name_is_what_is_copied_of_a_queue() {
    assert_eq!(Stage::empty().copy(Screen::Queues, &queue_row("mails")), Some("mails".to_owned()));
}

#[test]
fn the_id_is_what_is_copied_of_a_job() {
    let row = job_row("mails", "7", JobState::Failed);
    assert_eq!(Stage::empty().copy(Screen::Queues, &row), Some("7".to_owned()));
}
