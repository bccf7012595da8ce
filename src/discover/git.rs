//! L1: the git repository around the working directory. Input: its top level and the environment of a hook; output: object
//! names, listings and blobs, read through the `git` command.
//!
//! Only plumbing that reads is called, so that neither aliases, pagers, hooks nor diff drivers of the user's configuration
//! play a part; the configuration itself is left in place for `safe.directory`. Nothing is fetched.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::display::{git_top, io_words};

/// Why a revision cannot be read: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GitError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl GitError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Variables that say where a repository is. A hook sets some; they count only where they name this repository.
const PLACES: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// A git repository with a working tree.
#[derive(Clone, Debug)]
pub struct Repository {
    top: PathBuf,
    places: Vec<(&'static str, String)>,
}

/// What the index or a tree says about one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// Object name.
    pub(super) object: String,
}

/// Kinds of entries, by git's modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// 100644, 100755.
    File,
    /// 120000: the blob is the target.
    Link,
    /// 160000: a commit of another repository.
    Submodule,
}

impl EntryKind {
    fn of_mode(mode: &str) -> Option<Self> {
        match mode {
            "120000" => Some(Self::Link),
            "160000" => Some(Self::Submodule),
            mode if mode.starts_with("100") => Some(Self::File),
            _ => None,
        }
    }
}

impl Repository {
    /// The repository that holds `cwd`; `env` reads the environment.
    ///
    /// # Errors
    /// There is none, or `git` is missing or refuses it.
    pub fn at(cwd: &Path, env: fn(&str) -> Option<String>) -> Result<Self, GitError> {
        let Some(top) = git_top(cwd) else {
            return Err(GitError::new(
                "the working directory is in no git repository",
                "run inside the repository, or compare two folders: `meshgov diff --base DIR --head DIR`",
            ));
        };
        let mut repository = Self {
            top,
            places: Vec::new(),
        };
        let own = repository.text(&["rev-parse", "--absolute-git-dir"])?;
        repository.places = repository.places_of_hook(Path::new(&own), env);
        Ok(repository)
    }

