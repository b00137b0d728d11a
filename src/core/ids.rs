//! Names of things that are watched. Deliberately nothing about how to reach them.

use super::systems::each_system;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The name of one configured instance, unique in a run ("pg-main", "redis-queues").
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TargetId(Arc<str>);

impl TargetId {
    /// A target named `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetId({})", self.0)
    }
}

/// The number of something that happened in this run, in the order in which it was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u64);

macro_rules! kinds {
    ($($Kind:ident $module:ident $types:tt ($short:literal, $name:literal, $about:literal) $screens:tt)*) => {
        /// The kind of system that a target is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum SystemKind {
            $(#[doc = $about] $Kind,)*
        }

        impl SystemKind {
            /// Every kind, in the order in which screens list them.
            pub const ALL: &'static [Self] = &[$(Self::$Kind),*];

            /// The short word for the status line.
            #[must_use]
            pub const fn short(self) -> &'static str {
                match self {
                    $(Self::$Kind => $short,)*
                }
            }

            /// The word for it in the configuration and where there is room.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$Kind => stringify!($module),)*
                }
            }

            /// The full name for sentences.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Kind => $name,)*
                }
            }
        }
    };
}

each_system!(kinds);
