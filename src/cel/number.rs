//! Exact conversions and comparisons between CEL's three number types. Input: numbers; output: numbers or orderings.

use std::cmp::Ordering;

const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// A double as `i64` when it is integral and in range.
pub(crate) fn exact_i64(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && (-TWO_63..TWO_63).contains(&number)).then(|| truncate_i64(number))
}

/// A double as `u64` when it is integral and in range.
pub(crate) fn exact_u64(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..TWO_64).contains(&number)).then(|| truncate_u64(number))
}

/// A double as `i64` with its fraction dropped. The ends of the range are refused, as cel-spec has it
/// (conversions/int/double_int_max_range, double_int_min_range).
pub(crate) fn to_i64(number: f64) -> Option<i64> {
    (number > -TWO_63 && number < TWO_63).then(|| truncate_i64(number))
}

/// A double as `u64` with its fraction dropped.
pub(crate) fn to_u64(number: f64) -> Option<u64> {
    (number > -1.0 && number < TWO_64).then(|| truncate_u64(number))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "callers check the range; dropping the fraction is the aim"
)]
fn truncate_i64(number: f64) -> i64 {
    number as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers check the range; dropping the fraction is the aim"
)]
fn truncate_u64(number: f64) -> u64 {
    number as u64
}

/// The nearest double.
pub(crate) fn to_f64(number: i64) -> f64 {
    number as f64
}

/// The nearest double.
pub(crate) fn uint_to_f64(number: u64) -> f64 {
    number as f64
}

/// Compares as doubles, as cel-go does (`common/types/compare.go`): beyond 2^53 neighbours are equal. `None` with a NaN.
pub(crate) fn compare_i64_f64(int: i64, double: f64) -> Option<Ordering> {
    to_f64(int).partial_cmp(&double)
}

/// Compares as doubles; `None` with a NaN.
pub(crate) fn compare_u64_f64(uint: u64, double: f64) -> Option<Ordering> {
    uint_to_f64(uint).partial_cmp(&double)
}

/// Compares on one number line.
pub(crate) fn compare_i64_u64(int: i64, uint: u64) -> Ordering {
    i128::from(int).cmp(&i128::from(uint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_comparison_is_that_of_doubles() {
        assert_eq!(compare_i64_f64(1, 1.5), Some(Ordering::Less));
        assert_eq!(compare_i64_f64(0, -0.0), Some(Ordering::Equal));
        assert_eq!(compare_i64_f64(i64::MAX, TWO_63), Some(Ordering::Equal));
        assert_eq!(compare_u64_f64(u64::MAX, 1e30), Some(Ordering::Less));
        assert_eq!(compare_i64_f64(1, f64::NAN), None);
        assert_eq!(compare_i64_u64(-1, u64::MAX), Ordering::Less);
    }
}
