//! L7: the run in a few lines. Input: `Outcome`; output: counts, what is old, the gate and what a stricter one would fail.

use crate::facts::{Confidence, Severity};
use crate::finding::{Finding, Gate, Old, Outcome};

use super::{number, plural, unseen};

/// Severities, worst first: the order of every table.
pub(super) const SEVERITIES: [Severity; 5] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Note,
];
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
