//! A long list of endpoints: a row for each group of them (those of one service, or whose names differ in their number), the worst first,
//! which opens.

use super::list::{columns, row};
use super::target::quantile;
use crate::core::alert::Severity;
use crate::core::ids::TargetId;
use crate::core::metrics::ERRORS;
use crate::core::metrics::LATENCY;
use crate::core::metrics::{MetricsState, Quantile};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::groups::{LISTED_TO, Worst, grouped};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, percent, rate};

type Endpoint<'a> = (&'a TargetState, &'a MetricsState);

/// The endpoints, the worst first: one by one, or in groups where they are many and of more than one.
pub(super) fn section(endpoints: &[Endpoint<'_>], context: PanelContext<'_>) -> Section {
    let mut groups = grouped(endpoints.iter().copied(), |endpoint| endpoint.0.group());
    let worst = Worst::of(context);
    let open = &context.keys.open;
    if !is_grouped(endpoints, groups.len()) {
        return listed(format!("Endpoints ({}; {open} opens one)", endpoints.len()), endpoints, context);
    }
    groups.sort_by_key(|(_, members)| {
        std::cmp::Reverse(members.iter().map(|member| bad(member, &worst)).max())
    });
    let rows = groups.iter().map(|(name, members)| match members.as_slice() {
        [(target, state)] => row(target, state, context),
        members => group(name, members, context),
    });
    let table = Table { columns: columns(), rows: rows.collect(), ..Table::default() };
    let title =
        format!("Endpoints ({} in {} groups, worst first; {open} opens one)", endpoints.len(), groups.len());
    Section::table(title, table)
}

/// Whether so many groups are listed, and not each of the endpoints.
fn is_grouped(endpoints: &[Endpoint<'_>], groups: usize) -> bool {
    endpoints.len() > LISTED_TO && groups > 1 && groups < endpoints.len()
}

/// The row of the group in which the endpoint `id` is listed, where it is not listed on the screen itself.
pub(super) fn around(endpoints: &[Endpoint<'_>], id: &TargetId) -> Option<RowKey> {
    let groups = grouped(endpoints.iter().copied(), |endpoint| endpoint.0.group());
    if !is_grouped(endpoints, groups.len()) {
        return None;
    }
    let (name, _) = groups
        .iter()
        .find(|(_, members)| members.len() > 1 && members.iter().any(|(target, _)| target.id == *id))?;
    Some(RowKey::Group((*name).to_owned()))
}

/// The endpoints of one group.
pub(super) fn opened(name: &str, context: PanelContext<'_>) -> Option<Section> {
    let members: Vec<Endpoint<'_>> =
        super::list::endpoints(context).filter(|(target, _)| target.group() == name).collect();
    let title = format!("{name} ({} endpoints, worst first; {} opens one)", members.len(), context.keys.open);
    (!members.is_empty()).then(|| listed(title, &members, context))
}

fn listed(title: String, endpoints: &[Endpoint<'_>], context: PanelContext<'_>) -> Section {
    let worst = Worst::of(context);
    let mut sorted = endpoints.to_vec();
    sorted.sort_by_key(|endpoint| std::cmp::Reverse(bad(endpoint, &worst)));
    let rows = sorted.iter().map(|(target, state)| row(target, state, context)).collect();
    let lines = Amiss::of(endpoints, context).line().into_iter().collect();
    Section { title, lines, table: Some(Table { columns: columns(), rows, ..Table::default() }) }
}

/// How bad an endpoint is: by what was found there, then by the share of its requests that end in errors (in parts of ten thousand).
fn bad((target, state): &Endpoint<'_>, worst: &Worst<'_>) -> (Option<Severity>, u32) {
    let errors = state.golden.errors.unwrap_or(0.0) * 10_000.0;
    (worst.on(&target.id), errors as u32)
}

/// How many of a group are not as they should be.
struct Amiss {
    all: usize,
    silent: usize,
    late: usize,
    erring: usize,
    slow: usize,
    role: Role,
}

impl Amiss {
    fn of(members: &[Endpoint<'_>], context: PanelContext<'_>) -> Self {
        let fresh = || members.iter().map(|(target, _)| target.freshness(context.now));
        let silent = fresh().filter(|freshness| freshness.is_lost()).count();
        let late = fresh().filter(|freshness| freshness.is_old()).count() - silent;
        let errors: Vec<Severity> = members
            .iter()
            .filter_map(|(_, state)| context.grade(&ERRORS.spec, state.golden.errors))
            .collect();
        let slow: Vec<Severity> = members
            .iter()
            .filter_map(|(_, state)| context.grade(&LATENCY.spec, state.golden.p95.map(figure)))
            .collect();
        let worst = errors.iter().chain(&slow).max();
        let role = worst
            .map_or(if silent + late > 0 { Role::Warning } else { Role::Text }, |worst| Role::of(*worst));
        Self { all: members.len(), silent, late, erring: errors.len(), slow: slow.len(), role }
    }

    fn words(&self) -> String {
        let told = [
            (self.silent, "give no data"),
            (self.late, "are late"),
            (self.erring, "answer with errors"),
            (self.slow, "are slow"),
        ];
        let told = told.iter().filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("{count} of {} {what}", self.all)).collect::<Vec<_>>().join(", ")
    }

    fn line(&self) -> Option<Line> {
        let words = self.words();
        (self.all > 1 && !words.is_empty()).then(|| Line::of(self.role, words))
    }
}

fn figure(quantile: Quantile) -> f64 {
    match quantile {
        Quantile::Value(value) | Quantile::Above(value) => value,
    }
}

/// The members of a group together: what they do is added up, of their times the longest is told.
fn group(name: &str, members: &[Endpoint<'_>], context: PanelContext<'_>) -> Row {
    let sum = |of: fn(&MetricsState) -> Option<f64>| -> Option<f64> {
        let known: Vec<f64> = members.iter().filter_map(|(_, state)| of(state)).collect();
        (!known.is_empty()).then(|| known.iter().sum())
    };
    let requests = sum(|state| state.golden.requests);
    let failed = sum(|state| Some(state.golden.errors? * state.golden.requests?));
    let errors = failed.zip(requests).filter(|(_, all)| *all > 0.0).map(|(failed, all)| failed / all);
    let slowest = members.iter().filter_map(|(_, state)| state.golden.p95);
    let slowest = slowest.max_by(|a, b| figure(*a).total_cmp(&figure(*b)));
    let samples = sum(|state| state.reading().map(|reading| reading.len() as f64));
    let size = sum(|state| state.reading().map(|reading| reading.bytes as f64));
    let amiss = Amiss::of(members, context);
    // Where some give no data, what the others do is not what the group does.
    let role = if amiss.silent + amiss.late > 0 { Role::Stale } else { Role::Text };
    let cells = vec![
        Cell::of(Role::Strong, format!("{name} ({})", members.len())),
        Cell::figure(requests, rate).role(role),
        Cell::figure(errors, percent).role(role),
        quantile(slowest, false).role(role),
        Cell::figure(samples, count).role(role),
        Cell::figure(size, bytes).role(role),
        Cell::of(amiss.role, amiss.words()),
    ];
    Row::opens(RowKey::Group(name.to_owned()), cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, Grade, Rulebook, Triage};
    use crate::core::ids::SystemKind;
    use crate::core::metrics::{Golden, MetricsRow};
    use crate::core::place::Screen;
    use crate::core::report::Plan;
    use crate::core::scope::Scope;
    use crate::core::source_rules::SILENT;
    use crate::core::time::Now;
    use crate::core::world::SystemState;
    use crate::core::world::{World, all_rules};
    use crate::panels::panel;
    use crate::panels::panel::Keys;
    use chrono::{Offset, Utc};
    use std::time::Duration;

    /// Twenty endpoints of a shop, of which two answer with errors, four of a mailer, of which one gives no data, and one alone.
    fn world(mailer_is_broken: bool) -> World {
        let (second, now) = (Duration::from_secs(1), Now::example(100));
        let target = |name: String| {
            let golden = |errors| {
                let mut state = MetricsState::default();
                state.golden =
                    Golden { requests: Some(10.0), errors: Some(errors), p95: None, ..Golden::default() };
                SystemState::Metrics(Box::new(state))
            };
            let id = TargetId::new(&name);
            let fresh = TargetState::new(id, SystemKind::Metrics, String::new(), second, Now::example(0));
            let errors = if matches!(name.as_str(), "shop-3" | "shop-17") { 0.2 } else { 0.0 };
            let seen = if name == "mail-2" { Now::example(1) } else { now };
            TargetState {
                seen: Some(seen),
                plan: Some(Plan::example(second, seen)),
                system: golden(errors),
                ..fresh
            }
        };
        let names = (1..=4).map(|number| format!("mail-{number}")).chain(["alone".to_owned()]);
        let names = names.chain((1..=20).map(|number| format!("shop-{number}")));
        let rules = Rulebook::defaults(&all_rules());
        let mut world = World::new(names.map(target).collect(), rules.clone());
        let grade = Grade { severity: Severity::Critical, value: None, threshold: None };
        let about = ("silent", "no data".to_owned());
        let mut breach = Breach::new(&SILENT, &TargetId::new("mail-2"), Screen::Overview, grade, about);
        breach.since(Some(Duration::from_secs(99)));
        let breaches = if mailer_is_broken { vec![breach] } else { Vec::new() };
        world.alerts.observe(breaches, &rules, |_| Triage::Silent, |_| false, now);
        world
    }

    /// The first and the last cell of each row below `path`, and the line above them.
    fn rows(world: &World, scope: &Scope, path: &[RowKey]) -> (Vec<(String, String)>, String) {
        let keys = Keys::default();
        let now = Now::example(100);
        let seen = PanelContext {
            keys: &keys,
            world,
            scope,
            now,
            live: true,
            zone: Utc.fix(),
            who: "ana",
            arming: None,
        };
        let content = panel(Screen::Metrics).content(seen, path);
        let section = &content.sections[0];
        let rows = section.table.as_ref().expect("a table").rows.iter();
        let ends = |row: &Row| (row.cells[0].words().into_owned(), row.cells[6].words().into_owned());
        (rows.map(ends).collect(), section.lines.first().map(Line::plain).unwrap_or_default())
    }

    #[test]
    fn a_long_list_is_one_of_groups_the_worst_first() {
        let shop = ("shop (20)", "2 of 20 answer with errors");
        let mail = ("mail (4)", "1 of 4 give no data");
        for (broken, expected) in [(false, [shop, mail, ("alone", "")]), (true, [mail, shop, ("alone", "")])]
        {
            let (rows, _) = rows(&world(broken), &Scope::All, &[]);
            let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(rows, expected);
        }
    }

    #[test]
    fn a_group_opens_and_so_do_its_endpoints() {
        let world = world(false);
        let group = RowKey::Group("shop".to_owned());
        let (found, line) = rows(&world, &Scope::All, std::slice::from_ref(&group));
        assert_eq!(line, "2 of 20 answer with errors");
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names.len(), &names[..3]), (20, &["shop-3", "shop-17", "shop-1"][..]));
        // One group alone needs no row of its own.
        let scope = Scope::Like("shop*".to_owned());
        assert_eq!(rows(&world, &scope, &[]), (found, line));
        let keys = Keys::default();
        let now = Now::example(100);
        let seen = PanelContext {
            keys: &keys,
            world: &world,
            scope: &scope,
            now,
            live: true,
            zone: Utc.fix(),
            who: "ana",
            arming: None,
        };
        let endpoint = RowKey::Metrics(TargetId::new("shop-3"), MetricsRow::Endpoint);
        let title = panel(Screen::Metrics).content(seen, &[group, endpoint]).title;
        assert_eq!(title, "shop-3");
    }
}
