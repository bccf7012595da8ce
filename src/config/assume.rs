//! L5: `assume:` → `Assume`. Input: the section of a config or of a rule's example; output: what engines take for granted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::format;
use crate::engine::istio::IstioAssume;
use crate::engine::{Assume, AssumedNamespace};
use crate::shape::Problem;
use crate::source::{SourceFile, SourceId};
use crate::yaml::{self, NodeRef};

/// Reads a section of the right shape; an absent one assumes nothing.
#[must_use]
pub fn read(section: Option<NodeRef<'_>>) -> Assume {
    let Some(section) = section else {
        return Assume::default();
    };
    let text = |path: &[&str]| section.at(path).map(|n| n.text().to_owned());
    Assume {
        complete: section
            .get("complete")
            .into_iter()
            .flat_map(NodeRef::items)
            .map(|n| n.text().to_owned())
            .collect(),
        mesh: text(&["mesh"]),
        namespaces: section
            .get("namespaces")
            .into_iter()
            .flat_map(NodeRef::entries)
            .map(|(name, namespace)| {
                let labels = labels(namespace);
                (name.key_text().into_owned(), AssumedNamespace { labels })
            })
            .collect(),
        istio: IstioAssume {
            version: text(&["istio", "version"]),
            root_namespace: text(&["istio", "rootNamespace"]),
            trust_domain: text(&["istio", "trustDomain"]),
            trust_domain_aliases: section
                .at(&["istio", "trustDomainAliases"])
                .into_iter()
                .flat_map(NodeRef::items)
                .map(|n| n.text().to_owned())
                .collect(),
        },
    }
}

/// `assume.defaultNamespace`.
#[must_use]
pub fn default_namespace(section: Option<NodeRef<'_>>) -> Option<String> {
    Some(section?.get("defaultNamespace")?.text().to_owned())
}

fn labels(namespace: NodeRef<'_>) -> BTreeMap<String, String> {
    namespace
        .get("labels")
        .into_iter()
        .flat_map(NodeRef::entries)
        .map(|(key, value)| (key.key_text().into_owned(), value.text().to_owned()))
        .collect()
}

/// A section given as JSON, by an example, parsed and checked.
///
/// # Errors
/// The author's: what does not fit the format.
pub fn parse(section: &serde_json::Value) -> Result<(Assume, Option<String>), Vec<Problem>> {
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
        Ok((read(node), default_namespace(node)))
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_and_checked() {
        let (assume, default) = parse(&serde_json::json!({
            "complete": ["ml"],
            "mesh": "istio",
            "defaultNamespace": "ml",
            "namespaces": {"ml": {"labels": {"istio-injection": "enabled"}}},
            "istio": {"version": "1.27", "rootNamespace": "mesh"},
        }))
        .unwrap();
        assert!(assume.complete.contains("ml"));
        assert_eq!(assume.namespaces["ml"].labels["istio-injection"], "enabled");
        assert_eq!(assume.istio.version.as_deref(), Some("1.27"));
        assert_eq!(default.as_deref(), Some("ml"));
        let problems = parse(&serde_json::json!({"istio": {"versoin": "1"}})).unwrap_err();
        assert_eq!(problems[0].message, "unknown key `versoin`");
    }
}
