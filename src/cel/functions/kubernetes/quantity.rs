//! `quantity()`: a Kubernetes resource quantity in, an exact decimal value out.
//!
//! Source: the `Quantity` doc comment of `k8s.io/apimachinery/pkg/api/resource/quantity.go` and
//! `k8s.io/apiserver/pkg/cel/library/quantity.go` (Kubernetes 1.36). Where the Go parser is laxer
//! than its documented grammar (`-`, `.` and `Mi` read as zero) the grammar wins: the library's own
//! documentation says `isQuantity('Mi')` is false. Where Go's `AsInt64` gives up on values it keeps
//! in its slow form (`1.5Gi`) the documented meaning of `isInteger` wins.

mod decimal;

use std::cmp::Ordering;
use std::fmt;

use self::decimal::Decimal;

/// Why a string is no quantity, or why an operation has no exact result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is outside the grammar.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// The number is well formed, its suffix is unknown.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// The value needs more than 38 significant digits.
    #[error("quantity has more significant digits than can be computed exactly")]
    Digits,
    /// `asInteger` of a value that is fractional or outside 64 bits.
    #[error("cannot convert value to integer")]
    NotInteger,
}

/// The suffix family a quantity was written in; it is kept when the value is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// `12e6`
    DecimalExponent,
    /// `12Mi`
    BinarySi,
    /// `12M`
    DecimalSi,
}

/// An exact resource quantity. Equality and order are by value: `200M` equals `0.2G`.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    value: Decimal,
    notation: Notation,
}

/// The largest value a binary suffix may reach; parsing caps at it ("numbers larger … will be capped").
const BINARY_CAP: i128 = i64::MAX as i128;

impl Quantity {
    /// Parses `text`. A non-zero value finer than 1n is rounded away from zero to a multiple of 1n
    /// and a binary value is capped at 2^63-1, both as documented upstream.
    ///
    /// # Errors
    /// The text is not a quantity, or has more than 38 significant digits.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        let number_end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') || !suffix_charset(suffix) {
            return Err(QuantityError::Format);
        }
        let (scale, mut notation) = parse_suffix(suffix).ok_or(QuantityError::Suffix)?;
        let mut value = match scale {
            Scale::Ten(exponent) => Decimal::from_digits(whole, fraction, exponent)?,
            Scale::Two(power) => Decimal::from_binary(whole, fraction, power, BINARY_CAP)?,
        };
        if matches!(scale, Scale::Two(_)) && !value.is_zero() && value < Decimal::from_int(1) {
            notation = Notation::DecimalSi;
        }
        if negative {
            value = value.negated();
        }
        Ok(Self { value, notation })
    }

    /// The quantity of an integer, as `add(<int>)` reads it.
    #[must_use]
    pub fn from_int(value: i64) -> Self {
        Self {
            value: Decimal::from_int(i128::from(value)),
            notation: Notation::DecimalExponent,
        }
    }

    /// The suffix family it prints in.
    #[must_use]
    pub fn notation(&self) -> Notation {
        self.notation
    }

    /// 1, 0 or -1.
    #[must_use]
    pub fn sign(&self) -> i64 {
        match self.value.cmp(&Decimal::from_int(0)) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// True exactly when [`Quantity::as_integer`] succeeds.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.value.to_i64().is_some()
    }

    /// The value as a 64-bit integer.
    ///
    /// # Errors
    /// The value is fractional or does not fit.
    pub fn as_integer(&self) -> Result<i64, QuantityError> {
        self.value.to_i64().ok_or(QuantityError::NotInteger)
    }

    /// The nearest double; infinite outside the range of a double.
    #[must_use]
    pub fn as_approximate_float(&self) -> f64 {
        self.value.to_f64()
    }

    /// The exact sum, in the notation of `self`, or of `other` when `self` is zero.
    ///
    /// # Errors
    /// The sum needs more than 38 significant digits.
    pub fn add(&self, other: &Self) -> Result<Self, QuantityError> {
        let notation = if self.value.is_zero() {
            other.notation
        } else {
            self.notation
        };
        let value = self.value.add(&other.value).ok_or(QuantityError::Digits)?;
        Ok(Self { value, notation })
    }

    /// The exact difference; notation as for [`Quantity::add`].
    ///
    /// # Errors
    /// The difference needs more than 38 significant digits.
    pub fn sub(&self, other: &Self) -> Result<Self, QuantityError> {
        self.add(&Self {
            value: other.value.negated(),
            notation: other.notation,
        })
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

/// The canonical form: no fraction digits, the largest suffix or exponent that loses nothing.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_zero() {
            return f.write_str("0");
        }
        let mut notation = self.notation;
        if notation == Notation::BinarySi {
            if let Some((mantissa, suffix)) = self.value.binary_form() {
                return write!(f, "{mantissa}{suffix}");
            }
            // Below 1024 or fractional a binary quantity prints as decimal; past Ei as an exponent.
            notation = if self.value.is_integral() && self.value.magnitude_at_least(1024) {
                Notation::DecimalExponent
            } else {
                Notation::DecimalSi
            };
        }
        let (digits, exponent) = self.value.thousands_form();
        match (notation, si_suffix(exponent)) {
            (_, Some("")) => f.write_str(&digits),
            (Notation::DecimalSi, Some(suffix)) => write!(f, "{digits}{suffix}"),
            _ => write!(f, "{digits}e{exponent}"),
        }
    }
}

/// What a suffix multiplies by.
#[derive(Debug, Clone, Copy)]
enum Scale {
    Ten(i64),
    Two(u32),
}

/// The largest decimal exponent taken; Kubernetes keeps exponents in 32 bits.
const MAX_EXPONENT: i64 = 1 << 31;

fn suffix_charset(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(|c: char| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.bytes().all(|b| b.is_ascii_digit())
}

fn parse_suffix(suffix: &str) -> Option<(Scale, Notation)> {
    let (scale, notation) = match suffix {
        "n" => (Scale::Ten(-9), Notation::DecimalSi),
        "u" => (Scale::Ten(-6), Notation::DecimalSi),
        "m" => (Scale::Ten(-3), Notation::DecimalSi),
        "" => (Scale::Ten(0), Notation::DecimalSi),
        "k" => (Scale::Ten(3), Notation::DecimalSi),
        "M" => (Scale::Ten(6), Notation::DecimalSi),
        "G" => (Scale::Ten(9), Notation::DecimalSi),
        "T" => (Scale::Ten(12), Notation::DecimalSi),
        "P" => (Scale::Ten(15), Notation::DecimalSi),
        "E" => (Scale::Ten(18), Notation::DecimalSi),
        "Ki" => (Scale::Two(10), Notation::BinarySi),
        "Mi" => (Scale::Two(20), Notation::BinarySi),
        "Gi" => (Scale::Two(30), Notation::BinarySi),
        "Ti" => (Scale::Two(40), Notation::BinarySi),
        "Pi" => (Scale::Two(50), Notation::BinarySi),
        "Ei" => (Scale::Two(60), Notation::BinarySi),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            let exponent: i64 = digits.parse().ok()?;
            if exponent.abs() > MAX_EXPONENT {
                return None;
            }
            (Scale::Ten(exponent), Notation::DecimalExponent)
        }
    };
    Some((scale, notation))
}

fn si_suffix(exponent: i64) -> Option<&'static str> {
    Some(match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        0 => "",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
