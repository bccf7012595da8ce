//! `+ - * / %` and negation (cel-spec, "List of Standard Definitions"). Input: two known values; output: their result,
//! or overflow, division by zero, no overload.

use std::sync::Arc;

use crate::cel::equal::as_list;
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::fuel::Fuel;
use crate::cel::plan::Arithmetic;
use crate::cel::time;
use crate::cel::value::{List, Value};

/// `-value`.
pub(crate) fn negate<'a>(value: &Value<'a>) -> Result<Value<'a>, CallError> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(OVERFLOW()),
        Value::Double(number) => Ok(Value::Double(-number)),
        Value::Duration(duration) => time::negate(*duration).map(Value::Duration),
        _ => Err(CallError::bare(ErrorKind::NoOverload)),
    }
}

#[expect(non_snake_case, reason = "reads as the constant it stands for")]
fn OVERFLOW() -> CallError {
    CallError::bare(ErrorKind::Overflow)
}

/// `left op right`.
pub(crate) fn apply<'a>(
    op: Arithmetic,
    left: &Value<'a>,
    right: &Value<'a>,
    fuel: &mut Fuel,
) -> Result<Value<'a>, CallError> {
    match (left, right) {
        (Value::Int(one), Value::Int(two)) => ints(op, *one, *two).map(Value::Int),
        (Value::Uint(one), Value::Uint(two)) => uints(op, *one, *two).map(Value::Uint),
        (Value::Double(one), Value::Double(two)) => doubles(op, *one, *two),
        (Value::Duration(one), Value::Duration(two)) => match op {
            Arithmetic::Add => time::add(*one, *two).map(Value::Duration),
            Arithmetic::Subtract => time::subtract(*one, *two).map(Value::Duration),
            _ => Err(CallError::bare(ErrorKind::NoOverload)),
        },
        (Value::Timestamp(at), Value::Duration(by)) => match op {
            Arithmetic::Add => time::shift(*at, *by).map(Value::Timestamp),
            Arithmetic::Subtract => time::shift(*at, time::negate(*by)?).map(Value::Timestamp),
            _ => Err(CallError::bare(ErrorKind::NoOverload)),
        },
        (Value::Duration(by), Value::Timestamp(at)) if op == Arithmetic::Add => {
            time::shift(*at, *by).map(Value::Timestamp)
        }
        (Value::Timestamp(one), Value::Timestamp(two)) if op == Arithmetic::Subtract => {
            time::between(*one, *two).map(Value::Duration)
        }
        _ if op == Arithmetic::Add => concatenate(left, right, fuel),
        _ => Err(CallError::bare(ErrorKind::NoOverload)),
    }
}

fn ints(op: Arithmetic, one: i64, two: i64) -> Result<i64, CallError> {
    if two == 0 && matches!(op, Arithmetic::Divide | Arithmetic::Modulo) {
        return Err(CallError::bare(ErrorKind::DivideByZero));
    }
    match op {
        Arithmetic::Add => one.checked_add(two),
        Arithmetic::Subtract => one.checked_sub(two),
        Arithmetic::Multiply => one.checked_mul(two),
        Arithmetic::Divide => one.checked_div(two),
        Arithmetic::Modulo => one.checked_rem(two),
    }
    .ok_or(OVERFLOW())
}

fn uints(op: Arithmetic, one: u64, two: u64) -> Result<u64, CallError> {
    if two == 0 && matches!(op, Arithmetic::Divide | Arithmetic::Modulo) {
        return Err(CallError::bare(ErrorKind::DivideByZero));
    }
    match op {
        Arithmetic::Add => one.checked_add(two),
        Arithmetic::Subtract => one.checked_sub(two),
        Arithmetic::Multiply => one.checked_mul(two),
        Arithmetic::Divide => one.checked_div(two),
        Arithmetic::Modulo => one.checked_rem(two),
    }
    .ok_or(OVERFLOW())
}

fn doubles<'a>(op: Arithmetic, one: f64, two: f64) -> Result<Value<'a>, CallError> {
    Ok(Value::Double(match op {
        Arithmetic::Add => one + two,
        Arithmetic::Subtract => one - two,
        Arithmetic::Multiply => one * two,
        Arithmetic::Divide => one / two,
        Arithmetic::Modulo => return Err(CallError::bare(ErrorKind::NoOverload)),
    }))
}

fn concatenate<'a>(
    left: &Value<'a>,
    right: &Value<'a>,
    fuel: &mut Fuel,
) -> Result<Value<'a>, CallError> {
    if let (Some(one), Some(two)) = (left.as_str(), right.as_str()) {
        fuel.charge_bytes(one.len() + two.len())?;
        let mut text = String::with_capacity(one.len() + two.len());
        text.push_str(one);
        text.push_str(two);
        return Ok(Value::text(text));
    }
    if let (Value::Bytes(one), Value::Bytes(two)) = (left, right) {
        fuel.charge_bytes(one.len() + two.len())?;
        return Ok(Value::Bytes([one.as_ref(), two.as_ref()].concat().into()));
    }
    let (Some(one), Some(two)) = (as_list(left), as_list(right)) else {
        return Err(CallError::bare(ErrorKind::NoOverload));
    };
    fuel.charge_elements(one.len() + two.len())?;
    let open = |value: &Value<'a>| match value {
        Value::List(list) => list.open().cloned(),
        _ => None,
    };
    let open = match (open(left), open(right)) {
        (Some(one), Some(two)) => Some(one.merge(&two)),
        (one, two) => one.or(two),
    };
    let items = one.items().chain(two.items()).collect();
    List::new(items, open).map(|list| Value::List(Arc::new(list)))
}
