//! Random meshes and questions about them. Input: a seed; output: documents and checks in the form of `../shared/cases/istio`.
//!
//! Left out, because the reference evaluator does not model it: dry-run on CUSTOM, two CUSTOM providers, DestinationRules of one host with
//! different exportTo, equal ages, empty headers.

use serde_json::{Value, json};

use super::pick::Pick;

const DOMAINS: [&str; 3] = ["cluster.local", "corp.example", "old.example"];
const PRINCIPALS: [&str; 16] = [
    "cluster.local/ns/apps/sa/chat",
    "cluster.local/ns/apps/sa/batch",
    "corp.example/ns/apps/sa/chat",
    "old.example/ns/apps/sa/chat",
    "cluster.local/ns/ml/sa/waypoint",
    "corp.example/ns/ml/sa/waypoint",
    "*",
    "*/sa/chat",
    "*/ns/apps/sa/chat",
    "*chat",
    "cluster.local/ns/apps/*",
    "cluster.local/ns/ap*",
    "corp.example/*",
    "cluster.local/ns/*/sa/chat",
    "spiffe://cluster.local/ns/apps/sa/chat",
    "*/ns/ml/sa/llm",
];
const NAMESPACES: [&str; 9] = [
    "apps", "ml", "ap*", "*ps", "*", "a*s", "team-*", "*b", "team-*b",
];
const ACCOUNTS: [&str; 5] = ["apps/chat", "chat", "ml/llm", "batch", "team-b/x"];
const NETS: [&str; 5] = [
    "10.8.0.0/16",
    "10.0.0.9",
    "10.8.1.1",
    "10.0.0.0/8",
    "fd00::/8",
];
const HOSTS: [&str; 7] = [
    "svc",
    "LLM.ml",
    "llm.ml:8080",
    "*.ml",
    "llm*",
    "*",
    "*:8080",
];
const METHODS: [&str; 5] = ["GET", "POST", "P*", "*T", "*"];
const PATHS: [&str; 11] = [
    "/healthz",
    "/v1/*",
    "*.json",
    "/admin",
    "*",
    "/v1/chat",
    "/{*}/chat",
    "/v1/{**}",
    "/{*}",
    "/a/*",
    "/v1/{*}/y",
];
const REQUEST_PRINCIPALS: [&str; 11] = [
    "*",
    "https://idp.example.com/*",
    "https://idp.example.com/alice",
    "*/alice",
    "*.example.com/*",
    "*ice",
    "https://idp*",
    "https://other.example.com/*",
    "https://idp.example.com/al*",
    "*.com/alice",
    "https://idp.example.com",
];
const ISSUERS: [&str; 3] = [
    "https://idp.example.com",
    "https://other.example.com",
    "https://idp.example.com/realm",
];
const IDENTITIES: [&str; 10] = [
    "cluster.local/ns/apps/sa/chat",
    "cluster.local/ns/apps/sa/batch",
    "corp.example/ns/apps/sa/chat",
    "old.example/ns/apps/sa/chat",
    "corp.example/ns/apps/sa/batch",
    "cluster.local/ns/ml/sa/waypoint",
    "cluster.local/ns/ml/sa/llm",
    "cluster.local/ns/team-b/sa/x",
    "cluster.local/ns/team-c/sa/x",
    "corp.example/ns/istio-system/sa/batch",
];

/// One mesh: its documents.
pub(crate) struct Mesh {
    pub(crate) documents: Vec<Value>,
}

impl Mesh {
    /// The documents as one text; JSON is YAML.
    pub(crate) fn text(&self) -> String {
        let texts: Vec<String> = self.documents.iter().map(Value::to_string).collect();
        texts.join("\n---\n")
    }
}

