//! Parts of the work, each run in a process of its own. Input: a folder; output: CPU time spent, and times of stages on stdout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use meshgov::discover::{Request, beside::Nothing, discover};
use meshgov::engine::Analysis;
use meshgov::facts::Assumptions;
use meshgov::view::build::{ViewSettings, build, views};

use crate::measure::own_user_seconds;
use crate::trees::manifests;

/// User CPU of stages that only run after others, in seconds.
pub(crate) struct Stages {
    /// Topology, engines, facts and access of every view.
    pub(crate) facts: f64,
    /// The inventory of AI assets and all that is linked to them.
    pub(crate) assets: f64,
}

pub(crate) fn run(name: &str, dir: &Path) {
    match name {
        "events" => events(dir),
        "parse" => parse(dir),
        "facts" => facts(dir),
        _ => panic!("no task {name}"),
    }
}

/// Runs the task `facts` and reads what it prints.
pub(crate) fn stages(task: &mut Command) -> Stages {
    let output = task.stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "the task failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut times = text.split_whitespace().map(|t| t.parse().unwrap());
    Stages {
        facts: times.next().unwrap(),
        assets: times.next().unwrap(),
    }
}

fn events(dir: &Path) {
    let mut count = 0usize;
    for path in manifests(dir) {
        let text = std::fs::read_to_string(path).unwrap();
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(true);
        count += granit_parser::Parser::new_from_str_with_options(&text, options)
            .filter(Result::is_ok)
            .count();
    }
    assert!(count > 0);
}

fn parse(dir: &Path) {
    let mut sources = meshgov::source::Sources::default();
    let mut nodes = 0;
    for path in manifests(dir) {
        let source = sources.add(
            path.to_str().unwrap(),
            std::fs::read_to_string(&path).unwrap(),
        );
        nodes += meshgov::yaml::parse(&source).tree.len();
    }
    assert!(nodes > 0);
}

/// What `check` does between loading and judging, stage by stage; repeated until a stage can be timed.
fn facts(dir: &Path) {
    let request = Request {
        cwd: std::env::current_dir().unwrap(),
        paths: vec![PathBuf::from(dir)],
        stdin_name: None,
    };
    let discovered = discover(&request).unwrap();
    let mut loaded = meshgov::load::load(&discovered, None);
    let settings = ViewSettings::default();
    let built = build(&mut loaded, &discovered.roots, &Nothing, &settings);
    let views = views(&loaded, &discovered.roots, built, &settings).views;
    let assume = Assumptions::default();
    let facts = timed(|| {
        for view in &views {
            std::hint::black_box(Analysis::of(view, &assume).subjects());
        }
    });
    let assets = timed(|| {
        for view in &views {
            std::hint::black_box(meshgov::asset::record::subjects(view, "2026-01-01"));
        }
    });
    println!("{facts} {assets}");
}

/// User CPU seconds of one round.
fn timed(round: impl Fn()) -> f64 {
    let before = own_user_seconds();
    let mut rounds = 0;
    loop {
        round();
        rounds += 1;
        let spent = own_user_seconds() - before;
        if spent > 0.5 || rounds == 100 {
            return spent / f64::from(rounds);
        }
    }
}
