//! What comes of a value that was typed for an action, and why nothing comes of another.

use crate::pages::world::payload;
use crate::pages::world::{Stage, fact, job_row, queue, queue_ref, queue_row, redis};
use stacktop::core::action::Preview;
use stacktop::core::redis::{JobDetail, JobState, QueueReading, RedisReading};

fn stage() -> Stage {
    let detail = JobDetail {
        queue: queue_ref("mails"),
        id: "7".to_owned(),
        state: "failed".to_owned(),
        fields: [("data".to_owned(), payload(r#"{"to": "ann"}"#))].into(),
        ..JobDetail::default()
    };
    let mails = QueueReading { completed: 9, failed: 5, ..queue("mails") };
    Stage::of(RedisReading { jobs: vec![detail], ..redis(vec![mails]) })
}

#[track_caller]
fn of_queue(letter: char, text: &str) -> Preview {
    stage().answer(&queue_row("mails"), letter, text).unwrap_or_else(|why| panic!("{}", why.sentence())).1
}

#[track_caller]
fn of_job(letter: char, text: &str) -> Preview {
    let row = job_row("mails", "7", JobState::Delayed);
    stage().answer(&row, letter, text).unwrap_or_else(|why| panic!("{}", why.sentence())).1
}

/// Nothing comes of `text` for the queue, and this is why.
#[track_caller]
fn refused(letter: char, text: &str, sentence: &str) {
    match stage().answer(&queue_row("mails"), letter, text) {
        Ok((_, preview)) => panic!("`{text}` was taken: {}", preview.title),
        Err(why) => assert!(why.sentence().starts_with(sentence), "{}", why.sentence()),
    }
}

#[track_caller]
fn refused_job(letter: char, text: &str, sentence: &str) {
    match stage().answer(&job_row("mails", "7", JobState::Delayed), letter, text) {
        Ok((_, preview)) => panic!("`{text}` was taken: {}", preview.title),
        Err(why) => assert!(why.sentence().starts_with(sentence), "{}", why.sentence()),
    }
}

#[test]
fn a_new_job_needs_only_a_name() {
    let preview = of_queue('n', "mail");
    assert_eq!(
        (preview.title.as_str(), fact(&preview, "data").as_str()),
        ("Add job mail, queue mails", "{}")
    );
}

#[test]
fn a_new_job_may_have_data() {
    assert_eq!(fact(&of_queue('n', r#"mail {"to":"ann"}"#), "data"), r#"{"to":"ann"}"#);
}

#[test]
fn a_new_job_may_have_options() {
    assert_eq!(fact(&of_queue('n', r#"mail {} {"attempts":3}"#), "options"), r#"{"attempts":3}"#);
}

#[test]
fn a_new_job_without_options_shows_none() {
    assert_eq!(fact(&of_queue('n', "mail {}"), "options"), "(not told)");
}

#[test]
fn the_id_of_a_new_job_is_made_unless_one_is_given() {
    assert_eq!(fact(&of_queue('n', "mail {}"), "id"), "made when it is added: stacktop-…");
    assert_eq!(fact(&of_queue('n', r#"mail {} {"jobId":"a"}"#), "id"), "a, if there is none of it");
}

#[test]
fn a_job_without_a_name_is_none() {
    refused('n', "  ", "a job has a name; write it as NAME {JSON data} {JSON options}");
}

#[test]
fn data_that_is_no_json_says_where() {
    refused('n', "mail {to", "that is no JSON at character");
}

#[test]
fn an_option_that_is_not_known_names_those_that_are() {
    refused(
        'n',
        r#"mail {} {"repeat":{}}"#,
        "`repeat` is no option that is set from here; these are: attempts",
    );
}

#[test]
fn an_option_of_another_form_says_which() {
    refused('n', r#"mail {} {"delay":"5s"}"#, "delay is milliseconds, not \"5s\"");
}

#[test]
fn options_are_an_object() {
    refused('n', "mail {} []", "options are an object");
}

#[test]
fn a_limit_is_a_number() {
    refused('g', "many", "that is a number; 0 for no limit");
    refused('g', "-1", "that is a number");
}

#[test]
fn a_limit_says_what_it_was() {
    let preview = of_queue('g', "4");
    assert_eq!(preview.title, "At most 4 jobs at once, queue mails");
    assert_eq!(fact(&preview, "now"), "no limit");
}

#[test]
fn a_limit_of_one_is_one_job() {
    assert_eq!(of_queue('g', "1").title, "At most 1 job at once, queue mails");
}

#[test]
fn a_limit_of_zero_is_none() {
    assert_eq!(of_queue('g', "0").title, "No limit of concurrency, queue mails");
}

#[test]
fn a_clean_says_which_and_how_old() {
    assert_eq!(
        of_queue('e', "completed 12h").title,
        "Remove completed jobs that ended more than 12.0 h ago, queue mails"
    );
}

#[test]
fn a_clean_counts_those_of_its_state() {
    assert!(fact(&of_queue('e', "failed 1d"), "jobs").starts_with("up to 5,"));
    assert!(fact(&of_queue('e', "completed 1d"), "jobs").starts_with("up to 9,"));
}

#[test]
fn a_clean_of_anything_else_is_refused() {
    for text in ["waiting 1d", "completed", "1d"] {
        refused('e', text, "which jobs, and how old; write it as `completed 1d` or `failed 12h`");
    }
}

#[test]
fn a_clean_of_an_age_that_is_none_says_how_one_is_written() {
    refused('e', "failed old", "`old` is no time; write it as 30s, 5m, 2h or 1d");
}

#[test]
fn a_scheduler_has_an_id_a_rhythm_and_a_name() {
    let preview = of_queue('s', "nightly 1d mail");
    assert_eq!(preview.title, "Add scheduler nightly, queue mails");
    assert_eq!(fact(&preview, "data"), "{}");
}

#[test]
fn a_scheduler_by_a_pattern_says_when_it_is_first() {
    assert_eq!(fact(&of_queue('s', "nightly \"0 2 * * *\" mail"), "first job"), "2026-09-22 02:00:00 UTC");
}

#[test]
fn a_scheduler_that_lacks_a_part_says_the_form() {
    for text in ["nightly", "nightly 1d", "a:b 1d mail"] {
        refused('s', text, "an id, how often, a name; write it as ID 5m NAME {JSON data}");
    }
}

#[test]
fn a_pattern_of_cron_has_five_fields() {
    match stage().answer(&queue_row("mails"), 's', "nightly \"0 2\" mail") {
        Ok(_) => panic!("it was taken"),
        Err(why) => assert!(
            why.sentence().contains("five fields: minute hour day month weekday"),
            "{}",
            why.sentence()
        ),
    }
}

#[test]
fn a_scheduler_without_a_span_is_none() {
    refused('s', "nightly 0s mail", "an id, how often, a name");
}

#[test]
fn a_priority_is_a_number_in_its_range() {
    refused_job('i', "2097152", "a priority is a number from 0 to 2097151");
    refused_job('i', "first", "a priority is a number from 0 to 2097151");
    assert!(fact(&of_job('i', "2097151"), "priority").starts_with("2097151 ("));
}

#[test]
fn a_delay_is_a_span() {
    assert_eq!(fact(&of_job('l', "5m"), "due in"), "5m00s");
    refused_job('l', "soon", "`soon` is no time; write it as 30s, 5m, 2h or 1d");
}

#[test]
fn data_as_it_was_is_no_change() {
    refused_job('t', r#"{"to": "ann"}"#, "nothing was changed");
}

#[test]
fn data_that_is_only_written_otherwise_is_no_change() {
    refused_job('t', "{\n  \"to\": \"ann\"\n}", "nothing was changed");
}

#[test]
fn other_data_is_shown_beside_what_it_was() {
    let preview = of_job('t', r#"{"to": "bob"}"#);
    assert_eq!(fact(&preview, "was"), r#"{"to": "ann"}"#);
    assert_eq!(fact(&preview, "will be"), r#"{"to": "bob"}"#);
}

#[test]
fn other_data_must_be_json() {
    refused_job('t', "{to", "that is no JSON at character");
}

#[test]
fn a_letter_that_asks_for_nothing_takes_nothing() {
    refused('q', "x", "nothing is asked for here");
}
