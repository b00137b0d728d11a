//! What can be done now, and why the rest cannot. Hints, help and palette ask here, so that they say the same.

use super::command::Command;
use super::model::Model;
use super::update::{navigate, offered};
use crate::core::alert::{FindingKey, Stage};
use crate::core::arming::Mode;
use crate::core::row::RowKey;
use crate::panels::logs::question;
use crate::panels::{opened, panel};
use crate::ui::content::{Content, Row};
use crate::ui::select::{Level, here, shown};
use std::sync::Arc;

/// The open screen, as far as keys are about it.
pub struct Possible<'a> {
    model: &'a Model,
    content: Arc<Content>,
    level: Level,
    path: Vec<RowKey>,
    /// The row under the cursor.
    row: Option<Row>,
}

impl<'a> Possible<'a> {
    /// Of the screen that is open.
    pub fn new(model: &'a Model) -> Self {
        Self::of(model, navigate::content(model))
    }

    /// The same where it is known already what that shows.
    pub fn of(model: &'a Model, content: Arc<Content>) -> Self {
        let place = model.place();
        let level = place.level().cloned().unwrap_or_default();
        let rows = shown(&content, &level);
        let row = level.position(&rows).map(|at| rows[at].clone());
        Self { model, content, level, path: place.path, row }
    }

    /// Whether something can be done to the row under the cursor.
    pub fn acts(&self) -> bool {
        let row = self.row.as_ref().map(|row| &row.key).or_else(|| self.path.last());
        let Some(row) = row.filter(|row| self.model.is_live() && !row.is_counted()) else { return false };
        let offers = offered::offers(self.model, row, &offered::marked(self.model));
        offers.iter().any(|offer| offer.choice.is_ok())
    }

    /// Whether there are rows that could be filtered; else a text is looked for.
    pub fn filters(&self) -> bool {
        navigate::has_rows(&self.content)
    }

    /// Why `command` does nothing here.
    pub fn refusal(&self, command: Command) -> Option<String> {
        let words = match command {
            Command::Open => self.open(),
            Command::Details | Command::Mark | Command::MarkAll | Command::MarkRange => {
                self.row.is_none().then_some("there is no row here")
            }
            Command::ClearMarks => self.level.marks.is_empty().then_some("nothing is marked"),
            Command::Back => self.back(),
            Command::NextMatch | Command::PreviousMatch => {
                self.level.filter.is_empty().then_some("no text is looked for yet")
            }
            Command::Sort | Command::SortLeft | Command::SortRight | Command::Count | Command::Pin => {
                self.fixed().then_some("the order here has a meaning")
            }
            Command::SortInvert => (!self.level.is_sorted()).then_some("it is not sorted by a column"),
            Command::Columns | Command::Wide | Command::Zoom => {
                here(&self.content, &self.level).is_none().then_some("there is no table here")
            }
            Command::ScrollLeft | Command::ScrollRight => {
                (!self.wide()).then_some("only a wide table scrolls sideways")
            }
            Command::Find => {
                let row = self.row.as_ref().map(|row| &row.key);
                let found = panel(self.model.screen).find(&self.path, row, "x");
                found.is_none().then_some("jobs are looked for in a queue")
            }
            Command::Acknowledge | Command::Snooze => {
                (!self.finding()).then_some("note is taken of a finding that is there")
            }
            Command::Runbook => {
                let row = self.row.as_ref().map(|row| &row.key);
                let link = || panel(self.model.screen).link(self.model.seen(), &self.path, row);
                (self.found().is_none() && link().is_none())
                    .then_some("only a finding has a runbook, and a probe a link")
            }
            Command::Lines => return self.no_lines(),
            Command::Actions => return self.no_act(),
            Command::Arm => return self.model.arming.read_only.clone(),
            Command::Disarm => {
                let armed = matches!(self.model.arming.mode(self.model.now), Mode::Armed(_));
                (!armed).then_some("it is not armed")
            }
            Command::Stop => (self.model.running == 0).then_some("no action is running"),
            Command::Faster => {
                (self.model.habits.pace == 0).then_some("it is not asked more often than configured")
            }
            _ => None,
        };
        words.map(ToOwned::to_owned)
    }

    fn open(&self) -> Option<&'static str> {
        let Some(row) = &self.row else { return Some("there is no row here") };
        let leads = row.opens
            || row.key.is_counted()
            || opened(self.model.screen, &self.path).jump(self.model.seen(), &self.path, &row.key).is_some();
        (!leads).then_some("there is nothing behind this row")
    }

    fn back(&self) -> Option<&'static str> {
        let somewhere = !self.path.is_empty()
            || !self.level.filter.is_empty()
            || !self.level.only.is_empty()
            || !self.level.marks.is_empty()
            || self.level.counted
            || self.level.zoomed.is_some()
            || !self.model.is_live();
        (!somewhere).then_some("this is the first level")
    }

    /// Whether the table under the cursor cannot be sorted.
    fn fixed(&self) -> bool {
        here(&self.content, &self.level).is_none_or(|(_, table, _)| table.fixed_order) && !self.level.counted
    }

    fn wide(&self) -> bool {
        let here = here(&self.content, &self.level);
        here.is_some_and(|(section, table, _)| self.level.view(section, table).is_some_and(|view| view.wide))
    }

    /// The finding under the cursor, else the one whose page is open.
    fn found(&self) -> Option<FindingKey> {
        let row = self.row.as_ref().map(|row| &row.key);
        row.into_iter().chain(self.path.iter().rev()).find_map(|row| match row {
            RowKey::Finding(key) => Some(key.clone()),
            _ => None,
        })
    }

    fn finding(&self) -> bool {
        let found = self.found().and_then(|key| self.model.world.alerts.get(&key));
        self.model.is_live() && found.is_some_and(|finding| finding.stage == Stage::Firing)
    }

    /// Why no line of a log is about the row.
    fn no_lines(&self) -> Option<String> {
        question::here(self.model.seen(), &self.path, self.row.as_ref().map(|row| &row.key)).err()
    }

    fn no_act(&self) -> Option<String> {
        if !self.model.is_live() {
            return Some("the screen is frozen".to_owned());
        }
        let row = self.row.as_ref().map(|row| &row.key).or_else(|| self.path.last());
        let Some(row) = row else { return Some("there is no row here".to_owned()) };
        let offers = offered::offers(self.model, row, &offered::marked(self.model));
        match offers.first() {
            None => Some("nothing can be done to this row from here".to_owned()),
            Some(first) if offers.iter().all(|offer| offer.choice.is_err()) => {
                first.choice.as_ref().err().map(|refusal| refusal.why.clone())
            }
            Some(_) => None,
        }
    }
}
