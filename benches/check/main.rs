//! `cargo bench --bench check [-- OBJECTS…]`: the speed budget, in one run. On generated trees: granit's bare event loop, our parse,
//! facts and access alone, the whole check, PyYAML's C loader where Python has it, `diff` of ten edited files; then what a tree
//! without AI pays for assets, what overlays cost, and what starting costs. User CPU and peak memory; ratios are what counts.
//!
//! Every measurement is a process of its own. Linux only: CPU times and peaks come from /proc.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a benchmark may stop on a surprise"
)]

mod measure;
mod tasks;
mod trees;

use std::path::Path;
use std::process::Command;

use measure::{Cost, measure};
use trees::{Layout, Tree};

// The program's own allocator, so that parse and check are measured alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESHGOV: &str = env!("CARGO_BIN_EXE_meshgov");

/// PyYAML, file by file.
const PYYAML: &str = "import sys,glob,yaml\nfor f in glob.glob(sys.argv[1]+'/**/*.yaml',recursive=True):\n    list(yaml.load_all(open(f,'rb'),Loader=yaml.CSafeLoader))";

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["task", name, dir] => tasks::run(name, Path::new(dir)),
        [] => {
            trees_of(&[1_000, 10_000, 100_000]);
            without_ai(10_000);
            overlays(&[100, 300, 900]);
            start();
        }
        sizes => {
            let objects = |size: &&str| size.parse().expect("a number of objects");
            trees_of(&sizes.iter().map(objects).collect::<Vec<usize>>());
        }
    }
}

/// Small trees are measured several times, for the clock ticks a hundred times a second only.
fn rounds(objects: usize) -> u32 {
    match objects {
        0..5_000 => 20,
        5_000..50_000 => 5,
        _ => 1,
    }
}

fn trees_of(sizes: &[usize]) {
    let mut last: Option<(usize, f64)> = None;
    for &objects in sizes {
        let tree = Tree::of(objects, Layout::Rendered, true);
        let (files, bytes) = tree.size();
        println!("\n{objects} objects, {files} files, {bytes:.1} MB");
        let rounds = rounds(objects);
        let task = |name: &str, what| measure(what, rounds, &mut task(name, tree.path()));
        let events = task("events", "granit events");
        let parse = task("parse", "our parse");
        let check = measure("whole check", rounds, &mut check(tree.path()));
        let facts = tasks::stages(&mut self::task("facts", tree.path())).facts;
        println!("  {:18} {facts:8.3} s user", "facts and access");
        let mut python = Command::new("python3");
        python.args(["-c", PYYAML]).arg(tree.path());
        let pyyaml = measure("PyYAML C load", 1, &mut python);
        let diff = measure(
            "diff of 10 files",
            rounds.min(5),
            &mut diff(tree.path(), &tree.edited()),
        );
        ratio("check / parse", check, parse, "at most 2.5 at 100,000");
        ratio("parse / events", parse, events, "");
        ratio("check / events", check, events, "");
        ratio("PyYAML / check", pyyaml, check, "at least 3 at 100,000");
        ratio("diff / check", diff, check, "at most 2.2 at 100,000");
        let facts = Cost::of(facts);
        ratio(
            "facts / parse",
            Some(facts),
            parse,
            "at most 1.0 at 100,000",
        );
        if let Some((fewer, before)) = last {
            let growth = format!("facts {objects} / {fewer}");
            ratio(&growth, Some(facts), Some(Cost::of(before)), "at most 12");
        }
        last = Some((objects, facts.seconds));
        if let Some(check) = check {
            println!(
                "  {:.0} objects per CPU second",
                measure::as_f64(objects) / check.seconds
            );
        }
    }
}

/// What looking for AI assets costs where there are none.
fn without_ai(objects: usize) {
    let tree = Tree::of(objects, Layout::Rendered, false);
    println!("\n{objects} objects without AI");
    let check = measure("whole check", rounds(objects), &mut check(tree.path()));
    let stages = tasks::stages(&mut task("facts", tree.path()));
    println!("  {:18} {:8.3} s user", "assets", stages.assets);
    ratio("assets / check", Some(Cost::of(stages.assets)), check, "");
}

/// Leaf overlays: what views cost, and what judging what they render to costs.
fn overlays(counts: &[usize]) {
    println!();
    for &count in counts {
        let Some(tree) = Tree::overlays(count) else {
            println!("overlays: the generator is not to be had here");
            return;
        };
        let found = tree.count_overlays();
        println!("{found} leaf overlays");
        let mut views = Command::new(MESHGOV);
        views
            .args(["config", "views", "--no-config"])
            .arg(tree.path());
        for (name, command) in [("views", &mut views), ("check", &mut check(tree.path()))] {
            if let Some(cost) = measure(name, 10, command) {
                let each = 1e3 * cost.seconds / measure::as_f64(found);
                println!("  {name:18} {each:8.3} ms an overlay");
            }
        }
    }
}

/// What a start costs, with all rules read.
fn start() {
    println!();
    let version = measure(
        "meshgov --version",
        2_000,
        Command::new(MESHGOV).arg("--version"),
    );
    let rules = measure("meshgov rules", 2_000, Command::new(MESHGOV).arg("rules"));
    ratio("rules / --version", rules, version, "at most 4");
}

fn ratio(name: &str, one: Option<Cost>, other: Option<Cost>, bar: &str) {
    if let (Some(one), Some(other)) = (one, other) {
        let bar = match bar {
            "" => String::new(),
            bar => format!("   (to be {bar})"),
        };
        println!("  {name:18} {:8.2}{bar}", one.seconds / other.seconds);
    }
}

fn task(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["task", name]).arg(dir);
    command
}

fn check(dir: &Path) -> Command {
    let mut command = Command::new(MESHGOV);
    command
        .args(["check", "--no-config", "--exit-zero", "--no-progress"])
        .args(["--format", "json"])
        .arg(dir);
    command
}

fn diff(base: &Path, head: &Path) -> Command {
    let mut command = Command::new(MESHGOV);
    command
        .args(["diff", "--no-config", "--fail-on", "never"])
        .args(["--format", "json"])
        .args([Path::new("--base"), base, Path::new("--head"), head]);
    command
}
