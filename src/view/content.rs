//! L3: which objects are the same object, and whether they say the same. Input: all resources; output: `Copies`.

use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashMap;

use crate::resource::Resource;
use crate::resource::scope::Scopes;
use crate::source::{to_u32, to_usize};
use crate::view::tool::is_for_a_tool;
use crate::yaml::{Kind, NodeRef};

/// One of several objects of the same group, kind, namespace and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Number of the identity.
    pub(crate) identity: u32,
    /// Hash of its content, whatever the order of fields.
    pub(crate) content: u64,
}

/// Every object whose identity occurs more than once, by number of the object.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    by_resource: FxHashMap<u32, Copy>,
    /// Objects of each identity in input order.
    groups: Vec<Vec<u32>>,
}

impl Copies {
    /// Finds identities that occur more than once. The namespace beside an object, else `namespace`, stands for an absent one.
    pub(crate) fn of<'r>(
        resources: impl IntoIterator<Item = (&'r Resource, Option<&'r str>)>,
        scopes: &Scopes,
        namespace: Option<&'r str>,
    ) -> Self {
        type Identity<'r> = (&'r str, &'r str, Option<&'r str>, &'r str);
        let mut seen: FxHashMap<Identity<'_>, Vec<&Resource>> = FxHashMap::default();
        let mut order: Vec<Identity<'_>> = Vec::new();
        for (resource, own) in resources {
            if !has_identity(resource) {
                continue;
            }
            let namespace = if scopes.is_cluster(&resource.group_kind) {
                None
            } else {
                resource.namespace.as_deref().or(own).or(namespace)
            };
            let identity = (
                resource.group(),
                resource.kind(),
                namespace,
                &*resource.name,
            );
            let group = seen.entry(identity).or_default();
            if group.len() == 1 {
                order.push(identity);
            }
            group.push(resource);
        }
        let mut copies = Self::default();
        for identity in order {
            let number = to_u32(copies.groups.len());
            let group = seen.remove(&identity).unwrap_or_default();
            for resource in &group {
                let copy = Copy {
                    identity: number,
                    content: content_of(resource.object()),
                };
                copies.by_resource.insert(resource.id.0, copy);
            }
            copies.groups.push(group.iter().map(|r| r.id.0).collect());
        }
        copies
    }

    /// What is known of an object that occurs more than once.
    pub(crate) fn get(&self, resource: &Resource) -> Option<Copy> {
        self.by_resource.get(&resource.id.0).copied()
    }

    /// Objects of each repeated identity with their content.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Vec<(usize, u64)>> {
        self.groups.iter().map(|group| {
            group
                .iter()
                .filter_map(|id| Some((to_usize(*id), self.by_resource.get(id)?.content)))
                .collect()
        })
    }
}

/// Files for tools are never applied; objects with a generated name never meet.
fn has_identity(resource: &Resource) -> bool {
    !resource.name.is_empty() && !is_for_a_tool(resource) && !resource.generated
}

/// The content of an object. Its namespace belongs to its identity, and may stand in the object or with what applies it.
fn content_of(object: NodeRef<'_>) -> u64 {
    map(object, |key, value| match key {
        "metadata" => map(value, |key, value| match key {
            "namespace" => 0,
            _ => content(value),
        }),
        _ => content(value),
    })
}

/// A hash in which neither the order of fields nor a null field counts; 0 for a value that does not count.
fn map(node: NodeRef<'_>, of: impl Fn(&str, NodeRef<'_>) -> u64) -> u64 {
    node.entries()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| {
            let key = key.key_text();
            let value = of(&key, value);
            if value == 0 {
                return 0;
            }
            let mut entry = DefaultHasher::new();
            (&*key, value).hash(&mut entry);
            entry.finish()
        })
        .fold(0, u64::wrapping_add)
}

/// The content of a value; real values of secrets count.
fn content(node: NodeRef<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match node.kind() {
        Kind::Map => ("map", map(node, |_, value| content(value))).hash(&mut hasher),
        Kind::Seq => {
            "seq".hash(&mut hasher);
            for item in node.items() {
                content(item).hash(&mut hasher);
            }
        }
        kind => (kind, node.secret_text()).hash(&mut hasher),
    }
    hasher.finish()
}
