//! The strings extension (cel-go `ext/strings.go`, cel-spec string_ext), positions in Unicode scalar values. Input: strings
//! and positions; output: strings, lists, positions.

use super::{Body, Builtin, CallContext, Function};
use crate::cel::equal::as_list;
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

type Called<'a> = Result<Value<'a>, CallError>;
type Row = (&'static str, &'static [Type], Type, &'static str, Builtin);

const TEXTS: Type = Type::List(&Type::String);
use Type::{Int, String as Text};

const ROWS: &[Row] = &[
    (
        "charAt",
        &[Text, Int],
        Text,
        "The character at a position.",
        char_at,
    ),
    (
        "indexOf",
        &[Text, Text],
        Int,
        "Position of the first occurrence, -1 without one.",
        index_of,
    ),
    (
        "indexOf",
        &[Text, Text, Int],
        Int,
        "Position of the first occurrence from a position on.",
        index_of,
    ),
    (
        "lastIndexOf",
        &[Text, Text],
        Int,
        "Position of the last occurrence, -1 without one.",
        last_index_of,
    ),
    (
        "lastIndexOf",
        &[Text, Text, Int],
        Int,
        "Position of the last occurrence up to a position.",
        last_index_of,
    ),
    ("join", &[TEXTS], Text, "The strings in a row.", join),
    (
        "join",
        &[TEXTS, Text],
        Text,
        "The strings with a separator between them.",
        join,
    ),
    (
        "lowerAscii",
        &[Text],
        Text,
        "The string with A-Z in lower case.",
        lower,
    ),
    (
        "upperAscii",
        &[Text],
        Text,
        "The string with a-z in upper case.",
        upper,
    ),
    (
        "replace",
        &[Text, Text, Text],
        Text,
        "The string with all occurrences replaced.",
        replace,
    ),
    (
        "replace",
        &[Text, Text, Text, Int],
        Text,
        "The string with so many occurrences replaced, all with -1.",
        replace,
    ),
    (
        "split",
        &[Text, Text],
        TEXTS,
        "The parts between separators.",
        split,
    ),
    (
        "split",
        &[Text, Text, Int],
        TEXTS,
        "The parts between separators, at most so many, all with -1.",
        split,
    ),
    (
        "substring",
        &[Text, Int],
        Text,
        "The string from a position on.",
        substring,
    ),
    (
        "substring",
        &[Text, Int, Int],
        Text,
        "The string from one position up to another.",
        substring,
    ),
    (
        "trim",
        &[Text],
        Text,
        "The string without white space around it.",
        trim,
    ),
    (
        "reverse",
        &[Text],
        Text,
        "The characters in reverse order.",
        reverse,
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
        "strings.quote",
        &[Text],
        Text,
        "The string in double quotes, with special characters escaped.",
        Body::Builtin(quote),
    ));
    rows
}

/// The string at a position of the arguments, paid for.
fn text<'v>(
    context: &mut CallContext<'_>,
    args: &'v [Value<'_>],
    position: usize,
) -> Result<&'v str, CallError> {
    let text = args
        .get(position)
        .and_then(Value::as_str)
        .ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
    context.fuel.charge_bytes(text.len())?;
    Ok(text)
}

fn int(args: &[Value<'_>], position: usize) -> Option<i64> {
    match args.get(position) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// A position within a string, as a byte offset; its end is a position too.
fn offset(text: &str, position: i64) -> Result<usize, CallError> {
    usize::try_from(position)
        .ok()
        .and_then(|position| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain(std::iter::once(text.len()))
                .nth(position)
        })
        .ok_or_else(|| {
            CallError::new(
                ErrorKind::OutOfBounds,
                format!("position {position} is outside the string"),
            )
        })
}

/// A byte offset as a position.
fn position<'a>(text: &str, offset: Option<usize>) -> Value<'a> {
    let count = offset
        .and_then(|offset| text.get(..offset))
        .map(|before| before.chars().count());
    Value::Int(count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX)))
}

