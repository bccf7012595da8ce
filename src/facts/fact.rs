//! `Fact<T>`: a value with its proof. Input: steps taken by an engine; output: what `--why`, blame and related spans read.

use crate::resource::ResourceId;
use crate::source::Span;

/// Where a step of a proof stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A field of an object.
    Field {
        /// The object.
        resource: ResourceId,
        /// Bytes of the value, or of the deepest existing ancestor's key where the field is missing.
        span: Span,
    },
    /// No file: the text says what (`Istio 1.27 default`, `assume.mesh`).
    Outside(String),
}

/// What a step contributed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Decides the value.
    Decides,
    /// Was considered and has no effect, because of the text.
    Ignored(String),
    /// Taken for granted under this `assume` key.
    Assumed(String),
    /// The upstream default named by the text.
    Default(String),
}

/// One step of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub origin: Origin,
    /// What it did.
    pub role: Role,
    /// What it says, in words: `mode is STRICT`.
    pub says: String,
}

/// Why a value cannot be known from the files.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownReason {
    /// The missing fact, stable and groupable: `HelmRelease ml/ollama is not rendered`.
    pub missing: String,
    /// Where the lack shows, when in a file.
    pub span: Option<Span>,
}

/// A value known from the files, or unknown with reasons; either way with the steps that led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// The value, or why there is none.
    pub value: Result<T, Vec<UnknownReason>>,
    /// The proof, deciding steps first.
    pub steps: Vec<Step>,
}

impl<T> Fact<T> {
    /// A known value with its proof.
    #[must_use]
    pub fn known(value: T, steps: Vec<Step>) -> Self {
        Self {
            value: Ok(value),
            steps,
        }
    }

    /// An unknown value with the missing fact.
    #[must_use]
    pub fn unknown(reason: UnknownReason, steps: Vec<Step>) -> Self {
        Self {
            value: Err(vec![reason]),
            steps,
        }
    }

    /// The value, when known.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref().ok()
    }

    /// Whether any step was taken for granted; such a fact never carries a finding of more than low confidence.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.steps
            .iter()
            .any(|s| matches!(s.role, Role::Assumed(_)))
    }
}
