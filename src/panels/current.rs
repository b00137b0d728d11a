//! Whether anything may be done to what is shown: only while its source answers. What is late may not be so any more.

use crate::core::action::Refusal;
use crate::core::freshness::Freshness;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;

/// What is to be done about it.
const WAIT: &str = "wait until the source answers again";

/// That `target` answers as it should.
///
/// # Errors
/// Why nothing is done to what was read of it.
pub(super) fn current(context: PanelContext<'_>, target: &TargetState) -> Result<(), Refusal> {
    match target.freshness(context.now) {
        Freshness::Waiting | Freshness::Fresh(_) => Ok(()),
        Freshness::Late(age) => {
            let words =
                format!("its source is late, and this was so {} ago: it may be otherwise now", duration(age));
            Err(Refusal::new(words).remedy(WAIT))
        }
        Freshness::Lost(_) => Err(Refusal::new("the data is too old to act on").remedy(WAIT)),
    }
}
