//! DestinationRule: what it makes clients do. Input: a rule; output: its `Call`s, and gaps where nobody reads it.
//!
//! `pilot/pkg/networking/core/cluster_tls.go`; ztunnel reads no DestinationRule.

use super::client::{Clients, assumed, places};
use super::whole;
use crate::engine::istio::destination_rule::DestinationRule;
use crate::engine::istio::{Destination, Istio};
use crate::facts::policy::{Call, Effect, Gap};
use crate::facts::transport::Membership;
use crate::facts::workload::ServicePort;
use crate::topology::Topology;
use crate::yaml::NodeRef;

/// What a host of the cluster ends with.
const CLUSTER: &str = ".svc.cluster.local";

impl Istio {
    /// The calls whose TLS a rule for one host sets; rules for patterns of hosts are another matter.
    pub(crate) fn calls_of(
        &self,
        topology: &Topology,
        clients: &Clients,
        rule: &DestinationRule,
    ) -> Vec<Call> {
        let mut calls: Vec<Call> = Vec::new();
        let host = rule.host.as_str();
        if host.starts_with('*') {
            return calls;
        }
        let Some((name, namespace)) = host.strip_suffix(CLUSTER).and_then(|h| h.split_once('.'))
        else {
            calls.extend(self.call_outside(topology, clients, rule));
            return calls;
        };
        let Some(client) = self.client_of(topology, clients, rule, host, namespace) else {
            return calls;
        };
        let mut ports: Vec<&ServicePort> = Vec::new();
        for service in topology
            .behind(namespace, name)
            .flat_map(|w| &w.ports)
            .flat_map(|p| &p.services)
            .filter(|s| s.service.name == name)
        {
            if !ports.iter().any(|p| p.port == service.port) {
                ports.push(service);
            }
        }
        for port in ports {
            let to = (namespace, port);
            for call in self.calls_by_service(topology, clients, rule, client, to) {
                // Several ports that are called alike are one cause.
                let alike = |c: &Call| {
                    (c.wire, &c.tls, &c.server, &c.spans)
                        == (call.wire, &call.tls, &call.server, &call.spans)
                };
                if !calls.iter().any(alike) {
                    calls.push(call);
                }
            }
        }
        calls
    }

    /// The call of an application to a host outside; gateways, which read certificates from Secrets, are no such clients.
    fn call_outside(
        &self,
        topology: &Topology,
        clients: &Clients,
        rule: &DestinationRule,
    ) -> Option<Call> {
        let host = rule.host.as_str();
        let client = self
            .client_of(topology, clients, rule, host, &rule.namespace)
            .filter(|c| c.namespace.as_str() == rule.namespace)?;
        let chosen = self
            .destination_rules
            .choose(client, host, &rule.namespace)?;
        let (_, tls) = chosen.tls(None, 0)?;
        let destination = Destination::Host {
            host,
            namespace: &rule.namespace,
        };
        let wire = self.client(topology, client, &destination, 0, None)?;
        Some(Call {
            client: client.reference(),
            to: host.to_owned(),
            subset: String::new(),
            tls: tls.get("mode").map_or("DISABLE", NodeRef::text).to_owned(),
            server: String::from("external"),
            wire: wire.get()?.as_str(),
            spans: places(&wire),
            assumptions: assumed(&wire),
        })
    }

    /// Whether the mesh's workloads in the view are all ambient.
    pub(crate) fn has_only_ambient(&self, topology: &Topology) -> bool {
        let mut ambient = false;
        for workload in topology.workloads.iter().filter(|_| self.ambient_installed) {
            match self.membership(topology, workload).get() {
                Some(Membership::Ambient) => ambient = true,
                Some(Membership::None) => {}
                _ => return false,
            }
        }
        ambient
    }
}

/// TLS settings that no client reads, where the view holds applications in ambient only.
pub(crate) fn unread(rule: &DestinationRule) -> Option<Gap> {
    let object = rule.resource.object();
    let tls = object.at(&["spec", "trafficPolicy", "tls"])?;
    let says = "all clients in the mesh are ambient, and a ztunnel reads no DestinationRule";
    let spans = vec![tls.span()];
    Some(whole("no-sidecar-client", Effect::Nothing, spans, says))
}
