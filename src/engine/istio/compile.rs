//! A rule as a set of callers. Input: a located `Rule` and the enforcement point; output: the cubes that match it, or why it is dropped.
//!
//! Envoy (sidecar, gateway, waypoint): istio/istio `pilot/pkg/security/authz/{model/model.go,model/generator.go,matcher/*.go}`,
//! trust domains `pilot/pkg/security/trustdomain/bundle.go`.

use crate::engine::istio::policy::{Action, Field, Rule, Term};
pub use crate::facts::access::reach::Reads as Protocol;
use crate::facts::pattern::{Pattern, Token};
use crate::facts::peers::addresses::Network;
use crate::facts::peers::identity::{IdentityPattern, TokenPattern};
use crate::facts::peers::{Address, Atom, Cube, Literal, Text};

/// Where and how a rule is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    /// Namespace of the policy: short service accounts belong to it.
    pub(crate) namespace: &'c str,
    /// The mesh's trust domain, then its aliases.
    pub(crate) trust_domains: &'c [String],
    /// Issuers whose tokens are validated here; none = no token counts.
    pub(crate) issuers: &'c [String],
    pub(crate) protocol: Protocol,
    /// The port the proxy sees.
    pub(crate) port: u16,
}

/// Why a rule as a whole is not enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// An ALLOW rule asks for HTTP on a port that is not read as HTTP.
    HttpOnly,
    /// A `when` key that Istio does not know.
    UnknownKey,
}

impl Dropped {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::HttpOnly => "it asks for HTTP attributes on a port that carries bytes",
            Self::UnknownKey => "it names an attribute that Istio does not know",
        }
    }
}

/// One list compiled.
pub(crate) enum Clause {
    True,
    False,
    Literal(Literal),
}

/// Compiles a rule for Envoy.
///
/// # Errors
/// When the rule is dropped as a whole; the policy still counts.
pub(crate) fn envoy(
    rule: &Rule,
    action: Action,
    context: &Context<'_>,
) -> Result<Vec<Cube>, Dropped> {
    let entries = |list: &[Vec<Term<Field>>]| -> Result<Vec<Cube>, Dropped> {
        let mut cubes = Vec::new();
        for entry in list {
            let mut clauses = Vec::new();
            for term in entry {
                clauses.push(term_clause(term, action, context)?);
            }
            cubes.extend(conjunction(clauses));
        }
        if list.is_empty() {
            cubes.push(Cube::all());
        }
        Ok(cubes)
    };
    let from = entries(&rule.from)?;
    let to = entries(&rule.to)?;
    let mut clauses = Vec::new();
    for term in rule.when.iter().flatten() {
        clauses.push(when_clause(term, action, context)?);
    }
    Ok(combine(&from, &to, conjunction(clauses)))
}

/// Every `from` with every `to` under the common condition.
pub(crate) fn combine(from: &[Cube], to: &[Cube], when: Option<Cube>) -> Vec<Cube> {
    let Some(when) = when else {
        return Vec::new();
    };
    let with = |f: &Cube| to.iter().map(|t| f.and(t).and(&when)).collect::<Vec<_>>();
    from.iter().flat_map(with).collect()
}

/// All clauses together; `None` when one is false.
pub(crate) fn conjunction(clauses: Vec<Clause>) -> Option<Cube> {
    let mut literals = Vec::new();
    for clause in clauses {
        match clause {
            Clause::True => {}
            Clause::False => return None,
            Clause::Literal(literal) => literals.push(literal),
        }
    }
    Some(Cube::of(literals))
}

/// The clause of a list: an OR-list that nothing can match is false, and true when negated.
pub(crate) fn clause<T>(
    values: Vec<T>,
    negated: bool,
    atom: impl FnOnce(Vec<T>) -> Atom,
) -> Clause {
    match (values.is_empty(), negated) {
        (true, false) => Clause::False,
        (true, true) => Clause::True,
        (false, false) => Clause::Literal(Literal::is(atom(values))),
        (false, true) => Clause::Literal(Literal::is_not(atom(values))),
    }
}

pub(crate) fn constant(holds: bool) -> Clause {
    if holds { Clause::True } else { Clause::False }
}

fn term_clause(
    term: &Term<Field>,
    action: Action,
    context: &Context<'_>,
) -> Result<Clause, Dropped> {
    let values = &term.values;
    let negated = term.negated;
    if term.field.is_http_only() && context.protocol == Protocol::Tcp {
        return http_only(action);
    }
    Ok(match term.field {
        Field::Principals => clause(principals(values, context), negated, Atom::Identity),
        Field::Namespaces => clause(namespaces(values), negated, Atom::Identity),
        Field::ServiceAccounts => {
            clause(accounts(values, context.namespace), negated, Atom::Identity)
        }
        Field::TrustDomains => clause(trust_domains(values, context), negated, Atom::Identity),
        Field::RequestPrincipals => clause(
            request_principals(values, context.issuers),
            negated,
            Atom::Token,
        ),
        Field::IpBlocks => addresses(Address::Source, values, negated),
        Field::RemoteIpBlocks => addresses(Address::Remote, values, negated),
        Field::Ports => constant(lists_port(values, context.port) != negated),
        Field::Hosts => {
            let lower: Vec<String> = values.iter().map(|v| v.to_lowercase()).collect();
            texts(Text::Host, &lower, negated)
        }
        Field::Methods => texts(Text::Method, values, negated),
        Field::Paths => clause(values.iter().map(|v| path(v)).collect(), negated, |p| {
            Atom::Text(Text::Path, p)
        }),
    })
}

