//! L8: `meshgov rules`. Output: every rule there is, as a table or JSON, and the format of rule files as JSON Schema.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_OK, Io, print};
use crate::error::Error;
use crate::rule::{Rule, format};

/// Arguments of `rules`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Rules {
    #[command(subcommand)]
    command: Option<RulesCommand>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    filters: FilterFlags,
    /// How to print them
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Print the JSON Schema of rule files
    Schema,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListFormat {
    Human,
    Json,
}

impl Rules {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        if matches!(self.command, Some(RulesCommand::Schema)) {
            print(io, &pretty(&format::json_schema()))?;
            return Ok(EXIT_OK);
        }
        let settings = self.config.settings(&self.filters, io)?;
        let rules: Vec<_> = settings.listed().collect();
        let text = match self.format {
            ListFormat::Json => {
                let list: Vec<_> = rules.iter().map(|r| as_json(r)).collect();
                pretty(&json!({"version": 1, "rules": list}))
            }
            ListFormat::Human => {
                let mut text = String::new();
                for rule in &rules {
                    let info = &rule.info;
                    let _ = writeln!(
                        text,
                        "{:<9} {:<8} {:<6}  {}: {}",
                        info.id,
                        info.severity.as_str(),
                        info.confidence.as_str(),
                        info.slug,
                        info.summary
                    );
                }
                let _ = writeln!(text, "\n{} rules · meshgov explain ID|slug", rules.len());
                text
            }
        };
        print(io, &text)?;
        Ok(EXIT_OK)
    }
}

fn as_json(rule: &Rule) -> serde_json::Value {
    let info = &rule.info;
    json!({
        "id": info.id,
        "slug": info.slug,
        "family": info.family(),
        "summary": info.summary,
        "severity": info.severity,
        "confidence": info.confidence,
        "since": info.since,
        "subject": info.subject,
        "source": info.source,
        "supersedes": rule.supersedes,
        "params": rule.params.shape().to_json_schema().get("properties"),
        "references": info.references,
        "controls": info.controls,
    })
}

/// JSON with two spaces and a line end.
pub(super) fn pretty(value: &serde_json::Value) -> String {
    // A value always prints.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
