//! L2: the content hash in names of generated objects. Input: a ConfigMap or Secret; output: ten characters.
//!
//! Semantics: kustomize api v0.18.0, hasher/hasher.go: SHA-256 over JSON with sorted keys, written as Go writes it.
//! NOTE: it looks the name up under a field called `metadata/name`, so the name is always empty there.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::kustomize::node::{Node, Value};
use crate::yaml::Kind;

/// The hash that is appended to the name.
pub(crate) fn hash(object: &Node<'_>) -> String {
    let secret = object.get("kind").is_some_and(|k| k.text() == "Secret");
    let mut fields: BTreeMap<&str, Json> = BTreeMap::new();
    fields.insert("kind", object.get("kind").map_or("", Node::text).into());
    fields.insert("name", "".into());
    fields.insert("data", part(object, "data"));
    if secret {
        fields.insert("type", part(object, "type"));
    }
    let optional = if secret { "stringData" } else { "binaryData" };
    let more = part(object, optional);
    if more.is_object() {
        fields.insert(optional, more);
    }
    let json = go_json(&serde_json::to_string(&fields).unwrap_or_default());
    let digest = Sha256::digest(json.as_bytes());
    let hex: String = digest.iter().take(5).map(|b| format!("{b:02x}")).collect();
    hex.chars()
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            c => c,
        })
        .collect()
}

fn part(object: &Node<'_>, field: &str) -> Json {
    match object.get(field) {
        Some(node) => match node.value {
            Value::Scalar(..) => node.text().into(),
            _ => json(node),
        },
        None => "".into(),
    }
}

fn json(node: &Node<'_>) -> Json {
    match &node.value {
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(_) => {
            let sorted: BTreeMap<&str, Json> = (node.entries().iter())
                .map(|e| (&*e.key.text, json(&e.value)))
                .collect();
            sorted
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Scalar(kind, text) => match kind {
            Kind::Null => Json::Null,
            Kind::Bool => text.eq_ignore_ascii_case("true").into(),
            Kind::Int | Kind::Float => {
                serde_json::from_str(text).unwrap_or_else(|_| (&**text).into())
            }
            _ => (&**text).into(),
        },
    }
}

/// Go's encoder escapes what HTML or JavaScript would misread.
fn go_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}
