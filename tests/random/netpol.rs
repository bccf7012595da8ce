//! Random clusters with network policies, and connections to ask about. Input: a seed; output: documents and probes.
//!
//! Left out, because the reference evaluator does not model it: equal priorities, hostNetwork, peers of nodes and domain names.

use serde_json::{Value, json};

use super::pick::Pick;

const NAMESPACES: [&str; 4] = ["ai", "web", "dev", "ops"];
const APPS: [&str; 3] = ["a", "b", "c"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
const PORTS: [u16; 5] = [80, 443, 8080, 8081, 9090];
const NAMES: [&str; 3] = ["http", "metrics", "dns"];
const NETS: [&str; 5] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "192.168.0.0/16",
    "1.2.3.4/32",
];
const ADDRESSES: [&str; 5] = ["10.0.0.1", "10.1.2.3", "192.168.4.4", "1.2.3.4", "8.8.8.8"];

pub(crate) fn is_pod(document: &Value) -> bool {
    matches!(
        document["kind"].as_str(),
        Some("Deployment" | "Pod" | "StatefulSet")
    )
}

pub(crate) fn cluster(pick: &mut Pick) -> Vec<Value> {
    let mut documents = Vec::new();
    for name in NAMESPACES {
        if pick.chance(70) {
            let labels = json!({"team": *pick.one(&["x", "y"]), "tier": *pick.one(&["1", "2"])});
            documents.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
        }
        for app in APPS {
            documents.push(workload(pick, name, app));
        }
    }
    for at in 0..pick.below(5) {
        documents.push(network_policy(pick, at));
    }
    let mut priorities: Vec<usize> = (0..20).collect();
    for at in 0..pick.below(3) {
        let priority = priorities.remove(pick.below(priorities.len()));
        let alpha2 = pick.chance(40);
        documents.push(admin(pick, at, priority, alpha2, "Admin"));
    }
    if pick.chance(40) {
        let alpha2 = pick.chance(40);
        documents.push(admin(pick, 9, 0, alpha2, "Baseline"));
    }
    documents
}

fn workload(pick: &mut Pick, namespace: &str, app: &str) -> Value {
    let numbers = pick.some(&PORTS, 0, 3);
    let mut names = NAMES.to_vec();
    let ports: Vec<Value> = numbers
        .iter()
        .map(|n| {
            let mut port = json!({"containerPort": n, "protocol": *pick.one(&PROTOCOLS)});
            if pick.chance(70) {
                port["name"] = json!(names.remove(pick.below(names.len())));
            }
            port
        })
        .collect();
    let mut labels = json!({"app": app});
    if pick.chance(50) {
        labels["role"] = json!(*pick.one(&["front", "back"]));
    }
    let spec = json!({"containers": [{"name": "main", "image": "x", "ports": ports}]});
    let metadata = json!({"name": app, "namespace": namespace});
    if pick.chance(30) {
        let metadata = json!({"name": app, "namespace": namespace, "labels": labels});
        return json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    }
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let kind = *pick.one(&["Deployment", "StatefulSet"]);
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": template}})
}

fn selector(pick: &mut Pick, of_namespaces: bool) -> Value {
    let (keys, values): (&[&str], &[&str]) = if of_namespaces {
        (
            &["team", "tier", "kubernetes.io/metadata.name"],
            &["x", "y", "1", "ai", "web"],
        )
    } else {
        (&["app", "role", "none"], &["a", "b", "c", "front", "back"])
    };
    let key = *pick.one(keys);
    match pick.below(8) {
        0 | 1 => json!({}),
        2..=4 => {
            let value = if of_namespaces && key.contains('/') {
                *pick.one(&NAMESPACES)
            } else {
                *pick.one(values)
            };
            json!({"matchLabels": {key: value}})
        }
        5 => {
            json!({"matchExpressions": [{"key": key, "operator": *pick.one(&["Exists", "DoesNotExist"])}]})
        }
        _ => {
            let operator = *pick.one(&["In", "NotIn"]);
            json!({"matchExpressions": [{"key": key, "operator": operator, "values": pick.some(values, 1, 3)}]})
        }
    }
}

fn network_policy(pick: &mut Pick, at: usize) -> Value {
    let mut spec = json!({"podSelector": selector(pick, false)});
    for (list, peers) in [("ingress", "from"), ("egress", "to")] {
        if pick.chance(65) {
            let rules: Vec<Value> = (0..pick.below(3)).map(|_| rule(pick, peers)).collect();
            spec[list] = json!(rules);
        }
    }
    if pick.chance(50) {
        spec["policyTypes"] = json!(pick.some(&["Ingress", "Egress"], 1, 2));
    }
    let metadata = json!({"name": format!("p{at}"), "namespace": *pick.one(&NAMESPACES)});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
}

fn rule(pick: &mut Pick, peers: &str) -> Value {
    let mut rule = json!({});
    if pick.chance(85) {
        let items: Vec<Value> = (0..1 + pick.below(2))
            .map(|_| match pick.below(5) {
                0 => json!({"podSelector": selector(pick, false)}),
                1 => json!({"namespaceSelector": selector(pick, true)}),
                2 | 3 => json!({"namespaceSelector": selector(pick, true), "podSelector": selector(pick, false)}),
                _ => {
                    let mut block = json!({"cidr": *pick.one(&NETS)});
                    if block["cidr"] == "0.0.0.0/0" && pick.chance(50) {
                        block["except"] = json!([*pick.one(&NETS[1..])]);
                    }
                    json!({"ipBlock": block})
                }
            })
            .collect();
        rule[peers] = json!(items);
    }
    if pick.chance(55) {
        let ports: Vec<Value> = (0..1 + pick.below(2))
            .map(|_| {
                let mut port = json!({});
                if pick.chance(70) {
                    port["protocol"] = json!(*pick.one(&PROTOCOLS));
                }
                match pick.below(5) {
                    0 => {}
                    1 => port["port"] = json!(*pick.one(&NAMES)),
                    2 => {
                        port["port"] = json!(80);
                        port["endPort"] = json!(*pick.one(&PORTS));
                    }
                    _ => port["port"] = json!(*pick.one(&PORTS)),
                }
                port
            })
            .collect();
        rule["ports"] = json!(ports);
    }
    rule
}

