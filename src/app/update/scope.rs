//! Which targets are looked at: what `target NAME` means, and what is left behind when that changes.

use crate::app::model::Model;
use crate::core::row::RowKey;
use crate::core::scope::Scope;
use crate::ui::content::Role;
use crate::ui::select::Level;

/// Looks at what `text` means; at everything when it is empty.
pub fn narrow(model: &mut Model, text: &str) {
    let seen = model.seen();
    let all = seen.world.targets().iter().map(|target| &**target);
    match Scope::find(text, all.clone()) {
        Ok(scope) => {
            let count = all.filter(|target| scope.holds(target)).count();
            let words = match scope.words() {
                Some(words) => format!("only {words} is shown ({count} of {})", seen.world.targets().len()),
                None => format!("every target is shown ({count})"),
            };
            model.scope = scope;
            leave(model);
            model.say(Role::Note, words);
        }
        Err(why) => model.say(Role::Warning, why),
    }
}

/// What was opened or marked on targets that are not looked at any more is closed and not marked: nobody acts on what is not shown.
fn leave(model: &mut Model) {
    model.page = None;
    let held = |key: &RowKey, model: &Model| {
        key.target().is_none_or(|target| model.seen().target(target.as_str()).is_some())
    };
    let mut places = std::mem::take(&mut model.places);
    for place in places.values_mut() {
        let kept = place.path.iter().take_while(|key| held(key, model)).count();
        place.path.truncate(kept);
        place.levels.truncate(kept + 1);
        for Level { marks, cursor, .. } in &mut place.levels {
            marks.retain(|key, _| held(key, model));
            *cursor = cursor.take().filter(|key| held(key, model));
        }
    }
    model.places = places;
}

/// The first name of a target or a group that begins with `text`.
pub fn completed(model: &Model, text: &str) -> Option<String> {
    let targets = model.seen().world.targets();
    let names = targets.iter().flat_map(|target| [target.group(), target.id.as_str()]);
    let begins = |name: &&str| name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
    let mut found: Vec<&str> = names.filter(begins).collect();
    found.sort_unstable();
    found.first().map(|name| (*name).to_owned())
}
