//! L7: the rule table of a SARIF run. Input: `RuleInfo`s; output: descriptors within GitHub's limits.
//!
//! Limits: docs.github.com, "SARIF support for code scanning" (descriptions 1,024 characters, ten tags kept).

use std::borrow::Cow;

use crate::explain;
use crate::facts::{Confidence, Severity};
use crate::rule::RuleInfo;

use crate::report::{first_paragraph, level, one_line, truncated};

use super::model::{Configuration, Descriptor, Help, Message, RuleProperties};

const DESCRIPTION_BYTES: usize = 1024;
const TAGS: usize = 10;

/// One rule, the same whether it fired or not: GitHub compares rule tables of several runs.
pub(super) fn descriptor(rule: &RuleInfo) -> Descriptor<'_> {
    let why = first_paragraph(&rule.why);
    let full = if why.is_empty() {
        one_line(&rule.summary)
    } else {
        Cow::Owned(why)
    };
    let security = rule.severity != Severity::Note;
    Descriptor {
        id: &rule.id,
        name: &rule.slug,
        short_description: description(one_line(&rule.summary)),
        full_description: description(full),
        help_uri: explain::rule_url(rule),
        help: Help {
            text: help_text(rule),
            markdown: explain::rule_markdown(rule),
        },
        default_configuration: Configuration {
            // What a finding rests on lowers its own level, not the rule's.
            level: level(rule.severity, Confidence::High),
        },
        properties: RuleProperties {
            tags: tags(rule, security),
            precision: rule.confidence.as_str(),
            security_severity: security_severity(rule.severity),
            problem_severity: (!security).then_some("recommendation"),
        },
    }
}

fn description(text: Cow<'_, str>) -> Message<'_> {
    let mut text = text.into_owned();
    if let Some(first) = text.chars().next() {
        let capital: String = first.to_uppercase().collect();
        text.replace_range(..first.len_utf8(), &capital);
    }
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    Message::new(truncated(&text, DESCRIPTION_BYTES).into_owned())
}

fn help_text(rule: &RuleInfo) -> String {
    let parts = [
        rule.summary.trim(),
        rule.why.trim(),
        rule.fix.trim(),
        &format!("More: meshgov explain {}", rule.id),
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    parts.join("\n\n")
}

fn tags(rule: &RuleInfo, security: bool) -> Vec<Cow<'_, str>> {
    let first = security.then_some(Cow::Borrowed("security"));
    let controls = rule.controls.iter().map(|c| Cow::Borrowed(c.as_str()));
    first
        .into_iter()
        .chain([Cow::Owned(rule.family())])
        .chain(controls)
        .take(TAGS)
        .collect()
}

/// The middle of GitHub's bands: above 9.0 critical, from 7.0 high, from 4.0 medium, from 0.1 low.
fn security_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.1"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.5"),
        Severity::Note => None,
    }
}
