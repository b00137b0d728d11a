//! The map of the house.
//!
//! | layer | what it is | may use |
//! |---|---|---|
//! | [`core`] | pure: readings, state, rules, findings, actions as data | nothing of ours |
//! | [`config`] | the configuration file, the environment, discovery of targets, secrets | core |
//! | [`ui`] | drawing kit: content as data, theme by role, formats, widgets | core |
//! | [`sources`] | how to ask each system | core, config |
//! | [`actions`] | how to change each system: guard → audit → execute → audit → verify | core, config, sources |
//! | [`panels`] | one folder a system: world → content, and what may be done | core, ui |
//! | [`engine`] | when to ask: one task per target | core, sources |
//! | [`systems`] | one descriptor a system: how a target is asked, changed and examined | core, config, sources, actions |
//! | [`drill`] | a fake outside: a seeded stack behind the same traits | core, sources, actions, engine |
//! | [`app`] | pure: messages, model, update, effects, overlays, view | core, ui, panels, actions |
//! | [`headless`] | the front ends without a screen: told once, line by line, or to whoever asks | core, app, panels, engine, actions |
//! | [`runtime`] | the only impure loop: terminal, input, effects, clock | core, app, engine, actions |
//! | [`cli`] | arguments as typed, turned into a run | core, config, sources, actions, systems, engine, drill, app, ui, headless, runtime |
//!
//! Reading order: `core`, then one system from socket to pixel: `sources/postgres`, `core/postgres`, `panels/postgres/blocking`.

pub mod actions;
pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod drill;
pub mod engine;
pub mod headless;
pub mod panels;
pub mod runtime;
pub mod sources;
pub mod systems;
pub mod ui;
