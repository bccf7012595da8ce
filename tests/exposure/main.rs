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

mod listener_set;
mod mirrors;
mod openshift;

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
