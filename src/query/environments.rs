//! Where production is weaker than another environment. Input: views, the applications they make up, and differences that are meant; output:
//! `EnvironmentReport`: differences of facts with cause and both proofs, what exists in one environment only, and entries without effect.
//!
//! The other environment is read in production's names first (`drift::twin`), then both are compared as two versions of a tree are. What
//! environments may well have of their own is no difference: other hosts, other callers, other models, objects without a counterpart.

mod intended;
mod only;

use std::sync::Arc;

use crate::config::environments::{Environments, FACTS};
use crate::drift::twin::{self, Twins};
use crate::facts::Assumptions;
use crate::facts::change::{Change, ChangeKind, Direction, State};
use crate::query::diff;
use crate::source::{SourceFile, Sources, Span};
use crate::view::View;
use crate::view::environments::names::Tokens;
use crate::view::environments::{self, Application, Declared, Environment};
pub use only::{Holds, Only};

/// How production compares in one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// More callers, weaker protection.
    Weaker,
    /// It cannot be known on one side.
    Unknown,
    /// Neither more nor less: broken on one side, another dataplane.
    Different,
    /// Fewer callers, stronger protection.
    Stronger,
}

impl Verdict {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weaker => "weaker",
            Self::Unknown => "unknown",
            Self::Different => "different",
            Self::Stronger => "stronger",
        }
    }
}

/// One fact of production that differs from other environments.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The application.
    pub application: String,
    /// The production environment.
    pub environment: String,
    /// Environments that it differs from alike, the nearest to production first.
    pub others: Vec<String>,
    /// How it compares.
    pub verdict: Verdict,
    /// The fact; what was is the other environment's, in production's names.
    pub change: Change,
    /// Why it is meant, and until when.
    pub intended: Option<(String, Option<String>)>,
}

/// An entry of `differences` that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The entry, in the config.
    pub span: Span,
    /// The day it ran out on; `None` when it covers nothing.
    pub expired: Option<String>,
}

/// Everything that is said of environments.
#[derive(Debug, Default)]
pub struct EnvironmentReport {
    /// The applications.
    pub applications: Vec<Application>,
    /// Applications of the config that were not found.
    pub not_found: Vec<String>,
    /// Weaker in production first; intended ones last.
    pub differences: Vec<Difference>,
    /// What exists in one environment only.
    pub only: Vec<Only>,
    /// What fits several objects of the other environment.
    pub apart: Vec<Only>,
    /// Namespaces that were read as another: application, environment, its namespace, production's.
    pub read_as: Vec<[String; 4]>,
    /// What is not known and the same in the environments compared.
    pub alike: Vec<String>,
    /// What may hold more of an environment: `overlays/prod cannot be built`.
    pub open: Vec<String>,
    /// Ports compared.
    pub ports: usize,
    /// Facts that cannot be known in either environment.
    pub undecided: usize,
    /// Entries of the config without effect.
    pub spent: Vec<Spent>,
    /// Names of the views.
    pub views: Vec<String>,
    /// The config, for entries without effect.
    pub config: Option<Arc<SourceFile>>,
    /// The texts that spans index.
    pub sources: Sources,
}

/// What the config says, with the views that its paths became.
#[derive(Clone, Debug, Default)]
pub struct Settings<'s> {
    /// Entries of `environments:`.
    pub config: &'s [Environments],
    /// The config itself.
    pub file: Option<Arc<SourceFile>>,
    /// Environments of each, with the name of the view of each.
    pub declared: Vec<Declared>,
    /// The day entries are judged on.
    pub today: &'s str,
    /// Whether no difference is meant.
    pub no_ignores: bool,
}

/// The applications among the views.
#[must_use]
pub fn applications(views: &[Arc<View>], declared: &[Declared]) -> Vec<Application> {
    let names: Vec<&str> = views.iter().map(|v| v.name.as_str()).collect();
    environments::find(&names, declared)
}

/// Compares the environments of every application.
#[must_use]
pub fn compare(
    views: &[Arc<View>],
    assume: &Assumptions,
    settings: &Settings<'_>,
    sources: &Sources,
) -> EnvironmentReport {
    let mut report = EnvironmentReport {
        applications: applications(views, &settings.declared),
        views: views.iter().map(|v| v.name.clone()).collect(),
        config: settings.file.clone(),
        ..EnvironmentReport::default()
    };
    let known = |name: &str| report.applications.iter().any(|a| a.name == name);
    report.not_found = settings
        .config
        .iter()
        .filter(|c| !known(&c.name))
        .map(|c| c.name.clone())
        .collect();
    if report.applications.is_empty() {
        return report;
    }
    report.sources = sources.clone();
    for application in report.applications.clone() {
        for production in application.production() {
            let others: Vec<&Environment> = application.others().collect();
            for other in &others {
                let sides = (views.get(other.view), views.get(production.view));
                if let (Some(there), Some(here)) = sides {
                    let pair = Pair {
                        application: &application,
                        production,
                        other,
                        here,
                        there,
                    };
                    pair.compare(assume, &mut report);
                }
            }
        }
    }
    report.only = only::merged(std::mem::take(&mut report.only));
    report.apart = only::merged(std::mem::take(&mut report.apart));
    for list in [&mut report.alike, &mut report.open] {
        list.sort();
        list.dedup();
    }
    report.intend(settings);
    let place = |d: &Difference| (d.intended.is_some(), d.verdict);
    report.differences.sort_by_key(place);
    report
}

