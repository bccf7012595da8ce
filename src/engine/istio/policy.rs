//! AuthorizationPolicy as written. Input: the objects of a view; output: `AuthorizationPolicy` with located rules, and which of them apply
//! to a sidecar, a ztunnel, a waypoint.
//!
//! istio/istio `pilot/pkg/model/{authorization.go,policyattachment.go}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts::UnknownReason;
use crate::facts::exposure::GatewayRef;
use crate::facts::selector::{MatchLabels, is_placeholder};
use crate::facts::workload::Workload;
use crate::resource::Resource;
use crate::source::Span;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// What a policy does with requests that match it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Custom,
    Deny,
    Allow,
    Audit,
}

/// A field of a `source` or `operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Principals,
    RequestPrincipals,
    Namespaces,
    ServiceAccounts,
    TrustDomains,
    IpBlocks,
    RemoteIpBlocks,
    Hosts,
    Methods,
    Paths,
    Ports,
}

/// One list of a `source`, `operation` or `when`: OR inside, AND with its neighbours.
#[derive(Clone, Debug)]
pub(crate) struct Term<F> {
    pub(crate) field: F,
    pub(crate) negated: bool,
    pub(crate) values: Vec<String>,
    pub(crate) span: Span,
}

/// One rule: any `from` and any `to` and all `when`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) from: Vec<Vec<Term<Field>>>,
    pub(crate) to: Vec<Vec<Term<Field>>>,
    /// Each condition's terms (`values`, `notValues`) share its key.
    pub(crate) when: Vec<Vec<Term<String>>>,
    pub(crate) span: Span,
}

/// What a policy is attached to by `targetRefs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetRef {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// One AuthorizationPolicy.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationPolicy {
    pub(crate) resource: Arc<Resource>,
    pub(crate) namespace: String,
    pub(crate) action: Action,
    pub(crate) provider: String,
    /// `spec.selector` without `matchLabels`: all pods for a sidecar, none for a ztunnel.
    pub(crate) bare_selector: bool,
    pub(crate) selector: MatchLabels,
    pub(crate) targets: Vec<TargetRef>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) dry_run: bool,
    /// Where the policy as a whole is shown: its action, else its name.
    pub(crate) span: Span,
    pub(crate) unknown: Option<UnknownReason>,
}

/// The policies of a view by namespace, in input order.
#[derive(Debug, Default)]
pub(crate) struct AuthorizationPolicies {
    root: String,
    by_namespace: BTreeMap<String, Vec<AuthorizationPolicy>>,
}

const SOURCE_FIELDS: [(&str, Field); 7] = [
    ("principals", Field::Principals),
    ("requestPrincipals", Field::RequestPrincipals),
    ("namespaces", Field::Namespaces),
    ("serviceAccounts", Field::ServiceAccounts),
    ("trustDomains", Field::TrustDomains),
    ("ipBlocks", Field::IpBlocks),
    ("remoteIpBlocks", Field::RemoteIpBlocks),
];
const OPERATION_FIELDS: [(&str, Field); 4] = [
    ("hosts", Field::Hosts),
    ("methods", Field::Methods),
    ("paths", Field::Paths),
    ("ports", Field::Ports),
];

impl Field {
    /// Whether it asks for the caller's mesh identity.
    pub(crate) fn is_identity(self) -> bool {
        matches!(
            self,
            Self::Principals | Self::Namespaces | Self::ServiceAccounts | Self::TrustDomains
        )
    }

    /// Whether the field exists only where the proxy reads HTTP.
    pub(crate) fn is_http_only(self) -> bool {
        matches!(
            self,
            Self::RequestPrincipals | Self::Hosts | Self::Methods | Self::Paths
        )
    }
}

impl AuthorizationPolicy {
    fn read(member: &Member) -> Self {
        let resource = &member.resource;
        let object = resource.object();
        let spec = object.get("spec");
        let field = |name: &str| spec.and_then(|s| s.get(name)).filter(|n| !n.is_null());
        let selector = field("selector");
        let labels = selector.and_then(|s| s.get("matchLabels"));
        let action = field("action");
        let dry_run = object
            .at(&["metadata", "annotations"])
            .and_then(|a| a.get("istio.io/dry-run"))
            .is_some_and(|n| matches!(n.text(), "1" | "t" | "T" | "true" | "TRUE" | "True"));
        let mut unknown = None;
        let rules = field("rules")
            .into_iter()
            .flat_map(NodeRef::items)
            .map(|rule| read_rule(rule, &mut unknown))
            .collect();
        Self {
            resource: Arc::clone(resource),
            namespace: member.namespace.as_str().to_owned(),
            action: match action.map(NodeRef::text) {
                Some("DENY") => Action::Deny,
                Some("CUSTOM") => Action::Custom,
                Some("AUDIT") => Action::Audit,
                _ => Action::Allow,
            },
            provider: spec
                .and_then(|s| s.at(&["provider", "name"]))
                .map_or("", NodeRef::text)
                .to_owned(),
            bare_selector: selector.is_some() && labels.is_none(),
            selector: MatchLabels::read(labels),
            targets: targets(spec),
            rules,
            dry_run,
            span: action.map_or_else(|| resource.name_span(), NodeRef::span),
            unknown,
        }
    }

