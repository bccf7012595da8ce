//! L2: lists merged by key. Input: two lists and their merge keys; output: the merged list, the patch's elements first.
//!
//! Semantics, oddities included: kustomize kyaml v0.18.1, yaml/walk/associative_sequence.go with yaml/fns.go
//! (ElementSetter, ElementMatcher). Elements are found by the texts of the keys that any element gives; an element
//! without its key stays, but reaches the list in ways that only this order of steps explains.

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::merge::{self, Directive, Mode, Outcome, Schema, take};
use crate::kustomize::node::{Key, Node, Value};

/// Elements that a merged list may have: the steps below grow with its square.
const MAX_ELEMENTS: usize = 5_000;

/// Texts of the key fields of one element.
type Values = Vec<String>;

/// Merges two lists, or walks one.
pub(crate) fn walk<'a>(
    dest: Option<&mut Node<'a>>,
    src: Option<&mut Node<'a>>,
    mode: Mode,
    schema: Schema,
    keys: &'static [&'static str],
) -> Result<Outcome<'a>, KustomizeError> {
    let Some(dest) = dest.filter(|d| !d.is_null()) else {
        let mut new = src.map(take);
        if let Some(new) = &mut new {
            associative(new, None, Mode::Added, schema, keys)?;
        }
        return Ok(new.map_or(Outcome::Clear, Outcome::Take));
    };
    let Some(src) = src else {
        if mode == Mode::Added && list_directive(dest)? == Directive::Delete {
            return Ok(Outcome::Clear);
        }
        associative(dest, None, mode, schema, keys)?;
        return Ok(Outcome::Keep);
    };
    if src.is_null() {
        return Ok(Outcome::Clear);
    }
    match list_directive(src)? {
        Directive::Delete => Ok(Outcome::Clear),
        Directive::Replace => {
            let mut new = take(src);
            associative(&mut new, None, Mode::Added, schema, keys)?;
            Ok(Outcome::Take(new))
        }
        Directive::Merge => {
            associative(dest, Some(src.items()), mode, schema, keys)?;
            Ok(Outcome::Keep)
        }
    }
}

fn associative<'a>(
    list: &mut Node<'a>,
    src: Option<&[Node<'a>]>,
    mode: Mode,
    schema: Schema,
    keys: &'static [&'static str],
) -> Result<(), KustomizeError> {
    let Value::Seq(items) = &mut list.value else {
        return Ok(());
    };
    let keys: &[&str] = if keys.is_empty() { &[""] } else { keys };
    let mut all = element_values(items, src.unwrap_or_default(), keys);
    if all.len() > MAX_ELEMENTS {
        let kind = ErrorKind::TooMany(MAX_ELEMENTS);
        return Err(KustomizeError::new(list.span, kind));
    }
    if keys.len() > 1 {
        merge_values(&mut all);
    }
    let elements = Schema {
        of: schema.of,
        merge: None,
    };
    let mut added: Vec<Node<'a>> = Vec::new();
    let mut last_keys: Vec<&str> = Vec::new();
    for values in &all {
        let (valid_keys, valid) = valid_keys(&all, values, keys);
        let merged = merge_element(items, src, mode, elements, &valid_keys, &valid)?;
        if let Some(merged) = merged {
            set_element(&mut added, Some(&merged), &valid_keys, &valid)?;
        } else {
            set_element(items, None, &valid_keys, &valid)?;
        }
        last_keys = valid_keys;
    }
    if !all.is_empty() {
        append_all(&mut added, std::mem::take(items), &last_keys)?;
        *items = added;
    }
    Ok(())
}

/// Merges the elements with these key values; `None` when nothing is left of them.
fn merge_element<'a>(
    items: &mut [Node<'a>],
    src: Option<&[Node<'a>]>,
    mode: Mode,
    schema: Schema,
    keys: &[&str],
    values: &[String],
) -> Result<Option<Node<'a>>, KustomizeError> {
    let (keys_given, values_given) = valid_keys(&[values.to_vec()], values, keys);
    let ours = find(items, &keys_given, &values_given);
    let mut theirs = src.and_then(|s| s.get(find(s, &keys_given, &values_given)?).cloned());
    let dest = ours.and_then(|at| items.get_mut(at));
    let merged = match merge::walk(dest, theirs.as_mut(), mode, schema)? {
        Outcome::Clear => None,
        Outcome::Keep => ours.and_then(|at| items.get(at)).cloned(),
        Outcome::Take(new) => Some(new),
    };
    let Some(mut merged) = merged.filter(|m| !m.is_null() && !m.is_empty_map()) else {
        return Ok(None);
    };
    let missing: Vec<_> = keys
        .iter()
        .zip(values)
        .filter(|(key, value)| !value.is_empty() && merged.is_map() && merged.get(key).is_none())
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let span = merged.span;
    for (key, value) in missing {
        merged.set(Key::new(key, span), Node::resolved(value, span));
    }
    Ok(Some(merged))
}

/// The key values of all elements, the patch's first, each once.
fn element_values(items: &[Node<'_>], src: &[Node<'_>], keys: &[&str]) -> Vec<Values> {
    let mut all: Vec<Values> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for node in src.iter().chain(items) {
        let values: Values = keys
            .iter()
            .map(|key| match *key {
                "" => node.text().to_owned(),
                key => node.get(key).map_or("", Node::text).to_owned(),
            })
            .collect();
        if seen.insert(values.clone()) {
            all.push(values);
        }
    }
    all
}

