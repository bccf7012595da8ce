//! PeerAuthentication: modes that are weaker than what lies around, not in force, or not what clients infer. Input: a policy and the
//! workloads it selects; output: gaps.
//!
//! Semantics: `peer_authentication.rs`, `ambient.rs`, whose sources they name.

use super::authorization::service_port;
use super::{Selected, all_outside, meshed, mode, port_words, whole};
use crate::engine::istio::Istio;
use crate::engine::istio::peer_authentication::{
    Choice, Layers, PaMode, PeerAuthentication, resolve,
};
use crate::facts::policy::{Effect, Gap, Gaps};
use crate::facts::record::{PortRecord, WorkloadRecord};
use crate::facts::transport::{Membership, Mode, Plaintext};
use crate::source::Span;

/// No workload listens on port 0, so no port entry applies.
const NO_PORT: u16 = 0;
/// Names of ports that watchers call without an identity.
const WATCHED: [&str; 5] = ["metric", "prom", "health", "probe", "monitoring"];

impl Istio {
    /// Parts of a policy that do something else than they say, or than what lies around them.
    pub(crate) fn peer_gaps(
        &self,
        policy: &PeerAuthentication,
        selected: Selected<'_>,
    ) -> Vec<Gap> {
        let mut gaps = Gaps::default();
        let in_root = policy.namespace == self.config.root_namespace;
        if in_root && !policy.selector.is_empty() {
            // It has no effect beyond its namespace, which is another matter.
            return Vec::new();
        }
        for (record, membership) in meshed(selected) {
            let layers = self
                .peer_authentications
                .layers(&record.workload, Membership::Sidecar);
            let Some(choice) = layers.choices().into_iter().next() else {
                continue;
            };
            let at = At { policy, record };
            shadowed(&at, &layers, self.younger(policy, record), &mut gaps);
            if membership == Membership::Ambient {
                at.not_enforced(&choice, &mut gaps);
                self.elsewhere_open(&at, &choice, &mut gaps);
                continue;
            }
            at.weaker(&choice, &mut gaps);
            at.disabled(&choice, &mut gaps);
            self.misled_clients(&at, &mut gaps);
        }
        if let Some(gap) = all_outside(selected, policy.resource.name_span()) {
            gaps.push(gap);
        }
        for (number, field) in &policy.ports {
            if let Some(gap) =
                service_port(*number, selected).filter(|_| !policy.selector.is_empty())
            {
                gaps.push(Gap {
                    rule: Some(usize::from(*number)),
                    spans: vec![field.span],
                    ..gap
                });
            }
        }
        let root = &self.config.root_namespace;
        if policy.namespace == "istio-system"
            && root != "istio-system"
            && policy.selector.is_empty()
        {
            let says = format!("the mesh's root namespace is {root}");
            let spans = vec![policy.resource.name_span()];
            gaps.push(whole("not-root", Effect::Less, spans, says));
        }
        gaps.into_vec()
    }

