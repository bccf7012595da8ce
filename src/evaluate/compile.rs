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
    /// Variables that cost something to look up, and that no expression names.
    pub(crate) unread: Vec<&'static str>,
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
            names: Vec::new(),
            problems: Vec::new(),
        };
        let mut compiled = Vec::new();
        for variable in &rule.variables {
            let Some((ready, ty)) = compiler.ready(&variable.expression, &environment, None) else {
                continue;
            };
            let slot =
                environment.declare(Variable::new(format!("variables.{}", variable.name), ty));
            compiler.names.push(variable.name.clone());
            compiled.push(CompiledVariable { slot, ready });
        }
        let conditions = rule
            .conditions
            .iter()
            .filter_map(|c| compiler.ready(&c.expression, &environment, Some(Type::Bool)))
            .map(|(ready, _)| ready)
            .collect();
        let validations = rule
            .validations
            .iter()
            .filter_map(|v| compiler.validation(v, &environment))
            .collect();
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }
        let params = params.cloned().unwrap_or_else(|| rule.params.defaults());
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
            unread: ["oldObject", "namespaceObject", "request"]
                .into_iter()
                .filter(|name| !expressions(rule).any(|text| names(text, name)))
                .collect(),
        })
    }

    /// Whether objects of this kind are its business.
    #[must_use]
    pub fn looks_at(&self, kind: &GroupKind) -> bool {
        self.rule.kinds.is_empty() || self.rule.kinds.iter().any(|k| k.matches(kind))
    }
}

/// The texts of a rule that may name variables.
fn expressions(rule: &Rule) -> impl Iterator<Item = &str> {
    let named = rule.variables.iter().chain(&rule.conditions);
    let of_validations = rule.validations.iter().flat_map(|v| {
        let optional = [&v.each, &v.message_expression, &v.at];
        optional.into_iter().flatten().chain([&v.expression])
    });
    named
        .map(|n| &n.expression)
        .chain(of_validations)
        .map(|expression| expression.text.as_str())
}

/// Whether a text holds a word: more than an expression really names, never less.
fn names(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

struct Compiler {
    /// Names of the variables declared so far.
    names: Vec<String>,
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
                let needs = self.needs(&expression.text);
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

    /// Variables named in a text, and those they need: a superset is harmless, a missing one is not, so the text is searched.
    fn needs(&self, text: &str) -> Vec<usize> {
        let named = |name: &String| {
            text.match_indices(name.as_str()).any(|(at, _)| {
                text.get(..at).is_some_and(|t| t.trim_end().ends_with('.'))
                    && text.contains("variables")
            })
        };
        self.names
            .iter()
            .enumerate()
            .filter(|(_, name)| named(name))
            .map(|(at, _)| at)
            .collect()
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
        Some(CompiledValidation {
            expression: expression?,
            message: validation.message.clone(),
            message_expression,
            each,
            at,
        })
    }
}
