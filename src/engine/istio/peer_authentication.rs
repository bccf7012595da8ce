//! PeerAuthentication: what a port accepts. Input: the policies of a view, a workload, a port; output: the mode with its chain.
//!
//! istio/istio `pilot/pkg/security/authn/policy_applier.go:ComposePeerAuthentication`, `pilot/pkg/model/authentication.go`,
//! order of equals `pilot/pkg/model/config.go:configCompareByCreationTime`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::istio::{Completeness, ambient};
use crate::facts::selector::{MatchLabels, is_placeholder};
use crate::facts::transport::{Membership, Mode, Plaintext, Transport};
use crate::facts::workload::Workload;
use crate::facts::{Fact, Step, UnknownReason};
use crate::resource::Resource;
use crate::source::Span;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// The kind that sets modes.
const KIND: &str = "PeerAuthentication";

/// A mode as written, ordered from the weakest; `UNSET` is `None` around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PaMode {
    Disable,
    Permissive,
    Strict,
}

/// A `mode` field: its value and where it stands (or would stand).
#[derive(Clone, Debug)]
pub(crate) struct ModeField {
    pub(crate) mode: Option<PaMode>,
    pub(crate) span: Span,
}

/// One PeerAuthentication.
#[derive(Clone, Debug)]
pub(crate) struct PeerAuthentication {
    pub(crate) resource: Arc<Resource>,
    pub(crate) namespace: String,
    timestamp: String,
    pub(crate) selector: MatchLabels,
    /// Whether `spec.selector` is there at all, even empty: ambient tells the difference.
    pub(crate) has_selector: bool,
    pub(crate) mtls: ModeField,
    pub(crate) ports: BTreeMap<u16, ModeField>,
    pub(crate) unknown: Option<UnknownReason>,
}

/// The policies of a view by namespace, oldest first.
#[derive(Debug, Default)]
pub(crate) struct PeerAuthentications {
    root: String,
    by_namespace: BTreeMap<String, Vec<PeerAuthentication>>,
    rejected: Vec<(Arc<Resource>, Span)>,
}

/// The policies that apply to a workload, each with those of the same age that the files cannot order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers<'p> {
    pub(crate) mesh: Vec<&'p PeerAuthentication>,
    pub(crate) namespace: Vec<&'p PeerAuthentication>,
    pub(crate) workload: Vec<&'p PeerAuthentication>,
}

/// One choice among [`Layers`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'p> {
    pub(crate) mesh: Option<&'p PeerAuthentication>,
    pub(crate) namespace: Option<&'p PeerAuthentication>,
    pub(crate) workload: Option<&'p PeerAuthentication>,
}

/// A mode with the policy and field it comes from; no policy = Istio's default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved<'p> {
    pub(crate) mode: PaMode,
    pub(crate) policy: Option<&'p PeerAuthentication>,
    pub(crate) span: Option<Span>,
    /// The port of `portLevelMtls` that decided.
    pub(crate) port: Option<u16>,
    /// Ambient: why something written is not enforced.
    pub(crate) lost: Option<&'static str>,
}

impl PeerAuthentication {
    fn read(member: &Member) -> Result<Self, Span> {
        let resource = &member.resource;
        let object = resource.object();
        let spec = object.get("spec");
        let selector = spec
            .and_then(|s| s.get("selector"))
            .filter(|s| !s.is_null());
        let mut unknown = None;
        let mtls = mode_field(spec, resource.name_span(), &mut unknown)?;
        let mut ports = BTreeMap::new();
        let entries = spec.and_then(|s| s.get("portLevelMtls"));
        for (key, value) in entries.into_iter().flat_map(NodeRef::entries) {
            let Ok(port) = key.key_text().parse::<u16>() else {
                return Err(key.span());
            };
            ports.insert(port, mode_of(Some(value), key.span(), &mut unknown)?);
        }
        Ok(Self {
            resource: Arc::clone(resource),
            namespace: member.namespace.as_str().to_owned(),
            timestamp: object
                .at(&["metadata", "creationTimestamp"])
                .filter(|t| !t.is_null())
                .map_or("", NodeRef::text)
                .to_owned(),
            has_selector: selector.is_some(),
            selector: MatchLabels::read(selector.and_then(|s| s.get("matchLabels"))),
            mtls,
            ports,
            unknown,
        })
    }

    /// `namespace/name`.
    pub(crate) fn reference(&self) -> String {
        if self.namespace.is_empty() {
            return self.resource.name.clone();
        }
        format!("{}/{}", self.namespace, self.resource.name)
    }

    /// Whether the files cannot say which of two is older.
    fn ties_with(&self, other: &Self) -> bool {
        self.timestamp.is_empty() || other.timestamp.is_empty() || self.timestamp == other.timestamp
    }
}

