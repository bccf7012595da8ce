//! AuthorizationPolicy: rules that a sidecar or a ztunnel reads otherwise than they are written. Input: a policy and the workloads it
//! selects; output: gaps.
//!
//! Semantics: `ztunnel.rs`, `compile.rs`, `listener.rs`, whose sources they name.

use super::{Selected, all_outside, meshed, mode, port_words, whole};
use crate::engine::istio::Istio;
use crate::engine::istio::authorization::at_ztunnel;
use crate::engine::istio::compile::Protocol as Reads;
use crate::engine::istio::listener::Listener;
use crate::engine::istio::policy::{Action, AuthorizationPolicy, Field, Rule, Term};
use crate::engine::istio::ztunnel::{self, Lost};
use crate::facts::peers::PeerSet;
use crate::facts::policy::{Effect, Gap, Gaps};
use crate::facts::record::WorkloadRecord;
use crate::facts::transport::{Membership, Mode, Plaintext};
use crate::facts::workload::Protocol;
use crate::source::Span;
use crate::topology::Topology;

impl Istio {
    /// Parts of a policy that do something else than they say, at the workloads it selects.
    pub(crate) fn authorization_gaps(
        &self,
        topology: &Topology,
        policy: &AuthorizationPolicy,
        selected: Selected<'_>,
    ) -> Vec<Gap> {
        let mut gaps = Gaps::default();
        if !policy.targets.is_empty() {
            self.target_gaps(topology, policy, &mut gaps);
            return gaps.into_vec();
        }
        for (record, membership) in meshed(selected) {
            let before = Reading { policy, record };
            match membership {
                Membership::Ambient => self.ambient(topology, &before, &mut gaps),
                _ => {
                    before.at_sidecar(&mut gaps);
                    for gap in self.unvalidated(policy, record) {
                        gaps.push(gap);
                    }
                }
            }
            if self.only_shadow(&before) {
                let says = "it is a dry run and nothing else restricts the workload";
                gaps.push(before.whole("dry-run", Effect::Nothing, says));
            }
        }
        if let Some(gap) = all_outside(selected, policy.resource.name_span()) {
            gaps.push(gap);
        }
        service_ports(policy, selected, &mut gaps);
        self.provider(policy, &mut gaps);
        self.elsewhere(policy, &mut gaps);
        gaps.into_vec()
    }

    fn ambient(&self, topology: &Topology, before: &Reading<'_>, gaps: &mut Gaps) {
        let policy = before.policy;
        if matches!(policy.action, Action::Custom | Action::Audit) {
            let says = "a ztunnel enforces ALLOW and DENY only";
            gaps.push(before.whole("not-at-ztunnel", Effect::Nothing, says));
            return;
        }
        if policy.dry_run {
            return;
        }
        if policy.bare_selector {
            let says = "a selector without matchLabels binds no pod in ambient";
            gaps.push(before.whole("bare-selector", Effect::Nothing, says));
            return;
        }
        for (at, rule) in policy.rules.iter().enumerate() {
            let enforced = ztunnel::rule(rule, policy.action, &policy.namespace, 0);
            if let Some(lost) = enforced.lost {
                gaps.push(before.lost(at, rule, lost));
            }
            self.foreign_domain(before, at, rule, gaps);
            inner_star(before, at, rule, gaps);
        }
        self.behind_waypoint(topology, before, gaps);
    }

    /// A ztunnel compares principals as written; sidecars put the mesh's trust domain in place of `cluster.local` and aliases.
    fn foreign_domain(&self, before: &Reading<'_>, at: usize, rule: &Rule, gaps: &mut Gaps) {
        let Some((own, aliases)) = self.config.trust_domains.split_first() else {
            return;
        };
        let foreign = |v: &String| {
            let domain = v.split('/').next().unwrap_or("");
            domain != own && (domain == "cluster.local" || aliases.iter().any(|a| a == domain))
        };
        for term in rule.from.iter().flatten() {
            if term.field == Field::Principals
                && let Some(value) = term.values.iter().find(|v| foreign(v))
            {
                let says = format!(
                    "a ztunnel does not put the mesh's trust domain {own} in place of the one in `{value}`"
                );
                let mut gap = before.rule("domain-at-ztunnel", Effect::Less, at, says);
                gap.spans = vec![term.span];
                gaps.push(gap);
            }
        }
    }

