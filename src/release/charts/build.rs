//! L3: building the objects of a chart. Input: values with their places; output: nodes that keep them.

use crate::kustomize::node::{Key, Node};
use crate::release::Release;
use crate::source::Span;
use crate::yaml::{Kind, NodeRef};

/// A part of an object under construction.
pub(super) struct Map {
    node: Node<'static>,
}

impl Map {
    /// An empty map caused by `span`.
    pub(super) fn at(span: Span) -> Self {
        Self {
            node: Node::map(span),
        }
    }

    /// Sets a field where its value stands.
    pub(super) fn put(mut self, name: &str, value: Node<'static>) -> Self {
        let span = value.span;
        self.node.set(Key::new(name.to_owned(), span), value);
        self
    }

    /// Sets a field to a text caused by `span`.
    pub(super) fn text(self, name: &str, text: impl Into<String>, span: Span) -> Self {
        self.put(name, Node::string(text.into(), span))
    }

    /// Takes a value over as it stands, keyed where the values have it; nothing when it is not set or empty.
    pub(super) fn copy(self, name: &str, values: Option<NodeRef<'_>>, field: &str) -> Self {
        let Some((key, value)) = values.and_then(|values| values.entry(field)) else {
            return self;
        };
        if is_empty(value) {
            return self;
        }
        let mut map = self;
        map.node
            .set(Key::new(name.to_owned(), key.span()), copy(value));
        map
    }

    /// A list of what is there, left out when empty.
    pub(super) fn list(self, name: &str, items: Vec<Node<'static>>, span: Span) -> Self {
        if items.is_empty() {
            return self;
        }
        self.put(name, list(items, span))
    }

    pub(super) fn end(self) -> Node<'static> {
        self.node
    }
}

/// What Helm's templates take for not set: null, `""`, `{}`, `[]`.
fn is_empty(value: NodeRef<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Map | Kind::Seq => value.is_empty(),
        Kind::Str => value.secret_text().is_empty(),
        _ => false,
    }
}

