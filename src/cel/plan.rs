//! The compiled form of an expression: slots instead of names, prepared keys, fused common shapes. Input: compile.rs;
//! output: what evaluate.rs walks. Nesting is bounded by the parser's limits.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::Regex;

use crate::cel::error::{CallError, ErrorKind};
use crate::cel::fuel::Fuel;
use crate::cel::functions::Function;
use crate::cel::value::Value;
use crate::yaml::Key;

/// One step of a plan with the parser's number of the node it came from.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) place: u32,
    pub(crate) op: Op,
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A variable of the environment.
    Global(usize),
    /// A variable of a macro, by depth of scope.
    Local(usize),
}

/// A read of a variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    pub(crate) slot: Slot,
    /// Whether reads through it can be blamed.
    pub(crate) blamed: bool,
}

/// `<` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// `+` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// A test of one string by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// What a plan step does.
#[derive(Debug)]
pub(crate) enum Op {
    Constant(Value<'static>),
    /// What the checker would have refused, in an unchecked environment.
    Fail(CallError),
    Read(Root),
    /// A chain of field names on a variable.
    Path {
        root: Root,
        keys: Box<[(Key, u32)]>,
    },
    Select {
        base: Box<Plan>,
        key: Key,
    },
    /// A field of a fact whose type is known.
    Field {
        base: Box<Plan>,
        index: u16,
        key: Key,
        blamed: bool,
    },
    Has {
        base: Box<Plan>,
        key: Key,
    },
    OptionalSelect {
        base: Box<Plan>,
        key: Key,
    },
    Index(Box<Plan>, Box<Plan>),
    OptionalIndex(Box<Plan>, Box<Plan>),
    Not(Box<Plan>),
    Negate(Box<Plan>),
    And(Box<Plan>, Box<Plan>),
    Or(Box<Plan>, Box<Plan>),
    Conditional(Box<[Plan; 3]>),
    Equal {
        sides: Box<[Plan; 2]>,
        negate: bool,
    },
    EqualText {
        base: Box<Plan>,
        text: Box<str>,
        negate: bool,
    },
    Compare(Relation, Box<[Plan; 2]>),
    Arithmetic(Arithmetic, Box<[Plan; 2]>),
    In(Box<[Plan; 2]>),
    InTexts(Box<Plan>, Box<[Box<str>]>),
    List(Box<[(Plan, bool)]>),
    Map(Box<[(Plan, Plan, bool)]>),
    Size(Box<Plan>),
    TextTest(TextTest, Box<[Plan; 2]>),
    Matches(Box<Plan>, Box<Pattern>),
    TypeOf(Box<Plan>),
    Known(Box<Plan>),
    Call {
        candidates: Box<[Arc<Function>]>,
        arguments: Box<[Plan]>,
    },
    /// `x.orValue(default)` and `x.or(other)`: the argument is evaluated only when needed.
    OptionalOr {
        sides: Box<[Plan; 2]>,
        unwrap: bool,
    },
    /// `x.optMap(v, e)` and `x.optFlatMap(v, e)`.
    OptionalMap {
        base: Box<Plan>,
        local: usize,
        body: Box<Plan>,
        flat: bool,
    },
    Fold(Box<Fold>),
    /// `cel.bind` and `cel.block`: evaluated once, when first reached.
    Bind {
        local: usize,
        inits: Box<[Plan]>,
        body: Box<Plan>,
    },
}

impl Plan {
    /// Whether the step yields a value whatever values of the right type stand for the unknowns below it. An unknown
    /// that may turn out to be an error must not be built into a list or decide a conditional: the answer would change
    /// when it becomes known.
    pub(crate) fn is_total(&self) -> bool {
        match &self.op {
            Op::Constant(_) | Op::Read(_) => true,
            Op::Field { base, .. } => base.is_total(),
            Op::Has { base, .. } => {
                matches!(base.op, Op::Read(_) | Op::Field { .. }) && base.is_total()
            }
            Op::Not(inner) | Op::EqualText { base: inner, .. } | Op::InTexts(inner, _) => {
                inner.is_total()
            }
            Op::And(left, right) | Op::Or(left, right) => left.is_total() && right.is_total(),
            Op::Equal { sides, .. } | Op::In(sides) => sides.iter().all(Self::is_total),
            Op::Conditional(parts) => parts.iter().all(Self::is_total),
            Op::Known(_) => true,
            _ => false,
        }
    }
}

/// A macro over the elements of a collection.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) kind: FoldKind,
    pub(crate) range: Plan,
    /// First macro variable.
    pub(crate) local: usize,
    /// Whether there is a second macro variable, in the next slot.
    pub(crate) pairs: bool,
    pub(crate) blamed: bool,
    pub(crate) filter: Option<Plan>,
    pub(crate) body: Plan,
}

