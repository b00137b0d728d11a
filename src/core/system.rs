//! The state of one target, by its kind: what each kind of system does with a reading, a gap and a break, and what its rules see.

use super::alert::{self, Found, RuleSpec, Rulebook, Unread};
use super::ids::TargetId;
use super::reading::Reading;
use super::settings::SystemSettings;
use super::systems::each_system;
use super::time::Now;

macro_rules! states {
    ($($Kind:ident $module:ident ($Reading:ident, $State:ident, $Row:ident, $Settings:ident)
        ($short:literal, $name:literal, $about:literal) $screens:tt)*) => {
        /// The state of one target, by its kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum SystemState {
            $(#[doc = $about] $Kind(Box<super::$module::$State>),)*
        }

        impl SystemState {
            /// An empty state for a target with these settings.
            #[must_use]
            pub fn new(settings: SystemSettings) -> Self {
                match settings {
                    $(SystemSettings::$Kind(settings) => {
                        Self::$Kind(Box::new(super::$module::$State::new(settings)))
                    })*
                }
            }

            $(
                #[doc = concat!("The state, if it is of this: ", $about)]
                #[must_use]
                pub fn $module(&self) -> Option<&super::$module::$State> {
                    match self {
                        Self::$Kind(state) => Some(state),
                        _ => None,
                    }
                }
            )*

            /// Takes in a reading; `false`, and nothing is changed, when it is of another kind.
            pub(super) fn absorb(&mut self, reading: Reading, now: Now) -> bool {
                match (self, reading) {
                    $((Self::$Kind(state), Reading::$Kind(reading)) => state.absorb(*reading, now),)*
                    _ => return false,
                }
                true
            }

            pub(super) fn gap(&mut self, now: Now) {
                match self {
                    $(Self::$Kind(state) => state.gap(now),)*
                }
            }

            /// Nobody was running for a while: what is counted from poll to poll begins anew.
            pub(super) fn interrupt(&mut self) {
                match self {
                    $(Self::$Kind(state) => state.interrupt(),)*
                }
            }

            /// Everything that is wrong with it at `now` by `rules`.
            pub(super) fn judge(&self, target: &TargetId, rules: &Rulebook, now: Now) -> Found {
                match self {
                    $(Self::$Kind(state) => alert::look(&**state, target, rules, now),)*
                }
            }

            /// What nobody watches of it before its turn has come, with the rules that look at it.
            pub(super) fn awaited(&self) -> Vec<(Vec<alert::RuleId>, &'static str)> {
                match self {
                    $(Self::$Kind(state) => alert::awaited(&**state),)*
                }
            }

            /// What is not judged of it before it is known what is usual, with the rules that judge it.
            #[must_use]
            pub fn unlearned(&self) -> Option<(Vec<alert::RuleId>, &'static str)> {
                match self {
                    $(Self::$Kind(state) => alert::unlearned(&**state),)*
                }
            }

            /// The parts that were not read though they should have been, with the rules that look at them.
            pub(super) fn unread(&self) -> Vec<Unread> {
                match self {
                    $(Self::$Kind(state) => alert::unread(&**state),)*
                }
            }
        }

        /// Every rule about a system that ships, system by system.
        pub(super) fn rules() -> Vec<&'static RuleSpec> {
            let mut all = Vec::new();
            $(all.extend(super::$module::RULES.iter().map(|rule| &rule.spec));)*
            all
        }
    };
}

each_system!(states);
