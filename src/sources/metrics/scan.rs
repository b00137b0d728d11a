//! Scans expositions: text 0.0.4, OpenMetrics 1.0 and UTF-8 names. Borrows from the body; a bad line costs itself only.
//!
//! No interpretation: suffixes, units and quantiles are `core`'s.

use crate::core::metrics::MetricKind;
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Of so many bad lines the reasons are kept; beyond that they are only counted.
pub const BAD_KEPT: usize = 20;

/// A sample takes about so many bytes of a body, and a label so many: only a guess of how much room is needed.
const SAMPLE_BYTES: usize = 120;
const LABEL_BYTES: usize = 32;

/// One sample; its labels are a range of [`Exposition::labels`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The full name.
    pub name: Cow<'a, str>,
    /// Which of the exposition's labels are its own.
    pub labels: Range<usize>,
    /// The value.
    pub value: f64,
    /// The timestamp as it stands there (milliseconds in 0.0.4, seconds in OpenMetrics).
    pub timestamp: Option<f64>,
}

/// Everything in a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition<'a> {
    /// The samples in order.
    pub samples: Vec<Sample<'a>>,
    /// The labels of all samples, one after the other.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What families are, where the body says so.
    pub kinds: HashMap<Cow<'a, str>, MetricKind>,
    /// The first bad lines: number (from 1) and what is wrong.
    pub bad: Vec<(usize, &'static str)>,
    /// How many lines were bad.
    pub bad_total: usize,
}

impl<'a> Exposition<'a> {
    /// The labels of `sample`.
    #[must_use]
    pub fn labels_of(&self, sample: &Sample<'a>) -> &[(Cow<'a, str>, Cow<'a, str>)] {
        self.labels.get(sample.labels.clone()).unwrap_or_default()
    }
}

/// Scans a whole body.
#[must_use]
pub fn scan(text: &str) -> Exposition<'_> {
    // About what a usual exposition needs: growing would copy everything several times.
    let mut out = Exposition {
        samples: Vec::with_capacity(text.len() / SAMPLE_BYTES),
        labels: Vec::with_capacity(text.len() / LABEL_BYTES),
        ..Exposition::default()
    };
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let (line, after) = match memchr(b'\n', rest.as_bytes()) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        rest = after;
        let line = blanks(line.strip_suffix('\r').unwrap_or(line));
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            if line == "# EOF" {
                break;
            }
            comment(line, &mut out);
            continue;
        }
        let labels_before = out.labels.len();
        match sample(line, &mut out.labels) {
            Ok(sample) => out.samples.push(sample),
            Err(why) => {
                out.labels.truncate(labels_before);
                out.bad_total += 1;
                if out.bad.len() < BAD_KEPT {
                    out.bad.push((number, why));
                }
            }
        }
    }
    out
}

/// `text` without the blanks before it.
fn blanks(text: &str) -> &str {
    let end = text.bytes().position(|byte| byte != b' ' && byte != b'\t').unwrap_or(text.len());
    &text[end..]
}

/// `# TYPE name kind`; every other comment says nothing that is shown.
fn comment<'a>(line: &'a str, out: &mut Exposition<'a>) {
    let Some(rest) = blanks(&line[1..]).strip_prefix("TYPE") else { return };
    if !rest.starts_with([' ', '\t']) {
        return;
    }
    let rest = blanks(rest);
    let (name, kind) = if let Some(quoted) = rest.strip_prefix('"') {
        match string(quoted) {
            Ok((name, after)) => (name, blanks(after)),
            Err(_) => return,
        }
    } else {
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        (Cow::Borrowed(&rest[..end]), blanks(&rest[end..]))
    };
    let kind = match kind.trim_end() {
        "counter" => MetricKind::Counter,
        "gauge" => MetricKind::Gauge,
        "histogram" | "gaugehistogram" => MetricKind::Histogram,
        "summary" => MetricKind::Summary,
        _ => MetricKind::Untyped,
    };
    out.kinds.insert(name, kind);
}

const fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

/// Which bytes a name may hold, by byte: looked up for most bytes of a body.
const IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = starts_name(byte as u8) || (byte as u8).is_ascii_digit();
        byte += 1;
    }
    table
};

