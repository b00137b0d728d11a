//! The front ends without a screen: the same engine, rules, chain and words, told once, line by line, or to whoever asks.
//!
//! [`check`] looks for a while and tells what is wrong; [`watch`] tells what changes, and serves it where that is wanted. Nothing is ever
//! changed from here: there is no gate and no executor.

pub mod changes;
pub mod check;
mod ending;
pub mod exposition;
pub mod families;
pub mod host;
mod markdown;
pub mod publish;
pub mod report;
mod text;
pub mod watch;
pub mod watching;
pub mod words;
