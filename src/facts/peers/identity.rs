//! Patterns over mesh identities (`trust-domain/ns/NAMESPACE/sa/ACCOUNT`) and over tokens. Input: what policies write; output: matches.

use crate::facts::pattern::Pattern;
use crate::facts::peers::request::{Identity, Token};

/// A set of identities: a product of three patterns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityPattern {
    /// Trust domain.
    pub trust_domain: Pattern,
    /// Namespace.
    pub namespace: Pattern,
    /// Service account.
    pub account: Pattern,
}

impl IdentityPattern {
    /// Every identity.
    #[must_use]
    pub fn any() -> Self {
        Self {
            trust_domain: Pattern::Any,
            namespace: Pattern::Any,
            account: Pattern::Any,
        }
    }

    /// Every identity of a namespace pattern.
    #[must_use]
    pub fn namespace(namespace: Pattern) -> Self {
        Self {
            namespace,
            ..Self::any()
        }
    }

    /// A service account in any trust domain.
    #[must_use]
    pub fn account(namespace: &str, account: &str) -> Self {
        Self {
            trust_domain: Pattern::Any,
            namespace: Pattern::Exact(namespace.to_owned()),
            account: Pattern::Exact(account.to_owned()),
        }
    }

    /// A principal with Istio's stars; `None` when no identity of the usual shape can match it (a star in the middle, `spiffe://`
    /// in front, a wrong number of segments).
    #[must_use]
    pub fn principal(text: &str) -> Option<Self> {
        let (front, back) = (text.starts_with('*'), text.ends_with('*'));
        if text == "*" {
            return Some(Self::any());
        }
        let body = if front {
            text.get(1..)?
        } else if back {
            text.strip_suffix('*')?
        } else {
            text
        };
        if body.contains('*') {
            return None;
        }
        let mut parts: Vec<&str> = body.split('/').collect();
        let open = if front { Open::Front } else { Open::Back };
        if front {
            // Aligned with the end of `td/ns/NS/sa/SA`.
            parts.reverse();
        } else if !back {
            return Self::exact(&parts);
        }
        Self::aligned(&parts, open)
    }

    fn exact(parts: &[&str]) -> Option<Self> {
        let [trust_domain, "ns", namespace, "sa", account] = parts else {
            return None;
        };
        let exact = |text: &&str| Pattern::Exact((*text).to_owned());
        Some(Self {
            trust_domain: exact(trust_domain),
            namespace: exact(namespace),
            account: exact(account),
        })
    }

    /// Segments from one end: all but the last are whole, the last is open towards the other end.
    fn aligned(parts: &[&str], open: Open) -> Option<Self> {
        let shape = match open {
            Open::Back => [
                Part::TrustDomain,
                Part::Ns,
                Part::Namespace,
                Part::Sa,
                Part::Account,
            ],
            Open::Front => [
                Part::Account,
                Part::Sa,
                Part::Namespace,
                Part::Ns,
                Part::TrustDomain,
            ],
        };
        if parts.len() > shape.len() {
            return None;
        }
        let mut found = Self::any();
        let last = parts.len().checked_sub(1)?;
        for (at, (text, part)) in parts.iter().zip(shape).enumerate() {
            let pattern = match (at == last, open) {
                (false, _) => Pattern::Exact((*text).to_owned()),
                (true, _) if text.is_empty() => Pattern::Any,
                (true, Open::Back) => Pattern::Prefix((*text).to_owned()),
                (true, Open::Front) => Pattern::Suffix((*text).to_owned()),
            };
            match part {
                Part::TrustDomain => found.trust_domain = pattern,
                Part::Namespace => found.namespace = pattern,
                Part::Account => found.account = pattern,
                Part::Ns if !pattern.matches("ns") => return None,
                Part::Sa if !pattern.matches("sa") => return None,
                Part::Ns | Part::Sa => {}
            }
        }
        Some(found)
    }

    /// Whether an identity belongs to the set.
    #[must_use]
    pub fn matches(&self, identity: &Identity) -> bool {
        self.trust_domain.matches(&identity.trust_domain)
            && self.namespace.matches(&identity.namespace)
            && self.account.matches(&identity.account)
    }
}

#[derive(Clone, Copy)]
enum Open {
    Front,
    Back,
}

#[derive(Clone, Copy)]
enum Part {
    TrustDomain,
    Ns,
    Namespace,
    Sa,
    Account,
}

/// A set of tokens by issuer and subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenPattern {
    /// Issuer.
    pub issuer: Pattern,
    /// Subject; [`Pattern::Any`] asks for a subject that is not empty.
    pub subject: Pattern,
    /// Whether a token without subject fits too (a token is asked for, not a subject).
    pub subject_optional: bool,
}

impl TokenPattern {
    /// Any valid token.
    #[must_use]
    pub fn any() -> Self {
        Self {
            issuer: Pattern::Any,
            subject: Pattern::Any,
            subject_optional: true,
        }
    }

    /// Whether a token belongs to the set.
    #[must_use]
    pub fn matches(&self, token: &Token) -> bool {
        let subject = if self.subject == Pattern::Any {
            self.subject_optional || !token.subject.is_empty()
        } else {
            self.subject.matches(&token.subject)
        };
        subject && self.issuer.matches(&token.issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, identity: &str) -> bool {
        IdentityPattern::principal(pattern)
            .is_some_and(|p| p.matches(&Identity::parse(identity).unwrap()))
    }

    #[test]
    fn principals_match_as_written_with_one_star_at_an_end() {
        let chat = "cluster.local/ns/apps/sa/chat";
        for fits in [
            chat,
            "*",
            "*/ns/apps/sa/chat",
            "*chat",
            "*s/apps/sa/chat",
            "cluster.local/ns/apps/*",
            "cluster.local/ns/ap*",
            "cluster.local/n*",
            "cl*",
        ] {
            assert!(matches(fits, chat), "{fits}");
        }
        for fails in [
            "cluster.local/ns/*/sa/chat",
            "spiffe://cluster.local/ns/apps/sa/chat",
            "cluster.local/ns/app",
            "cluster.local/sa*",
            "*x/apps/sa/chat",
            "*/apps/sa/chat/",
        ] {
            assert!(!matches(fails, chat), "{fails}");
        }
    }
}
