//! How much of the corpus is decided: the ports of every view that shows a mesh, bare and with what `meshgov assume` proposes pasted into a
//! config. Input: ../shared/corpus/real; output: a table, and the bars of 60 % and 95 %.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Ports, those whose transport is known, those whose access is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    ports: usize,
    transport: usize,
    access: usize,
}

impl Share {
    fn add(&mut self, other: Self) {
        self.ports += other.ports;
        self.transport += other.transport;
        self.access += other.access;
    }

    /// Percent of answers that are known, rounded down.
    fn percent(self) -> usize {
        (self.transport + self.access) * 100 / (2 * self.ports).max(1)
    }
}

fn repositories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/real");
    let mut found = Vec::new();
    for part in ["plain", "gitops"] {
        for entry in std::fs::read_dir(root.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() >= 20, "{found:?}");
    found
}

fn run(folder: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args(arguments)
        .args(["--format", "json", "--allow-empty"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?} in {}: {}",
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The share over the ports of views with a sign of a mesh.
fn share(report: &Value) -> Share {
    let meshed: Vec<&Value> = report["views"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|view| view["mesh"] != "")
        .map(|view| &view["name"])
        .collect();
    let mut share = Share::default();
    for port in report["ports"].as_array().unwrap() {
        if meshed.contains(&&port["view"]) {
            share.add(Share {
                ports: 1,
                transport: usize::from(port["transport"]["mode"] != "unknown"),
                access: usize::from(port["access"]["level"] != "unknown"),
            });
        }
    }
    share
}

#[test]
fn most_is_decided_bare_and_nearly_all_with_what_is_proposed() {
    let (mut bare, mut settled) = (Share::default(), Share::default());
    for folder in repositories() {
        let before = share(&run(&folder, &["access", "--no-config"]));
        if before.ports == 0 {
            continue;
        }
        let proposed = run(&folder, &["assume", "--no-config"]);
        let config = tempfile::NamedTempFile::new().unwrap();
        // JSON is YAML.
        let text = format!("version: 1\nassume: {}\n", proposed["assume"]);
        std::fs::write(config.path(), text).unwrap();
        let path = config.path().to_str().unwrap();
        let after = share(&run(&folder, &["access", "--config", path]));
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        println!(
            "{name:<50} {:>5} ports  bare {:>3} %  with assume {:>3} %",
            before.ports,
            before.percent(),
            after.percent()
        );
        bare.add(before);
        settled.add(after);
    }
    println!("all: {bare:?} = {} %", bare.percent());
    println!("with assume: {settled:?} = {} %", settled.percent());
    assert!(bare.ports > 1000);
    assert!(bare.percent() >= 60);
    assert!(settled.percent() >= 95);
}

/// One application of the corpus with the question asked of it and what a reader of its manifests found.
struct Transcript {
    file: PathBuf,
    folder: String,
    config: String,
    command: Vec<String>,
    head: String,
    answer: String,
}

/// `folder:`, `config:` and `command:` lines and a verdict, then `---` and the answer.
fn transcripts() -> Vec<Transcript> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/precision/access");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let (head, answer) = text.split_once("---\n").unwrap();
        let line = |name: &str| {
            let found = head.lines().find_map(|l| l.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        Transcript {
            folder: line("folder:"),
            config: line("config:"),
            command: line("command:").split(' ').map(str::to_owned).collect(),
            head: head.to_owned(),
            answer: answer.to_owned(),
            file,
        }
    };
    files.into_iter().map(read).collect()
}

#[test]
fn answers_about_real_applications_are_those_that_were_read_by_hand() {
    let mut wrong = Vec::new();
    let all = transcripts();
    for transcript in &all {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/corpus/real")
            .join(&transcript.folder);
        let config = tempfile::NamedTempFile::new().unwrap();
        let text = format!("version: 1\nassume: {}\n", transcript.config);
        std::fs::write(config.path(), text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_meshgov"))
            .args(&transcript.command)
            .args(["--config", config.path().to_str().unwrap()])
            .current_dir(folder)
            .output()
            .unwrap();
        let name = transcript.file.file_name().unwrap().to_string_lossy();
        let answer = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        println!("{name}: {} lines", answer.lines().count());
        assert!(
            transcript.head.contains("verdict: "),
            "{name} has no verdict"
        );
        if answer != transcript.answer {
            if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
                let text = format!("{}---\n{answer}", transcript.head);
                std::fs::write(&transcript.file, text).unwrap();
            }
            wrong.push(format!("== {name}\n{answer}"));
        }
    }
    assert!(all.len() >= 10);
    assert!(wrong.is_empty(), "these differ:\n{}", wrong.join("\n"));
}
