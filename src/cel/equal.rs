//! Equality, order and membership over nodes and computed values alike. Input: two values; output: true, false or
//! unknown.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::cel::error::{CallError, ErrorKind};
use crate::cel::evaluate::Truth;
use crate::cel::fuel::Fuel;
use crate::cel::number;
use crate::cel::value::{List, Map, MapKey, Value};
use crate::yaml::NodeRef;

/// A list, wherever it lives.
pub(crate) enum ListView<'v, 'a> {
    Node(NodeRef<'a>),
    List(&'v List<'a>),
}

/// A map, wherever it lives.
pub(crate) enum MapView<'v, 'a> {
    Node(NodeRef<'a>),
    Map(&'v Map<'a>),
}

pub(crate) fn as_list<'v, 'a>(value: &'v Value<'a>) -> Option<ListView<'v, 'a>> {
    match value {
        Value::Node(node) if node.is_seq() => Some(ListView::Node(*node)),
        Value::List(list) => Some(ListView::List(list)),
        _ => None,
    }
}

pub(crate) fn as_map<'v, 'a>(value: &'v Value<'a>) -> Option<MapView<'v, 'a>> {
    match value {
        Value::Node(node) if node.is_map() => Some(MapView::Node(*node)),
        Value::Map(map) => Some(MapView::Map(map)),
        _ => None,
    }
}

impl<'a> ListView<'_, 'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::List(list) => list.items().len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as they are stored: scalar nodes unread.
    pub(crate) fn items(&self) -> Box<dyn Iterator<Item = Value<'a>> + '_> {
        match self {
            Self::Node(node) => Box::new(node.items().map(Value::Node)),
            Self::List(list) => Box::new(list.items().iter().cloned()),
        }
    }
}

impl<'a> MapView<'_, 'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::Map(map) => map.entries().len(),
        }
    }

    pub(crate) fn get(&self, key: &MapKey<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (Self::Node(node), MapKey::Str(name)) => node.get(name).map(Value::Node),
            (Self::Node(node), MapKey::Text(name)) => node.get(name).map(Value::Node),
            (Self::Node(_), _) => None,
            (Self::Map(map), key) => map.get(key).cloned(),
        }
    }

    pub(crate) fn entries(&self) -> Box<dyn Iterator<Item = (MapKey<'a>, Value<'a>)> + '_> {
        match self {
            Self::Node(node) => Box::new(node.entries().map(|(key, value)| {
                let key = match key.key_text() {
                    std::borrow::Cow::Borrowed(text) => MapKey::Str(text),
                    std::borrow::Cow::Owned(text) => MapKey::Text(Arc::from(text)),
                };
                (key, Value::Node(value))
            })),
            Self::Map(map) => Box::new(
                map.entries()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            ),
        }
    }
}

/// The entries of a map; `None` for other values.
pub(crate) fn entries<'a>(value: &Value<'a>) -> Option<Vec<(MapKey<'a>, Value<'a>)>> {
    as_map(value).map(|map| map.entries().collect())
}

/// `left == right`. Numbers compare on one line across types; unequal types are unequal, not an error (cel-spec,
/// "Equality").
pub(crate) fn equal(
    left: &Value<'_>,
    right: &Value<'_>,
    fuel: &mut Fuel,
) -> Result<Truth, CallError> {
    fuel.charge(1)?;
    let truth = match (left, right) {
        (Value::Unknown(one), Value::Unknown(two)) => Truth::Unknown(one.clone().merge(two)),
        (Value::Unknown(reasons), _) | (_, Value::Unknown(reasons)) => {
            Truth::Unknown(reasons.clone())
        }
        (Value::Null, Value::Null) => Truth::True,
        (Value::Record(_), Value::Null) | (Value::Null, Value::Record(_)) => Truth::False,
        (Value::Record(_), _) | (_, Value::Record(_)) => {
            return Err(CallError::new(
                ErrorKind::NoOverload,
                "facts cannot be compared; compare their fields",
            ));
        }
        (Value::Bool(one), Value::Bool(two)) => (one == two).into(),
        (Value::Bytes(one), Value::Bytes(two)) => {
            fuel.charge_bytes(one.len())?;
            (one == two).into()
        }
        (Value::Duration(one), Value::Duration(two)) => (one == two).into(),
        (Value::Timestamp(one), Value::Timestamp(two)) => (one == two).into(),
        (Value::Type(one), Value::Type(two)) => (one == two).into(),
        (Value::Opaque(one), Value::Opaque(two)) => one.equals(two.as_ref()).into(),
        (Value::Optional(None), Value::Optional(None)) => Truth::True,
        (Value::Optional(Some(one)), Value::Optional(Some(two))) => {
            equal(&one.lifted(), &two.lifted(), fuel)?
        }
        (Value::Node(_) | Value::Field(..), _) | (_, Value::Node(_) | Value::Field(..))
            if is_unread(left) || is_unread(right) =>
        {
            equal(&left.lifted(), &right.lifted(), fuel)?
        }
        _ => {
            if let (Some(one), Some(two)) = (left.as_str(), right.as_str()) {
                if one.len() == two.len() {
                    fuel.charge_bytes(one.len())?;
                }
                (one == two).into()
            } else if let (Some(one), Some(two)) = (as_list(left), as_list(right)) {
                lists_equal(&one, &two, fuel)?
            } else if let (Some(one), Some(two)) = (as_map(left), as_map(right)) {
                maps_equal(&one, &two, fuel)?
            } else {
                (numbers(left, right) == Some(Some(Ordering::Equal))).into()
            }
        }
    };
    Ok(truth)
}

