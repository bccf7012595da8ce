//! Optional values (cel-spec, optionals). Input: values; output: optionals and what they hold.

use std::sync::Arc;

use super::{Body, CallContext, Function};
use crate::cel::equal::{as_list, as_map};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::types::Type;
use crate::cel::value::{MAX_VALUE_DEPTH, Value};

type Called<'a> = Result<Value<'a>, CallError>;

pub(super) fn rows() -> Vec<Function> {
    const ANY: Type = Type::Optional(&Type::Dyn);
    const LIST: Type = Type::List(&Type::Dyn);
    use Type::{Bool, Dyn};
    vec![
        Function::global(
            "optional.none",
            &[],
            ANY,
            "An optional without a value.",
            Body::Builtin(none),
        ),
        Function::global(
            "optional.of",
            &[Dyn],
            ANY,
            "An optional with this value.",
            Body::Builtin(of),
        ),
        Function::global(
            "optional.ofNonZeroValue",
            &[Dyn],
            ANY,
            "An optional with this value unless it is empty, zero, false or null.",
            Body::Builtin(of_non_zero),
        ),
        Function::global(
            "optional.unwrap",
            &[LIST],
            LIST,
            "The values of the optionals that have one.",
            Body::Builtin(unwrap),
        ),
        Function::member(
            "unwrapOpt",
            &[LIST],
            LIST,
            "The values of the optionals that have one.",
            Body::Builtin(unwrap),
        ),
        Function::member(
            "hasValue",
            &[ANY],
            Bool,
            "Whether the optional has a value.",
            Body::Builtin(has_value),
        ),
        Function::member(
            "value",
            &[ANY],
            Dyn,
            "The optional's value; an error without one.",
            Body::Builtin(value),
        ),
        Function::member(
            "or",
            &[ANY, ANY],
            ANY,
            "The optional, or the other when it has no value.",
            Body::Planned,
        ),
        Function::member(
            "orValue",
            &[ANY, Dyn],
            Dyn,
            "The optional's value, or the given one.",
            Body::Planned,
        ),
    ]
}

fn none<'a>(_: &mut CallContext<'_>, _: &[Value<'a>]) -> Called<'a> {
    Ok(Value::Optional(None))
}

fn of<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let value = args
        .first()
        .ok_or_else(|| CallError::bare(ErrorKind::Arity))?;
    if value.depth() >= MAX_VALUE_DEPTH {
        return Err(CallError::new(
            ErrorKind::Limit,
            "optionals nested too deep",
        ));
    }
    Ok(Value::Optional(Some(Arc::new(value.clone()))))
}

fn of_non_zero<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let zero = match args.first() {
        None | Some(Value::Null | Value::Bool(false) | Value::Int(0) | Value::Uint(0)) => true,
        Some(Value::Double(number)) => *number == 0.0,
        Some(Value::Bytes(bytes)) => bytes.is_empty(),
        Some(Value::Duration(duration)) => duration.seconds == 0 && duration.nanos == 0,
        Some(Value::Timestamp(at)) => at.seconds == 0 && at.nanos == 0,
        Some(Value::Optional(inner)) => inner.is_none(),
        Some(value) => {
            value.as_str().is_some_and(str::is_empty)
                || as_list(value).is_some_and(|list| list.is_empty())
                || as_map(value).is_some_and(|map| map.len() == 0)
        }
    };
    if zero {
        none(context, args)
    } else {
        of(context, args)
    }
}

fn unwrap<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let list = args.first().and_then(as_list);
    let list = list.ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
    context.fuel.charge_elements(list.len())?;
    let mut out = Vec::new();
    for item in list.items() {
        match item {
            Value::Optional(None) => {}
            Value::Optional(Some(inner)) => out.push((*inner).clone()),
            _ => return Err(CallError::bare(ErrorKind::NoOverload)),
        }
    }
    Value::list(out)
}

fn has_value<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    match args.first() {
        Some(Value::Optional(inner)) => Ok(Value::Bool(inner.is_some())),
        _ => Err(CallError::bare(ErrorKind::NoOverload)),
    }
}

fn value<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    match args.first() {
        Some(Value::Optional(Some(inner))) => Ok((**inner).clone()),
        Some(Value::Optional(None)) => Err(CallError::invalid("the optional has no value")),
        _ => Err(CallError::bare(ErrorKind::NoOverload)),
    }
}
