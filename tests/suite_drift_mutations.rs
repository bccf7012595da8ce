//! The posture diff on five real applications of `../shared/corpus`, each put into a mesh: scripted edits that change what the manifests mean
//! must be reported with the edited line as cause, neutral edits not at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "drift/case.rs"]
#[allow(dead_code, reason = "not every test reads cases")]
mod case;
#[path = "common/shared.rs"]
mod shared;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use case::Files;
use meshgov::cli::pipeline::{self, Input};
use meshgov::facts::Assumptions;
use meshgov::pods;
use meshgov::query::diff::{self, DiffReport, Tree};
use meshgov::source::Span;
use meshgov::yaml::NodeRef;

/// Files of each application.
const APPLICATIONS: [(&str, &[&str]); 5] = [
    (
        "bookinfo",
        &["plain/istio__istio/samples/bookinfo/platform/kube/bookinfo.yaml"],
    ),
    (
        "bank-of-anthos",
        &["plain/GoogleCloudPlatform__bank-of-anthos/kubernetes-manifests"],
    ),
    (
        "online-boutique",
        &["plain/GoogleCloudPlatform__microservices-demo/release/kubernetes-manifests.yaml"],
    ),
    (
        "podinfo",
        &[
            "gitops/stefanprodan__podinfo/deploy/secure/frontend",
            "gitops/stefanprodan__podinfo/deploy/secure/backend",
        ],
    ),
    (
        "prefill-and-decode",
        &["plain/vllm-project__production-stack/examples/disaggregated_prefill_orchestrated"],
    ),
];

/// The namespace of objects that name none.
const NAMESPACE: &str = "app";

fn assume() -> Assumptions {
    Assumptions {
        default_namespace: Some(NAMESPACE.to_owned()),
        ..Assumptions::default()
    }
}

fn files(name: &str, places: &[&str]) -> Files {
    let mut files = Files::new();
    for place in places {
        let path = shared::path(&format!("corpus/real/{place}"));
        let list = if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            entries.map(|e| e.unwrap().path()).collect()
        } else {
            vec![path]
        };
        for file in list {
            let yaml = file.extension().is_some_and(|e| e == "yaml" || e == "yml");
            if yaml && !file.ends_with("kustomization.yaml") {
                let folder = file
                    .parent()
                    .unwrap()
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap();
                let own = file.file_name().unwrap().to_str().unwrap();
                let text = std::fs::read_to_string(&file).unwrap();
                files.insert(format!("{name}/{folder}/{own}"), text);
            }
        }
    }
    assert!(!files.is_empty(), "{name}");
    files
}

fn input(files: &Files) -> Input {
    let list: Vec<_> = files.clone().into_iter().collect();
    pipeline::read_texts(&list, assume())
}

fn compare(base: &Files, head: &Files) -> DiffReport {
    fn tree(input: &Input) -> Tree<'_> {
        Tree {
            views: &input.views,
            assume: &input.assume,
        }
    }
    let (base, head) = (input(base), input(head));
    let sources = (base.sources.clone(), head.sources.clone());
    diff::diff(tree(&base), tree(&head), sources)
}

/// A place to edit: file, line, bytes, and the text there.
#[derive(Clone)]
struct Spot {
    path: String,
    line: u32,
    bytes: std::ops::Range<usize>,
    text: String,
}

fn spot(input: &Input, span: Span) -> Spot {
    let file = input.sources.get(span.source).unwrap();
    let bytes = span.start as usize..span.end as usize;
    Spot {
        path: file.path.clone(),
        line: file.position(span.start).line,
        text: file.text[bytes.clone()].to_owned(),
        bytes,
    }
}

/// A server of the application: the places that can be edited.
struct Server {
    name: String,
    namespace: String,
    label: (String, String),
    label_spot: Spot,
    port_spot: Spot,
    account_spot: Option<Spot>,
    image_spot: Spot,
}

