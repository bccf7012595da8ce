//! Generated trees. Input: a number of objects or overlays; output: a folder that is removed with the `Tree`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The corpus generator, where it stands beside the repository.
const GENERATOR: &str = "../shared/corpus/gen.py";

/// Objects of the generator's GitOps layout to a leaf overlay.
const OBJECTS_PER_OVERLAY: f64 = 9.3;

/// How a tree is written.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// Objects as they are applied.
    Rendered,
    /// Bases, overlays, components, Flux and Argo CD objects.
    GitOps,
}

/// A tree on disk.
pub(crate) struct Tree {
    _keep: tempfile::TempDir,
    dir: PathBuf,
}

impl Tree {
    /// About this many objects: of the corpus generator where it is to be had, else our own services.
    pub(crate) fn of(objects: usize, layout: Layout, ai: bool) -> Self {
        let keep = tempfile::tempdir().unwrap();
        if Path::new(GENERATOR).exists() {
            let dir = generate(keep.path(), objects, layout, ai);
            return Self { _keep: keep, dir };
        }
        let dir = keep.path().join("tree");
        for service in 0..objects.div_ceil(5) {
            let folder = dir.join(format!("team-{}", service / 40));
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("service-{service}.yaml"));
            std::fs::write(file, service_manifests(service)).unwrap();
        }
        Self { _keep: keep, dir }
    }

    /// About this many leaf overlays; `None` without the generator.
    pub(crate) fn overlays(count: usize) -> Option<Self> {
        if !Path::new(GENERATOR).exists() {
            return None;
        }
        let objects = crate::measure::as_f64(count) * OBJECTS_PER_OVERLAY;
        Some(Self::of(whole(objects), Layout::GitOps, true))
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// Number of files, and megabytes.
    pub(crate) fn size(&self) -> (usize, f64) {
        let files = manifests(&self.dir);
        let bytes: u64 = files
            .iter()
            .map(|p| std::fs::metadata(p).unwrap().len())
            .sum();
        (files.len(), megabytes(bytes))
    }

    /// Kustomizations below a folder `overlays`.
    pub(crate) fn count_overlays(&self) -> usize {
        let is_leaf = |p: &&PathBuf| {
            p.ends_with("kustomization.yaml") && p.components().any(|c| c.as_os_str() == "overlays")
        };
        manifests(&self.dir).iter().filter(is_leaf).count()
    }

    /// A copy beside it, in which ten files differ: a mode, a principal, a label here and there.
    pub(crate) fn edited(&self) -> PathBuf {
        let copy = self.dir.with_extension("edited");
        let status = Command::new("cp")
            .args([Path::new("-r"), &self.dir, &copy])
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
}

fn generate(folder: &Path, objects: usize, layout: Layout, ai: bool) -> PathBuf {
    let out = folder.join("mesh");
    let mut command = Command::new("python3");
    command
        .arg(GENERATOR)
        .args(["--objects", &objects.to_string(), "--seed", "7", "--out"])
        .arg(&out);
    if matches!(layout, Layout::GitOps) {
        command.args(["--layout", "gitops"]);
    }
    if !ai {
        command.args(["--model-share", "0"]);
    }
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "gen.py failed");
    out.join("tree")
}

/// The YAML files below a folder, sorted.
pub(crate) fn manifests(dir: &Path) -> Vec<PathBuf> {
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

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small number of objects"
)]
fn whole(number: f64) -> usize {
    number as usize
}
