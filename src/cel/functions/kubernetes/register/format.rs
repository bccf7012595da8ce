//! The row of `string.format`.

use crate::cel::equal::{as_list, as_map};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::functions::kubernetes::format::{
    Argument, Piece, Verb, double_text, format_argument, pieces,
};
use crate::cel::functions::opaque::{charged_text, exactly, invalid, member, no_overload};
use crate::cel::functions::{CallContext, Function};
use crate::cel::time;
use crate::cel::types::Type;
use crate::cel::value::{MAX_VALUE_DEPTH, Value};

pub(super) fn rows() -> Vec<Function> {
    vec![member(
        "format",
        &[Type::String, Type::List(&Type::Dyn)],
        Type::String,
        "The string with its clauses (`%s %d %f %e %b %x %X %o %%`) filled from the list.",
        format,
    )]
}

fn format<'a>(
    context: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let [format, list] = exactly(arguments)?;
    let format = charged_text(context, format)?;
    let list = as_list(list).ok_or_else(no_overload)?;
    let mut values = list.items().map(Value::lift);
    let mut out = String::new();
    for piece in pieces(format).map_err(invalid)? {
        let start = out.len();
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Clause(verb) => {
                let value = values.next();
                let value = value.ok_or_else(|| invalid("more clauses than arguments"))?;
                match verb {
                    Verb::String => write_value(context, &mut out, &value, 0)?,
                    verb => {
                        out.push_str(&format_argument(verb, argument(&value)).map_err(invalid)?);
                    }
                }
            }
        }
        context.fuel.charge_bytes(out.len() - start)?;
    }
    Ok(Value::text(out))
}

/// The value as the clauses other than `%s` see it.
fn argument<'v>(value: &'v Value<'_>) -> Argument<'v> {
    match value {
        Value::Bool(value) => Argument::Bool(*value),
        Value::Int(value) => Argument::Int(*value),
        Value::Uint(value) => Argument::Uint(*value),
        Value::Double(value) => Argument::Double(*value),
        Value::Bytes(value) => Argument::Bytes(value),
        value => match value.as_str() {
            Some(text) => Argument::String(text),
            None => Argument::Other(value.type_name()),
        },
    }
}

/// Appends what `%s` prints; maps are ordered by the text of their keys.
fn write_value(
    context: &mut CallContext<'_>,
    out: &mut String,
    value: &Value<'_>,
    depth: u8,
) -> Result<(), CallError> {
    if depth > MAX_VALUE_DEPTH {
        return Err(CallError::bare(ErrorKind::Limit));
    }
    context.fuel.charge(1)?;
    match value {
        Value::Null => out.push_str("null"),
        Value::Type(name) => out.push_str(name),
        Value::Timestamp(value) => out.push_str(&time::timestamp_text(*value)),
        Value::Duration(value) => {
            #[expect(
                clippy::cast_precision_loss,
                reason = "cel-go prints seconds as a double"
            )]
            let seconds = value.seconds as f64 + f64::from(value.nanos) / 1e9;
            out.push_str(&double_text(seconds));
            out.push('s');
        }
        value => {
            if let Some(list) = as_list(value) {
                write_list(context, out, list.items().map(Value::lift), depth)?;
            } else if let Some(map) = as_map(value) {
                let mut entries = Vec::with_capacity(map.len());
                for (key, item) in map.entries() {
                    let mut entry = (String::new(), String::new());
                    write_value(context, &mut entry.0, &key.to_value(), depth + 1)?;
                    write_value(context, &mut entry.1, &item.lift(), depth + 1)?;
                    entries.push(entry);
                }
                entries.sort();
                let texts = entries.iter().map(|(key, item)| format!("{key}: {item}"));
                out.push_str(&format!("{{{}}}", texts.collect::<Vec<_>>().join(", ")));
            } else {
                let text = format_argument(Verb::String, argument(value)).map_err(invalid)?;
                context.fuel.charge_bytes(text.len())?;
                out.push_str(&text);
            }
        }
    }
    Ok(())
}

fn write_list<'v>(
    context: &mut CallContext<'_>,
    out: &mut String,
    items: impl Iterator<Item = Value<'v>>,
    depth: u8,
) -> Result<(), CallError> {
    out.push('[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write_value(context, out, &item, depth + 1)?;
    }
    out.push(']');
    Ok(())
}
