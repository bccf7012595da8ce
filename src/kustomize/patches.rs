//! L2: `patches`, `patchesStrategicMerge` and `patchesJson6902`. Input: the objects and one entry; output: the objects
//! patched.
//!
//! Semantics: kustomize api v0.18.0, internal/builtins/Patch*Transformer.go and resource/resource.go ApplySmPatch.

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::json_patch;
use crate::kustomize::layer::Patch;
use crate::kustomize::merge;
use crate::kustomize::node::{Key, Node, Value};
use crate::kustomize::objects::{Object, Objects};
use crate::kustomize::read::{self, validate};
use crate::kustomize::select::Selector;
use crate::kustomize::shared;
use crate::source::Span;
use crate::yaml::Kind;

/// Which field of the kustomization an entry comes from; they differ in small ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `patches`.
    Patches,
    /// `patchesStrategicMerge`.
    Strategic,
    /// `patchesJson6902`.
    Json,
}

fn bad(span: Span, message: &'static str) -> KustomizeError {
    KustomizeError::new(span, ErrorKind::BadPatch(message))
}

/// Applies one entry whose documents are read.
///
/// # Errors
/// The entry or its content is malformed, fits no object, or does not apply: the user's fault.
pub(crate) fn apply<'a>(
    objects: &mut Objects<'a>,
    patch: &Patch,
    documents: Vec<Node<'a>>,
    origin: Origin,
) -> Result<(), KustomizeError> {
    let Some(first) = documents.first() else {
        return Err(bad(patch.span, "the patch is empty"));
    };
    if matches!(first.value, Value::Seq(_)) {
        return json(objects, patch, first, origin);
    }
    if origin == Origin::Json {
        return Err(bad(first.span, "a JSON patch must be a list of operations"));
    }
    let documents = read::inline_lists(documents)?;
    for document in &documents {
        validate(document)?;
    }
    let Some(target) = &patch.target else {
        return documents
            .into_iter()
            .try_for_each(|document| by_identity(objects, patch, document, origin));
    };
    let [document] = <[Node<'a>; 1]>::try_from(documents)
        .map_err(|_| bad(patch.span, "a patch with a `target` must hold one object"))?;
    let selector = Selector::new(target)?;
    for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
        if selector.matches(object) {
            let mut document = document.clone();
            metadata_as_strings(&mut document);
            strategic(object, document, patch)?;
        }
    }
    // Otherwise no identity can have changed.
    if patch.allow_name_change || patch.allow_kind_change {
        return objects.check_clash();
    }
    Ok(())
}

fn by_identity<'a>(
    objects: &mut Objects<'a>,
    patch: &Patch,
    mut document: Node<'a>,
    origin: Origin,
) -> Result<(), KustomizeError> {
    let named = Object::new(document, std::sync::Arc::new(no_source()));
    let (id, span) = (named.id(), named.name_span());
    document = named.node;
    let positions = objects.positions(&id);
    let Some(object) = positions
        .first()
        .and_then(|at| objects.each_mut().get_mut(*at))
    else {
        return Err(KustomizeError::new(
            span,
            ErrorKind::NoTarget(id.to_string()),
        ));
    };
    if positions.len() > 1 {
        return Err(KustomizeError::new(
            span,
            ErrorKind::ManyTargets(id.to_string()),
        ));
    }
    if origin == Origin::Strategic {
        metadata_as_strings(&mut document);
    }
    strategic(object, document, patch)
}

fn no_source() -> crate::source::SourceFile {
    crate::source::SourceFile::new(crate::source::SourceId(u32::MAX), "", "")
}

/// NOTE: before it applies a patch to selected objects kustomize rewrites the patch's labels and annotations as strings,
/// so that a null there does not delete but sets the text `null` (CopyMergeMetaDataFieldsFrom).
fn metadata_as_strings(patch: &mut Node<'_>) {
    let Some(metadata) = patch.get_mut("metadata") else {
        return;
    };
    for field in ["labels", "annotations"] {
        if let Some(Value::Map(entries)) = metadata.get_mut(field).map(|n| &mut n.value) {
            for entry in entries {
                if let Value::Scalar(kind, _) = &mut entry.value.value {
                    *kind = Kind::Str;
                }
            }
        }
    }
}

fn strategic<'a>(
    object: &mut Object<'a>,
    mut document: Node<'a>,
    patch: &Patch,
) -> Result<(), KustomizeError> {
    let kept = |object: &Object<'a>, path: &[&str]| object.node.at(path).cloned();
    let version = kept(object, &["apiVersion"]);
    // The patch speaks of the object's version, whatever it says; this decides which merge keys are known.
    document.remove("apiVersion");
    if let Some(version) = &version {
        document.set(Key::new("apiVersion", version.span), version.clone());
    }
    let kind = kept(object, &["kind"]);
    let name = kept(object, &["metadata", "name"]);
    let namespace = kept(object, &["metadata", "namespace"]).filter(|n| !n.text().is_empty());
    if patch.allow_name_change || patch.allow_kind_change {
        object.remember();
    }
    if !merge::merge(&mut object.node, document)? {
        object.deleted = true;
        return Ok(());
    }
    if object.groups > 0 {
        shared::spread(&mut object.node);
    }
    let span = object.node.span;
    let put = |node: &mut Node<'a>, field: &'static str, value: Option<Node<'a>>| {
        if let Some(value) = value {
            node.remove_at(field, value);
        }
    };
    put(&mut object.node, "apiVersion", version);
    if !patch.allow_kind_change {
        put(&mut object.node, "kind", kind);
    }
    if let Some(metadata) = object.node.map_at("metadata", span) {
        if !patch.allow_name_change {
            put(metadata, "name", name);
        }
        match namespace {
            Some(namespace) => put(metadata, "namespace", Some(namespace)),
            None => {
                metadata.remove("namespace");
            }
        }
    }
    Ok(())
}

fn json<'a>(
    objects: &mut Objects<'a>,
    patch: &Patch,
    operations: &Node<'a>,
    origin: Origin,
) -> Result<(), KustomizeError> {
    let Some(target) = &patch.target else {
        return Err(bad(patch.span, "a JSON patch needs a `target`"));
    };
    if origin == Origin::Json && target.name.is_none() {
        return Err(bad(patch.span, "the target of a JSON patch needs a `name`"));
    }
    let selector = Selector::new(target)?;
    for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
        if !selector.matches(object) {
            continue;
        }
        if origin == Origin::Patches {
            object.remember();
        }
        // NOTE: kustomize keeps what it remembers in annotations, so that a patch may add to them where there are none.
        if object.generated || !object.former.is_empty() || !object.origin.is_empty() {
            let span = object.node.span;
            if let Some(metadata) = object.node.map_at("metadata", span) {
                metadata.map_at("annotations", span);
            }
        }
        json_patch::apply(&mut object.node, operations)?;
        object.groups = 0;
    }
    Ok(())
}

impl<'a> Node<'a> {
    /// Puts a field's value back as it was, in its old place in the map when it is still there.
    fn remove_at(&mut self, field: &'static str, value: Node<'a>) {
        if let Some(slot) = self.get_mut(field) {
            *slot = value;
        } else {
            self.set(Key::new(field, value.span), value);
        }
    }
}
