//! Servers that clients may reach differently though the server's own rules are the same. Input: two views in comparison; output:
//! `Touched`: Services to ask about again.

use std::collections::BTreeSet;

use crate::query::diff::Compared;
use crate::query::diff::facts::Facts;
use crate::query::diff::ports::PortPair;
use crate::view::Member;

/// What edited objects touch on the way to a server.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Mesh-wide settings of clients changed.
    all: bool,
    /// Hosts of edited DestinationRules; `*.suffix` for many.
    pub(super) hosts: BTreeSet<String>,
    /// Namespaces whose inferred mode may have changed.
    namespaces: BTreeSet<String>,
    /// Services with a pod whose membership or transport changed.
    services: BTreeSet<(String, String)>,
}

impl Touched {
    pub(super) fn of(compared: &Compared<'_, '_>, ports: &[PortPair]) -> Self {
        let (base, head) = (&compared.base.analysis.istio, &compared.head.analysis.istio);
        let mut touched = Self {
            all: base.client_settings() != head.client_settings(),
            ..Self::default()
        };
        let edited = compared.objects.edited(|r| {
            r.is("networking.istio.io", "DestinationRule")
                || r.is("security.istio.io", "PeerAuthentication")
        });
        let roots = [&base.config.root_namespace, &head.config.root_namespace];
        for member in edited.iter().flat_map(|(b, h)| [*b, *h]).flatten() {
            if member.resource.kind() == "DestinationRule" {
                touched.hosts.extend(host(member));
            } else if is_wide(member) {
                let namespace = member.namespace.as_str();
                touched.all |= roots.iter().any(|root| *root == namespace);
                touched.namespaces.insert(namespace.to_owned());
            }
        }
        for pair in ports {
            touched.moved(compared, pair);
        }
        touched
    }

    /// A pod that joins or leaves, or accepts something else, changes what clients send to its Services.
    fn moved(&mut self, compared: &Compared<'_, '_>, pair: &PortPair) {
        let of = |facts: &Facts<'_>, at| {
            let at: (usize, usize) = at?;
            let port = facts.workloads.get(at.0)?.ports.get(at.1)?;
            let membership = facts.workloads.get(at.0)?.membership.get().copied();
            Some((membership, port.transport.get().cloned()))
        };
        let (before, after) = (of(compared.base, pair.base), of(compared.head, pair.head));
        if before == after {
            return;
        }
        let sides = [(compared.base, pair.base), (compared.head, pair.head)];
        for (facts, at) in sides {
            if let Some((workload, port, _)) = at.and_then(|at| facts.port(at)) {
                let namespace = workload.namespace.as_str();
                let names = port.services.iter().map(|s| s.service.name.clone());
                self.services
                    .extend(names.map(|name| (namespace.to_owned(), name)));
            }
        }
    }

    /// Whether clients may send differently to a Service.
    pub(super) fn service(&self, namespace: &str, name: &str) -> bool {
        self.all
            || self.namespaces.contains(namespace)
            || self
                .services
                .contains(&(namespace.to_owned(), name.to_owned()))
            || self.rule(namespace, name)
    }

    /// Whether a rule about the way to a Service was edited, came or went.
    pub(super) fn rule(&self, namespace: &str, name: &str) -> bool {
        !self.hosts.is_empty() && self.host(&full_name(name, namespace))
    }

    fn host(&self, host: &str) -> bool {
        self.hosts.contains(host)
            || self.hosts.iter().any(|h| {
                h.strip_prefix('*')
                    .is_some_and(|suffix| host.ends_with(suffix))
            })
    }

    /// Whether clients may reach a port differently.
    pub(super) fn port(&self, compared: &Compared<'_, '_>, pair: &PortPair) -> bool {
        let services = |facts: &Facts<'_>, at| {
            let list = facts.port(at).map(|(workload, port, _)| {
                let services = port.services.iter();
                let names = services.map(|s| (s.service.name.clone(), s.port));
                (
                    workload.namespace.as_str().to_owned(),
                    names.collect::<Vec<_>>(),
                )
            });
            list.unwrap_or_default()
        };
        let before = pair.base.map(|at| services(compared.base, at));
        let after = pair.head.map(|at| services(compared.head, at));
        before != after
            || after.is_some_and(|(namespace, names)| {
                names.iter().any(|(name, _)| self.service(&namespace, name))
            })
    }
}

/// The host of a DestinationRule as Istio resolves it.
fn host(member: &Member) -> Option<String> {
    let host = member.resource.object().at(&["spec", "host"])?.text();
    Some(full_name(host, member.namespace.as_str()))
}

/// A host without a dot belongs to its namespace (istio/istio `pilot/pkg/model/config.go:ResolveShortnameToFQDN`).
pub(super) fn full_name(host: &str, namespace: &str) -> String {
    if host.contains('.') || host.contains('*') || host.contains(':') {
        return host.to_owned();
    }
    format!("{host}.{namespace}.svc.cluster.local")
}

/// Clients infer plaintext from the policies of a namespace or the mesh that say DISABLE. A wide policy of any mode that comes or goes
/// may cover such a one (istio/istio `pilot/pkg/model/push_context.go:BestEffortInferServiceMTLSMode`).
fn is_wide(member: &Member) -> bool {
    let selector = member
        .resource
        .object()
        .at(&["spec", "selector", "matchLabels"]);
    selector.is_none_or(|labels| labels.entries().next().is_none())
}
