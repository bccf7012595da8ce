//! Ways into the cluster: what opens them, what callers meet, who gets through. Expectations are worked out by hand from the specifications
//! named in `src/topology/ways`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use meshgov::cli::pipeline;
use meshgov::engine::Analysis;
use meshgov::facts::Assumptions;

/// A model server on 8080 behind Service `ml/llm:80`, in no mesh unless the namespace says so.
const SERVER: &str = "
{apiVersion: apps/v1, kind: Deployment, metadata: {name: llm, namespace: ml}, spec: {template: {metadata: {labels: {app: llm}}, spec: {serviceAccountName: llm, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: llm, namespace: ml}, spec: {selector: {app: llm}, ports: [{name: http, port: 80, targetPort: http}]}}
---
";
const INJECTED: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: ml, labels: {istio-injection: enabled}}}
---
";
const PROXIES: &str = "
{apiVersion: apps/v1, kind: Deployment, metadata: {name: ingress, namespace: edge}, spec: {template: {metadata: {labels: {istio: ingress, sidecar.istio.io/inject: 'true'}, annotations: {inject.istio.io/templates: gateway}}, spec: {serviceAccountName: ingress, containers: [{name: istio-proxy, ports: [{containerPort: 8443}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: ingress, namespace: edge}, spec: {type: LoadBalancer, selector: {istio: ingress}, ports: [{name: https, port: 443, targetPort: 8443}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gw, namespace: edge}, spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['ml/llm.example.com'], tls: {mode: SIMPLE, credentialName: c}}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: llm, namespace: ml}, spec: {hosts: [llm.example.com], gateways: [edge/gw], http: [{match: [{uri: {prefix: /v1}}], route: [{destination: {host: llm}}]}]}}
---
";

/// Every way to `ml/llm`, one line each: way, opener, gateway, outside port, tls, hosts, paths, internal, who gets in.
fn ways(manifests: &[&str]) -> Vec<String> {
    let files = [("in.yaml".to_owned(), manifests.concat())];
    let input = pipeline::read_texts(&files, Assumptions::default());
    assert!(
        input.loaded.problems.is_empty(),
        "{:?}",
        input.loaded.problems
    );
    let analysis = Analysis::of(&input.views[0], &input.assume);
    let mut found = Vec::new();
    for workload in &analysis.topology.workloads {
        if workload.reference() != "ml/llm" {
            continue;
        }
        for way in &analysis.ways.exposures {
            if way.workload != workload.id {
                continue;
            }
            let port = workload.port(way.port).unwrap();
            let reach = analysis.reach(workload, port);
            let access = analysis.from_outside(way, &reach);
            let who = match &access.value {
                Ok(access) => {
                    let by: Vec<_> = access.by.iter().map(|b| b.as_str()).collect();
                    format!("{} by {}", access.level.as_str(), by.join("+"))
                }
                Err(reasons) => format!("unknown: {}", reasons[0].missing),
            };
            found.push(format!(
                "{} {} [{}] {}->{} {} {:?} {:?} internal={} {}",
                way.way.as_str(),
                way.opened_by(),
                way.gateway(),
                way.outside_port,
                way.port,
                way.tls.map_or("?", |t| t.as_str()),
                way.hosts,
                way.paths,
                way.internal,
                who.trim()
            ));
        }
    }
    found
}

#[test]
fn services_and_node_ports_open_the_cluster() {
    let lb = "{apiVersion: v1, kind: Service, metadata: {name: lb, namespace: ml, annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internal}}, spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], selector: {app: llm}, ports: [{port: 8000, targetPort: 8080}]}}\n---\n";
    let node = "{apiVersion: v1, kind: Service, metadata: {name: node, namespace: ml}, spec: {type: NodePort, selector: {app: llm}, ports: [{port: 8000, targetPort: 8080, nodePort: 30080}]}}\n---\n";
    assert_eq!(
        ways(&[SERVER, lb, node]),
        [
            "load-balancer Service:ml/lb [] 8000->8080 raw [] [] internal=true anyone by network",
            "node-port Service:ml/node [] 30080->8080 raw [] [] internal=false anyone by",
        ]
    );
    // Under STRICT nobody without a certificate of the mesh gets in, whatever opens the door.
    let strict = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: ml}, spec: {mtls: {mode: STRICT}}}\n---\n";
    assert_eq!(
        ways(&[INJECTED, strict, SERVER, node]),
        ["node-port Service:ml/node [] 30080->8080 raw [] [] internal=false nobody by"]
    );
}

#[test]
fn host_ports_open_the_node() {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: llm, namespace: ml}, spec: {containers: [{name: c, ports: [{containerPort: 8080, hostPort: 80}, {containerPort: 9090, hostPort: 9090, hostIP: 127.0.0.1}]}]}}\n";
    assert_eq!(
        ways(&[pod]),
        ["host-port Pod:ml/llm [] 80->8080 raw [] [] internal=false anyone by"]
    );
    let agent = "{apiVersion: v1, kind: Pod, metadata: {name: llm, namespace: ml}, spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 8080}]}]}}\n";
    assert_eq!(
        ways(&[agent]),
        ["host-network Pod:ml/llm [] 8080->8080 raw [] [] internal=false anyone by"]
    );
}

