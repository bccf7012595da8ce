//! L5: the text of a rule file. Input: path and text; output: its first document located, the second on demand.

use std::sync::Arc;

use crate::shape::Problem;
use crate::source::{SourceFile, SourceId, Span, to_u32};
use crate::yaml::{self, NodeRef, ParseOptions, Parsed};

/// A rule file with its first document parsed.
#[derive(Debug)]
pub struct RuleFile {
    /// Whole text and path.
    pub source: Arc<SourceFile>,
    head: Parsed,
}

impl RuleFile {
    /// Reads the first document.
    ///
    /// # Errors
    /// The author's: text that is no YAML, or no document at all.
    pub fn parse(path: &str, text: &str) -> Result<Self, Problem> {
        let source = Arc::new(SourceFile::new(SourceId(0), path, text));
        let head = match head_end(text) {
            None => head_of(&source),
            // The prefix keeps every offset, so its spans hold for the whole text too.
            Some(end) => head_of(&Arc::new(SourceFile::new(
                SourceId(0),
                path,
                text.get(..end).unwrap_or(text),
            ))),
        };
        let file = Self { source, head };
        if let Some(error) = file.head.errors.first() {
            return Err(file.problem(error.span, error.kind.to_string()));
        }
        if file.head.documents.is_empty() {
            let start = Span {
                source: SourceId(0),
                start: 0,
                end: 0,
            };
            return Err(file.problem(start, String::from("the file holds no rule")));
        }
        Ok(file)
    }

    /// The mapping of the first document.
    #[must_use]
    pub fn head(&self) -> NodeRef<'_> {
        self.node(self.head.documents.first().map_or(0, |d| d.root))
    }

    /// A node of the first document.
    #[must_use]
    pub fn node(&self, index: u32) -> NodeRef<'_> {
        self.head.tree.node(index)
    }

    /// Parses the whole file anew: for explain, docs, tests and reports.
    #[must_use]
    pub fn parse_whole(&self) -> Parsed {
        yaml::parse(&self.source)
    }

    /// A problem in this file.
    #[must_use]
    pub fn problem(&self, span: Span, message: impl Into<String>) -> Problem {
        Problem {
            file: Arc::clone(&self.source),
            span,
            message: message.into(),
            help: None,
        }
    }

    /// `<ID>-<slug>` of the file name: id and slug.
    #[must_use]
    pub fn name_parts(&self) -> Option<(&str, &str)> {
        let name = self.source.path.rsplit(['/', '\\']).next()?;
        name.strip_suffix(".yaml")
            .or_else(|| name.strip_suffix(".yml"))?
            .split_once('-')
    }

    /// Span of the whole text.
    #[must_use]
    pub fn whole(&self) -> Span {
        Span {
            source: SourceId(0),
            start: 0,
            end: to_u32(self.source.text.len()),
        }
    }
}

/// A head without its comments: nobody asks for them, and every start of the program reads all heads.
fn head_of(source: &Arc<SourceFile>) -> Parsed {
    let options = ParseOptions {
        comments: false,
        ..ParseOptions::default()
    };
    yaml::parse_with(source, options)
}

/// Offset of the line break before the `---` that starts the second document. Block scalars of a head are indented, so a
/// line that begins with `---` can only be a separator.
fn head_end(text: &str) -> Option<usize> {
    let mut from = text.len().min(1);
    while let Some(at) = text.get(from..)?.find("\n---") {
        let at = from + at;
        let rest = text.get(at + 4..).unwrap_or("");
        let is_separator = rest.is_empty() || rest.starts_with(['\n', '\r', ' ', '\t']);
        let before = text.get(..at).unwrap_or("");
        if is_separator && has_content(before) {
            return Some(at + 1);
        }
        from = at + 4;
    }
    None
}

fn has_content(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .any(|l| !l.is_empty() && !l.starts_with('#') && l != "---")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_ends_before_the_second_document() {
        assert_eq!(head_end("id: A\n---\nwhy: x\n"), Some(6));
        assert_eq!(head_end("---\nid: A\n---\nwhy: x\n"), Some(10));
        assert_eq!(head_end("# c\n---\nid: A\n--- # c\nwhy"), Some(14));
        assert_eq!(head_end("id: A\n"), None);
        assert_eq!(head_end("id: A\n---x: 1\n"), None);
    }

    #[test]
    fn both_documents_keep_the_offsets_of_the_file() {
        let file = RuleFile::parse("r/X001-a-b.yaml", "id: X001\n---\nwhy: because\n").unwrap();
        let id = file.head().get("id").unwrap();
        assert_eq!(file.source.slice(id.span()), "X001");
        assert_eq!(file.name_parts(), Some(("X001", "a-b")));
        let whole = file.parse_whole();
        let why = whole.tree.node(whole.documents[1].root).get("why").unwrap();
        assert_eq!(file.source.slice(why.span()), "because");
    }

    #[test]
    fn a_broken_head_is_a_problem_with_its_place() {
        let problem = RuleFile::parse("X001-a.yaml", "id: [\n---\n").unwrap_err();
        assert!(problem.to_string().starts_with("X001-a.yaml:"), "{problem}");
    }
}
