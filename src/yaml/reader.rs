//! One file's events → arena, document by document. Input: granit-parser events with their spans; output: `Parsed`.
//! It mends the spans (stack.md A5), resolves scalars, keeps the budgets and drops what a broken document left behind.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, ScanError, StructureStyle, Tag};

use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::yaml::builder::{Mark, TreeBuilder};
use crate::yaml::message;
use crate::yaml::node::{Kind, NodeRef, Style};
use crate::yaml::parse::{
    Document, DuplicateKey, MAX_DEPTH, MAX_NODES, ParseError, ParseErrorKind, ParseOptions, Parsed,
};
use crate::yaml::place;
use crate::yaml::scalar;

/// Why the current document is lost.
#[derive(Debug)]
pub(crate) struct Failure {
    start: u32,
    end: u32,
    kind: ParseErrorKind,
}

/// What an alias to an anchor costs.
#[derive(Clone, Copy, Debug, Default)]
struct Anchor {
    index: u32,
    /// Nodes of the anchored value after expanding its own aliases.
    size: usize,
    /// Collections inside each other in it; 0 for a scalar.
    levels: usize,
    /// Still being read: an alias to it would contain itself.
    open: bool,
}

/// An open collection.
#[derive(Clone, Copy, Debug)]
struct Frame {
    index: u32,
    /// Its anchor; 0 for none.
    anchor: usize,
    /// `Reader::expanded` when it began.
    expanded_before: usize,
    /// Levels of its children so far.
    levels: usize,
    flow: bool,
    /// The next value belongs to a `<<` key.
    merge_value: bool,
    /// A list of maps to merge.
    merge_list: bool,
}

