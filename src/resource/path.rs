//! L2: names for places inside objects. Input: an object and a node, or a written path; output: `FieldPath`, nodes, spans.
//!
//! A path is canonical when list items are named by the keys by which Kubernetes merges them, not by position:
//! `spec.template.spec.containers[name=app].ports[containerPort=8080].name`.

use std::fmt;

use crate::source::Span;
use crate::yaml::NodeRef;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A field of a mapping.
    Field(String),
    /// The item of a list with these values of its merge keys; `ordinal` counts equal ones from 0.
    Item {
        /// Keys and values in the order of the merge-key table.
        keys: Vec<(String, String)>,
        /// Number among items with the same keys.
        ordinal: u32,
    },
    /// The item at this 0-based position of a list without merge keys.
    Index(u32),
}

/// A path from the root of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(pub Vec<Segment>);

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub struct Located<'t> {
    /// The node, or the deepest ancestor that exists.
    pub node: NodeRef<'t>,
    /// The key under which the node stands, where it stands under one.
    pub key: Option<NodeRef<'t>>,
    /// Whether the whole path exists.
    pub exists: bool,
}

impl Located<'_> {
    /// Bytes to point at: the value, or the key of the deepest existing ancestor of a missing field.
    #[must_use]
    pub fn span(&self) -> Span {
        match (self.exists, self.key) {
            (false, Some(key)) => key.span(),
            _ if self.node.span().is_empty() => self.key.unwrap_or(self.node).span(),
            _ => self.node.span(),
        }
    }
}

/// Why a written path cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A name is missing.
    #[error("field name missing at byte {0}")]
    NoField(usize),
    /// A bracket or quote is not closed, or holds nothing readable.
    #[error("cannot read the brackets at byte {0}")]
    Brackets(usize),
}

/// List fields with the keys by which their items are told apart.
/// Kubernetes: `x-kubernetes-list-map-keys` and `x-kubernetes-patch-merge-key` of the OpenAPI of 1.34; CRDs likewise.
const MERGE_KEYS: &[(&str, &[&str])] = &[
    ("hostAliases", &["ip"]),
    ("podIPs", &["ip"]),
    ("hostIPs", &["ip"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    (
        "topologySpreadConstraints",
        &["topologyKey", "whenUnsatisfiable"],
    ),
    ("ownerReferences", &["uid"]),
    ("conditions", &["type"]),
    ("addresses", &["type", "value"]),
    ("paths", &["path"]),
];

/// Keys of `ports`, by what the items look like: a container's, a Service's, a ServiceEntry's.
const PORT_KEYS: &[&[&str]] = &[
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["number", "protocol"],
];

fn merge_keys(field: &str, item: NodeRef<'_>) -> Vec<(String, String)> {
    let read = |keys: &[&str]| -> Vec<(String, String)> {
        keys.iter()
            .filter_map(|key| {
                let value = item.get(key)?;
                let is_scalar = !value.is_map() && !value.is_seq() && !value.is_null();
                is_scalar.then(|| ((*key).to_owned(), value.text().to_owned()))
            })
            .collect()
    };
    if let Some((_, keys)) = MERGE_KEYS.iter().find(|(name, _)| *name == field) {
        return read(keys);
    }
    if field == "ports"
        && let Some(keys) = PORT_KEYS
            .iter()
            .find(|keys| keys.first().is_some_and(|key| item.get(key).is_some()))
    {
        return read(keys);
    }
    // Most lists of named things, in Kubernetes and CRDs alike, merge by `name`.
    read(&["name"])
}

/// The segment that names one item of a list field.
fn item_segment(field: &str, list: NodeRef<'_>, position: usize) -> Segment {
    let keys = list
        .item(position)
        .map(|item| merge_keys(field, item))
        .unwrap_or_default();
    if keys.is_empty() {
        return Segment::Index(crate::source::to_u32(position));
    }
    let before = list.items().take(position);
    let ordinal = before
        .filter(|item| merge_keys(field, *item) == keys)
        .count();
    Segment::Item {
        keys,
        ordinal: crate::source::to_u32(ordinal),
    }
}

impl FieldPath {
    /// The canonical path from `root` to the node or key with these bytes; `None` when there is none below `root`.
    #[must_use]
    pub fn to(root: NodeRef<'_>, span: Span) -> Option<Self> {
        let mut path = Vec::new();
        descend(root, "", span, &mut path).then_some(Self(path))
    }

    /// Reads a written path: `spec.containers[name=app].args[0]`, `metadata.annotations["a.b/c"]`.
    ///
    /// # Errors
    /// The text is no path; the fault of whoever wrote it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut path = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            if let Some(inside) = rest.strip_prefix('[') {
                let (segment, tail) = bracket(inside).ok_or(PathError::Brackets(at))?;
                path.push(segment);
                rest = tail;
            } else {
                let field = rest.strip_prefix('.').unwrap_or(rest);
                let end = field.find(['.', '[']).unwrap_or(field.len());
                let (name, tail) = field.split_at(end);
                if name.is_empty() {
                    return Err(PathError::NoField(at));
                }
                path.push(Segment::Field(name.to_owned()));
                rest = tail;
            }
        }
        Ok(Self(path))
    }

    /// What the path leads to below `root`.
    #[must_use]
    pub fn locate<'t>(&self, root: NodeRef<'t>) -> Located<'t> {
        let mut at = Located {
            node: root,
            key: None,
            exists: true,
        };
        for segment in &self.0 {
            let next = match segment {
                Segment::Field(name) => at.node.entry(name).map(|(key, value)| (Some(key), value)),
                Segment::Index(position) => at
                    .node
                    .item(crate::source::to_usize(*position))
                    .map(|item| (None, item)),
                Segment::Item { keys, ordinal } => at
                    .node
                    .items()
                    .filter(|item| {
                        keys.iter()
                            .all(|(key, value)| item.get(key).is_some_and(|v| v.text() == value))
                    })
                    .nth(crate::source::to_usize(*ordinal))
                    .map(|item| (None, item)),
            };
            let Some((key, node)) = next else {
                at.exists = false;
                return at;
            };
            at.node = node;
            at.key = key.or(at.key);
        }
        at
    }
}

