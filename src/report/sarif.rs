//! L7: `sarif`: SARIF 2.1.0 that GitHub code scanning shows in full. Input: `Outcome`; output: one run, equal bytes for equal input.
//!
//! GitHub shows every result as an alert, whatever its `kind`; what was not decided is therefore a notification of the
//! invocation and never a result.

mod line_hash;
mod model;
mod rules;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};

use crate::finding::{Finding, Outcome, Suppressed};
use crate::rule::RuleInfo;
use crate::source::{SourceId, Span};

use super::{
    Options, REDACTED, Redactor, level, not_evaluated_by_reason, number, one_line, percent_encoded,
    plural, selected, write_json,
};
use model::{
    ArtifactLocation, AutomationDetails, BaseId, BaseIds, CodeFlow, DescriptorRef, Driver,
    Fingerprints, FlowLocation, Invocation, Location, Log, LogicalLocation, Message, Notification,
    PhysicalLocation, Region, ResultProperties, Run, SarifResult, Suppression, ThreadFlow, Tool,
};

/// Where lines stop to break: one rule a line, one property of a result a line.
const DEPTH: usize = 6;
/// GitHub keeps the first 5,000 results by severity; we cut there ourselves and say so.
const MAX_RESULTS: usize = 5_000;
/// Places of a proof that are written, and how many of them the message links to.
const MAX_RELATED: usize = 20;
const MAX_LINKS: usize = 5;
/// Longest flagged text that is repeated in a region, in bytes.
const MAX_SNIPPET: usize = 1_024;
/// Notifications of one kind; the last one counts the rest.
const MAX_NOTIFICATIONS: usize = 100;
const SOURCE_ROOT: &str = "%SRCROOT%";

// Without descriptors of their own: sarif-multitool's GitHub rules would ask each for a help page (GH2012).
const CAPPED: &str = "results-capped";
const NOT_ANALYSED: &str = "not-analysed";
const NOT_EVALUATED: &str = "not-evaluated";

/// Writes one SARIF log.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let all = selected(outcome, options).count();
    let findings: Vec<&Finding> = selected(outcome, options).take(MAX_RESULTS).collect();
    let rules = rule_table(outcome, &findings);
    let context = Context {
        outcome,
        redactor: Redactor::new(&outcome.secrets),
        snippets: options.snippets,
        suppressed: options.suppressed,
        hashes: line_hashes(outcome, &findings),
        rule_indices: rules.keys().copied().zip(0..).collect(),
    };
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: tool(&rules),
            automation_details: AutomationDetails {
                id: format!("{}/", options.category.trim_end_matches('/')),
            },
            column_kind: "utf16CodeUnits",
            original_uri_base_ids: BaseIds {
                source_root: BaseId {
                    description: Message::new("The top level of the repository."),
                },
            },
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications(outcome, all - findings.len()),
            }],
            results: findings.iter().map(|f| context.result(f)).collect(),
        }],
    };
    let mut out = BufWriter::new(out);
    write_json(&mut out, &log, DEPTH)?;
    out.flush()
}

/// Every rule of the run by id, fired or not, and with them any that fired without being listed.
fn rule_table<'a>(
    outcome: &'a Outcome,
    findings: &[&'a Finding],
) -> BTreeMap<&'a str, &'a RuleInfo> {
    let fired = findings.iter().map(|f| &f.rule);
    fired
        .chain(&outcome.rules)
        .map(|rule| (rule.id.as_str(), rule.as_ref()))
        .collect()
}

fn tool<'a>(rules: &BTreeMap<&'a str, &'a RuleInfo>) -> Tool<'a> {
    Tool {
        driver: Driver {
            name: env!("CARGO_PKG_NAME"),
            semantic_version: env!("CARGO_PKG_VERSION"),
            information_uri: env!("CARGO_PKG_REPOSITORY"),
            rules: rules.values().map(|r| rules::descriptor(r)).collect(),
        },
    }
}

