//! One job opened: where it is, its fields, its stacks, its flow.

use super::world::{Page, Stage, job_row, queue, queue_ref, queue_row, redis, target};
use crate::pages::world::payload;
use stacktop::core::place::Screen;
use stacktop::core::redis::Kin;
use stacktop::core::redis::{JobDetail, JobState, RedisReading, RedisRow};
use stacktop::core::row::RowKey;
use stacktop::ui::content::Role;

fn job(fields: &[(&str, &str)]) -> JobDetail {
    JobDetail {
        queue: queue_ref("mails"),
        id: "7".to_owned(),
        state: "failed".to_owned(),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), payload(value))).collect(),
        ..JobDetail::default()
    }
}

fn opened(job: JobDetail) -> Page {
    let reading = RedisReading { jobs: vec![job], ..redis(vec![queue("mails")]) };
    Stage::of(reading).opened(Screen::Queues, &[queue_row("mails"), job_row("mails", "7", JobState::Failed)])
}

#[test]
fn a_job_that_was_not_read_yet_is_being_read() {
    Stage::of(redis(vec![queue("mails")]))
        .opened(Screen::Queues, &[queue_row("mails"), job_row("mails", "7", JobState::Failed)])
        .says("reading the job");
}

#[test]
fn another_job_is_not_shown_in_its_place() {
    let other = JobDetail { id: "8".to_owned(), ..job(&[]) };
    opened(other).says("reading the job");
}

#[test]
fn a_job_of_the_same_id_in_another_queue_is_another_job() {
    let other = JobDetail { queue: queue_ref("pdf"), ..job(&[]) };
    opened(other).says("reading the job");
}

#[test]
fn it_says_in_which_queue_and_state_it_is() {
    let page = opened(job(&[]));
    page.says("queue         mails");
    page.says("state         failed");
}

#[test]
fn moments_are_told_as_such() {
    opened(job(&[("timestamp", "1790000000123")])).says("added         2026-09-21 14:13:20.123Z");
}

#[test]
fn a_moment_that_is_none_stays_as_it_is() {
    opened(job(&[("timestamp", "soon")])).says("added         soon");
}

#[test]
fn data_is_laid_out() {
    opened(job(&[("data", r#"{"to":"ann"}"#)])).says("# Data\n{\n");
}

#[test]
fn data_that_is_no_json_stays_as_it_is() {
    opened(job(&[("data", "not { json")])).says("# Data\nnot { json");
}

#[test]
fn the_reason_has_a_section_of_its_own() {
    opened(job(&[("failedReason", "timeout")])).says("# Reason\ntimeout");
}

#[test]
fn fields_that_are_too_large_are_told_with_their_size() {
    let job = JobDetail { too_large: vec![("data".to_owned(), 2_097_152)], ..job(&[]) };
    opened(job).says("data          2.0 MiB long: not read");
}

#[test]
fn the_log_stands_at_the_end() {
    let job = JobDetail { logs: vec![payload("began"), payload("failed")], ..job(&[]) };
    opened(job).says("# Log, the newest last\nbegan\nfailed");
}

#[test]
fn a_parent_is_a_row_that_leads_there() {
    let page = opened(JobDetail { links: vec![(Kin::Parent, "bull:pdf:9".to_owned())], ..job(&[]) });
    let there = RedisRow::Job(queue_ref("pdf"), "9".to_owned(), None);
    assert_eq!(page.key("parent"), RowKey::Redis(target("cache"), there));
}

#[test]
fn a_child_that_failed_warns() {
    let page = opened(JobDetail { links: vec![(Kin::Failed, "bull:pdf:9".to_owned())], ..job(&[]) });
    assert_eq!(page.role("child, failed", "flow"), Role::Warning);
}

#[test]
fn a_parent_says_which_child_is_gone_and_what_ends_that() {
    let links = vec![(Kin::Gone, "bull:pdf:9".to_owned()), (Kin::Unseen, "bull:pdf:8".to_owned())];
    let waits = JobDetail { state: "waiting-children".to_owned(), links, ..job(&[]) };
    let page = opened(waits.clone());
    page.says("waits for child 9 of queue pdf, which no longer exists");
    page.says("removeUnprocessedChildren()");
    page.says("child, not looked at");
    assert_eq!(page.role("child, gone", "flow"), Role::Warning);
    opened(JobDetail { state: "active".to_owned(), ..waits }).says_not("no longer exists");
}

#[test]
fn a_job_without_a_family_has_no_flow() {
    opened(job(&[])).says_not("Flow");
}

#[test]
fn what_a_job_holds_cannot_move_the_terminal() {
    let page = opened(job(&[("failedReason", "a\u{1b}[2Jb\u{202e}c")]));
    assert!(!page.text().contains(['\u{1b}', '\u{202e}']), "{:?}", page.text());
}
