//! The program: hands the system to `cli::run` and returns its exit code.

use std::process::ExitCode;

/// The musl builds' own allocator is many times slower under two threads; this one is also quicker than glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(meshgov::cli::run_in_process(std::env::args_os()))
}