/// The line hash of every primary location, file by file: each text is read once. A file without text could not be
/// read: the upload step computes its hash from the file, if it can.
fn line_hashes(outcome: &Outcome, findings: &[&Finding]) -> BTreeMap<(SourceId, u32), String> {
    let mut wanted: BTreeMap<SourceId, BTreeSet<u32>> = BTreeMap::new();
    for finding in findings {
        let span = finding.span;
        if let Some(file) = outcome.sources.get(span.source) {
            let line = file.position(span.start).line;
            wanted.entry(span.source).or_default().insert(line);
        }
    }
    let mut out = BTreeMap::new();
    for (id, lines) in wanted {
        if let Some(file) = outcome.sources.get(id).filter(|f| !f.text.is_empty()) {
            let hashes = line_hash::line_fingerprints(&file.text, &lines);
            out.extend(hashes.into_iter().map(|(line, hash)| ((id, line), hash)));
        }
    }
    out
}

struct Context<'a> {
    outcome: &'a Outcome,
    redactor: Redactor,
    snippets: bool,
    suppressed: bool,
    hashes: BTreeMap<(SourceId, u32), String>,
    rule_indices: BTreeMap<&'a str, usize>,
}

impl Context<'_> {
    fn result<'a>(&'a self, finding: &'a Finding) -> SarifResult<'a> {
        let mut primary = self.location(finding.span);
        let line = primary.physical_location.region.as_ref();
        let line = line.map_or(0, |r| r.start_line);
        primary.logical_locations = Some([LogicalLocation {
            fully_qualified_name: finding.resource.to_string(),
            kind: "resource",
        }]);
        let related: Vec<Location<'_>> = finding
            .related
            .iter()
            .take(MAX_RELATED)
            .zip(1..)
            .map(|(related, id)| Location {
                id: Some(id),
                ..self.step(related.span, &related.label, "related place")
            })
            .collect();
        SarifResult {
            rule_id: &finding.rule.id,
            rule_index: self
                .rule_indices
                .get(finding.rule.id.as_str())
                .copied()
                .unwrap_or_default(),
            kind: "fail",
            level: level(finding.severity, finding.confidence),
            message: Message::new(message(finding)),
            locations: [primary],
            related_locations: related,
            code_flows: self.code_flow(finding),
            partial_fingerprints: Fingerprints {
                line_hash: self
                    .hashes
                    .get(&(finding.span.source, line))
                    .map(String::as_str),
                own: &finding.fingerprint,
            },
            suppressions: self
                .suppressed
                .then(|| finding.suppressed.iter().map(suppression).collect()),
            properties: ResultProperties {
                confidence: finding.confidence.as_str(),
                views: &finding.views,
                assumptions: &finding.assumptions,
            },
        }
    }

    /// The proof in its order, ending where it is decided; a single step is no proof.
    fn code_flow<'a>(&'a self, finding: &'a Finding) -> Option<[CodeFlow<'a>; 1]> {
        if finding.related.is_empty() {
            return None;
        }
        let steps = finding.related.iter().take(MAX_RELATED - 1);
        let mut locations: Vec<FlowLocation<'_>> = steps
            .map(|r| FlowLocation {
                location: self.step(r.span, &r.label, "related place"),
            })
            .collect();
        locations.push(FlowLocation {
            location: self.step(finding.span, &finding.label, &finding.message),
        });
        Some([CodeFlow {
            thread_flows: [ThreadFlow { locations }],
        }])
    }

    fn step<'a>(&'a self, span: Span, label: &'a str, unlabelled: &'a str) -> Location<'a> {
        let label = if label.is_empty() { unlabelled } else { label };
        Location {
            message: Some(Message::new(one_line(label))),
            ..self.location(span)
        }
    }

    fn location(&self, span: Span) -> Location<'_> {
        let file = self.outcome.sources.get(span.source);
        let region = file.map(|file| {
            let start = file.position_utf16(span.start);
            let end = file.position_utf16(span.end);
            Region {
                start_line: start.line,
                start_column: start.column,
                end_line: end.line,
                end_column: end.column,
                snippet: self.snippet(span, file.slice(span)),
            }
        });
        physical(file.map_or(".", |f| &f.path), region)
    }

    fn snippet<'a>(&self, span: Span, text: &'a str) -> Option<Message<'a>> {
        if !self.snippets || text.is_empty() || text.len() > MAX_SNIPPET {
            return None;
        }
        Some(Message::new(if self.redactor.touches(span) {
            REDACTED
        } else {
            text
        }))
    }
}