/// The state of reading one file.
pub(crate) struct Reader<'s> {
    source: &'s Arc<SourceFile>,
    options: ParseOptions,
    builder: TreeBuilder,
    frames: Vec<Frame>,
    /// By anchor number, which granit-parser counts from 1 through the whole file.
    anchors: Vec<Anchor>,
    /// Nodes that aliases stand for beyond themselves, in the documents kept so far and the current one.
    expanded: usize,
    /// End of the last token.
    cursor: usize,
    documents: Vec<Document>,
    comments: Vec<Span>,
    errors: Vec<ParseError>,
    /// The current document: number, start, and what to return to when it turns out broken.
    ordinal: u32,
    document_start: u32,
    mark: Mark,
    expanded_mark: usize,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s Arc<SourceFile>, options: ParseOptions) -> Self {
        Self {
            source,
            options,
            builder: TreeBuilder::new(Arc::clone(source)),
            frames: Vec::new(),
            anchors: Vec::new(),
            expanded: 0,
            cursor: 0,
            documents: Vec::new(),
            comments: Vec::new(),
            errors: Vec::new(),
            ordinal: 0,
            document_start: 0,
            mark: Mark::default(),
            expanded_mark: 0,
        }
    }

    /// Takes the next event.
    pub(crate) fn event(
        &mut self,
        event: Event<'_>,
        at: &granit_parser::Span,
    ) -> Result<(), Failure> {
        let start = at.start.byte_offset().unwrap_or(0);
        let end = at.end.byte_offset().unwrap_or(0);
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(&value, style, anchor, tag.as_deref(), (start, end))
            }
            Event::MappingStart(style, anchor, _) => {
                self.open(Kind::Map, style, anchor, (start, end))
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(Kind::Seq, style, anchor, (start, end))
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.close(start, end);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, (start, end)),
            Event::Comment(..) => {
                self.comments.push(self.span(start, end));
                Ok(())
            }
            Event::DocumentStart(explicit, _) => {
                self.cursor = if explicit { end } else { start };
                self.begin_document(start);
                Ok(())
            }
            Event::DocumentEnd => {
                self.end_document(end);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: (usize, usize),
    ) -> Result<(), Failure> {
        let absent = style == ScalarStyle::Plain && at.0 == at.1;
        let has_property = anchor != 0 || tag.is_some();
        let span = self.scalar_span(style, absent, has_property, at);
        self.cursor = to_usize(span.end);
        let text = if absent { "" } else { value };
        let (kind, text) = match tag {
            None if absent => (Kind::Null, Cow::Borrowed("")),
            None if style == ScalarStyle::Plain => {
                (scalar::resolve_plain(value), Cow::Borrowed(value))
            }
            None => (Kind::Str, Cow::Borrowed(value)),
            Some(tag) => self.tagged(tag, text, span)?,
        };
        let is_key = self.builder.key_next();
        let merge = is_key && is_merge_key(&text, style, tag);
        if self.options.require_json && !merge {
            self.check_json(is_key, kind, &text, span)?;
        }
        let index = self
            .builder
            .scalar_or_merge(kind, style_of(style), span, &text, merge);
        if anchor != 0 {
            self.define(
                anchor,
                Anchor {
                    index,
                    size: 1,
                    levels: 0,
                    open: false,
                },
            );
        }
        self.node_added(index, span)?;
        if merge && let Some(frame) = self.frames.last_mut() {
            frame.merge_value = true;
        }
        Ok(())
    }

    fn scalar_span(
        &self,
        style: ScalarStyle,
        absent: bool,
        has_property: bool,
        at: (usize, usize),
    ) -> Span {
        let text = self.source.text.as_bytes();
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                match place::block_header_after(text, self.cursor) {
                    Some(header) => self.span(header, place::block_end(text, header, at.0, at.1)),
                    None => self.span(at.0, at.1),
                }
            }
            _ if absent && !has_property && self.builder.in_map() && !self.builder.key_next() => {
                let flow = self.frames.last().is_some_and(|frame| frame.flow);
                let place = place::after_colon(text, self.cursor, flow).unwrap_or(self.cursor);
                self.span(place, place)
            }
            _ => self.span(at.0, at.1),
        }
    }

    fn tagged<'v>(
        &self,
        tag: &Tag,
        text: &'v str,
        span: Span,
    ) -> Result<(Kind, Cow<'v, str>), Failure> {
        let Some(name) = tag.suffix_in_namespace("tag:yaml.org,2002:") else {
            return Ok((Kind::Str, Cow::Borrowed(text)));
        };
        match scalar::resolve_tagged(&name, text) {
            Ok((kind, None)) => Ok((kind, Cow::Borrowed(text))),
            Ok((kind, Some(decoded))) => Ok((kind, Cow::Owned(decoded))),
            Err(_) if !self.options.require_json => Ok((Kind::Str, Cow::Borrowed(text))),
            Err(message) => Err(unrepresentable(message, span)),
        }
    }

    fn check_json(&self, is_key: bool, kind: Kind, text: &str, span: Span) -> Result<(), Failure> {
        if is_key {
            return match scalar::key_defect(kind, text) {
                Some(defect) => Err(unrepresentable(defect.to_owned(), span)),
                None => Ok(()),
            };
        }
        if scalar::is_unrepresentable(kind, text) {
            let message = format!("`{text}` has no JSON form; quote it if a string is meant");
            return Err(unrepresentable(message, span));
        }
        self.check_merge_value(kind, span)
    }

    /// go-yaml merges a mapping, or a list of mappings; a list named by an alias is refused (`merge` in `decode.go`).
    fn check_merge_value(&self, kind: Kind, span: Span) -> Result<(), Failure> {
        let Some(frame) = self.frames.last().filter(|_| self.options.require_json) else {
            return Ok(());
        };
        let fits = match kind {
            Kind::Map => true,
            Kind::Seq => !frame.merge_list,
            _ => false,
        };
        if fits || !(frame.merge_value || frame.merge_list) {
            return Ok(());
        }
        let message = "`<<` merges a mapping or a list of mappings".to_owned();
        Err(unrepresentable(message, span))
    }

    fn open(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        at: (usize, usize),
    ) -> Result<(), Failure> {
        let flow = style == StructureStyle::Flow;
        let start = if kind == Kind::Seq && !flow && self.builder.in_map() {
            place::dash_after(self.source.text.as_bytes(), self.cursor).unwrap_or(at.0)
        } else {
            at.0
        };
        let span = self.span(start, at.1.max(start));
        if self.frames.len() >= MAX_DEPTH {
            return Err(Failure::new(ParseErrorKind::TooDeep(MAX_DEPTH), span));
        }
        if self.builder.key_next() && self.options.require_json {
            let defect = scalar::key_defect(kind, "").unwrap_or_default().to_owned();
            return Err(unrepresentable(defect, span));
        }
        self.check_merge_value(kind, span)?;
        let merge_list =
            self.frames.last().is_some_and(|frame| frame.merge_value) && kind == Kind::Seq;
        self.cursor = start;
        let style = if flow { Style::Flow } else { Style::Plain };
        let index = self.builder.start(kind, style, span);
        if anchor != 0 {
            self.define(
                anchor,
                Anchor {
                    index,
                    open: true,
                    ..Anchor::default()
                },
            );
        }
        self.node_added(index, span)?;
        self.frames.push(Frame {
            index,
            anchor,
            expanded_before: self.expanded,
            levels: 0,
            flow,
            merge_value: false,
            merge_list,
        });
        Ok(())
    }

    fn close(&mut self, start: usize, end: usize) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let bracket = self.source.text.as_bytes().get(start);
        if frame.flow && end == start + 1 && matches!(bracket, Some(b']' | b'}')) {
            self.cursor = end;
        }
        self.builder.end(to_u32(self.cursor));
        let levels = frame.levels + 1;
        if let Some(parent) = self.frames.last_mut() {
            parent.levels = parent.levels.max(levels);
        }
        let nodes = to_usize(self.builder.next_index() - frame.index);
        if let Some(anchor) = self.anchors.get_mut(frame.anchor.wrapping_sub(1)) {
            anchor.size = nodes + self.expanded - frame.expanded_before;
            anchor.levels = levels;
            anchor.open = false;
        }
    }

    fn alias(&mut self, number: usize, at: (usize, usize)) -> Result<(), Failure> {
        let span = self.span(at.0, at.1);
        self.cursor = at.1;
        let target = self
            .anchors
            .get(number.wrapping_sub(1))
            .copied()
            .unwrap_or_default();
        if target.open {
            let message = "the alias stands inside the value it names".to_owned();
            return Err(Failure::new(ParseErrorKind::Syntax(message), span));
        }
        if self.frames.len() + target.levels > MAX_DEPTH {
            return Err(Failure::new(ParseErrorKind::TooDeep(MAX_DEPTH), span));
        }
        let node = NodeRef::new(self.builder.tree(), target.index);
        let kind = node.kind();
        if self.options.require_json {
            if self.builder.key_next() {
                if let Some(defect) = scalar::key_defect(kind, node.text()) {
                    return Err(unrepresentable(defect.to_owned(), span));
                }
            } else {
                let list = self.frames.last().is_some_and(|frame| frame.merge_value);
                let kind = if list && kind == Kind::Seq {
                    Kind::Null
                } else {
                    kind
                };
                self.check_merge_value(kind, span)?;
            }
        }
        self.expanded += target.size.saturating_sub(1);
        if let Some(frame) = self.frames.last_mut() {
            frame.levels = frame.levels.max(target.levels);
        }
        let index = self.builder.alias(target.index, span);
        self.node_added(index, span)
    }

    fn define(&mut self, number: usize, anchor: Anchor) {
        if self.anchors.len() < number {
            self.anchors.resize(number, Anchor::default());
        }
        if let Some(slot) = self.anchors.get_mut(number.wrapping_sub(1)) {
            *slot = anchor;
        }
    }

    /// What every node has in common: it may be a root, it ends a `<<` value, it counts.
    fn node_added(&mut self, index: u32, span: Span) -> Result<(), Failure> {
        match self.frames.last_mut() {
            Some(frame) => frame.merge_value = false,
            None => self.documents.push(Document {
                root: index,
                ordinal: self.ordinal,
            }),
        }
        if to_usize(self.builder.next_index()) + self.expanded > MAX_NODES {
            return Err(Failure::new(ParseErrorKind::TooManyNodes(MAX_NODES), span));
        }
        Ok(())
    }

    fn begin_document(&mut self, start: usize) {
        let start = to_u32(start);
        if let Some(error) = self
            .errors
            .last_mut()
            .filter(|error| error.document.end == u32::MAX)
        {
            error.document.end = start;
        }
        self.document_start = start;
    }

    fn end_document(&mut self, end: usize) {
        let root = self
            .documents
            .last()
            .filter(|last| last.ordinal == self.ordinal);
        let empty = root.is_some_and(|root| {
            let node = self.builder.tree().raw(root.root);
            node.kind == Kind::Null && node.start == node.end
        });
        if empty {
            self.documents.pop();
            self.builder.roll_back(self.mark);
        }
        self.next_document(to_u32(end));
    }

    fn next_document(&mut self, start: u32) {
        self.ordinal += 1;
        self.document_start = start;
        self.mark = self.builder.mark();
        self.expanded_mark = self.expanded;
    }

    /// Records why the current document is lost and drops its nodes. Breaks when the file must not be read on.
    pub(crate) fn fail(&mut self, failure: Failure) -> ControlFlow<()> {
        let full = to_usize(self.builder.next_index()) > MAX_NODES;
        self.errors.push(ParseError {
            span: self.span(to_usize(failure.start), to_usize(failure.end)),
            ordinal: self.ordinal,
            kind: failure.kind,
            document: Span {
                source: self.source.id,
                start: self.document_start.min(failure.start),
                end: u32::MAX,
            },
            template: false,
        });
        self.documents
            .pop_if(|document| document.ordinal == self.ordinal);
        self.builder.roll_back(self.mark);
        self.frames.clear();
        self.expanded = self.expanded_mark;
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
        for error in &mut self.errors {
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
            documents: self.documents,
            comments: self.comments,
            errors: self.errors,
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            source: self.source.id,
            start: to_u32(start),
            end: to_u32(end),
        }
    }
}

impl Failure {
    fn new(kind: ParseErrorKind, span: Span) -> Self {
        Self {
            start: span.start,
            end: span.end,
            kind,
        }
    }
}

fn unrepresentable(message: String, span: Span) -> Failure {
    Failure::new(ParseErrorKind::Unrepresentable(message), span)
}

/// `isMerge` in go-yaml v2 `decode.go`: `<<` untagged and plain, or tagged `!!merge` in any style.
fn is_merge_key(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
    text == "<<"
        && match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some("merge"),
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
