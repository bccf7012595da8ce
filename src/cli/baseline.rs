//! L8: `meshgov baseline`. Input: manifests and a baseline file; output: the file, written or shown.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::baseline::{Baseline, Texts};
use crate::cli::check::pool;
use crate::cli::pipeline::{self, Input, Silencing};
use crate::cli::settings::{ConfigFlags, FilterFlags, Settings, shown};
use crate::cli::tree::TreeSource;
use crate::cli::{EXIT_OK, Io, print};
use crate::config::ignores::is_date;
use crate::discover::Request;
use crate::error::Error;
use crate::evaluate::Judgement;
use crate::report::plural;

/// Where a baseline is when nothing names it.
const FILE: &str = "meshgov-baseline.txt";

/// Arguments of `baseline`.
#[derive(Debug, Args)]
pub(super) struct BaselineCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Accept the findings there are
    Create {
        #[command(flatten)]
        run: Run,
        /// Day of acceptance, YYYY-MM-DD [default: the system's day]
        #[arg(long, value_name = "DATE", env = "MESHGOV_TODAY")]
        today: Option<String>,
        /// Replace a file that is there: accept everything anew
        #[arg(long)]
        force: bool,
    },
    /// List what is accepted, and what of it is fixed
    Show {
        #[command(flatten)]
        run: Run,
    },
    /// Drop the entries whose findings are fixed
    Prune {
        #[command(flatten)]
        run: Run,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Files and folders [default: those of the baseline, else the working directory]
    paths: Vec<PathBuf>,
    /// The baseline [default: `baseline:` of the config, else meshgov-baseline.txt]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
}

/// The findings of a run, and where its baseline is.
struct Found {
    input: Input,
    judgement: Judgement,
}

impl BaselineCommand {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let text = match &self.action {
            Action::Create { run, today, force } => create(run, today.as_deref(), *force, io)?,
            Action::Show { run } => show(run, io)?,
            Action::Prune { run } => prune(run, io)?,
        };
        print(io, &text)?;
        Ok(EXIT_OK)
    }
}

fn create(run: &Run, today: Option<&str>, force: bool, io: &Io<'_>) -> Result<String, Error> {
    let today = today.unwrap_or(&io.today);
    if !is_date(today) {
        return Err(Error::usage_help(
            format!("`{today}` is no date"),
            "write YYYY-MM-DD",
        ));
    }
    let settings = run.config.settings(&FilterFlags::default(), io)?;
    let path = run.path(&settings, io);
    if path.exists() && !force {
        return Err(Error::usage_help(
            format!("`{}` is there already", shown(&path, &io.cwd)),
            "`meshgov baseline prune` drops what is fixed; `--force` accepts everything anew",
        ));
    }
    let found = run.find(&settings, run.paths.clone(), io)?;
    let paths = found.input.paths.clone();
    let baseline = Baseline::of(&found.judgement.findings, found.texts(), today, paths);
    write(&path, &baseline, io)?;
    let count: usize = baseline.entries.values().map(|a| a.count).sum();
    let mut text = format!(
        "{} accepted on {today} in {}\n",
        plural(count, "finding"),
        shown(&path, &io.cwd)
    );
    if settings.baseline.as_ref() != Some(&path) {
        let name = shown(&path, &io.cwd);
        let _ = writeln!(
            text,
            "next: `baseline: {name}` in meshgov.yaml, or meshgov check --baseline {name}"
        );
    }
    Ok(text)
}

fn show(run: &Run, io: &Io<'_>) -> Result<String, Error> {
    let (path, baseline, left) = run.compare(io)?;
    let count: usize = baseline.entries.values().map(|a| a.count).sum();
    let fixed: usize = left.values().sum();
    let mut text = format!(
        "{} accepted on {} in {}: {} there, {fixed} fixed\n",
        plural(count, "finding"),
        baseline.accepted,
        shown(&path, &io.cwd),
        count - fixed
    );
    let mut lines: Vec<_> = baseline
        .entries
        .iter()
        .map(|(known, accepted)| {
            let gone = left.get(known).copied().unwrap_or(0);
            (&accepted.words, accepted.count - gone, gone)
        })
        .collect();
    lines.sort();
    for (words, there, gone) in lines {
        for (state, count) in [("there", there), ("fixed", gone)] {
            let times = match count {
                0 => continue,
                1 => String::new(),
                n => format!(" ({n} times)"),
            };
            let _ = writeln!(text, "  {state}  {words}{times}");
        }
    }
    Ok(text)
}

