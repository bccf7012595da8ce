//! The governance vocabulary: labels and annotations about owners, data and approvals. Input: an object and its Namespace; output: what
//! they state, with the place. The object's own word goes before its namespace's; values are never guessed from names.

use crate::resource::Resource;
use crate::source::Span;
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

/// Label: minimal, limited, high or prohibited, the words of the EU AI Act.
pub const RISK_TIER: &str = "meshgov.dev/risk-tier";

/// What [`RISK_TIER`] may say.
const RISK_TIERS: &[&str] = &["minimal", "limited", "high", "prohibited"];

/// Our own key of a classification, whose values are checked.
const OWN_CLASSIFICATION: &str = "meshgov.dev/data-classification";

/// Classes that are not protected, from the least.
const PLAIN: &[&str] = &["public", "internal", "confidential"];

/// Annotation: who watches the model at work.
const OVERSIGHT: &str = "meshgov.dev/oversight";

/// What [`OVERSIGHT`] may say.
const OVERSIGHTS: &[&str] = &["human-in-the-loop", "human-on-the-loop", "none"];

/// The keys of our own that rules read.
const VOCABULARY: &[&str] = &[
    "meshgov.dev/owner",
    OWN_CLASSIFICATION,
    RISK_TIER,
    "meshgov.dev/purpose",
    OVERSIGHT,
    "meshgov.dev/impact-assessment",
    APPROVED_EGRESS,
    REDACTION,
];

/// Whether an object uses the vocabulary: a key of our own, or any that states a classification. A bare `owner` or `team` is too common.
#[must_use]
pub fn is_governed(resource: &Resource) -> bool {
    let uses = |key: NodeRef<'_>| key.as_str().is_some_and(is_key);
    let mut keys = resource.labels().chain(resource.annotations());
    keys.any(|(key, _)| uses(key))
}

/// Whether a label or annotation is one of the vocabulary, or any that states a classification.
#[must_use]
pub fn is_key(key: &str) -> bool {
    VOCABULARY.contains(&key) || is_classification(key)
}

/// A value that is no word of the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The label or annotation.
    pub key: String,
    /// What it says.
    pub value: String,
    /// What it may say, in words.
    pub allowed: String,
    /// The value's place.
    pub span: Span,
}

/// Values of our own keys that nothing can be made of, so that they have no effect.
#[must_use]
pub fn unreadable(resource: &Resource) -> Vec<Unreadable> {
    let pairs = resource.labels().chain(resource.annotations());
    pairs
        .filter_map(|(key, value)| {
            let key = key.as_str()?;
            let text = value.text();
            let allowed = match key {
                RISK_TIER if !RISK_TIERS.contains(&text) => RISK_TIERS.join(", "),
                OVERSIGHT if !OVERSIGHTS.contains(&text) => OVERSIGHTS.join(", "),
                OWN_CLASSIFICATION if !is_class(text) => [PLAIN, PROTECTED].concat().join(", "),
                APPROVED_EGRESS if !is_approval(text) => {
                    "hosts or providers, each with ;until=YYYY-MM-DD if it ends".to_owned()
                }
                _ => return None,
            };
            Some(Unreadable {
                key: key.to_owned(),
                value: text.to_owned(),
                allowed,
                span: value.span(),
            })
        })
        .collect()
}

/// One class, or several joined.
fn is_class(text: &str) -> bool {
    let known = |part: &str| PLAIN.contains(&part) || PROTECTED.contains(&part);
    let text = text.to_ascii_lowercase();
    text.split(JOINED).map(str::trim).all(known)
}

/// Whether every entry names something, and every end is a day.
fn is_approval(text: &str) -> bool {
    text.split(',').all(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|what| !what.is_empty());
        named
            && parts.all(|part| {
                part.strip_prefix("until=").is_some_and(|day| {
                    let shape = |(at, byte): (usize, u8)| match at {
                        4 | 7 => byte == b'-',
                        _ => byte.is_ascii_digit(),
                    };
                    day.len() == 10 && day.bytes().enumerate().all(shape)
                })
            })
    })
}

