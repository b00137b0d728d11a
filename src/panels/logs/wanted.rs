//! What is looked for in a log of a row of any screen: a job's id, a pid, an address or a statement's text, of its queue or server, around
//! the time that it is about.

use crate::core::alert::{Finding, Stage};
use crate::core::ids::TargetId;
use crate::core::lines::Window;
use crate::core::postgres::{BackendId, PgRow, PostgresState};
use crate::core::redis::{JobDetail, QueueRef, RedisRow, RedisState};
use crate::core::row::RowKey;
use crate::core::text::cut;
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use std::time::Duration;

/// Without a moment it is the last so many seconds.
const BACK: u32 = 900;
/// Of what is known by its name only, so many seconds.
const LONG: u32 = 3600;
/// Clocks differ, and what went before tells why: so much before and after a moment, in milliseconds.
const BEFORE: i64 = 120_000;
const AFTER: i64 = 60_000;
/// A finding that is older is looked at around its beginning.
const BEGINNING: i64 = 300_000;
/// Nothing reaches back further than a day.
const MOST_BACK: i64 = 86_400_000;
/// Of a statement so much is looked for, where there is at least so much before its first parameter.
const STATEMENT_CHARS: usize = 80;
const LEAST_STATEMENT: usize = 12;

/// Names in a job's data behind which the id of a request stands.
const REQUEST: [&str; 8] = [
    "requestId",
    "request_id",
    "traceId",
    "trace_id",
    "correlationId",
    "correlation_id",
    "x-request-id",
    "transactionId",
];

/// What lines are wanted.
pub(super) struct Wanted {
    pub(super) about: String,
    pub(super) words: Vec<String>,
    pub(super) text: String,
    /// Where streams are configured, or logs are named, for one of these.
    pub(super) of: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) window: Window,
}

impl Wanted {
    fn new(about: String, target: &TargetId) -> Self {
        Self {
            about,
            words: Vec::new(),
            text: String::new(),
            of: vec![target.to_string()],
            names: vec![target.to_string()],
            window: Window::Last(BACK),
        }
    }
}

/// What is looked for; nothing of a row that no log could name.
pub(super) fn wanted(context: PanelContext<'_>, row: &RowKey) -> Option<Wanted> {
    match row {
        RowKey::Finding(key) => Some(finding(context, context.finding(key)?)),
        RowKey::Redis(target, row) => redis(context, target, row),
        RowKey::Postgres(target, row) => postgres(context, target, row),
        RowKey::Alertmanager(target, row) => alert(context, target, row),
        RowKey::Loki(..)
        | RowKey::Log(..)
        | RowKey::Alike(..)
        | RowKey::Group(_)
        | RowKey::Event(_)
        | RowKey::Counted(_) => None,
        RowKey::Target(target)
        | RowKey::Search(target, _)
        | RowKey::Prometheus(target, _)
        | RowKey::Health(target, _)
        | RowKey::Probe(target, _)
        | RowKey::Metrics(target, _) => Some(of_target(context, target)),
    }
}

/// What a target itself writes, by its name and by that of its service.
fn of_target(context: PanelContext<'_>, target: &TargetId) -> Wanted {
    let mut wanted = Wanted::new(target.to_string(), target);
    if let Some(group) = context.target(target.as_str()).map(TargetState::group) {
        wanted.names.push(group.to_owned());
        wanted.names.dedup();
    }
    wanted
}

fn millis(at: Now) -> i64 {
    at.wall.timestamp_millis()
}

/// As long ago as `age` at `now`, in milliseconds since 1970.
fn ago(now: Now, age: Duration) -> i64 {
    millis(now.minus(age))
}

/// Around what began then and ended, if it did.
fn around(now: Now, from: i64, to: Option<i64>) -> Window {
    let from = (from - BEFORE).max(millis(now) - MOST_BACK);
    to.map_or(Window::Since(from), |to| Window::Between(from, to.max(from) + AFTER))
}

fn finding(context: PanelContext<'_>, finding: &Finding) -> Wanted {
    let breach = &finding.breach;
    let object = breach.place.row.as_ref().and_then(|row| wanted(context, row));
    let mut wanted = object.unwrap_or_else(|| of_target(context, &breach.target));
    // Who cannot be reached is named by those who try.
    if breach.rule.as_str().starts_with("source.") {
        let address = context.target(breach.target.as_str()).and_then(|target| place(&target.address));
        if let Some(address) = address {
            wanted.words = vec![address];
            wanted.names.clear();
        }
    }
    let since = millis(finding.since);
    let end = match finding.stage {
        Stage::Resolved(at) => Some(millis(at)),
        Stage::Pending | Stage::Firing if millis(context.now) - since > BEGINNING => Some(since + BEGINNING),
        Stage::Pending | Stage::Firing => None,
    };
    wanted.window = around(context.now, since, end.map(|end| end.min(since + BEGINNING)));
    wanted.about = format!("{} ({})", breach.rule, wanted.about);
    wanted
}