fn prune(run: &Run, io: &Io<'_>) -> Result<String, Error> {
    let (path, mut baseline, left) = run.compare(io)?;
    let fixed: usize = left.values().sum();
    if fixed == 0 {
        return Ok(format!("nothing of {} is fixed\n", shown(&path, &io.cwd)));
    }
    baseline.prune(&left);
    write(&path, &baseline, io)?;
    let rest: usize = baseline.entries.values().map(|a| a.count).sum();
    Ok(format!(
        "{} dropped from {}, {rest} left\n",
        plural(fixed, "finding"),
        shown(&path, &io.cwd)
    ))
}

fn write(path: &Path, baseline: &Baseline, io: &Io<'_>) -> Result<(), Error> {
    std::fs::write(path, baseline.text()).map_err(|cause| Error::File {
        action: "write",
        path: shown(path, &io.cwd),
        cause,
    })
}

/// Reads a baseline; `tree` may hold another version of it than the disk.
pub(super) fn read(path: &Path, tree: &TreeSource, io: &Io<'_>) -> Result<Baseline, Error> {
    let name = shown(path, &io.cwd);
    let text = match tree.text(io, path) {
        Some(text) => text,
        None => std::fs::read_to_string(path).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => Error::usage_help(
                format!("there is no baseline `{name}`"),
                "`meshgov baseline create` writes one",
            ),
            _ => Error::File {
                action: "read",
                path: name.clone(),
                cause,
            },
        })?,
    };
    Baseline::parse(&name, &text).map_err(Error::Problems)
}

type Compared = (
    PathBuf,
    Baseline,
    std::collections::BTreeMap<crate::baseline::Known, usize>,
);

impl Run {
    fn path(&self, settings: &Settings, io: &Io<'_>) -> PathBuf {
        match &self.file {
            Some(file) => io.cwd.join(file),
            None => settings
                .baseline
                .clone()
                .unwrap_or_else(|| io.cwd.join(FILE)),
        }
    }

    /// The baseline, and what of it is found no more.
    fn compare(&self, io: &Io<'_>) -> Result<Compared, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let path = self.path(&settings, io);
        let baseline = read(&path, &TreeSource::Disk, io)?;
        let paths = if self.paths.is_empty() {
            let base = crate::discover::display::Base::of(&io.cwd);
            baseline
                .paths
                .iter()
                .map(|p| base.folder().join(p))
                .collect()
        } else {
            self.paths.clone()
        };
        let mut found = self.find(&settings, paths, io)?;
        if found.input.paths != baseline.paths {
            return Err(Error::usage_help(
                format!(
                    "`{}` was made of other paths: {}",
                    shown(&path, &io.cwd),
                    baseline.paths.join(", ")
                ),
                "leave the paths out, or `meshgov baseline create --force PATH…`",
            ));
        }
        let texts = Texts {
            sources: &found.input.sources,
            secrets: &found.input.loaded.secrets,
        };
        let left = baseline.apply(&mut found.judgement.findings, texts, "");
        Ok((path, baseline, left))
    }

    fn find(&self, settings: &Settings, paths: Vec<PathBuf>, io: &Io<'_>) -> Result<Found, Error> {
        let request = Request {
            cwd: io.cwd.clone(),
            paths,
            stdin_name: None,
        };
        let today = &io.today;
        pool(None)?.install(|| {
            let mut input = pipeline::read(&request, &settings.config, None)?;
            let rules = settings.compiled(&input.kinds())?;
            let silencing = Silencing {
                rules: &settings.rules,
                ignores: &settings.config.ignores,
                config: settings.config.file.as_ref(),
                today,
                off: false,
            };
            let judgement = input.judge(&rules, &settings.engine(), &silencing);
            Ok(Found { input, judgement })
        })
    }
}

impl Found {
    fn texts(&self) -> Texts<'_> {
        Texts {
            sources: &self.input.sources,
            secrets: &self.input.loaded.secrets,
        }
    }
}
