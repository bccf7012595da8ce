//! L2: running a build. Input: every kustomization that a leaf reaches; output: its objects.
//!
//! Order of steps: kustomize api v0.18.0, internal/target/kusttarget.go (resources, generators, components, transformers;
//! at the end hashes and references) and kusttarget_configplugin.go (the order of transformers).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::files::join;
use crate::kustomize::generate::{self, Makes};
use crate::kustomize::hash::hash;
use crate::kustomize::images;
use crate::kustomize::layer::{Layer, Patch, PatchContent};
use crate::kustomize::load::{Loaded, Reached};
use crate::kustomize::node::Node;
use crate::kustomize::objects::{Object, Objects};
use crate::kustomize::patches::{self, Origin};
use crate::kustomize::provenance;
use crate::kustomize::read;
use crate::kustomize::references;
use crate::kustomize::specs;
use crate::kustomize::transform::{self, Affix};
use crate::source::Span;

/// Bases and components that one build may visit, each as often as it is reached, and objects that it may read. A base
/// that is reached along very many ways would take more.
const MAX_VISITS: usize = 50_000;
const MAX_OBJECTS: usize = 2_000_000;

/// A build in progress.
pub(crate) struct Build<'l> {
    layers: &'l BTreeMap<String, Arc<Loaded>>,
    visits: usize,
    objects: usize,
    /// Whether `buildMetadata` of the leaf asks for origins.
    track: bool,
}

impl<'l> Build<'l> {
    pub(crate) fn new(layers: &'l BTreeMap<String, Arc<Loaded>>) -> Self {
        Self {
            layers,
            visits: 0,
            objects: 0,
            track: false,
        }
    }

    /// Builds a leaf.
    ///
    /// # Errors
    /// The first thing that stops kustomize: the user's fault.
    pub(crate) fn run(&mut self, folder: &str) -> Result<Objects<'l>, KustomizeError> {
        let Some(loaded) = self.layers.get(folder) else {
            return Ok(Objects::default());
        };
        self.track = !loaded.layer.build_metadata.is_empty();
        let mut objects = self.accumulate(loaded, Objects::default(), "")?;
        for object in objects.each_mut().iter_mut().filter(|o| o.needs_hash) {
            let name = format!("{}-{}", object.name(), hash(&object.node));
            object.remember();
            object.set_name(Node::resolved(name, object.name_span()));
        }
        references::update(&mut objects)?;
        objects.each_mut().retain(|o| !is_local(o));
        Ok(objects)
    }

    /// Adds what a kustomization names to `objects` (of the parent, for a component) and transforms all of them. `at` is
    /// its folder as seen from the leaf.
    fn accumulate(
        &mut self,
        loaded: &'l Loaded,
        mut objects: Objects<'l>,
        at: &str,
    ) -> Result<Objects<'l>, KustomizeError> {
        for reached in &loaded.resources {
            match reached {
                Reached::File(entry, parsed) => {
                    for node in read::objects(parsed)? {
                        count(&mut self.objects, MAX_OBJECTS, node.span)?;
                        let mut object = Object::new(node, Arc::clone(parsed.tree.source()));
                        if self.track {
                            object.origin = format!("path: {}\n", join(at, entry));
                        }
                        objects.add(object)?;
                    }
                }
                Reached::Folder(entry, folder, span) => {
                    let base = self.layer(folder, *span, false)?;
                    let built = self.accumulate(base, Objects::default(), &join(at, entry))?;
                    objects.add_all(built)?;
                }
            }
        }
        let file = self.track.then(|| join(at, &loaded.file_name));
        generators(loaded, &mut objects, file.as_deref())?;
        for reached in &loaded.components {
            if let Reached::Folder(entry, folder, span) = reached {
                let component = self.layer(folder, *span, true)?;
                objects = self.accumulate(component, objects, &join(at, entry))?;
            }
        }
        transformers(loaded, &mut objects)?;
        if let Some(file) = &file {
            provenance::transformed(&mut objects, &loaded.layer, file);
        }
        Ok(objects)
    }

    fn layer(
        &mut self,
        folder: &str,
        span: Span,
        component: bool,
    ) -> Result<&'l Loaded, KustomizeError> {
        count(&mut self.visits, MAX_VISITS, span)?;
        let missing = || KustomizeError::new(span, ErrorKind::MissingFile(folder.to_owned()));
        let loaded = self.layers.get(folder).ok_or_else(missing)?;
        if loaded.layer.is_component == component {
            return Ok(loaded);
        }
        let message = if component {
            "`components` must name kustomizations of kind Component"
        } else {
            "a Component belongs under `components`, not `resources`"
        };
        Err(KustomizeError::new(
            span,
            ErrorKind::WrongKind(message.to_owned()),
        ))
    }
}

