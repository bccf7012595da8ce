//! L6: rules made ready. Input: a `Rule`, its settings; output: `CompiledRule`, or every fault of its expressions with the
//! place in the rule file.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::cel::{self, Environment, Program, Type, Value, Variable};
use crate::evaluate::functions::functions;
use crate::evaluate::locate::Path;
use crate::evaluate::values;
use crate::facts::Severity;
use crate::facts::subject::{self, SubjectRow};
use crate::resource::GroupKind;
use crate::rule::{Expression, Rule};
use crate::shape::Problem;

/// A rule with compiled expressions and the settings of this run.
#[derive(Debug)]
pub struct CompiledRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Severity of this run.
    pub severity: Severity,
    pub(crate) row: &'static SubjectRow,
    pub(crate) environment: Environment,
    /// `params`, when the rule has any.
    pub(crate) params: Value<'static>,
    pub(crate) slots: Slots,
    pub(crate) variables: Vec<CompiledVariable>,
    pub(crate) conditions: Vec<Ready>,
    pub(crate) validations: Vec<CompiledValidation>,
    /// Variables of the subject that no expression names, by number.
    pub(crate) unread: Vec<usize>,
}

/// Numbers of the variables that are the same for every subject.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub(crate) params: usize,
    pub(crate) item: usize,
}

/// An expression with the variables it needs first.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) program: Program,
    /// Positions among the rule's variables, ascending.
    pub(crate) needs: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct CompiledVariable {
    pub(crate) slot: usize,
    pub(crate) ready: Ready,
}

#[derive(Debug)]
pub(crate) struct CompiledValidation {
    pub(crate) expression: Ready,
    pub(crate) message: Option<String>,
    pub(crate) message_expression: Option<Ready>,
    pub(crate) each: Option<Ready>,
    pub(crate) at: Option<Path>,
}

impl CompiledRule {
    /// Compiles a rule; `params` are its values, defaults included.
    ///
    /// # Errors
    /// The rule author's: every fault found.
    pub fn new(
        rule: &Arc<Rule>,
        severity: Severity,
        params: Option<&Map<String, Json>>,
    ) -> Result<Self, Vec<Problem>> {
        let Some(row) = subject::row(rule.info.subject) else {
            let head = rule.file.head();
            let node = head.get("subject").unwrap_or(head);
            return Err(vec![Problem::at(
                node,
                format!("no facts about subject `{}` yet", node.text()),
            )]);
        };
        let variables: Vec<_> = row
            .variables
            .iter()
            .map(|v| Variable::new(v.name, v.ty))
            .collect();
        let mut environment = Environment::new(variables, functions());
        let slots = Slots {
            params: environment.declare(Variable::quiet("params", Type::Dyn)),
            item: environment.declare(Variable::new("item", Type::Dyn)),
        };
        let mut compiler = Compiler {
            declared: Vec::new(),
            problems: Vec::new(),
        };
        let mut compiled = Vec::new();
        for variable in &rule.variables {
            let Some((ready, ty)) = compiler.ready(&variable.expression, &environment, None) else {
                continue;
            };
            let slot =
                environment.declare(Variable::new(format!("variables.{}", variable.name), ty));
            compiler.declared.push(slot);
            compiled.push(CompiledVariable { slot, ready });
        }
        let conditions: Vec<Ready> = rule
            .conditions
            .iter()
            .filter_map(|c| compiler.ready(&c.expression, &environment, Some(Type::Bool)))
            .map(|(ready, _)| ready)
            .collect();
        let validations: Vec<CompiledValidation> = rule
            .validations
            .iter()
            .filter_map(|v| compiler.validation(v, &environment))
            .collect();
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }
        let params = params.cloned().unwrap_or_else(|| rule.params.defaults());
        let is_read = |slot: usize| {
            let of = |ready: &Ready| ready.program.reads(slot);
            compiled.iter().any(|v| of(&v.ready))
                || conditions.iter().any(of)
                || validations.iter().any(|v| {
                    let optional = [&v.each, &v.message_expression];
                    of(&v.expression)
                        || optional.into_iter().flatten().any(of)
                        || v.at.as_ref().is_some_and(|at| at.root() == slot)
                })
        };
        let unread = (0..row.variables.len())
            .filter(|slot| !is_read(*slot))
            .collect();
        Ok(Self {
            rule: Arc::clone(rule),
            severity,
            row,
            environment,
            params: values::of_json(&Json::Object(params)),
            slots,
            variables: compiled,
            conditions,
            validations,
            unread,
        })
    }

    /// Whether objects of this kind are its business.
    #[must_use]
    pub fn looks_at(&self, kind: &GroupKind) -> bool {
        self.rule.kinds.is_empty() || self.rule.kinds.iter().any(|k| k.matches(kind))
    }
}

struct Compiler {
    /// Numbers of the rule's variables declared so far, in the environment.
    declared: Vec<usize>,
    problems: Vec<Problem>,
}

impl Compiler {
    fn ready(
        &mut self,
        expression: &Expression,
        environment: &Environment,
        wanted: Option<Type>,
    ) -> Option<(Ready, Type)> {
        match cel::compile(&expression.text, environment) {
            Ok(program) => {
                let ty = program.result_type();
                if let Some(wanted) = wanted.filter(|w| !ty.fits(*w)) {
                    self.problems.push(
                        expression.problem_here(format!("expected `{wanted}`, this is `{ty}`")),
                    );
                }
                let needs = self.needs(&program);
                Some((Ready { program, needs }, ty))
            }
            Err(error) => {
                let problem = expression.problem(error.range.start, error.range.end, error.message);
                self.problems.push(match error.help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
                None
            }
        }
    }

    /// The rule's variables that a program names.
    fn needs(&self, program: &Program) -> Vec<usize> {
        let named = |(at, slot): (usize, &usize)| program.reads(*slot).then_some(at);
        self.declared.iter().enumerate().filter_map(named).collect()
    }

    fn validation(
        &mut self,
        validation: &crate::rule::Validation,
        environment: &Environment,
    ) -> Option<CompiledValidation> {
        let mut optional = |expression: &Option<Expression>, ty| {
            let expression = expression.as_ref()?;
            self.ready(expression, environment, ty)
                .map(|(ready, _)| ready)
        };
        let each = optional(&validation.each, None);
        let message_expression = optional(&validation.message_expression, Some(Type::String));
        let expression = optional(&Some(validation.expression.clone()), Some(Type::Bool));
        let at = validation.at.as_ref().and_then(|at| {
            let path = Path::parse(&at.text, environment, validation.each.is_some());
            if path.is_none() {
                self.problems.push(
                    at.problem_here(format!("`{}` is no field path", at.text))
                        .help("write `spec.mtls.mode`, `metadata.annotations[\"a/b\"]` or a fact such as `port.transport.mode`"),
                );
            }
            path
        });
        let mut expression = expression?;
        if let Some(at) = &at {
            let of_place = (self.declared.iter()).position(|slot| *slot == at.root());
            expression.needs.extend(of_place);
        }
        Some(CompiledValidation {
            expression,
            message: validation.message.clone(),
            message_expression,
            each,
            at,
        })
    }
}