    /// Whether an older policy of the same scope applies to the workload, and which.
    fn younger<'p>(
        &'p self,
        policy: &PeerAuthentication,
        record: &WorkloadRecord,
    ) -> Option<&'p PeerAuthentication> {
        let labels = record.workload.labels();
        let same_scope = |p: &&PeerAuthentication| {
            p.selector.is_empty() == policy.selector.is_empty() && p.selector.matches(labels)
        };
        let first = self
            .peer_authentications
            .in_namespace(&policy.namespace)
            .iter()
            .find(same_scope)?;
        (first.resource.id != policy.resource.id).then_some(first)
    }

    /// Ports without an entry, of which a ztunnel may be told nothing though a sidecar would be strict there.
    fn elsewhere_open(&self, at: &At<'_>, choice: &Choice<'_>, gaps: &mut Gaps) {
        let resolved = resolve(choice, NO_PORT);
        let workload = &at.record.workload;
        if !at.is(resolved.policy) || resolved.mode != PaMode::Strict {
            return;
        }
        let entries = choice.workload.map(|p| &p.ports);
        let listed =
            |n: &u16| workload.port(*n).is_some() || entries.is_some_and(|e| e.contains_key(n));
        let Some(free) = (1..=u16::MAX).find(|n| !listed(n)) else {
            return;
        };
        let fact = self.peer_authentications.transport(
            workload,
            Membership::Ambient,
            free,
            &self.completeness,
        );
        if fact.get().is_some_and(|t| t.mode == Mode::Permissive) {
            let words = workload.reference();
            let says = format!(
                "every port of {words} without an entry stays open: the control plane generates no rule for a ztunnel"
            );
            let span = resolved.span.unwrap_or(at.policy.mtls.span);
            let mut gap = at.gap("unenforced", Effect::Nothing, span, says);
            gap.spans.extend(choice.workload.map(|p| p.mtls.span));
            gaps.push(gap);
        }
    }

    /// Clients infer the mode from namespace and mesh policies only: DISABLE there makes them send plaintext to a workload that has a
    /// mode of its own (`pilot/pkg/model/push_context.go:BestEffortInferServiceMTLSMode`).
    fn misled_clients(&self, at: &At<'_>, gaps: &mut Gaps) {
        let policy = at.policy;
        let namespace = at.record.workload.namespace.as_str();
        let inferred = self.peer_authentications.inferred(namespace);
        let decides = inferred
            .policy
            .is_some_and(|p| p.resource.id == policy.resource.id);
        if !decides || inferred.mode != PaMode::Disable || !self.config.auto_mtls {
            return;
        }
        let called = |p: &&PortRecord| !p.port.services.is_empty();
        let strict = |p: &&PortRecord| mode(p).is_some_and(Mode::accepts_identity);
        let told = at.record.workload.services.iter().any(|s| {
            let host = format!("{}.{namespace}.svc.cluster.local", s.name);
            self.destination_rules.asks_for_mesh_tls(&host)
        });
        let mut ports = at.record.ports.iter().filter(called).filter(strict);
        if let Some(port) = ports.next().filter(|_| !told) {
            let words = port_words(port.port.number, at.record);
            let says = format!(
                "clients do not see the mode of {words}: by this policy they send plaintext"
            );
            let mut gap = at.gap("clients-plaintext", Effect::Less, policy.mtls.span, says);
            gap.subject = words;
            gaps.push(gap);
        }
    }
}

/// Of several policies of one scope only the oldest counts.
fn shadowed(at: &At<'_>, layers: &Layers<'_>, older: Option<&PeerAuthentication>, gaps: &mut Gaps) {
    let policy = at.policy;
    let Some(older) = older else { return };
    let says_same = older.mtls.mode == policy.mtls.mode
        && older.ports.len() == policy.ports.len()
        && older
            .ports
            .iter()
            .all(|(port, field)| policy.ports.get(port).is_some_and(|p| p.mode == field.mode));
    if says_same {
        return;
    }
    let tied = [&layers.mesh, &layers.namespace, &layers.workload]
        .into_iter()
        .flatten()
        .any(|p| p.resource.id == policy.resource.id);
    let other = older.reference();
    let says = if tied {
        format!("of it and {other} only the older counts, and no file tells which is")
    } else {
        format!("{other} is older and counts alone")
    };
    let mut gap = at.gap("shadowed", Effect::Nothing, policy.mtls.span, says);
    gap.spans.push(older.mtls.span);
    gaps.push(gap);
}

/// A policy at one workload.
struct At<'a> {
    policy: &'a PeerAuthentication,
    record: &'a WorkloadRecord,
}

