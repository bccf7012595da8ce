//! L2: what the one who applies a folder adds to its kustomization. Input: the `spec` of a Flux Kustomization or an Argo CD
//! source; output: `Applied`, or the fields that are not worked out.
//!
//! Semantics: fluxcd/pkg kustomize v1.18, kustomize_generator.go (`WriteFile`): the fields of the spec are merged into the
//! kustomization of the path, and a path without one gets one that lists its manifests.

use std::sync::Arc;

use crate::kustomize::decode::{Field, Text, fields};
use crate::kustomize::entries::{image, list, patch};
use crate::kustomize::error::{KustomizeError, Refusal};
use crate::kustomize::layer::{Layer, Patch};
use crate::kustomize::node::Node;
use crate::kustomize::objects::Objects;
use crate::kustomize::substitute::Substitution;
use crate::source::{SourceFile, Span};
use crate::yaml::NodeRef;

/// Additions to the kustomization of a folder.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The file that says so.
    pub(crate) source: Arc<SourceFile>,
    /// Where it names the folder.
    pub(crate) span: Span,
    layer: Layer,
    labels: Vec<(Text, Text)>,
    annotations: Vec<(Text, Text)>,
    /// What the folder holds, when it has no kustomization: paths relative to it.
    pub(crate) listed: Vec<String>,
    pub(crate) substitution: Option<Substitution>,
}

/// Fields of a Flux Kustomization that change what is built, and are not worked out: two are gone from v1.
const REFUSED: [&str; 2] = ["patchesStrategicMerge", "patchesJson6902"];

impl Applied {
    /// Nothing but the folder's manifests, as named at `span`.
    #[must_use]
    pub fn new(source: &Arc<SourceFile>, span: Span) -> Self {
        Self {
            source: Arc::clone(source),
            span,
            layer: Layer::default(),
            labels: Vec::new(),
            annotations: Vec::new(),
            listed: Vec::new(),
            substitution: None,
        }
    }

    /// The resources of a folder that has no kustomization, as paths relative to it.
    #[must_use]
    pub fn listing(mut self, paths: Vec<String>) -> Self {
        self.listed = paths;
        self
    }

    /// Fills `${VAR}` in.
    #[must_use]
    pub fn substituting(mut self, substitution: Option<Substitution>) -> Self {
        self.substitution = substitution;
        self
    }

    /// Adds the fields of a Flux Kustomization's `spec`.
    ///
    /// # Errors
    /// A value of the wrong type: the user's fault.
    pub fn flux(mut self, spec: NodeRef<'_>) -> Result<Self, KustomizeError> {
        for (key, value) in spec.entries().filter(|(_, value)| !value.is_null()) {
            let name = key.key_text();
            let field = |name: &'static str| Field {
                name,
                path: name.to_owned(),
                value,
            };
            match &*name {
                "targetNamespace" => {
                    self.layer.namespace = Some(field("targetNamespace").string()?)
                }
                "namePrefix" => self.layer.name_prefix = Some(field("namePrefix").string()?),
                "nameSuffix" => self.layer.name_suffix = Some(field("nameSuffix").string()?),
                "patches" => self.layer.patches = list(&field("patches"), patch)?,
                "images" => self.layer.images = list(&field("images"), image)?,
                "components" => self.layer.components = field("components").strings()?,
                "commonMetadata" => {
                    for field in fields(value, "commonMetadata", &["labels", "annotations"])? {
                        match field.name {
                            "labels" => self.labels = field.pairs()?,
                            _ => self.annotations = field.pairs()?,
                        }
                    }
                }
                name => {
                    if let Some(field) = REFUSED.iter().find(|refused| **refused == name) {
                        self.layer.refusals.push(Refusal {
                            field: (*field).to_owned(),
                            span: key.span(),
                            folder: String::new(),
                        });
                    }
                }
            }
        }
        Ok(self)
    }

    /// Whether the folder's own kustomization is what is applied, without additions.
    #[must_use]
    pub fn adds_nothing(&self) -> bool {
        let Layer {
            namespace,
            name_prefix,
            name_suffix,
            patches,
            images,
            components,
            refusals,
            ..
        } = &self.layer;
        let texts = [namespace, name_prefix, name_suffix];
        texts.iter().all(|text| text.is_none())
            && patches.is_empty()
            && images.is_empty()
            && components.is_empty()
            && refusals.is_empty()
            && self.labels.is_empty()
            && self.annotations.is_empty()
            && self.substitution.is_none()
    }

    /// The file that says so.
    #[must_use]
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// The namespace that every namespaced object gets.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.layer.namespace.as_ref().map(|text| text.text.as_str())
    }

    /// The kustomization of a folder that has none.
    pub(crate) fn listing_layer(&self) -> Layer {
        let text = |path: &String| Text {
            text: path.clone(),
            style: crate::yaml::Style::Generated,
            span: self.span,
        };
        Layer {
            resources: self.listed.iter().map(text).collect(),
            ..Layer::default()
        }
    }

    /// Merges the additions into the folder's kustomization.
    pub(crate) fn merge_into(&self, layer: &mut Layer) {
        let added = &self.layer;
        let or = |given: &Option<Text>, own: &mut Option<Text>| {
            if given.is_some() {
                own.clone_from(given);
            }
        };
        or(&added.namespace, &mut layer.namespace);
        or(&added.name_prefix, &mut layer.name_prefix);
        or(&added.name_suffix, &mut layer.name_suffix);
        layer.patches.extend(added.patches.iter().map(Patch::clone));
        for image in &added.images {
            match layer.images.iter_mut().find(|i| i.name == image.name) {
                Some(known) => *known = image.clone(),
                None => layer.images.push(image.clone()),
            }
        }
        layer.components.extend(added.components.iter().cloned());
        layer.refusals.extend(added.refusals.iter().cloned());
    }

    /// What happens to the built objects: `commonMetadata`, then substitution (kustomize-controller v1.6, `build` and
    /// `SetCommonMetadata` come in the other order, which matters only for variables inside `commonMetadata`).
    pub(crate) fn finish<'a>(&'a self, objects: &mut Objects<'a>) {
        for object in objects.each_mut() {
            for (field, pairs) in [("labels", &self.labels), ("annotations", &self.annotations)] {
                for (key, value) in pairs {
                    let metadata = object.node.map_at("metadata", value.span);
                    let map = metadata.and_then(|m| m.map_at(field, value.span));
                    if let Some(map) = map {
                        map.set(
                            crate::kustomize::node::Key::verbatim(key),
                            Node::verbatim(value),
                        );
                    }
                }
            }
            if let Some(substitution) = &self.substitution {
                substitution.fill(&mut object.node);
            }
        }
    }
}
