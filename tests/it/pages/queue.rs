//! One queue opened: what its word means, its jobs, what failed alike, its workings.

use super::world::{FIRST, Page, Stage, gap, queue, queue_ref, queue_row, redis, secs, target, warm};
use crate::pages::world::payload;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    DeadLetter, DoneBy, Evidence, FailedJob, FailedPage, Happened, JobList, JobPage, JobState, ListedJob,
    Listing, LostHolder, PageJob, QueueEvent, QueueReading, QueueWorker, QueueWorkings, RedisReading,
    RedisRow, RunTimes, Scheduler,
};
use stacktop::core::row::RowKey;
use stacktop::ui::content::Role;

fn mails() -> QueueReading {
    queue("mails")
}

fn of(queue: QueueReading) -> RedisReading {
    let page = FailedPage { queue: queue_ref("mails"), ..FailedPage::default() };
    RedisReading { failed: vec![page], ..redis(vec![queue]) }
}

fn opened(reading: RedisReading) -> Page {
    Stage::of(reading).opened(Screen::Queues, &[queue_row("mails")])
}

fn told(queue: QueueReading) -> Page {
    opened(of(queue))
}

fn failing(jobs: Vec<FailedJob>) -> RedisReading {
    let failed = vec![FailedPage { queue: queue_ref("mails"), offset: 0, jobs }];
    RedisReading { failed, ..redis(vec![QueueReading { failed: 2, ..mails() }]) }
}

fn failed(id: &str, reason: &str) -> FailedJob {
    FailedJob {
        id: id.to_owned(),
        name: "send".to_owned(),
        reason: payload(reason),
        attempts: Some(3),
        attempts_allowed: Some(3),
        age: Some(secs(40)),
        ran_for: Some(secs(2)),
        ..FailedJob::default()
    }
}

fn listed(state: JobState) -> ListedJob {
    ListedJob {
        id: "7".to_owned(),
        name: "send".to_owned(),
        state,
        age: Some(secs(20)),
        due_in: None,
        lock: None,
        worker: String::new(),
        priority: None,
        ghost: false,
    }
}

fn with_job(job: ListedJob) -> Page {
    let lists = vec![JobList { queue: queue_ref("mails"), jobs: vec![job] }];
    opened(RedisReading { lists, ..of(mails()) })
}

fn with(more: QueueWorkings) -> Page {
    let more = vec![warm(QueueWorkings { queue: queue_ref("mails"), ..more })];
    opened(RedisReading { more, ..of(mails()) })
}

fn list(listing: Listing, page: JobPage) -> Page {
    let row = RowKey::Redis(target("cache"), RedisRow::Jobs(queue_ref("mails"), listing.clone()));
    let pages = vec![JobPage { listing, ..page }];
    Stage::of(RedisReading { pages, ..of(mails()) }).opened(Screen::Queues, &[queue_row("mails"), row])
}

fn no_jobs() -> JobPage {
    JobPage {
        queue: queue_ref("mails"),
        listing: Listing::Text(String::new()),
        jobs: Vec::new(),
        there: 0,
        looked_at: 0,
        too_large: 0,
        whole: true,
    }
}

fn some(state: JobState) -> Listing {
    Listing::State { state, offset: 0 }
}

#[test]
fn the_word_of_a_paused_queue_says_what_that_means() {
    told(QueueReading { paused: true, waiting: 4, ..mails() })
        .says("paused: paused with 4 ready; a retried job waits, too");
}

#[test]
fn the_word_of_stranded_jobs_says_how_they_are_freed() {
    told(QueueReading { stranded: 2, ..mails() }).says(
        "stranded: 2 jobs are left in the list of a pause that is over; resuming it from here frees them",
    );
}

#[test]
fn one_stranded_job_is_no_jobs() {
    told(QueueReading { stranded: 1, ..mails() })
        .says("stranded: 1 job is left in the list of a pause that is over; resuming it from here frees it");
}

#[test]
fn the_word_of_a_limited_queue_says_for_how_long() {
    told(QueueReading { limited_for: Some(secs(5)), ..mails() })
        .says("its rate limit holds it for another 5.0 s");
}

#[test]
fn the_word_of_a_queue_without_workers_counts_what_is_ready() {
    let evidence = Evidence { workers: Some(0), ..mails().evidence };
    told(QueueReading { waiting: 4, evidence, ..mails() }).says("4 are ready and no worker is connected");
}

#[test]
fn one_that_is_ready_is_ready() {
    let evidence = Evidence { workers: Some(0), ..mails().evidence };
    told(QueueReading { waiting: 1, evidence, ..mails() }).says("1 is ready and no worker is connected");
}