/// Nesting at which the search stops; the parser refuses deeper files.
const MAX_DEPTH: usize = 256;

fn descend(node: NodeRef<'_>, field: &str, span: Span, path: &mut Vec<Segment>) -> bool {
    if node.span() == span {
        return true;
    }
    let own = node.span();
    let may_hold =
        own.source != span.source || own.contains(span) || !node.tree().origins.is_empty();
    if !may_hold || path.len() > MAX_DEPTH {
        return false;
    }
    for (key, value) in node.raw_entries() {
        let name = key.key_text();
        path.push(Segment::Field(name.to_string()));
        if key.span() == span || descend(value, &name, span, path) {
            return true;
        }
        path.pop();
    }
    let depth = path.len();
    for (position, item) in node.items().enumerate() {
        path.push(Segment::Index(0));
        if descend(item, field, span, path) {
            // Named on the way back, so that the items beside the path cost nothing.
            if let Some(segment) = path.get_mut(depth) {
                *segment = item_segment(field, node, position);
            }
            return true;
        }
        path.pop();
    }
    false
}

fn bracket(inside: &str) -> Option<(Segment, &str)> {
    for quote in ['"', '\''] {
        if let Some(body) = inside.strip_prefix(quote) {
            let (name, rest) = body.split_once(quote)?;
            return Some((Segment::Field(name.to_owned()), rest.strip_prefix(']')?));
        }
    }
    let (body, rest) = inside.split_once(']')?;
    if let Ok(position) = body.parse() {
        return Some((Segment::Index(position), rest));
    }
    let (body, ordinal) = match body.split_once('#') {
        Some((body, ordinal)) => (body, ordinal.parse().ok()?),
        None => (body, 0),
    };
    let keys: Option<Vec<_>> = body
        .split(',')
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.trim().to_owned(), value.trim().to_owned()))
        })
        .collect();
    let keys = keys.filter(|keys| keys.iter().all(|(key, _)| !key.is_empty()))?;
    Some((Segment::Item { keys, ordinal }, rest))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if name.is_empty() || name.contains(['.', '[', ']', '"']) => {
                    write!(f, "[\"{name}\"]")?;
                }
                Segment::Field(name) if number == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(position) => write!(f, "[{position}]")?,
                Segment::Item { keys, ordinal } => {
                    let pairs: Vec<String> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    let ordinal = match ordinal {
                        0 => String::new(),
                        n => format!("#{n}"),
                    };
                    write!(f, "[{}{ordinal}]", pairs.join(","))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId, to_u32};
    use std::sync::Arc;

    const POD: &str = "spec:\n  containers:\n  - name: app\n    args: [a, b]\n    ports:\n    - containerPort: 80\n      name: web\n    - containerPort: 80\n      name: again\n  - name: proxy\nmetadata:\n  annotations:\n    a.b/c: last\n";

    fn parsed(text: &str) -> crate::yaml::Parsed {
        crate::yaml::parse(&Arc::new(SourceFile::new(SourceId(0), "a", text)))
    }

    fn path_of(part: &str) -> String {
        let parsed = parsed(POD);
        let start = to_u32(POD.find(part).unwrap());
        let span = Span {
            source: SourceId(0),
            start,
            end: start + to_u32(part.len()),
        };
        let root = parsed.tree.node(parsed.documents[0].root);
        let path = FieldPath::to(root, span).unwrap();
        // A canonical path leads back to its node.
        let located = path.locate(root);
        assert!(located.exists);
        assert!(located.span() == span || located.key.unwrap().span() == span);
        assert_eq!(FieldPath::parse(&path.to_string()).unwrap(), path);
        path.to_string()
    }

    #[test]
    fn places_have_canonical_names() {
        assert_eq!(
            path_of("web"),
            "spec.containers[name=app].ports[containerPort=80].name"
        );
        assert_eq!(
            path_of("again"),
            "spec.containers[name=app].ports[containerPort=80#1].name"
        );
        assert_eq!(path_of("proxy"), "spec.containers[name=proxy].name");
        assert_eq!(path_of("args"), "spec.containers[name=app].args");
        assert_eq!(path_of("last"), "metadata.annotations[\"a.b/c\"]");
    }

    #[test]
    fn a_missing_field_is_placed_at_its_deepest_ancestor() {
        let parsed = parsed(POD);
        let root = parsed.tree.node(parsed.documents[0].root);
        let path = FieldPath::parse("spec.containers[name=app].securityContext.runAsUser").unwrap();
        let located = path.locate(root);
        assert!(!located.exists);
        assert_eq!(parsed.tree.source().slice(located.span()), "containers");
        for bad in ["a..b", "a[", "a[=x]", "a[\"b]", "[x]"] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
    }
}
