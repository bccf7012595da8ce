//! L8: running the examples of a rule. Input: a rule and its second document; output: how many ran, and every example that
//! shows something else than it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::expect;
use crate::cli::pipeline::{self, Silencing};
use crate::config::assume;
use crate::evaluate::CompiledRule;
use crate::evaluate::engine::EngineRules;
use crate::facts::assumptions::Assumptions;
use crate::facts::schema;
use crate::facts::subject::SubjectKind;
use crate::rule::example::{self, Example, Expectation};
use crate::rule::{Rule, RuleSet, RuleSource};
use crate::shape::Problem;
use crate::source::{Sources, Span};
use crate::yaml;

/// What became of the examples of one rule.
#[derive(Debug, Default)]
pub struct Examples {
    /// Examples that were run.
    pub run: usize,
    /// What does not hold.
    pub problems: Vec<Problem>,
}

/// A day on which no example's silencer is out of date unless it means to be.
const TODAY: &str = "2026-01-01";

/// Runs every example of a rule; `rules` are all rules there are.
#[must_use]
pub fn run(rule: &Arc<Rule>, rules: &RuleSet) -> Examples {
    let texts = match example::texts(&rule.file) {
        Ok(texts) => texts,
        Err(problems) => {
            return Examples { run: 0, problems };
        }
    };
    let mut result = Examples::default();
    let (mut failing, mut passing, mut undecided) = (false, false, false);
    for example in &texts.examples {
        match one(rule, rules, example) {
            Ok(expected) => {
                failing |= expected.iter().any(|e| !e.unknown);
                undecided |= expected.iter().any(|e| e.unknown);
                passing |= expected.is_empty();
            }
            Err(problems) => result.problems.extend(problems),
        }
        result.run += 1;
    }
    if result.problems.is_empty() {
        let is_engine = rule.info.source == RuleSource::Engine;
        let always_known = !reads_what_can_be_unknown(rule);
        // Some faults of the input (an unreadable file) cannot be written down as text.
        let may_have_none = is_engine && texts.examples.is_empty();
        for (is_there, what) in [
            (failing || may_have_none, "fails (`# expect: ID`)"),
            (passing || may_have_none, "passes"),
            (
                undecided || always_known,
                "cannot be known (`# unknown: ID`)",
            ),
        ] {
            if !is_there {
                let id = rule.file.head().get("id").unwrap_or(rule.file.head());
                result.problems.push(Problem::at(
                    id,
                    format!("rule `{}` has no example that {what}", rule.info.id),
                ));
            }
        }
    }
    result
}

/// The file of an example that holds expectations, not manifests.
const EXPECT: &str = "expect.yaml";

/// Whether an expression of the rule names a fact that can be unknown.
fn reads_what_can_be_unknown(rule: &Rule) -> bool {
    let validations = rule
        .validations
        .iter()
        .flat_map(|v| v.each.iter().chain([&v.expression]));
    let named = rule
        .conditions
        .iter()
        .chain(&rule.variables)
        .map(|n| &n.expression);
    named.chain(validations).any(|e| {
        schema::CAN_BE_UNKNOWN
            .iter()
            .any(|fact| e.text.contains(fact))
    })
}

