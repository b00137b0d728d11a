//! What must hold for the labels of an alert: written and read as `amtool` does it, and tried as the Alertmanager does. Pure.

use super::dialect::differs;
use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// What must hold for a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Matcher {
    /// The label's name.
    pub name: String,
    /// Its value, or a regular expression for all of it.
    pub value: String,
    /// Whether it is a regular expression.
    pub regex: bool,
    /// Whether it must be so, or must not be.
    pub equal: bool,
}

/// The signs, longest first where one begins another: whether it is a regular expression, and whether it must be so.
const SIGNS: [(&str, bool, bool); 4] =
    [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];

/// Values that nobody has: what holds for all of them says nothing of a value.
const ANYTHING: [&str; 3] = ["a", "Z-0_.:/ é", "0"];

impl Matcher {
    /// That a label has this value.
    #[must_use]
    pub fn is(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), regex: false, equal: true }
    }

    /// That a label has one of these values.
    #[must_use]
    pub fn one_of(name: &str, values: &[&str]) -> Self {
        match values {
            [value] => Self::is(name, value),
            values => {
                let all: Vec<String> = values.iter().map(|value| regex_lite::escape(value)).collect();
                Self { value: all.join("|"), regex: true, ..Self::is(name, "") }
            }
        }
    }

    const fn sign(&self) -> &'static str {
        match (self.equal, self.regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        }
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if is_plain(&self.name) {
            f.write_str(&self.name)?;
        } else {
            quoted(f, &self.name)?;
        }
        f.write_str(self.sign())?;
        quoted(f, &self.value)
    }
}

fn quoted(f: &mut std::fmt::Formatter<'_>, text: &str) -> std::fmt::Result {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    write!(f, "\"{text}\"")
}

/// All of them as one text, in braces.
#[must_use]
pub fn written(matchers: &[Matcher]) -> String {
    let all: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", all.join(", "))
}

/// A name that stands without quotes.
fn is_plain(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Matchers that can be tried.
#[derive(Clone, Debug)]
pub struct Matching(Vec<(Matcher, Option<Regex>)>);

impl Matching {
    /// These, with their regular expressions read.
    ///
    /// # Errors
    /// Which of them cannot be read, and why.
    pub fn of(matchers: &[Matcher]) -> Result<Self, String> {
        let one = |matcher: &Matcher| {
            let regex = matcher.regex.then(|| anchored(&matcher.value)).transpose()?;
            Ok((matcher.clone(), regex))
        };
        matchers.iter().map(one).collect::<Result<_, String>>().map(Self)
    }

    /// Whether all of them hold for an alert, of which `label` tells the value of a label; empty for one that it has not.
    pub fn holds<'a>(&self, label: impl Fn(&str) -> &'a str) -> bool {
        self.0.iter().all(|one| fits(one, label(&one.0.name)))
    }

    /// Why no silence is made of these: what holds for everything keeps everything quiet.
    #[must_use]
    pub fn too_wide(&self) -> Option<&'static str> {
        if self.0.is_empty() {
            return Some("no matcher is given: it would keep every alert quiet");
        }
        if self.0.iter().all(|one| fits(one, "")) {
            return Some(
                "each of these matchers holds for an alert without the label, too: it would keep nearly everything quiet, and the \
                 Alertmanager refuses it",
            );
        }
        let open = |one: &(Matcher, Option<Regex>)| match (one.0.equal, one.0.regex) {
            (true, false) => false,
            (true, true) => ANYTHING.iter().all(|value| fits(one, value)),
            (false, _) => one.0.value.is_empty(),
        };
        let wide = "these matchers hold for whatever the labels say: it would keep every alert quiet";
        self.0.iter().all(open).then_some(wide)
    }

    /// Whether something must not be: what versions before 0.22 do not know, and take for its opposite.
    #[must_use]
    pub fn denies(&self) -> bool {
        self.0.iter().any(|(matcher, _)| !matcher.equal)
    }
}

/// A regular expression for all of a value, put together as the Alertmanager does; nothing that it would read otherwise.
fn anchored(value: &str) -> Result<Regex, String> {
    if let Some(why) = differs(value) {
        return Err(format!("whom `{value}` would silence cannot be said: {why}"));
    }
    Regex::new(&format!("^(?:{value})$"))
        .map_err(|error| format!("`{value}` is no regular expression that can be tried here: {error}"))
}

