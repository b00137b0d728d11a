//! `:reload`: the configuration is read again while stacktop runs. What cannot be understood changes nothing; what can be taken over is told
//! by name, and so is what needs a restart. Targets come and go with what is written; one that was only found is kept where it is not found
//! any more, because it may be what does not run. What may be done becomes stricter at once, and milder by a restart only.

use super::arguments::{Arguments, parse};
use super::begin::{access, executor, job, state};
use super::check::{Surfaces, surfaces};
use super::given::wishes;
use super::roster::{Lists, Names, SharedNames};
use super::trust::Care;
use crate::app::msg::Reloaded;
use crate::config::discover::Surroundings;
use crate::config::file::ColumnsFile;
use crate::config::listed::Listing;
use crate::config::resolve::{Patience, Settings, resolve};
use crate::config::secret::Secret;
use crate::config::target::TargetConfig;
use crate::core::alert::Rulebook;
use crate::core::arming::{Access, Stance};
use crate::core::enlisted::Enlisted;
use crate::core::ids::TargetId;
use crate::core::text::counted;
use crate::core::time::Clock;
use crate::core::topology::Topology;
use crate::core::world::all_rules;
use crate::runtime::reload::{Reload, Reread};
use crate::systems::is_changed;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// So many targets are told by name.
const NAMED: usize = 4;

/// What is in force, as far as it is compared.
#[derive(Clone, Debug)]
struct InForce {
    rules: Rulebook,
    keys: String,
    columns: BTreeMap<String, ColumnsFile>,
    theme: (Option<String>, bool, bool),
    notify: String,
    topology: Topology,
    /// Each by its name, without those of lists.
    targets: BTreeMap<TargetId, TargetConfig>,
    /// What each of them allows, which may be less than what is written; and what those allowed that have gone in this run.
    access: BTreeMap<TargetId, Access>,
    stance: Stance,
    patience: Patience,
    webhook: Option<Secret>,
    lists: String,
}

impl InForce {
    fn of(settings: &Settings) -> Self {
        // Those of lists come and go by themselves, and no others have a group.
        let own = settings.targets.iter().filter(|target| target.group.is_none());
        let lists: Vec<String> = settings.lists.iter().map(Listing::saying).collect();
        Self {
            rules: settings.rules.clone(),
            keys: format!("{:?}", settings.keys),
            columns: settings.columns.clone(),
            theme: (settings.theme.clone(), settings.ascii, settings.blocks),
            notify: format!("{:?}", settings.notify),
            topology: settings.topology.clone(),
            access: own.clone().map(|target| (target.id.clone(), access(target))).collect(),
            targets: own.map(|target| (target.id.clone(), target.clone())).collect(),
            stance: Stance {
                environment: settings.environment.clone(),
                guessed: settings.guessed,
                production: settings.production,
                read_only: settings.read_only.clone(),
            },
            patience: settings.patience,
            webhook: settings.webhook.clone(),
            lists: lists.join(" "),
        }
    }
}

/// What reads it again, for a run that began with `begin` and `lists`, and has its files in `folder`.
pub(super) fn reload(
    begin: &Settings,
    lists: Option<&Lists>,
    folder: &Path,
    clock: Arc<dyn Clock>,
) -> Reload {
    let known = Mutex::new(InForce::of(begin));
    let names = lists.map_or_else(SharedNames::default, Lists::names);
    let told = lists.map_or_else(Vec::new, |lists| lists.told().to_vec());
    let folder = folder.to_owned();
    Reload(Arc::new(move || {
        let arguments =
            parse(std::env::args_os()).map_err(|_| "the arguments cannot be read again".to_owned())?;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let written = read(&arguments, &Surroundings::here())?;
        let (mut reloaded, joined, now) = {
            // Whoever follows the lists waits for it: no file is read meanwhile.
            let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
            again(written, &known, &mut names)?
        };
        *known = now;
        reloaded.trail.extend(told.iter().cloned());
        reloaded.access = joined.iter().map(|target| (target.id.clone(), access(target))).collect();
        reloaded.targets.joined = joined.iter().map(|target| state(target, clock.now())).collect();
        let entries = joined.iter().filter_map(|target| executor(target, &folder)).collect();
        Ok(Reread { reloaded, jobs: joined.into_iter().map(job).collect(), entries })
    }))
}

