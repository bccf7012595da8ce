//! L1: which files a run reads. Input: the paths of the command line and a working directory; output: `Discovered`: files in
//! one sorted order, each with the path that findings print, and the links that lead nowhere.

pub mod blobs;
pub mod display;
pub mod git;
pub mod links;
pub mod snapshot;
pub mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use display::{Base, absolute};

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Absolute working directory; relative paths start here.
    pub cwd: PathBuf,
    /// Files and folders; `-` is standard input. Empty means the working directory.
    pub paths: Vec<PathBuf>,
    /// Path that findings in standard input print.
    pub stdin_name: Option<String>,
}

/// Why the paths of the command line cannot be used: the caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// A named path is not there.
    #[error("no such file or folder: `{}`", .0.display())]
    Missing(PathBuf),
    /// A named path could not be looked at.
    #[error("cannot read `{}`: {reason}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
}

/// Where the bytes of a file come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file of the file system.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// The content of a git object.
    Blob(blobs::Blob),
    /// Nothing to read: the entry stands for a problem.
    Nothing(EntryProblem),
}

/// An entry of a folder that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// The link points at nothing.
    BrokenLink(String),
    /// The link points at a folder that holds it, or at itself.
    LinkLoop(String),
    /// The link leaves the repository (outside one: the named folders), so it is not followed.
    OutsideLink(String),
    /// The folder or file could not be read; the operating system's words.
    Unreadable(String),
    /// The folder is another git repository, of which a revision holds the name only.
    Submodule,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Path that findings print: relative to the git top level or the working directory, with `/`.
    pub shown: String,
    /// Where its bytes are.
    pub origin: Origin,
    /// Whether the command line names it; such a file is read whatever its ending.
    pub named: bool,
    /// Positions in [`Discovered::roots`] of the paths that lead to it, ascending.
    pub roots: Vec<u32>,
}

/// A path of the command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// As printed; `.` for the base itself.
    pub shown: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Every input of a run.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// Sorted by path, folder by folder; no file twice.
    pub files: Vec<InputFile>,
    /// The paths asked for, sorted, so that their order on the command line changes nothing.
    pub roots: Vec<Root>,
}

/// Finds the files to read.
///
/// # Errors
/// A named path does not exist or cannot be looked at.
pub fn discover(request: &Request) -> Result<Discovered, DiscoverError> {
    let base = Base::of(&request.cwd);
    let mut named: BTreeMap<Root, Option<PathBuf>> = BTreeMap::new();
    let here = [PathBuf::from(".")];
    let paths = if request.paths.is_empty() {
        here.as_slice()
    } else {
        &request.paths
    };
    for path in paths {
        let (root, absolute) = root(request, &base, path)?;
        named.insert(root, absolute);
    }
    let folders: Vec<&Path> = named
        .iter()
        .filter(|(root, _)| root.is_folder)
        .filter_map(|(_, path)| path.as_deref())
        .collect();
    let fence = links::Fence::new(&base, &folders);
    let mut files: BTreeMap<display::SortKey, InputFile> = BTreeMap::new();
    for (number, (root, path)) in (0u32..).zip(&named) {
        let entries = match path {
            Some(path) if root.is_folder => walk::folder(path, &fence),
            Some(path) => vec![(path.clone(), Origin::File(path.clone()))],
            None => vec![(PathBuf::from(&root.shown), Origin::Stdin)],
        };
        for (path, origin) in entries {
            let shown = match origin {
                Origin::Stdin => root.shown.clone(),
                _ => base.shown(&path),
            };
            let file = files
                .entry(display::sort_key(&shown))
                .or_insert_with(|| InputFile {
                    shown,
                    origin,
                    named: false,
                    roots: Vec::new(),
                });
            file.named |= !root.is_folder;
            file.roots.push(number);
        }
    }
    Ok(Discovered {
        files: files.into_values().collect(),
        roots: named.into_keys().collect(),
    })
}

fn root(
    request: &Request,
    base: &Base,
    path: &Path,
) -> Result<(Root, Option<PathBuf>), DiscoverError> {
    if path.as_os_str() == "-" {
        let shown = request.stdin_name.as_deref().unwrap_or("<stdin>");
        let root = Root {
            shown: shown.replace('\\', "/"),
            is_folder: false,
        };
        return Ok((root, None));
    }
    let absolute = absolute(&request.cwd, path);
    let data = std::fs::metadata(&absolute).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => DiscoverError::Missing(path.to_owned()),
        _ => DiscoverError::Unreadable {
            path: path.to_owned(),
            reason: display::io_words(&error),
        },
    })?;
    let root = Root {
        shown: base.shown(&absolute),
        is_folder: data.is_dir(),
    };
    Ok((root, Some(absolute)))
}
