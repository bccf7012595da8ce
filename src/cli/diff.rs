//! L8: `meshgov diff`. Input: two trees; output: what the step from one to the other means, and exit code 1 when it widens anything.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::pipeline::{self, Input, Silencing};
use crate::cli::settings::{ConfigFlags, FilterFlags, Settings};
use crate::cli::tree::{self, TreeSource};
use crate::cli::{EXIT_EMPTY, EXIT_FINDINGS, EXIT_OK, Io, stdout_failed};
use crate::discover::Request;
use crate::discover::display::{Base, absolute};
use crate::error::Error;
use crate::evaluate::engine::EngineRules;
use crate::facts::change::Direction;
use crate::facts::subject::SubjectKind;
use crate::facts::{Assumptions, Confidence, Severity};
use crate::finding::{Gate, Old, Outcome};
use crate::query::diff::{self, DiffReport, Tree};
use crate::report::{self, Document, Options};
use crate::rule::example;

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// What was: a folder, or a git revision [default: the commit where HEAD left the default branch]
    #[arg(long, value_name = "REV|DIR")]
    base: Option<String>,
    /// What is to be: a folder, or a git revision [default: the working directory]
    #[arg(long, value_name = "REV|DIR", conflicts_with = "staged")]
    head: Option<String>,
    /// Compare what the next commit will hold; the base is then HEAD unless it is named
    #[arg(long)]
    staged: bool,
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
        let (base, head) = self.sides(io)?;
        self.check_paths(&base, &head, io)?;
        let names = (base.shown(), head.shown());
        let base = self.read(&base, &settings, io)?;
        let head = self.read(&head, &settings, io)?;
        let objects = base.loaded.resources.len() + head.loaded.resources.len();
        if objects == 0 && !self.allow_empty {
            let words = "error: no Kubernetes object found on either side\n  help: name other folders, or pass --allow-empty\n";
            io.err.write_all(words.as_bytes()).map_err(stdout_failed)?;
            return Ok(EXIT_EMPTY);
        }
        let mut report = of(&base, &head);
        report.folders = names;
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

    /// Both sides, as the flags name them.
    fn sides(&self, io: &Io<'_>) -> Result<(Compared, Compared), Error> {
        let revision = |source| Compared::Tree(source);
        let is_folder = |name: &String| absolute(&io.cwd, Path::new(name)).is_dir();
        let head = match &self.head {
            Some(name) => Compared::named(name, io)?,
            None if !self.staged && self.base.as_ref().is_some_and(is_folder) => {
                Compared::Folder(io.cwd.clone())
            }
            None if self.staged => revision(TreeSource::index(io)?),
            None => Compared::Tree(TreeSource::Disk),
        };
        let walked = matches!(head, Compared::Tree(TreeSource::Disk));
        let base = match &self.base {
            Some(name) if walked && Compared::is_revision(name, io) => {
                revision(TreeSource::revision_as_walked(io, name)?)
            }
            Some(name) => Compared::named(name, io)?,
            None if self.staged => revision(TreeSource::head(io)?),
            None => revision(TreeSource::revision_as_walked(io, &tree::merge_base(io)?)?),
        };
        Ok((base, head))
    }

    /// A path that neither side has is a slip. What a revision has is not looked up: there, nothing is found.
    fn check_paths(&self, base: &Compared, head: &Compared, io: &Io<'_>) -> Result<(), Error> {
        for path in &self.paths {
            let has = |side: &Compared| side.has(path, io);
            if !has(base) && !has(head) {
                return Err(Error::usage_help(
                    format!("neither side has `{}`", path.display()),
                    "paths are meant within both sides",
                ));
            }
        }
        Ok(())
    }

    fn read(&self, side: &Compared, settings: &Settings, io: &Io<'_>) -> Result<Input, Error> {
        let source = match side {
            Compared::Folder(_) => &TreeSource::Disk,
            Compared::Tree(source) => source,
        };
        // A path that one side does not have is new or gone there.
        let there = |path: &&PathBuf| side.has(path, io);
        let paths: Vec<PathBuf> = self.paths.iter().filter(there).cloned().collect();
        if paths.is_empty() && !self.paths.is_empty() {
            let nothing = pipeline::read_texts(&[], Assumptions::default());
            return Ok(nothing);
        }
        let request = Request {
            cwd: side.folder(io),
            paths,
            stdin_name: None,
        };
        pipeline::read_tree(&request, &settings.config, None, source)
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

/// One side of the comparison.
#[derive(Debug)]
enum Compared {
    /// A folder, whose files print relative to it, so that both sides print alike.
    Folder(PathBuf),
    /// The tree around the working directory, on the disk or in git.
    Tree(TreeSource),
}

impl Compared {
    /// A folder of that name, else a revision.
    fn named(name: &str, io: &Io<'_>) -> Result<Self, Error> {
        if name.is_empty() {
            return Err(Error::usage_help(
                "an empty name is neither folder nor revision",
                "write `--base REV` or `--base DIR`, or leave it out",
            ));
        }
        let folder = absolute(&io.cwd, Path::new(name));
        if folder.is_dir() {
            return Ok(Self::Folder(folder));
        }
        if !Self::is_revision(name, io) {
            return Err(Error::usage_help(
                format!("`{name}` is no folder"),
                "name the folder that holds the manifests of that side, or a git revision",
            ));
        }
        Ok(Self::Tree(TreeSource::revision(io, name)?))
    }

    /// Whether a name can only be a revision: nothing is called so, and there is a repository.
    fn is_revision(name: &str, io: &Io<'_>) -> bool {
        !name.is_empty()
            && !absolute(&io.cwd, Path::new(name)).exists()
            && TreeSource::in_repository(io)
    }

    fn folder(&self, io: &Io<'_>) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Tree(_) => io.cwd.clone(),
        }
    }

    fn has(&self, path: &Path, io: &Io<'_>) -> bool {
        let full = absolute(&self.folder(io), path);
        match self {
            Self::Tree(source @ TreeSource::Git(_)) => source.has(io, &full),
            Self::Folder(_) | Self::Tree(TreeSource::Disk) => full.exists(),
        }
    }

    /// A folder as the paths of its files begin; empty where they print as they are.
    fn shown(&self) -> String {
        let Self::Folder(full) = self else {
            return String::new();
        };
        let shown = Base::of(full).shown(full);
        if shown == "." { String::new() } else { shown }
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
