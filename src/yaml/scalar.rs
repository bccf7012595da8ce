//! Scalar resolution as sigs.k8s.io/yaml has it. Input: the text of a scalar, its style and tag; output: its kind and value.
//!
//! Source: `resolve` in go.yaml.in/yaml v2.4.2 `resolve.go` and `scalar` in `decode.go`, as sigs.k8s.io/yaml v1.6.0 calls them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use crate::yaml::node::Kind;
use crate::yaml::number::Number;

/// A resolved scalar value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'t> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits `i64`, or a float that holds one (`1e3`): JSON drops its fraction.
    Int(i64),
    /// An integer above `i64::MAX` that fits `u64`.
    Uint(u64),
    /// A floating-point number with a fraction or beyond 64 bits.
    Float(f64),
    /// A string.
    Str(&'t str),
}

impl Scalar<'_> {
    /// The scalar as JSON; a number JSON cannot hold becomes null (the parser refuses documents that hold one).
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
        Kind::Int | Kind::Float => {
            Some(Number::parse(text).map_or(Scalar::Float(f64::NAN), |number| number.as_scalar()))
        }
        Kind::Str => Some(Scalar::Str(text)),
        Kind::Seq | Kind::Map | Kind::Alias => None,
    }
}

/// A key's text as the JSON object key that Kubernetes sees.
pub(crate) fn key_text(kind: Kind, text: &str) -> Cow<'_, str> {
    match kind {
        Kind::Bool => Cow::Borrowed(if is_true(text) { "true" } else { "false" }),
        Kind::Int | Kind::Float => Number::parse(text)
            .and_then(|number| number.key_text(text))
            .unwrap_or(Cow::Borrowed(text)),
        _ => Cow::Borrowed(text),
    }
}

/// Why sigs.k8s.io/yaml refuses this scalar as a key; `None` when it takes it.
pub(crate) fn key_defect(kind: Kind, text: &str) -> Option<&'static str> {
    match kind {
        Kind::Null => Some("a null key has no JSON form"),
        Kind::Int if matches!(Number::parse(text), Some(Number::Uint(_))) => {
            Some("an integer key above 9223372036854775807 has no JSON form")
        }
        Kind::Map | Kind::Seq => Some("a mapping or sequence cannot be a key in JSON"),
        _ => None,
    }
}

/// Whether this scalar is a number that JSON cannot hold (`.inf`, `.nan`).
pub(crate) fn is_unrepresentable(kind: Kind, text: &str) -> bool {
    kind == Kind::Float
        && matches!(Number::parse(text), Some(Number::Float(value)) if !value.is_finite())
}

fn is_true(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b't' | b'T' | b'y' | b'Y'))
        || text.eq_ignore_ascii_case("on")
}

/// Kind of an untagged plain scalar.
pub(crate) fn resolve_plain(text: &str) -> Kind {
    match text.as_bytes() {
        [] => Kind::Null,
        [
            b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O',
            ..,
        ] if text.len() <= 5 => resolve_word(text),
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => resolve_number(text),
        _ => Kind::Str,
    }
}

fn resolve_word(text: &str) -> Kind {
    match text {
        "~" | "null" | "Null" | "NULL" => Kind::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "n" | "N" | "no" | "No" | "NO" | "true" | "True"
        | "TRUE" | "false" | "False" | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => {
            Kind::Bool
        }
        _ => Kind::Str,
    }
}

fn resolve_number(text: &str) -> Kind {
    if text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Kind::Int;
    }
    match Number::parse(text).map(Number::as_scalar) {
        Some(Scalar::Int(_) | Scalar::Uint(_)) => Kind::Int,
        Some(_) => Kind::Float,
        None => Kind::Str,
    }
}

/// A tagged scalar: its kind, and its text where that differs from the written one.
pub(crate) type Tagged = (Kind, Option<String>);

/// Resolves a scalar with a tag of the `tag:yaml.org,2002:` family, `name` being the part after that prefix. Any other
/// tag makes a string of the text.
///
/// # Errors
/// The message of the user's fault, when the text is not of the tag's type.
pub(crate) fn resolve_tagged(name: &str, text: &str) -> Result<Tagged, String> {
    let mismatch = || format!("`{}` is not a value of type `!!{name}`", shorten(text));
    let resolved = resolve_plain(text);
    match name {
        "int" => match Number::parse(text) {
            Some(Number::Int(_) | Number::Uint(_)) => Ok((Kind::Int, None)),
            _ => Err(mismatch()),
        },
        "float" => match Number::parse(text) {
            Some(Number::Float(_)) => Ok((resolved, None)),
            Some(Number::Int(value)) => Ok((Kind::Int, rounded(value))),
            _ => Err(mismatch()),
        },
        "bool" if resolved == Kind::Bool => Ok((Kind::Bool, None)),
        "null" if resolved == Kind::Null => Ok((Kind::Null, None)),
        "bool" | "null" => Err(mismatch()),
        "timestamp" if is_timestamp(text) => Ok((Kind::Str, None)),
        "timestamp" => Err(mismatch()),
        "binary" => decode_binary(text).map(|decoded| (Kind::Str, Some(decoded))),
        _ => Ok((Kind::Str, None)),
    }
}

/// The text of an integer that `float64` cannot hold exactly.
fn rounded(value: i64) -> Option<String> {
    if value.unsigned_abs() <= 1 << 53 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "the loss is what upstream does")]
    let float = value as f64;
    Some(format!("{float}"))
}

fn decode_binary(text: &str) -> Result<String, String> {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let packed: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    ENGINE
        .decode(packed)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|_| "a `!!binary` value is not base64".to_owned())
}

/// The date formats of go-yaml's `allowedTimestampFormats`, as far as digits and ranges go.
fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at).unwrap_or(""), text.get(at..)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let number = |part: &str, digits: usize| {
        let fits = (1..=digits).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (
        number(year, 4).filter(|_| year.len() == 4),
        number(month, 2),
        number(day, 2),
    ) else {
        return false;
    };
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| chrono::NaiveDate::from_ymd_opt(year, month, day));
    date.is_some() && time.is_none_or(|time| is_time(time, &number))
}

fn is_time(time: &str, number: &impl Fn(&str, usize) -> Option<u32>) -> bool {
    let zoned = !time.starts_with(' ');
    let clock = time.get(1..).unwrap_or("");
    let clock = if !zoned {
        clock
    } else if let Some(clock) = clock.strip_suffix('Z') {
        clock
    } else {
        let Some(at) = clock.rfind(['+', '-']) else {
            return false;
        };
        let offset = clock.get(at + 1..).unwrap_or("");
        let valid = offset.len() == 5
            && offset
                .split_once(':')
                .is_some_and(|(h, m)| number(h, 2).is_some() && number(m, 2).is_some());
        if !valid {
            return false;
        }
        clock.get(..at).unwrap_or("")
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else {
        return false;
    };
    let below = |part: &str, limit: u32| number(part, 2).is_some_and(|value| value < limit);
    below(hour, 24)
        && below(minute, 60)
        && below(second, 60)
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

/// The first 40 characters of a text, for messages.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text.to_owned(),
    }
}
