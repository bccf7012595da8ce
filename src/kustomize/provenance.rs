//! L2: `buildMetadata`. Input: which kustomization made or changed an object; output: the annotations and the label that
//! say so.
//!
//! Semantics: kustomize api v0.18.0, resource/origin.go, resmap/reswrangler.go AddTransformerAnnotation and
//! krusty/kustomizer.go. The label names the version as kubectl's build of kustomize does.

use crate::kustomize::decode::Text;
use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::generate::Makes;
use crate::kustomize::layer::Layer;
use crate::kustomize::node::{Key, Node};
use crate::kustomize::objects::{Object, Objects};

const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kustomize-(devel)");

/// Origin of a generated object; `file` is its kustomization as seen from the leaf.
pub(crate) fn generated(makes: Makes, file: &str) -> String {
    let kind = match makes {
        Makes::ConfigMap => "ConfigMapGenerator",
        Makes::Secret => "SecretGenerator",
    };
    format!("configuredIn: {file}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n")
}

/// Notes every transformer that a kustomization ran; each counts for every object.
pub(crate) fn transformed(objects: &mut Objects<'_>, layer: &Layer, file: &str) {
    let label_transformers = match (layer.labels.len(), layer.common_labels.len()) {
        (0, 0) => 0,
        (labels, _) => labels + 1,
    };
    let transformers = [
        (
            "PatchStrategicMerge",
            usize::from(!layer.strategic.is_empty()),
        ),
        ("Patch", layer.patches.len()),
        ("Namespace", usize::from(layer.namespace.is_some())),
        ("Prefix", usize::from(layer.name_prefix.is_some())),
        ("Suffix", usize::from(layer.name_suffix.is_some())),
        ("Label", label_transformers),
        (
            "Annotations",
            usize::from(!layer.common_annotations.is_empty()),
        ),
        ("PatchJson6902", layer.json_patches.len()),
        ("ReplicaCount", layer.replicas.len()),
        ("ImageTag", layer.images.len()),
    ];
    let mut notes = String::new();
    for (name, times) in transformers {
        let note = format!(
            "- configuredIn: {file}\n  configuredBy:\n    apiVersion: builtin\n    kind: {name}Transformer\n"
        );
        notes.push_str(&note.repeat(times));
    }
    for object in objects.each_mut() {
        object.transformations.push_str(&notes);
    }
}

/// Writes what the leaf's `buildMetadata` asks for.
///
/// # Errors
/// A word that kustomize does not know.
pub(crate) fn write<'a>(
    objects: &mut Objects<'a>,
    options: &'a [Text],
) -> Result<(), KustomizeError> {
    for option in options {
        for object in objects.each_mut() {
            match option.text.as_str() {
                "originAnnotations" => {
                    let text = object.origin.clone();
                    set(
                        object,
                        "annotations",
                        "config.kubernetes.io/origin",
                        text,
                        option,
                    );
                }
                "transformerAnnotations" if object.transformations.is_empty() => {}
                "transformerAnnotations" => {
                    let text = object.transformations.clone();
                    let key = "alpha.config.kubernetes.io/transformations";
                    set(object, "annotations", key, text, option);
                }
                "managedByLabel" => {
                    let (key, value) = MANAGED_BY;
                    set(object, "labels", key, value.to_owned(), option);
                }
                other => {
                    let message = format!("unknown buildMetadata option `{other}`");
                    return Err(KustomizeError::new(
                        option.span,
                        ErrorKind::Generator(message),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn set<'a>(
    object: &mut Object<'a>,
    field: &'static str,
    key: &'static str,
    text: String,
    option: &Text,
) {
    if let Some(map) = object
        .node
        .map_at("metadata", option.span)
        .and_then(|metadata| metadata.map_at(field, option.span))
    {
        map.set(Key::new(key, option.span), Node::string(text, option.span));
    }
}
