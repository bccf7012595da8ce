//! L2: values that change together. Input: an object with shared values, some written; output: all of a group alike.
//!
//! kustomize puts one and the same node into every map to which a transformer adds a label or annotation, and later
//! writes go through that node: when a base's `commonLabels` made `app` in labels, selector and template, a patch of one
//! of the three changes all of them (kyaml v0.18.1, yaml/fns.go, FieldSetter appends `Value.YNode()` and writes
//! `*rn.value = *node`). A JSON patch, which writes the object out and reads it back, ends the sharing.

use std::collections::BTreeMap;

use crate::kustomize::node::{Node, Value};

/// The mark of group `id`.
pub(crate) const fn group(id: u32) -> u32 {
    id << 1
}

/// The mark of a value that was just written; 0 stays 0.
pub(crate) const fn written(mark: u32) -> u32 {
    if mark == 0 { 0 } else { mark | 1 }
}

/// Gives every group the value that was written to one of its members, the last in the order of field names.
pub(crate) fn spread(object: &mut Node<'_>) {
    let mut last = BTreeMap::new();
    collect(object, &mut last);
    if !last.is_empty() {
        write(object, &last);
    }
}

fn collect<'a>(node: &mut Node<'a>, last: &mut BTreeMap<u32, Node<'a>>) {
    if node.shared & 1 == 1 {
        node.shared &= !1;
        last.insert(node.shared, node.clone());
    }
    match &mut node.value {
        Value::Scalar(..) => {}
        Value::Seq(items) => items.iter_mut().for_each(|n| collect(n, last)),
        Value::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter_mut().collect();
            sorted.sort_by(|a, b| a.key.text.cmp(&b.key.text));
            sorted.into_iter().for_each(|e| collect(&mut e.value, last));
        }
    }
}

fn write<'a>(node: &mut Node<'a>, last: &BTreeMap<u32, Node<'a>>) {
    if let Some(value) = last.get(&node.shared).filter(|_| node.shared != 0) {
        *node = value.clone();
    }
    match &mut node.value {
        Value::Scalar(..) => {}
        Value::Seq(items) => items.iter_mut().for_each(|n| write(n, last)),
        Value::Map(entries) => entries.iter_mut().for_each(|e| write(&mut e.value, last)),
    }
}
