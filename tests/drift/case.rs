//! Two-sided cases of testdata/drift. Input: the world and a file of steps; output: the files of both sides, and what must be reported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use meshgov::cli::pipeline::{self, Input};
use meshgov::facts::Assumptions;
use meshgov::facts::change::{Change, ChangeKind, Side, State};
use meshgov::query::diff::{self, DiffReport, Tree};

/// Texts by path.
pub(crate) type Files = BTreeMap<String, String>;

/// A case as read.
pub(crate) struct Case {
    pub(crate) base: Files,
    pub(crate) head: Files,
    pub(crate) changes: Vec<String>,
}

pub(crate) fn world(folder: &Path) -> Files {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        files.insert(name, std::fs::read_to_string(&path).unwrap());
    }
    files
}

impl Case {
    pub(crate) fn read(world: &Files, text: &str) -> Self {
        let mut case = Self {
            base: world.clone(),
            head: world.clone(),
            changes: Vec::new(),
        };
        let mut sections = text.split("\n== ").skip(1).peekable();
        assert!(sections.peek().is_some(), "a case has steps");
        for section in sections {
            let (title, body) = section.split_once('\n').unwrap_or((section, ""));
            let words: Vec<&str> = title.split_whitespace().collect();
            match words.as_slice() {
                ["changes"] => case.changes = body.lines().map(str::to_owned).collect(),
                ["setup", step @ ..] => {
                    apply(&mut case.base, step, body);
                    apply(&mut case.head, step, body);
                }
                step => apply(&mut case.head, step, body),
            }
        }
        case
    }
}

fn apply(files: &mut Files, step: &[&str], body: &str) {
    match step {
        ["add", path] => {
            let text = format!("{}\n", body.trim_end_matches('\n'));
            assert!(files.insert((*path).to_owned(), text).is_none(), "{path}");
        }
        ["delete", path] => assert!(files.remove(*path).is_some(), "{path}"),
        ["move", from, to] => {
            let text = files.remove(*from).unwrap();
            files.insert((*to).to_owned(), text);
        }
        ["edit", path] => {
            let text = files.get_mut(*path).unwrap_or_else(|| panic!("{path}"));
            *text = edited(text, body);
        }
        other => panic!("no such step: {other:?}"),
    }
}

/// Replaces the one place where the lines with `-` and ` ` stand by those with `+` and ` `.
fn edited(text: &str, hunk: &str) -> String {
    let side = |sign: char| -> String {
        let kept = hunk.lines().filter(|l| l.starts_with([sign, ' ']));
        kept.map(|l| format!("{}\n", &l[1..])).collect()
    };
    let (old, new) = (side('-'), side('+'));
    let padded = format!("\n{text}");
    let old = format!("\n{old}");
    assert_eq!(
        padded.matches(&old).count(),
        1,
        "the place of\n{hunk}\nin\n{text}"
    );
    padded.replacen(&old, &format!("\n{new}"), 1)[1..].to_owned()
}

pub(crate) fn input(files: &Files) -> Input {
    let files: Vec<(String, String)> = files.clone().into_iter().collect();
    pipeline::read_texts(&files, Assumptions::default())
}

/// Compares two sets of files.
pub(crate) fn diff(base: &Files, head: &Files) -> DiffReport {
    let (base, head) = (input(base), input(head));
    fn tree(input: &Input) -> Tree<'_> {
        Tree {
            views: &input.views,
            assume: &input.assume,
        }
    }
    diff::diff(
        tree(&base),
        tree(&head),
        (base.sources.clone(), head.sources.clone()),
    )
}

