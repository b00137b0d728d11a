//! The samples of an exposition without their values: their names and labels, the families that they belong to, the histograms that they
//! make up. Scrapes of one process rarely differ in it, so it is made once and shared by all of them; what follows from it is found by
//! place and not by text.

use super::kind::MetricKind;
use std::collections::{BTreeMap, HashMap};

/// A place in the texts of a layout: first byte and length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Text {
    start: u32,
    length: u32,
}

/// One sample: its name, where its labels are, and which family it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    name: Text,
    first_label: u32,
    end_label: u32,
    family: u32,
}

/// The buckets of one series of a histogram: where they stand among all buckets, in the order of their bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Histogram {
    family: Text,
    first: u32,
    end: u32,
}

/// What the scrapes of a process have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Every different text once.
    texts: String,
    entries: Vec<Entry>,
    labels: Vec<(Text, Text)>,
    families: Vec<(Text, MetricKind)>,
    /// By family.
    histograms: Vec<Histogram>,
    /// The upper bounds of all buckets, and the samples that count them.
    buckets: Vec<(f64, u32)>,
    /// The exposition says of at least one family what that is.
    pub(super) declares: bool,
}

/// Makes a [`Layout`] sample by sample.
#[derive(Debug, Default)]
pub struct Builder {
    layout: Layout,
    known: HashMap<Box<str>, Text>,
}

impl Builder {
    /// The next sample.
    pub fn push<'a>(&mut self, name: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        let name = self.text(name);
        let first_label = self.layout.labels.len() as u32;
        for (label, value) in labels {
            let pair = (self.text(label), self.text(value));
            self.layout.labels.push(pair);
        }
        let end_label = self.layout.labels.len() as u32;
        self.layout.entries.push(Entry { name, first_label, end_label, family: 0 });
    }

    fn text(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let place = Text { start: self.layout.texts.len() as u32, length: text.len() as u32 };
        self.layout.texts.push_str(text);
        self.known.insert(text.into(), place);
        place
    }

    /// The layout, with what the families are by what the exposition says.
    #[must_use]
    pub fn finish(mut self, kinds: &BTreeMap<String, MetricKind>) -> Layout {
        self.find_families(kinds);
        self.find_histograms();
        let mut layout = self.layout;
        layout.declares = !kinds.is_empty();
        layout.texts.shrink_to_fit();
        layout.entries.shrink_to_fit();
        layout.labels.shrink_to_fit();
        layout
    }

    fn find_families(&mut self, kinds: &BTreeMap<String, MetricKind>) {
        let mut places: HashMap<u32, u32> = HashMap::new();
        let mut by_name: HashMap<u32, u32> = HashMap::new();
        for index in 0..self.layout.entries.len() {
            let name = self.layout.entries[index].name;
            let family = if let Some(known) = by_name.get(&name.start) {
                *known
            } else {
                let (family, kind) = family(self.layout.text(name), kinds);
                let family = family.to_owned();
                let text = self.text(&family);
                let next = self.layout.families.len() as u32;
                let place = *places.entry(text.start).or_insert(next);
                if place == next {
                    self.layout.families.push((text, kind));
                }
                by_name.insert(name.start, place);
                place
            };
            self.layout.entries[index].family = family;
        }
    }

    fn find_histograms(&mut self) {
        let mut found: BTreeMap<(String, String), Vec<(f64, u32)>> = BTreeMap::new();
        for (index, sample) in self.layout.samples().enumerate() {
            let Some(family) = sample.name().strip_suffix("_bucket") else { continue };
            let Some(bound) = sample.label("le").and_then(|bound| bound.parse::<f64>().ok()) else {
                continue;
            };
            found.entry((family.to_owned(), sample.series("le"))).or_default().push((bound, index as u32));
        }
        for ((family, _), mut buckets) in found {
            buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let family = self.text(&family);
            let first = self.layout.buckets.len() as u32;
            self.layout.buckets.extend(buckets);
            let end = self.layout.buckets.len() as u32;
            self.layout.histograms.push(Histogram { family, first, end });
        }
    }
}

/// The family of a sample's name: without the suffix that its kind adds.
fn family<'a>(name: &'a str, kinds: &BTreeMap<String, MetricKind>) -> (&'a str, MetricKind) {
    if let Some(kind) = kinds.get(name) {
        return (name, *kind);
    }
    for suffix in ["_bucket", "_sum", "_count", "_total"] {
        if let Some(base) = name.strip_suffix(suffix)
            && let Some(kind) = kinds.get(base)
            && (suffix == "_total" || matches!(kind, MetricKind::Histogram | MetricKind::Summary))
        {
            return (base, *kind);
        }
    }
    let counts = name.ends_with("_total");
    (name, if counts { MetricKind::Counter } else { MetricKind::Untyped })
}

impl Layout {
    fn text(&self, text: Text) -> &str {
        self.texts.get(text.start as usize..(text.start + text.length) as usize).unwrap_or_default()
    }

    /// How many samples it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the exposition says of at least one family what that is.
    #[must_use]
    pub const fn declares(&self) -> bool {
        self.declares
    }

