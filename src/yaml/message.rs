//! What to tell the author of broken YAML. Input: granit-parser's error and the text; output: the bytes at fault and a
//! message in the user's terms.

use granit_parser::ErrorKind;

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
    let fixed = match kind {
        ErrorKind::UnknownAnchor => {
            return format!(
                "alias `{written}` names no anchor that stands before it in this document"
            );
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            return format!("this `{open}` is never closed");
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return format!("`{close}` closes a `{open}`");
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return format!(
                "character `{}` cannot stand here; quote the value",
                character.escape_default()
            );
        }
        ErrorKind::MappingValueNotAllowed => {
            "a second `: ` in one value; quote the value if the colon belongs to it"
        }
        ErrorKind::UnclosedQuotedScalar => "this quote is never closed",
        ErrorKind::ExpectedBlockMappingKey => {
            "this line does not fit the mapping around it; check its indentation and the quotes before it"
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "expected `:` after a key",
        ErrorKind::InvalidIndentation => "the indentation fits no mapping or sequence around it",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}` here",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]` here",
        ErrorKind::ExpectedBlockSequenceEntry => "expected `- ` here; check the indentation",
        ErrorKind::BlockSequenceEntryNotAllowed => {
            "a list item cannot begin here; put it on its own line"
        }
        ErrorKind::MisplacedFlowCollectionEnd => "this bracket closes nothing",
        ErrorKind::ExpectedNodeContent => "a value is expected here",
        ErrorKind::TooManyComments => "too many comment lines between a key and its value",
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
        other => return other.to_string().to_lowercase(),
    };
    fixed.to_owned()
}

/// Adds that the lost document looks like a template, where it does.
pub(crate) fn add_template_hint(error: &mut ParseError) {
    if !error.template {
        return;
    }
    if let ParseErrorKind::Syntax(message) | ParseErrorKind::Unrepresentable(message) =
        &mut error.kind
    {
        message.push_str("; the document holds `{{` and looks like a template: render it first");
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
