//! Values of an evaluation. Input: manifest nodes, facts and literals, none of them copied; output: what expressions yield.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cel::error::{CallError, ErrorKind};
use crate::cel::types::RecordType;
use crate::source::Span;
use crate::yaml::{NodeRef, Scalar};

/// How deep lists and maps built by an expression may nest.
pub(crate) const MAX_VALUE_DEPTH: u8 = 64;

/// A CEL value. Manifest nodes and facts are borrowed for `'a`.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A borrowed string.
    Str(&'a str),
    /// A computed string.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A manifest node. Variables and list elements may hold scalar nodes, which read as their values.
    Node(NodeRef<'a>),
    /// A fact.
    Record(&'a dyn Record),
    /// A field of a fact, read when used, so that its origin is kept.
    Field(&'a dyn Record, u16),
    /// A computed list.
    List(Arc<List<'a>>),
    /// A computed map.
    Map(Arc<Map<'a>>),
    /// A span of time.
    Duration(Duration),
    /// A point in time.
    Timestamp(Timestamp),
    /// A type, by name.
    Type(&'static str),
    /// `optional.of(x)` or `optional.none()`.
    Optional(Option<Arc<Value<'a>>>),
    /// A value with functions of its own, such as a quantity.
    Opaque(Arc<dyn Opaque>),
    /// Cannot be known from the files, with the reasons.
    Unknown(Reasons),
}

/// A fact that expressions read field by field.
pub trait Record: Send + Sync + std::fmt::Debug {
    /// Its row in the fact table.
    fn record_type(&self) -> &'static RecordType;
    /// The field at this position of [`RecordType::fields`]: null when absent, [`Value::Unknown`] when it cannot be known.
    fn field(&self, index: usize) -> Value<'_>;
    /// Where the field's value comes from; asked only to explain a false outcome.
    fn origin(&self, _index: usize) -> Origin<'_> {
        Origin::None
    }
    /// Where the fact as a whole comes from.
    fn own_origin(&self) -> Origin<'_> {
        Origin::None
    }
    /// What the fact as a whole takes for granted, in words: a finding about it has confidence low.
    fn assumptions(&self) -> &[String] {
        &[]
    }
}

/// A value with functions of its own.
pub trait Opaque: Send + Sync + std::fmt::Debug {
    /// What `type(x)` prints.
    fn type_name(&self) -> &'static str;
    /// For downcasts.
    fn as_any(&self) -> &dyn std::any::Any;
    /// Equality with another opaque value.
    fn equals(&self, other: &dyn Opaque) -> bool;
    /// What `string(x)` yields, when it is defined.
    fn to_text(&self) -> Option<String> {
        None
    }
}

/// Where a value was read.
#[derive(Clone, Debug)]
pub enum Origin<'a> {
    /// From no file.
    None,
    /// From a manifest node.
    Node(NodeRef<'a>),
    /// A field that is not there; the deepest existing ancestor and the name of its missing child.
    Missing {
        /// Deepest existing ancestor.
        ancestor: NodeRef<'a>,
        /// The absent field below it.
        field: Arc<str>,
    },
    /// From the steps of a fact: the deciding place first.
    Spans(Arc<[Span]>),
    /// From a chain of places, each with its words, in order: the last one is where it is decided.
    Path(Arc<[(Span, String)]>),
}

/// Why a value cannot be known: a sorted set of numbers that the host resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons(Arc<[u32]>);

impl Reasons {
    /// A set with one reason.
    #[must_use]
    pub fn one(reason: u32) -> Self {
        Self(Arc::from([reason]))
    }

    /// A set of reasons.
    #[must_use]
    pub fn new(mut reasons: Vec<u32>) -> Self {
        reasons.sort_unstable();
        reasons.dedup();
        Self(reasons.into())
    }

    /// The reasons in ascending order.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// The union of both sets.
    #[must_use]
    pub fn merge(self, other: &Self) -> Self {
        if self == *other {
            return self;
        }
        Self::new(self.0.iter().chain(other.0.iter()).copied().collect())
    }
}

/// A list built by an expression or a fact.
#[derive(Debug)]
pub struct List<'a> {
    items: Vec<Value<'a>>,
    open: Option<Reasons>,
    /// Union of `open` and of the reasons of unknown elements, at any depth.
    partial: Option<Reasons>,
    depth: u8,
}

impl<'a> List<'a> {
    /// A list; `open` when there may be more elements than these.
    ///
    /// # Errors
    ///
    /// When it nests deeper than 64 levels.
    pub fn new(items: Vec<Value<'a>>, open: Option<Reasons>) -> Result<Self, CallError> {
        let mut partial = open.clone();
        let depth = measure(items.iter(), &mut partial)?;
        Ok(Self {
            items,
            open,
            partial,
            depth,
        })
    }

    /// The known elements.
    #[must_use]
    pub fn items(&self) -> &[Value<'a>] {
        &self.items
    }

    /// Why there may be more elements.
    #[must_use]
    pub fn open(&self) -> Option<&Reasons> {
        self.open.as_ref()
    }

    /// Why the list is not wholly known.
    #[must_use]
    pub fn partial(&self) -> Option<&Reasons> {
        self.partial.as_ref()
    }
}

/// A map built by an expression or a fact.
#[derive(Debug)]
pub struct Map<'a> {
    /// INVARIANT: in key order, no key twice.
    entries: Vec<(MapKey<'a>, Value<'a>)>,
    partial: Option<Reasons>,
    depth: u8,
}

impl<'a> Map<'a> {
    /// A map.
    ///
    /// # Errors
    ///
    /// When it nests deeper than 64 levels.
    pub fn new(entries: BTreeMap<MapKey<'a>, Value<'a>>) -> Result<Self, CallError> {
        let mut partial = None;
        let depth = measure(entries.values(), &mut partial)?;
        Ok(Self {
            entries: entries.into_iter().collect(),
            partial,
            depth,
        })
    }

    /// The entries in key order.
    #[must_use]
    pub fn entries(&self) -> &[(MapKey<'a>, Value<'a>)] {
        &self.entries
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &MapKey<'_>) -> Option<&Value<'a>> {
        let at = self
            .entries
            .binary_search_by(|(known, _)| known.rank().cmp(&key.rank()))
            .ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Why the map is not wholly known.
    #[must_use]
    pub fn partial(&self) -> Option<&Reasons> {
        self.partial.as_ref()
    }
}

fn measure<'v, 'a: 'v>(
    items: impl Iterator<Item = &'v Value<'a>>,
    partial: &mut Option<Reasons>,
) -> Result<u8, CallError> {
    let mut depth = 0;
    for item in items {
        depth = depth.max(item.depth());
        if let Some(reasons) = item.partial() {
            *partial = Some(match partial.take() {
                None => reasons.clone(),
                Some(seen) => seen.merge(reasons),
            });
        }
    }
    if depth >= MAX_VALUE_DEPTH {
        return Err(CallError::new(
            ErrorKind::Limit,
            format!("value nested deeper than {MAX_VALUE_DEPTH} levels"),
        ));
    }
    Ok(depth + 1)
}

/// A map key; `1` and `1u` are the same key.
#[derive(Clone, Debug)]
pub enum MapKey<'a> {
    /// A boolean key.
    Bool(bool),
    /// A signed integer key.
    Int(i64),
    /// An unsigned integer key.
    Uint(u64),
    /// A borrowed string key.
    Str(&'a str),
    /// A computed string key.
    Text(Arc<str>),
}

impl MapKey<'_> {
    fn rank(&self) -> (u8, i128, &str) {
        match self {
            Self::Bool(value) => (0, i128::from(*value), ""),
            Self::Int(value) => (1, i128::from(*value), ""),
            Self::Uint(value) => (1, i128::from(*value), ""),
            Self::Str(text) => (2, 0, text),
            Self::Text(text) => (2, 0, text),
        }
    }
}

impl PartialEq for MapKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}
impl Eq for MapKey<'_> {}
impl PartialOrd for MapKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for MapKey<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl<'a> MapKey<'a> {
    /// The key as a value.
    #[must_use]
    pub fn to_value(&self) -> Value<'a> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::Str(text) => Value::Str(text),
            Self::Text(text) => Value::Text(Arc::clone(text)),
        }
    }

    /// The key a value stands for in a look-up; integral doubles count. `None` for values that cannot be keys.
    #[must_use]
    pub fn lookup(value: &Value<'a>) -> Option<Self> {
        match value.lifted() {
            Value::Double(number) => crate::cel::number::exact_i64(number)
                .map(Self::Int)
                .or_else(|| crate::cel::number::exact_u64(number).map(Self::Uint)),
            other => Self::of(&other),
        }
    }

    /// The key a value makes in a map literal.
    #[must_use]
    pub fn of(value: &Value<'a>) -> Option<Self> {
        match value.lifted() {
            Value::Bool(value) => Some(Self::Bool(value)),
            Value::Int(value) => Some(Self::Int(value)),
            Value::Uint(value) => Some(Self::Uint(value)),
            Value::Str(text) => Some(Self::Str(text)),
            Value::Text(text) => Some(Self::Text(text)),
            _ => None,
        }
    }
}

