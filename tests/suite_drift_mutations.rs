//! The posture diff on five real applications of `../shared/corpus`, each put into a mesh: scripted edits that change what the manifests mean
//! must be reported with the edited line as cause, neutral edits not at all. Among them: ways out of the cluster, and flows to a model.
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

/// What each server may call outside: one network, on one port.
fn net(servers: &[Server]) -> String {
    let mut text = String::new();
    for server in servers {
        let (key, value) = &server.label;
        let Server {
            name, namespace, ..
        } = server;
        write!(
            text,
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {name}-out\n  namespace: {namespace}\nspec:\n  podSelector:\n    matchLabels:\n      {key}: {value}\n  policyTypes: [Egress]\n  egress:\n  - to:\n    - namespaceSelector: {{}}\n  - to:\n    - ipBlock:\n        cidr: 203.0.113.0/24\n    ports:\n    - port: 443\n---\n"
        )
        .unwrap();
    }
    text
}

/// A model with data, a gateway to a provider, and an application that calls both.
const DATA: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat-model
  namespace: app
spec:
  template:
    metadata:
      labels:
        app: chat-model
    spec:
      containers:
      - name: server
        image: vllm/vllm-openai:v0.8.5
        args: [--model, acme/chat]
        env:
        - name: LOG_LEVEL
          value: info
        volumeMounts:
        - name: data
          mountPath: /data
      volumes:
      - name: data
        persistentVolumeClaim:
          claimName: records
---
apiVersion: v1
kind: Service
metadata:
  name: chat-model
  namespace: app
spec:
  selector:
    app: chat-model
  ports:
  - name: http
    port: 8000
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llm-gateway
  namespace: app
spec:
  template:
    metadata:
      labels:
        app: llm-gateway
    spec:
      containers:
      - name: litellm
        image: ghcr.io/berriai/litellm:v1.74.3
        env:
        - name: OPENAI_BASE_URL
          value: https://api.openai.com/v1
---
apiVersion: v1
kind: Service
metadata:
  name: llm-gateway
  namespace: app
spec:
  selector:
    app: llm-gateway
  ports:
  - name: http
    port: 4000
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: assistant
  namespace: app
  labels:
    tier: web
spec:
  template:
    metadata:
      labels:
        app: assistant
    spec:
      containers:
      - name: assistant
        image: registry.example.com/assistant:1
        env:
        - name: MODEL_URL
          value: http://chat-model.app.svc:8000/v1
        - name: GATEWAY_URL
          value: http://llm-gateway.app.svc:4000/v1
";

