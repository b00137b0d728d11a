//! Small worlds to look at: a target or a few, a reading or a few, one moment; and what a screen shows and offers of them.

use chrono::{Offset, Utc};
use stacktop::core::action::{Action, Offer, Preview, Refusal};
use stacktop::core::alert::Rulebook;
use stacktop::core::arming::{Access, Arming};
use stacktop::core::focus::Focus;
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::part::{Gap, GapKind, Part, Warm};
use stacktop::core::place::{Place, Screen};
use stacktop::core::postgres::{
    BackendId, Literals, PostgresReading, Server, Session, SessionState, StatementText,
};
use stacktop::core::reading::Reading;
use stacktop::core::redis::{
    Evidence, Family, JobState, Masks, Payload, QueueReading, QueueRef, RedisReading, RedisRow, RedisServer,
};
use stacktop::core::report::{Plan, PollError, PollErrorKind, PollReport};
use stacktop::core::row::RowKey;
use stacktop::core::scope::Scope;
use stacktop::core::settings::SystemSettings;
use stacktop::core::time::Now;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::panels::{Keys, PanelContext, panel};
use stacktop::ui::content::{Content, Role, Row, SortKey, Table};
use std::time::Duration;

/// When the first reading comes.
pub const FIRST: u64 = 100;

/// Targets, what was read of them, and the moment that it is.
pub struct Stage {
    pub world: World,
    pub second: u64,
    pub live: bool,
    /// What may be changed, where that is said.
    pub arming: Option<Arming>,
    /// Reports that each report says it overtook.
    late: u64,
    keys: Keys,
}

/// The name that a target of `kind` has here.
pub const fn name_of(kind: SystemKind) -> &'static str {
    match kind {
        SystemKind::Postgres => "pg",
        SystemKind::Redis => "cache",
        SystemKind::Search => "es",
        SystemKind::Prometheus => "prom",
        SystemKind::Metrics => "shop",
        SystemKind::Alertmanager => "am",
        SystemKind::Loki => "logs",
        SystemKind::Log => "shop-log",
        SystemKind::Health => "web",
        SystemKind::Probe => "probe",
    }
}

pub fn target(name: &str) -> TargetId {
    TargetId::new(name)
}

impl Stage {
    /// Targets by name and kind, polled each second, none of them asked yet.
    pub fn with(targets: &[(&str, SystemKind)]) -> Self {
        Self::configured_as(targets.iter().map(|(name, kind)| (*name, (*kind).into())).collect())
    }

    /// The same with what the configuration says of each.
    pub fn configured_as(targets: Vec<(&str, SystemSettings)>) -> Self {
        let start = Now::example(FIRST);
        let state = |(name, settings): (&str, SystemSettings)| {
            TargetState::new(target(name), settings, format!("{name}.example:1"), secs(1), start)
        };
        let states = targets.into_iter().map(state).collect();
        let words = |text: &str| text.to_owned();
        let keys = Keys {
            open: words("Enter"),
            act: words("x"),
            mark: words("Space"),
            find: words(":find"),
            stop: words(":stop"),
            runbook: words("o"),
            sources: words("!"),
        };
        let world = World::new(states, Rulebook::defaults(&all_rules()));
        Self { world, second: FIRST, live: true, arming: None, late: 0, keys }
    }

    /// A world that was made elsewhere, at this second.
    pub fn over(world: World, second: u64) -> Self {
        Self { world, second, ..Self::empty() }
    }

    /// One target that was not asked yet.
    pub fn waiting(kind: SystemKind) -> Self {
        Self::with(&[(name_of(kind), kind)])
    }

    /// No target at all.
    pub fn empty() -> Self {
        Self::with(&[])
    }

    /// One target and its first reading.
    pub fn of(reading: impl Into<Shape>) -> Self {
        let Shape(reading) = reading.into();
        let kind = reading.kind();
        Self::waiting(kind).then(FIRST, name_of(kind), Shape(reading))
    }

