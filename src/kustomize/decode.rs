//! L2: reading typed values out of a kustomization. Input: located nodes; output: texts with spans, or the error that
//! kustomize's strict JSON decoding would give (api v0.18.0, types/kustomization.go, Unmarshal).

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::source::Span;
use crate::yaml::{Kind, NodeRef, Scalar, Style};

/// A string of a kustomization with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) style: Style,
    pub(crate) span: Span,
}

/// A field with its key's place.
pub(crate) struct Field<'t> {
    /// Name as kustomize spells it.
    pub(crate) name: &'static str,
    /// Name for messages, with what holds it.
    pub(crate) path: String,
    pub(crate) value: NodeRef<'t>,
}

/// The fields of a map, names compared as Go's JSON decoder does, null values left out.
///
/// # Errors
/// The value is no map, or holds a field that `known` does not name.
pub(crate) fn fields<'t>(
    node: NodeRef<'t>,
    path: &str,
    known: &[&'static str],
) -> Result<Vec<Field<'t>>, KustomizeError> {
    if node.is_null() {
        return Ok(Vec::new());
    }
    if !node.is_map() {
        return Err(wrong(node, path, "a map"));
    }
    let mut found = Vec::new();
    for (key, value) in node.entries() {
        let text = key.key_text();
        let name = known
            .iter()
            .find(|k| k.eq_ignore_ascii_case(&text))
            .ok_or_else(|| {
                KustomizeError::new(key.span(), ErrorKind::UnknownField(text.into_owned()))
            })?;
        if !value.is_null() {
            let path = if path.is_empty() {
                (*name).to_owned()
            } else {
                format!("{path}.{name}")
            };
            found.push(Field { name, path, value });
        }
    }
    Ok(found)
}

/// The error for a value of the wrong type.
pub(crate) fn wrong(node: NodeRef<'_>, field: &str, wanted: &'static str) -> KustomizeError {
    KustomizeError::new(
        node.span(),
        ErrorKind::FieldType {
            field: field.to_owned(),
            wanted,
        },
    )
}

impl<'t> Field<'t> {
    /// The value as a string.
    pub(crate) fn string(&self) -> Result<Text, KustomizeError> {
        string(self.value, &self.path)
    }

    /// The value as a boolean.
    pub(crate) fn boolean(&self) -> Result<bool, KustomizeError> {
        self.value
            .as_bool()
            .ok_or_else(|| wrong(self.value, &self.path, "true or false"))
    }

    /// The value as an integer.
    pub(crate) fn integer(&self) -> Result<i64, KustomizeError> {
        self.value
            .as_i64()
            .ok_or_else(|| wrong(self.value, &self.path, "a whole number"))
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> Result<Vec<NodeRef<'t>>, KustomizeError> {
        if self.value.is_seq() {
            Ok(self.value.items().collect())
        } else {
            Err(wrong(self.value, &self.path, "a list"))
        }
    }

    /// A list of strings.
    pub(crate) fn strings(&self) -> Result<Vec<Text>, KustomizeError> {
        self.items()?
            .into_iter()
            .map(|item| string(item, &self.path))
            .collect()
    }

    /// A map of strings, sorted by key as kustomize applies it.
    pub(crate) fn pairs(&self) -> Result<Vec<(Text, Text)>, KustomizeError> {
        if !self.value.is_map() {
            return Err(wrong(self.value, &self.path, "a map of strings"));
        }
        let mut pairs = Vec::new();
        for (key, value) in self.value.entries() {
            let name = key.key_text().into_owned();
            let value = string(value, &format!("{}.{name}", self.path))?;
            let key = Text {
                text: name,
                style: key.style(),
                span: key.span(),
            };
            pairs.push((key, value));
        }
        pairs.sort_by(|a, b| a.0.text.cmp(&b.0.text));
        Ok(pairs)
    }
}

fn string(node: NodeRef<'_>, path: &str) -> Result<Text, KustomizeError> {
    let text = match node.kind() {
        Kind::Str => node.secret_text(),
        Kind::Null => "",
        _ => {
            debug_assert!(!matches!(node.scalar(), Some(Scalar::Str(_))));
            return Err(wrong(node, path, "a string"));
        }
    };
    Ok(Text {
        text: text.to_owned(),
        style: node.style(),
        span: node.span(),
    })
}
