//! Conditions: Kleene connectives, comparisons, membership, string tests. Input: a boolean step; output: true, false or
//! unknown.

use super::{Evaluated, Machine, Pair, Truth};
use crate::cel::equal;
use crate::cel::error::{At, CallError, ErrorKind, Fault};
use crate::cel::plan::{Op, Plan, Relation, TextTest};
use crate::cel::value::Value;

impl<'a> Machine<'_, 'a> {
    /// A step that yields a boolean.
    pub(super) fn condition(&mut self, plan: &'a Plan) -> Result<Truth, Fault> {
        match &plan.op {
            Op::And(left, right) => self.and(left, right),
            Op::Or(left, right) => self.or(left, right),
            Op::Not(inner) => self.truth(inner).map(Truth::negated),
            Op::Has { base, key } => self.has(base, key, plan.place),
            Op::EqualText { base, text, negate } => {
                if let Some(node) = self.node(base) {
                    let equal = node?.as_str() == Some(text);
                    return Ok((equal != *negate).into());
                }
                let equal = match self.value(base)? {
                    Value::Unknown(reasons) => return Ok(Truth::Unknown(reasons)),
                    Value::Str(value) => *value == **text,
                    Value::Text(value) => *value == **text,
                    Value::Record(_) => {
                        return Err(Fault::new(ErrorKind::NoOverload, plan.place));
                    }
                    _ => false,
                };
                Ok((equal != *negate).into())
            }
            Op::Equal { sides, negate } => match self.pair(sides)? {
                Pair::Unknown(reasons) => Ok(Truth::Unknown(reasons)),
                Pair::Known(left, right) => {
                    let truth = equal::equal(&left, &right, &mut self.fuel).at(plan.place)?;
                    Ok(if *negate { truth.negated() } else { truth })
                }
            },
            Op::Compare(relation, sides) => self.compare(*relation, sides, plan.place),
            Op::In(sides) => match self.pair(sides)? {
                Pair::Unknown(reasons) => Ok(Truth::Unknown(reasons)),
                Pair::Known(element, range) => {
                    equal::contains(&range, &element, &mut self.fuel).at(plan.place)
                }
            },
            Op::InTexts(base, texts) => {
                let value = self.value(base)?;
                if let Value::Unknown(reasons) = value {
                    return Ok(Truth::Unknown(reasons));
                }
                if let Value::Record(_) = value {
                    return Err(Fault::new(ErrorKind::NoOverload, plan.place));
                }
                let found = value
                    .as_str()
                    .is_some_and(|value| texts.iter().any(|text| **text == *value));
                Ok(found.into())
            }
            Op::TextTest(test, sides) => self.text_test(*test, sides, plan.place),
            Op::Matches(base, pattern) => {
                let value = self.value(base)?;
                if let Value::Unknown(reasons) = value {
                    return Ok(Truth::Unknown(reasons));
                }
                let Some(text) = value.as_str() else {
                    return Err(Fault::new(ErrorKind::NoOverload, plan.place));
                };
                let compiled = pattern.get().at(plan.place)?;
                self.fuel.charge(compiled.cost(text.len())).at(plan.place)?;
                Ok(compiled.regex.is_match(text).into())
            }
            Op::Known(inner) => match self.value(inner)? {
                Value::Unknown(_) => Ok(Truth::False),
                value => Ok(value.partial().is_none().into()),
            },
            _ => Err(Fault::new(ErrorKind::NoOverload, plan.place)),
        }
    }

    fn and(&mut self, left: &'a Plan, right: &'a Plan) -> Result<Truth, Fault> {
        let one = self.truth(left);
        let fault = match one {
            Ok(Truth::False) => return Ok(Truth::False),
            Ok(Truth::True) => return self.truth(right),
            Ok(Truth::Unknown(reasons)) => {
                return match self.truth(right) {
                    Ok(Truth::False) => Ok(Truth::False),
                    Ok(Truth::True) => Ok(Truth::Unknown(reasons)),
                    Ok(Truth::Unknown(more)) => Ok(Truth::Unknown(reasons.merge(&more))),
                    Err(fault) => {
                        fault.unless_exhausted()?;
                        Ok(Truth::Unknown(reasons))
                    }
                };
            }
            Err(fault) => fault.unless_exhausted()?,
        };
        match self.truth(right)? {
            Truth::True => Err(fault),
            other => Ok(other),
        }
    }

    fn or(&mut self, left: &'a Plan, right: &'a Plan) -> Result<Truth, Fault> {
        let one = self.truth(left);
        let fault = match one {
            Ok(Truth::True) => return Ok(Truth::True),
            Ok(Truth::False) => return self.truth(right),
            Ok(Truth::Unknown(reasons)) => {
                return match self.truth(right) {
                    Ok(Truth::True) => Ok(Truth::True),
                    Ok(Truth::False) => Ok(Truth::Unknown(reasons)),
                    Ok(Truth::Unknown(more)) => Ok(Truth::Unknown(reasons.merge(&more))),
                    Err(fault) => {
                        fault.unless_exhausted()?;
                        Ok(Truth::Unknown(reasons))
                    }
                };
            }
            Err(fault) => fault.unless_exhausted()?,
        };
        match self.truth(right)? {
            Truth::False => Err(fault),
            other => Ok(other),
        }
    }

    /// `c ? a : b`; with an unknown condition, the value both branches agree on.
    pub(super) fn conditional(&mut self, parts: &'a [Plan; 3], place: u32) -> Evaluated<'a> {
        let [condition, yes, no] = parts;
        match self.truth(condition)? {
            Truth::True => self.kept(yes),
            Truth::False => self.kept(no),
            Truth::Unknown(reasons) => {
                let (one, two) = match (self.kept(yes), self.kept(no)) {
                    (Ok(one), Ok(two)) => (one, two),
                    (Err(fault), _) | (_, Err(fault)) => {
                        fault.unless_exhausted()?;
                        return Ok(Value::Unknown(reasons));
                    }
                };
                let (left, right) = (one.lifted(), two.lifted());
                if condition.is_total()
                    && left.partial().is_none()
                    && right.partial().is_none()
                    && left.type_name() == right.type_name()
                    && matches!(
                        equal::equal(&left, &right, &mut self.fuel).at(place),
                        Ok(Truth::True)
                    )
                {
                    return Ok(one);
                }
                let reasons = [&left, &right]
                    .into_iter()
                    .filter_map(|value| value.partial())
                    .fold(reasons, |all, more| all.merge(more));
                Ok(Value::Unknown(reasons))
            }
        }
    }

    fn compare(
        &mut self,
        relation: Relation,
        sides: &'a [Plan; 2],
        place: u32,
    ) -> Result<Truth, Fault> {
        let (left, right) = match self.pair(sides)? {
            Pair::Unknown(reasons) => return Ok(Truth::Unknown(reasons)),
            Pair::Known(left, right) => (left, right),
        };
        let Some(ordering) = equal::compare(&left, &right).at(place)? else {
            // As in cel-go (`common/types/double.go`, Compare).
            return Err(CallError::invalid("NaN has no order")).at(place);
        };
        Ok(match relation {
            Relation::Less => ordering.is_lt(),
            Relation::LessEqual => ordering.is_le(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterEqual => ordering.is_ge(),
        }
        .into())
    }

    fn text_test(
        &mut self,
        test: TextTest,
        sides: &'a [Plan; 2],
        place: u32,
    ) -> Result<Truth, Fault> {
        let (left, right) = match self.pair(sides)? {
            Pair::Unknown(reasons) => return Ok(Truth::Unknown(reasons)),
            Pair::Known(left, right) => (left, right),
        };
        let (Some(text), Some(part)) = (left.as_str(), right.as_str()) else {
            return Err(Fault::new(ErrorKind::NoOverload, place));
        };
        Ok(match test {
            TextTest::StartsWith => text.starts_with(part),
            TextTest::EndsWith => text.ends_with(part),
            TextTest::Contains => {
                self.fuel.charge_bytes(text.len()).at(place)?;
                text.contains(part)
            }
        }
        .into())
    }
}
