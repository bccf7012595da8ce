//! Ways out of a workload. Input: Sidecars, ServiceEntries, mesh settings; output: `Egress` with what decided.
//!
//! istio/istio `pilot/pkg/model/sidecar.go` (which Sidecar, which hosts it imports), `pilot/pkg/networking/core/listener_builder.go`
//! (REGISTRY_ONLY). A ztunnel lets every destination pass. REGISTRY_ONLY holds only for traffic that the proxy captures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::istio::Istio;
use crate::facts::egress::{Egress, EgressMode};
use crate::facts::selector::{MatchLabels, is_placeholder};
use crate::facts::transport::Membership;
use crate::facts::workload::Workload;
use crate::facts::{Fact, Step, UnknownReason};
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

/// Pod annotations by which outbound traffic passes the proxy by.
const BYPASSES: [&str; 3] = [
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
];

#[derive(Debug)]
struct Sidecar {
    resource: Arc<Resource>,
    selector: MatchLabels,
    timestamp: String,
}

/// A host that a ServiceEntry declares outside the mesh.
#[derive(Debug)]
struct Declared {
    resource: Arc<Resource>,
    namespace: String,
    host: String,
    export: Vec<String>,
}

/// What limits calls out of a view.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    root: String,
    sidecars: BTreeMap<String, Vec<Sidecar>>,
    declared: Vec<Declared>,
}

impl Outbound {
    /// Reads the objects of a view.
    pub(crate) fn of(view: &View, root: &str) -> Self {
        let mut outbound = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        for member in view.of_kind("networking.istio.io", "Sidecar") {
            let object = member.resource.object();
            let labels = object.at(&["spec", "workloadSelector", "labels"]);
            let age = object.at(&["metadata", "creationTimestamp"]);
            outbound
                .sidecars
                .entry(member.namespace.as_str().to_owned())
                .or_default()
                .push(Sidecar {
                    resource: Arc::clone(&member.resource),
                    selector: MatchLabels::read(labels),
                    timestamp: age.map_or("", NodeRef::text).to_owned(),
                });
        }
        for list in outbound.sidecars.values_mut() {
            list.sort_by(|a, b| {
                (&a.timestamp, &a.resource.name).cmp(&(&b.timestamp, &b.resource.name))
            });
        }
        for member in view.of_kind("networking.istio.io", "ServiceEntry") {
            let Some(spec) = member.resource.object().get("spec") else {
                continue;
            };
            if spec.get("location").map(NodeRef::text) == Some("MESH_INTERNAL") {
                continue;
            }
            let texts = |name: &str| -> Vec<String> {
                let list = spec.get(name).into_iter().flat_map(NodeRef::items);
                list.map(|n| n.text().to_owned()).collect()
            };
            for host in texts("hosts") {
                outbound.declared.push(Declared {
                    resource: Arc::clone(&member.resource),
                    namespace: member.namespace.as_str().to_owned(),
                    host,
                    export: texts("exportTo"),
                });
            }
        }
        outbound
    }

    /// The Sidecar of a workload: one that selects it, else its namespace's, else root's
    /// (`pilot/pkg/model/push_context.go:getSidecarScope`).
    fn sidecar(&self, workload: &Workload) -> Option<&Sidecar> {
        let own = self.sidecars.get(workload.namespace.as_str());
        let labels = workload.labels();
        let selecting = own
            .into_iter()
            .flatten()
            .find(|s| !s.selector.is_empty() && s.selector.matches(labels));
        let whole = |list: Option<&'_ Vec<Sidecar>>| -> Option<usize> {
            list?.iter().position(|s| s.selector.is_empty())
        };
        selecting.or_else(|| own?.get(whole(own)?)).or_else(|| {
            let root = self.sidecars.get(&self.root);
            root?.get(whole(root)?)
        })
    }

    /// The declared hosts that a workload of `namespace` sees.
    fn visible(
        &self,
        namespace: &str,
        imports: Option<NodeRef<'_>>,
    ) -> (BTreeSet<String>, Vec<Step>) {
        let mut hosts = BTreeSet::new();
        let mut steps = Vec::new();
        for declared in &self.declared {
            let exported = declared.export.is_empty()
                || declared.export.iter().any(|e| {
                    e == "*" || e == namespace || (e == "." && declared.namespace == namespace)
                });
            let imported = imports.is_none_or(|list| {
                list.items()
                    .flat_map(|listener| listener.get("hosts"))
                    .flat_map(NodeRef::items)
                    .any(|entry| imports_host(entry.text(), namespace, declared))
            });
            if exported && imported && hosts.insert(declared.host.clone()) {
                let says = format!("ServiceEntry declares {}", declared.host);
                let span = declared.resource.name_span();
                steps.push(Step::decides(&declared.resource, span, says));
            }
        }
        (hosts, steps)
    }
}

