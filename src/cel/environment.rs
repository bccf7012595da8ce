//! What an expression may name. Input: variables with their types and a function table; output: look-ups and nearest names.

use std::sync::Arc;

use crate::cel::functions::FunctionTable;
use crate::cel::types::Type;
use crate::cel::value::Value;

/// A variable an expression may read.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Name in expressions; it may contain dots.
    pub name: String,
    /// Static type.
    pub ty: Type,
    /// Whether a read of it can be blamed for a false outcome.
    pub blamed: bool,
}

impl Variable {
    /// A variable whose reads can be blamed: the subject of a rule.
    #[must_use]
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Self {
            name: name.into(),
            ty,
            blamed: true,
        }
    }

    /// A variable that is never blamed: parameters, the old object.
    #[must_use]
    pub fn quiet(name: impl Into<String>, ty: Type) -> Self {
        Self {
            blamed: false,
            ..Self::new(name, ty)
        }
    }
}

/// The variables and functions that expressions are checked against.
#[derive(Clone, Debug)]
pub struct Environment {
    variables: Vec<Variable>,
    functions: Arc<FunctionTable>,
    container: String,
    unchecked: bool,
}

impl Environment {
    /// An environment with these variables and functions.
    #[must_use]
    pub fn new(variables: Vec<Variable>, functions: Arc<FunctionTable>) -> Self {
        Self {
            variables,
            functions,
            container: String::new(),
            unchecked: false,
        }
    }

    /// Adds a variable and returns its number; a later one hides an earlier one of the same name.
    pub fn declare(&mut self, variable: Variable) -> usize {
        self.variables.push(variable);
        self.variables.len() - 1
    }

    /// Sets the namespace in which names are looked up first, such as `com.example`.
    pub fn set_container(&mut self, container: &str) {
        container.clone_into(&mut self.container);
    }

    /// Leaves unknown names and type errors to the evaluation, where `&&` and `||` may absorb them: CEL without its
    /// checker. Rules are always checked.
    pub fn set_unchecked(&mut self) {
        self.unchecked = true;
    }

    pub(crate) fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// The number of a variable, for [`Bindings::set`].
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<usize> {
        self.variables
            .iter()
            .rposition(|variable| variable.name == name)
    }

    /// All variables by number.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The function table.
    #[must_use]
    pub fn functions(&self) -> &Arc<FunctionTable> {
        &self.functions
    }

    /// The variable spelled by the longest prefix of a dotted name, with the number of segments used
    /// (cel-spec, name resolution: the innermost container first, then the longest name).
    pub(crate) fn resolve(&self, segments: &[&str]) -> Option<(usize, usize)> {
        let (first, rest) = segments.split_first()?;
        let (first, absolute) = match first.strip_prefix('.') {
            Some(name) => (name, true),
            None => (*first, false),
        };
        let plain = self.container.is_empty()
            && (rest.is_empty() || self.variables.iter().all(|v| !v.name.contains('.')));
        if plain {
            return self.variable(first).map(|index| (index, 1));
        }
        for prefix in containers(if absolute { "" } else { &self.container }) {
            for used in (1..=segments.len()).rev() {
                let mut name = prefix.to_owned();
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(first);
                for segment in rest.iter().take(used - 1) {
                    name.push('.');
                    name.push_str(segment);
                }
                if let Some(index) = self.variable(&name) {
                    return Some((index, used));
                }
            }
        }
        None
    }

    /// The declared name most like an unknown one.
    pub(crate) fn nearest_variable<'n>(
        &'n self,
        name: &str,
        locals: impl Iterator<Item = &'n str>,
    ) -> Option<&'n str> {
        nearest(
            name,
            self.variables
                .iter()
                .map(|variable| variable.name.as_str())
                .chain(locals),
        )
    }
}

/// `a.b` → `a.b`, `a`, ``.
fn containers(container: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(container), |name| {
        (!name.is_empty()).then(|| name.rsplit_once('.').map_or("", |(outer, _)| outer))
    })
}

/// The candidate most like `name`, when one is alike enough to be a slip.
pub(crate) fn nearest<'n>(
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let score = strsim::jaro_winkler(name, candidate);
        if score > 0.8 && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The values of an environment's variables for one subject.
#[derive(Clone, Debug)]
pub struct Bindings<'a> {
    values: Vec<Option<Value<'a>>>,
}

impl<'a> Bindings<'a> {
    /// No variable has a value yet.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        Self {
            values: vec![None; environment.variables.len()],
        }
    }

    /// Sets a variable by its number.
    pub fn set(&mut self, variable: usize, value: Value<'a>) {
        if let Some(slot) = self.values.get_mut(variable) {
            *slot = Some(value);
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, variable: usize) -> Option<&Value<'a>> {
        self.values.get(variable).and_then(Option::as_ref)
    }
}

impl<'a> Bindings<'a> {
    pub(crate) fn values(&self) -> &[Option<Value<'a>>] {
        &self.values
    }
}
