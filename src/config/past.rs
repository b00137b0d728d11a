//! `[[prometheus.past]]`: where a Prometheus remembers the past of a number.

use super::entry::PastFile;
use super::misspelt::suggestion;
use crate::core::prometheus::PromPast;
use crate::core::trace::TRACES;

/// Where the past of a number is remembered: a number that has a graph.
pub(super) fn remembered(entry: &PastFile) -> Result<PromPast, String> {
    let mut names = TRACES.iter().map(|spec| spec.name);
    if !names.clone().any(|name| name == entry.number) {
        let hint = suggestion(&entry.number, names.clone());
        let all = names.by_ref().collect::<Vec<_>>().join(", ");
        return Err(format!("past: `{}` has no graph{hint}; there are {all}", entry.number));
    }
    if entry.expr.trim().is_empty() {
        return Err(format!("past: the expr of `{}` is empty", entry.number));
    }
    Ok(PromPast { target: entry.target.clone(), number: entry.number.clone(), expr: entry.expr.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_of_a_number_that_has_a_graph() {
        let entry = |number: &str| PastFile {
            target: "pg".to_owned(),
            number: number.to_owned(),
            expr: "sum(backends)".to_owned(),
        };
        assert_eq!(remembered(&entry("connections")).expect("known").number, "connections");
        let wrong = remembered(&entry("conections")).expect_err("misspelt");
        assert!(
            wrong.starts_with("past: `conections` has no graph; did you mean `connections`?; there are "),
            "{wrong}"
        );
    }
}
