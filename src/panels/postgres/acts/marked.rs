//! What may be done to several sessions at once: those that were marked, frozen to their identities.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::postgres::blocking::{Aftermath, Who};
use crate::core::postgres::{PgAction, Pinned, PostgresState, Session, SessionState};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::panels::current::current;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::acts::aftermath;
use crate::panels::postgres::target::{age, refusal, session};

/// Cancel or terminate the marked sessions. Walsenders, background processes and whatever may not be signalled are left out, and named.
pub(in crate::panels) fn offers(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let offer = |terminate: bool| {
        let (letter, label, effect) = if terminate {
            ('t', "terminate the marked backends", "ends each session; its transaction is rolled back")
        } else {
            ('c', "cancel the marked queries", "stops each running statement; the sessions stay")
        };
        Offer {
            letter,
            label: label.to_owned(),
            effect: effect.to_owned(),
            choice: choice(context, row, marked, terminate),
            asks: None,
        }
    };
    vec![offer(false), offer(true)]
}

fn choice(
    context: PanelContext<'_>,
    row: &RowKey,
    marked: &[RowKey],
    terminate: bool,
) -> Result<(Action, Preview), Refusal> {
    // Marks on several servers: what is done is meant for the server of the row.
    let found: Vec<_> = marked
        .iter()
        .filter(|key| key.target() == row.target())
        .filter_map(|key| session(context, key))
        .collect();
    let Some((target, state, _)) = found.first().copied() else {
        return Err(Refusal::new("none of the marked sessions is there any more"));
    };
    current(context, target)?;
    let mut chosen: Vec<&Session> = Vec::new();
    let mut left_out: Vec<String> = Vec::new();
    for (_, _, session) in found {
        match refusal(context, target, state, session, terminate) {
            None => chosen.push(session),
            Some(refusal) => left_out.push(format!("pid {}: {}", session.id.pid, refusal.why)),
        }
    }
    if chosen.is_empty() {
        return Err(Refusal::new(left_out.join("; ")));
    }
    let backends: Vec<Pinned> = chosen
        .iter()
        .map(|session| {
            let pins = !terminate || session.state == SessionState::Idle;
            (session.id, session.query_start_micros.filter(|_| pins))
        })
        .collect();
    let ended: Vec<Who> = chosen.iter().map(|session| Who::Backend(session.id)).collect();
    let after = state.forest.graph.without(&ended);
    let act = PgAction::Several { backends, terminate, promise: aftermath::promise(&after) };
    let preview = preview(state, &chosen, &left_out, &act, &after);
    Ok((Action::Postgres { target: target.id.clone(), act }, preview))
}

fn preview(
    state: &PostgresState,
    chosen: &[&Session],
    left_out: &[String],
    act: &PgAction,
    after: &Aftermath,
) -> Preview {
    let terminate = matches!(act, PgAction::Several { terminate: true, .. });
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let mut facts: Vec<(String, String)> = chosen
        .iter()
        .map(|session| {
            let what = format!(
                "{} as {}, {} for {}{}",
                session.user,
                session.application,
                session.state.words(),
                age(session.state_age),
                if session.writes { ", has written" } else { "" }
            );
            fact(&format!("pid {}", session.id.pid), what)
        })
        .collect();
    facts.extend(aftermath::facts(state, after));
    if !left_out.is_empty() {
        facts.push(fact("left out", left_out.join("; ")));
    }
    let verb = match (terminate, chosen.len()) {
        (true, _) => "Terminate",
        (false, 1) => "Cancel the query of",
        (false, _) => "Cancel the queries of",
    };
    Preview {
        title: format!("{verb} {}{}", counted(chosen.len(), "backend"), aftermath::title(after)),
        facts,
        statement: act.statement(),
        confirm_key: if terminate { 't' } else { 'c' },
        // Many at once: a word is typed, wherever it is.
        severe: chosen.len() > 1,
        word: None,
    }
}