/// A change as cases write it.
pub(crate) fn line(report: &DiffReport, change: &Change) -> String {
    let mut line = format!(
        "{} {} {}: {} -> {}",
        change.direction.as_str(),
        change.kind.as_str(),
        change.about.words(),
        change.before.words(),
        change.after.words()
    );
    let callers = callers(change);
    if !callers.is_empty() {
        line.push_str(&format!(" {{{}}}", callers.join(" ")));
    }
    if change.clients > 0 {
        line.push_str(&format!(" {{{} clients}}", change.clients));
    }
    line.push_str(" | ");
    line.push_str(
        &places(report, change)
            .into_iter()
            .collect::<Vec<_>>()
            .join(", "),
    );
    let whole = change.views.iter().all(|v| v == ".");
    if !whole {
        line.push_str(&format!(" @{}", change.views.join(" ")));
    }
    line
}

/// Callers that came, came without identity, went; sorted by name.
fn callers(change: &Change) -> Vec<String> {
    let Some(edges) = &change.edges else {
        return Vec::new();
    };
    assert_eq!(edges.added, edges.first_added.len(), "cases are small");
    let mut anonymous = edges.anonymous;
    let mut all: Vec<(String, char)> = edges
        .first_added
        .iter()
        .map(|name| (name.clone(), '+'))
        .chain(edges.first_removed.iter().map(|name| (name.clone(), '-')))
        .collect();
    all.sort();
    // Which of the new ones have no identity is known by name in the small world.
    let known: BTreeSet<&str> = BTreeSet::from(["legacy/old"]);
    for (name, sign) in &mut all {
        if *sign == '+'
            && anonymous > 0
            && (known.contains(name.as_str()) || edges.anonymous == edges.added)
        {
            *sign = '?';
            anonymous -= 1;
        }
    }
    assert_eq!(anonymous, 0, "{change:?}");
    all.iter()
        .map(|(name, sign)| format!("{sign}{name}"))
        .collect()
}

pub(crate) fn places(report: &DiffReport, change: &Change) -> BTreeSet<String> {
    let place = |cause: &meshgov::facts::change::Cause| {
        let sources = match cause.side {
            Side::Base => &report.base,
            Side::Head => &report.head,
        };
        let file = sources.get(cause.span.source).unwrap();
        let line = file.position(cause.span.start).line;
        format!("{} {}:{line}", cause.side.as_str(), file.path)
    };
    change.cause.iter().map(place).collect()
}

/// A value without the note that the other side reads the same.
fn words(state: &State) -> &str {
    state.words().trim_end_matches(", with other conditions")
}

/// What a change must look like on the way back; without callers' identities, which only new ones have.
pub(crate) fn mirrored(report: &DiffReport, change: &Change) -> String {
    let mut states = [&change.after, &change.before].map(words);
    if change.kind == ChangeKind::Callers {
        states.sort_unstable();
    }
    let names = |list: &[String], sign: char| -> Vec<String> {
        list.iter().map(|name| format!("{sign}{name}")).collect()
    };
    let edges = change.edges.clone().unwrap_or_default();
    let mut callers = names(&edges.first_added, '-');
    callers.extend(names(&edges.first_removed, '+'));
    callers.sort();
    let swap = |place: &String| match place.strip_prefix("base ") {
        Some(rest) => format!("head {rest}"),
        None => place.replacen("head ", "base ", 1),
    };
    let places: BTreeSet<String> = places(report, change).iter().map(swap).collect();
    format!(
        "{} {} {:?} {states:?} {callers:?} {places:?} {}",
        change.direction.reversed().as_str(),
        change.kind.as_str(),
        change.about.port,
        change.clients
    )
}

/// The same of a change on the way there.
pub(crate) fn plain(report: &DiffReport, change: &Change) -> String {
    let mut states = [&change.before, &change.after].map(words);
    if change.kind == ChangeKind::Callers {
        states.sort_unstable();
    }
    let edges = change.edges.clone().unwrap_or_default();
    let mut callers: Vec<String> = edges.first_added.iter().map(|n| format!("+{n}")).collect();
    callers.extend(edges.first_removed.iter().map(|n| format!("-{n}")));
    callers.sort();
    let places = places(report, change);
    format!(
        "{} {} {:?} {states:?} {callers:?} {places:?} {}",
        change.direction.as_str(),
        change.kind.as_str(),
        change.about.port,
        change.clients
    )
}
