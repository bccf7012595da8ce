//! String patterns of mesh policies and the question whether a conjunction of them can hold. Input: `*`-patterns and path templates;
//! output: matches, and satisfiability of "one of each of these, none of those".

use std::collections::{BTreeSet, HashSet};

/// A piece of a pattern that has more than one star.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Token {
    /// This text.
    Text(String),
    /// Any text, also none.
    Any,
    /// One or more characters other than `/`.
    Segment,
}

/// A set of strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    /// Every string.
    Any,
    /// This string only.
    Exact(String),
    /// Strings that begin so.
    Prefix(String),
    /// Strings that end so.
    Suffix(String),
    /// Texts, stars and segments in sequence.
    Tokens(Vec<Token>),
}

/// A character that stands for all those that no pattern names.
const OTHER: char = '\u{2026}';
/// States visited before a search gives up and answers "can hold".
const MAX_STATES: usize = 20_000;

impl Pattern {
    /// Istio's form: `*`, `*suffix`, `prefix*`, else the text itself, in which further stars are literal
    /// (istio/istio `pilot/pkg/security/authz/matcher/string.go`).
    #[must_use]
    pub fn star(text: &str) -> Self {
        if text == "*" {
            Self::Any
        } else if let Some(suffix) = text.strip_prefix('*') {
            Self::Suffix(suffix.to_owned())
        } else if let Some(prefix) = text.strip_suffix('*') {
            Self::Prefix(prefix.to_owned())
        } else {
            Self::Exact(text.to_owned())
        }
    }

    /// A text in which every `*` stands for any text.
    #[must_use]
    pub fn stars(text: &str) -> Self {
        if text.matches('*').count() == 0
            || (text.matches('*').count() == 1 && (text.starts_with('*') || text.ends_with('*')))
        {
            return Self::star(text);
        }
        let mut tokens = Vec::new();
        for (at, part) in text.split('*').enumerate() {
            if at > 0 {
                tokens.push(Token::Any);
            }
            if !part.is_empty() {
                tokens.push(Token::Text(part.to_owned()));
            }
        }
        Self::Tokens(tokens)
    }

    /// Whether `text` belongs to the set.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == text,
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::Tokens(_) => {
                let automaton = Automaton::of(self);
                let mut state = automaton.start();
                for c in text.chars() {
                    state = automaton.step(&state, c);
                    if state.is_empty() {
                        return false;
                    }
                }
                automaton.accepts(&state)
            }
        }
    }

    /// The text as a policy would write it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::Exact(text) => text.clone(),
            Self::Prefix(text) => format!("{text}*"),
            Self::Suffix(text) => format!("*{text}"),
            Self::Tokens(tokens) => tokens.iter().map(token_text).collect(),
        }
    }

    /// The one string of the set, when it has only one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(text) => Some(text),
            _ => None,
        }
    }

    fn is_simple(&self) -> bool {
        !matches!(self, Self::Tokens(_))
    }
}

fn token_text(token: &Token) -> String {
    match token {
        Token::Text(text) => text.clone(),
        Token::Any => "*".to_owned(),
        Token::Segment => "{*}".to_owned(),
    }
}

/// Strings among which a solution of simple patterns is found if there is one: for a solution that is no exact pattern, joining its
/// longest matching prefix and its longest matching suffix by a foreign character satisfies the same patterns.
pub(crate) fn candidates<'p>(patterns: impl Iterator<Item = &'p Pattern>) -> Vec<String> {
    let mut exact = BTreeSet::new();
    let mut prefixes = BTreeSet::from([""]);
    let mut suffixes = BTreeSet::from([""]);
    let mut filled = BTreeSet::new();
    for pattern in patterns {
        match pattern {
            Pattern::Any => {}
            Pattern::Exact(text) => {
                exact.insert(text.clone());
            }
            Pattern::Prefix(text) => {
                prefixes.insert(text);
            }
            Pattern::Suffix(text) => {
                suffixes.insert(text);
            }
            Pattern::Tokens(tokens) => {
                let other = OTHER.to_string();
                let fill = |t: &Token| match t {
                    Token::Text(text) => text.clone(),
                    Token::Any | Token::Segment => other.clone(),
                };
                filled.insert(tokens.iter().map(fill).collect::<String>());
            }
        }
    }
    let mut all: Vec<String> = exact.into_iter().chain(filled).collect();
    for prefix in &prefixes {
        for suffix in &suffixes {
            all.push(format!("{prefix}{OTHER}{suffix}"));
        }
    }
    all
}