    /// Behind a waypoint the ztunnel sees the waypoint, whatever client calls.
    fn behind_waypoint(&self, topology: &Topology, before: &Reading<'_>, gaps: &mut Gaps) {
        let policy = before.policy;
        let Some(waypoint) = self.waypoint_of(topology, &before.record.workload) else {
            return;
        };
        let domain = self.config.trust_domains.first().map_or("", String::as_str);
        let identity = waypoint.identity(domain);
        let seen = waypoint.reference();
        if policy.action == Action::Allow {
            let all = self.policies.of_ztunnel(&before.record.workload);
            let allow: Vec<_> = all
                .into_iter()
                .filter(|p| p.action == Action::Allow)
                .collect();
            let admits = |policies: &[&AuthorizationPolicy]| {
                let port = before.record.ports.first().map_or(0, |p| p.port.number);
                let admitted = at_ztunnel(policies, &PeerSet::all(), port).allowed;
                !admitted.seen_as(&identity).is_empty()
            };
            if let Some(span) = names_identity(policy).filter(|_| !admits(&allow)) {
                let says = format!(
                    "traffic to the Service arrives from waypoint {seen}, which it does not let in"
                );
                let mut gap = before.whole("behind-waypoint", Effect::Less, says);
                gap.spans = vec![span];
                gaps.push(gap);
            }
            return;
        }
        for (at, rule) in policy.rules.iter().enumerate() {
            let Some(term) = identity_terms(rule).find(|t| !t.negated) else {
                continue;
            };
            let port = before.record.ports.first().map_or(0, |p| p.port.number);
            let cubes = ztunnel::rule(rule, Action::Deny, &policy.namespace, port).cubes;
            let denied = PeerSet::of(cubes);
            if !denied.is_empty() && denied.seen_as(&identity).is_empty() {
                let says = format!(
                    "traffic to the Service arrives from waypoint {seen}, so it never meets the clients named"
                );
                let mut gap = before.rule("behind-waypoint", Effect::Less, at, says);
                gap.spans = vec![term.span];
                gaps.push(gap);
            }
        }
    }

    fn only_shadow(&self, before: &Reading<'_>) -> bool {
        let restricts = |p: &&AuthorizationPolicy| matches!(p.action, Action::Allow | Action::Deny);
        let policy = before.policy;
        policy.dry_run
            && restricts(&policy)
            && self
                .policies
                .of_sidecar(&before.record.workload)
                .iter()
                .filter(|p| restricts(p) || p.action == Action::Custom)
                .all(|p| p.dry_run)
    }

    fn provider(&self, policy: &AuthorizationPolicy, gaps: &mut Gaps) {
        let known = self
            .config
            .providers
            .iter()
            .any(|p| p.name == policy.provider);
        if policy.action != Action::Custom || known {
            return;
        }
        let says = format!(
            "no extension provider is named `{}`: what matches is refused",
            policy.provider
        );
        let mut gap = whole("no-provider", Effect::More, vec![policy.span], says);
        if !self.config.present {
            gap.assumptions = vec![String::from(
                "the mesh config, which is not in the view, defines no extension provider",
            )];
        }
        gaps.push(gap);
    }

    /// A policy without selector in `istio-system` is mesh-wide only where that is the root namespace.
    fn elsewhere(&self, policy: &AuthorizationPolicy, gaps: &mut Gaps) {
        let root = &self.config.root_namespace;
        if policy.namespace == "istio-system"
            && root != "istio-system"
            && policy.selector.is_empty()
        {
            let says = format!("the mesh's root namespace is {root}");
            let spans = vec![policy.resource.name_span()];
            gaps.push(whole("not-root", Effect::Less, spans, says));
        }
    }
}

/// A star inside a namespace is a literal for a ztunnel; sidecars expand it (`ztunnel src/rbac.rs`, `matcher/string.go`).
fn inner_star(before: &Reading<'_>, at: usize, rule: &Rule, gaps: &mut Gaps) {
    let inner = |v: &&String| {
        let body = v.strip_prefix('*').unwrap_or(v);
        body.strip_suffix('*').unwrap_or(body).contains('*')
    };
    for term in identity_terms(rule).filter(|t| t.field == Field::Namespaces) {
        if let Some(value) = term.values.iter().find(inner) {
            let says = format!("for a ztunnel the star inside `{value}` is a plain character");
            let mut gap = before.rule("inner-star", Effect::Less, at, says);
            gap.spans = vec![term.span];
            gaps.push(gap);
        }
    }
}

/// A policy as one workload's proxy reads it.
struct Reading<'r> {
    policy: &'r AuthorizationPolicy,
    record: &'r WorkloadRecord,
}

