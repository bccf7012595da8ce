//! L2: which nodes are Kubernetes objects. Input: the documents of a file; output: their roots, items of lists included.

use std::sync::Arc;

use crate::resource::{Resource, ResourceId};
use crate::yaml::{NodeRef, Parsed, Tree};

/// Lists may hold lists; nobody nests them deeper.
const MAX_LIST_DEPTH: u32 = 8;

/// The root of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index of its node.
    pub(crate) root: u32,
    /// `apiVersion` and `kind` that its list gives it, where the item names none.
    typed: Option<(String, String)>,
}

impl Found {
    /// Whether it is a core `Secret`.
    pub(crate) fn is_secret(&self, tree: &Tree) -> bool {
        match &self.typed {
            Some((api_version, kind)) => api_version == "v1" && kind == "Secret",
            None => {
                let text = |name| tree.node(self.root).get(name).and_then(NodeRef::as_str);
                text("kind") == Some("Secret") && text("apiVersion") == Some("v1")
            }
        }
    }

    /// The object; its id is set by the caller.
    pub(crate) fn resource(&self, tree: &Arc<Tree>) -> Option<Resource> {
        match &self.typed {
            None => Resource::new(ResourceId(0), tree, self.root),
            Some((api_version, kind)) => {
                Resource::typed(ResourceId(0), tree, self.root, api_version, kind)
            }
        }
    }
}

/// The objects of a file in document order.
pub(crate) fn find(parsed: &Parsed) -> Vec<Found> {
    let mut found = Vec::new();
    let whole = |ordinal| parsed.errors.iter().all(|error| error.ordinal != ordinal);
    for document in parsed.documents.iter().filter(|d| whole(d.ordinal)) {
        collect(parsed.tree.node(document.root), None, 0, &mut found);
    }
    found
}

fn collect(node: NodeRef<'_>, item_type: Option<(&str, &str)>, depth: u32, found: &mut Vec<Found>) {
    if !node.is_map() {
        return;
    }
    let text = |name: &str| node.get(name).and_then(NodeRef::as_str);
    let own = match (text("apiVersion"), text("kind")) {
        (Some(api_version), Some(kind)) => Some((api_version, kind)),
        // Items of a typed list carry no type of their own when the API server wrote it; a half-typed one is no object.
        (None, None) if node.get("metadata").is_some_and(NodeRef::is_map) => None,
        _ => return,
    };
    let Some((api_version, kind)) = own.or(item_type) else {
        return;
    };
    if let Some(items) = list_items(node, kind)
        && depth < MAX_LIST_DEPTH
    {
        let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        let item_type = item_kind.map(|kind| (api_version, kind));
        for item in items.items() {
            collect(item, item_type, depth + 1, found);
        }
        return;
    }
    found.push(Found {
        root: node.resolved().index(),
        typed: match own {
            Some(_) => None,
            None => Some((api_version.to_owned(), kind.to_owned())),
        },
    });
}

/// The items of `kind: List` or any `*List`. An object of a custom kind that merely ends so has a name or a `spec`.
/// Kubernetes tells lists by their `items` alone: apimachinery `pkg/apis/meta/v1/unstructured/unstructured.go`, `IsList`.
fn list_items<'t>(node: NodeRef<'t>, kind: &str) -> Option<NodeRef<'t>> {
    let items = node.get("items")?;
    let is_list = kind.ends_with("List")
        && (items.is_seq() || items.is_null())
        && node.get("spec").is_none()
        && node.at(&["metadata", "name"]).is_none();
    is_list.then_some(items)
}
