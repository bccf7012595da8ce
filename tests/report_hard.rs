//! Formats over hard inputs: secrets, long lines, wide characters, line ends, many findings, nothing at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

mod report_support;

use meshgov::facts::{Confidence, Severity};
use meshgov::report::{Document, FORMATS, Options, names};
use report_support::{Builder, at, finding, many, related, render, render_all, rule, span};

const CANARY: &str = "s3cr3t-c4n4ry";

fn one(text: &str, needle: &str) -> String {
    let mut builder = Builder::new();
    let bad = rule("BAD001", "bad", Severity::High, "bad");
    builder.rule(&bad);
    let file = builder.source("a.yaml", text);
    builder
        .find(finding(&bad, at(&file, needle), "it is bad"))
        .label = "here".into();
    let text = render(&builder.sorted(), &Options::default(), "human");
    let snippet = text.split_once("it is bad\n").unwrap().1;
    snippet.split_once("  why").unwrap().0.to_owned()
}

#[test]
fn names_are_unique_and_found_again() {
    let all: std::collections::BTreeSet<_> = names(Document::Check).collect();
    assert_eq!(all.len(), FORMATS.len());
    assert!(meshgov::report::format(Document::Check, "sarif").is_some());
    assert!(meshgov::report::format(Document::Check, "xml").is_none());
}

#[test]
fn a_secret_appears_in_no_format_wherever_it_stands() {
    let mut builder = Builder::new();
    let bad = rule("BAD001", "bad", Severity::High, "bad");
    builder.rule(&bad);
    // Context above, the flagged line itself, context below, a block of several lines, a long line, another file.
    let text = format!(
        "above: {CANARY}\nvalue: {CANARY} tail\nbelow: {CANARY}\nblock: |\n  {CANARY}\n  {CANARY}\nlast: x\n"
    );
    let file = builder.source("a.yaml", &text);
    let long = format!("{{\"pad\":\"{}\",\"k\":\"{CANARY}\"}}", "x".repeat(5_000));
    let other = builder.source("b.json", &long);
    for (source, text) in [(&file, &text), (&other, &long)] {
        for (start, _) in text.match_indices(CANARY) {
            let secret = span(source, start, start + CANARY.len());
            builder.outcome.secrets.push(secret);
            let found = builder.find(finding(&bad, secret, "it is bad"));
            found.label = "here".into();
            found.related = vec![
                related(at(&other, CANARY), "and there"),
                related(at(&file, CANARY), "and here"),
            ];
        }
    }
    builder.find(finding(&bad, at(&file, "block"), "it is bad"));
    // A mark that covers a secret and more, and one that begins inside it.
    builder.find(finding(&bad, span(&file, 0, text.len()), "it is bad"));
    builder.find(finding(&bad, span(&file, 10, 15), "it is bad"));
    for (name, text) in render_all(&builder.sorted()) {
        assert!(!text.contains(CANARY), "{name}:\n{text}");
        for part in [&CANARY[..7], &CANARY[4..]] {
            assert!(!text.contains(part), "{name} shows a part:\n{text}");
        }
    }
}

#[test]
fn carets_stand_under_redacted_wide_and_tabbed_text() {
    assert_eq!(
        one("模型: 值\nx: 1\n", "值"),
        "   ╭─[a.yaml:1:5]\n 1 │ 模型: 值\n   ·       ─┬\n   ·        ╰── here\n 2 │ x: 1\n   ╰────\n"
    );
    assert_eq!(
        one("a:\tbc\n", "bc"),
        "   ╭─[a.yaml:1:4]\n 1 │ a:  bc\n   ·     ─┬\n   ·      ╰── here\n   ╰────\n"
    );
}

#[test]
fn every_line_end_is_one_line_and_files_may_end_anywhere() {
    let crlf = one("a: 1\r\nb: 2\r\nc: 3\r\n", "2");
    assert_eq!(crlf, one("a: 1\nb: 2\nc: 3\n", "2"));
    assert_eq!(crlf, one("a: 1\rb: 2\rc: 3", "2"));
    assert!(crlf.contains("[a.yaml:2:4]") && crlf.contains(" 3 │ c: 3"));
    assert_eq!(one("", ""), "   in a.yaml\n");
}

#[test]
fn a_mark_of_several_lines_is_drawn_on_its_first_one() {
    let text = one("a:\n  b: 1\n  c: 2\nd: 3\n", "b: 1\n  c: 2\n");
    assert!(text.contains("[a.yaml:2:3]"), "{text}");
    assert!(text.contains("·   ──┬─"), "{text}");
}

