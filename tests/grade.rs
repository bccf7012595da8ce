//! Access grades: each file of `testdata/asset/scenarios` says in `# grade: Kind:namespace/name LETTER W U O B K` what an asset has, and from the
//! best one every single step down lowers the one component it should.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::path::Path;
use std::sync::Arc;

use meshgov::facts::Assumptions;
use meshgov::load;
use meshgov::query::assets;
use meshgov::source::{SourceFile, SourceId, Sources};
use meshgov::view::{Member, Namespace, View};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/asset/scenarios")
}

/// `LETTER W? U? O? B? K?` of one asset.
fn grade(text: &str, reference: &str) -> String {
    let source = Arc::new(SourceFile::new(SourceId(0), "s.yaml", text));
    let members = load::load_text(&source)
        .resources
        .into_iter()
        .map(|resource| Member {
            namespace: match (&resource.namespace, resource.kind()) {
                (_, "Namespace") => Namespace::Cluster,
                (Some(name), _) => Namespace::Named(name.as_str().into()),
                (None, _) => Namespace::Unset,
            },
            resource,
        });
    let view = View::new("case".into(), "test".into(), members.collect(), Vec::new());
    let report = assets::assets(
        &[Arc::new(view)],
        &Assumptions::default(),
        Sources::default(),
    );
    let named = |a: &&assets::AssetEntry| format!("{}:{}", a.kind, a.reference()) == reference;
    let asset = report.assets.iter().find(named).unwrap();
    let mut words = vec![asset.grade.letter().sign().to_string()];
    for (sign, component) in asset.grade.components() {
        let shown = component.shown();
        words.push(match shown.as_str() {
            range if range.starts_with('?') => format!("{sign}?"),
            value => format!("{sign}{value}"),
        });
    }
    words.join(" ")
}

/// Reference and grade of a file's second or third line.
fn expected(text: &str) -> (&str, &str) {
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("# grade: "))
        .unwrap();
    line.split_once(' ').unwrap()
}

#[test]
fn every_scenario_has_the_grade_it_says() {
    let mut letters = String::new();
    let mut wrong = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let (reference, want) = expected(&text);
        let got = grade(&text, reference);
        if got != want {
            wrong.push(format!("{}: want {want}, got {got}", path.display()));
        }
        letters.push_str(&want[..1]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(files.len(), 10);
    assert!("ABCDF?".chars().all(|l| letters.contains(l)), "{letters}");
}

/// What is taken away from the best scenario: words, what stands there, what takes its place, and the grade afterwards.
const STEPS: &[(&str, &str, &str, &str)] = &[
    (
        "the gateway's whole namespace may call",
        "principals: [cluster.local/ns/gw/sa/ai-istio]",
        "namespaces: [gw]",
        "B W3 U4 O2 B3 K3",
    ),
    (
        "no claim decides",
        "    authorization: {team: {patternMatching: {patterns: [{predicate: 'auth.identity.groups.exists(g, g == \"chat\")'}]}}}\n",
        "",
        "B W4 U2 O2 B3 K3",
    ),
    (
        "a token is optional",
        "{idp: {jwt: {issuerUrl: \"https://idp.example.com\"}}}",
        "{idp: {jwt: {issuerUrl: \"https://idp.example.com\"}}, nobody: {anonymous: {}}}",
        "B W4 U1 O2 B3 K3",
    ),
    (
        "everything below a path",
        "paths: [/v1/chat/completions]",
        "paths: [/v1/*]",
        "B W4 U4 O1 B3 K3",
    ),
    (
        "every path",
        "methods: [POST], paths: [/v1/chat/completions]",
        "methods: [POST]",
        "C W4 U4 O0 B3 K3",
    ),
    (
        "a budget that callers choose",
        "expression: auth.identity.sub",
        "expression: request.headers.x-user",
        "B W4 U4 O2 B2 K3",
    ),
    (
        "one budget for all",
        ", counters: [{expression: auth.identity.sub}]",
        "",
        "B W4 U4 O2 B1 K3",
    ),
    (
        "no budget",
        "kind: TokenRateLimitPolicy",
        "kind: Other",
        "C W4 U4 O2 B0 K3",
    ),
    (
        "the key is fetched once",
        "refreshInterval: 1h",
        "refreshInterval: \"0\"",
        "C W4 U4 O2 B3 K1",
    ),
    (
        "the key stands in the manifest",
        "valueFrom: {secretKeyRef: {name: hub, key: token}}",
        "value: hf_QqZ7tVbN3mKxWc9RfLpY2sDgHjUaEoTi",
        "F W4 U4 O2 B3 K0",
    ),
];

#[test]
fn every_step_down_lowers_one_component() {
    let best = std::fs::read_to_string(folder().join("best.yaml")).unwrap();
    let (reference, top) = expected(&best);
    assert_eq!(grade(&best, reference), top);
    let mut wrong = Vec::new();
    for (words, from, to, want) in STEPS {
        assert_eq!(best.matches(from).count(), 1, "{words}");
        let got = grade(&best.replace(from, to), reference);
        if got != *want {
            wrong.push(format!("{words}: want {want}, got {got}"));
        }
        let changed = top
            .split(' ')
            .skip(1)
            .zip(want.split(' ').skip(1))
            .filter(|(a, b)| a != b);
        assert_eq!(changed.count(), 1, "{words}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
