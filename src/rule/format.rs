//! L5: the rule file format as one table: what the loader accepts and what `rules schema` publishes.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::shape::{Shape, list, map, one_of, optional, required, text};

/// Words of `severity:`, worst first.
pub const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "note"];
/// Words of `confidence:`, best first.
pub const CONFIDENCES: &[&str] = &["high", "medium", "low"];
/// Words of `subject:`.
pub const SUBJECTS: &[&str] = &[
    "resource",
    "workload",
    "port",
    "policy",
    "route",
    "egress",
    "identity",
    "asset",
    "exposure",
    "tree",
    "change",
    "environment",
];

/// The first YAML document: what a run needs.
#[must_use]
pub fn head() -> &'static Shape {
    static HEAD: LazyLock<Shape> = LazyLock::new(head_shape);
    &HEAD
}

/// 1 to 8 capitals and 3 digits.
fn is_id(text: &str) -> bool {
    let capitals = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (1..=8).contains(&capitals.len())
        && capitals.bytes().all(|b| b.is_ascii_uppercase())
        && text.len() == capitals.len() + 3
}

fn head_shape() -> Shape {
    let named = || {
        list(Shape::Object(vec![
            required(
                "name",
                text(),
                "name of the value; variables are read as `variables.<name>`",
            ),
            required("expression", text(), "CEL expression"),
        ]))
    };
    Shape::Object(vec![
        required(
            "id",
            Shape::Tested("^[A-Z]{1,8}[0-9]{3}$", is_id),
            "1 to 8 capitals and 3 digits, never reused",
        ),
        required(
            "summary",
            text(),
            "one line, lower case, no full stop: what is wrong",
        ),
        required(
            "severity",
            one_of(SEVERITIES),
            "severity of every finding of the rule",
        ),
        required(
            "confidence",
            one_of(CONFIDENCES),
            "confidence unless a finding rests on assumption",
        ),
        required("since", text(), "first version that has the rule"),
        required("subject", one_of(SUBJECTS), "what is judged, one at a time"),
        optional(
            "source",
            one_of(&["engine"]),
            "`engine`: raised by the program itself, has no expressions",
        ),
        optional(
            "match",
            list(text()),
            "kinds of `resource` and `policy` rules: `Deployment`, `security.istio.io/PeerAuthentication`",
        ),
        optional(
            "params",
            map(Shape::Any),
            "parameters by name, each a JSON Schema (type, enum, items, properties, default, minimum, maximum, pattern)",
        ),
        optional("variables", named(), "values computed once, on first use"),
        optional(
            "matchConditions",
            named(),
            "the rule applies where all are true",
        ),
        optional("validations", list(validation()), "what must be true"),
        optional(
            "supersedes",
            list(text()),
            "rules that would report the same cause",
        ),
        optional("references", list(text()), "links for the reader"),
        optional("controls", list(text()), "framework controls"),
    ])
}

fn validation() -> Shape {
    Shape::Object(vec![
        required("expression", text(), "CEL expression; true = compliant"),
        optional("message", text(), "what is wrong, fixed"),
        optional(
            "messageExpression",
            text(),
            "CEL expression that says what is wrong",
        ),
        optional(
            "each",
            text(),
            "CEL expression of a list; its elements are judged one by one as `item`",
        ),
        optional(
            "at",
            text(),
            "the fact or field to point at, relative to `item` under `each`",
        ),
        optional(
            "reason",
            text(),
            "accepted for ValidatingAdmissionPolicy's sake, not used",
        ),
    ])
}

/// The second YAML document: what readers and tests need.
#[must_use]
pub fn tail() -> Shape {
    Shape::Object(vec![
        required("why", text(), "markdown: why it matters"),
        required("fix", text(), "markdown: how to fix it"),
        required(
            "examples",
            list(example()),
            "one that fails, one that passes, one unknown where a fact can be unknown",
        ),
    ])
}

fn example() -> Shape {
    Shape::Object(vec![
        required("name", text(), "what the example shows"),
        optional(
            "input",
            text(),
            "manifests; `# expect: ID` and `# unknown: ID` stand on the line they mean",
        ),
        optional("files", map(text()), "manifests by path"),
        optional("assume", Shape::Any, "as in meshgov.yaml"),
        optional("params", Shape::Any, "parameter values of the rule"),
        optional("base", text(), "manifests before the change"),
        optional("head", text(), "manifests after the change"),
    ])
}

/// JSON Schema of a rule file's documents.
#[must_use]
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "meshgov rule file: first document what a run needs, second what readers and tests need",
        "anyOf": [head().to_json_schema(), tail().to_json_schema()],
    })
}
