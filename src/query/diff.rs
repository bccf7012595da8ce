//! What an edit changes in meaning. Input: two trees as views; output: `DiffReport`: changes of facts with cause and proof, most dangerous
//! first.

mod aside;
mod assets;
mod callers;
mod client;
mod egress;
mod facts;
mod flow;
mod let_out;
mod ports;
mod touched;
mod views;
mod ways;
mod words;

use std::sync::Arc;

use crate::drift::cause::{self, Objects, Question};
use crate::drift::pair::{self, Pairs, Placed};
use crate::facts::Assumptions;
use crate::facts::change::{About, Cause, Change, ChangeKind, Direction, Side, State};
use crate::source::Sources;
use crate::view::View;
pub use aside::Aside;
use facts::Facts;
use touched::Touched;

/// One of the two trees.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'t> {
    /// Its views.
    pub views: &'t [Arc<View>],
    /// What engines take for granted in it.
    pub assume: &'t Assumptions,
}

/// Everything the command prints.
#[derive(Debug)]
pub struct DiffReport {
    /// Changes, most dangerous first; one that several views show stands once.
    pub changes: Vec<Change>,
    /// Names of the views that were compared: base and head, either absent when the view is new or gone.
    pub views: Vec<(Option<String>, Option<String>)>,
    /// Pairs of caller and port that came and went.
    pub edges: Totals,
    /// What was left out of the comparison, by name.
    pub aside: Aside,
    /// The texts that spans of the base index.
    pub base: Sources,
    /// The texts that spans of the head index.
    pub head: Sources,
    /// Folders of base and head, as paths of their texts begin; empty when paths are printed as they are.
    pub folders: (String, String),
}

impl DiffReport {
    /// The places that explain a change: `mesh/llm.yaml:10 (base)`.
    #[must_use]
    pub fn places(&self, change: &Change) -> Vec<String> {
        let place = |cause: &Cause| {
            let sources = match cause.side {
                Side::Base => &self.base,
                Side::Head => &self.head,
            };
            let file = sources.get(cause.span.source)?;
            let line = file.position(cause.span.start).line;
            let path = self.path(cause.side, &file.path);
            Some(format!("{path}:{line} ({})", cause.side.as_str()))
        };
        change.cause.iter().filter_map(place).collect()
    }

    /// A path within the folder of its side, so that both sides print alike.
    #[must_use]
    pub fn path<'p>(&self, side: Side, path: &'p str) -> &'p str {
        let folder = match side {
            Side::Base => &self.folders.0,
            Side::Head => &self.folders.1,
        };
        if folder.is_empty() {
            return path;
        }
        match path.strip_prefix(folder.as_str()) {
            Some("") => ".",
            Some(rest) => rest.strip_prefix('/').unwrap_or(path),
            None => path,
        }
    }
}
/// Sums over all views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Ports compared.
    pub ports: usize,
    /// Callers that newly get through to a port.
    pub added: usize,
    /// Callers that no longer get through to a port.
    pub removed: usize,
    /// Facts that cannot be known on either side, so that nothing is said about them.
    pub undecided: usize,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.ports += other.ports;
        self.added += other.added;
        self.removed += other.removed;
        self.undecided += other.undecided;
    }
}

/// Compares two trees; `sources` are the texts of base and head.
#[must_use]
pub fn diff(base: Tree<'_>, head: Tree<'_>, sources: (Sources, Sources)) -> DiffReport {
    let paired = views::pair(base.views, head.views);
    let mut report = DiffReport {
        changes: Vec::new(),
        views: Vec::new(),
        edges: Totals::default(),
        aside: Aside::default(),
        base: sources.0,
        head: sources.1,
        folders: (String::new(), String::new()),
    };
    let nothing = View::new(String::new(), String::new(), Vec::new(), Vec::new());
    let known = (views::identities(base.views), views::identities(head.views));
    for (b, h) in paired {
        let name = |view: Option<&Arc<View>>| view.map(|v| v.name.clone());
        let (was, is) = (
            b.map_or(&nothing, AsRef::as_ref),
            h.map_or(&nothing, AsRef::as_ref),
        );
        let texts = (&report.base, &report.head);
        let (b_part, h_part, lacks) =
            aside::set_aside(was, is, texts, aside::same_spec, &mut report.aside);
        let (was, is) = (
            b_part.as_ref().unwrap_or(was),
            h_part.as_ref().unwrap_or(is),
        );
        let lacking = aside::unknown(was).chain(aside::unknown(is));
        report.aside.unknown.extend(lacking);
        let (before, after) = (Facts::of(was, base.assume), Facts::of(is, head.assume));
        let mut compared = Compared::new(&before, &after, &known, pair::pair);
        compared.lacks = lacks;
        compared.run();
        report.edges.add(compared.totals);
        report.changes.append(&mut compared.changes);
        report.views.push((name(b), name(h)));
    }
    if aside::same_texts(&report.base, &report.head) {
        report.aside.unknown.clear();
    }
    report.changes = merged(report.changes);
    report
}

/// What [`between`] finds.
#[derive(Debug, Default)]
pub struct Found {
    /// Changes from the one to the other, most dangerous first.
    pub changes: Vec<Change>,
    /// Sums.
    pub totals: Totals,
    /// What was left out of the comparison.
    pub aside: Aside,
}

