//! L1: a git revision or the index as an input. Input: a repository and the paths of the command line; output:
//! `Discovered`, with the paths and the contents that a walk of the checked-out folder would give.
//!
//! `.gitignore` plays no part: what is tracked is read. Symbolic links are resolved inside the tree, as git stores them;
//! a submodule is a commit of another repository and is named as not analysed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blobs::{self, Blob, OnDemand};
use super::display::{Base, absolute, sort_key};
use super::git::{Entry, EntryKind, GitError, Repository};
use super::walk::is_manifest;
use super::{Discovered, EntryProblem, InputFile, Origin, Request, Root};
use crate::source::to_usize;

/// Links followed one after the other before they count as a loop; the kernel's number.
const MAX_LINKS: usize = 40;

/// The files of one revision, or of the index.
#[derive(Debug)]
pub struct Snapshot {
    repository: Repository,
    /// As the user names it: a revision, or `the index`.
    pub name: String,
    /// Object name of the tree; empty for the index.
    pub tree: String,
    entries: BTreeMap<String, Entry>,
    /// Every folder of the tree; `""` is the top level.
    folders: BTreeSet<String>,
    /// Targets of links by path.
    links: BTreeMap<String, String>,
    on_demand: OnDemand,
}

/// A printed path with what is to be read there, or why nothing is.
struct Found {
    shown: String,
    content: Result<String, EntryProblem>,
}

impl Found {
    fn file(shown: String, path: &str) -> Self {
        Self {
            shown,
            content: Ok(path.to_owned()),
        }
    }

    fn problem(shown: String, problem: EntryProblem) -> Self {
        Self {
            shown,
            content: Err(problem),
        }
    }
}

/// What a path of a snapshot leads to, with its own path once all links are followed.
enum Target {
    File(String),
    Folder(String),
    Submodule,
    Problem(EntryProblem),
}

impl Snapshot {
    /// The tree of a revision.
    ///
    /// # Errors
    /// There is no such revision in this clone.
    pub fn revision(repository: &Repository, revision: &str) -> Result<Self, GitError> {
        let tree = repository.tree(revision)?;
        let entries = repository.list_tree(&tree)?;
        Self::new(repository, revision, &tree, entries)
    }

    /// What the next commit would hold.
    ///
    /// # Errors
    /// A merge is not finished.
    pub fn index(repository: &Repository) -> Result<Self, GitError> {
        let entries = repository.list_index()?;
        Self::new(repository, "the index", "", entries)
    }

    /// No file at all: what comes before the first commit.
    ///
    /// # Errors
    /// None; the signature is that of its siblings.
    pub fn empty(repository: &Repository) -> Result<Self, GitError> {
        Self::new(repository, "the first commit", "", Vec::new())
    }

    fn new(
        repository: &Repository,
        name: &str,
        tree: &str,
        entries: Vec<(String, Entry)>,
    ) -> Result<Self, GitError> {
        let entries: BTreeMap<String, Entry> = entries.into_iter().collect();
        let mut folders = BTreeSet::from([String::new()]);
        for path in entries.keys() {
            let mut folder = path.as_str();
            while let Some((above, _)) = folder.rsplit_once('/') {
                if !folders.insert(above.to_owned()) {
                    break;
                }
                folder = above;
            }
        }
        let linked: Vec<(&String, &Entry)> = entries
            .iter()
            .filter(|(_, entry)| entry.kind == EntryKind::Link)
            .collect();
        let blobs = blobs::read(
            repository,
            linked.iter().map(|(_, e)| e.object.clone()).collect(),
        )?;
        let links = linked
            .into_iter()
            .map(|(path, entry)| match blobs.get(&entry.object) {
                Some(Blob::Bytes(bytes)) => {
                    (path.clone(), String::from_utf8_lossy(bytes).into_owned())
                }
                _ => (path.clone(), String::new()),
            })
            .collect();
        Ok(Self {
            repository: repository.clone(),
            name: name.to_owned(),
            tree: tree.to_owned(),
            entries,
            folders,
            links,
            on_demand: OnDemand::default(),
        })
    }

    /// Leaves out the tracked files that `.gitignore` excludes from a walk, for a comparison with the working tree.
    ///
    /// # Errors
    /// `git` fails.
    pub fn without_ignored(mut self) -> Result<Self, GitError> {
        for path in self.repository.tracked_but_ignored()? {
            self.entries.remove(&path);
        }
        Ok(self)
    }

    /// Whether a printed path is a file or folder here.
    #[must_use]
    pub fn has(&self, shown: &str) -> bool {
        matches!(
            self.target(slashed(shown)),
            Target::File(_) | Target::Folder(_)
        )
    }

    /// The folders that are other repositories.
    pub fn submodules(&self) -> impl Iterator<Item = &str> {
        let is_one = |(_, entry): &(&String, &Entry)| entry.kind == EntryKind::Submodule;
        self.entries
            .iter()
            .filter(is_one)
            .map(|(path, _)| path.as_str())
    }

