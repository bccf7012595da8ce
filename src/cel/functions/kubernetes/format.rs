//! `'%d %s'.format([…])`: a format string in, its literal and clause pieces out, plus the text of one
//! number, string or byte string under a clause.
//!
//! Source: cel-go `ext/formatting_v2.go` (strings extension version 4) and cel-spec's `string_ext`
//! conformance file. The evaluator walks lists and maps for `%s`; what a single value prints as is here.

use std::fmt::Write as _;

/// Why a format string or an argument is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A lone percent sign ends the string.
    #[error("unexpected end of format string")]
    UnexpectedEnd,
    /// `%.` without digits, or digits without a verb.
    #[error("malformed precision in format string")]
    Precision,
    /// A precision above [`MAX_PRECISION`].
    #[error("precision {0} exceeds the maximum allowed precision {MAX_PRECISION}")]
    PrecisionTooLarge(String),
    /// A verb that is none of `sdfebxXo`.
    #[error("unrecognized formatting clause `{0}`")]
    Verb(char),
    /// The verb does not take a value of this type.
    #[error("{verb} clause cannot format a value of type {given}")]
    Argument {
        /// The clause's name.
        verb: &'static str,
        /// The CEL name of the value's type.
        given: &'static str,
    },
}

/// The largest number of digits a clause may ask for, as in cel-go.
pub const MAX_PRECISION: usize = 1_000;

/// Digits after the point when a clause names none.
const DEFAULT_PRECISION: usize = 6;

/// What a clause does with its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `%s`
    String,
    /// `%d`
    Decimal,
    /// `%f`, with the digits after the point
    Fixed(usize),
    /// `%e`, with the digits after the point
    Scientific(usize),
    /// `%b`
    Binary,
    /// `%x`, or `%X` when true
    Hex(bool),
    /// `%o`
    Octal,
}

/// A part of a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'f> {
    /// Text to copy.
    Text(&'f str),
    /// A clause that takes the next argument.
    Clause(Verb),
}

/// An argument as the clauses other than `%s` see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Argument<'v> {
    /// A CEL `bool`.
    Bool(bool),
    /// A CEL `int`.
    Int(i64),
    /// A CEL `uint`.
    Uint(u64),
    /// A CEL `double`.
    Double(f64),
    /// A CEL `string`.
    String(&'v str),
    /// CEL `bytes`.
    Bytes(&'v [u8]),
    /// Any other value, by the name of its type.
    Other(&'static str),
}

impl Argument<'_> {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Other(name) => name,
        }
    }
}

/// Splits a format string into its pieces; `%%` is the text `%`.
///
/// # Errors
/// The string is malformed at its first bad clause.
pub fn pieces(format: &str) -> Result<Vec<Piece<'_>>, FormatError> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('%') {
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        if let Some(next) = after.strip_prefix('%') {
            pieces.push(Piece::Text("%"));
            rest = next;
        } else {
            let (verb, next) = clause(after)?;
            pieces.push(Piece::Clause(verb));
            rest = next;
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Reads a clause after its percent sign.
fn clause(text: &str) -> Result<(Verb, &str), FormatError> {
    let (precision, text) = match text.strip_prefix('.') {
        None => (DEFAULT_PRECISION, text),
        Some(rest) => {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or(FormatError::Precision)?;
            let (digits, rest) = rest.split_at(end);
            if digits.is_empty() {
                return Err(FormatError::Precision);
            }
            match digits.parse() {
                Ok(precision) if precision <= MAX_PRECISION => (precision, rest),
                _ => return Err(FormatError::PrecisionTooLarge(digits.to_owned())),
            }
        }
    };
    let mut chars = text.chars();
    let verb = match chars.next().ok_or(FormatError::UnexpectedEnd)? {
        's' => Verb::String,
        'd' => Verb::Decimal,
        'f' => Verb::Fixed(precision),
        'e' => Verb::Scientific(precision),
        'b' => Verb::Binary,
        'x' => Verb::Hex(false),
        'X' => Verb::Hex(true),
        'o' => Verb::Octal,
        other => return Err(FormatError::Verb(other)),
    };
    Ok((verb, chars.as_str()))
}

/// The text of one value under a clause. `%s` prints scalars only; the caller handles the rest.
///
/// # Errors
/// The clause does not take a value of this type.
pub fn format_argument(verb: Verb, argument: Argument<'_>) -> Result<String, FormatError> {
    let refused = |verb| {
        Err(FormatError::Argument {
            verb,
            given: argument.type_name(),
        })
    };
    Ok(match (verb, argument) {
        (Verb::String, Argument::Bool(value)) => value.to_string(),
        (Verb::String | Verb::Decimal, Argument::Int(value)) => value.to_string(),
        (Verb::String | Verb::Decimal, Argument::Uint(value)) => value.to_string(),
        (Verb::String | Verb::Decimal, Argument::Double(value)) => double_text(value),
        (Verb::String, Argument::String(value)) => value.to_owned(),
        (Verb::String, Argument::Bytes(value)) => String::from_utf8_lossy(value).into_owned(),
        (Verb::String, Argument::Other(_)) => return refused("string"),
        (Verb::Decimal, _) => return refused("decimal"),
        (Verb::Fixed(precision), _) => match number(argument) {
            Some(value) if value.is_finite() => format!("{value:.precision$}"),
            Some(value) => double_text(value),
            None => return refused("fixed-point"),
        },
        (Verb::Scientific(precision), _) => match number(argument) {
            Some(value) if value.is_finite() => scientific(value, precision),
            Some(value) => double_text(value),
            None => return refused("scientific"),
        },
        (Verb::Binary, Argument::Bool(value)) => u8::from(value).to_string(),
        (Verb::Binary, Argument::Int(value)) => {
            signed(value, &format!("{:b}", value.unsigned_abs()))
        }
        (Verb::Binary, Argument::Uint(value)) => format!("{value:b}"),
        (Verb::Binary, _) => return refused("binary"),
        (Verb::Octal, Argument::Int(value)) => {
            signed(value, &format!("{:o}", value.unsigned_abs()))
        }
        (Verb::Octal, Argument::Uint(value)) => format!("{value:o}"),
        (Verb::Octal, _) => return refused("octal"),
        (Verb::Hex(upper), Argument::Int(value)) => {
            signed(value, &hex(value.unsigned_abs(), upper))
        }
        (Verb::Hex(upper), Argument::Uint(value)) => hex(value, upper),
        (Verb::Hex(upper), Argument::String(value)) => hex_bytes(value.as_bytes(), upper),
        (Verb::Hex(upper), Argument::Bytes(value)) => hex_bytes(value, upper),
        (Verb::Hex(_), _) => return refused("hex"),
    })
}

/// A double as `%s` and `%d` print it: the fewest digits that read back, never an exponent.
#[must_use]
pub fn double_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        signed_infinity(value)
    } else {
        value.to_string()
    }
}