    /// `namespace/name`.
    pub(crate) fn reference(&self) -> String {
        match self.namespace.as_str() {
            "" => self.resource.name.clone(),
            namespace => format!("{namespace}/{}", self.resource.name),
        }
    }
}

/// `targetRefs`, or the older single `targetRef`, of a policy.
pub(crate) fn targets(spec: Option<NodeRef<'_>>) -> Vec<TargetRef> {
    let Some(spec) = spec else {
        return Vec::new();
    };
    let read = |node: NodeRef<'_>| {
        let text = |name: &str| node.get(name).map_or("", NodeRef::text).to_owned();
        TargetRef {
            group: text("group"),
            kind: text("kind"),
            name: text("name"),
        }
    };
    let many: Vec<TargetRef> = spec
        .get("targetRefs")
        .into_iter()
        .flat_map(NodeRef::items)
        .map(read)
        .collect();
    if !many.is_empty() {
        return many;
    }
    spec.get("targetRef")
        .filter(|n| n.is_map())
        .map(read)
        .into_iter()
        .collect()
}

/// Whether `targetRefs` name this Gateway of the Gateway API.
pub(crate) fn targets_gateway(targets: &[TargetRef], name: &str) -> bool {
    targets
        .iter()
        .any(|t| t.group == "gateway.networking.k8s.io" && t.kind == "Gateway" && t.name == name)
}

fn read_rule(rule: NodeRef<'_>, unknown: &mut Option<UnknownReason>) -> Rule {
    let mut entries = |list: &str, holder: &str, fields: &[(&str, Field)]| {
        rule.get(list)
            .into_iter()
            .flat_map(NodeRef::items)
            .map(|entry| terms(entry.get(holder), fields, unknown))
            .collect()
    };
    let from = entries("from", "source", &SOURCE_FIELDS);
    let to = entries("to", "operation", &OPERATION_FIELDS);
    let when = rule
        .get("when")
        .into_iter()
        .flat_map(NodeRef::items)
        .map(|condition| {
            let key = condition.get("key").map_or("", NodeRef::text).to_owned();
            let mut list = Vec::new();
            for (name, negated) in [("values", false), ("notValues", true)] {
                push_term(
                    &mut list,
                    condition.get(name),
                    key.clone(),
                    negated,
                    unknown,
                );
            }
            if list.is_empty() {
                // The key still counts: an unknown one drops the rule.
                list.push(Term {
                    field: key,
                    negated: true,
                    values: Vec::new(),
                    span: condition.span(),
                });
            }
            list
        })
        .collect();
    Rule {
        from,
        to,
        when,
        span: rule.span(),
    }
}

fn terms(
    holder: Option<NodeRef<'_>>,
    fields: &[(&str, Field)],
    unknown: &mut Option<UnknownReason>,
) -> Vec<Term<Field>> {
    let mut list = Vec::new();
    let Some(holder) = holder else {
        return list;
    };
    for (name, field) in fields {
        push_term(&mut list, holder.get(name), *field, false, unknown);
        let mut negated = String::from("not");
        negated.extend(name.chars().take(1).flat_map(char::to_uppercase));
        negated.extend(name.chars().skip(1));
        push_term(&mut list, holder.get(&negated), *field, true, unknown);
    }
    list
}

fn push_term<F>(
    list: &mut Vec<Term<F>>,
    node: Option<NodeRef<'_>>,
    field: F,
    negated: bool,
    unknown: &mut Option<UnknownReason>,
) {
    let Some(node) = node.filter(|n| !n.is_empty()) else {
        return;
    };
    let values: Vec<String> = node.items().map(|v| v.text().to_owned()).collect();
    if let Some(open) = node
        .items()
        .find(|v| is_placeholder(v.text()) && !is_template(v.text()))
    {
        unknown.get_or_insert_with(|| UnknownReason {
            missing: format!("the value of `{}`", open.text()),
            span: Some(open.span()),
        });
    }
    if !values.is_empty() {
        list.push(Term {
            field,
            negated,
            values,
            span: node.span(),
        });
    }
}

