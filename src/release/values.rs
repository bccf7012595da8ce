//! L3: where a release has its values from. Input: the object that declares it, the view's ConfigMaps, the files of the run;
//! output: `Layers`, with a gap where a source cannot be read.
//!
//! Flux: `spec.valuesFrom` in order, then `spec.values` (fluxcd/pkg `chartutil/values.go:ChartValuesFromReferences`).
//! Argo CD: `parameters` over `valuesObject` over `values` over `valueFiles` (docs `user-guide/helm.md`, "Helm Value
//! Precedence"). Kustomize: `valuesInline` over `valuesFile` unless `valuesMerge` says otherwise
//! (api v0.18.0 `builtins/HelmChartInflationGenerator.go`).

use crate::kustomize::inline;
use crate::kustomize::node::Node;
use crate::load::LoadedFile;
use crate::release::merge::Layers;
use crate::release::{Applied, Files, parameters};
use crate::yaml::NodeRef;

/// `spec.values`, `spec.valuesFrom` of a HelmRelease.
pub(super) fn of_flux(release: Applied<'_>, objects: &[Applied<'_>], layers: &mut Layers) {
    let Some(spec) = release.resource.object().get("spec") else {
        return;
    };
    let references = spec.get("valuesFrom").into_iter();
    for reference in references.flat_map(NodeRef::items) {
        if referenced(reference, release.namespace, objects, layers).is_none() {
            layers.gap();
        }
    }
    if let Some(values) = spec.get("values") {
        layers.over(values);
    }
}

/// One entry of `valuesFrom`; `None` when it cannot be read. Only ConfigMaps can: the text of a Secret is none of ours.
fn referenced(
    reference: NodeRef<'_>,
    namespace: &str,
    objects: &[Applied<'_>],
    layers: &mut Layers,
) -> Option<()> {
    let text = |name: &str| reference.get(name).map(NodeRef::text);
    if text("kind") != Some("ConfigMap") {
        return None;
    }
    let name = text("name")?;
    let map = objects.iter().find(|o| {
        o.resource.is("", "ConfigMap") && o.resource.name == name && o.namespace == namespace
    })?;
    let key = text("valuesKey").unwrap_or("values.yaml");
    let data = map.resource.object().get("data")?.get(key)?;
    match text("targetPath").filter(|path| !path.is_empty()) {
        Some(path) => layers.over_node(parameters::single(path, data, false)?),
        None => layers.over_node(whole(data)?),
    }
    Some(())
}

/// YAML inside a string.
fn whole(holder: NodeRef<'_>) -> Option<Node<'static>> {
    let mut documents = inline::documents(holder).ok()?.into_iter();
    let first = documents.next()?;
    documents.next().is_none().then_some(first)
}

/// `helm:` of a source of an Application; `folder` is the chart's own when it stands in the tree.
pub(super) fn of_argo(
    source: NodeRef<'_>,
    folder: Option<&str>,
    files: &Files<'_>,
    layers: &mut Layers,
) {
    let Some(helm) = source.get("helm") else {
        return;
    };
    for path in helm.get("valueFiles").into_iter().flat_map(NodeRef::items) {
        let path = path.text();
        // `$name/path` counts from the top of another source, the rest from the chart.
        let file = match (path.strip_prefix('$'), folder) {
            (Some(rest), _) => rest
                .split_once('/')
                .and_then(|(_, path)| files.at_top(path)),
            (None, Some(_)) if path.starts_with('/') => files.at_top(path),
            (None, Some(folder)) => files.beside(folder, path),
            (None, None) => None,
        };
        of_file(file, layers);
    }
    if let Some(values) = helm.get("values").filter(|v| !v.text().trim().is_empty()) {
        match whole(values) {
            Some(values) => layers.over_node(values),
            None => layers.gap(),
        }
    }
    if let Some(values) = helm.get("valuesObject") {
        layers.over(values);
    }
    for parameter in helm.get("parameters").into_iter().flat_map(NodeRef::items) {
        match parameters::of_argo(parameter) {
            Some(value) => layers.over_node(value),
            None => layers.gap(),
        }
    }
    if helm
        .get("fileParameters")
        .is_some_and(|list| !list.is_empty())
    {
        layers.gap();
    }
}

/// An entry of `helmCharts` in the kustomization of `folder`.
pub(super) fn of_kustomize(
    entry: NodeRef<'_>,
    folder: &str,
    files: &Files<'_>,
    layers: &mut Layers,
) {
    let inline = entry.get("valuesInline");
    let way = entry.get("valuesMerge").map_or("override", NodeRef::text);
    if let ("merge", Some(values)) = (way, inline) {
        layers.over(values);
    }
    if way != "replace" || inline.is_none() {
        let further = entry.get("additionalValuesFiles").into_iter();
        let named = entry.get("valuesFile").into_iter();
        for path in named.chain(further.flat_map(NodeRef::items)) {
            of_file(files.beside(folder, path.text()), layers);
        }
    }
    if let ("override" | "replace", Some(values)) = (way, inline) {
        layers.over(values);
    }
}

/// A values file; a gap when it is not among the files or does not read as one document.
pub(super) fn of_file(file: Option<&LoadedFile>, layers: &mut Layers) {
    let Some(file) = file else {
        return layers.gap();
    };
    match file.documents.as_slice() {
        [document] => layers.over(file.tree.node(document.root)),
        [] if file.source.text.trim().is_empty() => {}
        _ => layers.gap(),
    }
}