/// Whether the value is a reference to a scalar or fact field.
fn is_unread(value: &Value<'_>) -> bool {
    match value {
        Value::Node(node) => node.scalar().is_some(),
        Value::Field(..) => true,
        _ => false,
    }
}

fn lists_equal(
    one: &ListView<'_, '_>,
    two: &ListView<'_, '_>,
    fuel: &mut Fuel,
) -> Result<Truth, CallError> {
    let open = |list: &ListView<'_, '_>| match list {
        ListView::List(list) => list.open().cloned(),
        ListView::Node(_) => None,
    };
    match (open(one), open(two)) {
        (None, None) => {}
        // A list with more known elements than a closed one has can never be equal to it.
        (Some(_), None) if one.len() > two.len() => return Ok(Truth::False),
        (None, Some(_)) if two.len() > one.len() => return Ok(Truth::False),
        (Some(reasons), None) | (None, Some(reasons)) => return Ok(Truth::Unknown(reasons)),
        (Some(reasons), Some(more)) => return Ok(Truth::Unknown(reasons.merge(&more))),
    }
    if one.len() != two.len() {
        return Ok(Truth::False);
    }
    let mut unknown = None;
    for (left, right) in one.items().zip(two.items()) {
        if !collect(equal(&left, &right, fuel)?, &mut unknown) {
            return Ok(Truth::False);
        }
    }
    Ok(unknown.map_or(Truth::True, Truth::Unknown))
}

fn maps_equal(
    one: &MapView<'_, '_>,
    two: &MapView<'_, '_>,
    fuel: &mut Fuel,
) -> Result<Truth, CallError> {
    if one.len() != two.len() {
        return Ok(Truth::False);
    }
    let mut unknown = None;
    for (key, left) in one.entries() {
        let Some(right) = two.get(&key) else {
            return Ok(Truth::False);
        };
        if !collect(equal(&left, &right, fuel)?, &mut unknown) {
            return Ok(Truth::False);
        }
    }
    Ok(unknown.map_or(Truth::True, Truth::Unknown))
}

/// Whether the comparison may go on.
fn collect(truth: Truth, unknown: &mut Option<crate::cel::Reasons>) -> bool {
    match truth {
        Truth::False => return false,
        Truth::True => {}
        Truth::Unknown(reasons) => {
            *unknown = Some(match unknown.take() {
                None => reasons,
                Some(seen) => seen.merge(&reasons),
            });
        }
    }
    true
}

/// The order of two numbers: `None` when one is no number, `Some(None)` with a NaN.
fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Option<Ordering>> {
    let reverse = |order: Option<Ordering>| order.map(Ordering::reverse);
    Some(match (left, right) {
        (Value::Int(one), Value::Int(two)) => Some(one.cmp(two)),
        (Value::Uint(one), Value::Uint(two)) => Some(one.cmp(two)),
        (Value::Double(one), Value::Double(two)) => one.partial_cmp(two),
        (Value::Int(one), Value::Uint(two)) => Some(number::compare_i64_u64(*one, *two)),
        (Value::Uint(one), Value::Int(two)) => reverse(Some(number::compare_i64_u64(*two, *one))),
        (Value::Int(one), Value::Double(two)) => number::compare_i64_f64(*one, *two),
        (Value::Double(one), Value::Int(two)) => reverse(number::compare_i64_f64(*two, *one)),
        (Value::Uint(one), Value::Double(two)) => number::compare_u64_f64(*one, *two),
        (Value::Double(one), Value::Uint(two)) => reverse(number::compare_u64_f64(*two, *one)),
        _ => return None,
    })
}

/// The order of two values for `<` and its kin; `None` with a NaN.
pub(crate) fn compare(left: &Value<'_>, right: &Value<'_>) -> Result<Option<Ordering>, CallError> {
    if let Some(order) = numbers(left, right) {
        return Ok(order);
    }
    Ok(Some(match (left, right) {
        (Value::Bool(one), Value::Bool(two)) => one.cmp(two),
        (Value::Bytes(one), Value::Bytes(two)) => one.cmp(two),
        (Value::Duration(one), Value::Duration(two)) => one.cmp(two),
        (Value::Timestamp(one), Value::Timestamp(two)) => one.cmp(two),
        _ => match (left.as_str(), right.as_str()) {
            (Some(one), Some(two)) => one.cmp(two),
            _ => return Err(CallError::bare(ErrorKind::NoOverload)),
        },
    }))
}

/// `element in range`.
pub(crate) fn contains(
    range: &Value<'_>,
    element: &Value<'_>,
    fuel: &mut Fuel,
) -> Result<Truth, CallError> {
    if let Some(map) = as_map(range) {
        fuel.charge(1)?;
        let Some(key) = MapKey::lookup(element) else {
            return match element {
                // A fraction can be no key, but is a number.
                Value::Double(_) => Ok(Truth::False),
                _ => Err(CallError::bare(ErrorKind::NoOverload)),
            };
        };
        return Ok(map.get(&key).is_some().into());
    }
    let Some(list) = as_list(range) else {
        return Err(CallError::bare(ErrorKind::NoOverload));
    };
    let mut unknown = match &list {
        ListView::List(list) => list.open().cloned(),
        ListView::Node(_) => None,
    };
    for item in list.items() {
        match equal(&item, element, fuel)? {
            Truth::True => return Ok(Truth::True),
            Truth::False => {}
            truth @ Truth::Unknown(_) => {
                collect(truth, &mut unknown);
            }
        }
    }
    Ok(unknown.map_or(Truth::False, Truth::Unknown))
}