/// Host and port of an address as it is shown.
fn place(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let place = rest.split(['/', '?', ',', ' ']).next()?;
    let (host, port) = place.rsplit_once(':')?;
    (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| place.to_owned())
}

fn redis(context: PanelContext<'_>, target: &TargetId, row: &RedisRow) -> Option<Wanted> {
    let state = context.target(target.as_str())?.system.redis()?;
    let of_queue = |queue: &QueueRef, about: String| Wanted {
        of: vec![queue.name.clone(), target.to_string()],
        names: vec![queue.name.clone()],
        ..Wanted::new(about, target)
    };
    Some(match row {
        RedisRow::Job(queue, id, _) => {
            let detail = detail(state, queue, id);
            let mut wanted = of_queue(queue, format!("job {id} of {}", queue.name));
            wanted.words = vec![id.clone()];
            wanted.words.extend(detail.into_iter().flat_map(requests));
            wanted.window = job_window(state, context.now, queue, id, detail).unwrap_or(Window::Last(LONG));
            wanted
        }
        RedisRow::Worker(queue, address) => {
            let mut wanted = of_queue(queue, format!("worker {address} of {}", queue.name));
            wanted.words = place(address).or_else(|| Some(address.clone())).into_iter().collect();
            wanted
        }
        RedisRow::Scheduler(queue, id) => {
            let mut wanted = of_queue(queue, format!("scheduler {id} of {}", queue.name));
            wanted.words = vec![id.clone()];
            wanted.window = Window::Last(LONG);
            wanted
        }
        RedisRow::Queue(queue)
        | RedisRow::FailedAlike(queue, _)
        | RedisRow::Jobs(queue, _)
        | RedisRow::RunTimes(queue, _)
        | RedisRow::Event(queue, _) => of_queue(queue, queue.name.clone()),
        RedisRow::Server(_)
        | RedisRow::Stream(..)
        | RedisRow::Command(_)
        | RedisRow::Slow(_)
        | RedisRow::Clients(..)
        | RedisRow::Database(_) => of_target(context, target),
    })
}

fn detail<'a>(state: &'a RedisState, queue: &QueueRef, id: &str) -> Option<&'a JobDetail> {
    state.reading()?.jobs.iter().find(|job| job.queue == *queue && job.id == id)
}

