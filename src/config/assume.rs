//! L5: `assume:` → `Assumptions`. Input: the section of a config or of a rule's example; output: what engines take for granted.

use std::sync::Arc;

use crate::config::format;
use crate::facts::assumptions::Assumptions;
use crate::shape::Problem;
use crate::source::{SourceFile, SourceId};
use crate::yaml::{self, NodeRef};

/// Reads a section of the right shape; an absent one assumes nothing.
#[must_use]
pub fn read(section: Option<NodeRef<'_>>) -> Assumptions {
    section.map_or_else(Assumptions::default, Assumptions::read)
}

/// A section given as JSON, by an example, parsed and checked.
///
/// # Errors
/// The author's: what does not fit the format.
pub fn parse(section: &serde_json::Value) -> Result<Assumptions, Vec<Problem>> {
    let file = Arc::new(SourceFile::new(SourceId(0), "assume", section.to_string()));
    let parsed = yaml::parse(&file);
    let node = parsed
        .documents
        .first()
        .map(|document| parsed.tree.node(document.root));
    let mut problems = Vec::new();
    if let Some(node) = node {
        format::assume().check(node, &mut problems);
    }
    if problems.is_empty() {
        Ok(read(node))
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_and_checked() {
        let assume = parse(&serde_json::json!({
            "complete": ["ml"],
            "mesh": "istio",
            "defaultNamespace": "ml",
            "namespaces": {"ml": {"labels": {"istio-injection": "enabled"}}},
            "istio": {"trustDomain": "corp.example", "rootNamespace": "mesh"},
        }))
        .unwrap();
        assert!(assume.complete.contains("ml"));
        assert_eq!(assume.namespaces["ml"]["istio-injection"], "enabled");
        assert_eq!(assume.istio.trust_domain.as_deref(), Some("corp.example"));
        assert_eq!(assume.default_namespace.as_deref(), Some("ml"));
        let problems = parse(&serde_json::json!({"istio": {"trustDomian": "1"}})).unwrap_err();
        assert_eq!(problems[0].message, "unknown key `trustDomian`");
        let problems = parse(&serde_json::json!({"mesh": "istoi"})).unwrap_err();
        assert_eq!(problems[0].message, "`istoi` is not one of `istio`");
        assert_eq!(problems[0].help.as_deref(), Some("did you mean `istio`?"));
    }
}
