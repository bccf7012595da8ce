//! Label selectors with expressions. Input: a located `LabelSelector`; output: whether labels satisfy it, or what is wrong with it.
//!
//! k8s.io/apimachinery `pkg/apis/meta/v1/helpers.go:LabelSelectorAsSelector`, `pkg/labels/selector.go:Requirement.Matches`: `NotIn` and
//! `DoesNotExist` hold where the label is absent.

use crate::facts::selector::is_placeholder;
use crate::source::Span;
use crate::yaml::{Key, NodeRef};

/// The label that the API server gives every Namespace.
pub(crate) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// What is wrong with a part of a policy; the API server would refuse it, or a placeholder hides its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) says: String,
    pub(crate) span: Span,
}

impl Flaw {
    pub(crate) fn at(node: NodeRef<'_>, says: impl Into<String>) -> Self {
        Self {
            says: says.into(),
            span: node.span(),
        }
    }
}

/// A selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    terms: Vec<(Key, Test)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl LabelSelector {
    /// Reads a selector; an empty one selects everything.
    pub(crate) fn read(node: NodeRef<'_>) -> Result<Self, Flaw> {
        let mut terms = Vec::new();
        for (key, value) in node
            .get("matchLabels")
            .into_iter()
            .flat_map(NodeRef::entries)
        {
            let text = plain(value)?;
            terms.push((Key::new(&key.key_text()), Test::In(vec![text])));
        }
        let expressions = node.get("matchExpressions");
        for entry in expressions.into_iter().flat_map(NodeRef::items) {
            let key = entry.get("key").map_or("", NodeRef::text);
            let list = entry.get("values").into_iter().flat_map(NodeRef::items);
            let values: Vec<String> = list.map(plain).collect::<Result<_, _>>()?;
            let operator = entry.get("operator").map_or("", NodeRef::text);
            let test = match operator {
                "In" | "NotIn" if values.is_empty() => {
                    return Err(Flaw::at(entry, format!("`{operator}` needs `values`")));
                }
                "In" => Test::In(values),
                "NotIn" => Test::NotIn(values),
                "Exists" => Test::Exists,
                "DoesNotExist" => Test::Absent,
                other => return Err(Flaw::at(entry, format!("operator `{other}` is unknown"))),
            };
            if key.is_empty() {
                return Err(Flaw::at(entry, "an expression needs a `key`"));
            }
            terms.push((Key::new(key), test));
        }
        Ok(Self { terms })
    }

    /// Whether it selects everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether labels satisfy it.
    pub(crate) fn matches<'l>(&self, label: impl Fn(&Key) -> Option<&'l str>) -> bool {
        self.terms.iter().all(|(key, test)| match test {
            Test::In(values) => label(key).is_some_and(|v| values.iter().any(|w| w == v)),
            Test::NotIn(values) => label(key).is_none_or(|v| values.iter().all(|w| w != v)),
            Test::Exists => label(key).is_some(),
            Test::Absent => label(key).is_none(),
        })
    }

    /// Names of namespaces that it mentions.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.terms
            .iter()
            .filter(|(key, _)| key.name() == NAMESPACE_NAME)
            .flat_map(|(_, test)| match test {
                Test::In(values) | Test::NotIn(values) => values.as_slice(),
                Test::Exists | Test::Absent => &[],
            })
            .map(String::as_str)
    }

    /// Whether it looks at other labels than the name of a namespace.
    pub(crate) fn reads_labels(&self) -> bool {
        self.terms
            .iter()
            .any(|(key, _)| key.name() != NAMESPACE_NAME)
    }

    /// A text by which equal selectors are known.
    pub(crate) fn signature(&self) -> String {
        let terms = self
            .terms
            .iter()
            .map(|(k, t)| format!("{} {t:?}", k.name()));
        terms.collect::<Vec<_>>().join("&")
    }
}

/// A scalar without placeholder.
pub(crate) fn plain(node: NodeRef<'_>) -> Result<String, Flaw> {
    let text = node.text();
    if is_placeholder(text) {
        return Err(Flaw::at(
            node,
            format!("the value of `{text}` is not known"),
        ));
    }
    Ok(text.to_owned())
}
