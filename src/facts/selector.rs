//! Label selectors over located label maps. Input: `matchLabels` of a policy or a Service; output: whether a map satisfies them.

use crate::yaml::{Key, NodeRef};

/// The pairs of a `matchLabels` (or of a Service's `selector`), prepared for repeated matching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchLabels {
    pairs: Vec<(Key, String)>,
}

impl MatchLabels {
    /// Reads a map of labels; a missing or empty map selects everything.
    #[must_use]
    pub fn read(map: Option<NodeRef<'_>>) -> Self {
        let pairs = map
            .into_iter()
            .flat_map(NodeRef::entries)
            .map(|(key, value)| (Key::new(&key.key_text()), value.text().to_owned()))
            .collect();
        Self { pairs }
    }

    /// Whether there is no pair, so that everything is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pairs as written.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(k, v)| (k.name(), v.as_str()))
    }

    /// Whether every pair stands in `labels`.
    #[must_use]
    pub fn matches(&self, labels: Option<NodeRef<'_>>) -> bool {
        self.pairs.iter().all(|(key, value)| {
            labels
                .and_then(|l| l.get_key(key))
                .is_some_and(|v| v.text() == value)
        })
    }
}

/// Whether a text still holds a placeholder that something else fills in (`${VAR}`, `{{ … }}`), so that its value is unknown.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    text.contains("${") || text.contains("{{")
}
