//! Planning of macros. Input: the crate's expansions of the standard macros, recognised by their shape, and the calls it
//! leaves alone (two variables, bind, block, optMap, sortBy); output: `Op::Fold` and its kin.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};

use super::operator::no_overload;
use super::{Planned, Planner, Refusal, is_blamed};
use crate::cel::check;
use crate::cel::error::ErrorKind;
use crate::cel::plan::{Fold, FoldKind, Op};
use crate::cel::types::Type;

/// A macro call taken apart.
struct Macro<'e> {
    kind: FoldKind,
    range: &'e IdedExpr,
    variables: [Option<&'e str>; 2],
    filter: Option<&'e IdedExpr>,
    body: &'e IdedExpr,
}

impl Planner<'_> {
    /// A standard macro, which the parser has already expanded.
    pub(super) fn standard_macro(&mut self, expr: &IdedExpr, fold: &ComprehensionExpr) -> Planned {
        let Some((kind, filter, body)) = recognise(fold) else {
            return Err(Refusal::new(ErrorKind::Syntax, "unknown macro", expr));
        };
        self.fold(
            expr,
            &Macro {
                kind,
                range: &fold.iter_range,
                variables: [Some(&fold.iter_var), None],
                filter,
                body,
            },
        )
    }

    /// A macro the parser leaves as a call; `None` when it is not one.
    pub(super) fn member_macro(
        &mut self,
        expr: &IdedExpr,
        target: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
    ) -> Option<Planned> {
        let kind = match name {
            "all" => FoldKind::All,
            "exists" => FoldKind::Exists,
            "existsOne" | "exists_one" => FoldKind::ExistsOne,
            "transformList" => FoldKind::List,
            "transformMap" => FoldKind::Map,
            "transformMapEntry" => FoldKind::Entries,
            "sortBy" if args.len() == 2 => return Some(self.sort_by(expr, target, args)),
            "optMap" | "optFlatMap" if args.len() == 2 => {
                return Some(self.optional_map(expr, target, args, name == "optFlatMap"));
            }
            _ => return None,
        };
        let (first, second, filter, body) = match args {
            [first, second, body] => (first, second, None, body),
            [first, second, filter, body] if name.starts_with("transform") => {
                (first, second, Some(filter), body)
            }
            _ => return None,
        };
        let fold = match (variable(first), variable(second)) {
            (Ok(first), Ok(second)) => Macro {
                kind,
                range: target,
                variables: [Some(first), Some(second)],
                filter,
                body,
            },
            (Err(refusal), _) | (_, Err(refusal)) => return Some(Err(refusal)),
        };
        Some(self.fold(expr, &fold))
    }

    fn fold(&mut self, expr: &IdedExpr, fold: &Macro<'_>) -> Planned {
        let range = self.plan(fold.range)?;
        let pairs = fold.variables.iter().flatten().count() == 2;
        let Some((first, second)) = check::elements(range.ty, pairs) else {
            return Err(Refusal::new(
                ErrorKind::NoOverload,
                format!("a macro wants a list or a map, not `{}`", range.ty),
                fold.range,
            ));
        };
        let blamed = is_blamed(&range.plan);
        let mut local = self.scope.len();
        for (position, (name, ty)) in fold.variables.iter().zip([first, second]).enumerate() {
            if let Some(name) = name {
                let slot = self.enter(name, ty, blamed);
                if position == 0 {
                    local = slot;
                }
            }
        }
        let planned = self.fold_parts(fold);
        self.leave(if pairs { 2 } else { 1 });
        let (filter, body, body_type) = planned?;
        let ty = match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => Type::Bool,
            // `filter` keeps the elements as they are.
            FoldKind::List if !pairs && is_same_variable(fold) => match range.ty {
                list @ Type::List(_) => list,
                Type::Map(key, _) => Type::List(key),
                _ => Type::List(&Type::Dyn),
            },
            FoldKind::List => Type::List(body_type.shared()),
            FoldKind::Sort => range.ty,
            FoldKind::Map => Type::Map(
                if matches!(range.ty, Type::List(_)) {
                    &Type::Int
                } else {
                    first.shared()
                },
                body_type.shared(),
            ),
            FoldKind::Entries => Type::Map(&Type::Dyn, &Type::Dyn),
        };
        let op = Op::Fold(Box::new(Fold {
            kind: fold.kind,
            range: range.plan,
            local,
            pairs,
            blamed,
            filter,
            body,
        }));
        Ok(self.typed(expr, op, ty))
    }

    fn fold_parts(
        &mut self,
        fold: &Macro<'_>,
    ) -> Result<(Option<crate::cel::plan::Plan>, crate::cel::plan::Plan, Type), Refusal> {
        let filter = match fold.filter {
            Some(filter) => Some(self.boolean(filter, "the macro's condition")?),
            None => None,
        };
        match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => Ok((
                filter,
                self.boolean(fold.body, "the macro's condition")?,
                Type::Bool,
            )),
            FoldKind::Entries => {
                let body = self.plan(fold.body)?;
                if !matches!(body.ty, Type::Map(..) | Type::Dyn) {
                    return Err(no_overload(fold.body, "transformMapEntry", &[body.ty]));
                }
                Ok((filter, body.plan, body.ty))
            }
            FoldKind::List | FoldKind::Map | FoldKind::Sort => {
                let body = self.plan(fold.body)?;
                Ok((filter, body.plan, body.ty))
            }
        }
    }

    fn sort_by(&mut self, expr: &IdedExpr, target: &IdedExpr, args: &[IdedExpr]) -> Planned {
        let [name, body] = args else {
            return Err(Refusal::new(
                ErrorKind::Arity,
                "`sortBy` takes a variable and a key",
                expr,
            ));
        };
        let fold = Macro {
            kind: FoldKind::Sort,
            range: target,
            variables: [Some(variable(name)?), None],
            filter: None,
            body,
        };
        self.fold(expr, &fold)
    }

    fn optional_map(
        &mut self,
        expr: &IdedExpr,
        target: &IdedExpr,
        args: &[IdedExpr],
        flat: bool,
    ) -> Planned {
        let [name, body] = args else {
            return Err(Refusal::new(
                ErrorKind::Arity,
                "`optMap` takes a variable and a value",
                expr,
            ));
        };
        let name = variable(name)?;
        let base = self.plan(target)?;
        let inner = match base.ty {
            Type::Optional(inner) => *inner,
            Type::Dyn => Type::Dyn,
            other => return Err(no_overload(expr, "optMap", &[other])),
        };
        let blamed = is_blamed(&base.plan);
        let local = self.enter(name, inner, blamed);
        let body = self.plan(body);
        self.leave(1);
        let body = body?;
        let ty = if flat {
            if !matches!(body.ty, Type::Optional(_) | Type::Dyn) {
                return Err(no_overload(expr, "optFlatMap", &[body.ty]));
            }
            body.ty
        } else {
            Type::Optional(body.ty.shared())
        };
        let op = Op::OptionalMap {
            base: Box::new(base.plan),
            local,
            body: Box::new(body.plan),
            flat,
        };
        Ok(self.typed(expr, op, ty))
    }

    /// `cel.bind`, `cel.block` and `cel.index`; `None` for other calls.
    pub(super) fn cel_macro(
        &mut self,
        expr: &IdedExpr,
        target: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
    ) -> Option<Planned> {
        if !matches!(&target.expr, Expr::Ident(name) if name == "cel") {
            return None;
        }
        match (name, args) {
            ("bind", [variable_node, init, body]) => Some(match variable(variable_node) {
                Ok(name) => self.bind(expr, &[(name.to_owned(), init)], body),
                Err(refusal) => Err(refusal),
            }),
            ("block", [inits, body]) => match &inits.expr {
                Expr::List(list) => {
                    let inits: Vec<_> = list
                        .elements
                        .iter()
                        .enumerate()
                        .map(|(position, init)| (block_name(position), init))
                        .collect();
                    Some(self.bind(expr, &inits, body))
                }
                _ => None,
            },
            ("index", [position]) => {
                let Expr::Literal(LiteralValue::Int(position)) = &position.expr else {
                    return None;
                };
                let name = block_name(usize::try_from(*position.inner()).ok()?);
                let read = IdedExpr {
                    id: expr.id,
                    expr: Expr::Ident(name),
                };
                Some(self.plan(&read))
            }
            _ => None,
        }
    }

    fn bind(&mut self, expr: &IdedExpr, inits: &[(String, &IdedExpr)], body: &IdedExpr) -> Planned {
        let local = self.scope.len();
        let mut planned = Vec::with_capacity(inits.len());
        for (name, init) in inits {
            let init = self.plan(init);
            match init {
                Ok(init) => {
                    self.enter(name, init.ty, is_blamed(&init.plan));
                    planned.push(init.plan);
                }
                Err(refusal) => {
                    self.leave(planned.len());
                    return Err(refusal);
                }
            }
        }
        let body = self.plan(body);
        self.leave(planned.len());
        let body = body?;
        let op = Op::Bind {
            local,
            inits: planned.into(),
            body: Box::new(body.plan),
        };
        Ok(self.typed(expr, op, body.ty))
    }
}

