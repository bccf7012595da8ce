//! Ways in past every gateway: Services of type LoadBalancer and NodePort, external addresses, ports of nodes. Input: Services and pod specs;
//! output: exposures.
//!
//! Kubernetes: `ServiceSpec.type`, `externalIPs`, `loadBalancerSourceRanges` (kubernetes.io/docs/concepts/services-networking/service),
//! `ContainerPort.hostPort`, `PodSpec.hostNetwork`.

use std::sync::Arc;

use super::{Builder, ServicePortRef, Target, items, port_of, text};
use crate::facts::Step;
use crate::facts::exposure::{EdgeTls, Exposure, Front, Way, join};
use crate::facts::workload::{Protocol, Workload, WorkloadId};
use crate::resource::Resource;
use crate::view::{Member, Namespace};
use crate::yaml::NodeRef;

/// Annotations by which clouds keep a load balancer inside the private network; with the values that do, empty = any but `false`.
/// Sources: the documentation of aws-load-balancer-controller, cloud-provider-azure, GKE, OpenStack, IBM, OCI, Alibaba and Tencent clouds.
const INTERNAL: &[(&str, &[&str])] = &[
    (
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        &["internal"],
    ),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", &[]),
    (
        "service.beta.kubernetes.io/azure-load-balancer-internal",
        &["true"],
    ),
    (
        "networking.gke.io/load-balancer-type",
        &["Internal", "internal"],
    ),
    (
        "cloud.google.com/load-balancer-type",
        &["Internal", "internal"],
    ),
    (
        "service.beta.kubernetes.io/openstack-internal-load-balancer",
        &["true"],
    ),
    (
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
        &["private"],
    ),
    (
        "service.beta.kubernetes.io/oci-load-balancer-internal",
        &["true"],
    ),
    (
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
        &["intranet"],
    ),
    (
        "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
        &[],
    ),
];

