//! Everything that the app knows. Only `update` changes it; only `view` reads it to draw.

use super::foretold::Foretold;
use super::keymap::Keymap;
use super::layout::{LEAST, Layout, Size};
use super::overlay::{Overlay, Typed};
use super::said::{Messages, Said};
use crate::actions::audit::Tail;
use crate::core::arming::Arming;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::notify::Notifier;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::scope::Scope;
use crate::core::time::Now;
use crate::core::world::World;
use crate::panels::PanelContext;
use crate::ui::before::Before;
use crate::ui::content::{Content, Line, Role};
use crate::ui::select::{Level, View};
use crate::ui::theme::Theme;
use crate::ui::veil;
use chrono::FixedOffset;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The page is kept this often; what is compared with is so old, up to twice that.
const EACH: Duration = Duration::from_secs(10);

/// How long a message stays above the hint line.
pub const TOAST_FOR: Duration = Duration::from_secs(12);

/// Where the operator is on one screen: the rows opened so far, and one level more than that.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The rows that were opened, outermost first.
    pub path: Vec<RowKey>,
    /// Cursor, filter, sort and marks of each level.
    pub levels: Vec<Level>,
}

impl Default for Place {
    fn default() -> Self {
        Self { path: Vec::new(), levels: vec![Level::default()] }
    }
}

impl Place {
    /// A screen as it is opened at first.
    #[must_use]
    pub fn fresh(habits: &Habits) -> Self {
        Self { path: Vec::new(), levels: vec![Level { views: habits.columns.clone(), ..Level::default() }] }
    }

    /// Opens `row`: a level more, which shows its tables as they were wanted before, from the first line on.
    pub(super) fn enter(&mut self, screen: Screen, row: RowKey, habits: &Habits) {
        self.path.push(row);
        let known = habits.views.get(&(screen, self.path.len()));
        let views = known.unwrap_or(&habits.columns).clone();
        self.levels.push(Level { away: true, views, ..Level::default() });
    }

    /// The innermost level.
    #[must_use]
    pub fn level(&self) -> Option<&Level> {
        self.levels.last()
    }
}

/// What a screen shows, as it was made last.
#[derive(Clone, Debug)]
pub struct Page {
    /// The screen.
    pub screen: Screen,
    /// The rows that were opened there.
    pub path: Vec<RowKey>,
    /// The moment that it is of, where one is held.
    pub held: Option<Now>,
    /// What is shown.
    pub content: Arc<Content>,
}

impl Page {
    /// Whether it is of what is open now.
    #[must_use]
    pub fn is_of(&self, model: &Model, place: &Place) -> bool {
        self.screen == model.screen && self.path == place.path && self.held == model.held()
    }
}

/// The open page as it was some ten seconds ago: beside a number that was another one then stands whether it is more or less now.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    /// Kept last, and before that.
    kept: Vec<(Page, Before, Now)>,
}

impl Earlier {
    /// Takes in what is about to be shown. Of another page nothing is kept.
    pub(super) fn take(&mut self, page: &Page, now: Now) {
        self.kept.retain(|(kept, ..)| is_same(kept, page));
        if self.kept.last().is_none_or(|(.., at)| now.since(*at) >= EACH) {
            if self.kept.len() > 1 {
                self.kept.remove(0);
            }
            self.kept.push((page.clone(), Before::of(Arc::clone(&page.content)), now));
        }
    }

    /// The open page as it was, as far as that is known.
    #[must_use]
    pub fn before(&self, model: &Model) -> Option<&Before> {
        let place = model.place();
        let (_, before, _) = self.kept.first().filter(|(page, ..)| page.is_of(model, &place))?;
        Some(before)
    }
}

/// Whether both are of one place and one moment.
fn is_same(one: &Page, other: &Page) -> bool {
    (one.screen, &one.path, one.held) == (other.screen, &other.path, other.held)
}

/// What the operator did before, and how things are to be shown: kept as long as the run lasts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Habits {
    /// Commands that were typed, the newest last.
    pub typed: Vec<String>,
    /// How tables are wanted, by their names, on each screen and so many levels down.
    pub views: HashMap<(Screen, usize), BTreeMap<String, View>>,
    /// Which columns the configuration wants, by the names of tables.
    pub columns: BTreeMap<String, View>,
    /// How lists and what belongs to them are laid out.
    pub layout: Layout,
    /// What statements and jobs hold is hidden: others look on.
    pub private: bool,
    /// By how much every interval is longer than configured, in steps.
    pub pace: usize,
}

/// A message above the hint line.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// What it is.
    pub role: Role,
    /// When it goes away.
    pub until: Now,
    /// It is about the last key: the next one takes it away.
    pub of_key: bool,
}

/// The moment that everything on the screen is about.
#[derive(Clone, Debug, Default)]
pub enum Lens {
    /// The present, as it goes on.
    #[default]
    Live,
    /// One moment, held. What is asked and done is of the present, so neither happens.
    At(Box<Moment>),
}

/// What was known at a moment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Everything that was known.
    pub world: World,
    /// When.
    pub now: Now,
}

/// A value that was typed for an action, which was not permitted then: what was typed is asked for again.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// When.
    pub at: Now,
    /// The screen.
    pub screen: Screen,
    /// The rows that were opened there.
    pub path: Vec<RowKey>,
    /// The row on which it was chosen.
    pub row: RowKey,
    /// The rows that were marked then.
    pub marked: Vec<RowKey>,
    /// The letter under which it was offered.
    pub letter: char,
    /// What was typed.
    pub typed: Typed,
}

/// What kind of run this is; on every screen in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Real servers.
    Live,
    /// The embedded stack.
    Demo,
}

