//! What can be open above a screen. The confirm overlay is the only place where a confirmation is given.

use super::layout::Laid;
use super::window::Window;
use crate::core::action::{Action, Confirmed, Offer, Preview, Refusal};
use crate::core::alert::FindingKey;
use crate::core::prediction::Prediction;
use crate::core::row::RowKey;
use crate::core::time::Now;
use crate::ui::field::Field;
use std::time::Duration;

/// Keys this soon after a dialog opened were meant for what was there before.
pub const SETTLE: Duration = Duration::from_millis(300);

/// The longest word that is typed to confirm, in bytes: longer than any name.
pub const WORD_LIMIT: usize = 200;

/// Something open above the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The help.
    Help(Window),
    /// The action log.
    ActionLog(Window),
    /// Our own log.
    Logs(Logs),
    /// The sources.
    Sources(Window),
    /// The filter is being typed.
    Filter(Field),
    /// A command is being typed.
    Palette(Palette),
    /// Every column of a row in full.
    Details(Details),
    /// A table's column is chosen: to sort by, or to be shown.
    Columns(Box<Columns>),
    /// The environment's name is being typed.
    Arm(Typing),
    /// What may be done to a row.
    Menu(Menu),
    /// A value that an action needs is being typed.
    Answer(Box<Asking>),
    /// Somebody takes note of a finding.
    Note(Box<Noting>),
    /// One action, before it is done.
    Confirm(Box<Confirm>),
}

impl Overlay {
    /// What of it is in view, if it is a dialog and not a field in the message line.
    #[must_use]
    pub const fn window(&self) -> Option<&Window> {
        match self {
            Self::Help(window) | Self::ActionLog(window) | Self::Sources(window) => Some(window),
            Self::Logs(logs) => Some(&logs.window),
            Self::Palette(palette) => Some(&palette.window),
            Self::Details(details) => Some(&details.window),
            Self::Columns(columns) => Some(&columns.window),
            Self::Arm(typing) => Some(&typing.window),
            Self::Menu(menu) => Some(&menu.window),
            Self::Answer(asking) => Some(&asking.window),
            Self::Note(noting) => Some(&noting.window),
            Self::Confirm(dialog) => Some(&dialog.window),
            Self::Filter(_) => None,
        }
    }

    /// The same, to be scrolled.
    pub const fn window_mut(&mut self) -> Option<&mut Window> {
        match self {
            Self::Help(window) | Self::ActionLog(window) | Self::Sources(window) => Some(window),
            Self::Logs(logs) => Some(&mut logs.window),
            Self::Palette(palette) => Some(&mut palette.window),
            Self::Details(details) => Some(&mut details.window),
            Self::Columns(columns) => Some(&mut columns.window),
            Self::Arm(typing) => Some(&mut typing.window),
            Self::Menu(menu) => Some(&mut menu.window),
            Self::Answer(asking) => Some(&mut asking.window),
            Self::Note(noting) => Some(&mut noting.window),
            Self::Confirm(dialog) => Some(&mut dialog.window),
            Self::Filter(_) => None,
        }
    }
}

impl Overlay {
    /// The field that is typed into.
    pub const fn field_mut(&mut self) -> Option<&mut Field> {
        match self {
            Self::Filter(field) => Some(field),
            Self::Palette(palette) => Some(&mut palette.field),
            Self::Arm(typing) => Some(&mut typing.field),
            Self::Answer(asking) => Some(&mut asking.field),
            Self::Note(noting) => Some(&mut noting.field),
            // Its letters are counted one by one: see `press`.
            Self::Confirm(dialog) if dialog.word.is_some() => Some(&mut dialog.typed),
            Self::Help(window) | Self::ActionLog(window) | Self::Sources(window) => {
                window.find.field.as_mut()
            }
            Self::Logs(logs) => logs.window.find.field.as_mut(),
            Self::Details(details) => details.window.find.field.as_mut(),
            Self::Confirm(_) | Self::Menu(_) | Self::Columns(_) => None,
        }
    }
}

/// The newest lines of our own log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs {
    /// What was read of it, the newest line last; nothing before it was read.
    pub tail: Option<LogTail>,
    /// What of it is in view.
    pub window: Window,
}

/// The end of our own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTail {
    /// Where it is.
    pub place: String,
    /// Its newest lines, the newest last; or why they cannot be read.
    pub lines: Result<Vec<String>, String>,
}

/// A command is being typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    /// What was typed.
    pub field: Field,
    /// How many commands back in what was run before it is, and what was typed before that.
    pub past: Option<(usize, String)>,
    /// What of the list is in view.
    pub window: Window,
}

