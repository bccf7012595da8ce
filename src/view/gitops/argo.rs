//! L3: Argo CD. Input: an Application or ApplicationSet; output: the folders that it applies, each with where it goes.
//!
//! Semantics: argo-cd v2.14: `util/app/discovery/discovery.go` (a folder with a kustomization is Kustomize's, one with `Chart.yaml`
//! Helm's, else its manifests are applied), overruled by what the source says (`ExplicitType` in
//! `pkg/apis/application/v1alpha1/types.go`) and by `.argocd-source.yaml` (`mergeSourceParameters` in
//! `reposerver/repository/repository.go`); templates: `applicationset/utils/utils.go`.

mod generators;
mod repository;

use crate::kustomize::files::join;
use crate::resource::Resource;
use crate::view::gitops::paths::Folders;
use crate::view::gitops::units::NOT_RENDERED;
use crate::yaml::NodeRef;

use generators::Parameters;
pub(super) use repository::Repositories;

/// Whether the object makes Argo CD apply something.
pub(super) fn is_applier(resource: &Resource) -> bool {
    resource.is("argoproj.io", "Application") || resource.is("argoproj.io", "ApplicationSet")
}

/// One source of an Application.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The address of the repository; empty when it is not given.
    pub(super) repository: String,
    /// The path as the repository has it.
    pub(super) path: String,
    /// `destination.namespace`: for objects that name none.
    pub(super) namespace: Option<String>,
    /// Name or address of the cluster, when it is not the one that Argo CD runs in.
    pub(super) cluster: Option<String>,
    /// Whether the manifests are applied as they stand, whatever else is in the folder.
    pub(super) is_directory: bool,
    /// Whether the manifests of sub-folders count.
    pub(super) recurse: bool,
    /// Patterns of `directory.include` and `exclude`, empty for none.
    pub(super) include: String,
    pub(super) exclude: String,
    /// A field of `kustomize:` or another tool that changes what is applied, and is not worked out.
    pub(super) refused: Option<String>,
}

/// The orders of an Application or ApplicationSet, or why there are none; `from` is the folder where it stands.
pub(super) fn orders(
    resource: &Resource,
    folders: &Folders,
    from: &str,
) -> Vec<Result<Order, String>> {
    let object = resource.object();
    let Some(spec) = object.get("spec") else {
        return Vec::new();
    };
    if resource.kind() == "Application" {
        let none = Parameters::none();
        return of_application(spec, &none);
    }
    let sets = match generators::parameters(spec, folders, from) {
        Ok(sets) => sets,
        Err(why) => return vec![Err(why)],
    };
    if spec.get("templatePatch").is_some() {
        return vec![Err(String::from("`templatePatch` is not worked out"))];
    }
    let Some(template) = spec.get("template") else {
        return Vec::new();
    };
    let mut orders = Vec::new();
    for parameters in sets {
        if let Some(spec) = template.get("spec") {
            orders.extend(of_application(spec, &parameters));
        }
    }
    orders
}

fn of_application(spec: NodeRef<'_>, parameters: &Parameters) -> Vec<Result<Order, String>> {
    let single = spec.get("source").into_iter();
    let many = spec.get("sources").into_iter().flat_map(NodeRef::items);
    let sources: Vec<NodeRef<'_>> = many.collect();
    let sources = if sources.is_empty() {
        single.collect()
    } else {
        sources
    };
    sources
        .into_iter()
        .filter_map(|source| order(spec, source, parameters).transpose())
        .collect()
}

/// One source; `None` for one that holds values only, and for a chart, which is a release.
fn order(
    spec: NodeRef<'_>,
    source: NodeRef<'_>,
    parameters: &Parameters,
) -> Result<Option<Order>, String> {
    let text = |node: NodeRef<'_>, path: &[&str]| -> Result<Option<String>, String> {
        let value = node.at(path).filter(|n| !n.is_null());
        value.map(|node| parameters.fill(node.text())).transpose()
    };
    let chart = text(source, &["chart"])?;
    if chart.is_some() || source.get("helm").is_some() {
        // The objects of an ApplicationSet are nowhere else.
        return if parameters.is_empty() {
            Ok(None)
        } else {
            Err(String::from(NOT_RENDERED))
        };
    }
    let Some(path) = text(source, &["path"])? else {
        return Ok(None);
    };
    if source.get("plugin").is_some() {
        return Err(String::from("a config management plugin renders it"));
    }
    let cluster = match text(spec, &["destination", "name"])? {
        Some(name) => Some(name).filter(|name| name != "in-cluster"),
        None => text(spec, &["destination", "server"])?
            .filter(|server| server.trim_end_matches('/') != "https://kubernetes.default.svc")
            .map(|server| server.trim_start_matches("https://").to_owned()),
    };
    let flag = |path: &[&str]| source.at(path).and_then(NodeRef::as_bool) == Some(true);
    let directory = |field| source.at(&["directory", field]).map_or("", NodeRef::text);
    let has_jsonnet = source
        .at(&["directory", "jsonnet"])
        .is_some_and(|n| !n.is_empty());
    let mut kustomize = source
        .get("kustomize")
        .into_iter()
        .flat_map(NodeRef::entries);
    let refused = kustomize
        .find(|(key, value)| {
            key.key_text() != "version"
                && !(value.is_null() || (value.is_empty() && value.text().is_empty()))
        })
        .map(|(key, _)| format!("`kustomize.{}`", key.key_text()))
        .or_else(|| has_jsonnet.then(|| String::from("`directory.jsonnet`")));
    let recurse = flag(&["directory", "recurse"]);
    let (include, exclude) = (directory("include"), directory("exclude"));
    Ok(Some(Order {
        repository: text(source, &["repoURL"])?.unwrap_or_default(),
        path: join("", path.trim_start_matches('/')),
        is_directory: recurse || has_jsonnet || !include.is_empty() || !exclude.is_empty(),
        namespace: text(spec, &["destination", "namespace"])?.filter(|n| !n.is_empty()),
        cluster: cluster.filter(|cluster| !cluster.is_empty()),
        recurse,
        include: include.to_owned(),
        exclude: exclude.to_owned(),
        refused,
    }))
}
