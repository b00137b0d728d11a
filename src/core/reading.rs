//! What one poll of one target read: one shape per kind of system. The shapes live with their systems.

use super::ids::SystemKind;
use super::systems::each_system;
use super::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};

macro_rules! readings {
    ($($Kind:ident $module:ident ($Reading:ident, $State:ident, $Row:ident, $Settings:ident)
        ($short:literal, $name:literal, $about:literal) $screens:tt)*) => {
        /// A typed result of a poll.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Reading {
            $(#[doc = $about] $Kind(Box<super::$module::$Reading>),)*
        }

        impl Reading {
            /// Where the server is, by what came with its connection; `None` for systems in which nothing is changed.
            #[must_use]
            pub fn whereabouts(&self) -> Option<&Whereabouts> {
                match self {
                    $(Self::$Kind(reading) => reading.whereabouts(),)*
                }
            }

            /// The kind of system that it describes.
            #[must_use]
            pub const fn kind(&self) -> SystemKind {
                match self {
                    $(Self::$Kind(_) => SystemKind::$Kind,)*
                }
            }
        }
    };
}

each_system!(readings);
