//! What may be done to a table, an index, the counters of statements.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::postgres::{PgAction, PgRow, Upkeep};
use crate::core::row::RowKey;
use crate::panels::current::current;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::target;

/// What may be done to the relation of `row`, least harm first.
pub(in crate::panels) fn offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let list: &[(char, Upkeep, &str, &str)] = match row.postgres().map(|(_, row)| row) {
        Some(PgRow::Table(_)) => &[
            ('a', Upkeep::Analyze, "ANALYZE", "new statistics for the planner; readers and writers go on"),
            ('v', Upkeep::Vacuum, "VACUUM (ANALYZE)", "removes dead rows; readers and writers go on"),
        ],
        Some(PgRow::Index(_)) => &[(
            'i',
            Upkeep::Reindex,
            "REINDEX CONCURRENTLY",
            "builds it anew beside the old one; readers and writers go on",
        )],
        Some(PgRow::Statement(_)) => &[(
            'z',
            Upkeep::ResetStatements,
            "reset the counters of all statements",
            "for everybody who reads them, for good",
        )],
        _ => &[],
    };
    list.iter()
        .map(|(letter, upkeep, label, effect)| Offer {
            letter: *letter,
            label: (*label).to_owned(),
            effect: (*effect).to_owned(),
            choice: choice(context, row, *upkeep, *letter),
            asks: None,
        })
        .collect()
}

fn choice(
    context: PanelContext<'_>,
    row: &RowKey,
    upkeep: Upkeep,
    letter: char,
) -> Result<(Action, Preview), Refusal> {
    let Some((target, _, reading)) = target::reading(context, row) else {
        return Err(Refusal::new("nothing was read of this server yet"));
    };
    current(context, target)?;
    if reading.server.in_recovery {
        return Err(
            Refusal::new("this is a standby: nothing can be changed here").remedy("do it on its primary")
        );
    }
    let relation = match row.postgres() {
        Some((_, PgRow::Table(name) | PgRow::Index(name))) => name.clone(),
        _ => String::new(),
    };
    let act = PgAction::Upkeep { upkeep, relation: relation.clone() };
    let fact = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    let locks = match upkeep {
        Upkeep::Analyze => "SHARE UPDATE EXCLUSIVE: it waits at most 2 s for it; readers and writers go on",
        Upkeep::Vacuum => {
            "SHARE UPDATE EXCLUSIVE: it waits at most 2 s for it; readers and writers go on. At its end ACCESS EXCLUSIVE, if empty \
             pages can be cut off the file: given up when somebody waits, but replayed on standbys, where it ends queries"
        }
        Upkeep::Reindex => {
            "SHARE UPDATE EXCLUSIVE; it waits for transactions that are open now, and needs room for a second index"
        }
        Upkeep::ResetStatements => "none",
    };
    let (title, then) = match upkeep {
        Upkeep::Analyze => (format!("ANALYZE {relation}"), "it reads a sample of the table"),
        Upkeep::Vacuum => (
            format!("VACUUM (ANALYZE) {relation}"),
            "it reads the table and its indexes: look at its progress on the health screen",
        ),
        Upkeep::Reindex => (
            format!("REINDEX INDEX CONCURRENTLY {relation}"),
            "stopped half way it leaves an invalid index behind; look at its progress on the health screen",
        ),
        Upkeep::ResetStatements => (
            "Reset the counters of all statements".to_owned(),
            "what other tools have gathered there is gone; windows begin anew",
        ),
    };
    let stop = "its session is called `stacktop upkeep` among the queries: cancel it there";
    let preview = Preview {
        title,
        facts: vec![
            fact("database", &reading.server.database),
            fact("locks", locks),
            fact("then", then),
            fact("to stop", stop),
        ],
        statement: act.statement(),
        confirm_key: letter,
        severe: upkeep == Upkeep::ResetStatements,
        word: None,
    };
    Ok((Action::Postgres { target: target.id.clone(), act }, preview))
}
