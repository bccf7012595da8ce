//! Planning of operators. Input: an operator call of the syntax tree; output: a typed plan.

use cel::common::ast::{IdedExpr, operators};

use super::{Planned, Planner, Refusal, Typed};
use crate::cel::check;
use crate::cel::error::ErrorKind;
use crate::cel::plan::{Arithmetic, Op, Plan, Relation};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::yaml::Key;

impl Planner<'_> {
    /// Plans an operator; `None` when the name is not one.
    pub(super) fn operator(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
    ) -> Option<Planned> {
        let planned = match (name, args) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                self.connective(expr, name == operators::LOGICAL_AND, left, right)
            }
            (operators::LOGICAL_NOT, [inner]) => self.not(expr, inner),
            (operators::NEGATE, [inner]) => self.negate(expr, inner),
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.conditional(expr, condition, yes, no)
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                self.equality(expr, name == operators::NOT_EQUALS, left, right)
            }
            (operators::IN, [left, right]) => self.membership(expr, left, right),
            (operators::INDEX, [base, key]) => self.index(expr, base, key, false),
            (operators::OPT_INDEX, [base, key]) => self.index(expr, base, key, true),
            (operators::OPT_SELECT, [base, field]) => self.optional_select(expr, base, field),
            (_, [left, right]) => {
                if let Some(relation) = relation(name) {
                    self.comparison(expr, relation, left, right)
                } else {
                    let op = arithmetic(name)?;
                    self.arithmetic(expr, op, left, right)
                }
            }
            _ => return None,
        };
        Some(planned)
    }

    /// Plans an operand that must be a boolean.
    pub(super) fn boolean(&mut self, node: &IdedExpr, wanted_by: &str) -> Result<Plan, Refusal> {
        let typed = self.plan(node)?;
        if !typed.ty.fits(Type::Bool) && !self.environment.is_unchecked() {
            return Err(Refusal::new(
                ErrorKind::NoOverload,
                format!("{wanted_by} wants a bool, not `{}`", typed.ty),
                node,
            ));
        }
        Ok(typed.plan)
    }

    fn connective(
        &mut self,
        expr: &IdedExpr,
        and: bool,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Planned {
        let sign = if and { "`&&`" } else { "`||`" };
        let left = Box::new(self.boolean(left, sign)?);
        let right = Box::new(self.boolean(right, sign)?);
        let op = if and {
            Op::And(left, right)
        } else {
            Op::Or(left, right)
        };
        Ok(self.typed(expr, op, Type::Bool))
    }

    fn not(&mut self, expr: &IdedExpr, inner: &IdedExpr) -> Planned {
        let inner = Box::new(self.boolean(inner, "`!`")?);
        self.folded(expr, Op::Not(inner), Type::Bool)
    }

    fn negate(&mut self, expr: &IdedExpr, inner: &IdedExpr) -> Planned {
        let inner = self.plan(inner)?;
        if !matches!(
            inner.ty,
            Type::Dyn | Type::Int | Type::Double | Type::Duration
        ) {
            return Err(no_overload(expr, "-", &[inner.ty]));
        }
        self.folded(expr, Op::Negate(Box::new(inner.plan)), inner.ty)
    }

    fn conditional(
        &mut self,
        expr: &IdedExpr,
        condition: &IdedExpr,
        yes: &IdedExpr,
        no: &IdedExpr,
    ) -> Planned {
        let condition = self.boolean(condition, "`?:`")?;
        let (yes, no) = (self.plan(yes)?, self.plan(no)?);
        let ty = yes.ty.join(no.ty);
        let op = Op::Conditional(Box::new([condition, yes.plan, no.plan]));
        Ok(self.typed(expr, op, ty))
    }

    fn equality(
        &mut self,
        expr: &IdedExpr,
        negate: bool,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Planned {
        let (left, right) = (self.plan(left)?, self.plan(right)?);
        if left.ty.is_incomparable(right.ty) && !self.environment.is_unchecked() {
            let message =
                if matches!(left.ty, Type::Record(_)) || matches!(right.ty, Type::Record(_)) {
                    format!(
                        "`{}` and `{}` cannot be compared; compare their fields",
                        left.ty, right.ty
                    )
                } else {
                    format!("`{}` and `{}` are never equal", left.ty, right.ty)
                };
            return Err(Refusal::new(ErrorKind::NoOverload, message, expr));
        }
        let is_text = |plan: &Plan| matches!(plan.op, Op::Constant(Value::Text(_)));
        let base_place = if is_text(&left.plan) {
            right.plan.place
        } else {
            left.plan.place
        };
        let op = match (left.plan.op, right.plan.op) {
            (op, Op::Constant(Value::Text(text))) | (Op::Constant(Value::Text(text)), op)
                if self.fuse =>
            {
                Op::EqualText {
                    base: Box::new(Plan {
                        place: base_place,
                        op,
                    }),
                    text: text.as_ref().into(),
                    negate,
                }
            }
            (one, two) => Op::Equal {
                sides: Box::new([
                    Plan {
                        place: left.plan.place,
                        op: one,
                    },
                    Plan {
                        place: right.plan.place,
                        op: two,
                    },
                ]),
                negate,
            },
        };
        Ok(self.typed(expr, op, Type::Bool))
    }

    fn membership(&mut self, expr: &IdedExpr, element: &IdedExpr, range: &IdedExpr) -> Planned {
        let (element, range) = (self.plan(element)?, self.plan(range)?);
        let range_type = if self.environment.is_unchecked() {
            Type::Dyn
        } else {
            range.ty
        };
        if !check::is_member_test(element.ty, range_type) {
            return Err(no_overload(expr, "in", &[element.ty, range.ty]));
        }
        let texts = match &range.plan.op {
            Op::Constant(Value::List(list)) if self.fuse => list
                .items()
                .iter()
                .map(|item| item.as_str().map(Box::from))
                .collect::<Option<Box<[Box<str>]>>>(),
            _ => None,
        };
        let op = match texts {
            Some(texts) => Op::InTexts(Box::new(element.plan), texts),
            None => Op::In(Box::new([element.plan, range.plan])),
        };
        Ok(self.typed(expr, op, Type::Bool))
    }

    fn index(
        &mut self,
        expr: &IdedExpr,
        base: &IdedExpr,
        key: &IdedExpr,
        optional: bool,
    ) -> Planned {
        let (base, key) = (self.plan(base)?, self.plan(key)?);
        let Some(ty) = check::index(base.ty, key.ty) else {
            return Err(no_overload(expr, "[]", &[base.ty, key.ty]));
        };
        let (base, key) = (Box::new(base.plan), Box::new(key.plan));
        if optional {
            let ty = Type::Optional(ty.unwrapped().shared());
            return Ok(self.typed(expr, Op::OptionalIndex(base, key), ty));
        }
        Ok(self.typed(expr, Op::Index(base, key), ty))
    }

    fn optional_select(&mut self, expr: &IdedExpr, base: &IdedExpr, field: &IdedExpr) -> Planned {
        let base = self.plan(base)?;
        let field = match self.plan(field)?.plan.op {
            Op::Constant(Value::Text(text)) => text,
            _ => return Err(Refusal::new(ErrorKind::Syntax, "`.?` wants a name", expr)),
        };
        let ty = match base.ty.unwrapped() {
            Type::Dyn => Type::Dyn,
            Type::Map(_, value) => *value,
            Type::Record(record) => match record.position(&field) {
                None => return Err(self.no_field(record, &field, expr)),
                Some(index) => record.fields.get(index).map_or(Type::Dyn, |field| field.ty),
            },
            other => {
                return Err(Refusal::new(
                    ErrorKind::NoOverload,
                    format!("`{other}` has no field `{field}`"),
                    expr,
                ));
            }
        };
        let op = Op::OptionalSelect {
            base: Box::new(base.plan),
            key: Key::new(&field),
        };
        Ok(self.typed(expr, op, Type::Optional(ty.shared())))
    }

    fn comparison(
        &mut self,
        expr: &IdedExpr,
        relation: Relation,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Planned {
        let (left, right) = (self.plan(left)?, self.plan(right)?);
        if !check::is_ordered(relation, left.ty, right.ty) {
            let sign = match relation {
                Relation::Less => "<",
                Relation::LessEqual => "<=",
                Relation::Greater => ">",
                Relation::GreaterEqual => ">=",
            };
            return Err(no_overload(expr, sign, &[left.ty, right.ty]));
        }
        let sides = Box::new([left.plan, right.plan]);
        self.folded(expr, Op::Compare(relation, sides), Type::Bool)
    }

    fn arithmetic(
        &mut self,
        expr: &IdedExpr,
        op: Arithmetic,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Planned {
        let (left, right): (Typed, Typed) = (self.plan(left)?, self.plan(right)?);
        let Some(ty) = check::arithmetic(op, left.ty, right.ty) else {
            let sign = match op {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide => "/",
                Arithmetic::Modulo => "%",
            };
            return Err(no_overload(expr, sign, &[left.ty, right.ty]));
        };
        let sides = Box::new([left.plan, right.plan]);
        self.folded(expr, Op::Arithmetic(op, sides), ty)
    }
}

pub(super) fn no_overload(node: &IdedExpr, sign: &str, types: &[Type]) -> Refusal {
    let types: Vec<_> = types.iter().map(|ty| format!("`{ty}`")).collect();
    Refusal::new(
        ErrorKind::NoOverload,
        format!("`{sign}` does not take {}", types.join(" and ")),
        node,
    )
}

fn relation(name: &str) -> Option<Relation> {
    Some(match name {
        operators::LESS => Relation::Less,
        operators::LESS_EQUALS => Relation::LessEqual,
        operators::GREATER => Relation::Greater,
        operators::GREATER_EQUALS => Relation::GreaterEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Modulo,
        _ => return None,
    })
}
