//! L2: what is wrong with the inputs themselves. Input: parsed documents; output: `InputProblem`s, the data of INPUT findings.

use rustc_hash::FxHashMap;

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
    /// INPUT007: a kustomization that cannot be built.
    Kustomization,
    /// INPUT010: the same object twice in one view, with different content.
    Conflict,
}

impl ProblemKind {
    /// Every kind, in the order of the ids.
    pub const ALL: [Self; 8] = [
        Self::Unparsable,
        Self::DuplicateKey,
        Self::Unreadable,
        Self::TooLarge,
        Self::Link,
        Self::Unnamed,
        Self::Kustomization,
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
            Self::Kustomization => "INPUT007",
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

/// Keys reported one by one in a file; nobody corrects more before looking again.
const MAX_DUPLICATE_KEYS: usize = 100;

/// INPUT002 for duplicates inside objects, one a key and mapping; those of other YAML files are none of our business.
pub(crate) fn duplicate_keys(
    duplicates: &[DuplicateKey],
    resources: &[Resource],
) -> Vec<InputProblem> {
    let mut problems: Vec<InputProblem> = Vec::new();
    // The one in the last place, and all that come after it.
    let mut more = 1;
    // A key written three times is two duplicates: the second overrides the first, the third the second.
    let mut chains: Vec<Vec<&DuplicateKey>> = Vec::new();
    let mut open: FxHashMap<Span, usize> = FxHashMap::default();
    for duplicate in duplicates {
        let at = open.remove(&duplicate.first).unwrap_or(chains.len());
        match chains.get_mut(at) {
            Some(chain) => chain.push(duplicate),
            None => chains.push(vec![duplicate]),
        }
        open.insert(duplicate.second, at);
    }
    for chain in &chains {
        let Some(problem) = duplicate_key(chain, resources) else {
            continue;
        };
        match problems.get_mut(MAX_DUPLICATE_KEYS) {
            None => problems.push(problem),
            Some(rest) => {
                more += 1;
                rest.message = format!("{more} more keys of this file are written twice or more");
                rest.related.clear();
            }
        }
    }
    problems
}

/// The problem of one key in one mapping; `None` outside objects.
fn duplicate_key(chain: &[&DuplicateKey], resources: &[Resource]) -> Option<InputProblem> {
    let used = chain.last()?.second;
    let before = resources.partition_point(|r| r.object().span().start <= used.start);
    let resource = resources
        .get(..before)?
        .iter()
        .rfind(|r| r.object().span().contains(used))?;
    let key = resource.tree.source().slice(used);
    let key = key.trim_matches(['"', '\'']);
    let (times, others) = match chain.len() {
        1 => ("twice".to_owned(), "first"),
        n => (format!("{} times", n + 1), "others"),
    };
    let dropped = chain.iter().take(MAX_DROPPED).map(|d| d.first);
    Some(InputProblem {
        kind: ProblemKind::DuplicateKey,
        span: used,
        message: format!(
            "`{key}` appears {times} in this mapping; Kubernetes uses this one and drops the {others}"
        ),
        help: "merge the entries or delete all but one".to_owned(),
        related: dropped
            .map(|span| (span, "dropped without a word".to_owned()))
            .collect(),
        resource: Some(resource.id),
        is_sure: true,
    })
}

/// Dropped entries shown with one finding.
const MAX_DROPPED: usize = 4;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId};

    #[test]
    fn a_key_is_reported_once_however_often_it_stands() {
        let messages = |text: &str| {
            let file = std::sync::Arc::new(SourceFile::new(SourceId(0), "a.yaml", text));
            let loaded = crate::load::load_text(&file);
            let problems = loaded.problems.into_iter();
            problems
                .filter(|p| p.kind == ProblemKind::DuplicateKey)
                .map(|p| (p.message, p.related.len()))
                .collect::<Vec<_>>()
        };
        let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n";
        let of = |body: &str| messages(&format!("{object}{body}"));
        let words = |times: &str, others: &str| {
            format!(
                "`a` appears {times} in this mapping; Kubernetes uses this one and drops the {others}"
            )
        };
        assert_eq!(of("  a: 1\n  a: 2\n"), [(words("twice", "first"), 1)]);
        assert_eq!(
            of("  a: 1\n  b: 0\n  a: 2\n  a: 3\n"),
            [(words("3 times", "others"), 2)]
        );
        assert_eq!(
            of(&"  a: 1\n".repeat(50)),
            [(words("50 times", "others"), MAX_DROPPED)]
        );
        let many: String = (0..103)
            .map(|n| format!("  k{n}: 1\n  k{n}: 2\n"))
            .collect();
        let found = of(&many);
        assert_eq!(found.len(), 101);
        assert_eq!(found[99].0.split(' ').next(), Some("`k99`"));
        assert_eq!(
            found[100].0,
            "3 more keys of this file are written twice or more"
        );
        assert_eq!(messages("values: 1\nvalues: 2\n"), []);
    }
}
