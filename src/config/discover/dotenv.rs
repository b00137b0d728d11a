//! Targets from the `.env` file of this folder: the same variables as in the environment, not exported to the shell.
//!
//! The file came with the folder, perhaps from strangers. It therefore names only this machine, and nothing of the shell (`PG*`, password
//! files) is added to what it says.

use super::compose::Room;
use super::environment::{self, PG_URL};
use super::found::Found;
use crate::config::bounded;
use crate::config::postgres::Origin;
use crate::config::surroundings::Surroundings;
use crate::config::system::SYSTEMS;
use crate::config::target::{Connect, Locality, Way};
use crate::core::ids::SystemKind;
use std::path::Path;

/// The file.
const NAME: &str = ".env";

/// Looks at the file.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
pub(super) fn find(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let path = around.folder.join(NAME);
    let text = match bounded::text(&path) {
        Ok(text) => text,
        Err(error) => {
            if path.exists() {
                trail.push(format!("{NAME} cannot be read: {error}"));
            }
            return Ok(Vec::new());
        }
    };
    let variables = super::compose::of_file(&text, &|name| around.set(name), &Room::default());
    let others = SYSTEMS.iter().filter_map(|system| Some((system.kind, system.variable?.0)));
    let mut found = Vec::new();
    for (kind, name) in [(SystemKind::Postgres, PG_URL)].into_iter().chain(others) {
        let value = variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        // What the shell has was looked at already.
        let Some(value) = value.filter(|value| !value.is_empty() && around.var(name).is_none()) else {
            continue;
        };
        let alone = Surroundings::empty(Path::new("/"));
        let mut connect = match environment::read(kind, value, &alone) {
            Ok(connect) => connect,
            Err(why) => {
                trail.push(format!("{name} in {NAME} is not used: {why}"));
                continue;
            }
        };
        if let Connect::Postgres(pg) = &mut connect {
            pg.origin = Origin::Folder;
        }
        if is_here(&connect) {
            let because = format!("{name} in {NAME}");
            found.push(Found { connect, because, locality: Locality::ByEvidence, name: None });
        } else {
            trail.push(format!(
                "{name} in {NAME} is not used, because it names another host than this machine: export it, or name it in a configuration"
            ));
        }
    }
    Ok(found)
}

fn is_here(connect: &Connect) -> bool {
    connect.way().is_some_and(Way::is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str, set: &[(&str, &str)]) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(NAME), text).expect("written");
        let mut around = Surroundings::empty(folder.path()).with("PGPASSWORD", "mine").with("PGUSER", "me");
        for (name, value) in set {
            around = around.with(name, value);
        }
        let mut trail = Vec::new();
        let found = find(&around, &mut trail).expect("understood");
        let told = found.iter().map(|found| match &found.connect {
            Connect::Postgres(pg) => format!("{}@{} {}", pg.user, pg.configured(), pg.password.is_some()),
            Connect::Redis(redis) => format!("redis {}", redis.port),
            other => format!("{other:?}"),
        });
        (told.collect(), trail.join("\n"))
    }

    #[test]
    fn a_file_of_variables_names_servers_of_this_machine_only() {
        let text = "DATABASE_URL=\"postgresql+asyncpg://app:pw@localhost:5433/shop\"\nREDIS_URL=redis://127.0.0.1:${PORT:-6390}/1\n";
        assert_eq!(look(text, &[]).0, ["app@localhost:5433/shop true", "redis 6390"]);
        // What the shell has counts more, and nothing of the shell is added.
        assert_eq!(look(text, &[("DATABASE_URL", "postgres://x@y/z")]).0, ["redis 6390"]);
        assert_eq!(
            look("DATABASE_URL=postgres://app@localhost/shop", &[]).0,
            ["app@localhost:5432/shop false"]
        );
        for (text, says) in [
            (
                "DATABASE_URL=postgres://app:hush@db.far.example/shop",
                "DATABASE_URL in .env is not used, because it names another host",
            ),
            ("DATABASE_URL=postgres://app:hush@db/shop", "another host than this machine"),
            (
                "DATABASE_URL=mysql://root:hush@localhost/shop",
                "DATABASE_URL in .env is not used: `mysql://` is not Postgres",
            ),
            ("ELASTICSEARCH_URL=http://u:hush@localhost:1,far.example:80", "names another host"),
            ("REDIS_URL=redis://:hush@localhost:99999", "its port is not a number"),
            ("OTHER=1", ""),
        ] {
            let (found, trail) = look(text, &[]);
            assert_eq!(found, [] as [&str; 0], "{text}");
            assert!(trail.contains(says) && !trail.contains("hush"), "{trail}");
        }
    }
}
