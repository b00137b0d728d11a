//! The configuration file as it is written: every key, optional or not. Nothing is read or resolved here.

pub use super::discover_file::DiscoverFile;
pub use super::entry::{
    Common, Entry, EnvelopeFile, HttpFile, Lasting, PastFile, PostgresFile, QueryFile, RedisFile,
};
pub use super::health::{FieldFile, HealthFile};
use super::keys::KeysFile;
pub use super::log::LogFile;
pub use super::loki::LokiFile;
use super::notify::NotifyFile;
pub use super::probe::ProbeFile;
pub use super::prometheus::PrometheusFile;
use super::systems::each_system;
use crate::core::ids::SystemKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

macro_rules! file {
    ($($Kind:ident $table:ident ($Entry:ident, $Connect:ident, $settings:ident) $ways:tt $usual:tt)*) => {
        /// The whole file.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct File {
            /// What this stack is called; typed to arm it.
            pub environment: Option<String>,
            /// Production asks for a typed word with every action.
            pub production: Option<bool>,
            /// Refuses every action.
            pub read_only: Option<bool>,
            /// A built-in theme, or a path.
            pub theme: Option<String>,
            /// Only ASCII on the screen.
            pub ascii: Option<bool>,
            /// Graphs with blocks instead of braille patterns.
            pub blocks: Option<bool>,
            /// How targets are polled.
            pub engine: EngineFile,
            /// Keys by command; those of dialogs and fields in tables of their own.
            pub keys: BTreeMap<String, KeysFile>,
            /// The columns of tables, by their names.
            pub columns: BTreeMap<String, ColumnsFile>,
            /// Who is told of findings beside the screen.
            pub notify: NotifyFile,
            /// Rules by id.
            pub rules: BTreeMap<Spanned<String>, RuleFile>,
            $(#[doc = concat!("Targets: `[[", stringify!($table), "]]`.")] pub $table: Vec<$Entry>,)*
            /// Panels of the team's own.
            pub panel: Vec<PanelFile>,
            /// Lists of endpoints that others write.
            pub discover: Vec<DiscoverFile>,
            /// Which service depends on which target.
            pub depends: Vec<DependsFile>,
        }

        /// The tables that name targets.
        pub(super) const TARGETS: &[&str] = &[$(stringify!($table)),*];

        impl File {
            /// Every target with its kind, its table and its place in that table.
            #[must_use]
            pub fn entries(&self) -> Vec<(SystemKind, &'static str, usize, &dyn Entry)> {
                let mut list: Vec<(SystemKind, &'static str, usize, &dyn Entry)> = Vec::new();
                $(
                    for (index, entry) in self.$table.iter().enumerate() {
                        list.push((SystemKind::$Kind, stringify!($table), index, entry));
                    }
                )*
                list
            }

            /// The same, to be changed.
            pub(super) fn entries_mut(&mut self) -> Vec<(&'static str, usize, &mut dyn Entry)> {
                let mut list: Vec<(&'static str, usize, &mut dyn Entry)> = Vec::new();
                $(
                    for (index, entry) in self.$table.iter_mut().enumerate() {
                        list.push((stringify!($table), index, entry));
                    }
                )*
                list
            }
        }
    };
}

each_system!(file);

impl File {
    /// The commands that reading secrets, lists and logs would run.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        let entries = self.entries().into_iter().filter_map(|(.., entry)| entry.common().password_command);
        let secrets = entries.chain(self.notify.command()).map(str::to_owned);
        let lists = self.discover.iter().filter_map(DiscoverFile::command);
        secrets.chain(lists).chain(self.log.iter().filter_map(LogFile::told)).collect()
    }
}

/// Which columns of a table are shown, in which order. The first one always is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnsFile {
    /// Only these, in this order.
    pub show: Option<Vec<String>>,
    /// All but these.
    pub hide: Vec<String>,
    /// These in front of the others.
    pub order: Vec<String>,
}

/// A service depends on a target.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependsFile {
    /// The service: the name of an endpoint, of a queue, or what its sessions call themselves.
    pub service: Spanned<String>,
    /// The name of the target.
    pub on: Spanned<String>,
}

/// A panel of the team's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelFile {
    /// Its name.
    pub name: Spanned<String>,
    /// What kind it is: `sql`.
    pub kind: Spanned<String>,
    /// The Postgres target that is asked; without it, the first one.
    pub target: Option<Spanned<String>>,
    /// The statement.
    pub sql: String,
    /// How often it is asked.
    pub interval: Option<Lasting>,
    /// The column by which it is sorted, the highest first.
    pub sort: Option<String>,
    /// Thresholds of a warning, by column.
    #[serde(default)]
    pub warning: BTreeMap<String, f64>,
    /// Thresholds of a critical finding, by column.
    #[serde(default)]
    pub critical: BTreeMap<String, f64>,
}

/// How targets are polled.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineFile {
    /// The longest wait between tries.
    pub backoff_cap: Option<Lasting>,
    /// Failures in a row that open the breaker.
    pub breaker_failures: Option<u32>,
    /// How long it stays open.
    pub breaker_open: Option<Lasting>,
    /// Successes in a row that close it.
    pub breaker_successes: Option<u32>,
}

/// A change to a rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleFile {
    /// Off: never signals.
    pub enabled: Option<bool>,
    /// Threshold of a warning.
    pub warning: Option<f64>,
    /// Threshold of a critical finding.
    pub critical: Option<f64>,
    /// How long it must hold.
    pub hold: Option<Lasting>,
    /// How long it must be clear before it is over.
    pub clear: Option<Lasting>,
    /// The page that says what to do about it.
    pub runbook: Option<String>,
    /// What holds instead for one target or copy, by its name.
    pub on: BTreeMap<String, RuleFile>,
    /// What holds instead for every target of a group, by its name.
    pub group: BTreeMap<String, RuleFile>,
}