fn mode_field(
    spec: Option<NodeRef<'_>>,
    fallback: Span,
    unknown: &mut Option<UnknownReason>,
) -> Result<ModeField, Span> {
    let entry = spec.and_then(|s| s.entry("mtls"));
    let span = entry.map_or(fallback, |(key, _)| key.span());
    mode_of(entry.map(|(_, value)| value), span, unknown)
}

/// Reads `{mode: …}`. A mode outside the enumeration is refused by the API server, hence the whole object.
fn mode_of(
    holder: Option<NodeRef<'_>>,
    fallback: Span,
    unknown: &mut Option<UnknownReason>,
) -> Result<ModeField, Span> {
    let node = holder.and_then(|h| h.get("mode")).filter(|n| !n.is_null());
    let span = node.map_or(fallback, NodeRef::span);
    let mode = match node.map(NodeRef::text) {
        None | Some("UNSET") => None,
        Some("DISABLE") => Some(PaMode::Disable),
        Some("PERMISSIVE") => Some(PaMode::Permissive),
        Some("STRICT") => Some(PaMode::Strict),
        Some(text) if is_placeholder(text) => {
            *unknown = Some(UnknownReason {
                missing: format!("the value of `{text}`"),
                span: Some(span),
            });
            None
        }
        Some(_) => return Err(span),
    };
    Ok(ModeField { mode, span })
}

impl PeerAuthentications {
    /// Reads the policies of a view.
    pub(crate) fn of(view: &View, root: &str) -> Self {
        let mut policies = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        for member in view.effective_of_kind("security.istio.io", KIND) {
            match PeerAuthentication::read(member) {
                Ok(policy) => policies
                    .by_namespace
                    .entry(policy.namespace.clone())
                    .or_default()
                    .push(policy),
                Err(span) => policies.rejected.push((Arc::clone(&member.resource), span)),
            }
        }
        for list in policies.by_namespace.values_mut() {
            list.sort_by(|a, b| {
                (&a.timestamp, &a.resource.name).cmp(&(&b.timestamp, &b.resource.name))
            });
        }
        policies
    }