/// Whether some string matches one pattern of every clause of `all` and no pattern of `none`. Exact, except that a search over
/// very many states gives up and answers yes.
#[must_use]
pub fn satisfiable(all: &[&[Pattern]], none: &[&Pattern]) -> bool {
    if none.iter().any(|p| **p == Pattern::Any) {
        return false;
    }
    let fits = |text: &str| {
        all.iter()
            .all(|clause| clause.iter().any(|p| p.matches(text)))
            && none.iter().all(|p| !p.matches(text))
    };
    // A clause of names leaves nothing to search for.
    let names = |clause: &&&[Pattern]| clause.iter().all(|p| p.exact().is_some());
    if let Some(clause) = all.iter().find(names) {
        return clause.iter().filter_map(Pattern::exact).any(fits);
    }
    // Nor does a single clause: no pattern is empty.
    let mut narrow = all.iter().filter(|clause| !clause.contains(&Pattern::Any));
    if none.is_empty() && narrow.nth(1).is_none() {
        return true;
    }
    let patterns = || all.iter().copied().flatten().chain(none.iter().copied());
    if candidates(patterns()).iter().any(|text| fits(text)) {
        return true;
    }
    !patterns().all(Pattern::is_simple) && search(all, none)
}

/// Whether some string matches all of these patterns.
pub(crate) fn meet<'p>(patterns: impl Iterator<Item = &'p Pattern> + Clone) -> bool {
    if let Some(text) = patterns.clone().find_map(Pattern::exact) {
        return patterns.clone().all(|p| p.matches(text));
    }
    let narrow: Vec<&[Pattern]> = patterns
        .filter(|p| **p != Pattern::Any)
        .map(std::slice::from_ref)
        .collect();
    satisfiable(&narrow, &[])
}

/// Whether every string of `inner` belongs to `outer`.
#[must_use]
pub fn subset(inner: &Pattern, outer: &Pattern) -> bool {
    !satisfiable(&[std::slice::from_ref(inner)], &[outer])
}

type State = Vec<u16>;

/// A pattern as a nondeterministic automaton over characters.
struct Automaton {
    steps: Vec<Move>,
}

#[derive(Clone, Copy)]
enum Move {
    /// This character, then on.
    Char(char),
    /// Any character, staying; or on without one.
    Any,
    /// A character other than `/`, then on.
    One,
    /// A character other than `/`, staying; or on without one.
    Many,
}

impl Automaton {
    fn of(pattern: &Pattern) -> Self {
        let mut steps = Vec::new();
        let text = |text: &str, steps: &mut Vec<Move>| steps.extend(text.chars().map(Move::Char));
        match pattern {
            Pattern::Any => steps.push(Move::Any),
            Pattern::Exact(exact) => text(exact, &mut steps),
            Pattern::Prefix(prefix) => {
                text(prefix, &mut steps);
                steps.push(Move::Any);
            }
            Pattern::Suffix(suffix) => {
                steps.push(Move::Any);
                text(suffix, &mut steps);
            }
            Pattern::Tokens(tokens) => {
                for token in tokens {
                    match token {
                        Token::Text(t) => text(t, &mut steps),
                        Token::Any => steps.push(Move::Any),
                        Token::Segment => steps.extend([Move::One, Move::Many]),
                    }
                }
            }
        }
        Self { steps }
    }

    fn start(&self) -> State {
        self.closure([0].into_iter())
    }

    /// Adds what is reached without a character.
    fn closure(&self, positions: impl Iterator<Item = u16>) -> State {
        let mut state = BTreeSet::new();
        for mut at in positions {
            while state.insert(at) {
                match self.steps.get(usize::from(at)) {
                    Some(Move::Any | Move::Many) => at += 1,
                    _ => break,
                }
            }
        }
        state.into_iter().collect()
    }

    fn step(&self, state: &State, c: char) -> State {
        let next = state
            .iter()
            .filter_map(|&at| match self.steps.get(usize::from(at))? {
                Move::Char(expected) => (*expected == c).then_some(at + 1),
                Move::Any => Some(at),
                Move::One => (c != '/').then_some(at + 1),
                Move::Many => (c != '/').then_some(at),
            });
        self.closure(next)
    }

