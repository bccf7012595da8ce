//! Exact decimal numbers for `quantity`: digits in, `mantissa × 10^exponent` out.

use std::cmp::Ordering;

use super::QuantityError;

/// `mantissa × 10^exponent`.
///
/// INVARIANT: the mantissa has no trailing decimal zero, and zero is `0 × 10^0`; so two equal values
/// are equal field by field, and a value is an integer exactly when `exponent >= 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: i128,
    exponent: i64,
}

/// Parsing keeps nothing finer than a billionth ("more precise will be … rounded up").
const FINEST_EXPONENT: i64 = -9;

impl Decimal {
    fn new(mut mantissa: i128, mut exponent: i64) -> Self {
        if mantissa == 0 {
            return Self {
                mantissa: 0,
                exponent: 0,
            };
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        Self { mantissa, exponent }
    }

    pub(super) fn from_int(value: i128) -> Self {
        Self::new(value, 0)
    }

    /// `whole.fraction × 10^exponent`, rounded away from zero to a billionth.
    pub(super) fn from_digits(
        whole: &str,
        fraction: &str,
        exponent: i64,
    ) -> Result<Self, QuantityError> {
        let Some((digits, exponent)) = significant(whole, fraction, exponent) else {
            return Ok(Self::from_int(0));
        };
        let dropped = usize::try_from(FINEST_EXPONENT.saturating_sub(exponent)).unwrap_or(0);
        if dropped == 0 {
            return Ok(Self::new(to_i128(&digits)?, exponent));
        }
        // The digits end in a non-zero one, so whatever is dropped rounds the rest up.
        let kept = digits
            .len()
            .checked_sub(dropped)
            .and_then(|keep| digits.get(..keep))
            .unwrap_or_default();
        let kept = if kept.is_empty() { 0 } else { to_i128(kept)? };
        Ok(Self::new(kept.saturating_add(1), FINEST_EXPONENT))
    }

    /// `whole.fraction × 2^power`, rounded as above and capped at `cap`.
    pub(super) fn from_binary(
        whole: &str,
        fraction: &str,
        power: u32,
        cap: i128,
    ) -> Result<Self, QuantityError> {
        let Some((digits, exponent)) = significant(whole, fraction, 0) else {
            return Ok(Self::from_int(0));
        };
        let places = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        if places.saturating_add(exponent) > 20 {
            return Ok(Self::from_int(cap));
        }
        let factor = 1_i128.checked_shl(power).ok_or(QuantityError::Digits)?;
        let mut mantissa = to_i128(&digits)?
            .checked_mul(factor)
            .ok_or(QuantityError::Digits)?;
        let mut exponent = exponent;
        if exponent < FINEST_EXPONENT {
            let dropped = u32::try_from(FINEST_EXPONENT - exponent).unwrap_or(u32::MAX);
            mantissa = match 10_i128.checked_pow(dropped) {
                Some(unit) => mantissa / unit + i128::from(mantissa % unit != 0),
                None => 1,
            };
            exponent = FINEST_EXPONENT;
        }
        Ok(Self::new(mantissa, exponent).min(Self::from_int(cap)))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    pub(super) fn is_integral(&self) -> bool {
        self.exponent >= 0
    }

    pub(super) fn negated(&self) -> Self {
        Self {
            mantissa: self.mantissa.saturating_neg(),
            exponent: self.exponent,
        }
    }

    pub(super) fn magnitude_at_least(&self, bound: i128) -> bool {
        let magnitude = Self {
            mantissa: self.mantissa.saturating_abs(),
            exponent: self.exponent,
        };
        magnitude >= Self::from_int(bound)
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        if self.is_zero() {
            return Some(*other);
        }
        if other.is_zero() {
            return Some(*self);
        }
        let exponent = self.exponent.min(other.exponent);
        let sum = self.at(exponent)?.checked_add(other.at(exponent)?)?;
        // The lowest i128 has no negation, so it is out of the range too.
        (sum != i128::MIN).then(|| Self::new(sum, exponent))
    }

    pub(super) fn to_i64(self) -> Option<i64> {
        if self.exponent < 0 {
            return None;
        }
        self.at(0).and_then(|value| i64::try_from(value).ok())
    }

    pub(super) fn to_f64(self) -> f64 {
        // The standard parser rounds correctly and gives infinity past the range.
        format!("{}e{}", self.mantissa, self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// The digits and the largest exponent divisible by three that keeps them whole.
    pub(super) fn thousands_form(&self) -> (String, i64) {
        let zeros = self.exponent.rem_euclid(3);
        let mut digits = self.mantissa.to_string();
        for _ in 0..zeros {
            digits.push('0');
        }
        (digits, self.exponent - zeros)
    }

    /// The value over the largest power of 1024 that divides it, when it is an integer of at least
    /// 1024 that a suffix up to `Ei` can express.
    pub(super) fn binary_form(&self) -> Option<(i128, &'static str)> {
        if !self.is_integral() || !self.magnitude_at_least(1024) {
            return None;
        }
        let value = self.at(0)?;
        let power = value.trailing_zeros() / 10;
        let suffix = match power {
            0 => "",
            1 => "Ki",
            2 => "Mi",
            3 => "Gi",
            4 => "Ti",
            5 => "Pi",
            6 => "Ei",
            _ => return None,
        };
        Some((value >> (10 * power), suffix))
    }

    /// The mantissa of the same value at a lower or equal exponent, if it fits.
    fn at(&self, exponent: i64) -> Option<i128> {
        let shift = u32::try_from(self.exponent - exponent).ok()?;
        self.mantissa.checked_mul(10_i128.checked_pow(shift)?)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.mantissa.signum().cmp(&other.mantissa.signum());
        if signs != Ordering::Equal || self.is_zero() {
            return signs;
        }
        let exponent = self.exponent.min(other.exponent);
        match (self.at(exponent), other.at(exponent)) {
            (Some(left), Some(right)) => left.cmp(&right),
            // A mantissa that overflows when brought to the other's exponent has the larger magnitude.
            (None, _) => self.mantissa.signum().cmp(&0),
            (_, None) => 0.cmp(&other.mantissa.signum()),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The digits without leading and trailing zeros and their exponent; nothing for zero.
fn significant(whole: &str, fraction: &str, exponent: i64) -> Option<(String, i64)> {
    let all = format!("{whole}{fraction}");
    let head = all.trim_start_matches('0');
    let digits = head.trim_end_matches('0');
    if digits.is_empty() {
        return None;
    }
    let zeros = i64::try_from(head.len() - digits.len()).ok()?;
    let places = i64::try_from(fraction.len()).ok()?;
    Some((digits.to_owned(), exponent - places + zeros))
}

fn to_i128(digits: &str) -> Result<i128, QuantityError> {
    digits.parse().map_err(|_| QuantityError::Digits)
}
