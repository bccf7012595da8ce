//! Values in words, and how dangerous a change is. Input: fact values; output: texts for reports, weights for their order.

use crate::drift::lattice::Admitted;
use crate::engine::istio::Reach;
use crate::facts::Fact;
use crate::facts::access::{Access, Level};
use crate::facts::change::{About, ChangeKind, Direction, State};
use crate::facts::transport::Transport;

/// A fact in words.
pub(super) fn state<T>(fact: &Fact<T>, words: impl Fn(&T) -> String) -> State {
    match &fact.value {
        Ok(value) => State::Known(words(value)),
        Err(reasons) => State::Unknown(reasons.clone()),
    }
}

/// `strict`, `plaintext (unmeshed)`, `permissive or strict`.
pub(super) fn transport(transport: &Transport) -> String {
    let mut words = transport.mode.as_str().to_owned();
    if !transport.mode.why().is_empty() {
        words.push_str(&format!(" ({})", transport.mode.why()));
    }
    for other in &transport.alternatives {
        words.push_str(&format!(" or {}", other.as_str()));
    }
    words
}

/// Who is let in, as sets and on the scale.
pub(super) fn admitted(reach: &Reach) -> Admitted {
    let (allowed, delegated) = reach.admitted();
    Admitted {
        allowed,
        delegated,
        access: reach.access(),
    }
}

/// `identities sa:apps/chat for method:GET`.
pub(super) fn access(access: &Access) -> String {
    let mut words = access.level.as_str().to_owned();
    let list = |set: &std::collections::BTreeSet<String>| {
        set.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    if access.level != Level::Anyone && !access.set.is_empty() {
        words.push_str(&format!(" {}", list(&access.set)));
    }
    let by: Vec<&str> = access.by.iter().map(|b| b.as_str()).collect();
    if access.level == Level::Anyone && !by.is_empty() || by.len() > 1 || by == ["jwt"] {
        words.push_str(&format!(" by {}", by.join(" and ")));
    }
    for (before, set) in [
        (" from", &access.nets),
        (" except", &access.except),
        (" for", &access.requests),
    ] {
        if !set.is_empty() {
            words.push_str(&format!("{before} {}", list(set)));
        }
    }
    if access.delegated {
        words.push_str(", an authorizer has the last word");
    }
    if !access.proxied {
        words.push_str(", past any proxy");
    }
    words
}

/// The order of danger within one direction.
pub(super) fn weight(
    kind: ChangeKind,
    about: &About,
    before: &State,
    after: &State,
    direction: Direction,
) -> u32 {
    // What is worse: the new value of something that widened, the old one of something that narrowed.
    let worse = match direction {
        Direction::Narrowed => before,
        Direction::Widened | Direction::Changed => after,
    };
    let begins = |word: &str| worse.words().starts_with(word);
    let weight = match kind {
        ChangeKind::Access if begins("anyone") => 900,
        ChangeKind::Transport if begins("plaintext") => 850,
        ChangeKind::Membership => 800,
        ChangeKind::Transport => 750,
        ChangeKind::Access if begins("mesh") => 700,
        ChangeKind::Client if begins("plaintext") => 650,
        ChangeKind::Exposure => 640,
        ChangeKind::Egress if ["anywhere", "0.0.0.0/0", "::/0"].into_iter().any(begins) => 630,
        ChangeKind::Provider => 620,
        ChangeKind::Flow if direction != Direction::Changed => 610,
        ChangeKind::Client => 600,
        ChangeKind::Egress => 550,
        ChangeKind::Access if begins("namespaces") => 500,
        ChangeKind::Access => 400,
        ChangeKind::Callers => 380,
        ChangeKind::Reach => 350,
        ChangeKind::Model => 300,
        ChangeKind::Flow => 280,
        ChangeKind::Grade => 250,
        ChangeKind::Asset => 200,
    };
    weight + if about.is_asset { 60 } else { 0 }
}