/// What is written now. Lists are followed by themselves: none is read here.
fn read(arguments: &Arguments, around: &Surroundings) -> Result<(Settings, Surfaces), String> {
    let settings = resolve(&wishes(arguments, around, Care::Again)?, around)?;
    let surfaces = surfaces(arguments, around, &settings)?;
    Ok((settings, surfaces))
}

/// What is written, against what was in force `before`: what the app is told, the targets that have come, and what is in force then.
fn again(
    (settings, surfaces): (Settings, Surfaces),
    before: &InForce,
    names: &mut Names,
) -> Result<(Reloaded, Vec<TargetConfig>, InForce), String> {
    let Surfaces { keymap, themes, columns } = surfaces;
    let mut now = InForce::of(&settings);
    let moves = Moves::between(before, &mut now, settings.found, &names.listed);
    moves.usable(&now, settings.found)?;
    now.access = allowed(before, &now);
    if now.targets.is_empty() && settings.lists.is_empty() {
        return Err("it names nothing to watch".to_owned());
    }
    now.stance = before.stance.tightened(&now.stance);
    let theme = (before.theme != now.theme).then_some(themes.theme);
    let mut taken = taken(before, &now);
    taken.extend(theme.as_ref().map(|theme| format!("theme {}", theme.name)));
    taken.extend(moves.taken());
    let left = left(before, &InForce::of(&settings), &now.stance);
    let needed = left.into_iter().chain(moves.left()).chain(milder(&now)).collect::<Vec<_>>();
    let words = match (taken.is_empty(), needed.is_empty()) {
        (true, true) => "read again: nothing in it has changed".to_owned(),
        (true, false) => format!("read again, needs a restart: {}", needed.join(", ")),
        (false, true) => format!("read again, in force now: {}", taken.join(", ")),
        (false, false) => {
            format!("read again, in force now: {}; needs a restart: {}", taken.join(", "), needed.join(", "))
        }
    };
    names.own = now.targets.keys().map(ToString::to_string).collect();
    let joined = moves.joined.iter().chain(&moves.changed).filter_map(|id| now.targets.get(id).cloned());
    let reloaded = Reloaded {
        keymap,
        columns,
        theme,
        rules: settings.rules,
        notify: settings.notify,
        targets: Enlisted {
            left: moves.gone.iter().chain(&moves.changed).cloned().collect(),
            ..Enlisted::default()
        },
        access: Vec::new(),
        stance: now.stance.clone(),
        topology: settings.topology,
        trail: settings.trail,
        words,
    };
    let joined = joined.collect();
    // What needs a restart is told until there was one.
    let (patience, webhook, lists) = (before.patience, before.webhook.clone(), before.lists.clone());
    Ok((reloaded, joined, InForce { patience, webhook, lists, ..now }))
}

/// What can be taken over at once, but for the theme and targets.
fn taken(before: &InForce, now: &InForce) -> Vec<String> {
    let changed =
        all_rules().iter().filter(|rule| before.rules.get(rule.id) != now.rules.get(rule.id)).count();
    let mut taken = Vec::new();
    match changed {
        0 if before.rules != now.rules => taken.push("rules of single targets".to_owned()),
        0 => {}
        count => taken.push(counted(count, "rule")),
    }
    let (was, is) = (&before.stance, &now.stance);
    let some = [
        (before.keys != now.keys, "keys"),
        (before.columns != now.columns, "columns"),
        (before.notify != now.notify, "notifications"),
        (before.topology != now.topology, "[[depends]]"),
        (was.environment != is.environment, "environment"),
        (was.production != is.production, "production"),
        (was.read_only != is.read_only, "read_only"),
    ];
    taken.extend(some.iter().filter(|(changed, _)| *changed).map(|(_, what)| (*what).to_owned()));
    taken
}

/// What is written otherwise and needs a restart, but for targets; `stance` is what holds of what is written.
fn left(before: &InForce, written: &InForce, stance: &Stance) -> Vec<String> {
    let wanted = &written.stance;
    // What nobody wrote is not told as something that waits for a restart.
    let some = [
        (!wanted.guessed && wanted.environment != stance.environment, "environment"),
        (!wanted.guessed && wanted.production != stance.production, "production"),
        (wanted.read_only.is_some() != stance.read_only.is_some(), "read_only"),
        (before.patience != written.patience, "[engine]"),
        (before.webhook != written.webhook, "webhook"),
        (before.lists != written.lists, "[[discover]]"),
    ];
    some.iter().filter(|(changed, _)| *changed).map(|(_, what)| (*what).to_owned()).collect()
}

