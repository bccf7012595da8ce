//! Random meshes for the posture diff and random edits of them. Input: a seed; output: documents, each step one edit further.
//!
//! Conditions are those that a caller's workload and a few requests decide (identity, method, path, port): whether a caller gets through at
//! all can then be asked of the reference evaluator request by request.

use serde_json::{Value, json};

use super::pick::Pick;

/// Callers and servers, `namespace/name`.
pub(crate) const WORKLOADS: [&str; 5] = ["ml/llm", "ml/vec", "apps/chat", "apps/batch", "old/job"];
/// Those with a port, by their Service.
pub(crate) const SERVERS: [&str; 2] = ["ml/llm", "ml/vec"];

const PRINCIPALS: [&str; 9] = [
    "cluster.local/ns/apps/sa/chat",
    "cluster.local/ns/apps/sa/batch",
    "cluster.local/ns/apps/sa/default",
    "cluster.local/ns/ml/sa/llm",
    "*",
    "*/ns/apps/sa/chat",
    "cluster.local/ns/apps/*",
    "*batch",
    "cluster.local/ns/old/sa/job",
];

/// One mesh: its documents.
#[derive(Clone)]
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
    for name in ["ml", "apps", "old"] {
        documents.push(namespace(pick, name));
    }
    for name in WORKLOADS {
        documents.push(workload(pick, name));
    }
    for name in SERVERS {
        documents.push(service(pick, name));
    }
    for _ in 0..=pick.below(5) {
        let policy = policy(pick);
        add(&mut documents, policy);
    }
    Mesh { documents }
}

/// The mesh after one random edit.
pub(crate) fn edited(pick: &mut Pick, mesh: &Mesh) -> Mesh {
    let mut documents = mesh.documents.clone();
    let at = pick.below(documents.len());
    let kind = documents[at]["kind"].as_str().unwrap().to_owned();
    match kind.as_str() {
        "Namespace" => {
            let name = documents[at]["metadata"]["name"]
                .as_str()
                .unwrap()
                .to_owned();
            documents[at] = namespace(pick, &name);
        }
        "Deployment" | "Service" => {
            let of = |d: &Value| {
                let text = |f: &str| d["metadata"][f].as_str().unwrap().to_owned();
                format!("{}/{}", text("namespace"), text("name"))
            };
            let name = of(&documents[at]);
            documents[at] = match kind.as_str() {
                "Service" => service(pick, &name),
                _ => workload(pick, &name),
            };
        }
        _ if pick.chance(40) => {
            documents.remove(at);
        }
        _ => {
            let policy = policy(pick);
            add(&mut documents, policy);
        }
    }
    if pick.chance(30) {
        let policy = policy(pick);
        add(&mut documents, policy);
    }
    Mesh { documents }
}

/// Adds an object, in the place of one with the same identity.
fn add(documents: &mut Vec<Value>, object: Value) {
    let same = |d: &Value| d["kind"] == object["kind"] && d["metadata"] == object["metadata"];
    match documents.iter().position(same) {
        Some(at) => documents[at] = object,
        None => documents.push(object),
    }
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}})
}

