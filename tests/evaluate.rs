//! What a rule says of a subject: pass, does not apply, finding, or undecided, and where it points.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::sync::Arc;

use meshgov::cli::pipeline::{self, Silencing};
use meshgov::error::render_problem;
use meshgov::evaluate::engine::EngineRules;
use meshgov::evaluate::{CompiledRule, Judgement};
use meshgov::facts::assumptions::Assumptions;
use meshgov::rule::{RuleSet, RuleSource};
use meshgov::source::Sources;

/// A rule on Pods with these lines below its head.
fn rule(id: &str, body: &str) -> (String, String) {
    let head = format!(
        "id: {id}\nsummary: summary of {id}\nseverity: high\nconfidence: high\nsince: 0.1.0\n"
    );
    let subject = if body.contains("subject:") {
        ""
    } else {
        "subject: resource\nmatch: [Pod]\n"
    };
    let slug = id.to_lowercase();
    (
        format!("{id}-{slug}.yaml"),
        format!("{head}{subject}{body}"),
    )
}

fn judge(rules: &[(String, String)], manifests: &str) -> (Judgement, Sources) {
    let mut set = RuleSet::default();
    let files = rules
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    set.add(files, RuleSource::User).unwrap();
    let compiled: Vec<_> = set
        .iter()
        .map(|rule| {
            CompiledRule::new(rule, rule.info.severity, None).unwrap_or_else(|problems| {
                panic!(
                    "{}",
                    problems.iter().map(render_problem).collect::<String>()
                )
            })
        })
        .collect();
    let files = [("input.yaml".to_owned(), manifests.to_owned())];
    let mut input = pipeline::read_texts(&files, Assumptions::default());
    let silencing = Silencing {
        rules: &set,
        ignores: &[],
        config: None,
        today: "2026-01-01",
        off: true,
    };
    let judgement = input.judge(&compiled, &EngineRules::default(), &silencing);
    (judgement, input.sources)
}

