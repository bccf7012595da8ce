//! SARIF of hard files, held against independent readings: regions cut by Python, line hashes by the oracle of ../shared.
//!
//! The logs stay in `target/tmp/sarif` for `.ci/sarif-check.sh`, which needs npm and PyPI.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

mod report_support;

use std::path::{Path, PathBuf};
use std::process::Command;

use meshgov::facts::{Confidence, Severity};
use meshgov::finding::{NotAnalysed, Outcome, Suppressed};
use meshgov::report::Options;
use report_support::{Builder, finding, related, render, rule, span};

const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/oracles/sarif");

/// Writes the sources and the log, and lets Python hold one against the other; returns what it counted.
fn checked(name: &str, outcome: &Outcome, options: &Options) -> String {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sarif");
    let tree = root.join(name);
    for file in outcome.sources.iter() {
        let path = tree.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
    let log = root.join(format!("{name}.sarif"));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(&log, render(outcome, options, "sarif")).unwrap();
    assert!(
        Path::new(ORACLE).join("line_hash.py").is_file(),
        "no {ORACLE}"
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/sarif_regions.py");
    let run = Command::new("python3")
        .arg("-B")
        .arg(script)
        .args([&log, &tree])
        .arg(ORACLE)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(
        run.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    println!("{text}");
    text
}

fn suppressed_too() -> Options {
    Options {
        suppressed: true,
        ..Options::default()
    }
}

/// Every word of every text flagged, with the word before as its proof.
fn words(files: &[(&str, &str)]) -> Outcome {
    let mut builder = Builder::new();
    let rules = [
        rule("HARD001", "hard", Severity::High, "a `word` stands there"),
        rule(
            "HARD002",
            "harder",
            Severity::Note,
            "a word stands there. Really",
        ),
    ];
    for rule in &rules {
        builder.rule(rule);
    }
    for (path, text) in files {
        let file = builder.source(path, text);
        let mut last = span(&file, 0, 0);
        let (mut start, mut nth) = (0, 0);
        for part in text.split_inclusive([' ', '\t', '\r', '\n', '"']) {
            let word = part.trim_end_matches([' ', '\t', '\r', '\n', '"']);
            let here = span(&file, start, start + word.len());
            start += part.len();
            let message = format!("word {nth} of [it](x) is hard\nto read");
            let found = builder.find(finding(&rules[nth % 2], here, &message));
            found.label = "here [1]".into();
            found.related = vec![related(last, "the word [before](it)"), related(here, "")];
            found.fingerprint = format!("{:032x}", here.start);
            if nth % 5 == 0 {
                found.confidence = Confidence::Low;
                found.assumptions = vec!["nothing [else](y)".into()];
            }
            if nth % 7 == 0 {
                found.suppressed = Some(Suppressed {
                    by: ["comment", "config"][nth % 2].into(),
                    reason: "known".into(),
                    until: None,
                });
            }
            if nth % 11 == 0 {
                builder.outcome.secrets.push(here);
            }
            last = here;
            nth += 1;
        }
        // A region of several lines, and an empty one at the end.
        builder.find(finding(&rules[0], span(&file, 0, text.len()), "whole file"));
        let end = span(&file, text.len(), text.len());
        builder.find(finding(&rules[0], end, "end of file"));
    }
    for n in 0..150 {
        builder.outcome.not_analysed.push(NotAnalysed {
            path: format!("charts/{n:03} %.yaml"),
            reason: "template".into(),
        });
    }
    builder.sorted()
}

#[test]
fn hard_texts_and_paths_keep_their_regions_and_hashes() {
    let long = format!(
        "{{\"a\": \"{}\", \"b\": \"😀 模 é\"}}",
        "x😀".repeat(20_000)
    );
    let repeated = "key: value\n".repeat(120);
    let outcome = words(&[
        ("plain.yaml", "a: 1\nb: two words\n"),
        (
            "模型/emoji 😀.yaml",
            "模型: 值 # 😀 x\nk: 😀😀 \"ü\" e\u{301} z\n",
        ),
        ("crlf.yaml", "a: 1\r\nb: two\r\n\r\nc: x"),
        ("cr.yaml", "a: 1\rb: 2\r"),
        ("tabs and spaces.yaml", "a:\t1\n\t\tb:\t\t2\n   \n"),
        ("100%/#?&+=@[]:;.yaml", "a: 1"),
        ("one-line.json", &long),
        ("repeated.yaml", &repeated),
        ("unreadable.yaml", ""),
        ("separators.yaml", "a: x\u{2028}y\u{85}z\u{b}w\u{c}v\n"),
    ]);
    for (name, options) in [("hard", Options::default()), ("hard-all", suppressed_too())] {
        let counts = checked(name, &outcome, &options);
        assert!(counts.contains(" 0 wrong"));
    }
}

#[test]
fn nothing_found_and_too_much_found_are_valid_too() {
    let counts = checked("empty", &Builder::new().sorted(), &Options::default());
    assert!(counts.starts_with("\nempty.sarif: 0 regions"), "{counts}");
    let text = "key: value\n".repeat(3_000);
    let outcome = words(&[("a.yaml", &text)]);
    let counts = checked("capped", &outcome, &Options::default());
    assert!(counts.contains("5000 line hashes"), "{counts}");
}

#[test]
fn the_tour_is_valid_too() {
    let counts = checked("tour", &report_support::tour(), &suppressed_too());
    assert!(
        counts.contains("(1 redacted, 0 of unreadable files), 5 line hashes, 0 wrong"),
        "{counts}"
    );
}
