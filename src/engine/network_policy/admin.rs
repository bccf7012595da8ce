//! Policies of administrators as traffic policies. Input: AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy; output: what
//! they say of each direction.
//!
//! kubernetes-sigs/network-policy-api `apis/v1alpha1/{adminnetworkpolicy_types.go,shared_types.go}`, `apis/v1alpha2/clusternetworkpolicy_types.go`.
//! A ClusterNetworkPolicy fails closed: a peer that cannot be read matches nothing where it accepts, everything where it denies or passes.

use std::sync::Arc;

use super::cluster::{Cluster, Scope};
use super::read::{field, items, network, number, protocol, title, unknown};
use crate::facts::access::callers::Callers;
use crate::facts::access::intervals::Intervals;
use crate::facts::access::traffic::{Direction, Effect, Layer, Ports, TrafficPolicy, TrafficRule};
use crate::facts::label_selector::{Flaw, LabelSelector};
use crate::facts::peers::addresses::Network;
use crate::facts::workload::Protocol;
use crate::view::Member;
use crate::yaml::NodeRef;

/// How the kinds differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// v1alpha1: `ports`, action `Allow`.
    Alpha1(Layer),
    /// v1alpha2: `tier`, `protocols`, action `Accept`.
    Alpha2,
}

/// What a policy says; a flawed one is kept with the reason why it is not known.
pub(super) fn policy(
    member: &Member,
    dialect: Dialect,
    cluster: &mut Cluster<'_>,
) -> Vec<TrafficPolicy> {
    let title = title(member);
    let object = member.resource.object();
    let spec = object.get("spec").unwrap_or(object);
    let mut flaw = None;
    let layer = layer(spec, dialect).unwrap_or_else(|f| {
        flaw = Some(f);
        Layer::Admin
    });
    let subject_node = field(spec, "subject");
    let subject = subject_node
        .ok_or_else(|| Flaw::at(spec, "a policy needs a `subject`"))
        .and_then(|node| pods(node, cluster))
        .and_then(|set| set.ok_or_else(|| Flaw::at(spec, "the subject names no pods")));
    let subject = subject.unwrap_or_else(|f| {
        flaw = Some(f);
        Arc::new(Callers::all().pods)
    });
    let priority = field(spec, "priority").and_then(NodeRef::as_i64);
    let directions = [
        (Direction::Ingress, "ingress", "from"),
        (Direction::Egress, "egress", "to"),
    ];
    let policies = directions
        .into_iter()
        .filter_map(|(direction, list, peers)| {
            let rules: Result<Vec<TrafficRule>, Flaw> = items(spec, list)
                .map(|node| rule(node, peers, dialect, &title, cluster))
                .collect();
            let flaw = flaw.clone().or_else(|| rules.as_ref().err().cloned());
            let rules = rules.unwrap_or_default();
            let silent = rules.is_empty() && flaw.is_none();
            (!silent).then(|| TrafficPolicy {
                resource: Arc::clone(&member.resource),
                title: title.clone(),
                span: subject_node.map_or_else(|| member.resource.name_span(), NodeRef::span),
                layer,
                direction,
                priority: priority.unwrap_or(0),
                subject: Arc::clone(&subject),
                rules,
                unknown: flaw.map(|f| unknown(&title, f)),
            })
        });
    policies.collect()
}

fn layer(spec: NodeRef<'_>, dialect: Dialect) -> Result<Layer, Flaw> {
    match dialect {
        Dialect::Alpha1(layer) => Ok(layer),
        Dialect::Alpha2 => match field(spec, "tier").map(|n| (n, n.text())) {
            Some((_, "Admin")) => Ok(Layer::Admin),
            Some((_, "Baseline")) => Ok(Layer::Baseline),
            Some((node, other)) => Err(Flaw::at(node, format!("tier `{other}` is unknown"))),
            None => Err(Flaw::at(spec, "a policy needs a `tier`")),
        },
    }
}

/// The pods of a subject or a peer: `namespaces`, or `pods` with two selectors; `None` when neither is there.
fn pods(node: NodeRef<'_>, cluster: &mut Cluster<'_>) -> Result<Option<Arc<Intervals>>, Flaw> {
    if let Some(namespaces) = field(node, "namespaces") {
        let selector = LabelSelector::read(namespaces)?;
        return Ok(Some(cluster.select(Scope::Selected(&selector), None)));
    }
    let Some(pods) = field(node, "pods") else {
        return Ok(None);
    };
    let read =
        |name: &str| field(pods, name).map_or(Ok(LabelSelector::default()), LabelSelector::read);
    let (namespaces, labels) = (read("namespaceSelector")?, read("podSelector")?);
    Ok(Some(
        cluster.select(Scope::Selected(&namespaces), Some(&labels)),
    ))
}

fn effect(node: NodeRef<'_>, dialect: Dialect) -> Result<Effect, Flaw> {
    let action = node.get("action");
    let layer = match dialect {
        Dialect::Alpha1(layer) => Some(layer),
        Dialect::Alpha2 => None,
    };
    match (action.map_or("", NodeRef::text), layer) {
        ("Allow", Some(_)) | ("Accept", None) => Ok(Effect::Allow),
        ("Deny", _) => Ok(Effect::Deny),
        ("Pass", Some(Layer::Admin) | None) => Ok(Effect::Pass),
        (other, _) => Err(Flaw::at(node, format!("action `{other}` is unknown here"))),
    }
}

