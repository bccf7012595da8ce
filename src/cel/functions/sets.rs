//! The sets extension (cel-go `ext/sets.go`): lists read as sets. Input: two lists; output: a boolean.

use super::{Body, Builtin, CallContext, Function};
use crate::cel::equal::{ListView, as_list, contains};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::evaluate::Truth;
use crate::cel::types::Type;
use crate::cel::value::Value;

const ANY: Type = Type::List(&Type::Dyn);

const ROWS: &[(&str, &str, Builtin)] = &[
    (
        "sets.contains",
        "Whether the first list has every element of the second.",
        contains_all,
    ),
    (
        "sets.equivalent",
        "Whether each list has every element of the other.",
        equivalent,
    ),
    (
        "sets.intersects",
        "Whether the lists have an element in common.",
        intersects,
    ),
];

pub(super) fn rows() -> Vec<Function> {
    ROWS.iter()
        .map(|(name, doc, body)| {
            Function::global(name, &[ANY, ANY], Type::Bool, doc, Body::Builtin(*body))
        })
        .collect()
}

fn has(
    context: &mut CallContext<'_>,
    list: &Value<'_>,
    items: &ListView<'_, '_>,
    all: bool,
) -> Result<bool, CallError> {
    for item in items.items() {
        let found = contains(list, &item.lift(), context.fuel)? == Truth::True;
        if found != all {
            return Ok(found);
        }
    }
    Ok(all)
}

fn pair<'v, 'a>(args: &'v [Value<'a>]) -> Result<(&'v Value<'a>, &'v Value<'a>), CallError> {
    match args {
        [one, two] => Ok((one, two)),
        _ => Err(CallError::bare(ErrorKind::Arity)),
    }
}

fn subset(
    context: &mut CallContext<'_>,
    list: &Value<'_>,
    part: &Value<'_>,
    all: bool,
) -> Result<bool, CallError> {
    let part = as_list(part).ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
    has(context, list, &part, all)
}

fn contains_all<'a>(
    context: &mut CallContext<'_>,
    args: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let (one, two) = pair(args)?;
    subset(context, one, two, true).map(Value::Bool)
}

fn equivalent<'a>(
    context: &mut CallContext<'_>,
    args: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let (one, two) = pair(args)?;
    let same = subset(context, one, two, true)? && subset(context, two, one, true)?;
    Ok(Value::Bool(same))
}

fn intersects<'a>(
    context: &mut CallContext<'_>,
    args: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let (one, two) = pair(args)?;
    subset(context, one, two, false).map(Value::Bool)
}
