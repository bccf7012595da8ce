//! Every built-in rule loads, compiles and shows what its examples say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::collections::BTreeSet;

use meshgov::cli::examples;
use meshgov::error::render_problem;
use meshgov::evaluate::CompiledRule;
use meshgov::load::problem::ProblemKind;
use meshgov::rule::example;
use meshgov::rule::{RuleSet, RuleSource};

fn problems(found: &[meshgov::shape::Problem]) -> String {
    found.iter().map(render_problem).collect()
}

#[test]
fn examples_hold() {
    let rules = RuleSet::builtin().unwrap();
    let mut run = 0;
    let mut wrong = String::new();
    for rule in rules.iter() {
        let result = examples::run(rule, &rules);
        run += result.run;
        wrong.push_str(&problems(&result.problems));
    }
    println!("{} rules, {run} examples", rules.iter().count());
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn an_example_that_shows_something_else_is_a_failure() {
    let text = "id: ABC001\nsummary: s\nseverity: high\nconfidence: high\nsince: 0.1.0\nsubject: resource\nmatch: [Pod]\nvalidations:\n  - expression: object.spec.hostNetwork != true\n---\nwhy: w\nfix: f\nexamples:\n  - name: shared\n    input: |\n      apiVersion: v1\n      kind: Pod\n      metadata: {name: a}\n      spec: {hostNetwork: true} # expect: ABC001\n  - name: own\n    input: |\n      apiVersion: v1\n      kind: Pod\n      metadata: {name: a}\n      spec: {hostNetwork: false}\n";
    let outcome = |text: &str| {
        let mut rules = RuleSet::default();
        rules
            .add(
                [("ABC001-shared-network.yaml", text)].into_iter(),
                RuleSource::User,
            )
            .unwrap();
        let rule = rules.find("ABC001").unwrap();
        let result = examples::run(rule, &rules);
        result
            .problems
            .iter()
            .map(|p| p.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(outcome(text), Vec::<String>::new());
    assert_eq!(
        outcome(&text.replace("hostNetwork: false", "hostNetwork: true")),
        [
            "example `own`: found at input.yaml:4 though nothing is expected there: s",
            "rule `ABC001` has no example that passes"
        ][..1]
    );
    assert_eq!(
        outcome(&text.replace("{hostNetwork: true}", "{hostNetwork: false}")),
        ["example `shared`: nothing found at input.yaml:4"]
    );
    assert_eq!(
        outcome(&text.replace("expect: ABC001", "expect: ABC002")),
        ["example `shared` expects `ABC002`, which is not this rule"]
    );
    assert_eq!(
        outcome(&text.replace(
            "spec: {hostNetwork: true} # expect: ABC001",
            "spec: {hostNetwork: false}"
        )),
        ["rule `ABC001` has no example that fails (`# expect: ID`)"]
    );
}

#[test]
fn every_rule_compiles_with_its_defaults() {
    for rule in RuleSet::builtin().unwrap().iter() {
        if rule.info.source != RuleSource::Engine {
            let compiled = CompiledRule::new(rule, rule.info.severity, None);
            if let Err(found) = compiled {
                panic!("\n{}", problems(&found));
            }
        }
    }
}

#[test]
fn names_are_unique_and_texts_are_there() {
    let rules = RuleSet::builtin().unwrap();
    let mut names = BTreeSet::new();
    for rule in rules.iter() {
        let info = &rule.info;
        assert!(names.insert(info.id.clone()), "{} twice", info.id);
        assert!(names.insert(info.slug.clone()), "{} twice", info.slug);
        let texts = example::texts(&rule.file).unwrap_or_else(|p| panic!("{}", problems(&p)));
        assert!(
            !texts.why.is_empty() && !texts.fix.is_empty(),
            "{}",
            info.id
        );
        let path = &rule.file.source.path;
        let family = path.split('/').nth(1).unwrap();
        assert_eq!(
            family,
            info.family(),
            "{path} stands in another family's folder"
        );
        assert!(!info.summary.ends_with('.'), "{path}: no full stop");
    }
}

#[test]
fn superseded_rules_exist() {
    let rules = RuleSet::builtin().unwrap();
    for rule in rules.iter() {
        for other in &rule.supersedes {
            assert!(
                rules.find(other).is_some(),
                "{} supersedes {other}",
                rule.info.id
            );
        }
    }
}

#[test]
fn rules_of_the_program_itself_have_a_file() {
    let rules = RuleSet::builtin().unwrap();
    let engine = meshgov::evaluate::engine::IDS;
    for id in ProblemKind::ALL
        .iter()
        .map(|k| k.id())
        .chain(engine.iter().copied())
    {
        let rule = rules.find(id).unwrap_or_else(|| panic!("{id} has no file"));
        assert_eq!(rule.info.source, RuleSource::Engine, "{id}");
    }
}
