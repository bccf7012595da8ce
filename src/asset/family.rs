//! Kinds that are AI assets for certain. Input: group and kind; output: class and family. One file a family, one row in [`FAMILIES`].

use crate::asset::class::Class;
use crate::asset::model_ref::ModelRef;
use crate::resource::GroupKind;
use crate::yaml::NodeRef;

mod agentgateway;
mod dynamo;
mod envoy_ai_gateway;
mod inference_extension;
mod kagent;
mod kaito;
mod kserve;
mod kubeflow;
mod nim;
mod ray;
mod sandbox;
mod seldon;
mod toolhive;
mod vector_store;
mod vllm_stack;

/// A serving or agent product with the kinds it defines.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Name for readers.
    pub name: &'static str,
    /// Its kinds.
    pub kinds: &'static [Kind],
    /// Adds the model references that an object of one of the kinds states, in field order.
    pub refs: Refs,
}

/// Reads model references: kind, the whole object, where to put them.
pub type Refs = for<'t> fn(&str, NodeRef<'t>, &mut Found<'t>);

/// A kind that is an asset whatever its content.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// API group without version.
    pub group: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// What it is.
    pub class: Class,
}

/// The table of families. A new one is a file and a row.
pub const FAMILIES: &[&Family] = &[
    &kserve::FAMILY,
    &inference_extension::FAMILY,
    &envoy_ai_gateway::FAMILY,
    &agentgateway::FAMILY,
    &seldon::FAMILY,
    &ray::FAMILY,
    &kaito::FAMILY,
    &nim::FAMILY,
    &dynamo::FAMILY,
    &vllm_stack::FAMILY,
    &kagent::FAMILY,
    &toolhive::FAMILY,
    &sandbox::FAMILY,
    &kubeflow::FAMILY,
    &vector_store::FAMILY,
];

/// The family and class of a kind; `None` for kinds that are no assets by themselves.
#[must_use]
pub fn of_kind(group_kind: &GroupKind) -> Option<(&'static Family, Class)> {
    FAMILIES.iter().find_map(|family| {
        let row = family
            .kinds
            .iter()
            .find(|row| row.kind == group_kind.kind && row.group == group_kind.group)?;
        Some((*family, row.class))
    })
}

/// Rows of a table of kinds in one group.
const fn kind(group: &'static str, kind: &'static str, class: Class) -> Kind {
    Kind { group, kind, class }
}

/// For families whose objects name no model.
fn no_refs<'t>(_: &str, _: NodeRef<'t>, _: &mut Found<'t>) {}

/// Model references found so far, each with the node that states it.
#[derive(Debug, Default)]
pub struct Found<'t>(pub Vec<(ModelRef, NodeRef<'t>)>);

impl<'t> Found<'t> {
    /// Adds the text of a field, when it is a non-empty string.
    pub(crate) fn field(&mut self, node: NodeRef<'t>, path: &[&str]) {
        if let Some(value) = node.at(path)
            && let Some(text) = value.as_str()
            && !text.is_empty()
        {
            self.0.push((ModelRef::parse(text), value));
        }
    }

    /// Adds a reference that several fields make up together.
    pub(crate) fn made(&mut self, uri: &str, node: NodeRef<'t>) {
        self.0.push((ModelRef::parse(uri), node));
    }

    /// Adds a field that names a hub model without scheme, whatever its number of segments.
    pub(crate) fn hub(&mut self, node: NodeRef<'t>, path: &[&str]) {
        if let Some(value) = node.at(path)
            && let Some(text) = value.as_str()
            && !text.is_empty()
        {
            let is_located = text.contains("://") || text.starts_with('/');
            let uri = if is_located {
                text.to_owned()
            } else {
                format!("hf://{text}")
            };
            self.0.push((ModelRef::parse(&uri), value));
        }
    }
}

/// Items of the list at a path.
fn items<'t>(node: NodeRef<'t>, path: &[&str]) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    node.at(path).into_iter().flat_map(NodeRef::items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_stands_in_two_rows() {
        let mut all: Vec<(&str, &str)> = FAMILIES
            .iter()
            .flat_map(|f| f.kinds.iter().map(|k| (k.group, k.kind)))
            .collect();
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), before);
    }

    #[test]
    fn a_kind_is_known_by_group_and_name() {
        let class = |group: &str, kind: &str| {
            of_kind(&GroupKind {
                group: group.to_owned(),
                kind: kind.to_owned(),
            })
            .map(|(family, class)| (family.name, class.as_str()))
        };
        assert_eq!(class("kagent.dev", "Agent"), Some(("kagent", "agent")));
        assert_eq!(
            class("mlops.seldon.io", "Model"),
            Some(("Seldon", "model-server"))
        );
        assert_eq!(class("example.com", "Model"), None);
    }
}
