//! A queue as a whole, several of them, schedulers, and the server itself.

use crate::pages::world::{FIRST, Offers, Stage, queue, queue_ref, queue_row, redis, target, warm};
use stacktop::core::action::Action;
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    Change, DeadLetter, Evidence, Family, QueueReading, QueueWorkings, RedisAction, RedisReading, RedisRow,
    Scheduler, Sweep,
};
use stacktop::core::row::RowKey;

fn full() -> QueueReading {
    QueueReading { waiting: 3, delayed: 2, failed: 5, completed: 9, active: 1, ..queue("mails") }
}

fn of(reading: QueueReading) -> Offers {
    Stage::of(redis(vec![reading])).offers(Screen::Queues, &queue_row("mails"))
}

fn dlq(waiting: u64) -> Offers {
    let dead_letter = Some(DeadLetter { source: Some("pdf".to_owned()) });
    of(QueueReading { waiting, dead_letter, ..queue("mails") })
}

fn scheduler(scheduler: Scheduler) -> Offers {
    let id = scheduler.id.clone();
    let more =
        QueueWorkings { queue: queue_ref("mails"), schedulers: vec![scheduler], ..QueueWorkings::default() };
    let reading = RedisReading { more: vec![warm(more)], ..redis(vec![full()]) };
    let row = RowKey::Redis(target("cache"), RedisRow::Scheduler(queue_ref("mails"), id));
    Stage::of(reading).offers(Screen::Queues, &row)
}

fn nightly() -> Scheduler {
    Scheduler { id: "nightly".to_owned(), job: Some("repeat:9".to_owned()), ..Scheduler::default() }
}

fn server(busy: bool) -> Stage {
    Stage::of(RedisReading { busy, ..redis(Vec::new()) })
}

fn server_row() -> RowKey {
    RowKey::Redis(target("cache"), RedisRow::Server(String::new()))
}

#[test]
fn what_harms_least_stands_first_and_what_harms_most_last() {
    assert_eq!(of(full()).letters(), "ryopunsgewbz");
}

#[test]
fn a_queue_that_runs_may_be_paused_and_not_resumed() {
    let offers = of(full());
    assert_eq!(offers.title('p'), "Pause queue mails");
    offers.refuses('u', "it is not paused");
}

#[test]
fn a_paused_queue_may_be_resumed_and_not_paused() {
    let offers = of(QueueReading { paused: true, ..full() });
    assert_eq!(offers.title('u'), "Resume queue mails");
    offers.refuses('p', "it is paused already");
}

#[test]
fn jobs_left_behind_by_a_pause_are_freed_by_resuming() {
    assert_eq!(of(QueueReading { stranded: 1, ..full() }).title('u'), "Resume queue mails");
}

#[test]
fn the_preview_of_a_pause_says_what_stands_there() {
    assert_eq!(of(full()).fact('p', "now"), "3 waiting, 1 active, 2 delayed");
}

#[test]
fn a_queue_without_failed_jobs_has_none_to_retry() {
    let offers = of(queue("mails"));
    offers.refuses('r', "there is no such job");
    offers.refuses('y', "there is no such job");
}

#[test]
fn a_queue_without_delayed_jobs_has_none_to_promote() {
    of(queue("mails")).refuses('o', "there is no such job");
}

#[test]
fn an_empty_queue_has_nothing_to_drain() {
    of(queue("mails")).refuses('w', "there is no such job");
}

#[test]
fn an_empty_queue_may_be_obliterated_all_the_same() {
    assert_eq!(of(queue("mails")).title('z'), "Remove the queue and every job in it, queue mails");
}

#[test]
fn a_retry_of_all_counts_those_that_are_there() {
    assert_eq!(of(full()).fact('r', "jobs"), "up to 5, those that are there when it begins");
}

#[test]
fn a_retry_of_very_many_needs_a_typed_word() {
    assert!(!of(QueueReading { failed: 100, ..full() }).choice('r').1.severe);
    assert!(of(QueueReading { failed: 101, ..full() }).choice('r').1.severe);
}

#[test]
fn a_careful_retry_says_its_pace_and_its_brake() {
    assert_eq!(
        of(full()).fact('y', "pace"),
        "1, then 10, each until it has ended; then 20 a second; stops when more than 20 % fail again"
    );
}

#[test]
fn a_long_act_says_how_it_is_ended() {
    assert_eq!(of(full()).fact('r', "stop"), ":stop ends it between two batches of a hundred");
    assert_eq!(of(full()).fact('y', "stop"), ":stop ends it between two steps");
}

