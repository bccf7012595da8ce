//! `Fact<T>`: a value with its proof. Input: steps taken by an engine; output: what `--why`, blame and related spans read.

use crate::resource::{Resource, ResourceId};
use crate::source::Span;

/// Where a step of a proof stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Where.
    pub origin: Origin,
    /// What it did.
    pub role: Role,
    /// What it says, in words: `mode is STRICT`.
    pub says: String,
}

impl Step {
    /// A field that decides.
    #[must_use]
    pub fn decides(resource: &Resource, span: Span, says: impl Into<String>) -> Self {
        Self::at(resource, span, Role::Decides, says)
    }

    /// A field that was considered and has no effect.
    #[must_use]
    pub fn ignored(
        resource: &Resource,
        span: Span,
        says: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self::at(resource, span, Role::Ignored(why.into()), says)
    }

    /// A field in any role.
    #[must_use]
    pub fn at(resource: &Resource, span: Span, role: Role, says: impl Into<String>) -> Self {
        let role = match role {
            // What an object that is only taken to exist decides is taken for granted.
            Role::Decides if resource.is_assumed() => Role::Assumed(String::from("objects")),
            role => role,
        };
        Self {
            origin: Origin::Field {
                resource: resource.id,
                span,
            },
            role,
            says: says.into(),
        }
    }

    /// An upstream default; `source` names where it is documented.
    #[must_use]
    pub fn default(source: impl Into<String>, says: impl Into<String>) -> Self {
        let source = source.into();
        Self {
            origin: Origin::Outside(source.clone()),
            role: Role::Default(source),
            says: says.into(),
        }
    }

    /// The place in a file, if it has one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match &self.origin {
            Origin::Field { span, .. } => Some(*span),
            Origin::Outside(_) => None,
        }
    }

    /// Something taken for granted under an `assume` key.
    #[must_use]
    pub fn assumed(key: impl Into<String>, says: impl Into<String>) -> Self {
        let key = key.into();
        Self {
            origin: Origin::Outside(format!("assume.{key}")),
            role: Role::Assumed(key),
            says: says.into(),
        }
    }
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

    /// Every field that decides, in order.
    pub fn deciding(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| s.role == Role::Decides)
    }

    /// Whether any step was taken for granted; such a fact never carries a finding of more than low confidence.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.steps
            .iter()
            .any(|s| matches!(s.role, Role::Assumed(_)))
    }
}