    /// Every policy that the API server takes, by namespace, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &PeerAuthentication> {
        self.by_namespace.values().flatten()
    }

    /// Whether some namespace or the mesh says DISABLE, from which clients draw conclusions.
    pub(crate) fn disables_by_scope(&self) -> bool {
        self.all()
            .any(|p| p.selector.is_empty() && p.mtls.mode == Some(PaMode::Disable))
    }

    /// The policies of a namespace, oldest first.
    pub(crate) fn in_namespace(&self, namespace: &str) -> &[PeerAuthentication] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// The policies of the root namespace, oldest first.
    pub(crate) fn in_root(&self) -> &[PeerAuthentication] {
        self.in_namespace(&self.root)
    }

    /// The mode that clients infer without looking at pods: namespace and mesh policies only
    /// (`pilot/pkg/model/push_context.go:BestEffortInferServiceMTLSMode`).
    pub(crate) fn inferred(&self, namespace: &str) -> Resolved<'_> {
        let mesh = self.in_root().iter().find(|p| p.selector.is_empty());
        let own = (namespace != self.root)
            .then(|| {
                self.in_namespace(namespace)
                    .iter()
                    .find(|p| p.selector.is_empty())
            })
            .flatten();
        resolve(
            &Choice {
                mesh,
                namespace: own,
                workload: None,
            },
            0,
        )
    }

    /// The policies that apply to a workload.
    pub(crate) fn layers(&self, workload: &Workload, dataplane: Membership) -> Layers<'_> {
        let namespace = workload.namespace.as_str();
        let labels = workload.labels();
        let outside_root = namespace != self.root;
        // Ambient workloads outside root skip a root policy with any `selector` field, even an empty one
        // (`pilot/pkg/serviceregistry/ambient/workloads.go:fetchPeerAuthentications`).
        let only_absent = dataplane == Membership::Ambient && outside_root;
        let mesh = self
            .in_root()
            .iter()
            .filter(|p| p.selector.is_empty() && !(only_absent && p.has_selector));
        let mut layers = Layers {
            mesh: oldest(mesh),
            ..Layers::default()
        };
        if outside_root {
            let own = self.in_namespace(namespace);
            layers.namespace = oldest(own.iter().filter(|p| p.selector.is_empty()));
            let selecting =
                |p: &&PeerAuthentication| !p.selector.is_empty() && p.selector.matches(labels);
            layers.workload = oldest(own.iter().filter(selecting));
        }
        layers
    }

    /// What a port of a meshed workload accepts.
    pub(crate) fn transport(
        &self,
        workload: &Workload,
        dataplane: Membership,
        port: u16,
        completeness: &Completeness,
    ) -> Fact<Transport> {
        let layers = self.layers(workload, dataplane);
        if let Some(reason) = layers.all().find_map(|p| p.unknown.clone()) {
            return Fact::unknown(reason, Vec::new());
        }
        let mut answers: Vec<Resolved<'_>> = Vec::new();
        for choice in layers.choices() {
            let answer = match dataplane {
                Membership::Ambient => {
                    ambient::resolve(&choice, &self.merged_parents(workload, &choice), port)
                }
                _ => resolve(&choice, port),
            };
            answers.push(answer);
        }
        // The weakest; of equals the first, which is the one that sorting by name gives.
        let Some(decided) = answers.iter().copied().min_by_key(|a| a.mode) else {
            return Fact::known(Transport::certain(Mode::Permissive), Vec::new());
        };
        let mut alternatives: Vec<Mode> = answers
            .iter()
            .filter(|a| a.mode != decided.mode)
            .map(|a| wire(a.mode))
            .collect();
        alternatives.sort_unstable();
        alternatives.dedup();
        let mut steps = vec![decided.step()];
        steps.extend(self.overridden(workload, &layers, &decided));
        match self.certainty(workload, &layers, &decided, completeness) {
            Err(reason) => return Fact::unknown(reason, steps),
            Ok(assumed) => steps.extend(assumed),
        }
        let transport = Transport {
            mode: wire(decided.mode),
            alternatives,
        };
        Fact::known(transport, steps)
    }

    /// The parents that the ambient converter merges port exceptions with: policies without a `selector` field only.
    fn merged_parents<'p>(&'p self, workload: &Workload, choice: &Choice<'p>) -> Choice<'p> {
        let first = |list: &'p [PeerAuthentication], chosen: Option<&'p PeerAuthentication>| {
            chosen
                .filter(|p| !p.has_selector)
                .or_else(|| list.iter().find(|p| !p.has_selector))
        };
        let namespace = workload.namespace.as_str();
        Choice {
            mesh: first(self.in_root(), choice.mesh),
            namespace: (namespace != self.root)
                .then(|| first(self.in_namespace(namespace), choice.namespace))
                .flatten(),
            workload: None,
        }
    }

    /// What was taken for granted, or what is missing, given the layer that decided.
    fn certainty(
        &self,
        workload: &Workload,
        layers: &Layers<'_>,
        decided: &Resolved<'_>,
        completeness: &Completeness,
    ) -> Result<Option<Step>, UnknownReason> {
        let namespace = workload.namespace.as_str();
        let by_workload = decided.policy.is_some_and(|d| {
            layers
                .workload
                .iter()
                .any(|w| w.resource.id == d.resource.id)
        });
        if by_workload {
            return Ok(None);
        }
        let by_mesh = decided.policy.is_some_and(|d| d.namespace == self.root);
        let narrower = completeness.unrendered(namespace);
        // Of two mesh-wide policies the older one counts.
        let wider = || completeness.unrendered(&self.root).filter(|_| by_mesh);
        if let Some(reason) = narrower.or_else(wider) {
            return Err(reason.clone());
        }
        let unread = completeness.unread(namespace, Some(KIND));
        if decided.policy.is_some() {
            return Ok(unread.map(|reason| {
                let says = format!("{} brings no {KIND}", reason.missing);
                Step::assumed("complete", says)
            }));
        }
        if let Some(reason) = unread.or_else(|| completeness.unread(&self.root, Some(KIND))) {
            return Err(reason.clone());
        }
        let complete = completeness.is_complete(namespace) && completeness.is_complete(&self.root);
        Ok((!complete).then(|| {
            let root = &self.root;
            let says = match namespace {
                "" => format!("no other PeerAuthentication applies here or in {root}"),
                _ => format!("no other PeerAuthentication applies in {namespace} or {root}"),
            };
            Step::assumed("complete", says)
        }))
    }

    /// The policies that were considered and have no effect on this workload, with the reason.
    fn overridden<'p>(
        &'p self,
        workload: &'p Workload,
        layers: &Layers<'p>,
        decided: &Resolved<'p>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        let decider = decided.policy.map(|p| p.resource.id);
        let mut ignore = |policy: &PeerAuthentication, why: &str| {
            if decider != Some(policy.resource.id) {
                steps.push(Step::ignored(
                    &policy.resource,
                    policy.mtls.span,
                    policy.says(),
                    why,
                ));
            }
        };
        for (layer, older) in [
            (&layers.workload, "UNSET falls back to the wider policy"),
            (
                &layers.namespace,
                "a narrower policy decides, or it is UNSET",
            ),
            (&layers.mesh, "a narrower policy decides, or it is UNSET"),
        ] {
            let mut tied = layer.iter();
            if let Some(first) = tied.next() {
                ignore(first, older);
            }
            for policy in tied {
                ignore(
                    policy,
                    "which of several equally old policies wins is not in the files",
                );
            }
        }
        let labels = workload.labels();
        let selects =
            |p: &&PeerAuthentication| !p.selector.is_empty() && p.selector.matches(labels);
        for policy in self.in_root().iter().filter(selects) {
            ignore(policy, "a selector has no effect in the root namespace");
        }
        if workload.namespace.as_str() != self.root {
            let younger = self
                .in_namespace(workload.namespace.as_str())
                .iter()
                .filter(selects)
                .filter(|p| {
                    layers
                        .workload
                        .iter()
                        .all(|w| w.resource.id != p.resource.id)
                });
            for policy in younger {
                ignore(
                    policy,
                    "only the oldest policy that selects the workload counts",
                );
            }
        }
        steps
    }
}

