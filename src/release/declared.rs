//! L3: who installs a chart. Input: objects and files of a view; output: its releases, in input order.
//!
//! Flux: fluxcd/helm-controller `api/v2/helmrelease_types.go` (`GetReleaseName`, `GetReleaseNamespace`: the storage namespace
//! holds only Helm's own record). Argo CD: `util/helm`, `pkg/apis/application/v1alpha1/types.go`. k3s:
//! k3s-io/helm-controller `pkg/apis/helm.cattle.io/v1/types.go`.

use std::sync::Arc;

use crate::load::LoadedFile;
use crate::release::merge::Layers;
use crate::release::{Applied, Chart, Files, Release, values};
use crate::resource::{Resource, ResourceId};
use crate::source::SourceFile;
use crate::yaml::NodeRef;

/// The number of what declares a release without being an object.
const NO_OBJECT: ResourceId = ResourceId(u32::MAX);

/// The releases of a view; `numbers` are its files.
#[must_use]
pub fn find(objects: &[Applied<'_>], numbers: &[u32], files: &Files<'_>) -> Vec<Release> {
    let mut found = Found {
        files,
        releases: Vec::new(),
        folders: Vec::new(),
    };
    for &object in objects {
        let resource = object.resource;
        match (resource.group(), resource.kind()) {
            ("helm.toolkit.fluxcd.io", "HelmRelease") => found.flux(object, objects),
            ("helm.fluxcd.io", "HelmRelease") => found.flux_v1(object),
            ("argoproj.io", "Application") => found.argo(object, resource.object().get("spec")),
            ("argoproj.io", "ApplicationSet") => {
                let template = resource.object().at(&["spec", "template", "spec"]);
                found.argo(object, template);
            }
            ("helm.cattle.io", "HelmChart") => found.k3s(object),
            _ => {}
        }
    }
    let of_view = || numbers.iter().filter_map(|&number| files.numbered(number));
    for file in of_view() {
        found.kustomization(file);
    }
    for file in of_view() {
        found.unrendered(file);
    }
    found.releases
}

struct Found<'f, 'l> {
    files: &'f Files<'l>,
    releases: Vec<Release>,
    /// Folders of charts that a release installs.
    folders: Vec<String>,
}

/// A text that a tool fills in later.
fn is_placeholder(text: &str) -> bool {
    text.contains("${") || text.contains("{{")
}

/// A namespace that is certain.
fn certain(text: &str) -> Option<String> {
    (!text.is_empty() && !is_placeholder(text)).then(|| text.to_owned())
}

fn text<'t>(node: NodeRef<'t>, path: &[&str]) -> &'t str {
    node.at(path).map_or("", NodeRef::text)
}

impl Found<'_, '_> {
    fn add(
        &mut self,
        object: Applied<'_>,
        name: &str,
        namespace: Option<String>,
        charts: Vec<Chart>,
    ) {
        let resource = object.resource;
        let own = match object.namespace {
            "" => resource.name.clone(),
            namespace => format!("{namespace}/{}", resource.name),
        };
        self.releases.push(Release {
            what: format!("{} {own}", resource.kind()),
            name: name.to_owned(),
            namespace,
            span: resource.name_span(),
            resource: Arc::clone(resource),
            charts,
        });
    }

