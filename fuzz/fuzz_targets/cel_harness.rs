//! What holds for every text: no panic, no overflow, bounded work; ranges lie in the text; the explained evaluation agrees
//! with the plain one, the traced with both. Shared by the fuzz target and the replay test.

use std::sync::Arc;

use meshgov::cel::{
    Bindings, Environment, Field, Fuel, FunctionTable, Outcome, Reasons, Record, RecordType, Type,
    Value, Variable, compile,
};
use meshgov::source::{SourceFile, Sources};

/// A manifest with one of everything.
const YAML: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, \"n\": \"1\"}
  annotations:
    a/b: x
spec:
  replicas: 3
  big: 18446744073709551615
  ratio: 0.5
  none: null
  on: true
  template:
    spec:
      containers:
      - name: a
        image: registry.example.com/a:1.2@sha256:00
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 100m, memory: 1Gi}}
      - &b
        name: b
        image: b
      - *b
";

/// A fact with a known, an absent, an unknown and an open field.
#[derive(Debug)]
struct Port;

static PORT: RecordType = RecordType {
    name: "port",
    fields: &[
        Field {
            name: "number",
            ty: Type::Int,
            doc: "Its number.",
        },
        Field {
            name: "mode",
            ty: Type::String,
            doc: "What it accepts.",
        },
        Field {
            name: "name",
            ty: Type::String,
            doc: "Its name.",
        },
        Field {
            name: "callers",
            ty: Type::List(&Type::String),
            doc: "Who calls it.",
        },
    ],
};

impl Record for Port {
    fn record_type(&self) -> &'static RecordType {
        &PORT
    }

    fn field(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Int(80),
            1 => Value::Unknown(Reasons::one(1)),
            3 => Value::open_list(vec![Value::Str("a")], Reasons::one(2)).unwrap_or(Value::Null),
            _ => Value::Null,
        }
    }
}

/// The object and the fact that texts are evaluated over.
pub(crate) struct Subject {
    environment: Environment,
    source: Arc<SourceFile>,
}

impl Subject {
    pub(crate) fn new() -> Self {
        let variables = vec![
            Variable::new("object", Type::Dyn),
            Variable::new("port", Type::Record(&PORT)),
            Variable::quiet("params", Type::Dyn),
            Variable::new("x", Type::Dyn),
        ];
        Self {
            environment: Environment::new(variables, Arc::new(FunctionTable::standard())),
            source: Sources::default().add("a.yaml", YAML),
        }
    }

    pub(crate) fn run(&self, text: &str) {
        let program = match compile(text, &self.environment) {
            Ok(program) => program,
            Err(error) => {
                assert!(text.get(error.range.clone()).is_some(), "{error:?}");
                return;
            }
        };
        let parsed = meshgov::yaml::parse(&self.source);
        let mut bindings = Bindings::new(&self.environment);
        bindings.set(0, Value::Node(parsed.tree.node(0)));
        bindings.set(1, Value::Record(&Port));
        bindings.set(2, Value::Int(2));
        bindings.set(3, Value::Unknown(Reasons::one(9)));
        let fuel = Fuel(20_000);
        let plain = name(&program.decide(&bindings, fuel), text);
        let explained = name(&program.evaluate(&bindings, fuel), text);
        assert_eq!(plain, explained, "{text}");
        let value = program.value(&bindings, fuel);
        let (traced, steps) = program.trace(&bindings, fuel);
        for step in &steps {
            assert!(text.get(step.range.clone()).is_some(), "{step:?}");
        }
        match (value, traced) {
            (Ok(one), Ok(two)) => assert_eq!(one.to_display(), two.to_display(), "{text}"),
            (Err(one), Err(two)) => assert_eq!(one.kind(), two.kind(), "{text}"),
            (one, two) => panic!("{text}: {one:?} but traced {two:?}"),
        }
    }
}

fn name(outcome: &Outcome<'_>, text: &str) -> String {
    match outcome {
        Outcome::True => "true".to_owned(),
        Outcome::False(blame) => {
            let _span = blame.span();
            "false".to_owned()
        }
        Outcome::Unknown(reasons) => format!("unknown {:?}", reasons.as_slice()),
        Outcome::Error(error) => {
            assert!(text.get(error.range.clone()).is_some(), "{error:?}");
            format!("error {:?}", error.kind)
        }
        Outcome::Exhausted(range) => {
            assert!(text.get(range.clone()).is_some());
            "exhausted".to_owned()
        }
    }
}