impl PeerAuthentication {
    fn says(&self) -> String {
        let mode = self.mtls.mode.map_or("UNSET", PaMode::as_str);
        format!("PeerAuthentication {} says {mode}", self.reference())
    }
}

/// The first policy, and those that follow and tie with it.
fn oldest<'p>(
    policies: impl Iterator<Item = &'p PeerAuthentication>,
) -> Vec<&'p PeerAuthentication> {
    let mut found: Vec<&PeerAuthentication> = Vec::new();
    for policy in policies {
        if found.first().is_none_or(|first| first.ties_with(policy)) {
            found.push(policy);
        }
    }
    found
}

impl<'p> Layers<'p> {
    fn all(&self) -> impl Iterator<Item = &&'p PeerAuthentication> {
        self.mesh
            .iter()
            .chain(&self.namespace)
            .chain(&self.workload)
    }

    /// Every choice among ties; the one that sorting by name gives comes first.
    pub(crate) fn choices(&self) -> Vec<Choice<'p>> {
        fn options<'p>(layer: &[&'p PeerAuthentication]) -> Vec<Option<&'p PeerAuthentication>> {
            match layer {
                [] => vec![None],
                tied => tied.iter().take(8).map(|p| Some(*p)).collect(),
            }
        }
        let mut choices = Vec::new();
        for mesh in options(&self.mesh) {
            for namespace in options(&self.namespace) {
                for workload in options(&self.workload) {
                    choices.push(Choice {
                        mesh,
                        namespace,
                        workload,
                    });
                }
            }
        }
        choices
    }
}

/// Sidecars: the narrowest policy that says something wins, even when it is weaker; port entries of the workload policy win over all.
pub(crate) fn resolve<'p>(choice: &Choice<'p>, port: u16) -> Resolved<'p> {
    let mut resolved = Resolved {
        mode: PaMode::Permissive,
        policy: None,
        span: None,
        port: None,
        lost: None,
    };
    for policy in [choice.mesh, choice.namespace, choice.workload]
        .into_iter()
        .flatten()
    {
        if let Some(mode) = policy.mtls.mode {
            resolved.mode = mode;
            resolved.policy = Some(policy);
            resolved.span = Some(policy.mtls.span);
        }
    }
    let entry = choice
        .workload
        .and_then(|policy| Some((policy, policy.ports.get(&port)?)));
    if let Some((policy, field)) = entry
        && let Some(mode) = field.mode
    {
        resolved.mode = mode;
        resolved.policy = Some(policy);
        resolved.span = Some(field.span);
        resolved.port = Some(port);
    }
    resolved
}

impl Resolved<'_> {
    fn step(&self) -> Step {
        let mode = self.mode.as_str();
        let Some(policy) = self.policy else {
            let source =
                "Istio's default, istio.io/docs/reference/config/security/peer_authentication";
            return Step::default(source, "mode is PERMISSIVE where no policy says otherwise");
        };
        let span = self.span.unwrap_or_else(|| policy.resource.name_span());
        let reference = policy.reference();
        let says = match (self.lost, self.port) {
            (Some(lost), _) => format!("PeerAuthentication {reference} is not enforced: {lost}"),
            (None, Some(port)) => {
                format!("PeerAuthentication {reference} sets port {port} to {mode}")
            }
            (None, None) => format!("PeerAuthentication {reference} says {mode}"),
        };
        Step::decides(&policy.resource, span, says)
    }
}

impl PaMode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "DISABLE",
            Self::Permissive => "PERMISSIVE",
            Self::Strict => "STRICT",
        }
    }
}

fn wire(mode: PaMode) -> Mode {
    match mode {
        PaMode::Disable => Mode::Plaintext(Plaintext::Disabled),
        PaMode::Permissive => Mode::Permissive,
        PaMode::Strict => Mode::Strict,
    }
}
