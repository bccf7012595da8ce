//! ListenerSets: listeners that others hang on a Gateway. Input: both kinds; output: parents, with the listeners that the Gateway serves.
//!
//! kubernetes-sigs/gateway-api GEP-1713, `apis/v1/{gateway,listenerset}_types.go` (v1.5; `apisx/v1alpha1` XListenerSet since v1.3). A Gateway
//! takes none unless `allowedListeners` says so. A route attaches to the object that it names, never to the listeners of its Gateway or of
//! another set. Of listeners that exclude each other the Gateway's own come first, then those of the oldest set, then by name.

use std::collections::BTreeMap;

use super::gateway::{Parent, authenticated_by};
use super::listener::{Admits, Listener};
use super::{GROUP, Parents, selects, shown};
use crate::facts::Step;
use crate::facts::exposure::{Front, GatewayRef, join};
use crate::topology::Topology;
use crate::topology::ways::{Builder, age, text};
use crate::view::Member;

/// Kinds that have served listeners of a Gateway beside its own.
pub(super) const KINDS: [(&str, &str); 2] = [
    (GROUP, "ListenerSet"),
    ("gateway.networking.x-k8s.io", "XListenerSet"),
];

/// Adds the sets of the view to the Gateways that are known.
pub(super) fn read<'v>(builder: &Builder<'v>, parents: &mut Parents<'v>) {
    let mut of_gateway: BTreeMap<(&str, &str), Vec<Parent<'v>>> = BTreeMap::new();
    for (group, kind) in KINDS {
        for member in builder.view.of_kind(group, kind) {
            let Some((namespace, name)) = named(member) else {
                continue;
            };
            let gateway = parents.get(&("Gateway", namespace, name));
            let set = match gateway {
                Some(gateway) => under(builder, member, gateway),
                None => alone(builder, member, namespace, name),
            };
            of_gateway.entry((namespace, name)).or_default().push(set);
        }
    }
    for ((namespace, name), mut sets) in of_gateway {
        if let Some(gateway) = parents.get(&("Gateway", namespace, name)) {
            beside_own(gateway, &mut sets);
        }
        beside_each_other(&mut sets);
        for set in sets {
            let member = set.member;
            let place = (member.namespace.as_str(), member.resource.name.as_str());
            parents.insert((member.resource.kind(), place.0, place.1), set);
        }
    }
}

/// Namespace and name of the Gateway that a set names.
fn named(member: &Member) -> Option<(&str, &str)> {
    let parent = member.resource.object().at(&["spec", "parentRef"])?;
    let of_gateway = matches!(text(parent, "kind"), "" | "Gateway")
        && matches!(text(parent, "group"), "" | GROUP);
    let namespace = match text(parent, "namespace") {
        "" => member.namespace.as_str(),
        other => other,
    };
    of_gateway.then_some((namespace, text(parent, "name")))
}

/// A set whose Gateway is in the view.
fn under<'v>(builder: &Builder<'_>, member: &'v Member, gateway: &Parent<'_>) -> Parent<'v> {
    let mut listeners = Listener::all(builder, member, Some(gateway.member));
    let mut steps = Vec::new();
    let served = match allowed(builder.topology, gateway.member, member) {
        Ok(step) => {
            steps.push(step);
            Admits::Yes
        }
        Err(no_or_unknown) => no_or_unknown,
    };
    for listener in &mut listeners {
        listener.served = served.clone();
    }
    steps.extend(gateway.steps.iter().cloned());
    Parent {
        member,
        gateway: gateway.gateway.clone(),
        listeners,
        front: gateway.front.clone(),
        inside: gateway.inside,
        internal: gateway.internal,
        authenticated_by: authenticated_by(builder, member)
            .or_else(|| gateway.authenticated_by.clone()),
        steps,
    }
}

