//! A layout as it stands in a file: its samples, and what their families are. Places in texts, families and histograms are found again when
//! it is read, so that no file can make a layout that does not fit together.

use super::kind::MetricKind;
use super::layout::{Builder, Layout};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct Written<T> {
    declares: bool,
    families: Vec<(T, MetricKind)>,
    /// Name and labels of each.
    samples: Vec<(T, Vec<(T, T)>)>,
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            declares: self.declares(),
            families: self.families().collect(),
            samples: self.samples().map(|sample| (sample.name(), sample.labels().collect())).collect(),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::<String>::deserialize(deserializer)?;
        let mut builder = Builder::default();
        for (name, labels) in &written.samples {
            builder.push(name, labels.iter().map(|(label, value)| (label.as_str(), value.as_str())));
        }
        // What a family is by its name alone is found by its name again.
        let kinds = if written.declares { written.families.into_iter().collect() } else { BTreeMap::new() };
        let mut layout = builder.finish(&kinds);
        layout.declares = written.declares;
        Ok(layout)
    }
}
