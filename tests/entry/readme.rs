//! The README says what the program prints.

use std::fs;
use std::path::{Path, PathBuf};

use super::{meshgov, text};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Findings that the README shows in full.
const SHOWN: usize = 3;

/// The transcript of a human report as the README trims it: the opening line, the first findings, three dots for the others,
/// and everything from the counts on.
fn trimmed(printed: &str) -> String {
    let blocks: Vec<&str> = printed.split("\n\n").collect();
    let counts = blocks
        .iter()
        .position(|block| {
            block
                .split(' ')
                .nth(1)
                .is_some_and(|w| w.starts_with("finding"))
        })
        .unwrap();
    assert!(counts > 1 + SHOWN, "{printed}");
    let mut shown = blocks[..=SHOWN].to_vec();
    shown.push("...");
    shown.extend(&blocks[counts..]);
    shown.join("\n\n")
}

/// The name of the temporary folder is another one in each run.
fn with_fixed_folder(printed: &str) -> String {
    let Some(at) = printed.find("/meshgov-demo-") else {
        return printed.to_owned();
    };
    let from = printed[..at].rfind(' ').unwrap() + 1;
    let to = printed[at..].find(['.', '\n']).unwrap() + at;
    printed.replace(&printed[from..to], "/tmp/meshgov-demo-AbCdEf")
}

/// `UPDATE_DOCS=1` rewrites the transcript; read the change like a patch.
#[test]
fn the_transcript_is_what_the_demo_prints() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let open = "```console\n$ meshgov demo\n";
    let (before, rest) = readme.split_once(open).unwrap();
    let (shown, after) = rest.split_once("```\n").unwrap();
    let cwd = tempfile::tempdir().unwrap();
    let printed = text(&meshgov(&["demo"], cwd.path()));
    let expected = trimmed(&with_fixed_folder(&printed));
    if shown != expected && std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{open}{expected}```\n{after}")).unwrap();
    }
    assert_eq!(
        shown, expected,
        "README.md does not show what `meshgov demo` prints"
    );
}

/// Every relative link of the hand-written pages leads to a file.
#[test]
fn links_lead_somewhere() {
    let mut pages: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
    ]
    .iter()
    .map(|name| root().join(name))
    .collect();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            pages.push(path);
        }
    }
    let mut broken = Vec::new();
    for page in pages {
        let content = fs::read_to_string(&page).unwrap();
        for target in content
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap();
            let is_relative = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            if is_relative && !page.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
