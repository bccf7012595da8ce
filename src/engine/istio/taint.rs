//! What makes computed answers untrustworthy: EnvoyFilter and WasmPlugin. Input: the objects of a view; output: whether one may change the
//! transport or the access of a workload.
//!
//! istio.io/docs/reference/config/networking/envoy-filter, …/proxy_extensions/wasm-plugin. A filter that only adds a well-known harmless
//! filter (rate limits, metrics, compression) changes neither.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts::UnknownReason;
use crate::facts::selector::MatchLabels;
use crate::facts::workload::Workload;
use crate::resource::Resource;
use crate::source::Span;
use crate::view::View;
use crate::yaml::NodeRef;

/// How far an object reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// It may let other callers through.
    Access,
    /// It may even change what is accepted on the wire.
    Transport,
}

#[derive(Debug)]
struct Taint {
    resource: Arc<Resource>,
    selector: MatchLabels,
    reach: Reach,
    span: Span,
}

/// The tainting objects of a view by namespace.
#[derive(Debug, Default)]
pub(crate) struct Taints {
    root: String,
    by_namespace: BTreeMap<String, Vec<Taint>>,
}

/// Filters that neither admit nor refuse callers by themselves.
const HARMLESS: [&str; 14] = [
    "ratelimit",
    "stats",
    "stackdriver",
    "compressor",
    "gzip",
    "fault",
    "buffer",
    "cors",
    "grpc_web",
    "tap",
    "access_log",
    "metadata_exchange",
    "health_check",
    "peer_metadata",
];

impl Taints {
    /// Reads the objects of a view.
    pub(crate) fn of(view: &View, root: &str) -> Self {
        let mut taints = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        for member in view.of_kind("networking.istio.io", "EnvoyFilter") {
            let spec = member.resource.object().get("spec");
            let patches = spec.and_then(|s| s.get("configPatches"));
            let worst = patches
                .into_iter()
                .flat_map(NodeRef::items)
                .filter_map(|p| Some((patch(p)?, p.span())))
                .max_by_key(|(reach, _)| *reach);
            if let Some((reach, span)) = worst {
                let labels = spec.and_then(|s| s.at(&["workloadSelector", "labels"]));
                taints.add(
                    member.namespace.as_str(),
                    &member.resource,
                    labels,
                    reach,
                    span,
                );
            }
        }
        for member in view.of_kind("extensions.istio.io", "WasmPlugin") {
            let spec = member.resource.object().get("spec");
            let text = |name: &str| spec.and_then(|s| s.get(name)).map_or("", NodeRef::text);
            if text("phase") == "STATS" || spec.and_then(|s| s.get("targetRefs")).is_some() {
                continue;
            }
            let labels = spec.and_then(|s| s.at(&["selector", "matchLabels"]));
            let span = member.resource.name_span();
            taints.add(
                member.namespace.as_str(),
                &member.resource,
                labels,
                Reach::Access,
                span,
            );
        }
        taints
    }

    fn add(
        &mut self,
        namespace: &str,
        resource: &Arc<Resource>,
        labels: Option<NodeRef<'_>>,
        reach: Reach,
        span: Span,
    ) {
        self.by_namespace
            .entry(namespace.to_owned())
            .or_default()
            .push(Taint {
                resource: Arc::clone(resource),
                selector: MatchLabels::read(labels),
                reach,
                span,
            });
    }

    /// What may change this answer about a workload's sidecar.
    pub(crate) fn of_workload(&self, workload: &Workload, reach: Reach) -> Option<UnknownReason> {
        let own = workload.namespace.as_str();
        let mut namespaces = vec![own];
        if own != self.root {
            namespaces.push(&self.root);
        }
        let labels = workload.labels();
        namespaces
            .into_iter()
            .filter_map(|n| Some((n, self.by_namespace.get(n)?)))
            .flat_map(|(n, list)| list.iter().map(move |t| (n, t)))
            .find(|(_, t)| t.reach >= reach && t.selector.matches(labels))
            .map(|(namespace, t)| UnknownReason {
                missing: format!(
                    "what {} {namespace}/{} makes of the proxy",
                    t.resource.kind(),
                    t.resource.name
                ),
                span: Some(t.span),
            })
    }
}

/// What a patch can change of inbound traffic at a sidecar; nothing when it is about other traffic or harmless.
fn patch(patch: NodeRef<'_>) -> Option<Reach> {
    let text = |path: &[&str]| patch.at(path).map_or("", NodeRef::text);
    let context = text(&["match", "context"]);
    if !matches!(context, "" | "ANY" | "SIDECAR_INBOUND") {
        return None;
    }
    let adds = text(&["patch", "operation"]).starts_with("INSERT")
        || text(&["patch", "operation"]) == "ADD";
    let name = text(&["patch", "value", "name"]);
    let harmless = adds && HARMLESS.iter().any(|part| name.contains(part));
    match text(&["applyTo"]) {
        "LISTENER" | "FILTER_CHAIN" | "LISTENER_FILTER" => Some(Reach::Transport),
        // Merging into the HTTP connection manager sets limits and headers; only what touches other filters can admit callers.
        "NETWORK_FILTER" if text(&["patch", "operation"]) == "MERGE" => None,
        "HTTP_FILTER" | "NETWORK_FILTER" if !harmless => Some(Reach::Access),
        _ => None,
    }
}
