//! L8: what `check` holds the tree against. Input: flags and the config; output: the two trees, and what a baseline accepts.

use std::path::PathBuf;

use clap::Args;

use crate::baseline::{self, Baseline, Texts};
use crate::cli::Io;
use crate::cli::pipeline::Input;
use crate::cli::settings::{Settings, shown};
use crate::cli::tree::{self, TreeSource};
use crate::error::Error;
use crate::finding::{Finding, Old};

/// What the tree is held against.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SinceFlags {
    /// Git revision to hold the tree against: `oldObject` in rules is the object at REV
    #[arg(long, value_name = "REV", env = "MESHGOV_BASE")]
    pub(super) base: Option<String>,
    /// Report only findings that the base does not have [base: where HEAD left the default branch]
    #[arg(long)]
    pub(super) new_only: bool,
    /// Judge the index instead of the working tree, and report only what the next commit adds
    #[arg(long)]
    pub(super) staged: bool,
    /// Accept the findings that this file lists [default: `baseline:` of the config]
    #[arg(long, value_name = "FILE", env = "MESHGOV_BASELINE")]
    pub(super) baseline: Option<PathBuf>,
}

/// The tree that is judged, and the one it is held against.
pub(super) struct Sides {
    pub(super) head: TreeSource,
    pub(super) base: Option<TreeSource>,
    pub(super) new_only: bool,
}

impl SinceFlags {
    pub(super) fn sides(&self, io: &Io<'_>) -> Result<Sides, Error> {
        let head = if self.staged {
            TreeSource::index(io)?
        } else {
            TreeSource::Disk
        };
        let base = match &self.base {
            Some(base) if base.is_empty() => {
                return Err(Error::usage_help(
                    "`--base` names no revision",
                    "write `--base REV`, or leave it out",
                ));
            }
            Some(base) if self.staged => Some(TreeSource::revision(io, base)?),
            Some(base) => Some(TreeSource::revision_as_walked(io, base)?),
            None if self.staged => Some(TreeSource::head(io)?),
            None if self.new_only => {
                Some(TreeSource::revision_as_walked(io, &tree::merge_base(io)?)?)
            }
            None => None,
        };
        Ok(Sides {
            head,
            base,
            new_only: self.new_only || self.staged,
        })
    }

    /// The baseline that a flag or the config names.
    pub(super) fn accepted(
        &self,
        settings: &Settings,
        head: &TreeSource,
        io: &Io<'_>,
    ) -> Result<Option<AcceptedFile>, Error> {
        let flag = self.baseline.as_ref().map(|file| io.cwd.join(file));
        let Some(path) = flag.or_else(|| settings.baseline.clone()) else {
            return Ok(None);
        };
        Ok(Some(AcceptedFile {
            baseline: crate::cli::baseline::read(&path, head, io)?,
            path: shown(&path, &io.cwd),
        }))
    }
}

/// A baseline with its printed path.
pub(super) struct AcceptedFile {
    pub(super) baseline: Baseline,
    pub(super) path: String,
}

impl AcceptedFile {
    /// Marks what is accepted. Entries are called fixed only by a run that could have found them.
    pub(super) fn apply(
        &self,
        findings: &mut [Finding],
        input: &Input,
        settings: &Settings,
    ) -> Old {
        let texts = Texts {
            sources: &input.sources,
            secrets: &input.loaded.secrets,
        };
        let left = self.baseline.apply(findings, texts, &self.path);
        let entries = left
            .keys()
            .filter_map(|known| self.baseline.entries.get(known));
        let runs = |words: &str| {
            let id = words.split(' ').next().unwrap_or("");
            settings.selected().any(|rule| rule.info.id == id)
        };
        let is_whole = input.paths == self.baseline.paths;
        let mut fixed: Vec<String> = entries
            .map(|accepted| accepted.words.clone())
            .filter(|words| is_whole && runs(words))
            .collect();
        fixed.sort();
        Old {
            baseline: self.path.clone(),
            accepted: baseline::accepted(findings),
            fixed,
            ..Old::default()
        }
    }
}

/// Whether the base could have had a finding: it cannot where it has another repository.
pub(super) fn comparable(input: &Input, submodules: Vec<String>) -> impl Fn(&Finding) -> bool {
    move |finding| {
        let path = input.sources.get(finding.span.source);
        let path = path.map_or("", |file| file.path.as_str());
        !submodules.iter().any(|folder| {
            path.strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}
