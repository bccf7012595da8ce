//! The math extension (cel-go `ext/math.go`). Input: numbers; output: numbers and booleans.

use std::cmp::Ordering;

use super::{Body, Builtin, CallContext, Function};
use crate::cel::equal::{as_list, compare};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::number;
use crate::cel::types::Type;
use crate::cel::value::Value;

type Called<'a> = Result<Value<'a>, CallError>;

use Type::{Bool, Double, Dyn, Int, Uint};

const ROUNDING: &[(&str, &str, Builtin)] = &[
    (
        "math.ceil",
        "The next integral number upwards.",
        |_, args| rounded(args, f64::ceil),
    ),
    (
        "math.floor",
        "The next integral number downwards.",
        |_, args| rounded(args, f64::floor),
    ),
    (
        "math.round",
        "The nearest integral number, halves away from zero.",
        |_, args| rounded(args, f64::round),
    ),
    (
        "math.trunc",
        "The number without its fraction.",
        |_, args| rounded(args, f64::trunc),
    ),
];

const TESTS: &[(&str, &str, Builtin)] = &[
    (
        "math.isNaN",
        "Whether the number is not a number.",
        |_, args| test(args, f64::is_nan),
    ),
    (
        "math.isInf",
        "Whether the number is infinite.",
        |_, args| test(args, f64::is_infinite),
    ),
    (
        "math.isFinite",
        "Whether the number is neither infinite nor NaN.",
        |_, args| test(args, f64::is_finite),
    ),
];

const BITS: &[(&str, &str, Builtin)] = &[
    ("math.bitAnd", "Bits that both numbers have.", |_, args| {
        bits(args, |a, b| a & b)
    }),
    ("math.bitOr", "Bits that either number has.", |_, args| {
        bits(args, |a, b| a | b)
    }),
    (
        "math.bitXor",
        "Bits that one of the numbers has.",
        |_, args| bits(args, |a, b| a ^ b),
    ),
];

pub(super) fn rows() -> Vec<Function> {
    let mut rows = Vec::new();
    let mut add = |name: &'static str,
                   parameters: &[Type],
                   result: Type,
                   doc: &'static str,
                   body: Builtin| {
        rows.push(Function::global(
            name,
            parameters,
            result,
            doc,
            Body::Builtin(body),
        ));
    };
    for (name, doc, body) in ROUNDING {
        add(name, &[Double], Double, doc, *body);
    }
    for (name, doc, body) in TESTS {
        add(name, &[Double], Bool, doc, *body);
    }
    for ty in [Int, Uint] {
        for (name, doc, body) in BITS {
            add(name, &[ty, ty], ty, doc, *body);
        }
        add(
            "math.bitNot",
            &[ty],
            ty,
            "The number with every bit flipped.",
            bit_not,
        );
        add(
            "math.bitShiftLeft",
            &[ty, Int],
            ty,
            "The bits moved left.",
            shift_left,
        );
        add(
            "math.bitShiftRight",
            &[ty, Int],
            ty,
            "The bits moved right, zeros in front.",
            shift_right,
        );
    }
    for ty in [Int, Uint, Double] {
        add("math.abs", &[ty], ty, "The number without its sign.", abs);
        add("math.sign", &[ty], ty, "-1, 0 or 1.", sign);
        add("math.sqrt", &[ty], Double, "The square root.", sqrt);
    }
    for (name, doc, body) in [
        (
            "math.greatest",
            "The greatest of the numbers, or of a list.",
            greatest as Builtin,
        ),
        (
            "math.least",
            "The least of the numbers, or of a list.",
            least as Builtin,
        ),
    ] {
        let mut row = Function::global(name, &[Dyn], Dyn, doc, Body::Builtin(body));
        row.variadic = true;
        rows.push(row);
    }
    rows
}

fn none() -> CallError {
    CallError::bare(ErrorKind::NoOverload)
}

fn rounded<'a>(args: &[Value<'a>], round: fn(f64) -> f64) -> Called<'a> {
    match args {
        [Value::Double(number)] => Ok(Value::Double(round(*number))),
        _ => Err(none()),
    }
}

