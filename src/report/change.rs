//! L7: what the formats of `diff` share. Input: `DiffReport`; output: sentences, places, and changes gathered by the edit that caused them.

use crate::facts::change::{Cause, Change, ChangeKind, Direction, Edges, Side, State};
use crate::facts::{Role, Step};
use crate::query::diff::DiffReport;
use crate::source::{Sources, Span};

use super::{and_more, number, one_line, place, plural};

/// Changes with one and the same cause, most dangerous first.
pub(super) struct Group<'r> {
    pub(super) cause: &'r [Cause],
    pub(super) lines: Vec<Line<'r>>,
}

/// Changes of several subjects that read alike.
pub(super) struct Line<'r> {
    /// The most dangerous one.
    pub(super) change: &'r Change,
    /// Further subjects.
    pub(super) others: Vec<String>,
}

/// Gathers changes by cause, in the order of the report.
pub(super) fn groups(report: &DiffReport) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut by_cause = std::collections::HashMap::new();
    for change in &report.changes {
        let key: Vec<_> = change.cause.iter().map(same_cause).collect();
        let at = *by_cause.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group {
                cause: &change.cause,
                lines: Vec::new(),
            });
        }
        let Some(group) = groups.get_mut(at) else {
            continue;
        };
        // A caller's list of its own makes a line of its own.
        let plain = change.edges.is_none();
        let alike = |line: &&mut Line<'_>| {
            plain
                && line.change.edges.is_none()
                && line.change.kind == change.kind
                && line.change.direction == change.direction
                && (&line.change.before, &line.change.after) == (&change.before, &change.after)
        };
        match group.lines.iter_mut().find(alike) {
            Some(line) => line.others.push(change.about.words()),
            None => group.lines.push(Line {
                change,
                others: Vec::new(),
            }),
        }
    }
    groups
}

/// What makes causes one: the place; of an object that came or went the object, whichever of its lines decides.
fn same_cause(cause: &Cause) -> (Side, &str, Option<Span>) {
    let whole = cause.says.starts_with(|c: char| c.is_ascii_uppercase())
        && (cause.says.ends_with(" is new") || cause.says.ends_with(" is gone"));
    (cause.side, &cause.says, (!whole).then_some(cause.span))
}

impl Line<'_> {
    /// What changed, with how many others: `ml/llm:8080 and 3 more`.
    pub(super) fn subject(&self) -> String {
        let own = one_line(&self.change.about.words()).into_owned();
        match self.others.len() {
            0 => own,
            n => format!("{own} and {} more", number(n)),
        }
    }
}

/// What a change means, in one sentence about `subject`.
pub(super) fn sentence_of(change: &Change, subject: &str) -> String {
    if change.is_undecided() {
        let reasons: Vec<String> = change.reasons().into_iter().map(|r| r.missing).collect();
        let what = match (&change.before, &change.after) {
            (_, State::Unknown(_)) => "can no longer be known",
            _ => "could not be known before",
        };
        let kind = change.kind.as_str();
        return format!(
            "{subject}: {kind} {what}: {}",
            one_line(&reasons.join("; "))
        );
    }
    // `ml/llm:8080 and 3 more ask`.
    let (s, is) = match subject.ends_with(" more") {
        true => ("", "are"),
        false => ("s", "is"),
    };
    match change.kind {
        ChangeKind::Access | ChangeKind::Callers => callers(change, subject),
        ChangeKind::Reach => reach(change, subject),
        ChangeKind::Membership => match change.direction {
            Direction::Widened => format!("{subject} leave{s} the mesh"),
            Direction::Narrowed => format!("{subject} join{s} the mesh"),
            Direction::Changed => format!("{subject} change{s} the dataplane of its mesh"),
        },
        ChangeKind::Transport => match change.after.words() {
            "strict" => format!("{subject} now ask{s} for mutual TLS"),
            words if words.starts_with("plaintext") => {
                format!("{subject} now take{s} plaintext only")
            }
            "permissive" if change.direction == Direction::Widened => {
                format!("{subject} now accept{s} plaintext besides mutual TLS")
            }
            "permissive" => format!("{subject} now accept{s} mutual TLS besides plaintext"),
            _ => format!("{subject} now accept{s} something else"),
        },
        ChangeKind::Client => {
            let who = plural(change.clients, "client");
            match change.after.words() {
                "broken" => format!("{who} can no longer reach {subject}"),
                sent if change.clients == 1 => format!("{who} now sends {sent} to {subject}"),
                sent => format!("{who} now send {sent} to {subject}"),
            }
        }
        ChangeKind::Provider => match change.direction {
            Direction::Narrowed => format!("{subject} call{s} fewer external providers"),
            Direction::Widened => format!("{subject} call{s} a new external provider"),
            Direction::Changed => format!("{subject} call{s} other external providers"),
        },
        ChangeKind::Egress => egress(change, subject),
        ChangeKind::Flow => flow(change, subject, !s.is_empty()),
        ChangeKind::Model => format!("{subject} name{s} other models"),
        ChangeKind::Exposure => match change.direction {
            Direction::Widened => format!("{subject} {is} reached from further outside"),
            Direction::Narrowed => format!("{subject} {is} reached from less far outside"),
            Direction::Changed => format!("{subject} {is} reached in another way"),
        },
        ChangeKind::Asset => match (&change.before, &change.after) {
            (State::Absent, _) => format!("{subject} is a new AI asset"),
            (_, State::Absent) => format!("{subject} is no longer there as an AI asset"),
            _ => format!("{subject} becomes another kind of AI asset"),
        },
        ChangeKind::Grade => match change.direction {
            Direction::Widened => format!("{subject} get{s} a worse access grade"),
            Direction::Narrowed => format!("{subject} get{s} a better access grade"),
            Direction::Changed => format!("{subject} get{s} another access grade"),
        },
    }
}

