//! L6: verdicts before they are merged over views. Input: one rule on one subject; output: `Draft`.

use std::sync::Arc;

use crate::facts::{Confidence, Severity};
use crate::finding::{NotEvaluatedKind, ObjectRef};
use crate::resource::Resource;
use crate::rule::RuleInfo;
use crate::source::Span;

/// A verdict that is not a pass.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) rule: Arc<RuleInfo>,
    pub(crate) severity: Severity,
    /// Name of the view.
    pub(crate) view: String,
    pub(crate) resource: ObjectRef,
    /// The object judged without its view, for the fingerprint.
    pub(crate) identity: ObjectRef,
    /// The object whose nodes hold the place; `None` outside objects.
    pub(crate) holder: Option<Arc<Resource>>,
    pub(crate) subject: String,
    pub(crate) span: Span,
    /// The element judged under `each`.
    pub(crate) item: Option<Span>,
    pub(crate) kind: DraftKind,
}

/// What the verdict is.
#[derive(Clone, Debug)]
pub(crate) enum DraftKind {
    Finding {
        confidence: Confidence,
        message: String,
        label: String,
        related: Vec<(Span, String)>,
        assumptions: Vec<String>,
    },
    NotEvaluated {
        why: NotEvaluatedKind,
        reason: String,
    },
}

/// The object as it stands in its file, whatever the view adds.
#[must_use]
pub fn identity(resource: &Resource) -> ObjectRef {
    ObjectRef {
        api_version: resource.api_version(),
        kind: resource.kind().to_owned(),
        namespace: resource.namespace.clone().unwrap_or_default(),
        name: resource.name.clone(),
    }
}

/// No object: findings about files and about the whole view.
#[must_use]
pub fn no_object() -> ObjectRef {
    ObjectRef {
        api_version: String::new(),
        kind: String::new(),
        namespace: String::new(),
        name: String::new(),
    }
}
