//! The drawing kit. Panels describe what to show as [`content`]; everything here is about how it looks.

pub mod content;
pub mod export;
pub mod field;
pub mod filter;
pub mod format;
pub mod graph;
mod plot;
mod put;
pub mod render;
pub mod select;
pub mod spark;
pub mod sql;
pub mod text;
pub mod theme;
