//! Jobs of a queue page by page, and those that hold a text.

use crate::core::focus::Focus;
use crate::core::redis::{HITS, JOBS_A_PAGE, JobPage, JobState, Listing, PageJob, QueueReading, RedisRow};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::redis::target::{job_key, number_role, queue_of, state};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{count, of_seconds};

/// What an opened row lists.
pub(super) fn listing(key: &RowKey) -> Option<Listing> {
    match key.redis()? {
        (_, RedisRow::Jobs(_, listing)) => Some(listing.clone()),
        _ => None,
    }
}

/// The details that such a row needs.
pub(super) fn focus(key: &RowKey) -> Option<Focus> {
    Some(Focus::Jobs { queue: queue_of(key), listing: listing(key)? })
}

/// The row that lists what holds `text`, in the queue of `key`.
pub(super) fn found(key: &RowKey, text: &str) -> Option<RowKey> {
    let (target, row) = key.redis()?;
    let jobs = RedisRow::Jobs(row.queue()?.clone(), Listing::Text(text.to_owned()));
    Some(RowKey::Redis(target.clone(), jobs))
}

/// Every state of a queue with its jobs, each to be opened.
pub(super) fn states(
    context: PanelContext<'_>,
    target: &TargetState,
    reading: &QueueReading,
    role: Role,
) -> Section {
    let counts = [
        (JobState::Failed, reading.failed),
        (JobState::Active, reading.active),
        (JobState::Waiting, reading.waiting),
        (JobState::Prioritized, reading.prioritized),
        (JobState::Delayed, reading.delayed),
        (JobState::WaitingChildren, reading.waiting_children),
        (JobState::Completed, reading.completed),
    ];
    let row = |(state, many): (JobState, u64)| {
        Row::opens(
            page_key(target, reading, state, 0),
            vec![Cell::of(Role::Strong, state.word()), Cell::figure(Some(many as f64), count).role(role)],
        )
    };
    let table = Table {
        columns: vec![Column::fixed("state", 18, 0), Column::number("jobs", 10, 0)],
        rows: counts.into_iter().filter(|(_, many)| *many > 0).map(row).collect(),
        empty: "no job is kept".to_owned(),
        fixed_order: true,
    };
    let (open, find) = (&context.keys.open, &context.keys.find);
    Section::table(
        format!("All jobs by state ({open} lists them; {find} TEXT looks into all of them)"),
        table,
    )
}

fn page_key(target: &TargetState, reading: &QueueReading, state: JobState, offset: u64) -> RowKey {
    let listing = Listing::State { state, offset };
    RowKey::Redis(target.id.clone(), RedisRow::Jobs(reading.queue.clone(), listing))
}

pub(super) fn job_list(context: PanelContext<'_>, key: &RowKey) -> Content {
    let queue = queue_of(key);
    let listing = listing(key);
    let title = match &listing {
        Some(Listing::Text(text)) => format!("queue {} · jobs with \"{text}\"", queue.name),
        Some(Listing::State { state, .. }) => format!("queue {} · {} jobs", queue.name, state.word()),
        None => format!("queue {}", queue.name),
    };
    let nothing = |words: &str| Content {
        title: title.clone(),
        sections: vec![Section::lines(title.clone(), vec![Line::of(Role::Muted, words)])],
    };
    let Some((target, state)) = state(context, key) else {
        return nothing("this server is not watched");
    };
    let page = state.reading().and_then(|all| {
        all.pages.iter().find(|page| page.queue == queue && Some(&page.listing) == listing.as_ref())
    });
    let Some(page) = page else { return nothing(&context.unread("the jobs")) };
    let role = number_role(target, context);
    let mut rows: Vec<Row> = page.jobs.iter().map(|job| row(target, page, job, role)).collect();
    if let Listing::State { state: of, offset } = &page.listing
        && offset + JOBS_A_PAGE < page.there
        && let Some(reading) = state.queue(&queue)
    {
        let left = page.there - offset - JOBS_A_PAGE;
        let more =
            format!("{}: the next {} of {}", context.keys.open, left.min(JOBS_A_PAGE), count(left as f64));
        let cells = ["…", "", "", "", more.as_str()].map(|text| Cell::of(Role::Accent, text));
        rows.push(Row::opens(page_key(target, reading, *of, offset + JOBS_A_PAGE), cells.to_vec()));
    }
    let table = Table {
        columns: vec![
            Column::fixed("id", 20, 0),
            Column::fixed("name", 20, 2),
            Column::fixed("state", 12, 1),
            Column::number("age", 9, 0),
            Column::flex("", 24, 0),
        ],
        rows,
        empty: if page.whole { "no such job".to_owned() } else { "none so far".to_owned() },
        fixed_order: true,
    };
    Content {
        title: title.clone(),
        sections: vec![Section { title, lines: vec![how_far(page, role)], table: Some(table) }],
    }
}

/// What the rows are of.
fn how_far(page: &JobPage, role: Role) -> Line {
    let (there, looked) = (count(page.there as f64), count(page.looked_at as f64));
    let words = match &page.listing {
        Listing::State { offset, .. } if page.jobs.is_empty() => {
            format!("none from {} on, of {there}", offset + 1)
        }
        Listing::State { offset, .. } => format!("{} to {} of {there}", offset + 1, offset + page.looked_at),
        Listing::Text(_) => {
            let large = match page.too_large {
                0 => String::new(),
                1 => "; 1 has fields too large to be looked into".to_owned(),
                many => format!("; {many} have fields too large to be looked into"),
            };
            let end = if !page.whole {
                " so far"
            } else if page.jobs.len() >= HITS {
                "; that is enough: narrow the text"
            } else {
                ""
            };
            let jobs = if page.there == 1 { "job" } else { "jobs" };
            format!("{} found in {looked} of {there} {jobs}{end}{large}", page.jobs.len())
        }
    };
    Line::of(role, words)
}

fn row(target: &TargetState, page: &JobPage, job: &PageJob, role: Role) -> Row {
    let (tone, note) =
        if job.ghost { (Role::Warning, "its data is gone") } else { (Role::Muted, &*job.note) };
    Row::opens(
        job_key(target, &page.queue, &job.id, job.state),
        vec![
            Cell::of(Role::Strong, &job.id),
            Cell::of(role, &job.name),
            Cell::of(role, job.state.word()),
            Cell::figure(job.age.map(|age| age.as_secs_f64()), of_seconds).role(role),
            Cell::of(tone, note),
        ],
    )
}
