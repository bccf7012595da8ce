//! Errors of loading and of evaluating an expression, with the bytes of the expression they are about.

use std::ops::Range;

/// What is wrong with an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not CEL.
    Syntax,
    /// Too long, too many nodes, nested too deep.
    Limit,
    /// A variable, field or type that does not exist.
    UnknownName,
    /// A function that does not exist.
    UnknownFunction,
    /// A function called with the wrong number of arguments.
    Arity,
    /// An operator or function that does not take these types.
    NoOverload,
    /// A map has no such key, or a manifest no such field.
    NoSuchKey,
    /// A list index outside the list.
    OutOfBounds,
    /// Division or modulus by zero.
    DivideByZero,
    /// A result outside the range of its type.
    Overflow,
    /// An argument the function cannot use.
    InvalidArgument,
    /// The same key twice in a map.
    DuplicateKey,
    /// A value that cannot be a map key.
    BadKey,
}

/// Why an expression could not be loaded: the rule author's fault.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// One sentence without a final stop.
    pub message: String,
    /// What to do instead, such as the nearest name.
    pub help: Option<String>,
    /// Bytes of the expression's text.
    pub range: Range<usize>,
}

/// Why an evaluation failed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct EvaluationError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// One sentence without a final stop.
    pub message: String,
    /// Bytes of the expression's text.
    pub range: Range<usize>,
}

/// What a function reports when it cannot answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: Option<Box<str>>,
    /// The fuel is used up; not a fault of the expression's logic.
    pub(crate) exhausted: bool,
}

impl CallError {
    /// An error with a message.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: Some(message.into().into_boxed_str()),
            exhausted: false,
        }
    }

    /// An argument the function cannot use.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// An error whose message follows from its kind.
    pub(crate) fn bare(kind: ErrorKind) -> Self {
        Self {
            kind,
            message: None,
            exhausted: false,
        }
    }

    pub(crate) fn out_of_fuel() -> Self {
        Self {
            kind: ErrorKind::Limit,
            message: None,
            exhausted: true,
        }
    }
}

/// An error inside the evaluator: a [`CallError`] with the parser's number of the node it happened at. It is kept small,
/// and its message is made when it is reported: conditions absorb errors all the time.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) exhausted: bool,
    pub(crate) place: u32,
    message: Option<Box<str>>,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, place: u32) -> Self {
        Self {
            kind,
            exhausted: false,
            place,
            message: None,
        }
    }

    pub(crate) fn message(&self, text: &str) -> String {
        if let Some(message) = &self.message {
            return message.to_string();
        }
        match self.kind {
            ErrorKind::NoSuchKey => format!("no such key: `{text}`"),
            ErrorKind::NoOverload => format!("`{text}` is not defined for these types"),
            ErrorKind::OutOfBounds => format!("index out of bounds: `{text}`"),
            ErrorKind::DivideByZero => "division by zero".to_owned(),
            ErrorKind::Overflow => format!("`{text}` is out of range"),
            ErrorKind::UnknownName => format!("`{text}` has no value here"),
            ErrorKind::DuplicateKey => "the same key occurs twice in a map".to_owned(),
            ErrorKind::BadKey => "a value of this type cannot be a map key".to_owned(),
            ErrorKind::Limit => "the expression is too expensive".to_owned(),
            _ => format!("`{text}` cannot be evaluated"),
        }
    }
}

/// Attaches the place to the error of a function.
pub(crate) trait At<T> {
    fn at(self, place: u32) -> Result<T, Fault>;
}

impl<T> At<T> for Result<T, CallError> {
    fn at(self, place: u32) -> Result<T, Fault> {
        self.map_err(|error| Fault {
            kind: error.kind,
            exhausted: error.exhausted,
            place,
            message: error.message,
        })
    }
}
