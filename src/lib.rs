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
//! | [`drill`] | a fake outside: a seeded stack behind the same traits | core, config, sources, actions |
//! | [`app`] | pure: messages, model, update, effects, overlays, view | core, ui, panels, actions (audit lines as data) |
//! | [`runtime`] | the only impure loop: terminal, input, effects, clock | all above |
//! | [`cli`] | arguments as typed, turned into a run | all above |
//!
//! Reading order: `core`, then one system from socket to pixel: `sources/postgres`, `core/postgres`, `panels/blocking`.

pub mod actions;
pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod drill;
pub mod engine;
pub mod panels;
pub mod runtime;
pub mod sources;
pub mod ui;