fn count(counter: &mut usize, most: usize, span: Span) -> Result<(), KustomizeError> {
    *counter += 1;
    if *counter <= most {
        return Ok(());
    }
    Err(KustomizeError::new(span, ErrorKind::TooMany(most)))
}

fn is_local(object: &Object<'_>) -> bool {
    object
        .node
        .at(&[
            "metadata",
            "annotations",
            "config.kubernetes.io/local-config",
        ])
        .is_some_and(|n| n.text() != "false")
}

fn generators<'l>(
    loaded: &'l Loaded,
    objects: &mut Objects<'l>,
    file: Option<&str>,
) -> Result<(), KustomizeError> {
    let Layer {
        config_maps,
        secrets,
        generator_options,
        ..
    } = &loaded.layer;
    let lookup = |text: &str| loaded.raw.get(text).map(|raw| &**raw);
    let all = (config_maps.iter().map(|args| (Makes::ConfigMap, args)))
        .chain(secrets.iter().map(|args| (Makes::Secret, args)));
    for (makes, args) in all {
        let global = generator_options.as_ref();
        let mut object = generate::generate(makes, args, global, &lookup, &loaded.source)?;
        if let Some(file) = file {
            object.origin = provenance::generated(makes, file);
        }
        generate::absorb(objects, object, args.behavior)?;
    }
    Ok(())
}

fn transformers<'l>(loaded: &'l Loaded, objects: &mut Objects<'l>) -> Result<(), KustomizeError> {
    let layer = &loaded.layer;
    patch_all(loaded, objects, &layer.strategic, Origin::Strategic)?;
    patch_all(loaded, objects, &layer.patches, Origin::Patches)?;
    if let Some(namespace) = &layer.namespace {
        transform::namespace(objects, namespace)?;
    }
    if let Some(prefix) = &layer.name_prefix {
        transform::affix(objects, prefix, Affix::Prefix);
    }
    if let Some(suffix) = &layer.name_suffix {
        transform::affix(objects, suffix, Affix::Suffix);
    }
    for labels in &layer.labels {
        let fields = transform::label_specs(labels)?;
        transform::pairs(objects, &labels.pairs, &fields)?;
    }
    let fields = transform::common_label_specs();
    transform::pairs(objects, &layer.common_labels, &fields)?;
    transform::pairs(objects, &layer.common_annotations, specs::ANNOTATIONS)?;
    patch_all(loaded, objects, &layer.json_patches, Origin::Json)?;
    for replicas in &layer.replicas {
        transform::replicas(objects, replicas)?;
    }
    for image in &layer.images {
        images::images(objects, image)?;
    }
    Ok(())
}

fn patch_all<'l>(
    loaded: &'l Loaded,
    objects: &mut Objects<'l>,
    patches: &'l [Patch],
    origin: Origin,
) -> Result<(), KustomizeError> {
    for patch in patches {
        let documents = match &patch.content {
            PatchContent::Inline(documents) => documents.clone(),
            PatchContent::Path(entry) => match loaded.patches.get(&entry.text) {
                Some(parsed) => read::documents(parsed)?,
                None => Vec::new(),
            },
        };
        patches::apply(objects, patch, documents, origin)?;
        objects.drop_deleted();
    }
    Ok(())
}
