//! L4: what an edit of manifests changes in their meaning. Input: facts of two views; output: `Change`, which rules judge and reports print.

use std::sync::Arc;

use crate::facts::{Step, UnknownReason};
use crate::resource::Resource;
use crate::source::Span;

/// Which fact changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Who may call a port.
    Access,
    /// Who gets through to a port although its own rules are the same: what arrives there changed on the way.
    Callers,
    /// What a workload can call although the other side is the same: the workload's identity changed.
    Reach,
    /// What a port accepts on the wire.
    Transport,
    /// Whether a workload is in the mesh.
    Membership,
    /// What clients send to a Service.
    Client,
    /// Where a workload may call outside the view.
    Egress,
    /// How an asset is reached from outside the cluster.
    Exposure,
    /// An AI asset appears, disappears or becomes another class.
    Asset,
    /// The models an asset names.
    Model,
    /// The external providers an asset calls.
    Provider,
    /// What a workload or an asset exchanges data with.
    Flow,
    /// The access grade of an asset.
    Grade,
}

impl ChangeKind {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Callers => "callers",
            Self::Reach => "reach",
            Self::Transport => "transport",
            Self::Membership => "membership",
            Self::Client => "client",
            Self::Egress => "egress",
            Self::Exposure => "exposure",
            Self::Asset => "asset",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Flow => "flow",
            Self::Grade => "grade",
        }
    }
}

/// Which way a fact moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// More callers, weaker protection.
    Widened,
    /// Neither more nor less: something else, something broken, or something that cannot be known on one side.
    Changed,
    /// Fewer callers, stronger protection.
    Narrowed,
}

impl Direction {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Changed => "changed",
            Self::Narrowed => "narrowed",
        }
    }

    /// The direction of the way back.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Widened => Self::Narrowed,
            Self::Changed => Self::Changed,
            Self::Narrowed => Self::Widened,
        }
    }
}

/// One of the two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// What was.
    Base,
    /// What is to be.
    Head,
}

impl Side {
    /// The word used in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }
}

/// A fact on one side, in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The subject does not exist on this side.
    Absent,
    /// The value.
    Known(String),
    /// It cannot be known, for these reasons.
    Unknown(Vec<UnknownReason>),
}

impl State {
    /// The words of the value; `absent` and `unknown` for the two others.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Absent => "absent",
            Self::Known(words) => words,
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What changed: a workload, one of its ports, a Service, an asset.
#[derive(Clone, Debug)]
pub struct About {
    /// The object: as it is to be, or as it was when it is gone.
    pub resource: Arc<Resource>,
    /// Which input holds it.
    pub side: Side,
    /// Effective namespace; empty when nothing names it.
    pub namespace: String,
    /// The port, for facts of ports.
    pub port: Option<Where>,
    /// Whether it is an AI asset.
    pub is_asset: bool,
}

/// A port of a workload or Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Where {
    /// Its number.
    pub number: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: &'static str,
}

impl About {
    /// `namespace/name`, with `:port` for ports; other protocols than TCP are named.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = self.reference();
        if let Some(port) = self.port {
            words.push_str(&format!(":{}", port.number));
            if port.protocol != "TCP" {
                words.push('/');
                words.push_str(port.protocol);
            }
        }
        words
    }

    /// `namespace/name`; only the name in the unnamed namespace.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.namespace.as_str() {
            "" => self.resource.name.clone(),
            namespace => format!("{namespace}/{}", self.resource.name),
        }
    }
}

/// A place that explains a change: an edited field, an object that came or went, the selector that an edit no longer fits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// The input that holds the place.
    pub side: Side,
    /// The bytes.
    pub span: Span,
    /// What it is, in words: `spec.mtls.mode`.
    pub says: String,
}

/// How callers of one port, or the ports one caller reaches, differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// How many there were.
    pub before: usize,
    /// How many there are.
    pub after: usize,
    /// How many are new.
    pub added: usize,
    /// How many are gone.
    pub removed: usize,
    /// How many of the new ones get through without presenting an identity.
    pub anonymous: usize,
    /// How many cannot be decided on one side or both.
    pub undecided: usize,
    /// The first of the new ones in order, at most [`Edges::SHOWN`].
    pub first_added: Vec<String>,
    /// The first of those that are gone, at most [`Edges::SHOWN`].
    pub first_removed: Vec<String>,
}

impl Edges {
    /// Names kept of each list; the counts are exact whatever their number.
    pub const SHOWN: usize = 20;

    /// Whether nothing came or went.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added == 0 && self.removed == 0
    }
}

/// One fact that differs.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which fact.
    pub kind: ChangeKind,
    /// Of what.
    pub about: About,
    /// Views that show it, sorted; for environments the two that were compared.
    pub views: Vec<String>,
    /// The value before.
    pub before: State,
    /// The value after.
    pub after: State,
    /// Which way it moved.
    pub direction: Direction,
    /// How dangerous it is, for the order of output; compared only.
    pub weight: u32,
    /// What explains it, most telling first.
    pub cause: Vec<Cause>,
    /// Callers that came and went, for facts about them.
    pub edges: Option<Edges>,
    /// Where data newly goes outside the cluster, for [`ChangeKind::Flow`].
    pub ends: Vec<String>,
    /// How many clients send differently, for [`ChangeKind::Client`].
    pub clients: usize,
    /// The proof of the value before.
    pub base_proof: Vec<Step>,
    /// The proof of the value after.
    pub head_proof: Vec<Step>,
}

impl Change {
    /// Why the direction cannot be known; empty when it is.
    #[must_use]
    pub fn reasons(&self) -> Vec<UnknownReason> {
        let of = |state: &State| match state {
            State::Unknown(reasons) => reasons.clone(),
            State::Absent | State::Known(_) => Vec::new(),
        };
        let mut all = of(&self.before);
        all.extend(of(&self.after));
        all
    }

    /// Whether a value is unknown on one side.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        [&self.before, &self.after]
            .iter()
            .any(|state| matches!(state, State::Unknown(_)))
    }
}
