//! L2: one input's text. Input: a discovered file; output: its text in UTF-8, or why there is none.

use std::io::Read;

use crate::discover::{EntryProblem, InputFile, Origin, display};
use crate::load::problem::{InputProblem, ProblemKind};
use crate::source::{SourceFile, SourceId, Span};

/// Largest file that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Why a file has no text.
pub(crate) enum Failure {
    /// An entry that discovery found unusable.
    Entry(EntryProblem),
    /// The operating system's words.
    Io(String),
    /// Larger than [`MAX_BYTES`].
    TooLarge,
    /// Not UTF-8, nor UTF-16 with a byte order mark.
    NotText(String),
}

/// Reads a file or standard input and decodes it.
pub(crate) fn text(input: &InputFile, stdin: Option<&[u8]>) -> Result<String, Failure> {
    let bytes = match &input.origin {
        Origin::Nothing(problem) => return Err(Failure::Entry(problem.clone())),
        Origin::Stdin => stdin.unwrap_or(&[]).to_vec(),
        Origin::File(path) => {
            let io = |error: std::io::Error| Failure::Io(display::io_words(&error));
            let file = std::fs::File::open(path).map_err(io)?;
            let size = file.metadata().map_err(io)?.len();
            if size > MAX_BYTES {
                return Err(Failure::TooLarge);
            }
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
            // A named pipe tells no size, so the cap holds for what is read, too.
            file.take(MAX_BYTES + 1)
                .read_to_end(&mut bytes)
                .map_err(io)?;
            bytes
        }
    };
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_BYTES) {
        return Err(Failure::TooLarge);
    }
    decode(bytes)
}

fn decode(bytes: Vec<u8>) -> Result<String, Failure> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks(2).map(|pair| match pair {
            [a, b] => unit([*a, *b]),
            _ => 0xd800,
        });
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map_err(|_| Failure::NotText("broken UTF-16".to_owned()))
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(not_utf8),
        _ => String::from_utf8(bytes).map_err(not_utf8),
    }
}

fn not_utf8(error: std::string::FromUtf8Error) -> Failure {
    let at = error.utf8_error().valid_up_to();
    Failure::NotText(format!("byte {at} is not UTF-8"))
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
    /// The finding's data; it stands at the start of the (empty) source.
    pub(crate) fn problem(self, source: SourceId) -> InputProblem {
        let (kind, message, help) = match self {
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
            Self::TooLarge => (
                ProblemKind::TooLarge,
                format!("larger than {} MiB", MAX_BYTES / (1024 * 1024)),
                "split the file, or exclude it with .gitignore",
            ),
            Self::NotText(words) => (
                ProblemKind::Unreadable,
                format!("is no text in UTF-8 or UTF-16: {words}"),
                "save it as UTF-8",
            ),
        };
        InputProblem {
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
        }
    }
}