#[test]
fn an_ingress_leads_in_by_host_and_path() {
    let ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: llm, namespace: ml}, spec: {ingressClassName: nginx, tls: [{hosts: [a.com]}], rules: [{host: a.com, http: {paths: [{path: /v1, pathType: Prefix, backend: {service: {name: llm, port: {name: http}}}}]}}, {host: b.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: llm, port: {number: 80}}}}]}}]}}\n---\n";
    assert_eq!(
        ways(&[SERVER, ingress]),
        [
            "route Ingress:ml/llm [nginx] 80->8080 none [\"b.com\"] [] internal=false anyone by",
            "route Ingress:ml/llm [nginx] 443->8080 simple [\"a.com\"] [\"/v1*\"] internal=false anyone by",
        ]
    );
    // With STRICT it depends on whether the controller is in the mesh.
    let strict = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: ml}, spec: {mtls: {mode: STRICT}}}\n---\n";
    let found = ways(&[INJECTED, strict, SERVER, ingress]);
    assert!(
        found[0].ends_with("unknown: identity and address of the controller of Ingress ml/llm"),
        "{found:?}"
    );
    // An annotation that authenticates callers leaves it open who gets in.
    let checked = ingress.replace(
        "namespace: ml}",
        "namespace: ml, annotations: {nginx.ingress.kubernetes.io/auth-url: 'https://idp'}}",
    );
    let found = ways(&[SERVER, &checked]);
    assert!(
        found[0].ends_with("unknown: what annotation nginx.ingress.kubernetes.io/auth-url of Ingress ml/llm asks of callers"),
        "{found:?}"
    );
}

/// An OpenShift Route of `ml` with these fields.
fn openshift_route(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: route.openshift.io/v1, kind: Route, metadata: {{name: {name}, namespace: ml}}, spec: {{{spec}}}}}\n---\n"
    )
}

/// openshift/api `route/v1/types.go`; openshift/router `pkg/router/template/router.go`.
#[test]
fn a_route_of_openshift_leads_in() {
    let way = |spec: &str| ways(&[SERVER, &openshift_route("llm", spec)]);
    let to = "to: {kind: Service, name: llm}";
    let told = |port: u16, tls: &str| {
        format!("route Route:ml/llm [] {port}->8080 {tls} [\"a.com\"] [] internal=false anyone by")
    };
    assert_eq!(way(&format!("host: a.com, {to}")), [told(80, "none")]);
    // Cleartext beside TLS has to be allowed; a redirect passes nothing on.
    for insecure in [
        "",
        ", insecureEdgeTerminationPolicy: None",
        ", insecureEdgeTerminationPolicy: Redirect",
    ] {
        for termination in ["edge", "reencrypt"] {
            let spec = format!("host: a.com, {to}, tls: {{termination: {termination}{insecure}}}");
            assert_eq!(way(&spec), [told(443, "simple")], "{spec}");
        }
    }
    let both = format!(
        "host: a.com, {to}, tls: {{termination: edge, insecureEdgeTerminationPolicy: Allow}}"
    );
    assert_eq!(way(&both), [told(80, "none"), told(443, "simple")]);
    let through = format!("host: a.com, {to}, tls: {{termination: passthrough}}");
    assert_eq!(way(&through), [told(443, "passthrough")]);
    // A prefix of the path; the name of the host is made up where none is given.
    assert_eq!(
        way(&format!("path: /v1, {to}")),
        ["route Route:ml/llm [] 80->8080 none [] [\"/v1*\"] internal=false anyone by"]
    );
    // Networks that callers must be in; what the router cannot read lets everybody in.
    let listed = |nets: &str| {
        let route = openshift_route("llm", &format!("host: a.com, {to}"));
        let named = format!(
            "namespace: ml, annotations: {{haproxy.router.openshift.io/ip_allowlist: '{nets}'}}}}"
        );
        ways(&[SERVER, &route.replace("namespace: ml}", &named)])
    };
    assert!(listed("10.0.0.0/8 192.0.2.1")[0].ends_with("anyone by network"));
    for unread in ["10.0.0.0/8,192.0.2.1", "10.0.0.0/8 ", "office", ""] {
        assert_eq!(listed(unread), [told(80, "none")], "{unread}");
    }
}

