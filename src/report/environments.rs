//! L7: what the formats of `environments` share. Input: `EnvironmentReport`; output: differences gathered by what they have in common,
//! sentences, places, counts.

mod human;
mod json;
mod markdown;

use crate::facts::Step;
use crate::facts::change::{Cause, Side};
use crate::query::environments::{Difference, EnvironmentReport, Only, Verdict};
use crate::source::Span;
use crate::view::environments::{Application, Environment};

use super::{Document, Format, and_more, number, one_line, place, plural, said};

/// Every format.
pub const FORMATS: &[Format<EnvironmentReport>] = &[
    Format {
        document: Document::Environments,
        name: "human",
        about: "where production is weaker, its cause and both proofs, for a terminal",
        write: human::write,
    },
    Format {
        document: Document::Environments,
        name: "json",
        about: "everything, for programs (version 1)",
        write: json::write,
    },
    Format {
        document: Document::Environments,
        name: "markdown",
        about: "a comment or a page, what is weaker first",
        write: markdown::write,
    },
];

/// Differences of one environment with one verdict and one cause, most dangerous first.
struct Alike<'r> {
    first: &'r Difference,
    all: Vec<&'r Difference>,
}

/// Gathers differences, in the order of the report.
fn alike(report: &EnvironmentReport) -> Vec<Alike<'_>> {
    let mut found: Vec<Alike<'_>> = Vec::new();
    for difference in &report.differences {
        let same = |group: &&mut Alike<'_>| {
            let (a, b) = (group.first, difference);
            a.verdict == b.verdict
                && a.change.cause == b.change.cause
                && (&a.application, &a.environment, &a.others)
                    == (&b.application, &b.environment, &b.others)
                && a.intended == b.intended
        };
        match found.iter_mut().find(same) {
            Some(group) => group.all.push(difference),
            None => found.push(Alike {
                first: difference,
                all: vec![difference],
            }),
        }
    }
    found
}

impl Alike<'_> {
    /// `weaker in production than in staging`.
    fn title(&self) -> String {
        let (here, there) = (&self.first.environment, listed(&self.first.others));
        let words = match self.first.verdict {
            Verdict::Weaker => format!("weaker in {here} than in {there}"),
            Verdict::Stronger => format!("stronger in {here} than in {there}"),
            Verdict::Different => format!("different in {here} and in {there}"),
            Verdict::Unknown => format!("not known whether weaker in {here} than in {there}"),
        };
        match &self.first.intended {
            Some(_) => format!("intended: {words}"),
            None => words,
        }
    }

    /// Why it is meant, and until when.
    fn reason(&self) -> Option<String> {
        let (reason, until) = self.first.intended.as_ref()?;
        let reason = one_line(reason);
        Some(match until {
            Some(until) => format!("{reason} (until {until})"),
            None => reason.into_owned(),
        })
    }
}

/// `front:8080 · transport: permissive (staging: strict)`.
fn line(difference: &Difference) -> String {
    let change = &difference.change;
    let (here, there) = (change.after.words(), change.before.words());
    format!(
        "{} · {}: {} ({}: {})",
        one_line(&change.about.words()),
        change.kind.as_str(),
        one_line(here),
        listed(&difference.others),
        one_line(there),
    )
}

/// Why a side is not known.
fn reasons(difference: &Difference) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for reason in difference.change.reasons() {
        if !words.contains(&reason.missing) {
            words.push(reason.missing);
        }
    }
    words
}

/// Who gets through in production and not in the others: how many, and the first of them.
fn more_callers(difference: &Difference) -> Option<String> {
    let edges = difference.change.edges.as_ref().filter(|e| e.added > 0)?;
    let names = and_more(edges.first_added.iter(), 5);
    Some(format!("{}: {names}", plural(edges.added, "more caller")))
}

/// What explains differences: places and words, the same words once.
fn explained(report: &EnvironmentReport, difference: &Difference) -> Vec<(Vec<String>, String)> {
    let mut found: Vec<(Vec<String>, String)> = Vec::new();
    for cause in &difference.change.cause {
        let place = format!("{} ({})", at(report, cause.span), side(difference, cause));
        match found.iter_mut().find(|(_, says)| *says == cause.says) {
            // What decides stands in production.
            Some((places, _)) if cause.side == Side::Head => places.insert(0, place),
            Some((places, _)) => places.push(place),
            None => found.push((vec![place], cause.says.clone())),
        }
    }
    found
}

/// The environments that a place belongs to.
fn side(difference: &Difference, cause: &Cause) -> String {
    match cause.side {
        Side::Base => listed(&difference.others),
        Side::Head => difference.environment.clone(),
    }
}

/// `overlays/prod/mtls.yaml:7`.
fn at(report: &EnvironmentReport, span: Span) -> String {
    let place = place(&report.sources, span);
    format!("{}:{}", one_line(place.path), place.start.line)
}

/// A step of a proof with its place.
fn proved(report: &EnvironmentReport, step: &Step) -> String {
    match step.span() {
        Some(span) => format!("{}, {}", said(step), at(report, span)),
        None => said(step),
    }
}

