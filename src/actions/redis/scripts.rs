//! The scripts that change queues, and the keys that each is given.

use redis::Script;
use std::sync::LazyLock;

/// The keys that every script is given, in the order of `common.lua`.
pub(super) const COMMON: [&str; 13] = [
    "failed",
    "wait",
    "paused",
    "active",
    "meta",
    "meta-paused",
    "marker",
    "events",
    "prioritized",
    "pc",
    "priority",
    "delayed",
    "completed",
];

/// A script with what is common to all in front.
macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(include_str!("common.lua"), include_str!($file)))
    };
}

/// The scripts; the head of each says what its keys and arguments are.
pub(super) struct Scripts {
    pub(super) retry: Script,
    pub(super) promote: Script,
    pub(super) remove: Script,
    pub(super) pause: Script,
    pub(super) resume: Script,
    pub(super) add: Script,
    pub(super) priority: Script,
    pub(super) delay: Script,
    pub(super) edit: Script,
    pub(super) concurrency: Script,
    pub(super) schedule: Script,
    pub(super) unschedule: Script,
    pub(super) obliterate: Script,
    pub(super) stalled: Script,
    pub(super) restore: Script,
    pub(super) free: Script,
}

/// All of them, once one is needed; nobody who only looks has them.
pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    retry: script!("retry.lua"),
    promote: script!("promote.lua"),
    remove: script!("remove.lua"),
    pause: script!("pause.lua"),
    resume: script!("resume.lua"),
    add: script!("add.lua"),
    priority: script!("priority.lua"),
    delay: script!("delay.lua"),
    edit: script!("edit.lua"),
    concurrency: script!("concurrency.lua"),
    schedule: script!("schedule.lua"),
    unschedule: script!("unschedule.lua"),
    obliterate: script!("obliterate.lua"),
    stalled: script!("stalled.lua"),
    restore: script!("restore.lua"),
    free: script!("free.lua"),
});
