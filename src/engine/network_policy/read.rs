//! NetworkPolicy as traffic policies. Input: an object; output: what it says of each direction.
//!
//! kubernetes.io/docs/concepts/services-networking/network-policies; defaults and validation: kubernetes/kubernetes
//! `pkg/apis/networking/{v1/defaults.go,validation/validation.go}`.

use std::sync::Arc;

use super::cluster::{Cluster, Scope};
use crate::facts::UnknownReason;
use crate::facts::access::callers::Callers;
use crate::facts::access::traffic::{Direction, Effect, Layer, Ports, TrafficPolicy, TrafficRule};
use crate::facts::label_selector::{Flaw, LabelSelector, plain};
use crate::facts::peers::addresses::Network;
use crate::facts::workload::Protocol;
use crate::view::Member;
use crate::yaml::NodeRef;

/// A field that is there and not null.
pub(super) fn field<'t>(node: NodeRef<'t>, name: &str) -> Option<NodeRef<'t>> {
    node.get(name).filter(|n| !n.is_null())
}

/// The items of a list field.
pub(super) fn items<'t>(node: NodeRef<'t>, name: &str) -> impl Iterator<Item = NodeRef<'t>> {
    field(node, name).into_iter().flat_map(NodeRef::items)
}

/// `NetworkPolicy ai/default-deny`.
pub(super) fn title(member: &Member) -> String {
    let (kind, name) = (member.resource.kind(), &member.resource.name);
    match member.namespace.as_str() {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

pub(super) fn unknown(title: &str, flaw: Flaw) -> UnknownReason {
    UnknownReason {
        missing: format!("what {title} means: {}", flaw.says),
        span: Some(flaw.span),
    }
}

/// The directions of a NetworkPolicy: as listed, else Ingress, and Egress where there is an egress rule.
fn directions(spec: Option<NodeRef<'_>>) -> Result<Vec<Direction>, Flaw> {
    let listed = spec.and_then(|s| field(s, "policyTypes"));
    let mut found = Vec::new();
    for item in listed.into_iter().flat_map(NodeRef::items) {
        found.push(match item.text() {
            "Ingress" => Direction::Ingress,
            "Egress" => Direction::Egress,
            other => return Err(Flaw::at(item, format!("policy type `{other}` is unknown"))),
        });
    }
    if found.is_empty() {
        found.push(Direction::Ingress);
        if spec.is_some_and(|s| items(s, "egress").next().is_some()) {
            found.push(Direction::Egress);
        }
    }
    Ok(found)
}

/// What a NetworkPolicy says; a flawed one is kept with the reason why it is not known.
pub(super) fn network_policy(member: &Member, cluster: &mut Cluster<'_>) -> Vec<TrafficPolicy> {
    let spec = member.resource.object().get("spec");
    let namespace = member.namespace.as_str();
    let title = title(member);
    let selector = spec.and_then(|s| field(s, "podSelector"));
    let span = selector.map_or_else(|| member.resource.name_span(), NodeRef::span);
    let mut flaw = None;
    let labels = selector.map_or(Ok(LabelSelector::default()), LabelSelector::read);
    let labels = labels.unwrap_or_else(|f| {
        flaw = Some(f);
        LabelSelector::default()
    });
    let both = vec![Direction::Ingress, Direction::Egress];
    let directions = directions(spec).unwrap_or_else(|f| {
        flaw = Some(f);
        both
    });
    let subject = cluster.select(Scope::Own(namespace), Some(&labels));
    let policies = directions.into_iter().map(|direction| {
        let (list, peers) = match direction {
            Direction::Ingress => ("ingress", "from"),
            Direction::Egress => ("egress", "to"),
        };
        let rules: Result<Vec<TrafficRule>, Flaw> = spec
            .into_iter()
            .flat_map(|s| items(s, list))
            .map(|node| rule(node, peers, namespace, cluster))
            .collect();
        let flaw = flaw.clone().or_else(|| rules.as_ref().err().cloned());
        TrafficPolicy {
            resource: Arc::clone(&member.resource),
            title: title.clone(),
            span,
            layer: Layer::Network,
            direction,
            priority: 0,
            subject: Arc::clone(&subject),
            rules: rules.unwrap_or_default(),
            unknown: flaw.map(|f| unknown(&title, f)),
        }
    });
    policies.collect()
}

fn rule(
    node: NodeRef<'_>,
    peers: &str,
    namespace: &str,
    cluster: &mut Cluster<'_>,
) -> Result<TrafficRule, Flaw> {
    let mut callers = Callers::none();
    let mut dead = Vec::new();
    let mut any = true;
    for item in items(node, peers) {
        any = false;
        let more = peer(item, namespace, cluster)?;
        if more.is_empty() {
            dead.push((item.span(), "it selects no pod of the view".to_owned()));
        }
        callers = callers.union(&more);
    }
    if any {
        callers = Callers::all();
    }
    let ports: Result<Vec<Ports>, Flaw> = items(node, "ports").map(ports).collect();
    Ok(TrafficRule {
        effect: Effect::Allow,
        peers: Arc::new(callers),
        ports: ports?,
        span: node.span(),
        unknown: None,
        dead,
    })
}

fn peer(item: NodeRef<'_>, namespace: &str, cluster: &mut Cluster<'_>) -> Result<Callers, Flaw> {
    let block = field(item, "ipBlock");
    let selector = |name: &str| field(item, name).map(LabelSelector::read).transpose();
    let (namespaces, pods) = (selector("namespaceSelector")?, selector("podSelector")?);
    match (block, &namespaces, &pods) {
        (Some(block), None, None) => ip_block(block),
        (Some(_), _, _) => Err(Flaw::at(item, "`ipBlock` excludes the selectors")),
        (None, None, None) => Err(Flaw::at(item, "a peer needs a selector or an `ipBlock`")),
        (None, Some(of), _) => {
            let set = cluster.select(Scope::Selected(of), pods.as_ref());
            Ok(Callers::pods((*set).clone()))
        }
        (None, None, Some(_)) => {
            let set = cluster.select(Scope::Own(namespace), pods.as_ref());
            Ok(Callers::pods((*set).clone()))
        }
    }
}

pub(super) fn network(node: NodeRef<'_>) -> Result<Network, Flaw> {
    let text = plain(node)?;
    let cidr = text.contains('/').then(|| Network::parse(&text)).flatten();
    cidr.ok_or_else(|| Flaw::at(node, format!("`{text}` is no CIDR block")))
}

fn ip_block(block: NodeRef<'_>) -> Result<Callers, Flaw> {
    let cidr = block
        .get("cidr")
        .ok_or_else(|| Flaw::at(block, "`ipBlock` needs a `cidr`"))?;
    let except: Vec<Network> = items(block, "except")
        .map(network)
        .collect::<Result<_, _>>()?;
    Ok(Callers::networks(&[network(cidr)?]).subtract(&Callers::networks(&except)))
}

pub(super) fn protocol(node: Option<NodeRef<'_>>) -> Result<Protocol, Flaw> {
    match node.map(|n| (n, n.text())) {
        None => Ok(Protocol::Tcp),
        Some((_, "TCP" | "UDP" | "SCTP")) => Ok(Protocol::read(node.and_then(NodeRef::as_str))),
        Some((node, other)) => Err(Flaw::at(node, format!("protocol `{other}` is unknown"))),
    }
}

/// A port number; 0 and more than 65535 are refused by the API server.
pub(super) fn number(node: NodeRef<'_>) -> Result<u16, Flaw> {
    let number = node.as_i64().and_then(|n| u16::try_from(n).ok());
    number
        .filter(|n| *n != 0)
        .ok_or_else(|| Flaw::at(node, format!("`{}` is no port number", node.text())))
}

fn ports(item: NodeRef<'_>) -> Result<Ports, Flaw> {
    let protocol = protocol(field(item, "protocol"))?;
    let end = field(item, "endPort");
    let Some(port) = field(item, "port") else {
        return match end {
            Some(end) => Err(Flaw::at(end, "`endPort` needs a `port`")),
            None => Ok(Ports::Range(protocol, 1, u16::MAX)),
        };
    };
    if port.as_i64().is_some() {
        let low = number(port)?;
        let high = end.map_or(Ok(low), number)?;
        if high < low {
            return Err(Flaw::at(port, "`endPort` is less than `port`"));
        }
        return Ok(Ports::Range(protocol, low, high));
    }
    let name = plain(port)?;
    // pkg/apis/networking/validation: a name holds a letter and at most 15 characters.
    let valid = name.len() <= 15 && name.chars().any(|c| c.is_ascii_lowercase());
    match end {
        Some(end) => Err(Flaw::at(end, "`endPort` needs a numeric `port`")),
        None if !valid => Err(Flaw::at(port, format!("`{name}` is no port name"))),
        None => Ok(Ports::Named(name, Some(protocol))),
    }
}