#[test]
fn a_worker_that_went_with_its_job_does_not_leave_none_ready() {
    let evidence = Evidence { workers: Some(0), ..mails().evidence };
    let page = told(QueueReading { active: 2, evidence, ..mails() });
    page.says("no worker: 2 are in progress and no worker is connected");
    page.says_not("0 are ready");
}

#[test]
fn the_word_of_a_failing_queue_counts_failures() {
    told(QueueReading { failed_last_five_minutes: 50, ..mails() })
        .says("more fails than is done: 50 within five minutes");
}

#[test]
fn the_word_of_dead_letters_says_of_which_queue() {
    let letter = DeadLetter { source: Some("mails-in".to_owned()) };
    let evidence = Evidence { workers: Some(0), ..mails().evidence };
    told(QueueReading { waiting: 3, dead_letter: Some(letter), evidence, ..mails() })
        .says("dead letters of mails-in: 3 stand here, and nobody is meant to work on them");
}

#[test]
fn an_idle_queue_has_nothing_to_do() {
    told(mails()).says("idle: nothing to do");
}

#[test]
fn jobs_are_counted_by_state() {
    told(QueueReading {
        waiting: 1,
        prioritized: 1,
        active: 2,
        delayed: 3,
        failed: 4,
        completed: 5,
        ..mails()
    })
    .says("waiting 2 · active 2 · delayed 3 · failed 4 · completed 5 kept");
}

#[test]
fn by_what_completions_are_counted_is_said() {
    told(mails()).says("done 0 in the last minute, by the completed jobs that are kept; added — per second");
    told(QueueReading { done_by: DoneBy::Events, ..mails() })
        .says("by its events, as it keeps no completed job");
    told(QueueReading { done_by: DoneBy::AtLeast, ..mails() })
        .says("at least, by as many of its events as are read");
}

#[test]
fn the_library_is_told_with_its_evidence() {
    told(mails()).says("BullMQ 5, because meta says bullmq:5.81.3");
}

#[test]
fn the_newest_and_the_oldest_failure_are_told() {
    let failing = QueueReading {
        newest_failure: Some(secs(5)),
        oldest_failure: Some(secs(7200)),
        failed_last_five_minutes: 3,
        ..mails()
    };
    told(failing).says("newest failure 5.0 s ago, the oldest kept 2h00m ago, 3 within five minutes");
}

#[test]
fn failures_that_are_not_kept_are_told_with_their_reason() {
    let happened = Happened { failed: 9, stalled: 1, reason: payload("timeout"), ..Happened::default() };
    told(QueueReading { happened: Part::Ready(happened), ..mails() })
        .says("9 failed and 1 stalled within five minutes, kept or not; the newest: timeout");
}

#[test]
fn a_failure_whose_reason_is_not_told_has_no_empty_one() {
    let happened = Happened { failed: 9, ..Happened::default() };
    let page = told(QueueReading { happened: Part::Ready(happened), ..mails() });
    page.says("9 failed and 0 stalled within five minutes, kept or not\n");
}

#[test]
fn more_events_than_are_read_are_the_least() {
    let happened = Happened { failed: 9, at_least: true, ..Happened::default() };
    told(QueueReading { happened: Part::Ready(happened), ..mails() }).says("at least 9 failed");
}

#[test]
fn failures_that_are_kept_are_not_told_twice() {
    let happened = Happened { failed: 3, ..Happened::default() };
    told(QueueReading { happened: Part::Ready(happened), failed_last_five_minutes: 3, ..mails() })
        .says_not("kept or not");
}

#[test]
fn jobs_that_are_thrown_away_are_told_once() {
    let thrown = |lost_holders| {
        let happened = Part::Ready(Happened { thrown_away: 9, ..Happened::default() });
        QueueReading { happened, lost_holders, ..mails() }
    };
    let words = "that came within five minutes were thrown away, by an id";
    told(thrown(Vec::new())).says(words);
    let (id, holder) = ("order-7".to_owned(), "1".to_owned());
    let page = told(thrown(vec![LostHolder { id, holder, thrown: 4, ..LostHolder::default() }]));
    page.says("4 jobs were thrown away: deduplication id order-7 is held by job 1");
    page.says_not(words);
}

#[test]
fn events_that_may_not_be_read_say_why() {
    told(QueueReading { happened: gap("XREVRANGE: no right"), ..mails() }).says("XREVRANGE: no right");
}

#[test]
fn failed_jobs_that_were_not_read_yet_are_not_none() {
    let page = opened(redis(vec![mails()]));
    page.says("reading the failed jobs");
    page.says_not("no failed job");
}

