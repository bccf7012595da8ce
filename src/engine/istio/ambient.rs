//! PeerAuthentication in ambient: what the control plane really hands to ztunnel. Input: the attached policies and the parents that
//! the converter merges; output: strict or permissive per port. ztunnel knows only "deny without identity", so DISABLE is PERMISSIVE.
//!
//! istio/istio `pilot/pkg/serviceregistry/ambient/authorization.go:convertPeerAuthentication,convertedSelectorPeerAuthentications`,
//! `policies.go`, `workloads.go:fetchPeerAuthentications`.

use crate::engine::istio::peer_authentication::{
    Choice, ModeField, PaMode, PeerAuthentication, Resolved, resolve as resolve_sidecar,
};

const LOST: &str = "the control plane generates no rule for this combination of port modes";

/// The mode that ztunnel enforces on a port.
pub(crate) fn resolve<'p>(attached: &Choice<'p>, merged: &Choice<'p>, port: u16) -> Resolved<'p> {
    let base = Choice {
        workload: attached.workload,
        ..*attached
    };
    let mut below = resolve_sidecar(&base, NO_PORT);
    below.mode = strict_or_open(below.mode);
    let Some(policy) = attached.workload.filter(|p| !p.ports.is_empty()) else {
        return below;
    };
    let entry = policy.ports.get(&port).and_then(|field| field.mode);
    match policy.mtls.mode {
        Some(PaMode::Strict) if entry.is_some_and(is_open) => at(policy, port, PaMode::Permissive),
        Some(PaMode::Strict) => below,
        Some(PaMode::Permissive | PaMode::Disable) if entry != Some(PaMode::Strict) => below,
        // Operator precedence in the converter: the test for a strict parent is not guarded by "workload UNSET".
        Some(PaMode::Permissive | PaMode::Disable) if strict_above(merged) => lost(policy, port),
        Some(PaMode::Permissive | PaMode::Disable) => at(policy, port, PaMode::Strict),
        None => unset(policy, below, merged, port, entry),
    }
}

/// No workload listens on port 0, so no port entry applies.
const NO_PORT: u16 = 0;

/// The workload policy is UNSET and has port entries: an exception policy is generated only when some entry differs from what lies below.
fn unset<'p>(
    policy: &'p PeerAuthentication,
    below: Resolved<'p>,
    merged: &Choice<'p>,
    port: u16,
    entry: Option<PaMode>,
) -> Resolved<'p> {
    // Below STRICT only a PERMISSIVE port counts as different, not a DISABLE one.
    let different = match below.mode {
        PaMode::Strict => PaMode::Permissive,
        _ => PaMode::Strict,
    };
    if !has_port(policy, |mode| mode == different) {
        return below;
    }
    let merged_strict =
        is_strict(merged.namespace) || (merged.namespace.is_none() && is_strict(merged.mesh));
    if merged_strict && has_port(policy, is_open) {
        if entry.is_some_and(is_open) {
            return at(policy, port, PaMode::Permissive);
        }
        if below.mode == PaMode::Strict {
            return below;
        }
        return Resolved {
            mode: PaMode::Strict,
            policy: Some(policy),
            span: Some(policy.mtls.span),
            port: None,
            lost: None,
        };
    }
    if entry == Some(PaMode::Strict) && !is_strict(merged.namespace) && !strict_above(merged) {
        return at(policy, port, PaMode::Strict);
    }
    if below.mode == PaMode::Permissive && entry != Some(PaMode::Strict) {
        return below;
    }
    lost(policy, port)
}

/// The converter takes a strict mesh policy for the parent when the namespace says nothing.
fn strict_above(merged: &Choice<'_>) -> bool {
    merged.namespace.is_none_or(|p| p.mtls.mode.is_none()) && is_strict(merged.mesh)
}

fn is_strict(policy: Option<&PeerAuthentication>) -> bool {
    policy.is_some_and(|p| p.mtls.mode == Some(PaMode::Strict))
}

fn is_open(mode: PaMode) -> bool {
    mode != PaMode::Strict
}

fn strict_or_open(mode: PaMode) -> PaMode {
    match mode {
        PaMode::Strict => PaMode::Strict,
        PaMode::Permissive | PaMode::Disable => PaMode::Permissive,
    }
}

fn has_port(policy: &PeerAuthentication, test: impl Fn(PaMode) -> bool) -> bool {
    policy.ports.values().filter_map(|f| f.mode).any(test)
}

fn field(policy: &PeerAuthentication, port: u16) -> &ModeField {
    policy.ports.get(&port).unwrap_or(&policy.mtls)
}

fn at(policy: &PeerAuthentication, port: u16, mode: PaMode) -> Resolved<'_> {
    Resolved {
        mode,
        policy: Some(policy),
        span: Some(field(policy, port).span),
        port: Some(port),
        lost: None,
    }
}

fn lost(policy: &PeerAuthentication, port: u16) -> Resolved<'_> {
    Resolved {
        lost: Some(LOST),
        ..at(policy, port, PaMode::Permissive)
    }
}
