//! Printing values for traces and messages. Input: a value; output: CEL-like text of bounded length.

use std::fmt::Write as _;

use crate::cel::equal::{as_list, as_map};
use crate::cel::time;
use crate::cel::value::{MapKey, Value};

/// Longest printed value in bytes; the rest is cut.
const MAX_PRINTED: usize = 400;

impl Value<'_> {
    /// The value as a person would write it in CEL, cut after some 400 bytes.
    #[must_use]
    pub fn to_display(&self) -> String {
        let mut out = String::new();
        write_value(&mut out, self);
        out
    }
}

fn write_value(out: &mut String, value: &Value<'_>) {
    if out.len() > MAX_PRINTED {
        if !out.ends_with('…') {
            out.push('…');
        }
        return;
    }
    // Writing to a String cannot fail.
    let mut put = |text: std::fmt::Arguments<'_>| {
        out.write_fmt(text).unwrap_or_default();
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => put(format_args!("{value}")),
        Value::Int(value) => put(format_args!("{value}")),
        Value::Uint(value) => put(format_args!("{value}u")),
        Value::Double(value) => put(format_args!("{value:?}")),
        Value::Str(_) | Value::Text(_) => write_text(out, value.as_str().unwrap_or("")),
        Value::Bytes(bytes) => put(format_args!("b\"{}\"", bytes.escape_ascii())),
        Value::Duration(value) => put(format_args!(
            "duration(\"{}\")",
            time::duration_text(*value)
        )),
        Value::Timestamp(value) => {
            put(format_args!(
                "timestamp(\"{}\")",
                time::timestamp_text(*value)
            ));
        }
        Value::Type(name) => out.push_str(name),
        Value::Optional(None) => out.push_str("optional.none()"),
        Value::Optional(Some(inner)) => {
            out.push_str("optional.of(");
            write_value(out, inner);
            out.push(')');
        }
        Value::Opaque(value) => match value.to_text() {
            Some(text) => put(format_args!("{}({text:?})", value.type_name())),
            None => out.push_str(value.type_name()),
        },
        Value::Unknown(_) => out.push_str("unknown"),
        Value::Record(record) => put(format_args!("{{{}}}", record.record_type().name)),
        Value::Node(_) | Value::Field(..) | Value::List(_) | Value::Map(_) => {
            write_collection(out, value);
        }
    }
}

fn write_collection(out: &mut String, value: &Value<'_>) {
    if let Some(list) = as_list(value) {
        out.push('[');
        for (position, item) in list.items().enumerate() {
            if position > 0 {
                out.push_str(", ");
            }
            write_value(out, &item);
            if out.ends_with('…') {
                break;
            }
        }
        out.push(']');
    } else if let Some(map) = as_map(value) {
        out.push('{');
        for (position, (key, item)) in map.entries().enumerate() {
            if position > 0 {
                out.push_str(", ");
            }
            match &key {
                MapKey::Str(text) => write_text(out, text),
                MapKey::Text(text) => write_text(out, text),
                key => write_value(out, &key.to_value()),
            }
            out.push_str(": ");
            write_value(out, &item);
            if out.ends_with('…') {
                break;
            }
        }
        out.push('}');
    } else {
        write_value(out, &value.lifted());
    }
}

fn write_text(out: &mut String, text: &str) {
    let cut: String = text.chars().take(MAX_PRINTED).collect();
    out.push('"');
    for c in cut.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let escaped = c.escape_unicode().to_string();
                out.push_str(&escaped);
            }
            c => out.push(c),
        }
    }
    if cut.len() < text.len() {
        out.push('…');
    }
    out.push('"');
}
