//! L2: one kustomization, typed. Input: the located YAML of `kustomization.yaml`; output: `Layer`, the fields that are
//! worked out and the `Refusal`s of those that are not.
//!
//! Field names and strictness: kustomize api v0.18.0, types/kustomization.go.

use crate::kustomize::decode::{Field, Text, fields, wrong};
use crate::kustomize::entries::{given, image, labels, list, patch, replicas, sort, strategic};
use crate::kustomize::error::{ErrorKind, KustomizeError, Refusal};
use crate::kustomize::files::YamlFile;
use crate::kustomize::generator_args::{GeneratorArgs, GeneratorOptions, generator, options};
use crate::kustomize::node::Node;
use crate::source::Span;
use crate::yaml::{Kind, NodeRef};

/// A `labels:` entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    pub(crate) pairs: Vec<(Text, Text)>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<LabelField>,
}

/// An entry of `labels[].fields`.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelField {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) create: bool,
}

/// A patch as one of the three patch fields names it.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// Where the entry names its content.
    pub(crate) span: Span,
    pub(crate) content: PatchContent,
    pub(crate) target: Option<Target>,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

/// Where a patch is written.
#[derive(Clone, Debug)]
pub(crate) enum PatchContent {
    /// In the kustomization itself.
    Inline(Vec<Node<'static>>),
    /// In a file, by path.
    Path(Text),
}

/// `target:` of a patch; `None` matches anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) group: Option<Text>,
    pub(crate) version: Option<Text>,
    pub(crate) kind: Option<Text>,
    pub(crate) name: Option<Text>,
    pub(crate) namespace: Option<Text>,
    pub(crate) label_selector: Option<Text>,
    pub(crate) annotation_selector: Option<Text>,
}

/// An `images:` entry; absent fields are empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: Option<Text>,
    pub(crate) new_tag: Option<Text>,
    pub(crate) tag_suffix: Option<Text>,
    pub(crate) digest: Option<Text>,
}

/// A `replicas:` entry.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    pub(crate) name: Text,
    pub(crate) count: i64,
    pub(crate) count_span: Span,
}

/// `sortOptions:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortOptions {
    pub(crate) fifo: bool,
    pub(crate) first: Option<Vec<String>>,
    pub(crate) last: Option<Vec<String>>,
}

/// One kustomization.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) is_component: bool,
    pub(crate) resources: Vec<Text>,
    pub(crate) components: Vec<Text>,
    pub(crate) namespace: Option<Text>,
    pub(crate) name_prefix: Option<Text>,
    pub(crate) name_suffix: Option<Text>,
    pub(crate) labels: Vec<Labels>,
    pub(crate) common_labels: Vec<(Text, Text)>,
    pub(crate) common_annotations: Vec<(Text, Text)>,
    pub(crate) strategic: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) json_patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    pub(crate) replicas: Vec<Replicas>,
    pub(crate) config_maps: Vec<GeneratorArgs>,
    pub(crate) secrets: Vec<GeneratorArgs>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) build_metadata: Vec<Text>,
    pub(crate) sort: Option<SortOptions>,
    pub(crate) refusals: Vec<Refusal>,
    /// Files that refused fields name: they are parts of the kustomization all the same.
    pub(crate) unused: Vec<String>,
    /// Fields of the same kind that say nothing; they only join a refusal.
    pub(crate) idle: Vec<Refusal>,
}

const REFUSED: [&str; 11] = [
    "vars",
    "replacements",
    "configurations",
    "transformers",
    "generators",
    "validators",
    "helmCharts",
    "helmChartInflationGenerator",
    "helmGlobals",
    "openapi",
    "crds",
];

const KNOWN: [&str; 26] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "imageTags",
    "replicas",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "buildMetadata",
    "sortOptions",
    "vars",
    "replacements",
    "configurations",
];

