//! The lists extension (cel-go `ext/lists.go`). Input: lists; output: lists and elements. A list that may have more
//! elements never gets here: it makes the call unknown.

use super::{Body, Builtin, CallContext, Function};
use crate::cel::equal::{as_list, equal};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::evaluate::{Truth, sorted};
use crate::cel::fuel::to_u64;
use crate::cel::types::Type;
use crate::cel::value::Value;

type Called<'a> = Result<Value<'a>, CallError>;

const ANY: Type = Type::List(&Type::Dyn);
use Type::{Dyn, Int};

const ROWS: &[(&str, &[Type], Type, &str, Builtin)] = &[
    (
        "distinct",
        &[ANY],
        ANY,
        "The list without repeated elements.",
        distinct,
    ),
    (
        "flatten",
        &[ANY],
        ANY,
        "The list with its lists' elements in their place.",
        flatten,
    ),
    (
        "flatten",
        &[ANY, Int],
        ANY,
        "The list flattened so many levels.",
        flatten,
    ),
    (
        "reverse",
        &[ANY],
        ANY,
        "The elements in reverse order.",
        reverse,
    ),
    (
        "slice",
        &[ANY, Int, Int],
        ANY,
        "The elements from one position up to another.",
        slice,
    ),
    (
        "sort",
        &[ANY],
        ANY,
        "The elements in ascending order.",
        sort,
    ),
    (
        "first",
        &[ANY],
        Type::Optional(&Dyn),
        "The first element, as an optional.",
        first,
    ),
    (
        "last",
        &[ANY],
        Type::Optional(&Dyn),
        "The last element, as an optional.",
        last,
    ),
];

pub(super) fn rows() -> Vec<Function> {
    let mut rows: Vec<_> = ROWS
        .iter()
        .map(|(name, parameters, result, doc, body)| {
            Function::member(name, parameters, *result, doc, Body::Builtin(*body))
        })
        .collect();
    rows.push(Function::global(
        "lists.range",
        &[Int],
        Type::List(&Int),
        "The numbers from 0 up to, not including, the given one.",
        Body::Builtin(range),
    ));
    rows
}

fn items<'a>(
    context: &mut CallContext<'_>,
    args: &[Value<'a>],
) -> Result<Vec<Value<'a>>, CallError> {
    let list = args.first().and_then(as_list);
    let list = list.ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
    context.fuel.charge_elements(list.len())?;
    Ok(list.items().collect())
}

fn distinct<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let mut out: Vec<Value<'a>> = Vec::new();
    for item in items(context, args)? {
        let mut seen = false;
        for known in &out {
            if equal(known, &item, context.fuel)? == Truth::True {
                seen = true;
                break;
            }
        }
        if !seen {
            out.push(item);
        }
    }
    Value::list(out)
}

fn flatten<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let levels = match args.get(1) {
        Some(Value::Int(levels)) => *levels,
        _ => 1,
    };
    if levels < 0 {
        return Err(CallError::invalid("flatten level must not be negative"));
    }
    let mut items = items(context, args)?;
    for _ in 0..levels {
        let mut out = Vec::with_capacity(items.len());
        let mut changed = false;
        for item in items {
            match as_list(&item) {
                Some(list) => {
                    context.fuel.charge_elements(list.len())?;
                    out.extend(list.items());
                    changed = true;
                }
                None => out.push(item),
            }
        }
        items = out;
        if !changed {
            break;
        }
    }
    Value::list(items)
}

fn reverse<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let mut items = items(context, args)?;
    items.reverse();
    Value::list(items)
}

fn slice<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let items = items(context, args)?;
    let bound = |position: usize| match args.get(position) {
        Some(Value::Int(at)) => usize::try_from(*at).ok(),
        _ => None,
    };
    let part = match (bound(1), bound(2)) {
        (Some(start), Some(end)) => items.get(start..end),
        _ => None,
    };
    let part = part.ok_or_else(|| CallError::bare(ErrorKind::OutOfBounds))?;
    Value::list(part.to_vec())
}

fn sort<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let items = items(context, args)?;
    let count = to_u64(items.len());
    context
        .fuel
        .charge(count * u64::from(count.checked_ilog2().unwrap_or(0)))?;
    let keyed = items
        .into_iter()
        .map(|item| (item.lifted(), item))
        .collect();
    Value::list(sorted(keyed)?)
}

fn first<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let first = items(context, args)?.into_iter().next();
    Ok(Value::Optional(first.map(std::sync::Arc::new)))
}

fn last<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let last = items(context, args)?.into_iter().next_back();
    Ok(Value::Optional(last.map(std::sync::Arc::new)))
}

fn range<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let Some(Value::Int(end)) = args.first() else {
        return Err(CallError::bare(ErrorKind::NoOverload));
    };
    context.fuel.charge(u64::try_from(*end).unwrap_or(0))?;
    Value::list((0..*end).map(Value::Int).collect())
}
