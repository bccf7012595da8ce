//! L7: the run in a few lines. Input: `Outcome`; output: what was understood, counts, the gate, what was left out and why.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Confidence, Severity};
use crate::finding::{Finding, Gate, Old, Outcome};
use crate::view::Lack;

use super::{and_more, number, plural};

/// Severities, worst first: the order of every table.
pub(super) const SEVERITIES: [Severity; 5] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Note,
];
/// Reasons why something is not known, as [`Lack::title`] has them, in the order of reports.
const LACKS: [&str; 4] = ["not read", "not rendered", "not built", "not followed"];
const CONFIDENCES: [Confidence; 3] = [Confidence::High, Confidence::Medium, Confidence::Low];

/// Findings counted; silenced ones only in [`Summary::suppressed`].
#[derive(Debug)]
pub(super) struct Summary {
    /// By severity, worst first, zeros included.
    pub(super) by_severity: Vec<(Severity, usize)>,
    /// All that are not silenced.
    pub(super) total: usize,
    /// Silenced.
    pub(super) suppressed: usize,
    /// That fail the run.
    pub(super) failing: usize,
    /// What is left out because it is old, in words.
    pub(super) old: Vec<String>,
    /// Flags one step stricter that would fail more, with how many more.
    pub(super) stricter: Vec<(String, usize)>,
    /// That no workload was judged, where all may stand in what is not rendered.
    pub(super) unseen: Option<String>,
}

impl Summary {
    /// Counts the findings of a run.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let open: Vec<&Finding> = outcome
            .findings
            .iter()
            .filter(|f| f.suppressed.is_none())
            .collect();
        let count = |gate: Gate| open.iter().filter(|f| gate.fails(f)).count();
        let failing = count(outcome.gate);
        Self {
            by_severity: SEVERITIES
                .iter()
                .map(|&s| (s, open.iter().filter(|f| f.severity == s).count()))
                .collect(),
            total: open.len(),
            suppressed: outcome.findings.len() - open.len(),
            old: old(&outcome.old),
            failing,
            stricter: stricter(outcome.gate, failing, count),
            unseen: unseen(outcome),
        }
    }

    /// `3 findings: 1 high, 2 low · 1 ignored`.
    pub(super) fn counts(&self) -> String {
        let mut out = match self.total {
            0 => "no findings".to_owned(),
            total => plural(total, "finding"),
        };
        let parts: Vec<String> = self
            .by_severity
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| format!("{} {}", number(*count), severity.as_str()))
            .collect();
        if !parts.is_empty() {
            out = format!("{out}: {}", parts.join(", "));
        }
        if self.suppressed > 0 {
            out = format!("{out} · {} ignored", number(self.suppressed));
        }
        for words in &self.old {
            out = format!("{out} · {words}");
        }
        // Silence about what nobody saw proves nothing.
        match (&self.unseen, self.total) {
            (None, _) => out,
            (Some(unseen), 0) => format!("{out}, but {unseen}"),
            (Some(unseen), _) => format!("{out} · {unseen}"),
        }
    }

    /// What fails the run, and what one step stricter would fail.
    pub(super) fn gate(&self, gate: Gate) -> String {
        let mut out = match gate.fail_on {
            None => "gate: off, nothing fails the run".to_owned(),
            Some(least) => format!(
                "gate: {} at severity {}, confidence {}",
                match self.failing {
                    0 => "nothing fails".to_owned(),
                    1 => "1 finding fails".to_owned(),
                    n => format!("{} findings fail", number(n)),
                },
                or_worse(least),
                or_better(gate.fail_confidence),
            ),
        };
        for (flag, more) in &self.stricter {
            let more = number(*more);
            out = match self.failing {
                0 => format!("{out} · {flag} would fail {more}"),
                _ => format!("{out} · {flag} would fail {more} more"),
            };
        }
        out
    }
}

/// `12 that origin/main has too are not shown`.
fn old(old: &Old) -> Vec<String> {
    let mut words = Vec::new();
    if old.known > 0 {
        words.push(format!(
            "{} that {} has too not shown",
            number(old.known),
            old.base
        ));
    }
    if old.accepted > 0 {
        words.push(format!(
            "{} of them accepted by {}",
            number(old.accepted),
            old.baseline
        ));
    }
    if !old.fixed.is_empty() {
        words.push(format!(
            "{} of {} fixed: `meshgov baseline prune`",
            match old.fixed.len() {
                1 => String::from("1 entry"),
                n => format!("{} entries", number(n)),
            },
            old.baseline
        ));
    }
    words
}

fn or_worse(severity: Severity) -> String {
    match severity {
        Severity::Critical => "critical".to_owned(),
        _ => format!("{} or worse", severity.as_str()),
    }
}

fn or_better(confidence: Confidence) -> String {
    match confidence {
        Confidence::High => "high".to_owned(),
        _ => format!("{} or better", confidence.as_str()),
    }
}

