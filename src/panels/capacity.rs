//! What grows by the day on a target, and the day when it is full: as a Prometheus server remembers it, else by our own samples.

use super::panel::PanelContext;
use crate::core::growth::{Growth, SeenBy, span};
use crate::core::growth_disk::{self, Under, Why};
use crate::core::growth_known;
use crate::core::ids::TargetId;
use crate::core::postgres::Look;
use crate::core::text::{sized, tidy};
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::ui::content::{Cell, Column, Line, Role, Section, Table};
use chrono::FixedOffset;
use std::time::Duration;

/// Full before this is worth a warning.
const SOON: Duration = Duration::from_secs(14 * 86_400);
/// A name is cut to this.
const NAME_CHARS: usize = 40;
/// So many are told, the fastest first.
const MOST: usize = 12;
/// Columns of what grows by a day.
const A_DAY: u16 = 10;

/// Where a Prometheus server remembers, and where we do.
pub(super) fn sections(context: PanelContext<'_>, target: &TargetState) -> Vec<Section> {
    let all = growth_known::of(context.world, target, context.now);
    let (remembered, ours): (Vec<&Growth>, Vec<&Growth>) =
        all.iter().take(MOST).partition(|growth| growth.seen_by == SeenBy::Prometheus);
    let section = |title: &str, some: Vec<&Growth>| {
        let wide = some.iter().map(|growth| name(growth).chars().count()).max()?;
        let named =
            |growth: &&Growth| line(&format!("{:<wide$}", name(growth)), growth, context.now, context.zone);
        let lines = some.iter().map(named).collect();
        Some(Section::lines(title, lines))
    };
    let (six_days, own) = ("Growth, as Prometheus remembers six days", "Growth, by own samples");
    let mut sections: Vec<Section> =
        [section(six_days, remembered), section(own, ours)].into_iter().flatten().collect();
    if let Some(last) = sections.last_mut() {
        last.lines.extend(under(context, target));
    }
    sections
}

/// The disk under what grows, which has an end where databases have none.
fn under(context: PanelContext<'_>, target: &TargetState) -> Option<Line> {
    let unknown = |why: String| Line::of(Role::Muted, format!("when its disk is full is not known: {why}"));
    Some(match growth_disk::under(context.world, target, context.now)? {
        Under::Unread => unknown("our role may not read data_directory (pg_monitor may)".to_owned()),
        Under::Waiting(teller) => {
            let words = format!("when its disk is full is not known yet: waiting for the first answer of {teller}");
            Line::of(Role::Muted, words)
        }
        Under::Untold => {
            unknown("no node_exporter that is watched tells of the disks of its host".to_owned())
        }
        Under::Elsewhere => unknown(
            "the host that its address names is not known to be that of its data (a tunnel, a pooler, a container, or several hosts)".to_owned(),
        ),
        Under::Endless(place, teller, why) => {
            let place = tidy(&place, NAME_CHARS);
            unknown(match why {
                Why::Kind(kind) => format!("it is {place} of {teller}, {}, which is not followed", tidy(&kind, NAME_CHARS)),
                Why::Failed => format!("it is {place} of {teller}, which the kernel there cannot read"),
                Why::Small => format!(
                    "less is taken on {place} of {teller} than its databases are large (another disk that the exporter leaves out, or compression)"
                ),
            })
        }
        Under::Disk { place, teller, free, growth: None } => {
            let words = format!("disk under it (likely) {place} of {teller}: ");
            Line::of(Role::Muted, words).then(Role::Text, format!("{} free", sized(free)))
        }
        Under::Disk { place, teller, growth: Some(growth), .. } => {
            let name = format!("disk under it (likely) {place} of {teller}:");
            line(&name, &growth, context.now, context.zone)
        }
    })
}

fn name(growth: &Growth) -> String {
    tidy(&growth.what, NAME_CHARS)
}

