//! `Egress`: where a workload may call outside the view. Input: an engine's reading; output: what rules and `meshgov access` say of it.

use std::collections::BTreeSet;

/// How far calls out of the view are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EgressMode {
    /// Nothing outside can be called.
    None,
    /// Only the hosts or the networks listed.
    Restricted,
    /// Anything.
    Open,
}

impl EgressMode {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Restricted => "restricted",
            Self::Open => "open",
        }
    }
}

/// Ways out of one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Egress {
    /// The limit.
    pub mode: EgressMode,
    /// Hosts that may be called when it is restricted; hosts that are declared when it is open.
    pub to: BTreeSet<String>,
    /// Networks outside the cluster that the network lets it call; empty = any, unless nothing can be called.
    pub nets: BTreeSet<String>,
}
