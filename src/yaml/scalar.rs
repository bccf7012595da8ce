//! Scalar resolution as sigs.k8s.io/yaml has it. Input: the text of a plain scalar; output: its kind and value.

use std::borrow::Cow;

use crate::yaml::node::Kind;

/// A resolved scalar value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'t> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits `i64`.
    Int(i64),
    /// An integer above `i64::MAX` that fits `u64`.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
    /// A string.
    Str(&'t str),
}

impl Scalar<'_> {
    /// The scalar as JSON; a number JSON cannot hold becomes null.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Uint(value) => value.into(),
            Self::Float(value) => value.into(),
            Self::Str(value) => value.into(),
        }
    }
}

/// The value of a scalar node of `kind` with this text; `None` for collections.
pub(crate) fn of(kind: Kind, text: &str) -> Option<Scalar<'_>> {
    match kind {
        Kind::Null => Some(Scalar::Null),
        Kind::Bool => Some(Scalar::Bool(is_true(text))),
        Kind::Int => Some(
            text.parse::<i64>()
                .map(Scalar::Int)
                .or_else(|_| text.parse::<u64>().map(Scalar::Uint))
                .unwrap_or(Scalar::Null),
        ),
        Kind::Float => Some(Scalar::Float(text.parse().unwrap_or(f64::NAN))),
        Kind::Str => Some(Scalar::Str(text)),
        Kind::Seq | Kind::Map | Kind::Alias => None,
    }
}

/// A key's text as the JSON object key that Kubernetes sees.
pub(crate) fn key_text(kind: Kind, text: &str) -> Cow<'_, str> {
    match kind {
        Kind::Bool => Cow::Borrowed(if is_true(text) { "true" } else { "false" }),
        _ => Cow::Borrowed(text),
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b't' | b'T' | b'y' | b'Y'))
        || text.eq_ignore_ascii_case("on")
}

/// Kind of an untagged plain scalar.
pub(crate) fn resolve_plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "n" | "N" | "no" | "No" | "NO" | "true" | "True"
        | "TRUE" | "false" | "False" | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => {
            Kind::Bool
        }
        _ if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => {
            Kind::Str
        }
        _ if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() => Kind::Int,
        _ if text.parse::<f64>().is_ok() => Kind::Float,
        _ => Kind::Str,
    }
}