/// The theme for the background that was not taken to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Otherwise {
    /// Whether that background is light.
    pub light: bool,
    /// Its theme.
    pub theme: Theme,
}

/// Everything that the app knows.
#[derive(Clone, Debug)]
pub struct Model {
    /// Real or demo.
    pub kind: Kind,
    /// The present.
    pub now: Now,
    /// What is known of the targets.
    pub world: World,
    /// The moment that is looked at.
    pub lens: Lens,
    /// Which targets are looked at.
    pub scope: Scope,
    /// The operator's user name on this machine.
    pub who: String,
    /// Local time, as its distance from UTC.
    pub zone: FixedOffset,
    /// Who may change what.
    pub arming: Arming,
    /// The screen that is open.
    pub screen: Screen,
    /// The one before.
    pub last_screen: Screen,
    /// Where the operator is on each screen.
    pub places: HashMap<Screen, Place>,
    /// What is open above the screen.
    pub overlay: Option<Overlay>,
    /// What was typed for an action that was not permitted then.
    pub kept: Option<Kept>,
    /// The newest message.
    pub toast: Option<Toast>,
    /// What was said so far.
    pub said: Messages,
    /// The keys in force.
    pub keymap: Keymap,
    /// The colours in force.
    pub theme: Theme,
    /// What to take instead, until the terminal has said what its background is.
    pub otherwise: Option<Otherwise>,
    /// Who is told of what beside the screen.
    pub notifier: Notifier,
    /// The end of the audit trail.
    pub audit: Tail,
    /// Where the audit trail is.
    pub audit_place: String,
    /// Actions that were sent and are not answered yet.
    pub running: usize,
    /// The newest action that was not done, or not wholly, by its name in the audit trail, and what was said of it: a look afterwards does
    /// not take its place.
    pub unfinished: Option<(String, String)>,
    /// What was predicted of actions, until it is known whether it came.
    pub foretold: Foretold,
    /// Quitting was asked for once while an action was running.
    pub quit_asked: bool,
    /// Why each target was chosen, and what was looked for: the sources overlay.
    pub trail: Vec<String>,
    /// The details that the sources were last asked for.
    pub focus: Vec<(TargetId, Focus)>,
    /// What was shown at the last key, until something happens that changes it.
    pub page: Option<Page>,
    /// The open page as it was some seconds ago.
    pub earlier: Earlier,
    /// What was done before, and how things are to be shown.
    pub habits: Habits,
    /// The size of the terminal; nothing is shown before it is known.
    pub size: Size,
}

impl Model {
    /// What is looked at, by panels and by everything around them: the present, or the moment that is held.
    #[must_use]
    pub fn seen(&self) -> PanelContext<'_> {
        let (world, now, live) = match &self.lens {
            Lens::At(moment) => (&moment.world, moment.now, false),
            Lens::Live => (&self.world, self.now, true),
        };
        PanelContext {
            keys: self.keymap.words(),
            world,
            scope: &self.scope,
            now,
            live,
            zone: self.zone,
            who: &self.who,
            arming: Some(&self.arming),
        }
    }

    /// The moment that is held, if one is.
    #[must_use]
    pub fn held(&self) -> Option<Now> {
        match &self.lens {
            Lens::At(moment) => Some(moment.now),
            Lens::Live => None,
        }
    }

    /// Whether the present is looked at.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.lens, Lens::Live)
    }

    /// Where the operator is on the open screen.
    #[must_use]
    pub fn place(&self) -> Place {
        self.places.get(&self.screen).cloned().unwrap_or_else(|| Place::fresh(&self.habits))
    }

    /// The same, to be changed.
    pub(super) fn place_mut(&mut self) -> &mut Place {
        self.places.entry(self.screen).or_insert_with(|| Place::fresh(&self.habits))
    }

    /// A line as it may be seen now: whole, or without what others must not read.
    #[must_use]
    pub fn told(&self, line: Line) -> Line {
        if self.habits.private { veil::line(&line) } else { line }
    }

    /// The same of a text.
    #[must_use]
    pub fn told_text(&self, text: &str) -> String {
        if self.habits.private { veil::text(text) } else { text.to_owned() }
    }

    /// The same of a page.
    #[must_use]
    pub fn told_page(&self, content: Content) -> Content {
        if self.habits.private { veil::content(&content) } else { content }
    }

    /// Whether real servers of production are looked at.
    #[must_use]
    pub const fn is_production(&self) -> bool {
        matches!(self.kind, Kind::Live) && self.arming.production
    }

    /// The columns that the rail of production takes at the left of a terminal of `size`: none where every column is needed.
    #[must_use]
    pub const fn rail(&self, size: Size) -> u16 {
        if self.is_production() && size.width > LEAST.width { 1 } else { 0 }
    }

    /// What a terminal of `size` has room for beside that rail.
    #[must_use]
    pub const fn inside(&self, size: Size) -> Size {
        Size { width: size.width - self.rail(size), height: size.height }
    }

    /// The room in the terminal as it is.
    #[must_use]
    pub const fn room(&self) -> Size {
        self.inside(self.size)
    }

    /// The same as it is laid out.
    #[must_use]
    pub fn laid_out(&self, mut content: Content) -> Content {
        if self.habits.layout == Layout::Dense {
            for section in &mut content.sections {
                section.lines.iter_mut().for_each(|line| line.graphs = None);
                section.table.iter_mut().flat_map(|table| &mut table.rows).for_each(|row| row.brief = true);
            }
        }
        content
    }

    /// Says something above the hint line.
    pub(super) fn say(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        self.said.keep(Said { at: self.now, role, text: text.clone() });
        self.toast = Some(Toast { text, role, until: self.now.plus(TOAST_FOR), of_key: false });
    }
}