    fn flux(&mut self, object: Applied<'_>, objects: &[Applied<'_>]) {
        let Some(spec) = object.resource.object().get("spec") else {
            return;
        };
        let target = text(spec, &["targetNamespace"]);
        let namespace = match target {
            "" => object.namespace,
            target => target,
        };
        let name = match (text(spec, &["releaseName"]), target) {
            ("", "") => object.resource.name.clone(),
            ("", target) => format!("{target}-{}", object.resource.name),
            (name, _) => name.to_owned(),
        };
        let source = object.resource.tree.source();
        let mut layers = Layers::default();
        let charts = match flux_chart(object, spec, objects) {
            FluxChart::Path(path) => {
                let folder = self.local(&path);
                let named = spec.at(&["chart", "spec", "valuesFiles"]);
                let named: Vec<_> = named.into_iter().flat_map(NodeRef::items).collect();
                if let Some(folder) = folder.as_deref().filter(|_| named.is_empty()) {
                    self.defaults(folder, &mut layers);
                }
                for path in named {
                    values::of_file(self.files.at_top(path.text()), &mut layers);
                }
                values::of_flux(object, objects, &mut layers);
                let folder = folder.unwrap_or(path);
                self.of_folder(&folder, &layers, source)
            }
            FluxChart::Named(chart, repository) => {
                let named = spec.at(&["chart", "spec", "valuesFiles"]);
                if named.is_some_and(|list| !list.is_empty()) {
                    layers.gap();
                }
                values::of_flux(object, objects, &mut layers);
                vec![chart_of(&chart, &repository, &layers, source)]
            }
        };
        self.add(object, &name, certain(namespace), charts);
    }

    /// Flux v1, of which old trees are full; its values come from places that only the cluster knows.
    fn flux_v1(&mut self, object: Applied<'_>) {
        let Some(spec) = object.resource.object().get("spec") else {
            return;
        };
        let namespace = match text(spec, &["targetNamespace"]) {
            "" => object.namespace,
            target => target,
        };
        self.add(
            object,
            text(spec, &["releaseName"]),
            certain(namespace),
            Vec::new(),
        );
    }

    fn k3s(&mut self, object: Applied<'_>) {
        let Some(spec) = object.resource.object().get("spec") else {
            return;
        };
        let namespace = match text(spec, &["targetNamespace"]) {
            "" => object.namespace,
            target => target,
        };
        let name = object.resource.name.clone();
        self.add(object, &name, certain(namespace), Vec::new());
    }

    fn argo(&mut self, object: Applied<'_>, spec: Option<NodeRef<'_>>) {
        let Some(spec) = spec else { return };
        let namespace = certain(text(spec, &["destination", "namespace"]));
        let single = spec.get("source").into_iter();
        let several = spec.get("sources").into_iter().flat_map(NodeRef::items);
        let mut charts = Vec::new();
        let mut is_helm = false;
        let mut name = object.resource.name.as_str();
        for source in single.chain(several) {
            let tree = object.resource.tree.source();
            let mut layers = Layers::default();
            let folder = match source.get("chart") {
                Some(_) => None,
                None => match self.local(text(source, &["path"])) {
                    Some(folder) => Some(folder),
                    None => continue,
                },
            };
            is_helm = true;
            if let Some(own) = source.at(&["helm", "releaseName"]) {
                name = own.text();
            }
            if let Some(folder) = &folder {
                self.defaults(folder, &mut layers);
            }
            values::of_argo(source, folder.as_deref(), self.files, &mut layers);
            match &folder {
                Some(folder) => charts.extend(self.of_folder(folder, &layers, tree)),
                None => {
                    let repository = text(source, &["repoURL"]);
                    charts.push(chart_of(
                        text(source, &["chart"]),
                        repository,
                        &layers,
                        tree,
                    ));
                }
            }
        }
        if is_helm {
            self.add(object, name, namespace, charts);
        }
    }

    /// Entries of `helmCharts` and the older `helmChartInflationGenerator`. The kustomization's `namespace` goes over all.
    fn kustomization(&mut self, file: &LoadedFile) {
        let name = file.source.path.rsplit('/').next().unwrap_or("");
        if !crate::kustomize::files::KUSTOMIZATION_NAMES.contains(&name) {
            return;
        }
        let Some(document) = file.documents.first() else {
            return;
        };
        let root = file.tree.node(document.root);
        for (field, chart, namespace) in [
            ("helmCharts", "name", "namespace"),
            (
                "helmChartInflationGenerator",
                "chartName",
                "releaseNamespace",
            ),
        ] {
            for entry in root.get(field).into_iter().flat_map(NodeRef::items) {
                let index = entry.resolved().index();
                let api = "kustomize.config.k8s.io/v1beta1";
                let Some(resource) =
                    Resource::typed(NO_OBJECT, &file.tree, index, api, "HelmChart")
                else {
                    continue;
                };
                let namespace = match text(root, &["namespace"]) {
                    "" => text(entry, &[namespace]),
                    all => all,
                };
                let chart = text(entry, &[chart]);
                let release = match text(entry, &["releaseName"]) {
                    "" => chart,
                    name => name,
                };
                let mut layers = Layers::default();
                values::of_kustomize(entry, file.folder(), self.files, &mut layers);
                self.releases.push(Release {
                    what: format!("helmChart {release}"),
                    name: release.to_owned(),
                    namespace: certain(namespace),
                    span: entry.get("name").unwrap_or(entry).span(),
                    resource: Arc::new(resource),
                    charts: vec![chart_of(
                        chart,
                        text(entry, &["repo"]),
                        &layers,
                        &file.source,
                    )],
                });
            }
        }
    }

    /// A chart that stands in the tree and that no release of the view installs: somebody may, anywhere.
    fn unrendered(&mut self, file: &LoadedFile) {
        let path = file.source.path.as_str();
        if path != "Chart.yaml" && !path.ends_with("/Chart.yaml") {
            return;
        }
        let folder = file.folder();
        let below = |outer: &String| crate::kustomize::files::is_in_or_below(folder, outer);
        let is_part = self.folders.iter().any(below);
        let Some(document) = file.documents.first() else {
            return;
        };
        let root = file.tree.node(document.root);
        let templates = crate::kustomize::files::join(folder, "templates");
        let installs = self.files.is_folder(&templates)
            || root
                .get("dependencies")
                .is_some_and(|list| !list.is_empty());
        if is_part || !installs || text(root, &["type"]) == "library" {
            return;
        }
        let api = "helm.sh/v2";
        let Some(resource) = Resource::typed(NO_OBJECT, &file.tree, document.root, api, "Chart")
        else {
            return;
        };
        self.folders.push(folder.to_owned());
        let name = match folder {
            "" => text(root, &["name"]),
            folder => folder,
        };
        self.releases.push(Release {
            what: format!("chart {name}"),
            name: text(root, &["name"]).to_owned(),
            namespace: None,
            span: root.get("name").unwrap_or(root).span(),
            resource: Arc::new(resource),
            charts: Vec::new(),
        });
    }

    /// The folder of a chart that a path from the top of a repository means, as the files of the run have it.
    fn local(&mut self, path: &str) -> Option<String> {
        let file = self.files.at_top(&format!("{path}/Chart.yaml"))?;
        let folder = file.folder().to_owned();
        self.folders.push(folder.clone());
        Some(folder)
    }

    /// `values.yaml` of a chart in the tree.
    fn defaults(&self, folder: &str, layers: &mut Layers) {
        if let Some(file) = self.files.beside(folder, "values.yaml") {
            values::of_file(Some(file), layers);
        }
    }

    /// What a chart in the tree installs: its dependencies, and itself when it has templates of its own.
    fn of_folder(&self, folder: &str, layers: &Layers, source: &Arc<SourceFile>) -> Vec<Chart> {
        let unknown = || vec![Chart::default()];
        let Some(file) = self.files.beside(folder, "Chart.yaml") else {
            return unknown();
        };
        let Some(document) = file.documents.first() else {
            return unknown();
        };
        let root = file.tree.node(document.root);
        let mut charts = Vec::new();
        if self
            .files
            .is_folder(&crate::kustomize::files::join(folder, "templates"))
        {
            charts.extend(unknown());
        }
        for dependency in root
            .get("dependencies")
            .into_iter()
            .flat_map(NodeRef::items)
        {
            let condition: Vec<&str> = text(dependency, &["condition"]).split('.').collect();
            if layers.truth(&condition) == Some(false) {
                continue;
            }
            let chart = text(dependency, &["name"]);
            let key = match text(dependency, &["alias"]) {
                "" => chart,
                alias => alias,
            };
            charts.push(Chart {
                name: chart.to_owned(),
                repository: text(dependency, &["repository"]).to_owned(),
                values: layers.tree(&[key], source),
                is_whole: layers.is_whole(),
            });
        }
        if charts.is_empty() { unknown() } else { charts }
    }
}

