//! A rule as ztunnel enforces it. Input: a located `Rule`; output: its cubes, or why nothing is left of it.
//!
//! istio/istio `pilot/pkg/serviceregistry/ambient/authorization.go:convertAuthorizationPolicy,handleRule`; istio/ztunnel
//! `src/rbac.rs:Authorization::matches`. An empty match matches nothing: an entry of a list that keeps no layer-4 field is skipped, a
//! clause without entries is false, and the rule is dead. `trustDomains` is discarded without being counted.

use crate::engine::istio::compile::{
    Clause, accounts, addresses, clause, combine, conjunction, constant, lists_port,
};
use crate::engine::istio::policy::{Action, Field, Rule, Term};
use crate::facts::pattern::Pattern;
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Address, Atom, Cube};

/// What is left of a rule.
pub(crate) struct Enforced {
    /// Callers that match it.
    pub(crate) cubes: Vec<Cube>,
    /// What of it has no effect, and why.
    pub(crate) lost: Option<Lost>,
}

/// Why a ztunnel enforces something else than a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// An ALLOW rule with layer-7 conditions is left out.
    Omitted,
    /// Entries that held layer-7 conditions only match nothing.
    Dead,
    /// Layer-7 conditions beside others fall away.
    Kept,
    /// An entry without any condition matches nothing.
    Empty,
    /// `trustDomains` does not count.
    TrustDomains,
}

impl Lost {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Omitted => "a ztunnel leaves out an ALLOW rule that asks for layer 7",
            Self::Dead => "a ztunnel matches nothing where only layer-7 conditions stood",
            Self::Kept => "a ztunnel keeps the layer-4 part only",
            Self::Empty => "a ztunnel matches nothing where no layer-4 condition is left",
            Self::TrustDomains => "a ztunnel ignores trustDomains",
        }
    }
}

/// Compiles a rule of a policy in `namespace` for a connection to `port`.
pub(crate) fn rule(rule: &Rule, action: Action, namespace: &str, port: u16) -> Enforced {
    let mut layer7 = false;
    let mut discarded = false;
    let mut dead_entry = false;
    let mut list = |entries: &[Vec<Term<Field>>]| -> Vec<Cube> {
        if entries.is_empty() {
            return vec![Cube::all()];
        }
        let mut cubes = Vec::new();
        for entry in entries {
            let mut clauses = Vec::new();
            for term in entry {
                layer7 |= is_layer7(term.field);
                discarded |= term.field == Field::TrustDomains;
                clauses.extend(field(term, namespace, port));
            }
            if clauses.is_empty() {
                dead_entry = true;
            } else {
                cubes.extend(conjunction(clauses));
            }
        }
        cubes
    };
    let from = list(&rule.from);
    let to = list(&rule.to);
    let mut when = Some(Cube::all());
    for condition in &rule.when {
        let clauses: Vec<Clause> = condition
            .iter()
            .filter(|t| !t.values.is_empty())
            .filter_map(|t| condition_clause(t, namespace, port))
            .collect();
        let known = condition.first().is_some_and(|t| is_known(&t.field));
        layer7 |= !known;
        let cube = match clauses.is_empty() {
            true => {
                dead_entry = true;
                None
            }
            false => conjunction(clauses),
        };
        when = match (when, cube) {
            (Some(when), Some(cube)) => Some(when.and(&cube)),
            _ => None,
        };
    }
    let omitted = action == Action::Allow && layer7;
    let lost = match (omitted, layer7, dead_entry, discarded) {
        (true, _, _, _) => Some(Lost::Omitted),
        (_, true, true, _) => Some(Lost::Dead),
        (_, true, false, _) => Some(Lost::Kept),
        (_, _, _, true) => Some(Lost::TrustDomains),
        (_, _, true, _) => Some(Lost::Empty),
        _ => None,
    };
    Enforced {
        cubes: if omitted {
            Vec::new()
        } else {
            combine(&from, &to, when)
        },
        lost,
    }
}

fn is_layer7(field: Field) -> bool {
    field.is_http_only() || field == Field::RemoteIpBlocks
}

/// `when` keys that ztunnel knows.
fn is_known(key: &str) -> bool {
    matches!(
        key,
        "source.ip"
            | "source.namespace"
            | "source.principal"
            | "destination.ip"
            | "destination.port"
    )
}

/// A layer-4 field as a clause; `None` for everything else.
fn field(term: &Term<Field>, namespace: &str, port: u16) -> Option<Clause> {
    let values = &term.values;
    let negated = term.negated;
    Some(match term.field {
        Field::Principals => {
            let patterns = values
                .iter()
                .filter_map(|v| IdentityPattern::principal(v))
                .collect();
            clause(patterns, negated, Atom::Identity)
        }
        Field::Namespaces => {
            // A star inside is literal here, unlike at a sidecar, and no namespace has one.
            let patterns = values
                .iter()
                .filter(|v| {
                    *v == "*"
                        || v.matches('*').count()
                            <= usize::from(v.starts_with('*') || v.ends_with('*'))
                })
                .map(|v| Pattern::star(v))
                .map(IdentityPattern::namespace)
                .collect();
            clause(patterns, negated, Atom::Identity)
        }
        Field::ServiceAccounts => clause(accounts(values, namespace), negated, Atom::Identity),
        Field::IpBlocks => addresses(Address::Source, values, negated),
        Field::Ports => constant(lists_port(values, port) != negated),
        Field::TrustDomains
        | Field::RequestPrincipals
        | Field::RemoteIpBlocks
        | Field::Hosts
        | Field::Methods
        | Field::Paths => return None,
    })
}

fn condition_clause(term: &Term<String>, namespace: &str, port: u16) -> Option<Clause> {
    let same = |as_field: Field| {
        let term = Term {
            field: as_field,
            negated: term.negated,
            values: term.values.clone(),
            span: term.span,
        };
        field(&term, namespace, port)
    };
    match term.field.as_str() {
        "source.ip" => same(Field::IpBlocks),
        "source.namespace" => same(Field::Namespaces),
        "source.principal" => same(Field::Principals),
        "destination.port" => same(Field::Ports),
        "destination.ip" => Some(addresses(Address::Destination, &term.values, term.negated)),
        _ => None,
    }
}