/// A span of time in whole seconds and nanoseconds of the same sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    /// Whole seconds.
    pub seconds: i64,
    /// Nanoseconds, -999,999,999 to 999,999,999, of the sign of the seconds.
    pub nanos: i32,
}

/// A point in time since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub nanos: u32,
}

impl<'a> Value<'a> {
    /// A list of values.
    ///
    /// # Errors
    ///
    /// When it nests deeper than 64 levels.
    pub fn list(items: Vec<Self>) -> Result<Self, CallError> {
        List::new(items, None).map(|list| Self::List(Arc::new(list)))
    }

    /// A list that may have more elements than these.
    ///
    /// # Errors
    ///
    /// When it nests deeper than 64 levels.
    pub fn open_list(items: Vec<Self>, open: Reasons) -> Result<Self, CallError> {
        List::new(items, Some(open)).map(|list| Self::List(Arc::new(list)))
    }

    /// A map.
    ///
    /// # Errors
    ///
    /// When it nests deeper than 64 levels.
    pub fn map(entries: BTreeMap<MapKey<'a>, Self>) -> Result<Self, CallError> {
        Map::new(entries).map(|map| Self::Map(Arc::new(map)))
    }

    /// A computed string.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// The string, when the value is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            Self::Text(text) => Some(text),
            Self::Node(node) => node.as_str(),
            _ => None,
        }
    }

    /// The value with scalar nodes and fact fields read.
    #[must_use]
    pub fn lifted(&self) -> Self {
        match self {
            Self::Node(node) => Self::of_node(*node),
            Self::Field(record, index) => record.field(usize::from(*index)).lift(),
            other => other.clone(),
        }
    }

    /// [`Value::lifted`] of an owned value.
    #[must_use]
    pub fn lift(self) -> Self {
        match self {
            Self::Node(node) => Self::of_node(node),
            Self::Field(record, index) => record.field(usize::from(index)).lift(),
            other => other,
        }
    }

    /// The form in which a collection keeps the value: a fact's field stays a reference, with its origin, only when it
    /// is a known scalar.
    pub(crate) fn stored(self) -> Self {
        match self {
            Self::Field(..) => match self.lifted() {
                read @ (Self::Unknown(_)
                | Self::List(_)
                | Self::Map(_)
                | Self::Record(_)
                | Self::Optional(_)) => read,
                _ => self,
            },
            other => other,
        }
    }

    /// A node's value: scalars as CEL scalars, collections as they are.
    #[must_use]
    pub fn of_node(node: NodeRef<'a>) -> Self {
        match node.scalar() {
            None => Self::Node(node),
            Some(Scalar::Null) => Self::Null,
            Some(Scalar::Bool(value)) => Self::Bool(value),
            Some(Scalar::Int(value)) => Self::Int(value),
            Some(Scalar::Uint(value)) => Self::Uint(value),
            Some(Scalar::Float(value)) => Self::Double(value),
            Some(Scalar::Str(text)) => Self::Str(text),
        }
    }

    /// What `type(x)` prints.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Str(_) | Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Opaque(value) => value.type_name(),
            Self::Unknown(_) => "unknown",
            Self::Record(record) => record.record_type().name,
            Self::Node(node) if node.is_map() => "map",
            Self::Node(node) if node.is_seq() => "list",
            Self::Node(_) | Self::Field(..) => self.lifted().type_name(),
        }
    }

    /// Levels of computed collections below and including this value.
    pub(crate) fn depth(&self) -> u8 {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            Self::Optional(Some(value)) => value.depth().saturating_add(1),
            _ => 0,
        }
    }

    /// Why the value, or something inside it, is not known.
    pub(crate) fn partial(&self) -> Option<&Reasons> {
        match self {
            Self::Unknown(reasons) => Some(reasons),
            Self::List(list) => list.partial(),
            Self::Map(map) => map.partial(),
            Self::Optional(Some(value)) => value.partial(),
            _ => None,
        }
    }
}