    /// One target with these settings and its first reading.
    pub fn configured(settings: SystemSettings, reading: impl Into<Shape>) -> Self {
        let Shape(reading) = reading.into();
        let kind = reading.kind();
        let mut stage = Self::waiting(kind);
        let start = Now::example(FIRST);
        let address = format!("{}.example:1", name_of(kind));
        let only = TargetState::new(target(name_of(kind)), settings, address, secs(1), start);
        stage.world = World::new(vec![only], Rulebook::defaults(&all_rules()));
        stage.then(FIRST, name_of(kind), Shape(reading))
    }

    /// One target that cannot be reached.
    pub fn silent(kind: SystemKind) -> Self {
        Self::waiting(kind).fails(FIRST, name_of(kind))
    }

    /// One target whose first report overtook so many others.
    pub fn overtaken(reports: u64) -> Self {
        let mut stage = Self::waiting(SystemKind::Redis);
        stage.late = reports;
        stage.then(FIRST, name_of(SystemKind::Redis), redis(Vec::new()))
    }

    /// A reading of the target called `name` in that second.
    pub fn then(mut self, second: u64, name: &str, reading: impl Into<Shape>) -> Self {
        self.report(second, name, Ok(reading.into().0));
        self
    }

    /// A poll in that second that brings nothing.
    pub fn fails(mut self, second: u64, name: &str) -> Self {
        let error = PollError::new(PollErrorKind::Unreachable, "connection refused").remedy("start it");
        self.report(second, name, Err(error));
        self
    }

    fn report(&mut self, second: u64, name: &str, result: Result<Reading, PollError>) {
        let at = Now::example(second);
        let failures = u32::from(result.is_err());
        let report = PollReport::example(target(name), result, at);
        let plan = Plan { failures, ..report.plan };
        let (took, overtaken) = (Duration::from_millis(3), self.late);
        self.world.apply(PollReport { took, plan, overtaken, ..report });
        self.second = second;
        self.world.evaluate(at);
    }

    /// The same at a later second, without news.
    pub fn at(mut self, second: u64) -> Self {
        self.second = second;
        self.world.evaluate(Now::example(second));
        self
    }

    /// The same as a moment that is held.
    pub fn held(mut self) -> Self {
        self.live = false;
        self
    }

    /// The same where nothing may be changed on `target`.
    pub fn read_only(mut self, target: &str) -> Self {
        let access = [(TargetId::new(target), Access::Never)].into();
        self.arming = Some(Arming::new("shop".to_owned(), false, None, access));
        self
    }

