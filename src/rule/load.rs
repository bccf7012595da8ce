//! L5: rule file → `Rule`. Input: a `RuleFile`; output: the rule, or every problem of the file with its place.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};

use crate::rule::params::Params;
use crate::rule::{
    Expression, KindPattern, Named, Rule, RuleFile, RuleInfo, RuleSource, SubjectKind, Validation,
    format,
};
use crate::shape::Problem;
use crate::yaml::NodeRef;

/// Reads the first document of a rule file. Texts of the second are left empty; see [`crate::rule::example`].
///
/// # Errors
/// The author's: all problems found, in file order.
pub fn read(file: &Arc<RuleFile>, source: RuleSource) -> Result<Rule, Vec<Problem>> {
    let head = file.head();
    let mut problems = Vec::new();
    // Every start reads all built-in rules. What they hold is checked when tests read them.
    if source != RuleSource::Builtin || cfg!(debug_assertions) {
        format::head().check(head, &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let is_engine = head.get("source").is_some();
    let rule = Rule {
        info: Arc::new(info(
            file,
            if is_engine {
                RuleSource::Engine
            } else {
                source
            },
            &mut problems,
        )),
        file: Arc::clone(file),
        kinds: kinds(head, &mut problems),
        params: head
            .get("params")
            .map_or_else(Params::default, |p| Params::read(p, &mut problems)),
        variables: named(file, head, "variables", &mut problems),
        conditions: named(file, head, "matchConditions", &mut problems),
        validations: items(head, "validations")
            .map(|v| validation(file, v))
            .collect(),
        supersedes: texts(head, "supersedes"),
    };
    check_whole(&rule, &mut problems);
    if problems.is_empty() {
        Ok(rule)
    } else {
        Err(problems)
    }
}

/// The value that this word stands for in rule files, flags and reports.
#[must_use]
pub fn word<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(text)).ok()
}

fn info(file: &RuleFile, source: RuleSource, problems: &mut Vec<Problem>) -> RuleInfo {
    let head = file.head();
    let text = |name: &str| head.get(name).map_or("", NodeRef::text);
    let id = text("id");
    let (named, slug) = file.name_parts().unwrap_or_default();
    let is_kebab = |s: &str| {
        !s.is_empty()
            && s.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if named != id || !is_kebab(slug) {
        let node = head.get("id").unwrap_or(head);
        problems.push(
            Problem::at(node, format!("the file of rule `{id}` has another name")).help(format!(
                "name it `{id}-<slug>.yaml`, with a slug like `plaintext-accepted`"
            )),
        );
    }
    RuleInfo {
        id: id.to_owned(),
        slug: slug.to_owned(),
        summary: text("summary").trim().to_owned(),
        // INVARIANT: the words were checked against the table in `format`.
        severity: word(text("severity")).unwrap_or(crate::facts::Severity::Note),
        confidence: word(text("confidence")).unwrap_or(crate::facts::Confidence::Low),
        since: text("since").to_owned(),
        subject: word(text("subject")).unwrap_or(SubjectKind::Resource),
        source,
        references: texts(head, "references"),
        controls: texts(head, "controls"),
        why: String::new(),
        fix: String::new(),
    }
}

fn kinds(head: NodeRef<'_>, problems: &mut Vec<Problem>) -> Vec<KindPattern> {
    items(head, "match")
        .filter_map(|node| {
            let pattern = KindPattern::parse(node.text());
            if pattern.is_none() {
                problems.push(
                    Problem::at(node, format!("`{}` names no kind", node.text()))
                        .help("write `Deployment`, `security.istio.io/PeerAuthentication`, `security.istio.io/*` or `*`"),
                );
            }
            pattern
        })
        .collect()
}

fn named(
    file: &Arc<RuleFile>,
    head: NodeRef<'_>,
    list: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Named> {
    let mut seen: Vec<&str> = Vec::new();
    items(head, list)
        .filter_map(|entry| {
            let name = entry.get("name")?;
            let is_identifier = name
                .text()
                .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name
                    .text()
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_');
            if list == "variables" && !is_identifier {
                problems.push(Problem::at(
                    name,
                    format!("`{}` is no identifier", name.text()),
                ));
            }
            if seen.contains(&name.text()) {
                problems.push(Problem::at(
                    name,
                    format!("`{}` is given twice", name.text()),
                ));
            }
            seen.push(name.text());
            Some(Named {
                name: name.text().to_owned(),
                expression: Expression::new(file, entry.get("expression")?),
            })
        })
        .collect()
}

fn validation(file: &Arc<RuleFile>, entry: NodeRef<'_>) -> Validation {
    let expression = |name: &str| entry.get(name).map(|node| Expression::new(file, node));
    Validation {
        expression: Expression::new(file, entry.get("expression").unwrap_or(entry)),
        message: entry.get("message").map(|m| m.text().trim().to_owned()),
        message_expression: expression("messageExpression"),
        each: expression("each"),
        at: expression("at"),
    }
}

fn check_whole(rule: &Rule, problems: &mut Vec<Problem>) {
    let head = rule.file.head();
    let at = |name: &str| head.get(name).unwrap_or(head);
    let judges_objects = matches!(
        rule.info.subject,
        SubjectKind::Resource | SubjectKind::Policy
    );
    if rule.info.source == RuleSource::Engine {
        for name in ["validations", "matchConditions", "variables", "match"] {
            if let Some((key, _)) = head.entry(name) {
                problems.push(Problem::at(
                    key,
                    format!("`{name}` has no place in a rule that the program raises itself"),
                ));
            }
        }
        return;
    }
    if rule.validations.is_empty() {
        problems.push(Problem::at(
            at("validations"),
            "a rule needs at least one validation",
        ));
    }
    if judges_objects && rule.kinds.is_empty() && head.get("match").is_none_or(NodeRef::is_empty) {
        problems.push(
            Problem::at(at("subject"), "`match` is missing")
                .help("rules on objects list the kinds they look at"),
        );
    }
    if !judges_objects && !rule.kinds.is_empty() {
        problems.push(
            Problem::at(at("match"), "`match` has no effect on this subject")
                .help("it belongs to the subjects `resource` and `policy`"),
        );
    }
}

fn items<'t>(head: NodeRef<'t>, name: &str) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    head.get(name).into_iter().flat_map(NodeRef::items)
}

