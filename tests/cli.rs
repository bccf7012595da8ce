//! The command line as people type it: each folder of `testdata/cli` holds files and a `transcript` of commands with what
//! they print. `UPDATE_TRANSCRIPTS=1` rewrites them; read the change like a patch.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use meshgov::cli::{Io, run};

/// Runs one command line; stdout, then stderr, then the exit code when it is not 0.
fn output(line: &str, cwd: &Path) -> String {
    let (line, input) = match line.split_once(" < ") {
        Some((line, file)) => (line, std::fs::read(cwd.join(file)).unwrap()),
        None => (line, Vec::new()),
    };
    let (mut out, mut err, mut stdin) = (Vec::new(), Vec::new(), input.as_slice());
    let code = run(
        words(line).into_iter().map(OsString::from),
        &mut Io {
            out: &mut out,
            err: &mut err,
            stdin: &mut stdin,
            cwd: cwd.to_owned(),
            env: |_| None,
            today: "2026-11-24".into(),
            terminal_out: false,
            terminal_err: false,
        },
    );
    let mut text = String::from_utf8(out).unwrap();
    text.push_str(&String::from_utf8(err).unwrap());
    if code != 0 {
        let _ = writeln!(text, "[exit {code}]");
    }
    text
}

/// Splits like a shell: blanks, `'…'` and `"…"`.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, ' ') => words.push(String::new()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cli");
    let mut cases: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// A copy outside the repository, so that paths are relative to the case.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn transcripts() {
    let mut wrong = String::new();
    for case in cases() {
        let file = case.join("transcript");
        let expected = std::fs::read_to_string(&file).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cwd = folder.path().canonicalize().unwrap();
        copy(&case, &cwd);
        // The case is a repository of its own: nothing above it counts.
        std::fs::create_dir(cwd.join(".git")).unwrap();
        std::fs::remove_file(cwd.join("transcript")).unwrap();
        let mut actual = String::new();
        for line in expected.lines() {
            if line.starts_with('#') && !actual.contains('$') {
                let _ = writeln!(actual, "{line}");
            }
            if let Some(command) = line.strip_prefix("$ ") {
                let _ = write!(actual, "$ {command}\n{}", output(command, &cwd));
            }
        }
        if actual != expected {
            if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
                std::fs::write(&file, &actual).unwrap();
            }
            let _ = writeln!(wrong, "== {}\n{actual}", file.display());
        }
    }
    assert!(
        wrong.is_empty(),
        "these transcripts differ; this is what came out:\n{wrong}"
    );
}

#[test]
fn help_is_no_error_and_a_wrong_flag_is() {
    let cwd = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(output("meshgov --help", cwd).contains("Check manifests against the rules"));
    let wrong = output("meshgov check --selct x", cwd);
    assert!(
        wrong.contains("--select") && wrong.ends_with("[exit 2]\n"),
        "{wrong}"
    );
}