fn signed_infinity(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}Infinity")
}

fn number(argument: Argument<'_>) -> Option<f64> {
    match argument {
        #[expect(clippy::cast_precision_loss, reason = "cel-go converts to double too")]
        Argument::Int(value) => Some(value as f64),
        #[expect(clippy::cast_precision_loss, reason = "cel-go converts to double too")]
        Argument::Uint(value) => Some(value as f64),
        Argument::Double(value) => Some(value),
        _ => None,
    }
}

/// Go writes the exponent with a sign and at least two digits.
fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn signed(value: i64, digits: &str) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{digits}")
}

fn hex(value: u64, upper: bool) -> String {
    if upper {
        format!("{value:X}")
    } else {
        format!("{value:x}")
    }
}

fn hex_bytes(bytes: &[u8], upper: bool) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let written = if upper {
            write!(out, "{byte:02X}")
        } else {
            write!(out, "{byte:02x}")
        };
        debug_assert!(written.is_ok(), "a string takes every write");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(verb: &str, argument: Argument<'_>) -> Result<String, FormatError> {
        match pieces(verb)?.as_slice() {
            [Piece::Clause(verb)] => format_argument(*verb, argument),
            other => panic!("not one clause: {other:?}"),
        }
    }

    /// Expectations of cel-spec string_ext.textproto, section format.
    #[test]
    fn numbers_print_as_in_the_conformance_file() {
        for (verb, argument, text) in [
            ("%.3f", Argument::Double(1.2345), "1.234"),
            ("%.0f", Argument::Double(2.5), "2"),
            ("%.0f", Argument::Double(1.5), "2"),
            ("%f", Argument::Int(2), "2.000000"),
            ("%e", Argument::Uint(3), "3.000000e+00"),
            ("%.6e", Argument::Double(1052.032911275), "1.052033e+03"),
            ("%e", Argument::Double(f64::NEG_INFINITY), "-Infinity"),
            ("%d", Argument::Double(f64::NAN), "NaN"),
            ("%b", Argument::Bool(true), "1"),
            ("%o", Argument::Int(11), "13"),
            ("%X", Argument::Uint(6000), "1770"),
            (
                "%x",
                Argument::String("Hello world!"),
                "48656c6c6f20776f726c6421",
            ),
        ] {
            assert_eq!(format(verb, argument).unwrap(), text, "{verb}");
        }
    }

    /// cel-go ext/formatting_v2_test.go: negative numbers keep their sign before the digits.
    #[test]
    fn negative_numbers_are_signed() {
        assert_eq!(format("%x", Argument::Int(-64)).unwrap(), "-40");
        assert_eq!(format("%b", Argument::Int(-5)).unwrap(), "-101");
        assert_eq!(
            format("%o", Argument::Int(i64::MIN)).unwrap(),
            "-1000000000000000000000"
        );
        assert_eq!(
            format("%.2e", Argument::Double(-0.00012)).unwrap(),
            "-1.20e-04"
        );
    }

    #[test]
    fn text_and_escapes_keep_their_order() {
        assert_eq!(
            pieces("a%%%s\u{e4}%.2f").unwrap(),
            [
                Piece::Text("a"),
                Piece::Text("%"),
                Piece::Clause(Verb::String),
                Piece::Text("\u{e4}"),
                Piece::Clause(Verb::Fixed(2)),
            ]
        );
    }

    #[test]
    fn malformed_clauses_are_refused() {
        assert_eq!(pieces("%"), Err(FormatError::UnexpectedEnd));
        assert_eq!(pieces("%.f"), Err(FormatError::Precision));
        assert_eq!(pieces("%.3"), Err(FormatError::Precision));
        assert_eq!(pieces("%E"), Err(FormatError::Verb('E')));
        assert_eq!(
            pieces("%.1001f"),
            Err(FormatError::PrecisionTooLarge("1001".to_owned()))
        );
        assert!(format("%d", Argument::String("1")).is_err());
        assert!(format("%x", Argument::Double(0.5)).is_err());
    }
}