#[test]
fn a_queue_without_a_failed_job_says_so() {
    told(mails()).says("no failed job");
}

#[test]
fn more_failed_jobs_than_are_read_are_counted() {
    let page = told(QueueReading { failed: 900, ..mails() });
    assert!(page.titles().contains(&"Failed jobs, the newest 500 of 900"), "{:?}", page.titles());
}

#[test]
fn a_failed_job_shows_tries_and_how_long_it_ran() {
    let page = opened(failing(vec![failed("7", "timeout")]));
    assert_eq!(page.row("7"), ["7", "send", "40 s", "3/3", "2.0 s", "timeout"]);
}

#[test]
fn a_failed_job_without_a_limit_of_tries_shows_those_made() {
    let job = FailedJob { attempts_allowed: None, ..failed("7", "timeout") };
    assert_eq!(opened(failing(vec![job])).cell("7", "tries"), "3");
}

#[test]
fn tries_that_are_not_known_are_a_dash() {
    let job = FailedJob { attempts: None, ..failed("7", "timeout") };
    assert_eq!(opened(failing(vec![job])).cell("7", "tries"), "—");
}

#[test]
fn a_job_without_its_data_warns_instead_of_a_reason() {
    let job = FailedJob { ghost: true, ..failed("7", "timeout") };
    let page = opened(failing(vec![job]));
    assert_eq!(
        (page.cell("7", "reason").as_str(), page.role("7", "reason")),
        ("its data is gone: a worker would run an empty job", Role::Warning)
    );
}

#[test]
fn jobs_that_failed_alike_are_counted_together() {
    let page = opened(failing(vec![failed("7", "timeout"), failed("8", "timeout")]));
    assert_eq!(page.row("timeout")[..3], ["2", "2", "40 s"]);
}

#[test]
fn one_failed_job_makes_no_kinds() {
    opened(failing(vec![failed("7", "timeout")])).says_not("Failures by kind");
}

#[test]
fn a_kind_opened_lists_its_jobs_only() {
    let stage =
        Stage::of(failing(vec![failed("7", "timeout"), failed("8", "timeout"), failed("9", "no disk")]));
    let kind = stage.opened(Screen::Queues, &[queue_row("mails")]).key("timeout");
    let page = stage.opened(Screen::Queues, &[queue_row("mails"), kind]);
    assert_eq!(page.firsts(), ["7", "8"]);
    page.says("2 jobs, 2 within five minutes, 40 s ago");
}

#[test]
fn a_kind_of_one_job_has_one_job() {
    let stage = Stage::of(failing(vec![failed("7", "timeout"), failed("9", "no disk")]));
    let kind = stage.opened(Screen::Queues, &[queue_row("mails")]).key("no disk");
    stage.opened(Screen::Queues, &[queue_row("mails"), kind]).says("1 job, 1 within five minutes");
}

#[test]
fn a_kind_says_in_words_how_old_it_is() {
    let at = |id: &str, age: u64| FailedJob { age: Some(secs(age)), ..failed(id, "timeout") };
    let stage = Stage::of(failing(vec![at("7", 700), at("8", 9_000), failed("9", "no disk")]));
    let kind = stage.opened(Screen::Queues, &[queue_row("mails")]).key("timeout");
    let page = stage.opened(Screen::Queues, &[queue_row("mails"), kind]);
    page.says("2 jobs, none within five minutes, the newest 11m40s ago, the oldest 2h30m ago");
    // What is old itself says so, too, on both pages.
    let stage = stage.at(FIRST + 10);
    let queue = stage.opened(Screen::Queues, &[queue_row("mails")]);
    queue.says("LATE, 10 s old · ages are as of then");
    let kind = queue.key("timeout");
    stage.opened(Screen::Queues, &[queue_row("mails"), kind]).says("LATE, 10 s old · ages are as of then");
}

#[test]
fn a_kind_that_is_gone_says_so() {
    let row = RowKey::Redis(target("cache"), RedisRow::FailedAlike(queue_ref("mails"), "x".to_owned()));
    Stage::of(of(mails()))
        .opened(Screen::Queues, &[queue_row("mails"), row])
        .says("no job among the newest failed like this any more");
}

#[test]
fn a_job_in_progress_without_a_lock_is_stalled() {
    let page = with_job(listed(JobState::Active));
    assert_eq!(page.row("7")[4], "stalled: its worker's lock has run out");
}

#[test]
fn a_job_in_progress_names_its_worker_and_its_lock() {
    let job = ListedJob { lock: Some(secs(25)), worker: "w1".to_owned(), ..listed(JobState::Active) };
    assert_eq!(with_job(job).row("7")[4], "w1, locked for another 25 s");
}