/// A set whose Gateway is not in the view: it may be served, and nothing more is known.
fn alone<'v>(builder: &Builder<'_>, member: &'v Member, namespace: &str, name: &str) -> Parent<'v> {
    let gateway = GatewayRef {
        resource: None,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let reference = gateway.reference();
    let says = format!(
        "Gateway {reference}, which is not in the view, serves {} and is reached from outside",
        shown(member)
    );
    let mut listeners = Listener::all(builder, member, None);
    for listener in &mut listeners {
        listener.served = Admits::Unknown(Step::assumed("objects", says.clone()));
    }
    Parent {
        member,
        gateway,
        listeners,
        front: Front::Unseen(format!("the proxies of Gateway {reference}")),
        inside: false,
        internal: false,
        authenticated_by: authenticated_by(builder, member),
        steps: Vec::new(),
    }
}

/// What of the Gateway lets a set in: `allowedListeners.namespaces.from`, `None` by default.
fn allowed(topology: &Topology, gateway: &Member, set: &Member) -> Result<Step, Admits> {
    let object = gateway.resource.object();
    let namespaces = object.at(&["spec", "allowedListeners", "namespaces"]);
    let (own, of_set) = (gateway.namespace.as_str(), set.namespace.as_str());
    let reference = join(own, &gateway.resource.name);
    let fits = match namespaces.map_or("", |n| text(n, "from")) {
        "All" => true,
        "Same" => own == of_set,
        "Selector" => {
            let selector = namespaces.and_then(|n| n.get("selector"));
            match selector.map(|s| selects(topology, s, of_set)) {
                Some(None) => {
                    return Err(Admits::labelled(of_set, &format!("Gateway {reference}")));
                }
                Some(Some(fits)) => fits,
                None => false,
            }
        }
        _ => {
            return Err(Admits::No(format!(
                "Gateway {reference} takes no listeners of others"
            )));
        }
    };
    match namespaces {
        Some(node) if fits => {
            let says = format!("Gateway {reference} serves {}", shown(set));
            let node = node.get("from").unwrap_or(node);
            Ok(Step::decides(&gateway.resource, node.span(), says))
        }
        _ => Err(Admits::No(format!(
            "Gateway {reference} takes no listeners of namespace {of_set}"
        ))),
    }
}

/// Whether two listeners of one Gateway exclude each other (`gateway_types.go`, "Listeners are distinct"; conformance tests
/// `listenerset-{hostname,protocol}-conflict`): one port carries one group of protocols, and within it one listener has a host name.
fn exclude(a: &Listener<'_>, b: &Listener<'_>) -> bool {
    let carries = |l: &Listener<'_>| match l.protocol {
        "HTTP" => 1,
        "HTTPS" | "TLS" => 2,
        "TCP" => 3,
        _ => 0,
    };
    let (left, right) = (carries(a), carries(b));
    if a.port == 0 || a.port != b.port || left == 0 || right == 0 {
        return false;
    }
    left != right || left == 3 || a.hostname.eq_ignore_ascii_case(b.hostname)
}

/// Takes out the listeners that the Gateway's own exclude.
fn beside_own(gateway: &Parent<'_>, sets: &mut [Parent<'_>]) {
    for listener in sets.iter_mut().flat_map(|set| &mut set.listeners) {
        let first = gateway.listeners.iter().find(|own| exclude(own, listener));
        if let Some(first) = first {
            listener.served = Admits::No(conflict(listener, first, gateway));
        }
    }
}

/// Takes out the listeners that those of an older set exclude; without ages both may be the one that is served.
fn beside_each_other(sets: &mut [Parent<'_>]) {
    sets.sort_by(|a, b| order(a).cmp(&order(b)));
    let aged = sets.iter().all(|set| !age(set.member).is_empty());
    for later in 0..sets.len() {
        let (before, rest) = sets.split_at_mut(later);
        let Some(set) = rest.first_mut() else {
            continue;
        };
        for listener in &mut set.listeners {
            if matches!(listener.served, Admits::No(_)) {
                continue;
            }
            for earlier in before.iter_mut() {
                settle(listener, set.member, earlier, aged);
            }
        }
    }
}

/// Settles a listener against those of an earlier set.
fn settle(listener: &mut Listener<'_>, of: &Member, earlier: &mut Parent<'_>, aged: bool) {
    let other = shown(earlier.member);
    let first = earlier
        .listeners
        .iter()
        .position(|l| !matches!(l.served, Admits::No(_)) && exclude(l, listener));
    let Some(at) = first else {
        return;
    };
    let sure = |l: &Listener<'_>| matches!(l.served, Admits::Yes);
    if aged && earlier.listeners.get(at).is_some_and(sure) {
        if let Some(first) = earlier.listeners.get(at) {
            listener.served = Admits::No(conflict(listener, first, earlier));
        }
        return;
    }
    let mine = shown(of);
    let older = |this: &str, that: &str| {
        let says = format!("{this} is older than {that}, whose listener excludes this one");
        Admits::Unknown(Step::assumed("objects", says))
    };
    let first = earlier.listeners.get_mut(at);
    if let Some(first) = first.filter(|l| !aged && sure(l)) {
        first.served = older(&other, &mine);
    }
    if sure(listener) {
        listener.served = older(&mine, &other);
    }
}

fn conflict(listener: &Listener<'_>, first: &Listener<'_>, of: &Parent<'_>) -> String {
    let what = if listener.protocol == first.protocol && listener.protocol != "TCP" {
        "host name"
    } else {
        "port"
    };
    format!(
        "listener {} of {} has its {what} and comes first",
        first.name,
        of.shown()
    )
}

/// Oldest first, then by namespace and name.
fn order<'p>(set: &'p Parent<'_>) -> (&'p str, &'p str, &'p str) {
    let member = set.member;
    (
        age(member),
        member.namespace.as_str(),
        &member.resource.name,
    )
}
