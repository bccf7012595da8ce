//! Ingress as a way in. Input: `networking.k8s.io/Ingress` (and its older groups); output: exposures and attachments.
//!
//! kubernetes.io/docs/concepts/services-networking/ingress; annotations of ingress-nginx, aws-load-balancer-controller and GKE.

use std::sync::Arc;

use super::{Builder, ServicePortRef, items, port_of, text};
use crate::facts::Step;
use crate::facts::exposure::{EdgeTls, Exposure, Front, GatewayRef, RouteAttachment, Way, join};
use crate::facts::workload::{Protocol, WorkloadId};
use crate::view::Member;
use crate::yaml::NodeRef;

/// Groups that have served Ingress.
const GROUPS: [&str; 2] = ["networking.k8s.io", "extensions"];

/// Annotations by which a controller authenticates callers before it passes them on.
const AUTHENTICATES: &[&str] = &[
    "nginx.ingress.kubernetes.io/auth-url",
    "nginx.ingress.kubernetes.io/auth-type",
    "nginx.ingress.kubernetes.io/auth-tls-secret",
    "alb.ingress.kubernetes.io/auth-type",
    "traefik.ingress.kubernetes.io/router.middlewares",
    "haproxy.org/auth-type",
    "haproxy-ingress.github.io/auth-url",
    "konghq.com/plugins",
];

/// Annotations with networks that callers must be in.
const NETWORKS: &[&str] = &[
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "alb.ingress.kubernetes.io/inbound-cidrs",
];

pub(super) fn read(builder: &mut Builder<'_>) {
    for group in GROUPS {
        for member in builder.view.of_kind(group, "Ingress") {
            ingress(builder, member);
        }
    }
}

fn ingress(builder: &mut Builder<'_>, member: &Member) {
    let resource = &member.resource;
    let namespace = member.namespace.as_str();
    let object = resource.object();
    let Some(spec) = object.get("spec") else {
        return;
    };
    let annotation = |name: &str| object.at(&["metadata", "annotations"])?.get(name);
    let class = match text(spec, "ingressClassName") {
        "" => annotation("kubernetes.io/ingress.class").map_or("", NodeRef::text),
        class => class,
    };
    let gateway = GatewayRef {
        resource: None,
        namespace: String::new(),
        name: class.to_owned(),
    };
    let reference = join(namespace, &resource.name);
    let says = format!("Ingress {reference} is served by its class");
    let attached = Step::decides(resource, resource.name_span(), says);
    builder.ways.routes.push(RouteAttachment {
        route: Arc::clone(resource),
        namespace: member.namespace.clone(),
        gateway: gateway.clone(),
        attached: Some(true),
        steps: vec![attached],
    });
    let internal = annotation("alb.ingress.kubernetes.io/scheme")
        .filter(|n| n.text() == "internal")
        .or_else(|| {
            annotation("kubernetes.io/ingress.class").filter(|n| n.text() == "gce-internal")
        });
    let authenticates = AUTHENTICATES.iter().find_map(|name| {
        annotation(name)
            .filter(|n| n.text() != "none")
            .map(|n| (*name, n))
    });
    let nets = NETWORKS.iter().find_map(|name| annotation(name));
    let way = Exposure {
        way: Way::Route,
        opener: Arc::clone(resource),
        namespace: member.namespace.clone(),
        gateway: Some(gateway),
        front: Front::Unseen(format!("the controller of Ingress {reference}")),
        service: String::new(),
        workload: WorkloadId(0),
        port: 0,
        protocol: Protocol::Tcp,
        outside_port: 0,
        hosts: Vec::new(),
        paths: Vec::new(),
        nets: nets.map_or_else(Vec::new, |n| {
            n.text()
                .split(',')
                .map(|net| net.trim().to_owned())
                .collect()
        }),
        tls: None,
        internal: internal.is_some(),
        delegated: authenticates.map_or_else(String::new, |(name, _)| {
            format!("what annotation {name} of Ingress {reference} asks of callers")
        }),
        mirror: false,
        steps: Vec::new(),
    };
    let marks = internal
        .into_iter()
        .chain(authenticates.map(|(_, n)| n))
        .chain(nets);
    let marks: Vec<Step> = marks
        .map(|n| Step::decides(resource, n.span(), "the Ingress says so by annotation"))
        .collect();
    for (host, path, backend) in backends(spec) {
        let Some((service, port)) = target(backend) else {
            continue;
        };
        let mut steps = vec![Step::decides(
            resource,
            backend.span(),
            format!(
                "Ingress {reference} leads to Service {}",
                join(namespace, service)
            ),
        )];
        steps.extend(marks.iter().cloned());
        let tls = has_certificate(spec, host);
        let exposure = Exposure {
            service: join(namespace, service),
            hosts: Some(host)
                .filter(|h| !h.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            paths: path.into_iter().collect(),
            tls: Some(if tls { EdgeTls::Simple } else { EdgeTls::None }),
            outside_port: if tls { 443 } else { 80 },
            steps,
            ..way.clone()
        };
        let targets = builder.behind(namespace, service, port);
        builder.lead(&exposure, &targets);
    }
}

/// Host, path and backend of every rule, the default backend last.
fn backends(spec: NodeRef<'_>) -> Vec<(&str, Option<String>, NodeRef<'_>)> {
    let mut found = Vec::new();
    for rule in items(spec, &["rules"]) {
        for path in items(rule, &["http", "paths"]) {
            if let Some(backend) = path.get("backend") {
                let exact = text(path, "pathType") == "Exact";
                found.push((
                    text(rule, "host"),
                    prefix(text(path, "path"), exact),
                    backend,
                ));
            }
        }
    }
    let default = spec.get("defaultBackend").or_else(|| spec.get("backend"));
    found.extend(default.map(|backend| ("", None, backend)));
    found
}

/// `/v1` as `/v1*`; a path that some controllers read as a regular expression as `~…`; nothing for every path.
fn prefix(path: &str, exact: bool) -> Option<String> {
    match path {
        "" | "/" | "/*" if !exact => None,
        path if exact => Some(path.to_owned()),
        path if path.contains(['(', '[', '|', '$']) => Some(format!("~{path}")),
        path => Some(format!("{}*", path.trim_end_matches('*'))),
    }
}

/// `service: {name, port}`, or the older `serviceName` and `servicePort`.
fn target(backend: NodeRef<'_>) -> Option<(&str, ServicePortRef<'_>)> {
    let (name, port) = match backend.get("service") {
        Some(service) => {
            let number = service.at(&["port", "number"]);
            (
                text(service, "name"),
                number.or_else(|| service.at(&["port", "name"])),
            )
        }
        None => (text(backend, "serviceName"), backend.get("servicePort")),
    };
    let port = port?;
    if name.is_empty() {
        return None;
    }
    Some(match port_of(Some(port)) {
        0 => (name, ServicePortRef::Name(port.text())),
        number => (name, ServicePortRef::Number(number)),
    })
}

/// Whether `tls` covers a host; an entry without hosts covers all of them.
fn has_certificate(spec: NodeRef<'_>, host: &str) -> bool {
    items(spec, &["tls"]).any(|entry| {
        let mut hosts = items(entry, &["hosts"]).peekable();
        hosts.peek().is_none()
            || hosts.any(|h| super::hosts::both(h.text(), host) == Some(host) && !host.is_empty())
    })
}
