//! `meshgov init`.

use std::fs;
use std::path::Path;

use meshgov::config::Config;

use super::{meshgov, text};

/// A small repository: Flux, a kustomization, a chart, Istio objects, a model, two objects without namespace.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in [
        (
            "apps/chat.yaml",
            "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: chat, namespace: ml}\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\n",
        ),
        (
            "mesh/policy.yaml",
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, namespace: istio-system}\n",
        ),
        (
            "apps/flux.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n\
             spec: {path: ./elsewhere}\n",
        ),
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        ),
    ] {
        let full = folder.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, content).unwrap();
    }
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

fn written(folder: &Path) -> Vec<&'static str> {
    [
        "meshgov.yaml",
        ".pre-commit-config.yaml",
        ".github/workflows/meshgov.yml",
    ]
    .into_iter()
    .filter(|path| folder.join(path).exists())
    .collect()
}

#[test]
fn it_says_what_it_found_and_writes_three_files_that_load() {
    let folder = repository();
    let output = meshgov(&["init"], &folder.path().join("apps"));
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for line in [
        "read:   5 objects in 4 files",
        "mesh:   Istio (1)",
        "AI:     KServe (1)",
        "tools:  Flux (1), Helm (1)",
        "wrote ../meshgov.yaml",
    ] {
        assert!(printed.lines().any(|l| l == line), "{line}: {printed}");
    }
    assert_eq!(written(folder.path()).len(), 3);

    let config = fs::read_to_string(folder.path().join("meshgov.yaml")).unwrap();
    Config::parse("meshgov.yaml", &config).unwrap();
    // What is commented out is right too: `#key`, prose has a blank after the `#`.
    let all: Vec<String> = config
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') || rest.starts_with("  ") => rest.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let all = Config::parse("meshgov.yaml", &all.join("\n")).unwrap();
    assert_eq!((all.views.len(), all.ignores.len()), (1, 1));
    let assume = all.assume().unwrap();
    assert!(assume.get("complete").is_some() && assume.get("defaultNamespace").is_some());
    assert!(config.contains("# 2 objects name no namespace"), "{config}");

    let check = meshgov(&["check", "--format", "concise"], folder.path());
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));
}

#[test]
fn nothing_is_overwritten() {
    for taken in [
        "meshgov.yaml",
        ".meshgov.yaml",
        ".github/workflows/meshgov.yml",
    ] {
        let folder = repository();
        let full = folder.path().join(taken);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(&full, "# mine\n").unwrap();
        let before = written(folder.path());
        let output = meshgov(&["init"], folder.path());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output).contains(&format!("`{taken}` is there already")));
        assert_eq!(written(folder.path()), before);
        assert_eq!(fs::read_to_string(full).unwrap(), "# mine\n");
    }
}

#[test]
fn hooks_that_exist_are_kept_and_the_entry_is_printed() {
    let folder = repository();
    fs::write(folder.path().join(".pre-commit-config.yaml"), "repos: []\n").unwrap();
    let printed = text(&meshgov(&["init"], folder.path()));
    assert!(
        printed.contains("add to its `repos`:\n\n  - repo: https://"),
        "{printed}"
    );
    let kept = fs::read_to_string(folder.path().join(".pre-commit-config.yaml")).unwrap();
    assert_eq!(
        (kept.as_str(), written(folder.path()).len()),
        ("repos: []\n", 3)
    );
}

#[test]
fn a_dry_run_prints_what_would_be_written() {
    let folder = repository();
    let printed = text(&meshgov(&["init", "--dry-run"], folder.path()));
    assert_eq!(written(folder.path()), Vec::<&str>::new());
    meshgov(&["init"], folder.path());
    for path in written(folder.path()) {
        let content = fs::read_to_string(folder.path().join(path)).unwrap();
        assert!(
            printed.contains(&format!("--- {path}\n{content}")),
            "{path}: {printed}"
        );
    }
}
