//! L8: `meshgov explain`. Input: id or slug; output: the page of the rule.

use clap::Args;

use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_OK, Io, print};
use crate::error::Error;
use crate::explain::rule_markdown;
use crate::rule::example;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Id or slug
    #[arg(value_name = "RULE")]
    rule: String,
    #[command(flatten)]
    config: ConfigFlags,
}

impl Explain {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let Some(rule) = settings.rules.find(&self.rule) else {
            let message = format!("no rule is called `{}`", self.rule);
            return Err(match settings.rules.nearest(&self.rule) {
                Some(near) => Error::usage_help(message, format!("did you mean `{near}`?")),
                None => Error::usage_help(message, "`meshgov rules` lists them"),
            });
        };
        print(
            io,
            &rule_markdown(&example::with_texts(&rule.info, &rule.file)),
        )?;
        Ok(EXIT_OK)
    }
}
