//! Membership and transport: who is in a mesh, what a port accepts on the wire. Input: an engine's reading; output: fact values.

/// How a workload takes part in a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Membership {
    /// In no mesh.
    None,
    /// A proxy in its own pod.
    Sidecar,
    /// A proxy on its node (Istio ambient).
    Ambient,
    /// In a mesh whose dataplane has no such split.
    Meshed,
}

impl Membership {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sidecar => "sidecar",
            Self::Ambient => "ambient",
            Self::Meshed => "meshed",
        }
    }
}

/// Why a port takes plaintext only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Plaintext {
    /// The workload is in no mesh.
    Unmeshed,
    /// The port is not captured by the proxy.
    Bypassed,
    /// Mutual TLS is switched off.
    Disabled,
}

impl Plaintext {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unmeshed => "unmeshed",
            Self::Bypassed => "bypassed",
            Self::Disabled => "disabled",
        }
    }
}

/// What a port accepts on the wire, ordered from the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Plaintext only.
    Plaintext(Plaintext),
    /// Plaintext and mutual TLS.
    Permissive,
    /// Mutual TLS only.
    Strict,
    /// Nothing gets through: the settings contradict each other.
    Broken,
}

impl Mode {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext(_) => "plaintext",
            Self::Permissive => "permissive",
            Self::Strict => "strict",
            Self::Broken => "broken",
        }
    }

    /// Why only plaintext is taken; empty for the other modes.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Plaintext(why) => why.as_str(),
            _ => "",
        }
    }

    /// Whether a caller without identity gets through.
    #[must_use]
    pub fn accepts_plaintext(self) -> bool {
        matches!(self, Self::Plaintext(_) | Self::Permissive)
    }

    /// Whether a caller can present a mesh identity.
    #[must_use]
    pub fn accepts_identity(self) -> bool {
        matches!(self, Self::Permissive | Self::Strict)
    }
}

/// The transport of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// What is accepted; of several policies that the files cannot order, the weakest.
    pub mode: Mode,
    /// What else it could be, because the order of equally old policies is not in the files; sorted, without `mode`.
    pub alternatives: Vec<Mode>,
}

impl Transport {
    /// A transport without alternatives.
    #[must_use]
    pub fn certain(mode: Mode) -> Self {
        Self {
            mode,
            alternatives: Vec::new(),
        }
    }
}
