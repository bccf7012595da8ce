//! Ports of a meshed pod that its proxy never sees. Input: annotations and Helm values; output: the step that lets traffic past the proxy.
//!
//! istio/istio `tools/istio-iptables/pkg/capture/run.go:handleInboundPortsInclude`, `pkg/kube/inject/template.go:getAnnotation`,
//! `cni/pkg/nodeagent/net.go`.

use crate::engine::istio::Istio;
use crate::engine::istio::config::ALL_PORTS;
use crate::facts::transport::Membership;
use crate::facts::workload::Workload;
use crate::facts::{Role, Step};

const INCLUDE: &str = "traffic.sidecar.istio.io/includeInboundPorts";
const EXCLUDE: &str = "traffic.sidecar.istio.io/excludeInboundPorts";
/// The proxy's own health and metrics ports.
const OWN_PORTS: [u16; 3] = [15020, 15021, 15090];

/// Why traffic to this port reaches the application directly; `None` when the proxy handles it.
pub(crate) fn bypass(
    istio: &Istio,
    workload: &Workload,
    dataplane: Membership,
    port: u16,
) -> Option<Vec<Step>> {
    match dataplane {
        Membership::Ambient => ambient(workload),
        Membership::Sidecar => sidecar(istio, workload, port),
        Membership::None | Membership::Meshed => None,
    }
    .map(|step| vec![step])
}

fn annotated(workload: &Workload, name: &str, value: &str) -> Option<Step> {
    let node = workload.annotation(name)?;
    let says = format!("{name} is `{value}`");
    (node.text() == value).then(|| Step::decides(&workload.resource, node.span(), says))
}

fn ambient(workload: &Workload) -> Option<Step> {
    annotated(workload, "ambient.istio.io/bypass-inbound-capture", "true")
}

fn sidecar(istio: &Istio, workload: &Workload, port: u16) -> Option<Step> {
    if let Some(step) = annotated(workload, "sidecar.istio.io/interceptionMode", "NONE") {
        return Some(step);
    }
    // Present but empty beats the mesh-wide value: the template helper tests whether the key is there.
    let (include, including) = setting(
        istio,
        workload,
        INCLUDE,
        &istio.config.include_inbound_ports,
    );
    if include.trim() != ALL_PORTS {
        if lists(&include, port) {
            return None;
        }
        // The exclude list is not consulted in this branch.
        return Some(including(format!(
            "only `{include}` is captured, not {port}"
        )));
    }
    let (exclude, excluding) = setting(
        istio,
        workload,
        EXCLUDE,
        &istio.config.exclude_inbound_ports,
    );
    if lists(&exclude, port) {
        return Some(excluding(format!("port {port} is excluded from capture")));
    }
    OWN_PORTS.contains(&port).then(|| {
        let says = format!("port {port} belongs to the proxy itself");
        Step::default(
            "istio.io/docs/ops/deployment/application-requirements",
            says,
        )
    })
}

type StepOf<'w> = Box<dyn Fn(String) -> Step + 'w>;

/// The pod's annotation, else the mesh-wide value, with how to cite it.
fn setting<'w>(
    istio: &Istio,
    workload: &'w Workload,
    annotation: &'w str,
    global: &str,
) -> (String, StepOf<'w>) {
    match workload.annotation(annotation) {
        Some(node) => {
            let span = node.span();
            let text = if node.is_null() { "" } else { node.text() };
            let step = move |says| Step::decides(&workload.resource, span, says);
            (text.to_owned(), Box::new(step))
        }
        None => {
            let cited = istio.config.steps.last().map(|s| s.origin.clone());
            let step = move |says| match &cited {
                Some(origin) => Step {
                    origin: origin.clone(),
                    role: Role::Decides,
                    says,
                },
                None => Step::default("global.proxy of the mesh's values", says),
            };
            (global.to_owned(), Box::new(step))
        }
    }
}

fn lists(ports: &str, port: u16) -> bool {
    ports
        .split(',')
        .any(|p| p.trim().parse::<u16>() == Ok(port))
}
