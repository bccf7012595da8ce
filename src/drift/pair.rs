//! Which object of one view is which of the other. Input: the objects of both with their namespaces; output: `Pairs`.
//!
//! Identity is kind, namespace and name, whatever the file. What is left over pairs by content, when that is unambiguous: a renamed
//! object. Two objects that fit the same partner stay apart.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::pods;
use crate::resource::Resource;
use crate::yaml::NodeRef;

/// An object with the namespace it lives in.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The object.
    pub resource: &'a Resource,
    /// Its effective namespace.
    pub namespace: &'a str,
}

/// Positions in the two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// The same object on both sides, in the order of the head.
    pub both: Vec<(usize, usize)>,
    /// Only in the base.
    pub removed: Vec<usize>,
    /// Only in the head.
    pub added: Vec<usize>,
}

/// Pairs the objects of two lists by identity, then by content.
#[must_use]
pub fn pair(base: &[Placed<'_>], head: &[Placed<'_>]) -> Pairs {
    let mut pairs = same(base, head);
    for sign in [content, shape] {
        renamed(base, head, &mut pairs, sign);
    }
    pairs.both.sort_unstable_by_key(|&(_, head)| head);
    pairs
}

/// Pairs the objects of two lists by identity alone.
#[must_use]
pub fn same(base: &[Placed<'_>], head: &[Placed<'_>]) -> Pairs {
    let mut by_identity: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, placed) in base.iter().enumerate().rev() {
        by_identity.entry(identity(placed)).or_default().push(at);
    }
    let mut pairs = Pairs::default();
    for (at, placed) in head.iter().enumerate() {
        match by_identity.get_mut(&identity(placed)).and_then(Vec::pop) {
            Some(partner) => pairs.both.push((partner, at)),
            None => pairs.added.push(at),
        }
    }
    pairs.removed = by_identity.into_values().flatten().collect();
    pairs.removed.sort_unstable();
    pairs
}

fn identity<'a>(placed: &Placed<'a>) -> (&'a str, &'a str, &'a str, &'a str) {
    let resource = placed.resource;
    (
        resource.group(),
        resource.kind(),
        placed.namespace,
        &resource.name,
    )
}

/// Pairs what is left by a sign that exactly one object of each side carries.
fn renamed(
    base: &[Placed<'_>],
    head: &[Placed<'_>],
    pairs: &mut Pairs,
    sign: fn(&Placed<'_>) -> Option<u64>,
) {
    if pairs.removed.is_empty() || pairs.added.is_empty() {
        return;
    }
    let mut signs: BTreeMap<u64, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for &at in &pairs.removed {
        if let Some(sign) = base.get(at).and_then(sign) {
            signs.entry(sign).or_default().0.push(at);
        }
    }
    for &at in &pairs.added {
        if let Some(sign) = head.get(at).and_then(sign) {
            signs.entry(sign).or_default().1.push(at);
        }
    }
    for (was, is) in signs.into_values() {
        if let ([was], [is]) = (was.as_slice(), is.as_slice()) {
            pairs.both.push((*was, *is));
            pairs.removed.retain(|at| at != was);
            pairs.added.retain(|at| at != is);
        }
    }
}

/// Everything but the object's name, its namespace, and values that repeat the name.
fn content(placed: &Placed<'_>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let object = placed.resource.object();
    placed.resource.kind().hash(&mut hasher);
    for field in ["spec", "data"] {
        if let Some(node) = object.get(field) {
            hash(node, &placed.resource.name, &mut hasher);
        }
    }
    Some(hasher.finish())
}

/// What runs: the namespace, and images without tags, commands and ports.
fn shape(placed: &Placed<'_>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    (placed.resource.kind(), placed.namespace).hash(&mut hasher);
    let templates = pods::templates(placed.resource);
    let mut containers = 0;
    for container in templates.iter().flat_map(pods::PodTemplate::containers) {
        let node = container.node;
        let image = node.get("image").map_or("", NodeRef::text);
        let untagged = image.split('@').next().unwrap_or(image);
        let slash = untagged.rfind('/').unwrap_or(0);
        let end = untagged.rfind(':').filter(|colon| *colon > slash);
        untagged
            .get(..end.unwrap_or(untagged.len()))
            .hash(&mut hasher);
        for field in ["command", "args", "ports"] {
            if let Some(node) = node.get(field) {
                hash(node, &placed.resource.name, &mut hasher);
            }
        }
        containers += 1;
    }
    (containers > 0).then(|| hasher.finish())
}

fn hash(node: NodeRef<'_>, name: &str, hasher: &mut DefaultHasher) {
    let node = node.resolved();
    if node.is_map() {
        let mut entries: Vec<_> = node.entries().collect();
        entries.sort_by(|a, b| a.0.key_text().cmp(&b.0.key_text()));
        for (key, value) in entries {
            key.key_text().hash(hasher);
            hash(value, name, hasher);
        }
        1u8.hash(hasher);
    } else if node.is_seq() {
        node.items().for_each(|item| hash(item, name, hasher));
        2u8.hash(hasher);
    } else if node.text() == name {
        3u8.hash(hasher);
    } else {
        node.text().hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::resource::ResourceId;
    use crate::source::{SourceFile, SourceId};
    use crate::yaml;

    fn objects(text: &str) -> Vec<Resource> {
        let parsed = yaml::parse(&Arc::new(SourceFile::new(SourceId(0), "a", text)));
        let tree = Arc::new(parsed.tree);
        let documents = (0u32..).zip(&parsed.documents);
        documents
            .filter_map(|(at, d)| Resource::new(ResourceId(at), &tree, d.root))
            .collect()
    }

    fn paired(base: &str, head: &str) -> Pairs {
        let (base, head) = (objects(base), objects(head));
        let placed = |resource| Placed {
            resource,
            namespace: "a",
        };
        let base: Vec<Placed<'_>> = base.iter().map(placed).collect();
        let head: Vec<Placed<'_>> = head.iter().map(placed).collect();
        pair(&base, &head)
    }

    fn deployment(name: &str, image: &str) -> String {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n      containers:\n      - {{name: c, image: '{image}'}}\n"
        )
    }

    #[test]
    fn a_renamed_object_pairs_when_nothing_else_fits() {
        let base = deployment("one", "x:1");
        let pairs = paired(&base, &deployment("two", "x:1"));
        assert_eq!(pairs.both, [(0, 0)]);
        // A new tag with the new name: the shape still tells.
        let pairs = paired(&base, &deployment("two", "x:2"));
        assert_eq!(pairs.both, [(0, 0)]);
        let pairs = paired(&base, &deployment("two", "y:1"));
        assert_eq!((pairs.removed, pairs.added), (vec![0], vec![0]));
    }

    #[test]
    fn two_that_fit_one_stay_apart() {
        let head = deployment("two", "x:1") + &deployment("three", "x:1");
        let pairs = paired(&deployment("one", "x:1"), &head);
        assert_eq!(
            (pairs.both, pairs.removed, pairs.added),
            (vec![], vec![0], vec![0, 1])
        );
    }
}
