//! L5: which kinds a rule looks at. Input: an entry of `match:`; output: `KindPattern`.

use crate::resource::GroupKind;

/// One entry of `match:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindPattern {
    /// API group; `None` = Kubernetes' own groups.
    group: Option<String>,
    /// Kind; `None` = any.
    kind: Option<String>,
}

impl KindPattern {
    /// Reads `Kind`, `group/Kind`, `group/*` or `*`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (group, kind) = match text.split_once('/') {
            Some((group, kind)) => (Some(group.to_owned()), kind),
            None => (None, text),
        };
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric());
        let group_ok = group.as_deref().is_none_or(|g| {
            !g.is_empty()
                && g.chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        });
        (group_ok && (kind == "*" || word(kind))).then(|| Self {
            group,
            kind: (kind != "*").then(|| kind.to_owned()),
        })
    }

    /// Whether objects of this kind are meant.
    #[must_use]
    pub fn matches(&self, of: &GroupKind) -> bool {
        let group = match &self.group {
            Some(group) => *group == of.group,
            None => self.kind.is_none() || is_kubernetes(&of.group),
        };
        group && self.kind.as_ref().is_none_or(|kind| *kind == of.kind)
    }
}

/// Whether a group is Kubernetes' own: core, a word without dots, or under `k8s.io`. A bare `Service` is not Knative's.
fn is_kubernetes(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, group: &str, kind: &str) -> bool {
        KindPattern::parse(pattern).unwrap().matches(&GroupKind {
            group: group.into(),
            kind: kind.into(),
        })
    }

    #[test]
    fn a_bare_kind_means_kubernetes_own() {
        assert!(matches("Service", "", "Service"));
        assert!(matches("Deployment", "apps", "Deployment"));
        assert!(matches(
            "NetworkPolicy",
            "networking.k8s.io",
            "NetworkPolicy"
        ));
        assert!(!matches("Service", "serving.knative.dev", "Service"));
    }

    #[test]
    fn groups_and_stars() {
        assert!(matches(
            "serving.knative.dev/Service",
            "serving.knative.dev",
            "Service"
        ));
        assert!(matches(
            "security.istio.io/*",
            "security.istio.io",
            "PeerAuthentication"
        ));
        assert!(matches("*", "security.istio.io", "PeerAuthentication"));
        assert!(!matches(
            "security.istio.io/*",
            "networking.istio.io",
            "Gateway"
        ));
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for text in ["", "a/b/C", "/Pod", "Pod ", "apps/"] {
            assert_eq!(KindPattern::parse(text), None, "{text}");
        }
    }
}