    /// The folder with `.git`.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The variables of a hook that speak of this repository, whose git folder is `own`.
    ///
    /// `git commit` runs its hooks at the top level with `GIT_INDEX_FILE`, for `commit -a` and `commit PATH` a temporary
    /// index; in a linked worktree with `GIT_DIR` as well (githooks(5)). A hook of an outer repository must not redirect us.
    fn places_of_hook(
        &self,
        own: &Path,
        env: fn(&str) -> Option<String>,
    ) -> Vec<(&'static str, String)> {
        let set: Vec<_> = PLACES
            .iter()
            .filter_map(|name| Some((*name, env(name)?)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let get = |name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if let Some(dir) = get("GIT_DIR") {
            return if real(&self.top.join(dir)) == real(own) {
                set
            } else {
                Vec::new()
            };
        }
        let index = get("GIT_INDEX_FILE").map(|index| self.top.join(index));
        let of_another = index.is_some_and(|index| {
            let folder = real(index.parent().unwrap_or(&index));
            let in_git = folder
                .components()
                .any(|part| part == Component::Normal(OsStr::new(".git")));
            in_git && !folder.starts_with(real(own))
        });
        if of_another { Vec::new() } else { set }
    }

    /// A `git` command at the top level.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.top)
            .args(["--no-pager", "--no-replace-objects"])
            .args(["-c", "core.fsmonitor=false"])
            .args(arguments);
        for name in PLACES {
            command.env_remove(name);
        }
        command
            .envs(self.places.iter().map(|(name, value)| (name, value)))
            // No fetch of objects that a partial clone left out: of git 2.45, and for those before.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    /// What a command prints, and whether it succeeded.
    fn output(&self, arguments: &[&str]) -> Result<std::process::Output, GitError> {
        self.command(arguments)
            .output()
            .map_err(|error| not_started(&error))
    }

    /// What a command prints.
    pub(super) fn bytes(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let output = self.output(arguments)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(refused(&output.stderr))
    }

    /// The one line that a command prints.
    fn text(&self, arguments: &[&str]) -> Result<String, GitError> {
        let bytes = self.bytes(arguments)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// The one line that a command prints; `None` when it fails.
    fn line(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        let output = self.output(arguments)?;
        let text = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        Ok(Some(text).filter(|t| output.status.success() && !t.is_empty()))
    }

    fn object(&self, name: &str) -> Result<Option<String>, GitError> {
        self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", name])
    }

    /// The tree of a revision.
    ///
    /// # Errors
    /// There is no such revision here.
    pub(super) fn tree(&self, revision: &str) -> Result<String, GitError> {
        self.object(&format!("{revision}^{{tree}}"))?
            .ok_or_else(|| self.missing(revision))
    }

    /// Whether there is no commit yet.
    ///
    /// # Errors
    /// `git` cannot be run.
    pub fn is_unborn(&self) -> Result<bool, GitError> {
        Ok(self.object("HEAD")?.is_none())
    }

    fn missing(&self, revision: &str) -> GitError {
        let message = format!("there is no revision `{revision}` in this clone");
        let fetch = match revision.strip_prefix("origin/") {
            Some(branch) => format!("{branch}:refs/remotes/origin/{branch}"),
            None => revision.to_owned(),
        };
        // `~`, `^`, `@{…}` and `:` name something by way of another revision, which no remote knows under that name.
        let is_plain = !revision.is_empty()
            && !revision.starts_with('-')
            && !revision.contains(['~', '^', ':', '{', ' ']);
        let help = match (is_plain, self.is_shallow()) {
            (true, _) => format!("fetch it: `git fetch --depth=1 origin {fetch}`"),
            (false, true) => String::from("this clone is shallow: `git fetch --deepen=100`"),
            (false, false) => String::from("`git log --oneline` lists what there is"),
        };
        GitError::new(message, help)
    }

    fn is_shallow(&self) -> bool {
        let shallow = self.line(&["rev-parse", "--is-shallow-repository"]);
        matches!(shallow, Ok(Some(text)) if text == "true")
    }

    /// The branch that changes go to: what the remote calls its default, else `main` or `master`, there or here.
    ///
    /// # Errors
    /// There is none of these.
    pub fn default_branch(&self) -> Result<String, GitError> {
        let head = self.line(&[
            "symbolic-ref",
            "--quiet",
            "--short",
            "refs/remotes/origin/HEAD",
        ])?;
        let usual = ["origin/main", "origin/master", "main", "master"];
        for name in head.iter().map(String::as_str).chain(usual) {
            if self.object(&format!("{name}^{{commit}}"))?.is_some() {
                return Ok(name.to_owned());
            }
        }
        Err(GitError::new(
            "the default branch is not known: no `origin/HEAD`, `main` or `master` in this clone",
            "name the revision: `--base REV`; a shallow clone fetches it with `git fetch --depth=1 origin REV`",
        ))
    }

    /// The commit where HEAD left the default branch.
    ///
    /// # Errors
    /// There is no such branch, or the clone does not reach back far enough.
    pub fn merge_base(&self) -> Result<String, GitError> {
        if self.is_unborn()? {
            return Err(GitError::new(
                "this repository has no commit yet",
                "commit first, or name two folders",
            ));
        }
        let branch = self.default_branch()?;
        if let Some(commit) = self.line(&["merge-base", &branch, "HEAD"])? {
            return Ok(commit);
        }
        let help = if self.is_shallow() {
            format!(
                "this clone is shallow: `git fetch --unshallow`, or compare with the branch itself: `--base {branch}`"
            )
        } else {
            format!("compare with the branch itself: `--base {branch}`")
        };
        Err(GitError::new(
            format!("HEAD and `{branch}` have no common ancestor in this clone"),
            help,
        ))
    }

    /// The paths of a tree, in git's order.
    pub(super) fn list_tree(&self, tree: &str) -> Result<Vec<(String, Entry)>, GitError> {
        let bytes = self.bytes(&["ls-tree", "-r", "-z", "--full-tree", tree])?;
        let lines = bytes.split(|byte| *byte == 0).filter(|l| !l.is_empty());
        Ok(lines
            .filter_map(|line| parse(line, [0, 2]))
            .map(|(path, entry, _)| (path, entry))
            .collect())
    }

    /// The paths of the index, in git's order.
    ///
    /// # Errors
    /// A merge is not finished.
    pub(super) fn list_index(&self) -> Result<Vec<(String, Entry)>, GitError> {
        let bytes = self.bytes(&["ls-files", "--stage", "-z", "--full-name"])?;
        let mut entries = Vec::new();
        for line in bytes.split(|byte| *byte == 0).filter(|l| !l.is_empty()) {
            let Some((path, entry, stage)) = parse(line, [0, 1]) else {
                continue;
            };
            if stage != "0" {
                return Err(GitError::new(
                    format!("the index has an unresolved conflict in `{path}`"),
                    "resolve it and `git add` the file",
                ));
            }
            entries.push((path, entry));
        }
        Ok(entries)
    }

    /// Tracked files that a `.gitignore` of the working tree excludes: a walk of the folder does not see them.
    pub(super) fn tracked_but_ignored(&self) -> Result<Vec<String>, GitError> {
        let bytes = self.bytes(&[
            "ls-files",
            "--cached",
            "--ignored",
            "--exclude-per-directory=.gitignore",
            "-z",
            "--full-name",
        ])?;
        let paths = bytes.split(|byte| *byte == 0).filter(|p| !p.is_empty());
        Ok(paths
            .map(|p| String::from_utf8_lossy(p).into_owned())
            .collect())
    }
}

/// Reads `mode … object …<TAB>path`, with the positions of mode and object; the third value is the last field.
fn parse(line: &[u8], [mode, object]: [usize; 2]) -> Option<(String, Entry, String)> {
    let tab = memchr::memchr(b'\t', line)?;
    let (head, path) = line.split_at(tab);
    let head = std::str::from_utf8(head).ok()?;
    let fields: Vec<&str> = head.split(' ').filter(|f| !f.is_empty()).collect();
    let entry = Entry {
        kind: EntryKind::of_mode(fields.get(mode)?)?,
        object: (*fields.get(object)?).to_owned(),
    };
    let path = String::from_utf8_lossy(path.get(1..)?).into_owned();
    Some((path, entry, (*fields.last()?).to_owned()))
}

pub(super) fn not_started(error: &std::io::Error) -> GitError {
    if error.kind() == std::io::ErrorKind::NotFound {
        return GitError::new(
            "`git` is not on the PATH, and revisions are read through it",
            "install git, or compare two folders: `meshgov diff --base DIR --head DIR`",
        );
    }
    GitError::new(
        format!("`git` cannot be started: {}", io_words(error)),
        "install git, or compare two folders: `meshgov diff --base DIR --head DIR`",
    )
}

/// The words of `git` itself.
pub(super) fn refused(stderr: &[u8]) -> GitError {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let first = lines.next().unwrap_or("it failed without a word");
    let words = first
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ");
    let way_out = text
        .lines()
        .map(str::trim)
        .find(|l| l.starts_with("git config"));
    GitError::new(
        format!("git: {words}"),
        way_out.map_or_else(
            || String::from("`git status` in this folder tells more"),
            |line| format!("`{line}`"),
        ),
    )
}