/// Whether anyone is let in on both sides, under conditions that no words tell.
fn is_open_anyway(change: &Change) -> bool {
    let (before, after) = (change.before.words(), change.after.words());
    let rest = after.strip_prefix(before);
    before.starts_with("anyone") && rest.is_some_and(|rest| rest == ", with other conditions")
}

/// Production and one other environment.
struct Pair<'p> {
    application: &'p Application,
    production: &'p Environment,
    other: &'p Environment,
    here: &'p View,
    there: &'p View,
}

impl Pair<'_> {
    fn compare(&self, assume: &Assumptions, report: &mut EnvironmentReport) {
        let tokens = (
            Tokens::of(&self.other.name),
            Tokens::of(&self.production.name),
        );
        let side = |view, tokens| twin::Side { view, tokens };
        let twins = Twins::of(side(self.there, &tokens.0), side(self.here, &tokens.1));
        let there = twin::read_as(self.there, &twins, self.here);
        for (from, to) in &twins.words.namespaces {
            report.read_as.push([
                self.application.name.clone(),
                self.other.name.clone(),
                from.clone(),
                to.clone(),
            ]);
        }
        let name = &self.production.name;
        let found = diff::between((&there, self.here), name, assume, &report.sources);
        report.ports += found.totals.ports;
        report.undecided += found.totals.undecided;
        // What is lacking there has production's name in the comparison, and its own in the report.
        let lacks = (self.here.opaque.iter().zip(&self.here.opaque))
            .chain(there.opaque.iter().zip(&self.there.opaque));
        let open = lacks.filter(|(o, _)| o.opens && !found.aside.alike.contains(&o.what));
        report.open.extend(open.map(|(_, own)| own.missing()));
        report.alike.extend(found.aside.alike);
        let apart = (twins.apart.as_slice(), twins.apart_there.as_slice());
        let holds = Holds {
            application: &self.application.name,
            here: (&self.production.name, self.here),
            there: (&self.other.name, &there),
        };
        holds.apart(apart, self.there, &mut report.apart);
        holds.only(apart, &mut report.only);
        for change in found.changes {
            if let Some(verdict) = verdict(&change) {
                self.add(change, verdict, &mut report.differences);
            }
        }
    }

    /// Adds a difference, or another environment to one that is the same.
    fn add(&self, change: Change, verdict: Verdict, differences: &mut Vec<Difference>) {
        let about = |c: &Change| (c.kind, c.about.resource.id, c.about.port);
        let same = |d: &&mut Difference| {
            about(&d.change) == about(&change)
                && d.application == self.application.name
                && d.environment == self.production.name
                && (&d.change.before, &d.change.after) == (&change.before, &change.after)
                && d.change.cause == change.cause
        };
        match differences.iter_mut().find(same) {
            Some(known) => known.others.push(self.other.name.clone()),
            None => differences.push(Difference {
                application: self.application.name.clone(),
                environment: self.production.name.clone(),
                others: vec![self.other.name.clone()],
                verdict,
                change,
                intended: None,
            }),
        }
    }
}

/// How production compares, where environments ought to be alike.
fn verdict(change: &Change) -> Option<Verdict> {
    let is_there = |state: &State| *state != State::Absent;
    let counts = FACTS.contains(&change.kind.as_str());
    if !counts || !is_there(&change.before) || !is_there(&change.after) {
        return None;
    }
    if change.is_undecided() {
        return Some(Verdict::Unknown);
    }
    let broken = [&change.before, &change.after]
        .iter()
        .any(|state| state.words() == "broken");
    match (change.direction, change.kind) {
        (Direction::Widened, _) => Some(Verdict::Weaker),
        // Who can show an identity and who need not makes no difference where everybody is let in.
        (Direction::Narrowed, ChangeKind::Access) if is_open_anyway(change) => None,
        (Direction::Narrowed, _) => Some(Verdict::Stronger),
        (Direction::Changed, ChangeKind::Membership) => Some(Verdict::Different),
        (Direction::Changed, _) => broken.then_some(Verdict::Different),
    }
}
