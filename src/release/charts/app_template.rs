//! L3: `app-template` of bjw-s, from its second release on. Input: its values; output: its controllers and Services.
//!
//! bjw-s-labs/helm-charts `charts/library/common/templates`: `lib/container/_spec.tpl`, `lib/pod/_spec.tpl`,
//! `classes/_service.tpl`, `lib/common/_determineResourceNameFromValues.tpl`; `charts/other/app-template/templates/common.yaml`
//! names everything after the release.

use crate::kustomize::node::Node;
use crate::release::charts::build::{self, Map, Workload, image, set};
use crate::release::{Chart, Release};
use crate::source::Span;
use crate::yaml::NodeRef;

/// Top-level values that make nothing beside what [`objects`] makes, but for claims, accounts, configuration and monitors.
const UNDERSTOOD: &[&str] = &[
    "controllers",
    "defaultPodOptions",
    "defaultPodOptionsStrategy",
    "service",
    "serviceAccount",
    "persistence",
    "configMaps",
    "configMapsFromFolder",
    "secrets",
    "serviceMonitor",
    "podMonitor",
];

/// Whether the values make no policy, route or grant, and nothing by hand.
pub(super) fn is_closed(chart: &Chart) -> bool {
    let entries = chart.values().into_iter().flat_map(NodeRef::entries);
    let mut keys = entries.map(|(key, _)| key.key_text().into_owned());
    chart.value(&["controllers"]).is_some() && keys.all(|key| UNDERSTOOD.contains(&key.as_str()))
}

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    let values = chart.values();
    let Some(controllers) = set(values, &["controllers"]) else {
        return Vec::new();
    };
    let stack = Stack {
        release,
        values,
        name: name(release, values),
    };
    let enabled = enabled(controllers);
    let mut found = Vec::new();
    for &(id, at, controller) in &enabled {
        found.push(stack.controller(id, at, controller, enabled.len()));
    }
    let services = set(values, &["service"]);
    let services = services.map(self::enabled).unwrap_or_default();
    for &(id, at, service) in &services {
        found.extend(stack.service(id, at, service, &enabled, services.len()));
    }
    found
}

type Entry<'t> = (&'t str, Span, NodeRef<'t>);

/// Entries of a map that are not switched off.
fn enabled(map: NodeRef<'_>) -> Vec<Entry<'_>> {
    map.entries()
        .filter(|(_, value)| value.is_map())
        .filter(|(_, value)| value.get("enabled").and_then(NodeRef::as_bool) != Some(false))
        .map(|(key, value)| (key.text(), key.span(), value))
        .collect()
}

fn name(release: &Release, values: Option<NodeRef<'_>>) -> String {
    let given = |field: &str| set(values, &["global", field]).map(|v| v.text().to_owned());
    given("fullnameOverride").unwrap_or_else(|| release.name.clone())
}

struct Stack<'a> {
    release: &'a Release,
    values: Option<NodeRef<'a>>,
    name: String,
}

impl<'a> Stack<'a> {
    fn named(&self, object: NodeRef<'_>, id: &str, of: usize) -> String {
        if let Some(name) = set(Some(object), &["forceRename"]) {
            return name.text().to_owned();
        }
        let own = set(Some(object), &["nameOverride"]).or_else(|| set(Some(object), &["suffix"]));
        match own {
            Some(own) => format!("{}-{}", self.name, own.text()),
            None if of > 1 => format!("{}-{id}", self.name),
            None => self.name.clone(),
        }
    }

    fn labels(&self, id: &str, at: Span) -> Map {
        let span = self.release.span;
        let given = set(self.values, &["global", "nameOverride"]);
        let name = given.map_or(self.release.name.as_str(), NodeRef::text);
        Map::at(span)
            .text("app.kubernetes.io/name", name, span)
            .text(
                "app.kubernetes.io/instance",
                self.release.name.as_str(),
                span,
            )
            .text("app.kubernetes.io/controller", id, at)
    }

