//! Screen 5: copies: who streams to whom, how far behind in bytes and in time, and which slots hold WAL back.

use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::postgres::{PgRow, PostgresReading, PostgresState, ReplicationSlot, Sender, Standby};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::postgres::target::{self, heading, number_role};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, duration, of_seconds, or_dash, seconds};

/// A primary with nothing to say sends a sign of life at half its wal_sender_timeout: 30 s by default.
const QUIET_SECONDS: f64 = 35.0;
/// Columns of a sparkline.
const SPARK: usize = 60;

/// The replication screen.
#[derive(Clone, Copy, Debug)]
pub struct Replication;

impl Panel for Replication {
    fn screen(&self) -> Screen {
        Screen::Replication
    }

    fn title(&self) -> &'static str {
        "replicas"
    }

    fn help(&self) -> &'static str {
        "copies: who streams to whom, how far behind, and which slots hold WAL back"
    }

    fn content(&self, context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        let mut sections = Vec::new();
        for (target, state) in target::targets(context) {
            let mut lines = vec![heading(target, state, context)];
            let Some(reading) = state.reading() else {
                sections.push(Section::lines("", lines));
                continue;
            };
            if let Some(standby) = reading.standby.ready() {
                lines.extend(as_standby(target, standby, state, number_role(target, context)));
            }
            lines.extend(rotation(state, reading, number_role(target, context)));
            lines.extend(backup(reading, number_role(target, context)));
            for gap in [reading.senders.gap(), reading.standby.gap(), reading.replication_slots.gap()] {
                lines.extend(gap.map(|gap| Line::of(Role::Warning, &gap.note)));
            }
            sections.push(Section::lines("", lines));
            sections.extend(senders(target, reading, context));
            sections.extend(slots(target, reading, context));
        }
        panel::screen(sections, "no Postgres target is configured")
    }
}

fn as_standby(target: &TargetState, standby: &Standby, state: &PostgresState, role: Role) -> Vec<Line> {
    let mut lines = Vec::new();
    match (&standby.receiver, standby.has_upstream) {
        (Some(status), _) => {
            lines.push(fact("receives", role, format!("{status} from {}", standby.upstream)));
        }
        (None, true) => {
            lines.push(fact("receives", Role::Critical, "nothing: the connection to its primary is down"));
        }
        (None, false) => {
            lines.push(fact("receives", role, "from an archive, no primary is configured"));
        }
    }
    if standby.paused {
        lines.push(fact("replay", Role::Warning, "paused by an operator: SELECT pg_wal_replay_resume()"));
    }
    let behind = or_dash(standby.behind_bytes, bytes);
    lines.push(
        fact("behind", role, format!("{behind:<24}")).spark(target.past(&state.histories.lag_bytes, SPARK)),
    );
    let caught_up = standby.streams() && standby.behind_bytes == Some(0.0);
    let staleness = if caught_up { "caught up".to_owned() } else { seconds(standby.staleness_seconds) };
    lines.push(fact("staleness", role, staleness));
    if let Some(age) = standby.message_age_seconds.filter(|age| *age > QUIET_SECONDS) {
        lines.push(fact("last message", Role::Warning, format!("{} ago", seconds(Some(age)))));
    }
    lines
}

fn fact(label: &str, role: Role, value: impl AsRef<str>) -> Line {
    Line::of(Role::Muted, format!("{label:<16}")).then(role, value)
}

/// Whether a load balancer with the limits of the configuration would use it.
fn rotation(state: &PostgresState, reading: &PostgresReading, role: Role) -> Vec<Line> {
    let Some(rotation) = &state.settings.rotation else { return Vec::new() };
    let took = reading
        .probe
        .map_or_else(String::new, |took| format!(", answers in {:.1} ms", took.as_secs_f64() * 1e3));
    let line = match rotation.out(state.standby_lag(), reading.probe) {
        Some(why) => fact(&rotation.role, Role::Critical, format!("WOULD BE TAKEN OUT OF ROTATION: {why}")),
        None => fact(&rotation.role, role, format!("in rotation{took}")),
    };
    vec![line]
}

