//! The map of the house.
//!
//! | layer | what it is | may use |
//! |---|---|---|
//! | [`core`] | pure: readings, state, rules, findings, actions as data | nothing of ours |
//! | [`config`] | the configuration file, the environment, discovery of targets, secrets | core |
//! | [`ui`] | drawing kit: content as data, theme by role, formats, widgets | core |
//! | [`sources`] | how to ask each system | core, config |
//! | [`actions`] | how to change each system: guard → audit → execute → audit → verify | core, config |
//! | [`panels`] | one file per screen: world → content | core, ui |
//! | [`engine`] | when to ask: one task per target | core, config, sources |
//!
//! Reading order: `core`, then one system from socket to pixel: `sources/postgres`, `core/postgres`, `panels/blocking`.

pub mod actions;
pub mod app;
pub mod config;
pub mod core;
pub mod engine;
pub mod panels;
pub mod runtime;
pub mod sources;
pub mod ui;
