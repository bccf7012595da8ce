//! L7: the page of a rule. Input: `RuleInfo`; output: Markdown for `explain`, the docs and SARIF help.

use crate::rule::{RuleInfo, RuleSource};

/// `plaintext-accepted (MTLS001)`: how every text names a rule.
#[must_use]
pub fn rule_title(rule: &RuleInfo) -> String {
    format!("{} ({})", rule.slug, rule.id)
}

/// Where the page of a rule is published; rules of the user have none.
#[must_use]
pub fn rule_url(rule: &RuleInfo) -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY");
    match rule.source {
        RuleSource::User => None,
        RuleSource::Builtin | RuleSource::Engine => Some(format!(
            "{repository}/blob/main/docs/rules/{}-{}.md",
            rule.id, rule.slug
        )),
    }
}

/// The page of a rule as Markdown, ending with a line end.
#[must_use]
pub fn rule_markdown(rule: &RuleInfo) -> String {
    let mut page = format!("# {}\n\n", rule_title(rule));
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    let mut summary = rule.summary.chars();
    let first = summary.next().map(|c| c.to_uppercase().to_string());
    line(format!(
        "{}{}.\n",
        first.unwrap_or_default(),
        summary.as_str()
    ));
    line(format!(
        "Severity **{}**, confidence **{}**, judges each **{}**, since {}.",
        rule.severity.as_str(),
        rule.confidence.as_str(),
        subject(rule),
        rule.since
    ));
    section(&mut page, "Why", &rule.why);
    section(&mut page, "Fix", &rule.fix);
    section(&mut page, "Controls", &controls(&rule.controls));
    section(&mut page, "References", &bullets(&rule.references));
    page
}

fn subject(rule: &RuleInfo) -> String {
    format!("{:?}", rule.subject).to_ascii_lowercase()
}

/// A control is never claimed to be met: it has more sides than a linter sees.
fn controls(items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    format!(
        "A tree without this finding supports evidence for:\n\n{}",
        bullets(items)
    )
}

fn bullets(items: &[String]) -> String {
    items.iter().fold(String::new(), |mut out, item| {
        out.push_str(&format!("- {item}\n"));
        out
    })
}

fn section(page: &mut String, title: &str, body: &str) {
    let body = body.trim();
    if !body.is_empty() {
        page.push_str(&format!("\n## {title}\n\n{body}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Confidence, Severity};
    use crate::rule::SubjectKind;

    #[test]
    fn a_page_says_what_is_wrong_why_and_what_to_do_and_leaves_empty_parts_out() {
        let mut rule = RuleInfo {
            id: "MTLS001".into(),
            slug: "plaintext-accepted".into(),
            summary: "a meshed port accepts plaintext".into(),
            severity: Severity::High,
            confidence: Confidence::Medium,
            since: "0.1.0".into(),
            subject: SubjectKind::Port,
            source: RuleSource::Builtin,
            references: vec!["https://istio.io".into()],
            controls: vec![],
            why: "Because.\n".into(),
            fix: "Set `mode: STRICT`.\n".into(),
        };
        assert_eq!(
            rule_markdown(&rule),
            "# plaintext-accepted (MTLS001)\n\nA meshed port accepts plaintext.\n\n\
             Severity **high**, confidence **medium**, judges each **port**, since 0.1.0.\n\n\
             ## Why\n\nBecause.\n\n## Fix\n\nSet `mode: STRICT`.\n\n## References\n\n- https://istio.io\n"
        );
        assert!(
            rule_url(&rule)
                .is_some_and(|u| u.ends_with("/docs/rules/MTLS001-plaintext-accepted.md"))
        );
        rule.source = RuleSource::User;
        assert_eq!(rule_url(&rule), None);
    }
}
