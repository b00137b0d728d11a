//! How to ask each system, and nothing else. A source does not know when it is asked or who looks at the answer.

pub mod alertmanager;
pub mod asked;
pub mod beside;
pub mod bulkhead;
pub mod container;
pub mod dial;
pub mod health;
pub mod heard;
pub mod http;
pub mod json;
mod knock;
mod line;
pub mod lists;
pub mod log;
pub mod loki;
pub mod metered;
pub mod metrics;
pub mod owned;
pub mod postgres;
pub mod probe;
mod process;
pub mod prometheus;
pub mod redis;
pub mod search;
pub mod secret;
pub mod source;
pub mod tls;
pub mod unusable;

pub use source::Source;