/// The name at the start of `text`, and what follows it.
fn name(text: &str) -> Result<(&str, &str), &'static str> {
    let bytes = text.as_bytes();
    if !bytes.first().copied().is_some_and(starts_name) {
        return Err("it does not begin with a metric or label name");
    }
    let end = bytes.iter().position(|byte| !IN_NAME[usize::from(*byte)]).unwrap_or(bytes.len());
    Ok(text.split_at(end))
}

fn sample<'a>(
    line: &'a str,
    labels: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Result<Sample<'a>, &'static str> {
    let first = labels.len();
    let (mut metric, mut rest) = if line.starts_with('{') {
        (Cow::Borrowed(""), line)
    } else {
        let (name, rest) = name(line)?;
        (Cow::Borrowed(name), rest)
    };
    if !rest.starts_with([' ', '\t', '{']) {
        return Err("there is something else than labels or a blank after the name");
    }
    rest = blanks(rest);
    if let Some(inside) = rest.strip_prefix('{') {
        rest = blanks(in_braces(inside, &mut metric, labels)?);
    }
    if metric.is_empty() {
        return Err("it has no metric name");
    }
    let (value, after) = token(rest);
    let value = number(value)?;
    let after = blanks(after);
    let timestamp = if after.is_empty() || after.starts_with('#') {
        None
    } else {
        let (stamp, after) = token(after);
        let stamp = stamp
            .parse::<f64>()
            .ok()
            .filter(|stamp| stamp.is_finite())
            .ok_or("its timestamp is no number")?;
        let after = blanks(after);
        if !after.is_empty() && !after.starts_with('#') {
            return Err("there is something behind its timestamp");
        }
        Some(stamp)
    };
    Ok(Sample { name: metric, labels: first..labels.len(), value, timestamp })
}

/// The labels up to the closing brace; a quoted text without `=` is the metric's own name.
fn in_braces<'a>(
    inside: &'a str,
    metric: &mut Cow<'a, str>,
    labels: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Result<&'a str, &'static str> {
    let mut rest = blanks(inside);
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        let (label, after) = if let Some(quoted) = rest.strip_prefix('"') {
            string(quoted)?
        } else {
            let (name, after) = name(rest)?;
            (Cow::Borrowed(name), after)
        };
        let after = blanks(after);
        if let Some(value) = after.strip_prefix('=') {
            let value = blanks(value).strip_prefix('"').ok_or("a label's value is not in quotes")?;
            let (value, after) = string(value)?;
            labels.push((label, value));
            rest = blanks(after);
        } else if metric.is_empty() && rest.starts_with('"') {
            *metric = label;
            rest = after;
        } else {
            return Err("a label has no value");
        }
        match rest.as_bytes().first() {
            Some(b',') => rest = blanks(&rest[1..]),
            Some(b'}') => {}
            _ => return Err("its labels do not end"),
        }
    }
}