/// What a macro makes of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    /// `map`, `filter`, `transformList`.
    List,
    /// `transformMap`.
    Map,
    /// `transformMapEntry`.
    Entries,
    /// `sortBy`.
    Sort,
}

/// A constant regular expression, compiled when first used.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: Box<str>,
    compiled: OnceLock<Result<Compiled, CallError>>,
}

/// A compiled regular expression with the cost of a byte of its input.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) regex: Regex,
    weight: u64,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            compiled: OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> Result<&Compiled, CallError> {
        self.compiled
            .get_or_init(|| Compiled::new(&self.text))
            .as_ref()
            .map_err(Clone::clone)
    }
}

/// The regular expression that one step used last, where its pattern is computed: mostly it is the same for every subject.
#[derive(Debug, Default)]
pub(crate) struct LastPattern(Mutex<Option<Used>>);

/// A compiled regular expression, its text and the fuel that compiling it took.
#[derive(Clone, Debug)]
struct Used {
    text: Arc<str>,
    compiled: Arc<Compiled>,
    fuel: u64,
}

impl LastPattern {
    /// The compiled pattern. It costs the same fuel whether it is known or not, so that no answer depends on what was asked before.
    pub(crate) fn get(&self, text: &str, fuel: &mut Fuel) -> Result<Arc<Compiled>, CallError> {
        let last = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = last().clone().filter(|used| &*used.text == text) {
            fuel.charge(used.fuel)?;
            return Ok(used.compiled);
        }
        let before = fuel.0;
        let compiled = Arc::new(Compiled::computed(text, fuel)?);
        *last() = Some(Used {
            text: Arc::from(text),
            compiled: Arc::clone(&compiled),
            fuel: before - fuel.0,
        });
        Ok(compiled)
    }
}

impl Compiled {
    /// Sizes in bytes of the compiled program; the fuel a byte of input costs at most at that size, for a small program
    /// runs as an automaton and a big one may have to be simulated; and the fuel that trying to compile to it costs.
    const SIZES: [(usize, u64, u64); 3] = [
        (1 << 14, 1, 2_000),
        (1 << 17, 8, 20_000),
        (1 << 20, 64, 200_000),
    ];

    /// Compiles a constant within the size limit; paid for by no evaluation.
    pub(crate) fn new(text: &str) -> Result<Self, CallError> {
        Self::compile(text, &mut Fuel(u64::MAX))
    }

    /// Compiles an expression that an evaluation has put together.
    pub(crate) fn computed(text: &str, fuel: &mut Fuel) -> Result<Self, CallError> {
        Self::compile(text, fuel)
    }

    fn compile(text: &str, fuel: &mut Fuel) -> Result<Self, CallError> {
        let mut message = String::new();
        for (size, weight, cost) in Self::SIZES {
            fuel.charge(cost)?;
            match regex::RegexBuilder::new(text)
                .size_limit(size)
                .dfa_size_limit(1 << 20)
                .nest_limit(50)
                .build()
            {
                Ok(regex) => return Ok(Self { regex, weight }),
                Err(regex::Error::CompiledTooBig(_)) => {
                    message = "regular expression compiles to more than 1 MiB".to_owned();
                }
                Err(error) => {
                    let text = error.to_string();
                    let last = text.lines().next_back().unwrap_or("syntax error");
                    message = format!(
                        "not a regular expression: {}",
                        last.trim_start_matches("error: ")
                    );
                    break;
                }
            }
        }
        Err(CallError::new(ErrorKind::InvalidArgument, message))
    }

    /// Fuel for running it over `bytes` bytes.
    pub(crate) fn cost(&self, bytes: usize) -> u64 {
        crate::cel::fuel::to_u64(bytes) * self.weight / 8
    }
}