    /// The bytes of the file with this printed path.
    #[must_use]
    pub fn read(&self, shown: &str) -> Option<Vec<u8>> {
        let Target::File(path) = self.target(shown) else {
            return None;
        };
        let entry = self.entries.get(&path)?;
        let bytes = self.on_demand.read(&self.repository, &entry.object)?;
        Some(Arc::unwrap_or_clone(bytes))
    }

    /// The YAML files at or below a printed path, with their paths below it; hidden ones are left out.
    #[must_use]
    pub fn texts(&self, shown: &str) -> Vec<(String, String)> {
        let folder = match self.target(slashed(shown)) {
            Target::File(path) | Target::Folder(path) => path,
            Target::Submodule | Target::Problem(_) => return Vec::new(),
        };
        let is_rule = |path: &str| {
            let hidden = path.split('/').any(|part| part.starts_with('.'));
            !hidden && (path.ends_with(".yaml") || path.ends_with(".yml"))
        };
        self.below(&folder)
            .filter_map(|(path, entry)| {
                let below = path.get(folder.len()..)?.trim_start_matches('/');
                if entry.kind != EntryKind::File || !(below.is_empty() || is_rule(below)) {
                    return None;
                }
                let bytes = self.on_demand.read(&self.repository, &entry.object)?;
                let text = String::from_utf8(Arc::unwrap_or_clone(bytes)).ok()?;
                Some((below.to_owned(), text))
            })
            .collect()
    }

    /// The inputs that a request names here. A path that this side does not have gives nothing: it is new or gone.
    ///
    /// # Errors
    /// A path outside the repository, standard input without a name, or objects that this clone does not hold.
    pub fn discover(&self, request: &Request) -> Result<Discovered, GitError> {
        let base = Base::of(&request.cwd);
        let mut named: BTreeMap<Root, Target> = BTreeMap::new();
        let here = [PathBuf::from(".")];
        let paths = if request.paths.is_empty() {
            here.as_slice()
        } else {
            &request.paths
        };
        for path in paths {
            let shown = self.shown(request, &base, path)?;
            let target = self.target(slashed(&shown));
            let is_folder = matches!(target, Target::Folder(_));
            if matches!(target, Target::File(_) | Target::Folder(_)) {
                named.insert(Root { shown, is_folder }, target);
            }
        }
        let within: Vec<String> = named
            .values()
            .filter_map(|target| match target {
                Target::Folder(path) => Some(path.clone()),
                _ => None,
            })
            .collect();
        let mut found = Vec::new();
        for (number, (root, target)) in (0u32..).zip(&named) {
            let entries = match target {
                Target::File(path) => vec![Found::file(root.shown.clone(), path)],
                Target::Folder(path) => self.walk(slashed(&root.shown), path, &within),
                Target::Submodule | Target::Problem(_) => Vec::new(),
            };
            found.extend(entries.into_iter().map(|entry| (number, entry)));
        }
        self.with_contents(found, named.into_keys().collect())
    }

    /// Reads the contents and puts everything in order.
    fn with_contents(
        &self,
        found: Vec<(u32, Found)>,
        roots: Vec<Root>,
    ) -> Result<Discovered, GitError> {
        let object = |path: &String| self.entries.get(path).map(|entry| &entry.object);
        let objects: BTreeSet<&String> = found
            .iter()
            .filter_map(|(_, found)| object(found.content.as_ref().ok()?))
            .collect();
        let objects = objects.into_iter().cloned().collect();
        let blobs = blobs::read(&self.repository, objects)?;
        let mut files = BTreeMap::new();
        for (number, Found { shown, content }) in found {
            let origin = match content {
                Err(problem) => Origin::Nothing(problem),
                Ok(path) => match object(&path).and_then(|object| blobs.get(object)) {
                    Some(Blob::Missing) | None => return Err(self.not_here(&path)),
                    Some(blob) => Origin::Blob(blob.clone()),
                },
            };
            let named = roots
                .get(to_usize(number))
                .is_some_and(|root| !root.is_folder);
            let file = files.entry(sort_key(&shown)).or_insert_with(|| InputFile {
                shown,
                origin,
                named: false,
                roots: Vec::new(),
            });
            file.named |= named;
            file.roots.push(number);
        }
        Ok(Discovered {
            files: files.into_values().collect(),
            roots,
        })
    }

    fn not_here(&self, path: &str) -> GitError {
        let name = &self.name;
        GitError::new(
            format!("the content of `{path}` at {name} is not in this clone"),
            format!("fetch it: `git fetch --refetch origin {name}`"),
        )
    }

