//! L3: Flux Kustomizations. Input: the object and what is known of the cluster; output: the folder that it applies and how.
//!
//! Semantics: fluxcd/kustomize-controller v1.6 (`api/v1/kustomization_types.go`, `internal/controller/kustomization_controller.go`),
//! fluxcd/pkg kustomize v1.18 (`kustomize_generator.go`), fluxcd/source-watcher v2 (`api/v1beta1/artifactgenerator_types.go`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kustomize::files::{is_in_or_below, join};
use crate::kustomize::{Applied, KustomizeError, Substitution};
use crate::resource::Resource;
use crate::source::Span;
use crate::yaml::NodeRef;

/// Whether the object is a Flux Kustomization.
pub(super) fn is_applier(resource: &Resource) -> bool {
    resource.is("kustomize.toolkit.fluxcd.io", "Kustomization")
}

/// Whether the object says where a source of Flux comes from.
pub(super) fn is_source(resource: &Resource) -> bool {
    resource.group() == "source.toolkit.fluxcd.io"
}

/// Objects that Flux Kustomizations refer to, by kind, namespace and name.
pub(super) type Known = BTreeMap<(String, String, String), Arc<Resource>>;

/// The key of an object in [`Known`].
pub(super) fn key(kind: &str, namespace: &str, name: &str) -> (String, String, String) {
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

/// What a Flux Kustomization applies.
#[derive(Debug)]
pub(super) struct Order {
    /// The path as the repository has it, and its place.
    pub(super) path: String,
    pub(super) span: Span,
    /// Name of the cluster, when it is not the one that Flux runs in.
    pub(super) cluster: Option<String>,
}

/// The path that the object names, without a look at anything else; `None` when it comes from another repository.
pub(super) fn order(resource: &Resource, known: &Known) -> Result<Order, String> {
    let object = resource.object();
    let spec = object.get("spec").unwrap_or(object);
    let text = |path: &[&str]| spec.at(path).and_then(NodeRef::as_str);
    let path = text(&["path"]).unwrap_or("./");
    let own = resource.namespace.as_deref().unwrap_or("");
    let kind = text(&["sourceRef", "kind"]).unwrap_or("");
    let name = text(&["sourceRef", "name"]).unwrap_or("");
    let namespace = text(&["sourceRef", "namespace"]).unwrap_or(own);
    let path = if kind == "ExternalArtifact" {
        artifact(known, namespace, name, path).ok_or_else(|| {
            format!("no ArtifactGenerator here says what `{name}` holds at `{path}`")
        })?
    } else if is_elsewhere(known, kind, namespace, name) {
        return Err(format!("{kind} `{namespace}/{name}` is another repository"));
    } else {
        path.to_owned()
    };
    let cluster = (spec.at(&["kubeConfig", "secretRef", "name"]))
        .or_else(|| spec.at(&["kubeConfig", "configMapRef", "name"]))
        .and_then(NodeRef::as_str);
    Ok(Order {
        path,
        span: spec.get("path").unwrap_or(object).span(),
        cluster: cluster.map(str::to_owned),
    })
}

/// Whether a source is declared here and is not the one that the cluster itself is read from. `flux bootstrap` names that
/// one `flux-system`.
fn is_elsewhere(known: &Known, kind: &str, namespace: &str, name: &str) -> bool {
    let url = |kind: &str, namespace: &str, name: &str| {
        let source = known.get(&key(kind, namespace, name))?;
        source.object().at(&["spec", "url"])?.as_str()
    };
    let Some(own) = url(kind, namespace, name) else {
        return false;
    };
    let mut main = known
        .iter()
        .filter(|((k, _, name), _)| k == kind && name == "flux-system");
    let is_other = main.any(|((_, namespace, name), _)| url(kind, namespace, name) != Some(own));
    is_other || (kind != "GitRepository" && name != "flux-system")
}

/// The path in the repository of a path in an artifact that is put together from its folders.
fn artifact(known: &Known, namespace: &str, name: &str, path: &str) -> Option<String> {
    let generators = known
        .iter()
        .filter(|((kind, ns, _), _)| kind == "ArtifactGenerator" && ns == namespace);
    let mut copies: Vec<(String, String)> = Vec::new();
    for (_, generator) in generators {
        let artifacts = generator.object().at(&["spec", "artifacts"]);
        let artifacts = artifacts.into_iter().flat_map(NodeRef::items);
        let of_name = |a: &NodeRef<'_>| a.get("name").and_then(NodeRef::as_str) == Some(name);
        for artifact in artifacts.filter(of_name) {
            for copy in artifact.get("copy").into_iter().flat_map(NodeRef::items) {
                let text = |field| copy.get(field).and_then(NodeRef::as_str);
                copies.extend(copied(text("from")?, text("to")?));
            }
        }
    }
    let path = join("", path.trim_start_matches('/'));
    let (to, from) = copies
        .into_iter()
        .filter(|(to, _)| is_in_or_below(&path, to))
        .max_by_key(|(to, _)| to.len())?;
    let rest = path.strip_prefix(to.as_str()).unwrap_or("");
    Some(join(&from, rest.trim_start_matches('/')))
}

/// `@alias/dir/**` to `@artifact/other/`: where the folder lands, and where it comes from. Other patterns pick single files.
fn copied(from: &str, to: &str) -> Option<(String, String)> {
    let (_, from) = from.strip_prefix('@')?.split_once('/')?;
    let from = from
        .strip_suffix("/**")
        .or_else(|| (from == "**").then_some(""))?;
    let to = to.strip_prefix("@artifact")?;
    let is_plain = |path: &str| !path.contains(['*', '?', '[', '{']);
    let to = to.trim_start_matches('/');
    (is_plain(from) && is_plain(to)).then(|| (join("", to), join("", from)))
}

/// What the object adds to the folder's kustomization.
///
/// # Errors
/// A value of the wrong type: the user's fault.
pub(super) fn applied(
    resource: &Resource,
    span: Span,
    substitution: Option<Substitution>,
) -> Result<Applied, KustomizeError> {
    let object = resource.object();
    let applied = Applied::new(resource.tree.source(), span).substituting(substitution);
    match object.get("spec") {
        Some(spec) => applied.flux(spec),
        None => Ok(applied),
    }
}

/// The variables of `postBuild`, and whether a ConfigMap that they come from is not known yet. What stands in Secrets or
/// outside the tree stays unknown.
pub(super) fn variables(resource: &Resource, known: &Known) -> (Option<Substitution>, bool) {
    let Some(build) = resource.object().at(&["spec", "postBuild"]) else {
        return (None, false);
    };
    let mut found = Substitution {
        is_complete: true,
        ..Substitution::default()
    };
    let mut waits = false;
    let own = resource.namespace.as_deref().unwrap_or("");
    for from in build
        .get("substituteFrom")
        .into_iter()
        .flat_map(NodeRef::items)
    {
        let text = |field| from.get(field).and_then(NodeRef::as_str).unwrap_or("");
        let map = (text("kind") == "ConfigMap")
            .then(|| known.get(&key("ConfigMap", own, text("name"))))
            .flatten();
        match map {
            Some(map) => found.extend(map.object().get("data")),
            None => {
                found.is_complete = false;
                waits |= text("kind") == "ConfigMap";
            }
        }
    }
    // NOTE: what stands in the object itself has the last word.
    found.extend(build.get("substitute"));
    (Some(found), waits)
}

impl Substitution {
    fn extend(&mut self, map: Option<NodeRef<'_>>) {
        for (name, value) in map.into_iter().flat_map(NodeRef::entries) {
            let value = (value.text().to_owned(), value.span());
            self.variables.insert(name.key_text().into_owned(), value);
        }
    }
}
