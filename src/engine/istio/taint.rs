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
    /// Those that reach proxies of gateways.
    gateways: BTreeMap<String, Vec<Taint>>,
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
            let labels = spec.and_then(|s| s.at(&["workloadSelector", "labels"]));
            for (context, of_gateways) in [("SIDECAR_INBOUND", false), ("GATEWAY", true)] {
                let worst = patches
                    .into_iter()
                    .flat_map(NodeRef::items)
                    .filter_map(|p| Some((patch(p, context)?, p.span())))
                    .max_by_key(|(reach, _)| *reach);
                let Some((reach, span)) = worst else {
                    continue;
                };
                let taint = Taint {
                    resource: Arc::clone(&member.resource),
                    selector: MatchLabels::read(labels),
                    reach,
                    span,
                };
                taints.add(member.namespace.as_str(), taint, of_gateways);
            }
        }
        for member in view.of_kind("extensions.istio.io", "WasmPlugin") {
            let spec = member.resource.object().get("spec");
            let text = |name: &str| spec.and_then(|s| s.get(name)).map_or("", NodeRef::text);
            if text("phase") == "STATS" || spec.and_then(|s| s.get("targetRefs")).is_some() {
                continue;
            }
            let labels = spec.and_then(|s| s.at(&["selector", "matchLabels"]));
            let taint = || Taint {
                resource: Arc::clone(&member.resource),
                selector: MatchLabels::read(labels),
                reach: Reach::Access,
                span: member.resource.name_span(),
            };
            taints.add(member.namespace.as_str(), taint(), false);
            taints.add(member.namespace.as_str(), taint(), true);
        }
        taints
    }

    fn add(&mut self, namespace: &str, taint: Taint, of_gateways: bool) {
        let map = if of_gateways {
            &mut self.gateways
        } else {
            &mut self.by_namespace
        };
        map.entry(namespace.to_owned()).or_default().push(taint);
    }

    /// What may change who gets through the proxies of a gateway in `namespace`.
    pub(crate) fn of_gateway(
        &self,
        namespace: &str,
        fits: impl Fn(&MatchLabels) -> bool,
    ) -> Option<UnknownReason> {
        let mut namespaces = vec![namespace];
        if namespace != self.root {
            namespaces.push(&self.root);
        }
        namespaces
            .into_iter()
            .filter_map(|n| Some((n, self.gateways.get(n)?)))
            .flat_map(|(n, list)| list.iter().map(move |t| (n, t)))
            .find(|(_, t)| fits(&t.selector))
            .map(|(n, t)| t.reason(n))
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
            .map(|(namespace, t)| t.reason(namespace))
    }
}

impl Taint {
    fn reason(&self, namespace: &str) -> UnknownReason {
        UnknownReason {
            missing: format!(
                "what {} {namespace}/{} makes of the proxy",
                self.resource.kind(),
                self.resource.name
            ),
            span: Some(self.span),
        }
    }
}

/// What a patch can change of traffic in a context; nothing when it is about other traffic or harmless.
fn patch(patch: NodeRef<'_>, of: &str) -> Option<Reach> {
    let text = |path: &[&str]| patch.at(path).map_or("", NodeRef::text);
    let context = text(&["match", "context"]);
    if !matches!(context, "" | "ANY") && context != of {
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
