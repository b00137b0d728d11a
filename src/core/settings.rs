//! What the configuration says of a target, as far as its state, its rules and its pages need it. It stays with the target: a reading is
//! data of the outside only.

use super::ids::SystemKind;
use super::systems::each_system;

macro_rules! settings {
    ($($Kind:ident $module:ident ($Reading:ident, $State:ident, $Row:ident, $Settings:ident)
        ($short:literal, $name:literal, $about:literal) $screens:tt)*) => {
        /// The settings of one target, by its kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum SystemSettings {
            $(#[doc = concat!("Of this: ", $about)] $Kind(super::$module::$Settings),)*
        }

        impl SystemSettings {
            /// The kind of system that they are for.
            #[must_use]
            pub const fn kind(&self) -> SystemKind {
                match self {
                    $(Self::$Kind(_) => SystemKind::$Kind,)*
                }
            }
        }

        /// What holds where nothing is configured.
        impl From<SystemKind> for SystemSettings {
            fn from(kind: SystemKind) -> Self {
                match kind {
                    $(SystemKind::$Kind => Self::$Kind(super::$module::$Settings::default()),)*
                }
            }
        }
    };
}

each_system!(settings);
