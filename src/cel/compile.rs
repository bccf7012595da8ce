//! Syntax tree → plan, checked on the way: names, arity, types, scopes. Input: a text and an `Environment`; output: a
//! `Program`, or an error with its bytes.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr};

use crate::cel::constant;
use crate::cel::environment::{Environment, nearest};
use crate::cel::error::{CallError, CompileError, ErrorKind};
use crate::cel::name;
use crate::cel::parse;
use crate::cel::plan::{Op, Plan, Root, Slot};
use crate::cel::program::Program;
use crate::cel::ranges;
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::yaml::Key;

mod call;
mod folds;
mod operator;

pub(crate) use folds::recognise;

/// Compiles an expression once for many evaluations.
///
/// # Errors
///
/// When the text is not CEL, exceeds the limits, or names or combines what the environment does not have: the rule
/// author's fault, with the bytes.
pub fn compile(text: &str, environment: &Environment) -> Result<Program, CompileError> {
    compile_with(text, environment, true)
}

/// Compiles with every sub-expression as a step of its own, for `eval --trace`.
///
/// # Errors
///
/// As [`compile`].
pub fn trace_program(text: &str, environment: &Environment) -> Result<Program, CompileError> {
    compile_with(text, environment, false)
}

/// Compiles; without `fuse`, every sub-expression stays a step of its own, for `eval --trace`.
fn compile_with(
    text: &str,
    environment: &Environment,
    fuse: bool,
) -> Result<Program, CompileError> {
    let tree = parse::parse(text)?;
    let mut planner = Planner {
        environment,
        reads: BTreeSet::new(),
        scope: Vec::new(),
        fuse,
    };
    match planner.plan(&tree) {
        Ok(typed) => Ok(Program::new(text, typed.plan, typed.ty, planner.reads)),
        Err(refusal) => Err(CompileError {
            kind: refusal.kind,
            message: refusal.message,
            help: refusal.help,
            range: ranges::of_tree(text, &tree)
                .remove(&refusal.place)
                .unwrap_or(0..text.len()),
        }),
    }
}

/// A compile error before its bytes are known.
pub(super) struct Refusal {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    place: u32,
}

impl Refusal {
    fn new(kind: ErrorKind, message: impl Into<String>, node: &IdedExpr) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
            place: place(node),
        }
    }

    /// Whether the text is CEL all the same.
    fn is_static(&self) -> bool {
        !matches!(self.kind, ErrorKind::Syntax | ErrorKind::Limit)
    }

    fn with_nearest(mut self, name: Option<&str>) -> Self {
        self.help = name.map(|name| format!("did you mean `{name}`?"));
        self
    }
}

/// A plan with its static type.
pub(super) struct Typed {
    plan: Plan,
    ty: Type,
}

type Planned = Result<Typed, Refusal>;

/// A macro variable in scope; its slot is its depth.
struct Local {
    name: String,
    ty: Type,
    blamed: bool,
}

struct Planner<'e> {
    environment: &'e Environment,
    /// Variables of the environment that the text names.
    reads: BTreeSet<usize>,
    scope: Vec<Local>,
    fuse: bool,
}

/// The parser's number of a node; numbers are far below `u32::MAX` for texts within the limits.
fn place(node: &IdedExpr) -> u32 {
    u32::try_from(node.id).unwrap_or(u32::MAX)
}

