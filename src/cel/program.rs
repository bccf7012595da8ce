//! A compiled expression and its outcomes. Input: bindings; output: true, false with its blame, unknown or an error.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::cel::blame::{Blame, Watch};
use crate::cel::environment::Bindings;
use crate::cel::error::{ErrorKind, EvaluationError, Fault};
use crate::cel::evaluate::{Machine, Truth};
use crate::cel::fuel::Fuel;
use crate::cel::plan::Plan;
use crate::cel::ranges;
use crate::cel::types::Type;
use crate::cel::value::{Reasons, Value};

/// A compiled expression: checked once, evaluated many times, on any thread.
#[derive(Debug)]
pub struct Program {
    text: Arc<str>,
    plan: Plan,
    ty: Type,
    reads: BTreeSet<usize>,
    /// Bytes of each step in the text; found when first asked for.
    ranges: OnceLock<HashMap<u32, Range<usize>>>,
}

/// What an evaluation says.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// The expression holds.
    True,
    /// It does not hold, because of this.
    False(Blame<'a>),
    /// It cannot be known, for these reasons.
    Unknown(Reasons),
    /// It could not be evaluated.
    Error(EvaluationError),
    /// It took more fuel than allowed; the bytes of the expression where it ran out.
    Exhausted(Range<usize>),
}

/// One step of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the sub-expression.
    pub range: Range<usize>,
    /// Its value, printed.
    pub value: String,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// It could not be evaluated.
    Error(EvaluationError),
    /// It took more fuel than allowed.
    Exhausted(Range<usize>),
}

impl Program {
    pub(crate) fn new(text: &str, plan: Plan, ty: Type, reads: BTreeSet<usize>) -> Self {
        Self {
            text: text.into(),
            plan,
            ty,
            reads,
            ranges: OnceLock::new(),
        }
    }

    /// The expression.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The static type of its value, as far as it is known.
    #[must_use]
    pub fn result_type(&self) -> Type {
        self.ty
    }

    /// Whether it names a variable of its environment, by the variable's number.
    #[must_use]
    pub fn reads(&self, variable: usize) -> bool {
        self.reads.contains(&variable)
    }

    /// Evaluates a condition. When it is false it is evaluated once more to find out why.
    #[must_use]
    pub fn evaluate<'a>(&'a self, bindings: &Bindings<'a>, fuel: Fuel) -> Outcome<'a> {
        let mut machine = Machine::new(bindings.values(), fuel);
        match machine.truth(&self.plan) {
            Ok(Truth::True) => Outcome::True,
            Ok(Truth::Unknown(reasons)) => Outcome::Unknown(reasons),
            Ok(Truth::False) => {
                let mut machine = Machine::new(bindings.values(), fuel);
                machine.watch = Some(Watch::for_blame());
                // The second run takes the same path and cannot fail.
                let again = machine.truth(&self.plan);
                debug_assert!(matches!(again, Ok(Truth::False)));
                let watch = machine.watch.take();
                Outcome::False(watch.unwrap_or_else(Watch::for_blame).into_blame())
            }
            Err(fault) => self.failed(&fault),
        }
    }

    /// Evaluates a condition without explaining a false one: for `matchConditions` and measurements.
    #[must_use]
    pub fn decide<'a>(&'a self, bindings: &Bindings<'a>, fuel: Fuel) -> Outcome<'a> {
        let mut machine = Machine::new(bindings.values(), fuel);
        match machine.truth(&self.plan) {
            Ok(Truth::True) => Outcome::True,
            Ok(Truth::Unknown(reasons)) => Outcome::Unknown(reasons),
            Ok(Truth::False) => Outcome::False(Watch::for_blame().into_blame()),
            Err(fault) => self.failed(&fault),
        }
    }

    /// Evaluates to a value: a message, a variable, the list of `each`. It may be [`Value::Unknown`]; scalar nodes and
    /// fact fields are not yet read ([`Value::lift`]).
    ///
    /// # Errors
    ///
    /// When it cannot be evaluated, or not within the fuel.
    pub fn value<'a>(&'a self, bindings: &Bindings<'a>, fuel: Fuel) -> Result<Value<'a>, NoValue> {
        let mut machine = Machine::new(bindings.values(), fuel);
        machine
            .kept(&self.plan)
            .map_err(|fault| match self.failed(&fault) {
                Outcome::Exhausted(range) => NoValue::Exhausted(range),
                Outcome::Error(error) => NoValue::Error(error),
                _ => NoValue::Exhausted(0..self.text.len()),
            })
    }

    /// Evaluates and lists every step with its value, in order of evaluation. Compile with [`crate::cel::trace_program`] to
    /// see the inner steps of field chains too.
    ///
    /// # Errors
    ///
    /// When it cannot be evaluated, or not within the fuel; the steps up to there are given all the same.
    pub fn trace<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        fuel: Fuel,
    ) -> (Result<Value<'a>, NoValue>, Vec<Step>) {
        let mut machine = Machine::new(bindings.values(), fuel);
        machine.watch = Some(Watch::for_trace());
        let value = machine
            .value(&self.plan)
            .map_err(|fault| match self.failed(&fault) {
                Outcome::Error(error) => NoValue::Error(error),
                Outcome::Exhausted(range) => NoValue::Exhausted(range),
                _ => NoValue::Exhausted(0..self.text.len()),
            });
        let seen = machine
            .watch
            .take()
            .map(Watch::into_seen)
            .unwrap_or_default();
        let steps = seen
            .into_iter()
            .map(|(place, value)| Step {
                range: self.range(place),
                value,
            })
            .collect();
        (value, steps)
    }

    fn range(&self, place: u32) -> Range<usize> {
        self.ranges
            .get_or_init(|| ranges::of_text(&self.text))
            .get(&place)
            .cloned()
            .unwrap_or(0..self.text.len())
    }

    fn failed<'a>(&self, fault: &Fault) -> Outcome<'a> {
        let range = self.range(fault.place);
        if fault.exhausted {
            return Outcome::Exhausted(range);
        }
        let text = self.text.get(range.clone()).unwrap_or(&self.text);
        Outcome::Error(EvaluationError {
            kind: fault.kind,
            message: fault.message(text),
            range,
        })
    }
}

impl NoValue {
    /// The kind of error; running out of fuel is a limit.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Error(error) => error.kind,
            Self::Exhausted(_) => ErrorKind::Limit,
        }
    }
}