/// The first step that fails more along each axis; where neither does, the loosest of both together.
fn stricter(gate: Gate, failing: usize, count: impl Fn(Gate) -> usize) -> Vec<(String, usize)> {
    let severities = SEVERITIES
        .into_iter()
        .filter(|&s| gate.fail_on.is_none_or(|least| s < least))
        .map(|s| stricter_gate(gate, Some(s), None));
    let confidences = CONFIDENCES
        .into_iter()
        .filter(|&c| gate.fail_on.is_some() && c < gate.fail_confidence)
        .map(|c| stricter_gate(gate, None, Some(c)));
    let both = SEVERITIES
        .into_iter()
        .map(|s| stricter_gate(gate, Some(s), Some(Confidence::Low)));
    let first = |gates: &mut dyn Iterator<Item = (String, Gate)>| {
        gates
            .map(|(flags, gate)| (flags, count(gate).saturating_sub(failing)))
            .find(|(_, more)| *more > 0)
    };
    let (mut severities, mut confidences, mut both) = (severities, confidences, both);
    let steps: Vec<_> = [first(&mut severities), first(&mut confidences)]
        .into_iter()
        .flatten()
        .collect();
    if steps.is_empty() {
        first(&mut both).into_iter().collect()
    } else {
        steps
    }
}

/// A gate with other limits, and the flags that set them.
fn stricter_gate(
    gate: Gate,
    severity: Option<Severity>,
    confidence: Option<Confidence>,
) -> (String, Gate) {
    let flags: Vec<String> = [
        severity.map(|s| format!("--fail-on {}", s.as_str())),
        confidence.map(|c| format!("--fail-confidence {}", c.as_str())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let gate = Gate {
        fail_on: severity.or(gate.fail_on),
        fail_confidence: confidence.unwrap_or(gate.fail_confidence),
    };
    (flags.join(" "), gate)
}

/// The opening line of architecture.md §6.
pub(super) fn understood(outcome: &Outcome) -> String {
    let views = &outcome.views;
    if outcome.objects == 0 || views.is_empty() {
        return format!("no Kubernetes object in {}", plural(outcome.files, "file"));
    }
    let sum = |field: fn(&crate::finding::ViewSummary) -> usize| views.iter().map(field).sum();
    let mut parts = vec![format!(
        "{}: {} ({})",
        plural(views.len(), "view"),
        and_more(views.iter().map(|v| v.name.as_str()), 5),
        found_by(outcome)
    )];
    let meshes: BTreeSet<&str> = views
        .iter()
        .map(|v| v.mesh.as_str())
        .filter(|m| !m.is_empty())
        .collect();
    let meshed: usize = sum(|v| v.meshed);
    let workloads = plural(sum(|v| v.workloads), "workload");
    if meshes.is_empty() {
        parts.push("no mesh".to_owned());
        parts.push(workloads);
    } else {
        parts.push(distinct(&meshes).join(" and "));
        parts.push(format!("{workloads}, {} meshed", number(meshed)));
    }
    parts.extend(environments(outcome));
    let assets: usize = sum(|v| v.assets);
    if assets > 0 {
        parts.push(plural(assets, "AI asset"));
    }
    let shares: Vec<String> = [
        ("transport", transport(outcome)),
        ("access", access(outcome)),
    ]
    .into_iter()
    .filter_map(|(name, (known, all))| Some(format!("{name} {} %", percent(known, all)?)))
    .collect();
    if !shares.is_empty() {
        parts.push(format!("decided: {}", shares.join(", ")));
    }
    parts.extend(lacking(outcome));
    parts.join(" · ")
}

/// `environments: production, staging, dev`, production first; of several applications how many there are.
fn environments(outcome: &Outcome) -> Option<String> {
    let list: BTreeSet<_> = outcome
        .views
        .iter()
        .filter_map(|v| v.environment.as_ref())
        .map(|e| {
            (
                e.application.as_str(),
                e.rank,
                e.name.as_str(),
                e.production,
            )
        })
        .collect();
    let applications: BTreeSet<&str> = list.iter().map(|(name, ..)| *name).collect();
    let compared: BTreeSet<&str> = (list.iter().filter(|(.., production)| *production))
        .map(|(name, ..)| *name)
        .collect();
    match applications.len() {
        0 => None,
        1 => {
            let names = and_more(list.iter().map(|(_, _, name, _)| *name), 5);
            Some(match compared.is_empty() {
                true => format!("environments: {names}, none known as production"),
                false => format!("environments: {names}"),
            })
        }
        all => Some(match all - compared.len() {
            0 => format!("environments of {all} applications"),
            open => {
                format!("environments of {all} applications, {open} without a known production")
            }
        }),
    }
}

/// Without `Istio` where another view says `Istio sidecar`.
fn distinct<'a>(meshes: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let says_less = |mesh: &str| {
        let mut others = meshes.iter().filter(|other| **other != mesh);
        others.any(|other| {
            other
                .strip_prefix(mesh)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    };
    meshes.iter().copied().filter(|m| !says_less(m)).collect()
}

/// Ports whose transport is known, and all ports.
pub(super) fn transport(outcome: &Outcome) -> (usize, usize) {
    pair_sum(outcome.views.iter().map(|v| v.transport_decided))
}

/// Ports whose access is known, and all ports.
pub(super) fn access(outcome: &Outcome) -> (usize, usize) {
    pair_sum(outcome.views.iter().map(|v| v.access_decided))
}

fn pair_sum(pairs: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    pairs.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
}

/// Rounded down, so that 100 means all; `None` of nothing.
fn percent(known: usize, all: usize) -> Option<usize> {
    (known.min(all) * 100).checked_div(all)
}

/// `14 overlays, Flux`: a view that is one kustomization says so already.
fn found_by(outcome: &Outcome) -> String {
    let views = outcome.views.iter();
    let composed = views.filter(|view| view.found_by != "kustomization");
    let overlays: usize = composed.map(|view| view.overlays).sum();
    let overlays = (overlays > 0).then(|| plural(overlays, "overlay"));
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    for view in &outcome.views {
        *ways.entry(&view.found_by).or_default() += 1;
    }
    let one = ways.len() == 1;
    let words = ways.into_iter().map(|(way, count)| {
        if one {
            way.to_owned()
        } else {
            format!("{} {way}", number(count))
        }
    });
    let words: Vec<String> = overlays.into_iter().chain(words).collect();
    words.join(", ")
}

/// Says that a run saw no workload although there may be some in what is not rendered.
pub(super) fn unseen(outcome: &Outcome) -> Option<String> {
    let seen = outcome.views.iter().any(|view| view.workloads > 0);
    let lacking = lacking(outcome);
    (!seen && !lacking.is_empty())
        .then(|| format!("no workload was judged ({})", lacking.join(", ")))
}

fn lacking(outcome: &Outcome) -> Vec<String> {
    lacks(outcome.views.iter().flat_map(|v| &v.opaque))
}

/// What is not known, by why: `not rendered: 12 HelmReleases`.
pub(super) fn lacks<'o>(all: impl Iterator<Item = &'o (Lack, String)> + Clone) -> Vec<String> {
    let titles = LACKS.into_iter();
    titles
        .map(|title| (title, counted(of_title(all.clone(), title), title)))
        .filter(|(_, opaque)| !opaque.is_empty())
        .map(|(title, opaque)| format!("{title}: {opaque}"))
        .collect()
}

fn of_title<'o>(
    all: impl Iterator<Item = &'o (Lack, String)>,
    title: &str,
) -> impl Iterator<Item = &'o str> {
    all.filter(move |(lack, _)| lack.title() == title)
        .map(|(_, what)| what.as_str())
}