/// A quoted text whose opening quote is already taken: the text with its escapes undone, and what follows.
fn string(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let at = memchr2(b'"', b'\\', text.as_bytes()).ok_or("a quote is not closed")?;
    if text.as_bytes()[at] == b'"' {
        return Ok((Cow::Borrowed(&text[..at]), &text[at + 1..]));
    }
    let mut out = String::with_capacity(text.len().min(256));
    let mut rest = text;
    loop {
        let at = memchr2(b'"', b'\\', rest.as_bytes()).ok_or("a quote is not closed")?;
        out.push_str(&rest[..at]);
        if rest.as_bytes()[at] == b'"' {
            return Ok((Cow::Owned(out), &rest[at + 1..]));
        }
        let mut letters = rest[at + 1..].chars();
        match letters.next().ok_or("a quote is not closed")? {
            'n' => out.push('\n'),
            '"' => out.push('"'),
            '\\' => out.push('\\'),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
        rest = letters.as_str();
    }
}

fn token(text: &str) -> (&str, &str) {
    let end = memchr2(b' ', b'\t', text.as_bytes()).unwrap_or(text.len());
    text.split_at(end)
}

fn number(text: &str) -> Result<f64, &'static str> {
    // Rust reads NaN, +Inf and exponents; hexadecimal is what Go's parser takes beyond that.
    if let Ok(value) = text.parse::<f64>() {
        return Ok(value);
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .map(|value| sign * value as f64)
        .ok_or("its value is no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let all = scan(text);
        let mut out = Vec::new();
        for sample in &all.samples {
            let labels: Vec<String> =
                all.labels_of(sample).iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let stamp = sample.timestamp.map(|stamp| format!(" @{stamp}")).unwrap_or_default();
            out.push(format!("{}[{}] {}{stamp}", sample.name, labels.join(","), sample.value));
        }
        out.extend(all.bad.iter().map(|(line, why)| format!("!{line} {why}")));
        out.join(" | ")
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(shown(text), expected, "{text}");
    }

    #[test]
    fn text_format() {
        check("foo 1", "foo[] 1");
        check("foo{} 1\n", "foo[] 1");
        check("  foo\t2", "foo[] 2");
        check("job:foo:rate5m 1", "job:foo:rate5m[] 1");
        check("foo{route=\"/x/{id}\",m=\"GET\"} 1", "foo[route=\"/x/{id}\",m=\"GET\"] 1");
        check("foo{path=\"a,b\",m=\"GET\",} 1", "foo[path=\"a,b\",m=\"GET\"] 1");
        check("foo{q=\"a=b\"} 1", "foo[q=\"a=b\"] 1");
        check("foo{ a = \"b\" , c=\"d\" } 1", "foo[a=\"b\",c=\"d\"] 1");
        check(r#"foo{a="x\"y\\z\n"} 1"#, r#"foo[a="x\"y\\z\n"] 1"#);
        check("foo 1 1395066363000\r\nbar 2", "foo[] 1 @1395066363000 | bar[] 2");
        check(
            "foo NaN\nbar +Inf\nbaz -Inf\nq 1e-3\nh 0x1F",
            "foo[] NaN | bar[] inf | baz[] -inf | q[] 0.001 | h[] 31",
        );
        check("# HELP foo x\n# TYPE foo counter\nfoo 1 -5", "foo[] 1 @-5");
    }

    #[test]
    fn openmetrics_and_utf8_names() {
        check(
            "foo_total 1 1395066363.5 # {trace=\"x\"} 0.5 1\n# EOF\nafter 1",
            "foo_total[] 1 @1395066363.5",
        );
        check("foo_bucket{le=\"1\"} 3 # {t=\"a\"} 0.4", "foo_bucket[le=\"1\"] 3");
        check("{\"my.metric\",l=\"v\"} 1", "my.metric[l=\"v\"] 1");
        check("{\"my.metric\", \"odd label\"=\"v\"} 1", "my.metric[odd label=\"v\"] 1");
        let kinds = scan("# TYPE \"my.metric\" gauge\n# TYPE foo counter\n# UNIT foo s\n").kinds;
        assert_eq!(kinds["my.metric"], MetricKind::Gauge);
        assert_eq!(kinds["foo"], MetricKind::Counter);
    }

    #[test]
    fn a_bad_line_costs_itself_only() {
        check("foo{a=\"b} 1\nbar 2", "bar[] 2 | !1 a quote is not closed");
        check("foo x=", "!1 its value is no number");
        check("foo 1 2 3", "!1 there is something behind its timestamp");
        check("9foo 1", "!1 it does not begin with a metric or label name");
        check("foo{a} 1", "!1 a label has no value");
        check("foo", "!1 there is something else than labels or a blank after the name");
        check("{a=\"b\"} 1", "!1 it has no metric name");
        check("foo{a=\"b\" c=\"d\"} 1", "!1 its labels do not end");
        assert_eq!(scan(&"?\n".repeat(200)).bad_total, 200);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_never_loses_a_good_line(noise in "[ -~\\n\\t\"\\\\{}=,é]{0,200}") {
            let text = format!("{noise}\nfine{{a=\"b\"}} 7\n");
            let all = scan(&text);
            let ended = text.lines().any(|line| line.trim_start_matches([' ', '\t']) == "# EOF");
            proptest::prop_assert!(ended || all.samples.iter().any(|s| s.name == "fine" && (s.value - 7.0).abs() < 1e-9));
        }
    }
}
