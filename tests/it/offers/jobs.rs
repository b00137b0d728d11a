//! Jobs in each state, marked ones, those that failed alike, and dead letters.

use crate::pages::world::payload;
use crate::pages::world::{FIRST, Offers, Stage, job_row, queue, queue_ref, queue_row, redis, secs, target};
use stacktop::core::action::Action;
use stacktop::core::place::Screen;
use stacktop::core::redis::Masks;
use stacktop::core::redis::{
    DeadLetter, Evidence, FailedJob, FailedPage, Family, JobAct, JobDetail, JobList, JobState, Letters,
    ListedJob, QueueReading, RedisAction, RedisReading, RedisRow,
};
use stacktop::core::row::RowKey;

fn mails() -> QueueReading {
    QueueReading { failed: 2, ..queue("mails") }
}

fn on(reading: RedisReading, state: JobState) -> Offers {
    Stage::of(reading).offers(Screen::Queues, &job_row("mails", "7", state))
}

fn of(state: JobState) -> Offers {
    on(redis(vec![mails()]), state)
}

fn act(offers: &Offers, letter: char) -> RedisAction {
    match offers.choice(letter).0 {
        Action::Redis { act, .. } => act,
        Action::Postgres { .. } | Action::Alertmanager { .. } | Action::Search { .. } => {
            panic!("it is an action on a queue")
        }
    }
}

fn failed_page(jobs: Vec<FailedJob>) -> RedisReading {
    let failed = vec![FailedPage { queue: queue_ref("mails"), offset: 0, jobs }];
    RedisReading { failed, ..redis(vec![mails()]) }
}

fn failed(id: &str) -> FailedJob {
    FailedJob { id: id.to_owned(), reason: payload("timeout"), age: Some(secs(9)), ..FailedJob::default() }
}

fn running(lock: Option<u64>) -> RedisReading {
    let job = ListedJob {
        id: "7".to_owned(),
        name: String::new(),
        state: JobState::Active,
        age: None,
        due_in: None,
        lock: lock.map(secs),
        worker: String::new(),
        priority: None,
        ghost: false,
    };
    let lists = vec![JobList { queue: queue_ref("mails"), jobs: vec![job] }];
    RedisReading { lists, ..redis(vec![mails()]) }
}

fn detailed(state: JobState, fields: &[(&str, &str)]) -> RedisReading {
    let detail = JobDetail {
        queue: queue_ref("mails"),
        id: "7".to_owned(),
        state: state.word().to_owned(),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), payload(value))).collect(),
        ..JobDetail::default()
    };
    RedisReading { jobs: vec![detail], ..redis(vec![mails()]) }
}

fn letters(count: u64) -> QueueReading {
    let dead_letter = Some(DeadLetter { source: Some("mails".to_owned()) });
    QueueReading { waiting: count, dead_letter, ..queue("mails-dlq") }
}

#[test]
fn a_failed_job_is_retried_in_three_ways_or_removed() {
    assert_eq!(of(JobState::Failed).open(), "rapd");
}

#[test]
fn a_delayed_job_is_promoted_removed_or_put_elsewhere() {
    assert_eq!(of(JobState::Delayed).open(), "odil");
}

#[test]
fn a_waiting_job_is_removed_or_put_elsewhere() {
    assert_eq!(of(JobState::Waiting).open(), "di");
}

#[test]
fn a_prioritized_job_is_removed_or_put_elsewhere() {
    assert_eq!(of(JobState::Prioritized).open(), "di");
}

#[test]
fn a_completed_job_is_run_again_or_removed() {
    assert_eq!(of(JobState::Completed).open(), "rd");
}

#[test]
fn to_a_parent_that_waits_for_children_nothing_is_offered() {
    assert_eq!(of(JobState::WaitingChildren).letters(), "");
}

#[test]
fn a_job_in_no_list_may_be_removed() {
    let offers = of(JobState::Lost);
    assert_eq!((offers.letters().as_str(), offers.open().as_str()), ("d", "d"));
    assert_eq!(offers.fact('d', "only if"), "it is still in no list and no worker has it");
}

#[test]
fn a_job_that_a_worker_has_is_left_to_it() {
    let offers = on(running(Some(25)), JobState::Active);
    let words =
        "a worker has job 7, its lock holds for another 25 s; wait until it has ended, or stop its worker";
    offers.refuses('b', words);
    offers.refuses('f', words);
}

#[test]
fn a_stalled_job_is_brought_back_or_failed() {
    assert_eq!(on(running(None), JobState::Active).open(), "bf");
}