impl At<'_> {
    fn gap(&self, why: &'static str, effect: Effect, span: Span, says: impl Into<String>) -> Gap {
        let mut gap = whole(why, effect, vec![span], says);
        gap.subject = self.record.workload.reference();
        gap.assumptions = self.record.membership.assumptions().to_vec();
        gap
    }

    fn is(&self, other: Option<&PeerAuthentication>) -> bool {
        other.is_some_and(|p| p.resource.id == self.policy.resource.id)
    }

    /// PERMISSIVE, or a port that is open, where STRICT holds around it.
    fn weaker(&self, choice: &Choice<'_>, gaps: &mut Gaps) {
        let policy = self.policy;
        let without = if self.is(choice.workload) {
            Choice {
                workload: None,
                ..*choice
            }
        } else if self.is(choice.namespace) {
            Choice {
                workload: None,
                namespace: None,
                ..*choice
            }
        } else {
            return;
        };
        let around = resolve(&without, NO_PORT);
        if policy.mtls.mode == Some(PaMode::Permissive) && around.mode == PaMode::Strict {
            let wider = around
                .policy
                .map_or_else(String::new, PeerAuthentication::reference);
            let says = format!("{wider} says STRICT, and the narrower policy wins");
            let mut gap = self.gap("weaker", Effect::Less, policy.mtls.span, says);
            gap.spans.extend(around.span);
            gaps.push(gap);
        }
        if !self.is(choice.workload) {
            return;
        }
        let own = resolve(choice, NO_PORT);
        for (number, field) in &policy.ports {
            let port = self.record.ports.iter().find(|p| p.port.number == *number);
            let Some(port) = port.filter(|p| !is_watched(p)) else {
                continue;
            };
            let weaker = field.mode.is_some_and(|m| m < own.mode);
            if weaker && mode(port).is_some_and(Mode::accepts_plaintext) {
                let words = port_words(*number, self.record);
                let says = format!("{words} is weaker than the {} around it", own.mode.as_str());
                let mut gap = self.gap("port-weaker", Effect::Less, field.span, says);
                gap.rule = Some(usize::from(*number));
                gap.subject = words;
                gaps.push(gap);
            }
        }
    }

    /// DISABLE for a workload or more, in force on some port whatever the age of policies.
    fn disabled(&self, choice: &Choice<'_>, gaps: &mut Gaps) {
        let decides = |p: &&PortRecord| {
            let resolved = resolve(choice, p.port.number);
            self.is(resolved.policy) && resolved.port.is_none()
        };
        let off = |p: &&PortRecord| {
            let transport = p.transport.0.get();
            transport.is_some_and(|t| {
                t.mode == Mode::Plaintext(Plaintext::Disabled) && t.alternatives.is_empty()
            })
        };
        let mut ports = self.record.ports.iter().filter(off).filter(decides);
        if let Some(port) = ports.next() {
            let words = port_words(port.port.number, self.record);
            let says = format!("{words} takes plaintext only");
            let span = self.policy.mtls.span;
            let mut gap = self.gap("disabled", Effect::Less, span, says);
            gap.subject = words;
            gaps.push(gap);
        }
    }

    /// Ports where a ztunnel gets another mode than a sidecar would.
    fn not_enforced(&self, choice: &Choice<'_>, gaps: &mut Gaps) {
        for port in &self.record.ports {
            let resolved = resolve(choice, port.port.number);
            let wanted = resolved.mode == PaMode::Strict;
            let strict = match mode(port) {
                Some(Mode::Strict) => true,
                Some(Mode::Permissive) => false,
                _ => continue,
            };
            if !self.is(resolved.policy) || wanted == strict {
                continue;
            }
            let words = port_words(port.port.number, self.record);
            let (effect, says) = if strict {
                let says =
                    format!("{words} stays closed: a ztunnel has no way to switch mutual TLS off");
                (Effect::More, says)
            } else {
                let says = format!(
                    "{words} stays open: the control plane generates no rule for a ztunnel from it"
                );
                (Effect::Nothing, says)
            };
            let span = resolved.span.unwrap_or(self.policy.mtls.span);
            let mut gap = self.gap("unenforced", effect, span, says);
            gap.subject = words;
            gaps.push(gap);
        }
    }
}

fn is_watched(port: &PortRecord) -> bool {
    let name = port.port.name.to_lowercase();
    let named = |n: &str| WATCHED.iter().any(|w| n.contains(w));
    named(&name)
        || port
            .port
            .services
            .iter()
            .any(|s| named(&s.name.to_lowercase()))
}
