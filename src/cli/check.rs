//! L8: `meshgov check`. Input: paths and flags; output: reports and the exit code of the gate.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, ValueEnum};

use crate::baseline::{self, Baseline, Texts};
use crate::cli::expect;
use crate::cli::pipeline::{self, Compare, Input, Silencing};
use crate::cli::settings::{ConfigFlags, FilterFlags, Settings, shown};
use crate::cli::tree::{self, TreeSource};
use crate::cli::{EXIT_EMPTY, EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK, Io, stdout_failed};
use crate::config::ignores::is_date;
use crate::discover::Request;
use crate::error::Error;
use crate::evaluate::engine::EngineRules;
use crate::evaluate::{CompiledRule, Judgement};
use crate::facts::before::Base;
use crate::facts::subject::SubjectKind;
use crate::facts::{Confidence, Severity};
use crate::finding::{Finding, Gate, NotAnalysed, Old, Outcome};
use crate::load::{FileOutcome, Skip};
use crate::report::{self, ColorChoice, Document, Format, Options, Terminal};
use crate::rule::{RuleInfo, example, load};
use crate::view::Lack;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    filters: FilterFlags,
    #[command(flatten)]
    since: SinceFlags,
    /// Least severity that fails the run [default: high]
    #[arg(long, value_name = "SEVERITY", env = "MESHGOV_FAIL_ON",
          value_parser = ["critical", "high", "medium", "low", "note", "never"])]
    fail_on: Option<String>,
    /// Least confidence that fails the run [default: medium]
    #[arg(long, value_name = "CONFIDENCE", env = "MESHGOV_FAIL_CONFIDENCE",
          value_parser = ["high", "medium", "low"])]
    fail_confidence: Option<String>,
    /// Exit with 0 instead of 1 when there are findings
    #[arg(long)]
    exit_zero: bool,
    /// Exit with 4 when something could not be read or decided
    #[arg(long)]
    strict: bool,
    /// Exit with 0 instead of 3 when there is no Kubernetes object
    #[arg(long)]
    allow_empty: bool,
    /// Report silenced findings too
    #[arg(long)]
    no_ignores: bool,
    /// Report format, optionally into a file (repeatable): human, concise, json, sarif, github, markdown
    #[arg(
        long = "format",
        value_name = "FORMAT[=FILE]",
        default_value = "human",
        env = "MESHGOV_FORMAT"
    )]
    formats: Vec<String>,
    /// Print every finding with its source, and everything that was left out
    #[arg(long)]
    all: bool,
    /// Category of the SARIF log; tells apart several uploads for one commit
    #[arg(long, value_name = "NAME", default_value = "meshgov")]
    sarif_category: String,
    /// When to use colour
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        env = "MESHGOV_COLOR"
    )]
    color: Color,
    /// Show no progress
    #[arg(long)]
    no_progress: bool,
    /// Print nothing when nothing fails the run
    #[arg(short, long)]
    quiet: bool,
    /// Path that findings in standard input print
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<String>,
    /// Day that silencers are judged on, YYYY-MM-DD [default: the system's day]
    #[arg(long, value_name = "DATE", env = "MESHGOV_TODAY")]
    today: Option<String>,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", env = "MESHGOV_JOBS")]
    jobs: Option<usize>,
}

/// What the tree is held against.
#[derive(Clone, Debug, Default, Args)]
struct SinceFlags {
    /// Git revision to hold the tree against: `oldObject` in rules is the object at REV
    #[arg(long, value_name = "REV", env = "MESHGOV_BASE")]
    base: Option<String>,
    /// Report only findings that the base does not have [base: where HEAD left the default branch]
    #[arg(long)]
    new_only: bool,
    /// Judge the index instead of the working tree, and report only what the next commit adds
    #[arg(long)]
    staged: bool,
    /// Accept the findings that this file lists [default: `baseline:` of the config]
    #[arg(long, value_name = "FILE", env = "MESHGOV_BASELINE")]
    baseline: Option<PathBuf>,
}

