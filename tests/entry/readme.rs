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

/// The pages of prose; `docs/cli.md`, which names rules by a placeholder, is generated.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = [
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
        if path.extension().is_some_and(|e| e == "md") && !path.ends_with("cli.md") {
            paths.push(path);
        }
    }
    paths
        .into_iter()
        .map(|path| {
            let content = fs::read_to_string(&path).unwrap();
            (path, content)
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for (page, content) in pages() {
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

#[test]
fn rules_that_pages_name_exist() {
    let rules = meshgov::rule::RuleSet::builtin().unwrap();
    let mut named = 0;
    for (page, content) in pages() {
        for (open, close) in [("ignore[", ']'), ("meshgov explain ", ' ')] {
            for rest in content.split(open).skip(1) {
                let names = rest.split([close, '\n', '`']).next().unwrap();
                for name in names.split(',').filter(|n| !n.contains("RULE")) {
                    named += 1;
                    assert!(
                        rules.has(name.trim()),
                        "{}: no rule `{name}`",
                        page.display()
                    );
                }
            }
        }
    }
    assert!(named > 3, "the search found {named} names only");
}

/// The fenced YAML blocks of a page that hold a line.
fn yaml_with(page: &str, line: &str) -> Vec<String> {
    let content = fs::read_to_string(root().join(page)).unwrap();
    let blocks = content
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let found: Vec<String> = blocks
        .filter(|block| block.lines().any(|l| l == line))
        .map(ToOwned::to_owned)
        .collect();
    assert!(!found.is_empty(), "{page} has no block with `{line}`");
    found
}

#[test]
fn configs_in_pages_load() {
    let rules = meshgov::rule::RuleSet::builtin().unwrap();
    for page in ["README.md", "docs/configuration.md"] {
        for block in yaml_with(page, "version: 1") {
            let config = meshgov::config::Config::parse(page, &block).unwrap();
            config.overrides(&rules).unwrap();
        }
    }
}

#[test]
fn the_rule_in_the_guide_holds() {
    let folder = tempfile::tempdir().unwrap();
    for block in yaml_with("docs/rules-of-your-own.md", "subject: workload") {
        let name = block.lines().next().unwrap();
        let path = folder.path().join(name.strip_prefix("# ").unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, block).unwrap();
    }
    let output = meshgov(&["test", "policies"], folder.path());
    assert_eq!(
        text(&output),
        "1 rule, 2 examples: all hold\n",
        "{}",
        text(&output)
    );
}
