//! DestinationRule: which one a client uses for a host, and its TLS. Input: the rules of a view; output: `Chosen` with the `tls` that holds
//! for a subset and Service port.
//!
//! istio/istio `pilot/pkg/model/push_context.go:destinationRule,setDestinationRules`, `destination_rule.go:mergeDestinationRule`,
//! `sidecar.go:DestinationRule`, `pilot/pkg/networking/util/util.go:MergeSubsetTrafficPolicy,GetPortLevelTrafficPolicy`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::selector::MatchLabels;
use crate::facts::workload::Workload;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

/// One DestinationRule.
#[derive(Clone, Debug)]
pub(crate) struct DestinationRule {
    pub(crate) resource: Arc<Resource>,
    pub(crate) namespace: String,
    timestamp: String,
    pub(crate) host: String,
    /// Namespaces that see it; empty = the mesh's default.
    export: BTreeSet<String>,
    selector: Option<MatchLabels>,
}

/// The rules of a view, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DestinationRules {
    root: String,
    private_by_default: bool,
    /// By namespace, oldest first.
    rules: BTreeMap<String, Vec<DestinationRule>>,
    /// Namespaces of the rules for an exact host.
    exact: BTreeMap<String, Vec<(String, usize)>>,
    /// Rules for a pattern of hosts.
    patterns: Vec<(String, usize)>,
    /// Whether some rule is meant for some pods only.
    tells_pods_apart: bool,
}

/// The rules that count for one client and host, merged: of several the oldest that says something.
#[derive(Clone, Debug)]
pub(crate) struct Chosen<'d> {
    rules: Vec<&'d DestinationRule>,
}

/// What a tier of the search found.
enum Found<'d> {
    Rules(Vec<&'d DestinationRule>),
    /// Only rules for other pods: no rule at all, and no further tier.
    OtherPods,
    Nothing,
}

impl DestinationRule {
    /// What orders rules from the oldest; those for some pods come first.
    fn age(&self) -> (bool, &str, &str, &str) {
        (
            self.selector.is_none(),
            &self.timestamp,
            &self.resource.name,
            &self.namespace,
        )
    }
}

impl DestinationRules {
    /// Reads the rules of a view.
    pub(crate) fn of(view: &View, root: &str, private_by_default: bool) -> Self {
        let mut rules: Vec<DestinationRule> = view
            .effective_of_kind("networking.istio.io", "DestinationRule")
            .into_iter()
            .filter_map(|member| {
                let spec = member.resource.object().get("spec")?;
                let namespace = member.namespace.as_str().to_owned();
                let host = spec.get("host").map_or("", NodeRef::text);
                let selector = spec.at(&["workloadSelector", "matchLabels"]);
                let export = spec.get("exportTo").into_iter().flat_map(NodeRef::items);
                Some(DestinationRule {
                    host: full_name(host, &namespace),
                    // A rule for some pods is private to its namespace.
                    export: if spec.get("workloadSelector").is_some() {
                        BTreeSet::from([".".to_owned()])
                    } else {
                        export.map(|e| e.text().to_owned()).collect()
                    },
                    selector: selector.map(|s| MatchLabels::read(Some(s))),
                    timestamp: member
                        .resource
                        .object()
                        .at(&["metadata", "creationTimestamp"])
                        .map_or("", NodeRef::text)
                        .to_owned(),
                    resource: Arc::clone(&member.resource),
                    namespace,
                })
            })
            .collect();
        rules.sort_by(|a, b| a.age().cmp(&b.age()));
        let mut all = Self {
            root: root.to_owned(),
            private_by_default,
            tells_pods_apart: rules.iter().any(|r| r.selector.is_some()),
            ..Self::default()
        };
        for rule in rules {
            let of_namespace = all.rules.entry(rule.namespace.clone()).or_default();
            let place = (rule.namespace.clone(), of_namespace.len());
            if rule.host.starts_with('*') {
                all.patterns.push(place);
            } else {
                all.exact.entry(rule.host.clone()).or_default().push(place);
            }
            of_namespace.push(rule);
        }
        all
    }

    /// Whether there is no rule at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Every rule, by namespace.
    pub(crate) fn all(&self) -> impl Iterator<Item = &DestinationRule> {
        self.rules.values().flatten()
    }

