//! L7: who sends data to whom, as a drawing. Input: `AssetReport`; output: a Graphviz or Mermaid text, one cluster a view.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::facts::lineage::{Graph, NodeKind};
use crate::query::assets::AssetReport;

use super::{Options, one_line};

/// Writes a Graphviz digraph.
pub(super) fn dot(report: &AssetReport, _: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    for (at, (view, graph)) in report.graphs.iter().enumerate() {
        let _ = writeln!(
            text,
            "  subgraph cluster_{at} {{\n    label={};",
            quoted(view)
        );
        for (node, id) in numbered(graph) {
            let shape = match node.kind {
                NodeKind::Provider | NodeKind::LogSink => " shape=octagon",
                NodeKind::Model => " shape=note",
                NodeKind::Store => " shape=cylinder",
                NodeKind::Asset | NodeKind::Workload => "",
            };
            let _ = writeln!(
                text,
                "    v{at}n{id} [label={}{shape}];",
                quoted(&node.words)
            );
        }
        for edge in &graph.edges {
            let _ = writeln!(
                text,
                "    v{at}n{} -> v{at}n{} [label={}];",
                edge.from,
                edge.to,
                quoted(&edge.says)
            );
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    out.write_all(text.as_bytes())
}

/// Writes a Mermaid flowchart.
pub(super) fn mermaid(report: &AssetReport, _: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from("flowchart LR\n");
    for (at, (view, graph)) in report.graphs.iter().enumerate() {
        let _ = writeln!(text, "  subgraph v{at}[{}]", entities(view));
        for (node, id) in numbered(graph) {
            let label = entities(&node.words);
            let _ = match node.kind {
                NodeKind::Provider | NodeKind::LogSink => {
                    writeln!(text, "    v{at}n{id}{{{{{label}}}}}")
                }
                NodeKind::Model => writeln!(text, "    v{at}n{id}[/{label}/]"),
                NodeKind::Store => writeln!(text, "    v{at}n{id}[({label})]"),
                NodeKind::Asset | NodeKind::Workload => writeln!(text, "    v{at}n{id}[{label}]"),
            };
        }
        for edge in &graph.edges {
            let _ = writeln!(
                text,
                "    v{at}n{} -->|{}| v{at}n{}",
                edge.from,
                entities(&edge.says),
                edge.to
            );
        }
        text.push_str("  end\n");
    }
    out.write_all(text.as_bytes())
}

fn numbered(graph: &Graph) -> impl Iterator<Item = (&crate::facts::lineage::Node, usize)> {
    graph.nodes.iter().zip(0..)
}

/// A Graphviz string.
fn quoted(text: &str) -> String {
    let text = one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

/// A quoted Mermaid label: what its grammar would read as syntax stands as an entity.
fn entities(text: &str) -> String {
    let mut label = String::from("\"");
    for c in one_line(text).chars() {
        match c {
            '"' => label.push_str("#quot;"),
            '#' => label.push_str("#35;"),
            '<' => label.push_str("#lt;"),
            '>' => label.push_str("#gt;"),
            '`' => label.push_str("#96;"),
            _ => label.push(c),
        }
    }
    label.push('"');
    label
}