#[test]
fn a_drain_is_written_down_first_and_needs_a_typed_word() {
    let offers = of(full());
    assert_eq!(offers.fact('w', "first"), "each is appended to removed-jobs.jsonl beside the audit trail");
    assert!(offers.choice('w').1.severe);
}

#[test]
fn an_obliteration_asks_for_the_name_of_the_queue() {
    assert_eq!(of(full()).choice('z').1.word, Some("mails".to_owned()));
}

#[test]
fn an_obliteration_says_that_running_jobs_hold_it_up() {
    assert_eq!(of(full()).fact('z', "but"), "1 is running: while there is one, the queue stays, paused");
    assert_eq!(
        of(QueueReading { active: 2, ..full() }).fact('z', "but"),
        "2 are running: while there is one, the queue stays, paused"
    );
}

#[test]
fn nothing_else_asks_for_the_name_of_the_queue() {
    let offers = of(full());
    for letter in ['r', 'y', 'o', 'p', 'w'] {
        assert_eq!(offers.choice(letter).1.word, None, "{letter}");
    }
}

#[test]
fn completed_jobs_are_what_is_suggested_to_be_cleaned() {
    assert_eq!(of(full()).offer('e').asks.as_ref().map(|ask| ask.initial.as_str()), Some("completed 1d"));
}

#[test]
fn failed_jobs_are_suggested_where_no_completed_one_is_kept() {
    let offers = of(QueueReading { completed: 0, ..full() });
    assert_eq!(offers.offer('e').asks.as_ref().map(|ask| ask.initial.as_str()), Some("failed 1d"));
}

#[test]
fn a_limit_is_offered_to_bullmq_5() {
    assert_eq!(of(full()).title('g'), "No limit of concurrency, queue mails");
}

#[track_caller]
fn knows_no_limit(family: Family, sentence: &str) {
    let evidence = Evidence { family, ..full().evidence };
    of(QueueReading { evidence, ..full() }).refuses('g', sentence);
}

#[test]
fn bull_knows_no_limit() {
    knows_no_limit(Family::Bull, "Bull knows no such limit; BullMQ 5.9 and later do");
}

#[test]
fn an_older_bullmq_knows_no_limit() {
    knows_no_limit(Family::BullMq(4), "BullMQ 4 knows no such limit; BullMQ 5.9 and later do");
}

#[test]
fn a_bullmq_of_unknown_age_is_not_believed_to_know_a_limit() {
    knows_no_limit(Family::BullMqUnknown, "BullMQ knows no such limit; BullMQ 5.9 and later do");
}

#[test]
fn a_newer_bullmq_knows_the_limit_too() {
    let evidence = Evidence { family: Family::BullMq(6), ..full().evidence };
    assert!(of(QueueReading { evidence, ..full() }).open().contains('g'));
}

#[test]
fn what_was_removed_may_be_put_back() {
    let Action::Redis { act: RedisAction::Change { change, .. }, .. } = of(full()).choice('b').0 else {
        panic!("a change")
    };
    assert_eq!(change, Change::PutBack);
}

#[test]
fn a_queue_that_is_gone_is_not_paused() {
    Stage::of(redis(Vec::new()))
        .offers(Screen::Queues, &queue_row("mails"))
        .refuses('p', "this queue is not there any more");
}

#[test]
fn a_queue_that_is_gone_has_no_failed_jobs_to_retry() {
    Stage::of(redis(Vec::new()))
        .offers(Screen::Queues, &queue_row("mails"))
        .refuses('r', "this queue is not there any more");
}

#[test]
fn a_queue_that_was_obliterated_may_be_put_back() {
    let offers = Stage::of(redis(Vec::new())).offers(Screen::Queues, &queue_row("mails"));
    assert_eq!(offers.title('b'), "Put back the jobs that were removed last, queue mails");
}

#[test]
fn every_act_on_late_data_is_refused() {
    let offers = Stage::of(redis(vec![full()])).at(FIRST + 10).offers(Screen::Queues, &queue_row("mails"));
    for letter in offers.letters().chars() {
        offers.refuses(
            letter,
            "its source is late, and this was so 10 s ago: it may be otherwise now; wait until the source answers again",
        );
    }
}

#[test]
fn every_act_on_lost_data_is_refused() {
    let offers = Stage::of(redis(vec![full()])).at(FIRST + 60).offers(Screen::Queues, &queue_row("mails"));
    for letter in offers.letters().chars() {
        offers.refuses(letter, "the data is too old to act on; wait until the source answers again");
    }
}