fn callers(change: &Change, subject: &str) -> String {
    let none = Edges::default();
    let edges = change.edges.as_ref().unwrap_or(&none);
    let anonymous = match edges.anonymous {
        0 => String::new(),
        n if n == edges.added => ", with no identity".to_owned(),
        n => format!(", {} of them with no identity", number(n)),
    };
    match (&change.before, &change.after, edges.added, edges.removed) {
        (State::Absent, _, 0, _) => format!("{subject} is new"),
        (State::Absent, _, n, _) => {
            format!(
                "{subject} is new: {} can reach it{anonymous}",
                plural(n, "caller")
            )
        }
        (_, State::Absent, ..) => format!("{subject} is gone"),
        (was, is, 0, 0)
            if is.words().starts_with("anyone") && !was.words().starts_with("anyone") =>
        {
            format!("{subject} lets in anyone now; no workload here is new among its callers")
        }
        (_, _, 0, 0) => {
            let what = match change.direction {
                Direction::Widened => "more",
                Direction::Narrowed => "fewer",
                Direction::Changed => "other",
            };
            format!(
                "{subject} lets in {what} requests; the workloads that can reach it are the same"
            )
        }
        // What is let in and who gets through can go different ways: a rule opens, and clients break.
        (_, _, 0, n) if change.direction == Direction::Widened => format!(
            "{subject} lets in more requests, but {} can no longer reach it (was {})",
            plural(n, "caller"),
            number(edges.before)
        ),
        (_, _, n, 0) if change.direction == Direction::Narrowed => format!(
            "{subject} lets in fewer requests, but {} can reach it (was {}){anonymous}",
            plural(n, "more caller"),
            number(edges.before)
        ),
        (_, _, n, 0) => {
            let more = plural(n, "more caller");
            format!(
                "{more} can reach {subject} (was {}){anonymous}",
                number(edges.before)
            )
        }
        (_, _, 0, n) => {
            let fewer = plural(n, "fewer caller");
            format!("{fewer} can reach {subject} (was {})", number(edges.before))
        }
        (_, _, n, m) => format!(
            "{} can reach {subject}, {} no longer (was {}){anonymous}",
            plural(n, "more caller"),
            number(m),
            number(edges.before)
        ),
    }
}

/// What came and what went, each with its verb: `calls model-server ml/llm, reads claim ml/records`.
fn flow(change: &Change, subject: &str, single: bool) -> String {
    let verbs = |state: &State| -> Option<String> {
        let State::Known(words) = state else {
            return None;
        };
        let number = |phrase: &str| match phrase.split_once(' ') {
            Some((verb, rest)) if !single => {
                format!("{} {rest}", verb.strip_suffix('s').unwrap_or(verb))
            }
            _ => phrase.to_owned(),
        };
        let phrases: Vec<String> = words.split("; ").map(number).collect();
        Some(phrases.join("; "))
    };
    match (verbs(&change.before), verbs(&change.after)) {
        (Some(before), Some(after)) => format!("{subject} now {after}; no longer {before}"),
        (None, Some(after)) => format!("{subject} now {after}"),
        (Some(before), None) => format!("{subject} no longer {before}"),
        (None, None) => format!("{subject} exchanges data with others"),
    }
}