fn test<'a>(args: &[Value<'a>], test: fn(f64) -> bool) -> Called<'a> {
    match args {
        [Value::Double(number)] => Ok(Value::Bool(test(*number))),
        _ => Err(none()),
    }
}

fn bits<'a>(args: &[Value<'a>], combine: fn(u64, u64) -> u64) -> Called<'a> {
    match args {
        [Value::Int(one), Value::Int(two)] => Ok(Value::Int(
            combine(one.cast_unsigned(), two.cast_unsigned()).cast_signed(),
        )),
        [Value::Uint(one), Value::Uint(two)] => Ok(Value::Uint(combine(*one, *two))),
        _ => Err(none()),
    }
}

fn bit_not<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    match args {
        [Value::Int(number)] => Ok(Value::Int(!number)),
        [Value::Uint(number)] => Ok(Value::Uint(!number)),
        _ => Err(none()),
    }
}

/// Moves bits; by 64 and more leaves nothing, as cel-go has it.
fn shift<'a>(args: &[Value<'a>], moved: fn(u64, u32) -> Option<u64>) -> Called<'a> {
    let Some(Value::Int(by)) = args.get(1) else {
        return Err(none());
    };
    if *by < 0 {
        return Err(CallError::invalid(format!("negative shift by {by}")));
    }
    let by = u32::try_from(*by).unwrap_or(u32::MAX);
    match args.first() {
        Some(Value::Int(number)) => Ok(Value::Int(
            moved(number.cast_unsigned(), by).unwrap_or(0).cast_signed(),
        )),
        Some(Value::Uint(number)) => Ok(Value::Uint(moved(*number, by).unwrap_or(0))),
        _ => Err(none()),
    }
}

fn shift_left<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    shift(args, u64::checked_shl)
}

fn shift_right<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    shift(args, u64::checked_shr)
}

fn abs<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    match args {
        [Value::Int(number)] => number
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| CallError::bare(ErrorKind::Overflow)),
        [Value::Uint(number)] => Ok(Value::Uint(*number)),
        [Value::Double(number)] => Ok(Value::Double(number.abs())),
        _ => Err(none()),
    }
}

fn sign<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    match args {
        [Value::Int(number)] => Ok(Value::Int(number.signum())),
        [Value::Uint(number)] => Ok(Value::Uint(u64::from(*number > 0))),
        [Value::Double(number)] if *number == 0.0 || number.is_nan() => Ok(Value::Double(*number)),
        [Value::Double(number)] => Ok(Value::Double(number.signum())),
        _ => Err(none()),
    }
}

fn sqrt<'a>(_: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    Ok(Value::Double(
        match args {
            [Value::Int(number)] => number::to_f64(*number),
            [Value::Uint(number)] => number::uint_to_f64(*number),
            [Value::Double(number)] => *number,
            _ => return Err(none()),
        }
        .sqrt(),
    ))
}

fn greatest<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    extreme(context, args, Ordering::Greater)
}

fn least<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Called<'a> {
    extreme(context, args, Ordering::Less)
}

fn extreme<'a>(context: &mut CallContext<'_>, args: &[Value<'a>], wanted: Ordering) -> Called<'a> {
    let list = match args {
        [only] => as_list(only).map(|list| list.items().collect::<Vec<_>>()),
        _ => None,
    };
    let numbers = list.as_deref().unwrap_or(args);
    context.fuel.charge_elements(numbers.len())?;
    let mut best: Option<Value<'a>> = None;
    for number in numbers {
        let number = number.lifted();
        if !matches!(number, Value::Int(_) | Value::Uint(_) | Value::Double(_)) {
            return Err(none());
        }
        let better = match &best {
            None => true,
            Some(best) => compare(&number, best)? == Some(wanted),
        };
        if better {
            best = Some(number);
        }
    }
    best.ok_or_else(|| CallError::invalid("an empty list has no extreme"))
}