impl Layer {
    /// Reads a kustomization file of the folder `folder`.
    ///
    /// # Errors
    /// What kustomize would refuse to load: no YAML, no map, nothing in it, unknown fields, values of the wrong type.
    pub(crate) fn read(folder: &str, parsed: &YamlFile) -> Result<Self, KustomizeError> {
        if let Some(error) = parsed.errors.first() {
            let kind = ErrorKind::Unreadable(error.kind.to_string());
            return Err(KustomizeError::new(error.span, kind));
        }
        let file = crate::kustomize::node::start_of(parsed.tree.source().id);
        let Some(document) = parsed.documents.first() else {
            return Err(KustomizeError::new(file, ErrorKind::Empty));
        };
        let root = parsed.tree.node(document.root);
        if !root.is_map() {
            let shape = if root.is_seq() { "a list" } else { "a scalar" };
            return Err(KustomizeError::new(root.span(), ErrorKind::NotMap(shape)));
        }
        let known: Vec<&'static str> = KNOWN.into_iter().chain(REFUSED).collect();
        let mut layer = Self::default();
        let (mut kind, mut api_version, mut any) = (None, None, false);
        let (mut bases, mut image_tags) = (Vec::new(), Vec::new());
        for (key, value) in root.entries() {
            layer.refuse(key, value, folder);
        }
        for field in fields(root, "", &known)? {
            any |= !matches!(field.name, "kind" | "apiVersion");
            match field.name {
                "kind" => kind = Some(field.string()?),
                "apiVersion" => api_version = Some(field.string()?),
                "bases" => bases = field.strings()?,
                "imageTags" => image_tags = list(&field, image)?,
                name if REFUSED.contains(&name) => {}
                _ => layer.read_field(&field)?,
            }
        }
        layer.resources.extend(bases);
        layer.images.extend(image_tags);
        if !any {
            return Err(KustomizeError::new(root.span(), ErrorKind::Empty));
        }
        layer.check_kind(kind, api_version)?;
        Ok(layer)
    }

    fn refuse(&mut self, key: NodeRef<'_>, value: NodeRef<'_>, folder: &str) {
        let text = key.key_text();
        let Some(field) = REFUSED.iter().find(|f| f.eq_ignore_ascii_case(&text)) else {
            return;
        };
        let paths = value.items().filter_map(NodeRef::as_str);
        let paths = paths.filter(|text| !text.contains('\n'));
        self.unused.extend(paths.map(str::to_owned));
        let list = if says_nothing(value) {
            &mut self.idle
        } else {
            &mut self.refusals
        };
        list.push(Refusal {
            field: (*field).to_owned(),
            span: key.span(),
            folder: folder.to_owned(),
        });
    }

    fn check_kind(
        &mut self,
        kind: Option<Text>,
        version: Option<Text>,
    ) -> Result<(), KustomizeError> {
        if let Some(kind) = kind.filter(|k| !k.text.is_empty()) {
            self.is_component = kind.text == "Component";
            if !self.is_component && kind.text != "Kustomization" {
                let message = "kind should be Kustomization or Component".to_owned();
                return Err(KustomizeError::new(
                    kind.span,
                    ErrorKind::WrongKind(message),
                ));
            }
        }
        let wanted = if self.is_component {
            "kustomize.config.k8s.io/v1alpha1"
        } else {
            "kustomize.config.k8s.io/v1beta1"
        };
        match version.filter(|v| !v.text.is_empty() && v.text != wanted) {
            Some(version) => {
                let message = format!("apiVersion should be {wanted}");
                Err(KustomizeError::new(
                    version.span,
                    ErrorKind::WrongKind(message),
                ))
            }
            None => Ok(()),
        }
    }

    fn read_field(&mut self, field: &Field<'_>) -> Result<(), KustomizeError> {
        match field.name {
            "resources" => self.resources = field.strings()?,
            "components" => self.components = field.strings()?,
            "namespace" => self.namespace = given(field)?,
            "namePrefix" => self.name_prefix = given(field)?,
            "nameSuffix" => self.name_suffix = given(field)?,
            "labels" => self.labels = list(field, labels)?,
            "commonLabels" => self.common_labels = field.pairs()?,
            "commonAnnotations" => self.common_annotations = field.pairs()?,
            "patches" => self.patches = list(field, patch)?,
            "patchesJson6902" => self.json_patches = list(field, patch)?,
            "patchesStrategicMerge" => self.strategic = list(field, strategic)?,
            "images" => self.images = list(field, image)?,
            "replicas" => self.replicas = list(field, replicas)?,
            "configMapGenerator" => self.config_maps = list(field, generator)?,
            "secretGenerator" => self.secrets = list(field, generator)?,
            "generatorOptions" => self.generator_options = Some(options(field)?),
            "buildMetadata" => self.build_metadata = field.strings()?,
            "sortOptions" => self.sort = Some(sort(field)?),
            _ if field.value.is_map() => {}
            _ => return Err(wrong(field.value, &field.path, "a map")),
        }
        Ok(())
    }
}

/// Whether a value is null or empty.
fn says_nothing(value: NodeRef<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Seq | Kind::Map => value.is_empty(),
        Kind::Str => value.text().is_empty(),
        _ => false,
    }
}