fn backup(reading: &PostgresReading, role: Role) -> Vec<Line> {
    let line = match &reading.backup {
        Part::NotAsked => return Vec::new(),
        Part::Unavailable(gap) => fact("backup", Role::Warning, &gap.note),
        Part::Ready(backup) => {
            let size = bytes(backup.bytes as f64);
            let text = format!("{} ago, {size}: {} (of {})", duration(backup.age), backup.path, backup.files);
            fact("backup", role, text)
        }
    };
    vec![line]
}

fn senders(target: &TargetState, reading: &PostgresReading, context: PanelContext<'_>) -> Option<Section> {
    let role = number_role(target, context);
    let rows: Vec<Row> = reading
        .senders
        .ready()
        .into_iter()
        .flatten()
        .map(|sender| sender_row(target, sender, role))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        columns: vec![
            Column::flex("copy", 14, 0),
            Column::fixed("client", 16, 3),
            Column::fixed("state", 11, 0),
            Column::fixed("sync", 8, 2),
            Column::number("unsent", 10, 2).changing(),
            Column::number("unflushed", 10, 1).changing(),
            Column::number("unreplayed", 10, 0).changing(),
            Column::number("replay lag", 10, 0),
            Column::number("heard", 8, 1),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Copies of it", table))
}

fn sender_row(target: &TargetState, sender: &Sender, role: Role) -> Row {
    let state = if sender.state == "streaming" { role } else { Role::Warning };
    let size = |value: Option<f64>| Cell::figure(value, bytes).role(role);
    Row::flat(
        RowKey::Postgres(target.id.clone(), PgRow::Sender(sender.pid)),
        vec![
            Cell::of(Role::Strong, &sender.name),
            Cell::of(Role::Muted, &sender.client),
            Cell::of(state, &sender.state),
            Cell::of(Role::Muted, &sender.sync),
            size(sender.sent_bytes),
            size(sender.flush_bytes),
            size(sender.replay_bytes),
            Cell::figure(sender.replay_seconds, of_seconds).role(role),
            Cell::figure(sender.reply_age_seconds, of_seconds).role(role),
        ],
    )
}

fn slots(target: &TargetState, reading: &PostgresReading, context: PanelContext<'_>) -> Option<Section> {
    let role = number_role(target, context);
    let list = reading.replication_slots.ready()?;
    if list.is_empty() {
        return None;
    }
    let rows = list.iter().map(|slot| slot_row(target, slot, role)).collect();
    let table = Table {
        columns: vec![
            Column::flex("slot", 14, 0),
            Column::fixed("kind", 9, 2),
            Column::fixed("in use", 8, 0),
            Column::number("holds back", 10, 0).changing(),
            Column::fixed("WAL", 12, 1),
            Column::number("until lost", 10, 1),
            Column::number("unread for", 10, 2),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Replication slots", table))
}

fn slot_row(target: &TargetState, slot: &ReplicationSlot, role: Role) -> Row {
    let used = if slot.active { (role, "yes") } else { (Role::Warning, "NO") };
    let status = slot.invalid.clone().or_else(|| slot.wal_status.clone()).unwrap_or_else(|| "—".to_owned());
    let lost = slot.invalid.is_some() || matches!(status.as_str(), "lost" | "unreserved");
    Row::flat(
        RowKey::Postgres(target.id.clone(), PgRow::Slot(slot.name.clone())),
        vec![
            Cell::of(Role::Strong, &slot.name),
            Cell::of(Role::Muted, &slot.kind),
            Cell::of(used.0, used.1),
            Cell::figure(slot.retained_bytes, bytes).role(role),
            Cell::of(if lost { Role::Critical } else { role }, status),
            Cell::figure(slot.safe_bytes, bytes).role(role),
            Cell::figure(slot.inactive_seconds, of_seconds).role(role),
        ],
    )
}
