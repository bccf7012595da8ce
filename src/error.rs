//! L7: what stops a run. Input: the errors of the stages; output: whose fault, in words with source lines, and exit code 2.

use std::fmt::Write as _;

use crate::discover::DiscoverError;
use crate::discover::display::io_words;
use crate::discover::git::GitError;
use crate::rule::set::LoadError;
use crate::shape::Problem;
use crate::source::to_usize;

/// Why nothing was produced. Every variant is the caller's fault and gives exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Flags that do not fit together, or name what does not exist.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// Faults in a config or in rule files, with their places.
    #[error("{}", .0.first().map_or_else(String::new, ToString::to_string))]
    Problems(Vec<Problem>),
    /// Rules that cannot be loaded.
    #[error(transparent)]
    Rules(#[from] LoadError),
    /// Paths that cannot be used.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// A revision that cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file of the run itself that cannot be read or written.
    #[error("cannot {action} `{path}`: {}", io_words(.cause))]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// As given.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
}

impl Error {
    /// A usage error.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: None,
        }
    }

    /// A usage error with a way out.
    #[must_use]
    pub fn usage_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// The whole text for the terminal, ending with a line end.
    #[must_use]
    pub fn render(&self) -> String {
        let problems = match self {
            Self::Problems(problems) | Self::Rules(LoadError::Problems(problems)) => problems,
            Self::Usage {
                message,
                help: Some(help),
            }
            | Self::Git(GitError { message, help }) => {
                return format!("error: {message}\n  help: {help}\n");
            }
            other => return format!("error: {other}\n"),
        };
        let mut text = String::new();
        for problem in problems.iter().take(MAX_SHOWN) {
            text.push_str(&render_problem(problem));
        }
        if let Some(more) = problems.len().checked_sub(MAX_SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(text, "error: {more} more like these");
        }
        text
    }
}

/// Problems printed in full; nobody reads more before correcting the first.
const MAX_SHOWN: usize = 20;
/// Longest source line printed whole, in characters.
const MAX_COLUMNS: usize = 160;

/// A problem with its line and a caret below.
#[must_use]
pub fn render_problem(problem: &Problem) -> String {
    let file = &problem.file;
    let at = file.position(problem.span.start);
    let starts = file.line_starts();
    let start = starts
        .get(to_usize(at.line).saturating_sub(1))
        .copied()
        .unwrap_or(0);
    let line = file
        .text
        .get(to_usize(start)..)
        .and_then(|t| t.lines().next())
        .unwrap_or("");
    let line: String = line.chars().take(MAX_COLUMNS).collect();
    let line = line.replace('\t', " ");
    let before = to_usize(at.column).saturating_sub(1);
    let marked = file
        .slice(problem.span)
        .lines()
        .next()
        .map_or(1, |l| l.chars().count())
        .clamp(1, MAX_COLUMNS.saturating_sub(before).max(1));
    let gutter = at.line.to_string().len();
    let mut text = format!("error: {}\n", problem.message);
    let _ = writeln!(
        text,
        "{:gutter$}--> {}:{}:{}",
        "", file.path, at.line, at.column
    );
    let _ = writeln!(text, "{:gutter$} |", "");
    let _ = writeln!(text, "{} | {line}", at.line);
    let _ = writeln!(
        text,
        "{:gutter$} | {:before$}{}",
        "",
        "",
        "^".repeat(marked)
    );
    if let Some(help) = &problem.help {
        let _ = writeln!(text, "{:gutter$} = help: {help}", "");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId, Span};
    use std::sync::Arc;

    #[test]
    fn a_problem_is_shown_with_its_line_and_caret() {
        let file = SourceFile::new(SourceId(0), "meshgov.yaml", "version: 1\nfial-on: high\n");
        let problem = Problem {
            file: Arc::new(file),
            span: Span {
                source: SourceId(0),
                start: 11,
                end: 18,
            },
            message: "unknown key `fial-on`".into(),
            help: Some("did you mean `failOn`?".into()),
        };
        assert_eq!(
            Error::Problems(vec![problem]).render(),
            "error: unknown key `fial-on`
 --> meshgov.yaml:2:1
  |
2 | fial-on: high
  | ^^^^^^^
  = help: did you mean `failOn`?
"
        );
    }
}
