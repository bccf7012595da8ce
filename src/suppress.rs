//! L6: silenced findings. Input: comments, annotations and the config's `ignores:`; output: which findings are silenced,
//! and what is wrong with the silencers themselves.

use crate::config::Ignore;
use crate::config::ignores::is_date;
use crate::finding::{Finding, ObjectRef, Suppressed};
use crate::rule::RuleSet;
use crate::shape::nearest;
use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::yaml::NodeRef;

/// What starts a silencing comment, after `#`.
const MARK: &str = "meshgov:";
/// The annotation of an object.
pub const ANNOTATION: &str = "meshgov.dev/ignore";

/// Where a silencer stands, hence what it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Findings that point into these bytes.
    Bytes(Span),
    /// Findings about this object in these views: name of the view, and the object as findings name it there.
    Object(Vec<(String, ObjectRef)>),
}

/// A well-formed silencer in a manifest.
#[derive(Clone, Debug)]
pub struct Directive {
    /// Ids or slugs.
    pub rules: Vec<String>,
    /// Last day it holds.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// The comment, or the annotation's value.
    pub span: Span,
    /// What it covers.
    pub scope: Scope,
}

/// A silencer that has no effect, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Void {
    /// Where it stands.
    pub span: Span,
    /// Why: lower case, no full stop.
    pub message: String,
    /// Whether it was in order once and has run out.
    pub expired: bool,
}

/// Reads a comment; `None` when it is not for us.
pub fn of_comment(file: &SourceFile, comment: Span) -> Option<Result<Directive, Void>> {
    let text = file.slice(comment).trim_start_matches('#').trim();
    let body = text.strip_prefix(MARK)?.trim();
    let scope = Scope::Bytes(covered(file, comment));
    Some(match body.strip_prefix("ignore") {
        Some(rest) => parse(rest.trim_start(), comment, scope),
        None => Err(void(
            comment,
            "write `# meshgov: ignore[RULE] reason=\"…\"`",
        )),
    })
}

/// Reads the annotation of an object; each line of its value is one silencer.
pub fn of_annotation(
    object: NodeRef<'_>,
    views: &[(String, ObjectRef)],
) -> impl Iterator<Item = Result<Directive, Void>> {
    let value = object.at(&["metadata", "annotations", ANNOTATION]);
    let span = value.map_or(object.span(), NodeRef::span);
    let lines = value.map_or("", NodeRef::text).lines();
    lines.filter(|l| !l.trim().is_empty()).map(move |line| {
        let line = line.trim();
        let bracketed;
        let text = if line.starts_with('[') {
            line
        } else {
            bracketed = bracket(line);
            &bracketed
        };
        parse(text, span, Scope::Object(views.to_vec()))
    })
}

/// `A001,B002 reason="…"` → `[A001,B002] reason="…"`.
fn bracket(line: &str) -> String {
    let end = ["until=", "reason="]
        .iter()
        .filter_map(|w| line.find(w))
        .min()
        .unwrap_or(line.len());
    let (rules, rest) = line.split_at(end);
    format!("[{}] {rest}", rules.trim())
}

fn void(span: Span, message: impl Into<String>) -> Void {
    Void {
        span,
        message: message.into(),
        expired: false,
    }
}

