//! Sizes, tests and types: the rows of the standard definitions that the planner has steps for.

use std::sync::Arc;

use super::{Body, CallContext, Function};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::plan::{Compiled, LastPattern};
use crate::cel::types::Type;
use crate::cel::value::Value;

pub(super) fn rows() -> Vec<Function> {
    use Type::{Bool, Bytes, Dyn, Int, List, Map, String};
    let mut rows = Vec::new();
    for ty in [String, Bytes, List(&Dyn), Map(&Dyn, &Dyn)] {
        let doc = "Number of characters, bytes, elements or entries.";
        rows.push(Function::global("size", &[ty], Int, doc, Body::Planned));
        rows.push(Function::member("size", &[ty], Int, doc, Body::Planned));
    }
    for (name, doc) in [
        ("startsWith", "Whether the string begins with the other."),
        ("endsWith", "Whether the string ends with the other."),
        ("contains", "Whether the other occurs in the string."),
    ] {
        rows.push(Function::member(
            name,
            &[String, String],
            Bool,
            doc,
            Body::Planned,
        ));
    }
    let doc = "Whether the regular expression matches somewhere in the string.";
    let body = Body::Builtin(matches);
    rows.push(Function::member(
        "matches",
        &[String, String],
        Bool,
        doc,
        body.clone(),
    ));
    rows.push(Function::global(
        "matches",
        &[String, String],
        Bool,
        doc,
        body,
    ));
    rows.push(Function::global(
        "type",
        &[Dyn],
        Type::Type,
        "The type of a value.",
        Body::Planned,
    ));
    rows.push(Function::global(
        "dyn",
        &[Dyn],
        Dyn,
        "The value, with its type not checked before evaluation.",
        Body::Planned,
    ));
    rows.push(Function::global(
        "known",
        &[Dyn],
        Bool,
        "Whether the files say what the value is; the only function that sees unknown.",
        Body::Planned,
    ));
    rows
}

fn texts<'v>(args: &'v [Value<'_>]) -> Result<(&'v str, &'v str), CallError> {
    let [text, pattern] = args else {
        return Err(CallError::bare(ErrorKind::Arity));
    };
    match (text.as_str(), pattern.as_str()) {
        (Some(text), Some(pattern)) => Ok((text, pattern)),
        _ => Err(CallError::bare(ErrorKind::NoOverload)),
    }
}

fn matches<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Result<Value<'a>, CallError> {
    let (text, pattern) = texts(args)?;
    let compiled = Compiled::computed(pattern, context.fuel)?;
    matched(context, text, &compiled)
}

fn matched<'a>(
    context: &mut CallContext<'_>,
    text: &str,
    compiled: &Compiled,
) -> Result<Value<'a>, CallError> {
    context.fuel.charge(compiled.cost(text.len()))?;
    Ok(Value::Bool(compiled.regex.is_match(text)))
}

/// `matches` for one place in an expression, where the pattern is computed.
pub(crate) fn with_last_pattern(function: &Function) -> Function {
    let last = LastPattern::default();
    Function {
        body: Body::Host(Arc::new(move |context, arguments| {
            let (text, pattern) = texts(arguments)?;
            let compiled = last.get(pattern, context.fuel)?;
            matched(context, text, &compiled)
        })),
        ..function.clone()
    }
}
