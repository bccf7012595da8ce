//! L2: generated ConfigMaps and Secrets. Input: a generator's entry and the files it names; output: the object, its
//! values at the places they come from, and what it does to an object of the same identity.
//!
//! Semantics: kustomize api v0.18.0, internal/generators, kv/kv.go and resmap/reswrangler.go appendReplaceOrMerge.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine as _;

use crate::kustomize::decode::Text;
use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::files::RawFile;
use crate::kustomize::generator_args::{Behavior, GeneratorArgs, GeneratorOptions};
use crate::kustomize::inline::part_of;
use crate::kustomize::node::{Entry, Key, Node, Value};
use crate::kustomize::objects::{Object, Objects};
use crate::source::{SourceFile, Span, to_u32};
use crate::yaml::Kind;

/// What a generator makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makes {
    ConfigMap,
    Secret,
}

/// One key of a generated object.
struct Pair<'a> {
    key: Key<'a>,
    value: Vec<u8>,
    span: Span,
}

/// Looks a generator's file up by the text of its entry.
pub(crate) type Lookup<'a> = dyn Fn(&str) -> Option<&'a RawFile> + 'a;

fn fail(span: Span, message: String) -> KustomizeError {
    KustomizeError::new(span, ErrorKind::Generator(message))
}

/// Makes the object of one entry.
///
/// # Errors
/// An entry without name, a malformed source, a repeated key: the user's fault.
pub(crate) fn generate<'a>(
    makes: Makes,
    args: &'a GeneratorArgs,
    global: Option<&GeneratorOptions>,
    lookup: &Lookup<'a>,
    source: &Arc<SourceFile>,
) -> Result<Object<'a>, KustomizeError> {
    let Some(name) = &args.name else {
        return Err(fail(args.span, "a generator needs a `name`".to_owned()));
    };
    let span = args.span;
    let mut node = Node::map(span);
    let kind = match makes {
        Makes::ConfigMap => "ConfigMap",
        Makes::Secret => "Secret",
    };
    node.set(Key::new("apiVersion", span), Node::string("v1", span));
    node.set(Key::new("kind", span), Node::string(kind, span));
    let mut metadata = Node::map(span);
    metadata.set(Key::new("name", name.span), Node::verbatim(name));
    if let Some(namespace) = &args.namespace {
        metadata.set(
            Key::new("namespace", namespace.span),
            Node::verbatim(namespace),
        );
    }
    let options = args.options.clone().with_global(global);
    for (field, pairs) in [
        ("labels", &options.labels),
        ("annotations", &options.annotations),
    ] {
        if pairs.is_empty() {
            continue;
        }
        let map = Value::Map(pairs.iter().map(owned_entry).collect());
        metadata.set(Key::new(field, span), Node::of(map, span));
    }
    node.set(Key::new("metadata", span), metadata);
    if makes == Makes::Secret {
        let secret_type = args.secret_type.as_ref();
        let secret_type = secret_type.map_or_else(|| Node::string("Opaque", span), Node::verbatim);
        node.set(Key::new("type", span), secret_type);
        node.set(Key::new("data", span), Node::map(span));
    }
    for pair in sorted_pairs(args, lookup)? {
        put(&mut node, makes, pair);
    }
    if let Some(at) = options.immutable {
        let value = Node::scalar(Kind::Bool, "true", at);
        node.set(Key::new("immutable", at), value);
    }
    let mut object = Object::new(node, Arc::clone(source));
    object.needs_hash = !options.disable_hash;
    object.generated = true;
    Ok(object)
}

fn owned_entry<'a>((key, value): &(Text, Text)) -> Entry<'a> {
    Entry {
        key: Key {
            style: key.style,
            ..Key::new(key.text.clone(), key.span)
        },
        value: Node {
            style: value.style,
            ..Node::string(value.text.clone(), value.span)
        },
    }
}

fn put<'a>(node: &mut Node<'a>, makes: Makes, pair: Pair<'a>) {
    let (field, text) = match (makes, String::from_utf8(pair.value)) {
        (Makes::ConfigMap, Ok(text)) => ("data", text),
        (Makes::ConfigMap, Err(error)) => ("binaryData", base64_lines(error.as_bytes())),
        (Makes::Secret, Ok(text)) => ("data", base64_lines(text.as_bytes())),
        (Makes::Secret, Err(error)) => ("data", base64_lines(error.as_bytes())),
    };
    let mut value = Node::string(text, pair.span);
    value.quoted = value.text().contains('\n');
    if let Some(map) = node.map_at(field, pair.key.span) {
        // Keys are unique, see sorted_pairs.
        if let Value::Map(entries) = &mut map.value {
            entries.push(Entry {
                key: pair.key,
                value,
            });
        }
    }
}

