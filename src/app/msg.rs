//! What can happen to the app, and what it can ask for: both plain data.

use super::command::Command;
use super::keymap::Keymap;
use super::layout::Size;
use super::overlay::LogTail;
use crate::actions::audit::Tail;
use crate::actions::ongoing::News;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verification};
use crate::core::alert::{Note, Rulebook};
use crate::core::arming::{Access, Permit, Stance};
use crate::core::enlisted::Enlisted;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::notify::{Desktop, NotifySettings};
use crate::core::report::PollReport;
use crate::core::sizes::SizesAt;
use crate::core::timeline::{Event, Mark};
use crate::core::topology::Topology;
use crate::ui::select::View;
use crate::ui::theme::Theme;
use chrono::FixedOffset;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A poll ended.
    Report(Box<PollReport>),
    /// A second passed; how far local time is from UTC.
    Tick(FixedOffset),
    /// Something is wanted.
    Command(Command),
    /// A character reached what is open: it is typed there, chooses, or confirms.
    Typed(char),
    /// The terminal has this size.
    Resize(Size),
    /// A frame is about to be drawn: what it shows is made once, for it and for the key after it.
    Draws,
    /// The model as it is was drawn in a terminal of this size: what is open was seen as far as it has room there.
    Drawn(Size),
    /// The terminal has said that its background is light, or that it is not.
    Background {
        /// Whether it is light.
        light: bool,
    },
    /// Text was pasted. It reaches only an open text field, never the keys.
    Paste(String),
    /// The mouse was pressed at this column and row.
    Click(u16, u16),
    /// The operator's editor ended: the text, or why there is none.
    Edited(Result<String, String>),
    /// An action was carried out, or not.
    ActionDone {
        /// Its name in the audit trail.
        id: String,
        /// What.
        action: Action,
        /// What came of it.
        result: Result<Outcome, ActionError>,
    },
    /// A look afterwards ended.
    Verified {
        /// Its name in the audit trail.
        id: String,
        /// What was looked at.
        action: Action,
        /// What it found.
        result: Result<Verification, ActionError>,
    },
    /// How far an action that takes long has come.
    Progress(String),
    /// The newest lines of the audit trail.
    AuditTail(Tail),
    /// The newest lines of our own log.
    Logged(LogTail),
    /// Something was copied or written to files, or could not be: a sentence.
    Told(String),
    /// The configuration was read again, or why it was not: then nothing changes.
    Reloaded(Result<Box<Reloaded>, String>),
    /// What earlier runs kept of their timelines, oldest first.
    Recalled(Vec<Event>),
    /// Sizes that earlier runs kept, and others beside this one.
    SizesRecalled(Vec<SizesAt>),
    /// What other runs noted of findings, or that it holds no more.
    Noted(Vec<Note>),
    /// Targets have come and gone.
    Enlisted(Box<Enlisted>),
    /// Somebody else has set marks.
    Marked(Vec<Mark>),
    /// The timeline, or sizes, cannot be kept: a sentence.
    NotKept(String),
}

impl From<News> for Msg {
    fn from(news: News) -> Self {
        match news {
            News::Progress(words) => Self::Progress(words),
            News::Done { id, action, result } => Self::ActionDone { id, action, result },
            News::Verified { id, action, result } => Self::Verified { id, action, result },
        }
    }
}

/// What is in force from now on, as the configuration says that was read again.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// The keys.
    pub keymap: Keymap,
    /// Which columns are wanted, by the names of tables.
    pub columns: BTreeMap<String, View>,
    /// The theme, where another one is named now.
    pub theme: Option<Theme>,
    /// The rules.
    pub rules: Rulebook,
    /// Who is told of what beside the screen.
    pub notify: NotifySettings,
    /// The targets that have gone, and those that have come; one that is asked in another way has done both.
    pub targets: Enlisted,
    /// What those that have come allow.
    pub access: Vec<(TargetId, Access)>,
    /// What is said of the whole stack: what is stricter than before holds.
    pub stance: Stance,
    /// What depends on what.
    pub topology: Topology,
    /// Why each target was chosen.
    pub trail: Vec<String>,
    /// What of it is new, and what needs a restart.
    pub words: String,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Something is to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Carry out a confirmed action.
    Perform {
        /// What.
        confirmed: Confirmed<Action>,
        /// The permission under which it was confirmed.
        permit: Permit,
    },
    /// Poll this target now.
    PollNow(TargetId),
    /// Poll all of them now.
    PollAll,
    /// Ask every target so many times less often than configured.
    Pace(u32),
    /// What is on the screen needs these details.
    Focus(Vec<(TargetId, Focus)>),
    /// Put this into the clipboard.
    Copy(String),
    /// Write these files into this folder; the answer is [`Msg::Told`].
    Export {
        /// Where to.
        folder: PathBuf,
        /// What.
        files: Vec<FileText>,
    },
    /// Read the configuration again; the answer is [`Msg::Reloaded`].
    Reload,
    /// Read the end of the audit trail.
    ReadAudit,
    /// Read the end of our own log.
    ReadLog,
    /// Write down in the audit trail what came of what was predicted of an action; the answer is [`Msg::AuditTail`].
    Checked {
        /// Its name in the audit trail.
        id: String,
        /// What was done.
        action: Action,
        /// What came of it.
        words: String,
    },
    /// Keep this of the timeline for runs to come.
    Keep(Vec<Arc<Event>>),
    /// Keep these sizes for runs to come.
    KeepSizes(Vec<SizesAt>),
    /// Read which sizes earlier runs kept: there are targets that were not there when that was read.
    RecallSizes,
    /// Keep these notes for runs to come, and for those beside this one.
    KeepNotes(Vec<Note>),
    /// Ring the terminal's bell.
    Bell,
    /// Show this as a notification of the desktop.
    Notify(Desktop, String),
    /// Tell the webhook of this.
    Post(Arc<Event>),
    /// Stop actions that take long.
    StopActions,
    /// The mouse is stacktop's from now on, or the terminal's again; the answer is [`Msg::Told`].
    Mouse,
    /// Draw everything anew.
    Redraw,
    /// Open this in the operator's editor; what comes of it is [`Msg::Edited`].
    Edit(String),
    /// Back to the shell until continued.
    Suspend,
    /// End.
    Quit,
}
