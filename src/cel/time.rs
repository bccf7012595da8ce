//! Timestamps and durations (cel-spec, "Timestamp and Duration"). Input: their texts and parts; output: values in range.
//!
//! Durations are held to the range of 64-bit nanoseconds, as cel-go does and cel-spec's timestamps tests expect.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, TimeZone, Timelike};

use crate::cel::error::{CallError, ErrorKind};
use crate::cel::value::{Duration, Timestamp};

const NANOS: i128 = 1_000_000_000;
/// 0001-01-01T00:00:00Z.
const MIN_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;

fn overflow(what: &str) -> CallError {
    CallError::new(ErrorKind::Overflow, format!("{what} out of range"))
}

fn nanos(duration: Duration) -> i128 {
    i128::from(duration.seconds) * NANOS + i128::from(duration.nanos)
}

/// A duration of so many nanoseconds.
pub(crate) fn from_nanos(total: i128) -> Result<Duration, CallError> {
    if i64::try_from(total).is_err() {
        return Err(overflow("duration"));
    }
    let (Ok(seconds), Ok(nanos)) = (i64::try_from(total / NANOS), i32::try_from(total % NANOS))
    else {
        return Err(overflow("duration"));
    };
    Ok(Duration { seconds, nanos })
}

/// A timestamp of so many seconds and nanoseconds since 1970.
pub(crate) fn timestamp(seconds: i64, nanos: u32) -> Result<Timestamp, CallError> {
    if !(MIN_SECONDS..=MAX_SECONDS).contains(&seconds) {
        return Err(overflow("timestamp"));
    }
    Ok(Timestamp { seconds, nanos })
}

pub(crate) fn negate(duration: Duration) -> Result<Duration, CallError> {
    from_nanos(-nanos(duration))
}

pub(crate) fn add(one: Duration, two: Duration) -> Result<Duration, CallError> {
    from_nanos(nanos(one) + nanos(two))
}

pub(crate) fn subtract(one: Duration, two: Duration) -> Result<Duration, CallError> {
    from_nanos(nanos(one) - nanos(two))
}

fn instant(timestamp: Timestamp) -> i128 {
    i128::from(timestamp.seconds) * NANOS + i128::from(timestamp.nanos)
}

/// `timestamp + duration`.
pub(crate) fn shift(at: Timestamp, by: Duration) -> Result<Timestamp, CallError> {
    let total = instant(at) + nanos(by);
    let (Ok(seconds), Ok(nanos)) = (
        i64::try_from(total.div_euclid(NANOS)),
        u32::try_from(total.rem_euclid(NANOS)),
    ) else {
        return Err(overflow("timestamp"));
    };
    timestamp(seconds, nanos)
}

/// `one - two`.
pub(crate) fn between(one: Timestamp, two: Timestamp) -> Result<Duration, CallError> {
    from_nanos(instant(one) - instant(two))
}

/// RFC 3339 → timestamp.
pub(crate) fn parse_timestamp(text: &str) -> Result<Timestamp, CallError> {
    let parsed = DateTime::parse_from_rfc3339(text)
        .map_err(|_| CallError::invalid(format!("not an RFC 3339 timestamp: `{text}`")))?;
    timestamp(parsed.timestamp(), parsed.timestamp_subsec_nanos())
}

/// Timestamp → RFC 3339 in UTC, with as many digits of a second as it needs.
pub(crate) fn timestamp_text(at: Timestamp) -> String {
    DateTime::from_timestamp(at.seconds, at.nanos).map_or_else(String::new, |at| {
        let whole = at.format("%Y-%m-%dT%H:%M:%S").to_string();
        format!("{whole}{}Z", fraction(at.nanosecond()))
    })
}

fn fraction(nanos: u32) -> String {
    if nanos == 0 {
        return String::new();
    }
    let digits = format!("{nanos:09}");
    format!(".{}", digits.trim_end_matches('0'))
}

/// Duration → seconds with a fraction: `1.5s`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let negative = duration.seconds < 0 || duration.nanos < 0;
    format!(
        "{}{}{}s",
        if negative { "-" } else { "" },
        duration.seconds.unsigned_abs(),
        fraction(duration.nanos.unsigned_abs())
    )
}

