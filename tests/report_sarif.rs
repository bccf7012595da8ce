//! SARIF within GitHub's limits; `suite_sarif` holds its places and hashes against independent readings.

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

use meshgov::facts::Severity;
use meshgov::report::Options;
use report_support::{Builder, at, finding, many, related, render, rule, span};

#[test]
fn sarif_keeps_the_worst_5000_and_says_what_it_left_out() {
    let text = render(&many(6_000), &Options::default(), "sarif");
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    assert_eq!(run["results"][0]["ruleId"], "BAD002");
    let note = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str();
    assert!(
        note.unwrap().starts_with("1,000 findings left out"),
        "{note:?}"
    );
}

#[test]
fn sarif_places_follow_the_source_root_and_rules_are_listed_whether_they_fired_or_not() {
    let mut builder = Builder::new();
    let listed = rule("BAD002", "listed", Severity::Note, "listed");
    let fired = rule("BAD001", "fired", Severity::Critical, "fired");
    builder.rule(&listed);
    for path in ["/elsewhere/a b.yaml", "in/100% ü.yaml"] {
        let file = builder.source(path, "k: v\n");
        builder.find(finding(&fired, at(&file, "v"), "it is bad"));
    }
    let text = render(&builder.sorted(), &Options::default(), "sarif");
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    let artifact =
        |at: usize| &run["results"][at]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(
        *artifact(0),
        serde_json::json!({"uri": "file:///elsewhere/a%20b.yaml"})
    );
    assert_eq!(
        *artifact(1),
        serde_json::json!({"uri": "in/100%25%20%C3%BC.yaml", "uriBaseId": "%SRCROOT%"})
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!([&rules[0]["id"], &rules[1]["id"]], ["BAD001", "BAD002"]);
    assert_eq!(rules[0]["properties"]["tags"][0], "security");
    assert_eq!(rules[0]["properties"]["security-severity"], "9.5");
    assert_eq!(rules[1]["properties"]["tags"][0], "bad");
    assert!(rules[1]["properties"]["security-severity"].is_null());
}

#[test]
fn sarif_keeps_to_what_github_reads() {
    let mut builder = Builder::new();
    let mut long = (*rule("BAD001", "bad", Severity::High, &"long ".repeat(400))).clone();
    long.controls = (0..30).map(|n| format!("control-{n}")).collect();
    long.why = "why ".repeat(1_000);
    let long = std::sync::Arc::new(long);
    builder.rule(&long);
    let file = builder.source("a.yaml", &"k: v\n".repeat(50));
    let found = builder.find(finding(
        &long,
        at(&file, "v"),
        "first line\nsecond [x](9) line",
    ));
    found.related = (0..40)
        .map(|n| related(span(&file, n * 5, n * 5 + 1), "step [n](7)"))
        .collect();
    builder.find(finding(&long, at(&file, "k"), "no proof"));
    let text = render(&builder.sorted(), &Options::default(), "sarif");
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    let run = &log["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "meshgov/");
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let rule = &run["tool"]["driver"]["rules"][0];
    for name in ["shortDescription", "fullDescription"] {
        assert!(rule[name]["text"].as_str().unwrap().len() <= 1_024);
    }
    assert_eq!(rule["properties"]["tags"].as_array().unwrap().len(), 10);
    let results = run["results"].as_array().unwrap();
    let plain = results.iter().find(|r| r["codeFlows"].is_null()).unwrap();
    assert!(plain["relatedLocations"].is_null() && plain["suppressions"].is_null());
    let proved = results.iter().find(|r| !r["codeFlows"].is_null()).unwrap();
    let related = proved["relatedLocations"].as_array().unwrap();
    let steps = &proved["codeFlows"][0]["threadFlows"][0]["locations"];
    assert_eq!(related.len(), 20);
    assert_eq!(steps.as_array().unwrap().len(), 20);
    assert_eq!(
        steps[19]["location"]["physicalLocation"],
        proved["locations"][0]["physicalLocation"]
    );
    let message = proved["message"]["text"].as_str().unwrap();
    assert!(message.starts_with("first line second [x] (9) line. See [step (n)(7)](1), "));
    let links: Vec<&str> = message.split("](").skip(1).collect();
    assert_eq!(links.len(), 5);
    for (at, link) in links.iter().enumerate() {
        let id = link.split_once(')').unwrap().0;
        assert_eq!(related[at]["id"].to_string(), id);
    }
}
