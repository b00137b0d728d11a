//! What only several servers together tell: two of one system that both take writes.

use crate::core::alert::RuleUnit::State;
use crate::core::alert::Triage::Errors;
use crate::core::alert::{Breach, Grade, Rule, RuleSpec, Rulebook, Severity};
use crate::core::ids::TargetId;
use crate::core::place::Screen;
use crate::core::postgres::{Fact, PostgresReading, PostgresState, Server};

/// Two servers of one system that both take writes.
pub static TWO_PRIMARIES: Rule<PostgresState> = Rule::threshold(
    RuleSpec::new("postgres.two_primaries", "two servers of one system that both take writes", State, Errors)
        .hold(5)
        .root(),
);

/// Servers of one system of files that are no copies, by what was read of each just now. Two databases of one server are one server: they
/// began at the same moment.
#[must_use]
pub fn two_primaries(servers: &[(&TargetId, &PostgresReading)], rules: &Rulebook) -> Vec<Breach> {
    let mut found: Vec<Breach> = Vec::new();
    if !rules.get(TWO_PRIMARIES.id()).enabled {
        return found;
    }
    for (at, (id, reading)) in servers.iter().enumerate() {
        let own = &reading.server;
        let Some(system) = own.system.as_ref().filter(|_| takes_writes(own)) else { continue };
        let same = |other: &Server| {
            other.system.as_ref() == Some(system)
                && takes_writes(other)
                && other.started_micros != own.started_micros
        };
        let other = servers.iter().take(at).find(|(_, other)| same(&other.server));
        let Some((first, _)) = other else { continue };
        let grade = Grade { severity: Severity::Critical, value: None, threshold: None };
        let sentence = format!(
            "{first} and {id} are of one system and both take writes: what is written to one is not on the other"
        );
        let about = (format!("primaries {first} {id}"), sentence);
        let mut breach = Breach::new(&TWO_PRIMARIES.spec, first, Screen::Replication, grade, about);
        breach
            .say("fence one of them now; if one was restored from a backup on purpose, switch this rule off");
        found.push(breach);
    }
    found
}

/// Whether it is known to be no copy, and when it began.
fn takes_writes(server: &Server) -> bool {
    !server.in_recovery && server.untold(Fact::Recovery).is_none() && server.untold(Fact::Start).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Gap, GapKind};
    use crate::core::postgres::Untold;
    use crate::core::world::all_rules;

    fn reading(system: &str, in_recovery: bool, started_micros: i64) -> PostgresReading {
        let system = (!system.is_empty()).then(|| system.to_owned());
        let server = Server { in_recovery, started_micros, system, ..Server::default() };
        PostgresReading { server, ..PostgresReading::default() }
    }

    #[track_caller]
    fn check(second: &PostgresReading, expected: usize) {
        let (first, one, two) = (reading("7", false, 1), TargetId::new("one"), TargetId::new("two"));
        let servers = [(&one, &first), (&two, second)];
        assert_eq!(two_primaries(&servers, &Rulebook::defaults(&all_rules())).len(), expected);
    }

    #[test]
    fn two_of_one_system_take_writes() {
        check(&reading("7", false, 2), 1);
        check(&reading("7", true, 2), 0);
        check(&reading("8", false, 2), 0);
        check(&reading("", false, 2), 0);
        // Another database of the same server.
        check(&reading("7", false, 1), 0);
        // Nobody knows when it started, or whether it is a copy.
        for (fact, started_micros) in [(Fact::Start, 0), (Fact::Recovery, 2)] {
            let mut unknown = reading("7", false, started_micros);
            unknown.server.untold =
                vec![Untold { fact, gap: Gap::new(GapKind::NotPermitted, "permission denied") }];
            check(&unknown, 0);
        }
    }
}