fn fits((matcher, regex): &(Matcher, Option<Regex>), value: &str) -> bool {
    let is = regex.as_ref().map_or(matcher.value == value, |regex| regex.is_match(value));
    is == matcher.equal
}

/// The matchers in braces at the begin of `text`, and what follows them.
///
/// # Errors
/// What is wrong, and where.
pub fn read(text: &str) -> Result<(Vec<Matcher>, &str), String> {
    let text = text.trim_start();
    let mut rest = text
        .strip_prefix('{')
        .ok_or_else(|| "matchers stand in braces: {alertname=\"Full\", host=~\"db.*\"}".to_owned())?;
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((all, after.trim_start()));
        }
        let (matcher, after) = one(text, rest)?;
        all.push(matcher);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(wrong(text, rest, "a comma or the closing brace")),
        }
    }
}

/// What was expected, where, and what stands there.
fn wrong(text: &str, rest: &str, expected: &str) -> String {
    let at = text.chars().count() - rest.chars().count() + 1;
    let found: String = rest.chars().take(12).collect();
    if found.is_empty() {
        return format!("{expected} is missing at the end");
    }
    format!("at character {at} {expected} is expected, not `{found}`")
}

/// One matcher, and what follows it.
fn one<'a>(text: &str, rest: &'a str) -> Result<(Matcher, &'a str), String> {
    let (name, after) = if rest.starts_with('"') {
        quotation(text, rest)?
    } else {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        (name.to_owned(), after)
    };
    if name.is_empty() || (!rest.starts_with('"') && !is_plain(&name)) {
        return Err(wrong(
            text,
            rest,
            "the name of a label (between quotes if it has other signs than letters, digits and _)",
        ));
    }
    let after = after.trim_start();
    let sign = SIGNS.iter().find(|(sign, ..)| after.starts_with(sign));
    let Some((sign, regex, equal)) = sign else {
        return Err(wrong(text, after, "one of = != =~ !~"));
    };
    let after = after[sign.len()..].trim_start();
    let (value, after) = if after.starts_with('"') {
        quotation(text, after)?
    } else {
        let (value, after) = after.split_at(after.find([',', '}']).unwrap_or(after.len()));
        if let Some(at) = value.find('"') {
            return Err(wrong(
                text,
                &rest[rest.len() - after.len() - value.len() + at..],
                "a value wholly between quotes",
            ));
        }
        (value.trim_end().to_owned(), after)
    };
    let matcher = Matcher { name, value, regex: *regex, equal: *equal };
    if *regex {
        anchored(&matcher.value)?;
    }
    Ok((matcher, after))
}

