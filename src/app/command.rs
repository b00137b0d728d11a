//! Everything that an operator can do. Names, words and keys of it all are in the registry.

use super::key::Key;
use crate::core::place::Screen;
use crate::ui::field::Edit;

pub use super::registry::registry;

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// On the screens, and in what is only read.
    Screens,
    /// In every dialog; a character chooses, confirms or is typed there.
    Dialogs,
    /// Where text is typed, before what holds in every dialog.
    Fields,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Screens, Self::Dialogs, Self::Fields];

    /// Its table in the configuration.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Screens => "keys",
            Self::Dialogs => "keys.dialogs",
            Self::Fields => "keys.fields",
        }
    }
}

/// A verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// The first row.
    Top,
    /// The last row.
    Bottom,
    /// Opens the row.
    Open,
    /// One level up; closes what is open; clears the filter. Never quits.
    Back,
    /// A screen.
    Screen(Screen),
    /// The screen after this one.
    NextScreen,
    /// The screen before this one.
    PreviousScreen,
    /// The screen that was open before.
    LastScreen,
    /// Every column of the row in full.
    Details,
    /// Filters the rows; looks for a text where there are none.
    Filter,
    /// The next place where the text is found.
    NextMatch,
    /// The place before where it is found.
    PreviousMatch,
    /// The columns of the table, to sort by one of them.
    Sort,
    /// Sorts by the column at the left of the one that is sorted by.
    SortLeft,
    /// Sorts by the column at its right.
    SortRight,
    /// Turns the order around.
    SortInvert,
    /// The columns of the table, to be shown or not.
    Columns,
    /// Every column as wide as its texts, or those that have room.
    Wide,
    /// Scrolls a wide table to the left.
    ScrollLeft,
    /// Scrolls it to the right.
    ScrollRight,
    /// The table with the cursor alone, or all of the page.
    Zoom,
    /// The next way to lay out a list and what belongs to it.
    Layout,
    /// Counts the rows by the column that they are sorted by, or lists them again.
    Count,
    /// Marks the row.
    Mark,
    /// Marks the rows from the one that was marked last to this one.
    MarkRange,
    /// Marks every row that is shown (by the filter).
    MarkAll,
    /// Keeps the row on top of its table.
    Pin,
    /// Clears all marks.
    ClearMarks,
    /// Freezes what is shown.
    Freeze,
    /// Asks every source now.
    Refresh,
    /// Asks every source less often.
    Slower,
    /// Asks every source more often.
    Faster,
    /// What may be done to the row.
    Actions,
    /// The log of actions.
    ActionLog,
    /// Our own log: what went wrong in stacktop itself, and sources that fell silent.
    Logs,
    /// Every source: why it was chosen, its state.
    Sources,
    /// Takes note of a finding: somebody is at it.
    Acknowledge,
    /// A finding stands behind the others for a while.
    Snooze,
    /// The lines of a log that are about the row.
    Lines,
    /// Copies the address of the page that says what to do about a finding.
    Runbook,
    /// Copies the row.
    Copy,
    /// Writes the table and the screen to files.
    Export,
    /// Writes what is told of an incident to files: findings with what explains them, actions, the timeline.
    Incident,
    /// Reads the configuration again.
    Reload,
    /// The mouse is ours, or the terminal's.
    Mouse,
    /// The next theme.
    Theme,
    /// Hides constants, job data and keys while others look on, or shows them again.
    Privacy,
    /// Commands by name.
    Palette,
    /// Jobs of a queue by a text.
    Find,
    /// Every target is looked at again; with a name, only those that it means.
    Target,
    /// Permits actions on this environment for ten minutes.
    Arm,
    /// Ends that at once.
    Disarm,
    /// Stops actions that take long, as soon as that leaves nothing half done.
    Stop,
    /// The help.
    Help,
    /// Draws everything anew.
    Redraw,
    /// Back to the shell, until `fg`.
    Suspend,
    /// Ends stacktop.
    Quit,
    /// Takes what was typed. It confirms nothing.
    Accept,
    /// Completes the name of a command.
    Complete,
    /// Opens what was typed in the operator's editor.
    Editor,
    /// Something inside a text field.
    Edit(Edit),
}

impl Command {
    /// How many rows it moves down where a page has `page` of them; nothing for a command that moves along no rows.
    #[must_use]
    pub fn moves(self, page: i64) -> Option<i64> {
        let half = (page + 1) / 2;
        let steps = [
            (Self::Up, -1),
            (Self::Down, 1),
            (Self::HalfUp, -half),
            (Self::HalfDown, half),
            (Self::PageUp, -page),
            (Self::PageDown, page),
            (Self::Top, i64::MIN / 2),
            (Self::Bottom, i64::MAX / 2),
        ];
        steps.into_iter().find(|(command, _)| *command == self).map(|(_, by)| by)
    }
}

/// One entry of the registry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where its keys hold.
    pub context: Context,
    /// The verb.
    pub command: Command,
    /// Its name in the palette and in the configuration; one of its own in each context.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Its keys, the one for hints first.
    pub keys: Vec<Key>,
}
