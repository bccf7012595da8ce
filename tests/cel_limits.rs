//! Hostile expressions: refused when loaded or out of fuel when evaluated, each in under half a second and 100 MB, on a
//! stack of 2 MiB. The peak of memory is this process's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use meshgov::cel::{
    Bindings, Environment, ErrorKind, Fuel, FunctionTable, NoValue, Type, Value, Variable, compile,
};
use meshgov::source::Sources;

#[derive(Debug, PartialEq)]
enum Verdict {
    Refused(ErrorKind),
    Exhausted,
    Error(ErrorKind),
    Value,
}

/// Compiles and evaluates over a manifest with long texts and a list of 1,000 items.
fn verdict(text: &str) -> (Verdict, Duration) {
    let start = Instant::now();
    let variables = vec![Variable::new("object", Type::Dyn)];
    let environment = Environment::new(variables, Arc::new(FunctionTable::standard()));
    let program = match compile(text, &environment) {
        Ok(program) => program,
        Err(error) => return (Verdict::Refused(error.kind), start.elapsed()),
    };
    let compiling = start.elapsed();
    let items: String = (0..1_000).map(|item| format!("- n{item}\n")).collect();
    let long = "a".repeat(1 << 20);
    let yaml = format!("items:\n{items}long: {long}!\n");
    let source = Sources::default().add("a.yaml", yaml);
    let parsed = meshgov::yaml::parse(&source);
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, Value::Node(parsed.tree.node(0)));
    // Every way to evaluate must hold out.
    let _outcome = program.evaluate(&bindings, Fuel::default());
    let _traced = program.trace(&bindings, Fuel(10_000));
    let start = Instant::now();
    let verdict = match program.value(&bindings, Fuel::default()) {
        Ok(_) => Verdict::Value,
        Err(NoValue::Exhausted(_)) => Verdict::Exhausted,
        Err(NoValue::Error(error)) => Verdict::Error(error.kind),
    };
    (verdict, compiling + start.elapsed())
}

fn nested_comprehensions(levels: usize) -> String {
    let mut text = "true".to_owned();
    for level in 0..levels {
        text = format!("object.items.all(i{level}, {text})");
    }
    text
}

fn doublings(count: usize) -> String {
    let mut text = format!("size(x{count})");
    for step in (1..=count).rev() {
        text = format!("cel.bind(x{step}, x{0} + x{0}, {text})", step - 1);
    }
    format!("cel.bind(x0, 'xxxxxxxx', {text})")
}

fn cases() -> Vec<(&'static str, String, Vec<Verdict>)> {
    let limit = || vec![Verdict::Refused(ErrorKind::Limit)];
    let fuel = || vec![Verdict::Exhausted];
    vec![
        ("20,000 +", format!("1{}", "+1".repeat(20_000)), limit()),
        ("8,000 + within 16 KiB", format!("1{}", "+1".repeat(8_000)), limit()),
        ("8,000 + that never parse", format!("1{}+", "+1".repeat(8_000)), limit()),
        ("5,000 .b", format!("object{}", ".b".repeat(5_000)), limit()),
        ("4,000 .b()", format!("object{}", ".b()".repeat(4_000)), limit()),
        ("2,500 [0]", format!("object{}", "[0]".repeat(2_500)), limit()),
        ("2,500 ?:", format!("{}1", "true?1:".repeat(2_300)), limit()),
        ("8,000 (", "(".repeat(8_000), vec![Verdict::Refused(ErrorKind::Syntax), Verdict::Refused(ErrorKind::Limit)]),
        ("8,000 [", "[".repeat(8_000), limit()),
        ("8,000 {", "{".repeat(8_000), limit()),
        ("8,000 !", format!("{}true", "!".repeat(8_000)), limit()),
        ("8,000 !-", format!("{}true", "!-".repeat(4_000)), limit()),
        ("nested calls", format!("{}1{}", "f(".repeat(3_000), ")".repeat(3_000)), limit()),
        ("nested macros", format!("{}1{}", "[1].map(x,".repeat(200), ")".repeat(200)), limit()),
        ("2,500 &&", format!("true{}", " && true".repeat(2_000)), limit()),
        ("a list of 8,000", format!("[{}1]", "1,".repeat(8_000)), limit()),
        // The parser balances && so that 400 of them are not deep.
        ("400 &&", format!("true{}", " && true".repeat(400)), vec![Verdict::Value]),
        ("30 doublings of a string", doublings(30), fuel()),
        (
            "30 doublings of a list",
            doublings(30).replace("'xxxxxxxx'", "[1, 2, 3, 4]"),
            fuel(),
        ),
        ("6 nested comprehensions", nested_comprehensions(6), fuel()),
        ("3 nested comprehensions", nested_comprehensions(3), fuel()),
        (
            "6 nested maps",
            "object.items.map(a, object.items.map(b, object.items.map(c, object.items.map(d, \
             object.items.map(e, object.items.map(f, f))))))"
                .to_owned(),
            fuel(),
        ),
        ("a list of a billion", "lists.range(1000000000).all(x, x >= 0)".to_owned(), fuel()),
        ("a catastrophic pattern", "object.long.matches('^(a+)+$')".to_owned(), vec![Verdict::Value]),
        (
            "a huge pattern",
            "object.long.matches('((((a{1,50}){1,50}){1,50}){1,50}){1,50}')".to_owned(),
            vec![Verdict::Error(ErrorKind::InvalidArgument)],
        ),
        (
            "a big pattern over a long text",
            "object.long.matches('(.*a){200}b')".to_owned(),
            vec![Verdict::Exhausted, Verdict::Value, Verdict::Error(ErrorKind::InvalidArgument)],
        ),
        (
            "a computed pattern a thousand times",
            "object.items.all(i, !('x' + i).matches('^(' + i + '|[a-z]{1,40}|(\\\\w+\\\\d*){10})$') || true)"
                .to_owned(),
            fuel(),
        ),
        (
            "a deep pattern",
            format!("'a'.matches('{}a{}')", "(".repeat(5_000), ")".repeat(5_000)),
            vec![Verdict::Error(ErrorKind::InvalidArgument)],
        ),
        (
            "replace that grows",
            "cel.bind(t, object.long.replace('a', 'aaaaaaaaaaaaaaaa'), t.replace('a', t))".to_owned(),
            fuel(),
        ),
        (
            "replace of nothing",
            "cel.bind(t, object.long, t.replace('', t))".to_owned(),
            fuel(),
        ),
        ("split into characters", "size(object.long.split('')) * 0 == 0 ? object.long.split('').map(c, object.long) == [] : true".to_owned(), fuel()),
        ("joins of joins", "cel.bind(a, object.items.map(i, object.long), a.join(object.long))".to_owned(), fuel()),
        (
            "comparison of long texts",
            "object.items.all(i, object.items.all(j, object.long == object.long))".to_owned(),
            fuel(),
        ),
        (
            "search in long texts",
            "object.items.all(i, object.items.all(j, object.long.contains('b')) == false)".to_owned(),
            fuel(),
        ),
        ("distinct of many", "lists.range(100000).distinct() == []".to_owned(), fuel()),
        (
            "values nested by binding",
            {
                let mut text = "size(x60)".to_owned();
                for step in (1..=60).rev() {
                    text = format!("cel.bind(x{step}, [[[[x{}]]]], {text})", step - 1);
                }
                format!("cel.bind(x0, object.items, {text})")
            },
            vec![Verdict::Error(ErrorKind::Limit), Verdict::Refused(ErrorKind::Limit)],
        ),
        (
            "a wide format",
            "'%.999999999f'.format([1.5]) == ''".to_owned(),
            vec![Verdict::Error(ErrorKind::InvalidArgument), Verdict::Exhausted],
        ),
        (
            "format of long lists",
            "object.items.all(i, '%s%s%s'.format([object.items, object.long, object.items]) != '')".to_owned(),
            fuel(),
        ),
        ("a huge number", "quantity('1e999999999') == quantity('1')".to_owned(), vec![
            Verdict::Error(ErrorKind::InvalidArgument), Verdict::Value, Verdict::Error(ErrorKind::Overflow),
        ]),
        ("a huge duration", "duration('9999999999999999999999999999h')".to_owned(), vec![Verdict::Error(ErrorKind::Overflow), Verdict::Error(ErrorKind::InvalidArgument)]),
    ]
}

