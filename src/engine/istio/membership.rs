//! Who is in the mesh. Input: a workload, its namespace's labels; output: none, sidecar or ambient, with the labels that decided.
//!
//! Sidecars take two stages: the webhook is called by labels only (istio/istio
//! `manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml`), then the injector decides
//! (`pkg/kube/inject/inject.go:injectRequired`). Ambient: `cni/pkg/util/enablement_selector.go:Matches`.

use crate::engine::istio::Istio;
use crate::facts::selector::is_placeholder;
use crate::facts::transport::Membership;
use crate::facts::workload::Workload;
use crate::facts::{Fact, Origin, Role, Step, UnknownReason};
use crate::topology::Topology;
use crate::yaml::NodeRef;

/// Namespaces that the injector never touches (`pkg/kube/inject/initializer.go:IgnoredNamespaces`).
const IGNORED_NAMESPACES: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];
const INJECT: &str = "sidecar.istio.io/inject";
const INJECTION: &str = "istio-injection";
const REVISION: &str = "istio.io/rev";
const REDIRECTION: &str = "ambient.istio.io/redirection";
const DATAPLANE: &str = "istio.io/dataplane-mode";

/// A label with its value and the step that shows it.
struct Label {
    value: String,
    step: Step,
}

/// What decides a workload's membership, gathered once.
struct Labels {
    namespace_injection: Option<Label>,
    namespace_revision: Option<Label>,
    namespace_dataplane: Option<Label>,
    pod_inject: Option<Label>,
    pod_revision: Option<Label>,
    pod_dataplane: Option<Label>,
}

/// Decides the membership of a workload.
pub(crate) fn of(istio: &Istio, topology: &Topology, workload: &Workload) -> Fact<Membership> {
    if istio.evidence.is_none() {
        let step = Step::default("no sign of a mesh in the view", "nothing is meshed");
        return Fact::known(Membership::None, vec![step]);
    }
    if let Some(step) = host_network(workload) {
        return Fact::known(Membership::None, vec![step]);
    }
    if let Some(step) = already_injected(workload) {
        return Fact::known(Membership::Sidecar, vec![step]);
    }
    if let Some(step) = already_redirected(workload) {
        return Fact::known(Membership::Ambient, vec![step]);
    }
    let labels = Labels::of(istio, topology, workload);
    if let Some(reason) = labels.placeholder() {
        return Fact::unknown(reason, Vec::new());
    }
    let mut steps = Vec::new();
    let membership = if sidecar(istio, workload, &labels, &mut steps) {
        Membership::Sidecar
    } else if ambient(&labels, &mut steps) {
        Membership::Ambient
    } else {
        Membership::None
    };
    let namespace = workload.namespace.as_str();
    if !topology.namespaces.contains_key(namespace) && !istio.namespaces.contains_key(namespace) {
        if let Some(unread) = istio.completeness.unread("", Some("Namespace")) {
            return Fact::unknown(unread.clone(), steps);
        }
        let says = match namespace {
            "" => "the namespace that objects without one are applied to carries no mesh label"
                .to_owned(),
            _ => format!(
                "namespace {namespace}, which has no Namespace object here, carries no mesh label"
            ),
        };
        steps.push(Step::assumed("namespaces", says));
    }
    if membership == Membership::None && steps.iter().all(|s| s.role != Role::Decides) {
        let says = "neither the namespace nor the pod is enrolled";
        steps.insert(
            0,
            Step::decides(&workload.resource, workload.resource.name_span(), says),
        );
    }
    Fact::known(membership, steps)
}

fn host_network(workload: &Workload) -> Option<Step> {
    let node = workload.pod_spec()?.get("hostNetwork")?;
    let says = "the pod shares the node's network, which no proxy can capture";
    workload
        .host_network
        .then(|| Step::decides(&workload.resource, node.span(), says))
}

