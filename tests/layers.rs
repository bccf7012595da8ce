//! Imports go downwards only: every `crate::module` in `src` names a module below the one it stands in.
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

/// Modules from the lowest layer to the highest; a module may import those before it. Modules of one row stand side by side.
const LAYERS: &[&[&str]] = &[
    &["source"],
    &["yaml"],
    &["discover"],
    &["shape", "resource"],
    &["secret"],
    &["load"],
    &["kustomize", "render", "pods"],
    &["release"],
    &["view"],
    &["index"],
    &["cel"],
    &["facts"],
    &["topology"],
    &["engine", "asset", "drift"],
    &["rule"],
    &["config"],
    &["finding"],
    &["fingerprint", "suppress", "baseline"],
    &["evaluate"],
    &["query"],
    &["explain"],
    &["report"],
    &["error"],
    &["cli"],
];

/// Folders whose modules know nothing of each other: what they share stands in the file beside the folder, or in these.
const SIBLINGS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("report", &[]),
    (
        "asset",
        &[
            "class",
            "family",
            "governance",
            "inventory",
            "lineage",
            "link",
            "model_ref",
            "model_source",
            "provider",
            "signal",
            "stated",
        ],
    ),
];

fn rank(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|row| row.contains(&module))
        .unwrap_or_else(|| panic!("module `{module}` has no row in LAYERS"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every `crate::a::b` of a file as `[a, b]`, with its line. Test modules at the end of a file may look anywhere.
fn imports(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find("crate::") {
            let boundary = rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            rest = &rest[at + "crate::".len()..];
            let path: Vec<String> = rest
                .split("::")
                .map(|s| {
                    s.chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .collect()
                })
                .take(2)
                .collect();
            if !boundary {
                found.push((number + 1, path));
            }
        }
    }
    found
}

#[test]
fn imports_go_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for path in &paths {
        let below = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        if below == "lib.rs" || below == "main.rs" {
            continue;
        }
        let names: Vec<&str> = below.trim_end_matches(".rs").split('/').collect();
        let own = names[0];
        *seen.entry(own.to_owned()).or_default() += 1;
        let text = std::fs::read_to_string(path).unwrap();
        for (line, import) in imports(&text) {
            let other = import[0].as_str();
            if other.is_empty() || other == "CARGO" {
                continue;
            }
            if other != own && rank(other) >= rank(own) {
                wrong.push(format!(
                    "src/{below}:{line}: `{own}` imports `{other}`, which is not below it"
                ));
            }
            let siblings = SIBLINGS
                .iter()
                .find(|(folder, _)| *folder == own && other == own);
            if let (Some((_, shared)), Some(sub), Some(me)) =
                (siblings, import.get(1), names.get(1))
                && root.join(own).join(format!("{sub}.rs")).exists()
                && sub != me
                && !shared.contains(&sub.as_str())
            {
                wrong.push(format!(
                    "src/{below}:{line}: sibling `{own}::{sub}` is imported"
                ));
            }
        }
    }
    assert!(seen.len() > 10, "the search found too few modules");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_search_finds_imports() {
    let text = "use crate::yaml::{self, Key};\n// use crate::cli::x;\nlet a = crate::source::to_u32(1);\n#[cfg(test)]\nuse crate::cli::y;\n";
    let found = imports(text);
    assert_eq!(found[0], (1, vec!["yaml".into(), String::new()]));
    assert_eq!(found[1].1[0], "source");
    assert_eq!(found.len(), 2);
}
