//! L8: `render:` of the config. Input: its commands; output: what they print, as objects with numbers behind those of the run.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::discover::display::{Base, absolute};
use crate::error::Error;
use crate::load::{self, Loaded};
use crate::render::sources::Templates;
use crate::render::{self, Job};
use crate::resource::ResourceId;
use crate::shape::Problem;
use crate::source::{SourceFile, SourceId, to_u32};
use crate::view::releases::Rendered;
use crate::yaml::{NodeRef, decode};

/// Runs every command of the config, or takes what it printed last time; objects and files join what was loaded.
///
/// # Errors
/// The user's: a command that cannot be run, fails or prints no text.
pub(super) fn run(
    config: &Config,
    loaded: &mut Loaded,
    cwd: &Path,
) -> Result<Vec<Rendered>, Error> {
    let Some(folder) = config.folder.as_deref() else {
        return Ok(Vec::new());
    };
    let entries = config.root().and_then(|root| root.get("render"));
    let entries = entries.into_iter().flat_map(NodeRef::items);
    let mut rendered = Vec::new();
    let mut problems = Vec::new();
    for (entry, of) in entries.zip(&config.render) {
        let command = entry.get("command").unwrap_or(entry);
        let job = Job {
            name: &of.name,
            command: &of.command,
            inputs: &of.inputs,
            folder,
        };
        let help = "run it by hand in the folder of the config, or pass --no-render";
        let output = match render::output(job) {
            Ok(output) => output,
            Err(error) => {
                problems.push(Problem::at(command, error.to_string()).help(help));
                continue;
            }
        };
        let shown = Base::of(cwd).shown(&absolute(cwd, &output.path));
        match decode(output.bytes) {
            Ok(text) => {
                let mut found = joined(text, shown, loaded);
                found.name.clone_from(&of.name);
                found.namespace.clone_from(&of.namespace);
                rendered.push(found);
            }
            Err(error) => {
                let message = format!("what this command prints cannot be read: {error}");
                problems.push(Problem::at(command, message).help(help));
            }
        }
    }
    if problems.is_empty() {
        Ok(rendered)
    } else {
        Err(Error::Problems(problems))
    }
}

fn joined(text: String, shown: String, loaded: &mut Loaded) -> Rendered {
    let number = SourceId(to_u32(loaded.files.len()));
    let source = Arc::new(SourceFile::new(number, shown, text));
    let mut read = load::load_text(&source);
    let templates = Templates::of(loaded);
    let first = to_u32(loaded.resources.len());
    for resource in read.resources {
        let mut resource = match templates.place(&resource) {
            Some(placed) => placed,
            None => Arc::unwrap_or_clone(resource),
        };
        resource.id = ResourceId(resource.id.0 + first);
        loaded.resources.push(Arc::new(resource));
    }
    for problem in &mut read.problems {
        problem.resource = problem.resource.map(|id| ResourceId(id.0 + first));
    }
    let end = to_u32(loaded.resources.len());
    let mut rendered = Rendered::default();
    for mut file in read.files {
        file.resources = (first, end);
        rendered.objects = loaded.resources_of(&file).to_vec();
        rendered.broken.clone_from(&file.broken);
        loaded.files.push(file);
    }
    loaded.problems.append(&mut read.problems);
    loaded.secrets.append(&mut read.secrets);
    loaded.secrets.sort_unstable();
    rendered
}
