//! `cargo bench --bench check [-- OBJECTS…]`: on generated trees, in one run: granit's bare event loop, our parse, the whole
//! check, and PyYAML's C loader where Python has it. User CPU and peak memory of each; ratios are what counts.
//!
//! Every measurement is a process of its own. Linux only: CPU times and peaks come from /proc.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a benchmark may stop on a surprise"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

// The program's own allocator, so that parse and check are measured alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["task", "events", dir] => events(Path::new(dir)),
        ["task", "parse", dir] => parse(Path::new(dir)),
        sizes => compare(sizes),
    }
}

fn compare(sizes: &[&str]) {
    let sizes: Vec<usize> = match sizes {
        [] => vec![1_000, 10_000, 100_000],
        given => given
            .iter()
            .map(|s| s.parse().expect("a number of objects"))
            .collect(),
    };
    let me = std::env::current_exe().unwrap();
    let meshgov = env!("CARGO_BIN_EXE_meshgov");
    for objects in sizes {
        let (_keep, dir) = tree(objects);
        let dir_text = dir.to_str().unwrap();
        let (files, bytes) = manifests(&dir).iter().fold((0, 0), |(n, b), p| {
            (n + 1, b + std::fs::metadata(p).unwrap().len())
        });
        println!(
            "\n{objects} objects, {files} files, {:.1} MB",
            megabytes(bytes)
        );
        let events = measure(
            "granit events",
            Command::new(&me).args(["task", "events", dir_text]),
        );
        let parse = measure(
            "our parse",
            Command::new(&me).args(["task", "parse", dir_text]),
        );
        let check = measure(
            "whole check",
            Command::new(meshgov).args([
                "check",
                "--no-config",
                "--exit-zero",
                "--no-progress",
                "--format",
                "json",
                dir_text,
            ]),
        );
        let load = "import sys,glob,yaml\nfor f in glob.glob(sys.argv[1]+'/**/*.yaml',recursive=True):\n    list(yaml.load_all(open(f,'rb'),Loader=yaml.CSafeLoader))";
        let pyyaml = measure(
            "PyYAML C load",
            Command::new("python3").args(["-c", load, dir_text]),
        );
        if let (Some(events), Some(parse), Some(check)) = (events, parse, check) {
            println!(
                "  check / parse {:.2}   parse / events {:.2}   check / events {:.2}   {:.0} objects per CPU second",
                check / parse,
                parse / events,
                check / events,
                as_f64(objects) / check
            );
            if let Some(pyyaml) = pyyaml {
                println!("  PyYAML / check {:.2}", pyyaml / check);
            }
            let edited = edited(&dir);
            let diff = measure(
                "diff of 10 files",
                Command::new(meshgov)
                    .args([
                        "diff",
                        "--no-config",
                        "--fail-on",
                        "never",
                        "--format",
                        "json",
                    ])
                    .args([Path::new("--base"), &dir, Path::new("--head"), &edited]),
            );
            if let Some(diff) = diff {
                println!("  diff / check {:.2}", diff / check);
            }
        }
    }
}

/// A copy of a tree beside it, in which ten files differ: a mode, a principal, a label here and there.
fn edited(dir: &Path) -> PathBuf {
    let copy = dir.with_extension("edited");
    let status = Command::new("cp")
        .args([Path::new("-r"), dir, &copy])
        .status();
    assert!(status.unwrap().success(), "cp failed");
    let mut left = 10;
    for path in manifests(&copy) {
        let text = std::fs::read_to_string(&path).unwrap();
        let edits = [
            ("      app: ", "      app: x-"),
            ("mode: STRICT", "mode: PERMISSIVE"),
            ("cluster.local/ns/", "*\", \"cluster.local/ns/"),
        ];
        let Some((old, new)) = edits.get(left % 3).filter(|(old, _)| text.contains(old)) else {
            continue;
        };
        std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
        left -= 1;
        if left == 0 {
            break;
        }
    }
    assert_eq!(left, 0, "too few files to edit");
    copy
}

/// Runs a command to its end; prints and returns its user CPU seconds.
fn measure(name: &str, command: &mut Command) -> Option<f64> {
    let before = children_user_seconds();
    let Ok(mut child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        println!("  {name:14} not to be had here");
        return None;
    };
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(peak_memory_kib(child.id()));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(4)),
        }
    };
    let user = children_user_seconds() - before;
    if !status.success() {
        println!("  {name:14} failed ({status})");
        return None;
    }
    println!(
        "  {name:14} {user:8.2} s user   {:7.0} MiB peak",
        as_f64(peak_kib) / 1024.0
    );
    Some(user)
}

