//! Where something is on the screen: a screen, and the path of rows that leads to it. No drawing here.

use super::ids::SystemKind;
use super::row::RowKey;
use super::systems::each_system;

macro_rules! screens {
    ($($Kind:ident $module:ident $types:tt $words:tt { $($Screen:ident $name:literal $what:literal)* })*) => {
        /// The screens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Screen {
            /// Findings, worst first, and the golden signals.
            Overview,
            $($(#[doc = $what] $Screen,)*)*
            /// What changed, newest first.
            Timeline,
        }

        impl Screen {
            /// Every screen in the order of the tabs.
            pub const ALL: &'static [Self] = &[Self::Overview, $($(Self::$Screen,)*)* Self::Timeline];

            /// The system that it is about; none for those that are about all of them.
            #[must_use]
            pub const fn system(self) -> Option<SystemKind> {
                match self {
                    Self::Overview | Self::Timeline => None,
                    $($(Self::$Screen => Some(SystemKind::$Kind),)*)*
                }
            }

            /// Its name: the command that opens it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Overview => "overview",
                    $($(Self::$Screen => $name,)*)*
                    Self::Timeline => "timeline",
                }
            }
        }
    };
}

each_system!(screens);

/// A place to go to: a screen and the rows to open on it, the last one selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The screen.
    pub screen: Screen,
    /// The row to select there, if any.
    pub row: Option<RowKey>,
}
