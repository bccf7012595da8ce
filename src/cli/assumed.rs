//! L8: `assume.objects`. Input: the config and the tree that is read; output: the objects of the files it names, as that tree holds them,
//! marked as taken to exist.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::tree::TreeSource;
use crate::config::Config;
use crate::discover::display::{Base, absolute};
use crate::discover::{Discovered, Origin};
use crate::error::Error;
use crate::load::{self, Loaded};
use crate::resource::{Resource, ResourceId};
use crate::shape::Problem;
use crate::source::{SourceFile, SourceId, to_u32};
use crate::yaml::{NodeRef, decode};

/// Numbers of objects that no run reaches with its own.
const FIRST: u32 = 1 << 30;

/// A file that the config names, with the entry that does.
pub(super) struct Named<'c> {
    entry: NodeRef<'c>,
    path: PathBuf,
}

/// What the files hold; their sources follow those of the run.
#[derive(Default)]
pub(super) struct Assumed {
    pub(super) objects: Vec<Arc<Resource>>,
    pub(super) sources: Vec<Arc<SourceFile>>,
}

/// The files that `assume.objects` names, each there.
///
/// # Errors
/// The user's: a path that leads to no file.
pub(super) fn files<'c>(
    config: &'c Config,
    cwd: &Path,
    source: &TreeSource,
) -> Result<Vec<Named<'c>>, Error> {
    let mut named = Vec::new();
    let mut problems = Vec::new();
    let objects = config.assume().and_then(|section| section.get("objects"));
    for entry in objects.into_iter().flat_map(NodeRef::items) {
        let path = match &config.folder {
            Some(folder) => folder.join(entry.text()),
            None => PathBuf::from(entry.text()),
        };
        if path.is_file() || source.bytes(cwd, &path).is_ok() {
            named.push(Named { entry, path });
        } else {
            let message = format!("there is no file `{}`", entry.text());
            let help = "paths are relative to the folder of the config";
            problems.push(Problem::at(entry, message).help(help));
        }
    }
    if problems.is_empty() {
        Ok(named)
    } else {
        Err(Error::Problems(problems))
    }
}

/// Takes such files out of the inputs: what is taken to exist is not judged.
pub(super) fn set_apart(named: &[Named<'_>], discovered: &mut Discovered, cwd: &Path) {
    if named.is_empty() {
        return;
    }
    let is_same = |one: &Path, two: &Path| {
        one.file_name() == two.file_name()
            && one
                .canonicalize()
                .ok()
                .is_some_and(|one| two.canonicalize().is_ok_and(|two| one == two))
    };
    let base = Base::of(cwd);
    discovered.files.retain(|file| match &file.origin {
        // A revision holds what stands at the same path.
        Origin::Blob(_) => {
            let path = base.folder().join(&file.shown);
            !named.iter().any(|n| is_same(&path, &n.path))
        }
        Origin::File(path) => !named.iter().any(|n| is_same(path, &n.path)),
        _ => true,
    });
}

/// Reads the files. Their sources are numbered behind those of the run and the `further` ones that it renders, their objects
/// from [`FIRST`].
///
/// # Errors
/// The user's: a file that cannot be read whole or holds no object.
pub(super) fn load(
    named: &[Named<'_>],
    loaded: &mut Loaded,
    further: usize,
    (cwd, tree): (&Path, &TreeSource),
) -> Result<Assumed, Error> {
    let mut assumed = Assumed::default();
    let mut problems = Vec::new();
    let base = Base::of(cwd);
    for Named { entry, path } in named {
        let before = loaded.files.len() + further + assumed.sources.len();
        let number = SourceId(to_u32(before));
        let text = tree
            .bytes(cwd, path)
            .map_err(|cause| cause.to_string())
            .and_then(|bytes| decode(bytes).map_err(|error| error.to_string()));
        let text = match text {
            Ok(text) => text,
            Err(words) => {
                let message = format!("`{}` cannot be read: {words}", entry.text());
                problems.push(Problem::at(*entry, message));
                continue;
            }
        };
        let shown = base.shown(&absolute(cwd, path));
        let source = Arc::new(SourceFile::new(number, shown, text));
        let mut read = load::load_text(&source);
        if let Some(first) = read.problems.first() {
            problems.push(Problem {
                file: Arc::clone(&source),
                span: first.span,
                message: first.message.clone(),
                help: Some(first.help.clone()),
            });
        } else if read.resources.is_empty() {
            let message = format!("`{}` holds no Kubernetes object", entry.text());
            problems.push(Problem::at(*entry, message).help("name a file with manifests"));
        }
        for resource in read.resources {
            assumed.objects.push(Arc::new(Resource {
                id: ResourceId(FIRST + to_u32(assumed.objects.len())),
                assumed: true,
                ..Arc::unwrap_or_clone(resource)
            }));
        }
        loaded.secrets.append(&mut read.secrets);
        assumed.sources.push(source);
    }
    loaded.secrets.sort_unstable();
    if problems.is_empty() {
        Ok(assumed)
    } else {
        Err(Error::Problems(problems))
    }
}