/// Whether an entry `namespace/host` of `egress[].hosts` covers a declared host.
fn imports_host(entry: &str, own: &str, declared: &Declared) -> bool {
    let Some((namespace, host)) = entry.split_once('/') else {
        return false;
    };
    let of_namespace = match namespace {
        "*" => true,
        "." => declared.namespace == own,
        "~" => false,
        name => declared.namespace == name,
    };
    let of_host = host == "*"
        || host == declared.host
        || host
            .strip_prefix('*')
            .is_some_and(|suffix| declared.host.ends_with(suffix));
    of_namespace && of_host
}

impl Istio {
    /// Where a workload may call outside the view.
    #[must_use]
    pub fn egress(&self, workload: &Workload, membership: &Fact<Membership>) -> Fact<Egress> {
        let open = |steps: Vec<Step>, to: BTreeSet<String>| {
            let mode = EgressMode::Open;
            let nets = BTreeSet::new();
            Fact::known(Egress { mode, to, nets }, steps)
        };
        match &membership.value {
            Err(reasons) => {
                return Fact {
                    value: Err(reasons.clone()),
                    steps: membership.steps.clone(),
                };
            }
            Ok(Membership::Sidecar) => {}
            Ok(Membership::Ambient) => {
                let says = "a ztunnel lets every destination pass";
                let step = Step::default(
                    "istio.io/docs/ambient/architecture/traffic-redirection",
                    says,
                );
                return open(vec![step], BTreeSet::new());
            }
            Ok(_) => return open(membership.steps.clone(), BTreeSet::new()),
        }
        let sidecar = self.outbound.sidecar(workload);
        let spec = sidecar.and_then(|s| s.resource.object().get("spec"));
        let imports = spec.and_then(|s| s.get("egress")).filter(|n| !n.is_empty());
        let (to, declared) = self.outbound.visible(workload.namespace.as_str(), imports);
        let own = spec.and_then(|s| s.at(&["outboundTrafficPolicy", "mode"]));
        if let Some(node) = own.filter(|node| is_placeholder(node.text())) {
            let reason = UnknownReason {
                missing: format!("the value of `{}`", node.text()),
                span: Some(node.span()),
            };
            return Fact::unknown(reason, Vec::new());
        }
        let (mode, step) = match (sidecar, own) {
            (Some(sidecar), Some(node)) => {
                let says = format!("Sidecar {} says {}", sidecar.resource.name, node.text());
                (
                    node.text().to_owned(),
                    Step::decides(&sidecar.resource, node.span(), says),
                )
            }
            _ => self.config.outbound.clone().unwrap_or_else(|| {
                let source = "istio.io/docs/tasks/traffic-management/egress/egress-control";
                let says = "Istio lets every destination pass unless told otherwise";
                ("ALLOW_ANY".to_owned(), Step::default(source, says))
            }),
        };
        let mut steps = vec![step];
        if mode != "REGISTRY_ONLY" {
            steps.extend(declared);
            return open(steps, to);
        }
        let bypass = BYPASSES.iter().find_map(|name| {
            let node = workload.annotation(name)?;
            let harmless = node.text() == "*" || node.text().is_empty();
            (!harmless).then_some((*name, node))
        });
        if let Some((name, node)) = bypass {
            let says = format!("annotation {name} lets traffic pass the proxy by");
            let why = "some traffic passes the proxy by";
            let limit = steps.into_iter().map(|s| Step {
                role: crate::facts::Role::Ignored(why.to_owned()),
                ..s
            });
            let mut all = vec![Step::decides(&workload.resource, node.span(), says)];
            all.extend(limit);
            return open(all, to);
        }
        steps.extend(declared);
        let mode = if to.is_empty() {
            EgressMode::None
        } else {
            EgressMode::Restricted
        };
        let nets = BTreeSet::new();
        Fact::known(Egress { mode, to, nets }, steps)
    }
}
