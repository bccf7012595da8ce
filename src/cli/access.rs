//! L8: `meshgov access`. Input: paths and a selection; output: who may call what, as a table, a proof, JSON or a picture.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::pipeline;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_EMPTY, EXIT_OK, Io, stdout_failed};
use crate::error::Error;
use crate::query::access::{self, Selection};
use crate::report::{self, Options};
use crate::view::View;

/// Arguments of `access`.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    /// Ports of this workload, and who of the view calls them: `namespace/name` or `Kind:namespace/name`
    #[arg(long, value_name = "WORKLOAD")]
    to: Option<String>,
    /// What this workload may call
    #[arg(long, value_name = "WORKLOAD")]
    from: Option<String>,
    /// With --from: what its identity gets to, directly and in turn
    #[arg(long, requires = "from", conflicts_with = "to")]
    reach: bool,
    /// Workloads of these namespaces only (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    namespace: Vec<String>,
    /// Ports with these levels of access only (repeatable)
    #[arg(long, value_name = "LEVEL", value_delimiter = ',',
          value_parser = ["anyone", "mesh", "namespaces", "identities", "nobody", "unknown"])]
    level: Vec<String>,
    /// Prove every answer: each step with its file and line, what was not counted and why
    #[arg(long)]
    why: bool,
    /// Every call between the selected workloads
    #[arg(long)]
    edges: bool,
    /// This view only, when the paths hold several
    #[arg(long, value_name = "NAME")]
    view: Option<String>,
    /// Output format: table, json, dot, mermaid
    #[arg(long, value_name = "FORMAT", default_value = "table",
          value_parser = ["table", "json", "dot", "mermaid"])]
    format: String,
    /// Exit with 0 instead of 3 when there is no Kubernetes object
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

impl Access {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let asked = pipeline::asked(&self.paths, &settings.config, Some(self.allow_empty), io)?;
        let Some(input) = asked else {
            return Ok(EXIT_EMPTY);
        };
        let views = chosen(self.view.as_deref(), &input.views)?;
        let report = access::access(views, &input.assume, input.sources, self.selection())
            .map_err(|e| Error::usage_help(e.message, e.help))?;
        let name = if self.why && self.format == "table" {
            "why"
        } else {
            &self.format
        };
        if let Some(format) = report::ACCESS_FORMATS.iter().find(|f| f.name == name) {
            (format.write)(&report, &Options::default(), io.out).map_err(stdout_failed)?;
        }
        Ok(EXIT_OK)
    }

    fn selection(&self) -> Selection {
        Selection {
            to: self.to.clone(),
            reach: self.from.clone().filter(|_| self.reach),
            from: self.from.clone().filter(|_| !self.reach),
            namespaces: self.namespace.clone(),
            levels: self.level.clone(),
            edges: self.edges,
        }
    }
}

/// All views, or the one that is named.
pub(super) fn chosen<'v>(
    name: Option<&str>,
    views: &'v [Arc<View>],
) -> Result<&'v [Arc<View>], Error> {
    let Some(name) = name else {
        return Ok(views);
    };
    let found = views.iter().position(|view| view.name == name);
    found.and_then(|at| views.get(at..=at)).ok_or_else(|| {
        let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
        Error::usage_help(
            format!("there is no view `{name}`"),
            format!("one of {}", names.join(", ")),
        )
    })
}
