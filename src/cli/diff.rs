//! L8: `meshgov diff`. Input: two trees; output: what the step from one to the other means, and exit code 1 when it widens anything.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::pipeline::{self, Input, Silencing};
use crate::cli::settings::{ConfigFlags, FilterFlags, Settings};
use crate::cli::{EXIT_EMPTY, EXIT_FINDINGS, EXIT_OK, Io, stdout_failed};
use crate::discover::Request;
use crate::discover::display::{Base, absolute};
use crate::error::Error;
use crate::evaluate::engine::EngineRules;
use crate::facts::change::Direction;
use crate::facts::subject::SubjectKind;
use crate::facts::{Confidence, Severity};
use crate::finding::{Gate, Old, Outcome};
use crate::query::diff::{self, DiffReport, Tree};
use crate::report::{self, Document, Options};
use crate::rule::example;

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// Folder with the manifests as they were
    #[arg(long, value_name = "DIR")]
    base: PathBuf,
    /// Folder with the manifests as they are to be [default: the working directory]
    #[arg(long, value_name = "DIR")]
    head: Option<PathBuf>,
    /// Files and folders to compare, within both [default: everything]
    paths: Vec<PathBuf>,
    /// What fails the run
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "widened",
        env = "MESHGOV_DIFF_FAIL_ON"
    )]
    fail_on: FailOn,
    /// Output format: human, json, markdown, sarif (the findings of DRIFT rules)
    #[arg(long, value_name = "FORMAT", default_value = "human",
          value_parser = ["human", "json", "markdown", "sarif"])]
    format: String,
    /// Print every change with its proof
    #[arg(long)]
    all: bool,
    /// Exit with 0 instead of 3 when neither side has a Kubernetes object
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// The gate of `diff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Any change that lets in more or protects less
    Widened,
    /// Any change
    Any,
    /// Nothing
    Never,
}

impl Diff {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        for path in &self.paths {
            let is_in = |folder: &Path| io.cwd.join(folder).join(path).exists();
            if !is_in(&self.base) && !is_in(self.head()) {
                return Err(Error::usage_help(
                    format!("neither side has `{}`", path.display()),
                    "paths are meant within both folders",
                ));
            }
        }
        let base = self.tree(&self.base, &settings, io)?;
        let head = self.tree(self.head(), &settings, io)?;
        let objects = base.loaded.resources.len() + head.loaded.resources.len();
        if objects == 0 && !self.allow_empty {
            let words = "error: no Kubernetes object found on either side\n  help: name other folders, or pass --allow-empty\n";
            io.err.write_all(words.as_bytes()).map_err(stdout_failed)?;
            return Ok(EXIT_EMPTY);
        }
        let mut report = of(&base, &head);
        report.folders = (Self::shown(&self.base, io), Self::shown(self.head(), io));
        if self.format == "sarif" {
            findings(&report, head, &settings, io)?;
        }
        let options = Options {
            all: self.all,
            ..Options::default()
        };
        let format = report::DIFF_FORMATS.iter().find(|f| f.name == self.format);
        if let Some(format) = format {
            (format.write)(&report, &options, io.out).map_err(stdout_failed)?;
        }
        Ok(if self.fails(&report) {
            EXIT_FINDINGS
        } else {
            EXIT_OK
        })
    }

    fn head(&self) -> &Path {
        self.head.as_deref().unwrap_or(Path::new("."))
    }

    /// A folder as the paths of its files begin; empty where they print as they are.
    fn shown(folder: &Path, io: &Io<'_>) -> String {
        let full = absolute(&io.cwd, folder);
        let shown = Base::of(&full).shown(&full);
        if shown == "." { String::new() } else { shown }
    }

    /// Reads one side; its paths print relative to its own folder, so that both sides print alike.
    fn tree(&self, folder: &Path, settings: &Settings, io: &Io<'_>) -> Result<Input, Error> {
        let cwd = absolute(&io.cwd, folder);
        if !cwd.is_dir() {
            return Err(Error::usage_help(
                format!("`{}` is no folder", folder.display()),
                "name the folder that holds the manifests of that side",
            ));
        }
        // A path that one side does not have is new or gone there.
        let there = |path: &&PathBuf| cwd.join(path).exists();
        let paths: Vec<PathBuf> = self.paths.iter().filter(there).cloned().collect();
        let request = Request {
            cwd,
            paths,
            stdin_name: None,
        };
        pipeline::read(&request, &settings.config, None)
    }

    fn fails(&self, report: &DiffReport) -> bool {
        match self.fail_on {
            FailOn::Widened => {
                let wider = |c: &crate::facts::change::Change| c.direction == Direction::Widened;
                report.changes.iter().any(wider)
            }
            FailOn::Any => !report.changes.is_empty(),
            FailOn::Never => false,
        }
    }
}

/// Compares two inputs.
fn of(base: &Input, head: &Input) -> DiffReport {
    fn tree(input: &Input) -> Tree<'_> {
        Tree {
            views: &input.views,
            assume: &input.assume,
        }
    }
    let sources = (base.sources.clone(), head.sources.clone());
    diff::diff(tree(base), tree(head), sources)
}

/// Writes what the rules on changes find, as SARIF.
fn findings(
    report: &DiffReport,
    mut head: Input,
    settings: &Settings,
    io: &mut Io<'_>,
) -> Result<(), Error> {
    head.with_changes(report);
    let mut rules = settings.compiled(&head.kinds())?;
    rules.retain(|rule| rule.rule.info.subject == SubjectKind::Change);
    let silencing = Silencing {
        rules: &settings.rules,
        ignores: &settings.config.ignores,
        config: settings.config.file.as_ref(),
        today: &io.today,
        off: false,
    };
    let judgement = head.judge(&rules, &EngineRules::default(), &silencing);
    let texts = rules
        .iter()
        .map(|rule| example::with_texts(&rule.rule.info, &rule.rule.file));
    let outcome = Outcome {
        findings: judgement.findings,
        not_evaluated: judgement.not_evaluated,
        not_analysed: Vec::new(),
        views: head.summaries(),
        rules: texts.collect(),
        objects: head.loaded.resources.len(),
        files: head.loaded.files.len(),
        old: Old::default(),
        gate: Gate {
            fail_on: Some(Severity::High),
            fail_confidence: Confidence::Medium,
        },
        today: io.today.clone(),
        sources: head.sources,
        secrets: head.loaded.secrets,
    };
    if let Some(format) = report::format(Document::Check, "sarif") {
        (format.write)(&outcome, &Options::default(), io.out).map_err(stdout_failed)?;
    }
    Ok(())
}
