//! Input made to hurt: every case ends without a hang, below 500 MB, on a thread with a 2 MiB stack.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meshgov::source::{SourceFile, SourceId};
use meshgov::yaml::{DecodeError, ParseErrorKind, Parsed, decode, parse};

const MEGABYTE: usize = 1 << 20;
/// More CPU time than any case takes on a slow machine, far less than quadratic work takes on a fast one.
/// The two seconds that users are promised are measured by `.ci/hostile.py`, as the best of several runs.
const HANG: Duration = Duration::from_secs(15);

/// Memory is measured for the whole process: one case at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// CPU time of this thread where the kernel tells, else time since some start.
fn clock(start: Instant) -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = spent.and_then(|stat| stat.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Highest resident memory of this process so far, in bytes; 0 where the kernel does not tell.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}

/// Reads a file of `bytes` as a worker thread does and hands what came of it to `check`.
fn within_limits(
    name: &str,
    bytes: Vec<u8>,
    check: impl FnOnce(Result<&Parsed, DecodeError>) + Send + 'static,
) {
    let worker = std::thread::Builder::new().stack_size(2 * MEGABYTE);
    let run = move || {
        let start = Instant::now();
        let before = clock(start);
        match decode(bytes) {
            Err(error) => check(Err(error)),
            Ok(text) => {
                let parsed = parse(&Arc::new(SourceFile::new(SourceId(0), "hostile", text)));
                check(Ok(&parsed));
            }
        }
        clock(start) - before
    };
    let spent = worker.spawn(run).unwrap().join().unwrap();
    println!("{name}: {spent:?}, peak {} MB", peak_bytes() / MEGABYTE);
    assert!(spent < HANG, "{name} took {spent:?}");
    assert!(peak_bytes() < 500 * MEGABYTE, "{name}: memory");
}

fn only_error(parsed: Result<&Parsed, DecodeError>) -> ParseErrorKind {
    let parsed = parsed.unwrap();
    assert!(parsed.documents.is_empty() && parsed.tree.is_empty());
    assert_eq!(parsed.errors.len(), 1);
    parsed.errors[0].kind.clone()
}

#[test]
fn nesting_ends_at_255_levels_however_it_is_written() {
    let _alone = alone();
    let mut blocks = String::new();
    for level in 0..5_000 {
        writeln!(blocks, "{:level$}a:", "").unwrap();
    }
    let mut mixed = String::new();
    for level in 0..200 {
        writeln!(mixed, "{:level$}a:", "").unwrap();
    }
    let mixed = format!("{}{:201}{}1", mixed, "", "[".repeat(56)) + &"]".repeat(56);
    let cases = [
        ("flow sequences", "[".repeat(100_000)),
        ("flow maps", "{a: ".repeat(100_000)),
        ("block maps", blocks),
        ("dashes", "- ".repeat(100_000)),
        ("question marks", "? ".repeat(100_000)),
        ("block and flow", mixed),
    ];
    for (name, text) in cases {
        within_limits(name, text.into_bytes(), |parsed| {
            let error = only_error(parsed);
            let complex_key = matches!(&error, ParseErrorKind::Unrepresentable(_));
            assert!(
                complex_key || error == ParseErrorKind::TooDeep(255),
                "{error}"
            );
        });
    }
    let deepest = format!("{}1{}", "[".repeat(255), "]".repeat(255));
    within_limits("255 levels", deepest.into_bytes(), |parsed| {
        let parsed = parsed.unwrap();
        assert_eq!((parsed.tree.len(), parsed.errors.len()), (256, 0));
        let json = parsed.tree.node(0).to_json().to_string();
        assert_eq!(json.len(), 511);
    });
}

#[test]
fn depth_counts_through_aliases() {
    let _alone = alone();
    let mut text = String::from("- &a0 [x]\n");
    for level in 1..300 {
        writeln!(text, "- &a{level} [*a{}]", level - 1).unwrap();
    }
    within_limits("alias chain", text.into_bytes(), |parsed| {
        assert_eq!(only_error(parsed), ParseErrorKind::TooDeep(255));
    });
}

#[test]
fn alias_bombs_are_counted_not_expanded() {
    let _alone = alone();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").unwrap();
    }
    let mut merged = String::from("a0: &a0 {x: 1, y: 2}\n");
    for level in 1..40 {
        let above = level - 1;
        writeln!(merged, "a{level}: &a{level} {{<<: [*a{above}, *a{above}]}}").unwrap();
    }
    let fan = format!(
        "a: &a [{}]\nb: [{}]\n",
        "1,".repeat(3_000),
        "*a,".repeat(2_000)
    );
    for (name, text) in [
        ("billion laughs", bomb),
        ("merge bomb", merged),
        ("fan", fan),
    ] {
        let text = text + "---\nkind: neighbour\n";
        within_limits(name, text.into_bytes(), |parsed| {
            let parsed = parsed.unwrap();
            assert_eq!(parsed.errors.len(), 1);
            assert_eq!(
                parsed.errors[0].kind,
                ParseErrorKind::TooManyNodes(5_000_000)
            );
            assert_eq!((parsed.documents.len(), parsed.tree.len()), (1, 3));
        });
    }
}