    /// A pod option: the controller's own, else that of `defaultPodOptions`.
    fn option(&self, controller: NodeRef<'a>, name: &str) -> Option<NodeRef<'a>> {
        set(Some(controller), &["pod", name])
            .or_else(|| set(self.values, &["defaultPodOptions", name]))
    }

    fn controller(
        &self,
        id: &'a str,
        at: Span,
        controller: NodeRef<'a>,
        of: usize,
    ) -> Node<'static> {
        let kind = match set(Some(controller), &["type"]).map_or("deployment", NodeRef::text) {
            "statefulset" => "StatefulSet",
            "daemonset" => "DaemonSet",
            "cronjob" => "CronJob",
            "job" => "Job",
            _ => "Deployment",
        };
        let mut spec = Map::at(at);
        for option in [
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "securityContext",
            "runtimeClassName",
        ] {
            if let Some(value) = self.option(controller, option) {
                spec = spec.put(option, build::copy(value));
            }
        }
        if let Some(account) = self.account(controller) {
            spec = spec.put("serviceAccountName", account);
        }
        for field in ["initContainers", "containers"] {
            let list = set(Some(controller), &[field])
                .map(enabled)
                .unwrap_or_default();
            let list = list.into_iter().map(|c| container(c, controller)).collect();
            spec = spec.list(field, list, at);
        }
        Workload {
            kind,
            name: self.named(controller, id, of),
            labels: self.labels(id, at),
            pod_labels: self.option(controller, "labels"),
            annotations: self.option(controller, "annotations"),
            spec,
            replicas: set(Some(controller), &["replicas"]),
        }
        .end(at)
    }

    /// The account that is named; one that is only referred to by its key has a name of the chart's making.
    fn account(&self, controller: NodeRef<'_>) -> Option<Node<'static>> {
        if let Some(name) = set(Some(controller), &["serviceAccount", "name"]) {
            return Some(build::copy(name));
        }
        let id = set(Some(controller), &["serviceAccount", "identifier"])?;
        Some(Node::string(self.name.clone(), id.span()))
    }

    fn service(
        &self,
        id: &str,
        at: Span,
        service: NodeRef<'_>,
        controllers: &[Entry<'_>],
        of: usize,
    ) -> Option<Node<'static>> {
        let (controller, span) = match (set(Some(service), &["controller"]), controllers) {
            (Some(named), _) => (named.text(), named.span()),
            (None, [(only, span, _)]) => (*only, *span),
            _ => return None,
        };
        let ports = set(Some(service), &["ports"])?;
        let ports: Vec<Node<'static>> = enabled(ports)
            .into_iter()
            .filter_map(|(name, _, port)| {
                let number = set(Some(port), &["port"])?;
                let target = set(Some(port), &["targetPort"]).unwrap_or(number);
                let port = build::copy(number);
                Some(build::service_port(port, build::copy(target), name))
            })
            .collect();
        let name = self.named(service, id, of);
        let labels = self.labels(controller, span);
        let kind = set(Some(service), &["type"]);
        Some(build::service(&name, labels, ports, kind, at))
    }
}

/// A container; `containers` keyed by name. Fields of the pod spec stand in the values as Kubernetes has them.
fn container((id, at, values): Entry<'_>, controller: NodeRef<'_>) -> Node<'static> {
    let own = Some(values);
    let defaults = set(Some(controller), &["defaultContainerOptions"]);
    let picture = match set(own, &["image"]) {
        Some(text) if text.as_str().is_some() => build::copy(text),
        Some(map) => image(Some(map), "", at),
        None => image(set(defaults, &["image"]), "", at),
    };
    let name = set(own, &["nameOverride"]).map_or(id, NodeRef::text);
    let mut container = Map::at(at).text("name", name, at).put("image", picture);
    for field in ["command", "args"] {
        if let Some(value) = set(own, &[field]).or_else(|| set(defaults, &[field])) {
            let list = match value.is_seq() {
                true => build::copy(value),
                false => build::list(vec![build::quoted(value)], value.span()),
            };
            container = container.put(field, list);
        }
    }
    // `defaultContainerOptionsStrategy` is `overwrite` unless set.
    if let Some(env) = set(own, &["env"]).or_else(|| set(defaults, &["env"])) {
        container = container.list("env", variables(env), env.span());
    }
    let copied = [
        "envFrom",
        "ports",
        "securityContext",
        "resources",
        "lifecycle",
        "restartPolicy",
    ];
    for field in copied {
        container = container.copy(field, own, field);
    }
    container.end()
}

/// `lib/container/fields/_env.tpl`: a map or a list, each value a scalar, `value`, `valueFrom` or what stands in `valueFrom`.
fn variables(env: NodeRef<'_>) -> Vec<Node<'static>> {
    let named = env.entries();
    let listed = env
        .items()
        .filter_map(|item| item.get("name").map(|name| (name, item)));
    named
        .chain(listed)
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let variable = Map::at(name.span()).text("name", name.text(), name.span());
            let variable = match (value.is_map(), value.get("value"), value.get("valueFrom")) {
                (false, _, _) => variable.put("value", build::quoted(value)),
                (true, Some(value), _) => variable.put("value", build::quoted(value)),
                (true, None, Some(from)) => variable.put("valueFrom", build::copy(from)),
                (true, None, None) => variable.put("valueFrom", build::copy(value)),
            };
            variable.end()
        })
        .collect()
}