    fn context(&self) -> PanelContext<'_> {
        let now = Now::example(self.second);
        PanelContext {
            keys: &self.keys,
            world: &self.world,
            scope: &Scope::All,
            now,
            live: self.live,
            zone: Utc.fix(),
            who: "ana",
            arming: self.arming.as_ref(),
        }
    }

    /// What a screen shows.
    pub fn page(&self, screen: Screen) -> Page {
        self.opened(screen, &[])
    }

    /// What it shows below the rows of `path`.
    pub fn opened(&self, screen: Screen, path: &[RowKey]) -> Page {
        Page(panel(screen).content(self.context(), path))
    }

    /// What may be done to `row`.
    pub fn offers(&self, screen: Screen, row: &RowKey) -> Offers {
        self.offers_of(screen, row, &[])
    }

    /// The same while rows are marked.
    pub fn offers_of(&self, screen: Screen, row: &RowKey, marked: &[RowKey]) -> Offers {
        Offers(panel(screen).offers(self.context(), &[], row, marked))
    }

    /// What comes of `text`, typed for the offer `letter`.
    pub fn answer(&self, row: &RowKey, letter: char, text: &str) -> Result<(Action, Preview), Refusal> {
        panel(Screen::Queues).answer(self.context(), &[], row, &[], (letter, text))
    }

    /// The same on another screen.
    pub fn answer_on(
        &self,
        screen: Screen,
        row: &RowKey,
        (letter, text): (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        panel(screen).answer(self.context(), &[], row, &[], (letter, text))
    }

    /// The same while rows are marked.
    pub fn answer_of(
        &self,
        screen: Screen,
        row: &RowKey,
        marked: &[RowKey],
        typed: (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        panel(screen).answer(self.context(), &[], row, marked, typed)
    }

    pub fn link(&self, screen: Screen, row: &RowKey) -> Option<String> {
        panel(screen).link(self.context(), &[], Some(row))
    }

    pub fn copy(&self, screen: Screen, row: &RowKey) -> Option<String> {
        panel(screen).copy(self.context(), &[], row)
    }

    pub fn jump(&self, screen: Screen, path: &[RowKey], row: &RowKey) -> Option<Place> {
        panel(screen).jump(self.context(), path, row)
    }

    /// What opens the lines of a log about what is open, or about `row`.
    pub fn lines(&self, path: &[RowKey], row: Option<&RowKey>) -> Result<RowKey, String> {
        stacktop::panels::logs::question::here(self.context(), path, row).map(|(found, _)| found)
    }

    /// The same with what its lines are filtered by.
    pub fn filtered(&self, row: &RowKey) -> Option<(RowKey, String)> {
        stacktop::panels::logs::question::here(self.context(), &[], Some(row)).ok()
    }

    pub fn way(&self, screen: Screen, row: &RowKey) -> Vec<RowKey> {
        panel(screen).way(self.context(), row)
    }

    pub fn focus(&self, screen: Screen, path: &[RowKey]) -> Vec<Focus> {
        panel(screen).focus(self.context(), path).into_iter().map(|(_, focus)| focus).collect()
    }
}

/// A reading of any kind.
pub struct Shape(pub Reading);

macro_rules! shapes {
    ($($kind:ident $reading:ty),+) => {
        $(impl From<$reading> for Shape {
            fn from(reading: $reading) -> Self {
                Self(Reading::$kind(Box::new(reading)))
            }
        })+
    };
}

shapes!(
    Postgres PostgresReading,
    Redis RedisReading,
    Search stacktop::core::search::SearchReading,
    Prometheus stacktop::core::prometheus::PrometheusReading,
    Metrics stacktop::core::metrics::MetricsReading,
    Alertmanager stacktop::core::alertmanager::AlertmanagerReading,
    Loki stacktop::core::loki::LokiReading,
    Log stacktop::core::log::LogReading,
    Health stacktop::core::health::HealthReading,
    Probe stacktop::core::probe::ProbeReading
);

/// What a screen shows.
pub struct Page(pub Content);

impl Page {
    /// All of it as text: headings behind `#`, cells between bars.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for section in &self.0.sections {
            lines.push(format!("# {}", section.title));
            lines.extend(section.lines.iter().map(stacktop::ui::content::Line::plain));
            let Some(table) = &section.table else { continue };
            lines.extend(table.rows.iter().map(|row| cells(row).join(" | ")));
            if table.rows.is_empty() {
                lines.push(table.empty.clone());
            }
        }
        lines.join("\n")
    }

    #[track_caller]
    pub fn says(&self, words: &str) {
        let text = self.text();
        assert!(text.contains(words), "`{words}` is not said:\n{text}");
    }

    #[track_caller]
    pub fn says_not(&self, words: &str) {
        let text = self.text();
        assert!(!text.contains(words), "`{words}` is said:\n{text}");
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.0.sections.iter().filter_map(|section| section.table.as_ref())
    }

    #[track_caller]
    fn found(&self, row: &str) -> &Row {
        let mut all = self.tables().flat_map(|table| &table.rows);
        all.find(|found| has(found, row)).unwrap_or_else(|| panic!("no row has `{row}`:\n{}", self.text()))
    }

    /// The cells of the first row in which one is `row`.
    #[track_caller]
    pub fn row(&self, row: &str) -> Vec<String> {
        cells(self.found(row))
    }

    /// The row of `row` in a table that has this column, and which of its cells that is.
    #[track_caller]
    fn at(&self, row: &str, column: &str) -> (&Row, usize) {
        let with = self
            .tables()
            .filter_map(|table| Some((table, table.columns.iter().position(|found| found.title == column)?)));
        let mut rows = with.flat_map(|(table, at)| table.rows.iter().map(move |found| (found, at)));
        rows.find(|(found, _)| has(found, row))
            .unwrap_or_else(|| panic!("no row has `{row}` beside a column `{column}`:\n{}", self.text()))
    }

    /// The text of a cell.
    #[track_caller]
    pub fn cell(&self, row: &str, column: &str) -> String {
        let (row, at) = self.at(row, column);
        row.cells[at].words().into_owned()
    }

    /// What a cell is.
    #[track_caller]
    pub fn role(&self, row: &str, column: &str) -> Role {
        let (row, at) = self.at(row, column);
        row.cells[at].role
    }

    /// The number by which a cell sorts, and which a filter compares.
    #[track_caller]
    pub fn number(&self, row: &str, column: &str) -> Option<f64> {
        let (row, at) = self.at(row, column);
        match row.cells[at].sort {
            SortKey::Number(number) => number,
            SortKey::Text => panic!("it is text: {}", row.cells[at].words()),
        }
    }

    /// The first column of every row.
    pub fn firsts(&self) -> Vec<String> {
        self.tables()
            .flat_map(|table| &table.rows)
            .map(|row| row.cells[0].words().trim().to_owned())
            .collect()
    }

    /// The identity of the row in which a cell is `row`.
    #[track_caller]
    pub fn key(&self, row: &str) -> RowKey {
        self.found(row).key.clone()
    }

    /// What a piece of a line is that holds `words`.
    #[track_caller]
    pub fn tone(&self, words: &str) -> Role {
        let mut spans =
            self.0.sections.iter().flat_map(|section| &section.lines).flat_map(|line| &line.spans);
        spans
            .find(|span| span.text.contains(words))
            .unwrap_or_else(|| panic!("no line has `{words}`:\n{}", self.text()))
            .role
    }

    /// The headings.
    pub fn titles(&self) -> Vec<&str> {
        self.0.sections.iter().map(|section| section.title.as_str()).collect()
    }
}

