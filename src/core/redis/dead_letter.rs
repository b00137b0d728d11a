//! Dead-letter queues by their names: `*` in a pattern stands for the source queue's name.

use super::DeadLetter;

/// Whether `name` is a dead-letter queue by one of `patterns`, and of which source queue.
#[must_use]
pub fn dead_letter(patterns: &[String], name: &str) -> Option<DeadLetter> {
    patterns.iter().find_map(|pattern| match pattern.split_once('*') {
        None => (name == pattern).then(DeadLetter::default),
        Some((before, after)) => {
            let source = name.strip_prefix(before)?.strip_suffix(after)?;
            (!source.is_empty()).then(|| DeadLetter { source: Some(source.to_owned()) })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_source_queue() {
        let patterns = ["*-dlq".to_owned(), "dead-letter".to_owned()];
        assert_eq!(dead_letter(&patterns, "emails-dlq"), Some(DeadLetter { source: Some("emails".into()) }));
        assert_eq!(dead_letter(&patterns, "dead-letter"), Some(DeadLetter { source: None }));
        assert_eq!(dead_letter(&patterns, "-dlq"), None);
        assert_eq!(dead_letter(&patterns, "emails"), None);
    }
}
