//! Tests against real servers. `tests/run` starts them and says where they are in the environment; a test whose server is absent
//! reports itself as skipped, by name.

mod metrics;
mod postgres;
mod queues;
mod search;

use std::io::Write;

/// The value of `variable`, or a skipped `test`: its name goes to the list that `tests/run` prints (and fails on in CI).
pub fn server(test: &str, variable: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable)
        && !value.is_empty()
    {
        return Some(value);
    }
    let line = format!("SKIPPED {test}: {variable} is not set");
    eprintln!("{line}");
    if let Ok(path) = std::env::var("STACKTOP_TEST_SKIPS")
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = writeln!(file, "{line}");
    }
    None
}
