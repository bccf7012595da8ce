//! The engine over small manifests: outcomes by hand.

use std::sync::Arc;

use super::*;
use crate::source::Sources;

fn environment() -> Environment {
    let functions = Arc::new(FunctionTable::standard());
    Environment::new(vec![Variable::new("object", Type::Dyn)], functions)
}

fn outcome(yaml: &str, text: &str) -> String {
    let environment = environment();
    let program = match compile(text, &environment) {
        Ok(program) => program,
        Err(error) => {
            return format!(
                "{:?} {:?} {}",
                error.kind,
                &text[error.range.clone()],
                error.message
            );
        }
    };
    let source = Sources::default().add("a.yaml", yaml);
    let parsed = crate::yaml::parse(&source);
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, Value::Node(parsed.tree.node(0)));
    match program.evaluate(&bindings, Fuel::default()) {
        Outcome::True => "true".to_owned(),
        Outcome::False(blame) => match blame.span() {
            Some(span) => format!("false {:?}", source.slice(span)),
            None => "false".to_owned(),
        },
        Outcome::Unknown(reasons) => format!("unknown {:?}", reasons.as_slice()),
        Outcome::Error(error) => format!("{:?} {:?}", error.kind, &text[error.range]),
        Outcome::Exhausted(range) => format!("exhausted {:?}", &text[range]),
    }
}

#[test]
fn outcomes_of_everyday_rules() {
    let yaml = "\
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 1
  containers:
  - name: a
    image: a:1
  - name: b
    image: b:latest
";
    for (text, expected) in [
        ("object.spec.replicas >= 2", "false \"1\""),
        ("object.metadata.name == 'web'", "true"),
        ("has(object.metadata.namespace)", "false \"metadata\""),
        (
            "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
            "false \"b:latest\"",
        ),
        (
            "object.spec.containers.exists(c, c.name == 'z')",
            "false \"containers\"",
        ),
        (
            "object.spec.containers.all(c, has(c.ports))",
            "false \"name\"",
        ),
        ("object.spec.paused", "NoSuchKey \"object.spec.paused\""),
        (
            "object.spec.replicas.x",
            "NoOverload \"object.spec.replicas.x\"",
        ),
        ("!has(object.spec.paused) || object.spec.paused", "true"),
        ("'team' in object.metadata.labels", "false \"{app: web}\""),
        ("objekt.spec", "UnknownName \"objekt\" no variable `objekt`"),
        ("object.spec.replicas + 1 == 2", "true"),
        (
            "1 + 'a' == 2",
            "NoOverload \"1 + 'a'\" `+` does not take `int` and `string`",
        ),
        ("size(object.spec.containers.map(c, c.name)) == 2", "true"),
        (
            "object.spec.containers.map(c, c.name).all(n, n == 'a')",
            "false \"b\"",
        ),
        (
            "cel.bind(n, object.metadata.name, n + n == 'webweb')",
            "true",
        ),
        ("object.?spec.?paused.orValue(false)", "false \"spec\""),
    ] {
        assert_eq!(outcome(yaml, text), expected, "{text}");
    }
}

#[test]
fn values_and_faults_stay_small() {
    assert_eq!(size_of::<Value<'_>>(), 24);
    assert!(size_of::<super::error::Fault>() <= 24);
    assert!(size_of::<super::evaluate::Evaluated<'_>>() <= 32);
}
