//! The pure heart: what was read, what follows from it, what is wrong, and what could be done about it.
//!
//! Never reads a clock, a socket, a file or a colour. Reading order: [`ids`], [`time`], [`part`], [`report`], one system
//! ([`postgres`]), [`alert`], [`world`], [`action`].

pub mod action;
pub mod alert;
pub mod alertmanager;
pub mod alike;
pub mod arming;
pub mod around;
pub mod chain;
pub mod doctor;
pub mod echo;
pub mod enlisted;
pub mod exact;
pub mod focus;
pub mod forecast;
pub mod freshness;
pub mod growth;
pub mod health;
pub mod history;
pub mod hosts;
pub mod ids;
pub mod json;
pub mod loki;
pub mod loose;
pub mod metrics;
pub mod notify;
pub mod part;
pub mod past;
pub mod place;
pub mod postgres;
pub mod prediction;
pub mod probe;
pub mod prometheus;
pub mod rate;
pub mod reading;
pub mod redact;
pub mod redis;
pub mod report;
pub mod row;
pub mod scope;
pub mod search;
pub mod settings;
pub mod source_rules;
pub mod spoken;
mod system;
mod systems;
mod target;
pub mod text;
pub mod time;
pub mod timeline;
pub mod topology;
pub mod trace;
pub mod undo;
pub mod verdict;
pub mod whereabouts;
pub mod world;
