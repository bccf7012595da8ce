//! L2: the end of a build. Input: finished objects; output: trees in kustomize's order, secrets marked.
//!
//! Semantics: kustomize api v0.18.0, krusty/kustomizer.go and internal/builtins/SortOrderTransformer.go.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::kustomize::Options;
use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::layer::SortOptions;
use crate::kustomize::load::Loaded;
use crate::kustomize::node::{Node, Value};
use crate::kustomize::objects::{Object, Objects};
use crate::kustomize::provenance;
use crate::secret;
use crate::source::Span;
use crate::yaml::{Kind, Style, Tree};

/// What a build shows.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    pub(crate) trees: Vec<Arc<Tree>>,
    /// Bytes that no report may show, sorted.
    pub(crate) secrets: Vec<Span>,
}

/// Puts objects in order and makes trees of them.
///
/// # Errors
/// A field name that is no string: the user's fault.
pub(crate) fn finish<'a>(
    mut objects: Objects<'a>,
    layers: &'a BTreeMap<String, Arc<Loaded>>,
    folder: &str,
    options: Options,
) -> Result<Finished, KustomizeError> {
    let sort = layers.get(folder).and_then(|l| l.layer.sort.as_ref());
    if let Some(leaf) = layers.get(folder) {
        provenance::write(&mut objects, &leaf.layer.build_metadata)?;
    }
    let list = objects.each_mut();
    if sort.is_none_or(|s| !s.fifo) {
        list.sort_by_cached_key(|object| legacy_key(object, sort));
    }
    let mut finished = Finished::default();
    for object in list.iter_mut() {
        check_keys(&object.node)?;
        annotations_as_strings(&mut object.node);
        as_written(&mut object.node, false);
        let mut tree = object.node.to_tree(Arc::clone(&object.source));
        if options.show_secrets {
            tree.show_secrets();
        } else {
            finished
                .secrets
                .append(&mut secret::mark_rendered(&mut tree));
        }
        finished.trees.push(Arc::new(tree));
    }
    finished.secrets.sort_unstable();
    finished.secrets.dedup();
    Ok(finished)
}

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Rank of the kind, then group, version, kind, namespace and name in kustomize's spelling of absent parts.
fn legacy_key(object: &Object<'_>, sort: Option<&SortOptions>) -> (usize, [String; 5]) {
    let custom = |list: Option<&Vec<String>>, kind: &str| {
        list.map(|l| (l.iter().position(|k| k == kind), l.len()))
    };
    let builtin = |list: &[&str], kind: &str| (list.iter().position(|k| *k == kind), list.len());
    let gvk = object.gvk();
    let given = sort.filter(|s| s.first.is_some() || s.last.is_some());
    let (first, last) = match given {
        Some(sort) => (
            custom(sort.first.as_ref(), &gvk.kind).unwrap_or((None, 0)),
            custom(sort.last.as_ref(), &gvk.kind).unwrap_or((None, 0)),
        ),
        None => (builtin(&FIRST, &gvk.kind), builtin(&LAST, &gvk.kind)),
    };
    let rank = match (first, last) {
        (_, (Some(at), _)) => first.1 + 1 + at,
        ((Some(at), _), _) => at,
        _ => first.1,
    };
    let or = |text: &str, absent: &str| {
        if text.is_empty() {
            absent.to_owned()
        } else {
            text.to_owned()
        }
    };
    let key = [
        or(&gvk.group, "~G"),
        or(&gvk.version, "~V"),
        or(&gvk.kind, "~K"),
        or(object.namespace(), "~X"),
        or(object.name(), "~N"),
    ];
    (rank, key)
}

/// kustomize cannot write a field whose name is a number, a boolean or null, or that is given twice.
fn check_keys(node: &Node<'_>) -> Result<(), KustomizeError> {
    match &node.value {
        Value::Scalar(..) => Ok(()),
        Value::Seq(items) => items.iter().try_for_each(check_keys),
        Value::Map(entries) => {
            let mut seen = HashSet::with_capacity(entries.len());
            entries.iter().try_for_each(|entry| {
                let text = || entry.key.text.clone().into_owned();
                let fail = |kind| Err(KustomizeError::new(entry.key.span, kind));
                if entry.key.kind != Kind::Str {
                    return fail(ErrorKind::KeyType(text()));
                }
                if !seen.insert(&entry.key.text) {
                    return fail(ErrorKind::KeyTwice(text()));
                }
                check_keys(&entry.value)
            })
        }
    }
}

/// What becomes of values when kustomize writes an object out and reads it back: an empty value within `{…}` or `[…]`
/// becomes an empty string (goyaml.v3 cannot write a plain nothing there), a date becomes a point in time.
fn as_written(node: &mut Node<'_>, in_flow: bool) {
    let in_flow = in_flow || node.style == Style::Flow;
    match &mut node.value {
        Value::Scalar(Kind::Null, text) if in_flow && text.is_empty() => {
            node.value = Value::Scalar(Kind::Str, "".into());
        }
        Value::Scalar(..) => expand_date(node),
        Value::Seq(items) => items.iter_mut().for_each(|n| as_written(n, in_flow)),
        Value::Map(entries) => {
            let values = entries.iter_mut().map(|e| &mut e.value);
            values.for_each(|n| as_written(n, in_flow));
        }
    }
}

/// Turns a plain `2024-01-31` into `2024-01-31T00:00:00Z`, as goyaml.v3 and Go's JSON do together.
pub(crate) fn expand_date(node: &mut Node<'_>) {
    let plain = node.style == Style::Plain && !node.quoted && node.shared == 0;
    let Value::Scalar(Kind::Str, text) = &mut node.value else {
        return;
    };
    if !plain || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return;
    }
    let mut parts = text.split('-');
    let mut number = |len: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|p| len.contains(&p.len()))?;
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(4..=4), number(1..=2), number(1..=2)) else {
        return;
    };
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| chrono::NaiveDate::from_ymd_opt(year, month, day));
    if let Some(date) = date.filter(|_| parts.next().is_none()) {
        *text = format!("{date}T00:00:00Z").into();
        node.style = Style::Generated;
    }
}

/// kustomize rewrites the annotations of every object as strings and drops an empty map.
fn annotations_as_strings(node: &mut Node<'_>) {
    let Some(metadata) = node.get_mut("metadata") else {
        return;
    };
    let Some(annotations) = metadata.get_mut("annotations") else {
        return;
    };
    if let Value::Map(entries) = &mut annotations.value {
        for entry in entries.iter_mut() {
            entry.value.quoted = true;
            if let Value::Scalar(kind, _) = &mut entry.value.value {
                *kind = Kind::Str;
            }
        }
        if !entries.is_empty() {
            return;
        }
    }
    metadata.remove("annotations");
}
