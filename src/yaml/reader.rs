//! One file's events → arena, node by node. Input: granit-parser events with their spans; output: nodes whose spans are
//! mended (stack.md A5) and whose scalars are resolved, within the budgets. `documents.rs` begins and ends documents.

use std::borrow::Cow;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, StructureStyle, Tag};

use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::yaml::budget::Budget;
use crate::yaml::builder::TreeBuilder;
use crate::yaml::documents::{Documents, Failure};
use crate::yaml::node::{Kind, NodeRef, Style};
use crate::yaml::parse::{MAX_DEPTH, ParseErrorKind, ParseOptions};
use crate::yaml::place;
use crate::yaml::scalar;

/// An open collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    index: u32,
    /// Its anchor; 0 for none.
    anchor: usize,
    /// What [`Budget::open`] gave.
    opened: usize,
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
    pub(super) source: &'s Arc<SourceFile>,
    options: ParseOptions,
    pub(super) builder: TreeBuilder,
    pub(super) frames: Vec<Frame>,
    pub(super) budget: Budget,
    /// End of the last token.
    pub(super) cursor: usize,
    pub(super) comments: Vec<Span>,
    pub(super) documents: Documents,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s Arc<SourceFile>, options: ParseOptions) -> Self {
        Self {
            source,
            options,
            builder: TreeBuilder::new(Arc::clone(source)),
            frames: Vec::new(),
            budget: Budget::default(),
            cursor: 0,
            comments: Vec::new(),
            documents: Documents::default(),
        }
    }

    /// Takes the next event.
    pub(crate) fn event(
        &mut self,
        event: Event<'_>,
        at: &granit_parser::Span,
    ) -> Result<(), Failure> {
        let at = (
            at.start.byte_offset().unwrap_or(0),
            at.end.byte_offset().unwrap_or(0),
        );
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                return self.scalar(&value, style, anchor, tag.as_deref(), at);
            }
            Event::MappingStart(style, anchor, _) => {
                return self.open(Kind::Map, style, anchor, at);
            }
            Event::SequenceStart(style, anchor, _) => {
                return self.open(Kind::Seq, style, anchor, at);
            }
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::MappingEnd | Event::SequenceEnd => self.close(at),
            Event::Comment(..) => self.comments.push(self.span(at)),
            Event::DocumentStart(explicit, _) => self.begin_document(explicit, at),
            Event::DocumentEnd => self.end_document(at),
            _ => {}
        }
        Ok(())
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
        let value = if absent { "" } else { value };
        let span = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => self.block_scalar_span(at),
            _ if absent && anchor == 0 && tag.is_none() => self.absent_span(at),
            _ => self.span(at),
        };
        self.cursor = to_usize(span.end);
        let (kind, text) = match tag {
            None if style == ScalarStyle::Plain => {
                (scalar::resolve_plain(value), Cow::Borrowed(value))
            }
            None => (Kind::Str, Cow::Borrowed(value)),
            Some(tag) => self.tagged(tag, value, span)?,
        };
        let merge = self.builder.key_next() && is_merge_key(&text, style, tag);
        if self.options.require_json && !merge {
            self.check_json(kind, &text, span)?;
        }
        let style = style_of(style);
        let index = self
            .builder
            .scalar_or_merge(kind, style, span, &text, merge);
        self.budget.define_scalar(anchor, index);
        self.node_added(index, merge, span)
    }

    fn block_scalar_span(&self, at: (usize, usize)) -> Span {
        let text = self.source.text.as_bytes();
        match place::block_header_after(text, self.cursor) {
            Some(header) if header <= at.0 => {
                self.span((header, place::block_end(text, header, at.0, at.1)))
            }
            _ => self.span(at),
        }
    }

    /// An absent key or value is empty and stands after its `?`, `:` or `-`, or after the key that has no colon.
    fn absent_span(&self, at: (usize, usize)) -> Span {
        let text = self.source.text.as_bytes();
        let place = if self.frames.is_empty() {
            at.0
        } else if !self.builder.in_map() {
            place::after_dash(text, self.cursor).unwrap_or(at.0)
        } else if self.builder.key_next() {
            place::after_question_mark(text, self.cursor).unwrap_or(at.0)
        } else {
            let flow = self.frames.last().is_some_and(|frame| frame.flow);
            place::after_colon(text, self.cursor, flow).unwrap_or(self.cursor)
        };
        self.span((place, place))
    }

    fn tagged<'v>(
        &self,
        tag: &Tag,
        text: &'v str,
        span: Span,
    ) -> Result<(Kind, Cow<'v, str>), Failure> {
        let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
        let Some(name) = name.filter(|_| self.options.require_json) else {
            return Ok((Kind::Str, Cow::Borrowed(text)));
        };
        match scalar::resolve_tagged(&name, text) {
            Ok((kind, None)) => Ok((kind, Cow::Borrowed(text))),
            Ok((kind, Some(decoded))) => Ok((kind, Cow::Owned(decoded))),
            Err(message) => Err(Failure::unrepresentable(message, span)),
        }
    }

    fn check_json(&self, kind: Kind, text: &str, span: Span) -> Result<(), Failure> {
        if self.builder.key_next() {
            return match scalar::key_defect(kind, text) {
                Some(defect) => Err(Failure::unrepresentable(defect, span)),
                None => Ok(()),
            };
        }
        if scalar::is_unrepresentable(kind, text) {
            let message = format!("`{text}` has no JSON form; quote it if a string is meant");
            return Err(Failure::unrepresentable(message, span));
        }
        self.check_merge_value(kind, span)
    }

    /// go-yaml merges a mapping, or a list of mappings; a list named by an alias is refused (`merge` in `decode.go`).
    fn check_merge_value(&self, kind: Kind, span: Span) -> Result<(), Failure> {
        let fits = match (self.frames.last(), kind) {
            (None, _) | (_, Kind::Map) => true,
            (Some(frame), Kind::Seq) => !frame.merge_list,
            (Some(frame), _) => !frame.merge_list && !frame.merge_value,
        };
        if fits {
            return Ok(());
        }
        let message = "`<<` merges a mapping or a list of mappings";
        Err(Failure::unrepresentable(message, span))
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
        let span = self.span((start, if flow { at.1 } else { start }));
        if self.frames.len() >= MAX_DEPTH {
            return Err(Failure::new(ParseErrorKind::TooDeep(MAX_DEPTH), span));
        }
        if self.options.require_json {
            self.check_json(kind, "", span)?;
        }
        let merge_value = self.frames.last().is_some_and(|frame| frame.merge_value);
        self.cursor = if flow { at.1 } else { start };
        let style = if flow { Style::Flow } else { Style::Plain };
        let index = self.builder.start(kind, style, span);
        self.node_added(index, false, span)?;
        self.frames.push(Frame {
            index,
            anchor,
            opened: self.budget.open(anchor, index),
            levels: 0,
            flow,
            merge_value: false,
            merge_list: merge_value && kind == Kind::Seq,
        });
        Ok(())
    }

    fn close(&mut self, at: (usize, usize)) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let bracket = self.source.text.as_bytes().get(at.0);
        if frame.flow && at.1 == at.0 + 1 && matches!(bracket, Some(b']' | b'}')) {
            self.cursor = at.1;
        }
        self.builder.end(to_u32(self.cursor));
        let levels = frame.levels + 1;
        if let Some(parent) = self.frames.last_mut() {
            parent.levels = parent.levels.max(levels);
        }
        if frame.anchor != 0 {
            let nodes = to_usize(self.builder.next_index() - frame.index);
            self.budget.close(frame.anchor, nodes, levels, frame.opened);
        }
    }

    fn alias(&mut self, number: usize, at: (usize, usize)) -> Result<(), Failure> {
        let span = self.span(at);
        self.cursor = at.1;
        let target = self.budget.target(number);
        if target.open {
            let message = "the alias stands inside the value it names".to_owned();
            return Err(Failure::new(ParseErrorKind::Syntax(message), span));
        }
        let node = NodeRef::new(self.builder.tree(), target.index);
        if self.options.require_json {
            let merged = self.frames.last().is_some_and(|frame| frame.merge_value);
            let kind = match node.kind() {
                Kind::Seq if merged => Kind::Null,
                kind => kind,
            };
            self.check_json(kind, node.text(), span)?;
        }
        self.budget
            .expand(target, self.frames.len())
            .map_err(|kind| Failure::new(kind, span))?;
        if let Some(frame) = self.frames.last_mut() {
            frame.levels = frame.levels.max(target.levels);
        }
        let index = self.builder.alias(target.index, span);
        self.node_added(index, false, span)
    }

    /// What every node has in common: it may be a root, it ends a `<<` value, it counts.
    fn node_added(&mut self, index: u32, merge: bool, span: Span) -> Result<(), Failure> {
        match self.frames.last_mut() {
            Some(frame) => frame.merge_value = merge,
            None => self.documents.root(index),
        }
        self.budget
            .check(to_usize(self.builder.next_index()))
            .map_err(|kind| Failure::new(kind, span))
    }

    pub(super) fn span(&self, (start, end): (usize, usize)) -> Span {
        Span {
            source: self.source.id,
            start: to_u32(start),
            end: to_u32(end),
        }
    }
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
