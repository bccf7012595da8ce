//! Planning of function calls: overloads by name, style, number and types of arguments. Input: a call; output: a typed plan.

use std::sync::Arc;

use cel::common::ast::IdedExpr;

use super::operator::no_overload;
use super::{Planned, Planner, Refusal, Typed};
use crate::cel::environment::nearest;
use crate::cel::error::ErrorKind;
use crate::cel::functions::Function;
use crate::cel::functions::kubernetes::with_constant_pattern;
use crate::cel::functions::standard::with_last_pattern;
use crate::cel::name;
use crate::cel::plan::{Op, Pattern, Plan, TextTest};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Planner<'_> {
    pub(super) fn global_call(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
    ) -> Planned {
        if let Some(planned) = self.operator(expr, name, args) {
            return planned;
        }
        let name = name.strip_prefix('.').unwrap_or(name);
        let planned = self.arguments(None, args)?;
        self.resolve(expr, name, false, planned)
    }

    pub(super) fn member_call(
        &mut self,
        expr: &IdedExpr,
        target: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
    ) -> Planned {
        if let Some(planned) = self.cel_macro(expr, target, name, args) {
            return planned;
        }
        if let Some(full) = self.namespaced(target, name) {
            let planned = self.arguments(None, args)?;
            return self.resolve(expr, &full, false, planned);
        }
        if let Some(planned) = self.member_macro(expr, target, name, args) {
            return planned;
        }
        let planned = self.arguments(Some(target), args)?;
        self.resolve(expr, name, true, planned)
    }

    /// `math.greatest` for a call on the name `math`, unless a variable hides it.
    fn namespaced(&self, target: &IdedExpr, name: &str) -> Option<String> {
        let segments = name::segments(target)?;
        let (first, _) = segments.first()?;
        let names: Vec<&str> = segments.iter().map(|(name, _)| *name).collect();
        if self.scope.iter().any(|local| local.name == *first)
            || self.environment.resolve(&names).is_some()
        {
            return None;
        }
        let full = format!("{}.{name}", names.join("."));
        let functions = self.environment.functions();
        let namespace = format!("{}.", names.join("."));
        // An unknown function of a known namespace is an unknown function, not an unknown variable.
        functions
            .names()
            .any(|known| known.starts_with(&namespace))
            .then_some(full)
    }

    fn arguments(
        &mut self,
        target: Option<&IdedExpr>,
        args: &[IdedExpr],
    ) -> Result<Vec<Typed>, Refusal> {
        target
            .into_iter()
            .chain(args)
            .map(|arg| self.plan(arg))
            .collect()
    }

    fn resolve(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        receiver: bool,
        mut arguments: Vec<Typed>,
    ) -> Planned {
        let functions = Arc::clone(self.environment.functions());
        let overloads = functions.overloads(name);
        if !overloads
            .iter()
            .any(|function| function.receiver == receiver)
        {
            return Err(unknown_function(expr, name, receiver, &functions));
        }
        let styled = overloads
            .iter()
            .filter(|function| function.receiver == receiver);
        let counted: Vec<&Arc<Function>> = styled
            .clone()
            .filter(|function| function.takes(arguments.len()))
            .collect();
        if counted.is_empty() {
            let mut refusal = Refusal::new(
                ErrorKind::Arity,
                format!(
                    "`{name}` does not take {} argument{}",
                    arguments.len() - usize::from(receiver),
                    if arguments.len() - usize::from(receiver) == 1 {
                        ""
                    } else {
                        "s"
                    }
                ),
                expr,
            );
            refusal.help = Some(signatures(styled));
            return Err(refusal);
        }
        let fitting: Vec<Arc<Function>> = counted
            .iter()
            .filter(|function| {
                arguments
                    .iter()
                    .enumerate()
                    .all(|(position, argument)| argument.ty.fits(function.parameter(position)))
            })
            .map(|function| Arc::clone(function))
            .collect();
        let Some((first, rest)) = fitting.split_first() else {
            let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
            let mut refusal = no_overload(expr, name, &types);
            refusal.help = Some(signatures(counted.into_iter()));
            return Err(refusal);
        };
        let ty = rest
            .iter()
            .fold(first.result, |ty, function| ty.join(function.result));
        if let Some(typed) = self.special(expr, name, &mut arguments) {
            return typed;
        }
        // A constant pattern is compiled once, not at every call.
        let fitting = match arguments.get(1).map(|argument| &argument.plan.op) {
            Some(Op::Constant(Value::Text(pattern))) if matches!(name, "find" | "findAll") => {
                fitting
                    .iter()
                    .map(|function| Arc::new(with_constant_pattern(function, pattern)))
                    .collect()
            }
            _ => fitting,
        };
        let op = Op::Call {
            candidates: fitting.into(),
            arguments: arguments.into_iter().map(|typed| typed.plan).collect(),
        };
        self.folded(expr, op, ty)
    }

    /// Functions with steps of their own: those that short-cut, see unknowns, or are hot.
    fn special(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        arguments: &mut Vec<Typed>,
    ) -> Option<Planned> {
        let test = match name {
            "startsWith" => Some(TextTest::StartsWith),
            "endsWith" => Some(TextTest::EndsWith),
            "contains" if arguments.len() == 2 => Some(TextTest::Contains),
            _ => None,
        };
        let or_type = match (name, arguments.as_slice()) {
            ("orValue", [one, two]) => one.ty.unwrapped().join(two.ty),
            ("or", [one, two]) => one.ty.join(two.ty),
            _ => Type::Dyn,
        };
        let mut take = || -> Option<Plan> {
            if arguments.is_empty() {
                None
            } else {
                Some(arguments.remove(0).plan)
            }
        };
        let (op, ty) = match name {
            "size" => (Op::Size(Box::new(take()?)), Type::Int),
            "type" => (Op::TypeOf(Box::new(take()?)), Type::Type),
            "known" => (Op::Known(Box::new(take()?)), Type::Bool),
            "dyn" => {
                return Some(Ok(Typed {
                    plan: take()?,
                    ty: Type::Dyn,
                }));
            }
            "matches" => {
                let (text, pattern) = (take()?, take()?);
                match &pattern.op {
                    Op::Constant(Value::Text(constant)) => {
                        let pattern = Pattern::new(constant);
                        (Op::Matches(Box::new(text), Box::new(pattern)), Type::Bool)
                    }
                    _ => {
                        let rows = self.environment.functions().overloads("matches");
                        let op = Op::Call {
                            candidates: rows
                                .iter()
                                .take(1)
                                .map(|function| Arc::new(with_last_pattern(function)))
                                .collect(),
                            arguments: Box::new([text, pattern]),
                        };
                        (op, Type::Bool)
                    }
                }
            }
            "or" | "orValue" => {
                let sides = Box::new([take()?, take()?]);
                let unwrap = name == "orValue";
                (Op::OptionalOr { sides, unwrap }, or_type)
            }
            _ => {
                let sides = Box::new([take_if(test.is_some(), &mut take)?, take()?]);
                (Op::TextTest(test?, sides), Type::Bool)
            }
        };
        Some(self.folded(expr, op, ty))
    }
}

fn take_if(condition: bool, take: &mut dyn FnMut() -> Option<Plan>) -> Option<Plan> {
    if condition { take() } else { None }
}

fn signatures<'f>(functions: impl Iterator<Item = &'f Arc<Function>>) -> String {
    let all: Vec<String> = functions
        .map(|function| format!("`{}`", function.signature()))
        .collect();
    format!("it is {}", all.join(" or "))
}

fn unknown_function(
    expr: &IdedExpr,
    name: &str,
    receiver: bool,
    functions: &crate::cel::FunctionTable,
) -> Refusal {
    let refusal = Refusal::new(
        ErrorKind::UnknownFunction,
        format!("no function `{name}`"),
        expr,
    );
    if let Some(other) = functions.overloads(name).first() {
        return Refusal {
            help: Some(format!("it is called as `{}`", other.signature())),
            ..refusal
        };
    }
    let alike = functions.names().filter(|known| {
        functions
            .overloads(known)
            .iter()
            .any(|function| function.receiver == receiver)
    });
    let macros = [
        "all",
        "exists",
        "exists_one",
        "filter",
        "map",
        "transformList",
    ];
    let macros = macros.into_iter().filter(|_| receiver);
    refusal.with_nearest(nearest(name, alike.chain(macros)))
}
