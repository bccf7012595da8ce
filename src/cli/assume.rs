//! L8: `meshgov assume`. Input: paths; output: the facts that are missing, what each would settle, and the YAML to paste.

use std::path::PathBuf;

use clap::Args;

use crate::cli::pipeline;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_EMPTY, EXIT_OK, Io, stdout_failed};
use crate::error::Error;
use crate::query::assume;
use crate::report::{self, Options};

/// Arguments of `assume`.
#[derive(Debug, Args)]
pub(super) struct Assume {
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    /// This view only, when the paths hold several
    #[arg(long, value_name = "NAME")]
    view: Option<String>,
    /// Output format: human, json
    #[arg(long, value_name = "FORMAT", default_value = "human",
          value_parser = ["human", "json"])]
    format: String,
    /// Exit with 0 instead of 3 when there is no Kubernetes object
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

impl Assume {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let asked = pipeline::asked(&self.paths, &settings.config, Some(self.allow_empty), io)?;
        let Some(input) = asked else {
            return Ok(EXIT_EMPTY);
        };
        let views = super::access::chosen(self.view.as_deref(), &input.views)?;
        let report = assume::assume(views, &input.assume, input.sources);
        if let Some(format) = report::ASSUME_FORMATS
            .iter()
            .find(|f| f.name == self.format)
        {
            (format.write)(&report, &Options::default(), io.out).map_err(stdout_failed)?;
        }
        Ok(EXIT_OK)
    }
}
