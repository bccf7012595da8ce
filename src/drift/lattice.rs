//! Which way a fact moved. Input: a value before and after; output: `Direction`, by the two lattices of the fact model.

use std::cmp::Ordering;

use crate::facts::access::{Access, Level};
use crate::facts::change::Direction;
use crate::facts::peers::PeerSet;
use crate::facts::transport::{Membership, Mode, Transport};

/// The direction of a value on a scale where more is wider.
#[must_use]
pub fn by_width<T: Ord>(before: &T, after: &T) -> Direction {
    match after.cmp(before) {
        Ordering::Greater => Direction::Widened,
        Ordering::Equal => Direction::Changed,
        Ordering::Less => Direction::Narrowed,
    }
}

/// The direction of a membership: leaving the mesh widens, another dataplane is only another.
#[must_use]
pub fn membership(before: Membership, after: Membership) -> Direction {
    by_width(&(before == Membership::None), &(after == Membership::None))
}

/// The direction of a transport: plaintext < permissive < strict; a broken port is on no scale.
#[must_use]
pub fn transport(before: &Transport, after: &Transport) -> Direction {
    let strength = |mode: Mode| match mode {
        Mode::Plaintext(_) => Some(0),
        Mode::Permissive => Some(1),
        Mode::Strict => Some(2),
        Mode::Broken => None,
    };
    match (strength(before.mode), strength(after.mode)) {
        (Some(before), Some(after)) => by_width(&after, &before),
        _ => Direction::Changed,
    }
}

/// Who is let in, and about whom an external authorizer is asked.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Callers and requests that the mesh lets through.
    pub allowed: PeerSet,
    /// Those an authorizer has the last word on.
    pub delegated: PeerSet,
    /// What the network leaves of it, on the scale.
    pub access: Access,
}

/// The direction of access; `None` when both sides let in the same, however it is written. `network`: whether the network before the port
/// carries somebody it did not, and no longer carries somebody it did.
///
/// The sets decide; where each side has something of its own, the level of the scale does.
#[must_use]
pub fn access(before: &Admitted, after: &Admitted, network: (bool, bool)) -> Option<Direction> {
    let levels = (before.access.level, after.access.level);
    if levels == (Level::Nobody, Level::Nobody) {
        return None;
    }
    let mut gained = !after.allowed.is_subset(&before.allowed);
    let mut lost = !before.allowed.is_subset(&after.allowed);
    // Whom the network carries in vain, because the mesh lets others in, makes no difference.
    if before.access != after.access {
        gained |= network.0 && !lists_fewer(&after.access, &before.access);
        lost |= network.1 && !lists_fewer(&before.access, &after.access);
    }
    // Where neither moved, the only callers let in are new or gone themselves.
    match levels {
        (Level::Nobody, _) if gained || lost => return Some(Direction::Widened),
        (_, Level::Nobody) if gained || lost => return Some(Direction::Narrowed),
        _ => {}
    }
    match (gained, lost) {
        (true, false) => Some(Direction::Widened),
        (false, true) => Some(Direction::Narrowed),
        (true, true) => Some(by_width(&before.access.level, &after.access.level)),
        (false, false) => delegated(before, after),
    }
}

/// Whether one says the same as the other and lists some of its members only: a caller that is gone takes its name along.
fn lists_fewer(access: &Access, other: &Access) -> bool {
    let whole = Access {
        set: other.set.clone(),
        ..access.clone()
    };
    whole == *other && access.set.is_subset(&other.set)
}

/// The same callers get through; fewer of them are put to an authorizer: wider.
fn delegated(before: &Admitted, after: &Admitted) -> Option<Direction> {
    let both = |side: &Admitted| side.allowed.intersect(&side.delegated);
    let (before, after) = (both(before), both(after));
    match (after.is_subset(&before), before.is_subset(&after)) {
        (true, true) => None,
        (true, false) => Some(Direction::Widened),
        (false, true) => Some(Direction::Narrowed),
        (false, false) => Some(Direction::Changed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::transport::Plaintext;

    #[test]
    fn transport_weakens_step_by_step() {
        let of = |before, after| transport(&Transport::certain(before), &Transport::certain(after));
        let plaintext = Mode::Plaintext(Plaintext::Disabled);
        assert_eq!(of(Mode::Strict, Mode::Permissive), Direction::Widened);
        assert_eq!(of(Mode::Permissive, plaintext), Direction::Widened);
        assert_eq!(of(plaintext, Mode::Strict), Direction::Narrowed);
        assert_eq!(of(Mode::Broken, Mode::Strict), Direction::Changed);
        let unmeshed = Mode::Plaintext(Plaintext::Unmeshed);
        assert_eq!(of(plaintext, unmeshed), Direction::Changed);
    }

    #[test]
    fn a_name_that_is_gone_is_no_caller_whom_the_network_newly_carries() {
        use crate::facts::peers::PeerSet;
        let of = |names: &[&str]| {
            let mut access = Access::of(&PeerSet::nobody(), &PeerSet::nobody());
            access.level = Level::Identities;
            access.set = names.iter().map(|n| (*n).to_owned()).collect();
            Admitted {
                allowed: PeerSet::nobody(),
                delegated: PeerSet::nobody(),
                access,
            }
        };
        let (one, two, other) = (of(&["sa:a/b"]), of(&["sa:a/b", "sa:a/c"]), of(&["sa:a/d"]));
        let carried = (true, false);
        assert_eq!(access(&two, &one, carried), None);
        assert_eq!(access(&one, &two, carried), Some(Direction::Widened));
        assert_eq!(access(&one, &other, carried), Some(Direction::Widened));
        assert_eq!(access(&one, &two, (false, true)), None);
        assert_eq!(access(&two, &one, (false, true)), Some(Direction::Narrowed));
    }

    #[test]
    fn only_leaving_and_joining_the_mesh_have_a_direction() {
        use Membership::{Ambient, None, Sidecar};
        assert_eq!(membership(Sidecar, None), Direction::Widened);
        assert_eq!(membership(None, Ambient), Direction::Narrowed);
        assert_eq!(membership(Sidecar, Ambient), Direction::Changed);
    }
}
