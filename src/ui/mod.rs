//! The drawing kit. Panels describe what to show as [`content`]; everything here is about how it looks.

pub mod before;
mod column;
pub mod content;
pub mod export;
pub mod field;
pub mod filter;
pub mod fit;
pub mod format;
pub mod graph;
pub mod mark;
pub mod paper;
mod plot;
mod put;
pub mod render;
pub mod select;
pub mod spark;
pub mod sql;
pub mod text;
pub mod theme;
pub mod veil;
