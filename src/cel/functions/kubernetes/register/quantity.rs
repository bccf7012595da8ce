//! Rows of the quantity library.

use crate::cel::error::CallError;
use crate::cel::functions::Function;
use crate::cel::functions::kubernetes::quantity::{Quantity, QuantityError};
use crate::cel::functions::opaque::{
    Library, carried, carry, charged_text, comparisons, exactly, global, invalid, member, receiver,
};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Library for Quantity {
    const TYPE_NAME: &'static str = "kubernetes.Quantity";

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

const QUANTITY: Type = Type::Opaque(Quantity::TYPE_NAME);

pub(super) fn rows() -> Vec<Function> {
    [
        parsing(),
        scalars(),
        arithmetic(),
        comparisons::<Quantity>(),
    ]
    .concat()
}

fn parsing() -> Vec<Function> {
    vec![
        global(
            "quantity",
            &[Type::String],
            QUANTITY,
            "Reads a resource quantity such as `1.5Gi`.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                let text = charged_text(context, text)?;
                Quantity::parse(text).map(carry).map_err(invalid)
            },
        ),
        global(
            "isQuantity",
            &[Type::String],
            Type::Bool,
            "Whether the string is a resource quantity.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                let text = charged_text(context, text)?;
                Ok(Value::Bool(Quantity::parse(text).is_ok()))
            },
        ),
    ]
}

fn scalars() -> Vec<Function> {
    let only = &[QUANTITY];
    vec![
        member("sign", only, Type::Int, "1, 0 or -1.", |_, arguments| {
            Ok(Value::Int(receiver::<Quantity>(arguments)?.sign()))
        }),
        // Upstream declares `sign` as a global function while its documentation calls it on the quantity.
        global("sign", only, Type::Int, "1, 0 or -1.", |_, arguments| {
            Ok(Value::Int(receiver::<Quantity>(arguments)?.sign()))
        }),
        member(
            "isInteger",
            only,
            Type::Bool,
            "Whether `asInteger` succeeds.",
            |_, arguments| Ok(Value::Bool(receiver::<Quantity>(arguments)?.is_integer())),
        ),
        member(
            "asInteger",
            only,
            Type::Int,
            "The exact integer, or an error.",
            |_, arguments| {
                let integer = receiver::<Quantity>(arguments)?.as_integer();
                integer.map(Value::Int).map_err(invalid)
            },
        ),
        member(
            "asApproximateFloat",
            only,
            Type::Double,
            "The nearest double.",
            |_, arguments| {
                Ok(Value::Double(
                    receiver::<Quantity>(arguments)?.as_approximate_float(),
                ))
            },
        ),
    ]
}

fn arithmetic() -> Vec<Function> {
    let mut rows = Vec::new();
    for other in [QUANTITY, Type::Int] {
        let pair = &[QUANTITY, other];
        rows.push(member(
            "add",
            pair,
            QUANTITY,
            "The exact sum.",
            |_, arguments| combine(arguments, Quantity::add),
        ));
        rows.push(member(
            "sub",
            pair,
            QUANTITY,
            "The exact difference.",
            |_, arguments| combine(arguments, Quantity::sub),
        ));
    }
    rows
}

fn combine<'a>(
    arguments: &[Value<'a>],
    operation: fn(&Quantity, &Quantity) -> Result<Quantity, QuantityError>,
) -> Result<Value<'a>, CallError> {
    let [left, right] = exactly(arguments)?;
    let left: &Quantity = carried(left)?;
    let result = match right {
        Value::Int(right) => operation(left, &Quantity::from_int(*right)),
        right => operation(left, carried(right)?),
    };
    result.map(carry).map_err(invalid)
}
