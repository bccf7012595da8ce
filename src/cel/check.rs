//! Typing rules of operators. Input: the static types of operands; output: the type of the result, or `None` when no
//! overload can fit (cel-spec, "List of Standard Definitions").

use crate::cel::plan::{Arithmetic, Relation};
use crate::cel::types::Type;

/// The result of an arithmetic operator.
pub(crate) fn arithmetic(op: Arithmetic, left: Type, right: Type) -> Option<Type> {
    use Type::{Bytes, Double, Duration, Dyn, Int, List, String, Timestamp, Uint};
    match (op, left, right) {
        (_, Dyn, Dyn) => Some(Dyn),
        (Arithmetic::Add | Arithmetic::Subtract, Dyn, Timestamp | Duration)
        | (Arithmetic::Add | Arithmetic::Subtract, Timestamp | Duration, Dyn) => Some(Dyn),
        (Arithmetic::Add, Dyn, List(_)) | (Arithmetic::Add, List(_), Dyn) => Some(List(&Dyn)),
        (_, Dyn, other) | (_, other, Dyn) => arithmetic(op, other, other),
        (_, Int, Int) => Some(Int),
        (_, Uint, Uint) => Some(Uint),
        (Arithmetic::Modulo, Double, Double) => None,
        (_, Double, Double) => Some(Double),
        (Arithmetic::Add, String, String) => Some(String),
        (Arithmetic::Add, Bytes, Bytes) => Some(Bytes),
        (Arithmetic::Add, List(a), List(b)) => Some(List(if a == b { a } else { &Dyn })),
        (Arithmetic::Add, Timestamp, Duration) | (Arithmetic::Add, Duration, Timestamp) => {
            Some(Timestamp)
        }
        (Arithmetic::Add | Arithmetic::Subtract, Duration, Duration) => Some(Duration),
        (Arithmetic::Subtract, Timestamp, Duration) => Some(Timestamp),
        (Arithmetic::Subtract, Timestamp, Timestamp) => Some(Duration),
        _ => None,
    }
}

/// Whether `<` and its kin take these operands.
pub(crate) fn is_ordered(_relation: Relation, left: Type, right: Type) -> bool {
    let ordered = |t: Type| {
        matches!(
            t,
            Type::Dyn
                | Type::Bool
                | Type::Int
                | Type::Uint
                | Type::Double
                | Type::String
                | Type::Bytes
                | Type::Timestamp
                | Type::Duration
        )
    };
    ordered(left)
        && ordered(right)
        && (left == Type::Dyn
            || right == Type::Dyn
            || left == right
            || left.is_number() && right.is_number())
}

/// Whether `in` takes these operands: the element and the collection.
pub(crate) fn is_member_test(element: Type, collection: Type) -> bool {
    match collection {
        Type::Dyn => true,
        Type::List(item) => !element.is_incomparable(*item),
        Type::Map(key, _) => !element.is_incomparable(*key),
        _ => false,
    }
}

/// The type an index or a select with a computed key yields; `None` when the operand cannot be indexed so.
pub(crate) fn index(collection: Type, key: Type) -> Option<Type> {
    match collection {
        Type::Dyn => Some(Type::Dyn),
        Type::List(item) => (key == Type::Dyn || key.is_number()).then_some(*item),
        Type::Map(expected, value) => (!key.is_incomparable(*expected)).then_some(*value),
        Type::Optional(inner) => index(*inner, key).map(|ty| Type::Optional(ty.shared())),
        _ => None,
    }
}

/// The types of the variables of a macro over a collection: first and second.
pub(crate) fn elements(range: Type, pairs: bool) -> Option<(Type, Type)> {
    match (range, pairs) {
        (Type::Dyn, _) => Some((Type::Dyn, Type::Dyn)),
        (Type::List(item), false) => Some((*item, Type::Dyn)),
        (Type::List(item), true) => Some((Type::Int, *item)),
        (Type::Map(key, value), _) => Some((*key, *value)),
        _ => None,
    }
}
