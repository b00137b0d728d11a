//! A table as a file for others: for a spreadsheet (CSV), for a program (JSON), for a ticket (Markdown). The rows are those on the screen.

use super::content::{Cell, Row, SortKey, Table};
use serde_json::{Map, Number, Value, json};

/// With one of these at its beginning a spreadsheet takes a text for a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// Comma-separated values (RFC 4180). Numbers are whole and without units, so that they can be added up.
#[must_use]
pub fn csv(table: &Table, rows: &[&Row]) -> String {
    let line = |fields: Vec<String>| fields.join(",") + "\r\n";
    let titles = table.columns.iter().map(|column| quoted(&column.title)).collect();
    let body = rows.iter().map(|row| {
        let field = |cell: &Cell| match value(cell) {
            Value::Number(number) => number.to_string(),
            Value::String(text) => quoted(&text),
            _ => String::new(),
        };
        line(row.cells.iter().map(field).collect())
    });
    std::iter::once(line(titles)).chain(body).collect()
}

/// One object: what it is, of when, the columns, and each row in their order. Samples of a sparkline are a list.
#[must_use]
pub fn json(title: &str, at: &str, table: &Table, rows: &[&Row]) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.title.as_ref()).collect();
    let rows: Vec<Vec<Value>> = rows.iter().map(|row| row.cells.iter().map(value).collect()).collect();
    let all =
        [("title", json!(title)), ("at", json!(at)), ("columns", json!(columns)), ("rows", json!(rows))];
    let object: Map<String, Value> = all.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    format!("{:#}\n", Value::Object(object))
}

/// A table of Markdown, with what is on the screen in it. Sparklines are left out.
#[must_use]
pub fn markdown(title: &str, at: &str, table: &Table, rows: &[&Row]) -> String {
    let drawn = |row: &Row, place: usize| row.cells.get(place).is_some_and(|cell| cell.spark.is_some());
    let kept: Vec<usize> =
        (0..table.columns.len()).filter(|place| !rows.iter().any(|row| drawn(row, *place))).collect();
    let line = |fields: Vec<String>| format!("| {} |\n", fields.join(" | "));
    let titles = kept.iter().map(|place| escaped(&table.columns[*place].title)).collect();
    let sides = kept.iter().map(|place| if table.columns[*place].right { "--:" } else { "---" }.to_owned());
    let mut text = format!("{}, {at}\n\n", escaped(title)) + &line(titles) + &line(sides.collect());
    for row in rows {
        let field =
            |place: &usize| row.cells.get(*place).map_or(String::new(), |cell| escaped(&cell.words()));
        text += &line(kept.iter().map(field).collect());
    }
    text
}

/// A number where the cell has one, the samples of a sparkline, else its text.
fn value(cell: &Cell) -> Value {
    match (&cell.spark, &cell.sort) {
        (Some(samples), _) => json!(samples),
        (None, SortKey::Number(None)) => Value::Null,
        (None, SortKey::Number(Some(number))) if number.fract() == 0.0 && number.abs() < 1e15 => {
            json!(*number as i64)
        }
        (None, SortKey::Number(Some(number))) => {
            Number::from_f64(*number).map_or(json!(cell.words()), Value::Number)
        }
        (None, SortKey::Text) => json!(cell.words().trim()),
    }
}

/// A text of CSV, which no spreadsheet computes.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// A text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for sign in text.trim().chars() {
        if matches!(sign, '|' | '\\' | '`' | '*' | '_' | '<' | '[' | ']') {
            shown.push('\\');
        }
        shown.push(sign);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::row::RowKey;
    use crate::ui::content::Column;

    fn table() -> Table {
        let row = |name: &str, cell: Cell| {
            let cells = vec![Cell::text(name), cell, Cell::spark(vec![Some(1.0), None])];
            Row::flat(RowKey::Target(TargetId::new(name)), cells)
        };
        Table {
            columns: vec![
                Column::flex("name", 6, 0),
                Column::number("bytes", 5, 1),
                Column::fixed("past", 8, 2),
            ],
            rows: vec![
                row("=cmd|'x'!A1", Cell::number(Some(4096.0), "4.0 KiB")),
                row("say \"hi\", *you*", Cell::number(None, "—")),
                row("  └ part", Cell::number(Some(0.25), "25 %")),
            ],
            empty: String::new(),
            fixed_order: false,
        }
    }

    #[test]
    fn csv_has_numbers_and_no_formula() {
        let table = table();
        let rows: Vec<&Row> = table.rows.iter().collect();
        assert_eq!(
            csv(&table, &rows),
            "\"name\",\"bytes\",\"past\"\r\n\"'=cmd|'x'!A1\",4096,\r\n\"say \"\"hi\"\", *you*\",,\r\n\"└ part\",0.25,\r\n"
        );
    }

    #[test]
    fn json_can_be_read_again() {
        let table = table();
        let rows: Vec<&Row> = table.rows.iter().take(2).collect();
        let read: Value =
            serde_json::from_str(&json("queues", "2026-01-02 03:04:05Z", &table, &rows)).unwrap();
        assert_eq!(read["columns"], json!(["name", "bytes", "past"]));
        assert_eq!(
            read["rows"],
            json!([["=cmd|'x'!A1", 4096, [1.0, null]], ["say \"hi\", *you*", null, [1.0, null]]])
        );
        assert_eq!((&read["title"], &read["at"]), (&json!("queues"), &json!("2026-01-02 03:04:05Z")));
    }

    #[test]
    fn markdown_shows_what_the_screen_shows() {
        let table = table();
        let rows: Vec<&Row> = table.rows.iter().skip(1).take(1).collect();
        assert_eq!(
            markdown("queues", "now", &table, &rows),
            "queues, now\n\n| name | bytes |\n| --- | --: |\n| say \"hi\", \\*you\\* | — |\n"
        );
    }
}