/// A text between quotes, and what follows it.
fn quotation<'a>(text: &str, rest: &'a str) -> Result<(String, &'a str), String> {
    let mut value = String::new();
    let mut signs = rest.char_indices().skip(1);
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Ok((value, &rest[at + 1..])),
            '\\' => match signs.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, sign @ ('"' | '\\'))) => value.push(sign),
                // As the Alertmanager reads it: `\d` of a regular expression needs no second backslash.
                Some((_, sign)) => value.extend(['\\', sign]),
                None => break,
            },
            sign => value.push(sign),
        }
    }
    Err(wrong(text, "", "the closing quote"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (matchers, rest) = read(text).expect("matchers");
        assert_eq!(format!("{} {rest}", written(&matchers)).trim_end(), expected);
        let again = read(&written(&matchers)).expect("what was written").0;
        assert_eq!(again, matchers);
    }

    #[track_caller]
    fn refused(text: &str, words: &str) {
        assert_eq!(read(text).map(|(matchers, _)| written(&matchers)), Err(words.to_owned()));
    }

    #[test]
    fn matchers_are_read_as_amtool_reads_them() {
        check(r#"{a="b"}"#, r#"{a="b"}"#);
        check(
            r#" { a = b , c!=d,e=~"f.*|g", h!~ "i" , } 1h why"#,
            r#"{a="b", c!="d", e=~"f.*|g", h!~"i"} 1h why"#,
        );
        check(r#"{a="b \"c\" \\ d, e} f"}"#, r#"{a="b \"c\" \\ d, e} f"}"#);
        check(r#"{a=~"\d+"}"#, r#"{a=~"\\d+"}"#);
        check(r#"{"a.b é"="c"}"#, r#"{"a.b é"="c"}"#);
        check("{a=b c}", r#"{a="b c"}"#);
        check("{a=}", r#"{a=""}"#);
        check("{}", "{}");
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        refused("a=b", "matchers stand in braces: {alertname=\"Full\", host=~\"db.*\"}");
        refused("{a", "one of = != =~ !~ is missing at the end");
        refused("{a~b}", "at character 3 one of = != =~ !~ is expected, not `~b}`");
        refused(
            r#"{a="b" c="d"}"#,
            r#"at character 8 a comma or the closing brace is expected, not `c="d"}`"#,
        );
        refused(r#"{a="b}"#, "the closing quote is missing at the end");
        refused("{a=b", "a comma or the closing brace is missing at the end");
        refused(r#"{a=b"c"}"#, r#"at character 5 a value wholly between quotes is expected, not `"c"}`"#);
        refused(
            r#"{a=~"("}"#,
            "`(` is no regular expression that can be tried here: found open group without closing ')'",
        );
        refused(
            r#"{a=~"\<b"}"#,
            r"whom `\<b` would silence cannot be said: `\<` is the sign < for an Alertmanager, not an edge of a word: write `<` or `\b`",
        );
        let name = "the name of a label (between quotes if it has other signs than letters, digits and _)";
        refused("{1a=b}", &format!("at character 2 {name} is expected, not `1a=b}}`"));
        refused("{a.b=c}", "at character 3 one of = != =~ !~ is expected, not `.b=c}`");
    }

    #[track_caller]
    fn holds(matchers: &str, value: &str, expected: bool) {
        let all = Matching::of(&read(matchers).expect("matchers").0).expect("read");
        assert_eq!(all.holds(|name| if name == "a" { value } else { "" }), expected, "{matchers} {value}");
    }

    #[test]
    fn a_regular_expression_is_for_all_of_a_value() {
        for (matchers, value, expected) in [
            ("{a=b}", "b", true),
            ("{a=b}", "bb", false),
            ("{a!=b}", "c", true),
            ("{a!=b}", "b", false),
            ("{a=~b}", "b", true),
            ("{a=~b}", "abc", false),
            ("{a=~\"b|c\"}", "c", true),
            ("{a=~\"b|c\"}", "bc", false),
            ("{a=~\".*b.*\"}", "abc", true),
            ("{a!~\"b.*\"}", "bc", false),
            ("{a!~\"b.*\"}", "ab", true),
            // A label that is not there is an empty one.
            ("{a=~\".*\"}", "", true),
            ("{a=~\".+\"}", "", false),
            ("{a=b, x=\"\"}", "b", true),
            ("{a=b, x=y}", "b", false),
        ] {
            holds(matchers, value, expected);
        }
    }

    #[track_caller]
    fn wide(matchers: &str, begins: &str) {
        let all = Matching::of(&read(matchers).expect("matchers").0).expect("read");
        let words = all.too_wide().unwrap_or_default();
        assert!(words.starts_with(begins) && words.is_empty() == begins.is_empty(), "{matchers}: {words}");
    }

    #[test]
    fn what_would_keep_everything_quiet_is_refused() {
        wide("{}", "no matcher");
        wide("{a=\"\"}", "each of these");
        wide("{a!=b}", "each of these");
        wide("{a=~\".*\", b!~c}", "each of these");
        wide("{alertname=~\".+\"}", "these matchers hold");
        wide("{alertname!=\"\"}", "these matchers hold");
        wide("{alertname=~\".*\", host=~\".+\"}", "these matchers hold");
        wide("{alertname=~\".+\", severity!=critical}", "");
        wide("{a=b}", "");
        wide("{a=~\"b.*\"}", "");
    }

    #[test]
    fn several_values_are_one_matcher() {
        assert_eq!(Matcher::one_of("a", &["x"]).to_string(), r#"a="x""#);
        let several = Matcher::one_of("a", &["x.y", "z"]);
        assert_eq!(several.to_string(), r#"a=~"x\\.y|z""#);
        let all = Matching::of(&[several]).expect("read");
        assert!(all.holds(|_| "x.y") && all.holds(|_| "z") && !all.holds(|_| "xay"));
    }
}