/// Istio's own path operators `{*}` and `{**}` are no placeholders.
fn is_template(text: &str) -> bool {
    !text.contains("${") && !text.contains("{{")
}

impl AuthorizationPolicies {
    /// Reads the policies of a view.
    pub(crate) fn of(view: &View, root: &str) -> Self {
        let mut policies = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        for member in view.effective_of_kind("security.istio.io", "AuthorizationPolicy") {
            let policy = AuthorizationPolicy::read(member);
            policies
                .by_namespace
                .entry(policy.namespace.clone())
                .or_default()
                .push(policy);
        }
        policies
    }

    /// Every policy, by namespace.
    pub(crate) fn all(&self) -> impl Iterator<Item = &AuthorizationPolicy> {
        self.by_namespace.values().flatten()
    }

    fn in_namespace(&self, namespace: &str) -> &[AuthorizationPolicy] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// Policies of the workload's namespace and of root.
    fn near(&self, namespace: &str) -> impl Iterator<Item = &AuthorizationPolicy> {
        let root = (namespace != self.root).then(|| self.in_namespace(&self.root));
        self.in_namespace(namespace)
            .iter()
            .chain(root.into_iter().flatten())
    }

    /// Policies that a sidecar enforces: without `targetRefs`; selectors of the root namespace reach pods of all namespaces.
    pub(crate) fn of_sidecar(&self, workload: &Workload) -> Vec<&AuthorizationPolicy> {
        let labels = workload.labels();
        self.near(workload.namespace.as_str())
            .filter(|p| p.targets.is_empty() && p.selector.matches(labels))
            .collect()
    }

    /// Policies at a gateway's proxies in `namespace`: those near by whose selector `fits`, and those that target the Gateway itself
    /// (`pilot/pkg/model/policyattachment.go`; ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY is on by default).
    pub(crate) fn of_gateway(
        &self,
        namespace: &str,
        fits: impl Fn(&MatchLabels) -> bool,
        gateway: &GatewayRef,
    ) -> Vec<&AuthorizationPolicy> {
        let near = self
            .near(namespace)
            .filter(|p| p.targets.is_empty() && fits(&p.selector));
        let targeting = self
            .in_namespace(&gateway.namespace)
            .iter()
            .filter(|p| targets_gateway(&p.targets, &gateway.name));
        near.chain(targeting).collect()
    }

    /// Policies of root with a selector, which may be meant for proxies that are not in the view.
    pub(crate) fn selecting_from_root(&self) -> impl Iterator<Item = &AuthorizationPolicy> {
        self.in_namespace(&self.root)
            .iter()
            .filter(|p| !p.selector.is_empty() && p.targets.is_empty())
    }

    /// Policies that a ztunnel gets: only ALLOW and DENY, and a selector without `matchLabels` binds nothing
    /// (`pilot/pkg/serviceregistry/ambient/authorization.go:convertAuthorizationPolicy`).
    pub(crate) fn of_ztunnel(&self, workload: &Workload) -> Vec<&AuthorizationPolicy> {
        self.of_sidecar(workload)
            .into_iter()
            .filter(|p| {
                matches!(p.action, Action::Allow | Action::Deny) && !p.dry_run && !p.bare_selector
            })
            .collect()
    }

    /// Policies near a workload that have no effect on it though they are meant for something like it, with the reason.
    pub(crate) fn without_effect(
        &self,
        workload: &Workload,
        ambient: bool,
    ) -> Vec<(&AuthorizationPolicy, &'static str)> {
        let labels = workload.labels();
        self.near(workload.namespace.as_str())
            .filter_map(|p| {
                let reason = if !p.targets.is_empty() {
                    "targetRefs apply at waypoints and gateways only"
                } else if !p.selector.matches(labels) {
                    return None;
                } else if p.action == Action::Audit {
                    "AUDIT only logs"
                } else if p.dry_run && p.action != Action::Custom {
                    "istio.io/dry-run only logs"
                } else if ambient && p.action == Action::Custom {
                    "a ztunnel knows no CUSTOM action"
                } else if ambient && p.bare_selector {
                    "a selector without matchLabels binds nothing in ambient"
                } else {
                    return None;
                };
                Some((p, reason))
            })
            .collect()
    }

    /// Policies attached to a waypoint, for traffic to one of its Services.
    pub(crate) fn of_waypoint(
        &self,
        attached: impl Fn(&str, &[TargetRef]) -> bool,
    ) -> Vec<&AuthorizationPolicy> {
        self.by_namespace
            .values()
            .flatten()
            .filter(|p| attached(&p.namespace, &p.targets))
            .collect()
    }
}
