//! L8: `meshgov environments`. Input: paths; output: where production is weaker than the other environments of an application, and exit
//! code 1 when it is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::pipeline::{self, Compare};
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_EMPTY, EXIT_FINDINGS, EXIT_OK, Io, stdout_failed};
use crate::config::ignores::is_date;
use crate::error::Error;
use crate::query::environments::{EnvironmentReport, Verdict};
use crate::report::{self, Options};

/// Arguments of `environments`.
#[derive(Debug, Args)]
pub(super) struct Environments {
    /// Files, folders, or `-` for standard input [default: the working directory]
    paths: Vec<PathBuf>,
    /// What fails the run
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "weaker",
        env = "MESHGOV_ENVIRONMENTS_FAIL_ON"
    )]
    fail_on: FailOn,
    /// Output format: human, json, markdown
    #[arg(long, value_name = "FORMAT", default_value = "human",
          value_parser = ["human", "json", "markdown"])]
    format: String,
    /// Print every difference with its proof
    #[arg(long)]
    all: bool,
    /// Treat differences that are meant like the others
    #[arg(long)]
    no_ignores: bool,
    /// Day that entries of `differences` are judged on, YYYY-MM-DD [default: the system's day]
    #[arg(long, value_name = "DATE", env = "MESHGOV_TODAY")]
    today: Option<String>,
    /// Exit with 0 instead of 3 when there is no Kubernetes object
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// The gate of `environments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Production lets in more or protects less, and nobody means it to
    #[value(alias = "widened")]
    Weaker,
    /// Any difference that nobody means
    Any,
    /// Nothing
    Never,
}

impl Environments {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        if let Some(bad) = self.today.as_deref().filter(|d| !is_date(d)) {
            return Err(Error::usage_help(
                format!("`{bad}` is no date"),
                "write YYYY-MM-DD",
            ));
        }
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let asked = pipeline::asked(&self.paths, &settings.config, Some(self.allow_empty), io)?;
        let Some(input) = asked else {
            return Ok(EXIT_EMPTY);
        };
        let report = input.environments(Compare {
            config: &settings.config,
            cwd: &io.cwd,
            today: self.today.as_deref().unwrap_or(&io.today),
            no_ignores: self.no_ignores,
        });
        let options = Options {
            all: self.all,
            ..Options::default()
        };
        let mut formats = report::ENVIRONMENT_FORMATS.iter();
        if let Some(format) = formats.find(|f| f.name == self.format) {
            (format.write)(&report, &options, io.out).map_err(stdout_failed)?;
        }
        Ok(if self.fails(&report) {
            EXIT_FINDINGS
        } else {
            EXIT_OK
        })
    }

    fn fails(&self, report: &EnvironmentReport) -> bool {
        let mut open = report.differences.iter().filter(|d| d.intended.is_none());
        match self.fail_on {
            FailOn::Weaker => open.any(|d| d.verdict == Verdict::Weaker),
            FailOn::Any => open.next().is_some(),
            FailOn::Never => false,
        }
    }
}
