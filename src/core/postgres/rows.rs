//! Which rows a statement is about, in words: "orders, id = 8831". A lock on a row is told by the server as a transaction or a place on a
//! page, which tells an operator nothing. Read from the text as far as it is plain; where it is not, nothing is said. Pure.

/// Columns of a condition; a longer one is left out.
const LONGEST: usize = 40;

/// Words that end a condition.
const ENDS: [&str; 8] = ["returning", "for", "order", "limit", "group", "union", "on", "window"];

/// The table, and the condition behind WHERE where it is short, of the first table that `statement` changes or locks rows of.
#[must_use]
pub fn rows(statement: &str) -> Option<String> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let at = |word: &str| lower.iter().position(|found| found == word);
    let first = lower.first()?;
    let table = match first.as_str() {
        "update" => 1,
        "delete" | "insert" | "merge"
            if lower.get(1).is_some_and(|word| word == "from" || word == "into") =>
        {
            2
        }
        // Only one that locks rows can be waited for because of them.
        "select" if at("for").is_some() => at("from")? + 1,
        _ => return None,
    };
    let table = if lower.get(table).is_some_and(|word| word == "only") { table + 1 } else { table };
    let name = name(words.get(table)?)?;
    if first == "insert" {
        return Some(format!("a new row of {name}"));
    }
    let condition = at("where").filter(|place| *place > table).map(|place| {
        let rest = lower[place + 1..].iter().position(|word| ENDS.contains(&word.as_str()));
        let end = rest.map_or(words.len(), |length| place + 1 + length);
        words[place + 1..end].join(" ").trim_end_matches(';').to_owned()
    });
    match condition.filter(|words| !words.is_empty() && words.chars().count() <= LONGEST) {
        Some(condition) => Some(format!("{name}, {condition}")),
        None => Some(format!("rows of {name}")),
    }
}

/// The name of a table without its schema `public`; nothing where that is no plain name.
fn name(word: &str) -> Option<&str> {
    let bare = word.split('(').next()?.trim_end_matches([',', ';']);
    let bare = bare.strip_prefix("public.").unwrap_or(bare);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '$');
    (!bare.is_empty() && bare.chars().all(plain)).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, expected: Option<&str>) {
        assert_eq!(rows(statement).as_deref(), expected, "{statement}");
    }

    #[test]
    fn what_a_statement_changes_is_named_where_it_is_plain() {
        check("UPDATE orders SET state = 'paid' WHERE id = 8831", Some("orders, id = 8831"));
        check("update only public.orders set a = 1 where id = $1 returning *;", Some("orders, id = $1"));
        check("DELETE FROM carts WHERE id = 7;", Some("carts, id = 7"));
        check("SELECT * FROM orders o WHERE o.id = 5 FOR UPDATE", Some("orders, o.id = 5"));
        check("INSERT INTO events(kind) VALUES ('x')", Some("a new row of events"));
        check("UPDATE orders SET state = 'x'", Some("rows of orders"));
        check(
            "UPDATE orders SET state = 'x' WHERE customer = 5 AND state IN (SELECT state FROM states WHERE late)",
            Some("rows of orders"),
        );
    }

    #[test]
    fn of_what_locks_no_row_nothing_is_said() {
        check("SELECT * FROM orders WHERE id = 5", None);
        check("VACUUM orders", None);
        check("WITH x AS (UPDATE orders SET a = 1) SELECT 1", None);
        check("UPDATE", None);
        check("DELETE orders", None);
        check("UPDATE (orders)", None);
        check("", None);
    }
}
