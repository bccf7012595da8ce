//! Constant folding. Input: a plan whose parts are constants; output: the constant it evaluates to, when it does.

use std::sync::Arc;

use cel::common::ast::LiteralValue;

use crate::cel::evaluate::Machine;
use crate::cel::fuel::Fuel;
use crate::cel::plan::{Op, Plan};
use crate::cel::value::Value;

/// Fuel for folding one step; what costs more is left to the evaluation.
const FOLD_FUEL: Fuel = Fuel(1_000);

/// A literal of the syntax tree.
pub(crate) fn literal(value: &LiteralValue) -> Value<'static> {
    match value {
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Int(value) => Value::Int(*value.inner()),
        LiteralValue::UInt(value) => Value::Uint(*value.inner()),
        LiteralValue::Double(value) => Value::Double(*value.inner()),
        LiteralValue::String(value) => Value::text(value.inner()),
        LiteralValue::Bytes(value) => Value::Bytes(Arc::from(value.inner())),
        LiteralValue::Null => Value::Null,
    }
}

/// Replaces a step over constants by its value. Errors are kept for the evaluation, where they may be absorbed.
pub(crate) fn fold(plan: Plan) -> Plan {
    let constant = |plan: &Plan| matches!(plan.op, Op::Constant(_));
    let foldable = match &plan.op {
        Op::Negate(inner) | Op::Not(inner) | Op::Size(inner) => constant(inner),
        Op::Arithmetic(_, sides) | Op::Compare(_, sides) => sides.iter().all(constant),
        Op::List(items) => items
            .iter()
            .all(|(item, optional)| constant(item) && !optional),
        Op::Map(entries) => entries
            .iter()
            .all(|(key, value, optional)| constant(key) && constant(value) && !optional),
        Op::Call {
            candidates,
            arguments,
        } => candidates.iter().all(|function| function.is_pure()) && arguments.iter().all(constant),
        _ => false,
    };
    if !foldable {
        return plan;
    }
    let folded = Machine::new(&[], FOLD_FUEL)
        .value(&plan)
        .ok()
        .and_then(|value| owned(&value));
    match folded {
        Some(value) => Plan {
            place: plan.place,
            op: Op::Constant(value),
        },
        None => plan,
    }
}

/// A copy that borrows nothing; `None` for nodes and facts.
fn owned(value: &Value<'_>) -> Option<Value<'static>> {
    Some(match value {
        Value::Null => Value::Null,
        Value::Bool(value) => Value::Bool(*value),
        Value::Int(value) => Value::Int(*value),
        Value::Uint(value) => Value::Uint(*value),
        Value::Double(value) => Value::Double(*value),
        Value::Str(text) => Value::text(*text),
        Value::Text(text) => Value::Text(Arc::clone(text)),
        Value::Bytes(bytes) => Value::Bytes(Arc::clone(bytes)),
        Value::Duration(value) => Value::Duration(*value),
        Value::Timestamp(value) => Value::Timestamp(*value),
        Value::Type(name) => Value::Type(name),
        Value::Opaque(value) => Value::Opaque(Arc::clone(value)),
        Value::List(list) => {
            let items = list.items().iter().map(owned).collect::<Option<_>>()?;
            Value::list(items).ok()?
        }
        Value::Map(map) => {
            let entries = map
                .entries()
                .iter()
                .map(|(key, value)| {
                    let key = match key {
                        crate::cel::MapKey::Str(text) => crate::cel::MapKey::Text(Arc::from(*text)),
                        crate::cel::MapKey::Text(text) => {
                            crate::cel::MapKey::Text(Arc::clone(text))
                        }
                        crate::cel::MapKey::Bool(value) => crate::cel::MapKey::Bool(*value),
                        crate::cel::MapKey::Int(value) => crate::cel::MapKey::Int(*value),
                        crate::cel::MapKey::Uint(value) => crate::cel::MapKey::Uint(*value),
                    };
                    Some((key, owned(value)?))
                })
                .collect::<Option<_>>()?;
            Value::map(entries).ok()?
        }
        Value::Optional(None) => Value::Optional(None),
        Value::Optional(Some(value)) => Value::Optional(Some(Arc::new(owned(value)?))),
        Value::Node(_) | Value::Record(_) | Value::Field(..) | Value::Unknown(_) => return None,
    })
}