fn has(row: &Row, text: &str) -> bool {
    row.cells.iter().any(|cell| cell.words().trim() == text)
}

fn cells(row: &Row) -> Vec<String> {
    row.cells.iter().map(|cell| cell.words().trim().to_owned()).collect()
}

/// What may be done to a row.
pub struct Offers(pub Vec<Offer>);

impl Offers {
    /// The letters in the order of the menu: least harm first.
    pub fn letters(&self) -> String {
        self.0.iter().map(|offer| offer.letter).collect()
    }

    /// The letters that can be chosen.
    pub fn open(&self) -> String {
        self.0.iter().filter(|offer| offer.choice.is_ok()).map(|offer| offer.letter).collect()
    }

    #[track_caller]
    pub fn offer(&self, letter: char) -> &Offer {
        let found = self.0.iter().find(|offer| offer.letter == letter);
        found.unwrap_or_else(|| panic!("no `{letter}` among `{}`", self.letters()))
    }

    /// The sentence that refuses it.
    #[track_caller]
    pub fn refuses(&self, letter: char, sentence: &str) {
        match &self.offer(letter).choice {
            Ok((_, preview)) => panic!("`{letter}` is not refused: {}", preview.title),
            Err(refusal) => assert_eq!(refusal.sentence(), sentence),
        }
    }

    #[track_caller]
    pub fn choice(&self, letter: char) -> (Action, Preview) {
        self.offer(letter).choice.clone().unwrap_or_else(|why| panic!("`{letter}`: {}", why.sentence()))
    }

    /// The title of its preview.
    #[track_caller]
    pub fn title(&self, letter: char) -> String {
        self.choice(letter).1.title
    }

    /// A fact of its preview.
    #[track_caller]
    pub fn fact(&self, letter: char, label: &str) -> String {
        fact(&self.choice(letter).1, label)
    }
}

