//! The team's own panels: from the configuration file to the target that each asks.

use super::file::{File, PanelFile};
use super::misspelt::suggestion;
use super::target::{Connect, PostgresConnect, TargetConfig};
use crate::core::ids::SystemKind;
use crate::core::postgres::SqlPanel;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a panel is asked unless the configuration says otherwise.
const INTERVAL: Duration = Duration::from_secs(30);

/// Gives every panel of `file` to its target.
///
/// # Errors
/// One sentence with its place.
pub(super) fn assign(
    file: &File,
    targets: &mut [TargetConfig],
    place: &dyn Fn(usize) -> String,
) -> Result<(), String> {
    for entry in &file.panel {
        let (kind, name) = (&entry.kind, entry.name.get_ref());
        if kind.get_ref() != "sql" {
            let at = place(kind.span().start);
            return Err(format!(
                "{at}: a panel of kind `{}` is not known; write kind = \"sql\"",
                kind.get_ref()
            ));
        }
        let panel =
            panel(entry).map_err(|why| format!("{}: panel {name}: {why}", place(entry.name.span().start)))?;
        let Some(postgres) = find(entry, targets, place)? else { continue };
        if postgres.panels.iter().any(|other| other.name == *name) {
            let at = place(entry.name.span().start);
            return Err(format!("{at}: a second panel is called `{name}`; give each its own name"));
        }
        postgres.panels.push(panel);
    }
    Ok(())
}

fn panel(entry: &PanelFile) -> Result<SqlPanel, String> {
    if entry.sql.trim().is_empty() {
        return Err("its sql is empty".to_owned());
    }
    let interval = entry.interval.map_or(INTERVAL, |lasting| lasting.0);
    let mut thresholds: BTreeMap<String, (Option<f64>, Option<f64>)> = BTreeMap::new();
    for (column, value) in &entry.warning {
        thresholds.entry(column.clone()).or_default().0 = Some(*value);
    }
    for (column, value) in &entry.critical {
        thresholds.entry(column.clone()).or_default().1 = Some(*value);
    }
    Ok(SqlPanel {
        name: entry.name.get_ref().clone(),
        sql: entry.sql.clone(),
        interval,
        sort: entry.sort.clone(),
        thresholds,
    })
}

/// The Postgres target that a panel asks: the one that it names, or the first. Nothing where that one cannot be used at all.
fn find<'a>(
    entry: &PanelFile,
    targets: &'a mut [TargetConfig],
    place: &dyn Fn(usize) -> String,
) -> Result<Option<&'a mut PostgresConnect>, String> {
    let wanted = entry.target.as_ref();
    let names: Vec<String> = targets
        .iter()
        .filter(|target| target.kind() == SystemKind::Postgres)
        .map(|target| target.id.to_string())
        .collect();
    let found = targets
        .iter_mut()
        .filter(|target| wanted.is_none_or(|wanted| target.id.as_str() == wanted.get_ref()))
        .filter(|target| target.kind() == SystemKind::Postgres)
        .map(
            |target| {
                if let Connect::Postgres(postgres) = &mut target.connect { Some(postgres) } else { None }
            },
        )
        .next();
    found.ok_or_else(|| match wanted {
        Some(wanted) => {
            let hint = suggestion(wanted.get_ref(), names.iter().map(String::as_str));
            format!(
                "{}: there is no Postgres target `{}`{hint}",
                place(wanted.span().start),
                wanted.get_ref()
            )
        }
        None => format!(
            "{}: panel {} needs a Postgres target, and there is none",
            place(entry.name.span().start),
            entry.name.get_ref()
        ),
    })
}
