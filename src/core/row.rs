//! What a row stands for: its identity, never its place. Each system says which rows it has.

use super::alert::{FindingKey, RuleId, Severity};
use super::ids::{EventId, TargetId};
use super::postgres::{BackendId, PgRow};
use super::redis::{QueueRef, RedisRow};
use super::systems::each_system;
use std::mem::discriminant;

macro_rules! rows {
    ($($Kind:ident $module:ident ($Reading:ident, $State:ident, $Row:ident, $Settings:ident)
        ($short:literal, $name:literal, $about:literal) $screens:tt)*) => {
        /// The identity of a row.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RowKey {
            /// A finding on the overview.
            Finding(FindingKey),
            /// A target itself.
            Target(TargetId),
            /// Several targets that are of one group, by its name.
            Group(String),
            $(#[doc = concat!("Something of this: ", $about)] $Kind(TargetId, super::$module::$Row),)*
            /// Something that happened.
            Event(EventId),
            /// Findings of one rule, and as bad, on several targets of one group.
            Alike(RuleId, Severity, String),
            /// Several rows of a table that have one value in one column.
            Counted(Counted),
        }

        impl RowKey {
            /// The target that it belongs to.
            #[must_use]
            pub const fn target(&self) -> Option<&TargetId> {
                match self {
                    Self::Finding(FindingKey { target, .. }) | Self::Target(target) $(| Self::$Kind(target, _))* => Some(target),
                    Self::Counted(counted) => counted.target.as_ref(),
                    Self::Group(_) | Self::Event(_) | Self::Alike(..) => None,
                }
            }

            $(
                #[doc = concat!("The target and what it is of it, if it is of this: ", $about)]
                #[must_use]
                pub const fn $module(&self) -> Option<(&TargetId, &super::$module::$Row)> {
                    match self {
                        Self::$Kind(target, row) => Some((target, row)),
                        _ => None,
                    }
                }
            )*

            /// Whether both stand for the same kind of thing, on whichever target.
            #[must_use]
            pub fn is_like(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$Kind(_, a), Self::$Kind(_, b)) => discriminant(a) == discriminant(b),)*
                    (a, b) => discriminant(a) == discriminant(b),
                }
            }
        }
    };
}

each_system!(rows);

/// What a row stands for that counts others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Counted {
    /// Which table: the words of its heading that stay.
    pub table: String,
    /// The target that all of its rows belong to, if they do.
    pub target: Option<TargetId>,
    /// The column's heading.
    pub column: String,
    /// The value, compared whole; empty for rows that have none.
    pub value: String,
}

impl RowKey {
    /// The row of a backend, the same on every screen.
    #[must_use]
    pub fn backend(target: &TargetId, id: BackendId) -> Self {
        Self::Postgres(target.clone(), PgRow::Backend(id))
    }

    /// The row of a prepared transaction.
    #[must_use]
    pub fn prepared(target: &TargetId, gid: &str) -> Self {
        Self::Postgres(target.clone(), PgRow::Prepared(gid.to_owned()))
    }

    /// The row of a queue.
    #[must_use]
    pub fn of_queue(target: &TargetId, queue: &QueueRef) -> Self {
        Self::Redis(target.clone(), RedisRow::Queue(queue.clone()))
    }

    /// The queue that it is, or is of.
    #[must_use]
    pub const fn queue(&self) -> Option<&QueueRef> {
        match self {
            Self::Redis(_, row) => row.queue(),
            _ => None,
        }
    }

    /// Whether it stands for several rows.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Counted(_))
    }
}
