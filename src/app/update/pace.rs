//! How often the sources are asked: as configured, or less often, and what that costs them.

use crate::app::command::Command;
use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::core::text::counted;
use crate::core::time::span_of;
use crate::ui::content::Role;
use crate::ui::format::duration;

/// Every interval is doubled so often at the most.
const SLOWEST: usize = 4;

/// One step slower, or one step back to what is configured.
pub fn step(model: &mut Model, slower: bool) -> Vec<Effect> {
    let pace =
        if slower { (model.habits.pace + 1).min(SLOWEST) } else { model.habits.pace.saturating_sub(1) };
    let (changed, asks_less) = (pace != model.habits.pace, slower);
    model.habits.pace = pace;
    let times = 1_u32 << pace;
    let often =
        if times == 1 { "as often as configured".to_owned() } else { format!("{times} times less often") };
    let (faster, slower) = (model.keymap.name(Command::Faster), model.keymap.name(Command::Slower));
    model.say(Role::Note, format!("{often}: {} ({slower} less, {faster} more)", cost(model, times)));
    if !changed {
        return Vec::new();
    }
    // Who rests for long is asked at once; who asks for less load gets no more of it.
    if asks_less { vec![Effect::Pace(times)] } else { vec![Effect::Pace(times), Effect::PollAll] }
}

/// "2.5 polls with 14 questions and 12 ms of their time a second, 5 sources".
pub fn cost(model: &Model, times: u32) -> String {
    let targets = model.world.targets();
    let each = |target: &crate::core::world::TargetState| {
        target.configured_interval.saturating_mul(times).as_secs_f64().max(0.001)
    };
    let polls: f64 = targets.iter().map(|target| 1.0 / each(target)).sum();
    let busy: f64 = targets.iter().filter_map(|target| Some(target.took?.as_secs_f64() / each(target))).sum();
    let asked: Option<f64> = targets
        .iter()
        .filter_map(|target| Some(target.questions? / each(target)))
        .reduce(|sum, one| sum + one);
    let asked = asked.map_or_else(String::new, |asked| format!(" with {asked:.1} questions"));
    format!(
        "{polls:.1} polls{asked} and {} of their time a second, {}",
        duration(span_of(busy)),
        counted(targets.len(), "source")
    )
}