/// Compares an environment, in the names of another, with that other: no side is older, objects pair by identity alone, and each has hosts of
/// its own. `name` is what the head is called.
#[must_use]
pub fn between(
    (base, head): (&View, &View),
    name: &str,
    assume: &Assumptions,
    sources: &Sources,
) -> Found {
    let mut found = Found::default();
    let (b, h, lacks) = aside::set_aside(
        base,
        head,
        (sources, sources),
        aside::same_but_size,
        &mut found.aside,
    );
    let before = Facts::of(b.as_ref().unwrap_or(base), assume);
    let after = Facts::of(h.as_ref().unwrap_or(head), assume);
    let mut compared = Compared::new(&before, &after, &Default::default(), pair::same);
    compared.lacks = lacks;
    compared.environments = true;
    compared.objects = compared.objects.in_environment(name);
    compared.run();
    found.totals = compared.totals;
    found.changes = merged(compared.changes);
    found
}

/// Two views in comparison.
struct Compared<'c, 'v> {
    base: &'c Facts<'v>,
    head: &'c Facts<'v>,
    /// Whether one side lacks what the other has, so that nothing is told by what can be known on one of them only.
    lacks: bool,
    /// Whether the two are environments, each with hosts of its own, and neither the older.
    environments: bool,
    /// Whether both sides give their pods the same numbers.
    numbered_alike: bool,
    /// Workloads by position.
    pairs: Pairs,
    objects: Objects<'v>,
    changes: Vec<Change>,
    totals: Totals,
}

impl<'c, 'v> Compared<'c, 'v> {
    /// Pairs the workloads; one that some other view of its tree's counterpart holds is neither new nor gone.
    fn new(
        base: &'c Facts<'v>,
        head: &'c Facts<'v>,
        known: &(views::Identities, views::Identities),
        pair: fn(&[Placed<'_>], &[Placed<'_>]) -> Pairs,
    ) -> Self {
        let placed = |facts: &'c Facts<'v>| -> Vec<Placed<'c>> {
            let workloads = facts.analysis.topology.workloads.iter();
            workloads
                .map(|w| Placed {
                    resource: &w.resource,
                    namespace: w.namespace.as_str(),
                })
                .collect()
        };
        let (before, after) = (placed(base), placed(head));
        let mut pairs = pair(&before, &after);
        let is_in = |set: &views::Identities, list: &[Placed<'_>], at: usize| {
            list.get(at)
                .is_some_and(|p| set.holds(p.resource, p.namespace))
        };
        pairs.removed.retain(|&at| !is_in(&known.1, &before, at));
        pairs.added.retain(|&at| !is_in(&known.0, &after, at));
        let renamed = pairs.both.iter().filter_map(|&(b, h)| {
            let (b, h) = (base.workload(b)?, head.workload(h)?);
            let same = b.resource.name == h.resource.name && b.namespace == h.namespace;
            (!same).then_some((b.resource.id, h.resource.id))
        });
        Self {
            objects: Objects::of(base.analysis.view, head.analysis.view, renamed),
            numbered_alike: base.analysis.network.pods() == head.analysis.network.pods(),
            base,
            head,
            lacks: false,
            environments: false,
            pairs,
            changes: Vec::new(),
            totals: Totals::default(),
        }
    }

    fn run(&mut self) {
        let ports = self.ports();
        let clients = self.clients_of();
        let touched = Touched::of(self, &ports);
        self.callers(&ports, &clients, &touched);
        self.clients(&ports, &clients, &touched);
        self.assets();
    }

    fn explain(&self, question: &Question<'_>) -> Vec<Cause> {
        cause::explain(&self.objects, question)
    }

    fn side(&self, side: Side) -> &'c Facts<'v> {
        match side {
            Side::Base => self.base,
            Side::Head => self.head,
        }
    }

    /// A change of this pair of views without proof; its weight is worked out from what it says.
    fn change(
        &self,
        kind: ChangeKind,
        about: About,
        (before, after): (State, State),
        direction: Direction,
    ) -> Change {
        let name = |facts: &Facts<'_>| facts.analysis.view.name.clone();
        let view = match name(self.head) {
            head if head.is_empty() => name(self.base),
            head => head,
        };
        Change {
            weight: words::weight(kind, &about, &before, &after, direction),
            kind,
            about,
            views: vec![view],
            before,
            after,
            direction,
            cause: Vec::new(),
            edges: None,
            ends: Vec::new(),
            clients: 0,
            base_proof: Vec::new(),
            head_proof: Vec::new(),
        }
    }
}

/// In order of danger; what several views show alike stands once and names them.
fn merged(mut changes: Vec<Change>) -> Vec<Change> {
    let edges = |c: &Change| c.edges.as_ref().map_or((0, 0), |e| (e.anonymous, e.added));
    changes.sort_by(|a, b| {
        (a.direction.cmp(&b.direction))
            .then(b.weight.cmp(&a.weight))
            .then_with(|| edges(b).cmp(&edges(a)))
            .then_with(|| a.about.words().cmp(&b.about.words()))
            .then_with(|| a.about.resource.kind().cmp(b.about.resource.kind()))
            .then(a.kind.cmp(&b.kind))
            .then_with(|| a.before.cmp(&b.before))
            .then_with(|| a.after.cmp(&b.after))
            .then_with(|| a.cause.cmp(&b.cause))
            .then_with(|| a.views.cmp(&b.views))
    });
    let mut merged: Vec<Change> = Vec::with_capacity(changes.len());
    for change in changes {
        match merged.last_mut() {
            Some(last) if is_same(last, &change) => last.views.extend(change.views),
            _ => merged.push(change),
        }
    }
    merged
}

fn is_same(a: &Change, b: &Change) -> bool {
    a.kind == b.kind
        && a.about.words() == b.about.words()
        && a.about.resource.kind() == b.about.resource.kind()
        && (&a.before, &a.after, a.direction) == (&b.before, &b.after, b.direction)
        && a.cause == b.cause
        && a.edges == b.edges
}