/// A value as it stands.
pub(super) fn copy(value: NodeRef<'_>) -> Node<'static> {
    Node::read_as(value, false).into_owned()
}

pub(super) fn list(items: Vec<Node<'static>>, span: Span) -> Node<'static> {
    Node::of(crate::kustomize::node::Value::Seq(items), span)
}

/// A scalar as text, as `quote` and `toString` make it.
pub(super) fn quoted(value: NodeRef<'_>) -> Node<'static> {
    let mut node = Node::string(value.secret_text().to_owned(), value.span());
    node.secret = value.is_secret().then(|| value.text().to_owned().into());
    node
}

/// A value that is set and not empty.
pub(super) fn set<'t>(values: Option<NodeRef<'t>>, path: &[&str]) -> Option<NodeRef<'t>> {
    values?.at(path).filter(|value| !is_empty(*value))
}

/// Whether a switch is on; off when it is not set.
pub(super) fn is_on(values: Option<NodeRef<'_>>, path: &[&str]) -> bool {
    set(values, path).and_then(NodeRef::as_bool) == Some(true)
}

/// An environment variable.
pub(super) fn variable(name: &str, value: Node<'static>) -> Node<'static> {
    let span = value.span;
    Map::at(span)
        .text("name", name, span)
        .put("value", value)
        .end()
}

/// `repository:tag`. A tag that the values leave to the chart is not in the files, which the text says.
pub(super) fn image(values: Option<NodeRef<'_>>, default: &str, span: Span) -> Node<'static> {
    let text = |field: &str| set(values, &[field]).map(NodeRef::text);
    let repository = text("repository").unwrap_or(default);
    let mut image = match text("registry") {
        Some(registry) => format!("{registry}/{repository}"),
        None => repository.to_owned(),
    };
    match (text("tag"), text("digest")) {
        (tag, Some(digest)) => {
            if let Some(tag) = tag {
                image.push_str(&format!(":{tag}"));
            }
            image.push_str(&format!("@{digest}"));
        }
        (Some(tag), None) => image.push_str(&format!(":{tag}")),
        (None, None) => image.push_str(":${CHART_VERSION}"),
    }
    let at = ["tag", "repository"]
        .iter()
        .find_map(|field| set(values, &[field]));
    Node::string(image, at.map_or(span, NodeRef::span))
}

/// A container port of a number that is written somewhere, or of the chart's default.
pub(super) fn port(
    name: &str,
    number: Option<NodeRef<'_>>,
    default: u16,
    span: Span,
) -> Node<'static> {
    let number = match number {
        Some(number) => Node::scalar(Kind::Int, number.text().to_owned(), number.span()),
        None => Node::scalar(Kind::Int, default.to_string(), span),
    };
    Map::at(number.span)
        .text("name", name, span)
        .put("containerPort", number)
        .end()
}

/// The name that charts made by `helm create` give their objects.
pub(super) fn full_name(release: &Release, values: Option<NodeRef<'_>>, chart: &str) -> String {
    if let Some(name) = set(values, &["fullnameOverride"]) {
        return name.text().to_owned();
    }
    let name = set(values, &["nameOverride"]).map_or(chart, NodeRef::text);
    if release.name.contains(name) {
        release.name.clone()
    } else {
        format!("{}-{name}", release.name)
    }
}

/// The labels that charts made by `helm create` select their pods by.
pub(super) fn labels(release: &Release, values: Option<NodeRef<'_>>, chart: &str) -> Map {
    let name = set(values, &["nameOverride"]).map_or(chart, NodeRef::text);
    Map::at(release.span)
        .text("app.kubernetes.io/name", name, release.span)
        .text(
            "app.kubernetes.io/instance",
            release.name.as_str(),
            release.span,
        )
}

/// The account of the pods, where `serviceAccount.create` of the chart's own values is `created`.
pub(super) fn account(values: Option<NodeRef<'_>>, name: &str, created: bool) -> String {
    let named = set(values, &["serviceAccount", "name"]).map(NodeRef::text);
    let create = values.and_then(|v| v.at(&["serviceAccount", "create"])?.as_bool());
    let default = if create.unwrap_or(created) {
        name
    } else {
        "default"
    };
    named.unwrap_or(default).to_owned()
}

/// Adds the entries of a map of the values to a map.
pub(super) fn entries(mut map: Map, values: Option<NodeRef<'_>>) -> Map {
    for (key, value) in values.into_iter().flat_map(NodeRef::entries) {
        if value.is_null() {
            continue;
        }
        let name = Key::new(key.key_text().into_owned(), key.span());
        map.node.set(name, copy(value));
    }
    map
}

/// An object with a pod template, selected by `labels`.
pub(super) struct Workload<'a> {
    pub(super) kind: &'a str,
    pub(super) name: String,
    pub(super) labels: Map,
    /// Labels of the pod beside.
    pub(super) pod_labels: Option<NodeRef<'a>>,
    pub(super) annotations: Option<NodeRef<'a>>,
    pub(super) spec: Map,
    pub(super) replicas: Option<NodeRef<'a>>,
}

impl Workload<'_> {
    /// The object; CronJobs nest their template deeper.
    pub(super) fn end(self, span: Span) -> Node<'static> {
        let selector = self.labels.node.clone();
        let labels = entries(self.labels, self.pod_labels).end();
        let mut metadata = Map::at(span).put("labels", labels);
        if let Some(annotations) = self.annotations.filter(|a| !is_empty(*a)) {
            metadata = metadata.put("annotations", copy(annotations));
        }
        let template = Map::at(span)
            .put("metadata", metadata.end())
            .put("spec", self.spec.end())
            .end();
        let (api, spec) = match self.kind {
            "CronJob" => {
                let job = Map::at(span).put("template", template).end();
                let job = Map::at(span).put("spec", job).end();
                ("batch/v1", Map::at(span).put("jobTemplate", job))
            }
            "Job" => ("batch/v1", Map::at(span).put("template", template)),
            _ => {
                let selector = Map::at(span).put("matchLabels", selector).end();
                let mut spec = Map::at(span).put("selector", selector);
                if let Some(replicas) = self.replicas {
                    spec = spec.put("replicas", copy(replicas));
                }
                ("apps/v1", spec.put("template", template))
            }
        };
        object(api, self.kind, &self.name, spec, span)
    }
}

/// A Service in front of pods with `labels`.
pub(super) fn service(
    name: &str,
    labels: Map,
    ports: Vec<Node<'static>>,
    kind: Option<NodeRef<'_>>,
    span: Span,
) -> Node<'static> {
    let mut spec = Map::at(span).put("selector", labels.end());
    if let Some(kind) = kind {
        spec = spec.put("type", copy(kind));
    }
    object("v1", "Service", name, spec.list("ports", ports, span), span)
}

/// An entry of a Service's `ports`.
pub(super) fn service_port(
    port: Node<'static>,
    target: Node<'static>,
    name: &str,
) -> Node<'static> {
    let span = port.span;
    Map::at(span)
        .text("name", name, span)
        .put("port", port)
        .put("targetPort", target)
        .end()
}

/// A number of the values, or the chart's default.
pub(super) fn number(value: Option<NodeRef<'_>>, default: u16, span: Span) -> Node<'static> {
    match value {
        Some(value) => copy(value),
        None => Node::scalar(Kind::Int, default.to_string(), span),
    }
}

fn object(api: &str, kind: &str, name: &str, spec: Map, span: Span) -> Node<'static> {
    let metadata = Map::at(span).text("name", name, span).end();
    Map::at(span)
        .text("apiVersion", api, span)
        .text("kind", kind, span)
        .put("metadata", metadata)
        .put("spec", spec.end())
        .end()
}
