//! What an outcome names one by one, where there are many: first what was not done, for that is what somebody has to look at.

/// Jobs or letters that the outcome names one by one; beyond that it counts.
pub(super) const NAMED: usize = 50;

/// The lines of an outcome for `results`: each one's id, what became of it, and whether it was done.
pub(super) fn named<'a>(
    noun: &str,
    results: &(impl Iterator<Item = (&'a str, &'a str, bool)> + Clone),
) -> Vec<(String, String)> {
    let of = |wanted: bool| results.clone().filter(move |(_, _, done)| *done == wanted);
    let told = of(false).chain(of(true)).take(NAMED);
    told.map(|(id, became, _)| (format!("{noun} {id}"), became.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_done_is_named_however_many_were() {
        let ids: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let results = ids.iter().map(|id| match id.as_str() {
            "120" | "7" => (id.as_str(), "left alone", false),
            id => (id, "back", true),
        });
        let lines = named("letter", &results);
        assert_eq!(lines.len(), NAMED);
        let first: Vec<&str> = lines.iter().take(4).map(|(id, _)| id.as_str()).collect();
        assert_eq!(first, ["letter 7", "letter 120", "letter 0", "letter 1"]);
    }
}
