//! Copies of requests.

use super::*;

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
