//! A tree against the cluster it was applied to: `testdata/drift/export`. The export is what `tests/drift_export/export.py` makes of the
//! tree by the API server's defaulting; the script names upstream's source of each default.

use std::path::Path;

use meshgov::query::diff::DiffReport;

use crate::case::{self, Files};

fn side(file: &str, edit: impl Fn(String) -> String) -> Files {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/drift/export");
    let text = std::fs::read_to_string(path.join(file)).unwrap();
    Files::from([(file.to_owned(), edit(text))])
}

fn tree() -> Files {
    side("tree.yaml", |text| text)
}

fn cluster() -> Files {
    side("cluster.yaml", |text| text)
}

fn lines(report: &DiffReport) -> Vec<String> {
    let changes = report.changes.iter();
    let mut lines: Vec<String> = changes.map(|c| case::line(report, c)).collect();
    lines.sort();
    lines
}

#[test]
fn an_unchanged_tree_does_not_drift() {
    for (base, head) in [(tree(), cluster()), (cluster(), tree())] {
        let report = case::diff(&base, &head);
        assert_eq!(lines(&report), [""; 0]);
        assert_eq!((report.edges.ports, report.edges.undecided), (4, 0));
        let aside = &report.aside;
        let only: Vec<&str> = aside.not_in_tree.iter().map(String::as_str).collect();
        assert_eq!(only, ["default", "kube-system"]);
        assert!(aside.not_exported.is_empty() && aside.alike.is_empty());
    }
}

/// One edit in the cluster, and exactly what it changes.
const EDITS: &[(&str, &str, &[&str])] = &[
    // Scaled and restarted by hand: nothing that a mesh reads.
    (
        "    replicas: 1\n    revisionHistoryLimit: 10\n    selector:\n      matchLabels:\n        app: chat\n",
        "    replicas: 7\n    revisionHistoryLimit: 10\n    selector:\n      matchLabels:\n        app: chat\n",
        &[],
    ),
    (
        "      mode: STRICT\n",
        "      mode: PERMISSIVE\n",
        &[
            "widened transport ml/llm:8000: strict -> permissive | base tree.yaml:101, head cluster.yaml:876",
        ],
    ),
    (
        "          - cluster.local/ns/apps/sa/chat\n",
        "          - cluster.local/ns/apps/sa/chat\n          - cluster.local/ns/apps/sa/default\n",
        &[
            "widened access ml/llm:8000: identities sa:apps/chat -> namespaces sa:apps/chat sa:apps/default {+apps/shell} | head cluster.yaml:33",
        ],
    ),
    // The network carries whom the mesh turns away: nobody more gets in.
    (
        "    - from:\n      - namespaceSelector:\n          matchLabels:\n            kubernetes.io/metadata.name: apps\n      ports:\n",
        "    - ports:\n",
        &[],
    ),
    // The API server took the node port back, so the default `type` and the allocated port are no news.
    (
        "    type: NodePort\n",
        "    type: ClusterIP\n",
        &[
            "narrowed exposure apps/chat:8080: node-port; route port 80 for chat.example.com by gateway apps/public, tls none -> route port 80 for chat.example.com by gateway apps/public, tls none | base tree.yaml:36, head cluster.yaml:1624",
        ],
    ),
    // Somebody switched the proxy off in the cluster.
    (
        "    labels:\n      istio-injection: enabled\n      kubernetes.io/metadata.name: ml\n",
        "    labels:\n      istio-injection: disabled\n      kubernetes.io/metadata.name: ml\n",
        &[
            "changed client ml/llm:80: mtls -> broken {2 clients} | base tree.yaml:3, head cluster.yaml:767",
            "widened access ml/llm:8000: identities sa:apps/chat -> namespaces ns:apps, past any proxy {-apps/chat} | base tree.yaml:3, head cluster.yaml:767",
            "widened grade ml/llm: C W4 U- O0 B0 K- -> F W0 U- O0 B0 K- | base tree.yaml:3, head cluster.yaml:767",
            "widened membership ml/llm: sidecar -> none | base tree.yaml:3, head cluster.yaml:767",
            "widened transport ml/llm:8000: strict -> plaintext (unmeshed) | base tree.yaml:3, head cluster.yaml:767",
        ],
    ),
];

#[test]
fn one_edit_in_the_cluster_is_all_that_is_reported() {
    let mut wrong = Vec::new();
    for (old, new, expected) in EDITS {
        let head = side("cluster.yaml", |text| {
            assert_eq!(text.matches(old).count(), 1, "{old}");
            text.replacen(old, new, 1)
        });
        let report = case::diff(&tree(), &head);
        let found = lines(&report);
        if found != *expected {
            wrong.push(format!(
                "{new}\n  expected {expected:#?}\n  found {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_not_exported_is_named_and_not_reported_as_gone() {
    let without = |kind: &str| {
        side("cluster.yaml", |text| {
            let (text, tail) = text.split_once("\nkind: List\n").unwrap();
            let items: Vec<&str> = text.split("\n- ").collect();
            let is_other = |item: &&&str| !item.contains(&format!("\n  kind: {kind}\n"));
            let kept: Vec<&str> = items.iter().filter(is_other).copied().collect();
            assert!(kept.len() < items.len(), "{kind}");
            format!("{}\nkind: List\n{tail}", kept.join("\n- "))
        })
    };
    for (kind, undecided) in [
        ("AuthorizationPolicy", true),
        ("PeerAuthentication", true),
        ("Service", false),
        ("StatefulSet", false),
        ("Namespace", true),
    ] {
        let report = case::diff(&tree(), &without(kind));
        assert_eq!(lines(&report), [""; 0], "{kind}");
        let named: Vec<&String> = report.aside.not_exported.iter().collect();
        assert_eq!(named, [kind], "{kind}");
        assert_eq!(report.edges.undecided > 0, undecided, "{kind}");
    }
}

#[test]
fn an_export_of_one_namespace_is_compared_with_it() {
    let head = side("cluster.yaml", |text| {
        let items: Vec<&str> = text.split("\n- ").collect();
        let is_of_ml = |item: &&&str| {
            item.contains("\n    namespace: ml\n")
                || item.contains("\n      kubernetes.io/metadata.name: ml\n")
                || !item.contains("\n  kind: ")
        };
        let kept: Vec<&str> = items.iter().filter(is_of_ml).copied().collect();
        kept.join("\n- ")
    });
    let report = case::diff(&tree(), &head);
    assert_eq!(lines(&report), [""; 0]);
    assert!(report.aside.not_exported.contains("namespace apps"));
    assert!(report.aside.not_exported.contains("namespace ops"));
}
