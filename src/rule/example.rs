//! L5: the second document of a rule file. Input: a `RuleFile`; output: `Texts`: why, fix and examples.

use std::sync::Arc;

use crate::rule::{RuleFile, RuleInfo, format};
use crate::shape::Problem;
use crate::source::Span;
use crate::yaml::NodeRef;

/// What readers and tests need of a rule.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// Markdown: why it matters.
    pub why: String,
    /// Markdown: how to fix it.
    pub fix: String,
    /// Manifests with expectations.
    pub examples: Vec<Example>,
}

/// Manifests and what the rule says about them.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// Where it stands in the rule file.
    pub span: Span,
    /// Manifests by path; `input.yaml` for a single `input`.
    pub files: Vec<(String, String)>,
    /// Manifests before a change, by path.
    pub base: Vec<(String, String)>,
    /// `assume:` as YAML text, as in the config; empty when there is none.
    pub assume: Option<serde_json::Value>,
    /// Parameter values.
    pub params: Option<serde_json::Value>,
}

/// Reads the second document.
///
/// # Errors
/// The author's: a missing or malformed document.
pub fn texts(file: &RuleFile) -> Result<Texts, Vec<Problem>> {
    let parsed = file.parse_whole();
    if let Some(error) = parsed.errors.first() {
        return Err(vec![file.problem(error.span, error.kind.to_string())]);
    }
    let [_, second, rest @ ..] = parsed.documents.as_slice() else {
        return Err(vec![file.problem(
            file.whole(),
            "the second document (why, fix, examples) is missing",
        )]);
    };
    let tail = parsed.tree.node(second.root);
    let mut problems = Vec::new();
    format::tail().check(tail, &mut problems);
    if let Some(third) = rest.first() {
        let node = parsed.tree.node(third.root);
        problems.push(Problem::at(node, "a rule file has two documents"));
    }
    let texts = Texts {
        why: tail.get("why").map_or("", NodeRef::text).trim().to_owned(),
        fix: tail.get("fix").map_or("", NodeRef::text).trim().to_owned(),
        examples: tail
            .get("examples")
            .into_iter()
            .flat_map(NodeRef::items)
            .map(|e| example(e, &mut problems))
            .collect(),
    };
    if problems.is_empty() {
        Ok(texts)
    } else {
        Err(problems)
    }
}

/// The same info with the texts of the second document; without them when the document is malformed.
#[must_use]
pub fn with_texts(info: &RuleInfo, file: &RuleFile) -> Arc<RuleInfo> {
    let texts = texts(file).unwrap_or_default();
    Arc::new(RuleInfo {
        why: texts.why,
        fix: texts.fix,
        ..info.clone()
    })
}

fn example(node: NodeRef<'_>, problems: &mut Vec<Problem>) -> Example {
    let single = |key: &str| {
        node.get(key)
            .map(|text| (String::from("input.yaml"), text.text().to_owned()))
    };
    let files: Vec<_> = node
        .get("files")
        .into_iter()
        .flat_map(NodeRef::entries)
        .map(|(path, text)| (path.key_text().into_owned(), text.text().to_owned()))
        .chain(single("input"))
        .chain(single("head"))
        .collect();
    let name = node.get("name").unwrap_or(node);
    if files.is_empty() {
        problems.push(
            Problem::at(name, format!("example `{}` has no manifests", name.text()))
                .help("give `input`, `files`, or `base` and `head`"),
        );
    }
    Example {
        name: name.text().to_owned(),
        span: name.span(),
        files,
        base: single("base").into_iter().collect(),
        assume: node.get("assume").map(NodeRef::to_json),
        params: node.get("params").map(NodeRef::to_json),
    }
}

/// One `# expect: ID` or `# unknown: ID` of an example's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Path of the manifest.
    pub path: String,
    /// 1-based line the expectation is about.
    pub line: u32,
    /// Rule id.
    pub rule: String,
    /// Whether the rule is to be undecided there, rather than broken.
    pub unknown: bool,
}

/// The expectations of a comment (its text with `#`), about `line` of `path`. Several ids are separated by commas.
pub fn expectations<'c>(
    comment: &'c str,
    path: &'c str,
    line: u32,
) -> impl Iterator<Item = Expectation> + 'c {
    // Another comment, such as a silencer, may stand before it.
    let parts = comment.split('#').map(str::trim);
    let found = parts.filter_map(|part| {
        part.strip_prefix("expect:")
            .map(|ids| (false, ids))
            .or_else(|| part.strip_prefix("unknown:").map(|ids| (true, ids)))
    });
    // Words after an id are the author's note.
    found
        .flat_map(|(unknown, ids)| ids.split(',').map(move |id| (unknown, id)))
        .filter_map(|(unknown, id)| Some((unknown, id.split_whitespace().next()?)))
        .map(move |(unknown, id)| Expectation {
            path: path.to_owned(),
            line,
            rule: id.to_owned(),
            unknown,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read_from_comments() {
        let ids = |comment: &str| {
            expectations(comment, "a", 3)
                .map(|e| (e.rule, e.unknown))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids("# expect: A001"), [("A001".into(), false)]);
        assert_eq!(
            ids("#unknown: A001, B002 for B"),
            [("A001".into(), true), ("B002".into(), true)]
        );
        assert_eq!(ids("# expected: A001"), []);
    }

    #[test]
    fn the_second_document_must_be_there_and_whole() {
        let problems = |text: &str| {
            let file = RuleFile::parse("X001-a.yaml", text).unwrap();
            texts(&file)
                .unwrap_err()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            problems("id: X001\n"),
            ["X001-a.yaml:1:1: the second document (why, fix, examples) is missing"]
        );
        assert_eq!(
            problems("id: X001\n---\nwhy: a\nfix: b\nexamples:\n  - name: none\n"),
            ["X001-a.yaml:6:11: example `none` has no manifests"]
        );
    }
}
