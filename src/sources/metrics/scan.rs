//! Scans expositions: text 0.0.4, OpenMetrics 1.0 and UTF-8 names. A bad line costs itself only.
//!
//! No interpretation: suffixes, units and quantiles are `core`'s. What is found is kept as places in the body, not as texts:
//! most of the time would go into the memory for those otherwise. Escapes are undone where a text is asked for.

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

/// A place in the body: first byte and length. Sources read no body that is larger than a `u32` can count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// One sample; texts are asked of its [`Exposition`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    name: Span,
    first_label: u32,
    end_label: u32,
    /// The value.
    pub value: f64,
    /// NaN when there is none.
    stamp: f64,
}

impl Sample {
    /// The timestamp as it stands there: milliseconds in 0.0.4, seconds in OpenMetrics.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        Some(self.stamp).filter(|stamp| stamp.is_finite())
    }
}

/// Everything in a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition<'a> {
    text: &'a str,
    /// The samples in order.
    pub samples: Vec<Sample>,
    /// The labels of all samples, one after the other: name and value.
    labels: Vec<(Span, Span)>,
    /// What families are, where the body says so.
    pub kinds: HashMap<Cow<'a, str>, MetricKind>,
    /// The first bad lines: number (from 1) and what is wrong.
    pub bad: Vec<(usize, &'static str)>,
    /// How many lines were bad.
    pub bad_total: usize,
}

impl<'a> Exposition<'a> {
    /// The full name of `sample`, which must be one of this exposition's.
    #[must_use]
    pub fn name_of(&self, sample: &Sample) -> Cow<'a, str> {
        self.read(sample.name)
    }

    /// Names and values of the labels of `sample`, which must be one of this exposition's.
    pub fn labels_of(&self, sample: &Sample) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        let labels = self.labels.get(sample.first_label as usize..sample.end_label as usize);
        labels.unwrap_or_default().iter().map(|(name, value)| (self.read(*name), self.read(*value)))
    }

    fn read(&self, span: Span) -> Cow<'a, str> {
        unescape(self.text.get(span.range()).unwrap_or_default())
    }
}

/// Scans a whole body.
#[must_use]
pub fn scan(text: &str) -> Exposition<'_> {
    // About what a usual exposition needs: growing would copy everything several times.
    let mut out = Exposition {
        text,
        samples: Vec::with_capacity(text.len() / SAMPLE_BYTES),
        labels: Vec::with_capacity(text.len() / LABEL_BYTES),
        ..Exposition::default()
    };
    let mut start = 0;
    let mut number = 0;
    while start < text.len() {
        number += 1;
        let end = memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |at| start + at);
        let whole = &text[..end];
        let mut line = Line { text: whole.strip_suffix('\r').unwrap_or(whole), at: start };
        start = end + 1;
        match line.after_blanks() {
            None => continue,
            Some(b'#') => {
                // `# EOF` too is a comment: nothing follows it in OpenMetrics, and in the text format it means nothing.
                learn_kind(&line.text[line.at..], &mut out.kinds);
                continue;
            }
            Some(_) => {}
        }
        let labels_before = out.labels.len();
        match line.sample(&mut out.labels) {
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

/// `# TYPE name kind`; every other comment says nothing that is shown.
fn learn_kind<'a>(line: &'a str, kinds: &mut HashMap<Cow<'a, str>, MetricKind>) {
    let blanks = [' ', '\t'];
    let Some(rest) = line[1..].trim_start_matches(blanks).strip_prefix("TYPE") else { return };
    if !rest.starts_with(blanks) {
        return;
    }
    let rest = rest.trim_start_matches(blanks);
    let (name, kind) = if rest.starts_with('"') {
        let mut inside = Line { text: rest, at: 1 };
        let Ok(name) = inside.quoted() else { return };
        (&rest[name.range()], &rest[inside.at..])
    } else {
        rest.split_at(rest.find(blanks).unwrap_or(rest.len()))
    };
    let kind = match kind.trim_matches(blanks) {
        "counter" => MetricKind::Counter,
        "gauge" => MetricKind::Gauge,
        "histogram" | "gaugehistogram" => MetricKind::Histogram,
        "summary" => MetricKind::Summary,
        _ => MetricKind::Untyped,
    };
    kinds.insert(unescape(name), kind);
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

/// One line being read: everything up to its end, and how far it was read.
struct Line<'a> {
    text: &'a str,
    at: usize,
}

/// Why a line of a native histogram (`{count:12,sum:1.5,schema:3}` where a value belongs) is left out.
pub const NATIVE: &str = "it is a native histogram, which only Prometheus can be asked for";

