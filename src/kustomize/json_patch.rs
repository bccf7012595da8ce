//! L2: JSON6902 patches. Input: an object and the located list of operations; output: the object after all of them.
//!
//! Semantics: RFC 6902 as gopkg.in/evanphx/json-patch.v4 v4.12.0 (patch.go) has it: indices may be negative, `replace`
//! sets a missing field of a map, and what stands before the first `/` of a path is ignored.

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::finish::expand_date;
use crate::kustomize::node::{Key, Node, Value, needs_quotes};
use crate::source::{Span, to_u32};
use crate::yaml::Kind;

/// Values that the operations of one patch may move, copy and add: copies of copies grow fast.
const MAX_MOVED: usize = 1_000_000;
/// Depth that a patch may give an object.
const MAX_DEPTH: usize = 300;

/// Applies every operation in turn.
///
/// # Errors
/// An operation that is malformed or does not fit the object, or a `test` that fails: the patch's fault, at its place.
pub(crate) fn apply<'a>(object: &mut Node<'a>, patch: &Node<'a>) -> Result<(), KustomizeError> {
    let mut moved = 0;
    for operation in patch.items() {
        moved += apply_one(object, operation)?;
        if moved > MAX_MOVED {
            let kind = ErrorKind::TooMany(MAX_MOVED);
            return Err(KustomizeError::new(operation.span, kind));
        }
    }
    restyle(object);
    Ok(())
}

/// Applies one operation; returns how many values it brought in.
fn apply_one<'a>(object: &mut Node<'a>, operation: &Node<'a>) -> Result<usize, KustomizeError> {
    let Some(op) = operation.get("op") else {
        let kind = ErrorKind::BadPatch("an operation of a JSON patch needs an `op`");
        return Err(KustomizeError::new(operation.span, kind));
    };
    let path = pointer(operation, op, "path")?;
    let absent = || Node::scalar(Kind::Null, "null", operation.span);
    let value = match op.text() {
        "remove" => return remove(object, op, path).map(|_| 0),
        "test" => return test(object, op, path, operation.get("value")).map(|()| 0),
        "add" | "replace" => operation.get("value").cloned(),
        "move" => {
            let from = pointer(operation, op, "from")?;
            Some(remove(object, op, from)?)
        }
        "copy" => {
            let from = pointer(operation, op, "from")?;
            let copied = get(object, op, from)?;
            if copied.is_some_and(|n| n.size(MAX_DEPTH).is_none_or(|size| size > MAX_MOVED)) {
                let kind = ErrorKind::TooMany(MAX_MOVED);
                return Err(KustomizeError::new(operation.span, kind));
            }
            copied.cloned()
        }
        other => return Err(fail(op.span, other, path.text(), "no such operation")),
    };
    let value = value.unwrap_or_else(absent);
    let above = path.text().matches('/').count();
    let size = MAX_DEPTH
        .checked_sub(above)
        .and_then(|depth| value.size(depth))
        .ok_or_else(|| fail(path.span, op.text(), path.text(), "it nests too deep"))?;
    match op.text() {
        "replace" => replace(object, op, path, value)?,
        _ => add(object, op, path, value)?,
    }
    Ok(size)
}

