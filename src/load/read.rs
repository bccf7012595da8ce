//! L2: one input's text. Input: a discovered file; output: its text in UTF-8, or why there is none.

use std::io::Read;

use crate::discover::blobs::Blob;
use crate::discover::{EntryProblem, InputFile, Origin, display};
use crate::load::problem::{InputProblem, ProblemKind};
use crate::source::{SourceFile, SourceId, Span, to_u32};
use crate::yaml::decode::{DecodeError, MAX_BYTES, decode};

/// Why a file has no text.
pub(crate) enum Failure {
    /// An entry that discovery found unusable.
    Entry(EntryProblem),
    /// The operating system's words.
    Io(String),
    /// Beyond the caps on file and line.
    TooLarge(String),
    /// Neither UTF-8 nor UTF-16.
    NotText(String),
}

/// Reads a file or standard input and decodes it.
pub(crate) fn text(input: &InputFile, stdin: Option<&[u8]>) -> Result<String, Failure> {
    let bytes = match &input.origin {
        Origin::Nothing(problem) => return Err(Failure::Entry(problem.clone())),
        Origin::Stdin => stdin.unwrap_or(&[]).to_vec(),
        Origin::Blob(Blob::Bytes(bytes)) => bytes.to_vec(),
        Origin::Blob(Blob::TooLarge(bytes)) => {
            let error = DecodeError::TooLarge { bytes: *bytes };
            return Err(Failure::TooLarge(error.to_string()));
        }
        Origin::Blob(Blob::Missing) => {
            return Err(Failure::Io(String::from("not in this clone")));
        }
        Origin::File(path) => {
            let io = |error: std::io::Error| Failure::Io(display::io_words(&error));
            let file = std::fs::File::open(path).map_err(io)?;
            let size = file.metadata().map_err(io)?.len();
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > MAX_BYTES {
                return Err(Failure::TooLarge(
                    DecodeError::TooLarge { bytes: size }.to_string(),
                ));
            }
            let mut bytes = Vec::with_capacity(size + 1);
            // A named pipe tells no size, so the cap holds for what is read, too.
            file.take(u64::from(to_u32(MAX_BYTES)) + 1)
                .read_to_end(&mut bytes)
                .map_err(io)?;
            bytes
        }
    };
    decode(bytes).map_err(|error| match error {
        DecodeError::TooLarge { .. } | DecodeError::LongLine { .. } => {
            Failure::TooLarge(error.to_string())
        }
        _ => Failure::NotText(error.to_string()),
    })
}

/// Whether a text stands for a file that Git LFS keeps elsewhere (git-lfs, docs/spec.md: the first line of a pointer).
pub(crate) fn is_lfs_pointer(text: &str) -> bool {
    text.starts_with("version https://git-lfs.github.com/spec/")
}

/// Whether a JSON file cannot hold a Kubernetes object (`package.json`, `tsconfig.json`, dashboards): it is not parsed.
pub(crate) fn is_foreign_json(source: &SourceFile) -> bool {
    let is_json = source
        .path
        .get(source.path.len().saturating_sub(5)..)
        .is_some_and(|end| end.eq_ignore_ascii_case(".json"));
    is_json && memchr::memmem::find(source.text.as_bytes(), b"\"apiVersion\"").is_none()
}

impl Failure {
    /// The finding's data; it stands at the start of the (empty) source. `None`: not a fault, the ledger names it.
    pub(crate) fn problem(self, source: SourceId) -> Option<InputProblem> {
        let (kind, message, help) = match self {
            Self::Entry(EntryProblem::Submodule) => return None,
            Self::Entry(EntryProblem::BrokenLink(target)) => (
                ProblemKind::Link,
                format!("symbolic link to `{target}`, which does not exist"),
                "restore the target or remove the link",
            ),
            Self::Entry(EntryProblem::LinkLoop(target)) => (
                ProblemKind::Link,
                format!("symbolic link to `{target}` leads back to itself"),
                "remove the link",
            ),
            Self::Entry(EntryProblem::OutsideLink(target)) => (
                ProblemKind::Link,
                format!("symbolic link to `{target}` leaves the tree and is not followed"),
                "name the target on the command line if it belongs to the input",
            ),
            Self::Entry(EntryProblem::Unreadable(words)) | Self::Io(words) => (
                ProblemKind::Unreadable,
                format!("cannot be read: {words}"),
                "make it readable, or exclude it with .gitignore",
            ),
            Self::TooLarge(words) => (
                ProblemKind::TooLarge,
                words,
                "split the file, or exclude it with .gitignore",
            ),
            Self::NotText(words) => (ProblemKind::Unreadable, words, "save it as UTF-8"),
        };
        Some(InputProblem {
            kind,
            span: Span {
                source,
                start: 0,
                end: 0,
            },
            message,
            help: help.to_owned(),
            related: Vec::new(),
            resource: None,
            is_sure: true,
        })
    }
}
