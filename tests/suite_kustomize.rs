//! Kustomize in the process against ../shared/suites/kustomize: 141 leaves rendered, 56 refused, 64 broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use meshgov::kustomize::files::join;
use meshgov::kustomize::{Build, DiskFiles, Engine, Options, Outcome};
use meshgov::source::{SourceFile, SourceId, Sources};
use meshgov::yaml::{self, NodeRef, Style};
use serde_json::Value;

const SHOW: Options = Options {
    show_secrets: true,
    load_anywhere: false,
};

/// One line of a `.jsonl` file of the suite.
struct Case {
    /// The folder of the leaf, normalised.
    folder: String,
    /// The folder of its corpus, normalised.
    corpus: String,
    line: Value,
}

fn cases(file: &str) -> Vec<Case> {
    common::read(&format!("suites/kustomize/{file}"))
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let corpus = match line["corpus"].as_str().unwrap() {
                name @ ("plain" | "gitops") => format!("corpus/real/{name}"),
                name => format!("suites/kustomize/{name}"),
            };
            let corpus = join("", common::shared(&corpus).to_str().unwrap());
            Case {
                folder: join(&corpus, line["dir"].as_str().unwrap()),
                corpus,
                line,
            }
        })
        .collect()
}

fn build(files: &DiskFiles, case: &Case) -> Build {
    let build = Engine::new(files).build(&case.folder, SHOW);
    build.unwrap_or_else(|| panic!("no kustomization in {}", case.folder))
}

fn disk() -> DiskFiles {
    DiskFiles::new(PathBuf::new(), Sources::default())
}

/// Objects sorted by identity, numbers as floating-point: the suite compares values, not texts.
fn canonical(objects: Vec<Value>) -> Vec<Value> {
    let mut objects: Vec<Value> = objects.into_iter().map(plain).collect();
    let text = |o: &Value, path: &str| o.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let paths = [
        "/apiVersion",
        "/kind",
        "/metadata/namespace",
        "/metadata/name",
    ];
    objects.sort_by_cached_key(|o| paths.map(|path| text(o, path).unwrap_or_default()));
    objects
}

fn plain(value: Value) -> Value {
    match value {
        Value::Number(n) => n.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.into_iter().map(|(k, v)| (k, plain(v))).collect();
            sorted.into_iter().collect()
        }
        value => value,
    }
}

#[test]
fn the_141_leaves_render_as_kubectl_renders_them() {
    let cases = cases("cases.jsonl");
    assert_eq!(cases.len(), 141);
    let mut wrong = Vec::new();
    for case in &cases {
        let files = disk();
        let Outcome::Rendered(objects) = build(&files, case).outcome else {
            wrong.push(format!("{}: not rendered", case.folder));
            continue;
        };
        let actual = objects.iter().map(|tree| tree.node(0).to_json()).collect();
        let path = case.line["expected"].as_str().unwrap();
        let expected = common::read(&format!("suites/kustomize/{path}"));
        let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
        if canonical(actual) != canonical(expected) {
            wrong.push(format!("{}: differs", case.folder));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_56_are_refused_with_field_and_folder() {
    let cases = cases("refused.jsonl");
    assert_eq!(cases.len(), 56);
    for case in &cases {
        let files = disk();
        let Outcome::Refused(refusals) = build(&files, case).outcome else {
            panic!("{} is not refused", case.folder);
        };
        let sources = files.sources();
        let mut actual: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for refusal in refusals {
            let slice = sources
                .get(refusal.span.source)
                .unwrap()
                .slice(refusal.span);
            let (field, named) = match refusal.field.as_str() {
                // The suite names the address, the refusal the place where it stands.
                "remote base" => (
                    "remote base".to_owned(),
                    slice.trim_matches('\'').to_owned(),
                ),
                field => {
                    assert_eq!(slice, field);
                    (field.to_owned(), refusal.folder)
                }
            };
            actual.entry(field).or_default().insert(named);
        }
        let because = case.line["because"].as_object().unwrap();
        let expected: BTreeMap<String, BTreeSet<String>> = because
            .iter()
            .map(|(field, named)| {
                let named = named
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|n| n.as_str().unwrap());
                let named = named.map(|n| match field.as_str() {
                    "remote base" => n.to_owned(),
                    _ => join(&case.corpus, n),
                });
                (field.clone(), named.collect())
            })
            .collect();
        assert_eq!(actual, expected, "{}", case.folder);
    }
}

#[test]
fn the_64_are_broken_at_a_place_and_never_partly_rendered() {
    let cases = cases("broken.jsonl");
    assert_eq!(cases.len(), 64);
    for case in &cases {
        let files = disk();
        let Outcome::Broken(errors) = build(&files, case).outcome else {
            panic!("{} is not broken", case.folder);
        };
        assert!(!errors.is_empty(), "{}", case.folder);
        let sources = files.sources();
        for error in errors {
            let file = sources.get(error.span.source).unwrap();
            assert!(
                !file.slice(error.span).is_empty(),
                "{error} in {}",
                file.path
            );
        }
    }
}

/// The value that a piece of a file has when it is read on its own; block scalars keep their indentation.
fn read_alone(slice: &str) -> Option<String> {
    let source = Arc::new(SourceFile::new(SourceId(0), "slice", slice));
    let parsed = yaml::parse(&source);
    let document = parsed.documents.first()?;
    Some(parsed.tree.node(document.root).text().to_owned())
}

fn is_computed(node: NodeRef<'_>) -> bool {
    node.style() == Style::Generated
}

#[test]
fn every_scalar_that_is_taken_over_stands_at_its_span() {
    let (mut exact, mut computed) = (0, 0);
    for case in cases("cases.jsonl") {
        let files = disk();
        let Outcome::Rendered(objects) = build(&files, &case).outcome else {
            panic!("{} is not rendered", case.folder);
        };
        let sources = files.sources();
        for tree in objects {
            for index in 0..u32::try_from(tree.len()).unwrap() {
                let node = tree.node(index);
                let file = sources
                    .get(node.span().source)
                    .unwrap_or_else(|| panic!("{}: `{}` is in no file", case.folder, node.text()));
                let slice = file.slice(node.span());
                if node.is_map() || node.is_seq() || slice.starts_with('*') {
                    continue;
                }
                if is_computed(node) {
                    computed += 1;
                    continue;
                }
                let text = node.text();
                let same = slice == text
                    || read_alone(slice).is_some_and(|alone| alone.trim_end() == text.trim_end());
                assert!(
                    same,
                    "{}: {}: `{slice}` is not `{text}`",
                    case.folder, file.path
                );
                exact += 1;
            }
        }
    }
    println!("{exact} scalars stand at their spans, {computed} are computed");
    assert!(exact > 50_000, "only {exact} scalars compared");
    assert!(computed * 20 < exact, "{computed} of {exact} are computed");
}