    /// Every sample, without values.
    #[must_use]
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Named<'_>> + Clone {
        (0..self.entries.len()).map(|index| Named { layout: self, index })
    }

    /// The sample at place `index`.
    #[must_use]
    pub const fn sample(&self, index: usize) -> Named<'_> {
        Named { layout: self, index }
    }

    /// Every family: its name and what it is.
    #[must_use]
    pub fn families(&self) -> impl ExactSizeIterator<Item = (&str, MetricKind)> {
        self.families.iter().map(|(name, kind)| (self.text(*name), *kind))
    }

    /// The series of histogram `family`, as numbers for [`buckets`](Self::buckets).
    #[must_use]
    pub fn histograms(&self, family: &str) -> std::ops::Range<usize> {
        let first = self.histograms.partition_point(|histogram| self.text(histogram.family) < family);
        let rest = self.histograms.get(first..).unwrap_or_default();
        first..first + rest.partition_point(|histogram| self.text(histogram.family) == family)
    }

    /// The buckets of one series: upper bounds with the places of their samples, and the labels of the series.
    #[must_use]
    pub fn buckets(&self, histogram: usize) -> &[(f64, u32)] {
        let Some(Histogram { first, end, .. }) = self.histograms.get(histogram) else { return &[] };
        self.buckets.get(*first as usize..*end as usize).unwrap_or_default()
    }

    /// The labels of one series of a histogram, without its bounds.
    #[must_use]
    pub fn labels_of(&self, histogram: usize) -> String {
        let first = self.buckets(histogram).first();
        first.map_or_else(String::new, |(_, index)| {
            Named { layout: self, index: *index as usize }.series("le")
        })
    }

    /// Where the buckets of a series stand among those of all histograms.
    #[must_use]
    pub fn bucket_places(&self, histogram: usize) -> std::ops::Range<usize> {
        self.histograms.get(histogram).map_or(0..0, |found| found.first as usize..found.end as usize)
    }

    /// The samples of all buckets of all histograms.
    pub fn all_buckets(&self) -> impl Iterator<Item = usize> {
        self.buckets.iter().map(|(_, index)| *index as usize)
    }
}

/// One sample of a layout.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    layout: &'a Layout,
    index: usize,
}

impl<'a> Named<'a> {
    fn entry(self) -> Option<Entry> {
        self.layout.entries.get(self.index).copied()
    }

    /// Its place among the samples.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index
    }

    /// Its full name, `_bucket`, `_sum`, `_total` included.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.entry().map_or("", |entry| self.layout.text(entry.name))
    }

    /// The place of its family among [`Layout::families`].
    #[must_use]
    pub fn family_index(self) -> usize {
        self.entry().map_or(0, |entry| entry.family as usize)
    }

    /// The family that it belongs to, and what that is.
    #[must_use]
    pub fn family(self) -> (&'a str, MetricKind) {
        let found = self.layout.families.get(self.family_index());
        found.map_or(("", MetricKind::Untyped), |(name, kind)| (self.layout.text(*name), *kind))
    }

    /// Its labels as the endpoint lists them.
    pub fn labels(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let entry = self.entry();
        let range = entry.map_or(0..0, |entry| entry.first_label as usize..entry.end_label as usize);
        let labels = self.layout.labels.get(range).unwrap_or_default();
        labels.iter().map(move |(name, value)| (self.layout.text(*name), self.layout.text(*value)))
    }

    /// The value of label `name`.
    #[must_use]
    pub fn label(self, name: &str) -> Option<&'a str> {
        self.labels().find(|(label, _)| *label == name).map(|(_, value)| value)
    }

    /// Its labels in one canonical text, without `except`.
    #[must_use]
    pub fn series(self, except: &str) -> String {
        let mut pairs: Vec<(&str, &str)> = self.labels().filter(|(name, _)| *name != except).collect();
        pairs.sort_unstable();
        let mut text = String::new();
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(name);
            text.push_str("=\"");
            text.push_str(value);
            text.push('"');
        }
        text
    }

    /// Whether it only grows: what a rate is made of. Buckets are looked at as distributions.
    #[must_use]
    pub fn counts(self) -> bool {
        let (family, kind) = self.family();
        match kind {
            MetricKind::Counter => true,
            MetricKind::Histogram | MetricKind::Summary => {
                self.name() != family && !self.name().ends_with("_bucket")
            }
            MetricKind::Gauge | MetricKind::Untyped => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_families_and_histograms_are_found_again() {
        let mut builder = Builder::default();
        let kinds = [("took".to_owned(), MetricKind::Histogram), ("done".to_owned(), MetricKind::Counter)];
        for (path, bound) in [("/b", "+Inf"), ("/a", "0.5"), ("/a", "+Inf"), ("/b", "0.5")] {
            builder.push("took_bucket", [("path", path), ("le", bound)].into_iter());
        }
        builder.push("took_count", [("path", "/a")].into_iter());
        builder.push("done_total", [].into_iter());
        builder.push("took", [].into_iter());
        builder.push("other", [].into_iter());
        let layout = builder.finish(&kinds.into());
        let told: Vec<_> = layout.samples().map(|sample| (sample.name(), sample.family().0)).collect();
        assert_eq!(told[3..6], [("took_bucket", "took"), ("took_count", "took"), ("done_total", "done")]);
        let families: Vec<_> = layout.families().collect();
        let expected =
            [("took", MetricKind::Histogram), ("done", MetricKind::Counter), ("other", MetricKind::Untyped)];
        assert_eq!(families, expected);
        let series = layout.histograms("took");
        let labels: Vec<_> = series.clone().map(|series| layout.labels_of(series)).collect();
        assert_eq!(labels, ["path=\"/a\"", "path=\"/b\""]);
        assert_eq!(layout.buckets(series.start), [(0.5, 1), (f64::INFINITY, 2)]);
        assert!(layout.histograms("done").is_empty() && layout.histograms("zzz").is_empty());
        let counting: Vec<_> = layout.samples().filter(|sample| sample.counts()).map(Named::name).collect();
        assert_eq!(counting, ["took_count", "done_total"]);
    }
}