impl Palette {
    /// With `text` in its field.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self { field: Field::of(text), ..Self::default() }
    }
}

/// Every column of a row in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// The row.
    pub row: RowKey,
    /// What of it is in view.
    pub window: Window,
}

/// What a column of a table is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choosing {
    /// To sort by it.
    Sort,
    /// To be shown, or not.
    Shown,
}

/// The columns of a table, one of which is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// What for.
    pub what: Choosing,
    /// The table, by its name.
    pub table: String,
    /// The headings, and whether numbers stand below them.
    pub titles: Vec<(String, bool)>,
    /// The line of the list that is chosen.
    pub at: usize,
    /// What of it is in view.
    pub window: Window,
}

/// A word that is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typing {
    /// What was typed.
    pub field: Field,
    /// For how long, where another span than the usual one is wanted.
    pub span: Option<Duration>,
    /// What of the dialog is in view.
    pub window: Window,
}

/// For how long a finding can be snoozed, as it is typed.
pub const SPANS: [&str; 3] = ["15m", "1h", "until clear"];
/// What takes a note back, typed in their place.
pub const BACK: &str = "now";

/// How note is taken of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// Somebody is at it; a note is typed.
    Acknowledge,
    /// It stands behind the others; for how long is typed.
    Snooze,
}

/// Somebody takes note of a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Noting {
    /// Which.
    pub key: FindingKey,
    /// Its sentence, as it was then.
    pub sentence: String,
    /// How.
    pub how: Noted,
    /// What was typed.
    pub field: Field,
    /// What of the dialog is in view.
    pub window: Window,
}

/// The action menu of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Menu {
    /// The row.
    pub row: RowKey,
    /// What is offered, least harm first.
    pub offers: Vec<Offer>,
    /// When it opened.
    pub opened: Now,
    /// What of it is in view.
    pub window: Window,
}

/// A value that an action needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// The row on which it was chosen.
    pub row: RowKey,
    /// The rows that were marked then.
    pub marked: Vec<RowKey>,
    /// The letter under which it was offered.
    pub letter: char,
    /// What is asked for.
    pub question: &'static str,
    /// What stood in the field at first.
    pub initial: String,
    /// What was typed.
    pub field: Field,
    /// What of it is in view.
    pub window: Window,
}

/// A value that was typed for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// What was typed.
    pub text: String,
    /// What stood there before.
    pub initial: String,
}

/// One action that waits for its confirmation.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// The row on which it was chosen.
    pub row: RowKey,
    /// The rows that were marked then.
    pub marked: Vec<RowKey>,
    /// The letter under which it was offered.
    pub letter: char,
    /// The value that was typed for it, if it needs one.
    pub answer: Option<Typed>,
    /// What would be done, pinned.
    pub action: Action,
    /// What the operator is shown.
    pub preview: Preview,
    /// What the chain says will come of it.
    pub prediction: Option<Prediction>,
    /// The word that must be typed first, if any.
    pub word: Option<String>,
    /// What was typed of it.
    pub typed: Field,
    /// Why it cannot be confirmed any more, if the object changed under it.
    pub changed: Option<String>,
    /// When it opened.
    pub opened: Now,
    /// What of it was drawn.
    pub window: Window,
}

/// What a character did to the confirm dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing yet.
    Waiting,
    /// Nothing: not everything of it was shown.
    Unseen,
    /// It was confirmed.
    Yes(Confirmed<Action>),
}

impl Confirm {
    /// Takes in a character. The only place where [`Confirmed`] is made.
    ///
    /// `laid` is the dialog in the terminal as it is now: every line of it must have been drawn, else no character counts. Without a
    /// word, the confirm key confirms. With one, the word has to be typed exactly; the letter that makes it whole confirms. Enter does nothing.
    pub fn press(&mut self, c: char, now: Now, laid: Option<&Laid>) -> Answer {
        if self.changed.is_some() || now.since(self.opened) < SETTLE {
            return Answer::Waiting;
        }
        if !laid.is_some_and(|laid| self.window.saw_all(laid)) {
            return Answer::Unseen;
        }
        let confirmed = match &self.word {
            None => c == self.preview.confirm_key,
            Some(word) => {
                self.typed.insert(c.encode_utf8(&mut [0; 4]), WORD_LIMIT);
                self.typed.text() == word
            }
        };
        let predicted = || self.prediction.as_ref().map(|prediction| prediction.words.clone());
        if confirmed {
            Answer::Yes(Confirmed::by_a_person(self.action.clone()).predicting(predicted()))
        } else {
            Answer::Waiting
        }
    }