/// On a TCP chain an ALLOW rule falls as a whole; of any other action only the item falls, which widens it.
fn http_only(action: Action) -> Result<Clause, Dropped> {
    match action {
        Action::Allow => Err(Dropped::HttpOnly),
        Action::Custom | Action::Deny | Action::Audit => Ok(Clause::True),
    }
}

fn when_clause(
    term: &Term<String>,
    action: Action,
    context: &Context<'_>,
) -> Result<Clause, Dropped> {
    let key = term.field.as_str();
    let values = &term.values;
    let negated = term.negated;
    let http = |text: Text| {
        if values.is_empty() {
            return Ok(Clause::True);
        }
        if context.protocol == Protocol::Tcp {
            return http_only(action);
        }
        Ok(texts(text, values, negated))
    };
    if let Some(name) = key.strip_prefix("request.headers") {
        let names = brackets(name).ok_or(Dropped::UnknownKey)?;
        let name = names.first().ok_or(Dropped::UnknownKey)?;
        return http(Text::Header(name.to_lowercase()));
    }
    if let Some(path) = key.strip_prefix("request.auth.claims") {
        let path = brackets(path).ok_or(Dropped::UnknownKey)?;
        return http(Text::Claim(path.join(".")));
    }
    let same = |field: Field| {
        if values.is_empty() {
            return Ok(Clause::True);
        }
        let term = Term {
            field,
            negated,
            values: values.clone(),
            span: term.span,
        };
        term_clause(&term, action, context)
    };
    match key {
        "source.ip" => same(Field::IpBlocks),
        "remote.ip" => same(Field::RemoteIpBlocks),
        "source.namespace" => same(Field::Namespaces),
        "source.principal" => same(Field::Principals),
        "source.serviceAccount" => same(Field::ServiceAccounts),
        "source.trustDomain" => same(Field::TrustDomains),
        "destination.port" => same(Field::Ports),
        "destination.ip" => Ok(addresses(Address::Destination, values, negated)),
        "connection.sni" => Ok(texts(Text::Sni, values, negated)),
        "request.auth.principal" => same(Field::RequestPrincipals),
        "request.auth.audiences" => http(Text::Claim("aud".to_owned())),
        "request.auth.presenter" => http(Text::Claim("azp".to_owned())),
        _ => Err(Dropped::UnknownKey),
    }
}

/// `[a][b]` → `a`, `b`.
fn brackets(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let parts: Vec<&str> = inner.split("][").collect();
    let bare = |p: &&str| !p.is_empty() && !p.contains(['[', ']']);
    parts.iter().all(bare).then_some(parts)
}

fn texts(text: Text, values: &[String], negated: bool) -> Clause {
    let patterns = values.iter().map(|v| Pattern::star(v)).collect();
    clause(patterns, negated, |p| Atom::Text(text, p))
}

/// A path: Istio's stars, or a template of `{*}` (one segment) and `{**}` (anything).
fn path(value: &str) -> Pattern {
    if !value.contains("{*}") && !value.contains("{**}") {
        return Pattern::star(value);
    }
    let mut tokens = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find("{*") {
        let (before, from) = rest.split_at(at);
        let (token, after) = match (from.strip_prefix("{**}"), from.strip_prefix("{*}")) {
            (Some(after), _) => (Token::Any, after),
            (None, Some(after)) => (Token::Segment, after),
            (None, None) => break,
        };
        if !before.is_empty() {
            tokens.push(Token::Text(before.to_owned()));
        }
        tokens.push(token);
        rest = after;
    }
    if !rest.is_empty() {
        tokens.push(Token::Text(rest.to_owned()));
    }
    Pattern::Tokens(tokens)
}

pub(crate) fn addresses(which: Address, values: &[String], negated: bool) -> Clause {
    let networks = values.iter().filter_map(|v| Network::parse(v)).collect();
    clause(networks, negated, |n| Atom::Address(which, n))
}

pub(crate) fn lists_port(values: &[String], port: u16) -> bool {
    values.iter().any(|v| v.trim().parse::<u16>() == Ok(port))
}

fn principals(values: &[String], context: &Context<'_>) -> Vec<IdentityPattern> {
    values
        .iter()
        .flat_map(|v| expand_principal(v, context.trust_domains))
        .filter_map(|v| IdentityPattern::principal(&v))
        .collect()
}

