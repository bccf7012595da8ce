//! L8: `meshgov test`. Input: rules; output: whether their examples show what they say.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rayon::prelude::*;

use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_FINDINGS, EXIT_OK, Io, examples, print};
use crate::error::{Error, render_problem};
use crate::report::plural;
use crate::rule::{Rule, RuleSource};

/// Arguments of `test`.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Folder with rules [default: the config's `rulesDirs`, else the built-in rules]
    dir: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    filters: FilterFlags,
}

impl Test {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let mut flags = self.config.clone();
        flags.rules.extend(self.dir.clone());
        let settings = flags.settings(&self.filters, io)?;
        let all: Vec<&Arc<Rule>> = settings.listed().collect();
        let own: Vec<&Arc<Rule>> = all
            .iter()
            .copied()
            .filter(|r| r.file_source() == RuleSource::User)
            .collect();
        let rules = if own.is_empty() { all } else { own };
        let results: Vec<_> = rules
            .par_iter()
            .map(|rule| examples::run(rule, &settings.rules))
            .collect();
        let mut text = String::new();
        for problem in results.iter().flat_map(|r| &r.problems) {
            text.push_str(&render_problem(problem));
        }
        let run: usize = results.iter().map(|r| r.run).sum();
        let failed = results.iter().filter(|r| !r.problems.is_empty()).count();
        let (rules, run) = (plural(rules.len(), "rule"), plural(run, "example"));
        let verdict = match failed {
            0 => String::from("all hold"),
            1 => String::from("1 rule does not hold"),
            _ => format!("{failed} rules do not hold"),
        };
        let _ = writeln!(text, "{rules}, {run}: {verdict}");
        print(io, &text)?;
        Ok(if failed == 0 { EXIT_OK } else { EXIT_FINDINGS })
    }
}