/// openshift/router `endpointsForAlias`: the name of the Service's port or the number of the pod's; weight 0 gets nothing.
#[test]
fn a_route_of_openshift_picks_backends_and_ports() {
    let two = SERVER.replace("ports: [{name: http, port: 80, targetPort: http}]", "ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81, targetPort: 9090}, {name: dns, port: 53, protocol: UDP}]");
    let ports = |spec: &str| -> Vec<String> {
        let found = ways(&[
            &two,
            &openshift_route("llm", &format!("host: a.com, {spec}")),
        ]);
        found
            .iter()
            .map(|w| w.split("80->").nth(1).unwrap()[..4].to_owned())
            .collect()
    };
    let to = "to: {kind: Service, name: llm}";
    assert_eq!(ports(to), ["8080", "9090"]);
    assert_eq!(
        ports(&format!("{to}, port: {{targetPort: admin}}")),
        ["9090"]
    );
    assert_eq!(
        ports(&format!("{to}, port: {{targetPort: 8080}}")),
        ["8080"]
    );
    // 80 is the Service's port, not the pod's.
    let none: [&str; 0] = [];
    assert_eq!(ports(&format!("{to}, port: {{targetPort: 80}}")), none);
    assert_eq!(ports("to: {kind: Service, name: llm, weight: 0}"), none);
    let other = "to: {kind: Service, name: web}, alternateBackends: [{kind: Service, name: llm, weight: 1}], port: {targetPort: http}";
    assert_eq!(ports(other), ["8080"]);
    assert_eq!(ports(&other.replace("weight: 1", "weight: 0")), none);
}

/// openshift/router `pkg/router/controller/unique_host.go`: a host belongs to the namespace of its oldest Route; wildcards need a router that
/// admits them.
#[test]
fn which_route_of_openshift_has_a_host() {
    let to = "to: {kind: Service, name: llm}";
    let mine = openshift_route("llm", &format!("host: a.com, {to}"));
    let other = |place: &str, path: &str| {
        let other = openshift_route(
            "other",
            &format!("host: a.com, {path}to: {{kind: Service, name: web}}"),
        );
        other.replace("namespace: ml", place)
    };
    let at = |route: &str, day: u8| {
        route.replace(
            "namespace: ml",
            &format!("namespace: ml, creationTimestamp: '2026-01-0{day}T00:00:00Z'"),
        )
    };
    let yes_or_no = |manifests: &[&str]| attached(manifests)[0].clone();
    assert_eq!(yes_or_no(&[SERVER, &mine]), "Route:ml/llm yes");
    assert_eq!(
        yes_or_no(&[SERVER, &mine, &other("namespace: ml", "path: /b, ")]),
        "Route:ml/llm yes"
    );
    assert_eq!(
        yes_or_no(&[SERVER, &mine, &other("namespace: ml", "")]),
        "Route:ml/llm ?"
    );
    assert_eq!(
        yes_or_no(&[SERVER, &mine, &other("namespace: web", "path: /b, ")]),
        "Route:ml/llm ?"
    );
    let theirs = other("namespace: ml", "");
    assert_eq!(
        yes_or_no(&[SERVER, &at(&mine, 1), &at(&theirs, 2)]),
        "Route:ml/llm yes"
    );
    assert_eq!(
        yes_or_no(&[SERVER, &at(&mine, 2), &at(&theirs, 1)]),
        "Route:ml/llm ?"
    );
    let wild = openshift_route(
        "llm",
        &format!("host: x.a.com, wildcardPolicy: Subdomain, {to}"),
    );
    assert_eq!(attached(&[SERVER, &wild]), ["Route:ml/llm ?"]);
    assert!(ways(&[SERVER, &wild])[0].contains("[\"*.a.com\"]"));
}

