//! The configuration was read again, or a list of targets was: what is about targets that have gone is given up.

use super::act;
use crate::app::model::{Earlier, Model};
use crate::app::msg::{Effect, Reloaded};
use crate::app::overlay::Overlay;
use crate::core::arming::Mode;
use crate::core::enlisted::Enlisted;
use crate::core::ids::TargetId;
use crate::core::row::RowKey;
use crate::ui::content::Role;
use crate::ui::select::View;
use std::collections::{BTreeMap, BTreeSet};

/// All of it that can be taken over holds at once, or nothing of it.
pub fn reloaded(model: &mut Model, result: Result<Box<Reloaded>, String>) -> Vec<Effect> {
    let new = match result {
        Ok(new) => *new,
        Err(why) => {
            let why = why.lines().collect::<Vec<_>>().join("; ");
            model.say(Role::Warning, format!("nothing was changed: {why}"));
            return Vec::new();
        }
    };
    model.keymap = new.keymap;
    if let Some(theme) = new.theme {
        model.theme = theme;
        model.otherwise = None;
    }
    rearrange(model, new.columns);
    model.notifier.tell_as(new.notify);
    let closed = part(model, &new.targets.left);
    let armed = is_armed(model);
    model.arming.exchange(&new.targets.left, new.access);
    model.arming.tighten(&new.stance);
    let disarmed = if armed && !is_armed(model) { "stacktop is no longer armed; " } else { "" };
    act::recheck_permission(model);
    model.trail = new.trail;
    model.world.topology = new.topology;
    let recall = recalled(model, &new.targets);
    model.world.exchange(new.targets, model.now);
    model.world.judge_by(new.rules, model.now);
    let closed = closed.map_or_else(String::new, |target| {
        format!("the dialog was closed: {target} is not asked any more as it was; ")
    });
    model.say(Role::Note, format!("{closed}{disarmed}{}", new.words));
    recall.into_iter().collect()
}

/// What earlier runs kept of the sizes of targets that come. Until that is known nothing new is kept, for it may be there already.
fn recalled(model: &mut Model, targets: &Enlisted) -> Option<Effect> {
    if targets.joined.is_empty() {
        return None;
    }
    model.world.await_sizes();
    Some(Effect::RecallSizes)
}

fn is_armed(model: &Model) -> bool {
    matches!(model.arming.mode(model.now), Mode::Armed(_))
}

/// Other columns are wanted: where the operator chose others, those stay.
fn rearrange(model: &mut Model, columns: BTreeMap<String, View>) {
    let before = std::mem::replace(&mut model.habits.columns, columns);
    let now = &model.habits.columns;
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let levels = model.places.values_mut().flat_map(|place| &mut place.levels).map(|level| &mut level.views);
    for views in levels.chain(model.habits.views.values_mut()) {
        for name in &names {
            let default = View::default();
            let view = views.entry((*name).clone()).or_default();
            if view.has_columns_of(before.get(*name).unwrap_or(&default)) {
                view.columns_of(now.get(*name).unwrap_or(&default));
            }
        }
    }
}

/// What lists name has come and gone.
pub fn enlisted(model: &mut Model, enlisted: Enlisted) -> Vec<Effect> {
    part(model, &enlisted.left);
    let recall = recalled(model, &enlisted);
    model.world.enlist(enlisted, model.now);
    recall.into_iter().collect()
}

/// Targets have gone, or are asked in another way: marks on what is theirs, and a dialog about it, would be about something else. The
/// target whose dialog was closed.
fn part(model: &mut Model, left: &[TargetId]) -> Option<TargetId> {
    if left.is_empty() {
        return None;
    }
    let gone = |row: &RowKey| row.target().is_some_and(|target| left.contains(target));
    for level in model.places.values_mut().flat_map(|place| &mut place.levels) {
        level.marks.retain(|row, _| !gone(row));
        level.marked_last.take_if(|row| gone(row));
        level.pinned.take_if(|row| gone(row));
    }
    model.kept.take_if(|kept| gone(&kept.row));
    model.foretold.part(left);
    model.notifier.part(left);
    // Numbers of one server are no trend of another's.
    model.earlier = Earlier::default();
    // Whoever is asked under that name next has to be told anew what is looked at.
    model.focus.retain(|(target, _)| !left.contains(target));
    let about = model.overlay.as_ref().and_then(about).filter(|target| left.contains(target));
    if about.is_some() {
        model.overlay = None;
    }
    about
}

/// The target that an open dialog would change something of.
fn about(overlay: &Overlay) -> Option<TargetId> {
    let of = |row: &RowKey| row.target().cloned();
    match overlay {
        Overlay::Menu(menu) => of(&menu.row),
        Overlay::Answer(asking) => of(&asking.row),
        Overlay::Confirm(dialog) => Some(dialog.action.target().clone()),
        Overlay::Help(_)
        | Overlay::ActionLog(_)
        | Overlay::Sources(_)
        | Overlay::Logs(_)
        | Overlay::Palette(_)
        | Overlay::Details(_)
        | Overlay::Columns(_)
        | Overlay::Arm(_)
        | Overlay::Note(_)
        | Overlay::Filter(_) => None,
    }
}
