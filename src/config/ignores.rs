//! L5: `ignores:` of the config. Input: one entry; output: `Ignore`: which findings it silences, why, and how long.

use globset::{GlobBuilder, GlobMatcher};

use crate::shape::Problem;
use crate::source::Span;
use crate::yaml::NodeRef;

/// One entry of `ignores:`.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Id, slug or family; `None` = every rule.
    pub rule: Option<String>,
    path: Option<GlobMatcher>,
    object: Option<ObjectPattern>,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// The entry in the config.
    pub span: Span,
}

/// `[Kind:]namespace/name` with `*`.
#[derive(Clone, Debug)]
pub(super) struct ObjectPattern {
    kind: Option<String>,
    namespace: Option<String>,
    name: String,
}

impl ObjectPattern {
    /// Reads `[Kind:]namespace/name`.
    pub(super) fn read(text: &str) -> Self {
        object_pattern(text)
    }

    /// Whether it covers an object.
    pub(super) fn covers(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.kind.as_ref().is_none_or(|k| k == kind || k == "*")
            && self.namespace.as_ref().is_none_or(|n| fits(n, namespace))
            && fits(&self.name, name)
    }
}

impl Ignore {
    /// Whether it covers a place and object; the rule is compared by the caller, who knows slugs and families.
    #[must_use]
    pub fn covers(&self, path: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let object = self.object.as_ref();
        object.is_none_or(|o| o.covers(kind, namespace, name))
            && self.path.as_ref().is_none_or(|glob| glob.is_match(path))
    }
}

/// Whether a day is a real date, `YYYY-MM-DD`.
#[must_use]
pub fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// Reads one entry, already of the right shape.
pub(crate) fn read(node: NodeRef<'_>, problems: &mut Vec<Problem>) -> Option<Ignore> {
    let before = problems.len();
    let text = |name: &str| node.get(name).map(|n| n.text().to_owned());
    if ["rule", "path", "object"]
        .iter()
        .all(|n| node.get(n).is_none())
    {
        problems.push(
            Problem::at(node, "the entry silences everything")
                .help("name a `rule`, a `path` or an `object`"),
        );
    }
    let reason = text("reason").unwrap_or_default();
    if let Some(empty) = node.get("reason").filter(|r| r.text().trim().is_empty()) {
        problems.push(Problem::at(empty, "the reason is empty"));
    }
    if let Some(until) = node.get("until").filter(|u| !is_date(u.text())) {
        problems.push(
            Problem::at(until, format!("`{}` is no date", until.text())).help("write YYYY-MM-DD"),
        );
    }
    let path = node.get("path").and_then(|p| match glob(p.text()) {
        Ok(glob) => Some(glob),
        Err(error) => {
            problems.push(Problem::at(p, error.kind().to_string()));
            None
        }
    });
    (problems.len() == before).then(|| Ignore {
        rule: text("rule"),
        path,
        object: text("object").map(|o| object_pattern(&o)),
        until: text("until"),
        reason,
        span: node.span(),
    })
}

fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    let text = text.trim_start_matches("./");
    GlobBuilder::new(text)
        .literal_separator(true)
        .build()
        .map(|g| g.compile_matcher())
}

fn object_pattern(text: &str) -> ObjectPattern {
    let (kind, rest) = match text.split_once(':') {
        Some((kind, rest)) => (Some(kind.to_owned()), rest),
        None => (None, text),
    };
    let (namespace, name) = match rest.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name),
        None => (None, rest),
    };
    ObjectPattern {
        kind,
        namespace,
        name: name.to_owned(),
    }
}

/// Whether `*` of a pattern, standing for any letters, makes it fit.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return false;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or("");
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn ignore(entry: &str) -> Ignore {
        let text = format!("version: 1\nignores:\n  - {entry}\n");
        Config::parse("meshgov.yaml", &text)
            .unwrap()
            .ignores
            .remove(0)
    }

    #[test]
    fn paths_objects_and_stars() {
        let by_path = ignore("{path: 'legacy/**', reason: r}");
        assert!(by_path.covers("legacy/a/b.yaml", "Pod", "", "x"));
        assert!(!by_path.covers("new/legacy/b.yaml", "Pod", "", "x"));
        let by_object = ignore("{object: 'Deployment:ml/llm-*', reason: r}");
        assert!(by_object.covers("a", "Deployment", "ml", "llm-0"));
        assert!(!by_object.covers("a", "StatefulSet", "ml", "llm-0"));
        assert!(!by_object.covers("a", "Deployment", "web", "llm-0"));
        let bare = ignore("{object: llm, reason: r}");
        assert!(bare.covers("a", "Pod", "anywhere", "llm") && !bare.covers("a", "Pod", "", "llm2"));
    }

    #[test]
    fn stars_stand_for_any_letters() {
        assert!(fits("a*c*e", "abcde") && fits("*", "") && fits("a*", "a") && fits("*b", "ab"));
        assert!(!fits("a*c", "abcd") && !fits("ab", "abc") && !fits("a*a", "a"));
    }

    #[test]
    fn entries_that_silence_everything_or_never_end_are_refused() {
        let problems = |entry: &str| {
            let text = format!("version: 1\nignores:\n  - {entry}\n");
            Config::parse("c", &text)
                .unwrap_err()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            problems("{reason: r}"),
            ["c:3:5: the entry silences everything"]
        );
        assert_eq!(
            problems("{rule: A001, reason: ''}"),
            ["c:3:26: the reason is empty"]
        );
        assert_eq!(
            problems("{rule: A001, until: 2027-02-30, reason: r}"),
            ["c:3:25: `2027-02-30` is no date"]
        );
        assert_eq!(problems("{rule: A001}"), ["c:3:5: `reason` is missing"]);
    }
}
