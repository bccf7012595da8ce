//! Project trees of `testdata/project`: which views they form, what is repeated, contradictory, open or skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::fs;
use std::path::{Path, PathBuf};

use meshgov::discover::beside::OnDisk;
use meshgov::discover::display::Base;
use meshgov::discover::{Request, discover};
use meshgov::load::{FileOutcome, Loaded, load};
use meshgov::source::Span;
use meshgov::view::build::{ViewSettings, Views, build, views};
use meshgov::view::{Member, Namespace};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(cwd: &Path, paths: &[&str], settings: &ViewSettings) -> (Loaded, Views) {
    let found = discover(&Request {
        cwd: cwd.to_owned(),
        paths: paths.iter().map(PathBuf::from).collect(),
        stdin_name: None,
    })
    .unwrap();
    let mut loaded = load(&found, None);
    let beside = OnDisk::new(&Base::of(cwd));
    let built = build(&mut loaded, &found.roots, &beside, settings);
    let views = views(&loaded, &found.roots, built, settings);
    (loaded, views)
}

fn describe(member: &Member) -> String {
    let (kind, name) = (member.resource.kind(), &member.resource.name);
    match &member.namespace {
        Namespace::Cluster => format!("{kind} {name} (cluster)"),
        Namespace::Named(namespace) => format!("{kind} {namespace}/{name}"),
        Namespace::Unset => format!("{kind} {name}"),
    }
}

fn describe_views(views: &Views) -> Vec<String> {
    let mut lines = Vec::new();
    for view in &views.views {
        let members: Vec<String> = view.members.iter().map(describe).collect();
        let repeated = match view.repeated {
            0 => String::new(),
            n => format!(" (repeated {n})"),
        };
        lines.push(format!(
            "view {}: {}{repeated}",
            view.name,
            members.join(", ")
        ));
        for opaque in &view.opaque {
            let namespace = match opaque.namespace.as_deref() {
                None => "(any)",
                Some("") => "(unset)",
                Some(name) => name,
            };
            lines.push(format!("open {namespace}: {}", opaque.what));
        }
    }
    lines
}

fn describe_all(loaded: &Loaded, views: &Views) -> Vec<String> {
    let place = |span: Span| {
        let file = &loaded.files[span.source.0 as usize].source;
        format!("{}:{}", file.path, file.position(span.start).line)
    };
    let mut lines = describe_views(views);
    for problem in &views.problems {
        let sure = if problem.is_sure { "sure" } else { "unsure" };
        let related: Vec<String> = problem
            .related
            .iter()
            .map(|(span, _)| place(*span))
            .collect();
        lines.push(format!(
            "conflict {sure} {} related {}",
            place(problem.span),
            related.join(", ")
        ));
    }
    for problem in &loaded.problems {
        let path = &loaded.files[problem.span.source.0 as usize].source.path;
        lines.push(format!("problem {} {path}", problem.kind.id()));
    }
    for file in &loaded.files {
        if let FileOutcome::Skipped { reason, .. } = &file.outcome {
            lines.push(format!("skipped {}: {reason}", file.source.path));
        }
    }
    let l = loaded.ledger();
    lines.push(format!(
        "ledger files {}, objects {}, with {}, without {}, broken {}, skipped {}",
        l.files, l.objects, l.with_objects, l.without_objects, l.broken, l.skipped
    ));
    lines
}

#[test]
fn every_project_forms_the_expected_views() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/project");
    let mut folders: Vec<PathBuf> = fs::read_dir(&cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    assert!(folders.len() >= 11);
    for case in folders {
        let dir = tempfile::tempdir().unwrap();
        copy(&case.join("tree"), dir.path());
        let (loaded, views) = run(dir.path(), &[], &ViewSettings::default());
        let text = fs::read_to_string(case.join("expected.txt")).unwrap();
        let expected: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        let mut actual = describe_all(&loaded, &views);
        if !expected.iter().any(|line| line.starts_with("ledger")) {
            actual.retain(|line| !line.starts_with("ledger"));
        }
        assert_eq!(actual, expected, "{}", case.display());
    }
}

fn service(name: &str, port: u16) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: {port}}}]}}\n"
    )
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("base/db.yaml", service("db", 1)),
        ("prod/web.yaml", service("web", 1)),
        ("dev/web.yaml", service("web", 2)),
        ("docs/sample.yaml", service("sample", 1)),
    ] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[test]
fn the_config_names_views_and_the_rest_stays_a_folder() {
    let dir = tree();
    let named = |name: &str, paths: &[&str]| {
        (
            name.to_owned(),
            paths.iter().map(|p| (*p).to_owned()).collect(),
        )
    };
    let settings = ViewSettings {
        named: vec![
            named("production", &["prod", "./base/"]),
            named("both", &["prod", "dev/web.yaml"]),
        ],
        default_namespace: Some("shop".to_owned()),
        ..ViewSettings::default()
    };
    let (_, views) = run(dir.path(), &[], &settings);
    assert_eq!(
        describe_views(&views),
        [
            "view production: Service shop/db, Service shop/web",
            "view both: Service shop/web, Service shop/web",
            "view .: Service shop/sample",
        ]
    );
    // Whoever names both folders in one view says that they are applied together.
    assert_eq!(views.problems.len(), 1);
    assert!(views.problems[0].is_sure);
}

#[test]
fn each_folder_of_the_command_line_is_a_view_and_named_files_go_together() {
    let dir = tree();
    let lines =
        |paths: &[&str]| describe_views(&run(dir.path(), paths, &ViewSettings::default()).1);
    let folders = ["view dev: Service web", "view prod: Service web"];
    assert_eq!(lines(&["prod", "dev"]), folders);
    assert_eq!(lines(&["dev", "prod"]), folders);
    assert_eq!(
        lines(&["prod/web.yaml", "base/db.yaml"]),
        ["view named files: Service db, Service web"]
    );
    assert_eq!(
        lines(&["prod", "base/db.yaml"]),
        ["view prod: Service db, Service web"]
    );
    assert_eq!(
        lines(&["prod", "dev", "base/db.yaml"]),
        [
            "view base/db.yaml: Service db",
            "view dev: Service web",
            "view prod: Service web"
        ]
    );
}