fn char_at<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let source = text(context, args, 0)?;
    let at = offset(source, int(args, 1).unwrap_or(-1))?;
    let found = source.get(at..).and_then(|rest| rest.chars().next());
    Ok(Value::text(found.map_or_else(String::new, String::from)))
}

fn index_of<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let (source, part) = (text(context, args, 0)?, text(context, args, 1)?);
    let from = match int(args, 2) {
        Some(from) => offset(source, from)?,
        None => 0,
    };
    let found = source.get(from..).and_then(|rest| rest.find(part));
    Ok(position(source, found.map(|at| at + from)))
}

fn last_index_of<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let (source, part) = (text(context, args, 0)?, text(context, args, 1)?);
    let until = match int(args, 2) {
        // The occurrence may begin at the position itself.
        Some(until) => offset(source, until)?.saturating_add(part.len()),
        None => source.len(),
    };
    let mut end = until.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let found = source.get(..end).and_then(|head| head.rfind(part));
    Ok(position(source, found))
}

fn join<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let separator = if args.len() > 1 {
        text(context, args, 1)?
    } else {
        ""
    };
    let list = args.first().and_then(as_list);
    let list = list.ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
    let mut out = String::new();
    for (position, item) in list.items().enumerate() {
        let item = item.lift();
        let item = item
            .as_str()
            .ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
        context.fuel.charge(1)?;
        context.fuel.charge_bytes(item.len() + separator.len())?;
        if position > 0 {
            out.push_str(separator);
        }
        out.push_str(item);
    }
    Ok(Value::text(out))
}

fn lower<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    Ok(Value::text(text(context, args, 0)?.to_ascii_lowercase()))
}

fn upper<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    Ok(Value::text(text(context, args, 0)?.to_ascii_uppercase()))
}

fn replace<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let source = text(context, args, 0)?;
    let (old, new) = (text(context, args, 1)?, text(context, args, 2)?);
    let most = match int(args, 3) {
        None | Some(i64::MIN..=-1) => usize::MAX,
        Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
    };
    let hits = source.matches(old).take(most).count();
    context.fuel.charge_elements(hits)?;
    context
        .fuel
        .charge_bytes(source.len().saturating_add(hits.saturating_mul(new.len())))?;
    Ok(Value::text(source.replacen(old, new, most)))
}

fn split<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let (source, separator) = (text(context, args, 0)?, text(context, args, 1)?);
    let most = match int(args, 2) {
        None | Some(i64::MIN..=-1) => usize::MAX,
        Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
    };
    let mut parts: Vec<Value<'a>> = Vec::new();
    let mut rest = source;
    while parts.len() < most {
        // Each part is an allocation of its own.
        context.fuel.charge(4)?;
        let cut = if separator.is_empty() {
            rest.char_indices().nth(1).map(|(at, _)| (at, at))
        } else {
            rest.find(separator).map(|at| (at, at + separator.len()))
        };
        let is_last = parts.len() + 1 == most;
        match cut.filter(|_| !is_last) {
            Some((end, next)) => {
                parts.push(Value::text(rest.get(..end).unwrap_or("")));
                rest = rest.get(next..).unwrap_or("");
            }
            None => {
                if !separator.is_empty() || !rest.is_empty() {
                    parts.push(Value::text(rest));
                }
                break;
            }
        }
    }
    Value::list(parts)
}

fn substring<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let source = text(context, args, 0)?;
    let start = offset(source, int(args, 1).unwrap_or(-1))?;
    let end = match int(args, 2) {
        Some(end) => offset(source, end)?,
        None => source.len(),
    };
    source
        .get(start..end)
        .map(Value::text)
        .ok_or_else(|| CallError::new(ErrorKind::OutOfBounds, "the end lies before the start"))
}

fn trim<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    Ok(Value::text(text(context, args, 0)?.trim()))
}

fn reverse<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let reversed: String = text(context, args, 0)?.chars().rev().collect();
    Ok(Value::text(reversed))
}

fn quote<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    let source = text(context, args, 0)?;
    context.fuel.charge_bytes(source.len())?;
    let mut out = String::with_capacity(source.len() + 2);
    out.push('"');
    for c in source.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(Value::text(out))
}