/// Addresses in the namespace of the application.
fn in_space(text: &str, servers: &[Server]) -> String {
    text.replace(".app.svc", &format!(".{}.svc", servers[0].namespace))
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

/// The container of a server calls the model by a variable; with the line of its value.
fn with_variable(text: &str, server: &Server, space: &str) -> (String, u32) {
    let url = format!("http://chat-model.{space}.svc:8000/v1");
    let bytes = &server.image_spot.bytes;
    let start = text[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[start..bytes.start].find("image:").unwrap();
    let pad = " ".repeat(indent);
    let item = format!("{pad}- name: MODEL_URL\n{pad}  value: {url}\n");
    // After the variables' key, where the container has some, else a list of its own.
    let line = format!("\n{pad}env:\n");
    let end = text[bytes.end..]
        .find("\n---")
        .map_or(text.len(), |at| bytes.end + at);
    let (at, new) = match text[bytes.end..end].find(&line) {
        Some(at) => {
            let after = bytes.end + at + line.len();
            // Items stand under their key or further in.
            let mut lines = text[after..].lines();
            let first = lines.find(|line| line.trim_start().starts_with("- "));
            let first = first.unwrap();
            let deep = first.len() - first.trim_start().len();
            let pad = " ".repeat(deep);
            let item = format!("{pad}- name: MODEL_URL\n{pad}  value: {url}\n");
            (after, item)
        }
        None => {
            let after = text[bytes.end..]
                .find('\n')
                .map_or(text.len(), |at| bytes.end + at + 1);
            (after, format!("{pad}env:\n{item}"))
        }
    };
    let whole = format!("{}{new}{}", &text[..at], &text[at..]);
    let value = at + new.find("value:").unwrap();
    let line = whole[..value].matches('\n').count() + 1;
    (whole, u32::try_from(line).unwrap())
}

/// An edit with a place that must be among the causes of some change.
type Mutation = (String, Files, String);

fn mutations(app: &Files, servers: &[Server]) -> Vec<Mutation> {
    let mesh = &app["mesh.yaml"];
    let mut all: Vec<Mutation> = Vec::new();
    let in_file =
        |file: &str, what: String, old: &str, nth: usize, new: &str, side: &str, shift: u32| {
            let (text, line) = replace_nth(&app[file], old, nth, new);
            let mut head = app.clone();
            head.insert(file.to_owned(), text);
            (what, head, format!("{side} {file}:{}", line + shift))
        };
    let in_mesh = |what: String, old: &str, nth: usize, new: &str, side: &str, shift: u32| {
        in_file("mesh.yaml", what, old, nth, new, side, shift)
    };
    for (what, old, new, side, shift) in [
        (
            "claim of the model",
            "claimName: records",
            "claimName: patients",
            "head",
            0,
        ),
        (
            "claim only read",
            "- name: data\n          mountPath: /data",
            "- name: data\n          readOnly: true\n          mountPath: /data",
            "head",
            1,
        ),
        (
            "traces of the model",
            "- name: LOG_LEVEL\n          value: info",
            "- name: OTEL_EXPORTER_OTLP_ENDPOINT\n          value: https://otlp.traces.example.com",
            "head",
            1,
        ),
        (
            "call of the model",
            "        - name: MODEL_URL\n          value: http://chat-model.app.svc:8000/v1\n",
            "",
            "base",
            1,
        ),
        (
            "address of the model",
            "value: http://chat-model.app.svc:8000/v1",
            "value: ${MODEL_URL}",
            "head",
            0,
        ),
        (
            "address in a Secret",
            "value: http://chat-model.app.svc:8000/v1",
            "valueFrom: {secretKeyRef: {name: llm, key: url}}",
            "base",
            0,
        ),
        (
            "label of the data",
            "    tier: web",
            "    tier: web\n    meshgov.dev/data-classification: phi",
            "head",
            1,
        ),
        (
            "Service of the model",
            "  selector:\n    app: chat-model",
            "  selector:\n    app: llm-gateway",
            "head",
            1,
        ),
    ] {
        let old = in_space(old, servers);
        all.push(in_file(
            "data.yaml",
            what.to_owned(),
            &old,
            0,
            new,
            side,
            shift,
        ));
    }
    for (nth, server) in servers.iter().enumerate() {
        let name = &server.name;
        let out = |what: &str, old: &str, new: &str, side: &str, shift: u32| {
            in_file(
                "net.yaml",
                format!("{what} of {name}"),
                old,
                nth,
                new,
                side,
                shift,
            )
        };
        let kind = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy";
        // Another kind: the policy is deleted. The first rule that leads outside, 13 lines below, stands in the base.
        all.push(out(
            "way out",
            kind,
            "apiVersion: v1\nkind: ConfigMap",
            "base",
            13,
        ));
        all.push(out("network", "203.0.113.0/24", "0.0.0.0/0", "head", 0));
        all.push(out(
            "port out",
            "    ports:\n    - port: 443\n",
            "",
            "base",
            0,
        ));
        all.push(out("type", "[Egress]", "[Ingress]", "head", 0));
        let (text, line) =
            with_variable(&app[&server.image_spot.path], server, &servers[0].namespace);
        let mut head = app.clone();
        head.insert(server.image_spot.path.clone(), text);
        let place = format!("head {}:{line}", server.image_spot.path);
        all.push((format!("new call of {name}"), head, place));
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
    for (what, file, old, new) in [
        (
            "network in two halves",
            "net.yaml",
            "cidr: 203.0.113.0/24",
            "cidr: 203.0.113.128/25\n    - ipBlock:\n        cidr: 203.0.113.0/25",
        ),
        (
            "another name for a way out",
            "net.yaml",
            "-out\n",
            "-egress\n",
        ),
        (
            "pods named twice",
            "net.yaml",
            "    - namespaceSelector: {}",
            "    - podSelector: {}\n    - namespaceSelector: {}",
        ),
        (
            "protocol spelled out",
            "net.yaml",
            "    - port: 443",
            "    - protocol: TCP\n      port: 443",
        ),
        (
            "whole address",
            "data.yaml",
            "http://chat-model.app.svc:8000/v1",
            "http://chat-model.app.svc.cluster.local:8000/v1",
        ),
        (
            "another variable",
            "data.yaml",
            "- name: MODEL_URL",
            "- name: CHAT_MODEL",
        ),
        (
            "another log level",
            "data.yaml",
            "value: info",
            "value: debug",
        ),
        (
            "another collector inside",
            "data.yaml",
            "- name: LOG_LEVEL\n          value: info",
            "- name: OTEL_EXPORTER_OTLP_ENDPOINT\n          value: http://collector.observability.svc:4317",
        ),
        (
            "another label of the data",
            "data.yaml",
            "    tier: web",
            "    tier: front",
        ),
        (
            "another name for a volume",
            "data.yaml",
            "- name: data\n          mountPath: /data\n      volumes:\n      - name: data",
            "- name: store\n          mountPath: /data\n      volumes:\n      - name: store",
        ),
    ] {
        let (old, new) = (in_space(old, servers), in_space(new, servers));
        let (text, _) = replace_nth(&app[file], &old, 0, &new);
        let mut head = app.clone();
        head.insert(file.to_owned(), text);
        all.push((what.to_owned(), head));
    }
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
        app.insert("net.yaml".to_owned(), net(&servers));
        let space = format!("namespace: {}\n", servers[0].namespace);
        let data = DATA.replace("namespace: app\n", &space);
        app.insert("data.yaml".to_owned(), in_space(&data, &servers));
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
