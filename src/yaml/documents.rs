//! Where documents begin, end and break. Input: document events and failures; output: the good documents, one positioned
//! error for each broken one, and an arena without the broken ones' nodes.

use std::ops::ControlFlow;

use granit_parser::ScanError;

use crate::source::{Span, to_u32, to_usize};
use crate::yaml::builder::Mark;
use crate::yaml::message;
use crate::yaml::node::Kind;
use crate::yaml::parse::{Document, DuplicateKey, MAX_NODES, ParseError, ParseErrorKind, Parsed};
use crate::yaml::reader::Reader;

/// Why the current document is lost.
#[derive(Debug)]
pub(crate) struct Failure {
    start: u32,
    end: u32,
    kind: ParseErrorKind,
}

impl Failure {
    pub(crate) fn new(kind: ParseErrorKind, span: Span) -> Self {
        Self {
            start: span.start,
            end: span.end,
            kind,
        }
    }

    pub(crate) fn unrepresentable(message: impl Into<String>, span: Span) -> Self {
        Self::new(ParseErrorKind::Unrepresentable(message.into()), span)
    }
}

/// The documents of a file so far.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    good: Vec<Document>,
    errors: Vec<ParseError>,
    /// Number of the current document.
    ordinal: u32,
    /// Where it begins.
    start: u32,
    /// What to return to when it turns out broken.
    mark: Mark,
    /// The rest of a broken document was skipped: the reader's cursor is behind.
    lost_track: bool,
}

impl Documents {
    /// Notes the root node of the current document.
    pub(crate) fn root(&mut self, index: u32) {
        self.good.push(Document {
            root: index,
            ordinal: self.ordinal,
        });
    }

    /// The last broken document, unless its end is known, ends where the next one begins.
    fn end_lost_document(&mut self, end: u32) {
        if let Some(error) = self.errors.last_mut()
            && error.document.end == u32::MAX
        {
            error.document.end = end;
        }
    }
}

impl Reader<'_> {
    pub(super) fn begin_document(&mut self, explicit: bool, at: (usize, usize)) {
        let documents = &mut self.documents;
        if explicit {
            self.cursor = at.1;
        } else if documents.lost_track {
            // Only `...` lets an implicit document follow a broken one.
            let before = self.source.text.as_bytes().get(..at.0).unwrap_or_default();
            self.cursor = memchr::memmem::rfind(before, b"\n...").map_or(at.0, |end| end + 4);
        }
        documents.lost_track = false;
        documents.start = to_u32(at.0);
        documents.end_lost_document(documents.start);
    }

    pub(super) fn end_document(&mut self, at: (usize, usize)) {
        self.cursor = at.0;
        let documents = &mut self.documents;
        let tree = self.builder.tree();
        let empty = documents.good.pop_if(|last| {
            let root = tree.raw(last.root);
            last.ordinal == documents.ordinal && root.kind == Kind::Null && root.start == root.end
        });
        if empty.is_some() {
            self.builder.roll_back(documents.mark);
        }
        self.budget.keep();
        self.next_document(to_u32(at.1));
    }

    fn next_document(&mut self, start: u32) {
        self.documents.ordinal += 1;
        self.documents.start = start;
        self.documents.mark = self.builder.mark();
    }

    /// Records why the current document is lost and drops its nodes. Breaks when the file must not be read on.
    pub(crate) fn fail(&mut self, failure: Failure) -> ControlFlow<()> {
        let full = to_usize(self.builder.next_index()) > MAX_NODES;
        let documents = &mut self.documents;
        documents.end_lost_document(documents.start.max(failure.start));
        let end = message::at_least_a_character(&self.source.text, failure.start, failure.end);
        let span = |start, end| Span {
            source: self.source.id,
            start,
            end,
        };
        documents.errors.push(ParseError {
            span: span(failure.start, to_u32(end)),
            ordinal: documents.ordinal,
            kind: failure.kind,
            document: span(documents.start.min(failure.start), u32::MAX),
            template: false,
        });
        documents
            .good
            .pop_if(|last| last.ordinal == documents.ordinal);
        documents.lost_track = true;
        self.builder.roll_back(documents.mark);
        self.budget.roll_back();
        self.frames.clear();
        self.next_document(failure.end);
        if full {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    pub(crate) fn syntax_failure(&self, error: &ScanError) -> Failure {
        let at = error.marker().byte_offset().unwrap_or(0);
        let (start, end, kind) = message::describe(&self.source.text, at, error.kind());
        Failure {
            start: to_u32(start),
            end: to_u32(end),
            kind,
        }
    }

    /// Everything read.
    pub(crate) fn finish(mut self) -> Parsed {
        let length = to_u32(self.source.text.len());
        for error in &mut self.documents.errors {
            error.document.end = error.document.end.min(length);
            let lost = self.source.slice(error.document);
            error.template = memchr::memmem::find(lost.as_bytes(), b"{{").is_some();
            message::add_template_hint(error);
        }
        let tree = self.builder.tree();
        let duplicate = |(first, second): &(u32, u32)| DuplicateKey {
            first: tree.span_of(*first),
            second: tree.span_of(*second),
        };
        let duplicates = self.builder.duplicates().iter().map(duplicate).collect();
        Parsed {
            duplicates,
            tree: self.builder.finish(),
            documents: self.documents.good,
            comments: self.comments,
            errors: self.documents.errors,
        }
    }
}
