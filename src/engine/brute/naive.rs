//! Policies read one request at a time. Input: a cluster as data, a request; output: yes or no, by the words of the documentation and without any
//! set. Also the universe: one request for each that patterns over the cluster's words can tell apart.
//!
//! Istio: istio.io/docs/reference/config/security/{authorization-policy,peer_authentication}; what ztunnel makes of HTTP fields:
//! istio/istio `pilot/pkg/serviceregistry/ambient/authorization.go`, istio/ztunnel `src/rbac.rs`. Network policies:
//! kubernetes.io/docs/concepts/services-networking/network-policies, kubernetes-sigs/network-policy-api `apis/v1alpha1`.

use super::cluster::{
    AdminPolicy, AuthorizationPolicy, Cluster, Dataplane, MeshRule, NetworkRule, Operation, PORTS,
    Peer, PodModel, ROOT, Selector, Source,
};
use crate::facts::peers::{Identity, Request};

/// The port that ambient callers with an identity arrive on.
const TUNNEL: u16 = 15008;

/// A namespace that the view does not name.
pub(super) const ELSEWHERE: &str = "zz";

/// Who opens a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A pod, perhaps one that is not in the view and has no label.
    Pod(&'static str, Option<&'static str>),
    /// An address outside of pods.
    Address(&'static str),
}

/// One address for each part that the networks of policies cut out.
pub(super) const ADDRESSES: [&str; 4] = ["10.1.0.1", "10.2.0.1", "192.168.0.1", "8.8.8.8"];
pub(super) const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
pub(super) const HTTP_PATHS: [&str; 5] = ["/v1/chat", "/v1/x", "/v1/x.md", "/x.md", "/x"];

fn identity(trust_domain: &str, namespace: &str, account: &str) -> Identity {
    Identity {
        trust_domain: trust_domain.to_owned(),
        namespace: namespace.to_owned(),
        account: account.to_owned(),
    }
}

/// An identity of the mesh.
pub(super) fn of_mesh(namespace: &str, account: &str) -> Identity {
    identity("cluster.local", namespace, account)
}

/// None, and identities for each combination of what policies can name.
pub(super) fn identities() -> Vec<Option<Identity>> {
    let mut all = vec![None];
    for trust_domain in ["cluster.local", "old.example"] {
        for namespace in ["a", "ab", "xb", "ac", "acb", "qb", ELSEWHERE] {
            for account in ["x", "y", "z"] {
                all.push(Some(identity(trust_domain, namespace, account)));
            }
        }
    }
    all
}

/// Every request of an identity from an address.
pub(super) fn requests(identity: Option<&Identity>, source: &str) -> Vec<Request> {
    let mut all = Vec::new();
    for method in METHODS {
        for path in HTTP_PATHS {
            all.push(Request {
                identity: identity.cloned(),
                source: source.parse().unwrap(),
                method: method.to_owned(),
                path: path.to_owned(),
                ..Request::default()
            });
        }
    }
    all
}

/// `*`, `prefix*`, `*suffix` or the text itself.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    if let Some(suffix) = pattern.strip_prefix('*') {
        return text.ends_with(suffix);
    }
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => text == pattern,
    }
}

fn any(patterns: &[&str], text: Option<&str>) -> bool {
    text.is_some_and(|text| patterns.iter().any(|p| matches(p, text)))
}

fn in_block(block: &str, address: &str) -> bool {
    match block {
        "0.0.0.0/0" => true,
        "10.0.0.0/8" => address.starts_with("10."),
        "10.1.0.0/16" => address.starts_with("10.1."),
        exact => address == exact,
    }
}

/// What enforces policies at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enforcer {
    Requests,
    Bytes,
    Ztunnel,
}

impl Cluster {
    fn enforcer(&self, server: &PodModel, port: u16) -> Option<Enforcer> {
        match self.dataplane(server.namespace) {
            Dataplane::Outside => None,
            Dataplane::Ambient => Some(Enforcer::Ztunnel),
            Dataplane::Sidecar if port == PORTS[0] => Some(Enforcer::Requests),
            Dataplane::Sidecar => Some(Enforcer::Bytes),
        }
    }

