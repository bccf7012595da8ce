//! Routes of OpenShift.

use super::*;

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
