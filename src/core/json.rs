//! JSON as text: over several lines for people, and back on one. Values are not read, so none is changed.

/// `text` over several lines, two blanks for each level. What is no JSON comes back as it is.
#[must_use]
pub fn indented(text: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut level = 0_usize;
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    };
    let plain = flat(text);
    let mut signs = plain.chars().peekable();
    let mut quoted = false;
    while let Some(sign) = signs.next() {
        out.push(sign);
        match sign {
            '\\' if quoted => out.extend(signs.next()),
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' if matches!(signs.peek(), Some('}' | ']')) => out.extend(signs.next()),
            '{' | '[' => {
                level += 1;
                line(&mut out, level);
            }
            ',' => line(&mut out, level),
            ':' => out.push(' '),
            _ => {}
        }
        if !quoted && matches!(signs.peek(), Some('}' | ']')) && !out.ends_with(['{', '[']) {
            level = level.saturating_sub(1);
            line(&mut out, level);
        }
    }
    out
}

/// `text` without the blanks and lines between its parts.
#[must_use]
pub fn flat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars();
    let mut quoted = false;
    while let Some(sign) = signs.next() {
        match sign {
            '\\' if quoted => {
                out.push(sign);
                out.extend(signs.next());
                continue;
            }
            '"' => quoted = !quoted,
            sign if !quoted && sign.is_ascii_whitespace() => continue,
            _ => {}
        }
        out.push(sign);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_every_value_is_as_it_was() {
        for text in [
            r#"{"a":1,"b":[1.50,12345678901234567890123],"c":{},"d":[],"e":"x, {y}: \" z","f":null}"#,
            "[]",
            "7",
            r#"[{"a":[{"b":[[1],2]}]}]"#,
        ] {
            let lines = indented(text);
            assert_eq!(flat(&lines), text, "{lines}");
            assert!(serde_json::from_str::<serde_json::Value>(&lines).is_ok(), "{lines}");
        }
        assert_eq!(
            indented(r#"{"a":{"b":[1,2]}}"#),
            "{\n  \"a\": {\n    \"b\": [\n      1,\n      2\n    ]\n  }\n}"
        );
        assert_eq!(indented("no json {"), "no json {");
    }
}
