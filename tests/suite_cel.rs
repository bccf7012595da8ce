//! cel-spec's conformance tests through `meshgov::cel::compile` and `Program::value`, the entry the rules use, and the cel
//! crate's own evaluator beside it. A test that expects an error passes only on an error of the right kind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "common/cel.rs"]
mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{functions, on_big_stack, same, shared, value};
use meshgov::cel::{
    Bindings, Environment, ErrorKind, Fuel, FunctionTable, Type, Variable, compile,
};
use serde_json::Value as Json;

/// Share of the tests without protobuf that must pass.
const WANTED: f64 = 0.99;

/// Tests that fail, with the reason.
const KNOWN: &[(&str, &str)] = &[
    (
        "parse/bytes_literals/triple_single_quoted_unescaped_punctuation",
        "the expected bytes hold a backslash that the expression in the file does not",
    ),
    (
        "parse/bytes_literals/triple_double_quoted_unescaped_punctuation",
        "the expected bytes hold a backslash that the expression in the file does not",
    ),
];

struct Case {
    json: Json,
}

impl Case {
    fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap()
    }

    fn title(&self) -> String {
        format!(
            "{}/{}/{}",
            self.text("file"),
            self.text("section"),
            self.text("name")
        )
    }
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(shared("suites/cel-spec/conformance.json")).unwrap();
    let all: Vec<Json> = serde_json::from_str(&text).unwrap();
    all.into_iter()
        .filter(|case| !case["proto"].as_bool().unwrap() && !case["check_only"].as_bool().unwrap())
        .map(|json| Case { json })
        .collect()
}

/// The kinds of error that fit a test's name. The file gives no messages; these are the kinds of cel-spec's
/// `tests/simple/testdata/*.textproto` (`eval_error`), written down by hand.
fn fitting(case: &Case) -> &'static [ErrorKind] {
    use ErrorKind::*;
    let (file, section, name) = (case.text("file"), case.text("section"), case.text("name"));
    match (file, section) {
        ("basic", "variables") => &[UnknownName],
        ("basic", "functions") => &[UnknownFunction],
        ("comparisons", _) | ("fp_math", _) => &[NoOverload],
        ("conversions", "int" | "uint") => &[Overflow],
        ("conversions", "type") => &[UnknownName],
        ("conversions", _) => &[InvalidArgument],
        ("fields", "map_fields") if name.contains("bad_key_type") => &[NoOverload],
        ("fields", "map_fields") => &[NoSuchKey],
        ("fields", _) => match name {
            "map_key_float" | "map_key_null" => &[BadKey],
            "map_value_repeat_key" | "map_value_repeat_key_heterogeneous" => &[DuplicateKey],
            _ => &[NoOverload],
        },
        ("integer_math", _) if name.ends_with("_zero") => &[DivideByZero],
        ("integer_math", _) if name.contains("overflow") || name.contains("min_negate") => {
            &[Overflow]
        }
        ("integer_math", _) => &[NoOverload],
        ("lists", _) if name.starts_with("index_out_of_bounds") => &[OutOfBounds],
        ("lists", _) => &[NoOverload],
        ("logic", _) if name.contains("no_overload") || name == "bad_type" => &[NoOverload],
        ("macros" | "macros2", _) if name.contains("_type_") => &[NoOverload],
        ("logic" | "macros" | "macros2" | "plumbing", _) => &[DivideByZero],
        ("math_ext", _) => match name {
            "int_overflow" => &[Overflow],
            "bad_shift" => &[InvalidArgument],
            _ => &[NoOverload],
        },
        ("network_ext", _) if name == "is_ip_cidr_compile_error" => &[NoOverload],
        ("network_ext", _) => &[InvalidArgument],
        ("optionals", _) => &[NoSuchKey],
        ("string_ext", "format_errors") => &[InvalidArgument],
        ("string_ext", "value_errors") => &[OutOfBounds],
        // One argument too many is no such overload, which we call by its own name.
        ("string_ext", _)
            if matches!(
                name,
                "indexof_ternary_invalid_arguments"
                    | "replace_quaternary_invalid_argument"
                    | "split_ternary_invalid_argument"
                    | "substring_ternary_invalid_argument"
            ) =>
        {
            &[Arity]
        }
        ("string_ext", _) => &[NoOverload],
        // Such a year is not RFC 3339 text.
        ("timestamps", "timestamp_range") if name.starts_with("from_string") => {
            &[Overflow, InvalidArgument]
        }
        ("timestamps", _) => &[Overflow],
        _ => panic!("no kind for {}", case.title()),
    }
}

