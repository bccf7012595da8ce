//! Inputs end to end: which files are read, what becomes of them, which views they form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::fs;
use std::path::{Path, PathBuf};

use meshgov::discover::{DiscoverError, Discovered, Request, discover};
use meshgov::load::problem::ProblemKind;
use meshgov::load::{FileOutcome, Loaded, Skip, load};

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn discover(&self, paths: &[&str]) -> Result<Discovered, DiscoverError> {
        discover(&Request {
            cwd: self.path().to_owned(),
            paths: paths.iter().map(PathBuf::from).collect(),
            stdin_name: None,
        })
    }

    fn load(&self) -> Loaded {
        load(&self.discover(&[]).unwrap(), None)
    }
}

fn shown(found: &Discovered) -> Vec<&str> {
    found.files.iter().map(|f| f.shown.as_str()).collect()
}

fn pod(name: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n")
}

#[test]
fn folders_give_manifests_that_gitignore_does_not_exclude() {
    let dir = Dir::new();
    dir.write("b/x.yml", "")
        .write("a.YAML", "")
        .write("c.json", "{}")
        .write("notes.txt", "")
        .write(".github/w.yaml", "")
        .write(".git/config.yaml", "")
        .write("out/gen.yaml", "")
        .write("b/.gitignore", "*.tmp.yaml\n")
        .write("b/y.tmp.yaml", "")
        .write(".gitignore", "out/\n");
    let found = dir.discover(&[]).unwrap();
    assert_eq!(
        shown(&found),
        [".github/w.yaml", "a.YAML", "b/x.yml", "c.json"]
    );
    let named = dir.discover(&["out/gen.yaml", "notes.txt"]).unwrap();
    assert_eq!(shown(&named), ["notes.txt", "out/gen.yaml"]);
    assert!(named.files.iter().all(|f| f.named));
}