fn gateway_api(listeners: &str, route_namespace: &str, hostnames: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: gw, namespace: edge}}, spec: {{gatewayClassName: istio, listeners: {listeners}}}}}\n---\n\
         {{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: llm, namespace: {route_namespace}}}, spec: {{hostnames: {hostnames}, parentRefs: [{{name: gw, namespace: edge}}], rules: [{{matches: [{{path: {{type: PathPrefix, value: /v1}}}}], backendRefs: [{{name: llm, namespace: ml, port: 80}}]}}]}}}}\n---\n"
    )
}

#[test]
fn a_route_attaches_where_a_listener_takes_it() {
    let all = "[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]";
    assert_eq!(
        ways(&[SERVER, &gateway_api(all, "ml", "[]")]),
        ["route HTTPRoute:ml/llm [edge/gw] 80->8080 none [] [\"/v1*\"] internal=false anyone by"]
    );
    // The default takes routes of the Gateway's own namespace only.
    let same = "[{name: web, port: 80, protocol: HTTP}]";
    assert_eq!(ways(&[SERVER, &gateway_api(same, "ml", "[]")]), [""; 0]);
    // Another namespace's Service needs a grant.
    assert_eq!(ways(&[SERVER, &gateway_api(same, "edge", "[]")]), [""; 0]);
    let grant = "{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: g, namespace: ml}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}], to: [{group: '', kind: Service}]}}\n---\n";
    assert_eq!(
        ways(&[SERVER, grant, &gateway_api(same, "edge", "[]")]).len(),
        1
    );
    // Host names must meet; a wildcard of the listener narrows to the route's name.
    let named = "[{name: web, port: 443, protocol: HTTPS, hostname: '*.a.com', allowedRoutes: {namespaces: {from: All}}}]";
    assert_eq!(
        ways(&[SERVER, &gateway_api(named, "ml", "[x.a.com, y.b.com]")]),
        [
            "route HTTPRoute:ml/llm [edge/gw] 443->8080 simple [\"x.a.com\"] [\"/v1*\"] internal=false anyone by"
        ]
    );
    assert_eq!(
        ways(&[SERVER, &gateway_api(named, "ml", "[y.b.com]")]),
        [""; 0]
    );
    // Every namespace carries its own name as a label.
    let by_name = "[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: ml}}}}}]";
    assert_eq!(ways(&[SERVER, &gateway_api(by_name, "ml", "[]")]).len(), 1);
    let by_label = by_name.replace("kubernetes.io/metadata.name: ml", "edge: yes");
    assert_eq!(
        ways(&[INJECTED, SERVER, &gateway_api(&by_label, "ml", "[]")]),
        [""; 0]
    );
}

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

/// Every way in: where it ends, and whether only copies arrive.
fn marked(manifests: &[&str]) -> Vec<String> {
    let files = [("in.yaml".to_owned(), manifests.concat())];
    let input = pipeline::read_texts(&files, Assumptions::default());
    let analysis = Analysis::of(&input.views[0], &input.assume);
    let routes = analysis
        .ways
        .exposures
        .iter()
        .filter(|w| w.opener.kind() != "Service");
    let found = routes.map(|way| {
        let to = analysis
            .topology
            .workload(way.workload)
            .unwrap()
            .reference();
        let copies = if way.mirror { "copies " } else { "" };
        format!("{to}:{} {copies}by {}", way.port, way.opened_by())
    });
    found.collect()
}

/// Whether each route is attached, `?` where it cannot be known.
fn attached(manifests: &[&str]) -> Vec<String> {
    let files = [("in.yaml".to_owned(), manifests.concat())];
    let input = pipeline::read_texts(&files, Assumptions::default());
    let analysis = Analysis::of(&input.views[0], &input.assume);
    let routes = analysis.ways.routes.iter().map(|r| {
        let attached = r.attached.map_or("?", |a| if a { "yes" } else { "no" });
        format!("{} {attached}", r.reference())
    });
    routes.collect()
}

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

