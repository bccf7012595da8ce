//! L4: CEL. Input: an expression and an [`Environment`]; output: a [`Program`] that says true, false (and which bytes
//! made it so), unknown (and why) or an error.
//!
//! ```
//! use std::sync::Arc;
//! use meshgov::cel::{Bindings, Environment, Fuel, FunctionTable, Outcome, Type, Value, Variable, compile};
//! use meshgov::source::Sources;
//!
//! let functions = Arc::new(FunctionTable::standard());
//! let environment = Environment::new(vec![Variable::new("object", Type::Dyn)], functions);
//! let program = compile("object.spec.replicas >= 2", &environment).map_err(|e| e.message)?;
//!
//! let source = Sources::default().add("a.yaml", "spec:\n  replicas: 1\n");
//! let parsed = meshgov::yaml::parse(&source);
//! let mut bindings = Bindings::new(&environment);
//! bindings.set(0, Value::Node(parsed.tree.node(0)));
//! let Outcome::False(blame) = program.evaluate(&bindings, Fuel::default()) else {
//!     return Err("it is false".to_owned());
//! };
//! assert_eq!(blame.span().map(|span| source.slice(span)), Some("1"));
//! # Ok::<(), String>(())
//! ```
//!
//! A rule engine compiles each expression once, binds the variables of a subject once, and evaluates every rule over
//! the same [`Bindings`]. `messageExpression`, `variables` and `each` use [`Program::value`].

mod arithmetic;
mod blame;
mod check;
mod compile;
mod constant;
mod display;
mod environment;
mod equal;
mod error;
mod evaluate;
mod fuel;
pub mod functions;
mod name;
mod number;
mod parse;
mod plan;
mod program;
mod ranges;
mod time;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use blame::Blame;
pub use compile::{compile, trace_program};
pub use environment::{Bindings, Environment, Variable};
pub use error::{CallError, CompileError, ErrorKind, EvaluationError};
pub use fuel::Fuel;
pub use functions::{Body, Builtin, CallContext, Function, FunctionTable, HostFunction};
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
pub use program::{NoValue, Outcome, Program, Step};
pub use types::{Field, RecordType, Type};
pub use value::{Duration, List, Map, MapKey, Opaque, Origin, Reasons, Record, Timestamp, Value};