/// Why a test fails; `None` when it passes.
fn ours(case: &Case, functions: &Arc<FunctionTable>, always_check: bool) -> Option<String> {
    let mut environment = Environment::new(Vec::new(), Arc::clone(functions));
    if !always_check && case.json["disable_check"] == true {
        environment.set_unchecked();
    }
    environment.set_container(case.text("container"));
    let mut values = Vec::new();
    for bind in case.json["bind"].as_array().unwrap() {
        let number = environment.declare(Variable::new(bind[0].as_str().unwrap(), Type::Dyn));
        match value(&bind[1]) {
            Some(value) => values.push((number, value)),
            None => return Some("a binding that JSON cannot carry".to_owned()),
        }
    }
    let mut bindings = Bindings::new(&environment);
    for (number, value) in values {
        bindings.set(number, value);
    }
    let expected = &case.json["exp"];
    let kind = expected["t"].as_str().unwrap();
    let wrong = |kind: ErrorKind, message: &str| {
        if expected["t"] == "error" && fitting(case).contains(&kind) {
            None
        } else {
            Some(format!("{kind:?}: {message}"))
        }
    };
    let program = match compile(case.text("expr"), &environment) {
        Ok(program) => program,
        Err(error) => return wrong(error.kind, &error.message),
    };
    let got = match program.value(&bindings, Fuel::default()) {
        Ok(value) => value.lift(),
        Err(error) => return wrong(error.kind(), &format!("{error:?}")),
    };
    let passed = match kind {
        "error" => false,
        "type" => {
            matches!(&got, meshgov::cel::Value::Type(name) if *name == expected["v"].as_str().unwrap())
        }
        _ => value(expected).is_some_and(|wanted| same(&got, &wanted)),
    };
    (!passed).then(|| format!("got {}, wanted {expected}", got.to_display()))
}

#[derive(Default)]
struct Row {
    ours: usize,
    checked: usize,
    crate_own: usize,
    of: usize,
}

#[test]
fn conformance_with_cel_spec() {
    let functions = functions();
    let cases = cases();
    assert_eq!(cases.len(), 1_727, "tests without protobuf");
    let others = on_big_stack(|| {
        std::panic::set_hook(Box::new(|_| {}));
        let all = cel_crate::pass_all();
        drop(std::panic::take_hook());
        all
    });
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut failed = Vec::new();
    for (case, other) in cases.iter().zip(others) {
        let row = rows.entry(case.text("file").to_owned()).or_default();
        row.of += 1;
        row.crate_own += usize::from(other);
        row.checked += usize::from(ours(case, &functions, true).is_none());
        match ours(case, &functions, false) {
            None => row.ours += 1,
            Some(why) => {
                let title = case.title();
                let reason = KNOWN.iter().find(|(known, _)| *known == title);
                let reason = reason.map_or("NOT KNOWN", |(_, reason)| *reason);
                failed.push(format!(
                    "{title} ({reason}): {} -> {why}",
                    case.text("expr")
                ));
            }
        }
    }
    println!(
        "meshgov: the checker is off where the test says so; checked: always on, as for rules"
    );
    println!(
        "{:<16}{:>9}{:>9}{:>11}{:>7}",
        "file", "meshgov", "checked", "cel 0.15", "of"
    );
    let mut total = Row::default();
    for (file, row) in &rows {
        println!(
            "{file:<16}{:>9}{:>9}{:>11}{:>7}",
            row.ours, row.checked, row.crate_own, row.of
        );
        total.checked += row.checked;
        total.ours += row.ours;
        total.crate_own += row.crate_own;
        total.of += row.of;
    }
    println!(
        "{:<16}{:>9}{:>9}{:>11}{:>7}",
        "all", total.ours, total.checked, total.crate_own, total.of
    );
    for line in &failed {
        println!("{line}");
    }
    assert!(
        failed.iter().all(|line| !line.contains("NOT KNOWN")),
        "a test fails that is not in KNOWN"
    );
    let share = total.ours as f64 / total.of as f64;
    assert!(share >= WANTED, "{:.2} % pass", 100.0 * share);
}

