//! What the CEL suites share: files of ../shared and values written as JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use meshgov::cel::{Duration, MapKey, Timestamp, Value};
use serde_json::Value as Json;

/// A path below ../shared; a missing file fails the test that reads it.
pub(crate) fn shared(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path)
}

/// A value of the conformance file; `None` for protobuf.
pub(crate) fn value(json: &Json) -> Option<Value<'static>> {
    let text = || json["v"].as_str();
    Some(match json["t"].as_str()? {
        "null" => Value::Null,
        "bool" => Value::Bool(json["v"].as_bool()?),
        "int" => Value::Int(text()?.parse().ok()?),
        "uint" => Value::Uint(text()?.parse().ok()?),
        "double" => Value::Double(match text()? {
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            "nan" => f64::NAN,
            number => number.parse().ok()?,
        }),
        "string" => Value::text(text()?),
        "bytes" => Value::Bytes(
            json["v"]
                .as_array()?
                .iter()
                .map(|byte| u8::try_from(byte.as_u64()?).ok())
                .collect::<Option<Vec<u8>>>()?
                .into(),
        ),
        "list" => Value::list(
            json["v"]
                .as_array()?
                .iter()
                .map(value)
                .collect::<Option<_>>()?,
        )
        .ok()?,
        "map" => {
            let mut map = BTreeMap::new();
            for entry in json["v"].as_array()? {
                let key = match value(&entry[0])? {
                    Value::Bool(key) => MapKey::Bool(key),
                    Value::Int(key) => MapKey::Int(key),
                    Value::Uint(key) => MapKey::Uint(key),
                    Value::Text(key) => MapKey::Text(key),
                    _ => return None,
                };
                map.insert(key, value(&entry[1])?);
            }
            Value::map(map).ok()?
        }
        "duration" => Value::Duration(Duration {
            seconds: json["v"][0].as_str()?.parse().ok()?,
            nanos: i32::try_from(json["v"][1].as_i64()?).ok()?,
        }),
        "timestamp" => Value::Timestamp(Timestamp {
            seconds: json["v"][0].as_str()?.parse().ok()?,
            nanos: u32::try_from(json["v"][1].as_u64()?).ok()?,
        }),
        _ => return None,
    })
}

/// Identity of values: same type, same content, NaN equal to itself. Keys of a map compare by number.
pub(crate) fn same(one: &Value<'_>, two: &Value<'_>) -> bool {
    match (one, two) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Uint(a), Value::Uint(b)) => a == b,
        (Value::Double(a), Value::Double(b)) => a == b || a.is_nan() && b.is_nan(),
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.items().len() == b.items().len()
                && a.items()
                    .iter()
                    .zip(b.items())
                    .all(|(a, b)| same(&a.lifted(), &b.lifted()))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.entries().len() == b.entries().len()
                && a.entries().iter().zip(b.entries()).all(|((k, a), (l, b))| {
                    same(&k.to_value(), &l.to_value()) && same(&a.lifted(), &b.lifted())
                })
        }
        (Value::Optional(a), Value::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => same(&a.lifted(), &b.lifted()),
            (None, None) => true,
            _ => false,
        },
        _ => match (one.as_str(), two.as_str()) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

/// Runs on a thread with room for the cel crate's recursion.
pub(crate) fn on_big_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap()
}

/// A shared function table.
pub(crate) fn functions() -> Arc<meshgov::cel::FunctionTable> {
    Arc::new(meshgov::cel::FunctionTable::standard())
}
