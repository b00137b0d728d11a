//! What an endpoint calls the service that it is of: many endpoints of one service are one group.

use super::layout::Layout;

/// Labels that name a service, the most telling first.
const NAMING: [&str; 5] = ["service_name", "service", "application", "job", "app"];

/// The one value that such a label has here. A label with several values tells of others, and so does one that few samples carry; what
/// OpenTelemetry says of its target stands on one sample alone.
pub(super) fn of(layout: &Layout) -> Option<String> {
    NAMING.into_iter().find_map(|label| {
        let mut value = None;
        let (mut carried, mut certain) = (0_usize, false);
        for sample in layout.samples() {
            let Some(here) = sample.label(label).filter(|here| !here.is_empty()) else { continue };
            if value.is_some_and(|value| value != here) {
                return None;
            }
            value = Some(here);
            carried += 1;
            certain |= sample.name() == "target_info";
        }
        value.filter(|_| certain || carried * 2 >= layout.samples().len()).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use crate::core::metrics::{MetricSample, MetricsReading};
    use std::collections::BTreeMap;

    #[track_caller]
    fn check(samples: &[(&str, &[(&str, &str)])], expected: Option<&str>) {
        let own = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let sample = |(name, labels): &(&str, &[(&str, &str)])| MetricSample {
            name: (*name).to_owned(),
            labels: own(labels),
            ..MetricSample::default()
        };
        let samples: Vec<MetricSample> = samples.iter().map(sample).collect();
        let reading = MetricsReading::of(&samples, &BTreeMap::new());
        assert_eq!(super::of(&reading.layout).as_deref(), expected);
    }

    #[test]
    fn a_service_is_what_most_samples_say_and_none_denies() {
        let shop: &[(&str, &str)] = &[("service", "shop")];
        check(&[("a", shop), ("b", shop), ("c", &[])], Some("shop"));
        check(&[("a", shop), ("b", &[]), ("c", &[])], None);
        check(&[("a", shop), ("b", &[("service", "mail")])], None);
        check(&[("a", &[("job", "x"), ("service", "shop")])], Some("shop"));
        check(&[("target_info", &[("service_name", "shop")]), ("b", &[]), ("c", &[])], Some("shop"));
        check(&[("a", &[("service", "")])], None);
        check(&[], None);
    }
}
