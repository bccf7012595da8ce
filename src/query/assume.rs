//! What is missing in the files, and what would settle it. Input: views and what is assumed already; output: `AssumeReport`: missing facts by how
//! many answers each settles, and the `assume:` section that settles them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::Analysis;
use crate::facts::assumptions::Assumptions;
use crate::facts::{Fact, Role, UnknownReason};
use crate::source::{Sources, Span};
use crate::view::{Lack, Opaque, View};

/// What settles a missing fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Namespaces to call complete; `root` is the mesh's.
    pub complete: BTreeSet<String>,
    /// Namespaces whose labels to write down.
    pub namespaces: BTreeSet<String>,
}

impl Proposal {
    fn join(&mut self, other: &Self) {
        self.complete.extend(other.complete.iter().cloned());
        self.namespaces.extend(other.namespaces.iter().cloned());
    }

    /// Whether nothing that can be assumed helps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.complete.is_empty() && self.namespaces.is_empty()
    }
}

/// One missing fact.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The fact, in words.
    pub missing: String,
    /// Whether answers are unknown for want of it; else they take it for granted.
    pub unknown: bool,
    /// Answers (a membership, a transport, an access) that rest on it.
    pub answers: usize,
    /// What settles it; empty = no assumption does.
    pub proposal: Proposal,
    /// Where the lack shows, when in a file.
    pub span: Option<Span>,
}

/// Ports of which something is known, of all ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Ports.
    pub ports: usize,
    /// Ports whose transport is known.
    pub transport: usize,
    /// Ports whose access is known.
    pub access: usize,
}

/// Everything the command prints.
#[derive(Debug)]
pub struct AssumeReport {
    /// Missing facts, those that settle most first; unknown ones before those taken for granted.
    pub gaps: Vec<Gap>,
    /// Everything proposed, with what is assumed already.
    pub proposal: Proposal,
    /// Labels that are assumed already, by namespace.
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether objects without namespace are among those concerned.
    pub unnamed: bool,
    /// What of the views is not known, by why, in words.
    pub opaque: Vec<(Lack, String)>,
    /// As things stand.
    pub before: Decided,
    /// With what is proposed.
    pub after: Decided,
    /// The texts that spans index.
    pub sources: Sources,
}

/// Looks for missing facts in all views.
#[must_use]
pub fn assume(views: &[Arc<View>], assume: &Assumptions, sources: Sources) -> AssumeReport {
    let mut found = Gaps::default();
    let mut before = Decided::default();
    for view in views {
        let analysis = Analysis::of(view, assume);
        of_view(&analysis, assume, &mut before, &mut found);
    }
    let mut gaps: Vec<Gap> = found.by_fact.into_values().collect();
    gaps.sort_by(|a, b| {
        (b.unknown, b.answers, &a.missing).cmp(&(a.unknown, a.answers, &b.missing))
    });
    let mut proposal = Proposal {
        complete: assume.complete.clone(),
        namespaces: BTreeSet::new(),
    };
    for gap in &gaps {
        proposal.join(&gap.proposal);
    }
    let mut assumed = assume.clone();
    assumed.complete.extend(proposal.complete.iter().cloned());
    for namespace in &proposal.namespaces {
        assumed.namespaces.entry(namespace.clone()).or_default();
    }
    let mut after = Decided::default();
    for view in views {
        let analysis = Analysis::of(view, &assumed);
        of_view(&analysis, &assumed, &mut after, &mut Gaps::default());
    }
    AssumeReport {
        unnamed: proposal.complete.contains("") || proposal.namespaces.contains(""),
        labels: assume.namespaces.clone(),
        opaque: views.iter().flat_map(|view| view.lacks()).collect(),
        gaps,
        proposal,
        before,
        after,
        sources,
    }
}

#[derive(Default)]
struct Gaps {
    by_fact: BTreeMap<(bool, String), Gap>,
}

impl Gaps {
    fn add(&mut self, unknown: bool, missing: &str, span: Option<Span>, proposal: &Proposal) {
        let gap = self
            .by_fact
            .entry((unknown, missing.to_owned()))
            .or_insert_with(|| Gap {
                missing: missing.to_owned(),
                unknown,
                answers: 0,
                proposal: Proposal::default(),
                span,
            });
        gap.answers += 1;
        gap.proposal.join(proposal);
    }
}

fn of_view(analysis: &Analysis<'_>, assume: &Assumptions, decided: &mut Decided, gaps: &mut Gaps) {
    for workload in &analysis.topology.workloads {
        let namespace = workload.namespace.as_str();
        let place = Place {
            analysis,
            namespace,
            stated: assume.namespaces.contains_key(namespace),
        };
        let membership = analysis.membership(workload);
        place.read(&membership, gaps);
        for port in &workload.ports {
            let transport = analysis.transport(workload, port);
            place.read(&transport, gaps);
            let access = analysis.reach(workload, port);
            place.read(&access, gaps);
            decided.ports += 1;
            decided.transport += usize::from(transport.get().is_some());
            decided.access += usize::from(access.get().is_some());
        }
    }
}

/// Where an answer was sought.
struct Place<'a> {
    analysis: &'a Analysis<'a>,
    namespace: &'a str,
    /// Whether somebody has written down the labels of the namespace.
    stated: bool,
}

impl Place<'_> {
    fn read<T>(&self, fact: &Fact<T>, gaps: &mut Gaps) {
        for reason in fact.value.as_ref().err().into_iter().flatten() {
            gaps.add(true, &reason.missing, reason.span, &self.settles(reason));
        }
        let mut seen = BTreeSet::new();
        for step in &fact.steps {
            let Role::Assumed(key) = &step.role else {
                continue;
            };
            let stated = self.stated && key == "namespaces";
            if !stated && seen.insert(&step.says) {
                gaps.add(false, &step.says, step.span(), &self.confirms(key));
            }
        }
    }

    /// What settles an unknown: only what is not rendered can be called irrelevant. A document that cannot be read has to be mended.
    fn settles(&self, reason: &UnknownReason) -> Proposal {
        let mut opaque = self.analysis.view.opaque.iter();
        let same = |o: &Opaque| o.missing() == reason.missing && o.span == reason.span;
        if !opaque.any(|o| same(o) && !o.is_broken()) {
            return Proposal::default();
        }
        let mut proposal = self.complete();
        if !self
            .analysis
            .topology
            .namespaces
            .contains_key(self.namespace)
        {
            proposal.namespaces.insert(self.namespace.to_owned());
        }
        proposal
    }

    /// What says outright what was taken for granted.
    fn confirms(&self, key: &str) -> Proposal {
        match key {
            "complete" => self.complete(),
            "namespaces" => Proposal {
                namespaces: BTreeSet::from([self.namespace.to_owned()]),
                ..Proposal::default()
            },
            _ => Proposal::default(),
        }
    }

    fn complete(&self) -> Proposal {
        Proposal {
            complete: BTreeSet::from([self.namespace.to_owned(), "root".to_owned()]),
            ..Proposal::default()
        }
    }
}