fn namespace(pick: &mut Pick, name: &str) -> Value {
    let mut labels = json!({});
    match pick.below(10) {
        0..=5 if name != "old" => labels["istio-injection"] = json!("enabled"),
        6 | 7 if name != "old" => labels["istio.io/dataplane-mode"] = json!("ambient"),
        8 => labels["istio-injection"] = json!("disabled"),
        _ => {}
    }
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn workload(pick: &mut Pick, reference: &str) -> Value {
    let (namespace, name) = reference.split_once('/').unwrap();
    let mut labels = json!({"app": name});
    if pick.chance(15) {
        labels["app"] = json!(format!("{name}-v2"));
    }
    if pick.chance(10) {
        labels["sidecar.istio.io/inject"] = json!(*pick.one(&["true", "false"]));
    }
    let mut container = json!({"name": "c", "image": "x"});
    if SERVERS.contains(&reference) {
        container["ports"] = json!([{"containerPort": 8080}]);
    }
    let mut spec = json!({"containers": [container]});
    if pick.chance(70) {
        spec["serviceAccountName"] = json!(name);
    } else if pick.chance(50) {
        spec["serviceAccountName"] = json!("chat");
    }
    let mut deployment = object("apps/v1", "Deployment", namespace, name);
    deployment["spec"] = json!({"template": {"metadata": {"labels": labels}, "spec": spec}});
    deployment
}

fn service(pick: &mut Pick, reference: &str) -> Value {
    let (namespace, name) = reference.split_once('/').unwrap();
    let protocol = *pick.one(&["http", "http", "http", "tcp", "grpc", "model"]);
    let mut service = object("v1", "Service", namespace, name);
    service["spec"] = json!({"selector": {"app": name},
        "ports": [{"name": protocol, "port": 80, "targetPort": 8080}]});
    service
}

fn policy(pick: &mut Pick) -> Value {
    match pick.below(10) {
        0..=2 => peer_authentication(pick),
        3 | 4 => destination_rule(pick),
        _ => authorization(pick),
    }
}

fn selector(pick: &mut Pick, spec: &mut Value) {
    if pick.chance(60) {
        let app = *pick.one(&["llm", "llm", "vec", "llm-v2"]);
        spec["selector"] = json!({"matchLabels": {"app": app}});
    }
}

fn peer_authentication(pick: &mut Pick) -> Value {
    let namespace = *pick.one(&["ml", "ml", "ml", "istio-system"]);
    // One policy a scope: the files of two equally old ones cannot say which counts.
    let mut spec =
        json!({"mtls": {"mode": *pick.one(&["STRICT", "STRICT", "PERMISSIVE", "DISABLE"])}});
    let name = match pick.below(3) {
        0 if namespace == "ml" => {
            let app = *pick.one(&["llm", "vec"]);
            spec["selector"] = json!({"matchLabels": {"app": app}});
            app
        }
        _ => "default",
    };
    let mut policy = object(
        "security.istio.io/v1",
        "PeerAuthentication",
        namespace,
        name,
    );
    policy["spec"] = spec;
    policy
}

fn destination_rule(pick: &mut Pick) -> Value {
    let namespace = *pick.one(&["ml", "ml", "apps"]);
    let name = *pick.one(&["llm", "vec"]);
    let mut rule = object("networking.istio.io/v1", "DestinationRule", namespace, name);
    let mode = *pick.one(&["DISABLE", "ISTIO_MUTUAL", "ISTIO_MUTUAL"]);
    rule["spec"] = json!({"host": format!("{name}.ml.svc.cluster.local"),
        "trafficPolicy": {"tls": {"mode": mode}}});
    rule
}

fn authorization(pick: &mut Pick) -> Value {
    let namespace = *pick.one(&["ml", "ml", "ml", "istio-system"]);
    let name = *pick.one(&["a", "b", "c"]);
    let mut policy = object(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        namespace,
        name,
    );
    let mut spec = json!({});
    selector(pick, &mut spec);
    if pick.chance(25) {
        spec["action"] = json!("DENY");
    }
    let rules: Vec<Value> = (0..=pick.below(2)).map(|_| rule(pick)).collect();
    if !pick.chance(5) {
        spec["rules"] = json!(rules);
    }
    policy["spec"] = spec;
    policy
}

fn rule(pick: &mut Pick) -> Value {
    let mut rule = json!({});
    if pick.chance(85) {
        let source = match pick.below(8) {
            0..=3 => json!({"principals": pick.some(&PRINCIPALS, 1, 2)}),
            4 => json!({"namespaces": pick.some(&["apps", "ml", "ap*", "old"], 1, 2)}),
            5 => json!({"notPrincipals": pick.some(&PRINCIPALS, 1, 2)}),
            6 => json!({"notNamespaces": pick.some(&["apps", "ml"], 1, 1)}),
            _ => json!({"principals": ["*"], "notNamespaces": ["apps"]}),
        };
        rule["from"] = json!([{"source": source}]);
    }
    if pick.chance(45) {
        let operation = match pick.below(5) {
            0 | 1 => json!({"methods": pick.some(&["GET", "POST"], 1, 2)}),
            2 => json!({"paths": pick.some(&["/v1/*", "/healthz"], 1, 2)}),
            3 => json!({"notPaths": ["/v1/*"], "methods": ["GET"]}),
            _ => json!({"ports": [*pick.one(&["8080", "9090"])]}),
        };
        rule["to"] = json!([{"operation": operation}]);
    }
    rule
}
