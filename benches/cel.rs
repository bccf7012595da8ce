//! Speed of CEL: the rules of tests/common/cel_rules.rs over 10,000 real objects, beside the cel crate over the same
//! objects, and the time to parse and check a rule. `cargo bench --bench cel --features suites`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    reason = "a measurement, not the program"
)]

#[path = "../tests/common/cel_crate.rs"]
mod cel_crate;
#[path = "../tests/common/cel_rules.rs"]
mod cel_rules;
#[path = "../tests/common/cel.rs"]
mod common;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use meshgov::cel::{Bindings, Environment, Fuel, Outcome, Type, Value, Variable, compile};
use meshgov::source::Sources;
use meshgov::yaml::{NodeRef, Parsed};

/// Objects measured, repeating the corpus from its beginning when it has fewer.
const OBJECTS: usize = 10_000;
const RUNS: u32 = 5;

/// Time this thread has spent on a processor, which other processes do not lengthen; wall time where it is not told.
fn processor_time() -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(
            || {
                std::time::SystemTime::UNIX_EPOCH
                    .elapsed()
                    .unwrap_or_default()
            },
            Duration::from_nanos,
        )
}

fn main() {
    common::on_big_stack(measure);
}

fn measure() {
    let environment = Environment::new(
        vec![Variable::new("object", Type::Dyn)],
        common::functions(),
    );
    let env = cel_crate::environment();
    let parsed = corpus();
    let mut objects: Vec<NodeRef<'_>> = Vec::new();
    while objects.len() < OBJECTS {
        let all = parsed.iter().flat_map(|file| {
            let roots = file.documents.iter();
            roots.map(|document| file.tree.node(document.root))
        });
        objects.extend(
            all.filter(|root| root.is_map())
                .take(OBJECTS - objects.len()),
        );
    }
    let rules: Vec<_> = cel_rules::RULES
        .iter()
        .map(|(kinds, text)| {
            let theirs = env.compile(text).unwrap();
            (*kinds, compile(text, &environment).unwrap(), theirs)
        })
        .collect();
    let kinds: Vec<&str> = objects
        .iter()
        .map(|root| root.get("kind").and_then(NodeRef::as_str).unwrap_or(""))
        .collect();
    let applies = |kinds: &[&str], kind: &str| kinds.is_empty() || kinds.contains(&kind);

    let bindings: Vec<Bindings<'_>> = objects
        .iter()
        .map(|root| {
            let mut bindings = Bindings::new(&environment);
            bindings.set(0, Value::Node(*root));
            bindings
        })
        .collect();
    let mut counts = [0_usize; 3];
    let ours = |explain: bool, filter: bool, counts: &mut [usize; 3]| {
        let mut evaluations: u32 = 0;
        let start = processor_time();
        for (bindings, kind) in bindings.iter().zip(&kinds) {
            for (of, program, _) in &rules {
                if filter && !applies(of, kind) {
                    continue;
                }
                evaluations += 1;
                let outcome = if explain {
                    program.evaluate(bindings, Fuel::default())
                } else {
                    program.decide(bindings, Fuel::default())
                };
                counts[match black_box(outcome) {
                    Outcome::True => 0,
                    Outcome::False(_) => 1,
                    _ => 2,
                }] += 1;
            }
        }
        (processor_time() - start, evaluations)
    };
    let converted: Vec<cel::Value> = objects
        .iter()
        .map(|root| cel_crate::convert(*root))
        .collect();
    let theirs = |filter: bool| {
        let mut evaluations: u32 = 0;
        let start = processor_time();
        for (object, kind) in converted.iter().zip(&kinds) {
            let mut context = cel::Context::with_env(Arc::clone(&env));
            context.add_variable_from_value("object".to_owned(), object.clone());
            for (of, _, program) in &rules {
                if filter && !applies(of, kind) {
                    continue;
                }
                evaluations += 1;
                black_box(program.execute(&context)).ok();
            }
        }
        (processor_time() - start, evaluations)
    };

    println!("{} rules, {} objects", rules.len(), objects.len());
    for filter in [true, false] {
        let (mut one, mut explained, mut two) = (Duration::MAX, Duration::MAX, Duration::MAX);
        let mut evaluations = 1;
        for run in 0..RUNS {
            counts = [0; 3];
            let (took, count) = ours(false, filter, &mut counts);
            one = one.min(took);
            evaluations = count;
            explained = explained.min(ours(true, filter, &mut [0; 3]).0);
            if run < 2 {
                two = two.min(theirs(filter).0);
            }
        }
        println!(
            "{}: {evaluations} evaluations, true {} false {} error {}",
            if filter {
                "by kind"
            } else {
                "every rule on every object"
            },
            counts[0],
            counts[1],
            counts[2]
        );
        println!(
            "  meshgov            {:>7} ns",
            (one / evaluations).as_nanos()
        );
        println!(
            "  meshgov with blame {:>7} ns",
            (explained / evaluations).as_nanos()
        );
        println!(
            "  cel 0.15           {:>7} ns, {:.1}x",
            (two / evaluations).as_nanos(),
            two.as_secs_f64() / one.as_secs_f64()
        );
    }
    const PASSES: u32 = 500;
    let start = processor_time();
    for _ in 0..PASSES {
        for (_, text) in cel_rules::RULES {
            black_box(compile(text, &environment)).ok();
        }
    }
    let count = u32::try_from(rules.len()).unwrap() * PASSES;
    println!(
        "parse and check: {:.2} µs a rule",
        (processor_time() - start).as_secs_f64() * 1e6 / f64::from(count)
    );
}

fn corpus() -> Vec<Parsed> {
    let mut paths = Vec::new();
    files(&common::shared("corpus/real/plain"), &mut paths);
    paths
        .into_iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(path).ok()?;
            Some(meshgov::yaml::parse(
                &Sources::default().add("a.yaml", text),
            ))
        })
        .collect()
}

fn files(folder: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            out.push(path);
        }
    }
}
