//! The state of one target, by its kind: what each kind of system does with a reading, a gap and a break, and what its rules see.

use super::alert::{RuleSpec, Rulebook, Signal};
use super::ids::{SystemKind, TargetId};
use super::part::Unread;
use super::reading::Reading;
use super::systems::each_system;
use super::time::Now;

macro_rules! states {
    ($($Kind:ident $module:ident ($Reading:ident, $State:ident, $Row:ident)
        ($short:literal, $name:literal, $about:literal) $screens:tt)*) => {
        /// The state of one target, by its kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum SystemState {
            $(#[doc = $about] $Kind(Box<super::$module::$State>),)*
        }

        impl SystemState {
            /// An empty state for a target of `kind`.
            #[must_use]
            pub fn new(kind: SystemKind) -> Self {
                match kind {
                    $(SystemKind::$Kind => Self::$Kind(Box::default()),)*
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

            pub(super) fn signals(&self, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Signal> {
                match self {
                    $(Self::$Kind(state) => super::$module::signals(state, target, rules, now),)*
                }
            }

            /// The parts that were not read though they should have been, with the rules that look at them.
            pub(super) fn unread(&self) -> Vec<Unread> {
                match self {
                    $(Self::$Kind(state) => state.reading().map(super::$module::unread),)*
                }
                .unwrap_or_default()
            }
        }

        /// The rules of every system.
        pub(super) const RULES: &[&[RuleSpec]] = &[$(super::$module::RULES),*];
    };
}

each_system!(states);