/// A fact of a preview; "(not told)" where there is none.
pub fn fact(preview: &Preview, label: &str) -> String {
    let found = preview.facts.iter().find(|(name, _)| name == label);
    found.map_or_else(|| "(not told)".to_owned(), |(_, value)| value.clone())
}

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A part that was refused.
pub fn gap<T>(note: &str) -> Part<T> {
    Part::Unavailable(Gap::new(GapKind::NotPermitted, note))
}

/// What was read in the first second and is not read at every poll.
pub fn warm<T>(value: T) -> Warm<T> {
    Warm::new(Now::example(FIRST), value)
}

pub fn warm_at<T>(second: u64, value: T) -> Warm<T> {
    Warm::new(Now::example(second), value)
}

pub fn ready<T>(value: T) -> Part<Warm<T>> {
    Part::Ready(warm(value))
}

/// A client's session that runs a statement for five seconds.
pub fn session(pid: i32) -> Session {
    Session {
        id: backend(pid),
        database: "shop".to_owned(),
        user: "app".to_owned(),
        application: "web".to_owned(),
        client: "10.0.0.5".to_owned(),
        backend_type: "client backend".to_owned(),
        state: SessionState::Active,
        transaction_age: Some(secs(8)),
        query_age: Some(secs(5)),
        state_age: Some(secs(5)),
        query_start_micros: Some(7_000),
        query: statement(&format!("SELECT {pid}")),
        ..Session::default()
    }
}

/// The same in another state, without a transaction where it is idle.
pub fn session_in(pid: i32, state: SessionState) -> Session {
    let transaction_age = Some(secs(8)).filter(|_| state != SessionState::Idle);
    Session { state, transaction_age, ..session(pid) }
}

pub fn backend(pid: i32) -> BackendId {
    BackendId { pid, backend_start_micros: 1_000_000 + i64::from(pid) }
}

pub fn backend_row(pid: i32) -> RowKey {
    RowKey::backend(&target("pg"), backend(pid))
}

/// A primary that lets the role `watch` see all sessions and signal them.
pub fn postgres(sessions: Vec<Session>) -> PostgresReading {
    let server = Server {
        version_num: 160_002,
        version: "16.2 (Debian 16.2-1)".to_owned(),
        role: "watch".to_owned(),
        database: "shop".to_owned(),
        reads_all_stats: true,
        signals: true,
        ..Server::default()
    };
    PostgresReading { server, sessions: Part::Ready(sessions), ..PostgresReading::default() }
}

/// A queue of BullMQ 5 with a worker and nothing in it.
pub fn queue(name: &str) -> QueueReading {
    let evidence = Evidence {
        family: Family::BullMq(5),
        why: "meta says bullmq:5.81.3".to_owned(),
        workers: Some(1),
        mismatch: None,
    };
    QueueReading { queue: queue_ref(name), evidence, ..QueueReading::default() }
}

pub fn queue_ref(name: &str) -> QueueRef {
    QueueRef { prefix: "bull".to_owned(), name: name.to_owned() }
}

pub fn queue_row(name: &str) -> RowKey {
    RowKey::of_queue(&target("cache"), &queue_ref(name))
}

pub fn job_row(queue: &str, id: &str, state: JobState) -> RowKey {
    RowKey::Redis(target("cache"), RedisRow::Job(queue_ref(queue), id.to_owned(), Some(state)))
}

/// A primary with these queues.
pub fn redis(queues: Vec<QueueReading>) -> RedisReading {
    redis_at(FIRST, queues)
}

/// The same, read in that second.
pub fn redis_at(second: u64, queues: Vec<QueueReading>) -> RedisReading {
    let server =
        RedisServer { version: "7.4.1".to_owned(), role: "master".to_owned(), ..RedisServer::default() };
    let queues = Part::Ready(queues.into_iter().map(|queue| warm_at(second, queue)).collect());
    RedisReading { server, queues, discovery: "found by SCAN".to_owned(), ..RedisReading::default() }
}

/// A text of a job as it is read where nothing is masked.
pub fn payload(text: &str) -> Payload {
    Masks::default().payload(text.to_owned())
}

/// A statement as it is read where constants are shown.
pub fn statement(text: &str) -> StatementText {
    Literals::default().text(text)
}