fn physical<'a>(path: &'a str, region: Option<Region<'a>>) -> Location<'a> {
    Location {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: artifact(path),
            region,
        },
        logical_locations: None,
        message: None,
    }
}

/// A path outside the source root is absolute and has no base.
fn artifact(path: &str) -> ArtifactLocation<'_> {
    let uri = percent_encoded(path);
    if path.starts_with('/') {
        ArtifactLocation {
            uri: Cow::Owned(format!("file://{uri}")),
            uri_base_id: None,
        }
    } else {
        ArtifactLocation {
            uri,
            uri_base_id: Some(SOURCE_ROOT),
        }
    }
}

/// The message as a sentence, then links to the places of the proof (GitHub shows only linked ones), then what was assumed.
fn message(finding: &Finding) -> String {
    // `](` would begin a link of the SARIF message syntax.
    let mut text = one_line(&finding.message).replace("](", "] (");
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    let links: Vec<String> = finding
        .related
        .iter()
        .take(MAX_LINKS)
        .zip(1..)
        .filter(|(related, _)| !related.label.is_empty())
        .map(|(related, id)| {
            let label = one_line(&related.label).replace('[', "(").replace(']', ")");
            format!("[{label}]({id})")
        })
        .collect();
    if !links.is_empty() {
        text.push_str(&format!(" See {}.", links.join(", ")));
    }
    if !finding.assumptions.is_empty() {
        let assumed = finding.assumptions.join("; ").replace("](", "] (");
        text.push_str(&format!(" Assumed: {}.", one_line(&assumed)));
    }
    text
}

fn suppression(suppressed: &Suppressed) -> Suppression<'_> {
    let reason = match &suppressed.until {
        Some(until) => Cow::Owned(format!("{} (until {until})", suppressed.reason)),
        None => Cow::Borrowed(suppressed.reason.as_str()),
    };
    Suppression {
        kind: match suppressed.by.as_str() {
            "comment" | "annotation" => "inSource",
            _ => "external",
        },
        status: "accepted",
        justification: reason,
    }
}

fn notifications(outcome: &Outcome, left_out: usize) -> Vec<Notification<'_>> {
    let mut all = Vec::new();
    if left_out > 0 {
        let text = format!(
            "{} left out: GitHub keeps {} results of a run, the most severe ones are here.",
            plural(left_out, "finding"),
            number(MAX_RESULTS)
        );
        all.push(notification(CAPPED, "warning", text));
    }
    let entries = outcome.not_analysed.iter().map(|entry| Notification {
        locations: vec![physical(&entry.path, None)],
        ..notification(
            NOT_ANALYSED,
            "warning",
            format!("Not analysed: {}.", one_line(&entry.reason)),
        )
    });
    capped(&mut all, entries, NOT_ANALYSED, "input");
    let reasons = not_evaluated_by_reason(outcome);
    let entries = reasons.iter().map(|(reason, count, rules)| {
        let text = format!(
            "Not decided because {}: {} of {}.",
            one_line(reason),
            plural(*count, "judgement"),
            rules.iter().copied().collect::<Vec<_>>().join(", ")
        );
        notification(NOT_EVALUATED, "note", text)
    });
    capped(&mut all, entries, NOT_EVALUATED, "reason");
    all
}

/// Adds the first entries, and one that counts the others.
fn capped<'a>(
    all: &mut Vec<Notification<'a>>,
    entries: impl ExactSizeIterator<Item = Notification<'a>>,
    id: &'static str,
    word: &str,
) {
    let total = entries.len();
    let shown = if total > MAX_NOTIFICATIONS {
        MAX_NOTIFICATIONS - 1
    } else {
        total
    };
    all.extend(entries.take(shown));
    if total > shown {
        let text = format!("{}.", plural(total - shown, &format!("more {word}")));
        all.push(notification(id, "note", text));
    }
}

fn notification<'a>(id: &'static str, level: &'static str, text: String) -> Notification<'a> {
    Notification {
        descriptor: DescriptorRef { id },
        level,
        message: Message::new(text),
        locations: Vec::new(),
    }
}
