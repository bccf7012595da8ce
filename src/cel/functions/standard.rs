//! Sizes, tests and types: the rows of the standard definitions that the planner has steps for.

use super::{Body, CallContext, Function};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::plan::Compiled;
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

fn matches<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Result<Value<'a>, CallError> {
    let [text, pattern] = args else {
        return Err(CallError::bare(ErrorKind::Arity));
    };
    let (Some(text), Some(pattern)) = (text.as_str(), pattern.as_str()) else {
        return Err(CallError::bare(ErrorKind::NoOverload));
    };
    let compiled = Compiled::computed(pattern, context.fuel)?;
    context.fuel.charge(compiled.cost(text.len()))?;
    Ok(Value::Bool(compiled.regex.is_match(text)))
}
