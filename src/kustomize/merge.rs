//! L2: strategic merge patches. Input: an object and a patch; output: the patched object, or that it is deleted.
//!
//! Semantics: kustomize kyaml v0.18.1, yaml/merge2 (Merger) and yaml/walk (Walker), lists growing at the front as
//! api v0.18.0 filters/patchstrategicmerge asks. Of the directives only `$patch: merge|replace|delete` exist there:
//! `$setElementOrder`, `$retainKeys` and `$deleteFromPrimitiveList` stay in the object as plain fields.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::kustomize::error::KustomizeError;
use crate::kustomize::merge_list;
use crate::kustomize::node::{Entry, Node, Value};
use crate::kustomize::schema::{self, Type};

/// How a subtree is walked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Object and patch.
    Merge,
    /// Something the patch brought in whole: its directives are obeyed, its nulls dropped.
    Added,
}

/// What becomes of a value.
pub(crate) enum Outcome<'a> {
    /// It goes.
    Clear,
    /// The object's own value stays, changed in place.
    Keep,
    /// The patch's value takes its place.
    Take(Node<'a>),
}

/// What the OpenAPI document says of a value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Schema {
    /// Type of a map, or of the elements of a list.
    pub(crate) of: Option<&'static Type>,
    /// Merge keys of a merged list; none inside for a merged list of scalars.
    pub(crate) merge: Option<&'static [&'static str]>,
}

impl Schema {
    fn field(self, name: &str) -> Self {
        self.of
            .and_then(|t| t.field(name))
            .map_or_else(Self::default, |f| Self {
                of: f.child,
                merge: f.merge,
            })
    }

    fn or_of_kind(self, node: Option<&Node<'_>>) -> Self {
        if self.of.is_some() || self.merge.is_some() {
            return self;
        }
        let text = |name: &str| node.and_then(|n| n.get(name)).map(Node::text);
        match (text("apiVersion"), text("kind")) {
            (Some(version), Some(kind)) => Self {
                of: schema::of_kind(version, kind),
                merge: None,
            },
            _ => self,
        }
    }
}

/// Patches an object; `false` = the patch deletes it.
///
/// # Errors
/// The patch asks for what the object's shape does not allow, or uses an unknown `$patch` directive: the patch's fault.
pub(crate) fn merge<'a>(dest: &mut Node<'a>, mut patch: Node<'a>) -> Result<bool, KustomizeError> {
    match walk(Some(dest), Some(&mut patch), Mode::Merge, Schema::default())? {
        Outcome::Clear => Ok(false),
        Outcome::Keep => Ok(true),
        Outcome::Take(new) => {
            *dest = new;
            Ok(true)
        }
    }
}

fn given<'n, 'a>(node: Option<&'n Node<'a>>) -> Option<&'n Node<'a>> {
    node.filter(|n| !n.is_null())
}

/// Merges one value; `src` is `None` where the patch is silent and in [`Mode::Added`].
pub(crate) fn walk<'a>(
    dest: Option<&mut Node<'a>>,
    src: Option<&mut Node<'a>>,
    mode: Mode,
    schema: Schema,
) -> Result<Outcome<'a>, KustomizeError> {
    let Some(shape) = given(dest.as_deref()).or(given(src.as_deref())) else {
        return Ok(both_null(dest.as_deref(), src.is_some(), mode));
    };
    if let (Some(d), Some(s)) = (given(dest.as_deref()), given(src.as_deref()))
        && d.shape() != s.shape()
    {
        return Err(KustomizeError::patch_shape(s.span, d.shape(), s.shape()));
    }
    let schema = schema
        .or_of_kind(dest.as_deref())
        .or_of_kind(src.as_deref());
    match (&shape.value, schema.merge) {
        (Value::Map(_), _) => walk_map(dest, src, mode, schema),
        (Value::Seq(_), Some(keys)) => merge_list::walk(dest, src, mode, schema, keys),
        _ => Ok(match src {
            Some(s) if s.is_null() => Outcome::Clear,
            Some(s) => Outcome::Take(take(s)),
            None => Outcome::Keep,
        }),
    }
}