#[test]
fn a_gateway_inside_the_cluster_is_no_way_in() {
    let all = "[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]";
    let inside = gateway_api(all, "ml", "[]").replace(
        "namespace: edge}, spec: {gatewayClassName",
        "namespace: edge, annotations: {networking.istio.io/service-type: ClusterIP}}, spec: {gatewayClassName",
    );
    assert_eq!(ways(&[SERVER, &inside]), [""; 0]);
    let waypoint = gateway_api(all, "ml", "[]").replace("Name: istio", "Name: istio-waypoint");
    assert_eq!(ways(&[SERVER, &waypoint]), [""; 0]);
}

#[test]
fn an_istio_gateway_leads_in_through_its_proxies() {
    assert_eq!(
        ways(&[INJECTED, SERVER, PROXIES]),
        [
            "route VirtualService:ml/llm [edge/gw] 443->8080 simple [\"llm.example.com\"] [\"/v1*\"] internal=false anyone by"
        ]
    );
    // A token that the gateway asks for is asked of everybody from outside.
    let token = "{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: jwt, namespace: edge}, spec: {selector: {matchLabels: {istio: ingress}}, jwtRules: [{issuer: idp}]}}\n---\n\
        {apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: jwt, namespace: edge}, spec: {selector: {matchLabels: {istio: ingress}}, rules: [{from: [{source: {requestPrincipals: ['idp/*']}}]}]}}\n---\n";
    let found = ways(&[INJECTED, SERVER, PROXIES, token]);
    assert!(found[0].ends_with("mesh by jwt"), "{found:?}");
    // The workload sees the gateway: who admits apps only shuts out everybody from outside.
    let only = |account: &str| {
        format!(
            "{{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {{name: only, namespace: ml}}, spec: {{rules: [{{from: [{{source: {{principals: [{account}]}}}}]}}]}}}}\n---\n"
        )
    };
    let found = ways(&[
        INJECTED,
        SERVER,
        PROXIES,
        &only("cluster.local/ns/apps/sa/chat"),
    ]);
    assert!(found[0].ends_with("nobody by"), "{found:?}");
    let found = ways(&[
        INJECTED,
        SERVER,
        PROXIES,
        &only("cluster.local/ns/edge/sa/ingress"),
    ]);
    assert!(found[0].ends_with("anyone by"), "{found:?}");
    // A server's host may be kept for another namespace.
    let elsewhere = PROXIES.replace("'ml/llm.example.com'", "'web/llm.example.com'");
    assert_eq!(ways(&[INJECTED, SERVER, &elsewhere]), [""; 0]);
    // Proxies that only a ClusterIP leads to are reached from inside.
    let inside = PROXIES.replace("type: LoadBalancer, ", "");
    assert_eq!(ways(&[INJECTED, SERVER, &inside]), [""; 0]);
    // A filter at the gateway may change everything.
    let filter = "{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: login, namespace: edge}, spec: {configPatches: [{applyTo: HTTP_FILTER, match: {context: GATEWAY}, patch: {operation: INSERT_BEFORE, value: {name: envoy.filters.http.oauth2}}}]}}\n---\n";
    let found = ways(&[INJECTED, SERVER, PROXIES, filter]);
    assert!(
        found[0].ends_with("unknown: what EnvoyFilter edge/login makes of the proxy"),
        "{found:?}"
    );
}

#[test]
fn a_gateway_that_is_not_in_the_view_leaves_its_tls_open() {
    let route = "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: llm, namespace: ml}, spec: {hosts: ['*'], gateways: [edge/gw, mesh], http: [{route: [{destination: {host: llm.ml.svc.cluster.local, port: {number: 80}}}]}]}}\n";
    assert_eq!(
        ways(&[SERVER, route]),
        ["route VirtualService:ml/llm [edge/gw] 0->8080 ? [] [] internal=false anyone by"]
    );
    // The rules of the mesh alone lead nobody in.
    assert_eq!(ways(&[SERVER, &route.replace("edge/gw, ", "")]), [""; 0]);
}

