//! AI assets: every `kind:` line of `testdata/asset` says what the object is: `# asset: CLASS SCORE`, `# possible: CLASS SCORE`, or
//! `# nothing: why`. And the facts of assets reach rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use meshgov::asset::Inventory;
use meshgov::asset::family::FAMILIES;
use meshgov::load;
use meshgov::source::{SourceFile, SourceId};
use meshgov::view::{Member, Namespace, View};

fn view(source: &Arc<SourceFile>) -> View {
    let loaded = load::load_text(source);
    let members = loaded.resources.into_iter().map(|resource| Member {
        namespace: match &resource.namespace {
            Some(name) => Namespace::Named(name.as_str().into()),
            None => Namespace::Unset,
        },
        resource,
    });
    View::new("case".into(), "test".into(), members.collect(), Vec::new())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What each `kind:` line at the start of a line says, by line number; nothing for `# nothing`.
fn expected(text: &str) -> BTreeMap<u32, String> {
    let kinds = (1u32..)
        .zip(text.lines())
        .filter(|(_, l)| l.starts_with("kind:"));
    kinds
        .map(|(number, line)| {
            let (_, says) = line
                .split_once('#')
                .unwrap_or_else(|| panic!("line {number}: {line}"));
            (number, says.trim().to_owned())
        })
        .filter(|(_, says)| !says.starts_with("nothing:"))
        .collect()
}

#[test]
fn every_object_is_what_its_line_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/asset");
    let mut objects = 0;
    let judged = |path: &PathBuf| !path.parent().unwrap().ends_with("scenarios");
    for path in files(&root).into_iter().filter(judged) {
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
        let view = view(&source);
        objects += view.members.len();
        let got: BTreeMap<u32, String> = Inventory::of(&view)
            .assets
            .iter()
            .map(|asset| {
                let kind = asset.resource.object().get("kind").unwrap().span();
                let word = if asset.is_possible() {
                    "possible"
                } else {
                    "asset"
                };
                let says = format!("{word}: {} {:.2}", asset.class.as_str(), asset.score);
                (source.position(kind.start).line, says)
            })
            .collect();
        assert_eq!(got, expected(&text), "{}", path.display());
    }
    assert!(objects > 30, "{objects}");
}

#[test]
fn every_family_has_a_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/asset/families/kinds.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
    let view = view(&source);
    let products: Vec<&str> = Inventory::of(&view)
        .assets
        .iter()
        .map(|a| a.product)
        .collect();
    for family in FAMILIES {
        assert!(products.contains(&family.name), "{}", family.name);
    }
}
