//! What the rules find in the hand-derived cases of `../shared/cases` and in the test data of Istio's own analyzers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "common/shared.rs"]
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meshgov::cli::pipeline::{Silencing, read_texts};
use meshgov::engine::Analysis;
use meshgov::evaluate::CompiledRule;
use meshgov::evaluate::engine::EngineRules;
use meshgov::facts::{Assumptions, Confidence, Severity};
use meshgov::finding::Finding;
use meshgov::rule::{RuleSet, RuleSource};
use serde_json::Value;

struct Rules {
    set: RuleSet,
    compiled: Vec<CompiledRule>,
}

impl Rules {
    fn builtin() -> Self {
        let set = RuleSet::builtin().unwrap();
        let compiled = set
            .iter()
            .filter(|r| r.info.source != RuleSource::Engine)
            .map(|r: &Arc<_>| CompiledRule::new(r, r.info.severity, None).unwrap())
            .collect();
        Self { set, compiled }
    }

    fn findings(&self, files: &[(String, String)]) -> Vec<Finding> {
        self.findings_with(files, Assumptions::default())
    }

    fn findings_with(&self, files: &[(String, String)], assume: Assumptions) -> Vec<Finding> {
        let mut input = read_texts(files, assume);
        let silencing = Silencing {
            rules: &self.set,
            ignores: &[],
            config: None,
            today: "2026-01-01",
            off: true,
        };
        input
            .judge(&self.compiled, &EngineRules::default(), &silencing)
            .findings
    }
}

/// `ISTIO-AP-005` → `ISTAP005`.
fn our_id(catalogue: &str) -> String {
    catalogue.replacen("ISTIO-", "IST", 1).replace('-', "")
}

fn ids(case: &Value) -> BTreeSet<String> {
    let named = case["findings"].as_array().into_iter().flatten();
    named.map(|f| our_id(f.as_str().unwrap())).collect()
}

const NO_POLICY: &str =
    "no AuthorizationPolicy is in the case; rests on absence, hence confidence low";
const ALPHA: &str = "the case is written with a kind that upstream has replaced";

/// Findings that are right though the case, which is about something else, does not name them: rule, case, why.
const DEFENDED: &[(&str, &str, &str)] = &[
    ("ISTAP001", "p16-service-port-vs-target", NO_POLICY),
    ("ISTAP001", "d01-dr-disable-strict", NO_POLICY),
    ("ISTAP001", "d03-auto", NO_POLICY),
    ("ISTAP001", "d04-infer-ns-only", NO_POLICY),
    ("ISTAP001", "d07-exportto-private", NO_POLICY),
    ("ISTAP001", "d08-root-wildcard-disable", NO_POLICY),
    ("ISTAP001", "d09-client-wildcard-beats-exact", NO_POLICY),
    ("ISTAP001", "d15-auto-off", NO_POLICY),
    ("ISTAP001", "d16-ambient-dr-ignored", NO_POLICY),
    ("ISTAP001", "d17-mutual-custom-strict", NO_POLICY),
    ("ISTAP001", "a34-dryrun-allow", "its ALLOW is a dry run"),
    ("ISTAP001", "a35-dryrun-deny", "its DENY is a dry run"),
    (
        "ISTAP001",
        "a38-targetref-on-sidecar",
        "its policy is for a waypoint and the pods have sidecars",
    ),
    (
        "ISTAP001",
        "a39-other-namespace",
        "its policy stands in another namespace",
    ),
    (
        "ISTAP001",
        "j01-ra-only",
        "a RequestAuthentication restricts nobody",
    ),
    (
        "ISTAP001",
        "z05-empty-selector",
        "a bare selector binds no ambient pod",
    ),
    (
        "ISTAP001",
        "z07-custom-ignored",
        "ztunnel does not get CUSTOM policies",
    ),
    (
        "ISTAP001",
        "z19-service-optout",
        "the Service opts out of the waypoint that enforces the policy",
    ),
    ("ISTAP002", "a09-deny-wins", "its ALLOW is one empty rule"),
    (
        "ISTAP004",
        "a18-deny-from-path-on-tcp",
        "the port is permissive, so the denied namespace gets in without a certificate",
    ),
    (
        "ISTAP004",
        "z12-selector-deny-behind-waypoint",
        "the same, for calls to the pod",
    ),
    (
        "ISTAP007",
        "a27-path-forms",
        "its ALLOW has paths and no caller",
    ),
    (
        "ISTPA002",
        "p07-port-unset",
        "the workload is permissive in a strict namespace",
    ),
    (
        "ISTPA003",
        "d05-workload-disable-auto",
        "mutual TLS is off for the workload",
    ),
    (
        "ISTPA003",
        "a45-disable-principal",
        "mutual TLS is off for the namespace",
    ),
    ("ANP003", "np-15-anp-allow-overrides", ALPHA),
    ("ANP003", "np-17-banp-only", ALPHA),
    ("ANP003", "np-18-banp-overridden", ALPHA),
];

/// Findings that cases name and no rule raises, with the reason.
const MISSING: &[(&str, &str)] = &[(
    "CIL012",
    "is about Cilium, whose policies no engine reads yet",
)];

