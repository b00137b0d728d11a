//! Which service depends on which target, as a configuration or a compose file says. Pure: nothing is looked for here.

use super::ids::TargetId;

/// A service depends on a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depends {
    /// The service: the name of an endpoint, of a queue, or what its sessions call themselves.
    pub service: String,
    /// On what.
    pub on: TargetId,
    /// Who says so ("DATABASE_URL of service api in compose.yaml").
    pub because: String,
}

/// Everything that is said of what depends on what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology(Vec<Depends>);

impl Topology {
    /// What is said.
    #[must_use]
    pub const fn new(depends: Vec<Depends>) -> Self {
        Self(depends)
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = &Depends> {
        self.0.iter()
    }

    /// Who says that `service` depends on `target`, if anybody does.
    #[must_use]
    pub fn because(&self, service: &str, target: &TargetId) -> Option<&str> {
        let said = self.iter().find(|one| one.on == *target && same_name(&one.service, service));
        said.map(|one| one.because.as_str())
    }

    /// Whether a service of this name is known.
    #[must_use]
    pub fn names(&self, service: &str) -> bool {
        self.iter().any(|one| same_name(&one.service, service))
    }
}

/// Whether two names are of one service: `shop-api` and `shop_api`, in any case. No name is that of nothing.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.', ' '], "-");
    !one.is_empty() && plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_depends_on_what_is_said_and_on_nothing_else() {
        let said = Depends {
            service: "shop_api".to_owned(),
            on: TargetId::new("orders"),
            because: "c.toml".to_owned(),
        };
        let topology = Topology::new(vec![said]);
        assert_eq!(topology.because("Shop-API", &TargetId::new("orders")), Some("c.toml"));
        assert_eq!(topology.because("shop-api", &TargetId::new("cache")), None);
        assert_eq!(topology.because("", &TargetId::new("orders")), None);
        assert!(topology.names("shop.api") && !topology.names("shop"));
    }
}