/// Base64 in lines of 70 characters, as kyaml writes it (kyaml v0.18.1, yaml/datamap.go).
fn base64_lines(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    lines
}

fn sorted_pairs<'a>(
    args: &'a GeneratorArgs,
    lookup: &Lookup<'a>,
) -> Result<Vec<Pair<'a>>, KustomizeError> {
    let mut pairs = Vec::new();
    for entry in &args.envs {
        env_pairs(entry, lookup, &mut pairs)?;
    }
    for entry in &args.literals {
        pairs.push(literal(entry)?);
    }
    for entry in &args.files {
        pairs.push(file(entry, lookup)?);
    }
    let mut by_key: BTreeMap<String, Pair<'a>> = BTreeMap::new();
    for pair in pairs {
        let key = pair.key.text.clone().into_owned();
        let span = pair.span;
        if by_key.insert(key.clone(), pair).is_some() {
            return Err(fail(span, format!("the generator repeats the key `{key}`")));
        }
    }
    Ok(by_key.into_values().collect())
}

fn literal(entry: &Text) -> Result<Pair<'_>, KustomizeError> {
    let text = entry.text.as_str();
    let at = text
        .find('=')
        .filter(|at| *at > 0)
        // The text may be a secret: it is not repeated.
        .ok_or_else(|| fail(entry.span, "a literal must be key=value".to_owned()))?;
    let (key, rest) = text.split_at(at);
    let mut value = rest.get(1..).unwrap_or("");
    let mut start = at + 1;
    let quoted = |q: char| value.len() > 1 && value.starts_with(q) && value.ends_with(q);
    if quoted('"') || quoted('\'') {
        value = value.get(1..value.len() - 1).unwrap_or("");
        start += 1;
    }
    Ok(Pair {
        key: Key::new(key, part_of(entry.span, text, 0, at)),
        value: value.as_bytes().to_vec(),
        span: part_of(entry.span, text, start, start + value.len()),
    })
}

/// Key and path of a `files:` entry.
///
/// # Errors
/// A message when the entry is malformed.
pub(crate) fn file_entry(text: &str) -> Result<(&str, &str), String> {
    let base = text.rsplit('/').next().unwrap_or(text);
    match text.split_once('=') {
        None => Ok((base, text)),
        Some((_, path)) if path.contains('=') => {
            Err(format!("`{text}`: neither key nor path may hold `=`"))
        }
        Some(("", path)) => Err(format!("`{path}` has no key before `=`")),
        Some((key, "")) => Err(format!("`{key}` has no path after `=`")),
        Some((key, path)) => Ok((key, path)),
    }
}

fn file<'a>(entry: &'a Text, lookup: &Lookup<'a>) -> Result<Pair<'a>, KustomizeError> {
    let (key, path) = file_entry(&entry.text).map_err(|message| fail(entry.span, message))?;
    let raw = found(entry, path, lookup)?;
    let span = raw.source.as_ref().map_or(entry.span, |source| Span {
        source: source.id,
        start: 0,
        end: to_u32(source.text.len()),
    });
    Ok(Pair {
        key: Key::new(key, entry.span),
        value: raw.bytes.clone(),
        span,
    })
}

fn found<'a>(entry: &Text, path: &str, lookup: &Lookup<'a>) -> Result<&'a RawFile, KustomizeError> {
    lookup(path)
        .ok_or_else(|| KustomizeError::new(entry.span, ErrorKind::MissingSource(path.to_owned())))
}