#[test]
fn every_act_on_a_replica_is_refused() {
    let mut reading = redis(vec![full()]);
    reading.server.role = "slave".to_owned();
    assert_eq!(Stage::of(reading).offers(Screen::Queues, &queue_row("mails")).open(), "");
}

#[test]
fn a_dead_letter_queue_is_redriven_first() {
    let offers = dlq(3);
    assert!(offers.letters().starts_with('v') && offers.letters().ends_with('j'), "{}", offers.letters());
    assert_eq!(offers.title('v'), "Redrive 3 letters of mails");
}

#[test]
fn one_letter_is_one_letter() {
    assert_eq!(dlq(1).title('v'), "Redrive 1 letter of mails");
}

#[test]
fn a_dead_letter_queue_without_a_letter_has_none_to_redrive() {
    dlq(0).refuses('v', "it holds no letter");
}

#[test]
fn an_interrupted_redrive_is_continued_even_where_no_letter_is_left() {
    assert_eq!(dlq(0).title('j'), "Continue the redrive of mails");
}

#[test]
fn more_than_ten_letters_need_a_typed_word() {
    assert!(!dlq(10).choice('v').1.severe);
    assert!(dlq(11).choice('v').1.severe);
}

#[test]
fn an_ordinary_queue_is_not_redriven() {
    assert!(!of(full()).letters().contains('v'));
}

fn marked(names: &[&str]) -> Offers {
    let rows: Vec<RowKey> = names.iter().map(|name| queue_row(name)).collect();
    let queues = names.iter().map(|name| queue(name)).collect();
    Stage::of(redis(queues)).offers_of(Screen::Queues, &rows[0], &rows)
}

#[test]
fn marked_queues_are_paused_and_resumed_together() {
    let offers = marked(&["mails", "pdf"]);
    assert_eq!(
        (offers.title('p'), offers.fact('p', "queues")),
        ("Pause 2 queues".to_owned(), "mails, pdf".to_owned())
    );
    assert_eq!(offers.letters(), "pu");
}

#[test]
fn several_are_paused_only_with_a_typed_word_and_resumed_without() {
    let offers = marked(&["mails", "pdf"]);
    assert!(offers.choice('p').1.severe && !offers.choice('u').1.severe);
}

#[test]
fn one_marked_queue_is_a_queue_like_any_other() {
    assert!(marked(&["mails"]).letters().len() > 2);
}

#[test]
fn a_scheduler_is_run_now_or_removed() {
    assert_eq!(scheduler(nightly()).open(), "nd");
}

#[test]
fn a_scheduler_without_a_next_job_cannot_be_run_now() {
    scheduler(Scheduler { job: None, ..nightly() }).refuses(
        'n',
        "its next job, of which a copy would run, is not found; older libraries name it otherwise: \
         open it among the delayed jobs and duplicate it",
    );
}

#[test]
fn a_scheduler_that_is_gone_is_not_run() {
    let row = RowKey::Redis(target("cache"), RedisRow::Scheduler(queue_ref("mails"), "old".to_owned()));
    Stage::of(redis(vec![full()]))
        .offers(Screen::Queues, &row)
        .refuses('n', "this scheduler is not there any more");
}

#[test]
fn no_script_no_kill() {
    server(false).offers(Screen::Queues, &server_row()).refuses('k', "no script holds this server");
}

#[test]
fn a_script_that_holds_the_server_may_be_ended() {
    let stage = server(true).then(FIRST + 7, "cache", RedisReading { busy: true, ..redis(Vec::new()) });
    let offers = stage.offers(Screen::Queues, &server_row());
    assert_eq!(offers.title('k'), "End the script that holds cache");
    assert_eq!(offers.fact('k', "held for"), "at least 7 s");
}

#[test]
fn a_sweep_is_the_one_that_was_chosen() {
    let change = |letter| match of(full()).choice(letter).0 {
        Action::Redis { act: RedisAction::Change { change: Change::Sweep(sweep), .. }, .. } => sweep,
        other => panic!("{other:?}"),
    };
    assert_eq!([change('r'), change('o'), change('w')], [Sweep::Retry, Sweep::Promote, Sweep::Drain]);
}

#[test]
fn to_rows_that_only_tell_nothing_is_offered() {
    for row in [
        RedisRow::Worker(queue_ref("mails"), "w".to_owned()),
        RedisRow::Event(queue_ref("mails"), "1".to_owned()),
        RedisRow::Command("get".to_owned()),
        RedisRow::Slow(1),
        RedisRow::Database(0),
    ] {
        let row = RowKey::Redis(target("cache"), row);
        assert_eq!(Stage::of(redis(vec![full()])).offers(Screen::Queues, &row).letters(), "", "{row:?}");
    }
}