impl Planner<'_> {
    fn plan(&mut self, expr: &IdedExpr) -> Planned {
        let planned = self.checked(expr);
        match planned {
            Err(refusal) if self.environment.is_unchecked() && refusal.is_static() => {
                let error = CallError::new(refusal.kind, refusal.message);
                Ok(self.typed(expr, Op::Fail(error), Type::Dyn))
            }
            planned => planned,
        }
    }

    fn checked(&mut self, expr: &IdedExpr) -> Planned {
        match &expr.expr {
            Expr::Literal(value) => {
                let value = constant::literal(value);
                let ty = constant_type(&value);
                Ok(self.typed(expr, Op::Constant(value), ty))
            }
            Expr::Ident(_) => self.name(expr),
            Expr::Select(select) if select.test => self.has(expr, &select.operand, &select.field),
            Expr::Select(select) => {
                if name::segments(expr).is_some() {
                    return self.name(expr);
                }
                let base = self.plan(&select.operand)?;
                self.select(base, &select.field, expr)
            }
            Expr::Call(call) => match &call.target {
                None => self.global_call(expr, &call.func_name, &call.args),
                Some(target) => self.member_call(expr, target, &call.func_name, &call.args),
            },
            Expr::Comprehension(fold) => self.standard_macro(expr, fold),
            Expr::List(list) => self.list(expr, &list.elements, &list.optional_indices),
            Expr::Map(map) => self.map(expr, &map.entries),
            Expr::Struct(item) => Err(Refusal::new(
                ErrorKind::UnknownName,
                format!("no message type `{}`", item.type_name),
                expr,
            )),
            Expr::Unspecified => Err(Refusal::new(ErrorKind::Syntax, "empty expression", expr)),
        }
    }

    fn typed(&self, node: &IdedExpr, op: Op, ty: Type) -> Typed {
        Typed {
            plan: Plan {
                place: place(node),
                op,
            },
            ty,
        }
    }

    /// An operation over constants is a constant.
    fn folded(&self, node: &IdedExpr, op: Op, ty: Type) -> Planned {
        let mut typed = self.typed(node, op, ty);
        if self.fuse {
            typed.plan = constant::fold(typed.plan);
        }
        Ok(typed)
    }

    /// Adds a macro variable; returns its slot.
    fn enter(&mut self, name: &str, ty: Type, blamed: bool) -> usize {
        self.scope.push(Local {
            name: name.to_owned(),
            ty,
            blamed,
        });
        self.scope.len() - 1
    }

    fn leave(&mut self, variables: usize) {
        self.scope
            .truncate(self.scope.len().saturating_sub(variables));
    }

    /// A variable, a field chain on a variable, or a type.
    fn name(&mut self, expr: &IdedExpr) -> Planned {
        let segments = name::segments(expr).unwrap_or_default();
        let Some((first, root_node)) = segments.first().copied() else {
            return Err(Refusal::new(ErrorKind::Syntax, "empty name", expr));
        };
        let local = self.scope.iter().rposition(|local| local.name == first);
        let (root, mut used) = if let Some(depth) = local {
            let local = self.scope.get(depth);
            let (ty, blamed) = local.map_or((Type::Dyn, true), |l| (l.ty, l.blamed));
            let slot = Slot::Local(depth);
            (Some((Root { slot, blamed }, ty)), 1)
        } else {
            let names: Vec<&str> = segments.iter().map(|(name, _)| *name).collect();
            match self.environment.resolve(&names) {
                Some((index, used)) => {
                    self.reads.insert(index);
                    let variable = self.environment.variables().get(index);
                    let (ty, blamed) = variable
                        .map_or((Type::Dyn, true), |variable| (variable.ty, variable.blamed));
                    let slot = Slot::Global(index);
                    (Some((Root { slot, blamed }, ty)), used)
                }
                None => {
                    if let Some(name) = name::type_name(&names.join(".")) {
                        let op = Op::Constant(Value::Type(name));
                        return Ok(self.typed(expr, op, Type::Type));
                    }
                    (None, 1)
                }
            }
        };
        let Some((root, ty)) = root else {
            let locals = self.scope.iter().map(|local| local.name.as_str());
            let near = self.environment.nearest_variable(first, locals);
            return Err(Refusal::new(
                ErrorKind::UnknownName,
                format!("no variable `{first}`"),
                root_node,
            )
            .with_nearest(near));
        };
        used = used.max(1);
        let node = segments.get(used - 1).map_or(root_node, |(_, node)| node);
        let mut typed = self.typed(node, Op::Read(root), ty);
        for (field, node) in segments.into_iter().skip(used) {
            typed = self.select(typed, field, node)?;
        }
        Ok(typed)
    }

    /// `base.field`.
    fn select(&mut self, base: Typed, field: &str, node: &IdedExpr) -> Planned {
        let key = Key::new(field);
        let ty = match base.ty {
            Type::Record(record) => {
                let Some(index) = record.position(field) else {
                    return Err(self.no_field(record, field, node));
                };
                let ty = record.fields.get(index).map_or(Type::Dyn, |field| field.ty);
                let blamed = is_blamed(&base.plan);
                let op = Op::Field {
                    base: Box::new(base.plan),
                    index: u16::try_from(index).unwrap_or(u16::MAX),
                    key,
                    blamed,
                };
                return Ok(self.typed(node, op, ty));
            }
            Type::Dyn => Type::Dyn,
            Type::Map(_, value) => *value,
            Type::Optional(inner) => match *inner {
                Type::Record(record) => match record.position(field) {
                    None => return Err(self.no_field(record, field, node)),
                    Some(index) => {
                        let ty = record.fields.get(index).map_or(Type::Dyn, |field| field.ty);
                        Type::Optional(ty.shared())
                    }
                },
                _ => Type::Optional(&Type::Dyn),
            },
            other => {
                return Err(Refusal::new(
                    ErrorKind::NoOverload,
                    format!("`{other}` has no field `{field}`"),
                    node,
                ));
            }
        };
        let op = match base.plan.op {
            Op::Read(root) if self.fuse => Op::Path {
                root,
                keys: Box::new([(key, place(node))]),
            },
            Op::Path { root, keys } if self.fuse => {
                let mut keys = keys.into_vec();
                keys.push((key, place(node)));
                Op::Path {
                    root,
                    keys: keys.into(),
                }
            }
            op => Op::Select {
                base: Box::new(Plan {
                    place: base.plan.place,
                    op,
                }),
                key,
            },
        };
        Ok(self.typed(node, op, ty))
    }

    fn no_field(&self, record: &crate::cel::RecordType, field: &str, node: &IdedExpr) -> Refusal {
        let near = nearest(field, record.fields.iter().map(|field| field.name));
        let refusal = Refusal::new(
            ErrorKind::UnknownName,
            format!("`{}` has no field `{field}`", record.name),
            node,
        );
        if near.is_some() {
            return refusal.with_nearest(near);
        }
        let names: Vec<_> = record.fields.iter().map(|field| field.name).collect();
        Refusal {
            help: Some(format!("it has {}", names.join(", "))),
            ..refusal
        }
    }

    /// `has(operand.field)`.
    fn has(&mut self, expr: &IdedExpr, operand: &IdedExpr, field: &str) -> Planned {
        let base = self.plan(operand)?;
        match base.ty.unwrapped() {
            Type::Record(record) if record.position(field).is_none() => {
                return Err(self.no_field(record, field, expr));
            }
            Type::Record(_) | Type::Dyn | Type::Map(..) => {}
            other => {
                return Err(Refusal::new(
                    ErrorKind::NoOverload,
                    format!("`{other}` has no field `{field}`"),
                    expr,
                ));
            }
        }
        let op = Op::Has {
            base: Box::new(base.plan),
            key: Key::new(field),
        };
        Ok(self.typed(expr, op, Type::Bool))
    }

    fn list(&mut self, expr: &IdedExpr, items: &[IdedExpr], optional: &[usize]) -> Planned {
        let mut planned = Vec::with_capacity(items.len());
        let mut ty: Option<Type> = None;
        for (position, item) in items.iter().enumerate() {
            let is_optional = optional.contains(&position);
            let typed = self.plan(item)?;
            let element = self.entry_type(&typed, is_optional, item)?;
            ty = Some(ty.map_or(element, |ty| ty.join(element)));
            planned.push((typed.plan, is_optional));
        }
        let ty = Type::List(ty.unwrap_or(Type::Dyn).shared());
        self.folded(expr, Op::List(planned.into()), ty)
    }

    fn entry_type(&self, typed: &Typed, optional: bool, node: &IdedExpr) -> Result<Type, Refusal> {
        match (optional, typed.ty) {
            (false, ty) => Ok(ty),
            (true, Type::Optional(inner)) => Ok(*inner),
            (true, Type::Dyn) => Ok(Type::Dyn),
            (true, other) => Err(Refusal::new(
                ErrorKind::NoOverload,
                format!("`?` wants an optional value, not `{other}`"),
                node,
            )),
        }
    }

    fn map(&mut self, expr: &IdedExpr, entries: &[IdedEntryExpr]) -> Planned {
        let mut planned = Vec::with_capacity(entries.len());
        let mut types: Option<(Type, Type)> = None;
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                continue;
            };
            let key = self.plan(&entry.key)?;
            if !matches!(
                key.ty,
                Type::Dyn | Type::Bool | Type::Int | Type::Uint | Type::String
            ) {
                return Err(Refusal::new(
                    ErrorKind::BadKey,
                    format!("a `{}` cannot be a map key", key.ty),
                    &entry.key,
                ));
            }
            let value = self.plan(&entry.value)?;
            let value_type = self.entry_type(&value, entry.optional, &entry.value)?;
            types = Some(types.map_or((key.ty, value_type), |(k, v)| {
                (k.join(key.ty), v.join(value_type))
            }));
            planned.push((key.plan, value.plan, entry.optional));
        }
        let (key, value) = types.unwrap_or((Type::Dyn, Type::Dyn));
        let ty = Type::Map(key.shared(), value.shared());
        self.folded(expr, Op::Map(planned.into()), ty)
    }
}

/// Whether a read that starts at this step can be blamed.
fn is_blamed(plan: &Plan) -> bool {
    let mut next = plan;
    loop {
        next = match &next.op {
            Op::Read(root) | Op::Path { root, .. } => return root.blamed,
            Op::Select { base, .. } | Op::Field { base, .. } | Op::OptionalSelect { base, .. } => {
                base
            }
            Op::Index(base, _) | Op::OptionalIndex(base, _) => base,
            Op::Fold(fold) => &fold.range,
            _ => return true,
        }
    }
}

fn constant_type(value: &Value<'_>) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Uint(_) => Type::Uint,
        Value::Double(_) => Type::Double,
        Value::Str(_) | Value::Text(_) => Type::String,
        Value::Bytes(_) => Type::Bytes,
        _ => Type::Dyn,
    }
}
