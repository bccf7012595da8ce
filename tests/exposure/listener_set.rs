//! Listeners that ListenerSets hang on a Gateway.

use super::*;

/// A Gateway with `allowedListeners` and one own listener, a ListenerSet of `ml` on it, and a route of `ml` to the set.
fn listener_set(allowed: &str, own: &str, listeners: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: gw, namespace: edge}}, spec: {{gatewayClassName: istio, {allowed}listeners: {own}}}}}\n---\n\
         {{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {{name: set, namespace: ml}}, spec: {{parentRef: {{name: gw, namespace: edge}}, listeners: {listeners}}}}}\n---\n\
         {{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: llm, namespace: ml}}, spec: {{parentRefs: [{{kind: ListenerSet, name: set}}], rules: [{{backendRefs: [{{name: llm, port: 80}}]}}]}}}}\n---\n"
    )
}

const ALL: &str = "allowedListeners: {namespaces: {from: All}}, ";
const OWN: &str = "[{name: own, port: 80, protocol: HTTP, hostname: own.com, allowedRoutes: {namespaces: {from: All}}}]";
const SET: &str = "[{name: a, port: 443, protocol: HTTPS, hostname: a.com}]";

/// Gateway API GEP-1713 and the conformance tests `listenerset-allowed-namespace-*`, `listenerset-default-not-allowed`.
#[test]
fn a_listener_set_leads_in_where_its_gateway_allows_it() {
    let way =
        "route HTTPRoute:ml/llm [edge/gw] 443->8080 simple [\"a.com\"] [] internal=false anyone by";
    let none: [&str; 0] = [];
    assert_eq!(ways(&[SERVER, &listener_set(ALL, OWN, SET)]), [way]);
    // By default, and by `None`, a Gateway takes no listeners of others.
    for allowed in ["", "allowedListeners: {namespaces: {from: None}}, "] {
        let set = listener_set(allowed, OWN, SET);
        assert_eq!(ways(&[SERVER, &set]), none);
        assert_eq!(attached(&[SERVER, &set]), ["HTTPRoute:ml/llm no"]);
    }
    // `Same` is the Gateway's namespace.
    let same = listener_set("allowedListeners: {namespaces: {from: Same}}, ", OWN, SET);
    assert_eq!(ways(&[SERVER, &same]), none);
    let beside = same.replace("name: set, namespace: ml", "name: set, namespace: edge");
    let beside = beside.replace(
        "kind: ListenerSet, name: set",
        "kind: ListenerSet, name: set, namespace: edge",
    );
    // `allowedRoutes` is `Same` too, and that is the namespace of the set.
    assert_eq!(ways(&[SERVER, &beside]), none);
    let open = beside.replace(
        "hostname: a.com",
        "hostname: a.com, allowedRoutes: {namespaces: {from: All}}",
    );
    assert_eq!(ways(&[SERVER, &open]), [way]);
    // A selector, known, refused and unknown.
    let labelled =
        "allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {team: ml}}}}, ";
    let set = listener_set(labelled, OWN, SET);
    let namespace = |labels: &str| {
        format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: ml, labels: {labels}}}}}\n---\n"
        )
    };
    assert_eq!(
        attached(&[SERVER, &namespace("{team: ml}"), &set]),
        ["HTTPRoute:ml/llm yes"]
    );
    assert_eq!(
        attached(&[SERVER, &namespace("{team: web}"), &set]),
        ["HTTPRoute:ml/llm no"]
    );
    assert_eq!(attached(&[SERVER, &set]), ["HTTPRoute:ml/llm ?"]);
    assert_eq!(ways(&[SERVER, &set]), [way]);
    // The older kind says the same; a reference of another group means something else.
    let older = listener_set(ALL, OWN, SET)
        .replace(
            "gateway.networking.k8s.io/v1, kind: ListenerSet",
            "gateway.networking.x-k8s.io/v1alpha1, kind: XListenerSet",
        )
        .replace(
            "{kind: ListenerSet,",
            "{group: gateway.networking.x-k8s.io, kind: XListenerSet,",
        );
    assert_eq!(ways(&[SERVER, &older]), [way]);
    let mixed = listener_set(ALL, OWN, SET).replace(
        "{kind: ListenerSet,",
        "{group: example.com, kind: ListenerSet,",
    );
    assert_eq!(attached(&[SERVER, &mixed]), none);
}

/// GEP-1713 "Route Attachment"; conformance tests `listenerset-dual-parentref-independence`, `listenerset-gateway-parent-section-name-not-found`.
#[test]
fn a_route_attaches_to_the_parent_it_names_only() {
    let set = listener_set(ALL, OWN, SET);
    // To the Gateway: its own listener, never those of the set.
    let to_gateway = set.replace(
        "{kind: ListenerSet, name: set}",
        "{name: gw, namespace: edge}",
    );
    assert_eq!(
        ways(&[SERVER, &to_gateway]),
        [
            "route HTTPRoute:ml/llm [edge/gw] 80->8080 none [\"own.com\"] [] internal=false anyone by"
        ]
    );
    let section = set.replace(
        "{kind: ListenerSet, name: set}",
        "{name: gw, namespace: edge, sectionName: a}",
    );
    assert_eq!(attached(&[SERVER, &section]), ["HTTPRoute:ml/llm no"]);
    // To both: two ways.
    let both = set.replace(
        "{kind: ListenerSet, name: set}",
        "{name: gw, namespace: edge}, {kind: ListenerSet, name: set, sectionName: a}",
    );
    assert_eq!(
        attached(&[SERVER, &both]),
        ["HTTPRoute:ml/llm yes", "HTTPRoute:ml/llm yes"]
    );
    assert_eq!(ways(&[SERVER, &both]).len(), 2);
    // A set or a Gateway that is not in the view leaves it open.
    let (gateway, rest) = set.split_once("\n---\n").unwrap();
    assert!(gateway.contains("kind: Gateway"));
    assert_eq!(attached(&[SERVER, rest]), ["HTTPRoute:ml/llm ?"]);
    assert_eq!(
        ways(&[SERVER, rest]),
        ["route HTTPRoute:ml/llm [edge/gw] 443->8080 ? [\"a.com\"] [] internal=false anyone by"]
    );
    let (_, route) = rest.split_once("\n---\n").unwrap();
    assert_eq!(attached(&[SERVER, route]), ["HTTPRoute:ml/llm ?"]);
    // What the set itself refuses is refused whatever its Gateway says.
    let refused = rest.replace(
        "{kind: ListenerSet, name: set}",
        "{kind: ListenerSet, name: set, sectionName: b}",
    );
    assert_eq!(attached(&[SERVER, &refused]), ["HTTPRoute:ml/llm no"]);
}

