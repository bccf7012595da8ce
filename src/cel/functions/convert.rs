//! Conversions between types (cel-spec, "Type Conversions"). Input: a value; output: the value as another type, or a range
//! or syntax error.

use std::sync::Arc;

use super::{Body, CallContext, Function};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::number;
use crate::cel::time;
use crate::cel::types::Type;
use crate::cel::value::Value;

type Converted<'a> = Result<Value<'a>, CallError>;

pub(super) fn rows() -> Vec<Function> {
    use Type::{Bool, Bytes, Double, Duration, Dyn, Int, String, Timestamp, Uint};
    let mut rows = Vec::new();
    let mut add =
        |name: &'static str, from: &[Type], to: Type, doc: &'static str, body: super::Builtin| {
            for ty in from {
                rows.push(Function::global(name, &[*ty], to, doc, Body::Builtin(body)));
            }
        };
    add(
        "bool",
        &[Bool, String],
        Bool,
        "The value as a boolean.",
        to_bool,
    );
    add(
        "int",
        &[Int, Uint, Double, String, Timestamp, Duration],
        Int,
        "The value as a signed integer.",
        to_int,
    );
    add(
        "uint",
        &[Int, Uint, Double, String],
        Uint,
        "The value as an unsigned integer.",
        to_uint,
    );
    add(
        "double",
        &[Int, Uint, Double, String],
        Double,
        "The value as a floating-point number.",
        to_double,
    );
    add(
        "string",
        &[Dyn],
        String,
        "The value as a string.",
        to_string,
    );
    add(
        "bytes",
        &[String, Bytes],
        Bytes,
        "The value as bytes.",
        to_bytes,
    );
    add(
        "timestamp",
        &[String, Int, Timestamp],
        Timestamp,
        "A point in time from RFC 3339 text or seconds since 1970.",
        to_timestamp,
    );
    add(
        "duration",
        &[String, Int, Duration],
        Duration,
        "A span of time from text such as `1h30m` or from nanoseconds.",
        to_duration,
    );
    rows
}

fn range(what: &str) -> CallError {
    CallError::new(ErrorKind::Overflow, format!("{what} out of range"))
}

fn none() -> CallError {
    CallError::bare(ErrorKind::NoOverload)
}

fn to_bool<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    match args.first() {
        Some(Value::Bool(value)) => Ok(Value::Bool(*value)),
        Some(value) => match value.as_str() {
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Value::Bool(true)),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Value::Bool(false)),
            Some(text) => Err(CallError::invalid(format!("not a bool: `{text}`"))),
            None => Err(none()),
        },
        None => Err(none()),
    }
}

fn to_int<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    let number = match args.first() {
        Some(Value::Int(number)) => Some(*number),
        Some(Value::Uint(number)) => i64::try_from(*number).ok(),
        Some(Value::Double(number)) => number::to_i64(*number),
        Some(Value::Timestamp(at)) => Some(at.seconds),
        Some(Value::Duration(duration)) => {
            i64::try_from(i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos))
                .ok()
        }
        Some(value) => {
            let text = value.as_str().ok_or_else(none)?;
            return text
                .parse()
                .map(Value::Int)
                .map_err(|_| CallError::invalid(format!("not an int: `{text}`")));
        }
        None => return Err(none()),
    };
    number.map(Value::Int).ok_or_else(|| range("int"))
}

fn to_uint<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    let number = match args.first() {
        Some(Value::Uint(number)) => Some(*number),
        Some(Value::Int(number)) => u64::try_from(*number).ok(),
        Some(Value::Double(number)) => number::to_u64(*number),
        Some(value) => {
            let text = value.as_str().ok_or_else(none)?;
            return text
                .parse()
                .map(Value::Uint)
                .map_err(|_| CallError::invalid(format!("not a uint: `{text}`")));
        }
        None => return Err(none()),
    };
    number.map(Value::Uint).ok_or_else(|| range("uint"))
}

fn to_double<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    Ok(Value::Double(match args.first() {
        Some(Value::Double(number)) => *number,
        Some(Value::Int(number)) => number::to_f64(*number),
        Some(Value::Uint(number)) => number::uint_to_f64(*number),
        Some(value) => {
            let text = value.as_str().ok_or_else(none)?;
            text.parse()
                .map_err(|_| CallError::invalid(format!("not a double: `{text}`")))?
        }
        None => return Err(none()),
    }))
}

fn to_string<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    let text = match args.first() {
        Some(value @ (Value::Str(_) | Value::Text(_))) => return Ok(value.clone()),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Uint(number)) => number.to_string(),
        Some(Value::Double(number)) => double_text(*number),
        Some(Value::Bytes(bytes)) => {
            context.fuel.charge_bytes(bytes.len())?;
            std::str::from_utf8(bytes)
                .map_err(|_| CallError::invalid("bytes are not UTF-8"))?
                .to_owned()
        }
        Some(Value::Timestamp(at)) => time::timestamp_text(*at),
        Some(Value::Duration(duration)) => time::duration_text(*duration),
        Some(Value::Opaque(value)) => value.to_text().ok_or_else(none)?,
        _ => return Err(none()),
    };
    Ok(Value::text(text))
}

/// Go's `strconv.FormatFloat(x, 'g', -1, 64)`, which cel-go prints doubles with: the shortest digits that read back, with
/// an exponent below 1e-4 and from 1e6 on (`strconv/ftoa.go`, case 'g').
pub(crate) fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

fn to_bytes<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    match args.first() {
        Some(value @ Value::Bytes(_)) => Ok(value.clone()),
        Some(value) => {
            let text = value.as_str().ok_or_else(none)?;
            context.fuel.charge_bytes(text.len())?;
            Ok(Value::Bytes(Arc::from(text.as_bytes())))
        }
        None => Err(none()),
    }
}

fn to_timestamp<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    match args.first() {
        Some(value @ Value::Timestamp(_)) => Ok(value.clone()),
        Some(Value::Int(seconds)) => time::timestamp(*seconds, 0).map(Value::Timestamp),
        Some(value) => {
            time::parse_timestamp(value.as_str().ok_or_else(none)?).map(Value::Timestamp)
        }
        None => Err(none()),
    }
}

fn to_duration<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Converted<'a> {
    match args.first() {
        Some(value @ Value::Duration(_)) => Ok(value.clone()),
        Some(Value::Int(nanos)) => time::from_nanos(i128::from(*nanos)).map(Value::Duration),
        Some(value) => time::parse_duration(value.as_str().ok_or_else(none)?).map(Value::Duration),
        None => Err(none()),
    }
}