/// The tree that is judged, and the one it is held against.
struct Sides {
    head: TreeSource,
    base: Option<TreeSource>,
    new_only: bool,
}

impl SinceFlags {
    fn sides(&self, io: &Io<'_>) -> Result<Sides, Error> {
        let head = if self.staged {
            TreeSource::index(io)?
        } else {
            TreeSource::Disk
        };
        let base = match &self.base {
            Some(base) if base.is_empty() => {
                return Err(Error::usage_help(
                    "`--base` names no revision",
                    "write `--base REV`, or leave it out",
                ));
            }
            Some(base) if self.staged => Some(TreeSource::revision(io, base)?),
            Some(base) => Some(TreeSource::revision_as_walked(io, base)?),
            None if self.staged => Some(TreeSource::head(io)?),
            None if self.new_only => {
                Some(TreeSource::revision_as_walked(io, &tree::merge_base(io)?)?)
            }
            None => None,
        };
        Ok(Sides {
            head,
            base,
            new_only: self.new_only || self.staged,
        })
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Stack of a worker thread: parsing and evaluation recurse within their depth limits, also in debug builds.
const WORKER_STACK_BYTES: usize = 16 << 20;

/// `check` with nothing but its defaults.
#[derive(Debug, Parser)]
struct Plain {
    #[command(flatten)]
    check: Check,
}

/// A sign of life on stderr, first drawn after half a second, so that short runs show none.
fn progress() -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new_spinner().with_message("reading and judging manifests");
    bar.enable_steady_tick(std::time::Duration::from_millis(500));
    bar
}

impl Check {
    /// `meshgov check` with these arguments.
    pub(super) fn with(arguments: &[&str]) -> Result<Self, Error> {
        Plain::try_parse_from(std::iter::once(&"meshgov check").chain(arguments))
            .map(|plain| plain.check)
            .map_err(|error| Error::usage(error.kind().to_string()))
    }

    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let formats = self.formats()?;
        if let Some(bad) = self.today.as_deref().filter(|d| !is_date(d)) {
            return Err(Error::usage_help(
                format!("`{bad}` is no date"),
                "write YYYY-MM-DD",
            ));
        }
        let sides = self.since.sides(io)?;
        let settings = self.config.settings_in(&sides.head, &self.filters, io)?;
        let request = Request {
            cwd: io.cwd.clone(),
            paths: self.paths.clone(),
            stdin_name: self.stdin_filename.clone(),
        };
        let pool = pool(self.jobs)?;
        let progress = (io.terminal_err && !self.no_progress && !self.quiet).then(progress);
        let outcome = self.outcome(&settings, &sides, &request, &formats, &pool, io);
        if let Some(bar) = progress {
            bar.finish_and_clear();
        }
        let outcome = outcome?;
        let fails = outcome.findings.iter().any(|f| outcome.gate.fails(f));
        let incomplete = is_incomplete(&outcome);
        let code = match () {
            () if fails && !self.exit_zero => EXIT_FINDINGS,
            () if outcome.objects == 0 && !self.allow_empty => EXIT_EMPTY,
            () if self.strict && incomplete => EXIT_INCOMPLETE,
            () => EXIT_OK,
        };
        self.write(&outcome, &formats, code, io)?;
        if code == EXIT_EMPTY {
            let words = nothing(&outcome);
            io.err.write_all(words.as_bytes()).map_err(stdout_failed)?;
        }
        Ok(code)
    }

