//! Blame: the exact bytes a false expression points at. The expectation quotes the manifest with `«…»` around them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::sync::Arc;

use meshgov::cel::{
    Bindings, Environment, Field, Fuel, FunctionTable, Origin, Outcome, Record, RecordType, Type,
    Value, Variable, compile,
};
use meshgov::source::{SourceFile, Sources, Span};
use meshgov::yaml::{NodeRef, Parsed};

const YAML: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, tier: front}
  annotations:
    team/owner: "ops"
    note: |
      two
      lines
spec:
  replicas: 1
  paused: false
  strategy:
  selector:
    matchLabels:
      app: shop
  template:
    spec:
      hostNetwork: true
      containers:
      - name: a
        image: a:1
        ports:
        - containerPort: 80
          hostPort: 8080
        - containerPort: 81
        securityContext:
          privileged: false
          capabilities:
            drop: [NET_RAW, ALL]
      - name: b
        image: b:latest
        env:
        - name: DB_PASSWORD
          value: secret
        securityContext: &ctx
          privileged: true
      - securityContext: *ctx
        name: c
        image: c:2
"#;

/// A fact whose fields come from the manifest: a node, steps, or nowhere.
#[derive(Debug)]
struct Port<'a> {
    root: NodeRef<'a>,
}

static PORT: RecordType = RecordType {
    name: "port",
    fields: &[
        Field {
            name: "mode",
            ty: Type::String,
            doc: "",
        },
        Field {
            name: "number",
            ty: Type::Int,
            doc: "",
        },
        Field {
            name: "name",
            ty: Type::String,
            doc: "",
        },
    ],
};

impl Port<'_> {
    fn span(&self, path: &[&str]) -> Span {
        self.root.at(path).unwrap().span()
    }
}

impl Record for Port<'_> {
    fn record_type(&self) -> &'static RecordType {
        &PORT
    }
    fn field(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Str("permissive"),
            1 => Value::Int(80),
            _ => Value::Null,
        }
    }
    fn origin(&self, index: usize) -> Origin<'_> {
        match index {
            // Decided by the strategy, because of the number of replicas.
            0 => Origin::Spans(Arc::from([
                self.span(&["metadata", "name"]),
                self.span(&["spec", "replicas"]),
            ])),
            _ => Origin::None,
        }
    }
    fn own_origin(&self) -> Origin<'_> {
        Origin::Node(self.root.at(&["kind"]).unwrap())
    }
}

fn parse() -> (Arc<SourceFile>, Parsed) {
    let source = Sources::default().add("a.yaml", YAML);
    let parsed = meshgov::yaml::parse(&source);
    (source, parsed)
}

/// The manifest with `«…»` around the blamed bytes, cut to the lines around them.
fn blamed(text: &str) -> String {
    let (source, parsed) = parse();
    let root = parsed.tree.node(0);
    let variables = vec![
        Variable::new("object", Type::Dyn),
        Variable::new("port", Type::Record(&PORT)),
        Variable::quiet("oldObject", Type::Dyn),
        Variable::quiet("params", Type::Dyn),
    ];
    let environment = Environment::new(variables, Arc::new(FunctionTable::standard()));
    let program = compile(text, &environment).unwrap_or_else(|error| panic!("{text}: {error}"));
    let port = Port { root };
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, Value::Node(root));
    bindings.set(1, Value::Record(&port));
    bindings.set(2, Value::Node(root));
    bindings.set(
        3,
        Value::list(vec![Value::Str("a"), Value::Str("b")]).unwrap(),
    );
    let outcome = program.evaluate(&bindings, Fuel::default());
    let Outcome::False(blame) = outcome else {
        panic!("{text} is not false: {outcome:?}");
    };
    match blame.span() {
        None => "nothing".to_owned(),
        Some(span) => mark(&source, span),
    }
}

