//! L2: what decides the output of a command. Input: a `Job`; output: one hash over command and files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::render::Job;

/// Bytes and files beyond which hashing costs more than running.
const MAX_BYTES: u64 = 256 << 20;
const MAX_FILES: usize = 100_000;

/// 16 hex digits over the command and the content of its inputs; `None` when they cannot be read whole, so that nothing is kept.
///
/// A command may read what its arguments do not name (a base of an overlay, a chart beside it): unless the config says what
/// counts, everything below the folder does, but for `.git` and our own cache.
#[must_use]
pub fn key(job: Job<'_>) -> Option<String> {
    let mut files = BTreeMap::new();
    let mut bytes = 0;
    let everything = [String::from(".")];
    // An argument may lead out of the folder.
    let outside = job.command.iter().filter(|word| word.contains(".."));
    let outside = outside.filter(|word| job.folder.join(word).exists());
    let inside = if job.inputs.is_empty() {
        &everything
    } else {
        job.inputs
    };
    for path in inside.iter().chain(outside) {
        collect(&job.folder.join(path), path, &mut files, &mut bytes)?;
    }
    let mut hash = Sha256::new();
    for word in job.command {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    for (name, path) in &files {
        hash.update([1]);
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(std::fs::read(path).ok()?));
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    Some(hex)
}

fn collect(
    path: &Path,
    name: &str,
    files: &mut BTreeMap<String, PathBuf>,
    bytes: &mut u64,
) -> Option<()> {
    let data = std::fs::metadata(path).ok()?;
    if data.is_file() {
        *bytes += data.len();
        files.insert(name.to_owned(), path.to_owned());
        return (*bytes <= MAX_BYTES && files.len() <= MAX_FILES).then_some(());
    }
    if !data.is_dir() {
        // A pipe or socket has no content to compare.
        return None;
    }
    for entry in std::fs::read_dir(path).ok()? {
        let entry = entry.ok()?;
        let own = entry.file_name();
        let own = own.to_str()?;
        // A linked folder may lead back up; what a linked file holds counts.
        let link = entry.file_type().ok()?.is_symlink();
        let folder = link && entry.path().is_dir();
        let gone = link && !entry.path().exists();
        if matches!(own, ".git" | ".meshgov") || gone {
            continue;
        }
        if folder {
            return None;
        }
        collect(&entry.path(), &format!("{name}/{own}"), files, bytes)?;
    }
    Some(())
}