/// An explicit `null` that the patch does not mention stays; an empty value goes (walk.Walker treats both as maps).
fn both_null<'a>(dest: Option<&Node<'a>>, has_src: bool, mode: Mode) -> Outcome<'a> {
    match dest {
        Some(d) if !has_src && mode == Mode::Merge && !d.text().is_empty() => Outcome::Keep,
        _ => Outcome::Clear,
    }
}

/// Moves a value out of the patch.
pub(crate) fn take<'a>(node: &mut Node<'a>) -> Node<'a> {
    let span = node.span;
    std::mem::replace(node, Node::map(span))
}

fn walk_map<'a>(
    dest: Option<&mut Node<'a>>,
    src: Option<&mut Node<'a>>,
    mode: Mode,
    schema: Schema,
) -> Result<Outcome<'a>, KustomizeError> {
    let Some(dest) = dest.filter(|d| !d.is_null()) else {
        let Some(src) = src else {
            return Ok(Outcome::Clear);
        };
        // NOTE: kyaml ignores an unknown directive of a map that the patch adds.
        if matches!(map_directive(src), Ok(Directive::Delete)) {
            return Ok(Outcome::Clear);
        }
        return added(take(src), schema);
    };
    let directive = match (src.as_deref(), mode) {
        (Some(s), _) if s.is_null() => return Ok(Outcome::Clear),
        (Some(_), _) | (None, Mode::Merge) => None,
        (None, Mode::Added) => Some(map_directive(dest)?),
    };
    let Some(src) = src else {
        if directive == Some(Directive::Delete) {
            return Ok(Outcome::Clear);
        }
        fields(dest, None, mode, schema)?;
        return Ok(Outcome::Keep);
    };
    match map_directive(src)? {
        Directive::Delete => Ok(Outcome::Clear),
        Directive::Replace => added(take(src), schema),
        Directive::Merge => {
            fields(dest, Some(src), mode, schema)?;
            Ok(Outcome::Keep)
        }
    }
}

fn added<'a>(mut node: Node<'a>, schema: Schema) -> Result<Outcome<'a>, KustomizeError> {
    fields(&mut node, None, Mode::Added, schema)?;
    Ok(Outcome::Take(node))
}

/// Merges the fields of two maps, or walks those of one.
fn fields<'a>(
    dest: &mut Node<'a>,
    src: Option<&mut Node<'a>>,
    mode: Mode,
    schema: Schema,
) -> Result<(), KustomizeError> {
    let Value::Map(entries) = &mut dest.value else {
        return Ok(());
    };
    let mut theirs: BTreeMap<Cow<'a, str>, Entry<'a>> = BTreeMap::new();
    if let Some(Value::Map(given)) = src.map(|s| &mut s.value) {
        for entry in given.drain(..) {
            theirs.entry(entry.key.text.clone()).or_insert(entry);
        }
    }
    let mut kept = Vec::with_capacity(entries.len() + theirs.len());
    for mut entry in std::mem::take(entries) {
        let mut patch = theirs.remove(&entry.key.text).map(|e| e.value);
        let schema = schema.field(&entry.key.text);
        match walk(Some(&mut entry.value), patch.as_mut(), mode, schema)? {
            Outcome::Clear => continue,
            Outcome::Keep => {}
            Outcome::Take(new) => entry.value.replace_by(new),
        }
        kept.push(entry);
    }
    for Entry { key, mut value } in theirs.into_values() {
        if let Outcome::Take(new) = walk(None, Some(&mut value), mode, schema.field(&key.text))? {
            kept.push(Entry { key, value: new });
        }
    }
    *entries = kept;
    Ok(())
}

/// What `$patch` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directive {
    Merge,
    Replace,
    Delete,
}

impl Directive {
    pub(crate) fn of(value: &Node<'_>) -> Result<Self, KustomizeError> {
        match value.text() {
            "merge" => Ok(Self::Merge),
            "replace" => Ok(Self::Replace),
            "delete" => Ok(Self::Delete),
            other => Err(KustomizeError::unknown_directive(value.span, other)),
        }
    }
}

fn map_directive(patch: &mut Node<'_>) -> Result<Directive, KustomizeError> {
    let Some(value) = patch.get("$patch") else {
        return Ok(Directive::Merge);
    };
    let directive = Directive::of(value)?;
    patch.remove("$patch");
    Ok(directive)
}
