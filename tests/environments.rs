//! Environments compared: the cases of testdata/environments, each as `meshgov environments` and `meshgov check` see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The day that entries are judged on.
const TODAY: &str = "2026-11-24";

type Files = BTreeMap<String, String>;

struct Case {
    name: String,
    files: Files,
    environments: Vec<String>,
    check: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/environments")
}

fn world(folder: &Path, below: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            world(&path, below, files);
        } else {
            let name = path.strip_prefix(below).unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(name.replace('\\', "/"), text);
        }
    }
}

/// Lines with `-` become the lines with `+` that follow them; `+` alone appends.
fn edited(text: &str, step: &str, case: &str) -> String {
    let of = |sign: char| {
        let lines = step.lines().filter_map(move |l| l.strip_prefix(sign));
        lines.map(|l| format!("{l}\n")).collect::<String>()
    };
    let (old, new) = (of('-'), of('+'));
    if old.is_empty() {
        return format!("{text}{new}");
    }
    assert_eq!(text.matches(&old).count(), 1, "{case}: {old:?} in {text:?}");
    text.replacen(&old, &new, 1)
}

fn cases() -> Vec<Case> {
    let mut start = Files::new();
    world(&folder().join("world"), &folder().join("world"), &mut start);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder().join("cases")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let (about, steps) = text.split_once("\n== ").unwrap();
        assert!(about.starts_with("# "), "{name} says what it shows");
        let mut case = Case {
            name,
            files: start.clone(),
            environments: Vec::new(),
            check: Vec::new(),
        };
        for step in steps.split("\n== ") {
            let (head, body) = step.split_once('\n').unwrap_or((step, ""));
            let lines = || body.lines().map(str::to_owned).collect::<Vec<_>>();
            match head.split_once(' ') {
                Some(("edit", path)) => {
                    let text = case.files.get_mut(path).unwrap();
                    *text = edited(text, body, &case.name);
                }
                Some(("add", path)) => {
                    let text = format!("{}\n", body.trim_end());
                    assert!(case.files.insert(path.to_owned(), text).is_none());
                }
                Some(("delete", path)) => drop(case.files.remove(path).unwrap()),
                None if head == "empty" => case.files.clear(),
                None if head == "environments" => case.environments = lines(),
                None if head == "check" => case.check = lines(),
                _ => panic!("{}: what is `{head}`?", case.name),
            }
        }
        found.push(case);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn written(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Exit code and standard output of one command.
fn run(cwd: &Path, line: &str) -> (u8, String) {
    let (mut out, mut err, mut stdin) = (Vec::new(), Vec::new(), &[][..]);
    let code = meshgov::cli::run(
        line.split(' ').map(OsString::from),
        &mut meshgov::cli::Io {
            out: &mut out,
            err: &mut err,
            stdin: &mut stdin,
            cwd: cwd.to_owned(),
            env: |_| None,
            today: TODAY.into(),
            terminal_out: false,
            terminal_err: false,
        },
    );
    assert!(code != 2, "{line}: {}", String::from_utf8_lossy(&err));
    (code, String::from_utf8(out).unwrap())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn words(value: &Value) -> String {
    let list = value.as_array().unwrap().iter();
    list.map(|v| v.as_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

fn environments(cwd: &Path) -> (u8, Vec<String>) {
    let (code, out) = run(cwd, "meshgov environments --format json");
    let report: Value = serde_json::from_str(&out).unwrap();
    let mut lines = Vec::new();
    for application in report["applications"].as_array().unwrap() {
        let name = text(application, "name");
        if let Some(why) = application["notCompared"].as_str() {
            lines.push(format!("not compared {name}: {why}"));
            continue;
        }
        let of = |production: bool| {
            let list = application["environments"].as_array().unwrap().iter();
            let names = list.filter(|e| e["production"] == production);
            names.map(|e| text(e, "name")).collect::<Vec<_>>()
        };
        let (production, others) = (of(true).join(" "), of(false).join(", "));
        lines.push(format!("compared {name}: {production} with {others}"));
    }
    for difference in report["differences"].as_array().unwrap() {
        let intended = match difference["intended"].is_null() {
            true => "",
            false => "intended ",
        };
        let place = |cause: &Value| format!("{}:{}", text(cause, "path"), cause["line"]);
        let places = difference["cause"].as_array().unwrap().iter().map(place);
        lines.push(format!(
            "{intended}{} {} {} than {}: {} -> {} | {}",
            text(difference, "verdict"),
            text(difference, "kind"),
            text(difference, "subject"),
            words(&difference["others"]),
            text(difference, "there"),
            text(difference, "here"),
            places.collect::<Vec<_>>().join(", ")
        ));
    }
    for (list, word) in [("only", "only"), ("notToldApart", "apart")] {
        for one in report[list].as_array().unwrap() {
            let (environment, kind) = (text(one, "environment"), text(one, "kind"));
            lines.push(format!(
                "{word} {environment}: {kind} {}",
                text(one, "object")
            ));
        }
    }
    for spent in report["spent"].as_array().unwrap() {
        let word = match spent["expired"].is_null() {
            true => "unused",
            false => "expired",
        };
        lines.push(format!("{word} {}:{}", text(spent, "path"), spent["line"]));
    }
    (code, lines)
}

/// Rules on environments, and those on entries of the config without effect.
const RULES: &str =
    "DRIFT010,DRIFT011,DRIFT012,DRIFT013,DRIFT014,DRIFT015,AIGOV006,META002,META003";

fn check(cwd: &Path) -> Vec<String> {
    let select = RULES.split(',').map(|id| format!(" --select {id}"));
    let line = format!(
        "meshgov check --exit-zero --format json{}",
        select.collect::<String>()
    );
    let (_, out) = run(cwd, &line);
    let report: Value = serde_json::from_str(&out).unwrap();
    let place = |one: &Value| {
        let (rule, path) = (text(one, "rule"), text(one, "path"));
        format!("{rule} {path}:{}", one["start"]["line"])
    };
    let found = report["findings"].as_array().unwrap().iter().map(place);
    let open = report["notEvaluated"].as_array().unwrap().iter();
    found
        .chain(open.map(|n| format!("undecided {}", place(n))))
        .collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn shown(lines: &[String]) -> String {
    lines.iter().map(|l| format!("\n    {l}")).collect()
}

#[test]
fn cases_say_exactly_what_they_expect() {
    let cases = cases();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let folder = written(&case.files);
        let (code, found) = environments(folder.path());
        let (found, expected) = (sorted(found), sorted(case.environments.clone()));
        let is_weaker = expected.iter().any(|l| l.starts_with("weaker"));
        if found != expected || (code == 1) != is_weaker {
            wrong.push(format!(
                "{}: environments, exit code {code}\n  expected{}\n  found{}",
                case.name,
                shown(&expected),
                shown(&found)
            ));
        }
        let (found, expected) = (sorted(check(folder.path())), sorted(case.check.clone()));
        if found != expected {
            wrong.push(format!(
                "{}: check\n  expected{}\n  found{}",
                case.name,
                shown(&expected),
                shown(&found)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
