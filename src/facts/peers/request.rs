//! One concrete request. Input: what a question says; output: the values that conditions look at.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::facts::peers::{Address, NO_ADDRESS, Text};

/// A mesh identity, `trust-domain/ns/NAMESPACE/sa/ACCOUNT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// Trust domain.
    pub trust_domain: String,
    /// Namespace.
    pub namespace: String,
    /// Service account.
    pub account: String,
}

impl Identity {
    /// Reads `trust-domain/ns/NAMESPACE/sa/ACCOUNT`, with or without `spiffe://`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("spiffe://").unwrap_or(text);
        let parts: Vec<&str> = text.split('/').collect();
        let [trust_domain, "ns", namespace, "sa", account] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            trust_domain: (*trust_domain).to_owned(),
            namespace: (*namespace).to_owned(),
            account: (*account).to_owned(),
        })
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            trust_domain,
            namespace,
            account,
        } = self;
        write!(f, "{trust_domain}/ns/{namespace}/sa/{account}")
    }
}

/// A token that was presented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// Issuer.
    pub issuer: String,
    /// Subject.
    pub subject: String,
    /// Further claims by path (`realm.roles` for `claims[realm][roles]`), each a list of values.
    pub claims: BTreeMap<String, Vec<String>>,
    /// Whether signature, expiry and audience hold.
    pub valid: bool,
}

/// One request as an enforcement point sees it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Identity of the peer; `None` without a mesh certificate.
    pub identity: Option<Identity>,
    /// Token that counts: already validated, or `None`.
    pub token: Option<Token>,
    /// Address of the peer.
    pub source: IpAddr,
    /// Address of the caller as proxies report it.
    pub remote: IpAddr,
    /// Address of the destination.
    pub destination: IpAddr,
    /// HTTP method.
    pub method: String,
    /// Path; a query is not part of it.
    pub path: String,
    /// Host, compared in lower case.
    pub host: String,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Server name of the TLS handshake.
    pub sni: String,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            identity: None,
            token: None,
            source: NO_ADDRESS,
            remote: NO_ADDRESS,
            destination: NO_ADDRESS,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            host: String::new(),
            headers: BTreeMap::new(),
            sni: String::new(),
        }
    }
}

impl Request {
    pub(crate) fn address(&self, which: Address) -> IpAddr {
        match which {
            Address::Source => self.source,
            Address::Remote => self.remote,
            Address::Destination => self.destination,
        }
    }

    /// The values of a text; none when absent.
    pub(crate) fn texts(&self, text: &Text) -> Vec<String> {
        let one = |value: &str| vec![value.to_owned()];
        match text {
            Text::Method => one(&self.method),
            Text::Path => one(self.path.split('?').next().unwrap_or("")),
            Text::Host => vec![self.host.to_lowercase()],
            Text::Sni if self.sni.is_empty() => Vec::new(),
            Text::Sni => one(&self.sni),
            Text::Header(name) => self.headers.get(name).map_or_else(Vec::new, |v| one(v)),
            Text::Claim(path) => self
                .token
                .as_ref()
                .and_then(|t| t.claims.get(path).cloned())
                .unwrap_or_default(),
        }
    }
}
