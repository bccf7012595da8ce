//! L3: values of a release, one layer over the other. Input: located layers, the first to be overridden by the next; output:
//! one located tree.
//!
//! Helm merges maps key by key; anything else replaces, and null takes the key away (helm v3
//! `pkg/chartutil/coalesce.go:coalesceTablesFullKey`, `pkg/cli/values/options.go:mergeMaps`).

use std::sync::Arc;

use crate::kustomize::node::{Key, Node, Value};
use crate::source::SourceFile;
use crate::yaml::{NodeRef, Tree};

/// Layers of values, in the order in which they override.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    merged: Option<Node<'static>>,
    /// Whether a layer is missing.
    missing: bool,
}

impl Layers {
    /// Lays values over what is there; what is no map holds no values.
    pub(crate) fn over(&mut self, layer: NodeRef<'_>) {
        self.over_node(Node::read_as(layer, false).into_owned());
    }

    /// [`Layers::over`] for nodes that are no part of a file's tree.
    pub(crate) fn over_node(&mut self, layer: Node<'static>) {
        if !layer.is_map() {
            return;
        }
        match &mut self.merged {
            Some(merged) => coalesce(merged, layer),
            None => self.merged = Some(layer),
        }
    }

    /// A layer that cannot be read: it may override any value so far.
    pub(crate) fn gap(&mut self) {
        self.merged = None;
        self.missing = true;
    }

    /// Whether all layers could be read.
    pub(crate) fn is_whole(&self) -> bool {
        !self.missing
    }

    /// The values below a path of keys, or all of them.
    pub(crate) fn tree(&self, path: &[&str], source: &Arc<SourceFile>) -> Option<Arc<Tree>> {
        let mut node = self.merged.as_ref()?.at(path)?.clone();
        without_nulls(&mut node);
        Some(Arc::new(node.to_tree(Arc::clone(source))))
    }

    /// The value at a path, when it is a boolean.
    pub(crate) fn truth(&self, path: &[&str]) -> Option<bool> {
        match self.merged.as_ref()?.at(path)?.text() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

fn coalesce(under: &mut Node<'static>, over: Node<'static>) {
    let Value::Map(entries) = over.value else {
        return;
    };
    for entry in entries {
        match under.get_mut(&entry.key.text) {
            Some(value) if value.is_map() && entry.value.is_map() => coalesce(value, entry.value),
            _ => {
                // The key moves with its value, so that both spans name one file.
                under.remove(&entry.key.text);
                under.set(entry.key, entry.value);
            }
        }
    }
}

fn without_nulls(node: &mut Node<'static>) {
    match &mut node.value {
        Value::Map(entries) => {
            entries.retain(|entry| !entry.value.is_null());
            entries
                .iter_mut()
                .for_each(|entry| without_nulls(&mut entry.value));
        }
        // Within lists Helm merges nothing.
        Value::Seq(_) | Value::Scalar(..) => {}
    }
}

/// A map that holds `value` below a path of keys, all placed where the value stands.
pub(crate) fn nested(path: &[String], value: Node<'static>) -> Node<'static> {
    let span = value.span;
    path.iter().rev().fold(value, |inner, name| {
        let mut map = Node::map(span);
        map.set(Key::new(name.clone(), span), inner);
        map
    })
}
