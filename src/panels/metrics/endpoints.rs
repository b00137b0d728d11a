//! Screen 8: health endpoints, Prometheus (targets down, rules that fire or fail, configured panels), and endpoints scraped by stacktop
//! itself.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::focus::Focus;
use crate::core::health::HealthRow;
use crate::core::ids::TargetId;
use crate::core::metrics::DISK;
use crate::core::metrics::{Disk, MetricsRow, MetricsState};
use crate::core::place::Screen;
use crate::core::prometheus::PrometheusRow;
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::alerts::acts;
use crate::panels::checks;
use crate::panels::graphs;
use crate::panels::heading::heading;
use crate::panels::metrics::families::{families, family};
use crate::panels::metrics::target::{quantile, samples, tone};
use crate::panels::metrics::{groups, list, prometheus, ranges, service_levels, vitals};
use crate::panels::panel::{self, Panel, PanelContext};
use crate::ui::content::{Content, Line, Role, Section};
use crate::ui::format::{bytes, duration, or_dash, percent, rate};

/// File systems beyond this are not listed.
const MOST_DISKS: usize = 8;

/// The metrics screen.
#[derive(Clone, Copy, Debug)]
pub struct Metrics;

impl Panel for Metrics {
    fn screen(&self) -> Screen {
        Screen::Metrics
    }

