//! L2: patch targets. Input: a `target:` and an object; output: whether the patch applies to it.
//!
//! Semantics: kustomize api v0.18.0, resmap/reswrangler.go Select and types/selector.go; label selectors as
//! k8s.io/apimachinery/pkg/labels parses them.

use regex::Regex;

use crate::kustomize::decode::Text;
use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::layer::Target;
use crate::kustomize::node::Node;
use crate::kustomize::objects::Object;

/// A target whose expressions are compiled.
pub(crate) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

impl Selector {
    /// Compiles a target.
    ///
    /// # Errors
    /// A regular expression or selector that cannot be read: the user's fault.
    pub(crate) fn new(target: &Target) -> Result<Self, KustomizeError> {
        Ok(Self {
            group: anchored(target.group.as_ref(), "group")?,
            version: anchored(target.version.as_ref(), "version")?,
            kind: anchored(target.kind.as_ref(), "kind")?,
            name: anchored(target.name.as_ref(), "name")?,
            namespace: anchored(target.namespace.as_ref(), "namespace")?,
            labels: requirements(target.label_selector.as_ref(), "labelSelector")?,
            annotations: requirements(target.annotation_selector.as_ref(), "annotationSelector")?,
        })
    }

    /// Whether the object is meant, by its first or its present name and namespace.
    pub(crate) fn matches(&self, object: &Object<'_>) -> bool {
        let fits = |regex: &Option<Regex>, text: &str| {
            regex.as_ref().is_none_or(|regex| regex.is_match(text))
        };
        let gvk = object.gvk();
        let original = object.original_id();
        let set = |field| object.node.at(&["metadata", field]);
        (fits(&self.namespace, &original.namespace)
            || fits(&self.namespace, object.effective_namespace()))
            && (fits(&self.name, &original.name) || fits(&self.name, object.name()))
            && fits(&self.group, &gvk.group)
            && fits(&self.version, &gvk.version)
            && fits(&self.kind, &gvk.kind)
            && self.labels.iter().all(|r| r.holds(set("labels")))
            && self.annotations.iter().all(|r| r.holds(set("annotations")))
    }
}

fn anchored(text: Option<&Text>, field: &'static str) -> Result<Option<Regex>, KustomizeError> {
    let Some(text) = text else {
        return Ok(None);
    };
    Regex::new(&format!("^(?:{})$", text.text))
        .map(Some)
        .map_err(|_| bad(text, field))
}

fn bad(text: &Text, field: &'static str) -> KustomizeError {
    let kind = ErrorKind::BadSelector {
        field,
        text: text.text.clone(),
    };
    KustomizeError::new(text.span, kind)
}

/// One condition of a label selector.
#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl Requirement {
    fn holds(&self, set: Option<&Node<'_>>) -> bool {
        let value = set.and_then(|s| s.get(&self.key)).map(Node::text);
        let number = || value.and_then(|v| v.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|v| values.iter().any(|x| x == v)),
            Test::NotIn(values) => value.is_none_or(|v| values.iter().all(|x| x != v)),
            Test::Greater(bound) => number().is_some_and(|n| n > *bound),
            Test::Less(bound) => number().is_some_and(|n| n < *bound),
        }
    }
}

fn requirements(
    text: Option<&Text>,
    field: &'static str,
) -> Result<Vec<Requirement>, KustomizeError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    parse(&text.text).ok_or_else(|| bad(text, field))
}

/// Reads `a=b, c in (d, e), !f`; `None` when malformed.
fn parse(text: &str) -> Option<Vec<Requirement>> {
    let mut rest = text.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (requirement, after) = one(rest)?;
        found.push(requirement);
        rest = match after.strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            None if after.is_empty() => after,
            _ => return None,
        };
    }
    Some(found)
}

fn one(text: &str) -> Option<(Requirement, &str)> {
    if let Some(rest) = text.strip_prefix('!') {
        let (key, rest) = word(rest.trim_start());
        let test = Test::Missing;
        return (!key.is_empty()).then_some((Requirement { key, test }, rest));
    }
    let (key, rest) = word(text);
    if key.is_empty() {
        return None;
    }
    if rest.is_empty() || rest.starts_with(',') {
        let test = Test::Exists;
        return Some((Requirement { key, test }, rest));
    }
    for (operator, not) in [("==", false), ("=", false), ("!=", true)] {
        if let Some(rest) = rest.strip_prefix(operator) {
            let (value, rest) = word(rest.trim_start());
            let test = if not {
                Test::NotIn(vec![value])
            } else {
                Test::In(vec![value])
            };
            return Some((Requirement { key, test }, rest));
        }
    }
    if let Some(after) = rest.strip_prefix(['<', '>']) {
        let (value, after) = word(after.trim_start());
        let bound = value.parse().ok()?;
        let test = if rest.starts_with('<') {
            Test::Less(bound)
        } else {
            Test::Greater(bound)
        };
        return Some((Requirement { key, test }, after));
    }
    let (operator, rest) = word(rest);
    let list = rest.strip_prefix('(')?;
    let (inside, rest) = list.split_once(')')?;
    let values = inside.split(',').map(|v| v.trim().to_owned()).collect();
    let test = match operator.as_str() {
        "in" => Test::In(values),
        "notin" => Test::NotIn(values),
        _ => return None,
    };
    Some((Requirement { key, test }, rest.trim_start()))
}

/// The text up to a space or operator, and what follows the spaces behind it.
fn word(text: &str) -> (String, &str) {
    let end = text
        .find(|c: char| c.is_whitespace() || "=!<>(),".contains(c))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word.to_owned(), rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_parse() {
        let parsed = parse("app=web, tier in (a, b),!gone,  env!=dev ,here, n>3").unwrap();
        let tests: Vec<_> = parsed.into_iter().map(|r| (r.key, r.test)).collect();
        let strings = |s: &[&str]| s.iter().map(|x| (*x).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            tests,
            [
                ("app".to_owned(), Test::In(strings(&["web"]))),
                ("tier".to_owned(), Test::In(strings(&["a", "b"]))),
                ("gone".to_owned(), Test::Missing),
                ("env".to_owned(), Test::NotIn(strings(&["dev"]))),
                ("here".to_owned(), Test::Exists),
                ("n".to_owned(), Test::Greater(3)),
            ]
        );
        for malformed in ["=a", "a in b", "a,,b", "a=b,", "a b", "n>x"] {
            assert_eq!(parse(malformed), None, "{malformed}");
        }
    }
}
