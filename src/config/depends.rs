//! Which service depends on which target: as `[[depends]]` says, and as the environment of the services of a compose file tells.

use super::discover::{self, Surroundings};
use super::file::File;
use super::misspelt::suggestion;
use super::target::TargetConfig;
use crate::core::topology::{Depends, Topology};

/// What `[[depends]]` of `file` says, by the names of the targets in force.
///
/// # Errors
/// One sentence with its place, for a target that is not there.
pub(super) fn written(
    file: &File,
    targets: &[TargetConfig],
    place: &dyn Fn(usize) -> String,
) -> Result<Vec<Depends>, String> {
    let said = file.depends.iter().map(|entry| {
        let (service, on) = (entry.service.get_ref(), entry.on.get_ref());
        let target = targets.iter().find(|target| target.id.as_str() == on);
        let id = target.map(|target| target.id.clone()).ok_or_else(|| {
            let hint = suggestion(on, targets.iter().map(|target| target.id.as_str()));
            format!("{}: there is no target `{on}`{hint}", place(entry.on.span().start))
        })?;
        let because = format!("{} says so", place(entry.service.span().start));
        Ok(Depends { service: service.clone(), on: id, because })
    });
    said.collect()
}

/// What is written and what a compose file in this folder tells; each line of the latter goes to `trail`, too.
pub(super) fn topology(
    mut said: Vec<Depends>,
    targets: &[TargetConfig],
    around: &Surroundings,
    trail: &mut Vec<String>,
) -> Topology {
    for found in discover::depends(around, targets) {
        if !said.iter().any(|known| known.service == found.service && known.on == found.on) {
            trail.push(format!("{} depends on {}: {}", found.service, found.on, found.because));
            said.push(found);
        }
    }
    Topology::new(said)
}