/// Workloads that listen on a declared port and that a label tells apart.
fn servers(input: &Input) -> Vec<Server> {
    let mut found = Vec::new();
    let mut labels = BTreeSet::new();
    for member in &input.views[0].members {
        let Some(template) = pods::template(&member.resource) else {
            continue;
        };
        let spec = template.get("spec");
        let container = spec
            .and_then(|s| s.get("containers"))
            .into_iter()
            .flat_map(NodeRef::items)
            .find(|c| c.get("ports").is_some());
        let label = template
            .at(&["metadata", "labels"])
            .into_iter()
            .flat_map(NodeRef::entries)
            .find(|(key, _)| ["app", "app.kubernetes.io/name"].contains(&key.text()));
        let (Some(container), Some((key, value))) = (container, label) else {
            continue;
        };
        let port = container.at(&["ports"]).unwrap().items().next();
        let port = port.unwrap().get("containerPort").unwrap();
        let pair = (key.text().to_owned(), value.text().to_owned());
        // Versions of one application share a label: the first of them is edited.
        if !labels.insert(pair.clone()) {
            continue;
        }
        let account = spec.and_then(|s| s.get("serviceAccountName"));
        found.push(Server {
            name: member.resource.name.clone(),
            namespace: member.namespace.as_str().to_owned(),
            label: pair,
            label_spot: spot(input, value.span()),
            port_spot: spot(input, port.span()),
            account_spot: account.map(|a| spot(input, a.span())),
            image_spot: spot(input, container.get("image").unwrap().span()),
        });
        if found.len() == 4 {
            break;
        }
    }
    found
}

/// The mesh around the application: injection, mutual TLS, and who may call each server. Returns the text and the lines of what is edited.
fn mesh(servers: &[Server], accounts: &[String]) -> String {
    let mut text = String::new();
    let namespaces: BTreeSet<&str> = servers.iter().map(|s| s.namespace.as_str()).collect();
    for namespace in namespaces {
        write!(
            text,
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels:\n    istio-injection: enabled\n---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata:\n  name: default\n  namespace: {namespace}\nspec:\n  mtls:\n    mode: STRICT\n---\n"
        )
        .unwrap();
    }
    for (server, account) in servers.iter().zip(accounts) {
        let (key, value) = &server.label;
        let Server {
            name, namespace, ..
        } = server;
        write!(
            text,
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  selector:\n    matchLabels:\n      {key}: {value}\n  rules:\n  - from:\n    - source:\n        principals: [cluster.local/ns/{namespace}/sa/{account}]\n---\n"
        )
        .unwrap();
    }
    text
}

fn replaced(files: &Files, spot: &Spot, with: &str) -> Files {
    let mut files = files.clone();
    let text = files.get_mut(&spot.path).unwrap();
    assert_eq!(text[spot.bytes.clone()], spot.text);
    text.replace_range(spot.bytes.clone(), with);
    files
}

/// Replaces the `nth` occurrence; returns its 1-based line.
fn replace_nth(text: &str, old: &str, nth: usize, new: &str) -> (String, u32) {
    let (at, _) = text.match_indices(old).nth(nth).unwrap();
    let line = text[..at].matches('\n').count() + 1;
    let whole = format!("{}{new}{}", &text[..at], &text[at + old.len()..]);
    (whole, u32::try_from(line).unwrap())
}

/// An edit with a place that must be among the causes of some change.
type Mutation = (String, Files, String);

fn mutations(app: &Files, servers: &[Server]) -> Vec<Mutation> {
    let mesh = &app["mesh.yaml"];
    let mut all: Vec<Mutation> = Vec::new();
    let in_mesh = |what: String, old: &str, nth: usize, new: &str, side: &str, shift: u32| {
        let (text, line) = replace_nth(mesh, old, nth, new);
        let mut head = app.clone();
        head.insert("mesh.yaml".to_owned(), text);
        (what, head, format!("{side} mesh.yaml:{}", line + shift))
    };
    for (nth, server) in servers.iter().enumerate() {
        let name = &server.name;
        let at = |spot: &Spot| format!("head {}:{}", spot.path, spot.line);
        let label = replaced(app, &server.label_spot, "another");
        all.push((format!("label of {name}"), label, at(&server.label_spot)));
        let port = replaced(app, &server.port_spot, "4567");
        all.push((format!("port of {name}"), port, at(&server.port_spot)));
        all.push(in_mesh(
            format!("principal for {name}"),
            "[cluster.local/ns/",
            nth,
            "[\"*\", cluster.local/ns/",
            "head",
            0,
        ));
        let kind = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy";
        // Another kind: the policy is deleted. Its name, four lines below, stands in the base.
        let gone = "apiVersion: v1\nkind: ConfigMap";
        all.push(in_mesh(
            format!("policy of {name}"),
            kind,
            nth,
            gone,
            "base",
            3,
        ));
        let selector = format!(
            "  selector:\n    matchLabels:\n      {}: {}\n",
            server.label.0, server.label.1
        );
        let other = selector.replace(&format!(": {}\n", server.label.1), ": nobody\n");
        all.push(in_mesh(
            format!("selector of {name}"),
            &selector,
            0,
            &other,
            "head",
            2,
        ));
    }
    let spaces = mesh.matches("kind: Namespace").count();
    for nth in 0..spaces {
        all.push(in_mesh(
            "mode".into(),
            "STRICT",
            nth,
            "PERMISSIVE",
            "head",
            0,
        ));
        all.push(in_mesh(
            "injection".into(),
            "istio-injection: enabled",
            nth,
            "team: web",
            "base",
            0,
        ));
        // Another kind: the policy is deleted; its mode, six lines below, stands in the base.
        let kind = "kind: PeerAuthentication";
        all.push(in_mesh(
            "mutual TLS".into(),
            kind,
            nth,
            "kind: ConfigMap",
            "base",
            6,
        ));
    }
    all
}

