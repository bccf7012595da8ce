//! The function table. Input: rows, built in and the host's; output: the overloads of a call, and docs/functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cel::error::CallError;
use crate::cel::fuel::Fuel;
use crate::cel::types::Type;
use crate::cel::value::Value;

mod convert;
mod encoders;
pub mod kubernetes;
mod lists;
mod math;
pub mod meshgov;
mod opaque;
mod optionals;
mod sets;
pub(crate) mod standard;
mod strings;
mod times;

/// What a function may use besides its arguments.
#[derive(Debug)]
pub struct CallContext<'f> {
    /// The budget of the evaluation.
    pub fuel: &'f mut Fuel,
}

/// A function of the program itself.
pub type Builtin = for<'a> fn(&mut CallContext<'_>, &[Value<'a>]) -> Result<Value<'a>, CallError>;

/// A function that carries state of the host.
pub type HostFunction = dyn for<'a> Fn(&mut CallContext<'_>, &[Value<'a>]) -> Result<Value<'a>, CallError>
    + Send
    + Sync;

/// The code of a function.
#[derive(Clone)]
pub enum Body {
    /// Depends on its arguments alone.
    Builtin(Builtin),
    /// Provided by the host.
    Host(Arc<HostFunction>),
    /// Handled by the planner; the row is there for checks and docs.
    Planned,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Builtin(_) => "Builtin",
            Self::Host(_) => "Host",
            Self::Planned => "Planned",
        })
    }
}

/// One overload: a row of the function table.
#[derive(Clone, Debug)]
pub struct Function {
    /// Name, with its namespace: `math.greatest`.
    pub name: &'static str,
    /// Whether it is called as `x.name(…)`; the first parameter is then `x`.
    pub receiver: bool,
    /// Parameter types, the receiver first. Arguments arrive with scalar nodes read, and never unknown.
    pub parameters: Vec<Type>,
    /// Whether the last parameter may be repeated.
    pub variadic: bool,
    /// Type of the result.
    pub result: Type,
    /// One sentence for the docs.
    pub doc: &'static str,
    /// Its code.
    pub body: Body,
}

impl Function {
    /// A function called as `name(…)`.
    #[must_use]
    pub fn global(
        name: &'static str,
        parameters: &[Type],
        result: Type,
        doc: &'static str,
        body: Body,
    ) -> Self {
        Self {
            name,
            receiver: false,
            parameters: parameters.to_vec(),
            variadic: false,
            result,
            doc,
            body,
        }
    }

    /// A function called as `x.name(…)`; the first parameter is `x`.
    #[must_use]
    pub fn member(
        name: &'static str,
        parameters: &[Type],
        result: Type,
        doc: &'static str,
        body: Body,
    ) -> Self {
        Self {
            receiver: true,
            ..Self::global(name, parameters, result, doc, body)
        }
    }

    /// Whether the same arguments always give the same result without a host.
    pub(crate) fn is_pure(&self) -> bool {
        matches!(self.body, Body::Builtin(_))
    }

    /// Whether it takes this many arguments, the receiver included.
    pub(crate) fn takes(&self, count: usize) -> bool {
        count == self.parameters.len() || self.variadic && count >= self.parameters.len()
    }

    /// The type of the parameter at a position.
    pub(crate) fn parameter(&self, position: usize) -> Type {
        self.parameters
            .get(position)
            .or(self.parameters.last())
            .copied()
            .unwrap_or(Type::Dyn)
    }

    /// How it is written: `string.split(string) -> list(string)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut types = self.parameters.iter().map(ToString::to_string);
        let receiver = if self.receiver {
            types.next().map(|ty| format!("{ty}."))
        } else {
            None
        };
        format!(
            "{}{}({}{}) -> {}",
            receiver.unwrap_or_default(),
            self.name,
            types.collect::<Vec<_>>().join(", "),
            if self.variadic { "…" } else { "" },
            self.result
        )
    }

    pub(crate) fn call<'a>(
        &self,
        context: &mut CallContext<'_>,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>, CallError> {
        match &self.body {
            Body::Builtin(code) => code(context, arguments),
            Body::Host(code) => code(context, arguments),
            Body::Planned => Err(CallError::bare(crate::cel::ErrorKind::UnknownFunction)),
        }
    }
}

/// All functions by name.
#[derive(Clone, Debug, Default)]
pub struct FunctionTable {
    rows: BTreeMap<&'static str, Vec<Arc<Function>>>,
}

impl FunctionTable {
    /// The standard definitions and the extension libraries.
    #[must_use]
    pub fn standard() -> Self {
        let mut table = Self::default();
        for rows in [
            standard::rows(),
            convert::rows(),
            strings::rows(),
            lists::rows(),
            math::rows(),
            sets::rows(),
            encoders::rows(),
            times::rows(),
            optionals::rows(),
            kubernetes::rows(),
            meshgov::rows(),
        ] {
            for row in rows {
                table.add(row);
            }
        }
        table
    }

    /// Adds an overload.
    pub fn add(&mut self, function: Function) {
        self.rows
            .entry(function.name)
            .or_default()
            .push(Arc::new(function));
    }

    /// All overloads of a name; empty when there is none.
    #[must_use]
    pub fn overloads(&self, name: &str) -> &[Arc<Function>] {
        self.rows.get(name).map_or(&[], Vec::as_slice)
    }

    /// All rows in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Function> {
        self.rows.values().flatten().map(AsRef::as_ref)
    }

    /// All names in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.rows.keys().copied()
    }
}
