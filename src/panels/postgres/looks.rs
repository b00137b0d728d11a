//! Tables that are read only while somebody looks: the topics of a Postgres server, the team's own panels, plans.

use crate::core::focus::Focus;
use crate::core::growth_known;
use crate::core::ids::TargetId;
use crate::core::part::Part;
use crate::core::postgres::{
    Look, Looked, PgRow, PostgresReading, PostgresState, SqlPanel, SqlTable, TOPICS, Topic,
};
use crate::core::row::RowKey;
use crate::core::text::{ago, counted};
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::panels::capacity;
use crate::panels::panel::PanelContext;
use crate::panels::postgres::target::{self, heading, look_key, number_role};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, percent, seconds};
use crate::ui::text::width;

/// A column of text is at most so wide; the last one takes what is left.
const WIDEST: usize = 34;

/// The look that `key` opens.
pub(super) fn look_of(key: &RowKey) -> Option<Look> {
    match key.postgres()? {
        (_, PgRow::Look(look)) => Some(look.clone()),
        _ => None,
    }
}

/// What the open looks of `path` need from their source.
pub(super) fn focus(context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
    let of = |key: &RowKey| Some((key.target()?.clone(), look_of(key)?));
    let mut all = Vec::new();
    for (id, look) in path.iter().filter_map(of) {
        if let Some(target) = context.target(id.as_str()) {
            all.extend(growth_known::asked_by(context.world, target, &look));
        }
        all.push((id, Focus::Look(look)));
    }
    all
}

/// Who uses the connections, the team's panels, then every topic.
pub(super) fn index(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &PostgresState,
    reading: &PostgresReading,
) -> Section {
    let mut rows = vec![crate::panels::postgres::clients::row(target, reading)];
    rows.extend(state.settings.panels.iter().map(|panel| panel_row(target, reading, panel)));
    rows.extend(TOPICS.iter().map(|topic| {
        let (role, words) = topic_words(topic, reading, context.now);
        Row::opens(
            look_key(target, Look::Topic(topic.id.to_owned())),
            vec![Cell::of(Role::Strong, topic.title), Cell::of(role, words)],
        )
    }));
    let table = Table {
        columns: vec![Column::fixed("look closer", 26, 0), Column::flex("", 30, 0)],
        rows,
        empty: String::new(),
        fixed_order: true,
    };
    Section::table(format!("On demand ({})", context.keys.open), table)
}

/// What a topic answers; of one that is watched when it was looked at and what that took, which is a load of ours.
fn topic_words(topic: &Topic, reading: &PostgresReading, now: Now) -> (Role, String) {
    let watched = reading.watched.iter().find(|watched| watched.topic == topic.id);
    match watched.map(|watched| &watched.table) {
        Some(Part::Ready(table)) => {
            let (when, took) = (ago(now.since(table.read_at)), duration(table.took));
            (Role::Muted, format!("{}; watched, last looked {when} in {took}", topic.help))
        }
        Some(Part::Unavailable(gap)) => (Role::Warning, format!("is not watched: {}", gap.note)),
        Some(Part::NotAsked) | None => (Role::Muted, topic.help.to_owned()),
    }
}

fn panel_row(target: &TargetState, reading: &PostgresReading, panel: &SqlPanel) -> Row {
    let look = Look::Panel(panel.name.clone());
    let looked = reading.looks.iter().find(|looked| looked.look == look);
    let (role, words) = match looked.map(|looked| &looked.table) {
        Some(Part::Ready(table)) => match worst(panel, table) {
            0 => (Role::Muted, counted(table.rows.len(), "row")),
            1 => (Role::Warning, "above its warning threshold".to_owned()),
            _ => (Role::Critical, "above its critical threshold".to_owned()),
        },
        Some(Part::Unavailable(gap)) => (Role::Warning, gap.note.clone()),
        Some(Part::NotAsked) | None => (Role::Muted, "a panel of your own".to_owned()),
    };
    Row::opens(look_key(target, look), vec![Cell::of(Role::Accent, &panel.name), Cell::of(role, words)])
}

fn worst(panel: &SqlPanel, table: &SqlTable) -> u8 {
    panel
        .thresholds
        .keys()
        .flat_map(|column| table.column(column).map(move |(_, text)| panel.grade(column, text)))
        .max()
        .unwrap_or(0)
}