    /// The formats with their files; more than one on stdout is a mistake.
    fn formats(&self) -> Result<Vec<(&'static Format, Option<&str>)>, Error> {
        let mut found = Vec::new();
        for text in &self.formats {
            let (name, file) = match text.split_once('=') {
                Some((name, file)) => (name, Some(file)),
                None => (text.as_str(), None),
            };
            let Some(format) = report::format(Document::Check, name) else {
                let known: Vec<_> = report::names(Document::Check).collect();
                let message = format!("there is no format `{name}`");
                let near = crate::shape::nearest(name, known.iter().copied());
                return Err(Error::usage_help(
                    message,
                    near.map_or_else(
                        || format!("one of {}", known.join(", ")),
                        |n| format!("did you mean `{n}`?"),
                    ),
                ));
            };
            found.push((format, file));
        }
        if found.iter().filter(|(_, file)| file.is_none()).count() > 1 {
            return Err(Error::usage_help(
                "two formats on stdout",
                "give all but one a file: `--format sarif=meshgov.sarif`",
            ));
        }
        Ok(found)
    }

    fn gate(&self, settings: &Settings) -> Gate {
        let fail_on = match &self.fail_on {
            // `never` is no severity, so it reads as none.
            Some(word) => load::word(word),
            None => settings.config.fail_on.unwrap_or(Some(Severity::High)),
        };
        let fail_confidence = match &self.fail_confidence {
            Some(word) => load::word(word).unwrap_or(Confidence::Medium),
            None => settings
                .config
                .fail_confidence
                .unwrap_or(Confidence::Medium),
        };
        Gate {
            fail_on,
            fail_confidence,
        }
    }

