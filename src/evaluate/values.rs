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

/// `request` of an object: what its admission would say, as far as files tell. `old` is its `oldObject`.
#[must_use]
pub fn request<'v>(member: &Member, old: &Value<'v>) -> Value<'v> {
    let resource = &member.resource;
    let operation = match old {
        Value::Null => "CREATE",
        _ => "UPDATE",
    };
    let request = of_json(&serde_json::json!({
        "operation": operation,
        "dryRun": false,
        "kind": {
            "group": resource.group(),
            "version": resource.version,
            "kind": resource.kind(),
        },
        "namespace": member.namespace.as_str(),
        "name": resource.name,
    }));
    // Where nobody can tell whether the object is new, nobody can tell the operation.
    let Value::Map(map) = &request else {
        return request;
    };
    if !matches!(old, Value::Unknown(_)) {
        return request;
    }
    let mut entries: BTreeMap<_, _> = map.entries().iter().cloned().collect();
    entries.insert(MapKey::Text(Arc::from("operation")), old.clone());
    Value::map(entries).unwrap_or(Value::Null)
}
