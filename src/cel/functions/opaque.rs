//! Values of the libraries inside expressions: a plain Rust value in, a CEL value out and back.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::cel::error::{CallError, ErrorKind};
use crate::cel::functions::{Body, Builtin, CallContext, Function};
use crate::cel::types::Type;
use crate::cel::value::{Opaque, Value};

/// A Rust type that expressions can hold.
pub(crate) trait Library: PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// What `type(x)` prints.
    const TYPE_NAME: &'static str;

    /// What `string(x)` yields, where the library defines it.
    fn to_text(&self) -> Option<String> {
        None
    }
}

/// Carries a library value through the evaluator.
#[derive(Debug)]
struct Carried<T>(T);

impl<T: Library> Opaque for Carried<T> {
    fn type_name(&self) -> &'static str {
        T::TYPE_NAME
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| self.0 == other.0)
    }

    fn to_text(&self) -> Option<String> {
        self.0.to_text()
    }
}

/// The CEL value of a library value.
pub(crate) fn carry<'a, T: Library>(value: T) -> Value<'a> {
    Value::Opaque(Arc::new(Carried(value)))
}

/// The library value inside a CEL value.
///
/// # Errors
/// The value is of another type.
pub(crate) fn carried<'v, T: Library>(value: &'v Value<'_>) -> Result<&'v T, CallError> {
    match value {
        Value::Opaque(opaque) => opaque
            .as_any()
            .downcast_ref::<Carried<T>>()
            .map(|carried| &carried.0),
        _ => None,
    }
    .ok_or_else(no_overload)
}

/// The error of a call with the wrong types.
pub(crate) fn no_overload() -> CallError {
    CallError::bare(ErrorKind::NoOverload)
}

/// The string a function was called with.
///
/// # Errors
/// The value is of another type.
pub(crate) fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, CallError> {
    value.as_str().ok_or_else(no_overload)
}

/// An error of a library as the error of a call.
pub(crate) fn invalid(error: impl std::fmt::Display) -> CallError {
    CallError::invalid(error.to_string())
}

/// The arguments of a call whose number the function table has checked.
///
/// # Errors
/// There are more or fewer.
pub(crate) fn exactly<'v, 'a, const N: usize>(
    arguments: &'v [Value<'a>],
) -> Result<&'v [Value<'a>; N], CallError> {
    arguments.try_into().map_err(|_| no_overload())
}

/// The string a function parses, its length charged.
///
/// # Errors
/// The value is of another type, or the fuel is used up.
pub(crate) fn charged_text<'v>(
    context: &mut CallContext<'_>,
    value: &'v Value<'_>,
) -> Result<&'v str, CallError> {
    let text = text(value)?;
    context.fuel.charge_bytes(text.len())?;
    Ok(text)
}

/// The library value a member function is called on.
///
/// # Errors
/// The receiver is of another type.
pub(crate) fn receiver<'v, T: Library>(arguments: &'v [Value<'_>]) -> Result<&'v T, CallError> {
    carried(arguments.first().ok_or_else(no_overload)?)
}

/// `isLessThan`, `isGreaterThan` and `compareTo` of a type with an order.
pub(crate) fn comparisons<T: Library + Ord>() -> Vec<Function> {
    let pair = &[Type::Opaque(T::TYPE_NAME), Type::Opaque(T::TYPE_NAME)];
    vec![
        member(
            "isLessThan",
            pair,
            Type::Bool,
            "Whether it is less.",
            |_, arguments| Ok(Value::Bool(order::<T>(arguments)?.is_lt())),
        ),
        member(
            "isGreaterThan",
            pair,
            Type::Bool,
            "Whether it is greater.",
            |_, arguments| Ok(Value::Bool(order::<T>(arguments)?.is_gt())),
        ),
        member(
            "compareTo",
            pair,
            Type::Int,
            "-1, 0 or 1 as it is less, equal or greater.",
            |_, arguments| Ok(Value::Int(order::<T>(arguments)? as i64)),
        ),
    ]
}

fn order<T: Library + Ord>(arguments: &[Value<'_>]) -> Result<Ordering, CallError> {
    let [left, right] = exactly(arguments)?;
    Ok(carried::<T>(left)?.cmp(carried(right)?))
}

/// A row of a function called as `name(…)`.
pub(crate) fn global(
    name: &'static str,
    parameters: &[Type],
    result: Type,
    doc: &'static str,
    code: Builtin,
) -> Function {
    Function::global(name, parameters, result, doc, Body::Builtin(code))
}

/// A row of a function called as `x.name(…)`.
pub(crate) fn member(
    name: &'static str,
    parameters: &[Type],
    result: Type,
    doc: &'static str,
    code: Builtin,
) -> Function {
    Function::member(name, parameters, result, doc, Body::Builtin(code))
}
