//! What becomes of a service that several files describe, or that extends another one: values are replaced, lists grow, tables are merged;
//! variables are one table however they are written, and a command is never a mixture.

use super::tree::{Entries, Node};

/// Replaced as a whole.
const WHOLE: [&str; 3] = ["command", "entrypoint", "healthcheck"];
/// Tables, also where they are written as lists.
const TABLES: [&str; 2] = ["environment", "labels"];
/// Lists, also where one value stands alone.
const LISTS: [&str; 4] = ["env_file", "ports", "profiles", "secrets"];

/// The services of one file over those of the file before it.
pub(super) fn services(under: &mut Entries, over: Entries) {
    for (name, node) in over {
        match under.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = service(std::mem::take(before), node),
            None => under.push((name, service(Node::default(), node))),
        }
    }
}

/// A service over what it was before.
pub(super) fn service(under: Node, over: Node) -> Node {
    if matches!(over, Node::Wrong(_)) {
        return over;
    }
    let mut all = under.into_entries();
    for (name, node) in over.into_entries() {
        let shaped = |node: Node| match name.as_str() {
            known if TABLES.contains(&known) => table(node),
            known if LISTS.contains(&known) => list(node),
            _ => node,
        };
        let before = all.iter().position(|(known, _)| *known == name).map(|at| all.remove(at).1);
        let whole = WHOLE.contains(&name.as_str());
        let kept = match (before, node) {
            (Some(_), Node::Reset) => None,
            // It counts over the next file below, too.
            (_, Node::Override(inside)) => Some(Node::Override(Box::new(shaped(*inside)))),
            (Some(Node::Override(before)), node) if !whole => {
                Some(Node::Override(Box::new(merged(*before, shaped(node)))))
            }
            (Some(before), node) if !whole => Some(merged(shaped(before), shaped(node))),
            (None, Node::Reset) => Some(Node::Reset),
            (_, node) => Some(shaped(node)),
        };
        all.extend(kept.map(|node| (name, node)));
    }
    Node::Table(all)
}

fn merged(under: Node, over: Node) -> Node {
    match (under, over) {
        (Node::List(mut before), Node::List(more)) => {
            before.extend(more);
            Node::List(before)
        }
        (Node::Table(mut before), Node::Table(more)) => {
            for (name, node) in more {
                let old = before.iter().position(|(known, _)| *known == name).map(|at| before.remove(at).1);
                before.push((name, old.map_or(node.clone(), |old| merged(old, node))));
            }
            Node::Table(before)
        }
        (_, over) => over,
    }
}

/// `NAME=value` in a list as a table; a name alone has no value.
fn table(node: Node) -> Node {
    let Node::List(list) = node else { return node };
    let entry = |node: Node| {
        let Some(text) = node.text() else { return (String::new(), node) };
        match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Node::of(value)),
            None => (text, Node::default()),
        }
    };
    Node::Table(list.into_iter().map(entry).collect())
}

fn list(node: Node) -> Node {
    if matches!(node, Node::List(_)) { node } else { Node::List(node.items().to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::discover::compose::tree;

    #[track_caller]
    fn check(under: &str, over: &str, expected: &str) {
        let read = |text: &str| tree::read(text).expect("YAML");
        assert_eq!(service(read(under), read(over)), read(expected), "{under} + {over}");
    }

    #[test]
    fn values_are_replaced_lists_grow_and_tables_are_merged() {
        check("{image: a, command: [x, y]}", "{image: b, command: z}", "{image: b, command: z}");
        check("{ports: [\"1:1\"]}", "{ports: [\"2:2\"]}", "{ports: [\"1:1\", \"2:2\"]}");
        check("{ports: [\"1:1\"]}", "{ports: !override [\"2:2\"]}", "{ports: !override [\"2:2\"]}");
        check("{ports: [\"1:1\"], image: a}", "{ports: !reset []}", "{image: a}");
        check(
            "{environment: {A: 1, B: 2}}",
            "{environment: [\"B=3\", C]}",
            "{environment: {A: 1, B: \"3\", C: null}}",
        );
        check("{env_file: a}", "{env_file: [b]}", "{env_file: [a, b]}");
        check("{}", "{ports: !reset []}", "{ports: !reset []}");
        check("{ports: !override [a]}", "{ports: [b]}", "{ports: !override [a, b]}");
        check("{}", "{profiles: x}", "{profiles: [x]}");
    }
}
