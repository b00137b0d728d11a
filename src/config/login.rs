//! The password that each host of a Postgres target is given: from the environment or from the password file.

use crate::config::bounded;
use crate::config::pgpass::matching;
use crate::config::pgpass::others_may_read;
use crate::config::postgres::Origin;
use crate::config::postgres::{PgPlace, PostgresConnect};
use crate::config::secret::Secret;
use crate::config::surroundings::Surroundings;
use std::path::PathBuf;

/// The password for `pg` from `PGPASSWORD`, or for each of its hosts from the password file; what was ignored is said in `trail`.
pub(super) fn fill(around: &Surroundings, pg: &mut PostgresConnect, trail: &mut Vec<String>) {
    if pg.password.is_some() || pg.origin == Origin::Folder {
        return;
    }
    if let Some(password) = around.var("PGPASSWORD") {
        pg.password = Some(Secret::inline(password));
        return;
    }
    let named = pg.passfile.clone().or_else(|| around.var("PGPASSFILE").map(PathBuf::from));
    let Some(path) = named.or_else(|| around.home().map(|home| home.join(".pgpass"))) else { return };
    let Ok(text) = bounded::text(&path) else { return };
    if others_may_read(&path) {
        trail.push(format!("{} is ignored, because others may read it: chmod 600", path.display()));
        return;
    }
    for host in &mut pg.hosts {
        // The usual folder of sockets goes by this name there.
        let usual = |folder: &PathBuf| around.socket_folder(host.port).as_ref() == Some(folder);
        let name = match &host.place {
            PgPlace::Socket(folder) if usual(folder) => "localhost".to_owned(),
            PgPlace::Socket(folder) => folder.display().to_string(),
            PgPlace::Name(name) | PgPlace::Address(_, Some(name)) => name.clone(),
            PgPlace::Address(address, None) => address.to_string(),
        };
        let wanted = [name, host.port.to_string(), pg.database.clone(), pg.user.clone()];
        if text.lines().any(|line| matching(line, &wanted).is_some()) {
            trail.push(format!("password of {} at {host} from {}", pg.user, path.display()));
            host.password = Some(Secret::Passfile(path.clone(), wanted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::postgres::Origin;
    use crate::config::url;
    use std::path::Path;

    #[test]
    fn nothing_of_this_machine_is_added_to_what_came_with_a_folder() {
        let around = Surroundings::empty(Path::new("/")).with("PGPASSWORD", "mine");
        for (origin, added) in [(Origin::Own, true), (Origin::Folder, false)] {
            let mut pg = url::postgres("postgres://ann@localhost/shop").expect("a URL");
            pg.origin = origin;
            fill(&around, &mut pg, &mut Vec::new());
            assert_eq!(pg.password.is_some(), added);
        }
    }
}
