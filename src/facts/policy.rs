//! L4: what a policy really does. Input: what engines found; output: `Gap`, `Source` and `Call`, each with its places and what it takes for
//! granted.

use crate::source::Span;

/// A part of a policy that does something else than it says.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The cause in a word.
    pub why: &'static str,
    /// What comes of it.
    pub effect: Effect,
    /// Position of the rule; `None` = the policy as a whole.
    pub rule: Option<usize>,
    /// Where it shows, in words.
    pub subject: String,
    /// The cause in a sentence.
    pub says: String,
    /// The place to blame first, then others.
    pub spans: Vec<Span>,
    /// What is taken for granted.
    pub assumptions: Vec<String>,
}

/// How what a part does differs from what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does nothing.
    Nothing,
    /// It matches less than written.
    Less,
    /// It matches more than written.
    More,
}

impl Effect {
    /// The word used in facts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Less => "less",
            Self::More => "more",
        }
    }
}

/// Gaps, each cause once for a rule: the one that is taken for granted least stays.
#[derive(Clone, Debug, Default)]
pub struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds a gap.
    pub fn push(&mut self, gap: Gap) {
        let same = |known: &&mut Gap| known.why == gap.why && known.rule == gap.rule;
        match self.0.iter_mut().find(same) {
            Some(known) if known.assumptions.len() > gap.assumptions.len() => *known = gap,
            Some(_) => {}
            None => self.0.push(gap),
        }
    }

    /// The gaps in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Gap> {
        self.0
    }
}

/// One alternative of whom a rule speaks of.
#[derive(Clone, Debug)]
pub struct Source {
    /// Position of the rule.
    pub rule: usize,
    /// Whether it asks for certain identities.
    pub names: bool,
    /// Whether it is everybody but certain identities.
    pub excludes: bool,
    /// Whether it also asks for an address or a token.
    pub bounded: bool,
    /// Ports that take callers without identity.
    pub plaintext_ports: Vec<String>,
    /// Ports where no caller has an identity.
    pub anonymous_ports: Vec<String>,
    /// Where the identities stand.
    pub span: Span,
    /// What the ports take for granted.
    pub assumptions: Vec<String>,
}

/// A call of a client and what arrives.
#[derive(Clone, Debug)]
pub struct Call {
    /// A client that calls so.
    pub client: String,
    /// What is called.
    pub to: String,
    /// Subset, or empty.
    pub subset: String,
    /// TLS that the client is told to use; empty without.
    pub tls: String,
    /// What the server accepts.
    pub server: String,
    /// What arrives.
    pub wire: &'static str,
    /// What decides, first the client's side.
    pub spans: Vec<Span>,
    /// What is taken for granted.
    pub assumptions: Vec<String>,
}