/// What is said, one line each: `line:column rule text-under-the-span: message`, or `? rule: reason`.
fn said(rules: &[(String, String)], manifests: &str) -> Vec<String> {
    let (judgement, sources) = judge(rules, manifests);
    let file = Arc::clone(sources.iter().next().unwrap());
    let mut lines: Vec<_> = judgement
        .findings
        .iter()
        .map(|f| {
            let at = file.position(f.span.start);
            let text = file.slice(f.span);
            format!(
                "{}:{} {} `{text}`: {}",
                at.line, at.column, f.rule.id, f.message
            )
        })
        .collect();
    let undecided = judgement.not_evaluated.iter();
    lines.extend(undecided.map(|n| format!("? {}: {}", n.rule.id, n.reason)));
    lines
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  host: true\n  list: [1, 2, 3]\n  items:\n    - name: x\n      image: y\n    - name: z\n";

fn one(body: &str) -> Vec<String> {
    said(&[rule("A001", body)], POD)
}

#[test]
fn conditions_and_validations_combine_as_documented() {
    // condition, validation → what is said. `error` fails, `unknown` cannot be known: the Namespace is not in the view.
    let (yes, no, error) = (
        "true",
        "object.spec.host == false",
        "object.spec.absent == 1",
    );
    let unknown = "namespaceObject.metadata.name == 'x'";
    let found = "6:9 A001 `true`: summary of A001";
    let failed = "? A001: no such key: `object.spec.absent`";
    let missing = "? A001: Namespace ml is not in the view";
    let table = [
        (yes, yes, None),
        (yes, no, Some(found)),
        (yes, error, Some(failed)),
        (yes, unknown, Some(missing)),
        (no, no, None),
        (no, error, None),
        (no, unknown, None),
        (error, yes, None),
        (error, no, Some(failed)),
        (unknown, yes, None),
        (unknown, no, Some(missing)),
        (unknown, unknown, Some(missing)),
    ];
    let manifest = POD
        .replace("  name: a\n", "  name: a\n  namespace: ml\n")
        .replace("6:9", "7:9");
    for (condition, validation, expected) in table {
        let body = format!(
            "matchConditions:\n  - {{name: c, expression: \"{condition}\"}}\nvalidations:\n  - expression: \"{validation}\"\n"
        );
        let expected: Vec<_> = expected.iter().map(|e| e.replace("6:9", "7:9")).collect();
        assert_eq!(
            said(&[rule("A001", &body)], &manifest),
            expected,
            "{condition} / {validation}"
        );
    }
}

#[test]
fn a_false_condition_wins_over_one_that_fails() {
    let body = "matchConditions:\n  - {name: a, expression: object.spec.absent == 1}\n  - {name: b, expression: 'false'}\nvalidations:\n  - expression: 'false'\n";
    assert_eq!(one(body), Vec::<String>::new());
}

#[test]
fn every_false_validation_is_a_finding_of_its_own() {
    let body = "validations:\n  - expression: object.spec.host == false\n    message: m1\n  - expression: 'object.metadata.name != \"a\"'\n    messageExpression: '\"name \" + object.metadata.name'\n";
    assert_eq!(one(body), ["4:9 A001 `a`: name a", "6:9 A001 `true`: m1"]);
}

#[test]
fn a_message_that_fails_falls_back() {
    let body = "validations:\n  - expression: object.spec.host == false\n    messageExpression: object.spec.absent\n    message: fixed\n";
    assert_eq!(one(body), ["6:9 A001 `true`: fixed"]);
}

#[test]
fn elements_are_judged_one_by_one() {
    let body = "validations:\n  - each: object.spec.list\n    expression: item == 2\n    messageExpression: 'string(item)'\n";
    assert_eq!(one(body), ["7:10 A001 `1`: 1", "7:16 A001 `3`: 3"]);
    let body = "validations:\n  - each: object.spec.items\n    expression: has(item.image)\n    at: image\n";
    assert_eq!(one(body), ["11:7 A001 `name`: summary of A001"]);
    let body = "validations:\n  - each: object.spec.host\n    expression: 'false'\n";
    assert_eq!(one(body), ["? A001: `each` is a bool, not a list"]);
    let body = "validations:\n  - each: object.spec.absent\n    expression: 'false'\n";
    assert_eq!(one(body), ["? A001: no such key: `object.spec.absent`"]);
}

#[test]
fn findings_point_at_the_named_field_or_at_the_key_of_its_deepest_ancestor() {
    let at = |path: &str| {
        let body = format!(
            "validations:\n  - expression: 'object.metadata.name != \"a\"'\n    at: {path}\n"
        );
        one(&body).remove(0)
    };
    assert_eq!(at("spec.host"), "6:9 A001 `true`: summary of A001");
    assert_eq!(at("object.spec.host"), "6:9 A001 `true`: summary of A001");
    assert_eq!(at("spec.list"), "7:3 A001 `list`: summary of A001");
    assert_eq!(at("'spec.list[1]'"), "7:13 A001 `2`: summary of A001");
    assert_eq!(at("spec.items"), "8:3 A001 `items`: summary of A001");
    assert_eq!(at("'spec.items[0]'"), "9:7 A001 `name`: summary of A001");
    assert_eq!(at("spec.a.b.c"), "5:1 A001 `spec`: summary of A001");
    assert_eq!(
        at("'metadata.annotations[\"x/y\"]'"),
        "3:1 A001 `metadata`: summary of A001"
    );
}

#[test]
fn variables_are_computed_in_order_and_only_when_named() {
    let body = "variables:\n  - {name: broken, expression: object.spec.absent}\n  - {name: base, expression: size(object.spec.list)}\n  - {name: twice, expression: variables.base * 2}\nvalidations:\n  - expression: variables.twice == 7\n    messageExpression: 'string(variables.twice)'\n";
    // A computed number stands nowhere, so the object is named.
    assert_eq!(one(body), ["4:9 A001 `a`: 6"]);
    let body = "variables:\n  - {name: broken, expression: object.spec.absent}\nvalidations:\n  - expression: variables.broken == 7\n";
    assert_eq!(one(body), ["? A001: no such key: `object.spec.absent`"]);
}

#[test]
fn a_rule_that_supersedes_another_speaks_alone() {
    let a = rule(
        "A001",
        "supersedes: [B001]\nvalidations:\n  - expression: object.spec.host == false\n",
    );
    let b = rule(
        "B001",
        "validations:\n  - expression: 'object.metadata.name != \"a\"'\n",
    );
    assert_eq!(
        said(std::slice::from_ref(&b), POD),
        ["4:9 B001 `a`: summary of B001"]
    );
    assert_eq!(
        said(&[a.clone(), b.clone()], POD),
        ["6:9 A001 `true`: summary of A001"]
    );
    // It folds only what it reports itself.
    let silent = POD.replace("host: true", "host: false");
    assert_eq!(said(&[a, b], &silent), ["4:9 B001 `a`: summary of B001"]);
}

#[test]
fn a_tree_is_judged_once() {
    let body = "subject: tree\nvalidations:\n  - expression: objects.size() > 5\n    messageExpression: 'string(objects.size())'\n";
    let two = format!("{POD}---\n{}", POD.replace("name: a", "name: b"));
    let (judgement, _) = judge(&[rule("A001", body)], &two);
    let messages: Vec<_> = judgement
        .findings
        .iter()
        .map(|f| f.message.as_str())
        .collect();
    assert_eq!(messages, ["2"]);
}

#[test]
fn a_broken_neighbour_opens_the_list_of_objects() {
    let body = "subject: tree\nvalidations:\n  - expression: objects.exists(o, o.metadata.name == \"b\")\n";
    let broken = format!("{POD}---\napiVersion: v1\nkind: Pod\nmetadata: {{name: [}}\n");
    let (judgement, _) = judge(&[rule("A001", body)], &broken);
    assert_eq!(
        (judgement.findings.len(), judgement.not_evaluated.len()),
        (0, 1)
    );
}

#[test]
fn fingerprints_survive_moved_lines_and_reordered_lists() {
    let rules = [rule(
        "A001",
        "validations:\n  - each: object.spec.items\n    expression: has(item.image)\n    at: name\n",
    )];
    let prints = |manifest: &str| {
        let (judgement, _) = judge(&rules, manifest);
        judgement
            .findings
            .iter()
            .map(|f| f.fingerprint.clone())
            .collect::<Vec<_>>()
    };
    let before = prints(POD);
    assert_eq!(before.len(), 1);
    assert_eq!(before, prints(&format!("# moved\n\n{POD}")));
    let reordered = POD.replace(
        "    - name: x\n      image: y\n    - name: z\n",
        "    - name: z\n    - name: x\n      image: y\n",
    );
    assert_eq!(before, prints(&reordered));
    assert_ne!(before, prints(&POD.replace("name: z", "name: w")));
    assert_ne!(before, prints(&POD.replace("name: a", "name: b")));
}