/// Draws a mesh.
pub(crate) fn mesh(pick: &mut Pick) -> Mesh {
    let mut documents = Vec::new();
    let root = if pick.chance(15) {
        "mesh-root"
    } else {
        "istio-system"
    };
    if root == "mesh-root" || pick.chance(80) {
        documents.push(config(pick, root));
    }
    let ambient = pick.chance(40);
    for (name, percent) in [("ml", 99), ("apps", 90)] {
        documents.push(namespace(pick, name, ambient, percent));
    }
    if pick.chance(20) {
        documents.push(namespace(pick, root, false, 40));
    }
    documents.push(workload(pick, "ml", "llm"));
    documents.push(workload(pick, "apps", "chat"));
    if pick.chance(15) {
        documents.push(workload(pick, root, "core"));
    }
    documents.push(service(pick));
    if ambient && pick.chance(75) {
        let mut waypoint = object("gateway.networking.k8s.io/v1", "Gateway", "ml", "waypoint");
        waypoint["spec"] = json!({"gatewayClassName": "istio-waypoint",
            "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]});
        if pick.chance(20) {
            let traffic = *pick.one(&["all", "workload", "service", "none"]);
            waypoint["metadata"]["labels"] = json!({"istio.io/waypoint-for": traffic});
        }
        documents.push(waypoint);
    }
    let mut age = 0;
    for _ in 0..pick.below(4) {
        age += 1;
        documents.push(peer_authentication(pick, root, age));
    }
    let provider = *pick.one(&["ext-grpc", "ext-grpc", "ext-http", "ext-http", "missing"]);
    for at in 0..pick.below(6) {
        documents.push(authorization(pick, root, provider, at));
    }
    if ambient && pick.chance(60) {
        documents.push(at_waypoint(pick));
    }
    if !ambient && pick.chance(70) {
        documents.push(delegation(pick, provider));
    }
    for at in 0..pick.below(3) {
        documents.push(request_authentication(pick, root, at));
    }
    if pick.chance(60) {
        // One choice a mesh: the reference does not model merging across different exportTo.
        let export = pick
            .chance(25)
            .then(|| json!(*pick.one(&[["."], ["*"], ["apps"]])));
        for at in 0..=pick.below(2) {
            documents.push(destination_rule(pick, root, at, export.as_ref()));
        }
    }
    if pick.chance(30) {
        let mut entry = object("networking.istio.io/v1", "ServiceEntry", "apps", "ext");
        entry["spec"] = json!({"hosts": ["api.example.com"], "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}]});
        if pick.chance(50) {
            entry["spec"]["location"] = json!(*pick.one(&["MESH_INTERNAL", "MESH_EXTERNAL"]));
        }
        documents.push(entry);
    }
    Mesh { documents }
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}})
}

fn config(pick: &mut Pick, root: &str) -> Value {
    let mut mesh = json!({"extensionProviders": [
        {"name": "ext-grpc", "envoyExtAuthzGrpc": {"service": "a", "port": 1}},
        {"name": "ext-http", "envoyExtAuthzHttp": {"service": "b", "port": 2}}]});
    mesh["rootNamespace"] = json!(root);
    if pick.chance(50) {
        mesh["trustDomain"] = json!(*pick.one(&DOMAINS));
    }
    if pick.chance(40) {
        mesh["trustDomainAliases"] =
            json!(pick.some(&["old.example", "cluster.local", "old*", "*.example"], 1, 2));
    }
    if pick.chance(15) {
        mesh["enableAutoMtls"] = json!(false);
    }
    if pick.chance(15) {
        mesh["defaultConfig"] = json!({"proxyMetadata": {"ISTIO_META_ENABLE_HBONE": "true"}});
    }
    if pick.chance(10) {
        mesh["defaultDestinationRuleExportTo"] = json!(["."]);
    }
    let mut map = object("v1", "ConfigMap", "istio-system", "istio");
    map["data"] = json!({"mesh": mesh.to_string()});
    map
}

fn namespace(pick: &mut Pick, name: &str, ambient: bool, percent: usize) -> Value {
    let mut labels = json!({});
    if pick.chance(percent) {
        if ambient && pick.chance(80) {
            labels["istio.io/dataplane-mode"] = json!("ambient");
            if pick.chance(60) {
                labels["istio.io/use-waypoint"] =
                    json!(*pick.one(&["waypoint", "waypoint", "waypoint", "gone", "none"]));
            }
            if pick.chance(20) {
                labels["istio.io/use-waypoint-namespace"] = json!(*pick.one(&["ml", "apps"]));
            }
        }
        if !ambient || pick.chance(15) {
            match pick.below(8) {
                0 => labels["istio.io/rev"] = json!("canary"),
                1 => {
                    labels["istio-injection"] = json!("enabled");
                    labels["istio.io/rev"] = json!("canary");
                }
                2 if pick.chance(50) => labels["istio-injection"] = json!("disabled"),
                _ => labels["istio-injection"] = json!("enabled"),
            }
        }
    }
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn workload(pick: &mut Pick, namespace: &str, name: &str) -> Value {
    let mut labels = json!({"app": name});
    if pick.chance(40) {
        labels["tier"] = json!(*pick.one(&["gpu", "cpu"]));
    }
    let mut annotations = json!({});
    if pick.chance(12) {
        labels["sidecar.istio.io/inject"] =
            json!(*pick.one(&["true", "true", "false", "maybe", ""]));
    }
    if pick.chance(8) {
        annotations["sidecar.istio.io/inject"] = json!(*pick.one(&["true", "false"]));
    }
    if pick.chance(5) {
        labels["istio.io/rev"] = json!("canary");
    }
    if pick.chance(8) {
        labels["istio.io/dataplane-mode"] = json!(*pick.one(&["ambient", "none"]));
    }
    if pick.chance(8) {
        annotations["traffic.sidecar.istio.io/excludeInboundPorts"] =
            json!(*pick.one(&["8080", "9090, 8080", "7070"]));
    }
    if pick.chance(6) {
        annotations["traffic.sidecar.istio.io/includeInboundPorts"] =
            json!(*pick.one(&["8080", "", "*", "9090,7070"]));
    }
    if pick.chance(2) {
        annotations["sidecar.istio.io/interceptionMode"] = json!("NONE");
    }
    if pick.chance(5) {
        annotations["ambient.istio.io/bypass-inbound-capture"] = json!("true");
    }
    let mut spec = json!({"containers": [{"name": "srv", "image": "x", "ports": [
        {"containerPort": 8080, "name": "main"}, {"containerPort": 9090}]}]});
    if pick.chance(2) {
        spec["hostNetwork"] = json!(true);
    }
    if pick.chance(80) {
        spec["serviceAccountName"] = json!(name);
    }
    let mut deployment = object("apps/v1", "Deployment", namespace, name);
    deployment["spec"] = json!({"template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}});
    deployment
}

fn service(pick: &mut Pick) -> Value {
    let name = |pick: &mut Pick| {
        *pick.one(&[
            "http", "http", "http-web", "tcp", "tcp-x", "grpc", "model", "https", "grpc-web",
            "redis",
        ])
    };
    let target = |pick: &mut Pick| {
        if pick.chance(30) {
            json!("main")
        } else {
            json!(8080)
        }
    };
    let mut first = json!({"port": 80, "name": name(pick), "targetPort": target(pick)});
    if pick.chance(15) {
        first["appProtocol"] = json!(*pick.one(&[
            "http",
            "tcp",
            "kubernetes.io/h2c",
            "kubernetes.io/wss",
            "https"
        ]));
    }
    let mut service = object("v1", "Service", "ml", "llm");
    service["spec"] =
        json!({"selector": {"app": "llm"}, "ports": [first, {"port": 9090, "name": name(pick)}]});
    if pick.chance(15) {
        service["metadata"]["labels"] =
            json!({"istio.io/use-waypoint": *pick.one(&["none", "waypoint", "gone"])});
    }
    service
}

fn mode(pick: &mut Pick) -> Value {
    json!(*pick.one(&[
        "STRICT",
        "STRICT",
        "PERMISSIVE",
        "PERMISSIVE",
        "DISABLE",
        "UNSET"
    ]))
}

/// A selector field, or none: absent, empty in two ways, fitting or not.
fn selector(pick: &mut Pick, spec: &mut Value) {
    match pick.below(10) {
        0..=3 => {}
        4 => spec["selector"] = json!({}),
        5 => spec["selector"] = json!({"matchLabels": {}}),
        6 => spec["selector"] = json!({"matchLabels": {"app": "chat"}}),
        7 => spec["selector"] = json!({"matchLabels": {"app": "llm", "tier": "gpu"}}),
        _ => spec["selector"] = json!({"matchLabels": {"app": "llm"}}),
    }
}

fn peer_authentication(pick: &mut Pick, root: &str, age: usize) -> Value {
    let namespace = *pick.one(&["ml", "ml", "ml", root, root, "apps"]);
    let mut policy = object(
        "security.istio.io/v1",
        "PeerAuthentication",
        namespace,
        &format!("pa{}", 9 - age),
    );
    policy["metadata"]["creationTimestamp"] = json!(format!("2024-01-0{age}T00:00:00Z"));
    let mut spec = json!({});
    selector(pick, &mut spec);
    if pick.chance(75) {
        spec["mtls"] = json!({"mode": mode(pick)});
    }
    if pick.chance(40) {
        let mut ports = json!({});
        for port in pick.some(&["8080", "9090", "7070", "80"], 1, 2) {
            ports[port] = json!({"mode": mode(pick)});
        }
        spec["portLevelMtls"] = ports;
    }
    policy["spec"] = spec;
    policy
}

fn strings(pick: &mut Pick, pool: &[&str]) -> Value {
    json!(pick.some(pool, 1, 3))
}

/// Adds a list under a field or its negation.
fn list(pick: &mut Pick, holder: &mut Value, field: &str, pool: &[&str]) {
    let mut negated = String::from("not");
    negated.push_str(&field[..1].to_uppercase());
    negated.push_str(&field[1..]);
    match pick.below(10) {
        0..=6 => holder[field] = strings(pick, pool),
        7 | 8 => holder[&negated] = strings(pick, pool),
        _ => {
            holder[field] = strings(pick, pool);
            holder[&negated] = strings(pick, pool);
        }
    }
}

fn source(pick: &mut Pick) -> Value {
    let mut source = json!({});
    for _ in 0..=usize::from(pick.chance(25)) {
        match pick.below(10) {
            0..=2 => list(pick, &mut source, "principals", &PRINCIPALS),
            3 | 4 => list(pick, &mut source, "namespaces", &NAMESPACES),
            5 => list(pick, &mut source, "serviceAccounts", &ACCOUNTS),
            6 => list(
                pick,
                &mut source,
                "trustDomains",
                &["cluster.local", "corp.example", "old*", "*"],
            ),
            7 => list(pick, &mut source, "ipBlocks", &NETS),
            8 => list(pick, &mut source, "remoteIpBlocks", &NETS),
            _ => list(pick, &mut source, "requestPrincipals", &REQUEST_PRINCIPALS),
        }
    }
    source
}

fn operation(pick: &mut Pick) -> Value {
    let mut operation = json!({});
    for _ in 0..=usize::from(pick.chance(30)) {
        match pick.below(7) {
            0 => list(pick, &mut operation, "hosts", &HOSTS),
            1 | 2 => list(pick, &mut operation, "methods", &METHODS),
            3 | 4 => list(pick, &mut operation, "paths", &PATHS),
            _ => list(
                pick,
                &mut operation,
                "ports",
                &["8080", "80", "9090", "7070"],
            ),
        }
    }
    operation
}

fn when(pick: &mut Pick) -> Value {
    let (key, pool): (&str, &[&str]) = match pick.below(15) {
        0 => ("source.ip", &NETS),
        1 => ("remote.ip", &NETS),
        2 => ("source.namespace", &NAMESPACES),
        3 => ("source.principal", &PRINCIPALS),
        4 => ("source.serviceAccount", &ACCOUNTS),
        5 => (
            "source.trustDomain",
            &["cluster.local", "corp.example", "*"],
        ),
        6 => ("destination.port", &["8080", "80", "9090"]),
        7 => (
            "destination.ip",
            &["10.9.9.9", "10.9.0.0/16", "10.1.0.0/16"],
        ),
        8 => ("connection.sni", &["a.example", "*.example", "*"]),
        9 => ("request.headers[X-Api-Key]", &["k1", "k*", "*et"]),
        10 => ("request.auth.claims[groups]", &["admin", "dev*", "*"]),
        11 => ("request.auth.claims[realm][role]", &["boss", "*"]),
        12 => ("request.auth.audiences", &["llm", "*"]),
        13 => ("request.auth.presenter", &["web", "w*"]),
        _ => *pick.one(&[
            ("request.auth.principal", &REQUEST_PRINCIPALS[..]),
            ("destination.user", &["x"][..]),
        ]),
    };
    let mut condition = json!({"key": key});
    match pick.below(8) {
        0 | 1 => condition["notValues"] = strings(pick, pool),
        2 => {
            condition["values"] = strings(pick, pool);
            condition["notValues"] = strings(pick, pool);
        }
        _ => condition["values"] = strings(pick, pool),
    }
    condition
}

fn rule(pick: &mut Pick) -> Value {
    let mut rule = json!({});
    if pick.chance(70) {
        let entries: Vec<Value> = (0..=usize::from(pick.chance(30)))
            .map(|_| json!({"source": source(pick)}))
            .collect();
        rule["from"] = json!(entries);
    }
    if pick.chance(50) {
        let entries: Vec<Value> = (0..=usize::from(pick.chance(30)))
            .map(|_| json!({"operation": operation(pick)}))
            .collect();
        rule["to"] = json!(entries);
    }
    if pick.chance(40) {
        let entries: Vec<Value> = (0..=usize::from(pick.chance(20)))
            .map(|_| when(pick))
            .collect();
        rule["when"] = json!(entries);
    }
    rule
}

fn targets(pick: &mut Pick) -> Value {
    match pick.below(6) {
        0 => json!([{"kind": "Gateway", "group": "gateway.networking.k8s.io", "name": "waypoint"}]),
        1 => {
            json!([{"kind": "GatewayClass", "group": "gateway.networking.k8s.io", "name": "istio-waypoint"}])
        }
        2 => json!([{"kind": "Service", "group": "", "name": "other"}]),
        _ => json!([{"kind": "Service", "group": "", "name": "llm"}]),
    }
}

fn authorization(pick: &mut Pick, root: &str, provider: &str, at: usize) -> Value {
    let namespace = *pick.one(&["ml", "ml", "ml", "ml", root, "apps"]);
    let mut policy = object(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        namespace,
        &format!("ap{at}"),
    );
    let mut spec = json!({});
    let action = *pick.one(&[
        "ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "DENY", "CUSTOM", "CUSTOM", "AUDIT", "AUDIT",
        "AUDIT", "",
    ]);
    if !action.is_empty() {
        spec["action"] = json!(action);
    }
    if pick.chance(25) {
        spec["targetRefs"] = targets(pick);
    } else {
        selector(pick, &mut spec);
    }
    if action == "CUSTOM" {
        spec["provider"] = json!({"name": provider});
    } else if pick.chance(8) {
        policy["metadata"]["annotations"] = json!({"istio.io/dry-run": "true"});
    }
    match pick.below(12) {
        0 => {}
        1 => spec["rules"] = json!([]),
        2 => spec["rules"] = json!([{}]),
        _ => {
            let rules: Vec<Value> = (0..=pick.below(2)).map(|_| rule(pick)).collect();
            spec["rules"] = json!(rules);
        }
    }
    policy["spec"] = spec;
    policy
}

/// A policy for the Service at its waypoint, often about ports, which are Service ports there.
fn at_waypoint(pick: &mut Pick) -> Value {
    let mut policy = object(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        "ml",
        "at-waypoint",
    );
    let mut rule = rule(pick);
    if pick.chance(60) {
        let mut operation = json!({});
        list(pick, &mut operation, "ports", &["8080", "80", "9090"]);
        rule["to"] = json!([{"operation": operation}]);
    }
    policy["spec"] = json!({
        "action": *pick.one(&["ALLOW", "DENY"]),
        "targetRefs": [{"kind": "Service", "group": "", "name": "llm"}],
        "rules": [rule],
    });
    policy
}

/// A CUSTOM policy that often applies, so that this verdict is not rare.
fn delegation(pick: &mut Pick, provider: &str) -> Value {
    let mut policy = object(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        "ml",
        "delegation",
    );
    let rule = if pick.chance(50) {
        json!({})
    } else {
        json!({"to": [{"operation": operation(pick)}]})
    };
    policy["spec"] = json!({"action": "CUSTOM", "provider": {"name": provider}, "rules": [rule]});
    policy
}

fn request_authentication(pick: &mut Pick, root: &str, at: usize) -> Value {
    let namespace = *pick.one(&["ml", "ml", "ml", root]);
    let mut policy = object(
        "security.istio.io/v1",
        "RequestAuthentication",
        namespace,
        &format!("ra{at}"),
    );
    let mut spec = json!({});
    if pick.chance(25) {
        spec["targetRefs"] = targets(pick);
    } else {
        selector(pick, &mut spec);
    }
    if pick.chance(90) {
        let rules: Vec<Value> = pick
            .some(&ISSUERS, 1, 2)
            .iter()
            .map(|i| json!({"issuer": i}))
            .collect();
        spec["jwtRules"] = json!(rules);
    }
    policy["spec"] = spec;
    policy
}

fn tls(pick: &mut Pick) -> Value {
    let mode = *pick.one(&["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]);
    let mut tls = json!({"mode": mode});
    if mode == "MUTUAL" {
        tls["clientCertificate"] = json!("/c");
        tls["privateKey"] = json!("/k");
    }
    if matches!(mode, "SIMPLE" | "MUTUAL") && pick.chance(30) {
        tls["credentialName"] = json!(*pick.one(&["cred", "configmap://ca"]));
    }
    tls
}

fn traffic_policy(pick: &mut Pick) -> Value {
    let mut policy = json!({});
    if pick.chance(70) {
        policy["tls"] = tls(pick);
    }
    if pick.chance(30) || policy.get("tls").is_none() {
        let mut entry = json!({"port": {"number": *pick.one(&[80, 9090])}});
        if pick.chance(60) {
            entry["tls"] = tls(pick);
        }
        policy["portLevelSettings"] = json!([entry]);
    }
    policy
}

fn destination_rule(pick: &mut Pick, root: &str, at: usize, export: Option<&Value>) -> Value {
    let namespace = *pick.one(&["ml", "apps", "apps", root]);
    let host = *pick.one(&[
        "llm.ml.svc.cluster.local",
        "llm.ml.svc.cluster.local",
        "llm",
        "*.local",
        "*.ml.svc.cluster.local",
        "*",
        "llm.ml",
        "api.example.com",
    ]);
    let mut rule = object(
        "networking.istio.io/v1",
        "DestinationRule",
        namespace,
        &format!("dr{at}"),
    );
    rule["metadata"]["creationTimestamp"] = json!(format!("2024-02-0{}T00:00:00Z", at + 1));
    let mut spec = json!({"host": host});
    if pick.chance(80) {
        spec["trafficPolicy"] = traffic_policy(pick);
    }
    if pick.chance(30) {
        let mut subset = json!({"name": "v1"});
        if pick.chance(70) {
            subset["trafficPolicy"] = traffic_policy(pick);
        }
        spec["subsets"] = json!([subset]);
    }
    if pick.chance(15) {
        spec["workloadSelector"] = json!({"matchLabels": {"app": *pick.one(&["chat", "llm"])}});
    } else if let Some(export) = export {
        spec["exportTo"] = export.clone();
    }
    rule["spec"] = spec;
    rule
}

/// Draws questions about a mesh; `probes` of them are calls.
pub(crate) fn checks(pick: &mut Pick, mesh: &Mesh, probes: usize) -> Vec<Value> {
    let mut checks = Vec::new();
    let mut workloads = vec!["ml/llm", "apps/chat"];
    for root in ["istio-system", "mesh-root"] {
        if mesh
            .documents
            .iter()
            .any(|d| d["metadata"]["name"] == "core" && d["metadata"]["namespace"] == root)
        {
            workloads.push(if root == "mesh-root" {
                "mesh-root/core"
            } else {
                "istio-system/core"
            });
        }
    }
    for workload in &workloads {
        checks.push(json!({"type": "membership", "workload": workload}));
        for port in [8080, 9090, 7070] {
            checks.push(json!({"type": "mtls", "workload": workload, "port": port}));
        }
    }
    for port in [80, 9090] {
        for subset in [None, Some("v1")] {
            let mut check =
                json!({"type": "client", "client": "apps/chat", "service": "ml/llm", "port": port});
            if let Some(name) = subset {
                check["subset"] = json!(name);
            }
            checks.push(check);
        }
    }
    checks.push(json!({"type": "client", "client": "apps/chat", "host": "api.example.com", "ns": "apps", "port": 80}));
    for _ in 0..probes {
        let workload = *pick.one(&[
            "ml/llm",
            "ml/llm",
            "ml/llm",
            "ml/llm",
            "ml/llm",
            "ml/llm",
            "apps/chat",
        ]);
        checks.push(probe(pick, workload));
    }
    checks
}

fn probe(pick: &mut Pick, workload: &str) -> Value {
    let mut probe = json!({"type": "probe", "workload": workload, "port": *pick.one(&[8080, 8080, 9090, 7070])});
    probe["id"] = if pick.chance(75) {
        json!(*pick.one(&IDENTITIES))
    } else {
        Value::Null
    };
    let mut set = |name: &str, percent: usize, pool: &[&str]| {
        if pick.chance(percent) {
            probe[name] = json!(*pick.one(pool));
        }
    };
    set("proto", 40, &["http", "tcp"]);
    set("via", 30, &["direct", "service"]);
    set("client", 30, &["ambient", "sidecar"]);
    set("method", 60, &["GET", "POST", "PUT"]);
    set(
        "path",
        80,
        &[
            "/healthz",
            "/v1/chat",
            "/v1/x/y",
            "/admin",
            "/a.json",
            "/v1/chat?x=1",
            "/a/b",
            "/v1",
        ],
    );
    set("host", 50, &["svc", "llm.ml", "LLM.ml:8080", "llm"]);
    set(
        "ip",
        50,
        &["10.8.1.1", "10.0.0.9", "192.168.1.1", "fd00::1"],
    );
    set("remote_ip", 30, &["10.8.1.1", "192.168.1.1"]);
    set("dst_ip", 20, &["10.1.1.1", "10.9.9.9"]);
    set("sni", 30, &["a.example", "b.test"]);
    if pick.chance(40) {
        let name = *pick.one(&["x-api-key", "X-Api-Key", "other"]);
        let mut headers = json!({});
        headers[name] = json!(*pick.one(&["k1", "secret"]));
        probe["headers"] = headers;
    }
    if pick.chance(45) {
        let mut jwt = json!({"iss": *pick.one(&ISSUERS), "sub": *pick.one(&["alice", "bob", "*"])});
        if pick.chance(15) {
            jwt["valid"] = json!(false);
        }
        let mut claims = json!({});
        if pick.chance(60) {
            claims["groups"] = json!(pick.some(&["admin", "devs", "ops"], 1, 2));
        }
        if pick.chance(40) {
            claims["realm"] = json!({"role": *pick.one(&["boss", "user"])});
        }
        if pick.chance(50) {
            claims["aud"] = json!(*pick.one(&["llm", "web"]));
        }
        if pick.chance(50) {
            claims["azp"] = json!("web");
        }
        jwt["claims"] = claims;
        probe["jwt"] = jwt;
    }
    probe
}
