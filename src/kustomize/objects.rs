//! L2: the objects of a build. Input: objects with the names they had before; output: look-ups by present and earlier
//! identity, additions without clashes.
//!
//! Semantics: kustomize api v0.18.0, resmap/reswrangler.go and resource/resource.go. What kustomize keeps in
//! `internal.config.kubernetes.io` annotations stands in fields here.

use std::collections::HashSet;
use std::sync::Arc;

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::ident::{Gvk, NO_NAMESPACE, ResId};
use crate::kustomize::node::{Key, Node};
use crate::source::{SourceFile, Span};

/// What an object was called before a transformer changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Effective namespace, see [`ResId`].
    pub(crate) namespace: String,
}

/// One object of a build.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    pub(crate) node: Node<'a>,
    /// Earlier identities, the oldest first.
    pub(crate) former: Vec<Former>,
    pub(crate) prefixes: Vec<&'a str>,
    pub(crate) suffixes: Vec<&'a str>,
    /// Whether a content hash is appended to the name.
    pub(crate) needs_hash: bool,
    /// Number of groups of shared values made so far, see [`crate::kustomize::shared`].
    pub(crate) groups: u32,
    /// Whether a generator made it.
    pub(crate) generated: bool,
    /// The file that the object starts from.
    pub(crate) source: Arc<SourceFile>,
    /// What `buildMetadata` says of where the object and its changes come from; empty when not asked for.
    pub(crate) origin: String,
    pub(crate) transformations: String,
    /// Set by a patch that deletes the object; it goes at the end of the transformer.
    pub(crate) deleted: bool,
}

impl<'a> Object<'a> {
    /// An object as a file has it.
    pub(crate) fn new(node: Node<'a>, source: Arc<SourceFile>) -> Self {
        Self {
            node,
            former: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            groups: 0,
            generated: false,
            source,
            origin: String::new(),
            transformations: String::new(),
            deleted: false,
        }
    }

    fn field(&self, name: &str) -> &str {
        self.node.get(name).map_or("", Node::text)
    }

    fn meta(&self, name: &str) -> &str {
        self.node.at(&["metadata", name]).map_or("", Node::text)
    }

    /// `kind`, `""` when absent.
    pub(crate) fn kind(&self) -> &str {
        self.field("kind")
    }

    /// `apiVersion`, `""` when absent.
    pub(crate) fn api_version(&self) -> &str {
        self.field("apiVersion")
    }

    /// `metadata.name`, `""` when absent.
    pub(crate) fn name(&self) -> &str {
        self.meta("name")
    }

    /// `metadata.namespace`, `""` when absent.
    pub(crate) fn namespace(&self) -> &str {
        self.meta("namespace")
    }

    /// Group, version and kind of today.
    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    /// Identity of today.
    pub(crate) fn id(&self) -> ResId {
        ResId::new(self.gvk(), self.name(), self.namespace())
    }

    /// Earlier identities, the oldest first. NOTE: group and version are today's.
    pub(crate) fn former_ids(&self) -> impl Iterator<Item = ResId> {
        self.former.iter().map(|f| ResId {
            gvk: Gvk::new(self.api_version(), &f.kind),
            name: f.name.clone(),
            namespace: f.namespace.clone(),
        })
    }

    /// The first identity.
    pub(crate) fn original_id(&self) -> ResId {
        self.former_ids().next().unwrap_or_else(|| self.id())
    }

    /// Whether the object has or had this identity.
    pub(crate) fn was(&self, id: &ResId) -> bool {
        (self.name() == id.name && self.id() == *id)
            || (self.former.iter().any(|f| f.name == id.name)
                && self.former_ids().any(|f| f == *id))
    }

    /// Remembers today's identity.
    pub(crate) fn remember(&mut self) {
        let ResId {
            gvk,
            name,
            namespace,
        } = self.id();
        // NOTE: kustomize keeps these in comma-separated lists and adds nothing for an empty text.
        if !name.is_empty() && !gvk.kind.is_empty() {
            self.former.push(Former {
                kind: gvk.kind,
                name,
                namespace,
            });
        }
    }

    /// Sets `metadata.name`.
    pub(crate) fn set_name(&mut self, name: Node<'a>) {
        let span = name.span;
        if let Some(meta) = self.node.map_at("metadata", span) {
            meta.set(Key::new("name", span), name);
        }
    }

    /// The place that names the object: `metadata.name`, else the object.
    pub(crate) fn name_span(&self) -> Span {
        self.node
            .at(&["metadata", "name"])
            .unwrap_or(&self.node)
            .span
    }

    /// Whether the object is in no namespace.
    pub(crate) fn is_cluster_scoped(&self) -> bool {
        self.gvk().is_cluster_scoped()
    }

    /// Namespace of today for comparisons, see [`ResId`].
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.is_cluster_scoped() {
            NO_NAMESPACE
        } else if self.namespace().is_empty() {
            "default"
        } else {
            self.namespace()
        }
    }
}

/// The objects of a build in order.
#[derive(Debug, Default)]
pub(crate) struct Objects<'a> {
    pub(crate) list: Vec<Object<'a>>,
    /// Identities of `list`, while objects are only added.
    ids: Option<HashSet<ResId>>,
}

impl<'a> Objects<'a> {
    /// Adds an object.
    ///
    /// # Errors
    /// Its identity is taken: the user's fault, placed at the name of the newcomer.
    pub(crate) fn add(&mut self, object: Object<'a>) -> Result<(), KustomizeError> {
        let list = &self.list;
        let ids = self
            .ids
            .get_or_insert_with(|| list.iter().map(Object::id).collect());
        let id = object.id();
        let span = object.name_span();
        if ids.contains(&id) {
            return Err(KustomizeError::new(span, ErrorKind::Clash(id.to_string())));
        }
        ids.insert(id);
        self.list.push(object);
        Ok(())
    }

    /// Adds every object of another build.
    pub(crate) fn add_all(&mut self, other: Self) -> Result<(), KustomizeError> {
        if self.list.is_empty() {
            self.list = other.list;
            self.ids = other.ids;
            return Ok(());
        }
        other.list.into_iter().try_for_each(|o| self.add(o))
    }

    /// The objects to change; forgets the index of identities.
    pub(crate) fn each_mut(&mut self) -> &mut Vec<Object<'a>> {
        self.ids = None;
        &mut self.list
    }

    /// Drops what a patch deleted.
    pub(crate) fn drop_deleted(&mut self) {
        if self.list.iter().any(|o| o.deleted) {
            self.each_mut().retain(|o| !o.deleted);
        }
    }

    /// Fails when two objects have one identity.
    pub(crate) fn check_clash(&self) -> Result<(), KustomizeError> {
        let mut ids = HashSet::new();
        for object in self.list.iter().filter(|o| !o.deleted) {
            let id = object.id();
            let text = id.to_string();
            if !ids.insert(id) {
                return Err(KustomizeError::new(
                    object.name_span(),
                    ErrorKind::Clash(text),
                ));
            }
        }
        Ok(())
    }

    /// Positions of the objects that have or had this identity.
    pub(crate) fn positions(&self, id: &ResId) -> Vec<usize> {
        (self.list.iter().enumerate())
            .filter(|(_, o)| !o.deleted && o.was(id))
            .map(|(at, _)| at)
            .collect()
    }
}
