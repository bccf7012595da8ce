//! GitOps sources of `testdata/gitops`: which views they form, where each object goes, what is not known.
//!
//! A case is one file: a comment that says what it shows, the files of the tree (`-- path --`), then `-- expected --`:
//! views with their objects and what they lack, `not analysed` and `problem` lines. Lines that begin with `value` are
//! questions: `value Kind namespace/name path/to/0/field = text at path:line`, a `/` of a key written `~1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use meshgov::cli::pipeline::{Input, read_texts};
use meshgov::facts::Assumptions;
use meshgov::source::Span;
use meshgov::view::{Member, Namespace, View};
use meshgov::yaml::NodeRef;

/// Files by path, and what is expected.
type Case = (Vec<(String, String)>, Vec<String>);

fn case(path: &Path) -> Case {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in fs::read_to_string(path).unwrap().split_inclusive('\n') {
        let header = line.trim_end().strip_prefix("-- ");
        if let Some(name) = header.and_then(|l| l.strip_suffix(" --")) {
            files.push((name.to_owned(), String::new()));
        } else if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
        }
    }
    let (last, expected) = files.pop().unwrap();
    assert_eq!(last, "expected", "{}", path.display());
    (files, expected.lines().map(str::to_owned).collect())
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/gitops");
    let mut found: Vec<PathBuf> = Vec::new();
    for group in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(group.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

fn named(member: &Member) -> String {
    let (kind, name) = (member.resource.kind(), &member.resource.name);
    match &member.namespace {
        Namespace::Cluster => format!("{kind} {name} (cluster)"),
        Namespace::Named(namespace) => format!("{kind} {namespace}/{name}"),
        Namespace::Unset => format!("{kind} {name}"),
    }
}

fn place(input: &Input, span: Span) -> String {
    let source = input.sources.get(span.source).unwrap();
    format!("{}:{}", source.path, source.position(span.start).line)
}

fn described(input: &Input, view: &View) -> Vec<String> {
    let mut lines = vec![format!("view {} ({})", view.name, view.found_by)];
    lines.extend(view.members.iter().map(|m| format!("  {}", named(m))));
    for opaque in &view.opaque {
        let opens = match opaque.namespace.as_deref() {
            _ if !opaque.opens => "nothing",
            None => "any namespace",
            Some("") => "the unnamed namespace",
            Some(name) => name,
        };
        let mut line = format!("  {}, opens {opens}", opaque.missing());
        if let Some(why) = &opaque.why {
            let _ = write!(line, ": {why}");
        }
        lines.push(line);
    }
    for problem in &input.view_problems {
        lines.push(format!("  conflict {}", place(input, problem.span)));
    }
    lines
}

/// An item by its number, or a field.
fn step<'t>(node: NodeRef<'t>, name: &str) -> Option<NodeRef<'t>> {
    match name.parse::<usize>() {
        Ok(number) => node.items().nth(number),
        Err(_) => node.get(&name.replace("~1", "/")),
    }
}

fn answer(input: &Input, question: &str) -> String {
    let words: Vec<&str> = question.splitn(5, ' ').collect();
    let [_, kind, name, path, _] = words[..] else {
        panic!("`{question}` is no question");
    };
    let member = input
        .views
        .iter()
        .flat_map(|view| &view.members)
        .find(|member| named(member) == format!("{kind} {name}"));
    let Some(member) = member else {
        return format!("value {kind} {name}: there is none");
    };
    let mut value = Some(member.resource.object());
    for field in path.split('/') {
        value = value.and_then(|node| step(node, field));
    }
    let Some(value) = value else {
        return format!("value {kind} {name} {path}: there is none");
    };
    let at = place(input, value.span());
    format!("value {kind} {name} {path} = {} at {at}", value.text())
}

fn lines(input: &Input, questions: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for view in &input.views {
        lines.extend(described(input, view));
    }
    for unread in &input.unread {
        lines.push(format!("not analysed {}: {}", unread.path, unread.reason));
    }
    for problem in &input.loaded.problems {
        let at = place(input, problem.span);
        lines.push(format!(
            "problem {} {at}: {}",
            problem.kind.id(),
            problem.message
        ));
    }
    let questions = questions.iter().filter(|line| line.starts_with("value "));
    lines.extend(questions.map(|question| answer(input, question)));
    lines
}

#[test]
fn sources_form_the_views_that_are_applied() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases found", cases.len());
    let mut wrong = Vec::new();
    for path in cases {
        let (files, expected) = case(&path);
        let input = read_texts(&files, Assumptions::default());
        let actual = lines(&input, &expected);
        if actual != expected {
            let (name, actual, expected) = (path.display(), actual.join("\n"), expected.join("\n"));
            wrong.push(format!(
                "{name}\n-- actual\n{actual}\n-- expected\n{expected}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_the_files_does_not_show() {
    for path in cases() {
        let (mut files, expected) = case(&path);
        let shown = |files: &[(String, String)]| {
            let input = read_texts(files, Assumptions::default());
            let mut lines = lines(&input, &expected);
            lines.sort();
            lines
        };
        let forwards = shown(&files);
        files.reverse();
        assert_eq!(forwards, shown(&files), "{}", path.display());
    }
}