    fn accepts(&self, state: &State) -> bool {
        state
            .last()
            .is_some_and(|&at| usize::from(at) == self.steps.len())
    }
}

/// Breadth-first search of the product of all automata for a string that satisfies everything.
fn search(all: &[&[Pattern]], none: &[&Pattern]) -> bool {
    let clauses: Vec<Vec<Automaton>> = all
        .iter()
        .map(|clause| clause.iter().map(Automaton::of).collect())
        .collect();
    let forbidden: Vec<Automaton> = none.iter().map(|p| Automaton::of(p)).collect();
    let automata = || clauses.iter().flatten().chain(&forbidden);
    let mut alphabet = BTreeSet::from(['/', OTHER]);
    for step in automata().flat_map(|a| &a.steps) {
        if let Move::Char(c) = step {
            alphabet.insert(*c);
        }
    }
    let start: Vec<State> = automata().map(Automaton::start).collect();
    let mut seen = HashSet::from([start.clone()]);
    let mut frontier = vec![start];
    while let Some(state) = frontier.pop() {
        let mut parts = state.iter().zip(automata());
        let mut wanted = true;
        for clause in &clauses {
            let one = parts
                .by_ref()
                .take(clause.len())
                .fold(false, |one, (s, a)| one | a.accepts(s));
            wanted &= one;
        }
        if wanted && !parts.any(|(s, a)| a.accepts(s)) {
            return true;
        }
        for &c in &alphabet {
            let next: Vec<State> = state
                .iter()
                .zip(automata())
                .map(|(s, a)| a.step(s, c))
                .collect();
            if !seen.contains(&next) {
                seen.insert(next.clone());
                frontier.push(next);
            }
        }
        if seen.len() > MAX_STATES {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sat(all: &[&str], none: &[&str]) -> bool {
        let all: Vec<Pattern> = all.iter().map(|t| Pattern::stars(t)).collect();
        let none: Vec<Pattern> = none.iter().map(|t| Pattern::stars(t)).collect();
        let all: Vec<&[Pattern]> = all.iter().map(std::slice::from_ref).collect();
        satisfiable(&all, &none.iter().collect::<Vec<_>>())
    }

    #[test]
    fn stars_at_the_ends_are_wild_and_others_literal() {
        assert!(Pattern::star("a*").matches("abc"));
        assert!(Pattern::star("*c").matches("abc"));
        assert!(!Pattern::star("a*c").matches("abc"));
        assert!(Pattern::star("a*c").matches("a*c"));
        assert!(Pattern::stars("a*c").matches("abc"));
        assert!(Pattern::stars("*b*").matches("abc"));
        assert!(!Pattern::stars("a*b").matches("abc"));
    }

    #[test]
    fn conjunctions_know_when_they_are_empty() {
        assert!(sat(&["a*", "*c"], &["ac"]));
        assert!(!sat(&["ab"], &["a*"]));
        assert!(!sat(&["a*"], &["*"]));
        assert!(sat(&["a*"], &["ab*", "ac*"]));
        assert!(!sat(&["abc*"], &["ab*"]));
        assert!(sat(&["a*b*c", "*x*"], &["*bx*"]));
        assert!(!sat(&["a*b*c"], &["a*c"]));
        assert!(!sat(&["a*b", "*x"], &[]));
    }

    #[test]
    fn path_templates_intersect_by_segment() {
        let text = |t: &str| Token::Text(t.to_owned());
        let a = Pattern::Tokens(vec![text("/a/"), Token::Segment, text("/c")]);
        let b = Pattern::Tokens(vec![text("/"), Token::Segment, text("/b/c")]);
        let d = Pattern::Tokens(vec![text("/"), Token::Segment, text("/b")]);
        let both = |x: &Pattern, y: &Pattern| {
            satisfiable(&[std::slice::from_ref(x), std::slice::from_ref(y)], &[])
        };
        assert!(both(&a, &b));
        assert!(!both(&a, &d));
        assert!(a.matches("/a/b/c"));
        assert!(!a.matches("/a/b/x/c"));
        assert!(!a.matches("/a//c"));
    }
}