/// Peak resident memory in bytes; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}

#[test]
fn hostile_expressions_end_soon_in_little_memory_and_stack() {
    for (name, text, expected) in cases() {
        let before = peak();
        let (got, took) = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || verdict(&text))
            .unwrap()
            .join()
            .unwrap();
        let grown = peak().saturating_sub(before);
        println!("{name:<40}{got:?} {took:?} +{} MB", grown >> 20);
        assert!(expected.contains(&got), "{name}: {got:?}");
        // Half a second is promised; on a shared machine a slow run is no fault of the program, a hang is.
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
        assert!(grown < 100 << 20, "{name} took {grown} bytes");
    }
}

/// The deepest expressions that are not refused, of every shape, compiled, evaluated, explained, traced and dropped.
#[test]
fn the_deepest_legal_expressions_fit_a_stack_of_2_mib() {
    let wrapped = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    let chained = |first: &str, next: &str, times: usize| format!("{first}{}", next.repeat(times));
    let binds = (0..60).rev().fold("x0".to_owned(), |text, step| {
        format!("cel.bind(x{step}, [1, 2], {text})")
    });
    let shapes = [
        wrapped("(1 + ", "1", ")", 60),
        wrapped("[", "1", "]", 60),
        wrapped("{'a': ", "1", "}", 60),
        wrapped("string(", "'a'", ")", 60),
        wrapped("[1].map(x, ", "x", ")", 60),
        wrapped("[1].all(x, ", "true", ")", 60),
        wrapped("[1].exists_one(x, ", "true", ")", 60),
        wrapped("[1].exists(i, x, ", "true", ")", 60),
        wrapped("{'a': 1}.transformMap(k, v, ", "1", ")", 60),
        wrapped("optional.of(", "1", ")", 60),
        wrapped("optional.of(1).optMap(v, ", "1", ")", 60),
        wrapped("true ? (", "true", ") : false", 60),
        wrapped("!(", "true", ")", 60),
        wrapped("!(true && ", "true", ")", 30),
        wrapped("object.items[", "0", "]", 60),
        wrapped("true || (false && ", "false", ")", 30),
        chained("1", " + 1", 62),
        chained("'a'", " + 'b'", 62),
        chained("object", ".b", 62),
        chained("object", "[0]", 62),
        chained("object", ".?b", 62),
        chained("'a'", ".trim()", 62),
        chained("[1]", ".map(x, x)", 60),
        chained("", "true ? true : ", 60) + "true",
        binds,
    ];
    for shape in shapes {
        let deepest = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn({
                let shape = shape.clone();
                move || verdict(&shape).0
            })
            .unwrap()
            .join()
            .unwrap();
        // A shape that is refused is not deep enough to prove anything.
        assert!(
            !matches!(deepest, Verdict::Refused(_) | Verdict::Exhausted),
            "{shape:.60}: {deepest:?}"
        );
    }
}
