//! What the network leaves of ways into and out of the cluster. Input: a fact of the mesh, what network policies let through; output: the fact
//! with both.
//!
//! Whether a load balancer keeps the address of a caller is not in the files; callers from outside are addresses outside of pods all the same
//! (kubernetes.io/docs/concepts/services-networking/network-policies, "behavior of ipBlock selectors").

use std::collections::BTreeSet;

use crate::facts::Fact;
use crate::facts::access::callers::Callers;
use crate::facts::access::traffic::Through;
use crate::facts::access::{Access, By};
use crate::facts::egress::{Egress, EgressMode};
use crate::facts::peers::PeerSet;

/// Callers from outside have to get to the proxies first, to one of them.
pub(super) fn entering(fact: Fact<Access>, at_proxies: Vec<Through>) -> Fact<Access> {
    let mut callers = Callers::none();
    let mut unknown = Vec::new();
    let Fact { value, mut steps } = fact;
    for through in at_proxies {
        callers = callers.union(&through.callers);
        unknown.extend(through.unknown);
        steps.extend(through.steps);
    }
    let value = value.and_then(|access| {
        let outside = callers.intersect(&Callers::outside());
        if outside == Callers::outside() {
            Ok(access)
        } else if !unknown.is_empty() {
            Err(unknown)
        } else {
            Ok(narrowed(access, &outside))
        }
    });
    Fact { value, steps }
}

fn narrowed(access: Access, outside: &Callers) -> Access {
    if !outside.has_outside() {
        let nobody = Access::of(&PeerSet::nobody(), &PeerSet::nobody());
        return Access {
            by: BTreeSet::from([By::Network]),
            proxied: access.proxied,
            ..nobody
        };
    }
    let mut access = access;
    if access.nets.is_empty() {
        access.nets.extend(outside.nets());
        access.by.insert(By::Network);
    }
    access
}

/// Calls out of the cluster have to leave the pod.
pub(super) fn leaving(fact: Fact<Egress>, through: Through) -> Fact<Egress> {
    let Fact { value, mut steps } = fact;
    steps.extend(through.steps);
    let value = value.and_then(|egress| {
        if !through.unknown.is_empty() {
            return Err(through.unknown);
        }
        if !through.callers.has_outside() {
            return Ok(Egress {
                mode: EgressMode::None,
                to: BTreeSet::new(),
                nets: BTreeSet::new(),
            });
        }
        if through.callers == Callers::outside() {
            return Ok(egress);
        }
        Ok(Egress {
            mode: egress.mode.min(EgressMode::Restricted),
            nets: through.callers.nets().into_iter().collect(),
            ..egress
        })
    });
    Fact { value, steps }
}