    fn outcome(
        &self,
        settings: &Settings,
        sides: &Sides,
        request: &Request,
        formats: &[(&'static Format, Option<&str>)],
        pool: &rayon::ThreadPool,
        io: &mut Io<'_>,
    ) -> Result<Outcome, Error> {
        let bytes = pipeline::stdin(request, io)?;
        let today = self.today.clone().unwrap_or_else(|| io.today.clone());
        let accepted = self.accepted(settings, &sides.head, io)?;
        pool.install(|| {
            let config = &settings.config;
            let mut input = pipeline::read_tree(request, config, bytes.as_deref(), &sides.head)?;
            let mut base = match &sides.base {
                Some(base) => Some(pipeline::read_tree(request, config, None, base)?),
                None => None,
            };
            let mut kinds = input.kinds();
            kinds.extend(base.iter().flat_map(Input::kinds));
            let rules = settings.compiled(&kinds)?;
            let engine = settings.engine();
            let files = expect::files(&settings.config, &request.cwd, &sides.head)?;
            if let Some(base) = base.as_mut().filter(|_| sides.new_only) {
                base.found = expect::drafts(base, files.clone(), &engine)?;
            }
            input.found = expect::drafts(&mut input, files, &engine)?;
            let silencing = Silencing {
                rules: &settings.rules,
                ignores: &settings.config.ignores,
                config: settings.config.file.as_ref(),
                today: &today,
                off: self.no_ignores,
            };
            let on_changes = |r: &CompiledRule| r.rule.info.subject == SubjectKind::Change;
            if let Some(base) = base.as_ref().filter(|_| rules.iter().any(on_changes)) {
                input.compare_with(base);
            }
            input.find_applications(config, &request.cwd);
            let on_environments =
                |r: &CompiledRule| r.rule.info.subject == SubjectKind::Environment;
            if rules.iter().any(on_environments) {
                let compare = Compare {
                    config,
                    cwd: &request.cwd,
                    today: &today,
                    no_ignores: self.no_ignores,
                };
                input.compare_environments(compare);
                if let Some(base) = base.as_mut().filter(|_| sides.new_only) {
                    base.compare_environments(compare);
                }
            }
            let before = (base.as_ref().zip(sides.base.as_ref()))
                .map(|(base, tree)| Base::new(tree.name(), &base.views, tree.submodules()));
            let mut judgement = input.judge_since(&rules, &engine, &silencing, before.as_ref());
            let mut old = Old::default();
            if let Some(accepted) = &accepted {
                old = accepted.apply(&mut judgement.findings, &input, settings);
            }
            if let (Some(base), Some(tree), true) = (&mut base, &sides.base, sides.new_only) {
                let mut known = base.judge(&rules, &engine, &silencing).findings;
                if let Some(accepted) = &accepted {
                    accepted.apply(&mut known, base, settings);
                }
                let is_comparable = comparable(&input, tree.submodules());
                tree.name().clone_into(&mut old.base);
                old.known = baseline::keep_new(&mut judgement.findings, &known, is_comparable);
            }
            let all = formats.iter().any(|(f, _)| f.name == "sarif");
            let (judgement, infos) = with_texts(judgement, settings, &engine, all);
            Ok(Outcome {
                findings: judgement.findings,
                not_evaluated: judgement.not_evaluated,
                not_analysed: not_analysed(&input),
                views: input.summaries(),
                rules: infos,
                objects: input.objects + input.made(),
                files: input.loaded.files.len(),
                old,
                gate: self.gate(settings),
                today,
                sources: input.sources,
                secrets: input.loaded.secrets,
            })
        })
    }

    /// The baseline that a flag or the config names.
    fn accepted(
        &self,
        settings: &Settings,
        head: &TreeSource,
        io: &Io<'_>,
    ) -> Result<Option<AcceptedFile>, Error> {
        let flag = self.since.baseline.as_ref().map(|file| io.cwd.join(file));
        let Some(path) = flag.or_else(|| settings.baseline.clone()) else {
            return Ok(None);
        };
        Ok(Some(AcceptedFile {
            baseline: crate::cli::baseline::read(&path, head, io)?,
            path: shown(&path, &io.cwd),
        }))
    }

    fn write(
        &self,
        outcome: &Outcome,
        formats: &[(&'static Format, Option<&str>)],
        code: u8,
        io: &mut Io<'_>,
    ) -> Result<(), Error> {
        let choice = match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let columns = (io.env)("COLUMNS").and_then(|c| c.parse().ok());
        let options = Options {
            terminal: Terminal::detect(io.env, io.terminal_out, columns, choice),
            all: self.all,
            category: self.sarif_category.clone(),
            ..Options::default()
        };
        for (format, file) in formats {
            match file {
                None if self.quiet && code == EXIT_OK => {}
                None => {
                    (format.write)(outcome, &options, io.out).map_err(stdout_failed)?;
                }
                Some(path) => {
                    // A file is no terminal, whatever stdout is.
                    let options = Options {
                        terminal: Terminal::detect(|_| None, false, None, ColorChoice::Never),
                        ..options.clone()
                    };
                    let failed = |cause| Error::File {
                        action: "write",
                        path: (*path).to_owned(),
                        cause,
                    };
                    let full = io.cwd.join(path);
                    let file = std::fs::File::create(full).map_err(failed)?;
                    let mut writer = std::io::BufWriter::new(file);
                    (format.write)(outcome, &options, &mut writer).map_err(failed)?;
                    writer.flush().map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

/// A baseline with its printed path.
struct AcceptedFile {
    baseline: Baseline,
    path: String,
}

impl AcceptedFile {
    /// Marks what is accepted. Entries are called fixed only by a run that could have found them.
    fn apply(&self, findings: &mut [Finding], input: &Input, settings: &Settings) -> Old {
        let texts = Texts {
            sources: &input.sources,
            secrets: &input.loaded.secrets,
        };
        let left = self.baseline.apply(findings, texts, &self.path);
        let entries = left
            .keys()
            .filter_map(|known| self.baseline.entries.get(known));
        let runs = |words: &str| {
            let id = words.split(' ').next().unwrap_or("");
            settings.selected().any(|rule| rule.info.id == id)
        };
        let is_whole = input.paths == self.baseline.paths;
        let mut fixed: Vec<String> = entries
            .map(|accepted| accepted.words.clone())
            .filter(|words| is_whole && runs(words))
            .collect();
        fixed.sort();
        Old {
            baseline: self.path.clone(),
            accepted: baseline::accepted(findings),
            fixed,
            ..Old::default()
        }
    }
}

/// Whether the base could have had a finding: it cannot where it has another repository.
fn comparable(input: &Input, submodules: Vec<String>) -> impl Fn(&Finding) -> bool {
    move |finding| {
        let path = input.sources.get(finding.span.source);
        let path = path.map_or("", |file| file.path.as_str());
        !submodules.iter().any(|folder| {
            path.strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// Threads for one run.
pub(super) fn pool(jobs: Option<usize>) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.unwrap_or(0))
        .stack_size(WORKER_STACK_BYTES)
        .build()
        .map_err(|e| Error::usage(format!("cannot start the threads: {e}")))
}

/// The rules of the run with the texts that reports print: of all rules, or of those that found something.
fn with_texts(
    mut judgement: Judgement,
    settings: &Settings,
    engine: &EngineRules,
    all: bool,
) -> (Judgement, Vec<Arc<RuleInfo>>) {
    let mut infos: Vec<Arc<RuleInfo>> = Vec::new();
    for rule in settings.selected() {
        let is_engine = engine.get(&rule.info.id).is_some();
        let found = judgement.findings.iter().any(|f| f.rule.id == rule.info.id);
        let info = if all || found {
            example::with_texts(&rule.info, &rule.file)
        } else {
            Arc::clone(&rule.info)
        };
        debug_assert_eq!(
            is_engine,
            rule.info.source == crate::rule::RuleSource::Engine
        );
        infos.push(info);
    }
    let info_of = |id: &str| {
        infos
            .binary_search_by(|i| i.id.as_str().cmp(id))
            .ok()
            .and_then(|at| infos.get(at))
    };
    for finding in &mut judgement.findings {
        if let Some(info) = info_of(&finding.rule.id) {
            finding.rule = Arc::clone(info);
        }
    }
    for undecided in &mut judgement.not_evaluated {
        if let Some(info) = info_of(&undecided.rule.id) {
            undecided.rule = Arc::clone(info);
        }
    }
    (judgement, infos)
}

fn not_analysed(input: &Input) -> Vec<NotAnalysed> {
    let mut found: Vec<_> = input
        .loaded
        .files
        .iter()
        .filter_map(|file| match &file.outcome {
            FileOutcome::Skipped { reason, .. } => Some(NotAnalysed {
                path: file.source.path.clone(),
                reason: reason.to_string(),
            }),
            FileOutcome::Read(_) | FileOutcome::Broken(_) => None,
        })
        .collect();
    found.extend(input.unread.iter().map(|unread| NotAnalysed {
        path: unread.path.clone(),
        reason: unread.reason.clone(),
    }));
    found.sort();
    found
}

/// Why there is no object, and what to do about it.
fn nothing(outcome: &Outcome) -> String {
    let files = outcome.files;
    let is_template = |n: &&NotAnalysed| n.reason == Skip::Template.to_string();
    let templates = outcome.not_analysed.iter().filter(is_template).count();
    let all = outcome.views.iter().flat_map(|view| &view.opaque);
    let is_unbuilt = |(lack, _): &&(Lack, String)| matches!(lack, Lack::Unbuilt | Lack::Broken);
    let unbuilt = all.filter(is_unbuilt).count();
    if unbuilt == 0 {
        return pipeline::nothing_in(files, &pipeline::way_out(templates, true));
    }
    format!(
        "error: no Kubernetes object is known (kustomizations not built: {unbuilt})\n  \
         help: pipe in what kustomize makes of it: kustomize build FOLDER | meshgov check -\n"
    )
}

/// Whether something was not read or not decided, so that silence proves nothing.
fn is_incomplete(outcome: &Outcome) -> bool {
    !outcome.not_analysed.is_empty()
        || !outcome.not_evaluated.is_empty()
        || outcome.views.iter().any(|v| !v.opaque.is_empty())
}
