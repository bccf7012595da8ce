//! L8: the command line. Input: arguments and an `Io`; output: text on its writers and an exit code. Only this layer reads
//! the clock and the environment.

mod access;
mod assets;
mod assume;
mod assumed;
mod baseline;
mod check;
mod completions;
mod config;
mod demo;
mod diff;
pub mod docs;
mod environments;
mod eval;
pub mod examples;
mod expect;
mod explain;
mod init;
pub mod io;
pub mod pipeline;
mod rendered;
mod rules;
mod settings;
mod test;
mod tree;
mod verify;

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::Error;
pub use io::Io;

/// Exit code of a run without findings at the gate.
pub const EXIT_OK: u8 = 0;
/// Exit code of findings at the gate, or of failed rule tests.
pub const EXIT_FINDINGS: u8 = 1;
/// Exit code of usage, config and rule errors.
pub const EXIT_ERROR: u8 = 2;
/// Exit code when there was no Kubernetes object.
pub const EXIT_EMPTY: u8 = 3;
/// Exit code of `--strict` when something could not be read or decided.
pub const EXIT_INCOMPLETE: u8 = 4;

/// Linter for Kubernetes and service-mesh manifests: mTLS gaps, policy mistakes and over-broad access to AI models, proved
/// from files alone.
#[derive(Debug, Parser)]
#[command(
    name = "meshgov",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check manifests against the rules
    Check(Box<check::Check>),
    /// Say who may call what, with proof
    Access(access::Access),
    /// List AI assets: models, servers, gateways, agents, and who can use them
    #[command(alias = "models")]
    Assets(assets::Assets),
    /// List the facts that are missing and the YAML that settles them
    Assume(assume::Assume),
    /// List the rules, or print the format of rule files
    Rules(rules::Rules),
    /// Explain a rule: why it matters, how to fix what it finds
    Explain(explain::Explain),
    /// Hold what the owner intends against what the manifests mean
    Verify(verify::Verify),
    /// Accept the findings there are, so that new ones stand out
    Baseline(baseline::BaselineCommand),
    /// Compare what two trees mean: who can newly call what, and which edit is the cause
    Diff(diff::Diff),
    /// Compare the environments of an application: where production is weaker, and what makes it so
    Environments(environments::Environments),
    /// Run the examples of rules
    Test(test::Test),
    /// Evaluate a CEL expression over manifests
    Eval(eval::Eval),
    /// Show what the config means, or print its format
    Config(config::Config),
    /// Look at the tree and write meshgov.yaml, a pre-commit hook and a workflow
    Init(init::Init),
    /// Unpack a small cluster with typical mistakes and check it
    Demo(demo::Demo),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// The command tree, for docs and completions.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs one command; returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, io),
    };
    let result = match &parsed.command {
        Command::Check(command) => command.run(io),
        Command::Access(command) => command.run(io),
        Command::Assets(command) => command.run(io),
        Command::Assume(command) => command.run(io),
        Command::Rules(command) => command.run(io),
        Command::Explain(command) => command.run(io),
        Command::Verify(command) => command.run(io),
        Command::Baseline(command) => command.run(io),
        Command::Diff(command) => command.run(io),
        Command::Environments(command) => command.run(io),
        Command::Test(command) => command.run(io),
        Command::Eval(command) => command.run(io),
        Command::Config(command) => command.run(io),
        Command::Init(command) => command.run(io),
        Command::Demo(command) => command.run(io),
        Command::Completions(command) => command.run(io),
    };
    match result {
        Ok(code) => code,
        // A reader that went away (`meshgov … | head`) is no error of ours.
        Err(Error::File { cause, .. }) if cause.kind() == std::io::ErrorKind::BrokenPipe => EXIT_OK,
        Err(error) => {
            let written = io.err.write_all(error.render().as_bytes());
            // Nobody is left to tell.
            written.map_or(EXIT_ERROR, |()| EXIT_ERROR)
        }
    }
}

/// Help and version go to stdout with code 0, mistakes to stderr with code 2.
fn usage(error: &clap::Error, io: &mut Io<'_>) -> u8 {
    let text = error.render();
    let (out, code): (&mut dyn Write, u8) = if error.use_stderr() {
        (&mut *io.err, EXIT_ERROR)
    } else {
        (&mut *io.out, EXIT_OK)
    };
    let text = if io.terminal_out {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    match out.write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(_) => EXIT_ERROR,
    }
}

/// Runs with the process's own streams, clock and environment.
pub fn run_in_process(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    io::with_process(|io| run(arguments, io))
}

/// Writes to stdout.
fn print(io: &mut Io<'_>, text: &str) -> Result<(), Error> {
    io.out.write_all(text.as_bytes()).map_err(stdout_failed)
}

fn stdout_failed(cause: std::io::Error) -> Error {
    Error::File {
        action: "write",
        path: String::from("stdout"),
        cause,
    }
}