fn chart_of(name: &str, repository: &str, layers: &Layers, source: &Arc<SourceFile>) -> Chart {
    let name = if is_placeholder(name) { "" } else { name };
    Chart {
        repository: repository.to_owned(),
        name: name
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or("")
            .to_owned(),
        values: layers.tree(&[], source),
        is_whole: layers.is_whole(),
    }
}

enum FluxChart {
    /// A name in a chart repository, and the repository.
    Named(String, String),
    /// A folder from the top of a git repository.
    Path(String),
}

/// `spec.chart`, or the source that `spec.chartRef` names.
fn flux_chart(object: Applied<'_>, spec: NodeRef<'_>, objects: &[Applied<'_>]) -> FluxChart {
    let unknown = || FluxChart::Named(String::new(), String::new());
    if let Some(template) = spec.at(&["chart", "spec"]) {
        return of_template(template, object.namespace, objects);
    }
    let Some(reference) = spec.get("chartRef") else {
        return unknown();
    };
    let kind = text(reference, &["kind"]);
    let Some((source, namespace)) = flux_source(reference, kind, object.namespace, objects) else {
        return unknown();
    };
    match kind {
        "OCIRepository" => {
            let url = text(source, &["url"]);
            FluxChart::Named(url.to_owned(), url.to_owned())
        }
        "HelmChart" => of_template(source, namespace, objects),
        _ => unknown(),
    }
}

/// A chart by name and source: `spec.chart.spec` of a HelmRelease, `spec` of a HelmChart.
fn of_template(spec: NodeRef<'_>, namespace: &str, objects: &[Applied<'_>]) -> FluxChart {
    let chart = text(spec, &["chart"]).to_owned();
    let Some(reference) = spec.get("sourceRef") else {
        return FluxChart::Named(chart, String::new());
    };
    match text(reference, &["kind"]) {
        "GitRepository" | "Bucket" => FluxChart::Path(chart),
        kind => {
            let source = flux_source(reference, kind, namespace, objects);
            let url = source.map_or("", |(spec, _)| text(spec, &["url"]));
            FluxChart::Named(chart, url.to_owned())
        }
    }
}

/// The `spec` of the source that a reference names, and the source's namespace.
fn flux_source<'v>(
    reference: NodeRef<'_>,
    kind: &str,
    own: &str,
    objects: &[Applied<'v>],
) -> Option<(NodeRef<'v>, &'v str)> {
    let namespace = match text(reference, &["namespace"]) {
        "" => own,
        namespace => namespace,
    };
    let name = text(reference, &["name"]);
    let source = objects.iter().find(|o| {
        o.resource.is("source.toolkit.fluxcd.io", kind)
            && o.resource.name == name
            && o.namespace == namespace
    })?;
    Some((source.resource.object().get("spec")?, source.namespace))
}
