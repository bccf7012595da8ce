//! Parts of timestamps and durations. Input: a timestamp, with a time zone or in UTC, or a duration; output: an integer.

use super::{Body, Builtin, Function};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::time::{self, Part};
use crate::cel::types::Type;
use crate::cel::value::Value;

const ROWS: &[(&str, &str, bool, Builtin)] = &[
    ("getFullYear", "The year.", false, |_, args| {
        part(args, Part::FullYear)
    }),
    ("getMonth", "The month, 0 to 11.", false, |_, args| {
        part(args, Part::Month)
    }),
    (
        "getDate",
        "The day of the month, from 1.",
        false,
        |_, args| part(args, Part::Date),
    ),
    (
        "getDayOfMonth",
        "The day of the month, from 0.",
        false,
        |_, args| part(args, Part::DayOfMonth),
    ),
    (
        "getDayOfWeek",
        "The day of the week, 0 for Sunday.",
        false,
        |_, args| part(args, Part::DayOfWeek),
    ),
    (
        "getDayOfYear",
        "The day of the year, from 0.",
        false,
        |_, args| part(args, Part::DayOfYear),
    ),
    (
        "getHours",
        "The hours, of a duration the whole hours.",
        true,
        |_, args| part(args, Part::Hours),
    ),
    (
        "getMinutes",
        "The minutes, of a duration the whole minutes.",
        true,
        |_, args| part(args, Part::Minutes),
    ),
    (
        "getSeconds",
        "The seconds, of a duration the whole seconds.",
        true,
        |_, args| part(args, Part::Seconds),
    ),
    (
        "getMilliseconds",
        "The milliseconds beyond the whole second.",
        true,
        |_, args| part(args, Part::Milliseconds),
    ),
];

pub(super) fn rows() -> Vec<Function> {
    use Type::{Duration, Int, String, Timestamp};
    let mut rows = Vec::new();
    for (name, doc, of_duration, body) in ROWS {
        let mut add = |parameters: &[Type]| {
            rows.push(Function::member(
                name,
                parameters,
                Int,
                doc,
                Body::Builtin(*body),
            ));
        };
        add(&[Timestamp]);
        add(&[Timestamp, String]);
        if *of_duration {
            add(&[Duration]);
        }
    }
    rows
}

fn part<'a>(args: &[Value<'a>], part: Part) -> Result<Value<'a>, CallError> {
    let none = || CallError::bare(ErrorKind::NoOverload);
    match args {
        [Value::Timestamp(at)] => time::timestamp_part(*at, "", part).map(Value::Int),
        [Value::Timestamp(at), zone] => {
            time::timestamp_part(*at, zone.as_str().ok_or_else(none)?, part).map(Value::Int)
        }
        [Value::Duration(duration)] => time::duration_part(*duration, part)
            .map(Value::Int)
            .ok_or_else(none),
        _ => Err(none()),
    }
}
