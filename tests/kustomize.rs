//! Kustomizations written for this test, against what `kubectl kustomize` prints for them (testdata/kustomize).
//!
//! A case is one file: a comment that says what it shows, the files of the kustomization (`-- path --`, or
//! `-- path < name --` for a copy of testdata/kustomize/shared/name), then what is expected: `-- expected --` and the
//! objects as kubectl 1.32 prints them (`testdata/kustomize/verify.py` compares), or `-- error --` and one line an error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use meshgov::kustomize::{Engine, Files, Options, Outcome, RawFile, YamlFile};
use meshgov::source::{SourceFile, SourceId, Sources, Span};
use meshgov::yaml::{self, Style};
use serde_json::Value;

/// Files in memory.
struct Memory {
    texts: BTreeMap<String, (Arc<SourceFile>, Arc<YamlFile>)>,
    sources: Sources,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Memory {
    fn new<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut sources = Sources::default();
        let texts = files
            .into_iter()
            .map(|(path, text)| {
                let source = sources.add(path, text);
                let parsed = Arc::new(YamlFile::from(yaml::parse(&source)));
                (path.to_owned(), (source, parsed))
            })
            .collect();
        Self {
            texts,
            sources,
            asked: Mutex::default(),
        }
    }

    fn place(&self, span: Span) -> String {
        let file = self.sources.get(span.source).expect("a source of the case");
        let at = file.position(span.start);
        format!("{}:{}:{}", file.path, at.line, at.column)
    }
}

impl Files for Memory {
    fn yaml(&self, path: &str) -> Option<Arc<YamlFile>> {
        let found = self.texts.get(path).map(|(_, parsed)| Arc::clone(parsed))?;
        *self
            .asked
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_default() += 1;
        Some(found)
    }

    fn raw(&self, path: &str) -> Option<Arc<RawFile>> {
        self.texts.get(path).map(|(source, _)| {
            Arc::new(RawFile {
                bytes: source.text.clone().into_bytes(),
                source: Some(Arc::clone(source)),
            })
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/kustomize")
}

/// Name, files and expectation of every case.
fn cases() -> Vec<(String, BTreeMap<String, String>)> {
    let mut cases = Vec::new();
    for group in std::fs::read_dir(folder()).unwrap() {
        let group = group.unwrap().path();
        if !group.is_dir() || group.ends_with("shared") {
            continue;
        }
        for file in std::fs::read_dir(&group).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(folder()).unwrap().display().to_string();
            cases.push((name, sections(&std::fs::read_to_string(&path).unwrap())));
        }
    }
    assert!(cases.len() > 100, "only {} cases found", cases.len());
    cases
}

fn sections(text: &str) -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let header = line
            .trim_end()
            .strip_prefix("-- ")
            .and_then(|l| l.strip_suffix(" --"));
        if let Some(header) = header {
            let (path, copied) = header.split_once(" < ").unwrap_or((header, ""));
            let content = match copied {
                "" => String::new(),
                name => std::fs::read_to_string(folder().join("shared").join(name)).unwrap(),
            };
            sections.insert(path.to_owned(), content);
            current = Some(path.to_owned());
        } else if let Some(current) = &current {
            sections.get_mut(current).unwrap().push_str(line);
        }
    }
    sections
}

fn input(sections: &BTreeMap<String, String>) -> Memory {
    let is_input = |name: &str| name != "expected" && name != "error";
    let files = sections.iter().filter(|(name, _)| is_input(name));
    Memory::new(files.map(|(name, text)| (name.as_str(), text.as_str())))
}

const SHOW: Options = Options {
    show_secrets: true,
    load_anywhere: false,
};

fn yaml_documents(text: &str) -> Vec<Value> {
    let source = Arc::new(SourceFile::new(SourceId(0), "expected", text));
    let parsed = yaml::parse(&source);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let documents = parsed.documents.iter();
    documents
        .map(|d| parsed.tree.node(d.root).to_json())
        .collect()
}

