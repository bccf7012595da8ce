//! L8: the files that `init` writes. Input: what it found; output: their texts.

use std::fmt::Write as _;

use super::found::Found;

pub(super) const WORKFLOW_PATH: &str = ".github/workflows/meshgov.yml";
pub(super) const HOOKS_PATH: &str = ".pre-commit-config.yaml";

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Whether the release workflow built this binary, so that its version can be had elsewhere.
pub(super) const IS_RELEASE: bool = option_env!("MESHGOV_RELEASE").is_some();

pub(super) const UNRELEASED: &str = concat!(
    "note: this is no released build; the hook and the workflow ask for ",
    env!("CARGO_PKG_VERSION"),
    ", and work once that is out\n"
);

/// `meshgov.yaml`: what holds already is written; what the tree suggests can be uncommented (`#key`, prose is `# text`).
pub(super) fn config(found: &Found) -> String {
    let mut text = format!(
        "# Settings of meshgov, {REPOSITORY}\n\
         # `meshgov config schema` prints every key, `meshgov config show` what holds here.\n\
         version: 1\n\
         \n\
         # A run fails on findings of this severity or worse (critical, high, medium, low, note, never) ...\n\
         failOn: high\n\
         # ... that are this certain (high, medium, low). A conclusion from the absence of a file has low confidence.\n\
         failConfidence: medium\n\
         \n\
         # Which files are applied to one cluster together. Without this section meshgov finds out by itself; here it found\n"
    );
    for (name, by) in found.views.iter().take(MOST_VIEWS) {
        let _ = match name.as_str() {
            "." => writeln!(text, "# everything as one."),
            name => writeln!(text, "# - {name} ({by})"),
        };
    }
    if found.views.is_empty() {
        text.push_str("# nothing yet.\n");
    }
    if let Some(more) = found.views.len().checked_sub(MOST_VIEWS).filter(|n| *n > 0) {
        let _ = writeln!(text, "# and {more} more.");
    }
    text.push_str(
        "#views:\n\
         #  production: [clusters/production]\n\
         \n\
         # What lives outside these files. Whatever a conclusion takes for granted is listed with it.\n\
         #assume:\n",
    );
    if found.unset_namespace > 0 {
        let _ = writeln!(
            text,
            "#  defaultNamespace: default    # {} objects name no namespace",
            found.unset_namespace
        );
    }
    if found.meshes.is_empty() {
        text.push_str(
            "#  mesh: istio                  # there is one, although nothing here shows it\n",
        );
    }
    text.push_str(
        "#  complete: [web]              # all objects of these namespaces are here: what is missing is missing\n\
         \n\
         # Findings that are known and accepted; each needs a reason.\n\
         #ignores:\n\
         #  - rule: plaintext-accepted\n\
         #    path: legacy/**\n\
         #    until: 2027-03-31\n\
         #    reason: moves into the mesh with the next release\n",
    );
    text
}

/// Views named in the comment of the config.
const MOST_VIEWS: usize = 20;

/// The entry of `repos:` in a pre-commit config.
pub(super) fn hook_entry() -> String {
    format!("  - repo: {REPOSITORY}\n    rev: v{VERSION}\n    hooks:\n      - id: meshgov\n")
}

/// A whole pre-commit config.
pub(super) fn hooks_file() -> String {
    format!("repos:\n{}", hook_entry())
}

/// The workflow. It installs from PyPI rather than using the action: an action is pinned by the commit of a release, which
/// no binary of that release can know.
pub(super) fn workflow() -> String {
    WORKFLOW
        .replace("@VERSION@", VERSION)
        .replace("@REPOSITORY@", REPOSITORY)
}

const WORKFLOW: &str = r#"name: meshgov
on:
  push:
    branches: [main]
  pull_request:

permissions: {}

concurrency:
  group: meshgov-${{ github.ref }}
  cancel-in-progress: true

jobs:
  check:
    name: check
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      # Findings as annotations and on the summary page. For code scanning use the action instead: @REPOSITORY@#github
      - name: Check
        run: pipx run --spec "meshgov==@VERSION@" meshgov check --format github --format "markdown=$GITHUB_STEP_SUMMARY"
"#;