    /// The narrowest PeerAuthentication decides: of the port, of the pods, of their namespace, of the mesh.
    pub(super) fn mode(&self, server: &PodModel, port: u16) -> &'static str {
        let of = |namespace: &str, app: Option<&str>| {
            let mut all = self.peer.iter();
            all.find(|p| p.namespace == namespace && p.app == app)
        };
        let own = of(server.namespace, Some(server.app));
        if let Some(mode) = own.and_then(|p| p.port).filter(|_| port == PORTS[1]) {
            return mode;
        }
        let wide = of(server.namespace, None).or_else(|| of(ROOT, None));
        own.or(wide).map_or("PERMISSIVE", |p| p.mode)
    }

    /// Whether the mesh lets a request through; `None` = no proxy looks at it. With mutual TLS switched off nobody has an identity.
    pub(super) fn mesh_admits(
        &self,
        server: &PodModel,
        port: u16,
        request: &Request,
    ) -> Option<bool> {
        let enforcer = self.enforcer(server, port)?;
        let mode = self.mode(server, port);
        if mode == "STRICT" && request.identity.is_none() {
            return Some(false);
        }
        let mut seen = request.clone();
        if mode == "DISABLE" && enforcer != Enforcer::Ztunnel {
            seen.identity = None;
        }
        let applies = |p: &&AuthorizationPolicy| {
            (p.namespace == server.namespace || p.namespace == ROOT)
                && p.app.is_none_or(|app| app == server.app)
        };
        let (deny, allow): (Vec<_>, Vec<_>) = self
            .authorization
            .iter()
            .filter(applies)
            .partition(|p| p.deny);
        let hit = |p: &&AuthorizationPolicy| {
            let mut rules = p.rules.iter();
            rules.any(|rule| rule_matches(rule, p.deny, enforcer, &seen, port))
        };
        Some(!deny.iter().any(hit) && (allow.is_empty() || allow.iter().any(hit)))
    }

    /// Whether the network carries a connection: the policies of both ends.
    pub(super) fn network_admits(&self, caller: Caller, server: &PodModel, port: u16) -> bool {
        let target = Caller::Pod(server.namespace, Some(server.app));
        let out = match caller {
            Caller::Pod(..) => self.side_admits(true, caller, target, port),
            Caller::Address(_) => true,
        };
        out && self.side_admits(false, target, caller, port)
    }

    /// Administrators first, in order of priority; then the NetworkPolicies that select the pod; then the baseline; else open.
    fn side_admits(&self, egress: bool, subject: Caller, other: Caller, port: u16) -> bool {
        let Caller::Pod(home, app) = subject else {
            unreachable!("policies are about pods");
        };
        let first = |policy: &AdminPolicy| {
            let about = self.team_is(home, policy.namespaces) && label_is(app, policy.pods);
            let rules = if egress {
                &policy.egress
            } else {
                &policy.ingress
            };
            let mut rules = rules.iter().filter(|_| about);
            rules
                .find(|r| self.network_rule_matches(r, home, other, port))
                .map(|r| r.action)
        };
        let mut ranked: Vec<&AdminPolicy> =
            self.admin.iter().filter(|p| p.priority.is_some()).collect();
        ranked.sort_by_key(|p| p.priority);
        match ranked.into_iter().find_map(first) {
            Some("Allow") => return true,
            Some("Deny") => return false,
            _ => {}
        }
        let mut selected = false;
        for policy in &self.network {
            let rules = if egress {
                &policy.egress
            } else {
                &policy.ingress
            };
            let Some(rules) = rules else { continue };
            if policy.namespace != home || !label_is(app, policy.pods) {
                continue;
            }
            selected = true;
            if rules
                .iter()
                .any(|r| self.network_rule_matches(r, home, other, port))
            {
                return true;
            }
        }
        let baseline = self.admin.iter().find(|p| p.priority.is_none());
        !selected && baseline.and_then(first) != Some("Deny")
    }

    fn network_rule_matches(
        &self,
        rule: &NetworkRule,
        home: &str,
        other: Caller,
        port: u16,
    ) -> bool {
        let fits = |peer: &Peer| match (peer, other) {
            (Peer::Block(cidr, except), Caller::Address(address)) => {
                in_block(cidr, address) && !except.is_some_and(|e| in_block(e, address))
            }
            (Peer::Pods(namespaces, pods), Caller::Pod(namespace, app)) => {
                let near = match namespaces {
                    Some(selector) => self.team_is(namespace, *selector),
                    None => namespace == home,
                };
                near && label_is(app, *pods)
            }
            _ => false,
        };
        (rule.ports.is_empty() || rule.ports.contains(&port))
            && (rule.peers.is_empty() || rule.peers.iter().any(fits))
    }

    fn team_is(&self, namespace: &str, selector: Selector) -> bool {
        let found = self.namespaces.iter().find(|n| n.name == namespace);
        label_is(found.map(|n| n.team), selector)
    }

    /// Whether a request gets through: the mesh and the network together. Callers with an identity come to ambient pods by the tunnel.
    pub(super) fn admits(
        &self,
        caller: Caller,
        server: &PodModel,
        port: u16,
        request: &Request,
    ) -> bool {
        let tunnelled =
            self.dataplane(server.namespace) == Dataplane::Ambient && request.identity.is_some();
        let arrives = if tunnelled { TUNNEL } else { port };
        self.network_admits(caller, server, arrives)
            && self.mesh_admits(server, port, request).unwrap_or(true)
    }
}

