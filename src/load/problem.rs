//! L2: what is wrong with the inputs themselves. Input: parsed documents; output: `InputProblem`s, the data of INPUT findings.

use crate::resource::{Resource, ResourceId, scope};
use crate::source::Span;
use crate::yaml::DuplicateKey;

/// Which INPUT rule a problem belongs to; ordered like the ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// INPUT001: a document that cannot be parsed.
    Unparsable,
    /// INPUT002: the same key twice in one mapping.
    DuplicateKey,
    /// INPUT003: a file that cannot be read as text.
    Unreadable,
    /// INPUT004: a file beyond the caps on size, depth or nodes.
    TooLarge,
    /// INPUT005: a symbolic link that leads nowhere, back to itself, or out of the tree.
    Link,
    /// INPUT006: an object without a name.
    Unnamed,
    /// INPUT010: the same object twice in one view, with different content.
    Conflict,
}

impl ProblemKind {
    /// Every kind, in the order of the ids.
    pub const ALL: [Self; 7] = [
        Self::Unparsable,
        Self::DuplicateKey,
        Self::Unreadable,
        Self::TooLarge,
        Self::Link,
        Self::Unnamed,
        Self::Conflict,
    ];

    /// The id of the rule file.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Unparsable => "INPUT001",
            Self::DuplicateKey => "INPUT002",
            Self::Unreadable => "INPUT003",
            Self::TooLarge => "INPUT004",
            Self::Link => "INPUT005",
            Self::Unnamed => "INPUT006",
            Self::Conflict => "INPUT010",
        }
    }
}

/// One problem, with all that a finding needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProblem {
    /// Its rule.
    pub kind: ProblemKind,
    /// Where; the start of an empty source for a file that could not be read.
    pub span: Span,
    /// One line, lower case.
    pub message: String,
    /// What to do, ready to paste where possible.
    pub help: String,
    /// Further places with their words.
    pub related: Vec<(Span, String)>,
    /// The object concerned.
    pub resource: Option<ResourceId>,
    /// False where the tree may be meant that way: the finding's confidence is low.
    pub is_sure: bool,
}

/// INPUT002 for duplicates inside objects; those of other YAML files are none of our business.
pub(crate) fn duplicate_keys(
    duplicates: &[DuplicateKey],
    resources: &[Resource],
) -> Vec<InputProblem> {
    let owner = |span: Span| {
        resources
            .iter()
            .rposition(|r| r.object().span().contains(span))
    };
    duplicates
        .iter()
        .filter_map(|duplicate| {
            let at = owner(duplicate.second)?;
            let resource = resources.get(at)?;
            let key = resource
                .tree
                .source()
                .slice(duplicate.second)
                .trim_matches(['"', '\''])
                .to_owned();
            Some(InputProblem {
                kind: ProblemKind::DuplicateKey,
                span: duplicate.second,
                message: format!(
                    "`{key}` appears twice in this mapping; Kubernetes uses this one and drops the first"
                ),
                help: "merge the two entries or delete one".to_owned(),
                related: vec![(duplicate.first, "dropped without a word".to_owned())],
                resource: Some(resource.id),
                is_sure: true,
            })
        })
        .collect()
}

/// INPUT006: objects of known kinds that the API server would refuse for want of a name.
pub(crate) fn unnamed(resources: &[Resource]) -> Vec<InputProblem> {
    resources
        .iter()
        .filter(|r| r.name.is_empty() && scope::needs_name(&r.group_kind))
        .map(|r| InputProblem {
            kind: ProblemKind::Unnamed,
            span: r
                .object()
                .entry("metadata")
                .map_or_else(|| r.name_span(), |(key, _)| key.span()),
            message: format!("this {} has neither `name` nor `generateName`", r.kind()),
            help: "add `metadata.name`".to_owned(),
            related: Vec::new(),
            resource: Some(r.id),
            is_sure: true,
        })
        .collect()
}