/// Edits that change no fact.
fn neutral(app: &Files, servers: &[Server]) -> Vec<(String, Files)> {
    let mut all: Vec<(String, Files)> = Vec::new();
    for (path, text) in app {
        let mut with = |what: &str, text: String| {
            let mut head = app.clone();
            head.insert(path.clone(), text);
            all.push((format!("{what} {path}"), head));
        };
        with("comment in", format!("# a note\n{text}"));
        with("end of", format!("{text}\n# the end\n"));
        let mut documents: Vec<&str> = text.split("\n---\n").collect();
        documents.reverse();
        with("order of", documents.join("\n---\n"));
        let mut moved = app.clone();
        let text = moved.remove(path).unwrap();
        moved.insert(format!("elsewhere/{path}"), text);
        all.push((format!("moved {path}"), moved));
    }
    let policy = "kind: PeerAuthentication\nmetadata:\n  name: ";
    let other = format!("{policy}another-");
    let (text, _) = replace_nth(&app["mesh.yaml"], policy, 0, &other);
    let mut renamed = app.clone();
    renamed.insert("mesh.yaml".to_owned(), text);
    all.push(("another name for a policy".to_owned(), renamed));
    for server in servers {
        let image = &server.image_spot;
        let newer = format!("{}-r2", image.text.trim_matches('"'));
        all.push((
            format!("image of {}", server.name),
            replaced(app, image, &newer),
        ));
        let label = &server.label_spot;
        let quoted = format!("\"{}\"", label.text.trim_matches('"'));
        all.push((
            format!("quotes in {}", server.name),
            replaced(app, label, &quoted),
        ));
        let note = format!("{} # stays", label.text);
        all.push((
            format!("note in {}", server.name),
            replaced(app, label, &note),
        ));
    }
    all
}

#[test]
fn semantic_edits_are_reported_with_their_line_and_neutral_ones_are_not() {
    let (mut found, mut total, mut quiet, mut silent) = (0, 0, 0, 0);
    let mut wrong = String::new();
    for (name, places) in APPLICATIONS {
        let plain = files(name, places);
        let read = input(&plain);
        let servers = servers(&read);
        assert!(!servers.is_empty(), "{name} has no server");
        let accounts: Vec<String> = servers
            .iter()
            .map(|s| {
                s.account_spot
                    .as_ref()
                    .map_or("default".to_owned(), |a| a.text.clone())
            })
            .collect();
        let mut app = plain.clone();
        app.insert("mesh.yaml".to_owned(), mesh(&servers, &accounts));
        assert!(compare(&app, &app).changes.is_empty());
        let mutations = mutations(&app, &servers);
        let (of_app, neutral) = (mutations.len(), neutral(&app, &servers));
        let before = found;
        for (what, head, place) in mutations {
            total += 1;
            let report = compare(&app, &head);
            let places: BTreeSet<String> = report
                .changes
                .iter()
                .flat_map(|c| case::places(&report, c))
                .collect();
            if places.contains(&place) {
                found += 1;
            } else {
                let lines: Vec<String> = report
                    .changes
                    .iter()
                    .map(|c| case::line(&report, c))
                    .collect();
                writeln!(
                    wrong,
                    "{name}, {what}: {place} is no cause of\n  {}",
                    lines.join("\n  ")
                )
                .unwrap();
            }
        }
        let (of_neutral, was) = (neutral.len(), silent);
        for (what, head) in neutral {
            quiet += 1;
            let report = compare(&app, &head);
            if report.changes.is_empty() {
                silent += 1;
            } else {
                let lines: Vec<String> = report
                    .changes
                    .iter()
                    .map(|c| case::line(&report, c))
                    .collect();
                writeln!(wrong, "{name}, {what}: reported\n  {}", lines.join("\n  ")).unwrap();
            }
        }
        println!(
            "{name:<20} {} servers: {} of {of_app} edits reported with their line, {} of {of_neutral} neutral ones silent",
            servers.len(),
            found - before,
            silent - was
        );
    }
    println!("all: {found} of {total}, {silent} of {quiet}");
    assert!(wrong.is_empty(), "{wrong}");
    assert!(total >= 50 && quiet >= 50);
}