fn egress(change: &Change, subject: &str) -> String {
    let after = change.after.words();
    let everything = ["anywhere", "0.0.0.0/0", "::/0"]
        .iter()
        .find_map(|word| after.strip_prefix(word))
        .filter(|rest| change.direction == Direction::Widened && !rest.contains([',', ':']));
    match (change.direction, everything) {
        _ if after == "nowhere" => format!("{subject} can call nothing outside any more"),
        (_, Some(rest)) => {
            let what = if after.starts_with("anywhere") {
                "anything"
            } else {
                "any address"
            };
            format!("{subject} can call {what} outside{rest}")
        }
        (Direction::Widened, None) => format!("{subject} can call more places outside"),
        (Direction::Narrowed, None) => format!("{subject} can call fewer places outside"),
        (Direction::Changed, None) => format!("{subject} can call other places outside"),
    }
}

fn reach(change: &Change, subject: &str) -> String {
    let none = Edges::default();
    let edges = change.edges.as_ref().unwrap_or(&none);
    match (edges.added, edges.removed) {
        (n, 0) => format!("{subject} can reach {}", plural(n, "more port")),
        (0, n) => format!("{subject} can reach {}", plural(n, "fewer port")),
        (n, m) => format!(
            "{subject} can reach {}, {} no longer",
            plural(n, "more port"),
            number(m)
        ),
    }
}

/// `apps/deploy.yaml:14`, in the texts of its side.
pub(super) fn at(report: &DiffReport, cause: &Cause) -> String {
    let place = place(texts(report, cause.side), cause.span);
    let path = report.path(cause.side, place.path);
    format!("{}:{}", one_line(path), place.start.line)
}

/// The texts of a side.
pub(super) fn texts(report: &DiffReport, side: Side) -> &Sources {
    match side {
        Side::Base => &report.base,
        Side::Head => &report.head,
    }
}

/// Causes that say the same on both sides as one: what it is, with its places.
pub(super) fn causes(report: &DiffReport, list: &[Cause]) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(&str, Vec<&Cause>)> = Vec::new();
    for cause in list {
        match found.iter_mut().find(|(says, _)| *says == cause.says) {
            Some((_, places)) => places.push(cause),
            None => found.push((&cause.says, vec![cause])),
        }
    }
    let places = |list: Vec<&Cause>| {
        let words: Vec<String> = list.iter().map(|cause| at(report, cause)).collect();
        match words.as_slice() {
            [base, head] if base == head => vec![base.clone()],
            _ => words
                .iter()
                .zip(list)
                .map(|(place, cause)| format!("{place} ({})", cause.side.as_str()))
                .collect(),
        }
    };
    found
        .into_iter()
        .map(|(says, list)| (says.to_owned(), places(list)))
        .collect()
}

/// The steps of both proofs that are not the same on both sides; of a side without one, the first.
pub(super) fn telling(change: &Change) -> (Vec<&Step>, Vec<&Step>) {
    let own = |steps: &[Step], other: &[Step]| -> Vec<usize> {
        let same = |a: &Step| other.iter().any(|b| a.says == b.says && a.role == b.role);
        let differs = steps.iter().enumerate().filter(|(_, step)| !same(step));
        let found: Vec<usize> = differs.map(|(at, _)| at).collect();
        found
    };
    let (base, head) = (&change.base_proof, &change.head_proof);
    let (mut before, mut after) = (own(base, head), own(head, base));
    // Two proofs that read the same prove nothing about the difference.
    if before.is_empty() && !after.is_empty() && !base.is_empty() {
        before.push(0);
    } else if after.is_empty() && !before.is_empty() && !head.is_empty() {
        after.push(0);
    }
    (
        before.into_iter().filter_map(|at| base.get(at)).collect(),
        after.into_iter().filter_map(|at| head.get(at)).collect(),
    )
}

/// A step of a proof in words, with why it counts or not.
pub(super) fn said(step: &Step) -> String {
    let role = match &step.role {
        Role::Decides => String::new(),
        Role::Ignored(why) => format!(" (no effect: {})", one_line(why)),
        Role::Assumed(key) => format!(" (assumed: {})", one_line(key)),
        Role::Default(source) => format!(" (default: {})", one_line(source)),
    };
    format!("{}{role}", one_line(&step.says))
}

/// A step of a proof with its place.
pub(super) fn step(report: &DiffReport, side: Side, step: &Step) -> String {
    let says = said(step);
    match step.span() {
        Some(span) => {
            let place = place(texts(report, side), span);
            let path = report.path(side, place.path);
            format!("{says}, {}:{}", one_line(path), place.start.line)
        }
        None => says,
    }
}

