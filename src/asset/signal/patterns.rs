//! Tables of patterns. Input: rows of regular expressions; output: which rows a text fits. Compiled once, when first used.

use std::sync::OnceLock;

use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::asset::class::Class;

/// A row: pattern, class, product, weight.
pub(super) type Row = (&'static str, Class, &'static str, f64);

/// A table with its compiled form.
pub(super) struct Patterns {
    rows: &'static [Row],
    set: OnceLock<Option<RegexSet>>,
}

impl Patterns {
    pub(super) const fn new(rows: &'static [Row]) -> Self {
        Self {
            rows,
            set: OnceLock::new(),
        }
    }

    /// The rows that fit, in the order of the table. Upper and lower case are equal; only ASCII is looked at.
    pub(super) fn matches(&self, text: &str) -> impl Iterator<Item = &'static Row> {
        let set = self.set.get_or_init(|| compile(self.rows));
        // Most texts fit no row, which is cheaper to find out than which rows they fit.
        let found = set
            .as_ref()
            .filter(|set| set.is_match(text.as_bytes()))
            .map(|set| set.matches(text.as_bytes()));
        found
            .into_iter()
            .flatten()
            .filter_map(|at| self.rows.get(at))
    }
}

fn compile(rows: &[Row]) -> Option<RegexSet> {
    RegexSetBuilder::new(rows.iter().map(|(pattern, ..)| pattern))
        .case_insensitive(true)
        .unicode(false)
        .build()
        .ok()
}

/// A single pattern, compiled once. `None` when it does not compile, which a test excludes.
pub(super) struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<RegexSet>>,
}

impl Pattern {
    pub(super) const fn new(text: &'static str) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        let compiled = self
            .compiled
            .get_or_init(|| compile(&[(self.text, Class::Model, "", 0.0)]));
        compiled
            .as_ref()
            .is_some_and(|set| set.is_match(text.as_bytes()))
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        compile(&[(self.text, Class::Model, "", 0.0)]).is_some()
    }
}

#[cfg(test)]
impl Patterns {
    pub(super) fn broken(&self) -> Vec<&'static str> {
        self.rows
            .iter()
            .filter(|row| compile(std::slice::from_ref(row)).is_none())
            .map(|row| row.0)
            .collect()
    }
}