#[test]
fn a_stalled_job_is_only_taken_from_a_worker_that_is_gone() {
    let offers = on(running(None), JobState::Active);
    assert!(offers.fact('b', "only if").starts_with("no worker of the queue is connected"));
}

#[test]
fn a_removal_is_for_the_state_that_was_seen() {
    let RedisAction::Jobs { act: JobAct::Remove(state), .. } = act(&of(JobState::Delayed), 'd') else {
        panic!("a removal")
    };
    assert_eq!(state, JobState::Delayed);
}

#[test]
fn a_removal_is_written_down_first() {
    let offers = of(JobState::Failed);
    assert_eq!(offers.fact('d', "first"), "each is appended to removed-jobs.jsonl beside the audit trail");
    assert_eq!(offers.fact('d', "only if"), "it is still failed and no worker has it");
}

#[test]
fn the_title_counts_jobs_and_names_the_queue() {
    assert_eq!(of(JobState::Failed).title('r'), "Retry 1 job of queue mails");
}

#[test]
fn a_queue_below_another_prefix_is_named_with_it() {
    let mut other = mails();
    other.queue.prefix = "app".to_owned();
    let row = RowKey::Redis(
        target("cache"),
        RedisRow::Job(other.queue.clone(), "7".to_owned(), Some(JobState::Failed)),
    );
    let offers = Stage::of(redis(vec![other])).offers(Screen::Queues, &row);
    assert_eq!(offers.title('r'), "Retry 1 job of queue app:mails");
}

/// What becomes of a retried job.
#[track_caller]
fn then(queue: QueueReading, words: &str) {
    assert_eq!(on(redis(vec![queue]), JobState::Failed).fact('r', "then"), words);
}

#[test]
fn a_retried_job_is_taken_where_a_worker_is() {
    then(mails(), "a worker takes them at once");
}

#[test]
fn a_retried_job_of_a_paused_queue_waits() {
    then(QueueReading { paused: true, ..mails() }, "the queue is paused: they wait until it is resumed");
}

#[test]
fn a_retried_job_without_a_worker_waits() {
    let evidence = Evidence { workers: Some(0), ..mails().evidence };
    then(QueueReading { evidence, ..mails() }, "no worker is connected: they wait");
}

#[test]
fn why_it_failed_is_shown_before_it_is_retried() {
    assert_eq!(on(failed_page(vec![failed("7")]), JobState::Failed).fact('r', "failed with"), "timeout");
}

#[test]
fn attempts_that_are_used_up_are_told() {
    let job = FailedJob { attempts: Some(3), attempts_allowed: Some(3), ..failed("7") };
    let offers = on(failed_page(vec![job]), JobState::Failed);
    assert_eq!(offers.fact('r', "attempts"), "used up: each gets one more run, without back-off");
    assert_eq!(offers.fact('a', "attempts"), "counted from zero again, with back-off between them");
}

#[test]
fn attempts_that_are_left_are_no_news() {
    let job = FailedJob { attempts: Some(1), attempts_allowed: Some(3), ..failed("7") };
    assert_eq!(on(failed_page(vec![job]), JobState::Failed).fact('r', "attempts"), "(not told)");
}

#[test]
fn a_retry_by_priority_says_where_it_stands() {
    let offers = of(JobState::Failed);
    assert_eq!(offers.fact('p', "order"), "by their priorities");
    assert_eq!(offers.fact('r', "order"), "in front of prioritized jobs, as the library's own retry does");
}

#[test]
fn a_newer_job_of_the_same_deduplication_id_is_named() {
    let job = FailedJob { twin: Some("9".to_owned()), ..failed("7") };
    let offers = on(failed_page(vec![job]), JobState::Failed);
    assert_eq!(offers.fact('r', "but"), "a newer job has the deduplication id of 7 (job 9): both will run");
}

#[test]
fn a_removal_of_such_a_job_runs_nothing_twice() {
    let job = FailedJob { twin: Some("9".to_owned()), ..failed("7") };
    assert_eq!(on(failed_page(vec![job]), JobState::Failed).fact('d', "but"), "(not told)");
}

#[test]
fn what_is_run_again_is_done_a_second_time() {
    assert_eq!(
        of(JobState::Completed).fact('r', "but"),
        "what it did is done a second time; its result is thrown away"
    );
}

#[test]
fn who_owns_the_queue_is_told_with_its_evidence() {
    assert_eq!(of(JobState::Failed).fact('r', "owner"), "BullMQ 5 (meta says bullmq:5.81.3)");
}