/// One look.
pub(super) fn content(context: PanelContext<'_>, key: &RowKey) -> Content {
    let title = match look_of(key) {
        Some(Look::Topic(id)) => {
            TOPICS.iter().find(|topic| topic.id == id).map_or(id, |topic| topic.title.to_owned())
        }
        Some(Look::Panel(name)) => name,
        Some(Look::Plan(planned)) => format!("plan of statement {}", planned.query),
        None => String::new(),
    };
    let found = target::reading(context, key).zip(look_of(key));
    let Some(((target, state, reading), look)) = found else {
        return Content { title, sections: Vec::new() };
    };
    let mut lines = vec![heading(target, state, context)];
    let looked = reading.looks.iter().find(|looked| looked.look == look);
    let panel = match &look {
        Look::Panel(name) => state.settings.panel(name),
        Look::Topic(_) | Look::Plan(_) => None,
    };
    let mut table = None;
    match looked.map(|looked| (&looked.table, looked)) {
        Some((Part::Ready(found), looked)) => {
            lines.push(age_line(found, looked, context));
            let mut shown = table_of(target, &look, found, panel, number_role(target, context));
            let names: Vec<Option<String>> = found.rows.iter().map(|row| row.first()?.clone()).collect();
            lines.extend(capacity::beside(context, target, &look, &names, &mut shown));
            table = Some(shown);
        }
        Some((Part::Unavailable(gap), _)) => lines.push(Line::of(Role::Warning, &gap.note)),
        Some((Part::NotAsked, _)) | None => lines.push(Line::of(Role::Muted, context.unread("the table"))),
    }
    let section = Section { title: title.clone(), lines, table };
    Content { title, sections: vec![section] }
}

fn age_line(found: &SqlTable, looked: &Looked, context: PanelContext<'_>) -> Line {
    let age = context.now.since(found.at);
    let place = if found.place.is_empty() { String::new() } else { format!("{}: ", found.place) };
    let mut text = format!("{place}read {} ago in {}", duration(age), duration(found.took));
    if found.truncated {
        text.push_str(&format!(", the first {}", counted(found.rows.len(), "row")));
    }
    if looked.asking {
        text.push_str(", asking again");
    }
    Line::of(Role::Muted, text)
}

/// What a column shows, by the end of its name.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Plain,
    Bytes,
    Seconds,
    Ratio,
    /// A number that names something: every digit counts.
    Name,
}

/// Columns of numbers that name something.
const NAMES: [&str; 7] = ["id", "pid", "oid", "worker", "port", "year", "version"];

fn unit(name: &str) -> (Unit, String) {
    for (end, unit) in [("_bytes", Unit::Bytes), ("_seconds", Unit::Seconds), ("_ratio", Unit::Ratio)] {
        if let Some(short) = name.strip_suffix(end) {
            return (unit, short.replace('_', " "));
        }
    }
    let last = name.rsplit('_').next().unwrap_or(name);
    let unit = if NAMES.contains(&last) { Unit::Name } else { Unit::Plain };
    (unit, name.replace('_', " "))
}

