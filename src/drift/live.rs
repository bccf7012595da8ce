//! Objects as an API server hands them out. Input: an object of an export and what differs from its manifest; output: whether it is one, and
//! whether a field is only the server's default.
//!
//! Defaults: kubernetes/kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_Container`, `_ContainerPort` by `+default="TCP"`,
//! `_Service`, `_PodSpec`), `pkg/apis/networking/v1/defaults.go` (`SetDefaults_NetworkPolicy`), `pkg/registry/core/service/storage`
//! (cluster IPs, families, node ports); kubernetes-sigs/gateway-api `apis/v1/*_types.go` (`+kubebuilder:default`). Istio's kinds have none.

use crate::drift::edit::Edit;
use crate::pods;
use crate::resource::Resource;
use crate::yaml::NodeRef;

/// Whether an API server wrote the object: no manifest sets these fields.
#[must_use]
pub fn is_live(resource: &Resource) -> bool {
    let metadata = resource.object().get("metadata");
    ["uid", "resourceVersion", "managedFields"]
        .into_iter()
        .any(|field| metadata.and_then(|m| m.get(field)).is_some())
}

/// What an injector notes on the pods that it gives a proxy: istio `pkg/kube/inject/webhook.go`, linkerd2 `pkg/k8s/labels.go`.
const INJECTED: &[&str] = &["sidecar.istio.io/status", "linkerd.io/proxy-version"];

/// The containers that injectors add.
const PROXIES: &[&str] = &[
    "istio-proxy",
    "istio-init",
    "istio-validation",
    "linkerd-proxy",
    "linkerd-init",
    "linkerd-network-validator",
];

/// Whether an injector gave the running pod a proxy: its template does not have it.
fn is_injected(live: &Resource) -> bool {
    let annotations = live.object().at(&["metadata", "annotations"]);
    live.is("", "Pod")
        && is_live(live)
        && annotations.is_some_and(|a| INJECTED.iter().any(|key| a.get(key).is_some()))
}

/// Whether a port is one of the proxy that an injector gave the running pod.
#[must_use]
pub fn is_of_proxy(live: &Resource, port: u16) -> bool {
    let spec = live.object().get("spec");
    let lists = ["containers", "initContainers"]
        .into_iter()
        .filter_map(|field| spec?.get(field));
    let named = |c: &NodeRef<'_>| c.get("name").is_some_and(|n| PROXIES.contains(&n.text()));
    let number = port.to_string();
    is_injected(live)
        && lists
            .flat_map(NodeRef::items)
            .filter(named)
            .filter_map(|c| c.get("ports"))
            .flat_map(NodeRef::items)
            .any(|p| p.get("containerPort").is_some_and(|n| n.text() == number))
}

/// Labels, annotations and containers that injectors add.
fn is_of_injector(edit: &Edit, field: &str) -> bool {
    let is_proxy = |part: &String| {
        let name = part.strip_prefix('[').and_then(|p| p.strip_suffix(']'));
        name.is_some_and(|name| PROXIES.contains(&name))
    };
    edit.path.iter().any(is_proxy)
        || ["istio.io/", "linkerd.io/"]
            .iter()
            .any(|mesh| field.contains(mesh))
}

/// Whether a field that only the live side has is what the server fills in when a manifest leaves it out.
#[must_use]
pub fn is_default(live: &Resource, edit: &Edit) -> bool {
    let field = edit.path.last().map_or("", String::as_str);
    let holder = edit.path.iter().rev().nth(1).map_or("", String::as_str);
    let value = edit.after.as_deref().or(edit.before.as_deref());
    // Where the manifest names no namespace, the one it was applied to.
    if edit.path == ["metadata", "namespace"] || (field == "protocol" && value == Some("TCP")) {
        return true;
    }
    match (live.group(), live.kind()) {
        ("", "Service") => of_service(live, edit, field, value),
        ("networking.k8s.io", "NetworkPolicy") => field == "policyTypes",
        ("gateway.networking.k8s.io", _) => of_gateway_api(field, holder, value),
        _ => of_pods(live, edit, field, value),
    }
}

fn of_service(live: &Resource, edit: &Edit, field: &str, value: Option<&str>) -> bool {
    let is_filled = matches!(
        field,
        "clusterIP"
            | "clusterIPs"
            | "ipFamilies"
            | "ipFamilyPolicy"
            | "nodePort"
            | "healthCheckNodePort"
            | "sessionAffinityConfig"
            | "allocateLoadBalancerNodePorts"
    );
    let usual = match field {
        "internalTrafficPolicy" | "externalTrafficPolicy" => "Cluster",
        "sessionAffinity" => "None",
        "type" => "ClusterIP",
        _ => "",
    };
    is_filled
        || (!usual.is_empty() && value == Some(usual))
        || (field == "targetPort" && own_port(live, edit) == value)
}

/// The number of the Service port that an edit lies in.
fn own_port<'r>(live: &'r Resource, edit: &Edit) -> Option<&'r str> {
    let item = edit.path.iter().rev().nth(1)?;
    let key = item.strip_prefix('[')?.strip_suffix(']')?;
    let ports = live.object().at(&["spec", "ports"])?;
    let named = |port: &NodeRef<'_>| port.get("name").is_some_and(|n| n.text() == key);
    let port = ports
        .items()
        .find(named)
        .or_else(|| ports.item(key.parse().ok()?))?;
    Some(port.get("port")?.text())
}

/// Only fields that meshes look at count; `serviceAccount` repeats `serviceAccountName`, and in the node's network every port is one of the
/// node's.
fn of_pods(live: &Resource, edit: &Edit, field: &str, value: Option<&str>) -> bool {
    let in_node_network = || {
        let spec = pods::template(live).and_then(|t| t.get("spec"));
        let flag = spec.and_then(|s| s.get("hostNetwork"));
        flag.is_some_and(|f| f.text() == "true")
    };
    if is_injected(live) && is_of_injector(edit, field) {
        return true;
    }
    edit.path.iter().any(|p| p == "spec")
        && match field {
            "serviceAccount" | "imagePullPolicy" | "terminationMessagePath" => true,
            "terminationMessagePolicy" | "resources" => true,
            "serviceAccountName" => value == Some("default"),
            "hostPort" => in_node_network(),
            _ => false,
        }
}

fn of_gateway_api(field: &str, holder: &str, value: Option<&str>) -> bool {
    match field {
        "group" => matches!(value, Some("" | "gateway.networking.k8s.io")),
        "kind" => matches!(value, Some("Gateway" | "Service" | "Secret")),
        "weight" => value == Some("1"),
        "mode" => value == Some("Terminate"),
        "from" => value == Some("Same"),
        "type" => matches!(value, Some("PathPrefix" | "Exact")),
        "value" => holder == "path" && value == Some("/"),
        "allowedRoutes" | "namespaces" | "path" | "matches" => value.is_none(),
        _ => false,
    }
}