/// `staging`, `staging and dev`.
fn listed(names: &[String]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

/// `overlays/*: production compared with staging and dev`.
fn understood_as(application: &Application) -> String {
    let of = |list: Vec<&Environment>| {
        let names: Vec<String> = list.iter().map(|e| e.name.clone()).collect();
        listed(&names)
    };
    let name = one_line(&application.name);
    match application.why_not() {
        Some(why) => format!("{name}: not compared, for {}", one_line(&why)),
        None => {
            let production = of(application.production().collect());
            let others = of(application.others().collect());
            let absent = match application.absent.as_slice() {
                [] => String::new(),
                names => format!("; {} not among what was read", listed(names)),
            };
            format!("{name}: {production} compared with {others}{absent}")
        }
    }
}

/// `in staging and not in production: AuthorizationPolicy chat/llm`, a line an environment.
fn only(list: &[Only], applications: usize) -> Vec<String> {
    let mut lines: Vec<(&Only, Vec<String>)> = Vec::new();
    for one in list {
        let same = |known: &Only| {
            (&known.application, &known.environment, &known.not_in)
                == (&one.application, &one.environment, &one.not_in)
        };
        let words = format!("{} {}", one.kind, one_line(&one.object));
        match lines.iter_mut().find(|(known, _)| same(known)) {
            Some((_, objects)) => objects.push(words),
            None => lines.push((one, vec![words])),
        }
    }
    let line = |(of, objects): (&Only, Vec<String>)| {
        let application = match applications {
            0 | 1 => String::new(),
            _ => format!("{}: ", one_line(&of.application)),
        };
        let objects = and_more(objects.iter(), NAMES);
        let (here, there) = (&of.environment, listed(&of.not_in));
        format!("{application}in {here} and not in {there}: {objects}")
    };
    lines.into_iter().map(line).collect()
}

/// Objects of a line that are named.
const NAMES: usize = 6;

/// `2 weaker, 1 unknown, 3 intended; 12 ports compared`.
fn sums(report: &EnvironmentReport) -> String {
    let of = |verdict| {
        let list = report.differences.iter();
        let is = |d: &&Difference| d.verdict == verdict && d.intended.is_none();
        list.filter(is).count()
    };
    let verdicts = [
        Verdict::Weaker,
        Verdict::Unknown,
        Verdict::Different,
        Verdict::Stronger,
    ];
    let intended = report.differences.iter().filter(|d| d.intended.is_some());
    let words: Vec<String> = verdicts
        .into_iter()
        .map(|verdict| (of(verdict), verdict.as_str()))
        .chain([(intended.count(), "intended")])
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", number(count)))
        .collect();
    let is_known = report.undecided == 0 && report.open.is_empty();
    let mut line = match (words.is_empty(), is_known) {
        (true, true) => String::from("production is nowhere weaker or stronger"),
        (true, false) => {
            String::from("production is nowhere weaker or stronger as far as it is known")
        }
        (false, _) => words.join(", "),
    };
    line.push_str(&format!("; {} compared", plural(report.ports, "port")));
    if report.undecided > 0 {
        let facts = plural(report.undecided, "fact");
        line.push_str(&format!("; {facts} not known in either environment"));
    }
    line
}

/// Which namespaces of an environment were read as which of production's, a line an environment.
fn read_as(report: &EnvironmentReport) -> Vec<String> {
    let called = |name: &str| match name {
        "" => String::from("none"),
        name => one_line(name).into_owned(),
    };
    let mut found: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for [application, environment, from, to] in &report.read_as {
        let words = format!("{} as {}", called(from), called(to));
        let own = (application.as_str(), environment.as_str());
        match found.iter_mut().find(|(a, e, _)| (*a, *e) == own) {
            Some((.., list)) if !list.contains(&words) => list.push(words),
            Some(_) => {}
            None => found.push((own.0, own.1, vec![words])),
        }
    }
    let line = |(application, environment, list): (&str, &str, Vec<String>)| {
        let list = and_more(list.iter(), NAMES);
        let application = one_line(application);
        format!("{application}: namespaces of {environment} are read as production's: {list}")
    };
    found.into_iter().map(line).collect()
}

/// What was taken for granted, what could not be told, and entries without effect, a line each.
fn remarks(report: &EnvironmentReport) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(read_as(report));
    for line in only(&report.apart, report.applications.len()) {
        lines.push(format!("not told apart, so not compared: {line}"));
    }
    if !report.open.is_empty() {
        let lacks: Vec<String> = (report.open.iter())
            .map(|o| one_line(o).into_owned())
            .collect();
        lines.push(format!(
            "what else an environment holds is not known: {}",
            and_more(lacks.iter(), NAMES)
        ));
    }
    if !report.alike.is_empty() {
        let names: Vec<String> = report
            .alike
            .iter()
            .map(|n| one_line(n).into_owned())
            .collect();
        lines.push(format!(
            "not known, and taken to be the same everywhere: {}",
            and_more(names.iter(), NAMES)
        ));
    }
    for name in &report.not_found {
        lines.push(format!(
            "`environments` names {}, and no such application was found",
            one_line(name)
        ));
    }
    for spent in &report.spent {
        let file = report.config.as_deref();
        let place = file.map_or_else(String::new, |file| {
            let line = file.position(spent.span.start).line;
            format!("{}:{line}: ", one_line(&file.path))
        });
        lines.push(match &spent.expired {
            Some(until) => {
                format!("{place}this entry of `differences` has expired: it ran out on {until}")
            }
            None => format!("{place}this entry of `differences` covers no difference"),
        });
    }
    lines
}