fn defended(rule: &str, case: &str) -> bool {
    DEFENDED.iter().any(|(r, c, _)| *r == rule && *c == case)
}

/// Compares the findings of cases with what they name; `all` = ids that occur anywhere.
fn compare(cases: &[(String, String, BTreeSet<String>)], all: &BTreeSet<String>) {
    let rules = Rules::builtin();
    let (mut found, mut wrong) = (0, Vec::new());
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    let mut needed = BTreeSet::new();
    for (name, text, named) in cases {
        let got: BTreeSet<String> = rules
            .findings(&[(format!("{name}.yaml"), text.clone())])
            .into_iter()
            .map(|f| f.rule.id.clone())
            .collect();
        for id in named {
            if got.contains(id) {
                found += 1;
            } else if MISSING.iter().any(|(m, _)| m == id) {
                *missing.entry(id.clone()).or_default() += 1;
            } else {
                wrong.push(format!("{name}: {id} is not found"));
            }
        }
        for id in got.intersection(all) {
            if named.contains(id) {
                continue;
            }
            if defended(id, name) {
                needed.insert((id.clone(), name.clone()));
            } else {
                wrong.push(format!("{name}: {id} is found and not named"));
            }
        }
    }
    // A defence that nothing needs any more is a lie.
    for (rule, case, _) in DEFENDED {
        if cases.iter().any(|(name, ..)| name == case)
            && !needed.contains(&((*rule).to_owned(), (*case).to_owned()))
        {
            wrong.push(format!("{case}: {rule} needs no defence"));
        }
    }
    println!(
        "{} cases, {found} findings named and found, {} defended, missing {missing:?}",
        cases.len(),
        needed.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn istio_cases() {
    let expected: Value = serde_json::from_str(&shared::read("cases/istio/expected.json")).unwrap();
    let cases = expected["cases"].as_array().unwrap();
    let all = cases.iter().flat_map(ids).collect();
    let cases: Vec<_> = cases
        .iter()
        .map(|case| {
            let file = case["file"].as_str().unwrap();
            let text = shared::read(&format!("cases/istio/{file}"));
            (case["id"].as_str().unwrap().to_owned(), text, ids(case))
        })
        .collect();
    assert_eq!(cases.len(), 110);
    compare(&cases, &all);
}

#[test]
fn network_policy_cases() {
    let expected: Value =
        serde_json::from_str(&shared::read("cases/meshes/expected.json")).unwrap();
    let cases = expected["cases"].as_object().unwrap();
    let all = cases
        .values()
        .flat_map(ids)
        .filter(|id| id.starts_with("NP") || id.starts_with("ANP"))
        .collect();
    let ours = |name: &str, case: &Value| {
        name.starts_with("np-")
            || ids(case)
                .iter()
                .any(|id| id.starts_with("NP") || id.starts_with("ANP"))
    };
    let cases: Vec<_> = cases
        .iter()
        .filter(|(name, case)| ours(name, case))
        .map(|(name, case)| {
            let text = shared::read(&format!("cases/meshes/{name}.yaml"));
            // What the cases call a model server is one by its name only, which is no sign of one; NP001 is about AI workloads.
            let text = match ids(case).contains("NP001") {
                true => text.replacen("registry.test/model:1", "vllm/vllm-openai:v0.6.1", 1),
                false => text,
            };
            (name.clone(), text, ids(case))
        })
        .collect();
    compare(&cases, &all);
}

#[test]
fn istio_analyzers() {
    let rules = Rules::builtin();
    let families = ["MTLS", "ACCESS", "IST", "NP0", "ANP"];
    let (mut clean, mut wrong) = (0, Vec::new());
    let mut covered: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for line in shared::read("suites/istio-analyzers/grid.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let files: Vec<(String, String)> = case["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f.as_str().unwrap())
            .map(|f| {
                (
                    f.to_owned(),
                    shared::read(&format!("suites/istio-analyzers/{f}")),
                )
            })
            .collect();
        let found = rules.findings(&files);
        let ours = || {
            found
                .iter()
                .filter(|f| families.iter().any(|p| f.rule.id.starts_with(p)))
        };
        let messages = case["expected"].as_array().unwrap();
        if messages.is_empty() {
            clean += 1;
            let gates =
                |f: &&Finding| f.severity >= Severity::High && f.confidence >= Confidence::Medium;
            wrong.extend(
                ours()
                    .filter(gates)
                    .map(|f| format!("{}: {} {}", case["name"], f.rule.id, f.message)),
            );
        }
        for message in messages {
            let code = format!(
                "{} {}",
                message["code"].as_str().unwrap(),
                message["type"].as_str().unwrap()
            );
            let entry = covered.entry(code).or_default();
            entry.0 += 1;
            let resource = message["resource"].as_str().unwrap_or_default();
            let (kind, name) = resource.split_once(' ').unwrap_or((resource, ""));
            let name = name.rsplit('/').next().unwrap();
            let name = name.split('.').next().unwrap();
            let same = |f: &&Finding| f.resource.kind == kind && f.resource.name == name;
            entry
                .1
                .extend(ours().filter(same).map(|f| f.rule.id.clone()));
        }
    }
    for (code, (times, rules)) in &covered {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        println!(
            "{code}: {times} messages, on the same objects we say {}",
            if rules.is_empty() {
                "nothing".to_owned()
            } else {
                rules.join(" ")
            }
        );
    }
    assert_eq!(clean, 26);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes of Istio's analyzers that ask what we answer too, with our answer: a rule that fires on the object, or how its routes stand.
const SAME_QUESTION: [(&str, Answer); 6] = [
    ("IST0101 of a gateway", Answer::Route(None)),
    ("IST0123", Answer::Rule("ISTMEM006")),
    ("IST0127", Answer::Rule("ISTAP018")),
    ("IST0132", Answer::Route(Some(false))),
    ("IST0144", Answer::Rule("ISTBYP006")),
    ("clean", Answer::Route(Some(true))),
];

#[derive(Clone, Copy)]
enum Answer {
    Rule(&'static str),
    /// `attached` of one of its routes.
    Route(Option<bool>),
}

/// What stands around the objects of a code when they run, where its files leave that out.
fn around(code: &str) -> &'static str {
    match code {
        "IST0144" => {
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio-injection: enabled}}\n"
        }
        _ => "",
    }
}