/// Reads `[RULE, …] until=DATE reason="…"`.
fn parse(text: &str, span: Span, scope: Scope) -> Result<Directive, Void> {
    let Some((rules, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return Err(void(span, "it names no rule: write `ignore[RULE]`"));
    };
    let rules: Vec<String> = rules
        .split(',')
        .map(|r| r.trim().to_owned())
        .filter(|r| !r.is_empty())
        .collect();
    if rules.is_empty() {
        return Err(void(span, "it names no rule: write `ignore[RULE]`"));
    }
    let (mut until, mut reason) = (None, None);
    let mut rest = rest.trim();
    // A further `#` starts a comment of its own.
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = next_pair(rest, span)?;
        match word {
            ("until", date) if is_date(date) => until = Some(date.to_owned()),
            ("until", date) => {
                return Err(void(span, format!("`{date}` is no date: write YYYY-MM-DD")));
            }
            ("reason", words) => reason = Some(words.trim().to_owned()),
            (other, _) => {
                let near = nearest(other, ["until", "reason"])
                    .map_or_else(String::new, |n| format!(": did you mean `{n}`?"));
                return Err(void(span, format!("`{other}` is not known{near}")));
            }
        }
        rest = after.trim_start();
    }
    match reason {
        Some(reason) if !reason.is_empty() => Ok(Directive {
            rules,
            until,
            reason,
            span,
            scope,
        }),
        _ => Err(void(span, "it has no reason: add `reason=\"…\"`")),
    }
}