impl<'a> Line<'a> {
    const fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    /// Goes over blanks; what stands behind them.
    fn after_blanks(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    /// Goes over `byte` if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// From `start` to where it was read.
    const fn since(&self, start: usize) -> Span {
        #[expect(clippy::cast_possible_truncation, reason = "no body is that large; see Span")]
        Span { start: start as u32, length: (self.at - start) as u32 }
    }

    fn sample(&mut self, labels: &mut Vec<(Span, Span)>) -> Result<Sample, &'static str> {
        let first = labels.len();
        let mut name = if self.peek() == Some(b'{') { Span::default() } else { self.name()? };
        if !matches!(self.peek(), Some(b' ' | b'\t' | b'{')) {
            return Err("there is something else than labels or a blank after the name");
        }
        self.after_blanks();
        if self.takes(b'{') {
            self.labels(&mut name, labels)?;
        }
        if name.length == 0 {
            return Err("it has no metric name");
        }
        self.after_blanks();
        if self.peek() == Some(b'{') {
            return Err(NATIVE);
        }
        let value = number(self.token())?;
        let stamp = match self.after_blanks() {
            None | Some(b'#') => f64::NAN,
            Some(_) => {
                let stamp = self
                    .token()
                    .parse::<f64>()
                    .ok()
                    .filter(|stamp| stamp.is_finite())
                    .ok_or("its timestamp is no number")?;
                if !matches!(self.after_blanks(), None | Some(b'#')) {
                    return Err("there is something behind its timestamp");
                }
                stamp
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "fewer labels than bytes; see Span")]
        Ok(Sample { name, first_label: first as u32, end_label: labels.len() as u32, value, stamp })
    }

    /// A metric's or label's name.
    fn name(&mut self) -> Result<Span, &'static str> {
        let start = self.at;
        if !self.peek().is_some_and(starts_name) {
            return Err("it does not begin with a metric or label name");
        }
        let mut rest = &self.bytes()[start..];
        let in_name = |byte: &u8| IN_NAME[usize::from(*byte)];
        // Four at once: most bytes of a body go through here, and a guess at every byte is dear.
        while let [a, b, c, d, after @ ..] = rest
            && in_name(a) & in_name(b) & in_name(c) & in_name(d)
        {
            rest = after;
        }
        let left = rest.iter().position(|byte| !in_name(byte)).unwrap_or(rest.len());
        self.at = self.bytes().len() - rest.len() + left;
        Ok(self.since(start))
    }

    /// The labels up to the closing brace; a quoted text without `=` is the metric's own name.
    fn labels(&mut self, metric: &mut Span, labels: &mut Vec<(Span, Span)>) -> Result<(), &'static str> {
        self.after_blanks();
        while !self.takes(b'}') {
            let quoted = self.takes(b'"');
            let label = if quoted { self.quoted()? } else { self.name()? };
            self.after_blanks();
            if self.takes(b'=') {
                self.after_blanks();
                if !self.takes(b'"') {
                    return Err("a label's value is not in quotes");
                }
                labels.push((label, self.quoted()?));
            } else if metric.length == 0 && quoted {
                *metric = label;
            } else if self.text[label.start as usize..].starts_with("count:") {
                return Err(NATIVE);
            } else {
                return Err("a label has no value");
            }
            match self.after_blanks() {
                Some(b',') => {
                    self.at += 1;
                    self.after_blanks();
                }
                Some(b'}') => {}
                _ => return Err("its labels do not end"),
            }
        }
        Ok(())
    }

    /// A quoted text whose opening quote is already taken, with its escapes as they are.
    fn quoted(&mut self) -> Result<Span, &'static str> {
        let start = self.at;
        loop {
            let rest = self.bytes().get(self.at..).unwrap_or_default();
            self.at += memchr2(b'"', b'\\', rest).ok_or("a quote is not closed")?;
            if self.bytes()[self.at] == b'"' {
                let span = self.since(start);
                self.at += 1;
                return Ok(span);
            }
            // What is escaped is no end.
            self.at += 2;
        }
    }

    /// What stands up to the next blank.
    fn token(&mut self) -> &'a str {
        let start = self.at;
        let rest = &self.bytes()[start..];
        self.at += rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        &self.text[start..self.at]
    }
}

/// `raw` with its escapes undone.
fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(mut at) = memchr(b'\\', raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        out.push_str(&rest[..at]);
        let mut letters = rest[at + 1..].chars();
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('"') => out.push('"'),
            Some('\\') | None => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
        rest = letters.as_str();
        let Some(next) = memchr(b'\\', rest.as_bytes()) else {
            out.push_str(rest);
            return Cow::Owned(out);
        };
        at = next;
    }
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
                all.labels_of(sample).map(|(name, value)| format!("{name}={value:?}")).collect();
            let stamp = sample.timestamp().map(|stamp| format!(" @{stamp}")).unwrap_or_default();
            out.push(format!("{}[{}] {}{stamp}", all.name_of(sample), labels.join(","), sample.value));
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
            "foo_total[] 1 @1395066363.5 | after[] 1",
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
        check(
            "foo {count:12,sum:1.5,schema:3}\nbar 2",
            "bar[] 2 | !1 it is a native histogram, which only Prometheus can be asked for",
        );
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
            proptest::prop_assert!(all.samples.iter().any(|s| all.name_of(s) == "fine" && (s.value - 7.0).abs() < 1e-9));
        }
    }
}