/// GEP-1713 "Listener and ListenerSet conflicts"; conformance tests `listenerset-hostname-conflict`, `listenerset-protocol-conflict`.
#[test]
fn of_listeners_that_exclude_each_other_the_first_is_served() {
    let http = |name: &str, host: &str| {
        format!("{{name: {name}, port: 80, protocol: HTTP, hostname: {host}}}")
    };
    let tcp = "{name: bytes, port: 80, protocol: TCP}";
    // The Gateway's own listener comes first, by host name and by protocol.
    let same_host = listener_set(ALL, OWN, &format!("[{}]", http("a", "own.com")));
    assert_eq!(attached(&[SERVER, &same_host]), ["HTTPRoute:ml/llm no"]);
    let other_host = listener_set(ALL, OWN, &format!("[{}]", http("a", "a.com")));
    assert_eq!(attached(&[SERVER, &other_host]), ["HTTPRoute:ml/llm yes"]);
    let raw = "[{name: own, port: 80, protocol: TCP}]";
    let other_protocol = listener_set(ALL, raw, &format!("[{}]", http("a", "a.com")));
    assert_eq!(
        attached(&[SERVER, &other_protocol]),
        ["HTTPRoute:ml/llm no"]
    );
    // Of two sets the older one; without ages nobody knows.
    let elsewhere = OWN.replace("port: 80", "port: 8080");
    let free = listener_set(ALL, &elsewhere, &format!("[{}]", http("a", "a.com")));
    let second = |stamp: &str, listener: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {{name: other, namespace: web{stamp}}}, spec: {{parentRef: {{name: gw, namespace: edge}}, listeners: [{listener}]}}}}\n---\n"
        )
    };
    let stamped = |day: u8| format!(", creationTimestamp: '2026-01-0{day}T00:00:00Z'");
    let aged = free.replace(
        "name: set, namespace: ml}",
        "name: set, namespace: ml, creationTimestamp: '2026-01-02T00:00:00Z'}",
    );
    let others = [http("b", "a.com"), tcp.to_owned()];
    for other in &others {
        assert_eq!(
            attached(&[SERVER, &free, &second("", other)]),
            ["HTTPRoute:ml/llm ?"]
        );
        assert_eq!(
            attached(&[SERVER, &aged, &second(&stamped(1), other)]),
            ["HTTPRoute:ml/llm no"]
        );
        assert_eq!(
            attached(&[SERVER, &aged, &second(&stamped(3), other)]),
            ["HTTPRoute:ml/llm yes"]
        );
        // Of one age the name decides: `ml/set` comes before `web/other`.
        assert_eq!(
            attached(&[SERVER, &aged, &second(&stamped(2), other)]),
            ["HTTPRoute:ml/llm yes"]
        );
    }
    // What the Gateway's own listener refuses excludes nobody.
    assert_eq!(
        attached(&[SERVER, &other_host, &second("", tcp)]),
        ["HTTPRoute:ml/llm yes"]
    );
}

#[test]
fn policies_at_a_set_and_at_its_gateway_count() {
    let set = listener_set(ALL, OWN, SET);
    let policy = |kind: &str, name: &str, namespace: &str| {
        format!(
            "{{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {{name: keys, namespace: {namespace}}}, spec: {{targetRefs: [{{group: gateway.networking.k8s.io, kind: {kind}, name: {name}}}], apiKeyAuth: {{}}}}}}\n---\n"
        )
    };
    for at in [
        policy("Gateway", "gw", "edge"),
        policy("ListenerSet", "set", "ml"),
    ] {
        let found = ways(&[SERVER, &set, &at]);
        assert!(
            found[0].contains("unknown: what SecurityPolicy"),
            "{found:?}"
        );
    }
    // A policy at the set says nothing about the Gateway's own listeners.
    let both = set.replace(
        "{kind: ListenerSet, name: set}",
        "{kind: ListenerSet, name: set}, {name: gw, namespace: edge}",
    );
    let found = ways(&[SERVER, &both, &policy("ListenerSet", "set", "ml")]);
    assert!(found[0].ends_with("anyone by"), "{found:?}");
    assert!(
        found[1].contains("unknown: what SecurityPolicy"),
        "{found:?}"
    );
    // Client certificates are asked for by the Gateway.
    let mutual = set.replace("gatewayClassName: istio, ", "gatewayClassName: istio, tls: {frontend: {default: {validation: {caCertificateRefs: []}}}}, ");
    assert!(ways(&[SERVER, &mutual])[0].contains("443->8080 mutual"));
}
