//! L8: `meshgov config views`. Input: paths; output: each view with how it was found, its objects and what is missing of it.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::pipeline::{self, Input};
use crate::cli::rules::pretty;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_EMPTY, EXIT_OK, Io, print, stdout_failed};
use crate::discover::Request;
use crate::error::Error;
use crate::report::plural;
use crate::source::Span;
use crate::view::gitops::Unread;
use crate::view::{Namespace, Opaque, View};

/// Arguments of `config views`.
#[derive(Debug, Args)]
pub(super) struct Views {
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    /// Output format: human, json
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = ["human", "json"])]
    format: String,
    #[command(flatten)]
    config: ConfigFlags,
}

/// What is known of one view.
struct Shown<'v> {
    view: &'v View,
    objects: usize,
    unset: usize,
    made: usize,
    missing: Vec<Missing>,
}

/// Something that a view holds and that is not known.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Missing {
    /// `HelmRelease ml/ollama is not rendered`.
    what: String,
    /// Namespace that it fills; `None` = any.
    namespace: Option<String>,
    /// `apps/ollama.yaml:3:1`.
    at: Option<String>,
    /// What is wrong there, when something is.
    because: Option<String>,
}

impl Views {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let request = Request {
            cwd: io.cwd.clone(),
            paths: self.paths.clone(),
            stdin_name: None,
        };
        let bytes = pipeline::stdin(&request, io)?;
        let input = pipeline::read(&request, &settings.config, bytes.as_deref())?;
        if input.views.is_empty() && input.unread.is_empty() {
            let files = input.loaded.files.len();
            let words =
                format!("error: no view found (files read: {files})\n  help: name other paths\n");
            io.err.write_all(words.as_bytes()).map_err(stdout_failed)?;
            return Ok(EXIT_EMPTY);
        }
        let (views, unread) = shown(&input);
        let text = match self.format.as_str() {
            "json" => as_json(&views, &unread),
            _ => as_text(&views, &unread),
        };
        print(io, &text)?;
        Ok(EXIT_OK)
    }
}

/// The views, and what is not analysed and belongs to none of them.
fn shown(input: &Input) -> (Vec<Shown<'_>>, Vec<&Unread>) {
    let views = input.views.iter().map(|view| shown_view(input, view));
    let rest = input.unread.iter().filter(|unread| !unread.is_lack);
    (views.collect(), rest.collect())
}

fn shown_view<'v>(input: &Input, view: &'v View) -> Shown<'v> {
    let own = || view.members.iter().filter(|m| !m.resource.is_assumed());
    let opaque = view.opaque.iter();
    let mut missing: Vec<Missing> = opaque
        .map(|opaque| Missing {
            what: opaque.missing(),
            namespace: opaque.namespace.clone(),
            at: opaque.span.and_then(|span| place(input, span)),
            because: because(input, opaque),
        })
        .collect();
    missing.sort();
    missing.dedup();
    Shown {
        view,
        objects: own().count(),
        unset: own().filter(|m| m.namespace == Namespace::Unset).count(),
        made: own().filter(|m| m.resource.is_made()).count(),
        missing,
    }
}

/// `apps/ollama.yaml:3:1`.
fn place(input: &Input, span: Span) -> Option<String> {
    let source = input.sources.get(span.source)?;
    let at = source.position(span.start);
    Some(format!("{}:{}:{}", source.path, at.line, at.column))
}

fn because(input: &Input, opaque: &Opaque) -> Option<String> {
    if opaque.why.is_some() {
        return opaque.why.clone();
    }
    let span = opaque.span?;
    let mut problems = input.loaded.problems.iter();
    let problem = problems.find(|problem| problem.span == span)?;
    Some(problem.message.clone())
}

fn as_text(views: &[Shown<'_>], unread: &[&Unread]) -> String {
    let mut text = String::new();
    for shown in views {
        let _ = writeln!(text, "{}", shown.view.name);
        let found = match shown.view.overlays {
            0 => shown.view.found_by.clone(),
            n => format!("{}, {}", shown.view.found_by, plural(n, "overlay")),
        };
        let _ = writeln!(text, "  found by: {found}");
        let mut objects = plural(shown.objects, "object");
        if shown.made > 0 {
            let _ = write!(objects, ", {} of them made of chart values", shown.made);
        }
        let _ = writeln!(text, "  {objects}");
        if shown.unset > 0 {
            let _ = writeln!(text, "  namespace unset: {}", plural(shown.unset, "object"));
        }
        for missing in &shown.missing {
            let _ = write!(text, "  missing: {}", missing.what);
            let because = missing.because.as_deref().unwrap_or("");
            if let Some(at) = missing.at.as_ref().filter(|at| !because.contains(*at)) {
                let _ = write!(text, " ({at})");
            }
            if let Some(because) = &missing.because {
                let _ = write!(text, ": {because}");
            }
            text.push('\n');
        }
    }
    if !unread.is_empty() {
        text.push_str("in no view\n");
    }
    for unread in unread {
        let _ = writeln!(text, "  not analysed: {}: {}", unread.path, unread.reason);
    }
    text
}

fn as_json(views: &[Shown<'_>], unread: &[&Unread]) -> String {
    let not_analysed = |list: &[&Unread]| -> Vec<Value> {
        let lines = list.iter();
        lines
            .map(|unread| json!({"path": unread.path, "reason": unread.reason}))
            .collect()
    };
    let views: Vec<Value> = views
        .iter()
        .map(|shown| {
            let missing = shown.missing.iter().map(|missing| {
                json!({
                    "what": missing.what,
                    "namespace": missing.namespace,
                    "at": missing.at,
                    "because": missing.because,
                })
            });
            json!({
                "name": shown.view.name,
                "foundBy": shown.view.found_by,
                "overlays": shown.view.overlays,
                "objects": shown.objects,
                "madeOfValues": shown.made,
                "unsetNamespace": shown.unset,
                "missing": missing.collect::<Vec<_>>(),
            })
        })
        .collect();
    pretty(&json!({"version": 1, "views": views, "notAnalysed": not_analysed(unread)}))
}
