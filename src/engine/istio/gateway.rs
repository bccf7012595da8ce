//! Who gets in from outside by one way. Input: an `Exposure` and who reaches the port; output: the access of callers from outside, with the
//! policies at the gateway and at the workload that count.
//!
//! Behind a gateway the workload sees the gateway's identity and address, and the token of the caller (domain: istio.io/docs/ops/best-practices/
//! security, "understand traffic capture"; istio/istio `pilot/pkg/model/policyattachment.go` for policies at gateways).

use std::sync::Arc;

use crate::engine::istio::Istio;
use crate::engine::istio::authorization::{Envoy, Verdict};
use crate::engine::istio::compile::Protocol;
use crate::facts::access::Access;
use crate::facts::access::reach::{Networks, Path, Reach, Via};
use crate::facts::exposure::{EdgeTls, Exposure, Front, GatewayRef};
use crate::facts::pattern::Pattern;
use crate::facts::peers::addresses::Network;
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Address, Atom, Cube, Identity, Literal, PeerSet, Text};
use crate::facts::selector::MatchLabels;
use crate::facts::transport::Membership;
use crate::facts::{Fact, Step, UnknownReason};
use crate::topology::Topology;

/// The label that Istio gives to proxies it makes of a Gateway.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// What the workload sees of who passes the traffic on.
enum Seen {
    /// Nobody: the caller's own connection arrives.
    Caller,
    /// A proxy without mesh identity.
    Anonymous,
    /// A proxy with this identity.
    As(Identity),
    /// A proxy with some identity of the mesh.
    SomeIdentity,
    /// A proxy of which nothing is known.
    Anything,
}

impl Istio {
    /// Who gets to a port from outside by one way; `reach` is who gets to it at all.
    #[must_use]
    pub fn from_outside(
        &self,
        topology: &Topology,
        exposure: &Exposure,
        reach: &Fact<Reach>,
    ) -> Fact<Access> {
        let mut steps = exposure.steps.clone();
        let of_port = reach.steps.clone();
        let unknown = |reason: UnknownReason, steps| Fact::unknown(reason, steps);
        let known = match &reach.value {
            Ok(known) => known,
            Err(reasons) => {
                steps.extend(of_port);
                return Fact {
                    value: Err(reasons.clone()),
                    steps,
                };
            }
        };
        if !exposure.delegated.is_empty() {
            let reason = UnknownReason {
                missing: exposure.delegated.clone(),
                span: None,
            };
            return unknown(reason, steps);
        }
        let (edge, seen) = match self.edge(topology, exposure) {
            Ok(edge) => edge,
            Err(reason) => return unknown(reason, steps),
        };
        steps.extend(edge.steps.iter().cloned());
        steps.extend(of_port);
        let low = self.combined(exposure, known, &edge, &seen, false);
        let high = self.combined(exposure, known, &edge, &seen, true);
        if low == high {
            return Fact::known(low, steps);
        }
        let missing = match &exposure.front {
            Front::Unseen(words) => format!("identity and address of {words}"),
            _ if exposure.mirror => format!(
                "whether copies by {} keep their host name",
                exposure.opened_by()
            ),
            _ => format!(
                "identity and address of the proxies of Gateway {}",
                exposure.gateway()
            ),
        };
        let reason = UnknownReason {
            missing,
            span: exposure.steps.first().and_then(Step::span),
        };
        unknown(reason, steps)
    }

    /// What the gateway lets through, and what the workload sees of it.
    fn edge(
        &self,
        topology: &Topology,
        exposure: &Exposure,
    ) -> Result<(Edge, Seen), UnknownReason> {
        let nets: Vec<Network> = exposure
            .nets
            .iter()
            .filter_map(|n| Network::parse(n))
            .collect();
        let mut base = Cube::all();
        if !nets.is_empty() {
            base = base.with(Literal::is(Atom::Address(Address::Source, nets)));
        }
        let open = Edge {
            verdict: Verdict {
                allowed: PeerSet::of(vec![base.clone()]),
                ..Verdict::default()
            },
            issuers: Vec::new(),
            steps: Vec::new(),
        };
        match &exposure.front {
            Front::Nobody => Ok((open, Seen::Caller)),
            Front::Workloads(ids) => {
                let Some(proxy) = ids.first().and_then(|id| topology.workload(*id)) else {
                    return Ok((open, Seen::Anything));
                };
                let fits = |selector: &MatchLabels| selector.matches(proxy.labels());
                let namespace = proxy.namespace.as_str();
                let port = proxy.behind(exposure.outside_port);
                let edge = self.gateway_edge(exposure, namespace, fits, port, base)?;
                let membership = self.membership(topology, proxy);
                let seen = match membership.get() {
                    None => return Err(first_reason(&membership)),
                    Some(Membership::None) if !proxy.is_gateway() => Seen::Anonymous,
                    Some(_) => Seen::As(self.identity(namespace, &proxy.service_account)),
                };
                Ok((edge, seen))
            }
            Front::Made { namespace, account } => {
                let labels = exposure.gateway.as_ref().and_then(|g| {
                    let object = g.resource.as_ref()?.object();
                    Some((g.name.clone(), object.at(&["metadata", "labels"])))
                });
                let fits = |selector: &MatchLabels| {
                    selector.pairs().all(|(key, value)| {
                        labels.as_ref().is_some_and(|(name, own)| {
                            (key == GATEWAY_NAME && value == name)
                                || own
                                    .and_then(|l| l.get(key))
                                    .is_some_and(|v| v.text() == value)
                        })
                    })
                };
                let port = exposure.outside_port;
                let edge = self.gateway_edge(exposure, namespace, fits, port, base)?;
                Ok((edge, Seen::As(self.identity(namespace, account))))
            }
            Front::Unseen(words) => self.unseen(topology, exposure, words, open, base),
        }
    }