#[test]
fn istio_analyzers_that_ask_what_we_answer() {
    let rules = Rules::builtin();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in shared::read("suites/istio-analyzers/grid.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let messages = case["expected"].as_array().unwrap();
        let of_routes = case["analyzer"]
            .as_str()
            .unwrap()
            .contains("virtualservice.Gateway");
        let name = case["name"].as_str().unwrap();
        for (code, answer) in SAME_QUESTION {
            let objects: Vec<(String, String)> = messages
                .iter()
                .filter(|m| m["code"] == code.split(' ').next().unwrap())
                .filter(|_| code.starts_with("IST0101") <= of_routes)
                .map(|m| object(m["resource"].as_str().unwrap()))
                .collect();
            let mut files: Vec<(String, String)> = case["files"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f.as_str().unwrap().to_owned())
                .map(|f| {
                    (
                        f.clone(),
                        shared::read(&format!("suites/istio-analyzers/{f}")),
                    )
                })
                .collect();
            if objects.is_empty() && !(code == "clean" && of_routes) {
                continue;
            }
            files.push(("around.yaml".to_owned(), around(code).to_owned()));
            let assume = Assumptions {
                default_namespace: Some("default".to_owned()),
                ..Assumptions::default()
            };
            match answer {
                Answer::Rule(rule) => {
                    let found = rules.findings_with(&files, assume);
                    // A policy for a whole namespace is right before its first pod is.
                    let asked = objects
                        .iter()
                        .filter(|(_, n)| !n.ends_with("namespace-wide"));
                    for (kind, named) in asked {
                        *counts.entry(code).or_default() += 1;
                        let same = |f: &&Finding| {
                            f.rule.id == rule
                                && f.resource.kind == *kind
                                && f.resource.name == *named
                        };
                        if !found.iter().any(|f| same(&f)) {
                            wrong.push(format!("{name}: {code} {kind} {named}: no {rule}"));
                        }
                    }
                }
                Answer::Route(attached) => {
                    let input = read_texts(&files, assume);
                    let ways = Analysis::of(&input.views[0], &input.assume).ways;
                    let routes = ways
                        .routes
                        .iter()
                        .filter(|r| r.route.kind() == "VirtualService");
                    let told: BTreeSet<&str> = messages
                        .iter()
                        .map(|m| {
                            m["resource"]
                                .as_str()
                                .unwrap()
                                .rsplit(['/', ' '])
                                .next()
                                .unwrap()
                        })
                        .collect();
                    let stands: Vec<(&str, Option<bool>)> = routes
                        .map(|r| (r.route.name.as_str(), r.attached))
                        .collect();
                    for (_, named) in &objects {
                        *counts.entry(code).or_default() += 1;
                        // Of a gateway that is missing nobody knows its hosts: Istio says both.
                        let both = stands.contains(&(named.as_str(), None));
                        if !both && !stands.contains(&(named.as_str(), attached)) {
                            wrong.push(format!("{name}: {code} {named}: {stands:?}"));
                        }
                    }
                    // A Gateway of the Gateway API is none of Istio's; whether a release lets VirtualServices name it stays open.
                    let untold = stands.iter().filter(|(n, _)| !told.contains(n));
                    for (named, stands) in untold.filter(|_| code == "clean") {
                        *counts.entry(code).or_default() += usize::from(*stands == attached);
                        if *stands == Some(false) {
                            wrong.push(format!("{name}: no message about {named}"));
                        }
                    }
                }
            }
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts.len(), SAME_QUESTION.len());
}

/// Kind and name of `Kind namespace/name`.
fn object(text: &str) -> (String, String) {
    let (kind, name) = text.split_once(' ').unwrap_or((text, ""));
    let name = name.rsplit('/').next().unwrap();
    (kind.to_owned(), name.split('.').next().unwrap().to_owned())
}