fn block_name(position: usize) -> String {
    format!("@index{position}")
}

fn variable(node: &IdedExpr) -> Result<&str, Refusal> {
    match &node.expr {
        Expr::Ident(name) if !name.contains('.') => Ok(name),
        _ => Err(Refusal::new(
            ErrorKind::Syntax,
            "a macro's variable must be a simple name",
            node,
        )),
    }
}

fn is_same_variable(fold: &Macro<'_>) -> bool {
    matches!((&fold.body.expr, fold.variables), (Expr::Ident(name), [Some(variable), _]) if name == variable)
}

/// The macro a comprehension was expanded from, with its condition and body.
pub(crate) fn recognise(
    fold: &ComprehensionExpr,
) -> Option<(FoldKind, Option<&IdedExpr>, &IdedExpr)> {
    let Expr::Call(step) = &fold.loop_step.expr else {
        return None;
    };
    match (step.func_name.as_str(), step.args.as_slice()) {
        (operators::LOGICAL_AND, [_, body]) => Some((FoldKind::All, None, body)),
        (operators::LOGICAL_OR, [_, body]) => Some((FoldKind::Exists, None, body)),
        (operators::ADD, [_, added]) => Some((FoldKind::List, None, single(added)?)),
        (operators::CONDITIONAL, [condition, yes, _]) => {
            if matches!(fold.accu_init.expr, Expr::Literal(_)) {
                return Some((FoldKind::ExistsOne, None, condition));
            }
            let Expr::Call(add) = &yes.expr else {
                return None;
            };
            let [_, added] = add.args.as_slice() else {
                return None;
            };
            Some((FoldKind::List, Some(condition), single(added)?))
        }
        _ => None,
    }
}

fn single(list: &IdedExpr) -> Option<&IdedExpr> {
    match &list.expr {
        Expr::List(list) => list.elements.first(),
        _ => None,
    }
}
