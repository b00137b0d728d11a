//! The one integration test binary: the house's own rules, the configuration, the program in a terminal, and real servers.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::format_collect)]
#![allow(clippy::missing_panics_doc, reason = "these are tests")]

mod architecture;
mod arguments;
mod around;
mod bounds;
mod chain;
mod circles;
mod columns;
mod commands;
mod config;
mod dialogs;
mod docs;
mod faults;
mod frame;
mod headless;
mod hostile;
mod http;
mod keys;
mod link;
mod listing;
mod live;
mod logs;
mod made;
mod noted;
mod noting;
mod offers;
mod operator;
mod packages;
mod pages;
mod palettes;
mod private;
mod probes;
mod pty;
mod reach;
mod readings;
mod reported;
mod runtime;
mod scan;
mod scope;
mod screens;
mod search_acts;
mod secrets;
mod silences;
mod steps;
mod tails;
mod thresholds;
mod ties;
mod timeline;
mod trail;
mod trust;
mod walk;
mod wanted;
