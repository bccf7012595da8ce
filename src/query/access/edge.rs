//! Who of the view gets through to a port. Input: a client workload and a port with who reaches it; output: allow, deny, delegated or unknown, with
//! the requests it is limited to.
//!
//! What a client presents is what arrives when it calls the Service before the port (auto mTLS, DestinationRule); nothing of the view before the
//! port = its own identity.

use std::collections::BTreeSet;

use crate::engine::Analysis;
use crate::engine::istio::{Destination, Reach, Via, Wire};
use crate::facts::Fact;
use crate::facts::access::Access;
use crate::facts::peers::{Atom, Identity, PeerSet};
use crate::facts::transport::Membership;
use crate::facts::workload::{Port, Workload};

/// The answer for one client and one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Some request gets through.
    Allow,
    /// Some request gets through when an external authorizer agrees, none without being asked.
    Delegated,
    /// It cannot be known.
    Unknown,
    /// No request gets through.
    Deny,
}

impl Verdict {
    /// The word used in output and `expect:` files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Delegated => "delegated",
            Self::Unknown => "unknown",
            Self::Deny => "deny",
        }
    }

    /// Whether the client may get through, for all that is known.
    #[must_use]
    pub fn is_open(self) -> bool {
        self != Self::Deny
    }
}

/// A client with what it can present.
#[derive(Clone, Debug)]
pub struct Client<'a> {
    /// The workload.
    pub workload: &'a Workload,
    dataplane: Option<Membership>,
    identity: Identity,
}

/// The answer with its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Whether the client gets through.
    pub verdict: Verdict,
    /// Requests it is limited to: `method:POST`; empty = any.
    pub requests: BTreeSet<String>,
    /// `direct`, or the waypoint on the way.
    pub via: String,
}

/// What arrives of a client.
pub(crate) enum Presents {
    /// It cannot be known.
    Unknown,
    /// Nothing arrives.
    Nothing,
    /// Something does, perhaps without identity.
    Identity(Option<Identity>),
}

/// Whether one end of a call stands in the network of its node. Connections between a pod and its own node are let through whatever policies say, and
/// what they say of such pods elsewhere is left to the plugin (kubernetes.io/docs/concepts/services-networking/network-policies, "the two sorts
/// of pod isolation", "NetworkPolicy and hostNetwork pods"), so that nobody can tell that they refuse.
pub(crate) fn is_on_node(client: &Workload, server: &Workload) -> bool {
    client.host_network || server.host_network
}

impl<'a> Client<'a> {
    /// A workload as a client.
    #[must_use]
    pub fn of(analysis: &Analysis<'_>, workload: &'a Workload) -> Self {
        let trust_domains = &analysis.istio.config.trust_domains;
        Self {
            dataplane: analysis.membership(workload).get().copied(),
            identity: Identity {
                trust_domain: trust_domains.first().cloned().unwrap_or_default(),
                namespace: workload.namespace.as_str().to_owned(),
                account: workload.service_account.clone(),
            },
            workload,
        }
    }

    /// Whether it is in the ambient dataplane, so that its calls to Services go through their waypoint.
    pub(crate) fn is_ambient(&self) -> bool {
        self.dataplane == Some(Membership::Ambient)
    }

    /// What arrives when it calls a port of `server`.
    pub(crate) fn presents(
        &self,
        analysis: &Analysis<'_>,
        server: &Workload,
        port: &Port,
    ) -> Presents {
        let Some(dataplane) = self.dataplane else {
            return Presents::Unknown;
        };
        if dataplane == Membership::None {
            return Presents::Identity(None);
        }
        let own = || Presents::Identity(Some(self.identity.clone()));
        let Some(service) = port.services.first() else {
            return own();
        };
        let destination = Destination::Service {
            namespace: server.namespace.as_str(),
            name: &service.service.name,
        };
        let topology = &analysis.topology;
        let wire = analysis
            .istio
            .client(topology, self.workload, &destination, service.port, None);
        match wire.as_ref().map(Fact::get) {
            Some(None) => Presents::Unknown,
            Some(Some(Wire::Broken)) => Presents::Nothing,
            Some(Some(Wire::Plaintext | Wire::Tls | Wire::MtlsCustom)) => Presents::Identity(None),
            Some(Some(Wire::Mtls)) | None => own(),
        }
    }

    /// Whether some request of this client gets through to a port.
    #[must_use]
    pub fn calls(
        &self,
        analysis: &Analysis<'_>,
        server: &Workload,
        port: &Port,
        reach: &Fact<Reach>,
    ) -> Edge {
        let plain = |verdict| Edge {
            verdict,
            requests: BTreeSet::new(),
            via: "direct".to_owned(),
        };
        let Some(reach) = reach.get() else {
            return plain(Verdict::Unknown);
        };
        let doubt = analysis.network.doubt_of_leaving(self.workload).is_some();
        let on_node = is_on_node(self.workload, server);
        let carried = |via: &Via, identity: Option<&Identity>| {
            let carried = reach.is_carried(via, self.workload.id, identity);
            carried.filter(|carried| *carried || !on_node)
        };
        if !reach.proxied {
            return plain(match carried(&Via::Direct, None) {
                Some(false) => Verdict::Deny,
                Some(true) if !doubt => Verdict::Allow,
                _ => Verdict::Unknown,
            });
        }
        let identity = match self.presents(analysis, server, port) {
            Presents::Unknown => return plain(Verdict::Unknown),
            Presents::Nothing => return plain(Verdict::Deny),
            Presents::Identity(identity) => identity.filter(|_| !reach.anonymous),
        };
        let seen = |set: &PeerSet| {
            set.decided(|literal| match literal.atom.as_ref() {
                Atom::Identity(patterns) => {
                    let holds = identity
                        .as_ref()
                        .is_some_and(|id| patterns.iter().any(|p| p.matches(id)));
                    Some(holds == literal.positive)
                }
                _ => None,
            })
        };
        let ambient = self.is_ambient();
        let mut best = plain(Verdict::Deny);
        for path in &reach.paths {
            let via = match &path.via {
                Via::Direct => "direct",
                Via::Waypoint(_) if !ambient || identity.is_none() => continue,
                Via::Waypoint(name) => name.as_str(),
            };
            let allowed = seen(&path.allowed);
            let carried = carried(&path.via, identity.as_ref());
            if allowed.is_empty() || carried == Some(false) {
                continue;
            }
            let delegated = seen(&path.delegated);
            let verdict = if doubt || carried.is_none() {
                Verdict::Unknown
            } else if allowed.is_subset(&delegated) {
                Verdict::Delegated
            } else {
                Verdict::Allow
            };
            if verdict < best.verdict {
                let access = Access::of(&allowed, &delegated);
                best = Edge {
                    verdict,
                    requests: access.requests,
                    via: via.to_owned(),
                };
            }
        }
        best
    }
}