#[test]
fn the_order_and_overlap_of_paths_change_nothing() {
    let dir = Dir::new();
    dir.write("a/x.yaml", "").write("a/b/y.yaml", "");
    let forward = dir.discover(&["a", "a/b", "a/b/y.yaml"]).unwrap();
    let backward = dir.discover(&["./a/b/y.yaml", "a/b/", "a/../a"]).unwrap();
    assert_eq!(forward.files, backward.files);
    assert_eq!(forward.roots, backward.roots);
    assert_eq!(shown(&forward), ["a/b/y.yaml", "a/x.yaml"]);
    assert_eq!(forward.files[0].roots, [0, 1, 2]);
    assert!(matches!(
        dir.discover(&["nope"]),
        Err(DiscoverError::Missing(_))
    ));
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_the_tree_and_reported_elsewhere() {
    use std::os::unix::fs::symlink;
    let outside = Dir::new();
    outside
        .write("secret.yaml", pod("out"))
        .write("d/x.yaml", "");
    let dir = Dir::new();
    dir.write("real/a.yaml", pod("a"));
    let link = |to: &str, at: &str| symlink(to, dir.path().join(at)).unwrap();
    link("real/a.yaml", "same.yaml");
    link("nowhere.yaml", "broken.yaml");
    link("loop.yaml", "loop.yaml");
    link("..", "real/up");
    link(
        outside.path().join("secret.yaml").to_str().unwrap(),
        "out.yaml",
    );
    link(outside.path().join("d").to_str().unwrap(), "outd");
    let loaded = dir.load();
    let says: Vec<(&str, &str)> = loaded
        .problems
        .iter()
        .map(|p| {
            assert_eq!(p.kind, ProblemKind::Link);
            let file = &loaded.files[p.span.source.0 as usize];
            (file.source.path.as_str(), p.message.as_str())
        })
        .collect();
    let paths: Vec<&str> = says.iter().map(|s| s.0).collect();
    assert_eq!(
        paths,
        ["broken.yaml", "loop.yaml", "out.yaml", "outd", "real/up"]
    );
    assert!(says[0].1.contains("does not exist"));
    assert!(says[1].1.contains("leads back"));
    assert!(says[2].1.contains("leaves the tree"));
    assert!(says[3].1.contains("leaves the tree"));
    assert!(says[4].1.contains("leads back"));
    assert_eq!(loaded.ledger().objects, 2);
    // A folder outside a named one but inside the repository is read through its link.
    let below = Dir::new();
    below
        .write(".git/HEAD", "")
        .write("base/b.yaml", pod("b"))
        .write("prod/p.yaml", pod("p"));
    symlink("../base", below.path().join("prod/base")).unwrap();
    assert_eq!(
        shown(&below.discover(&["prod"]).unwrap()),
        ["prod/base/b.yaml", "prod/p.yaml"]
    );
    assert_eq!(
        shown(&below.discover(&["."]).unwrap()),
        ["base/b.yaml", "prod/p.yaml"]
    );
}

#[test]
fn every_file_is_accounted_for() {
    let dir = Dir::new();
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(pod("wide").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    dir.write(
        "bom.yaml",
        [b"\xef\xbb\xbf", pod("bom").as_bytes()].concat(),
    )
    .write(
        "broken.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x\n",
    )
    .write("comment.yaml", "# nothing\n")
    .write("crlf.yaml", pod("crlf").replace('\n', "\r\n"))
    .write("data.yaml", "replicas: 3\n")
    .write("empty.yaml", "")
    .write(
        "helm.yaml",
        format!("{}spec: {{{{ toYaml .x }}}}\n  a: b\n", pod("t")),
    )
    .write("latin1.yaml", b"apiVersion: v1\nkind: Pod # \xe9\n")
    .write("package.json", "{\"name\": \"x\", // not JSON\n}")
    .write("prose.yml", "a: b: c: [\n")
    .write(
        "data-braces.yaml",
        format!("{}spec: {{a: '{{{{.Name}}}}'}}\n", pod("braces")),
    )
    .write("utf16.yaml", utf16);
    let loaded = dir.load();
    let outcome = |path: &str| {
        let file = loaded.files.iter().find(|f| f.source.path == path).unwrap();
        file.outcome.clone()
    };
    for path in ["bom.yaml", "crlf.yaml", "data-braces.yaml", "utf16.yaml"] {
        assert_eq!(outcome(path), FileOutcome::Read(1), "{path}");
    }
    for path in ["comment.yaml", "data.yaml", "empty.yaml", "package.json"] {
        assert_eq!(outcome(path), FileOutcome::Read(0), "{path}");
    }
    assert_eq!(outcome("broken.yaml"), FileOutcome::Broken(0));
    let reason = |path| match outcome(path) {
        FileOutcome::Skipped { reason, .. } => reason,
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(reason("helm.yaml"), Skip::Template);
    assert_eq!(reason("latin1.yaml"), Skip::Unreadable);
    assert!(matches!(reason("prose.yml"), Skip::NotYaml(_)));
    let problems: Vec<(ProblemKind, u32)> = loaded
        .problems
        .iter()
        .map(|p| (p.kind, p.span.source.0))
        .collect();
    let number = |path: &str| {
        loaded
            .files
            .iter()
            .find(|f| f.source.path == path)
            .unwrap()
            .source
            .id
            .0
    };
    assert_eq!(
        problems,
        [
            (ProblemKind::Unparsable, number("broken.yaml")),
            (ProblemKind::Unreadable, number("latin1.yaml"))
        ]
    );
    let ledger = loaded.ledger();
    assert_eq!(
        (
            ledger.files,
            ledger.with_objects,
            ledger.without_objects,
            ledger.broken,
            ledger.skipped
        ),
        (12, 4, 4, 1, 3)
    );
}

#[test]
fn lists_give_their_items() {
    let dir = Dir::new();
    dir.write(
        "a.json",
        r#"{"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},
          {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}}]},
          {"kind": "Pod", "metadata": {"name": "half"}}]}"#,
    )
    .write(
        "b.yaml",
        "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: c}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: d}\n",
    )
    .write("c.yaml", "apiVersion: x.io/v1\nkind: AllowList\nmetadata: {name: e}\nitems: [1]\n");
    let loaded = dir.load();
    let found: Vec<String> = loaded
        .resources
        .iter()
        .map(|r| format!("{} {} {}", r.api_version(), r.kind(), r.name))
        .collect();
    assert_eq!(
        found,
        [
            "v1 Pod a",
            "v1 Pod b",
            "apps/v1 Deployment c",
            "v1 Pod d",
            "x.io/v1 AllowList e"
        ]
    );
    let ids: Vec<u32> = loaded.resources.iter().map(|r| r.id.0).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
}

