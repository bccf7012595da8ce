//! The entrances: the first commands that a newcomer types, what the README shows of them, and what no output may show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod canary;
mod demo;
mod init;
mod readme;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the real binary without any variable of the caller's environment.
pub(crate) fn meshgov(arguments: &[&str], cwd: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args(arguments)
        .current_dir(cwd)
        .env_clear()
        .env("TMPDIR", cwd)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Standard output, then standard error.
pub(crate) fn text(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    text.push_str(std::str::from_utf8(&output.stderr).unwrap());
    text
}
