//! What is aimed at for each operation: the thresholds of rules, most of which tell nothing unless somebody switches them on.

use super::operation::Operation;
use super::rules::{LATENCY, levels};
use super::state::MetricsState;
use crate::core::alert::{Rule, RuleSpec};

/// The rules that hold what is aimed at for an operation: the median, the 95th and the 99th percentile. Of all database queries only the second
/// is known.
#[must_use]
pub fn aims(operation: Operation) -> [Option<&'static RuleSpec>; 3] {
    let rules: [Option<&Rule<MetricsState>>; 3] = match operation {
        Operation::Query => [None, Some(&levels::QUERY_P95), None],
        Operation::SimpleQuery => {
            [Some(&levels::SIMPLE_P50), Some(&levels::SIMPLE_P95), Some(&levels::SIMPLE_P99)]
        }
        Operation::ComplexQuery => {
            [Some(&levels::COMPLEX_P50), Some(&levels::COMPLEX_P95), Some(&levels::COMPLEX_P99)]
        }
        Operation::Cache => [Some(&levels::CACHE_P50), Some(&levels::CACHE_P95), Some(&levels::CACHE_P99)],
        Operation::Search => {
            [Some(&levels::SEARCH_P50), Some(&levels::SEARCH_P95), Some(&levels::SEARCH_P99)]
        }
        Operation::Job => [Some(&levels::JOB_P50), Some(&levels::JOB_P95), Some(&levels::JOB_P99)],
        Operation::Get => [Some(&levels::GET_P50), Some(&levels::GET_P95), Some(&levels::GET_P99)],
        Operation::Post => [Some(&levels::POST_P50), Some(&levels::POST_P95), Some(&levels::POST_P99)],
        Operation::Other | Operation::Request => [None, Some(&LATENCY), None],
    };
    rules.map(|rule| rule.map(|rule| &rule.spec))
}