/// Pods of `ml/canary` on 9090 behind a Service of two ports, beside the server.
const CANARY: &str = "
{apiVersion: apps/v1, kind: Deployment, metadata: {name: canary, namespace: ml}, spec: {template: {metadata: {labels: {app: canary}}, spec: {serviceAccountName: canary, containers: [{name: c, ports: [{containerPort: 9090}, {containerPort: 9091}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: canary, namespace: ml}, spec: {selector: {app: canary}, ports: [{name: http, port: 80, targetPort: 9090}, {name: http-admin, port: 81, targetPort: 9091}]}}
---
";

/// Ways to `ml/canary`, in words, by the same manifests with the names of the two exchanged.
fn ways_to_canary(manifests: &[&str]) -> Vec<String> {
    let all = manifests.concat();
    let swapped = all
        .replace("llm", "\u{1}")
        .replace("canary", "llm")
        .replace('\u{1}', "canary");
    ways(&[&swapped])
}

/// gateway-api `apis/v1/httproute_types.go:HTTPRequestMirrorFilter`.
#[test]
fn a_mirror_of_a_route_is_a_way_for_copies() {
    let all = "[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]";
    let mirror = |more: &str, backends: &str| {
        let route = gateway_api(all, "ml", "[]");
        route.replace(
            "backendRefs: [{name: llm, namespace: ml, port: 80}]",
            &format!("filters: [{{type: RequestMirror, requestMirror: {{backendRef: {{name: canary, port: 80}}{more}}}}}], backendRefs: {backends}"),
        )
    };
    let one = "[{name: llm, port: 80}]";
    let find = |more: &str, backends: &str| {
        let route = mirror(more, backends);
        marked(&[SERVER, CANARY, &route])
    };
    let plain = "ml/llm:8080 by HTTPRoute:ml/llm";
    let copy = "ml/canary:9090 copies by HTTPRoute:ml/llm";
    assert_eq!(find("", one), [plain, copy]);
    assert_eq!(find(", percent: 1", one), [plain, copy]);
    assert_eq!(
        find(", fraction: {numerator: 1, denominator: 1000}", one),
        [plain, copy]
    );
    // Nothing is copied of nothing, nor to nobody's share.
    assert_eq!(find(", percent: 0", one), [plain]);
    assert_eq!(find(", fraction: {numerator: 0}", one), [plain]);
    assert_eq!(find("", "[]"), [""; 0]);
    assert_eq!(find("", "[{name: llm, port: 80, weight: 0}]"), [""; 0]);
    // Another namespace has to grant it.
    let far = mirror("", one).replace(
        "{name: canary, port: 80}",
        "{name: canary, namespace: lab, port: 80}",
    );
    let lab = CANARY.replace("namespace: ml", "namespace: lab");
    assert_eq!(marked(&[SERVER, &lab, &far]), [plain]);
    let grant = "{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: g, namespace: lab}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ml}], to: [{group: '', kind: Service}]}}\n---\n";
    assert_eq!(
        marked(&[SERVER, &lab, grant, &far]),
        [plain, "lab/canary:9090 copies by HTTPRoute:ml/llm"]
    );
}

/// istio.io/docs/reference/config/networking/virtual-service `HTTPRoute.mirror`, `mirrors`; istio/istio `route.go:MirrorPercent`.
#[test]
fn a_mirror_of_a_virtual_service_is_a_way_for_copies() {
    let with = |mirror: &str| {
        PROXIES.replace(
            "route: [{destination: {host: llm}}]",
            &format!("route: [{{destination: {{host: llm}}}}], {mirror}"),
        )
    };
    let find = |mirror: &str| marked(&[INJECTED, SERVER, CANARY, &with(mirror)]);
    let plain = "ml/llm:8080 by VirtualService:ml/llm";
    let copy = "ml/canary:9090 copies by VirtualService:ml/llm";
    for mirror in [
        "mirror: {host: canary, port: {number: 80}}",
        "mirror: {host: canary, port: {number: 80}}, mirrorPercentage: {value: 0.1}",
        "mirrors: [{destination: {host: canary.ml.svc.cluster.local, port: {number: 80}}, percentage: {value: 5}}]",
    ] {
        assert_eq!(find(mirror), [plain, copy], "{mirror}");
    }
    for none in [
        "mirror: {host: canary, port: {number: 80}}, mirrorPercentage: {value: 0}",
        "mirrors: [{destination: {host: canary, port: {number: 80}}, percentage: {value: 0.0}}]",
        "mirror: {host: canary.example.com}",
    ] {
        assert_eq!(find(none), [plain], "{none}");
    }
    // A redirect is answered at the gateway.
    let redirect = with("mirror: {host: canary, port: {number: 80}}")
        .replace("route: [{destination: {host: llm}}]", "redirect: {uri: /}");
    assert_eq!(marked(&[INJECTED, SERVER, CANARY, &redirect]), [""; 0]);
}

/// The proxy sends the copy under its own identity, and policies at the mirror decide; Envoy may append `-shadow` to the host.
#[test]
fn policies_at_the_mirror_decide_about_copies() {
    let copied = PROXIES.replace(
        "route: [{destination: {host: llm}}]",
        "route: [{destination: {host: llm}}], mirror: {host: canary, port: {number: 80}}",
    );
    let who = |rule: &str| {
        let policy = format!(
            "{{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {{name: only, namespace: ml}}, spec: {{selector: {{matchLabels: {{app: canary}}}}, {rule}}}}}\n---\n"
        );
        let found = ways_to_canary(&[INJECTED, SERVER, CANARY, &copied, &policy]);
        let (_, who) = found[0].split_once("internal=false ").unwrap();
        who.replace("llm", "\u{1}")
            .replace("canary", "llm")
            .replace('\u{1}', "canary")
    };
    let from = |account: &str| {
        format!("rules: [{{from: [{{source: {{principals: [cluster.local/ns/{account}]}}}}]}}]")
    };
    assert_eq!(who(&from("edge/sa/ingress")), "anyone by");
    assert_eq!(who(&from("apps/sa/chat")), "nobody by");
    let open = "unknown: whether copies by VirtualService:ml/llm keep their host name";
    assert_eq!(
        who("rules: [{to: [{operation: {hosts: [llm.example.com]}}]}]"),
        open
    );
    assert_eq!(
        who("action: DENY, rules: [{to: [{operation: {hosts: [llm.example.com]}}]}]"),
        open
    );
    assert_eq!(
        who("rules: [{to: [{operation: {hosts: ['llm.example.com', 'llm.*']}}]}]"),
        "anyone by"
    );
}

/// Requests between workloads: sidecars and waypoints copy what they route.
#[test]
fn copies_between_workloads_are_listed() {
    let find = |route: &str| {
        let files = [(
            "in.yaml".to_owned(),
            [INJECTED, SERVER, CANARY, route].concat(),
        )];
        let input = pipeline::read_texts(&files, Assumptions::default());
        let analysis = Analysis::of(&input.views[0], &input.assume);
        let copies = analysis.ways.copies.iter().map(|c| {
            let to = analysis.topology.workload(c.workload).unwrap().reference();
            format!("{to}:{} of {:?} by {}", c.port, c.of, c.opened_by())
        });
        copies.collect::<Vec<_>>()
    };
    let vs = |more: &str, http: &str| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: llm, namespace: ml}}, spec: {{hosts: [llm], {more}http: [{http}]}}}}\n"
        )
    };
    let rule = "{route: [{destination: {host: llm}}], mirror: {host: canary, port: {number: 81}}}";
    let told = "ml/canary:9091 of [\"ml/llm\"] by VirtualService:ml/llm";
    assert_eq!(find(&vs("", rule)), [told]);
    assert_eq!(find(&vs("gateways: [mesh, edge/gw], ", rule)), [told]);
    assert_eq!(find(&vs("gateways: [edge/gw], ", rule)), [""; 0]);
    let at_gateway = rule.replace("{route", "{match: [{gateways: [edge/gw]}], route");
    assert_eq!(
        find(&vs("gateways: [mesh, edge/gw], ", &at_gateway)),
        [""; 0]
    );
    // Without a port, the one that was called.
    assert_eq!(
        find(&vs("", &rule.replace(", port: {number: 81}", ""))),
        ["ml/canary:9090 of [\"ml/llm\"] by VirtualService:ml/llm"]
    );
    // A delegate speaks where another hands over to it.
    let delegate = "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: part, namespace: ml}, spec: {http: [{route: [{destination: {host: llm}}], mirror: {host: canary, port: {number: 81}}}]}}\n";
    assert_eq!(find(delegate), [""; 0]);
    let root = vs("", "{delegate: {name: part}}");
    assert_eq!(
        find(&format!("{root}---\n{delegate}")),
        ["ml/canary:9091 of [\"ml/llm\"] by VirtualService:ml/part"]
    );
    // A route of the mesh, by its parent.
    let http_route = "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: llm, namespace: ml}, spec: {parentRefs: [{group: '', kind: Service, name: llm}], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: canary, port: 80}}}], backendRefs: [{name: llm, port: 80}]}]}}\n";
    assert_eq!(
        find(http_route),
        ["ml/canary:9090 of [\"ml/llm\"] by HTTPRoute:ml/llm"]
    );
    assert_eq!(
        find(&http_route.replace("{group: '', kind: Service, name: llm}", "{name: gw}")),
        [""; 0]
    );
}

