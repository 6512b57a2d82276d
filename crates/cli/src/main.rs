//! The program `lexiform`; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(lexiform_cli::run(std::env::args_os()))
}