/// What every target of `now` allows: what is asked in another way under the same name, or comes again, allows no more than `before`. What
/// has gone is remembered.
fn allowed(before: &InForce, now: &InForce) -> BTreeMap<TargetId, Access> {
    let holds = |(id, target): (&TargetId, &TargetConfig)| {
        let written = access(target);
        let was = before.access.get(id).copied();
        (id.clone(), was.map_or(written, |was| written.max(was)))
    };
    let mut all = before.access.clone();
    all.extend(now.targets.iter().map(holds));
    all
}

/// Which targets are written as milder than what holds; nothing where none is.
fn milder(now: &InForce) -> Option<String> {
    let is_milder = |id: &TargetId, target: &TargetConfig| {
        is_changed(target) && now.access.get(id).is_some_and(|holds| access(target) < *holds)
    };
    let milder = now.targets.iter().filter(|(id, target)| is_milder(id, target));
    named(&milder.map(|(id, _)| id.clone()).collect::<Vec<_>>(), "allowed no more than before")
}

/// How targets come and go.
#[derive(Debug, Default)]
struct Moves {
    joined: Vec<TargetId>,
    gone: Vec<TargetId>,
    /// Asked in another way.
    changed: Vec<TargetId>,
    /// Found before, and not any more: they may be what does not run.
    missed: Vec<TargetId>,
    /// A list has a target of this name.
    taken: Vec<TargetId>,
}

impl Moves {
    /// From `before` to `now`, which afterwards has exactly what is watched then.
    fn between(before: &InForce, now: &mut InForce, found: bool, listed: &BTreeSet<String>) -> Self {
        let mut moves = Self::default();
        now.targets.retain(|id, _| {
            let free = before.targets.contains_key(id) || !listed.contains(id.as_str());
            if !free {
                moves.taken.push(id.clone());
            }
            free
        });
        for (id, target) in &now.targets {
            match before.targets.get(id) {
                None => moves.joined.push(id.clone()),
                // Why it is there may be told in other words.
                Some(was) => {
                    let why = was.chosen_because.clone();
                    if (TargetConfig { chosen_because: why, ..target.clone() }) != *was {
                        moves.changed.push(id.clone());
                    }
                }
            }
        }
        for (id, target) in &before.targets {
            if now.targets.contains_key(id) {
                continue;
            }
            if found {
                moves.missed.push(id.clone());
                now.targets.insert(id.clone(), target.clone());
            } else {
                moves.gone.push(id.clone());
            }
        }
        moves
    }

    /// A mistake in an entry takes away no target that was good. What is only found beside the others nobody wrote.
    fn usable(&self, now: &InForce, found: bool) -> Result<(), String> {
        let joined = self.joined.iter().filter(|_| !found);
        let come = joined.chain(&self.changed).filter_map(|id| now.targets.get(id));
        let wrong: Vec<&str> = come.filter_map(TargetConfig::unusable).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    fn taken(&self) -> impl Iterator<Item = String> {
        [
            named(&self.joined, "new"),
            named(&self.gone, "watched no more"),
            named(&self.changed, "asked in another way"),
        ]
        .into_iter()
        .flatten()
    }

    fn left(&self) -> impl Iterator<Item = String> {
        [
            named(&self.missed, "not found now and watched until then"),
            named(&self.taken, "called as one of a list"),
        ]
        .into_iter()
        .flatten()
    }
}

/// Which targets are so; nothing where none is.
fn named(targets: &[TargetId], what: &str) -> Option<String> {
    let names: Vec<&str> = targets.iter().take(NAMED).map(TargetId::as_str).collect();
    let more = if targets.len() > NAMED { ", …" } else { "" };
    match targets.len() {
        0 => None,
        1 => Some(format!("{} is {what}", names.join(""))),
        many => Some(format!("{} are {what} ({}{more})", counted(many, "target"), names.join(", "))),
    }
}

#[cfg(test)]
mod tests;