/// Lets elements that leave a key out take it from those that agree in the others.
fn merge_values(all: &mut [Values]) {
    for i in 0..all.len() {
        let Some(first) = all.get(i).cloned() else {
            return;
        };
        for j in 0..all.len() {
            let Some(merged) = all.get(j).and_then(|second| match_values(&first, second)) else {
                continue;
            };
            if let Some(slot) = all.get_mut(i) {
                slot.clone_from(&merged);
            }
            if let Some(slot) = all.get_mut(j) {
                *slot = merged;
            }
        }
    }
}

fn match_values(a: &Values, b: &Values) -> Option<Values> {
    let mut common = false;
    let mut merged = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        common |= x == y;
        if x != y && !x.is_empty() && !y.is_empty() {
            return None;
        }
        merged.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    common.then_some(merged)
}

/// The keys that any element gives, with this element's values; all keys when none does.
fn valid_keys<'k>(all: &[Values], values: &[String], keys: &[&'k str]) -> (Vec<&'k str>, Values) {
    let given = |at: usize| all.iter().any(|v| v.get(at).is_some_and(|v| !v.is_empty()));
    if !(0..keys.len()).any(given) {
        return (keys.to_vec(), values.to_vec());
    }
    keys.iter()
        .zip(values)
        .enumerate()
        .filter(|(at, _)| given(*at))
        .map(|(_, (key, value))| (*key, value.clone()))
        .unzip()
}

/// Position of the first element with these key values.
fn find(items: &[Node<'_>], keys: &[&str], values: &[String]) -> Option<usize> {
    items.iter().position(|node| match keys {
        ["", ..] => values.first().is_some_and(|v| node.text() == v),
        _ => {
            node.is_map()
                && keys
                    .iter()
                    .zip(values)
                    .all(|(key, value)| node.get(key).is_some_and(|v| v.text() == value))
        }
    })
}

/// Replaces, removes (`None`) or appends an element as kyaml's ElementSetter does. NOTE: it drops null and empty
/// elements on the way, and without values every element.
fn set_element<'a>(
    items: &mut Vec<Node<'a>>,
    element: Option<&Node<'a>>,
    keys: &[&str],
    values: &[String],
) -> Result<(), KustomizeError> {
    let by_field = keys.first().is_some_and(|k| !k.is_empty())
        && values.first().is_some_and(|v| !v.is_empty());
    let mut matched = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for item in std::mem::take(items) {
        if item.is_null() || item.is_empty_map() {
            continue;
        }
        if by_field && !item.is_map() {
            kept.push(item);
            continue;
        }
        if !has_values(&item, keys, values)? {
            if !values.is_empty() {
                kept.push(item);
            }
            continue;
        }
        matched = true;
        kept.extend(element.cloned());
    }
    if let Some(element) = element.filter(|e| !matched && !e.is_null()) {
        kept.push(element.clone());
    }
    *items = kept;
    Ok(())
}

fn has_values(item: &Node<'_>, keys: &[&str], values: &[String]) -> Result<bool, KustomizeError> {
    let mut found = false;
    for (at, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(at) {
            let field = match *key {
                "" if item.is_map() || matches!(item.value, Value::Seq(_)) => {
                    return Err(KustomizeError::list_element(
                        item.span,
                        "a scalar",
                        item.shape(),
                    ));
                }
                "" => Some(item).filter(|n| n.text() == value),
                _ if !item.is_map() => {
                    return Err(KustomizeError::list_element(
                        item.span,
                        "a map",
                        item.shape(),
                    ));
                }
                key => item
                    .get(key)
                    .filter(|n| value.is_empty() || n.text() == value),
            };
            found = field.is_some();
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(found)
}

/// Adds the object's own elements behind the patch's, in place where their key values are there already.
fn append_all<'a>(
    list: &mut Vec<Node<'a>>,
    own: Vec<Node<'a>>,
    keys: &[&str],
) -> Result<(), KustomizeError> {
    for item in own {
        if keys.first() == Some(&"") {
            let text = item.text().to_owned();
            set_element(list, Some(&item), keys, &[text])?;
            continue;
        }
        let mut values: Values = Vec::new();
        for key in keys {
            if !item.is_map() && !item.is_null() {
                return Err(KustomizeError::list_element(
                    item.span,
                    "a map",
                    item.shape(),
                ));
            }
            match item.get(key) {
                Some(value) => values.push(value.text().to_owned()),
                None => list.push(item.clone()),
            }
        }
        if keys.len() > 1 {
            set_element(list, None, keys, &values)?;
        }
        set_element(list, Some(&item), keys, &values)?;
    }
    Ok(())
}

fn list_directive(patch: &mut Node<'_>) -> Result<Directive, KustomizeError> {
    let Value::Seq(items) = &mut patch.value else {
        return Ok(Directive::Merge);
    };
    let Some(element) = items.iter().find(|n| n.get("$patch").is_some()) else {
        return Ok(Directive::Merge);
    };
    let (Some(value), 1) = (element.get("$patch"), element.entries().len()) else {
        return Ok(Directive::Merge);
    };
    let directive = Directive::of(value)?;
    let text = value.text().to_owned();
    set_element(items, None, &["$patch"], &[text])?;
    Ok(directive)
}
