//! Whether a conjunction of literals can hold: each dimension by itself. Input: literals of one cube; output: yes or no.

use std::collections::BTreeMap;

use crate::facts::pattern::{self, Pattern};
use crate::facts::peers::addresses::{self, Network};
use crate::facts::peers::identity::{IdentityPattern, TokenPattern};
use crate::facts::peers::{Address, Atom, Literal, Text};

/// Combinations of alternatives tried before the answer is "can hold".
const MAX_COMBINATIONS: usize = 4_096;

/// Conditions on one dimension: OR-lists that must hold and values that must not.
struct Sides<'l, T> {
    all: Vec<&'l [T]>,
    none: Vec<&'l T>,
}

impl<T> Default for Sides<'_, T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            none: Vec::new(),
        }
    }
}

impl<'l, T> Sides<'l, T> {
    fn add(&mut self, values: &'l [T], positive: bool) {
        if positive {
            self.all.push(values);
        } else {
            self.none.extend(values);
        }
    }
}

/// Whether some request satisfies every literal.
pub(crate) fn satisfiable(literals: &[Literal]) -> bool {
    let mut identity = Sides::default();
    let mut token = Sides::default();
    let mut addresses: BTreeMap<Address, Sides<'_, Network>> = BTreeMap::new();
    let mut texts: BTreeMap<&Text, Sides<'_, Pattern>> = BTreeMap::new();
    for literal in literals {
        match literal.atom.as_ref() {
            Atom::Identity(patterns) => identity.add(patterns, literal.positive),
            Atom::Token(patterns) => token.add(patterns, literal.positive),
            Atom::Address(which, networks) => addresses
                .entry(*which)
                .or_default()
                .add(networks, literal.positive),
            Atom::Text(text, patterns) => texts
                .entry(text)
                .or_default()
                .add(patterns, literal.positive),
        }
    }
    let claimed = texts
        .iter()
        .any(|(text, sides)| matches!(text, Text::Claim(_)) && !sides.all.is_empty());
    products_satisfiable(&identity, false)
        && products_satisfiable(&token, claimed)
        && addresses.values().all(|sides| {
            let none: Vec<Network> = sides.none.iter().map(|n| **n).collect();
            addresses::satisfiable(&sides.all, &none)
        })
        && texts
            .iter()
            .all(|(text, sides)| text_satisfiable(text, sides))
}

fn text_satisfiable(text: &Text, sides: &Sides<'_, Pattern>) -> bool {
    match text {
        // Absent satisfies all that is only forbidden.
        Text::Header(_) | Text::Claim(_) | Text::Sni if sides.all.is_empty() => true,
        // Several values: each OR-list may be satisfied by another one.
        Text::Claim(_) => sides
            .all
            .iter()
            .all(|clause| pattern::satisfiable(&[clause], &sides.none)),
        _ => pattern::satisfiable(&sides.all, &sides.none),
    }
}

/// A set that is a product of patterns, one for each of its parts.
trait Product {
    /// How many parts there are.
    const PARTS: usize;
    /// The pattern of a part.
    fn part(&self, at: usize) -> &Pattern;
    /// The patterns of its parts, in a fixed order.
    fn parts(&self) -> impl Iterator<Item = &Pattern> {
        (0..Self::PARTS).map(|at| self.part(at))
    }
}

impl Product for IdentityPattern {
    const PARTS: usize = 3;
    fn part(&self, at: usize) -> &Pattern {
        match at {
            0 => &self.trust_domain,
            1 => &self.namespace,
            _ => &self.account,
        }
    }
}

impl Product for TokenPattern {
    const PARTS: usize = 2;
    fn part(&self, at: usize) -> &Pattern {
        match at {
            0 => &self.issuer,
            _ => &self.subject,
        }
    }
}

/// Whether something lies in one product of every list and outside all forbidden ones; nothing at all (no identity, no token) lies
/// outside of everything.
fn products_satisfiable<T: Product>(sides: &Sides<'_, T>, needed: bool) -> bool {
    if sides.all.is_empty() && !needed {
        return true;
    }
    let mut chosen: Vec<Vec<&T>> = vec![Vec::new()];
    for clause in &sides.all {
        let mut next = Vec::new();
        for choice in &chosen {
            for product in *clause {
                if meets(choice.iter().copied().chain([product])) {
                    let mut longer = Vec::with_capacity(choice.len() + 1);
                    longer.extend_from_slice(choice);
                    longer.push(product);
                    next.push(longer);
                }
            }
        }
        if next.len() > MAX_COMBINATIONS {
            return true;
        }
        chosen = next;
    }
    chosen.iter().any(|choice| outside(choice, &sides.none))
}

/// Whether products have something in common.
fn meets<'t, T: Product + 't>(products: impl Iterator<Item = &'t T> + Clone) -> bool {
    (0..T::PARTS).all(|at| pattern::meet(products.clone().map(|p| p.part(at))))
}

/// Whether the intersection of products reaches beyond the union of the forbidden ones: tries every combination of one
/// representative per part.
fn outside<T: Product>(products: &[&T], none: &[&T]) -> bool {
    let overlapping: Vec<&T> = none
        .iter()
        .copied()
        .filter(|n| meets(products.iter().copied().chain([*n])))
        .collect();
    if overlapping.is_empty() {
        return true;
    }
    let is_everything = |n: &&T| n.parts().all(|part| *part == Pattern::Any);
    if overlapping.iter().any(is_everything) {
        return false;
    }
    let mut representatives: Vec<Vec<String>> = Vec::new();
    let mut simple = true;
    for at in 0..T::PARTS {
        let patterns: Vec<Pattern> = products
            .iter()
            .chain(&overlapping)
            .map(|p| p.part(at).clone())
            .collect();
        simple &= patterns.iter().all(|p| !matches!(p, Pattern::Tokens(_)));
        let inside = |text: &String| products.iter().all(|p| p.part(at).matches(text));
        representatives.push(
            pattern::candidates(patterns.iter())
                .into_iter()
                .filter(inside)
                .collect(),
        );
    }
    let combinations: usize = representatives.iter().map(Vec::len).product();
    if combinations > 64 * MAX_COMBINATIONS {
        return true;
    }
    let covered = |choice: &[&String]| {
        overlapping
            .iter()
            .any(|n| n.parts().zip(choice).all(|(p, text)| p.matches(text)))
    };
    let mut choices: Vec<Vec<&String>> = vec![Vec::new()];
    for part in &representatives {
        choices = choices
            .iter()
            .flat_map(|choice| {
                part.iter().map(move |text| {
                    let mut longer = choice.clone();
                    longer.push(text);
                    longer
                })
            })
            .collect();
    }
    let found = choices.iter().any(|choice| !covered(choice));
    // With inner stars the representatives may miss a solution; then keep the set.
    found || !simple
}