/// A manifest that `istioctl kube-inject` or the webhook has already changed.
fn already_injected(workload: &Workload) -> Option<Step> {
    let status = workload.annotation("sidecar.istio.io/status");
    let container = || {
        ["containers", "initContainers"]
            .into_iter()
            .filter_map(|field| workload.pod_spec()?.get(field))
            .flat_map(NodeRef::items)
            .filter_map(|c| c.get("name"))
            .find(|name| name.text() == "istio-proxy")
    };
    let node = status.or_else(container)?;
    let says = "the proxy is already part of the manifest";
    Some(Step::decides(&workload.resource, node.span(), says))
}

/// A pod as the cluster has it: the node agent notes that a ztunnel takes its traffic (`cni/pkg/util/podutil.go:AnnotateEnrolledPod`). In
/// a template the note means nothing.
fn already_redirected(workload: &Workload) -> Option<Step> {
    let node = workload.annotation(REDIRECTION)?;
    let says = "the node agent has noted that a ztunnel takes its traffic";
    (workload.resource.kind() == "Pod" && node.text() == "enabled")
        .then(|| Step::decides(&workload.resource, node.span(), says))
}

/// Stage one and two of sidecar injection; pushes what decided.
fn sidecar(istio: &Istio, workload: &Workload, labels: &Labels, steps: &mut Vec<Step>) -> bool {
    let Some(called) = webhook(istio, labels, steps) else {
        return false;
    };
    let namespace = workload.namespace.as_str();
    if IGNORED_NAMESPACES.contains(&namespace) {
        steps.extend(ignored(called, "has no effect in this namespace"));
        let says = format!("the injector never touches namespace {namespace}");
        steps.push(Step::decides(
            &workload.resource,
            workload.resource.name_span(),
            says,
        ));
        return false;
    }
    // The label beats the annotation whenever the key is present on labels.
    let annotation = workload.annotation(INJECT);
    let wish = match (&labels.pod_inject, annotation) {
        (Some(label), annotation) => {
            if let Some(node) = annotation.filter(|n| n.text() != label.value) {
                let says = format!("annotation {INJECT} is `{}`", node.text());
                let why = "the pod label of that name wins";
                steps.push(Step::ignored(&workload.resource, node.span(), says, why));
            }
            Some((label.value.clone(), label.step.clone()))
        }
        (None, Some(node)) => {
            let says = format!("annotation {INJECT} is `{}`", node.text());
            let step = Step::decides(&workload.resource, node.span(), says);
            Some((node.text().to_owned(), step))
        }
        (None, None) => None,
    };
    match wish {
        Some((value, step)) if value == "false" => {
            steps.extend(ignored(called, "the pod opts out"));
            steps.push(step);
            false
        }
        Some((value, _)) if value == "true" => {
            steps.extend(called);
            true
        }
        _ if istio.config.inject_on_request => {
            let why = "global.proxy.autoInject is disabled";
            steps.extend(ignored(called, why));
            false
        }
        _ => {
            steps.extend(called);
            true
        }
    }
}

/// Whether the injection webhook is called for the pod: the deciding steps, or `None` (then what stood in the way is pushed).
fn webhook(istio: &Istio, labels: &Labels, steps: &mut Vec<Step>) -> Option<Vec<Step>> {
    let opted_out = labels.pod_inject.as_ref().filter(|l| l.value == "false");
    let unless_opted_out = |called: &Label, steps: &mut Vec<Step>| {
        if let Some(out) = opted_out {
            steps.extend(ignored(vec![called.step.clone()], "the pod opts out"));
            steps.push(out.step.clone());
            return None;
        }
        Some(vec![called.step.clone()])
    };
    if let Some(injection) = &labels.namespace_injection {
        // Every rev.* and object.* hook needs the key to be absent from the namespace.
        if let Some(revision) = &labels.namespace_revision {
            let why = format!("namespace label {INJECTION} is present and wins");
            steps.extend(ignored(vec![revision.step.clone()], &why));
        }
        if injection.value == "enabled" {
            return unless_opted_out(injection, steps);
        }
        if let Some(inject) = labels.pod_inject.as_ref().filter(|l| l.value == "true") {
            let why = "a pod cannot opt in where the namespace label is present and not `enabled`";
            steps.extend(ignored(vec![inject.step.clone()], why));
        }
        steps.push(injection.step.clone());
        return None;
    }
    if let Some(revision) = &labels.namespace_revision {
        return unless_opted_out(revision, steps);
    }
    if let Some(revision) = &labels.pod_revision {
        return unless_opted_out(revision, steps);
    }
    match &labels.pod_inject {
        Some(label) if label.value == "true" => Some(vec![label.step.clone()]),
        Some(label) if label.value == "false" => {
            steps.push(label.step.clone());
            None
        }
        _ => istio.config.inject_by_default.then(|| {
            let says = "enableNamespacesByDefault injects unlabelled namespaces";
            vec![Step::default("sidecarInjectorWebhook", says)]
        }),
    }
}

