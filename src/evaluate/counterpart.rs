//! L6: where a place of the old object is in the new one. Input: both objects and a node of the old one; output: a place in
//! the new one, for a report shows one side.

use crate::cel::Origin;
use crate::evaluate::locate::{self, Place};
use crate::fingerprint::merge_key;
use crate::yaml::NodeRef;

/// Nesting at which the search stops; the parser refuses deeper files.
const MAX_DEPTH: usize = 256;

/// The place of an origin, with places of `old` shown in `new`.
pub(crate) fn place(
    origin: &Origin<'_>,
    old: Option<NodeRef<'_>>,
    new: Option<NodeRef<'_>>,
) -> Option<Place> {
    let (Some(old), Some(new)) = (old, new) else {
        return locate::of_origin(origin);
    };
    let node = match origin {
        Origin::Node(node) => *node,
        Origin::Missing { ancestor, .. } => *ancestor,
        Origin::None | Origin::Spans(_) | Origin::Path(_) => return locate::of_origin(origin),
    };
    if !std::ptr::eq(node.tree(), old.tree()) {
        return locate::of_origin(origin);
    }
    let (found, missing) = follow(old, new, node, 0)?;
    let mut place = locate::of_origin(&Origin::Node(found))?;
    if let Some(field) = missing {
        place.label = format!("`{field}` is gone from here");
    }
    Some(place)
}

/// Goes down both objects at once; the deepest node of `new` on the way to `target`, and the first field it lacks.
fn follow<'t>(
    old: NodeRef<'_>,
    new: NodeRef<'t>,
    target: NodeRef<'_>,
    depth: usize,
) -> Option<(NodeRef<'t>, Option<String>)> {
    if old.index() == target.index() {
        return Some((new, None));
    }
    if depth > MAX_DEPTH {
        return None;
    }
    for (key, value) in old.raw_entries() {
        if !holds(value, target) {
            continue;
        }
        let name = key.key_text();
        let found = match new.get(&name) {
            Some(below) => follow(value, below, target, depth + 1),
            None => follow(value, new, target, depth + 1).map(|_| (new, Some(name.into_owned()))),
        };
        if found.is_some() {
            return found;
        }
    }
    for (position, item) in old.items().enumerate() {
        if !holds(item, target) {
            continue;
        }
        let same = match merge_key(item) {
            Some((key, value)) => new
                .items()
                .find(|other| other.get(key).is_some_and(|v| v.text() == value)),
            None => new.item(position),
        };
        let found = match same {
            Some(below) => follow(item, below, target, depth + 1),
            None => follow(item, new, target, depth + 1).map(|_| (new, None)),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether `target` can be below a node.
fn holds(node: NodeRef<'_>, target: NodeRef<'_>) -> bool {
    node.tree().is_mixed() || node.span().contains(target.span())
}
