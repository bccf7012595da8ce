//! `find()` and `findAll()`: text and an RE2 pattern in, matched substrings out.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/regex.go` (Kubernetes 1.36). The caller compiles and
//! caches patterns; matching is linear in the text. Two cases of the documentation (`find('[0-9]*')` on
//! `'abc 123'` giving `'123'`) contradict Go's own engine, which finds the empty match first; the engine
//! wins, as it does in every cluster.

use ::regex::{Regex, RegexBuilder};

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("illegal regex: {0}")]
pub struct PatternError(String);

/// The compiled size a pattern may reach, in bytes: an expression cannot make a run swell.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern.
///
/// # Errors
/// The pattern is malformed or compiles to more than a mebibyte.
pub fn compile(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| PatternError(last_line(&error.to_string())))
}

/// The first match, or the empty string.
#[must_use]
pub fn find<'t>(pattern: &Regex, text: &'t str) -> &'t str {
    pattern.find(text).map_or("", |found| found.as_str())
}

/// All matches from the left that do not overlap, at most `limit` of them when `limit >= 0`.
///
/// As in Go, an empty match that touches the match before it does not count.
#[must_use]
pub fn find_all<'t>(pattern: &Regex, text: &'t str, limit: i64) -> Vec<&'t str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    pattern
        .find_iter(text)
        .map(|found| found.as_str())
        .take(limit)
        .collect()
}

/// The regex crate draws a caret over several lines; only the reason is kept.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_matches_behave_as_in_go() {
        // regexp.MustCompile("[0-9]*").FindAllString("123 abc 456", -1) in Go 1.24.
        let digits = compile("[0-9]*").unwrap();
        assert_eq!(
            find_all(&digits, "12 ab 3", -1),
            ["12", "", "", "", "3"],
            "at 0, 3, 4, 5, 6; the empty matches at 2 and 7 touch the one before"
        );
        assert_eq!(find(&digits, "abc 123"), "");
    }

    #[test]
    fn limits_and_errors() {
        let digits = compile("[0-9]+").unwrap();
        assert_eq!(find_all(&digits, "1 2 3", 2), ["1", "2"]);
        assert_eq!(find_all(&digits, "1 2 3", 0).len(), 0);
        assert_eq!(
            compile(")").unwrap_err().to_string(),
            "illegal regex: unopened group"
        );
        assert!(
            compile("(a{1000}){1000}").is_err(),
            "too large when compiled"
        );
    }
}