/// Ambient enrolment: the pod label, else the namespace label unless the pod says `none`.
fn ambient(labels: &Labels, steps: &mut Vec<Step>) -> bool {
    let is = |label: &Option<Label>, value: &str| label.as_ref().is_some_and(|l| l.value == value);
    if is(&labels.pod_dataplane, "ambient") {
        steps.extend(labels.pod_dataplane.as_ref().map(|l| l.step.clone()));
        return true;
    }
    if !is(&labels.namespace_dataplane, "ambient") {
        return false;
    }
    let namespace = labels.namespace_dataplane.as_ref().map(|l| l.step.clone());
    if is(&labels.pod_dataplane, "none") {
        steps.extend(ignored(namespace.into_iter().collect(), "the pod opts out"));
        steps.extend(labels.pod_dataplane.as_ref().map(|l| l.step.clone()));
        return false;
    }
    steps.extend(namespace);
    true
}

fn ignored(steps: Vec<Step>, why: &str) -> impl Iterator<Item = Step> {
    steps.into_iter().map(move |step| Step {
        role: Role::Ignored(why.to_owned()),
        ..step
    })
}

impl Labels {
    fn of(istio: &Istio, topology: &Topology, workload: &Workload) -> Self {
        let name = workload.namespace.as_str();
        let namespace = |label: &str| {
            let says = |value: &str| format!("namespace {name} has {label}={value}");
            if let Some(node) = topology.namespace_label(name, label) {
                let resource = topology.namespaces.get(name)?;
                let value = label_text(node);
                let step = Step::decides(resource, node.span(), says(&value));
                return Some(Label { value, step });
            }
            let value = istio.namespaces.get(name)?.get(label)?.clone();
            let step = Step::assumed("namespaces", says(&value));
            Some(Label { value, step })
        };
        let pod = |label: &str| {
            let node = workload.label(label)?;
            let value = label_text(node);
            let says = format!("the pod has {label}={value}");
            let step = Step::decides(&workload.resource, node.span(), says);
            Some(Label { value, step })
        };
        Self {
            namespace_injection: namespace(INJECTION),
            namespace_revision: namespace(REVISION),
            namespace_dataplane: namespace(DATAPLANE),
            pod_inject: pod(INJECT),
            pod_revision: pod(REVISION),
            pod_dataplane: pod(DATAPLANE),
        }
    }

    /// A label whose value is filled in later.
    fn placeholder(&self) -> Option<UnknownReason> {
        let all = [
            &self.namespace_injection,
            &self.namespace_dataplane,
            &self.pod_inject,
            &self.pod_dataplane,
        ];
        let label = all
            .into_iter()
            .flatten()
            .find(|l| is_placeholder(&l.value))?;
        let span = match &label.step.origin {
            Origin::Field { span, .. } => Some(*span),
            Origin::Outside(_) => None,
        };
        Some(UnknownReason {
            missing: format!("the value of `{}`", label.value),
            span,
        })
    }
}

/// A label's value as the API server stores it: `null` is the empty string.
fn label_text(node: NodeRef<'_>) -> String {
    if node.is_null() {
        return String::new();
    }
    node.text().to_owned()
}
