//! L8: `meshgov config`. Output: what the config means for a run, its format as JSON Schema, the views and their objects.

mod render;
mod views;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::rules::pretty;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_OK, Io, print};
use crate::config::format;
use crate::error::Error;
use crate::yaml::NodeRef;

/// Arguments of `config`.
#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the config that holds here and what it leaves to defaults
    Show(Show),
    /// List what is applied together, how that was found, and what is missing of it
    Views(views::Views),
    /// Print the objects that are judged: of a kustomization's folder, or of a view
    Render(render::Render),
    /// Print the JSON Schema of meshgov.yaml
    Schema,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    config: ConfigFlags,
}

impl Config {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let text = match &self.command {
            ConfigCommand::Views(views) => return views.run(io),
            ConfigCommand::Render(render) => render.text(io)?,
            ConfigCommand::Schema => pretty(&format::json_schema()),
            ConfigCommand::Show(show) => show.text(io)?,
        };
        print(io, &text)?;
        Ok(EXIT_OK)
    }
}

impl Show {
    fn text(&self, io: &Io<'_>) -> Result<String, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let config = &settings.config;
        let mut shown = json!({
            "file": config.file.as_ref().map(|f| &f.path),
            "failOn": "high",
            "failConfidence": "medium",
        });
        if let (Some(shown), Some(root)) = (shown.as_object_mut(), config.root()) {
            for (key, value) in root.entries() {
                shown.insert(key.key_text().into_owned(), NodeRef::to_json(value));
            }
        }
        if let Some(shown) = shown.as_object_mut() {
            let running: Vec<_> = settings.selected().map(|r| &r.info.id).collect();
            shown.insert(String::from("rulesThatRun"), json!(running));
        }
        Ok(pretty(&shown))
    }
}