#[test]
fn the_place_of_the_finding_is_drawn_before_its_proof() {
    let mut builder = Builder::new();
    let bad = rule("BAD001", "bad", Severity::High, "bad");
    let file = builder.source("a.yaml", &"x: 0\n".repeat(20).replacen("x: 0", "p: 1", 1));
    let found = builder.find(finding(&bad, span(&file, 53, 54), "it is bad"));
    found.related = vec![
        related(span(&file, 0, 1), "first"),
        related(span(&file, 38, 39), "near"),
    ];
    let text = render(&builder.sorted(), &Options::default(), "human");
    let places: Vec<&str> = text.lines().filter(|l| l.contains("╭─")).collect();
    assert_eq!(
        places,
        ["    ╭─[a.yaml:11:4]", "   ╭─[a.yaml:1:1]"],
        "{text}"
    );
    assert!(text.find("near") < text.find("first"), "{text}");
}

#[test]
fn places_that_overlap_are_joined_or_drawn_apart() {
    let mut builder = Builder::new();
    let bad = rule("BAD001", "bad", Severity::High, "bad");
    let file = builder.source("a.yaml", "key: value\nother: 1\n");
    let found = builder.find(finding(&bad, span(&file, 0, 3), "it is bad"));
    found.label = "one".into();
    found.related = vec![
        related(span(&file, 0, 3), "two"),
        related(span(&file, 0, 10), "whole"),
    ];
    let text = render(&builder.sorted(), &Options::default(), "human");
    let drawn = "   ╭─[a.yaml:1:1]\n 1 │ key: value\n   · ─┬─\n   ·  ╰── one; two\n 2 │ other: 1\n   ╰────\n   \
                 ╭─[a.yaml:1:1]\n 1 │ key: value\n   · ─────┬────\n   ·      ╰── whole\n 2 │ other: 1\n   ╰────\n";
    assert!(text.contains(drawn), "{text}");
}