/// Names of what is not known for one reason; how often, where several views have it.
pub(super) fn opaque_names(outcome: &Outcome, title: &str) -> Vec<String> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for what in of_title(outcome.views.iter().flat_map(|v| &v.opaque), title) {
        *names.entry(what).or_default() += 1;
    }
    let line = |(name, count): (&str, usize)| match count {
        1 => name.to_owned(),
        n => format!("{name} ({} times)", number(n)),
    };
    names.into_iter().map(line).collect()
}

/// `12 HelmReleases` or `1 broken document`: what stands before the name of each, counted.
pub(super) fn opaque(outcome: &Outcome, title: &str) -> String {
    let all = outcome.views.iter().flat_map(|v| &v.opaque);
    counted(of_title(all, title), title)
}

fn counted<'o>(opaque: impl Iterator<Item = &'o str>, title: &str) -> String {
    let is_named = title != Lack::Unread.title();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for what in opaque {
        let kind = match what.split_once(' ') {
            Some((kind, _)) if is_named => kind,
            _ => what,
        };
        *kinds.entry(kind).or_default() += 1;
    }
    let words: Vec<String> = kinds.into_iter().map(|(k, n)| plural(n, k)).collect();
    and_more(words.iter(), 4)
}

/// Why rules were not decided: reason, how often, ids of the rules; what settles most first.
pub(super) fn not_evaluated_by_reason(outcome: &Outcome) -> Vec<(&str, usize, BTreeSet<&str>)> {
    let mut reasons: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for entry in &outcome.not_evaluated {
        let (count, rules) = reasons.entry(&entry.reason).or_default();
        *count += 1;
        rules.insert(&entry.rule.id);
    }
    let mut all: Vec<_> = reasons
        .into_iter()
        .map(|(reason, (count, rules))| (reason, count, rules))
        .collect();
    all.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    all
}

/// Why inputs were not analysed, without the details that follow a colon; each with its paths and details in order.
pub(super) fn not_analysed_by_reason(outcome: &Outcome) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut reasons: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for entry in &outcome.not_analysed {
        let (reason, detail) = entry.reason.split_once(": ").unwrap_or((&entry.reason, ""));
        reasons
            .entry(reason)
            .or_default()
            .push((&entry.path, detail));
    }
    reasons
}
