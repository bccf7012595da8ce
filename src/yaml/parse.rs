//! granit-parser events → arena. Input: a `SourceFile`; output: `Parsed`: its documents, comments, duplicate keys and
//! errors. A broken document contributes no node and hides no neighbour.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StructureStyle};

use crate::source::{SourceFile, Span, to_u32};
use crate::yaml::builder::TreeBuilder;
use crate::yaml::node::{Kind, Style};
use crate::yaml::scalar;
use crate::yaml::tree::Tree;

/// One document that was read whole.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Index of its root node in the tree.
    pub root: u32,
    /// 0-based position among all documents of the file, broken ones included.
    pub ordinal: u32,
}

/// The same key twice in one mapping; the last one is used.
#[derive(Clone, Copy, Debug)]
pub struct DuplicateKey {
    /// The occurrence that is overridden.
    pub first: Span,
    /// The occurrence that wins.
    pub second: Span,
}

/// Why a document could not be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The text is not YAML.
    #[error("{0}")]
    Syntax(String),
    /// Collections nested deeper than the cap.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// More nodes than the cap, counted after alias expansion.
    #[error("more than {0} nodes after expanding aliases")]
    TooManyNodes(usize),
    /// A value that JSON, hence Kubernetes, cannot hold.
    #[error("{0}")]
    Unrepresentable(String),
}

/// A document that could not be read, with the place.
#[derive(Clone, Debug)]
pub struct ParseError {
    /// Where reading stopped.
    pub span: Span,
    /// 0-based position of the document in the file.
    pub ordinal: u32,
    /// What was wrong.
    pub kind: ParseErrorKind,
}

/// Everything read from one file.
#[derive(Debug)]
pub struct Parsed {
    /// The nodes of all good documents.
    pub tree: Tree,
    /// Good documents in file order; empty documents are left out.
    pub documents: Vec<Document>,
    /// Comments with their `#`, in file order.
    pub comments: Vec<Span>,
    /// Duplicate keys in file order.
    pub duplicates: Vec<DuplicateKey>,
    /// Documents that could not be read.
    pub errors: Vec<ParseError>,
}

/// Reads every document of a file.
#[must_use]
pub fn parse(source: &Arc<SourceFile>) -> Parsed {
    let mut options = Options::default();
    options.set_emit_comments(true);
    let text = Arc::clone(source);
    let mut parser = Parser::new_from_str_with_options(&text.text, options);
    let mut builder = TreeBuilder::new(Arc::clone(source));
    let mut anchors: HashMap<usize, u32> = HashMap::new();
    let (mut documents, mut comments, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut ordinal = 0;
    while let Some(next) = parser.next_event() {
        let (event, at) = match next {
            Ok(pair) => pair,
            Err(error) => {
                errors.push(syntax_error(source, &error, ordinal));
                break;
            }
        };
        let span = Span {
            source: source.id,
            start: to_u32(at.start.byte_offset().unwrap_or(0)),
            end: to_u32(at.end.byte_offset().unwrap_or(0)),
        };
        if builder.depth() == 0 && event.is_node() {
            documents.push(Document {
                root: builder.next_index(),
                ordinal,
            });
        }
        match event {
            Event::Scalar(value, style, anchor, _tag) => {
                let index = if span.is_empty() && style == ScalarStyle::Plain {
                    builder.scalar(Kind::Null, Style::Plain, span, "")
                } else {
                    let kind = if style == ScalarStyle::Plain {
                        scalar::resolve_plain(&value)
                    } else {
                        Kind::Str
                    };
                    builder.scalar(kind, style_of(style), span, &value)
                };
                anchors.insert(anchor, index);
            }
            Event::MappingStart(style, anchor, _) => {
                anchors.insert(anchor, builder.start(Kind::Map, structure(style), span));
            }
            Event::SequenceStart(style, anchor, _) => {
                anchors.insert(anchor, builder.start(Kind::Seq, structure(style), span));
            }
            Event::MappingEnd | Event::SequenceEnd => builder.end(span.end),
            Event::Alias(id) => {
                let target = anchors.get(&id).copied().unwrap_or(0);
                builder.alias(target, span);
            }
            Event::Comment(..) => comments.push(span),
            Event::DocumentEnd => ordinal += 1,
            _ => {}
        }
    }
    Parsed {
        tree: builder.finish(),
        documents,
        comments,
        duplicates: Vec::new(),
        errors,
    }
}

fn syntax_error(source: &Arc<SourceFile>, error: &ScanError, ordinal: u32) -> ParseError {
    let at = to_u32(error.marker().byte_offset().unwrap_or(0));
    ParseError {
        span: Span {
            source: source.id,
            start: at,
            end: at,
        },
        ordinal,
        kind: ParseErrorKind::Syntax(error.info()),
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn structure(style: StructureStyle) -> Style {
    match style {
        StructureStyle::Flow => Style::Flow,
        StructureStyle::Block => Style::Plain,
    }
}