/// `2 widened, 1 changed, 3 narrowed`, or that nothing changed, as far as that is known.
pub(super) fn counts(report: &DiffReport) -> String {
    let of = |direction| {
        let is = |c: &&Change| c.direction == direction;
        report.changes.iter().filter(is).count()
    };
    let words: Vec<String> = [Direction::Widened, Direction::Changed, Direction::Narrowed]
        .into_iter()
        .map(|d| (of(d), d.as_str()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", number(n)))
        .collect();
    if words.is_empty() {
        // What nobody could tell is not the same as no change.
        let aside = &report.aside;
        let whole = report.edges.undecided == 0
            && aside.not_exported.is_empty()
            && aside.unknown.is_empty();
        return match whole {
            true => "nothing changes in meaning".to_owned(),
            false => "nothing changes in meaning as far as it is known".to_owned(),
        };
    }
    words.join(", ")
}

/// `pairs of caller and port: 41 new, 2 gone; 212 ports compared in 3 views`.
pub(super) fn scope(report: &DiffReport) -> String {
    let edges = report.edges;
    let mut words = match (edges.added, edges.removed) {
        (0, 0) => String::new(),
        (n, m) => format!(
            "pairs of caller and port: {} new, {} gone; ",
            number(n),
            number(m)
        ),
    };
    words.push_str(&format!(
        "{} compared in {}",
        plural(edges.ports, "port"),
        plural(report.views.len(), "view")
    ));
    if edges.undecided > 0 {
        words.push_str(&format!(
            "; {} cannot be known on either side",
            plural(edges.undecided, "fact")
        ));
    }
    words
}

/// What was left out of the comparison and what was taken for granted, a line each.
pub(super) fn notes(report: &DiffReport) -> Vec<String> {
    let aside = &report.aside;
    let names = |set: &std::collections::BTreeSet<String>| {
        let words: Vec<String> = set.iter().map(|name| one_line(name).into_owned()).collect();
        and_more(words.iter(), NAMES)
    };
    let mut notes = Vec::new();
    if !aside.alike.is_empty() {
        let list = if aside.alike.len() > FEW {
            by_kind(&aside.alike)
        } else {
            names(&aside.alike)
        };
        notes.push(format!(
            "not known, and taken to be the same on both sides: {list}"
        ));
    }
    if !aside.unknown.is_empty() {
        let list = if aside.unknown.len() > NAMES {
            by_kind(&aside.unknown)
        } else {
            names(&aside.unknown)
        };
        notes.push(format!("not known, so not compared: {list}"));
    }
    if !aside.placed.is_empty() {
        let list = names(&aside.placed);
        notes.push(format!(
            "objects without a namespace are taken to be in: {list}"
        ));
    }
    if !aside.not_exported.is_empty() {
        let list = names(&aside.not_exported);
        notes.push(format!("not in the export, so not compared: {list}"));
    }
    if !aside.not_in_tree.is_empty() {
        let list = names(&aside.not_in_tree);
        notes.push(format!(
            "namespaces only in the export, not compared: {list}"
        ));
    }
    if !aside.unread_in_base.is_empty() {
        let list = names(&aside.unread_in_base);
        notes.push(format!(
            "cannot be read in the base, so what is new may have been there: {list}"
        ));
    }
    if !aside.unread_in_head.is_empty() {
        let list = names(&aside.unread_in_head);
        notes.push(format!(
            "cannot be read in the head, so what is gone may be there: {list}"
        ));
    }
    if aside.made > 0 {
        let what = plural(aside.made, "object");
        notes.push(format!(
            "made by controllers, not compared: {what} of the export"
        ));
    }
    notes
}

/// Names of a note that are printed.
const NAMES: usize = 8;
/// Things that a note names one by one.
const FEW: usize = 3;

/// `2 HelmReleases, 12 templates`: by the word before each name.
fn by_kind(names: &std::collections::BTreeSet<String>) -> String {
    let mut kinds = std::collections::BTreeMap::new();
    for name in names {
        let kind = name.split(' ').next().unwrap_or(name);
        *kinds.entry(kind).or_insert(0) += 1;
    }
    let words: Vec<String> = kinds.into_iter().map(|(kind, n)| plural(n, kind)).collect();
    words.join(", ")
}

/// Names with how many more there are.
pub(super) fn first_names(first: &[String], all: usize, cap: usize) -> String {
    let mut words = and_more(first.iter().take(cap), cap);
    if all > first.len().min(cap) {
        words.push_str(&format!(" and {} more", number(all - first.len().min(cap))));
    }
    words
}
