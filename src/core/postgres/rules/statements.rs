//! The rule about statements that got slower.

use super::parts::{Its, STATEMENTS};
use crate::core::alert::RuleUnit::Count;
use crate::core::alert::Triage::Latency;
use crate::core::alert::{Rule, RuleSpec};
use crate::core::place::Screen;
use crate::core::postgres::{PgRow, PostgresReading, PostgresState};
use crate::core::row::RowKey;
use crate::core::text::tidy;

pub(crate) static STATEMENT_SLOWER: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.statement_slower",
        "a statement with a fifth of the time takes so many times as long as it did within the last hour",
        Count,
        Latency,
    )
    .warning(3.0)
    .hold(30)
    .clear(15)
    .needs(&[STATEMENTS])
    .root(),
    slower,
);

fn slower(its: &mut Its<'_>, reading: &PostgresReading) {
    for slower in its.state.means.slower() {
        let Some(grade) = its.grade(slower.times()) else { continue };
        let query = slower.key.query;
        let text = reading.statement(query).map_or_else(String::new, |text| format!(": {}", tidy(text, 50)));
        let sentence = format!(
            "statement {query} takes {:.0} ms, {:.1} times as long as before ({:.0} % of the time{text})",
            slower.mean_ms,
            slower.times(),
            slower.share * 100.0,
        );
        let row = RowKey::Postgres(its.target.clone(), PgRow::Statement(slower.key));
        let lasts = its.now.since(slower.since);
        let breach = its.tell(grade, format!("statement {query}"), sentence).since(Some(lasts));
        breach.on(Screen::Queries).row(row).look("its plan, and what its tables went through");
    }
}