fn one(
    rule: &Arc<Rule>,
    rules: &RuleSet,
    example: &Example,
) -> Result<Vec<Expectation>, Vec<Problem>> {
    let at_example = |message: String| rule.file.problem(example.span, message);
    let expected = expected(example);
    if let Some(e) = expected.iter().find(|e| e.rule != rule.info.id) {
        return Err(vec![at_example(format!(
            "example `{}` expects `{}`, which is not this rule",
            example.name, e.rule
        ))]);
    }
    let mut compiled = Vec::new();
    let mut engine = EngineRules::default();
    if rule.info.source == RuleSource::Engine {
        engine.add(rule, rule.info.severity);
        // Silencers can only be unused when what they silence runs.
        for other in rules.iter().filter(|r| r.info.source == RuleSource::Engine) {
            engine.add(other, other.info.severity);
        }
    } else {
        let params = params(rule, example)?;
        compiled.push(CompiledRule::new(
            rule,
            rule.info.severity,
            params.as_ref(),
        )?);
    }
    let assume = match &example.assume {
        None => Assumptions::default(),
        Some(section) => assume::parse(section).map_err(|problems| {
            let at = |p: &Problem| at_example(p.message.clone());
            problems.iter().map(at).collect::<Vec<_>>()
        })?,
    };
    let on_environments = rule.info.subject == SubjectKind::Environment;
    let base = (!example.base.is_empty() && !on_environments)
        .then(|| pipeline::read_texts(&example.base, assume.clone()));
    let mut input = match on_environments {
        true => pipeline::read_two(&example.base, &example.files, assume),
        false => pipeline::read_texts(&example.files, assume),
    };
    let intents = example.files.iter().filter(|(path, _)| path == EXPECT);
    let intents: Vec<_> = intents.cloned().collect();
    input.found = expect::drafts(&mut input, intents, &engine)
        .map_err(|error| vec![at_example(error.to_string())])?;
    if let Some(base) = &base {
        input.compare_with(base);
    }
    let silencing = Silencing {
        rules,
        ignores: &[],
        config: None,
        today: TODAY,
        off: false,
    };
    let judgement = input.judge(&compiled, &engine, &silencing);
    if input.loaded.resources.is_empty() && rule.info.source != RuleSource::Engine {
        return Err(vec![at_example(format!(
            "example `{}` holds no Kubernetes object",
            example.name
        ))]);
    }
    let line = |span: Span| {
        let (path, line) = place(&input.sources, span);
        match pipeline::of_production(&path).filter(|_| on_environments) {
            Some(own) => (own.to_owned(), line),
            None => (path, line),
        }
    };
    let mut said: Vec<(String, u32, bool, String)> = judgement
        .findings
        .iter()
        .filter(|f| f.rule.id == rule.info.id && f.suppressed.is_none())
        .map(|f| (line(f.span), f.message.clone()))
        .map(|((path, line), message)| (path, line, false, message))
        .collect();
    said.extend(
        judgement
            .not_evaluated
            .iter()
            .filter(|n| n.rule.id == rule.info.id)
            .map(|n| (line(n.span), n.reason.clone()))
            .map(|((path, line), reason)| (path, line, true, reason)),
    );
    let problems = differences(&expected, &said, example);
    if problems.is_empty() {
        Ok(expected)
    } else {
        Err(problems.into_iter().map(at_example).collect())
    }
}

type Said = (String, u32, bool, String);

fn differences(expected: &[Expectation], said: &[Said], example: &Example) -> Vec<String> {
    let mut open: BTreeMap<(&str, u32, bool), usize> = BTreeMap::new();
    for e in expected {
        *open.entry((&e.path, e.line, e.unknown)).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for (path, line, unknown, words) in said {
        match open.get_mut(&(path.as_str(), *line, *unknown)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => {
                let what = if *unknown { "undecided" } else { "found" };
                wrong.push(format!(
                    "example `{}`: {what} at {path}:{line} though nothing is expected there: {words}",
                    example.name
                ));
            }
        }
    }
    for ((path, line, unknown), left) in open {
        if left > 0 {
            let what = if unknown { "undecided" } else { "found" };
            wrong.push(format!(
                "example `{}`: nothing {what} at {path}:{line}",
                example.name
            ));
        }
    }
    wrong
}

/// The expectations of all manifests. They are searched in the text: a document that does not parse has no comments.
fn expected(example: &Example) -> Vec<Expectation> {
    let mut found = Vec::new();
    for (path, text) in &example.files {
        for (line, content) in (1u32..).zip(text.lines()) {
            if let Some((_, comment)) = content.split_once('#') {
                found.extend(example::expectations(comment, path, line));
            }
        }
    }
    found
}

fn place(sources: &Sources, span: Span) -> (String, u32) {
    sources.get(span.source).map_or_else(
        || (String::new(), 0),
        |file| (file.path.clone(), file.position(span.start).line),
    )
}

/// Parameter values of an example, checked like those of a config.
fn params(
    rule: &Rule,
    example: &Example,
) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Vec<Problem>> {
    let Some(values) = &example.params else {
        return Ok(None);
    };
    let text = values.to_string();
    let source = Arc::new(crate::source::SourceFile::new(
        crate::source::SourceId(0),
        format!("params of `{}`", example.name),
        text,
    ));
    let parsed = yaml::parse(&source);
    let mut problems = Vec::new();
    let root = parsed.documents.first().map_or(0, |d| d.root);
    let values = rule
        .params
        .overridden(parsed.tree.node(root), &mut problems);
    if problems.is_empty() {
        Ok(Some(values))
    } else {
        let at = |p: &Problem| rule.file.problem(example.span, p.message.clone());
        Err(problems.iter().map(at).collect())
    }
}