/// Negations hold where the label is absent.
fn label_is(label: Option<&str>, selector: Selector) -> bool {
    match selector {
        Selector::All => true,
        Selector::Is(value) => label == Some(value),
        Selector::IsNot(value) => label != Some(value),
    }
}

fn rule_matches(
    rule: &MeshRule,
    deny: bool,
    enforcer: Enforcer,
    request: &Request,
    port: u16,
) -> bool {
    let http =
        |o: &Operation| !(o.methods.is_empty() && o.paths.is_empty() && o.not_paths.is_empty());
    if enforcer != Enforcer::Requests && !deny && rule.to.iter().any(http) {
        // Who cannot see requests cannot allow by them.
        return false;
    }
    let from = rule.from.is_empty() || rule.from.iter().any(|s| source_matches(s, request));
    let operation = |o: &Operation| {
        let of_port = o.ports.is_empty() || o.ports.contains(&port);
        match enforcer {
            Enforcer::Requests => {
                let method = o.methods.is_empty() || any(&o.methods, Some(&request.method));
                let path = o.paths.is_empty() || any(&o.paths, Some(&request.path));
                of_port && method && path && !any(&o.not_paths, Some(&request.path))
            }
            // The HTTP fields fall away, so that the denial widens …
            Enforcer::Bytes => of_port,
            // … and where nothing is left, ztunnel matches nothing.
            Enforcer::Ztunnel => of_port && !o.ports.is_empty(),
        }
    };
    from && (rule.to.is_empty() || rule.to.iter().any(operation))
}

fn source_matches(source: &Source, request: &Request) -> bool {
    let principal = request.identity.as_ref().map(ToString::to_string);
    let principal = principal.as_deref();
    let namespace = request.identity.as_ref().map(|i| i.namespace.as_str());
    let address = request.source.to_string();
    (source.principals.is_empty() || any(&source.principals, principal))
        && !any(&source.not_principals, principal)
        && (source.namespaces.is_empty() || any(&source.namespaces, namespace))
        && !any(&source.not_namespaces, namespace)
        && (source.blocks.is_empty() || source.blocks.iter().any(|b| in_block(b, &address)))
}
