//! Lines of logs, wherever they are read: how they are asked for, what a line is, what its level means, and how many are usual. Pure.

mod levels;
mod line;
mod question;
mod tally;

pub use levels::{ERRORS, Tone, level_in};
pub use line::{Asked, Count, LeftOut, LogLine};
pub use question::{About, Question, Window};
pub use tally::Tally;