impl Reading<'_> {
    fn whole(&self, why: &'static str, effect: Effect, says: impl Into<String>) -> Gap {
        let mut gap = whole(why, effect, vec![self.policy.span], says);
        gap.subject = self.record.workload.reference();
        gap.assumptions = self.record.membership.assumptions().to_vec();
        gap
    }

    fn rule(&self, why: &'static str, effect: Effect, at: usize, says: impl Into<String>) -> Gap {
        let mut gap = self.whole(why, effect, says);
        gap.rule = Some(at);
        gap
    }

    fn lost(&self, at: usize, rule: &Rule, lost: Lost) -> Gap {
        let effect = match lost {
            Lost::Omitted | Lost::Dead | Lost::Empty => Effect::Nothing,
            Lost::Kept | Lost::TrustDomains => Effect::More,
        };
        let why = match lost {
            Lost::TrustDomains => "trust-domains",
            _ => "layer7-at-ztunnel",
        };
        let fits = |t: &&Term<Field>| match lost {
            Lost::TrustDomains => t.field == Field::TrustDomains,
            _ => t.field.is_http_only() || t.field == Field::RemoteIpBlocks,
        };
        let terms = || rule.from.iter().chain(&rule.to).flatten();
        let span = terms().find(fits).map_or_else(
            || {
                rule.when
                    .iter()
                    .flatten()
                    .next()
                    .map_or(rule.span, |t| t.span)
            },
            |t| t.span,
        );
        let mut gap = self.rule(why, effect, at, lost.as_str());
        gap.spans = vec![span];
        gap
    }

    /// HTTP conditions on ports whose traffic the sidecar reads as bytes, or finds out only from the first bytes.
    fn at_sidecar(&self, gaps: &mut Gaps) {
        let policy = self.policy;
        if policy.dry_run || !matches!(policy.action, Action::Allow | Action::Deny) {
            return;
        }
        for port in &self.record.ports {
            let number = port.port.number;
            let bypassed = matches!(
                mode(port),
                None | Some(Mode::Plaintext(Plaintext::Bypassed | Plaintext::Unmeshed))
            );
            if port.port.protocol != Protocol::Tcp || port.port.services.is_empty() || bypassed {
                continue;
            }
            let (why, says) = match Listener::of_port(&port.port) {
                Listener::Known(Reads::Http) => continue,
                Listener::Known(Reads::Tcp) => (
                    "http-on-bytes",
                    "the Service declares the port as bytes, so no request is read there",
                ),
                Listener::Auto => (
                    "http-on-sniffed",
                    "the Service declares no protocol, so what does not look like HTTP is read as bytes",
                ),
            };
            for (at, rule) in policy.rules.iter().enumerate() {
                let Some(span) = http_term(rule).filter(|_| speaks_of(rule, number)) else {
                    continue;
                };
                let effect = match policy.action {
                    Action::Allow => Effect::Nothing,
                    _ => Effect::More,
                };
                let mut gap = self.rule(why, effect, at, says);
                gap.subject = port_words(number, self.record);
                gap.spans = vec![span];
                gaps.push(gap);
            }
        }
    }
}

/// Where a rule asks for something only HTTP has.
fn http_term(rule: &Rule) -> Option<Span> {
    let terms = rule.from.iter().chain(&rule.to).flatten();
    let in_when = |t: &&Term<String>| t.field.starts_with("request.");
    terms
        .into_iter()
        .find(|t| t.field.is_http_only())
        .map(|t| t.span)
        .or_else(|| rule.when.iter().flatten().find(in_when).map(|t| t.span))
}

/// Whether a rule can match on this port.
pub(super) fn speaks_of(rule: &Rule, port: u16) -> bool {
    let lists = |values: &[String]| values.iter().any(|v| v.trim().parse::<u16>() == Ok(port));
    let entry = |terms: &Vec<Term<Field>>| {
        terms
            .iter()
            .filter(|t| t.field == Field::Ports)
            .all(|t| lists(&t.values) != t.negated)
    };
    let when = rule
        .when
        .iter()
        .flatten()
        .filter(|t| t.field == "destination.port" && !t.values.is_empty())
        .all(|t| lists(&t.values) != t.negated);
    when && (rule.to.is_empty() || rule.to.iter().any(entry))
}

/// Terms of `from` that ask for a mesh identity.
pub(super) fn identity_terms(rule: &Rule) -> impl Iterator<Item = &Term<Field>> {
    rule.from.iter().flatten().filter(|t| t.field.is_identity())
}

fn names_identity(policy: &AuthorizationPolicy) -> Option<Span> {
    let mut terms = policy.rules.iter().flat_map(identity_terms);
    terms.find(|t| !t.negated).map(|t| t.span)
}

/// `ports` are those of the container; a Service's own port is none, except where a Service maps it to itself.
fn service_ports(policy: &AuthorizationPolicy, selected: Selected<'_>, gaps: &mut Gaps) {
    for (at, rule) in policy.rules.iter().enumerate() {
        let in_to = rule.to.iter().flatten();
        let in_to = in_to
            .filter(|t| t.field == Field::Ports)
            .map(|t| (&t.values, t.span));
        let in_when = rule.when.iter().flatten();
        let in_when = in_when
            .filter(|t| t.field == "destination.port")
            .map(|t| (&t.values, t.span));
        for (values, span) in in_to.chain(in_when) {
            let numbers = values.iter().filter_map(|v| v.trim().parse::<u16>().ok());
            for number in numbers {
                if let Some(gap) = service_port(number, selected) {
                    gaps.push(Gap {
                        rule: Some(at),
                        spans: vec![span],
                        ..gap
                    });
                }
            }
        }
    }
}

/// A number that is a Service's port before a workload and nobody's container port.
pub(super) fn service_port(number: u16, selected: Selected<'_>) -> Option<Gap> {
    let mut ports = selected
        .iter()
        .flat_map(|r| r.ports.iter().map(move |p| (r, p)));
    if ports.clone().any(|(_, p)| p.port.number == number) {
        return None;
    }
    let (record, port) = ports.find(|(_, p)| p.port.services.iter().any(|s| s.port == number))?;
    let says = format!(
        "{number} is the port of a Service; the container listens on {}",
        port.port.number
    );
    let mut gap = whole("service-port", Effect::Nothing, Vec::new(), says);
    gap.subject = port_words(port.port.number, record);
    Some(gap)
}