    /// Looks whether what is offered now is still what was chosen.
    pub fn recheck(&mut self, offered: Option<&Result<(Action, Preview), Refusal>>) {
        if self.changed.is_some() {
            return;
        }
        self.changed = match offered {
            Some(Ok((action, _))) if self.action.is_still(action) => None,
            Some(Ok(_)) => Some("it changed since you chose it; close this and look again".to_owned()),
            Some(Err(refusal)) => Some(refusal.why.clone()),
            None => Some("it is gone".to_owned()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::command::Command;
    use crate::app::layout::{Sheet, Size};
    use crate::core::ids::TargetId;
    use crate::core::postgres::{BackendId, PgAction};
    use crate::ui::content::Line;
    use crate::ui::field::Edit;

    fn action(pid: i32) -> Action {
        Action::Postgres {
            target: TargetId::new("pg"),
            act: PgAction::one((BackendId { pid, backend_start_micros: 7 }, None), true),
        }
    }

    fn preview() -> Preview {
        Preview {
            title: "Terminate pid 1".to_owned(),
            facts: Vec::new(),
            statement: String::new(),
            confirm_key: 't',
            severe: false,
            word: None,
        }
    }

    fn confirm(word: Option<&str>) -> Confirm {
        Confirm {
            row: RowKey::Target(TargetId::new("pg")),
            marked: Vec::new(),
            letter: 't',
            answer: None,
            action: action(1),
            preview: preview(),
            prediction: None,
            word: word.map(str::to_owned),
            typed: Field::default(),
            changed: None,
            opened: Now::example(10),
            window: Window::default(),
        }
    }

    fn laid() -> Laid {
        let sheet = Sheet { body: vec![Line::text("who"); 30], ..Sheet::default() };
        Laid::new(sheet, Size { width: 80, height: 24 }).expect("room")
    }

    /// The same dialog after all of it was drawn.
    fn read(word: Option<&str>) -> Confirm {
        let mut dialog = confirm(word);
        dialog.window.drawn(Some(&laid()), laid().size);
        dialog.window.scroll(Command::Bottom, &laid());
        dialog.window.drawn(Some(&laid()), laid().size);
        dialog
    }

    fn press(dialog: &mut Confirm, c: char, second: u64) -> Answer {
        dialog.press(c, Now::example(second), Some(&laid()))
    }

    #[test]
    fn only_the_named_key_confirms_and_not_at_once() {
        let mut dialog = read(None);
        assert_eq!(press(&mut dialog, 't', 10), Answer::Waiting, "too soon");
        for other in ['y', ' ', '\n', 'T', 'x'] {
            assert_eq!(press(&mut dialog, other, 11), Answer::Waiting);
        }
        assert!(matches!(press(&mut dialog, 't', 11), Answer::Yes(_)));
    }

    #[test]
    fn a_word_must_be_typed_exactly() {
        let mut dialog = read(Some("prod"));
        for c in "pro".chars() {
            assert_eq!(press(&mut dialog, c, 11), Answer::Waiting);
        }
        assert_eq!(press(&mut dialog, 'x', 11), Answer::Waiting);
        assert_eq!(press(&mut dialog, 'd', 11), Answer::Waiting);
        dialog.typed.edit(Edit::Erase);
        dialog.typed.edit(Edit::Erase);
        assert!(matches!(press(&mut dialog, 'd', 11), Answer::Yes(_)));
    }

    #[test]
    fn what_changed_cannot_be_confirmed() {
        let offer = |pid| Ok((action(pid), preview()));
        let mut dialog = read(None);
        dialog.recheck(Some(&offer(1)));
        assert_eq!(dialog.changed, None);
        dialog.recheck(Some(&offer(2)));
        assert!(dialog.changed.is_some());
        assert_eq!(press(&mut dialog, 't', 11), Answer::Waiting);
        let mut gone = confirm(None);
        gone.recheck(None);
        assert_eq!(gone.changed.as_deref(), Some("it is gone"));
    }

    #[test]
    fn what_was_not_drawn_cannot_be_confirmed() {
        for word in [None, Some("t")] {
            let mut dialog = confirm(word);
            assert_eq!(press(&mut dialog, 't', 11), Answer::Unseen, "nothing was drawn");
            dialog.window.drawn(Some(&laid()), laid().size);
            assert_eq!(press(&mut dialog, 't', 11), Answer::Unseen, "its end was not");
            assert_eq!(dialog.typed.text(), "", "nothing of a word is taken before");
            let mut dialog = read(word);
            assert_eq!(
                dialog.press('t', Now::example(11), None),
                Answer::Unseen,
                "the terminal is too small now"
            );
            assert!(matches!(press(&mut dialog, 't', 11), Answer::Yes(_)));
        }
    }
}
