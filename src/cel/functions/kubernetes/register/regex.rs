//! Rows of the regex library.

use std::sync::Arc;

use crate::cel::error::CallError;
use crate::cel::functions::kubernetes::regex::{find, find_all};
use crate::cel::functions::opaque::{member, no_overload, text};
use crate::cel::functions::{Body, CallContext, Function};
use crate::cel::plan::{Compiled, Pattern};
use crate::cel::types::Type;
use crate::cel::value::Value;

pub(super) fn rows() -> Vec<Function> {
    let pair = &[Type::String, Type::String];
    let limited = &[Type::String, Type::String, Type::Int];
    let list = Type::List(&Type::String);
    vec![
        member(
            "find",
            pair,
            Type::String,
            "The first match, or empty.",
            |context, arguments| {
                let compiled = Compiled::computed(pattern(arguments)?, context.fuel)?;
                first(context, arguments, &compiled)
            },
        ),
        member(
            "findAll",
            pair,
            list,
            "All matches from the left.",
            |context, arguments| {
                let compiled = Compiled::computed(pattern(arguments)?, context.fuel)?;
                every(context, arguments, &compiled)
            },
        ),
        member(
            "findAll",
            limited,
            list,
            "At most so many matches from the left.",
            |context, arguments| {
                let compiled = Compiled::computed(pattern(arguments)?, context.fuel)?;
                every(context, arguments, &compiled)
            },
        ),
    ]
}

/// `find` or `findAll` with a constant pattern, which is compiled when first used and kept.
pub(crate) fn with_constant_pattern(function: &Function, pattern: &str) -> Function {
    let run = if function.name == "find" {
        first
    } else {
        every
    };
    let pattern = Pattern::new(pattern);
    Function {
        body: Body::Host(Arc::new(move |context, arguments| {
            run(context, arguments, pattern.get()?)
        })),
        ..function.clone()
    }
}

fn pattern<'v>(arguments: &'v [Value<'_>]) -> Result<&'v str, CallError> {
    text(arguments.get(1).ok_or_else(no_overload)?)
}

fn first<'a>(
    context: &mut CallContext<'_>,
    arguments: &[Value<'a>],
    pattern: &Compiled,
) -> Result<Value<'a>, CallError> {
    let text = text(arguments.first().ok_or_else(no_overload)?)?;
    context.fuel.charge(pattern.cost(text.len()))?;
    Ok(Value::text(find(&pattern.regex, text)))
}

fn every<'a>(
    context: &mut CallContext<'_>,
    arguments: &[Value<'a>],
    pattern: &Compiled,
) -> Result<Value<'a>, CallError> {
    let (text, limit) = match arguments {
        [subject, _] => (text(subject)?, -1),
        [subject, _, Value::Int(limit)] => (text(subject)?, *limit),
        _ => return Err(no_overload()),
    };
    context.fuel.charge(pattern.cost(text.len()))?;
    let mut found = Vec::new();
    for piece in find_all(&pattern.regex, text, limit) {
        // Finding the next one may read the whole rest.
        context
            .fuel
            .charge(1 + pattern.cost(text.len() - piece.end()))?;
        found.push(Value::text(piece.as_str()));
    }
    Value::list(found)
}