/// The cel crate's evaluator over the same tests; any error passes for an expected one, which favours it.
mod cel_crate {
    use cel::objects::{Key, Map};
    use cel::{Context, Env, Value, extensions};
    use serde_json::Value as Json;
    use std::collections::HashMap;
    use std::sync::Arc;

    pub(super) fn pass_all() -> Vec<bool> {
        super::cases()
            .iter()
            .map(|case| std::panic::catch_unwind(|| passes(&case.json)).unwrap_or(false))
            .collect()
    }

    fn passes(case: &Json) -> bool {
        let wants_error = case["exp"]["t"] == "error";
        let mut env = Env::stdlib();
        for extension in [
            extensions::strings,
            extensions::lists,
            extensions::math,
            extensions::encoders,
        ] {
            env.add_extension(extension).unwrap();
        }
        let container = case["container"].as_str().unwrap();
        if !container.is_empty() {
            env.set_container(container).unwrap();
        }
        let Ok(program) = env.compile(case["expr"].as_str().unwrap()) else {
            return wants_error;
        };
        let mut context = Context::with_env(Arc::new(env));
        for bind in case["bind"].as_array().unwrap() {
            let Some(value) = value(&bind[1]) else {
                return false;
            };
            context.add_variable_from_value(bind[0].as_str().unwrap().to_owned(), value);
        }
        match program.execute(&context) {
            Err(_) => wants_error,
            Ok(_) if wants_error => false,
            Ok(got) if case["exp"]["t"] == "type" => {
                format!("{got:?}").contains(case["exp"]["v"].as_str().unwrap())
            }
            Ok(got) => value(&case["exp"]).is_some_and(|wanted| same(&got, &wanted)),
        }
    }

    fn value(json: &Json) -> Option<Value> {
        let text = || json["v"].as_str();
        Some(match json["t"].as_str()? {
            "null" => Value::Null,
            "bool" => Value::Bool(json["v"].as_bool()?),
            "int" => Value::Int(text()?.parse().ok()?),
            "uint" => Value::UInt(text()?.parse().ok()?),
            "double" => Value::Float(match text()? {
                "inf" => f64::INFINITY,
                "-inf" => f64::NEG_INFINITY,
                "nan" => f64::NAN,
                number => number.parse().ok()?,
            }),
            "string" => Value::String(Arc::new(text()?.to_owned())),
            "bytes" => Value::Bytes(Arc::new(
                json["v"]
                    .as_array()?
                    .iter()
                    .map(|byte| u8::try_from(byte.as_u64()?).ok())
                    .collect::<Option<_>>()?,
            )),
            "list" => Value::List(Arc::new(
                json["v"]
                    .as_array()?
                    .iter()
                    .map(value)
                    .collect::<Option<_>>()?,
            )),
            "map" => {
                let mut map = HashMap::new();
                for entry in json["v"].as_array()? {
                    let key = match value(&entry[0])? {
                        Value::Bool(key) => Key::Bool(key),
                        Value::Int(key) => Key::Int(key),
                        Value::UInt(key) => Key::Uint(key),
                        Value::String(key) => Key::String(key),
                        _ => return None,
                    };
                    map.insert(key, value(&entry[1])?);
                }
                Value::Map(Map { map: Arc::new(map) })
            }
            "duration" => Value::Duration(
                chrono::Duration::seconds(json["v"][0].as_str()?.parse().ok()?)
                    + chrono::Duration::nanoseconds(json["v"][1].as_i64()?),
            ),
            "timestamp" => Value::Timestamp(
                chrono::DateTime::from_timestamp(
                    json["v"][0].as_str()?.parse().ok()?,
                    u32::try_from(json["v"][1].as_u64()?).ok()?,
                )?
                .fixed_offset(),
            ),
            _ => return None,
        })
    }

    fn same(one: &Value, two: &Value) -> bool {
        match (one, two) {
            (Value::Float(a), Value::Float(b)) => a == b || a.is_nan() && b.is_nan(),
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
            }
            (Value::Map(a), Value::Map(b)) => {
                a.map.len() == b.map.len()
                    && a.map
                        .iter()
                        .all(|(key, a)| b.map.get(key).is_some_and(|b| same(a, b)))
            }
            _ => std::mem::discriminant(one) == std::mem::discriminant(two) && one == two,
        }
    }
}
