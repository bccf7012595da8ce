//! The case table of the CEL libraries, evaluated through `meshgov::cel`: testdata/cel/kubernetes.json.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meshgov::cel::{
    Bindings, Environment, ErrorKind, Fuel, FunctionTable, MapKey, NoValue, Type, Value, Variable,
    compile,
};
use serde_json::Value as Json;

/// What an expression came to: a value as JSON text, or the kind of its error.
fn outcome(expr: &str, environment: &Environment) -> Result<String, ErrorKind> {
    let program = compile(expr, environment).map_err(|error| error.kind)?;
    let bindings = Bindings::new(environment);
    match program.value(&bindings, Fuel::default()) {
        Ok(value) => Ok(json(&value).to_string()),
        Err(NoValue::Error(error)) => Err(error.kind),
        Err(NoValue::Exhausted(_)) => Err(ErrorKind::Limit),
    }
}

fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Uint(value) => Json::from(format!("{value}u")),
        Value::Double(value) => Json::from(*value),
        Value::List(list) => list.items().iter().map(json).collect(),
        Value::Map(map) => {
            let entries = map.entries().iter().map(|(key, value)| {
                let key = match key {
                    MapKey::Str(text) => (*text).to_owned(),
                    MapKey::Text(text) => text.to_string(),
                    other => format!("{other:?}"),
                };
                (key, json(value))
            });
            Json::Object(entries.collect())
        }
        other => match other.as_str() {
            Some(text) => Json::from(text),
            None => Json::from(format!("<{}>", other.type_name())),
        },
    }
}

fn error_kind(name: &str) -> ErrorKind {
    match name {
        "no_such_overload" => ErrorKind::NoOverload,
        "invalid_argument" => ErrorKind::InvalidArgument,
        other => panic!("unknown kind of error {other}"),
    }
}

#[test]
fn every_case_of_the_table_comes_out_as_its_source_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/cel/kubernetes.json");
    let cases: Vec<Json> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let environment = Environment::new(Vec::new(), Arc::new(FunctionTable::standard()));
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in &cases {
        let expr = case["expr"].as_str().unwrap();
        assert!(!case["source"].as_str().unwrap().is_empty(), "{expr}");
        let expected = match case.get("error") {
            Some(kind) => Err(error_kind(kind.as_str().unwrap())),
            None => Ok(case["value"].to_string()),
        };
        let actual = outcome(expr, &environment);
        if actual == expected {
            *passed.entry(case["library"].as_str().unwrap()).or_default() += 1;
        } else {
            failures.push(format!(
                "{expr}\n  expected {expected:?}\n  actual   {actual:?}"
            ));
        }
    }
    println!("{passed:?} of {}", cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases.len() >= 200);
}

#[test]
fn a_pattern_may_be_computed() {
    let environment = Environment::new(Vec::new(), Arc::new(FunctionTable::standard()));
    let expr = "['[0-9]+', '(', '[a-z]'].map(p, p == '(' ? '' : 'ab 12'.find(p))";
    assert_eq!(
        outcome(expr, &environment),
        Ok(r#"["12","","a"]"#.to_owned())
    );
    let expr = "['('].map(p, 'ab'.findAll(p))";
    assert_eq!(outcome(expr, &environment), Err(ErrorKind::InvalidArgument));
}

/// The regex crate documents that finding all matches of this pattern takes quadratic time.
#[test]
fn quadratic_matching_runs_out_of_fuel() {
    let functions = Arc::new(FunctionTable::standard());
    let environment = Environment::new(vec![Variable::new("text", Type::String)], functions);
    let program = compile("text.findAll('.*[^A-Z]|[A-Z]').size() > 0", &environment).unwrap();
    let text = "A".repeat(1 << 20);
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, Value::Str(&text));
    let outcome = program.value(&bindings, Fuel::default());
    assert!(matches!(outcome, Err(NoValue::Exhausted(_))), "{outcome:?}");
}

#[test]
fn no_overload_stands_twice_in_the_function_table() {
    let table = FunctionTable::standard();
    let mut seen = BTreeSet::new();
    for function in table.iter() {
        assert!(
            seen.insert(function.signature()),
            "{}",
            function.signature()
        );
        assert!(function.doc.ends_with('.'), "{}", function.signature());
    }
}
