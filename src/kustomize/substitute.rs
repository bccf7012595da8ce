//! L2: Flux's `postBuild` substitution. Input: a built object and the variables that are known; output: the object with
//! `${VAR}` filled in where that is certain; every other placeholder stays and makes its value unknown.
//!
//! Semantics: fluxcd/pkg kustomize v1.18, kustomize_varsub.go, and fluxcd/pkg envsubst v1.4 (`funcs.go`, `parse/parse.go`):
//! nothing happens without a variable; an absent one is empty; `:=`, `=` and `:-` give a default for an absent or empty one;
//! `$${` is an escape. The object is written out before, so a filled-in plain text gets the type that it then looks like.

use std::collections::BTreeMap;

use crate::kustomize::node::{Node, Value, needs_quotes};
use crate::source::Span;
use crate::yaml::{Kind, Style, scalar};

/// The label or annotation that keeps an object as it is.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Variables of a Flux Kustomization.
#[derive(Clone, Debug, Default)]
pub struct Substitution {
    /// Values with their places.
    pub variables: BTreeMap<String, (String, Span)>,
    /// Whether these are all variables: then an absent one is empty, otherwise it is unknown.
    pub is_complete: bool,
}

/// A filled-in text.
struct Filled {
    text: String,
    /// The variable's place, when the whole text is its value.
    span: Option<Span>,
}

impl Substitution {
    /// Fills variables into an object.
    pub(crate) fn fill(&self, object: &mut Node<'_>) {
        let is_off = |field: &str| {
            let value = object.at(&["metadata", field, SWITCH]);
            value.is_some_and(|node| node.text() == "disabled")
        };
        if self.variables.is_empty() || is_off("labels") || is_off("annotations") {
            return;
        }
        self.node(object);
    }

    fn node(&self, node: &mut Node<'_>) {
        match &mut node.value {
            Value::Seq(items) => items.iter_mut().for_each(|n| self.node(n)),
            Value::Map(entries) => {
                for entry in entries {
                    if let Some(filled) = self.text(&entry.key.text) {
                        entry.key.text = filled.text.into();
                        entry.key.style = Style::Generated;
                    }
                    self.node(&mut entry.value);
                }
            }
            Value::Scalar(kind, text) => {
                let Some(filled) = self.text(text) else {
                    return;
                };
                let is_block = text.contains('\n');
                let was_plain = !is_block && is_plain(text) && !needs_quotes(text);
                let stays = if was_plain {
                    is_plain(&filled.text)
                } else {
                    is_block || !filled.text.contains(['\'', '"', '\n'])
                };
                if !stays {
                    return;
                }
                if was_plain {
                    *kind = scalar::resolve_plain(&filled.text);
                } else {
                    *kind = Kind::Str;
                }
                *text = filled.text.into();
                node.style = Style::Generated;
                node.secret = None;
                if let Some(span) = filled.span {
                    node.span = span;
                }
            }
        }
    }

    /// The text with its variables filled in; `None` when there is none, or one of them is not certain.
    fn text(&self, text: &str) -> Option<Filled> {
        let mut at = text.find("${")?;
        let (mut out, mut rest) = (String::new(), text);
        let span = loop {
            let (before, after) = (rest.get(..at)?, rest.get(at + 2..)?);
            // An escaped placeholder stays in the text, and is none any more only in the cluster.
            if before.ends_with('$') {
                return None;
            }
            let end = closing(after)?;
            let (value, place) = self.value(after.get(..end)?)?;
            out.push_str(before);
            out.push_str(&value);
            let is_whole = before.is_empty() && out.len() == value.len();
            rest = after.get(end + 1..)?;
            match rest.find("${") {
                Some(next) => at = next,
                None => break place.filter(|_| is_whole && rest.is_empty()),
            }
        };
        out.push_str(rest);
        Some(Filled { text: out, span })
    }

    /// The value of what stands between the braces.
    fn value(&self, expression: &str) -> Option<(String, Option<Span>)> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = expression.find(|c| !is_name(c)).unwrap_or(expression.len());
        let (name, operator) = expression.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let known = self.variables.get(name);
        if known.is_none() && !self.is_complete {
            return None;
        }
        // NOTE: Flux takes line breaks out of the values.
        let value = known.map(|(text, span)| (text.replace('\n', ""), Some(*span)));
        if operator.is_empty() {
            return Some(value.unwrap_or_default());
        }
        let default = [":=", ":-", "="]
            .iter()
            .find_map(|word| operator.strip_prefix(word))?;
        match value.filter(|(text, _)| !text.is_empty()) {
            Some(value) => Some(value),
            None if default.contains("${") => Some((self.text(default)?.text, None)),
            None => Some((default.to_owned(), None)),
        }
    }
}

/// Position of the brace that closes an expression, inner ones skipped.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether a text can stand in YAML without quotes.
fn is_plain(text: &str) -> bool {
    const INDICATORS: &[char] = &[
        ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
    ];
    !text.starts_with(INDICATORS)
        && !["- ", "? ", ": ", " "].iter().any(|s| text.starts_with(s))
        && !["\n", ": ", " #"].iter().any(|s| text.contains(s))
        && !text.ends_with([':', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn filled(text: &str, is_complete: bool) -> (Kind, String, bool) {
        let span = |start| Span {
            source: SourceId(start),
            start,
            end: start,
        };
        let variables = [("A", "x"), ("N", "3"), ("EMPTY", ""), ("ODD", "a: b")]
            .map(|(name, value)| (name.to_owned(), (value.to_owned(), span(7))));
        let substitution = Substitution {
            variables: variables.into(),
            is_complete,
        };
        let mut node = Node::string(text.to_owned(), span(1));
        substitution.fill(&mut node);
        let is_moved = node.span == span(7);
        match node.value {
            Value::Scalar(kind, text) => (kind, text.into_owned(), is_moved),
            _ => unreachable!("a scalar stays one"),
        }
    }

    #[test]
    fn variables_are_filled_in_as_flux_does() {
        for (text, kind, expected, is_moved) in [
            ("${A}", Kind::Str, "x", true),
            ("a-${A}-${N}", Kind::Str, "a-x-3", false),
            ("${N}", Kind::Int, "3", true),
            ("${GONE}", Kind::Null, "", false),
            ("${GONE:=d}", Kind::Str, "d", false),
            ("${GONE:-true}", Kind::Bool, "true", false),
            ("${EMPTY:=d}", Kind::Str, "d", false),
            ("${GONE=d}", Kind::Str, "d", false),
            ("${GONE:=${A}}", Kind::Str, "x", false),
            ("one\ntwo ${N}\n", Kind::Str, "one\ntwo 3\n", false),
            // Not certain, so it stays.
            ("$${A}", Kind::Str, "$${A}", false),
            ("${A:0:1}", Kind::Str, "${A:0:1}", false),
            ("${A/x/y}", Kind::Str, "${A/x/y}", false),
            ("${A", Kind::Str, "${A", false),
            ("${ODD}", Kind::Str, "${ODD}", false),
            ("$A", Kind::Str, "$A", false),
        ] {
            let expected = (kind, expected.to_owned(), is_moved);
            assert_eq!(filled(text, true), expected, "{text}");
        }
    }

    #[test]
    fn an_absent_variable_is_unknown_unless_all_are_known() {
        assert_eq!(filled("${GONE}", false).1, "${GONE}");
        assert_eq!(filled("${GONE:=d}", false).1, "${GONE:=d}");
        assert_eq!(filled("${A}", false).1, "x");
    }
}
