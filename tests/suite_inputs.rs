//! Every real file of the corpus: read without panic, accounted for, split into views that do not contradict themselves.
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

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use meshgov::discover::beside::OnDisk;
use meshgov::discover::display::Base;
use meshgov::discover::{Request, Root, discover};
use meshgov::load::{FileOutcome, Ledger, Loaded, Skip, load};
use meshgov::view::build::{ViewSettings, build, views};

fn read(folder: &Path) -> (Loaded, Vec<Root>, OnDisk) {
    let request = Request {
        cwd: folder.to_owned(),
        ..Request::default()
    };
    let found = discover(&request).unwrap();
    let loaded = load(&found, None);
    (loaded, found.roots, OnDisk::new(&Base::of(folder)))
}

/// The repositories of one part of the corpus.
fn repositories(part: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(common::shared(&format!("corpus/real/{part}")))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_file_is_accounted_for() {
    let mut total = Ledger::default();
    for part in ["plain", "gitops", "templated", "invalid", "disputed"] {
        for folder in repositories(part) {
            let (loaded, _, _) = read(&folder);
            let on_disk = common::files(&folder, &["yaml", "yml", "json"]).len();
            let l = loaded.ledger();
            assert_eq!(l.files, on_disk, "{}", folder.display());
            assert_eq!(
                l.with_objects + l.without_objects + l.broken + l.skipped,
                l.files
            );
            for file in &loaded.files {
                if let FileOutcome::Skipped { reason, span } = &file.outcome {
                    // What was not analysed says where it stops, but for files that are no text at all.
                    assert!(span.is_some() || *reason == Skip::Unreadable);
                }
            }
            total.files += l.files;
            total.objects += l.objects;
            total.broken += l.broken;
            total.skipped += l.skipped;
        }
    }
    println!("{total:?}");
    assert!(total.files > 4200 && total.objects > 6000);
}

#[test]
fn plain_files_are_read_whole_and_templates_named() {
    for folder in repositories("plain") {
        let l = read(&folder).0.ledger();
        assert_eq!((l.broken, l.skipped), (0, 0), "{}", name(&folder));
    }
    for folder in repositories("templated") {
        let loaded = read(&folder).0;
        assert_eq!(loaded.ledger().objects, 0, "{}", name(&folder));
        for file in &loaded.files {
            // Three Go templates of Argo CD's own configuration happen to be YAML.
            let is_template = matches!(
                &file.outcome,
                FileOutcome::Skipped {
                    reason: Skip::Template,
                    ..
                }
            );
            assert!(
                is_template || file.outcome == FileOutcome::Read(0),
                "{}",
                file.source.path
            );
        }
    }
}

#[test]
fn invalid_files_are_placed() {
    // go-yaml reads these as well, or they are valid and only their content is wrong.
    let accepted = [
        "utf-16/utf-16.yaml",
        "QB6E",
        "DK95-01",
        "9C9N",
        "serviceentry-valid",
        "argocd-source",
        "tab_",
    ];
    let mut read_whole: BTreeSet<String> = BTreeSet::new();
    for folder in repositories("invalid") {
        let loaded = read(&folder).0;
        for file in &loaded.files {
            let path = format!("{}/{}", name(&folder), file.source.path);
            match &file.outcome {
                FileOutcome::Read(_) => {
                    read_whole.insert(path);
                }
                FileOutcome::Skipped { span, .. } => assert!(span.is_some(), "{path}"),
                FileOutcome::Broken(_) => {
                    let problem = loaded
                        .problems
                        .iter()
                        .find(|p| p.span.source == file.source.id);
                    assert!(problem.is_some(), "{path}");
                }
            }
        }
    }
    println!("{read_whole:#?}");
    let unexpected: Vec<&String> = read_whole
        .iter()
        .filter(|path| !accepted.iter().any(|part| path.contains(part)))
        .collect();
    assert_eq!(unexpected, Vec::<&String>::new());
}

#[test]
fn views_contradict_themselves_only_inside_one_folder() {
    for part in ["plain", "gitops"] {
        for folder in repositories(part) {
            let (mut loaded, roots, beside) = read(&folder);
            let found = {
                let settings = ViewSettings::default();
                let built = build(&mut loaded, &roots, &beside, &settings);
                views(&loaded, &roots, built, &settings)
            };
            let members: usize = found.views.iter().map(|view| view.members.len()).sum();
            println!(
                "{} {} objects, {} views, {members} members, {} conflicts",
                name(&folder),
                loaded.resources.len(),
                found.views.len(),
                found.problems.len()
            );
            assert!(members <= 30 * loaded.resources.len());
            let seen: BTreeSet<u32> = found
                .views
                .iter()
                .flat_map(|view| view.members.iter().map(|m| m.resource.id.0))
                .collect();
            let repeated: u32 = found.views.iter().map(|view| view.repeated).sum();
            // Objects of bases are parts of what is built from them, and stand in no view themselves.
            assert!(seen.len() == found.objects || repeated > 0);
            for problem in &found.problems {
                let place = |span: meshgov::source::Span| {
                    loaded.files[span.source.0 as usize].folder().to_owned()
                };
                for (span, _) in &problem.related {
                    assert_eq!(place(*span), place(problem.span), "{}", problem.message);
                }
            }
        }
    }
}

#[test]
fn secrets_of_the_corpus_are_masked_and_placeholders_are_not() {
    // Kind Secret with nothing but references and placeholders, or without data.
    let harmless = [
        "argocd-notifications-secret.yaml",
        "namespace-install.yaml",
        "aigw/ollama.yaml",
        "basic/anthropic.yaml",
        "basic/azure_openai.yaml",
        "basic/cohere.yaml",
        "basic/openai.yaml",
        "basic/tars.yaml",
        "inference-pool/aigwroute.yaml",
        "mcp/mcp_example.yaml",
        "mcp/openai-github.yaml",
        "github-mcp-server/values.yaml",
        "config/manager/manager.yaml",
        "fluid/s3creds.yaml",
        "llmisvc/e2e-gpt-oss/hf-token-secret.yaml",
        "upstream/net-istio.yaml",
        "gateway-invalid-tls-backend-configuration.yaml",
        "ray-service.llm-serve.yaml",
    ];
    let listed = common::read("corpus/real/plain/SECRETS-LIKE.md");
    let listed: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|path| path.contains('/'))
        .collect();
    assert!(listed.len() > 60);
    for folder in repositories("plain") {
        let (loaded, _, _) = read(&folder);
        for file in &loaded.files {
            let path = format!("{}/{}", name(&folder), file.source.path);
            if !listed.contains(&path.as_str()) {
                continue;
            }
            let is_masked = loaded
                .secrets
                .iter()
                .any(|span| span.source == file.source.id);
            let is_harmless = harmless.iter().any(|end| path.ends_with(end));
            assert_eq!(is_masked, !is_harmless, "{path}");
        }
    }
}