/// The annotation that keeps a load balancer inside, if any.
pub(super) fn internal(annotations: Option<NodeRef<'_>>) -> Option<NodeRef<'_>> {
    let annotations = annotations?;
    INTERNAL.iter().find_map(|(name, values)| {
        let node = annotations.get(name)?;
        let value = node.text();
        let inside = if values.is_empty() {
            !value.eq_ignore_ascii_case("false") && !value.is_empty()
        } else {
            values.contains(&value)
        };
        inside.then_some(node)
    })
}

/// How a Service is reached from outside.
pub(super) fn way_of(service: &Resource) -> Option<(Way, NodeRef<'_>)> {
    let spec = service.object().get("spec")?;
    let addresses = spec.get("externalIPs").filter(|n| !n.is_empty());
    let kind = spec.get("type");
    match kind.map(NodeRef::text) {
        Some("LoadBalancer") => kind.map(|n| (Way::LoadBalancer, n)),
        Some("NodePort") => kind.map(|n| (Way::NodePort, n)),
        _ => addresses.map(|n| (Way::ExternalIp, n)),
    }
}

pub(super) fn read(builder: &mut Builder<'_>) {
    for member in builder.view.of_kind("", "Service") {
        if let Some((way, node)) = way_of(&member.resource) {
            service(builder, member, way, node);
        }
    }
    for workload in &builder.topology.workloads {
        host_ports(builder, workload);
    }
}

fn service(builder: &mut Builder<'_>, member: &Member, way: Way, why: NodeRef<'_>) {
    let resource = &member.resource;
    let namespace = member.namespace.as_str();
    let object = resource.object();
    let inside = (way == Way::LoadBalancer)
        .then(|| internal(object.at(&["metadata", "annotations"])))
        .flatten();
    let nets = items(object, &["spec", "loadBalancerSourceRanges"]);
    let nets: Vec<String> = nets
        .filter(|_| way == Way::LoadBalancer)
        .map(|n| n.text().to_owned())
        .collect();
    let reference = join(namespace, &resource.name);
    let words = match way {
        Way::LoadBalancer => format!("Service {reference} has a load balancer"),
        Way::NodePort => format!("Service {reference} has a port on every node"),
        _ => format!("Service {reference} has external addresses"),
    };
    let mut steps = vec![Step::decides(resource, why.span(), words)];
    if let Some(node) = inside {
        let says = "the load balancer stays inside the private network";
        steps.push(Step::decides(resource, node.span(), says));
    }
    for entry in items(object, &["spec", "ports"]) {
        let port = port_of(entry.get("port"));
        let outside_port = if way == Way::NodePort {
            port_of(entry.get("nodePort"))
        } else {
            port
        };
        let exposure = Exposure {
            service: reference.clone(),
            outside_port,
            nets: nets.clone(),
            internal: inside.is_some(),
            steps: steps.clone(),
            ..raw(way, resource, &member.namespace)
        };
        let targets = builder.behind(namespace, &resource.name, ServicePortRef::Number(port));
        builder.lead(&exposure, &targets);
    }
}

/// A way on which nothing looks at the bytes.
fn raw(way: Way, opener: &Arc<Resource>, namespace: &Namespace) -> Exposure {
    Exposure {
        way,
        opener: Arc::clone(opener),
        namespace: namespace.clone(),
        gateway: None,
        front: Front::Nobody,
        service: String::new(),
        workload: WorkloadId(0),
        port: 0,
        protocol: Protocol::Tcp,
        outside_port: 0,
        hosts: Vec::new(),
        paths: Vec::new(),
        nets: Vec::new(),
        tls: Some(EdgeTls::Raw),
        internal: false,
        delegated: String::new(),
        mirror: false,
        steps: Vec::new(),
    }
}

/// `hostPort` of containers; in the node's network every declared port is one (the API server fills `hostPort` in).
fn host_ports(builder: &mut Builder<'_>, workload: &Workload) {
    let Some(spec) = workload.pod_spec() else {
        return;
    };
    let containers: Vec<NodeRef<'_>> = ["containers", "initContainers"]
        .iter()
        .flat_map(|field| items(spec, &[field]))
        .collect();
    for entry in containers.iter().flat_map(|c| items(*c, &["ports"])) {
        let target: Target = (
            workload.id,
            port_of(entry.get("containerPort")),
            Protocol::read(entry.get("protocol").and_then(NodeRef::as_str)),
        );
        let host_port = port_of(entry.get("hostPort"));
        let loopback = matches!(text(entry, "hostIP"), "127.0.0.1" | "::1");
        let (way, node, words, outside_port) = if workload.host_network {
            let node = spec.get("hostNetwork").unwrap_or(spec);
            (
                Way::HostNetwork,
                node,
                "the pod listens in the node's network",
                target.1,
            )
        } else if host_port > 0 && !loopback {
            let node = entry.get("hostPort").unwrap_or(entry);
            (
                Way::HostPort,
                node,
                "the port is open on the pod's node",
                host_port,
            )
        } else {
            continue;
        };
        let exposure = Exposure {
            outside_port,
            steps: vec![Step::decides(&workload.resource, node.span(), words)],
            ..raw(way, &workload.resource, &workload.namespace)
        };
        builder.lead(&exposure, &[target]);
    }
}

/// How proxies of the view are reached.
pub(super) enum Outside {
    /// From outside the cluster.
    Public(Step),
    /// From the private network.
    Internal(Step),
    /// From inside the cluster only.
    Inside(Step),
}

/// How the proxies among the workloads are reached; `None` when no Service of the view leads to them, so that it stays open.
pub(super) fn outside_of(builder: &Builder<'_>, proxies: &[WorkloadId]) -> Option<Outside> {
    let mut best: Option<Outside> = None;
    let workloads = proxies
        .iter()
        .filter_map(|id| builder.topology.workload(*id));
    for workload in workloads {
        if workload.host_network {
            let says = format!("{} listens in the node's network", workload.reference());
            let span = workload.resource.name_span();
            return Some(Outside::Public(Step::decides(
                &workload.resource,
                span,
                says,
            )));
        }
        for service in &workload.services {
            let reference = join(workload.namespace.as_str(), &service.name);
            let Some((way, node)) = way_of(service) else {
                let says = format!("Service {reference} is reached from inside the cluster only");
                let step = Step::decides(service, service.name_span(), says);
                best.get_or_insert(Outside::Inside(step));
                continue;
            };
            let inside = (way == Way::LoadBalancer)
                .then(|| internal(service.object().at(&["metadata", "annotations"])))
                .flatten();
            if let Some(annotation) = inside {
                let says = format!("the load balancer of Service {reference} is internal");
                best = Some(Outside::Internal(Step::decides(
                    service,
                    annotation.span(),
                    says,
                )));
                continue;
            }
            let says = format!("Service {reference} leads to the gateway from outside");
            return Some(Outside::Public(Step::decides(service, node.span(), says)));
        }
    }
    best
}