#[test]
fn a_line_of_200_kilobytes_prints_only_what_is_near() {
    let mut text = format!("{{\"a\":\"{}\",", "x".repeat(100_000));
    text.push_str(&format!(
        "\"模\":\"bad\",\"b\":\"{}\"}}",
        "é".repeat(100_000)
    ));
    let out = one(&text, "bad");
    assert!(out.len() < 1_500, "{}", out.len());
    assert!(out.contains("[a.yaml:1:100014]"), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    let width = |s: &str| {
        s.chars()
            .map(|c| if c == '模' { 2 } else { 1 })
            .sum::<usize>()
    };
    let caret = lines[2].split('─').next().unwrap();
    assert_eq!(
        width(caret),
        width(lines[1].split("bad").next().unwrap()),
        "{out}"
    );
}

#[test]
fn text_from_manifests_cannot_steer_the_terminal_or_the_log() {
    let mut builder = Builder::new();
    let bad = rule("BAD001", "bad", Severity::High, "bad");
    builder.rule(&bad);
    let file = builder.source("a\n::error::b.yaml", "k: \u{1b}[2J\u{202e}v\n");
    let found = builder.find(finding(
        &bad,
        at(&file, "v"),
        "x\n::set-env name=a::b\u{1b}[31m",
    ));
    found.label = "l\n::error::l".into();
    found.assumptions = vec!["a\n::error::a".into()];
    let outcome = builder.sorted();
    for (name, text) in render_all(&outcome) {
        assert!(!text.contains('\u{1b}'), "{name}: {text:?}");
        let commands = text.lines().filter(|l| l.starts_with("::")).count();
        let expected = usize::from(name.starts_with("github"));
        assert_eq!(commands, expected, "{name}: {text}");
    }
    let github = render(&outcome, &Options::default(), "github");
    assert!(
        github.contains("file=a%0A%3A%3Aerror%3A%3Ab.yaml,line=1,"),
        "{github}"
    );
}

#[test]
fn nothing_found_says_so() {
    let outcome = Builder::new().sorted();
    let text = |format| render(&outcome, &Options::default(), format);
    assert_eq!(text("human"), "no Kubernetes object in 0 files\n");
    assert_eq!(text("concise"), "");
    assert_eq!(text("github"), "");
    assert!(text("sarif").contains("\"results\": []"));
    assert!(text("json").contains("\"findingsTotal\": 0"));
}

#[test]
fn five_hundred_findings_are_no_wall_and_nothing_is_hidden_silently() {
    let outcome = many(500);
    let text = render(&outcome, &Options::default(), "human");
    assert!(text.lines().count() < 80, "{text}");
    assert!(
        text.contains("  and 419 more findings in 1 file (every one: --all"),
        "{text}"
    );
    assert!(
        text.contains(
            " 71  critical  worse (BAD002)  worse things\n429  high      bad (BAD001)    bad things"
        ),
        "{text}"
    );
    let options = Options {
        all: true,
        ..Options::default()
    };
    let all = render(&outcome, &options, "human");
    assert_eq!(all.matches("a value is bad").count(), 500);
}

#[test]
fn annotations_stop_at_ten_and_count_the_rest() {
    let text = |count| render(&many(count), &Options::default(), "github");
    assert_eq!(text(10).lines().count(), 10);
    assert!(!text(10).contains("more"));
    let eleven = text(11);
    assert_eq!(eleven.lines().count(), 10);
    assert!(
        eleven.ends_with(
            "::notice title=meshgov::2 more findings: run `meshgov check` to see them\n"
        )
    );
}

#[test]
fn the_job_summary_stays_under_its_limit() {
    let mut builder = Builder::new();
    for number in 0..300 {
        let slug = format!("rule-{number}-{}", "x".repeat(200));
        let bad = rule(
            &format!("BAD{number:03}"),
            &slug,
            Severity::Low,
            &"<b>|".repeat(2_000),
        );
        builder.rule(&bad);
        let file = builder.source(&format!("{number}{}.yaml", "p".repeat(3_000)), "k: v\n");
        for _ in 0..40 {
            builder.find(finding(&bad, at(&file, "v"), &"@user|\\`<".repeat(2_000)));
        }
    }
    let text = render(&builder.sorted(), &Options::default(), "markdown");
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(text.contains("more findings: run") && text.contains("more rules."));
    assert!(!text.contains("<b>") && !text.contains("@user"));
}

#[test]
fn the_last_lines_say_what_a_stricter_gate_would_fail() {
    let gate = |severities: &[(Severity, Confidence)]| {
        let mut builder = Builder::new();
        let file = builder.source("a.yaml", "k: v\n");
        for (severity, confidence) in severities {
            let bad = rule("BAD001", "bad", *severity, "bad");
            builder.find(finding(&bad, at(&file, "v"), "x")).confidence = *confidence;
        }
        let text = render(&builder.sorted(), &Options::default(), "human");
        let line = text.lines().find(|l| l.starts_with("gate: ")).unwrap();
        line.split_once(" better").unwrap().1.to_owned()
    };
    use Confidence::{High, Low};
    use Severity as S;
    assert_eq!(gate(&[(S::High, High)]), "");
    assert_eq!(
        gate(&[(S::High, High), (S::Low, High), (S::High, Low)]),
        " · --fail-on low would fail 1 more · --fail-confidence low would fail 1 more"
    );
    assert_eq!(
        gate(&[(S::Medium, Low)]),
        " · --fail-on medium --fail-confidence low would fail 1"
    );
}

#[test]
fn equal_outcomes_give_equal_bytes() {
    assert_eq!(render_all(&many(50)), render_all(&many(50)));
    assert_eq!(
        render_all(&report_support::tour()),
        render_all(&report_support::tour())
    );
}

mod any {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Spans may lie anywhere, across characters, line ends and secrets, and past the end.
        #[test]
        fn no_format_panics_or_shows_a_secret(
            text in "[a-c \t\r\n模😀é\u{1b}\u{202e}\u{2028}]{0,60}(x{150}[模\n]){0,3}",
            spans in proptest::collection::vec((0usize..500, 0usize..60), 1..6),
            secret in 0usize..60,
        ) {
            let mut builder = Builder::new();
            let bad = rule("BAD001", "bad", Severity::High, "bad");
            builder.rule(&bad);
            let at = (0..=secret.min(text.len())).rev().find(|&o| text.is_char_boundary(o)).unwrap();
            let text = format!("{}{CANARY}{}", &text[..at], &text[at..]);
            let file = builder.source("a.yaml", &text);
            builder.outcome.secrets.push(span(&file, at, at + CANARY.len()));
            let spans: Vec<_> = spans.iter().map(|(s, l)| span(&file, *s, s + l)).collect();
            let found = builder.find(finding(&bad, spans[0], "it is bad"));
            found.related = spans[1..].iter().map(|&s| related(s, "label")).collect();
            for (name, out) in render_all(&builder.sorted()) {
                prop_assert!(!out.contains(CANARY), "{name}: {out}");
                prop_assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}') || name.starts_with("sarif"), "{name}");
            }
        }
    }
}
