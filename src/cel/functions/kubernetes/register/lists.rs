//! Rows of the list library.

use crate::cel::arithmetic;
use crate::cel::equal::{as_list, compare, equal};
use crate::cel::error::CallError;
use crate::cel::evaluate::Truth;
use crate::cel::functions::kubernetes::lists;
use crate::cel::functions::opaque::{exactly, invalid, member, no_overload};
use crate::cel::functions::{CallContext, Function};
use crate::cel::plan::Arithmetic;
use crate::cel::types::Type;
use crate::cel::value::Value;

const LIST: Type = Type::List(&Type::Dyn);

pub(super) fn rows() -> Vec<Function> {
    [ordering(), searching()].concat()
}

fn ordering() -> Vec<Function> {
    let only = &[LIST];
    vec![
        member(
            "isSorted",
            only,
            Type::Bool,
            "Whether no element is greater than the next.",
            |context, arguments| {
                let items = comparable(context, arguments)?;
                lists::is_sorted(&items, compare).map(Value::Bool)
            },
        ),
        member(
            "min",
            only,
            Type::Dyn,
            "The least element; an error when there is none.",
            |context, arguments| {
                let items = comparable(context, arguments)?;
                let least = lists::min(&items, compare)?;
                least
                    .cloned()
                    .ok_or_else(|| invalid("min called on empty list"))
            },
        ),
        member(
            "max",
            only,
            Type::Dyn,
            "The greatest element; an error when there is none.",
            |context, arguments| {
                let items = comparable(context, arguments)?;
                let greatest = lists::max(&items, compare)?;
                greatest
                    .cloned()
                    .ok_or_else(|| invalid("max called on empty list"))
            },
        ),
        member(
            "sum",
            only,
            Type::Dyn,
            "The sum of numbers or durations; 0 when there are none.",
            sum,
        ),
    ]
}

fn searching() -> Vec<Function> {
    let with_element = &[LIST, Type::Dyn];
    vec![
        member(
            "indexOf",
            with_element,
            Type::Int,
            "The first position of the element, or -1.",
            |context, arguments| {
                let [list, wanted] = exactly(arguments)?;
                let items = elements(context, list)?;
                lists::index_of(&items, |item| is_equal(item, wanted, context)).map(Value::Int)
            },
        ),
        member(
            "lastIndexOf",
            with_element,
            Type::Int,
            "The last position of the element, or -1.",
            |context, arguments| {
                let [list, wanted] = exactly(arguments)?;
                let items = elements(context, list)?;
                lists::last_index_of(&items, |item| is_equal(item, wanted, context)).map(Value::Int)
            },
        ),
        member(
            "includes",
            &[Type::Dyn, Type::Dyn],
            Type::Bool,
            "Whether a list has the element, or a single value equals it.",
            |context, arguments| {
                let [target, wanted] = exactly(arguments)?;
                let items = match as_list(target) {
                    Some(_) => elements(context, target)?,
                    None => vec![target.clone()],
                };
                let index = lists::index_of(&items, |item| is_equal(item, wanted, context))?;
                Ok(Value::Bool(index >= 0))
            },
        ),
    ]
}

fn sum<'a>(context: &mut CallContext<'_>, arguments: &[Value<'a>]) -> Result<Value<'a>, CallError> {
    let [list] = exactly(arguments)?;
    let items = elements(context, list)?;
    let summable = |value: &Value<'_>| {
        matches!(
            value,
            Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)
        )
    };
    if !items.iter().all(summable) {
        return Err(no_overload());
    }
    let total = lists::sum(&items, |total, item| {
        arithmetic::apply(Arithmetic::Add, &total, item, context.fuel)
    })?;
    Ok(total.unwrap_or(Value::Int(0)))
}

/// The elements of a list whose order is asked for; a single element must have an order too.
fn comparable<'a>(
    context: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Vec<Value<'a>>, CallError> {
    let [list] = exactly(arguments)?;
    let items = elements(context, list)?;
    if let Some(first) = items.first() {
        compare(first, first)?;
    }
    Ok(items)
}

/// The elements with their scalars read.
fn elements<'a>(
    context: &mut CallContext<'_>,
    list: &Value<'a>,
) -> Result<Vec<Value<'a>>, CallError> {
    let view = as_list(list).ok_or_else(no_overload)?;
    context.fuel.charge_elements(view.len())?;
    Ok(view.items().map(Value::lift).collect())
}

fn is_equal(
    item: &Value<'_>,
    wanted: &Value<'_>,
    context: &mut CallContext<'_>,
) -> Result<bool, CallError> {
    Ok(equal(item, wanted, context.fuel)? == Truth::True)
}
