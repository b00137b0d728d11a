//! The rows that a Prometheus server has.

/// What a row of a Prometheus server stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PrometheusRow {
    /// A scrape target: job and instance.
    Scraped {
        /// The job.
        job: String,
        /// The instance.
        instance: String,
    },
    /// A rule that fires or fails.
    Rule {
        /// Its group.
        group: String,
        /// Its name.
        name: String,
        /// The labels of the alert.
        labels: String,
    },
    /// A series of a panel of the team's; without labels, the panel itself.
    Panel {
        /// The panel's title.
        title: String,
        /// The series' labels.
        labels: String,
    },
    /// All metrics that it knows.
    Names,
    /// One of these metrics, by its name.
    Metric(String),
}
