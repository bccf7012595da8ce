//! The manifests of a random cluster. Input: a cluster as data; output: YAML that says the same.

use serde_json::{Value, json};

use super::cluster::{
    AdminPolicy, Cluster, Dataplane, MeshRule, NamespaceModel, NetworkRule, PORTS, Peer, PodModel,
    Selector,
};

impl Cluster {
    /// The manifests, one JSON document each.
    pub(super) fn text(&self) -> String {
        let mut all: Vec<Value> = self.namespaces.iter().map(namespace).collect();
        for pod in &self.pods {
            all.extend(workload(pod));
        }
        let numbered = |kind: &str, at: usize| format!("{}{at}", kind.to_lowercase());
        for (at, policy) in self.peer.iter().enumerate() {
            let mut spec = json!({"mtls": {"mode": policy.mode}});
            select(&mut spec, policy.app);
            if let Some(mode) = policy.port {
                spec["portLevelMtls"] = json!({"9090": {"mode": mode}});
            }
            let kind = "PeerAuthentication";
            all.push(json!({"apiVersion": "security.istio.io/v1", "kind": kind,
                "metadata": {"name": numbered(kind, at), "namespace": policy.namespace}, "spec": spec}));
        }
        for (at, policy) in self.authorization.iter().enumerate() {
            let action = if policy.deny { "DENY" } else { "ALLOW" };
            let rules: Vec<Value> = policy.rules.iter().map(mesh_rule).collect();
            let mut spec = json!({"action": action, "rules": rules});
            select(&mut spec, policy.app);
            let kind = "AuthorizationPolicy";
            all.push(json!({"apiVersion": "security.istio.io/v1", "kind": kind,
                "metadata": {"name": numbered(kind, at), "namespace": policy.namespace}, "spec": spec}));
        }
        for (at, policy) in self.network.iter().enumerate() {
            let mut spec = json!({"podSelector": labels("app", policy.pods), "policyTypes": []});
            for (name, kind, peers, rules) in [
                ("ingress", "Ingress", "from", &policy.ingress),
                ("egress", "Egress", "to", &policy.egress),
            ] {
                let Some(rules) = rules else { continue };
                let rules: Vec<Value> = rules.iter().map(|r| network_rule(r, peers)).collect();
                spec[name] = json!(rules);
                spec["policyTypes"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!(kind));
            }
            let kind = "NetworkPolicy";
            all.push(json!({"apiVersion": "networking.k8s.io/v1", "kind": kind,
                "metadata": {"name": numbered(kind, at), "namespace": policy.namespace}, "spec": spec}));
        }
        all.extend(self.admin.iter().map(admin));
        let texts: Vec<String> = all.iter().map(Value::to_string).collect();
        texts.join("\n---\n")
    }
}

fn namespace(of: &NamespaceModel) -> Value {
    let mut labels = json!({"team": of.team});
    match of.dataplane {
        Dataplane::Outside => {}
        Dataplane::Sidecar => labels["istio-injection"] = json!("enabled"),
        Dataplane::Ambient => labels["istio.io/dataplane-mode"] = json!("ambient"),
    }
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": of.name, "labels": labels}})
}

fn workload(pod: &PodModel) -> [Value; 2] {
    let metadata = json!({"name": pod.app, "namespace": pod.namespace});
    let ports = PORTS.map(|number| json!({"containerPort": number}));
    let spec = json!({"serviceAccountName": pod.account, "containers": [{"name": "main", "image": "i", "ports": ports}]});
    let template = json!({"metadata": {"labels": {"app": pod.app}}, "spec": spec});
    [
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": {"app": pod.app}, "ports": [
            {"name": "http-main", "port": 80, "targetPort": 8080}, {"name": "tcp-main", "port": 90, "targetPort": 9090}]}}),
    ]
}

fn select(spec: &mut Value, app: Option<&str>) {
    if let Some(app) = app {
        spec["selector"] = json!({"matchLabels": {"app": app}});
    }
}

fn mesh_rule(rule: &MeshRule) -> Value {
    let mut value = json!({});
    let put = |object: &mut Value, name: &str, list: Vec<String>| {
        if !list.is_empty() {
            object[name] = json!(list);
        }
    };
    let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    if !rule.from.is_empty() {
        let entries = rule.from.iter().map(|s| {
            let mut source = json!({});
            put(&mut source, "principals", texts(&s.principals));
            put(&mut source, "notPrincipals", texts(&s.not_principals));
            put(&mut source, "namespaces", texts(&s.namespaces));
            put(&mut source, "notNamespaces", texts(&s.not_namespaces));
            put(&mut source, "ipBlocks", texts(&s.blocks));
            json!({"source": source})
        });
        value["from"] = entries.collect();
    }
    if !rule.to.is_empty() {
        let entries = rule.to.iter().map(|o| {
            let mut operation = json!({});
            put(&mut operation, "methods", texts(&o.methods));
            put(&mut operation, "paths", texts(&o.paths));
            put(&mut operation, "notPaths", texts(&o.not_paths));
            let ports = o.ports.iter().map(u16::to_string).collect();
            put(&mut operation, "ports", ports);
            json!({"operation": operation})
        });
        value["to"] = entries.collect();
    }
    value
}

fn labels(key: &str, selector: Selector) -> Value {
    match selector {
        Selector::All => json!({}),
        Selector::Is(value) => json!({"matchLabels": {key: value}}),
        Selector::IsNot(value) => {
            json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]})
        }
    }
}

fn network_rule(rule: &NetworkRule, peers: &str) -> Value {
    let mut value = json!({});
    if !rule.peers.is_empty() {
        let items = rule.peers.iter().map(|peer| match peer {
            Peer::Block(cidr, None) => json!({"ipBlock": {"cidr": cidr}}),
            Peer::Block(cidr, Some(except)) => {
                json!({"ipBlock": {"cidr": cidr, "except": [except]}})
            }
            Peer::Pods(None, pods) => json!({"podSelector": labels("app", *pods)}),
            Peer::Pods(Some(namespaces), pods) => json!({
                "namespaceSelector": labels("team", *namespaces), "podSelector": labels("app", *pods)}),
        });
        value[peers] = items.collect();
    }
    if !rule.ports.is_empty() {
        value["ports"] = rule.ports.iter().map(|p| json!({"port": p})).collect();
    }
    value
}

fn admin(policy: &AdminPolicy) -> Value {
    let pods = |namespaces: Selector, pods: Selector| json!({"pods": {"namespaceSelector": labels("team", namespaces), "podSelector": labels("app", pods)}});
    let mut spec = json!({"subject": pods(policy.namespaces, policy.pods)});
    for (name, peers, rules) in [
        ("ingress", "from", &policy.ingress),
        ("egress", "to", &policy.egress),
    ] {
        let rules = rules.iter().map(|rule| {
            let items = rule.peers.iter().map(|peer| match peer {
                Peer::Pods(Some(namespaces), of) => pods(*namespaces, *of),
                other => panic!("{other:?} is no peer of an administrator"),
            });
            let mut value = json!({"action": rule.action, peers: items.collect::<Value>()});
            if !rule.ports.is_empty() {
                let ports = rule.ports.iter();
                value["ports"] = ports
                    .map(|p| json!({"portNumber": {"protocol": "TCP", "port": p}}))
                    .collect();
            }
            value
        });
        spec[name] = rules.collect();
    }
    let (kind, name) = match policy.priority {
        Some(priority) => {
            spec["priority"] = json!(priority);
            ("AdminNetworkPolicy", format!("admin-{priority}"))
        }
        None => ("BaselineAdminNetworkPolicy", "default".to_owned()),
    };
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}
