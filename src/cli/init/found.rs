//! L8: what `init` sees. Input: everything read; output: counts by mesh, AI family and delivery tool, as lines.

use std::collections::BTreeMap;

use crate::cli::pipeline::Input;
use crate::engine::Analysis;
use crate::facts::Assumptions;
use crate::load::FileOutcome;
use crate::view::environments::Application;

/// An API group, itself or as the end of one after a dot, and what its objects belong to.
type Row = (&'static str, &'static str);

const MESHES: &[Row] = &[
    ("istio.io", "Istio"),
    ("linkerd.io", "Linkerd"),
    ("kuma.io", "Kuma"),
    ("consul.hashicorp.com", "Consul"),
    ("cilium.io", "Cilium"),
    ("gateway.networking.k8s.io", "Gateway API"),
];

const AI: &[Row] = &[
    ("serving.kserve.io", "KServe"),
    ("inference.networking.k8s.io", "Inference Gateway"),
    ("inference.networking.x-k8s.io", "Inference Gateway"),
    ("aigateway.envoyproxy.io", "Envoy AI Gateway"),
    ("kagent.dev", "kagent"),
    ("ray.io", "KubeRay"),
    ("seldon.io", "Seldon"),
    ("kubeflow.org", "Kubeflow"),
];

const TOOLS: &[Row] = &[
    ("kustomize.toolkit.fluxcd.io", "Flux"),
    ("helm.toolkit.fluxcd.io", "Flux"),
    ("source.toolkit.fluxcd.io", "Flux"),
    ("argoproj.io", "Argo"),
    ("kustomize.config.k8s.io", "kustomize"),
];

/// File names that belong to a tool, whatever they hold.
const FILES: &[Row] = &[
    ("kustomization.yaml", "kustomize"),
    ("kustomization.yml", "kustomize"),
    ("Kustomization", "kustomize"),
    ("Chart.yaml", "Helm"),
];

/// Name → how many objects or files speak of it.
type Counts = BTreeMap<&'static str, usize>;

/// What a tree holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    files: usize,
    objects: usize,
    skipped: usize,
    /// Name and paths that found it, of every view.
    pub(super) views: Vec<(String, String)>,
    /// Meshes by their objects.
    pub(super) meshes: Counts,
    /// Whether labels enrol workloads in Istio.
    is_istio: bool,
    ai: Counts,
    tools: Counts,
    /// Applications with their environments, a line each.
    environments: Vec<String>,
    /// Objects whose namespace nothing names.
    pub(super) unset_namespace: usize,
}

impl Found {
    pub(super) fn of(input: &Input) -> Self {
        let mut found = Self {
            files: input.loaded.files.len(),
            objects: input.loaded.resources.len(),
            environments: input.applications().iter().map(of_application).collect(),
            ..Self::default()
        };
        for resource in &input.loaded.resources {
            count(&mut found.meshes, MESHES, resource.group());
            count(&mut found.ai, AI, resource.group());
            if resource.group() != "kustomize.config.k8s.io" {
                count(&mut found.tools, TOOLS, resource.group());
            }
        }
        for file in &input.loaded.files {
            let name = file.source.path.rsplit('/').next().unwrap_or_default();
            if let Some((_, tool)) = FILES.iter().find(|(own, _)| *own == name) {
                *found.tools.entry(tool).or_default() += 1;
            }
            found.skipped += usize::from(matches!(file.outcome, FileOutcome::Skipped { .. }));
        }
        for (view, summary) in input.views.iter().zip(input.summaries()) {
            found.unset_namespace += summary.unset_namespace;
            found.is_istio |= Analysis::of(view, &Assumptions::default())
                .istio
                .evidence
                .is_some();
            found.views.push((summary.name, summary.found_by));
        }
        found
    }

    /// What was found, a line a topic, each ending with a line end.
    pub(super) fn lines(&self) -> String {
        let mut text = format!("read:   {} objects in {} files", self.objects, self.files);
        if self.skipped > 0 {
            text.push_str(&format!(" ({} not analysed)", self.skipped));
        }
        text.push('\n');
        let views: Vec<String> = self
            .views
            .iter()
            .map(|(name, by)| format!("{name} ({by})"))
            .collect();
        text.push_str(&format!("views:  {}\n", listed(&views, "none")));
        if !self.environments.is_empty() {
            text.push_str(&format!(
                "environments: {}\n",
                listed(&self.environments, "")
            ));
        }
        let mut meshes = self.meshes.clone();
        if self.is_istio {
            meshes.entry("Istio").or_insert(0);
        }
        text.push_str(&format!(
            "mesh:   {}\n",
            listed(&counted(&meshes), "no sign of one")
        ));
        text.push_str(&format!(
            "AI:     {}\n",
            listed(
                &counted(&self.ai),
                "no resources of a serving or gateway project"
            )
        ));
        text.push_str(&format!(
            "tools:  {}\n",
            listed(&counted(&self.tools), "plain manifests")
        ));
        text
    }
}

/// `overlays/* (production, staging)`.
fn of_application(application: &Application) -> String {
    let names: Vec<&str> = application
        .environments
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    let names = names.join(", ");
    match application.is_compared() {
        true => format!("{} ({names})", application.name),
        false => format!("{} ({names}; none known as production)", application.name),
    }
}

/// The row of a group: equal, or the end after a dot.
fn count(counts: &mut Counts, rows: &[Row], group: &str) {
    let is_own = |own: &str| {
        group
            .strip_suffix(own)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some((_, name)) = rows.iter().find(|(own, _)| is_own(own)) {
        *counts.entry(name).or_default() += 1;
    }
}

fn counted(counts: &Counts) -> Vec<String> {
    counts
        .iter()
        .map(|(name, count)| match count {
            0 => format!("{name} (by labels)"),
            count => format!("{name} ({count})"),
        })
        .collect()
}

/// At most this many names in a line.
const MOST: usize = 12;

fn listed(names: &[String], none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    let mut text = names
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = names.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
