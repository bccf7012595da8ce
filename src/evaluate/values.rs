//! L6: values that evaluation itself provides. Input: JSON and members of a view; output: CEL values.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::cel::{MapKey, Value};
use crate::view::Member;

/// JSON as a CEL value; `null` in place of what nests too deep.
#[must_use]
pub fn of_json(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::Uint))
            .or_else(|| number.as_f64().map(Value::Double))
            .unwrap_or(Value::Null),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => {
            Value::list(items.iter().map(of_json).collect()).unwrap_or(Value::Null)
        }
        Json::Object(entries) => {
            let key = |name: &String| MapKey::Text(Arc::from(name.as_str()));
            let entries: BTreeMap<_, _> =
                entries.iter().map(|(k, v)| (key(k), of_json(v))).collect();
            Value::map(entries).unwrap_or(Value::Null)
        }
    }
}

/// `request` of an object: what its admission would say, as far as files tell.
#[must_use]
pub fn request(member: &Member) -> Value<'static> {
    let resource = &member.resource;
    of_json(&serde_json::json!({
        "operation": "CREATE",
        "dryRun": false,
        "kind": {
            "group": resource.group(),
            "version": resource.version,
            "kind": resource.kind(),
        },
        "namespace": member.namespace.as_str(),
        "name": resource.name,
    }))
}