#[test]
fn a_line_of_200_megabytes_is_refused_whatever_it_holds() {
    let _alone = alone();
    for line in ["a: x", "a: \"x \\n", "a: 1 # ", "[1,"] {
        let text = line.repeat(200 * MEGABYTE / line.len());
        within_limits(line, text.into_bytes(), |parsed| {
            let long = DecodeError::LongLine { offset: 0, line: 1 };
            assert_eq!(parsed.unwrap_err(), long);
        });
    }
}

#[test]
fn the_longest_lines_and_values_allowed_are_read() {
    let _alone = alone();
    // Before, what is repeated, its megabytes, after.
    let cases = [
        ("a: ", "x", 15, ""),
        ("a: ", "x ", 15, ""),
        ("a: \"", "\\n", 15, "\""),
        ("a: '", "''", 15, "'"),
        ("a: ", " ", 15, "x"),
        ("a: 1 #", "#", 15, ""),
        ("a: |\n  ", "x", 15, ""),
        ("a: |\n", "  some text of a line\n", 30, ""),
        ("a: >\n", "  some text of a line\n", 30, ""),
        ("a:\n", "  some text of a line\n", 30, ""),
        ("a: \"\n", "  some text of a line\n", 30, "\""),
        ("a: |\n", "\n", 30, "  x"),
        ("unclosed: \"", "x", 15, ""),
        ("unclosed: [\n", "some text of a line\n", 30, ""),
    ];
    for (before, unit, megabytes, after) in cases {
        let middle = unit.repeat(megabytes * MEGABYTE / unit.len());
        let text = [before, middle.as_str(), after, "\n"].concat();
        drop(middle);
        within_limits(
            &format!("{before:?} {unit:?}"),
            text.into_bytes(),
            move |parsed| {
                let parsed = parsed.unwrap();
                let expected = usize::from(!before.starts_with("unclosed"));
                assert_eq!(parsed.documents.len(), expected, "{:?}", parsed.errors);
            },
        );
    }
}

#[test]
fn maps_of_a_million_keys_are_compared_in_linear_time() {
    let _alone = alone();
    let equal = "a: 1\n".repeat(1_000_000);
    let mut distinct = String::new();
    for key in 0..1_000_000 {
        writeln!(distinct, "k{key}: 1").unwrap();
    }
    within_limits("equal keys", equal.into_bytes(), |parsed| {
        let parsed = parsed.unwrap();
        assert_eq!(parsed.duplicates.len(), 999_999);
        assert_eq!(parsed.tree.node(0).len(), 1);
    });
    within_limits("distinct keys", distinct.into_bytes(), |parsed| {
        let parsed = parsed.unwrap();
        assert_eq!(parsed.duplicates.len(), 0);
        assert!(parsed.tree.node(0).get("k999999").is_some());
    });
}

#[test]
fn more_nodes_than_the_cap_end_the_file() {
    let _alone = alone();
    let text = "- [1,2,3,4,5,6,7,8,9]\n".repeat(600_000);
    within_limits("six million nodes", text.into_bytes(), |parsed| {
        assert_eq!(only_error(parsed), ParseErrorKind::TooManyNodes(5_000_000));
    });
}

#[test]
fn crowds_of_comments_and_documents_are_read() {
    let _alone = alone();
    let comments = format!("a:\n{}  b: 1\n", "# c\n".repeat(90_000));
    within_limits("comments before a value", comments.into_bytes(), |parsed| {
        let parsed = parsed.unwrap();
        assert_eq!((parsed.documents.len(), parsed.comments.len()), (1, 90_000));
    });
    let comments = format!("a:\n{}  b: 1\n", "# c\n".repeat(500_000));
    within_limits("too many of them", comments.into_bytes(), |parsed| {
        let message = "too many comment lines between a key and its value".to_owned();
        assert_eq!(only_error(parsed), ParseErrorKind::Syntax(message));
    });
    let documents = "--- [\n".repeat(100_000) + "---\na: 1\n";
    within_limits("broken documents", documents.into_bytes(), |parsed| {
        let parsed = parsed.unwrap();
        assert_eq!((parsed.documents.len(), parsed.errors.len()), (1, 100_000));
    });
    let anchors = "- &a x\n- *a\n".repeat(200_000);
    within_limits("anchors", anchors.into_bytes(), |parsed| {
        assert_eq!(parsed.unwrap().tree.len(), 400_001);
    });
}
