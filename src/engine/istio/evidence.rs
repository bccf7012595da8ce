//! Signs of Istio in a view. Input: a `View`; output: the first sign, without which mesh rules stay silent (architecture: defaults that do not cry wolf).

use crate::engine::istio::MeshConfig;
use crate::facts::Assumptions;
use crate::facts::Step;
use crate::topology::Topology;
use crate::view::View;

/// Labels of namespaces and pods that enrol them.
const ENROLMENT: [&str; 4] = [
    "istio-injection",
    "istio.io/rev",
    "istio.io/dataplane-mode",
    "sidecar.istio.io/inject",
];

/// The first sign of Istio: an assumption, mesh configuration, an object of an Istio API, a Gateway of its class, or an enrolment label.
pub(crate) fn find(
    view: &View,
    topology: &Topology,
    assume: &Assumptions,
    config: &MeshConfig,
) -> Option<Step> {
    if assume.mesh.as_deref() == Some("istio") {
        return Some(Step::assumed("mesh", "Istio is installed"));
    }
    if let Some(step) = config.steps.first() {
        return Some(step.clone());
    }
    let istio_kind = |k: &&crate::resource::GroupKind| k.group.ends_with("istio.io");
    if let Some(kind) = view.kinds().find(istio_kind) {
        let resource = &view.of_kind(&kind.group, &kind.kind).next()?.resource;
        let says = format!("the view holds a {}", kind.kind);
        return Some(Step::decides(resource, resource.name_span(), says));
    }
    let of_class = view
        .of_kind("gateway.networking.k8s.io", "Gateway")
        .find_map(|member| {
            let class = member.resource.object().at(&["spec", "gatewayClassName"])?;
            let says = format!("Gateway {} is served by Istio", member.resource.name);
            let own = class.text() == "istio" || class.text().starts_with("istio-");
            own.then(|| Step::decides(&member.resource, class.span(), says))
        });
    if of_class.is_some() {
        return of_class;
    }
    let assumed = assume
        .namespaces
        .values()
        .any(|labels| ENROLMENT.iter().any(|l| labels.contains_key(*l)));
    if assumed {
        let says = "a namespace carries an enrolment label";
        return Some(Step::assumed("namespaces", says));
    }
    let enrolled_namespace = topology.namespaces.iter().find_map(|(name, resource)| {
        let labels = resource.object().at(&["metadata", "labels"])?;
        let label = ENROLMENT.iter().find_map(|l| labels.get(l))?;
        let says = format!("namespace {name} carries an enrolment label");
        Some(Step::decides(resource, label.span(), says))
    });
    enrolled_namespace.or_else(|| {
        topology.workloads.iter().find_map(|workload| {
            let label = ENROLMENT
                .iter()
                .find_map(|l| workload.label(l))
                .or_else(|| workload.annotation("sidecar.istio.io/status"))?;
            let says = format!("{} carries an enrolment label", workload.reference());
            Some(Step::decides(&workload.resource, label.span(), says))
        })
    })
}