/// Go's duration syntax: `1h30m`, `-1.5s`, `10ms`, `0`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, CallError> {
    let invalid = || CallError::invalid(format!("not a duration: `{text}`"));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return from_nanos(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(invalid)?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS,
            "m" => 60 * NANOS,
            "h" => 3_600 * NANOS,
            _ => return Err(invalid()),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() || whole.len() > 20 {
            return Err(invalid());
        }
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| invalid())?
        };
        total = total.saturating_add(whole.saturating_mul(scale));
        let mut unit = scale;
        for digit in part.chars() {
            unit /= 10;
            let digit = digit.to_digit(10).ok_or_else(invalid)?;
            total = total.saturating_add(i128::from(digit) * unit);
        }
        rest = after;
    }
    from_nanos(if negative { -total } else { total })
}

/// A part of a timestamp or duration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A part of a timestamp in a time zone: an IANA name, `+hh:mm`, or UTC when empty.
pub(crate) fn timestamp_part(at: Timestamp, zone: &str, part: Part) -> Result<i64, CallError> {
    let utc = DateTime::from_timestamp(at.seconds, at.nanos)
        .ok_or_else(|| overflow("timestamp"))?
        .naive_utc();
    let local = local_time(utc, zone)?;
    Ok(match part {
        Part::FullYear => i64::from(local.year()),
        Part::Month => i64::from(local.month0()),
        Part::Date => i64::from(local.day()),
        Part::DayOfMonth => i64::from(local.day0()),
        Part::DayOfWeek => i64::from(local.weekday().num_days_from_sunday()),
        Part::DayOfYear => i64::from(local.ordinal0()),
        Part::Hours => i64::from(local.hour()),
        Part::Minutes => i64::from(local.minute()),
        Part::Seconds => i64::from(local.second()),
        Part::Milliseconds => i64::from(local.nanosecond() / 1_000_000),
    })
}

fn local_time(utc: NaiveDateTime, zone: &str) -> Result<NaiveDateTime, CallError> {
    if zone.is_empty() || zone == "UTC" {
        return Ok(utc);
    }
    let overflowed = || overflow("timestamp");
    if let Some(offset) = offset(zone) {
        return utc.checked_add_offset(offset).ok_or_else(overflowed);
    }
    let zone: chrono_tz::Tz = zone
        .parse()
        .map_err(|_| CallError::invalid(format!("no time zone `{zone}`")))?;
    use chrono::Offset as _;
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).ok_or_else(overflowed)
}

/// `+02:30`, `-02:30` or `02:30`.
fn offset(zone: &str) -> Option<FixedOffset> {
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let hours: i32 = hours.parse().ok().filter(|hours| (0..24).contains(hours))?;
    let minutes: i32 = minutes
        .parse()
        .ok()
        .filter(|minutes| (0..60).contains(minutes))?;
    FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60))
}

/// A duration in whole units; milliseconds are those beyond the whole seconds, as cel-spec has it.
pub(crate) fn duration_part(duration: Duration, part: Part) -> Option<i64> {
    Some(match part {
        Part::Hours => duration.seconds / 3_600,
        Part::Minutes => duration.seconds / 60,
        Part::Seconds => duration.seconds,
        Part::Milliseconds => i64::from(duration.nanos / 1_000_000),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_in_go() {
        let text = |text: &str| parse_duration(text).map(duration_text);
        assert_eq!(text("1h30m"), Ok("5400s".to_owned()));
        assert_eq!(text("-1.5s"), Ok("-1.5s".to_owned()));
        assert_eq!(text("10ms"), Ok("0.01s".to_owned()));
        assert_eq!(text("-999999999ns"), Ok("-0.999999999s".to_owned()));
        assert_eq!(text("0"), Ok("0s".to_owned()));
        for bad in ["", "1", "s", "1.s2", "1x", "1..5s", "--1s", ".s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert!(parse_duration("99999999999999999999999h").is_err());
    }
}