/// Marked failed jobs.
fn marked(ids: &[&str]) -> Offers {
    let rows: Vec<RowKey> = ids.iter().map(|id| job_row("mails", id, JobState::Failed)).collect();
    Stage::of(redis(vec![mails()])).offers_of(Screen::Queues, &rows[0], &rows)
}

#[test]
fn marked_jobs_are_acted_on_together() {
    let offers = marked(&["7", "8"]);
    assert_eq!(
        (offers.title('r'), offers.offer('r').label.as_str()),
        ("Retry 2 jobs of queue mails".to_owned(), "retry marked jobs")
    );
}

#[test]
fn several_are_removed_only_with_a_typed_word() {
    assert!(marked(&["7", "8"]).choice('d').1.severe);
    assert!(!marked(&["7"]).choice('d').1.severe);
}

#[test]
fn up_to_a_hundred_are_retried_without_one() {
    let ids: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert!(!marked(&ids[..100]).choice('r').1.severe);
    assert!(marked(&ids).choice('r').1.severe);
}

#[test]
fn marks_in_another_state_are_left_out() {
    let row = job_row("mails", "7", JobState::Failed);
    let marks = [row.clone(), job_row("mails", "8", JobState::Delayed)];
    let offers = Stage::of(redis(vec![mails()])).offers_of(Screen::Queues, &row, &marks);
    assert_eq!(offers.title('r'), "Retry 1 job of queue mails");
}

#[test]
fn marks_in_another_queue_are_left_out() {
    let row = job_row("mails", "7", JobState::Failed);
    let marks = [row.clone(), job_row("pdf", "7", JobState::Failed)];
    let offers = Stage::of(redis(vec![mails()])).offers_of(Screen::Queues, &row, &marks);
    assert_eq!(offers.title('r'), "Retry 1 job of queue mails");
}

#[test]
fn where_no_mark_is_meant_nothing_is_chosen() {
    let row = job_row("mails", "7", JobState::Failed);
    Stage::of(redis(vec![mails()]))
        .offers_of(Screen::Queues, &row, &[job_row("mails", "8", JobState::Delayed)])
        .refuses('r', "no job is chosen; open the queue (Enter), then mark jobs (Space)");
}

#[test]
fn jobs_that_failed_alike_are_retried_together() {
    let stage = Stage::of(failed_page(vec![failed("7"), failed("8")]));
    let kind = stage.opened(Screen::Queues, &[queue_row("mails")]).key("timeout");
    let offers = stage.offers(Screen::Queues, &kind);
    assert_eq!(
        (offers.letters(), offers.title('r')),
        ("rapd".to_owned(), "Retry 2 jobs of queue mails".to_owned())
    );
}

#[test]
fn where_more_failed_than_is_listed_all_of_a_kind_are_offered_too() {
    let failed =
        vec![FailedPage { queue: queue_ref("mails"), offset: 0, jobs: vec![failed("7"), failed("8")] }];
    let stage = Stage::of(RedisReading { failed, ..redis(vec![QueueReading { failed: 900, ..mails() }]) });
    let kind = stage.opened(Screen::Queues, &[queue_row("mails")]).key("timeout");
    let offers = stage.offers(Screen::Queues, &kind);
    assert_eq!(offers.letters(), "wrapd");
    assert_eq!(
        offers.fact('w', "jobs"),
        "each of the 900 failed jobs is looked at; those that failed so are retried"
    );
    assert!(offers.choice('w').1.severe);
}

#[test]
fn a_job_that_was_read_may_be_copied_and_edited() {
    let offers = on(detailed(JobState::Failed, &[("name", "send"), ("data", "{}")]), JobState::Failed);
    assert_eq!(offers.open(), "rapdct");
}

#[test]
fn a_job_whose_data_is_gone_is_not_copied() {
    on(detailed(JobState::Failed, &[("name", "send")]), JobState::Failed).refuses('c', "its data is gone");
}

#[test]
fn the_data_of_a_running_job_is_not_edited() {
    let offers = on(detailed(JobState::Active, &[("data", "{}")]), JobState::Active);
    assert_eq!(offers.letters(), "bfc");
}

