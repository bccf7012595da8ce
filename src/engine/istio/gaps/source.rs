//! Whom the rules of an AuthorizationPolicy speak of. Input: a policy and the workloads it selects; output: one `Source` for each `from`.
//!
//! Identity needs mutual TLS: `pilot/pkg/security/authz/model/generator.go` reads it from the peer certificate only.

use super::authorization::speaks_of;
use super::{Selected, meshed, mode, port_words};
use crate::engine::istio::policy::{Action, AuthorizationPolicy, Field, Rule, Term};
use crate::facts::policy::Source;
use crate::facts::record::PortRecord;
use crate::facts::transport::{Mode, Plaintext};
use crate::facts::workload::Protocol;
use crate::source::Span;

/// `when` keys that ask for a mesh identity.
const IDENTITY_KEYS: [&str; 4] = [
    "source.principal",
    "source.namespace",
    "source.serviceAccount",
    "source.trustDomain",
];
/// `when` keys that ask for an address or a token.
const OTHER_KEYS: [&str; 3] = ["source.ip", "remote.ip", "request.auth."];

/// The sources of a policy that allows or denies; none for one that only logs or targets a waypoint, whose callers all have an identity.
pub(crate) fn sources(policy: &AuthorizationPolicy, selected: Selected<'_>) -> Vec<Source> {
    let decides = matches!(policy.action, Action::Allow | Action::Deny);
    if !decides || policy.dry_run || !policy.targets.is_empty() {
        return Vec::new();
    }
    let mut sources = Vec::new();
    for (at, rule) in policy.rules.iter().enumerate() {
        let none = Vec::new();
        let entries = match rule.from.as_slice() {
            [] => std::slice::from_ref(&none),
            entries => entries,
        };
        for entry in entries {
            sources.extend(source(at, rule, entry, selected));
        }
    }
    sources
}

/// One alternative; `None` when it asks for no identity.
fn source(at: usize, rule: &Rule, entry: &[Term<Field>], selected: Selected<'_>) -> Option<Source> {
    let conditions = || rule.when.iter().flatten().filter(|t| !t.values.is_empty());
    let asked = |negated: bool| -> Option<Span> {
        let fields = entry
            .iter()
            .filter(|t| t.field.is_identity() && t.negated == negated);
        let keys = conditions()
            .filter(|t| IDENTITY_KEYS.contains(&t.field.as_str()) && t.negated == negated);
        fields.map(|t| t.span).chain(keys.map(|t| t.span)).next()
    };
    let (names, excludes) = (asked(false), asked(true));
    let span = names.or(excludes)?;
    let other_field = |t: &Term<Field>| {
        matches!(
            t.field,
            Field::IpBlocks | Field::RemoteIpBlocks | Field::RequestPrincipals
        ) && !t.negated
    };
    let other_key =
        |t: &Term<String>| !t.negated && OTHER_KEYS.iter().any(|k| t.field.starts_with(k));
    let mut source = Source {
        rule: at,
        names: names.is_some(),
        excludes: names.is_none(),
        bounded: entry.iter().any(other_field) || conditions().any(other_key),
        plaintext_ports: Vec::new(),
        anonymous_ports: Vec::new(),
        span,
        assumptions: Vec::new(),
    };
    let mut least: Option<Vec<String>> = None;
    for (record, _) in meshed(selected) {
        for port in &record.ports {
            let number = port.port.number;
            if port.port.protocol != Protocol::Tcp || !speaks_of(rule, number) {
                continue;
            }
            match mode(port) {
                Some(Mode::Permissive) => {}
                Some(Mode::Plaintext(Plaintext::Disabled)) => {
                    if is_certain(port) {
                        source.anonymous_ports.push(port_words(number, record));
                    }
                }
                _ => continue,
            }
            source.plaintext_ports.push(port_words(number, record));
            let mut assumed = port.transport.0.assumptions().to_vec();
            assumed.extend_from_slice(record.membership.assumptions());
            if least.as_ref().is_none_or(|l| l.len() > assumed.len()) {
                least = Some(assumed);
            }
        }
    }
    source.assumptions = least.unwrap_or_default();
    Some(source)
}

/// Whether no policy of the same age may set another mode.
fn is_certain(port: &PortRecord) -> bool {
    let transport = port.transport.0.get();
    transport.is_some_and(|t| t.alternatives.is_empty())
}
