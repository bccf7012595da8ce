//! What every span of a parsed file must satisfy. Input: a file and what was read from it; output: the violations.

use std::sync::Arc;

use meshgov::source::{SourceFile, SourceId};
use meshgov::yaml::{Kind, NodeRef, ParseOptions, Parsed, Style, parse_with};

/// Block collections are re-parsed whole, once a level; only in files up to this size.
const REPARSED_BYTES: usize = 20_000;

/// What YAML 1.2 takes for white space or a line break.
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// Every violation, as `line:column what`.
pub(crate) fn violations(source: &SourceFile, parsed: &Parsed) -> Vec<String> {
    let mut check = Check {
        source,
        found: Vec::new(),
    };
    let mut last = 0;
    for document in &parsed.documents {
        let root = parsed.tree.node(document.root);
        if root.span().start < last {
            check.fail(root, "document begins before the last one ends");
        }
        last = root.span().end;
        check.node(root);
    }
    let mut last = 0;
    for comment in &parsed.comments {
        let text = source.slice(*comment);
        if !text.starts_with('#') || text.contains(['\n', '\r']) || comment.start < last {
            check
                .found
                .push(format!("comment at {}: {text:?}", comment.start));
        }
        last = comment.end;
    }
    check.found
}

struct Check<'s> {
    source: &'s SourceFile,
    found: Vec<String>,
}

impl Check<'_> {
    fn fail(&mut self, node: NodeRef<'_>, what: &str) {
        let span = node.span();
        let at = self.source.position(span.start);
        let slice: String = self.source.slice(span).chars().take(120).collect();
        self.found.push(format!(
            "{}:{} {what}: {:?} {slice:?} text {:?}",
            at.line,
            at.column,
            node.style(),
            node.text().chars().take(120).collect::<String>()
        ));
    }

    fn node(&mut self, node: NodeRef<'_>) {
        let span = node.span();
        let slice = self.source.text.get(span.start as usize..span.end as usize);
        let Some(slice) = slice else {
            return self.fail(node, "span is no part of the text");
        };
        if node.resolved().index() != node.index() {
            if !slice.starts_with('*') || slice.contains(BLANK) {
                self.fail(node, "not an alias");
            }
            return;
        }
        let absent =
            node.kind() == Kind::Null && node.style() == Style::Plain && node.text().is_empty();
        match node.kind() {
            Kind::Map | Kind::Seq => self.collection(node, slice),
            Kind::Null | Kind::Str if slice.is_empty() && node.text().is_empty() => {
                self.absent(node);
            }
            _ if slice.is_empty() => self.fail(node, "empty span of a written value"),
            _ if absent => self.fail(node, "absent value with bytes"),
            _ => self.scalar(node, slice),
        }
    }

    /// An absent value stands right after an indicator, a property, or the key it belongs to.
    fn absent(&mut self, node: NodeRef<'_>) {
        let before = &self.source.text[..node.span().start as usize];
        let ok = before.is_empty() || !before.ends_with(BLANK);
        if !ok {
            self.fail(node, "absent value away from its key");
        }
    }

    fn scalar(&mut self, node: NodeRef<'_>, slice: &str) {
        let one_line = node.style() == Style::Plain && !slice.contains(['\n', '\r']);
        let agrees = if one_line {
            slice == node.text()
        } else {
            reparses(node, slice)
        };
        if !agrees {
            self.fail(node, "slice is not the value");
        }
        if slice.starts_with(BLANK) {
            self.fail(node, "begins with space");
        }
    }

    fn collection(&mut self, node: NodeRef<'_>, slice: &str) {
        let mut last = node.span().start;
        let children: Vec<_> = match node.kind() {
            Kind::Map => node.raw_entries().flat_map(|(k, v)| [k, v]).collect(),
            _ => node.items().collect(),
        };
        for (at, child) in children.into_iter().enumerate() {
            if child.span().start < last || !node.span().contains(child.span()) {
                self.fail(child, "overlaps its neighbour or leaves its parent");
            }
            last = child.span().end;
            let absent_key = at % 2 == 0 && node.kind() == Kind::Map && child.span().is_empty();
            if !absent_key {
                self.node(child);
            }
        }
        let flow = node.style() == Style::Flow;
        let bracketed = match node.kind() {
            Kind::Map => slice.starts_with('{') && slice.ends_with('}'),
            _ => slice.starts_with('[') && slice.ends_with(']'),
        };
        // A single pair in a flow sequence has no brackets of its own: `[a: 1]`.
        let pair = node.kind() == Kind::Map && node.raw_entries().count() == 1;
        if flow && !bracketed && !pair {
            self.fail(node, "brackets left out");
        }
        if slice.ends_with(BLANK) && !ends_with_kept_lines(node) {
            self.fail(node, "ends with space");
        }
        if self.source.text.len() <= REPARSED_BYTES
            && !slice.contains(['*', '!'])
            && !(flow && pair)
        {
            let column = self.source.position(node.span().start).column as usize - 1;
            let again = read(&format!("{}{slice}", " ".repeat(column)));
            let same = again
                .documents
                .first()
                .is_some_and(|document| shape(again.tree.node(document.root)) == shape(node));
            if !same {
                self.fail(node, "re-parsed slice differs");
            }
        }
    }
}

/// Whether the last value below is a block scalar with `+`, whose trailing line breaks belong to it.
fn ends_with_kept_lines(node: NodeRef<'_>) -> bool {
    match node.kind() {
        Kind::Map => node
            .raw_entries()
            .last()
            .is_some_and(|(_, v)| ends_with_kept_lines(v)),
        Kind::Seq => node.items().last().is_some_and(ends_with_kept_lines),
        _ => matches!(node.style(), Style::Literal | Style::Folded),
    }
}

fn shape(node: NodeRef<'_>) -> String {
    match node.kind() {
        Kind::Map => {
            let entries: Vec<_> = node
                .raw_entries()
                .map(|(k, v)| shape(k) + ": " + &shape(v))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Kind::Seq => format!(
            "[{}]",
            node.items().map(shape).collect::<Vec<_>>().join(", ")
        ),
        kind => format!("{kind:?} {:?} {:?}", node.style(), node.text()),
    }
}

fn read(text: &str) -> Parsed {
    let options = ParseOptions {
        require_json: false,
        ..ParseOptions::default()
    };
    parse_with(
        &Arc::new(SourceFile::new(SourceId(0), "slice", text)),
        options,
    )
}

fn reparses(node: NodeRef<'_>, slice: &str) -> bool {
    let same = |text: &str| {
        let again = read(text);
        let root = again
            .documents
            .first()
            .map(|document| again.tree.node(document.root));
        again.errors.is_empty()
            && root.is_some_and(|root| root.style() == node.style() && root.text() == node.text())
    };
    if same(slice) {
        return true;
    }
    // The indentation indicator counts from the parent's indentation, which the slice does not show.
    let header = slice.lines().next().unwrap_or("");
    let digits = |c: char| c.is_ascii_digit();
    header.contains(digits)
        && (1..=9).any(|n| {
            let header = header.replacen(digits, &n.to_string(), 1);
            same(&(header + &slice[slice.lines().next().unwrap_or("").len()..]))
        })
}