#[test]
fn masked_data_is_not_edited_but_may_be_copied() {
    let mut reading = detailed(JobState::Failed, &[("name", "send"), ("data", "{}")]);
    let masked = Masks::new(&["email".to_owned()]).payload(r#"{"email":"a@b.c"}"#.to_owned());
    reading.jobs[0].fields.insert("data".to_owned(), masked);
    let offers = on(reading, JobState::Failed);
    offers.refuses('t', "its data has fields that this configuration masks; see `mask` of the target");
    assert_eq!(offers.fact('c', "masked"), "the copy has the values themselves; they are only not shown");
}

#[test]
fn a_job_reached_through_another_one_says_itself_where_it_is() {
    let row = RowKey::Redis(target("cache"), RedisRow::Job(queue_ref("mails"), "7".to_owned(), None));
    let offers = Stage::of(detailed(JobState::Delayed, &[])).offers(Screen::Queues, &row);
    assert!(offers.letters().starts_with("od"), "{}", offers.letters());
}

#[test]
fn a_job_of_which_nobody_knows_where_it_is_is_left_alone() {
    let row = RowKey::Redis(target("cache"), RedisRow::Job(queue_ref("mails"), "7".to_owned(), None));
    assert_eq!(Stage::of(redis(vec![mails()])).offers(Screen::Queues, &row).letters(), "");
}

#[test]
fn a_dead_letter_is_redriven_first_of_all() {
    let row = job_row("mails-dlq", "7", JobState::Waiting);
    let offers = Stage::of(redis(vec![letters(3)])).offers(Screen::Queues, &row);
    assert_eq!(
        (offers.letters(), offers.title('v')),
        ("vdi".to_owned(), "Redrive 1 letter of mails-dlq".to_owned())
    );
}

#[test]
fn a_letter_goes_back_to_the_queue_that_it_names() {
    let row = job_row("mails-dlq", "7", JobState::Waiting);
    let offers = Stage::of(redis(vec![letters(3)])).offers(Screen::Queues, &row);
    assert_eq!(offers.fact('v', "to"), "the queue that each letter names, else mails");
    let RedisAction::Redrive { letters: Letters::These(list), .. } = act(&offers, 'v') else {
        panic!("these")
    };
    assert_eq!(list, [("7".to_owned(), JobState::Waiting)]);
}

#[test]
fn a_letter_that_is_worked_on_is_not_redriven() {
    let row = job_row("mails-dlq", "7", JobState::Active);
    let offers = Stage::of(redis(vec![letters(3)])).offers(Screen::Queues, &row);
    assert!(!offers.letters().contains('v'), "{}", offers.letters());
}

/// Every offer of a failed job is refused with this sentence.
#[track_caller]
fn refused(stage: &Stage, sentence: &str) {
    let offers = stage.offers(Screen::Queues, &job_row("mails", "7", JobState::Failed));
    for letter in offers.letters().chars() {
        offers.refuses(letter, sentence);
    }
    assert_eq!(offers.letters(), "rapd");
}

#[test]
fn lost_data_is_not_acted_on() {
    refused(
        &Stage::of(redis(vec![mails()])).at(FIRST + 60),
        "the data is too old to act on; wait until the source answers again",
    );
}

#[test]
fn a_replica_is_only_read() {
    let mut reading = redis(vec![mails()]);
    reading.server.role = "slave".to_owned();
    refused(
        &Stage::of(reading),
        "this server is a replica, which is only read; act on its primary: make that a target, too",
    );
}

#[test]
fn a_replica_of_a_cluster_hides_no_primary() {
    use stacktop::core::redis::ClusterReading;
    let mut reading = redis(vec![mails()]);
    reading.server.role = "slave".to_owned();
    reading.cluster = Some(ClusterReading::default());
    assert_eq!(on(reading, JobState::Failed).open(), "rapd");
}

#[test]
fn a_queue_of_bullmq_pro_is_left_to_its_own_tools() {
    let evidence = Evidence { family: Family::Pro, ..mails().evidence };
    refused(
        &Stage::of(redis(vec![QueueReading { evidence, ..mails() }])),
        "this queue belongs to BullMQ Pro, whose groups have keys of their own; use its own tools",
    );
}

#[test]
fn jobs_of_bull_are_acted_on_as_those_of_bullmq() {
    let evidence = Evidence { family: Family::Bull, ..mails().evidence };
    assert_eq!(on(redis(vec![QueueReading { evidence, ..mails() }]), JobState::Failed).open(), "rapd");
}

#[test]
fn a_priority_and_a_delay_ask_for_a_value() {
    let offers = of(JobState::Delayed);
    let initial = |letter| offers.offer(letter).asks.as_ref().map(|ask| ask.initial.clone());
    assert_eq!((initial('i'), initial('l')), (Some("1".to_owned()), Some("5m".to_owned())));
}