fn line(name: &str, growth: &Growth, now: Now, zone: FixedOffset) -> Line {
    let seen = match growth.seen_by {
        SeenBy::Prometheus => String::new(),
        SeenBy::Us(seen) => format!(", from {}", span(seen)),
    };
    let line = Line::of(Role::Muted, format!("{name}  "))
        .then(Role::Text, format!("{} · +{} a day{seen}", sized(growth.bytes), sized(growth.per_day)));
    let Some((limit, left)) = growth.limit.zip(growth.full_in()) else { return line };
    let day = now.plus(left).wall.with_timezone(&zone).format("%-d %b");
    let role = if left < SOON { Role::Warning } else { Role::Note };
    line.then(role, format!(" · {} ({}) on {day}", limit.then(), sized(limit.bytes)))
}

/// Puts what the rows of a look at sizes grow by into `table`, behind their size, and tells from what that is known.
pub(super) fn beside(
    context: PanelContext<'_>,
    target: &TargetState,
    look: &Look,
    names: &[Option<String>],
    table: &mut Table,
) -> Option<Line> {
    growth_known::of_row(look, "")?;
    let all = growth_known::of(context.world, target, context.now);
    let of = |name: &Option<String>| {
        let what = growth_known::of_row(look, name.as_deref()?)?;
        all.iter().find(|growth| growth.what == what)
    };
    let place = 2.min(table.columns.len());
    table.columns.insert(place, Column::number("a day", A_DAY, 0));
    let mut seen = Vec::new();
    for (row, name) in table.rows.iter_mut().zip(names) {
        let cell = match of(name) {
            Some(growth) => {
                seen.push(growth.seen_by);
                Cell::number(Some(growth.per_day), format!("+{}", sized(growth.per_day)))
            }
            None => Cell::number(None, "—").role(Role::Muted),
        };
        row.cells.insert(place.min(row.cells.len()), cell);
    }
    let waits = growth_known::waits(context.world, target, context.now);
    Some(Line::of(Role::Muted, words(&seen, &waits)))
}

/// From what a column of growth is known; `waits` are those that remember, perhaps, and have not answered yet.
fn words(seen: &[SeenBy], waits: &[&TargetId]) -> String {
    let ours = seen.iter().filter_map(|seen| match seen {
        SeenBy::Us(seen) => Some(*seen),
        SeenBy::Prometheus => None,
    });
    let ends = ours.clone().min().zip(ours.max());
    let ours = ends.map(|(least, most)| match (span(least), span(most)) {
        (least, most) if least == most => format!("{most} of own samples"),
        (least, most) => format!("{least} to {most} of own samples"),
    });
    let remembered = seen.contains(&SeenBy::Prometheus).then(|| "six days of a Prometheus".to_owned());
    let known: Vec<String> = remembered.into_iter().chain(ours).collect();
    if let (true, Some(server)) = (known.is_empty(), waits.first()) {
        format!("a day: reading what {server} remembers")
    } else if known.is_empty() {
        "a day: nothing is known to grow by 1 MiB a day or more; six hours of own samples tell, or a Prometheus".to_owned()
    } else {
        format!("a day: from {}", known.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_from_what_it_is_known() {
        let hours = |hours: u64| SeenBy::Us(Duration::from_secs(hours * 3600));
        assert_eq!(words(&[hours(72), hours(80)], &[]), "a day: from 3 d of own samples");
        assert_eq!(words(&[hours(7), hours(80)], &[]), "a day: from 7 h to 3 d of own samples");
        let both = words(&[SeenBy::Prometheus, hours(47)], &[]);
        assert_eq!(both, "a day: from six days of a Prometheus and 47 h of own samples");
        assert!(words(&[], &[]).contains("nothing is known to grow"));
        // Before it has answered nobody knows that.
        let prom = TargetId::new("prom");
        assert_eq!(words(&[], &[&prom]), "a day: reading what prom remembers");
        assert_eq!(words(&[hours(72)], &[&prom]), "a day: from 3 d of own samples");
    }
}