fn pods(pick: &mut Pick) -> Value {
    if pick.chance(60) {
        return json!({"namespaces": selector(pick, true)});
    }
    json!({"pods": {"namespaceSelector": selector(pick, true), "podSelector": selector(pick, false)}})
}

fn admin(pick: &mut Pick, at: usize, priority: usize, alpha2: bool, tier: &str) -> Value {
    let mut spec = json!({"subject": pods(pick)});
    for (list, peers) in [("ingress", "from"), ("egress", "to")] {
        let rules: Vec<Value> = (0..pick.below(3))
            .map(|_| {
                let allow = if alpha2 { "Accept" } else { "Allow" };
                let actions: &[&str] = if tier == "Admin" || alpha2 {
                    &["Deny", "Pass", ""]
                } else {
                    &["Deny", ""]
                };
                let action = *pick.one(actions);
                let action = if action.is_empty() { allow } else { action };
                let peer = if list == "egress" && pick.chance(25) {
                    // A ClusterNetworkPolicy's 0.0.0.0/0 holds pods too, which the reference does not model.
                    let nets = if alpha2 { &NETS[1..] } else { &NETS[..] };
                    json!({"networks": pick.some(nets, 1, 2)})
                } else {
                    pods(pick)
                };
                let mut rule = json!({"action": action, peers: [peer]});
                if pick.chance(50) {
                    let (old, new) = port(pick);
                    rule["ports"] = json!([old]);
                    if alpha2 {
                        rule["protocols"] = json!([new]);
                    }
                }
                rule
            })
            .collect();
        spec[list] = json!(rules);
    }
    let (version, kind) = match (alpha2, tier) {
        (true, _) => ("v1alpha2", "ClusterNetworkPolicy"),
        (false, "Admin") => ("v1alpha1", "AdminNetworkPolicy"),
        (false, _) => ("v1alpha1", "BaselineAdminNetworkPolicy"),
    };
    if alpha2 {
        spec["tier"] = json!(tier);
    }
    spec["priority"] = json!(priority);
    json!({"apiVersion": format!("policy.networking.k8s.io/{version}"), "kind": kind, "metadata": {"name": format!("a{at}")}, "spec": spec})
}

/// One port in the words of both versions.
fn port(pick: &mut Pick) -> (Value, Value) {
    let protocol = *pick.one(&PROTOCOLS);
    let lower = protocol.to_lowercase();
    match pick.below(3) {
        0 => {
            let name = *pick.one(&NAMES);
            (
                json!({"namedPort": name}),
                json!({"destinationNamedPort": name}),
            )
        }
        1 => {
            let end = *pick.one(&PORTS[1..]);
            (
                json!({"portRange": {"protocol": protocol, "start": 80, "end": end}}),
                json!({lower: {"destinationPort": {"range": {"start": 80, "end": end}}}}),
            )
        }
        _ => {
            let number = *pick.one(&PORTS);
            (
                json!({"portNumber": {"protocol": protocol, "port": number}}),
                json!({lower: {"destinationPort": {"number": number}}}),
            )
        }
    }
}

pub(crate) fn probes(pick: &mut Pick, count: usize) -> Vec<Value> {
    let pod = |pick: &mut Pick| format!("{}/{}", pick.one(&NAMESPACES), pick.one(&APPS));
    let mut found = Vec::new();
    while found.len() < count {
        let (mut from, mut to) = (pod(pick), pod(pick));
        match pick.below(6) {
            0 => from = (*pick.one(&ADDRESSES)).to_owned(),
            1 => to = (*pick.one(&ADDRESSES)).to_owned(),
            _ => {}
        }
        if from != to {
            found.push(json!({"from": from, "to": to, "protocol": *pick.one(&PROTOCOLS), "port": *pick.one(&[80, 443, 8080, 8081, 9090, 100])}));
        }
    }
    found
}

/// What occurs in the policies of a cluster, for the table.
pub(crate) fn features(documents: &[Value]) -> Vec<String> {
    fn walk(kind: &str, value: &Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    if ["operator", "action", "tier"].contains(&key.as_str()) {
                        found.insert(format!("{kind} {key} {}", inner.as_str().unwrap_or("")));
                    } else if !["app", "role", "team", "none"].contains(&key.as_str())
                        && !key.contains('/')
                    {
                        found.insert(format!("{kind} {key}"));
                    }
                    walk(kind, inner, found);
                }
            }
            Value::Array(list) => list.iter().for_each(|inner| walk(kind, inner, found)),
            _ => {}
        }
    }
    let mut found = std::collections::BTreeSet::new();
    for document in documents {
        let kind = document["kind"].as_str().unwrap();
        if kind.ends_with("NetworkPolicy") {
            walk(kind, &document["spec"], &mut found);
        }
    }
    found.into_iter().collect()
}