#[test]
fn an_inference_pool_leads_to_the_ports_of_its_pods() {
    let pool = "{apiVersion: inference.networking.k8s.io/v1, kind: InferencePool, metadata: {name: pool, namespace: ml}, spec: {selector: {matchLabels: {app: llm}}, targetPorts: [{number: 8080}]}}\n---\n";
    let all = "[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]";
    let route = gateway_api(all, "ml", "[]").replace(
        "{name: llm, namespace: ml, port: 80}",
        "{group: inference.networking.k8s.io, kind: InferencePool, name: pool}",
    );
    assert_eq!(
        ways(&[SERVER, pool, &route]),
        ["route HTTPRoute:ml/llm [edge/gw] 80->8080 none [] [\"/v1*\"] internal=false anyone by"]
    );
}

#[test]
fn routes_of_an_ai_gateway_lead_to_services_by_their_backends() {
    let all = "[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]";
    let backend = "{apiVersion: aigateway.envoyproxy.io/v1alpha1, kind: AIServiceBackend, metadata: {name: b, namespace: ml}, spec: {backendRef: {group: gateway.envoyproxy.io, kind: Backend, name: b}}}\n---\n\
        {apiVersion: gateway.envoyproxy.io/v1alpha1, kind: Backend, metadata: {name: b, namespace: ml}, spec: {endpoints: [{fqdn: {hostname: llm.ml.svc.cluster.local, port: 80}}]}}\n---\n";
    let route = gateway_api(all, "ml", "[]")
        .replace(
            "gateway.networking.k8s.io/v1, kind: HTTPRoute",
            "aigateway.envoyproxy.io/v1alpha1, kind: AIGatewayRoute",
        )
        .replace("{name: llm, namespace: ml, port: 80}", "{name: b}")
        .replace("matches: [{path: {type: PathPrefix, value: /v1}}], ", "");
    assert_eq!(
        ways(&[SERVER, backend, &route]),
        ["route AIGatewayRoute:ml/llm [edge/gw] 80->8080 none [] [] internal=false anyone by"]
    );
    // A policy that authenticates callers leaves it open who gets in.
    let policy = "{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {name: keys, namespace: edge}, spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}], apiKeyAuth: {}}}\n---\n";
    let found = ways(&[SERVER, backend, &route, policy]);
    assert!(
        found[0].ends_with("unknown: what SecurityPolicy edge/keys asks of callers"),
        "{found:?}"
    );
}