    /// Proxies that are not in the view. Those of an Istio Gateway carry labels that its selector names, and live in a namespace unknown.
    fn unseen(
        &self,
        topology: &Topology,
        exposure: &Exposure,
        words: &str,
        open: Edge,
        base: Cube,
    ) -> Result<(Edge, Seen), UnknownReason> {
        let gateway = exposure.gateway.as_ref().and_then(|g| g.resource.as_ref());
        let of_istio = exposure.opener.group() == "networking.istio.io";
        if !of_istio {
            return Ok((open, Seen::Anything));
        }
        let selector = gateway.and_then(|g| g.object().at(&["spec", "selector"]));
        // Policies of root may be meant for the proxies; only a selector that the Gateway's own implies is sure to be.
        let doubtful = self.policies.selecting_from_root().find(|p| {
            !p.selector.matches(selector)
                && !topology
                    .workloads
                    .iter()
                    .any(|w| p.selector.matches(w.labels()))
        });
        if let Some(policy) = doubtful {
            return Err(UnknownReason {
                missing: format!(
                    "whether AuthorizationPolicy {} is meant for {words}",
                    policy.reference()
                ),
                span: Some(policy.span),
            });
        }
        let fits = |s: &MatchLabels| s.matches(selector);
        let root = self.config.root_namespace.clone();
        let edge = self.gateway_edge(exposure, &root, fits, exposure.outside_port, base)?;
        Ok((edge, Seen::SomeIdentity))
    }

    /// The policies at the proxies of a gateway, for callers from outside.
    fn gateway_edge(
        &self,
        exposure: &Exposure,
        namespace: &str,
        fits: impl Fn(&MatchLabels) -> bool,
        port: u16,
        base: Cube,
    ) -> Result<Edge, UnknownReason> {
        let none = GatewayRef {
            resource: None,
            namespace: String::new(),
            name: String::new(),
        };
        let gateway = exposure.gateway.as_ref().unwrap_or(&none);
        if let Some(reason) = self.taints.of_gateway(namespace, &fits) {
            return Err(reason);
        }
        let policies = self.policies.of_gateway(namespace, &fits, gateway);
        if let Some(reason) = policies.iter().find_map(|p| p.unknown.clone()) {
            return Err(reason);
        }
        let issuers = self
            .request_authentications
            .of_gateway(namespace, &fits, gateway);
        let protocol = reads(exposure.tls);
        let identified = exposure.tls == Some(EdgeTls::Mesh);
        let authenticated = Literal::authenticated();
        let base = base.with(if identified {
            authenticated
        } else {
            authenticated.negated()
        });
        let envoy = Envoy {
            config: &self.config,
            issuers: &issuers,
            protocol,
            port,
        };
        let verdict = envoy.verdict(&policies, &PeerSet::of(vec![base]));
        Ok(Edge {
            steps: verdict.steps.clone(),
            verdict,
            issuers,
        })
    }

    fn identity(&self, namespace: &str, account: &str) -> Identity {
        Identity {
            trust_domain: self
                .config
                .trust_domains
                .first()
                .cloned()
                .unwrap_or_default(),
            namespace: namespace.to_owned(),
            account: account.to_owned(),
        }
    }

