//! Who may call a port: CUSTOM, JWT, DENY, ALLOW, at a sidecar, a waypoint, a ztunnel. Input: the policies that apply; output: the set of
//! admitted callers per path, with the rules that count and those that do not.
//!
//! istio/istio `pilot/pkg/networking/core/listener_builder.go` (filter order), `pilot/pkg/security/authz/builder/builder.go`.

use crate::engine::istio::compile::{self, Context, Protocol};
use crate::engine::istio::config::{MeshConfig, Provider};
use crate::engine::istio::policy::{Action, AuthorizationPolicy};
use crate::engine::istio::ztunnel;
use crate::facts::peers::{Because, Cube, Literal, PeerSet};
use crate::facts::{Role, Step};
use crate::source::to_u32;

/// How the step of a policy that counts begins.
pub(crate) const APPLIES: &str = "AuthorizationPolicy";

/// What an enforcement point lets through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Admitted callers and requests, given the external authorizer agrees.
    pub(crate) allowed: PeerSet,
    /// Requests that an external authorizer is asked about.
    pub(crate) delegated: PeerSet,
    /// Policies and rules that counted, and those that did not.
    pub(crate) steps: Vec<Step>,
}

/// Where an Envoy reads policies.
pub(crate) struct Envoy<'e> {
    pub(crate) config: &'e MeshConfig,
    pub(crate) issuers: &'e [String],
    pub(crate) protocol: Protocol,
    /// The port the proxy sees.
    pub(crate) port: u16,
}

impl Envoy<'_> {
    /// Decides for callers of `base`.
    pub(crate) fn verdict(&self, policies: &[&AuthorizationPolicy], base: &PeerSet) -> Verdict {
        let mut verdict = Verdict {
            allowed: base.clone(),
            ..Verdict::default()
        };
        if self.protocol == Protocol::Tcp || self.issuers.is_empty() {
            // No token counts where none is validated.
            let none = Literal::is_not(crate::facts::peers::Atom::Token(vec![
                crate::facts::peers::identity::TokenPattern::any(),
            ]));
            verdict.allowed = verdict.allowed.restrict(&none);
        }
        self.custom(policies, base, &mut verdict);
        for policy in with(policies, Action::Deny) {
            let cubes = self.cubes(policy, Action::Deny, &mut verdict.steps);
            verdict.allowed = verdict.allowed.subtract(&PeerSet::of(cubes));
        }
        let allow: Vec<_> = with(policies, Action::Allow).collect();
        if !allow.is_empty() {
            let cubes = allow
                .iter()
                .flat_map(|policy| self.cubes(policy, Action::Allow, &mut verdict.steps))
                .collect();
            verdict.allowed = verdict.allowed.intersect(&PeerSet::of(cubes));
        }
        verdict
    }

    /// CUSTOM: matching requests are put to the provider; without a usable one they are denied. An HTTP provider is skipped on TCP.
    fn custom(&self, policies: &[&AuthorizationPolicy], base: &PeerSet, verdict: &mut Verdict) {
        let custom: Vec<&AuthorizationPolicy> = policies
            .iter()
            .copied()
            .filter(|p| p.action == Action::Custom)
            .collect();
        let several = custom
            .iter()
            .any(|p| custom.iter().any(|q| p.provider != q.provider));
        for policy in custom {
            let provider = self.config.provider(&policy.provider);
            let usable = provider.is_some_and(|p| p.authorizes) && !several && !policy.dry_run;
            let skipped = self.protocol == Protocol::Tcp && !provider.is_some_and(|p| p.grpc);
            if usable && skipped {
                let why = "an HTTP authorizer is not asked on a port that carries bytes";
                verdict
                    .steps
                    .push(policy.step(Role::Ignored(why.to_owned())));
                continue;
            }
            let cubes = self.cubes(policy, Action::Custom, &mut verdict.steps);
            let region = PeerSet::of(cubes).before_tokens();
            if usable {
                // Who the transport refuses is not put to anybody.
                let asked = base.intersect(&region);
                verdict.delegated = std::mem::take(&mut verdict.delegated).union(asked);
            } else {
                verdict.allowed = verdict.allowed.subtract(&region);
            }
        }
    }

    /// The cubes of all rules of a policy.
    fn cubes(
        &self,
        policy: &AuthorizationPolicy,
        action: Action,
        steps: &mut Vec<Step>,
    ) -> Vec<Cube> {
        steps.push(policy.step(Role::Decides));
        let context = Context {
            namespace: &policy.namespace,
            trust_domains: &self.config.trust_domains,
            issuers: self.issuers,
            protocol: self.protocol,
            port: self.port,
        };
        let mut cubes = Vec::new();
        for (at, rule) in policy.rules.iter().enumerate() {
            match compile::envoy(rule, action, &context) {
                Ok(found) => cubes.extend(found.into_iter().map(|c| because(c, policy, at))),
                Err(dropped) => steps.push(policy.rule_lost(at, dropped.as_str())),
            }
        }
        cubes
    }
}

/// Decides at a ztunnel for callers of `base`, on a connection to `port`.
pub(crate) fn at_ztunnel(policies: &[&AuthorizationPolicy], base: &PeerSet, port: u16) -> Verdict {
    let mut verdict = Verdict {
        allowed: base.clone(),
        ..Verdict::default()
    };
    let mut cubes = |policy: &AuthorizationPolicy, action: Action| {
        let mut found = Vec::new();
        verdict.steps.push(policy.step(Role::Decides));
        for (at, rule) in policy.rules.iter().enumerate() {
            let enforced = ztunnel::rule(rule, action, &policy.namespace, port);
            if let Some(why) = enforced.lost {
                verdict.steps.push(policy.rule_lost(at, why.as_str()));
            }
            found.extend(enforced.cubes.into_iter().map(|c| because(c, policy, at)));
        }
        found
    };
    let denied: Vec<Cube> = with(policies, Action::Deny)
        .flat_map(|p| cubes(p, Action::Deny))
        .collect();
    let allow: Vec<_> = with(policies, Action::Allow).collect();
    let admitted: Vec<Cube> = allow.iter().flat_map(|p| cubes(p, Action::Allow)).collect();
    verdict.allowed = verdict.allowed.subtract(&PeerSet::of(denied));
    if !allow.is_empty() {
        verdict.allowed = verdict.allowed.intersect(&PeerSet::of(admitted));
    }
    verdict
}

fn with<'p>(
    policies: &[&'p AuthorizationPolicy],
    action: Action,
) -> impl Iterator<Item = &'p AuthorizationPolicy> {
    policies
        .iter()
        .copied()
        .filter(move |p| p.action == action && !p.dry_run)
}

fn because(cube: Cube, policy: &AuthorizationPolicy, rule: usize) -> Cube {
    Cube {
        because: vec![Because {
            policy: policy.resource.id,
            rule: to_u32(rule),
        }],
        ..cube
    }
}

impl AuthorizationPolicy {
    pub(crate) fn step(&self, role: Role) -> Step {
        let action = match self.action {
            Action::Custom => "CUSTOM",
            Action::Deny => "DENY",
            Action::Allow => "ALLOW",
            Action::Audit => "AUDIT",
        };
        let says = format!("{APPLIES} {}: {action}", self.reference());
        Step::at(&self.resource, self.span, role, says)
    }

    fn rule_lost(&self, at: usize, why: &str) -> Step {
        let span = self.rules.get(at).map_or(self.span, |r| r.span);
        let says = format!("rule {at} of AuthorizationPolicy {}", self.reference());
        Step::ignored(&self.resource, span, says, why)
    }
}

impl MeshConfig {
    fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|p| p.name == name)
    }
}
