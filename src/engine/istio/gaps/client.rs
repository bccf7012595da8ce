//! What clients put on the wire when a rule, or the mesh's settings, tell them so. Input: topology and facts of servers; output: `Call`s.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::engine::istio::destination_rule::DestinationRule;
use crate::engine::istio::peer_authentication::PaMode;
use crate::engine::istio::{Destination, Istio, is_assumed};
use crate::facts::policy::Call;
use crate::facts::transport::{Membership, Mode};
use crate::facts::workload::{Port, ServicePort, Workload, WorkloadId};
use crate::facts::{Fact, Role, Step};
use crate::resource::ResourceId;
use crate::source::Span;
use crate::topology::Topology;

/// How many clients are tried before a rule is taken to concern none.
const MOST_CLIENTS: usize = 16;

/// Rule, client, Service and port that calls are about.
type Asked = (ResourceId, WorkloadId, ResourceId, u16);

/// Applications with a sidecar, by namespace: those that read DestinationRules.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    by_namespace: BTreeMap<String, Vec<WorkloadId>>,
    /// Asked once for the port that is called, once for the rule.
    known: Mutex<HashMap<Asked, Vec<Call>>>,
}

impl Clients {
    fn near<'t>(
        &self,
        topology: &'t Topology,
        namespace: &str,
    ) -> impl Iterator<Item = &'t Workload> {
        let own = self.by_namespace.get(namespace).into_iter().flatten();
        let others = self.by_namespace.iter().filter(|(n, _)| *n != namespace);
        let others = others.filter_map(|(_, ids)| ids.first());
        let ids: Vec<WorkloadId> = own
            .take(MOST_CLIENTS)
            .chain(others.take(MOST_CLIENTS))
            .copied()
            .collect();
        ids.into_iter().filter_map(|id| topology.workload(id))
    }
}

/// A Service port as a call names it.
struct Called<'c> {
    namespace: &'c str,
    port: &'c ServicePort,
}

impl Istio {
    /// The clients of a view; nobody is asked where nothing tells clients what to do.
    pub(crate) fn clients(&self, topology: &Topology) -> Clients {
        let mut clients = Clients::default();
        let silent = self.destination_rules.is_empty() && self.config.auto_mtls;
        if self.evidence.is_none() || (silent && !self.peer_authentications.disables_by_scope()) {
            return clients;
        }
        for workload in topology.workloads.iter().filter(|w| !w.is_gateway()) {
            if self.membership(topology, workload).get() == Some(&Membership::Sidecar) {
                let namespace = workload.namespace.as_str().to_owned();
                clients
                    .by_namespace
                    .entry(namespace)
                    .or_default()
                    .push(workload.id);
            }
        }
        clients
    }