/// The next `name=value` or `name="value"` and what follows it.
fn next_pair(text: &str, span: Span) -> Result<((&str, &str), &str), Void> {
    let unreadable = || void(span, format!("`{text}` is not `name=\"value\"`"));
    let (name, rest) = text.split_once('=').ok_or_else(unreadable)?;
    if let Some(quoted) = rest.strip_prefix('"') {
        let (value, after) = quoted.split_once('"').ok_or_else(unreadable)?;
        return Ok(((name.trim(), value), after));
    }
    let (value, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Ok(((name.trim(), value), after))
}

/// The bytes a comment speaks for: the node it trails, or the next node below a comment on its own line; with everything
/// indented deeper below that line.
fn covered(file: &SourceFile, comment: Span) -> Span {
    let starts = file.line_starts();
    let line_of = |offset: u32| starts.partition_point(|&s| s <= offset).saturating_sub(1);
    let text = |line: usize| {
        let start = starts.get(line).copied().map_or(file.text.len(), to_usize);
        let end = starts
            .get(line + 1)
            .copied()
            .map_or(file.text.len(), to_usize);
        file.text.get(start..end).unwrap_or("")
    };
    let is_blank = |line: usize| {
        let line = text(line).trim();
        line.is_empty() || line.starts_with('#')
    };
    let mut first = line_of(comment.start);
    while first < starts.len() && is_blank(first) {
        first += 1;
    }
    let indent = |line: usize| text(line).len() - text(line).trim_start_matches(' ').len();
    let base = indent(first);
    let is_item = text(first).trim_start().starts_with("- ");
    let mut last = first + 1;
    while last < starts.len() {
        // A list may stand at the indentation of its key.
        let continues = indent(last) > base
            || (indent(last) == base && !is_item && text(last).trim_start().starts_with("- "));
        if !is_blank(last) && (!continues || text(last).starts_with("---")) {
            break;
        }
        last += 1;
    }
    let offset = |line: usize| {
        starts
            .get(line)
            .copied()
            .unwrap_or_else(|| to_u32(file.text.len()))
    };
    Span {
        source: comment.source,
        start: offset(first),
        end: offset(last),
    }
}

/// All silencers of a run.
#[derive(Debug, Default)]
pub struct Silencers {
    /// In manifests.
    pub directives: Vec<Directive>,
    /// In the config.
    pub ignores: Vec<Ignore>,
    /// Those of manifests that are malformed.
    pub void: Vec<Void>,
}

/// What became of the silencers.
#[derive(Debug, Default)]
pub struct Spent {
    /// Malformed or expired, in manifests.
    pub void: Vec<Void>,
    /// Directives that silenced nothing.
    pub unused: Vec<Span>,
    /// Entries of the config that have expired (by position), with the date.
    pub expired_ignores: Vec<(Span, String)>,
    /// Entries of the config that silenced nothing.
    pub unused_ignores: Vec<Span>,
}

impl Silencers {
    /// Adds what a comment or annotation said.
    pub fn add(&mut self, found: Result<Directive, Void>) {
        match found {
            Ok(directive) => self.directives.push(directive),
            Err(void) => self.void.push(void),
        }
    }

    /// Marks silenced findings. `path` gives a finding's path; `is_evaluated` tells whether a filter names a rule of this
    /// run (one that names none cannot be called unused).
    pub fn apply(
        self,
        findings: &mut [Finding],
        rules: &RuleSet,
        today: &str,
        path: impl Fn(&Finding) -> String,
        is_evaluated: impl Fn(&str) -> bool,
    ) -> Spent {
        let mut spent = Spent {
            void: self.void,
            ..Spent::default()
        };
        for directive in self.directives {
            if let Some(unknown) = directive.rules.iter().find(|r| !rules.has(r)) {
                let near = rules
                    .nearest(unknown)
                    .map_or_else(String::new, |n| format!(": did you mean `{n}`?"));
                spent.void.push(void(
                    directive.span,
                    format!("there is no rule `{unknown}`{near}"),
                ));
                continue;
            }
            if let Some(until) = directive.until.as_deref().filter(|u| *u < today) {
                spent.void.push(Void {
                    expired: true,
                    ..void(directive.span, format!("it ran out on {until}"))
                });
                continue;
            }
            let mut used = false;
            for finding in findings.iter_mut().filter(|f| directive.covers(f, rules)) {
                used = true;
                let by = match directive.scope {
                    Scope::Bytes(_) => "comment",
                    Scope::Object(..) => "annotation",
                };
                silence(finding, by, &directive.reason, directive.until.as_deref());
            }
            if !used && directive.rules.iter().any(|r| is_evaluated(r)) {
                spent.unused.push(directive.span);
            }
        }
        for ignore in self.ignores {
            if let Some(until) = ignore.until.as_deref().filter(|u| *u < today) {
                spent.expired_ignores.push((ignore.span, until.to_owned()));
                continue;
            }
            let mut used = false;
            for finding in findings.iter_mut() {
                let object = &finding.resource;
                let named = ignore
                    .rule
                    .as_deref()
                    .is_none_or(|r| is_rule(rules, finding, r));
                if named
                    && ignore.covers(
                        &path(finding),
                        &object.kind,
                        &object.namespace,
                        &object.name,
                    )
                {
                    used = true;
                    silence(finding, "config", &ignore.reason, ignore.until.as_deref());
                }
            }
            if !used && ignore.rule.as_deref().is_none_or(&is_evaluated) {
                spent.unused_ignores.push(ignore.span);
            }
        }
        spent
    }
}

impl Directive {
    fn covers(&self, finding: &Finding, rules: &RuleSet) -> bool {
        let place = match &self.scope {
            Scope::Bytes(span) => {
                span.source == finding.span.source
                    && (span.start..span.end).contains(&finding.span.start)
            }
            // A finding without a view is about the file itself.
            Scope::Object(views) => views.iter().any(|(view, object)| {
                *object == finding.resource
                    && (finding.views.is_empty() || finding.views.contains(view))
            }),
        };
        place && self.rules.iter().any(|r| is_rule(rules, finding, r))
    }
}

fn is_rule(rules: &RuleSet, finding: &Finding, name: &str) -> bool {
    rules
        .find(&finding.rule.id)
        .is_some_and(|rule| RuleSet::is_named(rule, name))
}

fn silence(finding: &mut Finding, by: &str, reason: &str, until: Option<&str>) {
    // The first silencer in file order wins; comments come before the config.
    finding.suppressed.get_or_insert_with(|| Suppressed {
        by: by.to_owned(),
        reason: reason.to_owned(),
        until: until.map(str::to_owned),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use std::sync::Arc;

    fn read(yaml: &str) -> (Arc<SourceFile>, Vec<Result<Directive, Void>>) {
        let file = Arc::new(SourceFile::new(SourceId(0), "a.yaml", yaml));
        let parsed = crate::yaml::parse(&file);
        let found = parsed
            .comments
            .iter()
            .filter_map(|c| of_comment(&file, *c))
            .collect();
        (file, found)
    }

    fn covered_text(yaml: &str) -> String {
        let (file, mut found) = read(yaml);
        match found.remove(0).unwrap().scope {
            Scope::Bytes(span) => file.slice(span).to_owned(),
            Scope::Object(..) => unreachable!(),
        }
    }

    #[test]
    fn a_directive_is_read_whole() {
        let (_, mut found) =
            read("a: 1 # meshgov: ignore[A001, slug-b] until=2027-03-31 reason=\"a = b, \"\n");
        let directive = found.remove(0).unwrap();
        assert_eq!(directive.rules, ["A001", "slug-b"]);
        assert_eq!(directive.until.as_deref(), Some("2027-03-31"));
        assert_eq!(directive.reason, "a = b,");
    }

    #[test]
    fn malformed_directives_say_why() {
        let message = |comment: &str| {
            read(&format!("a: 1 # meshgov: {comment}\n"))
                .1
                .remove(0)
                .unwrap_err()
                .message
        };
        assert_eq!(
            message("ignore[A001]"),
            "it has no reason: add `reason=\"…\"`"
        );
        assert_eq!(
            message("ignore[A001] reason=\"\""),
            "it has no reason: add `reason=\"…\"`"
        );
        assert_eq!(
            message("ignore reason=\"x\""),
            "it names no rule: write `ignore[RULE]`"
        );
        assert_eq!(
            message("ignore[] reason=\"x\""),
            "it names no rule: write `ignore[RULE]`"
        );
        assert_eq!(
            message("ignore[A001] untill=2027-01-01 reason=\"x\""),
            "`untill` is not known: did you mean `until`?"
        );
        assert_eq!(
            message("ignore[A001] until=2027-13-01 reason=\"x\""),
            "`2027-13-01` is no date: write YYYY-MM-DD"
        );
        assert_eq!(
            message("ignore[A001] whatever"),
            "`whatever` is not `name=\"value\"`"
        );
        assert_eq!(
            message("skip A001"),
            "write `# meshgov: ignore[RULE] reason=\"…\"`"
        );
    }

    #[test]
    fn a_comment_covers_the_node_it_trails_or_precedes() {
        let mark = "# meshgov: ignore[A001] reason=\"r\"";
        assert_eq!(
            covered_text(&format!("a: 1 {mark}\nb: 2\n")),
            format!("a: 1 {mark}\n")
        );
        assert_eq!(
            covered_text(&format!(
                "x:\n  {mark}\n  # more\n  - name: a\n    image: b\n  - name: c\n"
            )),
            "  - name: a\n    image: b\n"
        );
        assert_eq!(
            covered_text(&format!("{mark}\nspec:\n- a\n\n- b\nnext: 1\n")),
            "spec:\n- a\n\n- b\n"
        );
        assert_eq!(
            covered_text(&format!("a: 1\n---\n{mark}\nb: 2\n---\nc: 3\n")),
            "b: 2\n"
        );
    }

    #[test]
    fn a_marker_inside_a_block_scalar_is_text() {
        assert_eq!(
            read("a: |\n  # meshgov: ignore[A001] reason=\"r\"\n")
                .1
                .len(),
            0
        );
    }

    #[test]
    fn annotations_take_one_silencer_a_line() {
        let yaml = "metadata:\n  annotations:\n    meshgov.dev/ignore: |\n      A001, B002 until=2027-01-01 reason=\"x\"\n      C003\n";
        let file = Arc::new(SourceFile::new(SourceId(0), "a.yaml", yaml));
        let parsed = crate::yaml::parse(&file);
        let object = parsed.tree.node(parsed.documents[0].root);
        let found: Vec<_> = of_annotation(object, &[]).collect();
        assert_eq!(found[0].as_ref().unwrap().rules, ["A001", "B002"]);
        assert_eq!(
            found[1].as_ref().unwrap_err().message,
            "it has no reason: add `reason=\"…\"`"
        );
    }
}
