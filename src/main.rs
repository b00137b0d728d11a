//! stacktop: `top` for a whole stack.

use std::process::ExitCode;

fn main() -> ExitCode {
    stacktop::cli::run()
}
