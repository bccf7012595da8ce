//! L6: findings that the program raises itself. Input: problems of the inputs, and what became of silencers; output: drafts
//! of the INPUT and META rules.

use std::sync::Arc;

use crate::evaluate::draft::{self, Draft, DraftKind};
use crate::facts::Confidence;
use crate::finding::ObjectRef;
use crate::load::problem::InputProblem;
use crate::resource::Resource;
use crate::rule::{Rule, RuleInfo};
use crate::source::Span;

/// Rule of silencers that cannot be understood.
pub const IGNORE_MALFORMED: &str = "META001";
/// Rule of silencers past their date.
pub const IGNORE_EXPIRED: &str = "META002";
/// Rule of silencers that silence nothing.
pub const IGNORE_UNUSED: &str = "META003";

/// Rule of expectations that the manifests do not meet.
pub const EXPECTATION_UNMET: &str = "EXPECT001";

/// Every rule raised here.
pub const IDS: &[&str] = &[
    IGNORE_MALFORMED,
    IGNORE_EXPIRED,
    IGNORE_UNUSED,
    EXPECTATION_UNMET,
];

/// The engine rules that run, with the severity of this run.
#[derive(Debug, Default)]
pub struct EngineRules {
    rules: Vec<(Arc<RuleInfo>, crate::facts::Severity)>,
}

impl EngineRules {
    /// Adds a rule.
    pub fn add(&mut self, rule: &Rule, severity: crate::facts::Severity) {
        self.rules.push((Arc::clone(&rule.info), severity));
    }

    /// The rule with this id, when it runs.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&(Arc<RuleInfo>, crate::facts::Severity)> {
        self.rules.iter().find(|(info, _)| info.id == id)
    }

    /// Their infos.
    pub fn infos(&self) -> impl Iterator<Item = &Arc<RuleInfo>> {
        self.rules.iter().map(|(info, _)| info)
    }

    /// The draft of a problem of the inputs; `None` when its rule does not run.
    #[must_use]
    pub fn of_input(
        &self,
        problem: &InputProblem,
        resource: Option<&Arc<Resource>>,
    ) -> Option<Draft> {
        let mut draft = self.draft(problem.kind.id(), problem.span, problem.message.clone())?;
        if let Some(resource) = resource {
            draft.identity = draft::identity(resource);
            draft.resource = draft.identity.clone();
            draft.subject = draft.resource.to_string();
            draft.holder = Some(Arc::clone(resource));
        }
        if let DraftKind::Finding {
            confidence,
            related,
            ..
        } = &mut draft.kind
        {
            related.clone_from(&problem.related);
            if !problem.is_sure {
                *confidence = Confidence::Low;
            }
        }
        Some(draft)
    }

    /// The draft of an expectation that a view does not meet, with the places that decide; `None` when the rule does not run.
    #[must_use]
    pub fn of_expectation(
        &self,
        id: &str,
        span: Span,
        message: String,
        in_view: &str,
        places: Vec<(Span, String)>,
    ) -> Option<Draft> {
        let mut draft = self.draft(id, span, message)?;
        in_view.clone_into(&mut draft.view);
        draft.subject = "expectation".to_owned();
        if let DraftKind::Finding { related, .. } = &mut draft.kind {
            *related = places;
        }
        Some(draft)
    }

    /// A draft at a place outside objects; `None` when the rule does not run.
    #[must_use]
    pub fn draft(&self, id: &str, span: Span, message: String) -> Option<Draft> {
        let (info, severity) = self.get(id)?;
        let none: ObjectRef = draft::no_object();
        Some(Draft {
            rule: Arc::clone(info),
            severity: *severity,
            view: String::new(),
            resource: none.clone(),
            identity: none,
            holder: None,
            subject: String::new(),
            span,
            item: None,
            kind: DraftKind::Finding {
                confidence: info.confidence,
                message,
                label: String::new(),
                related: Vec::new(),
                assumptions: Vec::new(),
            },
        })
    }
}
