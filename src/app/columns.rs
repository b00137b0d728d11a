//! The tables whose columns can be chosen in the configuration, and how that is written. Tables of your own panels have the columns of
//! your statements, and are not among them.

use crate::ui::select::View;

/// A table on a line: its name and its columns. It is rendered from what the screens draw (`tests/it/columns.rs`).
const TABLES: &str = include_str!("columns.txt");

/// Every table: its name and its columns, as far as they have headings.
pub fn tables() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    TABLES.lines().filter_map(|line| {
        let (name, columns) = line.split_once(": ")?;
        Some((name, columns.split(" | ").collect()))
    })
}

/// The columns of the table that is called `name`, if there is one.
#[must_use]
pub fn of(name: &str) -> Option<Vec<&'static str>> {
    tables().find(|(known, _)| *known == name).map(|(_, columns)| columns)
}

/// How `view` is kept for runs to come: what is to be written, line by line; nothing for tables that are not known.
#[must_use]
pub fn written(table: &str, view: &View) -> Vec<String> {
    if of(table).is_none() {
        return Vec::new();
    }
    let list = |titles: &[String]| {
        let quoted: Vec<String> = titles.iter().map(|title| format!("{title:?}")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut lines = vec![
        String::new(),
        "For every run, in the configuration (show or hide, and order):".to_owned(),
        format!("[columns.{table:?}]"),
    ];
    match &view.shown {
        Some(shown) => lines.push(format!("show = {}", list(shown))),
        None => lines.push(format!("hide = {}", list(&view.hidden.iter().cloned().collect::<Vec<_>>()))),
    }
    if view.shown.is_none() && !view.order.is_empty() {
        lines.push(format!("order = {}", list(&view.order)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_told_as_it_is_written() {
        let told = |view: &View| written("Sessions/pid", view).split_off(2).join("\n");
        let mut view = View::default();
        view.toggle("user");
        assert_eq!(told(&view), "[columns.\"Sessions/pid\"]\nhide = [\"user\"]");
        view = View { shown: Some(vec!["user".to_owned()]), ..View::default() };
        view.toggle("state");
        assert_eq!(told(&view), "[columns.\"Sessions/pid\"]\nshow = [\"user\", \"state\"]");
        assert_eq!(written("Your own/id", &view), Vec::<String>::new());
    }
}