/// The risk tier; a namespace's does not count, since it is about one system.
#[must_use]
pub fn risk_tier(own: &Resource) -> Option<NodeRef<'_>> {
    let mut pairs = own.labels().chain(own.annotations());
    pairs
        .find(|(key, _)| key.as_str() == Some(RISK_TIER))
        .map(|(_, value)| value)
}

/// Whether data of this classification is not for everyone inside: confidential, or protected.
#[must_use]
pub fn is_confidential(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    !protected(value).is_empty()
        || lower
            .split(JOINED)
            .any(|part| part.trim() == "confidential")
}

/// The same for the nodes of an object, or of labels alone; a high-risk system counts too.
#[must_use]
pub fn says_confidential(node: NodeRef<'_>) -> bool {
    let maps = match node.get("metadata") {
        Some(metadata) => [metadata.get("labels"), metadata.get("annotations")],
        None => [Some(node), None],
    };
    let mut pairs = maps.into_iter().flatten().flat_map(NodeRef::entries);
    pairs.any(|(key, value)| match key.as_str() {
        Some(RISK_TIER) => value.text() == "high",
        Some(key) => is_classification(key) && is_confidential(value.text()),
        None => false,
    })
}

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
    governed(own, namespace, is_classification)
}

fn is_classification(key: &str) -> bool {
    CLASSIFICATION.contains(&key.rsplit('/').next().unwrap_or(key))
}

/// What joins several classes in one value.
const JOINED: [char; 3] = ['_', '.', ','];

/// The protected classes that a value names.
#[must_use]
pub fn protected(value: &str) -> Vec<&'static str> {
    let value = value.to_ascii_lowercase();
    let parts: Vec<&str> = value.split(JOINED).map(str::trim).collect();
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
    use crate::load::load_text;
    use crate::source::{SourceFile, SourceId};
    use std::sync::Arc;

    #[test]
    fn only_listed_classes_are_protected() {
        assert_eq!(protected("phi"), ["phi"]);
        assert_eq!(protected("PII_pci"), ["pci", "pii"]);
        assert!(protected("internal").is_empty());
        assert!(protected("graphics").is_empty());
        assert!(is_confidential("confidential") && is_confidential("internal_phi"));
        assert!(!is_confidential("internal") && !is_confidential("confidentially"));
    }

    fn pod(labels: &str, annotations: &str) -> Arc<Resource> {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{{labels}}}, annotations: {{{annotations}}}}}\n"
        );
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
        load_text(&source).resources.remove(0)
    }

    #[test]
    fn values_are_words_of_the_vocabulary() {
        let keys = |labels: &str, annotations: &str| -> Vec<String> {
            let found = unreadable(&pod(labels, annotations));
            found.into_iter().map(|u| u.key).collect()
        };
        assert!(
            keys(
                "meshgov.dev/risk-tier: high, meshgov.dev/data-classification: phi_internal",
                ""
            )
            .is_empty()
        );
        assert_eq!(keys("meshgov.dev/risk-tier: medium", ""), [RISK_TIER]);
        assert_eq!(
            keys("meshgov.dev/data-classification: phy", ""),
            [OWN_CLASSIFICATION]
        );
        // Other people's keys have words of their own.
        assert!(keys("acme.com/data-classification: tier-3", "").is_empty());
        let egress = |value: &str| keys("", &format!("meshgov.dev/approved-egress: \"{value}\""));
        assert!(egress("openai, api.example.com;until=2027-01-31").is_empty());
        assert_eq!(egress("openai;until=January"), [APPROVED_EGRESS]);
        assert_eq!(egress("openai;from=2027-01-31"), [APPROVED_EGRESS]);
    }

    #[test]
    fn only_our_own_keys_and_classifications_switch_governance_on() {
        assert!(is_governed(&pod("meshgov.dev/owner: ml", "")));
        assert!(is_governed(&pod(
            "acme.com/data-classification: tier-3",
            ""
        )));
        assert!(!is_governed(&pod("owner: ml, acme.com/team: ml", "")));
        assert!(!is_governed(&pod("", "meshgov.dev/ignore: MTLS001")));
    }
}