    /// The printed path of a path of the command line.
    fn shown(&self, request: &Request, base: &Base, path: &Path) -> Result<String, GitError> {
        if path.as_os_str() == "-" {
            let name = request.stdin_name.as_deref().ok_or_else(|| {
                GitError::new(
                    format!("standard input has no counterpart at {}", self.name),
                    "tell which file it is: `--stdin-filename PATH`",
                )
            })?;
            return Ok(name.replace('\\', "/"));
        }
        let shown = base.shown(&absolute(&request.cwd, path));
        if shown == ".." || shown.starts_with("../") {
            return Err(GitError::new(
                format!(
                    "`{}` lies outside the repository, so {} does not have it",
                    path.display(),
                    self.name
                ),
                "name files and folders of the repository",
            ));
        }
        Ok(shown)
    }

    /// Entries below a folder, with the paths that a walk from `shown` prints; linked folders once, and last.
    fn walk(&self, shown: &str, folder: &str, within: &[String]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        let mut queue = vec![(shown.to_owned(), folder.to_owned())];
        while let Some((shown, folder)) = queue.pop() {
            let mut linked = Vec::new();
            for (path, entry) in self.below(&folder) {
                let rest = path.get(folder.len()..).unwrap_or("");
                let rest = rest.trim_start_matches('/');
                let printed = if shown.is_empty() {
                    rest.to_owned()
                } else {
                    format!("{shown}/{rest}")
                };
                match entry.kind {
                    EntryKind::File if is_manifest(Path::new(path)) => {
                        found.push(Found::file(printed, path));
                    }
                    EntryKind::File => {}
                    EntryKind::Submodule => {
                        found.push(Found::problem(printed, EntryProblem::Submodule));
                    }
                    EntryKind::Link => match self.link(path, within) {
                        Some(Target::File(real)) => found.push(Found::file(printed, &real)),
                        Some(Target::Folder(real)) => linked.push((printed, real)),
                        Some(Target::Problem(problem)) => {
                            found.push(Found::problem(printed, problem));
                        }
                        Some(Target::Submodule) | None => {}
                    },
                }
            }
            for (printed, real) in linked.into_iter().rev() {
                if !seen.iter().any(|known| is_below(&real, known)) {
                    seen.push(real.clone());
                    queue.push((printed, real));
                }
            }
        }
        found
    }

    /// What a link adds to a walk, by the rules of [`super::walk`]; `None` = nothing, or something that is read anyway.
    fn link(&self, path: &str, within: &[String]) -> Option<Target> {
        let is_named_like_one = is_manifest(Path::new(path));
        match self.target(path) {
            Target::Folder(real) if is_below(path, &real) => {
                let written = self.links.get(path).cloned().unwrap_or_default();
                Some(Target::Problem(EntryProblem::LinkLoop(written)))
            }
            Target::Folder(real) if within.iter().any(|root| is_below(&real, root)) => None,
            Target::File(_) if !is_named_like_one => None,
            Target::Problem(_) if !is_named_like_one && Path::new(path).extension().is_some() => {
                None
            }
            target => Some(target),
        }
    }

    fn below<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = (&'s String, &'s Entry)> {
        self.entries
            .range(folder.to_owned()..)
            .take_while(move |(path, _)| path.starts_with(folder))
            .filter(move |(path, _)| is_below(path, folder))
    }

    /// Follows the links of a path, in every folder on the way.
    fn target(&self, path: &str) -> Target {
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::new();
        let (mut followed, mut last) = (0, String::new());
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    let Some((above, _)) = at.rsplit_once('/') else {
                        if at.is_empty() {
                            return Target::Problem(EntryProblem::OutsideLink(last));
                        }
                        at.clear();
                        continue;
                    };
                    at.truncate(above.len());
                    continue;
                }
                _ => {}
            }
            if !at.is_empty() {
                at.push('/');
            }
            at.push_str(&part);
            let Some(written) = self.links.get(&at) else {
                continue;
            };
            followed += 1;
            if followed > MAX_LINKS {
                return Target::Problem(EntryProblem::LinkLoop(written.clone()));
            }
            if written.starts_with('/') {
                return Target::Problem(EntryProblem::OutsideLink(written.clone()));
            }
            last.clone_from(written);
            at.truncate(at.rfind('/').unwrap_or(0));
            rest.extend(written.split('/').rev().map(str::to_owned));
        }
        match self.entries.get(&at).map(|entry| entry.kind) {
            Some(EntryKind::File) => Target::File(at),
            Some(EntryKind::Submodule) => Target::Submodule,
            Some(EntryKind::Link) | None if self.folders.contains(&at) => Target::Folder(at),
            Some(EntryKind::Link) | None => Target::Problem(EntryProblem::BrokenLink(last)),
        }
    }
}

/// A printed path as a path of the tree: the base itself is the empty path.
fn slashed(shown: &str) -> &str {
    if shown == "." { "" } else { shown }
}

/// Whether `path` is `folder` or lies below it.
fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
