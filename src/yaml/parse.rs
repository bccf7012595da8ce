//! Reading a file: granit-parser events → arena. Input: a `SourceFile`; output: `Parsed`: its documents, comments,
//! duplicate keys and errors. A broken document contributes no node and hides no neighbour.

use std::sync::Arc;

use granit_parser::{Options, Parser};

use crate::source::{SourceFile, Span};
use crate::yaml::reader::Reader;
use crate::yaml::tree::Tree;

/// Nodes a file may have, counted after alias expansion.
pub const MAX_NODES: usize = 5_000_000;
/// Collections that may stand inside each other, counted through aliases too.
pub const MAX_DEPTH: usize = 255;
/// Comments that may follow each other between a key or dash and its value; the parser has to hold them back.
const MAX_PENDING_COMMENTS: usize = 100_000;

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
    /// The bytes at fault; empty at the end of the text.
    pub span: Span,
    /// 0-based position of the document in the file.
    pub ordinal: u32,
    /// What was wrong.
    pub kind: ParseErrorKind,
    /// All bytes of the document that is lost, up to the next document.
    pub document: Span,
    /// Whether the lost document holds `{{`, as a Helm or Jinja template does.
    pub template: bool,
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
    /// Duplicate keys in the order of the overriding key.
    pub duplicates: Vec<DuplicateKey>,
    /// Documents that could not be read, in file order; one error each.
    pub errors: Vec<ParseError>,
}

/// How strict [`parse_with`] is. The default is what [`parse`] does.
#[derive(Clone, Copy, Debug)]
pub struct ParseOptions {
    /// Refuses what the YAML 1.2 specification refuses but go-yaml and PyYAML accept: too little indentation inside flow
    /// collections and multi-line quoted scalars.
    pub strict_indentation: bool,
    /// Refuses what sigs.k8s.io/yaml refuses because JSON cannot hold it: null and complex keys, `.inf`, `.nan`, values
    /// that contradict their tag, `<<` over anything but mappings. Without it, tagged scalars are strings.
    pub require_json: bool,
    /// Whether comments are kept.
    pub comments: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            strict_indentation: false,
            require_json: true,
            comments: true,
        }
    }
}

/// Reads every document of a file as Kubernetes' tools do.
#[must_use]
pub fn parse(source: &Arc<SourceFile>) -> Parsed {
    parse_with(source, ParseOptions::default())
}

/// [`parse`] with another strictness.
#[must_use]
pub fn parse_with(source: &Arc<SourceFile>, options: ParseOptions) -> Parsed {
    let mut settings = Options::default();
    settings.set_emit_comments(options.comments);
    settings.strict_indentation = options.strict_indentation;
    settings.max_buffered_comment_events = MAX_PENDING_COMMENTS;
    settings.flow_nesting_limit = MAX_DEPTH;
    settings.block_nesting_limit = MAX_DEPTH;
    let mut parser = Parser::new_from_str_with_options(&source.text, settings);
    let mut reader = Reader::new(source, options);
    while let Some(next) = parser.next_event() {
        let failure = match next {
            Ok((event, at)) => match reader.event(event, &at) {
                Ok(()) => continue,
                Err(failure) => failure,
            },
            Err(error) => reader.syntax_failure(&error),
        };
        if reader.fail(failure).is_break() {
            break;
        }
        match parser.proceed_next_document() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let failure = reader.syntax_failure(&error);
                let _ = reader.fail(failure);
                break;
            }
        }
    }
    reader.finish()
}
