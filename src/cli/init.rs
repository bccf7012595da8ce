//! L8: `meshgov init`. Input: the repository around the working directory; output: what was found in it, and a config, a
//! pre-commit hook and a workflow that fit. Nothing that exists is overwritten.

mod files;
mod found;

use std::fs;
use std::path::Path;

use clap::Args;

use crate::cli::{EXIT_OK, Io, pipeline, print};
use crate::config::{Config, find};
use crate::discover::{Request, display};
use crate::error::Error;

use found::Found;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Print the files instead of writing them
    #[arg(long)]
    dry_run: bool,
}

/// A file to write: where, relative to the top, and its text.
struct Planned {
    path: &'static str,
    text: String,
}

impl Init {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        // GitHub and pre-commit look at the top of a repository only, and a config there holds for all of it.
        let top = display::git_top(&io.cwd).unwrap_or_else(|| io.cwd.clone());
        let request = Request {
            cwd: top.clone(),
            ..Request::default()
        };
        let mut input = pipeline::read(&request, &Config::default(), None)?;
        input.find_applications(&Config::default(), &top);
        let found = Found::of(&input);
        print(io, &format!("{}\n", found.lines()))?;

        let mut planned = vec![
            Planned {
                path: find::NAMES.first().copied().unwrap_or("meshgov.yaml"),
                text: files::config(&found),
            },
            Planned {
                path: files::WORKFLOW_PATH,
                text: files::workflow(),
            },
        ];
        let has_hooks = top.join(files::HOOKS_PATH).exists();
        if !has_hooks {
            planned.insert(
                1,
                Planned {
                    path: files::HOOKS_PATH,
                    text: files::hooks_file(),
                },
            );
        }
        refuse_existing(&top, &planned)?;
        let text = if self.dry_run {
            planned.iter().map(Planned::printed).collect()
        } else {
            written(&top, &io.cwd, &planned)?
        };
        print(io, &text)?;
        if has_hooks {
            let text = format!(
                "{} is there already; add to its `repos`:\n\n{}\n",
                files::HOOKS_PATH,
                files::hook_entry()
            );
            print(io, &text)?;
        }
        if !files::IS_RELEASE {
            print(io, files::UNRELEASED)?;
        }
        print(io, "next: meshgov check\n")?;
        Ok(EXIT_OK)
    }
}

impl Planned {
    fn printed(&self) -> String {
        format!("--- {}\n{}\n", self.path, self.text)
    }
}

/// All or nothing: half a set of files is harder to clean up than none.
fn refuse_existing(top: &Path, planned: &[Planned]) -> Result<(), Error> {
    let config = find::NAMES.iter().find(|name| top.join(name).exists());
    let other = planned.iter().map(|file| &file.path);
    match config.or_else(|| other.into_iter().find(|path| top.join(path).exists())) {
        None => Ok(()),
        Some(path) => Err(Error::usage_help(
            format!("`{path}` is there already; nothing was written"),
            "`meshgov init --dry-run` in a copy without it prints what init would write",
        )),
    }
}

fn written(top: &Path, cwd: &Path, planned: &[Planned]) -> Result<String, Error> {
    let mut text = String::new();
    let below = cwd.strip_prefix(top).map_or(0, |p| p.components().count());
    let up = "../".repeat(below);
    for file in planned {
        let full = top.join(file.path);
        let failed = |cause| Error::File {
            action: "write",
            path: file.path.to_owned(),
            cause,
        };
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut options = fs::OpenOptions::new();
        let mut out = options
            .write(true)
            .create_new(true)
            .open(&full)
            .map_err(failed)?;
        std::io::Write::write_all(&mut out, file.text.as_bytes()).map_err(failed)?;
        text.push_str(&format!("wrote {up}{}\n", file.path));
    }
    Ok(text)
}
