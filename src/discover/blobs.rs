//! L1: the contents of git objects. Input: object names; output: their bytes, through `git cat-file --batch`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::display::io_words;
use super::git::{GitError, Repository, not_started, refused};
use crate::yaml::decode::MAX_BYTES;

/// The content of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blob {
    /// Its bytes.
    Bytes(Arc<Vec<u8>>),
    /// More bytes than are read: how many.
    TooLarge(usize),
    /// Not in this clone.
    Missing,
}

/// Reads blobs, many at once.
pub(super) fn read(
    repository: &Repository,
    objects: Vec<String>,
) -> Result<HashMap<String, Blob>, GitError> {
    if objects.is_empty() {
        return Ok(HashMap::new());
    }
    let mut child = start(repository)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(refused(b""));
    };
    let asked = objects.clone();
    // Asking and reading go on together: either pipe may be full.
    let asking = std::thread::spawn(move || {
        let mut stdin = BufWriter::new(stdin);
        for object in asked {
            writeln!(stdin, "{object}")?;
        }
        stdin.flush()
    });
    let mut stdout = BufReader::with_capacity(1 << 16, stdout);
    let mut found = HashMap::with_capacity(objects.len());
    let mut failed = None;
    for object in objects {
        match next(&mut stdout) {
            Ok(blob) => {
                found.insert(object, blob);
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    drop(stdout);
    let asked = asking.join();
    let output = child.wait_with_output().map_err(|e| not_started(&e))?;
    match (failed, asked) {
        (None, Ok(Ok(()))) => Ok(found),
        (Some(error), _) if output.stderr.is_empty() => Err(broken(&error)),
        _ => Err(refused(&output.stderr)),
    }
}

fn start(repository: &Repository) -> Result<Child, GitError> {
    repository
        .command(&["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(&error))
}

fn broken(error: &std::io::Error) -> GitError {
    GitError::new(
        format!("git: reading an object failed: {}", io_words(error)),
        "`git fsck` checks the repository",
    )
}

/// Reads one answer: `object type size`, the bytes, a line end; or `object missing` (git-cat-file(1)).
fn next(stdout: &mut impl BufRead) -> std::io::Result<Blob> {
    let mut head = String::new();
    stdout.read_line(&mut head)?;
    let bad = || std::io::Error::other("unexpected answer");
    if head.trim_end().ends_with(" missing") {
        return Ok(Blob::Missing);
    }
    let size = head.trim_end().rsplit(' ').next().ok_or_else(bad)?;
    let size: usize = size.parse().map_err(|_| bad())?;
    let length = u64::try_from(size).unwrap_or(u64::MAX);
    let blob = if size > MAX_BYTES {
        std::io::copy(&mut stdout.by_ref().take(length), &mut std::io::sink())?;
        Blob::TooLarge(size)
    } else {
        let mut bytes = vec![0; size];
        stdout.read_exact(&mut bytes)?;
        Blob::Bytes(Arc::new(bytes))
    };
    stdout.read_exact(&mut [0])?;
    Ok(blob)
}

/// A `git cat-file` that stays open for one question after the other.
#[derive(Debug, Default)]
pub(super) struct OnDemand {
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl OnDemand {
    /// Reads one blob; `None` when it cannot be read.
    pub(super) fn read(&self, repository: &Repository, object: &str) -> Option<Arc<Vec<u8>>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            *running = Running::start(repository).ok();
        }
        let blob = running.as_mut()?.ask(object);
        match blob {
            Ok(Blob::Bytes(bytes)) => Some(bytes),
            Ok(Blob::TooLarge(_) | Blob::Missing) => None,
            Err(_) => {
                // What follows on this pipe belongs to no question.
                *running = None;
                None
            }
        }
    }
}

impl Running {
    fn start(repository: &Repository) -> Result<Self, GitError> {
        let mut child = start(repository)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok(Self {
                child,
                stdin,
                stdout: BufReader::new(stdout),
            }),
            _ => Err(refused(b"")),
        }
    }

    fn ask(&mut self, object: &str) -> std::io::Result<Blob> {
        writeln!(self.stdin, "{object}")?;
        self.stdin.flush()?;
        next(&mut self.stdout)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A child that is gone already needs no more.
        if self.child.kill().is_ok() {
            let ended = self.child.wait();
            debug_assert!(ended.is_ok());
        }
    }
}
