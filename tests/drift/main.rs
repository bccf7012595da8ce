//! The posture diff on the cases of testdata/drift: exact changes one way, the mirror image the other way, nothing against itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod case;
mod export;

use std::path::Path;

use case::{Case, Files};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/drift")
}

fn cases() -> Vec<(String, Case)> {
    let world: Files = case::world(&folder().join("world"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder().join("cases")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# "), "{name} says what it shows");
        found.push((name, Case::read(&world, &text)));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn cases_report_exactly_their_changes() {
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let report = case::diff(&case.base, &case.head);
        let mut found: Vec<String> = report
            .changes
            .iter()
            .map(|c| case::line(&report, c))
            .collect();
        let mut expected = case.changes.clone();
        found.sort();
        expected.sort();
        if found != expected {
            let show = |list: &[String]| {
                list.iter()
                    .map(|l| format!("\n    {l}"))
                    .collect::<String>()
            };
            wrong.push(format!(
                "{name}\n  expected{}\n  found{}",
                show(&expected),
                show(&found)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_way_back_is_the_mirror_image() {
    for (name, case) in cases() {
        let there = case::diff(&case.base, &case.head);
        let back = case::diff(&case.head, &case.base);
        let mut expected: Vec<String> = there
            .changes
            .iter()
            .map(|c| case::mirrored(&there, c))
            .collect();
        let mut found: Vec<String> = back.changes.iter().map(|c| case::plain(&back, c)).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{name}");
        let edges = (there.edges.added, there.edges.removed);
        assert_eq!((back.edges.removed, back.edges.added), edges, "{name}");
    }
}

#[test]
fn a_side_against_itself_says_nothing() {
    for (name, case) in cases() {
        for side in [&case.base, &case.head] {
            let report = case::diff(side, side);
            assert!(report.changes.is_empty(), "{name}: {:?}", report.changes);
        }
    }
}

#[test]
fn what_cannot_be_known_on_either_side_is_counted() {
    let (_, case) = cases()
        .into_iter()
        .find(|(name, _)| name == "value-unknown-on-both-sides")
        .unwrap();
    assert_eq!(case::diff(&case.base, &case.head).edges.undecided, 1);
}

/// The comment of the demo pull request as `meshgov diff` prints it.
fn comment() -> String {
    let cwd = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cli/diff");
    let line = "meshgov diff --no-config --base base --head head --format markdown";
    let (mut out, mut err, mut stdin) = (Vec::new(), Vec::new(), &[][..]);
    let code = meshgov::cli::run(
        line.split(' ').map(std::ffi::OsString::from),
        &mut meshgov::cli::Io {
            out: &mut out,
            err: &mut err,
            stdin: &mut stdin,
            cwd,
            env: |_| None,
            today: "2026-11-24".into(),
            terminal_out: false,
            terminal_err: false,
        },
    );
    assert_eq!((code, err.as_slice()), (1, &[][..]));
    String::from_utf8(out).unwrap()
}

/// `UPDATE_DOCS=1` rewrites the pages; read the change like a patch.
#[test]
fn the_pages_show_the_comment_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let comment = comment();
    for page in ["README.md", "docs/drift.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let (open, close) = ("<!-- diff:begin -->\n", "<!-- diff:end -->");
        let (before, rest) = text.split_once(open).unwrap();
        let (shown, after) = rest.split_once(close).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() && shown != comment {
            let text = format!("{before}{open}{comment}{close}{after}");
            std::fs::write(root.join(page), text).unwrap();
        } else {
            assert_eq!(shown, comment, "{page}");
        }
    }
}

#[test]
fn what_is_not_built_is_named_unless_the_trees_are_the_same() {
    let resources = "resources: [deploy.yaml]\nreplacements: [{path: take.yaml}]\n";
    let deploy = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n";
    let files = |data: &str| -> Files {
        [
            ("app/kustomization.yaml", resources.to_owned()),
            ("app/deploy.yaml", format!("{deploy}data: {{a: {data}}}\n")),
        ]
        .map(|(path, text)| (path.to_owned(), text))
        .into()
    };
    let unknown = |base: &Files, head: &Files| case::diff(base, head).aside.unknown.len();
    assert_eq!(unknown(&files("x"), &files("y")), 1);
    assert_eq!(unknown(&files("x"), &files("x")), 0);
}
