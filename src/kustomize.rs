//! L2: kustomizations built in the process. Input: access to files and a folder with a `kustomization.yaml`; output: the
//! objects that `kustomize build` would print, every value with the place that set it; or what is refused or wrong.
//!
//! The reference is kustomize 5.5 (kubectl 1.32): api v0.18.0 and kyaml v0.18.1, with their default field tables and
//! without plugins. A kustomization that uses vars, replacements, configurations, transformers, generators, validators,
//! Helm charts, OpenAPI schemas, CRD hints or a remote base is refused whole: a partial result would be a wrong one.

mod applied;
mod build;
mod decode;
pub mod disk;
mod entries;
pub mod error;
mod field_path;
pub mod files;
mod finish;
mod generate;
mod generator_args;
mod hash;
mod ident;
mod images;
pub(crate) mod inline;
mod json_patch;
mod layer;
mod load;
pub mod loaded;
mod merge;
mod merge_list;
pub(crate) mod node;
mod objects;
mod patches;
mod provenance;
mod read;
mod reference_table;
mod references;
mod schema;
mod select;
mod shared;
mod specs;
mod substitute;
mod transform;

use std::sync::Arc;

pub use applied::Applied;
pub use disk::DiskFiles;
pub use error::{ErrorKind, KustomizeError, Refusal};
pub use files::{Files, RawFile, YamlFile};
pub use loaded::LoadedFiles;
pub use substitute::Substitution;

use crate::source::Span;
use crate::yaml::Tree;

/// What a build shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Options {
    /// Leave the values of Secrets readable; otherwise they are marked secret.
    pub show_secrets: bool,
    /// Take files from outside the kustomization's folder, as Flux does: `Build` in fluxcd/pkg `kustomize/kustomize_generator.go`
    /// sets `LoadRestrictionsNone`. Other tools fail.
    pub load_anywhere: bool,
}

/// What became of one kustomization.
#[derive(Debug)]
pub struct Build {
    /// The objects, or why there are none.
    pub outcome: Outcome,
    /// The namespace that all its namespaced objects get, when the kustomization sets one and nothing unknown has the last
    /// word.
    pub namespace: Option<String>,
    /// Paths of all files that the kustomization reaches, sorted: they are parts of it, not manifests of their own.
    pub consumed: Vec<String>,
    /// Bytes of secret values that no report may show, sorted.
    pub secrets: Vec<Span>,
}

/// Objects, or why there are none. Never a partial result.
#[derive(Debug)]
pub enum Outcome {
    /// The objects in kustomize's order; the root of each tree is node 0.
    Rendered(Vec<Arc<Tree>>),
    /// Not analysed: every field that is not worked out here.
    Refused(Vec<Refusal>),
    /// The user's files are wrong; at least one error.
    Broken(Vec<KustomizeError>),
}

/// Builds kustomizations, reading each file once.
pub struct Engine<'f> {
    loader: load::Loader<'f>,
}

/// What a kustomization names, for finding the leaves of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Whether it is a Component, which is never built on its own.
    pub is_component: bool,
    /// The folders of its bases and components, normalised. A folder that none names is a leaf.
    pub folders: Vec<String>,
}

impl<'f> Engine<'f> {
    /// An engine over these files.
    #[must_use]
    pub fn new(files: &'f dyn Files) -> Self {
        Self {
            loader: load::Loader::new(files),
        }
    }

    /// What the kustomization in `folder` names; `None` when there is none, nothing when it cannot be read.
    #[must_use]
    pub fn names(&self, folder: &str) -> Option<Names> {
        self.loader.names(&files::join("", folder))
    }

    /// Reads every file that the kustomization in `folder` reaches, so that later builds ask for no new one.
    pub fn prepare(&self, folder: &str) {
        let _closure = self.loader.closure(&files::join("", folder), None);
    }

    /// Paths of the files that the kustomization in `folder` reaches, sorted.
    #[must_use]
    pub fn consumed(&self, folder: &str) -> Vec<String> {
        let closure = self.loader.closure(&files::join("", folder), None);
        closure.map_or_else(Vec::new, |closure| closure.consumed.into_iter().collect())
    }

    /// Builds the kustomization in `folder` (`""` = the root of the files); `None` when there is none.
    #[must_use]
    pub fn build(&self, folder: &str, options: Options) -> Option<Build> {
        self.build_applied(folder, None, options)
    }

    /// Builds the folder as Flux or Argo CD does: with what they add, and without a kustomization of its own from the files
    /// that they list. `None` when there is neither.
    #[must_use]
    pub fn build_applied(
        &self,
        folder: &str,
        applied: Option<&Applied>,
        options: Options,
    ) -> Option<Build> {
        let folder = files::join("", folder);
        let closure = self.loader.closure(&folder, applied)?;
        // Until there are objects, the literals are all that is known to be secret.
        let mut secrets = closure.literals();
        let namespace = closure.namespace(&folder);
        let mut errors = closure.errors;
        errors.retain(|e| !(options.load_anywhere && matches!(e.kind, ErrorKind::Outside(_))));
        let outcome = if !closure.refusals.is_empty() {
            Outcome::Refused(closure.refusals)
        } else if errors.is_empty() {
            let built = build::Build::new(&closure.layers).run(&folder);
            let finished = built.and_then(|mut objects| {
                if let Some(applied) = applied {
                    applied.finish(&mut objects);
                }
                finish::finish(objects, &closure.layers, &folder, options)
            });
            match finished {
                Ok(finished) => {
                    secrets = finished.secrets;
                    Outcome::Rendered(finished.trees)
                }
                Err(error) => Outcome::Broken(vec![error]),
            }
        } else {
            Outcome::Broken(errors)
        };
        Some(Build {
            outcome,
            namespace,
            consumed: closure.consumed.into_iter().collect(),
            secrets,
        })
    }
}