fn env_pairs<'a>(
    entry: &'a Text,
    lookup: &Lookup<'a>,
    pairs: &mut Vec<Pair<'a>>,
) -> Result<(), KustomizeError> {
    let raw = found(entry, &entry.text, lookup)?;
    let Ok(text) = std::str::from_utf8(&raw.bytes) else {
        return Err(fail(
            entry.span,
            format!("`{}` is no UTF-8 text", entry.text),
        ));
    };
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let line_at = at;
        at += line.len();
        let mut body = line.strip_suffix('\n').unwrap_or(line);
        body = body.strip_suffix('\r').unwrap_or(body);
        if number == 0 {
            body = body.trim_start_matches('\u{feff}');
        }
        let trimmed = body.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let start = line_at + line.find(trimmed).unwrap_or(0);
        let (key, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
        let place = |from: usize, to: usize| {
            raw.source.as_ref().map_or(entry.span, |source| Span {
                source: source.id,
                start: to_u32(from),
                end: to_u32(to),
            })
        };
        if key.is_empty() {
            continue;
        }
        let end = start + trimmed.len();
        pairs.push(Pair {
            key: Key::new(key, place(start, start + key.len())),
            value: value.as_bytes().to_vec(),
            span: place(end - value.len(), end),
        });
    }
    Ok(())
}

/// Adds a generated object, or lets it replace or extend the one of its identity.
pub(crate) fn absorb<'a>(
    objects: &mut Objects<'a>,
    mut new: Object<'a>,
    behavior: Behavior,
) -> Result<(), KustomizeError> {
    let id = new.id();
    let span = new.name_span();
    let clash =
        |kind: fn(String) -> ErrorKind| Err(KustomizeError::new(span, kind(id.to_string())));
    let positions = objects.positions(&id);
    let Some(at) = positions.first().copied() else {
        return match behavior {
            Behavior::Create => objects.add(new),
            _ => clash(ErrorKind::NothingToMerge),
        };
    };
    if positions.len() > 1 {
        return clash(ErrorKind::ManyTargets);
    }
    if behavior == Behavior::Create {
        return clash(ErrorKind::NeedsBehavior);
    }
    let Some(old) = objects.each_mut().get_mut(at) else {
        return Ok(());
    };
    extend(&mut new, old, "labels");
    extend(&mut new, old, "annotations");
    new.transformations = std::mem::take(&mut old.transformations);
    if behavior == Behavior::Merge {
        new.origin = std::mem::take(&mut old.origin);
        extend_map(&mut new.node, &old.node, "data");
        extend_map(&mut new.node, &old.node, "binaryData");
    }
    if let Some(metadata) = new.node.map_at("metadata", span) {
        metadata.remove("namespace");
        for field in ["name", "namespace"] {
            if let Some(value) = old.node.at(&["metadata", field]) {
                metadata.set(Key::new(field, value.span), value.clone());
            }
        }
    }
    new.needs_hash &= old.needs_hash;
    new.generated = old.generated;
    new.former = std::mem::take(&mut old.former);
    new.prefixes = std::mem::take(&mut old.prefixes);
    new.suffixes = std::mem::take(&mut old.suffixes);
    *old = new;
    Ok(())
}

fn extend<'a>(new: &mut Object<'a>, old: &Object<'a>, field: &'static str) {
    let span = new.name_span();
    if let (Some(new), Some(old)) = (new.node.map_at("metadata", span), old.node.get("metadata")) {
        extend_map(new, old, field);
    }
}

/// Puts the entries of the old map before those of the new one, which win.
fn extend_map<'a>(new: &mut Node<'a>, old: &Node<'a>, field: &'static str) {
    let Some(old) = old.get(field).filter(|o| !o.entries().is_empty()) else {
        return;
    };
    let mut merged = old.clone();
    let added = new.remove(field);
    if let (Value::Map(entries), Some(Value::Map(added))) =
        (&mut merged.value, added.map(|n| n.value))
    {
        let known = entries.iter().enumerate();
        let at: HashMap<String, usize> = known
            .map(|(at, e)| (e.key.text.clone().into_owned(), at))
            .collect();
        for entry in added {
            match at.get(&*entry.key.text).and_then(|at| entries.get_mut(*at)) {
                Some(slot) => slot.value = entry.value,
                None => entries.push(entry),
            }
        }
    }
    // NOTE: kustomize rewrites every value as a string here.
    if let Value::Map(entries) = &mut merged.value {
        for entry in entries {
            entry.value.shared = 0;
            if let Value::Scalar(kind, _) = &mut entry.value.value {
                *kind = Kind::Str;
            }
        }
    }
    let span = merged.span;
    new.set(Key::new(field, span), merged);
}
