//! The graph of who sends data to whom. Input: nodes and edges that files state; output: `Graph` with the shortest way from one node to others.

use std::collections::{HashMap, VecDeque};

use crate::resource::ResourceId;
use crate::source::Span;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeKind {
    /// Data at rest: a claim, a bucket.
    Store,
    /// Weights.
    Model,
    /// An AI asset of the view; its class is in the name.
    Asset,
    /// A workload that is no AI asset.
    Workload,
    /// Where payloads are logged to.
    LogSink,
    /// An external model provider.
    Provider,
}

impl NodeKind {
    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Model => "model",
            Self::Asset => "asset",
            Self::Workload => "workload",
            Self::LogSink => "log sink",
            Self::Provider => "provider",
        }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its name, unique among nodes of its kind.
    pub name: String,
    /// Words for the reader: `model-server ml/chat`, `openai (api.openai.com)`.
    pub words: String,
    /// Whether it removes personal data before it passes a request on.
    pub redacts: bool,
}

/// Data flows from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the sender.
    pub from: usize,
    /// Index of the receiver.
    pub to: usize,
    /// Why, in words.
    pub says: String,
    /// The bytes that state it.
    pub span: Span,
    /// The object that states it.
    pub stated: ResourceId,
}

/// Nodes and edges in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Edges, each pair of nodes at most once.
    pub edges: Vec<Edge>,
    by_name: HashMap<(NodeKind, String), usize>,
    out: Vec<Vec<usize>>,
}

impl Graph {
    /// The index of a node, which is added when it is new.
    pub fn node(&mut self, node: Node) -> usize {
        let key = (node.kind, node.name.clone());
        *self.by_name.entry(key).or_insert_with(|| {
            self.nodes.push(node);
            self.out.push(Vec::new());
            self.nodes.len() - 1
        })
    }

    /// The index of the node of this kind and name.
    #[must_use]
    pub fn find(&self, kind: NodeKind, name: &str) -> Option<usize> {
        self.by_name.get(&(kind, name.to_owned())).copied()
    }

    /// Adds an edge unless the two nodes are linked already; nothing sends to itself.
    pub fn edge(&mut self, edge: Edge) {
        let Some(out) = self.out.get_mut(edge.from).filter(|_| edge.from != edge.to) else {
            return;
        };
        let known = |&at: &usize| self.edges.get(at).is_some_and(|e| e.to == edge.to);
        if !out.iter().any(known) {
            out.push(self.edges.len());
            self.edges.push(edge);
        }
    }

    /// The shortest way from a node to each external provider, as edges in order; of equally short ones the first that was added. Nodes
    /// that redact are passed only when `through_redaction`. Providers in the order in which they are reached.
    #[must_use]
    pub fn ways_out(&self, from: usize, through_redaction: bool) -> Vec<Vec<&Edge>> {
        let mut reached_by: HashMap<usize, Option<usize>> = HashMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        let mut ends = Vec::new();
        while let Some(at) = queue.pop_front() {
            let node = self.nodes.get(at);
            if node.is_some_and(|n| n.redacts && !through_redaction) {
                continue;
            }
            if node.is_some_and(|n| n.kind == NodeKind::Provider) {
                ends.push(at);
                continue;
            }
            for &number in self.out.get(at).into_iter().flatten() {
                let Some(edge) = self.edges.get(number) else {
                    continue;
                };
                if let std::collections::hash_map::Entry::Vacant(new) = reached_by.entry(edge.to) {
                    new.insert(Some(number));
                    queue.push_back(edge.to);
                }
            }
        }
        ends.into_iter()
            .map(|end| self.back(end, &reached_by))
            .collect()
    }

    fn back(&self, end: usize, reached_by: &HashMap<usize, Option<usize>>) -> Vec<&Edge> {
        let mut way = Vec::new();
        let mut at = end;
        while let Some(Some(number)) = reached_by.get(&at)
            && let Some(edge) = self.edges.get(*number)
        {
            way.push(edge);
            at = edge.from;
        }
        way.reverse();
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn graph(edges: &[(&str, &str)], redacting: &[&str]) -> Graph {
        let mut graph = Graph::default();
        let index = |graph: &mut Graph, name: &str| {
            graph.node(Node {
                kind: if name.starts_with('P') {
                    NodeKind::Provider
                } else {
                    NodeKind::Asset
                },
                name: name.to_owned(),
                words: name.to_owned(),
                redacts: redacting.contains(&name),
            })
        };
        for (from, to) in edges {
            let (from, to) = (index(&mut graph, from), index(&mut graph, to));
            let span = Span {
                source: SourceId(0),
                start: 0,
                end: 0,
            };
            graph.edge(Edge {
                from,
                to,
                says: String::new(),
                span,
                stated: ResourceId(0),
            });
        }
        graph
    }

    fn words(graph: &Graph, through_redaction: bool) -> Vec<String> {
        let name = |at: usize| graph.nodes[at].name.as_str();
        let ways = graph.ways_out(0, through_redaction);
        let way = |way: &Vec<&Edge>| {
            let ends = way.iter().map(|e| name(e.to));
            std::iter::once(name(way[0].from)).chain(ends).collect()
        };
        ways.iter().map(way).collect()
    }

    #[test]
    fn the_shortest_way_to_each_provider() {
        let edges = [
            ("a", "b"),
            ("b", "c"),
            ("c", "P1"),
            ("b", "P1"),
            ("c", "P2"),
            ("c", "a"),
        ];
        assert_eq!(words(&graph(&edges, &[]), false), ["abP1", "abcP2"]);
    }

    #[test]
    fn redaction_ends_a_way_unless_it_is_asked_for() {
        let edges = [("a", "r"), ("r", "P1")];
        assert!(words(&graph(&edges, &["r"]), false).is_empty());
        assert_eq!(words(&graph(&edges, &["r"]), true), ["arP1"]);
    }
}
