//! `find()` and `findAll()`: text and a compiled RE2 pattern in, matched substrings out.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/regex.go` (Kubernetes 1.36). Where its documentation
//! (`'abc 123'.find('[0-9]*')` is `'123'`) contradicts Go's own engine, which finds the empty match
//! first, the engine wins, as it does in every cluster.

use ::regex::{Match, Regex};

/// The first match, or the empty string.
#[must_use]
pub fn find<'t>(pattern: &Regex, text: &'t str) -> &'t str {
    pattern.find(text).map_or("", |found| found.as_str())
}

/// All matches from the left that do not overlap, at most `limit` of them when `limit >= 0`.
///
/// As in Go, an empty match that touches the match before it does not count. Each step may read the
/// rest of the text, so all of them together may take quadratic time: callers pay for every step.
pub fn find_all<'p, 't>(
    pattern: &'p Regex,
    text: &'t str,
    limit: i64,
) -> impl Iterator<Item = Match<'t>> + use<'p, 't> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    pattern.find_iter(text).take(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'t>(pattern: &str, text: &'t str, limit: i64) -> Vec<&'t str> {
        let pattern = Regex::new(pattern).unwrap();
        let found = find_all(&pattern, text, limit).map(|found| found.as_str());
        found.collect()
    }

    #[test]
    fn empty_matches_behave_as_in_go() {
        assert_eq!(
            all("[0-9]*", "12 ab 3", -1),
            ["12", "", "", "", "3"],
            "empty at 3, 4 and 5; those at 2 and 7 touch the match before"
        );
        let digits = Regex::new("[0-9]*").unwrap();
        assert_eq!(find(&digits, "abc 123"), "");
    }

    #[test]
    fn a_limit_cuts_from_the_right() {
        assert_eq!(all("[0-9]+", "1 2 3", 2), ["1", "2"]);
        assert_eq!(all("[0-9]+", "1 2 3", 0).len(), 0);
    }
}
