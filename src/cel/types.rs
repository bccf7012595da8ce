//! Static types of CEL expressions and of facts. Input: the fact table and literals; output: what the checker compares.

/// The static type of an expression, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Not known before evaluation: raw manifests, mixed lists.
    Dyn,
    /// `null`.
    Null,
    /// A boolean.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An unsigned 64-bit integer.
    Uint,
    /// A 64-bit floating-point number.
    Double,
    /// A Unicode string.
    String,
    /// A sequence of bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A span of time.
    Duration,
    /// A type as a value.
    Type,
    /// A list of elements of one type.
    List(&'static Type),
    /// A map from keys to values.
    Map(&'static Type, &'static Type),
    /// An optional value.
    Optional(&'static Type),
    /// A fact with named fields.
    Record(&'static RecordType),
    /// A value with functions of its own, such as `Quantity`; the name is what `type(x)` prints.
    Opaque(&'static str),
}

/// A fact: its name and fields, one row of the fact table.
#[derive(Debug)]
pub struct RecordType {
    /// Name printed in messages, such as `port`.
    pub name: &'static str,
    /// Fields in the order of [`crate::cel::Record::field`]'s index.
    pub fields: &'static [Field],
}

/// A field of a fact.
#[derive(Debug)]
pub struct Field {
    /// Name in expressions.
    pub name: &'static str,
    /// Type of its value; it may be absent (null) or unknown all the same.
    pub ty: Type,
    /// One sentence for the docs.
    pub doc: &'static str,
}

impl RecordType {
    /// Position of a field by name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a == b,
            (Self::Map(a, b), Self::Map(c, d)) => a == c && b == d,
            (Self::Record(a), Self::Record(b)) => a.name == b.name,
            (Self::Opaque(a), Self::Opaque(b)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dyn => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::Type => f.write_str("type"),
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(item) => write!(f, "optional({item})"),
            Self::Record(record) => f.write_str(record.name),
            Self::Opaque(name) => f.write_str(name),
        }
    }
}

impl Type {
    /// Whether a value of this type may stand where `expected` is wanted, as far as is known statically.
    #[must_use]
    pub fn fits(self, expected: Self) -> bool {
        match (self, expected) {
            (Self::Dyn, _) | (_, Self::Dyn) => true,
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a.fits(*b),
            (Self::Map(a, b), Self::Map(c, d)) => a.fits(*c) && b.fits(*d),
            _ => self == expected,
        }
    }

    /// Whether the type is `int`, `uint` or `double`.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// The type a select, index or call on an optional of this type yields before wrapping; itself for the rest.
    pub(crate) fn unwrapped(self) -> Self {
        match self {
            Self::Optional(inner) => *inner,
            other => other,
        }
    }

    /// A shared copy of the type, for use as an element type; facts and nested collections widen to `dyn`.
    pub(crate) fn shared(self) -> &'static Self {
        match self {
            Self::Null => &Self::Null,
            Self::Bool => &Self::Bool,
            Self::Int => &Self::Int,
            Self::Uint => &Self::Uint,
            Self::Double => &Self::Double,
            Self::String => &Self::String,
            Self::Bytes => &Self::Bytes,
            Self::Timestamp => &Self::Timestamp,
            Self::Duration => &Self::Duration,
            Self::Type => &Self::Type,
            Self::List(Self::String) => &Self::List(&Self::String),
            Self::List(_) => &Self::List(&Self::Dyn),
            Self::Map(..) => &Self::Map(&Self::Dyn, &Self::Dyn),
            Self::Optional(_) => &Self::Optional(&Self::Dyn),
            Self::Dyn | Self::Record(_) | Self::Opaque(_) => &Self::Dyn,
        }
    }

    /// The common type of two branches.
    pub(crate) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Dyn }
    }

    /// Whether `==` on the two types is an error: facts, and unequal scalar types, which can never be equal.
    pub(crate) fn is_incomparable(self, other: Self) -> bool {
        let scalar = |t: Self| {
            matches!(
                t,
                Self::Bool
                    | Self::Int
                    | Self::Uint
                    | Self::Double
                    | Self::String
                    | Self::Bytes
                    | Self::Timestamp
                    | Self::Duration
            )
        };
        if self.is_number() && other.is_number() {
            return false;
        }
        match (self, other) {
            (Self::Record(_), Self::Null) | (Self::Null, Self::Record(_)) => false,
            (Self::Record(_), _) | (_, Self::Record(_)) => true,
            (a, b) if scalar(a) => {
                scalar(b) && a != b || matches!(b, Self::List(_) | Self::Map(..))
            }
            (Self::List(_), b) => scalar(b) || matches!(b, Self::Map(..)),
            (Self::Map(..), b) => scalar(b) || matches!(b, Self::List(_)),
            _ => false,
        }
    }
}