/// User CPU seconds of children that ended: field 16 of /proc/self/stat, in ticks of 1/100 s.
fn children_user_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[13].parse::<f64>().unwrap() / 100.0
}

fn peak_memory_kib(pid: u32) -> usize {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()
        .and_then(|s| {
            s.lines().find_map(|l| {
                l.strip_prefix("VmHWM:")?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse()
                    .ok()
            })
        })
        .unwrap_or(0)
}

fn events(dir: &Path) {
    let mut count = 0usize;
    for path in manifests(dir) {
        let text = std::fs::read_to_string(path).unwrap();
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(true);
        count += granit_parser::Parser::new_from_str_with_options(&text, options)
            .filter(Result::is_ok)
            .count();
    }
    assert!(count > 0);
}

fn parse(dir: &Path) {
    let mut sources = meshgov::source::Sources::default();
    let mut nodes = 0;
    for path in manifests(dir) {
        let source = sources.add(
            path.to_str().unwrap(),
            std::fs::read_to_string(&path).unwrap(),
        );
        nodes += meshgov::yaml::parse(&source).tree.len();
    }
    assert!(nodes > 0);
}

fn manifests(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A tree of about this many objects: the corpus generator's where it stands beside the repository, else our own.
fn tree(objects: usize) -> (tempfile::TempDir, PathBuf) {
    let keep = tempfile::tempdir().unwrap();
    let generator = Path::new("../shared/corpus/gen.py");
    if generator.exists() {
        let out = keep.path().join("mesh");
        let status = Command::new("python3")
            .arg(generator)
            .args(["--objects", &objects.to_string(), "--seed", "7", "--out"])
            .arg(&out)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "gen.py failed");
        return (keep, out.join("tree"));
    }
    let dir = keep.path().to_owned();
    for service in 0..objects.div_ceil(5) {
        let folder = dir.join(format!("team-{}", service / 40));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join(format!("service-{service}.yaml")),
            service_manifests(service),
        )
        .unwrap();
    }
    (keep, dir)
}

/// Five objects of one service.
fn service_manifests(n: usize) -> String {
    let namespace = format!("team-{}", n / 40);
    let name = format!("service-{n}");
    let meta = format!(
        "metadata:\n  name: {name}\n  namespace: {namespace}\n  labels:\n    app.kubernetes.io/name: {name}\n    app.kubernetes.io/part-of: {namespace}\n"
    );
    let mut text = String::new();
    let _ = write!(
        text,
        "apiVersion: apps/v1\nkind: Deployment\n{meta}spec:\n  replicas: {}\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n      serviceAccountName: {name}\n      containers:\n        - name: app\n          image: registry.example.com/{namespace}/{name}:1.{n}.0\n          args: [serve, --port=8080]\n          env:\n            - name: LOG_LEVEL\n              value: info\n          ports:\n            - name: http\n              containerPort: 8080\n          resources:\n            requests:\n              cpu: 100m\n              memory: 128Mi\n",
        n % 5 + 1
    );
    let _ = write!(text, "---\napiVersion: v1\nkind: ServiceAccount\n{meta}");
    let _ = write!(
        text,
        "---\napiVersion: v1\nkind: Service\n{meta}spec:\n  selector:\n    app: {name}\n  ports:\n    - name: http\n      port: 80\n      targetPort: http\n"
    );
    let _ = write!(
        text,
        "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\n{meta}spec:\n  selector:\n    matchLabels:\n      app: {name}\n  mtls:\n    mode: {}\n",
        if n.is_multiple_of(50) {
            "PERMISSIVE"
        } else {
            "STRICT"
        }
    );
    let _ = write!(
        text,
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n{meta}spec:\n  selector:\n    matchLabels:\n      app: {name}\n  rules:\n    - from:\n        - source:\n            principals:\n              - cluster.local/ns/{namespace}/sa/service-{}\n      to:\n        - operation:\n            methods: [GET, POST]\n",
        n + 1
    );
    text
}

#[expect(clippy::cast_precision_loss, reason = "counts for a ratio")]
fn as_f64(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
