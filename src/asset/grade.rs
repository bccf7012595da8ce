//! The access grade. Input: five components, each known, a range, or not applicable; output: a letter, or `?` between two.
//!
//! W workload identity: 0 anyone, 1 any mesh identity, 2 a trust domain or more than three namespaces, 3 namespaces, 4 listed accounts.
//! U user identity: 0 none, 1 optional token, 2 any valid token, 3 issuer and audience fixed, 4 claims. O operations: 0 every path,
//! 1 inference paths, 2 listed paths, 3 listed paths and models or tools. B budget: 0 none, 1 one for all, 2 by a key the client chooses,
//! 3 by verified identity, 4 by identity and model. K keys: 0 literal, 1 static Secret in the workload, 2 static, held by a gateway,
//! 3 managed outside with rotation, 4 short-lived.

use crate::source::Span;

/// A step of the proof of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// In words.
    pub says: String,
    /// Where, when in a file.
    pub span: Option<Span>,
}

/// One component of a grade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Least and greatest value it can have; `None` when the question does not arise.
    pub range: Option<(u8, u8)>,
    /// Why.
    pub because: Vec<Because>,
}

/// The greatest value of a component.
pub const TOP: u8 = 4;

impl Component {
    /// A question that does not arise.
    #[must_use]
    pub fn none(says: impl Into<String>) -> Self {
        Self {
            range: None,
            because: vec![Because {
                says: says.into(),
                span: None,
            }],
        }
    }

    /// A known value.
    #[must_use]
    pub fn known(value: u8, says: impl Into<String>, span: Option<Span>) -> Self {
        Self::between(value, value, says, span)
    }

    /// A value that lies between two.
    #[must_use]
    pub fn between(low: u8, high: u8, says: impl Into<String>, span: Option<Span>) -> Self {
        Self {
            range: Some((low.min(high), high)),
            because: vec![Because {
                says: says.into(),
                span,
            }],
        }
    }

    /// The worse of two ways in; the reasons of both.
    #[must_use]
    pub fn worse(mut self, other: Self) -> Self {
        self.range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.min(d))),
            (one, other) => one.or(other),
        };
        self.with_reasons(other.because)
    }

    /// What has to be passed as well: the better of the two, and the reasons of both.
    #[must_use]
    pub fn stronger(mut self, other: Self) -> Self {
        self.range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.max(c), b.max(d))),
            (one, other) => one.or(other),
        };
        self.with_reasons(other.because)
    }

    fn with_reasons(mut self, others: Vec<Because>) -> Self {
        for because in others {
            if !self.because.contains(&because) {
                self.because.push(because);
            }
        }
        self
    }

    /// `3`, `?0-4`, or `-` when the question does not arise.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.range {
            None => "-".to_owned(),
            Some((low, high)) if low == high => low.to_string(),
            Some((low, high)) => format!("?{low}-{high}"),
        }
    }

    fn values(&self) -> std::ops::RangeInclusive<u8> {
        let (low, high) = self.range.unwrap_or((TOP, TOP));
        low..=high
    }
}

/// Who can use an asset, in five components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grade {
    /// Workload identity.
    pub workload: Component,
    /// User identity.
    pub user: Component,
    /// Operations.
    pub operation: Component,
    /// Budget.
    pub budget: Component,
    /// Keys.
    pub key: Component,
}

/// The grade in one sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// No component applies.
    None,
    /// Whatever the unknown turns out to be, this.
    Known(char),
    /// It depends on the unknown: worst and best.
    Between(char, char),
}

impl Letter {
    /// `B`, `?` or `-`.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::None => '-',
            Self::Known(letter) => letter,
            Self::Between(..) => '?',
        }
    }
}

impl Grade {
    /// Components with their signs, in order.
    #[must_use]
    pub fn components(&self) -> [(char, &Component); 5] {
        [
            ('W', &self.workload),
            ('U', &self.user),
            ('O', &self.operation),
            ('B', &self.budget),
            ('K', &self.key),
        ]
    }

    /// The letter: known only when every completion of what is unknown agrees.
    #[must_use]
    pub fn letter(&self) -> Letter {
        if self.components().iter().all(|(_, c)| c.range.is_none()) {
            return Letter::None;
        }
        let mut letters: Vec<char> = Vec::new();
        for w in self.workload.values() {
            for u in self.user.values() {
                for o in self.operation.values() {
                    for b in self.budget.values() {
                        letters.extend(self.key.values().map(|k| letter(w, u, o, b, k)));
                    }
                }
            }
        }
        match (letters.iter().max(), letters.iter().min()) {
            (Some(worst), Some(best)) if worst == best => Letter::Known(*worst),
            (Some(worst), Some(best)) => Letter::Between(*worst, *best),
            _ => Letter::None,
        }
    }
}

fn letter(w: u8, u: u8, o: u8, b: u8, k: u8) -> char {
    match () {
        () if w == 0 || k == 0 => 'F',
        () if w == 1 => 'D',
        () if w == 4 && u >= 3 && o >= 2 && b >= 3 && k >= 3 => 'A',
        () if w >= 3 && o >= 1 && b >= 1 && k >= 2 => 'B',
        () => 'C',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(values: [Option<(u8, u8)>; 5]) -> Grade {
        let [workload, user, operation, budget, key] = values.map(|range| Component {
            range,
            because: Vec::new(),
        });
        Grade {
            workload,
            user,
            operation,
            budget,
            key,
        }
    }

    fn known(values: [u8; 5]) -> Letter {
        grade(values.map(|v| Some((v, v)))).letter()
    }

    #[test]
    fn every_component_can_cost_the_best_letter() {
        assert_eq!(known([4, 3, 2, 3, 3]), Letter::Known('A'));
        assert_eq!(known([3, 3, 2, 3, 3]), Letter::Known('B'));
        assert_eq!(known([4, 2, 2, 3, 3]), Letter::Known('B'));
        assert_eq!(known([4, 3, 1, 3, 3]), Letter::Known('B'));
        assert_eq!(known([4, 3, 2, 2, 3]), Letter::Known('B'));
        assert_eq!(known([4, 3, 2, 3, 2]), Letter::Known('B'));
        assert_eq!(known([4, 3, 0, 3, 3]), Letter::Known('C'));
        assert_eq!(known([4, 3, 2, 0, 3]), Letter::Known('C'));
        assert_eq!(known([4, 3, 2, 3, 1]), Letter::Known('C'));
        assert_eq!(known([2, 4, 3, 4, 4]), Letter::Known('C'));
        assert_eq!(known([1, 4, 3, 4, 4]), Letter::Known('D'));
        assert_eq!(known([0, 4, 3, 4, 4]), Letter::Known('F'));
        assert_eq!(known([4, 4, 3, 4, 0]), Letter::Known('F'));
    }

    #[test]
    fn a_letter_needs_all_completions() {
        let some = |v| Some((v, v));
        assert_eq!(
            grade([Some((0, 4)), some(3), some(2), some(3), some(0)]).letter(),
            Letter::Known('F')
        );
        assert_eq!(
            grade([Some((0, 4)), some(3), some(2), some(3), some(3)]).letter(),
            Letter::Between('F', 'A')
        );
        // No user path, no keys: these cannot cost anything.
        assert_eq!(
            grade([some(4), None, some(2), some(3), None]).letter(),
            Letter::Known('A')
        );
        assert_eq!(grade([None; 5]).letter(), Letter::None);
    }
}