fn texts(head: NodeRef<'_>, name: &str) -> Vec<String> {
    items(head, name).map(|n| n.text().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(path: &str, text: &str) -> Result<Rule, Vec<String>> {
        let file = Arc::new(RuleFile::parse(path, text).unwrap());
        read(&file, RuleSource::User).map_err(|p| p.iter().map(ToString::to_string).collect())
    }

    const GOOD: &str = "id: ABC001\nsummary: s\nseverity: high\nconfidence: medium\nsince: 0.1.0\nsubject: resource\nmatch: [Pod]\nvalidations:\n  - expression: object.a == 1\n    at: spec.a\n";

    #[test]
    fn a_good_file_is_read_whole() {
        let rule = load("r/ABC001-a-b.yaml", GOOD).unwrap();
        assert_eq!(
            (rule.info.id.as_str(), rule.info.slug.as_str()),
            ("ABC001", "a-b")
        );
        assert_eq!(rule.info.severity.as_str(), "high");
        assert_eq!(rule.info.confidence.as_str(), "medium");
        assert_eq!(rule.validations[0].expression.text, "object.a == 1");
        assert_eq!(rule.validations[0].at.as_ref().unwrap().text, "spec.a");
    }

    #[test]
    fn the_file_name_repeats_id_and_slug() {
        for path in ["r/ABC002-a.yaml", "r/ABC001.yaml", "r/ABC001-A.yaml"] {
            let problems = load(path, GOOD).unwrap_err();
            assert_eq!(
                problems,
                [format!(
                    "{path}:1:5: the file of rule `ABC001` has another name"
                )]
            );
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let engine = GOOD.replace("subject", "source: engine\nsubject");
        let problems = load("ABC001-a.yaml", &engine).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        let port = GOOD.replace("subject: resource", "subject: port");
        let problems = load("ABC001-a.yaml", &port).unwrap_err();
        assert_eq!(
            problems,
            ["ABC001-a.yaml:7:8: `match` has no effect on this subject"]
        );
        let bare = GOOD.replace("match: [Pod]\n", "");
        let problems = load("ABC001-a.yaml", &bare).unwrap_err();
        assert_eq!(problems, ["ABC001-a.yaml:6:10: `match` is missing"]);
    }
}
