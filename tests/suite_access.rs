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