    /// Gateway and workload together; `wide` decides what is not known in the caller's favour.
    fn combined(
        &self,
        exposure: &Exposure,
        reach: &Reach,
        edge: &Edge,
        seen: &Seen,
        wide: bool,
    ) -> Access {
        let mut from_edge = edge.verdict.allowed.clone();
        if edge.issuers.is_empty() {
            // No token was looked at yet; it travels on.
            from_edge = from_edge.before_tokens();
        }
        // Whether the outside caller had an identity of its own matters at the gateway only.
        from_edge = from_edge.decided(|l| match l.atom.as_ref() {
            Atom::Identity(_) if exposure.front != Front::Nobody => Some(true),
            _ => None,
        });
        let http = matches!(reads(exposure.tls), Protocol::Http);
        let network = carried(exposure, reach, seen, wide);
        if !reach.proxied {
            let mut access = Access::within(&[(&from_edge, &network)], &edge.verdict.delegated);
            access.proxied = exposure.front != Front::Nobody;
            return access;
        }
        let direct = |p: &&Path| p.via == Via::Direct;
        let spoken = |p: &&Path| p.protocol.is_none_or(|q| (q == Protocol::Http) == http);
        let mut paths: Vec<&Path> = reach.paths.iter().filter(direct).collect();
        if exposure.front != Front::Nobody && paths.iter().any(spoken) {
            paths.retain(spoken);
        }
        let mut allowed = PeerSet::nobody();
        let mut delegated = PeerSet::nobody();
        for path in paths {
            let no_tokens = path.issuers.is_empty();
            let view = |set: &PeerSet| {
                let set = set.decided(|l| {
                    let copied = || host_of_copy(l, wide).filter(|_| exposure.mirror);
                    decide(l, seen, reach.anonymous, wide).or_else(copied)
                });
                if no_tokens { set.before_tokens() } else { set }
            };
            let through = from_edge.intersect(&view(&path.allowed));
            delegated = delegated.union(through.intersect(&view(&path.delegated)));
            allowed = allowed.union(through);
        }
        delegated = delegated.union(allowed.intersect(&edge.verdict.delegated));
        let both = Reach {
            paths: vec![Path {
                via: Via::Direct,
                protocol: None,
                allowed,
                delegated,
                issuers: Vec::new(),
            }],
            network,
            to_waypoint: Networks::default(),
            // Every field by name: what else narrows the port concerns who passes the traffic on, not the caller outside.
            proxied: reach.proxied,
            anonymous: reach.anonymous,
            trust_domains: reach.trust_domains.clone(),
            restricted: reach.restricted,
        };
        both.access()
    }
}

/// Whom of the callers outside the network carries to the port: by their own address without a proxy between, else those whose proxy gets through.
fn carried(exposure: &Exposure, reach: &Reach, seen: &Seen, wide: bool) -> Networks {
    let identified = matches!(seen, Seen::As(_) | Seen::SomeIdentity) && !reach.anonymous;
    let networks = &reach.network;
    let network = if identified {
        &networks.identified
    } else {
        &networks.plain
    };
    let Some(network) = network else {
        return Networks::default();
    };
    let passes = match &exposure.front {
        Front::Nobody => return Networks::same(Arc::new(network.outside())),
        Front::Workloads(ids) => ids.iter().any(|id| network.admits_workload(*id)),
        Front::Made { namespace, account } => network.admits_made(namespace, account),
        Front::Unseen(_) if wide => !network.callers.is_empty(),
        Front::Unseen(_) => network.callers.is_all(),
    };
    if passes {
        Networks::default()
    } else {
        Networks::same(Arc::new(network.nobody()))
    }
}

/// What a gateway's proxies let through.
struct Edge {
    verdict: Verdict,
    issuers: Vec<String>,
    steps: Vec<Step>,
}

/// What a proxy reads of the traffic of a listener.
fn reads(tls: Option<EdgeTls>) -> Protocol {
    match tls {
        Some(EdgeTls::Passthrough | EdgeTls::Raw) => Protocol::Tcp,
        _ => Protocol::Http,
    }
}

/// The truth of a condition of the workload's policies, given who passes the traffic on.
fn decide(literal: &Literal, seen: &Seen, anonymous: bool, wide: bool) -> Option<bool> {
    match literal.atom.as_ref() {
        Atom::Identity(patterns) => {
            let any = || patterns.contains(&IdentityPattern::any());
            let holds = match seen {
                Seen::Caller | Seen::Anonymous => false,
                _ if anonymous => false,
                Seen::As(identity) => patterns.iter().any(|p| p.matches(identity)),
                Seen::SomeIdentity if any() => true,
                Seen::SomeIdentity | Seen::Anything => return Some(wide),
            };
            Some(holds == literal.positive)
        }
        Atom::Address(Address::Source, _) if !matches!(seen, Seen::Caller) => Some(wide),
        _ => None,
    }
}

/// The truth of a condition on the host of a copy: Envoy appends `-shadow` unless told otherwise (`disable_shadow_host_suffix_append`), which Istio
/// does since 1.28 (`DISABLE_SHADOW_HOST_SUFFIX`).
fn host_of_copy(literal: &Literal, wide: bool) -> Option<bool> {
    let Atom::Text(Text::Host, patterns) = literal.atom.as_ref() else {
        return None;
    };
    let by_end = |p: &Pattern| !matches!(p, Pattern::Any | Pattern::Prefix(_));
    // What is open goes for the caller, or against.
    (literal.positive != wide && patterns.iter().all(by_end)).then_some(wide)
}

fn first_reason<T>(fact: &Fact<T>) -> UnknownReason {
    let none = || UnknownReason {
        missing: "membership".to_owned(),
        span: None,
    };
    match &fact.value {
        Err(reasons) => reasons.first().cloned().unwrap_or_else(none),
        Ok(_) => none(),
    }
}