fn rule(
    node: NodeRef<'_>,
    peers: &str,
    dialect: Dialect,
    title: &str,
    cluster: &mut Cluster<'_>,
) -> Result<TrafficRule, Flaw> {
    let mut effect = effect(node, dialect)?;
    let mut callers = Callers::none();
    let mut dead = Vec::new();
    let mut unseen = None;
    for item in items(node, peers) {
        match peer(item, dialect, cluster)? {
            Peer::Callers(more) => {
                if more.is_empty() {
                    dead.push((item.span(), "it selects no pod of the view".to_owned()));
                }
                callers = callers.union(&more);
            }
            Peer::Unseen(says) => {
                let flaw = Flaw::at(item, says);
                unseen = Some(unknown(title, flaw));
            }
            Peer::Unread if effect == Effect::Allow => {
                dead.push((
                    item.span(),
                    "a peer that cannot be read accepts nothing".into(),
                ));
            }
            Peer::Unread => {
                effect = Effect::Deny;
                callers = Callers::all();
            }
        }
    }
    Ok(TrafficRule {
        effect,
        peers: Arc::new(callers),
        ports: ports(node, dialect)?,
        span: node.span(),
        unknown: unseen,
        dead,
    })
}

enum Peer {
    /// These.
    Callers(Callers),
    /// Addresses that files do not tell.
    Unseen(&'static str),
    /// A ClusterNetworkPolicy's peer without any field that is known here.
    Unread,
}

fn peer(item: NodeRef<'_>, dialect: Dialect, cluster: &mut Cluster<'_>) -> Result<Peer, Flaw> {
    if let Some(set) = pods(item, cluster)? {
        return Ok(Peer::Callers(Callers::pods((*set).clone())));
    }
    if field(item, "networks").is_some() {
        let blocks: Vec<Network> = items(item, "networks")
            .map(network)
            .collect::<Result<_, _>>()?;
        let mut callers = Callers::networks(&blocks);
        // Every address is a pod's as well; of other blocks no file tells whether pods live in them.
        if dialect == Dialect::Alpha2 && (holds(&callers.v4, 32) || holds(&callers.v6, 128)) {
            callers.pods = Callers::all().pods;
        }
        return Ok(Peer::Callers(callers));
    }
    if field(item, "nodes").is_some() {
        return Ok(Peer::Unseen("addresses of nodes are not in the files"));
    }
    if field(item, "domainNames").is_some() {
        return Ok(Peer::Unseen(
            "addresses of domain names are not in the files",
        ));
    }
    match dialect {
        Dialect::Alpha2 => Ok(Peer::Unread),
        Dialect::Alpha1(_) => Err(Flaw::at(item, "a peer names nothing that is known here")),
    }
}

/// Whether a set holds every address of its family.
fn holds(set: &Intervals, bits: u32) -> bool {
    let last = u128::MAX >> (128 - bits);
    Intervals::of(0, last).is_subset(set)
}

fn ports(node: NodeRef<'_>, dialect: Dialect) -> Result<Vec<Ports>, Flaw> {
    if dialect == Dialect::Alpha2 && field(node, "protocols").is_some() {
        return items(node, "protocols").map(protocols).collect();
    }
    items(node, "ports").map(port).collect()
}

/// v1alpha1 `portNumber`, `portRange`, `namedPort`.
fn port(item: NodeRef<'_>) -> Result<Ports, Flaw> {
    let need = |node: NodeRef<'_>, name: &str| match field(node, name) {
        Some(field) => number(field),
        None => Err(Flaw::at(node, format!("a port needs `{name}`"))),
    };
    if let Some(one) = field(item, "portNumber") {
        let port = need(one, "port")?;
        return Ok(Ports::Range(protocol(field(one, "protocol"))?, port, port));
    }
    if let Some(range) = field(item, "portRange") {
        let (low, high) = (need(range, "start")?, need(range, "end")?);
        return Ok(Ports::Range(protocol(field(range, "protocol"))?, low, high));
    }
    match field(item, "namedPort") {
        Some(name) => Ok(Ports::Named(name.text().to_owned(), None)),
        None => Err(Flaw::at(item, "a port names nothing that is known here")),
    }
}

/// v1alpha2 `tcp`, `udp`, `sctp` with `destinationPort`, or `destinationNamedPort`.
fn protocols(item: NodeRef<'_>) -> Result<Ports, Flaw> {
    if let Some(name) = field(item, "destinationNamedPort") {
        return Ok(Ports::Named(name.text().to_owned(), None));
    }
    let names = [
        ("tcp", Protocol::Tcp),
        ("udp", Protocol::Udp),
        ("sctp", Protocol::Sctp),
    ];
    let found = names
        .into_iter()
        .find_map(|(name, protocol)| Some((protocol, field(item, name)?)));
    let Some((protocol, node)) = found else {
        return Err(Flaw::at(
            item,
            "a protocol names nothing that is known here",
        ));
    };
    let Some(port) = field(node, "destinationPort") else {
        return Ok(Ports::Range(protocol, 1, u16::MAX));
    };
    if let Some(one) = field(port, "number") {
        let one = number(one)?;
        return Ok(Ports::Range(protocol, one, one));
    }
    match field(port, "range").map(|r| (r.get("start"), r.get("end"))) {
        Some((Some(low), Some(high))) => Ok(Ports::Range(protocol, number(low)?, number(high)?)),
        _ => Err(Flaw::at(port, "a port needs `number` or `range`")),
    }
}
