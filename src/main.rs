//! The program: hands the system to `cli::run` and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(meshgov::cli::run_in_process(std::env::args_os()))
}
