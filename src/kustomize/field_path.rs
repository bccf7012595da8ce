//! L2: setting a value at a path of fields. Input: an object, a path, what to set; output: the object changed in place.
//!
//! Semantics: kustomize api v0.18.0, filters/fieldspec/fieldspec.go. Lists on the way are entered without a segment of
//! their own; `name[]` says that the field is a list.

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::node::{Key, Node, Value};
use crate::source::Span;
use crate::yaml::Kind;

/// Which objects a path belongs to (empty = any) and whether missing fields are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpec<'s> {
    pub(crate) group: &'s str,
    pub(crate) version: &'s str,
    pub(crate) kind: &'s str,
    pub(crate) path: &'s str,
    pub(crate) create: bool,
}

/// What a missing last field is made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// Nothing is made.
    Nothing,
    /// A string.
    Scalar,
    /// A map.
    Map,
}

/// A walk along one path.
pub(crate) struct Walk<'w, S> {
    /// Whether and as what missing fields are made; [`Make::Nothing`] where the spec creates nothing.
    pub(crate) make: Make,
    /// The place that causes made fields.
    pub(crate) cause: Span,
    pub(crate) set: &'w mut S,
}

/// A value on the way that has the wrong shape.
pub(crate) struct Misfit {
    pub(crate) span: Span,
    pub(crate) wanted: &'static str,
    pub(crate) got: &'static str,
}

impl Misfit {
    pub(crate) fn new(node: &Node<'_>, wanted: &'static str) -> Self {
        Self {
            span: node.span,
            wanted,
            got: node.shape(),
        }
    }

    /// The error for an object.
    pub(crate) fn at(self, path: &str, object: String) -> KustomizeError {
        let kind = ErrorKind::FieldPath {
            path: path.to_owned(),
            object,
            wanted: self.wanted,
            got: self.got,
        };
        KustomizeError::new(self.span, kind)
    }
}

/// Segments of a path; `\/` is a slash within one (kyaml v0.18.1, utils/pathsplitter.go).
pub(crate) fn split(path: &str) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    for part in path.strip_prefix('/').unwrap_or(path).split('/') {
        match segments.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => segments.push(part.to_owned()),
        }
    }
    segments
}

impl<S> Walk<'_, S> {
    /// Calls `set` for every value that the path leads to.
    pub(crate) fn run<'a>(&mut self, node: &mut Node<'a>, path: &[String]) -> Result<(), Misfit>
    where
        S: FnMut(&mut Node<'a>) -> Result<(), Misfit>,
    {
        let Some((segment, rest)) = path.split_first() else {
            return (self.set)(node);
        };
        if node.is_null() {
            return Ok(());
        }
        match &mut node.value {
            Value::Seq(items) => items.iter_mut().try_for_each(|n| self.run(n, path)),
            Value::Map(_) => self.step(node, segment, rest),
            Value::Scalar(..) => Err(Misfit::new(node, "a map or list")),
        }
    }

    fn step<'a>(
        &mut self,
        node: &mut Node<'a>,
        segment: &str,
        rest: &[String],
    ) -> Result<(), Misfit>
    where
        S: FnMut(&mut Node<'a>) -> Result<(), Misfit>,
    {
        let (name, is_list) = match segment.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (segment, false),
        };
        let made = match (self.make, rest.is_empty()) {
            (Make::Nothing, _) => None,
            _ if is_list => None,
            (_, false) | (Make::Map, true) => Some(Value::Map(Vec::new())),
            (Make::Scalar, true) => Some(Value::Scalar(Kind::Str, "".into())),
        };
        if node.get(name).is_none() {
            let Some(made) = made.clone() else {
                return Ok(());
            };
            let made = Node::of(made, self.cause);
            node.set(Key::new(name.to_owned(), self.cause), made);
        }
        let Some(field) = node.get_mut(name) else {
            return Ok(());
        };
        if field.is_null() {
            match made {
                Some(made) => field.value = made,
                None if is_list => field.value = Value::Seq(Vec::new()),
                None => {}
            }
        }
        self.run(field, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_slash_belongs_to_its_segment() {
        assert_eq!(split("a/b"), ["a", "b"]);
        assert_eq!(split("/a"), ["a"]);
        assert_eq!(
            split(r"metadata/annotations/nginx.org\/auth"),
            ["metadata", "annotations", "nginx.org/auth"]
        );
    }
}
