//! Fields of job data that are not for the screen. Pure.

use serde_json::Value;

/// What stands in the place of a masked value.
const MASKED: &str = "•••";

/// The JSON `text` with the values of these fields masked, at any depth, whatever their case; and whether there were any. What is no
/// JSON stays as it is.
#[must_use]
pub fn masked(text: &str, fields: &[String]) -> (String, bool) {
    if fields.is_empty() {
        return (text.to_owned(), false);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            let found = mask(&mut value, fields);
            if found { (value.to_string(), true) } else { (text.to_owned(), false) }
        }
        Err(_) => (text.to_owned(), false),
    }
}

fn mask(value: &mut Value, fields: &[String]) -> bool {
    match value {
        Value::Object(map) => {
            let mut found = false;
            for (name, inner) in map.iter_mut() {
                if fields.iter().any(|field| field.eq_ignore_ascii_case(name)) {
                    *inner = Value::from(MASKED);
                    found = true;
                } else {
                    found |= mask(inner, fields);
                }
            }
            found
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| mask(item, fields) | found),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_at_any_depth_and_nothing_else() {
        let fields = ["email".to_owned(), "card".to_owned()];
        let data =
            r#"{"order":7,"to":[{"Email":"a@b.c","name":"A"}],"card":{"number":"4111"},"note":"email"}"#;
        let (shown, found) = masked(data, &fields);
        assert!(found && !shown.contains("a@b.c") && !shown.contains("4111"), "{shown}");
        assert!(shown.contains(r#""name":"A""#) && shown.contains(r#""note":"email""#), "{shown}");
        assert_eq!(masked(data, &[]), (data.to_owned(), false));
        assert_eq!(masked("email: a@b.c", &fields), ("email: a@b.c".to_owned(), false));
    }
}
