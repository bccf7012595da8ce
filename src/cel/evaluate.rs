//! Evaluation of a plan. Input: a plan and the values of its variables; output: a value, or a fault with its place.
//!
//! Unknown is a value with reasons. Priority where several arise: a value that absorbs (false of `&&`, true of `||`),
//! then unknown, then an error (architecture: evaluation).

use crate::cel::arithmetic;
use crate::cel::blame::Watch;
use crate::cel::equal;
use crate::cel::error::{At, ErrorKind, Fault};
use crate::cel::fuel::Fuel;
use crate::cel::functions::CallContext;
use crate::cel::plan::{Op, Plan, Root, Slot};
use crate::cel::value::{Reasons, Value};

mod access;
mod build;
mod folds;
mod logic;

/// A boolean that may be unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    False,
    True,
    Unknown(Reasons),
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl Truth {
    pub(crate) fn into_value<'a>(self) -> Value<'a> {
        match self {
            Self::False => Value::Bool(false),
            Self::True => Value::Bool(true),
            Self::Unknown(reasons) => Value::Unknown(reasons),
        }
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::True => Self::False,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

pub(crate) use folds::sorted;

pub(crate) type Evaluated<'a> = Result<Value<'a>, Fault>;

/// The state of one evaluation.
pub(crate) struct Machine<'g, 'a> {
    globals: &'g [Option<Value<'a>>],
    /// Values of macro variables by depth of scope; a failed `cel.bind` keeps its fault until it is read.
    locals: Vec<Evaluated<'a>>,
    pub(crate) fuel: Fuel,
    /// What to explain, when the outcome is to be explained.
    pub(crate) watch: Option<Watch<'a>>,
}

impl<'g, 'a> Machine<'g, 'a> {
    pub(crate) fn new(globals: &'g [Option<Value<'a>>], fuel: Fuel) -> Self {
        Self {
            globals,
            // Grows when a macro first binds a variable; many evaluations end before that.
            locals: Vec::new(),
            fuel,
            watch: None,
        }
    }

    /// The value of a step, with scalar nodes and fact fields read.
    pub(crate) fn value(&mut self, plan: &'a Plan) -> Evaluated<'a> {
        let value = self.kept(plan).map(Value::lift);
        if let Some(watch) = &mut self.watch {
            watch.saw(plan.place, &value);
        }
        value
    }

    /// The value of a step; scalar nodes and fact fields stay references, which keeps their origin.
    pub(crate) fn kept(&mut self, plan: &'a Plan) -> Evaluated<'a> {
        self.fuel.charge(1).at(plan.place)?;
        match &plan.op {
            // A constant text is borrowed from the plan.
            Op::Constant(Value::Text(text)) => Ok(Value::Str(text)),
            Op::Constant(value) => Ok(value.clone()),
            Op::Fail(error) => Err(error.clone()).at(plan.place),
            Op::Read(root) => self.read(*root, plan.place),
            Op::Path { root, keys } => self.path(*root, keys, plan.place),
            Op::Select { base, key } => self.select(base, key, plan.place),
            Op::Field {
                base,
                index,
                key,
                blamed,
            } => self.field(base, *index, key, *blamed, plan.place),
            Op::OptionalSelect { base, key } => self.optional_select(base, key, plan.place),
            Op::Index(base, key) => self.index(base, key, plan.place),
            Op::OptionalIndex(base, key) => self.optional_index(base, key, plan.place),
            Op::Conditional(parts) => self.conditional(parts, plan.place),
            Op::Negate(inner) => {
                let value = self.value(inner)?;
                if let Value::Unknown(_) = value {
                    return Ok(value);
                }
                arithmetic::negate(&value).at(plan.place)
            }
            Op::Arithmetic(op, sides) => match self.pair(sides)? {
                Pair::Unknown(reasons) => Ok(Value::Unknown(reasons)),
                Pair::Known(left, right) => {
                    arithmetic::apply(*op, &left, &right, &mut self.fuel).at(plan.place)
                }
            },
            Op::List(items) => self.list(items, plan.place),
            Op::Map(entries) => self.map(entries, plan.place),
            Op::Size(inner) => self.size(inner, plan.place),
            Op::TypeOf(inner) => match self.value(inner)? {
                unknown @ Value::Unknown(_) => Ok(unknown),
                value => Ok(Value::Type(value.type_name())),
            },
            Op::Call {
                candidates,
                arguments,
            } => self.call(candidates, arguments, plan.place),
            Op::OptionalOr { sides, unwrap } => self.optional_or(sides, *unwrap, plan.place),
            Op::OptionalMap {
                base,
                local,
                body,
                flat,
            } => self.optional_map(base, *local, body, *flat, plan.place),
            Op::Fold(fold) => self.fold(fold, plan.place),
            Op::Bind { local, inits, body } => {
                for (position, init) in inits.iter().enumerate() {
                    let value = self.kept(init);
                    self.set_local(local + position, value);
                }
                self.kept(body)
            }
            _ => self.condition(plan).map(Truth::into_value),
        }
    }

    /// The truth of a step that must be a boolean.
    pub(crate) fn truth(&mut self, plan: &'a Plan) -> Result<Truth, Fault> {
        match &plan.op {
            Op::Has { .. }
            | Op::Not(_)
            | Op::And(..)
            | Op::Or(..)
            | Op::Equal { .. }
            | Op::EqualText { .. }
            | Op::Compare(..)
            | Op::In(_)
            | Op::InTexts(..)
            | Op::TextTest(..)
            | Op::Matches(..)
            | Op::Known(_) => {
                self.fuel.charge(1).at(plan.place)?;
                let truth = self.condition(plan);
                if let Some(watch) = &mut self.watch {
                    watch.saw(plan.place, &truth.clone().map(Truth::into_value));
                }
                truth
            }
            _ => match self.value(plan)? {
                Value::Bool(value) => Ok(value.into()),
                Value::Unknown(reasons) => Ok(Truth::Unknown(reasons)),
                _ => Err(Fault::new(ErrorKind::NoOverload, plan.place)),
            },
        }
    }

    /// Both values of a strict operator: an unknown on either side outranks an error on the other.
    pub(crate) fn pair(&mut self, sides: &'a [Plan; 2]) -> Result<Pair<'a>, Fault> {
        let [left, right] = sides;
        match (self.value(left), self.value(right)) {
            (Ok(Value::Unknown(one)), Ok(Value::Unknown(two))) => {
                Ok(Pair::Unknown(one.merge(&two)))
            }
            (Ok(Value::Unknown(reasons)), Ok(_)) | (Ok(_), Ok(Value::Unknown(reasons))) => {
                Ok(Pair::Unknown(reasons))
            }
            (Ok(Value::Unknown(reasons)), Err(fault))
            | (Err(fault), Ok(Value::Unknown(reasons))) => {
                fault.unless_exhausted()?;
                Ok(Pair::Unknown(reasons))
            }
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(left), Ok(right)) => Ok(Pair::Known(left, right)),
        }
    }

    fn read(&mut self, root: Root, place: u32) -> Evaluated<'a> {
        let value = match root.slot {
            Slot::Global(index) => match self.globals.get(index) {
                Some(Some(value)) => value.clone(),
                _ => return Err(unbound(place)),
            },
            Slot::Local(depth) => match self.locals.get(depth) {
                Some(value) => value.clone()?,
                None => return Err(unbound(place)),
            },
        };
        if root.blamed {
            self.note(&value);
        }
        Ok(value)
    }

    pub(crate) fn set_local(&mut self, depth: usize, value: Evaluated<'a>) {
        while self.locals.len() <= depth {
            self.locals.push(Ok(Value::Null));
        }
        if let Some(slot) = self.locals.get_mut(depth) {
            *slot = value;
        }
    }

    /// Remembers where a value was read, when the outcome is to be explained.
    pub(crate) fn note(&mut self, value: &Value<'a>) {
        if let Some(watch) = &mut self.watch {
            watch.read(value);
        }
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    fn size(&mut self, inner: &'a Plan, place: u32) -> Evaluated<'a> {
        let value = self.value(inner)?;
        let size = match &value {
            Value::Unknown(_) => return Ok(value),
            Value::Str(_) | Value::Text(_) => {
                let text = value.as_str().unwrap_or("");
                self.fuel.charge_bytes(text.len()).at(place)?;
                text.chars().count()
            }
            Value::Bytes(bytes) => bytes.len(),
            Value::Node(node) => node.len(),
            Value::List(list) => match list.open() {
                Some(reasons) => return Ok(Value::Unknown(reasons.clone())),
                None => list.items().len(),
            },
            Value::Map(map) => map.entries().len(),
            _ => return Err(Fault::new(ErrorKind::NoOverload, place)),
        };
        Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
    }

    fn call(
        &mut self,
        candidates: &'a [std::sync::Arc<crate::cel::Function>],
        arguments: &'a [Plan],
        place: u32,
    ) -> Evaluated<'a> {
        let mut values = Vec::with_capacity(arguments.len());
        let mut unknown: Option<Reasons> = None;
        let mut fault = None;
        for argument in arguments {
            match self.value(argument) {
                Ok(value) => {
                    if let Some(reasons) = value.partial() {
                        unknown = Some(match unknown {
                            None => reasons.clone(),
                            Some(seen) => seen.merge(reasons),
                        });
                    }
                    values.push(value);
                }
                Err(error) => {
                    let error = error.unless_exhausted()?;
                    fault = fault.or(Some(error));
                }
            }
        }
        if let Some(reasons) = unknown {
            return Ok(Value::Unknown(reasons));
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        for candidate in candidates {
            let fits = values
                .iter()
                .enumerate()
                .all(|(position, value)| value_fits(value, candidate.parameter(position)));
            if fits {
                let mut context = CallContext {
                    fuel: &mut self.fuel,
                };
                return candidate
                    .call(&mut context, &values)
                    .map(Value::lift)
                    .at(place);
            }
        }
        Err(Fault::new(ErrorKind::NoOverload, place))
    }
}

/// The two values of a strict operator.
pub(crate) enum Pair<'a> {
    Known(Value<'a>, Value<'a>),
    Unknown(Reasons),
}

impl Fault {
    /// The fault again, or an early return when the fuel is used up, which nothing absorbs.
    pub(crate) fn unless_exhausted(self) -> Result<Self, Self> {
        if self.exhausted { Err(self) } else { Ok(self) }
    }
}

fn unbound(place: u32) -> Fault {
    Fault::new(ErrorKind::UnknownName, place)
}

/// Whether a value may be passed for a parameter; element types are not looked at.
fn value_fits(value: &Value<'_>, ty: crate::cel::Type) -> bool {
    use crate::cel::Type;
    match ty {
        Type::Dyn => true,
        Type::Null => matches!(value, Value::Null),
        Type::Bool => matches!(value, Value::Bool(_)),
        Type::Int => matches!(value, Value::Int(_)),
        Type::Uint => matches!(value, Value::Uint(_)),
        Type::Double => matches!(value, Value::Double(_)),
        Type::String => matches!(value, Value::Str(_) | Value::Text(_)),
        Type::Bytes => matches!(value, Value::Bytes(_)),
        Type::Timestamp => matches!(value, Value::Timestamp(_)),
        Type::Duration => matches!(value, Value::Duration(_)),
        Type::Type => matches!(value, Value::Type(_)),
        Type::List(_) => equal::as_list(value).is_some(),
        Type::Map(..) => equal::as_map(value).is_some(),
        Type::Optional(_) => matches!(value, Value::Optional(_)),
        Type::Record(record) => {
            matches!(value, Value::Record(fact) if fact.record_type().name == record.name)
        }
        Type::Opaque(name) => matches!(value, Value::Opaque(opaque) if opaque.type_name() == name),
    }
}
