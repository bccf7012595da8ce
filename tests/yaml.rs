//! Located YAML against the tables in testdata/yaml: values, spans, broken documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "common/spans.rs"]
mod spans;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use meshgov::source::{SourceFile, SourceId, Span};
use meshgov::yaml::{NodeRef, Parsed, parse};
use serde_json::Value;

fn testdata(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("testdata/yaml").join(name)
}

fn table(name: &str) -> String {
    std::fs::read_to_string(testdata(name)).unwrap()
}

/// The cases of a folder: each `.yaml` file with the lines of its `.expect` file, comments left out.
fn cases(folder: &str) -> Vec<(String, String, Vec<String>)> {
    let entries = std::fs::read_dir(testdata(folder)).unwrap();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    names.sort();
    assert!(!names.is_empty());
    let read = |path: PathBuf| {
        let expect = std::fs::read_to_string(path.with_extension("expect")).unwrap();
        let lines = expect.lines().filter(|line| !line.starts_with('#'));
        (
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            std::fs::read_to_string(&path).unwrap(),
            lines.map(str::to_owned).collect(),
        )
    };
    names.into_iter().map(read).collect()
}

/// `line:column-line:column` of a span.
fn place(source: &SourceFile, span: Span) -> String {
    let (start, end) = (source.position(span.start), source.position(span.end));
    format!(
        "{}:{}-{}:{}",
        start.line, start.column, end.line, end.column
    )
}

fn source(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new(SourceId(0), "t.yaml", text))
}

fn parse_text(text: &str) -> Parsed {
    parse(&source(text))
}

/// Equality of JSON values in which `-0` is 0, as Kubernetes reads it.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn scalars_and_keys_read_as_sigs_k8s_io_yaml_reads_them() {
    let mut failures = Vec::new();
    let table = table("scalars.txt");
    let cases = table.lines().filter(|line| line.starts_with('"'));
    for case in cases {
        let (yaml, expected) = case.rsplit_once(" => ").unwrap();
        let yaml: String = serde_json::from_str(yaml).unwrap();
        let parsed = parse_text(&yaml);
        let actual = match (parsed.errors.first(), parsed.documents.first()) {
            (Some(error), _) => Err(error.kind.to_string()),
            (None, Some(document)) => Ok(parsed.tree.node(document.root).to_json()),
            (None, None) => Ok(Value::Null),
        };
        let agrees = match (&actual, expected) {
            (Err(_), "error") => true,
            (Ok(actual), expected) if expected != "error" => {
                same(actual, &serde_json::from_str(expected).unwrap())
            }
            _ => false,
        };
        if !agrees {
            failures.push(format!("{yaml:?}: expected {expected}, got {actual:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The node at `.key[0].key`, or its key with a `~` behind; `.` or a document's number is a root.
fn find<'t>(parsed: &'t Parsed, path: &str) -> NodeRef<'t> {
    let root = |ordinal: u32| {
        let document = parsed.documents.iter().find(|d| d.ordinal == ordinal);
        parsed.tree.node(document.unwrap().root)
    };
    if let Ok(ordinal) = path.parse() {
        return root(ordinal);
    }
    let (path, key_wanted) = match path.strip_suffix('~') {
        Some(path) => (path, true),
        None => (path, false),
    };
    let (mut node, mut key) = (root(0), root(0));
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        match step.strip_suffix(']') {
            Some(index) => node = node.item(index.parse().unwrap()).unwrap(),
            None => (key, node) = node.entry(step).unwrap(),
        }
    }
    if key_wanted { key } else { node }
}

#[test]
fn spans_are_where_testdata_says() {
    for (name, text, expected) in cases("spans") {
        let source = source(&text);
        let parsed = parse(&source);
        assert!(parsed.errors.is_empty(), "{name}: {:?}", parsed.errors);
        for line in expected {
            let mut words = line.splitn(3, ' ');
            let (at, path, slice) = (
                words.next().unwrap(),
                words.next().unwrap(),
                words.next().unwrap(),
            );
            let slice: String = serde_json::from_str(slice).unwrap();
            let span = find(&parsed, path).span();
            assert_eq!(source.slice(span), slice, "{name} {path}");
            assert_eq!(place(&source, span), at, "{name} {path}");
        }
        assert_eq!(spans::violations(&source, &parsed), [""; 0], "{name}");
    }
}

#[test]
fn spans_hold_with_windows_line_ends() {
    for (name, text, _) in cases("spans") {
        let source = source(&text.replace('\n', "\r\n"));
        let parsed = parse(&source);
        assert!(parsed.errors.is_empty(), "{name}: {:?}", parsed.errors);
        assert_eq!(spans::violations(&source, &parsed), [""; 0], "{name}");
    }
}

#[test]
fn comments_keep_their_bytes_in_order() {
    let source = source("# top\na: 1 # right\nb:\n  # inside\n  - x#y\n#last");
    let parsed = parse(&source);
    let texts: Vec<_> = parsed.comments.iter().map(|c| source.slice(*c)).collect();
    assert_eq!(texts, ["# top", "# right", "# inside", "#last"]);
}

/// Everything a file gave, one line each, in file order: what `testdata/yaml/broken` lists.
fn outcome(source: &SourceFile, parsed: &Parsed) -> Vec<String> {
    let mut lines = Vec::new();
    for document in &parsed.documents {
        let json = parsed.tree.node(document.root).to_json();
        lines.push((
            document.ordinal,
            format!("document {} {json}", document.ordinal),
        ));
    }
    for error in &parsed.errors {
        let word = if error.template { "template" } else { "error" };
        let at = place(source, error.span);
        let lost = place(source, error.document);
        let line = format!("{word} {} {at} {lost} {}", error.ordinal, error.kind);
        lines.push((error.ordinal, line));
    }
    lines.sort();
    let duplicate = |d: &meshgov::yaml::DuplicateKey| {
        format!(
            "duplicate {} {}",
            place(source, d.first),
            place(source, d.second)
        )
    };
    let mut all: Vec<_> = parsed.duplicates.iter().map(duplicate).collect();
    all.extend(lines.into_iter().map(|(_, line)| line));
    all
}

#[test]
fn broken_documents_are_lost_alone_and_duplicates_are_reported() {
    for (name, text, expected) in cases("broken") {
        let source = source(&text);
        assert_eq!(outcome(&source, &parse(&source)), expected, "{name}");
    }
}

#[test]
fn spans_found_by_fuzzing_stay_right() {
    // An indentless sequence that ends with an absent item; a block scalar right after a broken document.
    for text in [
        "k:\n- \nb: 1\n",
        "- >\n d\n- >\n \n  \n  # d\n-t\n...\n |1\n  e\n- >\n d\n",
        "[a: {b: 1}, c: ]\n",
    ] {
        let source = source(text);
        let parsed = parse(&source);
        assert_eq!(spans::violations(&source, &parsed), [""; 0], "{text:?}");
    }
}
