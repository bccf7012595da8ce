//! L2: kustomizations built in the process. Input: access to files and a folder with a `kustomization.yaml`; output: the
//! objects that `kustomize build` would print, every value with the place that set it; or what is refused or wrong.
//!
//! The reference is kustomize 5.5 (kubectl 1.32): api v0.18.0 and kyaml v0.18.1, with their default field tables and
//! without plugins. A kustomization that uses vars, replacements, configurations, transformers, generators, validators,
//! Helm charts, OpenAPI schemas, CRD hints or a remote base is refused whole: a partial result would be a wrong one.

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
mod transform;

use std::sync::Arc;

pub use disk::DiskFiles;
pub use error::{ErrorKind, KustomizeError, Refusal};
pub use files::{Files, RawFile};

use crate::yaml::Tree;

/// What a build shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Leave the values of Secrets readable; otherwise they are marked secret.
    pub show_secrets: bool,
}

/// What became of one kustomization.
#[derive(Debug)]
pub struct Build {
    /// The objects, or why there are none.
    pub outcome: Outcome,
    /// Paths of all files that the kustomization reaches, sorted: they are parts of it, not manifests of their own.
    pub consumed: Vec<String>,
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

    /// Builds the kustomization in `folder` (`""` = the root of the files); `None` when there is none.
    #[must_use]
    pub fn build(&self, folder: &str, options: Options) -> Option<Build> {
        let folder = files::join("", folder);
        let closure = self.loader.closure(&folder)?;
        let outcome = if !closure.refusals.is_empty() {
            Outcome::Refused(closure.refusals)
        } else if closure.errors.is_empty() {
            match build::Build::new(&closure.layers)
                .run(&folder)
                .and_then(|objects| finish::finish(objects, &closure.layers, &folder, options))
            {
                Ok(objects) => Outcome::Rendered(objects),
                Err(error) => Outcome::Broken(vec![error]),
            }
        } else {
            Outcome::Broken(closure.errors)
        };
        Some(Build {
            outcome,
            consumed: closure.consumed.into_iter().collect(),
        })
    }
}
