//! L2: Kubernetes objects. Input: parsed documents; output: `Resource`: identity plus a handle on its located nodes.

pub mod path;
pub mod scope;

use std::sync::Arc;

use crate::source::Span;
use crate::yaml::{NodeRef, Tree};

/// Index of a [`Resource`] among all resources of a run, in input order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(pub u32);

/// API group and kind; the group of core kinds is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKind {
    /// API group without version, `""` for core.
    pub group: String,
    /// Kind as written.
    pub kind: String,
}

/// One Kubernetes object: an item of a `List`, or a whole document. Its nodes may come from several sources.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Number in input order.
    pub id: ResourceId,
    /// API group and kind.
    pub group_kind: GroupKind,
    /// API version without group, as written (`v1`).
    pub version: String,
    /// `metadata.name`, else `metadata.generateName`, else empty.
    pub name: String,
    /// `metadata.namespace` as written, if any; the effective namespace belongs to the view.
    pub namespace: Option<String>,
    pub(crate) tree: Arc<Tree>,
    pub(crate) root: u32,
    /// Field names down to the pod template, where the config says that this kind carries one; `*` is every item or entry.
    pub(crate) pod_path: Option<Arc<[String]>>,
    /// Whether the object is only taken to exist (`assume.objects`): facts read it, nothing judges it.
    pub(crate) assumed: bool,
    /// Whether the API server makes the name up (`metadata.generateName` alone).
    pub(crate) generated: bool,
    /// Whether it is what a chart makes of values: no file holds it.
    pub(crate) made: bool,
}

impl Resource {
    /// Reads the identity of an object; `None` when `apiVersion` or `kind` is no string.
    #[must_use]
    pub fn new(id: ResourceId, tree: &Arc<Tree>, root: u32) -> Option<Self> {
        let object = tree.node(root);
        let api_version = object.get("apiVersion")?.as_str()?;
        let kind = object.get("kind")?.as_str()?;
        Self::typed(id, tree, root, api_version, kind)
    }

    /// The identity of an object whose type is known from elsewhere: an item of a typed list. `None` when it is no mapping.
    #[must_use]
    pub fn typed(
        id: ResourceId,
        tree: &Arc<Tree>,
        root: u32,
        api_version: &str,
        kind: &str,
    ) -> Option<Self> {
        let object = tree.node(root);
        if !object.is_map() {
            return None;
        }
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let text = |name: &str| object.at(&["metadata", name]).and_then(NodeRef::as_str);
        Some(Self {
            id,
            group_kind: GroupKind {
                group: group.to_owned(),
                kind: kind.to_owned(),
            },
            version: version.to_owned(),
            name: text("name")
                .or_else(|| text("generateName"))
                .unwrap_or("")
                .to_owned(),
            namespace: text("namespace")
                .filter(|n| !n.is_empty())
                .map(str::to_owned),
            tree: Arc::clone(tree),
            root,
            pod_path: None,
            assumed: false,
            generated: object.at(&["metadata", "name"]).is_none(),
            made: false,
        })
    }

    /// The whole object.
    #[must_use]
    pub fn object(&self) -> NodeRef<'_> {
        self.tree.node(self.root)
    }

    /// Whether the object is only taken to exist (`assume.objects`).
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.assumed
    }

    /// Whether the object is what a chart makes of values, so that no file holds it as such.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.made
    }

    /// The tree that holds the object's nodes.
    #[must_use]
    pub fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree)
    }

    /// API group, `""` for core.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group_kind.group
    }

    /// Kind as written.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.group_kind.kind
    }

    /// `apiVersion` as written.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group().is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group(), self.version)
        }
    }

    /// Whether the object is of this group and kind, whatever the version.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind() == kind && self.group() == group
    }

    /// Labels of the object, strings only.
    pub fn labels(&self) -> impl Iterator<Item = (NodeRef<'_>, NodeRef<'_>)> {
        self.string_map("labels")
    }

    /// Annotations of the object, strings only.
    pub fn annotations(&self) -> impl Iterator<Item = (NodeRef<'_>, NodeRef<'_>)> {
        self.string_map("annotations")
    }

    /// The value of one label, when it is a string.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.object().at(&["metadata", "labels", name])?.as_str()
    }

    /// The value of one annotation, when it is a string.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.object()
            .at(&["metadata", "annotations", name])?
            .as_str()
    }

    fn string_map(&self, field: &str) -> impl Iterator<Item = (NodeRef<'_>, NodeRef<'_>)> {
        self.object()
            .at(&["metadata", field])
            .into_iter()
            .flat_map(NodeRef::entries)
            .filter(|(_, value)| value.as_str().is_some())
    }

    /// Where reports point when no field is meant: `metadata.name`'s value, else `kind`'s value.
    #[must_use]
    pub fn name_span(&self) -> Span {
        let object = self.object();
        object
            .at(&["metadata", "name"])
            .or_else(|| object.get("kind"))
            .unwrap_or(object)
            .span()
    }
}
