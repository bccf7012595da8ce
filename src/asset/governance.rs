//! The governance vocabulary: labels and annotations about owners, data and approvals. Input: an object and its Namespace; output: what
//! they state, with the place. The object's own word goes before its namespace's; values are never guessed from names.

use crate::resource::Resource;
use crate::yaml::NodeRef;

/// Keys that name an owner, our own first; any `…/owner` and `…/team` too.
const OWNER: &[&str] = &[
    "meshgov.dev/owner",
    "owner",
    "team",
    "backstage.io/owner",
    "a8r.io/owner",
];

/// Last segments of keys that hold a classification.
const CLASSIFICATION: &[&str] = &[
    "data-classification",
    "data-sensitivity",
    "data-class",
    "sensitivity",
    "compliance-scope",
    "data-categories",
];

/// Classes of data that must not leave without approval; several in one value are joined by `_` or `.`.
pub const PROTECTED: &[&str] = &["phi", "pci", "pii", "restricted", "special-category"];

/// Annotation that lists external hosts or providers a workload may send classified data to: `openai, api.example.com;until=2027-01-31`.
pub const APPROVED_EGRESS: &str = "meshgov.dev/approved-egress";

/// Annotation of whatever removes personal data before it passes a request on.
pub const REDACTION: &str = "meshgov.dev/redaction";

/// The owner.
#[must_use]
pub fn owner<'r>(own: &'r Resource, namespace: Option<&'r Resource>) -> Option<NodeRef<'r>> {
    governed(own, namespace, |key| {
        OWNER.contains(&key) || key.ends_with("/owner") || key.ends_with("/team")
    })
}

/// The data classification.
#[must_use]
pub fn classification<'r>(
    own: &'r Resource,
    namespace: Option<&'r Resource>,
) -> Option<NodeRef<'r>> {
    governed(own, namespace, |key| {
        CLASSIFICATION.contains(&key.rsplit('/').next().unwrap_or(key))
    })
}

/// The protected classes that a value names.
#[must_use]
pub fn protected(value: &str) -> Vec<&'static str> {
    let value = value.to_ascii_lowercase();
    let parts: Vec<&str> = value.split(['_', '.', ',']).map(str::trim).collect();
    let named = PROTECTED.iter().filter(|class| parts.contains(class));
    named.copied().collect()
}

/// What an approval lists, each with the last day it holds.
#[must_use]
pub fn approvals<'r>(
    own: &'r Resource,
    namespace: Option<&'r Resource>,
) -> Vec<(&'r str, Option<&'r str>)> {
    let annotation = |resource: &'r Resource| resource.annotation(APPROVED_EGRESS);
    let Some(text) = annotation(own).or_else(|| namespace.and_then(annotation)) else {
        return Vec::new();
    };
    text.split(',')
        .map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let what = parts.next().unwrap_or("");
            (what, parts.find_map(|p| p.strip_prefix("until=")))
        })
        .filter(|(what, _)| !what.is_empty())
        .collect()
}

/// The first label, then annotation, whose key fits; the object's own before its namespace's.
fn governed<'r>(
    own: &'r Resource,
    namespace: Option<&'r Resource>,
    fits: impl Fn(&str) -> bool,
) -> Option<NodeRef<'r>> {
    [Some(own), namespace]
        .into_iter()
        .flatten()
        .flat_map(|resource| resource.labels().chain(resource.annotations()))
        .find(|(key, _)| key.as_str().is_some_and(&fits))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_classes_are_protected() {
        assert_eq!(protected("phi"), ["phi"]);
        assert_eq!(protected("PII_pci"), ["pci", "pii"]);
        assert!(protected("internal").is_empty());
        assert!(protected("graphics").is_empty());
    }
}