#[test]
fn cases_render_as_kubectl_does_or_fail_at_the_place_that_is_wrong() {
    let mut wrong = Vec::new();
    for (name, sections) in cases() {
        let files = input(&sections);
        let build = Engine::new(&files)
            .build("", SHOW)
            .expect("a kustomization");
        let (actual, expected) = match (&build.outcome, sections.get("error")) {
            (Outcome::Rendered(objects), None) => {
                let actual: Vec<_> = objects.iter().map(|tree| tree.node(0).to_json()).collect();
                (actual, yaml_documents(&sections["expected"]))
            }
            (Outcome::Broken(errors), Some(expected)) => (
                errors
                    .iter()
                    .map(|e| format!("{}: {e}", files.place(e.span)).into())
                    .collect(),
                expected.lines().map(Into::into).collect(),
            ),
            (outcome, _) => {
                wrong.push(format!("{name}: {outcome:?}"));
                continue;
            }
        };
        if actual != expected {
            let print = |v: Vec<Value>| serde_json::to_string_pretty(&v).unwrap();
            wrong.push(format!(
                "{name}: got {} want {}",
                print(actual),
                print(expected)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_value_that_is_taken_over_stands_at_its_span() {
    let mut exact = 0;
    for (name, sections) in cases() {
        let files = input(&sections);
        let build = Engine::new(&files)
            .build("", SHOW)
            .expect("a kustomization");
        let Outcome::Rendered(objects) = build.outcome else {
            continue;
        };
        for tree in objects {
            for index in 0..u32::try_from(tree.len()).unwrap() {
                let node = tree.node(index);
                let span = node.span();
                let file = files.sources.get(span.source).unwrap_or_else(|| {
                    panic!("{name}: {span:?} of `{}` is in no file", node.text())
                });
                let slice = file.slice(span);
                if node.style() == Style::Generated || node.is_map() || node.is_seq() {
                    continue;
                }
                exact += 1;
                let is_alias = slice.starts_with('*');
                let is_quoted = slice.starts_with(['"', '\'']) && slice.len() > 1;
                let inner = if is_quoted {
                    &slice[1..slice.len() - 1]
                } else {
                    slice
                };
                assert!(
                    is_alias || inner == node.text(),
                    "{name}: `{slice}` is not `{}`",
                    node.text()
                );
            }
        }
    }
    assert!(exact > 5000, "only {exact} values compared");
}

fn outcome(files: &[(&str, &str)]) -> (Memory, meshgov::kustomize::Build) {
    let files = Memory::new(files.iter().copied());
    let build = Engine::new(&files)
        .build("", SHOW)
        .expect("a kustomization");
    (files, build)
}

#[test]
fn secrets_are_marked_unless_asked_for() {
    let kustomization = "secretGenerator: [{name: a, literals: [k=canary]}]\n";
    let files = Memory::new([("kustomization.yaml", kustomization)]);
    for (options, value) in [(SHOW, "Y2FuYXJ5"), (Options::default(), "[redacted]")] {
        let build = Engine::new(&files).build("", options).unwrap();
        let Outcome::Rendered(objects) = build.outcome else {
            panic!("{build:?}");
        };
        let json = objects[0].node(0).to_json();
        assert_eq!(json["data"]["k"], value);
        // The hash is over the real value in both cases.
        assert_eq!(json["metadata"]["name"], "a-44h2hb2dkk");
    }
}

#[test]
fn refused_fields_are_named_with_their_places_and_empty_ones_are_not_refused() {
    let base = "helmCharts: [{name: x}]\nresources: [r.yaml]\n";
    let (files, build) = outcome(&[
        (
            "kustomization.yaml",
            "vars:\n- name: X\nconfigurations: []\nresources: [b, https://x.io/y]\n",
        ),
        ("b/kustomization.yaml", base),
        (
            "b/r.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        ),
    ]);
    let Outcome::Refused(refusals) = &build.outcome else {
        panic!("{build:?}");
    };
    let named: Vec<_> = refusals
        .iter()
        .map(|r| format!("{} {} in `{}`", files.place(r.span), r.field, r.folder))
        .collect();
    assert_eq!(
        named,
        [
            "kustomization.yaml:1:1 vars in ``",
            "kustomization.yaml:4:16 remote base in ``",
            "b/kustomization.yaml:1:1 helmCharts in `b`",
            // Alone an empty field would not keep the leaf from being analysed.
            "kustomization.yaml:3:1 configurations in ``",
        ]
    );
    let (_, build) = outcome(&[(
        "kustomization.yaml",
        "vars:\nconfigurations: []\nresources: []\n",
    )]);
    assert!(matches!(build.outcome, Outcome::Rendered(objects) if objects.is_empty()));
}

#[test]
fn every_field_that_is_not_worked_out_is_refused_at_its_name() {
    for (field, value) in [
        (
            "vars",
            "[{name: X, objref: {kind: Service, name: s, apiVersion: v1}}]",
        ),
        ("replacements", "[{path: r.yaml}]"),
        ("configurations", "[c.yaml]"),
        ("crds", "[c.json]"),
        ("openapi", "{path: o.json}"),
        ("transformers", "[t.yaml]"),
        ("generators", "[g.yaml]"),
        ("validators", "[v.yaml]"),
        ("helmCharts", "[{name: c}]"),
        ("helmChartInflationGenerator", "[{chartName: c}]"),
        ("helmGlobals", "{chartHome: c}"),
    ] {
        let text = format!("namespace: shop\n{field}: {value}\n");
        let (files, build) = outcome(&[("kustomization.yaml", &text)]);
        let Outcome::Refused(refusals) = &build.outcome else {
            panic!("{field}: {build:?}");
        };
        let named: Vec<_> = refusals
            .iter()
            .map(|r| (files.place(r.span), r.field.as_str()))
            .collect();
        let place = "kustomization.yaml:2:1".to_owned();
        assert_eq!(named, [(place, field)]);
        // Those that may move an object leave its namespace open as well.
        let is_last = !["transformers", "configurations"].contains(&field);
        assert_eq!(build.namespace.is_some(), is_last, "{field}");
    }
}

#[test]
fn everything_reached_is_consumed_and_read_once_for_many_leaves() {
    let mut texts = vec![
        (
            "base/kustomization.yaml".to_owned(),
            "resources: [r.yaml]\n".to_owned(),
        ),
        (
            "base/r.yaml".to_owned(),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned(),
        ),
    ];
    for leaf in 0..3 {
        let text = "resources: [../../base]\nnamespace: x\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: g, envs: [e]}]\n";
        texts.push((format!("leaf/{leaf}/kustomization.yaml"), text.to_owned()));
        let patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n";
        texts.push((format!("leaf/{leaf}/p.yaml"), patch.to_owned()));
        texts.push((format!("leaf/{leaf}/e"), "A=1\n".to_owned()));
    }
    let files = Memory::new(texts.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let engine = Engine::new(&files);
    for leaf in 0..3 {
        let build = engine.build(&format!("leaf/{leaf}"), SHOW).unwrap();
        assert!(matches!(&build.outcome, Outcome::Rendered(objects) if objects.len() == 2));
        let own = ["e", "kustomization.yaml", "p.yaml"].map(|f| format!("leaf/{leaf}/{f}"));
        let base = ["base/kustomization.yaml", "base/r.yaml"].map(str::to_owned);
        assert_eq!(build.consumed, [base.to_vec(), own.to_vec()].concat());
    }
    assert_eq!(files.asked.lock().unwrap()["base/r.yaml"], 1);
}

#[test]
fn a_base_reached_along_very_many_ways_ends() {
    let mut texts = Vec::new();
    for level in 0..40 {
        let next = level + 1;
        let folder = |level: usize, side: &str| format!("l{level}/{side}");
        let resources = format!("resources: [../../l{next}/a, ../../l{next}/b]\n");
        for side in ["a", "b"] {
            let text = format!("namePrefix: {side}\n{resources}");
            texts.push((format!("{}/kustomization.yaml", folder(level, side)), text));
        }
    }
    for side in ["a", "b"] {
        texts.push((
            format!("l40/{side}/kustomization.yaml"),
            "namePrefix: x\n".to_owned(),
        ));
    }
    let files = Memory::new(texts.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let build = Engine::new(&files).build("l0/a", SHOW).unwrap();
    assert!(
        matches!(&build.outcome, Outcome::Broken(errors) if errors.len() == 1),
        "{build:?}"
    );
}

#[test]
fn a_folder_without_kustomization_is_none_and_two_files_are_an_error() {
    let files = Memory::new([("a/x.yaml", "a: b\n")]);
    assert!(Engine::new(&files).build("a", SHOW).is_none());
    let (files, build) = outcome(&[
        ("kustomization.yaml", "resources: []\n"),
        ("kustomization.yml", "resources: []\n"),
    ]);
    let Outcome::Broken(errors) = &build.outcome else {
        panic!("{build:?}");
    };
    assert_eq!(files.place(errors[0].span), "kustomization.yaml:1:1");
}

#[test]
fn a_patch_value_points_at_the_patch_and_the_rest_at_the_base() {
    let (files, build) = outcome(&[
        (
            "kustomization.yaml",
            "namespace: prod\nnamePrefix: p-\nimages:\n- {name: nginx, newTag: '2'}\nlabels:\n- pairs: {team: a}\nresources: [base]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: web}\n    spec:\n      hostNetwork: true\n      containers:\n      - name: web\n        env: [{name: A, value: 'x'}]\n",
        ),
        ("base/kustomization.yaml", "resources: [r.yaml]\n"),
        (
            "base/r.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1\n    env:\n    - {name: B, value: y}\n",
        ),
    ]);
    let Outcome::Rendered(objects) = &build.outcome else {
        panic!("{build:?}");
    };
    let pod = objects[0].node(0);
    let place = |path: &[&str]| files.place(pod.at(path).unwrap().span());
    assert_eq!(place(&["kind"]), "base/r.yaml:2:7");
    assert_eq!(place(&["metadata", "name"]), "kustomization.yaml:2:13");
    assert_eq!(place(&["metadata", "namespace"]), "kustomization.yaml:1:12");
    assert_eq!(
        place(&["metadata", "labels", "team"]),
        "kustomization.yaml:6:17"
    );
    assert_eq!(place(&["spec", "hostNetwork"]), "kustomization.yaml:14:20");
    let container = pod.at(&["spec", "containers"]).unwrap().item(0).unwrap();
    let at = |node: Option<yaml::NodeRef<'_>>| files.place(node.unwrap().span());
    assert_eq!(at(container.get("image")), "kustomization.yaml:4:25");
    let env = container.get("env").unwrap();
    assert_eq!(
        at(env.item(0).unwrap().get("value")),
        "kustomization.yaml:17:32"
    );
    assert_eq!(at(env.item(1).unwrap().get("value")), "base/r.yaml:9:24");
}

fn broken(files: &[(&str, &str)]) -> String {
    let (_, build) = outcome(files);
    match build.outcome {
        Outcome::Broken(errors) => errors[0].to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn patches_that_would_grow_without_end_are_errors() {
    let pod = (
        "r.yaml",
        "apiVersion: v1\nkind: Foo\nmetadata: {name: a}\nspec: {l: []}\n",
    );
    let run = |operations: String| {
        let patch = "patches:\n- target: {kind: Foo}\n  path: p.yaml\n";
        let kustomization = format!("resources: [r.yaml]\n{patch}");
        broken(&[
            ("kustomization.yaml", &kustomization),
            pod,
            ("p.yaml", &operations),
        ])
    };
    let doubling = "- {op: copy, from: /spec, path: /spec/l/-}\n";
    let deeper = "- {op: add, path: /q, value: {}}\n- {op: move, from: /spec, path: /q/s}\n- {op: move, from: /q, path: /spec}\n";
    assert!(run(doubling.repeat(500)).contains("more than"));
    assert!(run(deeper.repeat(5000)).contains("it nests too deep"));
    let list: String = (0..6000).map(|n| format!("  - {{name: c{n}}}\n")).collect();
    let object = |list: &str| {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n{list}")
    };
    let message = broken(&[
        (
            "kustomization.yaml",
            "resources: [r.yaml]\npatches: [{path: p.yaml}]\n",
        ),
        ("r.yaml", &object(&list)),
        ("p.yaml", &object("  - {name: x}\n")),
    ]);
    assert!(message.contains("more than 5000"), "{message}");
}

#[test]
fn a_tree_tells_its_leaves() {
    let files = Memory::new([
        ("base/kustomization.yaml", "resources: [r.yaml]\n"),
        ("base/r.yaml", ""),
        ("c/kustomization.yaml", "kind: Component\nnamespace: x\n"),
        (
            "over/kustomization.yaml",
            "resources: [../base]\ncomponents: [../c]\n",
        ),
    ]);
    let engine = Engine::new(&files);
    let names = |folder: &str| engine.names(folder).unwrap();
    assert_eq!(names("over").folders, ["base", "c"]);
    assert!(names("base").folders.is_empty() && !names("base").is_component);
    assert!(names("c").is_component);
    assert!(engine.names("none").is_none());
}

#[test]
fn a_file_that_is_no_text_becomes_binary_data() {
    let folder = tempfile::tempdir().unwrap();
    let kustomization = "configMapGenerator: [{name: a, files: [b.bin]}]\n";
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization).unwrap();
    std::fs::write(folder.path().join("b.bin"), [0xff, 0xfe, 0]).unwrap();
    let files = meshgov::kustomize::DiskFiles::new(folder.path(), Sources::default());
    let build = Engine::new(&files).build("", SHOW).unwrap();
    let Outcome::Rendered(objects) = build.outcome else {
        panic!("{build:?}");
    };
    let json = objects[0].node(0).to_json();
    assert_eq!(json["binaryData"]["b.bin"], "//4A");
}
