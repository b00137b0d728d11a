//! What can be open above a screen. The confirm overlay is the only place where a confirmation is given.

use crate::core::action::{Action, Confirmed, Offer, Preview, Refusal};
use crate::core::arming::Permit;
use crate::core::place::RowKey;
use crate::core::time::Now;
use std::time::Duration;

/// Keys this soon after a dialog opened were meant for what was there before.
pub const SETTLE: Duration = Duration::from_millis(300);

/// Something open above the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The help, scrolled by this many lines.
    Help(usize),
    /// The action log.
    ActionLog(usize),
    /// The sources.
    Sources(usize),
    /// The filter is being typed.
    Filter,
    /// A command is being typed.
    Palette(String),
    /// The environment's name is being typed.
    Arm(String),
    /// What may be done to a row.
    Menu(Menu),
    /// A value that an action needs is being typed.
    Answer(Box<Asking>),
    /// One action, before it is done.
    Confirm(Box<Confirm>),
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
    /// What was typed.
    pub text: String,
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
    pub answer: Option<String>,
    /// What would be done, pinned.
    pub action: Action,
    /// What the operator is shown.
    pub preview: Preview,
    /// The permission, as it was when the dialog opened.
    pub permit: Permit,
    /// The word that must be typed first, if any.
    pub word: Option<String>,
    /// What was typed of it.
    pub typed: String,
    /// Why it cannot be confirmed any more, if the object changed under it.
    pub changed: Option<String>,
    /// When it opened.
    pub opened: Now,
}

/// What a key did to the confirm dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing yet.
    Waiting,
    /// It was confirmed.
    Yes(Confirmed<Action>),
}

impl Confirm {
    /// Takes in a character. The only place where [`Confirmed`] is made.
    ///
    /// Without a word, the confirm key confirms. With one, the word has to be typed exactly; its last letter confirms. Enter does nothing.
    pub fn press(&mut self, c: char, now: Now) -> Answer {
        if self.changed.is_some() || now.since(self.opened) < SETTLE {
            return Answer::Waiting;
        }
        let confirmed = match &self.word {
            None => c == self.preview.confirm_key,
            Some(word) => {
                self.typed.push(c);
                self.typed == *word
            }
        };
        if confirmed { Answer::Yes(Confirmed::by_a_person(self.action.clone())) } else { Answer::Waiting }
    }

    /// Takes back the last character of the word.
    pub fn erase(&mut self) {
        self.typed.pop();
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
    use crate::core::ids::TargetId;
    use crate::core::postgres::{BackendId, PgAction};

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
            row: RowKey::new(&["backend"]),
            marked: Vec::new(),
            letter: 't',
            answer: None,
            action: action(1),
            preview: preview(),
            permit: Permit { target: TargetId::new("pg"), until: None },
            word: word.map(str::to_owned),
            typed: String::new(),
            changed: None,
            opened: Now::example(10),
        }
    }

    #[test]
    fn only_the_named_key_confirms_and_not_at_once() {
        let mut dialog = confirm(None);
        assert_eq!(dialog.press('t', Now::example(10)), Answer::Waiting, "too soon");
        for other in ['y', ' ', '\n', 'T', 'x'] {
            assert_eq!(dialog.press(other, Now::example(11)), Answer::Waiting);
        }
        assert!(matches!(dialog.press('t', Now::example(11)), Answer::Yes(_)));
    }

    #[test]
    fn a_word_must_be_typed_exactly() {
        let mut dialog = confirm(Some("prod"));
        for c in "pro".chars() {
            assert_eq!(dialog.press(c, Now::example(11)), Answer::Waiting);
        }
        assert_eq!(dialog.press('x', Now::example(11)), Answer::Waiting);
        assert_eq!(dialog.press('d', Now::example(11)), Answer::Waiting);
        dialog.erase();
        dialog.erase();
        assert!(matches!(dialog.press('d', Now::example(11)), Answer::Yes(_)));
    }

    #[test]
    fn what_changed_cannot_be_confirmed() {
        let offer = |pid| Ok((action(pid), preview()));
        let mut dialog = confirm(None);
        dialog.recheck(Some(&offer(1)));
        assert_eq!(dialog.changed, None);
        dialog.recheck(Some(&offer(2)));
        assert!(dialog.changed.is_some());
        assert_eq!(dialog.press('t', Now::example(11)), Answer::Waiting);
        let mut gone = confirm(None);
        gone.recheck(None);
        assert_eq!(gone.changed.as_deref(), Some("it is gone"));
    }
}