    /// A client whose calls to a host this rule decides.
    pub(super) fn client_of<'t>(
        &self,
        topology: &'t Topology,
        clients: &Clients,
        rule: &DestinationRule,
        host: &str,
        namespace: &str,
    ) -> Option<&'t Workload> {
        clients.near(topology, &rule.namespace).find(|client| {
            let chosen = self.destination_rules.choose(client, host, namespace);
            chosen.is_some_and(|c| c.includes(rule))
        })
    }

    /// How clients call a port: one call for each rule that concerns it, and one without a rule where the mesh's settings stand against it.
    pub(crate) fn calls_to(
        &self,
        topology: &Topology,
        clients: &Clients,
        workload: &Workload,
        port: &Port,
    ) -> Vec<Call> {
        let mut calls = Vec::new();
        if clients.by_namespace.is_empty() {
            return calls;
        }
        let namespace = workload.namespace.as_str();
        for service in &port.services {
            let to = Called {
                namespace,
                port: service,
            };
            let host = format!("{}.{namespace}.svc.cluster.local", service.service.name);
            for rule in self.destination_rules.naming(&host) {
                if let Some(client) = self.client_of(topology, clients, rule, &host, namespace) {
                    calls.extend(self.calls_by(topology, clients, rule, client, &to));
                }
            }
            let inferred = self.peer_authentications.inferred(namespace).mode;
            if !self.config.auto_mtls || inferred == PaMode::Disable {
                let mut untold = clients.near(topology, namespace);
                let client =
                    untold.find(|c| self.destination_rules.choose(c, &host, namespace).is_none());
                calls.extend(client.and_then(|c| self.call(topology, c, &to, None, "")));
            }
        }
        calls
    }

    /// The calls of a client to a Service port by a rule: without subset, then by subsets with a policy of their own.
    pub(super) fn calls_by_service(
        &self,
        topology: &Topology,
        clients: &Clients,
        rule: &DestinationRule,
        client: &Workload,
        (namespace, port): (&str, &ServicePort),
    ) -> Vec<Call> {
        self.calls_by(topology, clients, rule, client, &Called { namespace, port })
    }

    fn calls_by(
        &self,
        topology: &Topology,
        clients: &Clients,
        rule: &DestinationRule,
        client: &Workload,
        to: &Called<'_>,
    ) -> Vec<Call> {
        let port = to.port;
        let key = (rule.resource.id, client.id, port.service.id, port.port);
        let known = || clients.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = known().get(&key) {
            return calls.clone();
        }
        let calls = self.calls_told(topology, rule, client, to);
        known().insert(key, calls.clone());
        calls
    }

    fn calls_told(
        &self,
        topology: &Topology,
        rule: &DestinationRule,
        client: &Workload,
        to: &Called<'_>,
    ) -> Vec<Call> {
        let host = format!(
            "{}.{}.svc.cluster.local",
            to.port.service.name, to.namespace
        );
        let Some(chosen) = self.destination_rules.choose(client, &host, to.namespace) else {
            return Vec::new();
        };
        let subsets = rule.subsets().map(Some);
        let mut calls: Vec<Call> = Vec::new();
        for subset in std::iter::once(None).chain(subsets) {
            let tls = chosen.tls(subset, to.port.port).map(|(_, tls)| {
                tls.get("mode")
                    .map_or("DISABLE", crate::yaml::NodeRef::text)
            });
            let mode = tls.or_else(|| chosen.endpoint_mode(subset, to.port.port));
            let told = mode.and_then(|mode| self.call(topology, client, to, subset, mode));
            // A subset that says nothing else is no call of its own.
            calls.extend(told.filter(|c| {
                let same = |k: &Call| k.tls == c.tls && k.wire == c.wire;
                !calls.iter().any(same)
            }));
        }
        for call in &mut calls {
            if call.spans.is_empty() {
                call.spans.push(rule.resource.name_span());
            }
        }
        calls
    }

    fn call(
        &self,
        topology: &Topology,
        client: &Workload,
        to: &Called<'_>,
        subset: Option<&str>,
        tls: &str,
    ) -> Option<Call> {
        let destination = Destination::Service {
            namespace: to.namespace,
            name: &to.port.service.name,
        };
        let wire = self.client(topology, client, &destination, to.port.port, subset)?;
        let arrives = wire.get()?.as_str();
        let name = &to.port.service.name;
        let server = topology.behind(to.namespace, name).find_map(|workload| {
            let leads = |p: &&Port| {
                let mut services = p.services.iter();
                services.any(|s| s.port == to.port.port && s.service.id == to.port.service.id)
            };
            let port = workload.ports.iter().find(leads)?;
            let membership = self.membership(topology, workload);
            let transport = self.transport(workload, &membership, port);
            Some(words(transport.get()?.mode))
        })?;
        Some(Call {
            client: client.reference(),
            to: match to.namespace {
                "" => format!("{name}:{}", to.port.port),
                namespace => format!("{namespace}/{name}:{}", to.port.port),
            },
            subset: subset.unwrap_or("").to_owned(),
            tls: tls.to_owned(),
            server: server.to_owned(),
            wire: arrives,
            spans: places(&wire),
            assumptions: assumed(&wire),
        })
    }
}

fn words(mode: Mode) -> &'static str {
    match mode {
        Mode::Plaintext(why) => why.as_str(),
        other => other.as_str(),
    }
}

/// The places that decide, those of rules before those of labels.
pub(super) fn places<T>(fact: &Fact<T>) -> Vec<Span> {
    let decides = |s: &&Step| s.role == Role::Decides;
    let enrols = |s: &&Step| s.says.contains(" has ");
    let steps = || fact.steps.iter().filter(decides);
    let spans: Vec<Span> = steps()
        .filter(|s| !enrols(s))
        .filter_map(Step::span)
        .collect();
    spans
}

pub(super) fn assumed<T>(fact: &Fact<T>) -> Vec<String> {
    let mut all: Vec<String> = fact
        .steps
        .iter()
        .filter(|s| is_assumed(s))
        .map(|s| s.says.clone())
        .collect();
    all.sort();
    all.dedup();
    all
}