fn shown(unit: Unit, text: &str) -> String {
    match (unit, text.parse::<f64>()) {
        (Unit::Bytes, Ok(value)) => bytes(value),
        (Unit::Seconds, Ok(value)) => seconds(Some(value)),
        (Unit::Ratio, Ok(value)) => percent(value),
        (Unit::Plain, Ok(value)) if value.fract() == 0.0 && value.abs() >= 1e4 => count(value),
        (Unit::Plain | Unit::Name, _) | (_, Err(_)) => match text {
            "t" => "yes".to_owned(),
            "f" => "no".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn is_number(table: &SqlTable, column: usize) -> bool {
    let mut seen = false;
    for text in table.rows.iter().filter_map(|row| row.get(column)?.as_deref()) {
        if text.parse::<f64>().is_err() {
            return false;
        }
        seen = true;
    }
    seen
}

fn table_of(
    target: &TargetState,
    look: &Look,
    found: &SqlTable,
    panel: Option<&SqlPanel>,
    role: Role,
) -> Table {
    let last = found.columns.len().saturating_sub(1);
    let units: Vec<(Unit, String)> = found.columns.iter().map(|name| unit(name)).collect();
    let columns = units
        .iter()
        .enumerate()
        .map(|(at, (kind, title))| {
            let cells = found.rows.iter().filter_map(|row| row.get(at)?.as_deref());
            let widest = cells.map(|text| width(&shown(*kind, text))).max().unwrap_or(0);
            let columns = widest.max(width(title)).min(WIDEST) as u16;
            // The first column says what the row is about; of the others the last ones go first.
            let priority = if at == 0 || at == last { 0 } else { at.min(9) as u8 };
            if is_plan(look) || (at == last && !is_number(found, at)) {
                Column::flex(title.clone(), 20.min(columns.max(8)), 0)
            } else if is_number(found, at) {
                Column::number(title.clone(), columns, priority)
            } else {
                Column::fixed(title.clone(), columns, priority)
            }
        })
        .collect();
    let mut rows: Vec<Row> = found
        .rows
        .iter()
        .enumerate()
        .map(|(number, cells)| row(target, look, found, panel, &units, (number, cells), role))
        .collect();
    if let Some(at) = panel
        .and_then(|panel| panel.sort.as_ref())
        .and_then(|sort| found.columns.iter().position(|name| name == sort))
    {
        rows.sort_by(|a, b| match (&a.cells[at].sort, &b.cells[at].sort) {
            (crate::ui::content::SortKey::Number(a), crate::ui::content::SortKey::Number(b)) => {
                b.unwrap_or(f64::MIN).total_cmp(&a.unwrap_or(f64::MIN))
            }
            _ => a.cells[at].words().cmp(&b.cells[at].words()),
        });
    }
    Table { columns, rows, empty: "no row".to_owned(), fixed_order: is_plan(look) }
}

const fn is_plan(look: &Look) -> bool {
    matches!(look, Look::Plan(_))
}

fn row(
    target: &TargetState,
    look: &Look,
    found: &SqlTable,
    panel: Option<&SqlPanel>,
    units: &[(Unit, String)],
    (number, cells): (usize, &Vec<Option<String>>),
    role: Role,
) -> Row {
    let name = cells.first().and_then(Option::as_deref).unwrap_or_default();
    let key = match look {
        Look::Topic(id) if matches!(id.as_str(), "tables" | "largest" | "wraparound" | "bloat") => {
            PgRow::Table(name.to_owned())
        }
        Look::Topic(id) if id == "indexes" => PgRow::Index(name.to_owned()),
        // The lines of a plan are nothing but their order.
        Look::Plan(_) => PgRow::LookRow(String::new(), number),
        Look::Topic(_) | Look::Panel(_) => PgRow::LookRow(name.to_owned(), number),
    };
    let key = RowKey::Postgres(target.id.clone(), key);
    let cells = cells
        .iter()
        .zip(units)
        .zip(&found.columns)
        .map(|((text, (unit, _)), column)| {
            let Some(text) = text else { return Cell::number(None, "—").role(Role::Muted) };
            let grade = panel.map_or(0, |panel| panel.grade(column, text));
            let own = match (grade, column.as_str()) {
                (2, _) => Role::Critical,
                (1, _) => Role::Warning,
                (_, "problem" | "vacuum") if text.starts_with("overdue") || column == "problem" => {
                    Role::Warning
                }
                _ => role,
            };
            match text.parse::<f64>() {
                Ok(value) => Cell::number(Some(value), shown(*unit, text)).role(own),
                Err(_) => Cell::of(own, shown(*unit, text)),
            }
        })
        .collect();
    Row::flat(key, cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_names_something_keeps_its_digits() {
        let told = |name: &str, text: &str| {
            let (unit, title) = unit(name);
            format!("{title}: {}", shown(unit, text))
        };
        assert_eq!(told("pid", "15515"), "pid: 15515");
        assert_eq!(told("order_id", "1234567"), "order id: 1234567");
        assert_eq!(told("rows", "1234567"), "rows: 1.2M");
        assert_eq!(told("temp_bytes", "90177536"), "temp: 86 MiB");
        assert_eq!(told("valid", "t"), "valid: yes");
    }
}