fn test<'a>(
    object: &mut Node<'a>,
    op: &Node<'_>,
    path: &Node<'_>,
    expected: Option<&Node<'a>>,
) -> Result<(), KustomizeError> {
    let actual = get(object, op, path)?.filter(|n| !n.is_null());
    let same = match (actual, expected.filter(|n| !n.is_null())) {
        (Some(a), Some(b)) => a.same_value(b),
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(fail(path.span, "test", path.text(), "the value differs"))
}

fn fail(span: Span, op: &str, path: &str, reason: &'static str) -> KustomizeError {
    KustomizeError::new(
        span,
        ErrorKind::JsonPatch {
            op: op.to_owned(),
            path: path.to_owned(),
            reason,
        },
    )
}

fn pointer<'n, 'a>(
    operation: &'n Node<'a>,
    op: &Node<'_>,
    field: &'static str,
) -> Result<&'n Node<'a>, KustomizeError> {
    operation
        .get(field)
        .filter(|n| matches!(n.value, Value::Scalar(Kind::Str, _)))
        .ok_or_else(|| {
            let reason = if field == "path" {
                "it has no `path`"
            } else {
                "it has no `from`"
            };
            fail(operation.span, op.text(), "", reason)
        })
}

/// The map or list that holds the last segment of a pointer, and that segment.
fn holder<'n, 'a>(
    object: &'n mut Node<'a>,
    op: &Node<'_>,
    path: &Node<'_>,
) -> Result<(&'n mut Node<'a>, String), KustomizeError> {
    let missing = |reason| fail(path.span, op.text(), path.text(), reason);
    let mut segments: Vec<String> = path.text().split('/').skip(1).map(decode).collect();
    let last = segments.pop().ok_or_else(|| missing("no such path"))?;
    let mut node = object;
    for segment in segments {
        node = match &node.value {
            Value::Map(_) => node.get_mut(&segment),
            Value::Seq(items) => {
                let at = index(&segment, items.len()).ok_or_else(|| missing("no such path"))?;
                node.items_mut().get_mut(at)
            }
            Value::Scalar(..) => None,
        }
        .filter(|n| !matches!(n.value, Value::Scalar(..)))
        .ok_or_else(|| missing("no such path"))?;
    }
    Ok((node, last))
}

fn decode(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// Position of an existing item; a negative one counts from the end.
fn index(segment: &str, len: usize) -> Option<usize> {
    let at = position(segment, len)?;
    (at < len).then_some(at)
}

/// A position within `0..=len` after counting negative ones from `len`.
fn position(segment: &str, len: usize) -> Option<usize> {
    let number: i64 = segment.parse().ok()?;
    match usize::try_from(number) {
        Ok(at) => Some(at),
        Err(_) => len.checked_sub(usize::try_from(number.checked_neg()?).ok()?),
    }
}

fn get<'n, 'a>(
    object: &'n mut Node<'a>,
    op: &Node<'_>,
    path: &Node<'_>,
) -> Result<Option<&'n Node<'a>>, KustomizeError> {
    if path.text().is_empty() && op.text() == "test" {
        return Ok(Some(object));
    }
    let (holder, last) = holder(object, op, path)?;
    match &holder.value {
        Value::Map(_) => Ok(holder.get(&last)),
        _ => index(&last, holder.items().len())
            .and_then(|at| holder.items().get(at))
            .map(Some)
            .ok_or_else(|| fail(path.span, op.text(), path.text(), "no such index")),
    }
}

fn add<'a>(
    object: &mut Node<'a>,
    op: &Node<'_>,
    path: &Node<'_>,
    value: Node<'a>,
) -> Result<(), KustomizeError> {
    let (holder, last) = holder(object, op, path)?;
    match &mut holder.value {
        Value::Seq(items) => {
            let at = if last == "-" {
                Some(items.len())
            } else if last.starts_with('-') {
                // NOTE: counted from one past the end, so `-1` appends.
                position(&last, items.len() + 1)
            } else {
                position(&last, items.len())
            };
            let at = at
                .filter(|at| *at <= items.len())
                .ok_or_else(|| fail(path.span, op.text(), path.text(), "no such index"))?;
            items.insert(at, value);
        }
        _ => put(holder, last, path, value),
    }
    Ok(())
}

fn put<'a>(holder: &mut Node<'a>, last: String, path: &Node<'_>, value: Node<'a>) {
    if let Some(old) = holder.get_mut(&last) {
        *old = value;
    } else {
        let span = segment_span(path);
        holder.set(Key::new(last, span), value);
    }
}

/// The bytes of a pointer's last segment, when the pointer stands in the file as it reads.
fn segment_span(path: &Node<'_>) -> Span {
    let (start, end) = (path.span.start, path.span.end);
    let text = path.text();
    let quotes = match (end - start).checked_sub(to_u32(text.len())) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return path.span,
    };
    let before = text.rfind('/').map_or(0, |at| at + 1);
    Span {
        source: path.span.source,
        start: start + quotes + to_u32(before),
        end: end - quotes,
    }
}

fn remove<'a>(
    object: &mut Node<'a>,
    op: &Node<'_>,
    path: &Node<'_>,
) -> Result<Node<'a>, KustomizeError> {
    let (holder, last) = holder(object, op, path)?;
    match &mut holder.value {
        Value::Seq(items) => match index(&last, items.len()) {
            Some(at) => Ok(items.remove(at)),
            None => Err(fail(path.span, op.text(), path.text(), "no such index")),
        },
        _ => holder
            .remove(&last)
            .ok_or_else(|| fail(path.span, op.text(), path.text(), "no such field")),
    }
}

fn replace<'a>(
    object: &mut Node<'a>,
    op: &Node<'_>,
    path: &Node<'_>,
    value: Node<'a>,
) -> Result<(), KustomizeError> {
    if path.text().is_empty() {
        if !value.is_map() {
            return Err(fail(path.span, "replace", "", "the object must stay a map"));
        }
        *object = value;
        return Ok(());
    }
    let (holder, last) = holder(object, op, path)?;
    match &mut holder.value {
        Value::Seq(items) => {
            let slot = index(&last, items.len()).and_then(|at| items.get_mut(at));
            *slot.ok_or_else(|| fail(path.span, op.text(), path.text(), "no such index"))? = value;
        }
        _ => put(holder, last, path, value),
    }
    Ok(())
}

/// kustomize writes the object out and reads it back, so that only texts which need quotes keep them.
fn restyle(node: &mut Node<'_>) {
    expand_date(node);
    node.shared = 0;
    match &mut node.value {
        Value::Scalar(kind, text) => {
            node.quoted = *kind == Kind::Str && (needs_quotes(text) || text.contains('\n'));
            if *kind == Kind::Null {
                *text = "null".into();
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(restyle),
        Value::Map(entries) => entries.iter_mut().for_each(|e| restyle(&mut e.value)),
    }
}