    /// The rules that may concern calls to a host.
    pub(crate) fn naming(&self, host: &str) -> impl Iterator<Item = &DestinationRule> + Clone {
        let exact = self.exact.get(host).into_iter().flatten();
        let places = exact.chain(&self.patterns);
        let rules = places.filter_map(|(namespace, at)| self.rules.get(namespace)?.get(*at));
        rules.filter(move |r| r.covers(host))
    }

    /// Whether some rule for exactly this host asks for the mesh's own TLS.
    pub(crate) fn asks_for_mesh_tls(&self, host: &str) -> bool {
        self.naming(host).any(|r| {
            let tls = r
                .resource
                .object()
                .at(&["spec", "trafficPolicy", "tls", "mode"]);
            tls.map(NodeRef::text) == Some("ISTIO_MUTUAL")
        })
    }

    /// The rules for calls of `client` to `host`, which lives in `namespace`: the client's namespace, then the host's, then root; the
    /// first with any match wins, before the host's specificity.
    pub(crate) fn choose(
        &self,
        client: &Workload,
        host: &str,
        namespace: &str,
    ) -> Option<Chosen<'_>> {
        let own = client.namespace.as_str();
        let visible_at_home = |rule: &DestinationRule| {
            let named = |n: &str| rule.export.contains(n);
            rule.export.is_empty() || named(".") || named("*") || named(own)
        };
        let in_root = own == self.root;
        let local = self.naming(host).filter(|r| {
            r.namespace == own
                && if in_root {
                    self.is_private(r)
                } else {
                    visible_at_home(r)
                }
        });
        match best(local, client, host) {
            Found::Rules(rules) => return Some(Chosen { rules }),
            Found::OtherPods => return None,
            Found::Nothing => {}
        }
        for tier in [namespace, &self.root] {
            let exported = self
                .naming(host)
                .filter(|r| r.namespace == *tier && !self.is_private(r));
            let Found::Rules(rules) = best(exported, client, host) else {
                continue;
            };
            let seen = rules.first().is_some_and(|r| {
                r.export.is_empty() || r.export.contains("*") || r.export.contains(own)
            });
            if seen {
                return Some(Chosen { rules });
            }
        }
        None
    }

    /// Whether a rule is meant for some pods only. Asked for every caller of a port.
    pub(crate) fn tells_pods_apart(&self) -> bool {
        self.tells_pods_apart
    }

    fn is_private(&self, rule: &DestinationRule) -> bool {
        if rule.export.is_empty() {
            return self.private_by_default;
        }
        rule.export.len() == 1
            && (rule.export.contains(".") || rule.export.contains(&rule.namespace))
    }
}

/// A host without a dot belongs to the rule's namespace; `*` and everything else stays (`ResolveShortnameToFQDN`).
fn full_name(host: &str, namespace: &str) -> String {
    if host == "*" || host.contains('.') || host.contains(':') {
        return host.to_owned();
    }
    format!("{host}.{namespace}.svc.cluster.local")
}

fn best<'d>(
    pool: impl Iterator<Item = &'d DestinationRule>,
    client: &Workload,
    host: &str,
) -> Found<'d> {
    let pool: Vec<&DestinationRule> = pool.collect();
    let mut matching: Vec<&DestinationRule> =
        pool.iter().copied().filter(|r| r.host == host).collect();
    if matching.is_empty() {
        let covers =
            |r: &&&DestinationRule| r.host.strip_prefix('*').is_some_and(|s| host.ends_with(s));
        let longest = pool.iter().filter(covers).map(|r| r.host.len()).max();
        matching = pool
            .iter()
            .filter(covers)
            .filter(|r| Some(r.host.len()) == longest)
            .copied()
            .collect();
    }
    if matching.is_empty() {
        return Found::Nothing;
    }
    let for_client = matching.iter().find(|r| {
        r.namespace == client.namespace.as_str()
            && r.selector
                .as_ref()
                .is_some_and(|s| !s.is_empty() && s.matches(client.labels()))
    });
    if let Some(rule) = for_client {
        return Found::Rules(vec![rule]);
    }
    let general: Vec<&DestinationRule> = matching
        .into_iter()
        .filter(|r| r.selector.is_none())
        .collect();
    if general.is_empty() {
        return Found::OtherPods;
    }
    Found::Rules(merged(general))
}

