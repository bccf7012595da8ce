//! Parsing speed against granit-parser's bare event loop, in one process: `cargo bench --bench parse [-- PATH…]`.
//! Without a path a tree of Kubernetes objects is generated; with paths, every YAML file below them is read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench, not the product"
)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshgov::source::{SourceFile, SourceId};
use meshgov::yaml::{decode, parse};

const ROUNDS: usize = 7;

fn main() {
    let paths: Vec<PathBuf> = std::env::args_os()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(PathBuf::from)
        .collect();
    let texts = if paths.is_empty() {
        vec![generated(20_000)]
    } else {
        read(paths)
    };
    let sources: Vec<_> = texts
        .into_iter()
        .map(|text| Arc::new(SourceFile::new(SourceId(0), "bench", text)))
        .collect();
    let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
    let (mut events, mut ours) = (Vec::new(), Vec::new());
    let (mut nodes, mut seen) = (0, 0);
    // Interleaved, so that both feel the same machine.
    for _ in 0..ROUNDS {
        let start = Instant::now();
        seen = sources.iter().map(|source| bare_events(&source.text)).sum();
        events.push(start.elapsed());
        let start = Instant::now();
        nodes = sources.iter().map(|source| parse(source).tree.len()).sum();
        ours.push(start.elapsed());
    }
    let (events, ours) = (median(events), median(ours));
    println!(
        "{} files, {bytes} bytes, {nodes} nodes, {seen} events",
        sources.len()
    );
    println!(
        "granit events: {:7.1} MB/s",
        megabytes_a_second(bytes, events)
    );
    println!(
        "our parse:     {:7.1} MB/s",
        megabytes_a_second(bytes, ours)
    );
    println!(
        "ratio:         {:7.3}",
        ours.as_secs_f64() / events.as_secs_f64()
    );
}

fn bare_events(text: &str) -> usize {
    let events = granit_parser::Parser::new_from_str(text);
    events.take_while(Result::is_ok).count()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes_a_second(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

fn read(mut pending: Vec<PathBuf>) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            texts.extend(decode(std::fs::read(&path).unwrap()));
        }
    }
    texts
}

fn generated(objects: usize) -> String {
    let mut text = String::new();
    for n in 0..objects {
        write!(
            text,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{n}\n  namespace: team-{}\n  labels:\n    \
             app.kubernetes.io/name: app-{n}\n    app.kubernetes.io/part-of: \"shop\"\n  annotations:\n    \
             sidecar.istio.io/inject: \"true\" # in the mesh\nspec:\n  replicas: {}\n  selector:\n    matchLabels: \
             {{app: app-{n}}}\n  template:\n    metadata:\n      labels:\n        app: app-{n}\n    spec:\n      \
             serviceAccountName: app-{n}\n      containers:\n      - name: main\n        image: \
             registry.example.com/team/app-{n}:1.2.3\n        args: [\"--port\", \"8080\", --verbose]\n        ports:\n        \
             - name: http\n          containerPort: 8080\n        env:\n        - name: MODEL\n          value: >-\n            \
             hf://meta-llama/Llama-3.1-8B\n            --revision main\n        resources:\n          limits: {{cpu: 500m, \
             memory: 256Mi}}\n        securityContext:\n          runAsNonRoot: true\n",
            n % 50,
            n % 7
        )
        .unwrap();
    }
    text
}
