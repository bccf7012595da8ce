//! L2: objects of a file. Input: a parsed file; output: its objects, lists taken apart, or what kustomize objects to.
//!
//! Semantics: kustomize api v0.18.0, resource/factory.go and kyaml v0.18.1, kio/byteio_reader.go.

use std::collections::VecDeque;

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::files::YamlFile;
use crate::kustomize::node::{Node, Value};

/// The documents of a file.
///
/// # Errors
/// The file is no YAML: the user's fault.
pub(crate) fn documents(parsed: &YamlFile) -> Result<Vec<Node<'_>>, KustomizeError> {
    if let Some(error) = parsed.errors.first() {
        let kind = ErrorKind::Unreadable(error.kind.to_string());
        return Err(KustomizeError::new(error.span, kind));
    }
    Ok((parsed.documents.iter())
        .map(|document| Node::read(parsed.tree.node(document.root)))
        .filter(|node| !node.is_null() && !node.is_empty_map())
        .collect())
}

/// The objects of a file.
///
/// # Errors
/// A document that is no object with kind and name.
pub(crate) fn objects(parsed: &YamlFile) -> Result<Vec<Node<'_>>, KustomizeError> {
    let objects = inline_lists(documents(parsed)?)?;
    objects.iter().try_for_each(validate)?;
    Ok(objects)
}

/// Fails for a node that is no object.
pub(crate) fn validate(node: &Node<'_>) -> Result<(), KustomizeError> {
    let message = |text: &str| {
        let kind = ErrorKind::Unreadable(text.to_owned());
        Err(KustomizeError::new(node.span, kind))
    };
    let kind = node.get("kind").map_or("", Node::text);
    if !node.is_map() {
        return message("not a Kubernetes object");
    }
    if kind.is_empty() {
        return message("an object without `kind`");
    }
    if !kind.ends_with("List")
        && node
            .at(&["metadata", "name"])
            .is_none_or(|n| n.text().is_empty())
    {
        return message("an object without `metadata.name`");
    }
    Ok(())
}

/// Replaces every `FooList` that has `items` by its items, which go to the end.
pub(crate) fn inline_lists(nodes: Vec<Node<'_>>) -> Result<Vec<Node<'_>>, KustomizeError> {
    let mut queue: VecDeque<Node<'_>> = nodes.into();
    let mut objects = Vec::new();
    while let Some(mut node) = queue.pop_front() {
        let is_list = node.get("kind").is_some_and(|k| k.text().ends_with("List"));
        let Some(items) = node.get_mut("items").filter(|_| is_list) else {
            objects.push(node);
            continue;
        };
        if items.is_null() {
            continue;
        }
        match &mut items.value {
            Value::Seq(items) => queue.extend(items.drain(..).filter(|n| !n.is_null())),
            _ => {
                let kind = ErrorKind::Unreadable("`items` must be a list".to_owned());
                return Err(KustomizeError::new(items.span, kind));
            }
        }
    }
    Ok(objects)
}