/// Ids of the request that a job came from, as its data tells.
fn requests(job: &JobDetail) -> Vec<String> {
    let Some(data) = job.fields.get("data") else { return Vec::new() };
    let Ok(serde_json::Value::Object(data)) = serde_json::from_str(data) else { return Vec::new() };
    let ids = REQUEST.iter().filter_map(|name| match data.get(*name)? {
        serde_json::Value::String(id) => Some(id.clone()),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    ids.filter(|id| id.chars().count() >= 6 && *id != crate::core::redact::HIDDEN).collect()
}

/// From when a job was added, or begun, to when it ended: as its own fields tell, else as a list does.
fn job_window(
    state: &RedisState,
    now: Now,
    queue: &QueueRef,
    id: &str,
    detail: Option<&JobDetail>,
) -> Option<Window> {
    let field = |name: &str| detail?.fields.get(name)?.parse::<i64>().ok();
    if let Some(from) = field("timestamp").or_else(|| field("processedOn")) {
        return Some(around(now, from, field("finishedOn")));
    }
    let (read_at, reading) = state.latest.as_ref()?;
    let failed = reading.failed.iter().filter(|page| page.queue == *queue).flat_map(|page| &page.jobs);
    if let Some(job) = failed.into_iter().find(|job| job.id == id) {
        let end = ago(*read_at, job.age?);
        let ran = i64::try_from(job.ran_for.unwrap_or_default().as_millis()).unwrap_or_default();
        // What it tried before is in it, too.
        return Some(around(now, end - ran - BEGINNING, Some(end)));
    }
    let open = reading.lists.iter().filter(|list| list.queue == *queue).flat_map(|list| &list.jobs);
    let job = open.into_iter().find(|job| job.id == id)?;
    Some(around(now, ago(*read_at, job.age?), None))
}

fn postgres(context: PanelContext<'_>, target: &TargetId, row: &PgRow) -> Option<Wanted> {
    let state = context.target(target.as_str())?.system.postgres()?;
    let own = |about: String| {
        let mut wanted = Wanted::new(about, target);
        wanted.names.push("postgres".to_owned());
        wanted
    };
    let of_pid = |pid: i32| {
        let mut wanted = own(format!("pid {pid} of {target}"));
        wanted.words = vec![pid.to_string()];
        wanted.window = Window::Last(LONG);
        wanted
    };
    Some(match row {
        PgRow::Backend(id) => {
            let mut wanted = of_pid(id.pid);
            wanted.window = session_window(state, context.now, *id).unwrap_or(Window::Last(LONG));
            wanted
        }
        PgRow::Gone(pid) | PgRow::Vacuum(pid) | PgRow::Sender(pid) => of_pid(*pid),
        PgRow::Statement(key) => {
            let text = state.reading()?.texts.iter().find(|(id, _)| *id == key.query)?.1.to_string();
            let mut wanted = own(format!("a statement of {target}"));
            wanted.text = beginning(&text)?;
            wanted.window = Window::Last(LONG);
            wanted
        }
        PgRow::ClientGroup(group) if !group.client.is_empty() => {
            let mut wanted = own(format!("{} at {}", group.application, group.client));
            wanted.words = vec![group.client.clone()];
            wanted
        }
        PgRow::Table(name) | PgRow::Index(name) | PgRow::Slot(name) | PgRow::Prepared(name) => {
            let mut wanted = own(format!("{name} of {target}"));
            let bare = name.rsplit_once('.').map_or(name.as_str(), |(_, bare)| bare);
            wanted.words = vec![bare.to_owned()];
            wanted.window = Window::Last(LONG);
            wanted
        }
        PgRow::ClientGroup(_)
        | PgRow::Clients
        | PgRow::Look(_)
        | PgRow::Activity(_)
        | PgRow::WaitEvent(..)
        | PgRow::Database(_)
        | PgRow::Pool(..)
        | PgRow::LookRow(..) => own(target.to_string()),
    })
}

/// Since its transaction, or else its statement, began.
fn session_window(state: &PostgresState, now: Now, id: BackendId) -> Option<Window> {
    let (read_at, reading) = state.latest.as_ref()?;
    let session = reading.sessions.ready()?.iter().find(|session| session.id == id)?;
    let age = session.transaction_age.or(session.query_age).or(session.state_age)?;
    Some(around(now, ago(*read_at, age), None))
}

/// The part of a statement that stands in a log as it stands here: its first line, up to the first parameter.
fn beginning(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let end = line.find(['$', '\'', '•']).unwrap_or(line.len());
    let part = cut(&line[..end], STATEMENT_CHARS);
    let part = part.trim_end_matches('…').trim();
    (part.chars().count() >= LEAST_STATEMENT).then(|| part.to_owned())
}

/// What the labels of an alert name: a service, a pod, an instance.
fn alert(
    context: PanelContext<'_>,
    target: &TargetId,
    row: &crate::core::alertmanager::AlertmanagerRow,
) -> Option<Wanted> {
    use crate::core::alertmanager::AlertmanagerRow as Its;
    let fingerprint = match row {
        Its::Alert(fingerprint) => fingerprint,
        Its::Group { .. } | Its::Silence(_) => return None,
    };
    let reading = context.target(target.as_str())?.system.alertmanager()?.reading()?;
    let alert = reading.alerts().find(|alert| alert.fingerprint == *fingerprint)?;
    let labels = ["service", "service_name", "app", "container", "pod", "queue", "job"];
    let names: Vec<String> =
        labels.map(|name| alert.label(name).to_owned()).into_iter().filter(|name| !name.is_empty()).collect();
    let since = alert.active_for.map(|age| ago(context.now, age));
    let window = since.map_or(Window::Last(BACK), |since| {
        let old = millis(context.now) - since > BEGINNING;
        around(context.now, since, old.then_some(since + BEGINNING))
    });
    Some(Wanted {
        of: names.clone(),
        names,
        window,
        ..Wanted::new(format!("alert {}", alert.name()), target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_address_is_what_others_write_of_it() {
        for (address, expected) in [
            ("10.0.0.5:6379/0", Some("10.0.0.5:6379")),
            ("http://shop-api:9100/metrics", Some("shop-api:9100")),
            ("/run/redis.sock/0", None),
            ("db.internal:5432/shop", Some("db.internal:5432")),
            ("http://host/metrics", None),
        ] {
            assert_eq!(place(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn of_a_statement_what_stands_before_its_first_parameter_is_looked_for() {
        for (text, expected) in [
            ("SELECT * FROM orders WHERE id = $1 AND x", Some("SELECT * FROM orders WHERE id =")),
            ("\n  UPDATE stock SET n = 1\n WHERE a = 2", Some("UPDATE stock SET n = 1")),
            ("SELECT $1", None),
            ("SET x = 'a'", None),
        ] {
            assert_eq!(beginning(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_window_is_around_what_it_is_about_and_never_longer_than_a_day() {
        let now = Now::example(1_000_000);
        let at = millis(now);
        assert_eq!(around(now, at - 10_000, None), Window::Since(at - 130_000));
        assert_eq!(around(now, at - 10_000, Some(at)), Window::Between(at - 130_000, at + 60_000));
        assert_eq!(around(now, 0, Some(5)), Window::Between(at - MOST_BACK, at - MOST_BACK + AFTER));
    }
}