    fn title(&self) -> &'static str {
        "metrics"
    }

    fn help(&self) -> &'static str {
        "health endpoints and probes; Prometheus: targets down, rules that fire or fail, your panels; and scraped endpoints"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        match path.last() {
            Some(RowKey::Group(group)) => {
                let title = group.clone();
                let sections = groups::opened(group, context).into_iter().collect();
                return Content { title, sections };
            }
            Some(RowKey::Probe(target, _)) => return checks::probe::opened(context, target),
            Some(RowKey::Health(target, row)) => return checks::opened(context, target, row),
            Some(RowKey::Metrics(target, MetricsRow::Endpoint)) => return opened(context, target),
            Some(RowKey::Metrics(target, MetricsRow::Family(name) | MetricsRow::Level(_, name))) => {
                return family(context, target, name);
            }
            Some(RowKey::Metrics(_, MetricsRow::Shared(operation, group))) => {
                let title = format!("{group} {}", operation.word());
                let sections = service_levels::shared(*operation, group, context).into_iter().collect();
                return Content { title, sections };
            }
            Some(RowKey::Prometheus(target, row)) => {
                if let Some(page) = ranges::page(context, target, row) {
                    return page;
                }
            }
            _ => {}
        }
        let endpoints: Vec<_> = list::endpoints(context).collect();
        let mut sections: Vec<Section> =
            checks::section(context).into_iter().chain(checks::probe::section(context)).collect();
        for target in context.targets() {
            if let Some(state) = target.system.prometheus() {
                prometheus::server(&mut sections, target, state, context);
            } else if let Some(state) = target.system.metrics()
                && endpoints.len() < list::LISTED_FROM
            {
                endpoint(&mut sections, target, state, context);
            }
        }
        if endpoints.len() >= list::LISTED_FROM {
            sections.push(groups::section(&endpoints, context));
            sections.extend(service_levels::of_services(context));
        }
        panel::screen(sections, "no Prometheus, metrics endpoint, health endpoint or probe is configured")
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        match path.last() {
            Some(RowKey::Prometheus(target, row)) => ranges::focus(context, target, row),
            Some(RowKey::Metrics(id, MetricsRow::Endpoint)) => {
                let target = context.target(id.as_str());
                target.map_or_else(Vec::new, |target| graphs::remembered(context, target, None))
            }
            _ => Vec::new(),
        }
    }

    fn way(&self, context: PanelContext<'_>, row: &RowKey) -> Vec<RowKey> {
        let endpoints: Vec<_> = list::endpoints(context).collect();
        match row {
            RowKey::Metrics(id, MetricsRow::Endpoint) => groups::around(&endpoints, id).into_iter().collect(),
            RowKey::Metrics(id, MetricsRow::Level(operation, _)) if endpoints.len() >= list::LISTED_FROM => {
                service_levels::around(*operation, id, context).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn link(&self, context: PanelContext<'_>, path: &[RowKey], row: Option<&RowKey>) -> Option<String> {
        match row.or(path.last())? {
            RowKey::Probe(target, _) => checks::probe::link(context, target),
            _ => None,
        }
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        _marked: &[RowKey],
    ) -> Vec<Offer> {
        acts::offers_of_rule(context, row)
    }

    fn answer(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        _marked: &[RowKey],
        typed: (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        acts::answer_of_rule(context, row, typed)
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row {
            RowKey::Group(group) => Some(group.clone()),
            RowKey::Metrics(target, MetricsRow::Endpoint)
            | RowKey::Health(target, HealthRow::Endpoint)
            | RowKey::Probe(target, _) => Some(target.as_str().to_owned()),
            RowKey::Metrics(_, row) => Some(row.name().to_owned()),
            RowKey::Prometheus(_, PrometheusRow::Panel { title, .. }) => Some(title.clone()),
            RowKey::Prometheus(_, PrometheusRow::Rule { name, .. } | PrometheusRow::Metric(name))
            | RowKey::Health(_, HealthRow::Check(name) | HealthRow::Breaker(name) | HealthRow::Value(name)) => {
                Some(name.clone())
            }
            RowKey::Prometheus(_, PrometheusRow::Scraped { instance, .. }) => Some(instance.clone()),
            _ => None,
        }
    }
}

/// One endpoint of many.
fn opened(context: PanelContext<'_>, id: &TargetId) -> Content {
    let mut sections = Vec::new();
    let found = list::endpoints(context).find(|(target, _)| target.id == *id);
    if let Some((target, state)) = found {
        sections.extend(graphs::target(context, target));
        endpoint(&mut sections, target, state, context);
    }
    Content { title: id.as_str().to_owned(), sections }
}

fn endpoint(
    sections: &mut Vec<Section>,
    target: &TargetState,
    state: &MetricsState,
    context: PanelContext<'_>,
) {
    let role = tone(target, context);
    let Some(reading) = state.reading() else {
        sections.push(Section::lines("", vec![heading(target, (Role::Muted, ""), context)]));
        return;
    };
    let about = format!("{}, {}", samples(reading), bytes(reading.bytes as f64));
    let mut lines = vec![heading(target, (Role::Muted, about), context)];
    let golden = &state.golden;
    if golden.requests.is_some() || golden.p95.is_some() {
        let p95 = quantile(golden.p95, false).words().into_owned();
        let text = format!(
            "requests {} · errors {} · 95 % within {p95}",
            or_dash(golden.requests, rate),
            or_dash(golden.errors, percent)
        );
        lines.push(Line::of(role, format!("{text:<56}")).spark(target.past(&state.requests, 60)));
    }
    if state.in_turn > 1 {
        let text = format!(
            "{} processes answer in turn here: requests are added up, all else is that of the last one",
            state.in_turn
        );
        lines.push(Line::of(Role::Note, text));
    }
    lines.extend(vitals::lines(context, target, state, role));
    lines.extend(disks(context, state, role));
    if state.restarted {
        lines
            .push(Line::of(Role::Note, "another process answered than last time: no rates across a restart"));
    }
    if reading.truncated {
        let text = format!("there are more than {}: those beyond are left out", samples(reading));
        lines.push(Line::of(Role::Warning, text));
    }
    if let Some((line, why)) = reading.bad.first() {
        let text = match reading.bad_total {
            1 => format!("1 line cannot be read: line {line}: {why}"),
            many => format!("{many} lines cannot be read; the first is line {line}: {why}"),
        };
        lines.push(Line::of(Role::Warning, text));
    }
    sections.push(Section::lines("", lines));
    sections.extend(service_levels::of_endpoint(target, state, context));
    sections.push(Section::table("", families(target, state, reading, (role, context.now))));
}

/// A line for each file system, the fullest first.
fn disks(context: PanelContext<'_>, state: &MetricsState, role: Role) -> Vec<Line> {
    let mut all: Vec<_> = state.disks.iter().collect();
    all.sort_by(|(_, a), (_, b)| b.used().total_cmp(&a.used()));
    let line = |(place, disk): (&str, &Disk)| {
        let end = disk
            .left()
            .map_or(String::new(), |left| format!(", full in {} if it goes on like this", duration(left)));
        if disk.failed {
            return Line::of(Role::Muted, format!("disk {place:<20} ")).then(Role::Warning, "cannot be read");
        }
        let inodes = disk.inodes.filter(|_| !disk.read_only).unwrap_or_default();
        let used = if disk.may_fill_up(place) { disk.used() } else { 0.0 };
        let worry = context.graded(&DISK.spec, Some(used.max(inodes)), role);
        let inodes =
            if inodes >= 0.5 { format!(", {} of its inodes", percent(inodes)) } else { String::new() };
        let kind = if disk.read_only { ", read-only" } else { "" };
        let text = format!(
            "{} of {}, {} left{inodes}{kind}{end}",
            percent(disk.used()),
            bytes(disk.size),
            bytes(disk.free)
        );
        Line::of(Role::Muted, format!("disk {place:<20} ")).then(worry, text)
    };
    all.into_iter().take(MOST_DISKS).map(line).collect()
}
