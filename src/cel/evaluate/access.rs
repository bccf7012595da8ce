//! Reads: fields, indices, presence, optionals. Input: a base and a key; output: the value below, which keeps its origin.

use std::sync::Arc;

use super::{Evaluated, Machine, Truth};
use crate::cel::blame::Watch;
use crate::cel::error::{At, ErrorKind, Fault};
use crate::cel::plan::{Op, Plan, Root, Slot};
use crate::cel::value::{MapKey, Origin, Value};
use crate::yaml::{Key, NodeRef};

/// A read that may find nothing.
enum Found<'a> {
    Value(Value<'a>),
    Missing,
}

/// What an optional holds, without the optional around it.
enum Held<'a> {
    Unknown(Value<'a>),
    Missing,
    Value(Value<'a>),
    /// No optional at all.
    Plain(Value<'a>),
}

impl<'a> Machine<'_, 'a> {
    /// A chain of field names on a variable.
    pub(super) fn path(&mut self, root: Root, keys: &'a [(Key, u32)], place: u32) -> Evaluated<'a> {
        if let Some(node) = self.walk(root, keys) {
            return node.map(Value::Node);
        }
        let mut value = self.read(root, place)?;
        for (key, place) in keys {
            value = self.step(value, key, root.blamed, *place)?;
        }
        Ok(value)
    }

    /// The common case of a read: a manifest, walked without making values in between. `None` when the variable holds
    /// something else.
    #[inline]
    fn walk(&mut self, root: Root, keys: &'a [(Key, u32)]) -> Option<Result<NodeRef<'a>, Fault>> {
        let slot = match root.slot {
            Slot::Global(index) => self.globals.get(index)?.as_ref(),
            Slot::Local(depth) => self.locals.get(depth)?.as_ref().ok(),
        };
        let Some(Value::Node(start)) = slot else {
            return None;
        };
        let mut node = *start;
        for (key, place) in keys {
            match node.get_key(key) {
                Some(child) => node = child,
                None => return Some(Err(missing(&Value::of_node(node), *place))),
            }
        }
        if root.blamed && self.watch.is_some() {
            self.note(&Value::Node(node));
        }
        Some(Ok(node))
    }

    /// The manifest node a step reads, when it reads one directly and nobody is watching its value.
    #[inline]
    pub(super) fn node(&mut self, plan: &'a Plan) -> Option<Result<NodeRef<'a>, Fault>> {
        if self.watch.is_some() {
            return None;
        }
        let read = match &plan.op {
            Op::Path { root, keys } => self.walk(*root, keys),
            Op::Read(root) => self.walk(*root, &[]),
            _ => None,
        }?;
        // The same price as the slow way, which a watched evaluation takes.
        Some(match self.fuel.charge(1).at(plan.place) {
            Ok(()) => read,
            Err(fault) => Err(fault),
        })
    }

    pub(super) fn select(&mut self, base: &'a Plan, key: &'a Key, place: u32) -> Evaluated<'a> {
        let value = self.value(base)?;
        self.step(value, key, true, place)
    }

    /// One select on a value.
    fn step(&mut self, base: Value<'a>, key: &'a Key, blamed: bool, place: u32) -> Evaluated<'a> {
        let base = base.lift();
        match base {
            Value::Optional(None) => Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => {
                let inner = inner.lifted();
                // Below an optional, a value without fields lacks the field too (cel-spec, optionals).
                let found = self
                    .find(&inner, key, place)
                    .map_err(|_| Fault::new(ErrorKind::NoSuchKey, place))?;
                match found {
                    Found::Value(value) => {
                        self.note_if(blamed, &value);
                        optional(value, place)
                    }
                    Found::Missing => Ok(Value::Optional(None)),
                }
            }
            unknown @ Value::Unknown(_) => Ok(unknown),
            base => match self.find(&base, key, place)? {
                Found::Value(value) => {
                    self.note_if(blamed, &value);
                    Ok(value)
                }
                Found::Missing => Err(missing(&base, place)),
            },
        }
    }

    fn note_if(&mut self, blamed: bool, value: &Value<'a>) {
        if blamed {
            self.note(value);
        }
    }

    fn find(&mut self, base: &Value<'a>, key: &Key, place: u32) -> Result<Found<'a>, Fault> {
        let found = match base {
            Value::Node(node) if node.is_map() => node.get_key(key).map(Value::Node),
            Value::Map(map) => map.get(&MapKey::Str(key.name())).cloned(),
            Value::Record(record) => match record.record_type().position(key.name()) {
                None => None,
                Some(index) => {
                    let index = u16::try_from(index).unwrap_or(u16::MAX);
                    match record.field(usize::from(index)) {
                        Value::Null => None,
                        _ => Some(Value::Field(*record, index)),
                    }
                }
            },
            _ => return Err(Fault::new(ErrorKind::NoOverload, place)),
        };
        Ok(found.map_or(Found::Missing, Found::Value))
    }

    /// A field of a fact of known type; an absent one is null.
    pub(super) fn field(
        &mut self,
        base: &'a Plan,
        index: u16,
        key: &'a Key,
        blamed: bool,
        place: u32,
    ) -> Evaluated<'a> {
        match self.kept(base)?.lift() {
            Value::Record(record) => {
                let value = Value::Field(record, index);
                self.note_if(blamed, &value);
                Ok(value)
            }
            Value::Null => Err(missing(&Value::Null, place)),
            other => self.step(other, key, blamed, place),
        }
    }

    /// `has(base.field)`.
    pub(super) fn has(&mut self, base: &'a Plan, key: &'a Key, place: u32) -> Result<Truth, Fault> {
        if let Some(node) = self.node(base) {
            let node = node?;
            if node.is_map() {
                return Ok(node.get_key(key).is_some().into());
            }
        }
        let value = match self.value(base)? {
            Value::Unknown(reasons) => return Ok(Truth::Unknown(reasons)),
            Value::Optional(None) => return Ok(Truth::False),
            Value::Optional(Some(inner)) => inner.lifted(),
            value => value,
        };
        match self.find(&value, key, place)? {
            Found::Missing => {
                self.note_missing(&value, key);
                Ok(Truth::False)
            }
            Found::Value(found) => {
                self.note(&found);
                match found {
                    // A fact's field may be unknown; a manifest's never is.
                    Value::Field(..) => match found.lift() {
                        Value::Unknown(reasons) => Ok(Truth::Unknown(reasons)),
                        _ => Ok(Truth::True),
                    },
                    _ => Ok(Truth::True),
                }
            }
        }
    }

    fn note_missing(&mut self, base: &Value<'a>, key: &Key) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        match base {
            Value::Node(node) => watch.set(Origin::Missing {
                ancestor: *node,
                field: Arc::from(key.name()),
            }),
            Value::Record(record) => {
                let origin = record
                    .record_type()
                    .position(key.name())
                    .map_or(Origin::None, |index| record.origin(index));
                watch.set(Watch::or_else(origin, || record.own_origin()));
            }
            _ => {}
        }
    }

    /// `base.?field`.
    pub(super) fn optional_select(
        &mut self,
        base: &'a Plan,
        key: &'a Key,
        place: u32,
    ) -> Evaluated<'a> {
        match self.held_field(base, key, place)? {
            Held::Unknown(unknown) => Ok(unknown),
            Held::Missing => Ok(Value::Optional(None)),
            Held::Value(value) => Ok(Value::Optional(Some(Arc::new(value)))),
            Held::Plain(_) => Err(Fault::new(ErrorKind::NoOverload, place)),
        }
    }

    /// A step that may yield an optional. In a chain of `.?` nobody needs the optionals in between, unless somebody watches.
    fn held(&mut self, plan: &'a Plan) -> Result<Held<'a>, Fault> {
        if let Op::OptionalSelect { base, key } = &plan.op
            && !self.is_watched()
        {
            // The same price as the slow way.
            self.fuel.charge(1).at(plan.place)?;
            return self.held_field(base, key, plan.place);
        }
        Ok(match self.value(plan)? {
            unknown @ Value::Unknown(_) => Held::Unknown(unknown),
            Value::Optional(None) => Held::Missing,
            Value::Optional(Some(inner)) => Held::Value((*inner).clone()),
            other => Held::Plain(other),
        })
    }

    fn held_field(&mut self, base: &'a Plan, key: &'a Key, place: u32) -> Result<Held<'a>, Fault> {
        let value = match self.held(base)? {
            done @ (Held::Unknown(_) | Held::Missing) => return Ok(done),
            Held::Value(value) => value.lifted(),
            Held::Plain(value) => value,
        };
        // As in cel-go (`interpreter/attributes.go`, refQualify): a null or scalar has no fields, a list is an error.
        let found = match value {
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::Str(_)
            | Value::Text(_) => Found::Missing,
            _ => self.find(&value, key, place)?,
        };
        let Found::Value(found) = found else {
            self.note_missing(&value, key);
            return Ok(Held::Missing);
        };
        self.note(&found);
        if let Value::Field(..) = found
            && let unknown @ Value::Unknown(_) = found.lifted()
        {
            return Ok(Held::Unknown(unknown));
        }
        if found.depth() >= crate::cel::value::MAX_VALUE_DEPTH {
            return Err(Fault::new(ErrorKind::Limit, place));
        }
        Ok(Held::Value(found.stored()))
    }

    /// `base[key]`.
    pub(super) fn index(&mut self, base: &'a Plan, key: &'a Plan, place: u32) -> Evaluated<'a> {
        let (base, key) = match self.base_and_key(base, key)? {
            Ok(pair) => pair,
            Err(unknown) => return Ok(unknown),
        };
        let value = match base {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => {
                return match self.element(&inner.lifted(), &key, place)? {
                    Element::Value(value) => {
                        self.note(&value);
                        optional(value, place)
                    }
                    Element::Unknown(value) => Ok(value),
                    Element::Missing(_) => Ok(Value::Optional(None)),
                };
            }
            base => self.element(&base, &key, place)?,
        };
        match value {
            Element::Value(value) => {
                self.note(&value);
                Ok(value)
            }
            Element::Unknown(value) => Ok(value),
            Element::Missing(kind) => Err(Fault::new(kind, place)),
        }
    }

    /// `base[?key]`.
    pub(super) fn optional_index(
        &mut self,
        base: &'a Plan,
        key: &'a Plan,
        place: u32,
    ) -> Evaluated<'a> {
        let (base, key) = match self.base_and_key(base, key)? {
            Ok(pair) => pair,
            Err(unknown) => return Ok(unknown),
        };
        let base = match base {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => inner.lifted(),
            base => base,
        };
        match self.element(&base, &key, place)? {
            Element::Value(value) => {
                self.note(&value);
                optional(value, place)
            }
            Element::Unknown(value) => Ok(value),
            Element::Missing(_) => Ok(Value::Optional(None)),
        }
    }

    /// The two values of an index, or the unknown that either is.
    fn base_and_key(
        &mut self,
        base: &'a Plan,
        key: &'a Plan,
    ) -> Result<Result<(Value<'a>, Value<'a>), Value<'a>>, Fault> {
        // The key is evaluated first so that the last read is the collection's.
        let key = self.value(key);
        let base = self.value(base);
        Ok(match (base, key) {
            (Ok(Value::Unknown(one)), Ok(Value::Unknown(two))) => {
                Err(Value::Unknown(one.merge(&two)))
            }
            (Ok(Value::Unknown(one)), Ok(_)) | (Ok(_), Ok(Value::Unknown(one))) => {
                Err(Value::Unknown(one))
            }
            (Ok(Value::Unknown(one)), Err(fault)) | (Err(fault), Ok(Value::Unknown(one))) => {
                fault.unless_exhausted()?;
                Err(Value::Unknown(one))
            }
            (Err(fault), _) | (_, Err(fault)) => return Err(fault),
            (Ok(base), Ok(key)) => Ok((base, key)),
        })
    }

    fn element(
        &mut self,
        base: &Value<'a>,
        key: &Value<'a>,
        place: u32,
    ) -> Result<Element<'a>, Fault> {
        let position = || {
            match key {
                Value::Int(position) => Some(usize::try_from(*position).ok()),
                Value::Uint(position) => Some(usize::try_from(*position).ok()),
                Value::Double(number) => crate::cel::number::exact_i64(*number)
                    .map(|position| usize::try_from(position).ok()),
                _ => None,
            }
            .ok_or_else(|| Fault::new(ErrorKind::NoOverload, place))
        };
        Ok(match base {
            Value::Node(node) if node.is_seq() => match position()?.and_then(|at| node.item(at)) {
                Some(item) => Element::Value(Value::Node(item)),
                None => Element::Missing(ErrorKind::OutOfBounds),
            },
            Value::List(list) => match (list.open(), position()?) {
                // Further elements may stand before the known ones.
                (Some(reasons), _) => Element::Unknown(Value::Unknown(reasons.clone())),
                (None, at) => match at.and_then(|at| list.items().get(at)) {
                    Some(item) => Element::Value(item.clone()),
                    None => Element::Missing(ErrorKind::OutOfBounds),
                },
            },
            Value::Node(node) if node.is_map() => match MapKey::lookup(key) {
                None if matches!(key, Value::Double(_)) => Element::Missing(ErrorKind::NoSuchKey),
                None => return Err(Fault::new(ErrorKind::NoOverload, place)),
                Some(_) => match key.as_str().and_then(|name| node.get(name)) {
                    Some(value) => Element::Value(Value::Node(value)),
                    None => {
                        if let (Some(watch), Some(name)) = (&mut self.watch, key.as_str()) {
                            watch.set(Origin::Missing {
                                ancestor: *node,
                                field: Arc::from(name),
                            });
                        }
                        Element::Missing(ErrorKind::NoSuchKey)
                    }
                },
            },
            Value::Map(map) => match MapKey::lookup(key) {
                None if matches!(key, Value::Double(_)) => Element::Missing(ErrorKind::NoSuchKey),
                None => return Err(Fault::new(ErrorKind::NoOverload, place)),
                Some(key) => match map.get(&key) {
                    Some(value) => Element::Value(value.clone()),
                    None => Element::Missing(ErrorKind::NoSuchKey),
                },
            },
            _ => return Err(Fault::new(ErrorKind::NoOverload, place)),
        })
    }

    /// `x.or(y)` and `x.orValue(y)`.
    pub(super) fn optional_or(
        &mut self,
        sides: &'a [Plan; 2],
        unwrap: bool,
        place: u32,
    ) -> Evaluated<'a> {
        let [left, right] = sides;
        match self.held(left)? {
            Held::Unknown(unknown) => Ok(unknown),
            Held::Value(value) if unwrap => Ok(value),
            Held::Value(value) => Ok(Value::Optional(Some(Arc::new(value)))),
            Held::Missing => self.kept(right),
            Held::Plain(_) => Err(Fault::new(ErrorKind::NoOverload, place)),
        }
    }

    /// `x.optMap(v, e)` and `x.optFlatMap(v, e)`.
    pub(super) fn optional_map(
        &mut self,
        base: &'a Plan,
        local: usize,
        body: &'a Plan,
        flat: bool,
        place: u32,
    ) -> Evaluated<'a> {
        match self.value(base)? {
            Value::Optional(None) => Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => {
                self.set_local(local, Ok((*inner).clone()));
                let value = self.kept(body)?;
                if flat || matches!(value, Value::Unknown(_)) {
                    return Ok(value);
                }
                optional(value, place)
            }
            unknown @ Value::Unknown(_) => Ok(unknown),
            _ => Err(Fault::new(ErrorKind::NoOverload, place)),
        }
    }
}

enum Element<'a> {
    Value(Value<'a>),
    Unknown(Value<'a>),
    Missing(ErrorKind),
}

/// `optional.of(value)`.
pub(crate) fn optional(value: Value<'_>, place: u32) -> Evaluated<'_> {
    if value.depth() >= crate::cel::value::MAX_VALUE_DEPTH {
        return Err(Fault::new(ErrorKind::Limit, place));
    }
    Ok(Value::Optional(Some(Arc::new(value.stored()))))
}

fn missing(base: &Value<'_>, place: u32) -> Fault {
    let has_fields = match base {
        Value::Node(node) => node.is_map(),
        Value::Map(_) | Value::Record(_) => true,
        _ => false,
    };
    Fault::new(
        if has_fields {
            ErrorKind::NoSuchKey
        } else {
            ErrorKind::NoOverload
        },
        place,
    )
}