#[test]
fn a_worker_without_a_name_is_not_named() {
    let job = ListedJob { lock: Some(secs(25)), ..listed(JobState::Active) };
    assert_eq!(with_job(job).row("7")[4], "locked for another 25 s");
}

#[test]
fn a_delayed_job_shows_when_it_is_due() {
    let job = ListedJob { due_in: Some(secs(90)), ..listed(JobState::Delayed) };
    assert_eq!(with_job(job).cell("7", "due in"), "1m30s");
}

#[test]
fn a_prioritized_job_says_so_and_shows_its_priority() {
    let page = with_job(ListedJob { priority: Some(3), ..listed(JobState::Prioritized) });
    assert_eq!(page.row("7")[3..], ["3", "by priority"]);
}

#[test]
fn a_job_that_runs_far_longer_than_others_may_hang() {
    let times =
        vec![RunTimes { name: "send".to_owned(), jobs: 20, run_p95: Some(secs(2)), ..Default::default() }];
    let more = vec![warm(QueueWorkings { queue: queue_ref("mails"), times, ..Default::default() })];
    let job = ListedJob { lock: Some(secs(25)), ..listed(JobState::Active) };
    let lists = vec![JobList { queue: queue_ref("mails"), jobs: vec![job] }];
    let page = opened(RedisReading { lists, more, ..of(mails()) });
    assert_eq!(page.row("7")[4], "runs 10 times longer than 95 of 100 before: its worker may hang");
}

#[test]
fn every_state_with_jobs_is_a_row_that_lists_them() {
    let page = told(QueueReading { failed: 2, completed: 1500, ..mails() });
    assert_eq!(
        (page.cell("failed", "jobs"), page.cell("completed", "jobs")),
        ("2".to_owned(), "1.5k".to_owned())
    );
}

#[test]
fn a_state_without_jobs_is_no_row() {
    assert!(!told(QueueReading { failed: 2, ..mails() }).firsts().contains(&"active".to_owned()));
}

#[test]
fn a_queue_that_keeps_no_job_says_so() {
    told(mails()).says("no job is kept");
}

#[test]
fn jobs_that_are_being_listed_say_so() {
    let row = RowKey::Redis(target("cache"), RedisRow::Jobs(queue_ref("mails"), some(JobState::Failed)));
    Stage::of(of(mails())).opened(Screen::Queues, &[queue_row("mails"), row]).says("reading the jobs");
}

#[test]
fn a_page_says_which_part_of_the_whole_it_is() {
    let jobs = vec![PageJob { id: "7".to_owned(), ..PageJob::default() }];
    list(some(JobState::Failed), JobPage { jobs, there: 900, looked_at: 500, ..no_jobs() })
        .says("1 to 500 of 900");
}

#[test]
fn a_page_leads_to_the_next_one() {
    let jobs = vec![PageJob { id: "7".to_owned(), ..PageJob::default() }];
    let page = list(some(JobState::Failed), JobPage { jobs, there: 900, looked_at: 500, ..no_jobs() });
    assert_eq!(page.row("…")[4], "Enter: the next 400 of 400");
}

#[test]
fn the_last_page_leads_nowhere() {
    let jobs = vec![PageJob { id: "7".to_owned(), ..PageJob::default() }];
    list(some(JobState::Failed), JobPage { jobs, there: 500, looked_at: 500, ..no_jobs() })
        .says_not("the next");
}

#[test]
fn an_empty_page_says_from_where_on() {
    list(some(JobState::Failed), JobPage { there: 5, ..no_jobs() }).says("none from 1 on, of 5");
}

#[test]
fn a_text_that_was_found_says_in_how_many() {
    let page = JobPage { jobs: vec![PageJob::default()], there: 2000, looked_at: 2000, ..no_jobs() };
    list(Listing::Text("ann".to_owned()), page).says("1 found in 2.0k of 2.0k jobs");
}

#[test]
fn a_search_that_goes_on_says_so_far() {
    let page = JobPage { there: 2000, looked_at: 100, whole: false, ..no_jobs() };
    let page = list(Listing::Text("ann".to_owned()), page);
    page.says("0 found in 100 of 2.0k jobs so far");
    page.says("none so far");
}

#[test]
fn a_search_that_is_over_without_a_hit_says_so() {
    list(Listing::Text("ann".to_owned()), no_jobs()).says("no such job");
}

#[test]
fn fields_that_are_too_large_to_be_looked_into_are_counted() {
    list(Listing::Text("ann".to_owned()), JobPage { too_large: 3, ..no_jobs() })
        .says("; 3 have fields too large to be looked into");
}

