//! What to tell the author of broken YAML. Input: granit-parser's error and the text; output: the bytes at fault and a
//! message in the user's terms.

use granit_parser::ErrorKind;

use crate::source::to_usize;
use crate::yaml::parse::{MAX_DEPTH, ParseError, ParseErrorKind};

/// The bytes at fault and the reason.
pub(crate) fn describe(text: &str, at: usize, kind: &ErrorKind) -> (usize, usize, ParseErrorKind) {
    let at = at.min(text.len());
    if matches!(kind, ErrorKind::RecursionLimitExceeded) {
        let (start, end) = character(text, at);
        return (start, end, ParseErrorKind::TooDeep(MAX_DEPTH));
    }
    if let Some(tab) = tab_in_indentation(text, at) {
        let message = "a tab indents this line; YAML wants spaces".to_owned();
        return (tab, tab + 1, ParseErrorKind::Syntax(message));
    }
    let (start, end) = match kind {
        ErrorKind::UnknownAnchor => token(text, at),
        _ => character(text, at),
    };
    let written = text.get(start..end).unwrap_or("");
    (start, end, ParseErrorKind::Syntax(message(kind, written)))
}

fn message(kind: &ErrorKind, written: &str) -> String {
    match kind {
        ErrorKind::UnknownAnchor => {
            format!("alias `{written}` names no anchor that stands before it in this document")
        }
        ErrorKind::UnclosedFlowCollection { open } => format!("this `{open}` is never closed"),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            format!("`{close}` closes a `{open}`")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let shown = character.escape_default();
            format!("character `{shown}` cannot stand here; quote the value")
        }
        other => fixed_message(other).map_or_else(|| other.to_string(), str::to_owned),
    }
}

fn fixed_message(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::MappingValueNotAllowed => {
            "a second `: ` in one value; quote the value if the colon belongs to it"
        }
        ErrorKind::UnclosedQuotedScalar => "this quote is never closed",
        ErrorKind::ExpectedBlockMappingKey => {
            "this does not fit the mapping around it; check the indentation, and the quotes before it"
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "expected `:` after a key",
        ErrorKind::InvalidIndentation => "the indentation fits no mapping or sequence around it",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}` here",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]` here",
        ErrorKind::ExpectedBlockSequenceEntry => "expected `- ` here; check the indentation",
        ErrorKind::BlockSequenceEntryNotAllowed => {
            "a list item cannot begin here; put it on its own line"
        }
        ErrorKind::BlockEntryInFlowCollection => "a list item cannot begin inside `[` or `{`",
        ErrorKind::InvalidBlockEntryWhitespace => "`-` must be followed by a space or line break",
        ErrorKind::MisplacedFlowCollectionEnd => "this bracket closes nothing",
        ErrorKind::ExpectedNodeContent
        | ErrorKind::UnexpectedEof
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofBlockMapping => "a value is expected here",
        ErrorKind::TooManyComments => "too many comment lines between a key and its value",
        ErrorKind::CommentNotSeparated => "a comment needs a space before its `#`",
        ErrorKind::CommentInterceptedScalar => "a comment cuts this multi-line value in two",
        ErrorKind::UnknownQuotedScalarEscape => {
            "unknown escape in a double-quoted value; use `\\\\` or single quotes"
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "text follows the closing quote; quote the whole value"
        }
        ErrorKind::DocumentIndicatorInQuotedScalar => {
            "`---` or `...` inside a quoted value; is a quote missing?"
        }
        ErrorKind::InvalidBlockScalarHeader => {
            "only a digit, `+` or `-` and a comment may follow `|` or `>`"
        }
        ErrorKind::InvalidBlockScalarIndent => {
            "this line fits neither the block scalar nor what is around it; check its indentation"
        }
        ErrorKind::InvalidColonPlacement => "a `:` cannot stand here",
        ErrorKind::ExpectedDocumentStart => "expected `---` here",
        ErrorKind::MissingDocumentEndBeforeDirective => {
            "`...` must end the document before a `%` directive"
        }
        ErrorKind::UndeclaredTagHandle => {
            "the handle of this tag is declared by no `%TAG` line of the document"
        }
        ErrorKind::BomInsideDocument => "a byte order mark (U+FEFF) inside the document; delete it",
        _ => return None,
    })
}

/// Adds that the lost document looks like a template, where it does.
pub(crate) fn add_template_hint(error: &mut ParseError) {
    if !error.template {
        return;
    }
    if let ParseErrorKind::Syntax(message) | ParseErrorKind::Unrepresentable(message) =
        &mut error.kind
    {
        message.insert_str(0, "`{{` looks like a template, to be rendered first: ");
    }
}

/// The first tab in the white space that begins the line of `at`, where `at` lies in or right after it.
fn tab_in_indentation(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let before = bytes.get(..at)?;
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
    let line = bytes.get(start..)?;
    let white = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let tab = start + memchr::memchr(b'\t', line.get(..white)?)?;
    (at <= start + white).then_some(tab)
}

/// The end of a range, moved over the next character where the range is empty, so that a report can underline it.
pub(crate) fn at_least_a_character(text: &str, start: u32, end: u32) -> usize {
    if start < end {
        return to_usize(end);
    }
    character(text, to_usize(start)).1
}

/// The character at an offset.
fn character(text: &str, at: usize) -> (usize, usize) {
    let rest = text.get(at..).unwrap_or("");
    (at, at + rest.chars().next().map_or(0, char::len_utf8))
}

/// The word at an offset.
fn token(text: &str, at: usize) -> (usize, usize) {
    let rest = text.get(at..).unwrap_or("");
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
    (at, at + rest.find(ends).unwrap_or(rest.len()))
}