/// A NetworkPolicy about the proxies, with these ingress rules.
fn at_the_proxies(rules: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: edge, namespace: edge}}, spec: {{podSelector: {{}}, ingress: {rules}}}}}\n---\n"
    )
}

#[test]
fn callers_from_outside_have_to_get_to_the_proxies() {
    let who = |rules: &str| {
        let policy = at_the_proxies(rules);
        let found = ways(&[SERVER, INJECTED, PROXIES, &policy]);
        let route = found.iter().find(|w| w.starts_with("route")).unwrap();
        let (_, who) = route.split_once("internal=false ").unwrap();
        who.to_owned()
    };
    // Policies are about the container port, 8443, not the Service's 443.
    assert_eq!(who("[{ports: [{port: 8443}]}]"), "anyone by");
    assert_eq!(who("[{ports: [{port: 443}]}]"), "nobody by network");
    assert_eq!(
        who("[{from: [{namespaceSelector: {}}]}]"),
        "nobody by network"
    );
    assert_eq!(
        who("[{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"),
        "anyone by network"
    );
}

#[test]
fn proxies_have_to_get_to_the_workload() {
    // The policy of the server admits its own namespace only; a later one the proxies too.
    let policy = |from: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: llm, namespace: ml}}, spec: {{podSelector: {{}}, ingress: [{{from: [{from}]}}]}}}}\n---\n"
        )
    };
    let who = |from: &str| ways(&[SERVER, INJECTED, PROXIES, &policy(from)])[0].clone();
    assert!(who("{podSelector: {}}").ends_with("nobody by network"));
    let proxies = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}, podSelector: {matchLabels: {istio: ingress}}}";
    assert!(who(proxies).ends_with("anyone by"), "{}", who(proxies));
}
