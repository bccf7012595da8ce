//! Numbers as go-yaml v2, under sigs.k8s.io/yaml, reads them. Input: the text of a plain scalar; output: the typed number
//! and the text it has as a JSON object key.
//!
//! Source: `resolve` in go.yaml.in/yaml v2.4.2 `resolve.go`, and Go's `strconv.ParseInt`/`ParseFloat`/`FormatFloat`.

use std::borrow::Cow;

use crate::yaml::scalar::Scalar;

/// A number with the type Go gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// `int64`.
    Int(i64),
    /// `uint64`, only above `i64::MAX`.
    Uint(u64),
    /// `float64`; not finite for `.inf` and `.nan`.
    Float(f64),
}

/// Floats below this magnitude that hold an integer are written without a fraction and read back as `int64`.
const INT_LIMIT: f64 = 9_223_372_036_854_775_808.0;

impl Number {
    /// Reads a number; `None` when the text is a string to sigs.k8s.io/yaml (`1e400`, `0o8`, `190:20:30`).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [b'0'..=b'9', ..] | [b'+' | b'-', _, ..] => {
                special(text).or_else(|| integer_or_float(text))
            }
            [b'.', ..] => special(text).or_else(|| dotted(text)),
            _ => None,
        }
    }

    /// The value the API server sees: JSON drops the fraction of an integral float, and Kubernetes then reads an integer.
    pub(crate) fn as_scalar(self) -> Scalar<'static> {
        match self {
            Self::Int(value) => Scalar::Int(value),
            Self::Uint(value) => Scalar::Uint(value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < INT_LIMIT => {
                // The shortest digits that name the float, filled up with zeros: what `encoding/json` writes.
                let digits = format!("{value}");
                digits.parse().map_or(Scalar::Float(value), Scalar::Int)
            }
            Self::Float(value) => Scalar::Float(value),
        }
    }

    /// The JSON object key; `None` for `uint64`, which sigs.k8s.io/yaml refuses as a key.
    pub(crate) fn key_text(self, written: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Int(value) => Some(canonical(written, value)),
            Self::Uint(_) => None,
            Self::Float(value) => Some(Cow::Owned(float_key(value))),
        }
    }
}

fn canonical(written: &str, value: i64) -> Cow<'_, str> {
    let plain = match written.as_bytes() {
        [b'0'] => true,
        [b'-', rest @ ..] | rest => {
            matches!(rest.first(), Some(b'1'..=b'9')) && rest.iter().all(u8::is_ascii_digit)
        }
    };
    if plain {
        Cow::Borrowed(written)
    } else {
        Cow::Owned(value.to_string())
    }
}

fn special(text: &str) -> Option<Number> {
    let (sign, rest) = match text.as_bytes() {
        [b'-', ..] => (-1.0, text.get(1..)?),
        [b'+', ..] => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    match rest {
        ".inf" | ".Inf" | ".INF" => Some(Number::Float(sign * f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if rest.len() == text.len() => Some(Number::Float(f64::NAN)),
        _ => None,
    }
}

/// Text that begins with a dot goes to `ParseFloat` as it is, which takes single underscores between digits only.
fn dotted(text: &str) -> Option<Number> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let misplaced = memchr::memchr_iter(b'_', bytes)
        .any(|at| !digit(at.checked_sub(1)) || !digit(at.checked_add(1)));
    if misplaced {
        return None;
    }
    finite(&without_underscores(text)).map(Number::Float)
}

fn integer_or_float(text: &str) -> Option<Number> {
    let plain = without_underscores(text);
    let plain = plain.as_ref();
    parse_int(plain)
        .or_else(|| finite(plain).map(Number::Float))
        .or_else(|| signed_binary(plain))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// `strconv.ParseInt` then `ParseUint` with base 0: `0x`, `0b`, `0o` and a leading `0` choose the base.
fn parse_int(text: &str) -> Option<Number> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => ("-", text.get(1..)?),
        [b'+', ..] => ("+", text.get(1..)?),
        _ => ("", text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (sign, i64::try_from(magnitude)) {
        ("-", _) => 0_i64.checked_sub_unsigned(magnitude).map(Number::Int),
        (_, Ok(value)) => Some(Number::Int(value)),
        ("", Err(_)) => Some(Number::Uint(magnitude)),
        _ => None,
    }
}

/// go-yaml's `yamlStyleFloat`, then `ParseFloat`; what overflows is a string.
fn finite(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, Some(unsigned.get(at + 1..)?)),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// go-yaml's last resort, which lets a sign follow the prefix: `0b-1`.
fn signed_binary(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("-0b") {
        if digits.starts_with(['+', '-']) {
            return None;
        }
        return i64::from_str_radix(&format!("-{digits}"), 2)
            .ok()
            .map(Number::Int);
    }
    i64::from_str_radix(text.strip_prefix("0b")?, 2)
        .ok()
        .map(Number::Int)
}

/// A float as a key: `strconv.FormatFloat(value, 'g', -1, 32)`, with go-yaml's names for what is not finite
/// (sigs.k8s.io/yaml v1.6.0 `yaml.go`, `convertToJSONableObject`).
fn float_key(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "upstream formats keys as float32"
    )]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || value == 0.0 {
        format!("{value}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
    }
}
