//! What Istio's policies really do. Input: a policy and the workloads it selects, with their facts; output: `Gap`s, `Source`s and `Call`s.

use std::sync::Arc;

use crate::facts::policy::{Effect, Gap};
use crate::facts::record::WorkloadRecord;
use crate::facts::transport::{Membership, Mode};
use crate::source::Span;

mod authorization;
mod client;
mod destination;
mod peer;
mod source;
mod target;
mod token;

pub(crate) use crate::engine::istio::destination_rule::DestinationRule;
pub(crate) use crate::engine::istio::peer_authentication::PeerAuthentication;
pub(crate) use crate::engine::istio::policy::AuthorizationPolicy;
pub(crate) use client::Clients;
pub(crate) use destination::unread;
pub(crate) use source::sources;

/// The workloads that a policy selects.
pub(crate) type Selected<'s> = &'s [Arc<WorkloadRecord>];

/// A gap of a policy as a whole, at these places.
fn whole(why: &'static str, effect: Effect, spans: Vec<Span>, says: impl Into<String>) -> Gap {
    Gap {
        why,
        effect,
        rule: None,
        subject: String::new(),
        says: says.into(),
        spans,
        assumptions: Vec::new(),
    }
}

fn membership(record: &WorkloadRecord) -> Option<Membership> {
    record.membership.get().copied()
}

/// Applications in the mesh: proxies that are gateways themselves have rules of their own.
fn meshed(selected: Selected<'_>) -> impl Iterator<Item = (&WorkloadRecord, Membership)> {
    selected
        .iter()
        .map(Arc::as_ref)
        .filter(|r| !r.workload.is_gateway())
        .filter_map(|r| membership(r).map(|m| (r, m)))
        .filter(|(_, m)| *m != Membership::None)
}

/// What a port of a record accepts, when known.
fn mode(port: &crate::facts::record::PortRecord) -> Option<Mode> {
    port.transport.0.get().map(|t| t.mode)
}

/// Whether every workload is known to be outside the mesh: the policy has nowhere to hold.
fn all_outside(selected: Selected<'_>, span: Span) -> Option<Gap> {
    let first = selected.first()?;
    // Where no namespace is named nobody knows whether it is enrolled.
    let outside = |r: &Arc<WorkloadRecord>| {
        membership(r) == Some(Membership::None)
            && !r.workload.is_gateway()
            && !r.workload.namespace.as_str().is_empty()
    };
    if !selected.iter().all(outside) {
        return None;
    }
    let says = format!(
        "none of the workloads it selects is in the mesh, such as {}",
        first.workload.reference()
    );
    let mut gap = whole("unmeshed", Effect::Nothing, vec![span], says);
    gap.subject = first.workload.reference();
    let mut assumed: Vec<String> = selected
        .iter()
        .flat_map(|r| r.membership.assumptions().iter().cloned())
        .collect();
    assumed.sort();
    assumed.dedup();
    gap.assumptions = assumed;
    Some(gap)
}

/// Words for a port of a workload.
fn port_words(number: u16, record: &WorkloadRecord) -> String {
    format!("port {number} of {}", record.workload.reference())
}
