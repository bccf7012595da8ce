//! L8: what a command that answers questions is asked about. Input: paths; output: everything read, or that there is no Kubernetes object
//! and what to do about it.

use std::path::PathBuf;

use super::{Input, read, stdin};
use crate::cli::io::Io;
use crate::cli::stdout_failed;
use crate::config::Config;
use crate::discover;
use crate::error::Error;
use crate::load::{FileOutcome, LoadedFile, Skip};

/// Reads what is asked about; `None` when there is no Kubernetes object, which is then said. `allow_empty` is the flag of that name, `None` for a
/// command without it.
///
/// # Errors
/// A path that does not exist or cannot be read.
pub(in crate::cli) fn asked(
    paths: &[PathBuf],
    config: &Config,
    allow_empty: Option<bool>,
    io: &mut Io<'_>,
) -> Result<Option<Input>, Error> {
    let request = discover::Request {
        cwd: io.cwd.clone(),
        paths: paths.to_vec(),
        stdin_name: None,
    };
    let bytes = stdin(&request, io)?;
    let input = read(&request, config, bytes.as_deref())?;
    if !input.loaded.resources.is_empty() || allow_empty == Some(true) {
        return Ok(Some(input));
    }
    let words = none_found(&input.loaded.files, allow_empty.is_some());
    io.err.write_all(words.as_bytes()).map_err(stdout_failed)?;
    Ok(None)
}

fn none_found(files: &[LoadedFile], has_flag: bool) -> String {
    let is_template = |file: &&LoadedFile| matches!(&file.outcome, FileOutcome::Skipped { reason, .. } if *reason == Skip::Template);
    let is_broken = |file: &&LoadedFile| matches!(file.outcome, FileOutcome::Broken(_));
    let broken = files.iter().filter(is_broken).count();
    let help = match broken {
        0 => way_out(files.iter().filter(is_template).count(), has_flag),
        n => {
            format!("correct what cannot be read first ({n} here): meshgov check tells the places")
        }
    };
    nothing_in(files.len(), &help)
}

/// What to do where no file holds an object, so many of them being templates.
pub(in crate::cli) fn way_out(templates: usize, has_flag: bool) -> String {
    match templates {
        0 if has_flag => String::from("name other paths, or pass --allow-empty"),
        0 => String::from("name other paths"),
        n => {
            format!("render the templates first ({n} here): helm template CHART | meshgov check -")
        }
    }
}

/// That so many files hold no Kubernetes object.
pub(in crate::cli) fn nothing_in(files: usize, help: &str) -> String {
    format!("error: no Kubernetes object found (files read: {files})\n  help: {help}\n")
}