/// Rules of one host merge oldest first while each newer one is exported at least as far; otherwise they stay apart and the last is used.
fn merged(rules: Vec<&DestinationRule>) -> Vec<&DestinationRule> {
    let mut groups: Vec<Vec<&DestinationRule>> = Vec::new();
    for rule in rules {
        let joins = |group: &&mut Vec<&DestinationRule>| {
            group.first().is_some_and(|first| {
                first.export == rule.export
                    || (!first.export.is_empty() && rule.export.is_superset(&first.export))
            })
        };
        match groups.iter_mut().find(joins) {
            Some(group) => group.push(rule),
            None => groups.push(vec![rule]),
        }
    }
    groups.pop().unwrap_or_default()
}

impl DestinationRule {
    fn covers(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None => self.host == host,
        }
    }

    /// The namespace in a host of the cluster; empty for every other host.
    pub(crate) fn host_namespace(&self) -> &str {
        let inside = self.host.strip_suffix(".svc.cluster.local");
        inside
            .and_then(|h| h.split_once('.'))
            .map_or("", |(_, n)| n)
    }

    /// Subsets that have a traffic policy of their own.
    pub(crate) fn subsets(&self) -> impl Iterator<Item = &str> {
        let subsets = self.resource.object().at(&["spec", "subsets"]);
        subsets
            .into_iter()
            .flat_map(NodeRef::items)
            .filter(|s| s.get("trafficPolicy").is_some())
            .filter_map(|s| s.get("name").map(NodeRef::text))
    }
}

impl<'d> Chosen<'d> {
    /// Whether this rule is among those that count.
    pub(crate) fn includes(&self, rule: &DestinationRule) -> bool {
        self.rules.iter().any(|r| r.resource.id == rule.resource.id)
    }

    /// Whether the rule was written for this client's pods.
    pub(crate) fn is_for_pods(&self) -> bool {
        self.rules.iter().any(|r| r.selector.is_some())
    }

    /// The oldest rule with a traffic policy gives it whole.
    fn policy(&self) -> Option<(&'d Arc<Resource>, NodeRef<'d>)> {
        self.rules.iter().find_map(|r| {
            let policy = r.resource.object().at(&["spec", "trafficPolicy"])?;
            (policy.is_map() && !policy.is_empty()).then_some((&r.resource, policy))
        })
    }

    fn subset(&self, name: &str) -> Option<(&'d Arc<Resource>, NodeRef<'d>)> {
        self.rules.iter().find_map(|r| {
            let subsets = r.resource.object().at(&["spec", "subsets"])?;
            let named = |s: &NodeRef<'_>| s.get("name").map(NodeRef::text) == Some(name);
            let policy = subsets.items().find(named)?.get("trafficPolicy")?;
            (policy.is_map() && !policy.is_empty()).then_some((&r.resource, policy))
        })
    }

    /// The `tls` that holds for a Service port: a port entry replaces the policy whole, so one without `tls` means none.
    pub(crate) fn tls(
        &self,
        subset: Option<&str>,
        port: u16,
    ) -> Option<(&'d Arc<Resource>, NodeRef<'d>)> {
        let of = |(resource, policy): (&'d Arc<Resource>, NodeRef<'d>)| {
            let entry = port_entry(policy, port);
            let tls = entry.unwrap_or(policy).get("tls").filter(|t| t.is_map());
            (tls.map(|t| (resource, t)), entry.is_some())
        };
        let top = self.policy().and_then(|p| of(p).0);
        let Some((tls, from_port)) = subset.and_then(|s| self.subset(s)).map(of) else {
            return top;
        };
        if tls.is_some() || from_port { tls } else { top }
    }

    /// The mode that decides for endpoints regardless of their labels: any tier that names one
    /// (`pilot/pkg/xds/endpoints/mtls_checker.go`).
    pub(crate) fn endpoint_mode(&self, subset: Option<&str>, port: u16) -> Option<&'d str> {
        let mode = |policy: NodeRef<'d>| {
            let of = |holder: NodeRef<'d>| holder.at(&["tls", "mode"]).map(NodeRef::text);
            port_entry(policy, port).and_then(of).or_else(|| of(policy))
        };
        subset
            .and_then(|s| self.subset(s))
            .and_then(|(_, p)| mode(p))
            .or_else(|| self.policy().and_then(|(_, p)| mode(p)))
    }
}

fn port_entry(policy: NodeRef<'_>, port: u16) -> Option<NodeRef<'_>> {
    policy
        .get("portLevelSettings")?
        .items()
        .find(|e| e.at(&["port", "number"]).and_then(NodeRef::as_i64) == Some(i64::from(port)))
}