fn mark(source: &SourceFile, span: Span) -> String {
    let text = &source.text;
    let (start, end) = (
        usize::try_from(span.start).unwrap(),
        usize::try_from(span.end).unwrap(),
    );
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[end..].find('\n').map_or(text.len(), |at| at + end);
    format!(
        "{}: {}«{}»{}",
        text[..start].matches('\n').count() + 1,
        &text[line_start..start].trim_start(),
        &text[start..end],
        &text[end..line_end]
    )
}

const CASES: &[(&str, &str)] = &[
    // A scalar that was compared.
    ("object.spec.replicas >= 2", "12: replicas: «1»"),
    ("2 <= object.spec.replicas", "12: replicas: «1»"),
    ("object.spec.replicas == 3", "12: replicas: «1»"),
    ("object.metadata.name != 'web'", "4: name: «web»"),
    ("object.metadata.name in ['a', 'b']", "4: name: «web»"),
    ("object.spec.paused", "13: paused: «false»"),
    (
        "!object.spec.template.spec.hostNetwork",
        "20: hostNetwork: «true»",
    ),
    ("object.metadata.name.startsWith('a')", "4: name: «web»"),
    ("object.metadata.name.matches('^a')", "4: name: «web»"),
    ("size(object.metadata.name) > 10", "4: name: «web»"),
    (
        "object.metadata.annotations['team/owner'] == 'dev'",
        "7: team/owner: «\"ops\"»",
    ),
    (
        "object.metadata.annotations.`team/owner` == 'dev'",
        "7: team/owner: «\"ops\"»",
    ),
    (
        "object.metadata.annotations.note == ''",
        "8: note: «|\n      two\n      lines»",
    ),
    (
        "quantity('1').isGreaterThan(quantity(string(object.spec.replicas)))",
        "12: replicas: «1»",
    ),
    // The last read of the branch that decided.
    (
        "object.metadata.name == 'web' && object.spec.replicas > 1",
        "12: replicas: «1»",
    ),
    (
        "object.spec.replicas > 1 && object.metadata.name == 'web'",
        "12: replicas: «1»",
    ),
    (
        "object.spec.replicas > 1 || object.metadata.name == 'x'",
        "4: name: «web»",
    ),
    (
        "!(object.spec.replicas == 1 && object.metadata.name == 'web')",
        "4: name: «web»",
    ),
    (
        "!has(object.spec.paused) || object.spec.paused",
        "13: paused: «false»",
    ),
    (
        "object.metadata.name == 'web' ? object.spec.paused : true",
        "13: paused: «false»",
    ),
    ("object.spec.paused ? true : false", "13: paused: «false»"),
    (
        "object.spec.nothing == 1 && object.spec.paused",
        "13: paused: «false»",
    ),
    (
        "object.spec.selector.matchLabels.app == object.metadata.labels.app",
        "5: labels: {app: «web», tier: front}",
    ),
    // What is missing: the key of its deepest existing ancestor.
    ("has(object.metadata.namespace)", "3: «metadata»:"),
    ("has(object.spec.template.spec.volumes)", "19: «spec»:"),
    (
        "has(object.metadata.labels.team)",
        "5: «labels»: {app: web, tier: front}",
    ),
    ("has(object.status)", "1: «apiVersion»: apps/v1"),
    (
        "object.?spec.?template.?metadata.hasValue()",
        "18: «template»:",
    ),
    ("object.spec.?minReadySeconds.orValue(0) > 0", "11: «spec»:"),
    (
        "object.metadata[?'namespace'].orValue('') == 'x'",
        "3: «metadata»:",
    ),
    (
        "'team' in object.metadata.labels",
        "5: labels: «{app: web, tier: front}»",
    ),
    ("'team' in object.metadata.annotations", "6: «annotations»:"),
    // A null has no bytes of its own.
    ("object.spec.strategy != null", "14: «strategy»:"),
    // The element that broke it.
    (
        "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "33: image: «b:latest»",
    ),
    (
        "object.spec.template.spec.containers.all(c, has(c.ports))",
        "32: - «name»: b",
    ),
    (
        "object.spec.template.spec.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort)))",
        "26: hostPort: «8080»",
    ),
    (
        "object.spec.template.spec.containers.all(c, !c.securityContext.privileged)",
        "38: privileged: «true»",
    ),
    (
        "object.spec.template.spec.containers.all(c, c.name != 'c')",
        "40: name: «c»",
    ),
    (
        "object.spec.template.spec.containers.map(c, c.name).all(n, n != 'b')",
        "32: - name: «b»",
    ),
    (
        "!object.spec.template.spec.containers.exists(c, c.image.contains('latest'))",
        "33: image: «b:latest»",
    ),
    (
        "object.spec.template.spec.containers[0].securityContext.capabilities.drop.all(d, d == 'ALL')",
        "31: drop: [«NET_RAW», ALL]",
    ),
    (
        "object.metadata.annotations.all(k, k.startsWith('team/'))",
        "8: «note»: |",
    ),
    (
        "object.metadata.labels.all(k, v, v == 'web')",
        "5: labels: {app: web, tier: «front»}",
    ),
    // Nothing fits: the collection.
    (
        "object.spec.template.spec.containers.exists(c, c.name == 'z')",
        "21: «containers»:",
    ),
    (
        "object.spec.template.spec.containers[0].securityContext.capabilities.drop.exists(d, d == 'X')",
        "31: drop: «[NET_RAW, ALL]»",
    ),
    (
        "size(object.spec.template.spec.containers.filter(c, c.image.endsWith(':latest'))) == 0",
        "32: - «name»: b",
    ),
    (
        "size(object.spec.template.spec.containers) < 3",
        "21: «containers»:",
    ),
    // Indices, bindings.
    (
        "object.spec.template.spec.containers[1].name == 'a'",
        "32: - name: «b»",
    ),
    (
        "cel.bind(c, object.spec.template.spec.containers[1], c.image == 'x')",
        "33: image: «b:latest»",
    ),
    (
        "object.spec.template.spec.containers[1].env[0].name == 'X'",
        "35: - name: «DB_PASSWORD»",
    ),
    // Quiet variables are never blamed.
    (
        "object.spec.replicas > oldObject.spec.replicas",
        "12: replicas: «1»",
    ),
    ("oldObject.spec.paused", "nothing"),
    ("params.all(p, object.metadata.name == p)", "4: name: «web»"),
    ("object.metadata.name in params", "4: name: «web»"),
    // Facts: the deciding step, or the fact itself.
    ("port.mode == 'strict'", "4: name: «web»"),
    ("port.number == 81", "2: kind: «Deployment»"),
    ("has(port.name)", "2: kind: «Deployment»"),
    ("[port].all(p, p.mode in ['strict'])", "4: name: «web»"),
    ("false", "nothing"),
];

#[test]
fn a_false_outcome_points_at_the_value_that_made_it_so() {
    let mut wrong = Vec::new();
    for (text, expected) in CASES {
        let got = blamed(text);
        if got != *expected {
            wrong.push(format!("{text}\n  {got}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_steps_of_a_fact_are_related_places() {
    let (source, parsed) = parse();
    let environment = Environment::new(
        vec![Variable::new("port", Type::Record(&PORT))],
        Arc::new(FunctionTable::standard()),
    );
    let program = compile("port.mode == 'strict'", &environment).unwrap();
    let port = Port {
        root: parsed.tree.node(0),
    };
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, Value::Record(&port));
    let Outcome::False(blame) = program.evaluate(&bindings, Fuel::default()) else {
        panic!("it is false");
    };
    let related: Vec<_> = blame
        .related()
        .iter()
        .map(|span| source.slice(*span))
        .collect();
    assert_eq!(related, ["1"]);
}
