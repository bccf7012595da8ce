//! AI assets: every `kind:` line of `testdata/asset` says what the object is: `# asset: CLASS SCORE`, `# possible: CLASS SCORE`, or
//! `# nothing: why`. And the facts of assets reach rules.
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
use std::sync::Arc;

use meshgov::asset::Inventory;
use meshgov::asset::family::FAMILIES;
use meshgov::load;
use meshgov::source::{SourceFile, SourceId};
use meshgov::view::{Member, Namespace, View};

fn view(source: &Arc<SourceFile>) -> View {
    let loaded = load::load_text(source);
    let members = loaded.resources.into_iter().map(|resource| Member {
        namespace: match &resource.namespace {
            Some(name) => Namespace::Named(name.as_str().into()),
            None => Namespace::Unset,
        },
        resource,
    });
    View::new("case".into(), "test".into(), members.collect(), Vec::new())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What each `kind:` line at the start of a line says, by line number; nothing for `# nothing`.
fn expected(text: &str) -> BTreeMap<u32, String> {
    let kinds = (1u32..)
        .zip(text.lines())
        .filter(|(_, l)| l.starts_with("kind:"));
    kinds
        .map(|(number, line)| {
            let (_, says) = line
                .split_once('#')
                .unwrap_or_else(|| panic!("line {number}: {line}"));
            (number, says.trim().to_owned())
        })
        .filter(|(_, says)| !says.starts_with("nothing:"))
        .collect()
}

#[test]
fn every_object_is_what_its_line_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/asset");
    let mut objects = 0;
    let judged = |path: &PathBuf| !path.parent().unwrap().ends_with("scenarios");
    for path in files(&root).into_iter().filter(judged) {
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
        let view = view(&source);
        objects += view.members.len();
        let got: BTreeMap<u32, String> = Inventory::of(&view)
            .assets
            .iter()
            .map(|asset| {
                let kind = asset.resource.object().get("kind").unwrap().span();
                let word = if asset.is_possible() {
                    "possible"
                } else {
                    "asset"
                };
                let says = format!("{word}: {} {:.2}", asset.class.as_str(), asset.score);
                (source.position(kind.start).line, says)
            })
            .collect();
        assert_eq!(got, expected(&text), "{}", path.display());
    }
    assert!(objects > 30, "{objects}");
}

#[test]
fn every_family_has_a_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/asset/families/kinds.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
    let view = view(&source);
    let products: Vec<&str> = Inventory::of(&view)
        .assets
        .iter()
        .map(|a| a.product)
        .collect();
    for family in FAMILIES {
        assert!(
            products.contains(&family.name),
            "no object of {} in testdata/asset/families/kinds.yaml",
            family.name
        );
    }
}

/// A model server and its canary, each behind a Service, with a plain workload beside.
const SERVERS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, namespace: ml}
spec: {template: {metadata: {labels: {app: chat}}, spec: {containers: [{name: main, image: vllm/vllm-openai:v1}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: chat, namespace: ml}
spec: {selector: {app: chat}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: canary, namespace: ml}
spec: {template: {metadata: {labels: {app: canary}}, spec: {containers: [{name: main, image: vllm/vllm-openai:v2}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: canary, namespace: ml}
spec: {selector: {app: canary}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: recorder, namespace: lab}
spec: {template: {metadata: {labels: {app: recorder}}, spec: {containers: [{name: main, image: registry.example.com/recorder:1, env: [{name: UPSTREAM, value: https://records.example.com}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: recorder, namespace: lab}
spec: {selector: {app: recorder}, ports: [{port: 80}]}
---
";

#[test]
fn copies_of_requests_are_edges_of_the_lineage() {
    let drawn_with = |servers: &str, more: &str| {
        let text = format!("{servers}{more}");
        let source = Arc::new(SourceFile::new(SourceId(0), "c.yaml", text));
        let view = view(&source);
        let inventory = Inventory::of(&view);
        let links = meshgov::asset::link::links(&view, &inventory);
        let graph = meshgov::asset::lineage::Lineage::of(&view, &inventory, &links).graph;
        let words = |at: usize| graph.nodes[at].words.clone();
        let edges = graph.edges.iter().filter(|e| e.says.contains("copies"));
        let edges = edges.map(|e| format!("{} > {}", words(e.from), words(e.to)));
        edges.collect::<Vec<_>>()
    };
    let drawn = |more: &str| drawn_with(SERVERS, more);
    let route = |of: &str, to: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: copy, namespace: ml}}\nspec: {{hosts: [{of}], http: [{{route: [{{destination: {{host: {of}}}}}], mirror: {{host: {to}}}}}]}}\n"
        )
    };
    assert_eq!(
        drawn(&route("chat", "canary")),
        ["model-server ml/chat > model-server ml/canary"]
    );
    // A workload that is no asset, with what it sends on.
    assert_eq!(
        drawn(&route("chat", "recorder.lab.svc.cluster.local")),
        ["model-server ml/chat > Deployment lab/recorder"]
    );
    assert_eq!(
        drawn(&route("recorder.lab.svc.cluster.local", "chat")),
        ["Deployment lab/recorder > model-server ml/chat"]
    );
    assert_eq!(
        drawn(&route("chat", "api.openai.com")),
        ["model-server ml/chat > openai (api.openai.com)"]
    );
    // One that is an asset, though nobody calls it.
    let client = SERVERS.replace("records.example.com", "api.openai.com/v1");
    assert_eq!(
        drawn_with(&client, &route("chat", "recorder.lab.svc.cluster.local")),
        ["model-server ml/chat > llm-client lab/recorder"]
    );
    // Nothing of AI at either end, or nothing that the view has.
    assert_eq!(
        drawn(&route(
            "recorder.lab.svc.cluster.local",
            "recorder.lab.svc.cluster.local"
        )),
        [""; 0]
    );
    assert_eq!(drawn(&route("chat", "elsewhere.example.com")), [""; 0]);
    assert_eq!(drawn(&route("gone", "chat")), [""; 0]);
    let backend = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: copy, namespace: ml}\nspec: {parentRefs: [{name: gw}], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: canary, port: 80}}}], backendRefs: [{name: chat, port: 80}]}]}\n";
    assert_eq!(
        drawn(backend),
        ["model-server ml/chat > model-server ml/canary"]
    );
}