/// `namespaces` is one regular expression over the whole identity, `.*/ns/V/.*` with `*` as `.*`. So a star may run over the slash
/// behind the namespace: what follows it is satisfied by the `sa` segment when that ends so (`team-*a` means `team-*`).
fn namespaces(values: &[String]) -> Vec<IdentityPattern> {
    values
        .iter()
        .map(|v| {
            let loose = ["*sa", "*a"].iter().find_map(|tail| v.strip_suffix(tail));
            let pattern = match loose {
                Some(front) => Pattern::stars(&format!("{front}*")),
                None => Pattern::stars(v),
            };
            IdentityPattern::namespace(pattern)
        })
        .collect()
}

/// `namespace/account`, or `account` of the policy's own namespace; no stars.
pub(crate) fn accounts(values: &[String], namespace: &str) -> Vec<IdentityPattern> {
    values
        .iter()
        .filter(|v| !v.contains('*'))
        .map(|v| match v.split_once('/') {
            Some((namespace, account)) => IdentityPattern::account(namespace, account),
            None => IdentityPattern::account(namespace, v),
        })
        .collect()
}

fn trust_domains(values: &[String], context: &Context<'_>) -> Vec<IdentityPattern> {
    let mesh = context.trust_domains;
    values
        .iter()
        .flat_map(|v| {
            if mesh.contains(v) {
                mesh.to_vec()
            } else {
                vec![v.clone()]
            }
        })
        .map(|v| IdentityPattern {
            trust_domain: Pattern::star(&v),
            ..IdentityPattern::any()
        })
        .collect()
}

/// Replaces the mesh's trust domain, an alias or `cluster.local` by the whole list (`bundle.go:ReplaceTrustDomainAliases`).
fn expand_principal(value: &str, mesh: &[String]) -> Vec<String> {
    let parts: Vec<&str> = value.split('/').collect();
    let [domain, rest @ ..] = parts.as_slice() else {
        return vec![value.to_owned()];
    };
    if rest.len() != 4 || *domain == "*" {
        return vec![value.to_owned()];
    }
    let ours = |own: &String| {
        own == domain
            || own == "*"
            || prefix_of(domain, own)
            || prefix_of(own, domain)
            || suffix_of(domain, own)
            || suffix_of(own, domain)
    };
    if *domain != "cluster.local" && !mesh.iter().any(ours) {
        return vec![value.to_owned()];
    }
    let mut all = Vec::new();
    for own in mesh {
        let next = if suffix_of(own, domain) {
            value.to_owned()
        } else {
            format!("{own}/{}", rest.join("/"))
        };
        if !all.contains(&next) {
            all.push(next);
        }
    }
    all
}

/// Whether `pattern` is `front*` and `text` begins so.
fn prefix_of(text: &str, pattern: &str) -> bool {
    pattern
        .strip_suffix('*')
        .is_some_and(|p| text.starts_with(p))
}

/// Whether `pattern` is `*back` and `text` ends so.
fn suffix_of(text: &str, pattern: &str) -> bool {
    pattern.strip_prefix('*').is_some_and(|p| text.ends_with(p))
}

/// `issuer/subject`, split at the last slash, over the issuers that are validated here.
fn request_principals(values: &[String], issuers: &[String]) -> Vec<TokenPattern> {
    values
        .iter()
        .flat_map(|v| {
            let (issuer, subject) = request_principal(v);
            issuers
                .iter()
                .filter(move |i| issuer.matches(i))
                .map(move |i| TokenPattern {
                    issuer: Pattern::Exact(i.clone()),
                    subject: subject.clone(),
                    subject_optional: false,
                })
        })
        .collect()
}

fn request_principal(value: &str) -> (Pattern, Pattern) {
    if value == "*" {
        return (Pattern::Any, Pattern::Any);
    }
    let split = value.rsplit_once('/');
    if let Some(suffix) = value.strip_prefix('*') {
        // With a slash the issuer is a suffix and the subject literal, also when it is `*`.
        return match split {
            Some((issuer, subject)) => (Pattern::star(issuer), Pattern::Exact(subject.to_owned())),
            None => (Pattern::Any, Pattern::Suffix(suffix.to_owned())),
        };
    }
    if let Some(prefix) = value.strip_suffix('*') {
        return match split {
            Some((issuer, subject)) => (Pattern::Exact(issuer.to_owned()), Pattern::star(subject)),
            None => (Pattern::Prefix(prefix.to_owned()), Pattern::Any),
        };
    }
    match split {
        Some((issuer, subject)) => (
            Pattern::Exact(issuer.to_owned()),
            Pattern::Exact(subject.to_owned()),
        ),
        None => (
            Pattern::Exact(value.to_owned()),
            Pattern::Exact(String::new()),
        ),
    }
}