#[test]
fn one_field_that_is_too_large_has_it() {
    list(Listing::Text("ann".to_owned()), JobPage { too_large: 1, ..no_jobs() })
        .says("; 1 has fields too large to be looked into");
}

#[test]
fn a_worker_that_waits_says_so() {
    let worker = QueueWorker {
        address: "10.0.0.7:5".to_owned(),
        connected: secs(90),
        waits: true,
        ..Default::default()
    };
    let page = with(QueueWorkings { workers: Some(vec![worker]), ..Default::default() });
    assert_eq!(page.row("10.0.0.7:5"), ["10.0.0.7:5", "", "1m30s", "0 s", "waits for a job"]);
}

#[test]
fn a_worker_that_does_not_wait_is_not_said_to_work() {
    let worker = QueueWorker { address: "10.0.0.7:5".to_owned(), ..Default::default() };
    let page = with(QueueWorkings { workers: Some(vec![worker]), ..Default::default() });
    assert_eq!(page.row("10.0.0.7:5")[4], "is busy, or asleep");
}

#[test]
fn workers_that_may_not_be_asked_for_have_no_section() {
    with(QueueWorkings { workers: None, ..Default::default() }).says_not("# Workers");
}

#[test]
fn limits_are_told_where_there_are_some() {
    let page =
        with(QueueWorkings { concurrency: Some(4), rate: Some((100, secs(60))), ..Default::default() });
    page.says("concurrency     4 jobs at once, all workers together");
    page.says("rate limit      100 jobs in 1m00s");
}

#[test]
fn a_limit_of_one_is_one_job() {
    let page = with(QueueWorkings { concurrency: Some(1), rate: Some((1, secs(60))), ..Default::default() });
    page.says("concurrency     1 job at once");
    page.says("rate limit      1 job in 1m00s");
}

#[test]
fn a_queue_without_limits_has_no_section_for_them() {
    with(QueueWorkings::default()).says_not("Limits and memory");
}

#[test]
fn a_scheduler_that_is_late_warns() {
    let late = Scheduler { id: "nightly".to_owned(), overdue: Some(secs(90)), ..Scheduler::default() };
    let page = with(QueueWorkings { schedulers: vec![late], ..Default::default() });
    assert_eq!(
        (page.cell("nightly", "next").as_str(), page.role("nightly", "next")),
        ("1m30s late", Role::Warning)
    );
}

#[test]
fn a_scheduler_says_when_it_is_next() {
    let next = Scheduler { id: "nightly".to_owned(), next_in: Some(secs(90)), ..Scheduler::default() };
    let page = with(QueueWorkings { schedulers: vec![next], ..Default::default() });
    assert_eq!(
        (page.cell("nightly", "next"), page.cell("nightly", "made")),
        ("in 1m30s".to_owned(), "—".to_owned())
    );
}

#[test]
fn run_times_are_told_by_name() {
    let times = RunTimes { name: "send".to_owned(), jobs: 3, run_p95: Some(secs(2)), ..RunTimes::default() };
    let page = with(QueueWorkings { times: vec![times], ..Default::default() });
    assert_eq!(page.row("send"), ["send", "3", "—", "—", "—", "2.0 s"]);
}

#[test]
fn a_parent_that_waits_in_vain_says_for_how_many() {
    let page = with(QueueWorkings { blocked: vec![("77".to_owned(), 2)], ..Default::default() });
    assert_eq!(page.row("77")[1], "waits for children of which 2 have failed: retry those");
}

#[test]
fn a_parent_that_waits_for_one_failed_child_says_one_has() {
    let page = with(QueueWorkings { blocked: vec![("77".to_owned(), 1)], ..Default::default() });
    assert_eq!(page.row("77")[1], "waits for children of which 1 has failed: retry it");
}

#[test]
fn an_event_that_tells_of_trouble_warns() {
    let event =
        |event: &str| QueueEvent { id: event.to_owned(), event: event.to_owned(), ..QueueEvent::default() };
    let page = with(QueueWorkings { events: vec![event("stalled"), event("active")], ..Default::default() });
    assert_eq!((page.role("stalled", "event"), page.role("active", "event")), (Role::Warning, Role::Text));
}

#[test]
fn an_old_reading_is_drawn_as_old() {
    let page = Stage::of(of(QueueReading { waiting: 4, ..mails() }))
        .at(FIRST + 10)
        .opened(Screen::Queues, &[queue_row("mails")]);
    assert_eq!(page.tone("waiting 4"), Role::Stale);
}
