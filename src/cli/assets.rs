//! L8: `meshgov assets`. Input: paths; output: the inventory of AI assets, or the proof of one.

use std::path::PathBuf;

use clap::Args;

use crate::cli::pipeline;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_EMPTY, EXIT_OK, Io, print, stdout_failed};
use crate::error::Error;
use crate::query::assets::{self, AssetEntry, AssetReport};
use crate::report::{self, Options};

/// Arguments of `assets`.
#[derive(Debug, Args)]
pub(super) struct Assets {
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    /// Output format: human, json, cyclonedx
    #[arg(long, value_name = "FORMAT", default_value = "human",
          value_parser = ["human", "json", "cyclonedx"])]
    format: String,
    /// Prove what is said about an asset: `name`, `namespace/name` or `Kind:namespace/name`
    #[arg(long, value_name = "NAME")]
    why: Option<String>,
    /// Draw who sends data to whom instead: dot, mermaid
    #[arg(long, value_name = "FORMAT", value_parser = ["dot", "mermaid"], conflicts_with_all = ["why", "format"])]
    graph: Option<String>,
    /// Exit with 0 instead of 3 when there is no Kubernetes object
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

impl Assets {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let asked = pipeline::asked(&self.paths, &settings.config, Some(self.allow_empty), io)?;
        let Some(input) = asked else {
            return Ok(EXIT_EMPTY);
        };
        let report = assets::assets(&input.views, &input.assume, input.sources);
        match &self.why {
            Some(name) => {
                let mut text = String::new();
                for asset in named(&report, name)? {
                    text.push_str(&report::why(&report, asset));
                }
                print(io, &text)?;
            }
            None => {
                let format = match &self.graph {
                    Some(graph) => report::GRAPH_FORMATS.iter().find(|f| f.name == graph),
                    None => report::ASSET_FORMATS.iter().find(|f| f.name == self.format),
                };
                if let Some(format) = format {
                    (format.write)(&report, &Options::default(), io.out).map_err(stdout_failed)?;
                }
            }
        }
        Ok(EXIT_OK)
    }
}

/// The assets with this reference; none, or several kinds, is a mistake.
fn named<'r>(report: &'r AssetReport, name: &str) -> Result<Vec<&'r AssetEntry>, Error> {
    let (kind, rest) = match name.split_once(':') {
        Some((kind, rest)) => (Some(kind), rest),
        None => (None, name),
    };
    let found: Vec<&AssetEntry> = report
        .assets
        .iter()
        .filter(|a| kind.is_none_or(|kind| a.kind == kind))
        .filter(|a| a.reference() == rest || a.name == rest)
        .collect();
    if found.is_empty() {
        let names: Vec<String> = report.assets.iter().map(AssetEntry::reference).collect();
        let near = crate::shape::nearest(name, names.iter().map(String::as_str));
        return Err(Error::usage_help(
            format!("no asset is called `{name}`"),
            near.map_or_else(
                || String::from("`meshgov assets` lists them"),
                |n| format!("did you mean `{n}`?"),
            ),
        ));
    }
    let mut kinds: Vec<String> = found
        .iter()
        .map(|a| format!("{}:{}", a.kind, a.reference()))
        .collect();
    kinds.sort();
    kinds.dedup();
    if kinds.len() > 1 {
        return Err(Error::usage_help(
            format!("`{name}` names several assets"),
            format!("name one of {}", kinds.join(", ")),
        ));
    }
    Ok(found)
}