#[test]
fn standard_input_is_a_file_of_its_own_name() {
    let dir = Dir::new();
    let request = Request {
        cwd: dir.path().to_owned(),
        paths: vec!["-".into()],
        stdin_name: Some("k8s\\rendered.yaml".to_owned()),
    };
    let found = discover(&request).unwrap();
    let loaded = load(&found, Some(pod("a").as_bytes()));
    assert_eq!(shown(&found), ["k8s/rendered.yaml"]);
    assert_eq!(loaded.resources[0].name, "a");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_reported_and_a_pipe_in_a_folder_is_not_waited_for() {
    let dir = Dir::new();
    dir.write("gone.yaml", pod("a"));
    let made = std::process::Command::new("mkfifo")
        .arg(dir.path().join("pipe.yaml"))
        .status()
        .unwrap();
    assert!(made.success());
    let found = dir.discover(&[]).unwrap();
    fs::remove_file(dir.path().join("gone.yaml")).unwrap();
    let loaded = load(&found, None);
    assert_eq!(shown(&found), ["gone.yaml"]);
    assert_eq!(loaded.problems[0].kind, ProblemKind::Unreadable);
    assert!(loaded.problems[0].message.contains("no such file"));
    assert!(!loaded.problems[0].message.contains("os error"));
}

#[test]
fn a_line_beyond_the_cap_is_a_finding() {
    let dir = Dir::new();
    dir.write("long.yaml", format!("a: {}\n", "x".repeat(17 << 20)));
    let loaded = dir.load();
    assert_eq!(loaded.problems[0].kind, ProblemKind::TooLarge);
    assert_eq!(loaded.ledger().skipped, 1);
}

/// Every place a credential was ever seen in, with one and the same canary.
const CANARIES: &str = r#"
apiVersion: v1
kind: Secret
metadata:
  name: s
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"a":"hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe"}}'
data: {a: aGZfQ0FOQVJZN2tRMm1aeDlMcFd2NFJ0WWI4TmNEZQ==}
stringData:
  b: hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe
  "c": |
    token=hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  config.yaml: |
    model_list:
    - litellm_params: {model: x, api_key: hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe}
  DATABASE_URL: postgres://app:hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe@db/x
  escaped: "{\"password\": \"hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe\"}"
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: app
    # HF_TOKEN=hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe
    command: [run, --hf-token, hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe]
    args: ["--api-key=hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe", "--port=80"]
    env:
    - name: HF_TOKEN
      value: &key hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe
    - name: OTHER
      value: *key
---
apiVersion: v1
kind: Secret
metadata: {name: broken}
stringData:
  a: [hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe
  b: hunter2
"#;

#[test]
fn no_reader_sees_a_credential() {
    let dir = Dir::new();
    dir.write("a.yaml", CANARIES);
    let loaded = dir.load();
    let file = &loaded.files[0];
    assert_eq!(file.outcome, FileOutcome::Broken(3));
    for index in 0..u32::try_from(file.tree.len()).unwrap() {
        let node = file.tree.node(index);
        assert!(!node.text().contains("CANARY"), "{}", node.text());
        assert!(!node.as_str().unwrap_or("").contains("CANARY"));
    }
    for resource in &loaded.resources {
        assert!(!resource.object().to_json().to_string().contains("CANARY"));
    }
    for needle in ["hf_CANARY7kQ2mZx9LpWv4RtYb8NcDe", "aGZfQ0FOQVJZ", "hunter2"] {
        for (at, _) in CANARIES.match_indices(needle) {
            let is_masked = loaded
                .secrets
                .iter()
                .any(|span| (span.start as usize) <= at && at < span.end as usize);
            assert!(is_masked, "byte {at}: {}", &CANARIES[at - 20..at]);
        }
    }
    let args = loaded.resources[2]
        .object()
        .at(&["spec", "containers"])
        .unwrap();
    let arg = args.item(0).unwrap().get("args").unwrap().item(0).unwrap();
    assert_eq!(arg.as_str(), Some("--api-key=[redacted]"));
    assert!(arg.is_secret());
}
