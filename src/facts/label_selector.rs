//! LabelSelector with `matchExpressions`. Input: the node of a selector; output: whether labels satisfy it.
//!
//! `k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go:LabelSelectorAsSelector`: all terms must hold; `NotIn` and `DoesNotExist` hold where
//! the key is absent.

use crate::yaml::NodeRef;

/// Labels looked up by name.
pub trait Labels {
    /// The value of a label.
    fn label(&self, name: &str) -> Option<&str>;
}

impl Labels for Option<NodeRef<'_>> {
    fn label(&self, name: &str) -> Option<&str> {
        self.and_then(|labels| labels.get(name)).map(NodeRef::text)
    }
}

/// Whether a selector is there and says nothing, so that it selects everything.
#[must_use]
pub fn is_everything(selector: NodeRef<'_>) -> bool {
    let empty = |name: &str| {
        selector
            .get(name)
            .is_none_or(|n| n.is_null() || n.is_empty())
    };
    empty("matchLabels") && empty("matchExpressions")
}

/// Whether labels satisfy every term of a selector.
#[must_use]
pub fn selects(selector: NodeRef<'_>, labels: &impl Labels) -> bool {
    let pairs = selector.get("matchLabels").into_iter();
    let mut pairs = pairs.flat_map(NodeRef::entries);
    let mut expressions = selector
        .get("matchExpressions")
        .into_iter()
        .flat_map(NodeRef::items);
    pairs.all(|(key, value)| labels.label(&key.key_text()) == Some(value.text()))
        && expressions.all(|e| holds(e, labels))
}

fn holds(expression: NodeRef<'_>, labels: &impl Labels) -> bool {
    let text = |name: &str| expression.get(name).map_or("", NodeRef::text);
    let found = labels.label(text("key"));
    let listed = |value: &str| {
        let values = expression.get("values").into_iter();
        values.flat_map(NodeRef::items).any(|v| v.text() == value)
    };
    match text("operator") {
        "In" => found.is_some_and(listed),
        "NotIn" => !found.is_some_and(listed),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        // The API server refuses any other operator, hence the object.
        _ => false,
    }
}
