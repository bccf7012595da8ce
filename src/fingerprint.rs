//! L6: what keeps a finding the same finding when files move. Input: rule, object and node; output: 32 hex digits.

use sha2::{Digest, Sha256};

use crate::finding::ObjectRef;
use crate::source::Span;
use crate::yaml::NodeRef;

/// Fields that tell the items of a list apart, as Kubernetes' merge keys do.
const MERGE_KEYS: &[&str] = &[
    "name",
    "containerPort",
    "port",
    "mountPath",
    "devicePath",
    "ip",
    "topologyKey",
    "key",
    "number",
];

/// The hash of a finding's identity. `object` is the object judged without its view, `holder` the object that holds the
/// place, `path` from [`path_to`], `ordinal` the number among findings that are equal up to here.
#[must_use]
pub fn fingerprint(
    rule: &str,
    object: &ObjectRef,
    subject: &str,
    holder: &ObjectRef,
    path: &str,
    ordinal: usize,
) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    part(rule);
    for object in [object, holder] {
        // The version is left out: an upgrade of the API keeps the finding.
        part(
            object
                .api_version
                .rsplit_once('/')
                .map_or("", |(group, _)| group),
        );
        part(&object.kind);
        part(&object.namespace);
        part(&object.name);
    }
    part(subject);
    part(path);
    part(&ordinal.to_string());
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The canonical path of the node or key at `span` below `root`: field names, and list items by merge key, never by
/// position. `None` when no node has these bytes.
#[must_use]
pub fn path_to(root: NodeRef<'_>, span: Span) -> Option<String> {
    let mut path = String::new();
    descend(root, span, &mut path, 0).then_some(path)
}

/// Nesting at which the search stops; the parser refuses deeper files.
const MAX_DEPTH: usize = 256;

fn descend(node: NodeRef<'_>, span: Span, path: &mut String, depth: usize) -> bool {
    if node.span() == span {
        return true;
    }
    if depth > MAX_DEPTH {
        return false;
    }
    let before = path.len();
    for (key, value) in node.raw_entries() {
        path.push('/');
        path.push_str(&key.key_text());
        if key.span() == span || (may_hold(value, span) && descend(value, span, path, depth + 1)) {
            return true;
        }
        path.truncate(before);
    }
    for item in node.items() {
        path.push_str("/[");
        if let Some((key, value)) = merge_key(item) {
            path.push_str(key);
            path.push('=');
            path.push_str(value);
        }
        path.push(']');
        if may_hold(item, span) && descend(item, span, path, depth + 1) {
            return true;
        }
        path.truncate(before);
    }
    false
}

/// Whether the span can be below a node. Nodes of rendered objects may hold nodes of other files.
fn may_hold(node: NodeRef<'_>, span: Span) -> bool {
    let own = node.span();
    own.source != span.source || node.tree().is_mixed() || own.contains(span)
}

/// What tells an item of a list apart: a field and its value.
pub(crate) fn merge_key<'t>(item: NodeRef<'t>) -> Option<(&'static str, &'t str)> {
    MERGE_KEYS
        .iter()
        .find_map(|key| Some((*key, item.get(key)?.text())))
        .filter(|(_, value)| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId, to_u32};
    use std::sync::Arc;

    fn path(yaml: &str, part: &str) -> Option<String> {
        let file = Arc::new(SourceFile::new(SourceId(0), "a", yaml));
        let parsed = crate::yaml::parse(&file);
        let start = to_u32(yaml.find(part).unwrap());
        let span = Span {
            source: SourceId(0),
            start,
            end: start + to_u32(part.len()),
        };
        path_to(parsed.tree.node(parsed.documents[0].root), span)
    }

    #[test]
    fn list_items_are_named_by_merge_key() {
        let yaml = "spec:\n  containers:\n    - name: a\n    - name: b\n      image: here\n";
        assert_eq!(
            path(yaml, "here").as_deref(),
            Some("/spec/containers/[name=b]/image")
        );
        assert_eq!(
            path(yaml, "containers").as_deref(),
            Some("/spec/containers")
        );
        assert_eq!(path("a: [x, y]\n", "y").as_deref(), Some("/a/[]"));
        assert_eq!(path("a: x\n", ": x"), None);
    }

    #[test]
    fn a_fingerprint_knows_neither_value_nor_line_nor_version() {
        let object = |version: &str| ObjectRef {
            api_version: version.into(),
            kind: "Deployment".into(),
            namespace: "ml".into(),
            name: "llm".into(),
        };
        let of = |version: &str, ordinal| {
            let object = object(version);
            fingerprint("A001", &object, "", &object, "/spec", ordinal)
        };
        assert_eq!(of("apps/v1", 0).len(), 32);
        assert_eq!(of("apps/v1", 0), of("apps/v1beta1", 0));
        assert_ne!(of("apps/v1", 0), of("apps/v1", 1));
    }
}
