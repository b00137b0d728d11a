//! What locks are about, in words: names of databases and relations, learned once and remembered for a minute. A catalog that is locked
//! takes names away, never locks.

use crate::core::postgres::locks::advisory;
use crate::core::time::Now;
use std::collections::HashMap;
use std::time::Duration;

/// A rename must be noticed.
pub(super) const REMEMBERED: Duration = Duration::from_secs(60);

/// What a lock is about, as the server numbers it.
#[derive(Clone, Debug, Default)]
pub struct Thing {
    /// `locktype`.
    pub kind: String,
    /// The database; 0 for what all share.
    pub database: Option<u32>,
    /// The relation.
    pub relation: Option<u32>,
    /// The page of it.
    pub page: Option<i32>,
    /// The row on that page.
    pub tuple: Option<i16>,
    /// The transaction (or virtual transaction).
    pub transaction: Option<String>,
    /// `classid`.
    pub class: u32,
    /// `objid`.
    pub object: u32,
    /// `objsubid`.
    pub form: i16,
}

/// The names that are known.
#[derive(Debug, Default)]
pub struct Names {
    pub(super) learned_at: Option<Now>,
    pub(super) own: Option<u32>,
    pub(super) databases: HashMap<u32, String>,
    /// Nothing for what is not visible: made by a transaction that is still open, or dropped since.
    pub(super) relations: HashMap<u32, Option<String>>,
}

impl Names {
    /// Whether its relation can be looked up in our own database.
    pub(super) fn is_ours(&self, thing: &Thing) -> bool {
        thing.database == Some(0) || (self.own.is_some() && thing.database == self.own)
    }

    fn database(&self, thing: &Thing) -> String {
        match thing.database {
            None | Some(0) => String::new(),
            Some(oid) => {
                let name = self.databases.get(&oid).cloned().unwrap_or_else(|| oid.to_string());
                format!(" of database {name}")
            }
        }
    }

    fn relation(&self, thing: &Thing) -> String {
        let Some(oid) = thing.relation else { return thing.kind.clone() };
        let ours = self.is_ours(thing);
        let known = self.relations.get(&oid).filter(|_| ours).cloned().flatten();
        known.unwrap_or_else(|| {
            let place = if ours { String::new() } else { self.database(thing) };
            format!("table {oid}{place}")
        })
    }

    /// What `thing` is, for people.
    #[must_use]
    pub fn object(&self, thing: &Thing) -> String {
        let transaction = thing.transaction.as_deref().unwrap_or("?");
        match (thing.kind.as_str(), thing.page, thing.tuple) {
            ("relation", ..) => self.relation(thing),
            ("tuple", Some(page), Some(tuple)) => format!("row ({page},{tuple}) of {}", self.relation(thing)),
            ("page", Some(page), _) => format!("page {page} of {}", self.relation(thing)),
            ("extend", ..) => format!("the end of {}", self.relation(thing)),
            ("transactionid", ..) => format!("transaction {transaction}"),
            ("virtualxid", ..) => format!("virtual transaction {transaction}"),
            ("advisory", ..) => {
                format!("{}{}", advisory(thing.class, thing.object, thing.form), self.database(thing))
            }
            ("object", ..) => {
                format!("object {} of class {}{}", thing.object, thing.class, self.database(thing))
            }
            (kind, ..) if thing.relation.is_some() => format!("{kind} of {}", self.relation(thing)),
            (kind, ..) => format!("{kind}{}", self.database(thing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(thing: &Thing, expected: &str) {
        let names = Names {
            own: Some(5),
            databases: [(5, "shop".to_owned()), (9, "billing".to_owned())].into(),
            relations: [(100, Some("table orders".to_owned())), (101, None)].into(),
            learned_at: None,
        };
        assert_eq!(names.object(thing), expected);
    }

    #[test]
    fn things_are_named_in_the_database_to_which_they_belong() {
        let relation = |database: u32, relation: u32| Thing {
            kind: "relation".to_owned(),
            database: Some(database),
            relation: Some(relation),
            ..Thing::default()
        };
        check(&relation(5, 100), "table orders");
        check(&relation(5, 101), "table 101");
        // The same number in another database is another table.
        check(&relation(9, 100), "table 100 of database billing");
        check(&relation(77, 100), "table 100 of database 77");
        let row = Thing { kind: "tuple".to_owned(), page: Some(3), tuple: Some(4), ..relation(5, 100) };
        check(&row, "row (3,4) of table orders");
        let key =
            Thing { kind: "advisory".to_owned(), database: Some(9), object: 42, form: 1, ..Thing::default() };
        check(&key, "advisory lock 42 of database billing");
        check(&Thing { class: 7, form: 2, ..key }, "advisory lock (7, 42) of database billing");
        let transaction = Thing {
            kind: "transactionid".to_owned(),
            transaction: Some("735".to_owned()),
            ..Thing::default()
        };
        check(&transaction, "transaction 735");
    }
}
