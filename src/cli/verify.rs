//! L8: `meshgov verify`. Input: a file of expectations and manifests; output: what holds beside what was expected, and exit
//! code 1 when they differ.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::expect::{faulty, read};
use crate::cli::pipeline;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_FINDINGS, EXIT_OK, Io, print};
use crate::discover::Request;
use crate::engine::Analysis;
use crate::error::Error;
use crate::query::expectation::Expectation;
use crate::query::verify::{self, Check};
use crate::source::{SourceFile, SourceId};
use crate::view::View;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// File with a list `expect:` of what the owner intends
    #[arg(long, value_name = "FILE")]
    expect: PathBuf,
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    /// The view that is meant, when the paths hold several
    #[arg(long, value_name = "NAME")]
    view: Option<String>,
    /// How to print the answers
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Verify {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let file = self.file(io)?;
        let expectations = read(&file)?;
        let request = Request {
            cwd: io.cwd.clone(),
            paths: self.paths.clone(),
            stdin_name: None,
        };
        let bytes = pipeline::stdin(&request, io)?;
        let input = pipeline::read(&request, &settings.config, bytes.as_deref())?;
        let view = self.view(&input.views)?;
        let analysis = Analysis::of(view, &input.assume);
        // An expectation may name a view of its own; it is told how many do.
        let all = expectations.len();
        let expectations: Vec<Expectation> = expectations
            .into_iter()
            .filter(|e| e.view.as_ref().is_none_or(|name| *name == view.name))
            .collect();
        let elsewhere = all - expectations.len();
        let checks =
            verify::verify(&analysis, &expectations).map_err(|error| faulty(&file, error))?;
        let text = match self.format {
            Format::Human => human(&file, view, &checks, elsewhere),
            Format::Json => json(&file, &checks),
        };
        print(io, &text)?;
        Ok(if checks.iter().all(|check| check.ok) {
            EXIT_OK
        } else {
            EXIT_FINDINGS
        })
    }

    fn file(&self, io: &Io<'_>) -> Result<Arc<SourceFile>, Error> {
        let shown = self.expect.to_string_lossy().into_owned();
        let text =
            std::fs::read_to_string(io.cwd.join(&self.expect)).map_err(|cause| Error::File {
                action: "read",
                path: shown.clone(),
                cause,
            })?;
        Ok(Arc::new(SourceFile::new(SourceId(0), shown, text)))
    }

    /// The one view, or the one that is named.
    fn view<'v>(&self, views: &'v [Arc<View>]) -> Result<&'v View, Error> {
        let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
        match (&self.view, views) {
            (Some(name), _) => views
                .iter()
                .find(|view| view.name == *name)
                .map(AsRef::as_ref)
                .ok_or_else(|| {
                    Error::usage_help(
                        format!("there is no view `{name}`"),
                        format!("one of {}", names.join(", ")),
                    )
                }),
            (None, [only]) => Ok(only),
            (None, []) => Err(Error::usage(
                "no Kubernetes object to hold expectations against",
            )),
            (None, _) => Err(Error::usage_help(
                format!("the paths hold {} views", views.len()),
                format!("name one: `--view {}`", names.first().unwrap_or(&"NAME")),
            )),
        }
    }
}

fn human(file: &SourceFile, view: &View, checks: &[Check], elsewhere: usize) -> String {
    let mut text = String::new();
    for check in checks {
        let line = file.position(check.span.start).line;
        let _ = if check.ok {
            writeln!(text, "ok   {}:{line}: {}", file.path, check.actual)
        } else {
            writeln!(
                text,
                "FAIL {}:{line}: expected {}, is {}",
                file.path, check.expected, check.actual
            )
        };
    }
    let held = checks.iter().filter(|check| check.ok).count();
    let _ = writeln!(
        text,
        "{held} of {} expectations hold in view {}",
        checks.len(),
        view.name
    );
    if elsewhere > 0 {
        let _ = writeln!(text, "{elsewhere} more name another view (`--view NAME`)");
    }
    text
}

fn json(file: &SourceFile, checks: &[Check]) -> String {
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            serde_json::json!({
                "line": file.position(check.span.start).line,
                "expected": check.expected,
                "actual": check.actual,
                "ok": check.ok,
            })
        })
        .collect();
    format!(
        "{:#}\n",
        serde_json::json!({"version": 1, "checks": checks})
    )
}
