//! Who sends data to whom. Input: a `View`, its inventory and links; output: the lineage graph, and for each asset the ways by which
//! protected data leaves to an external provider.
//!
//! Only what a field states is an edge: a provider's host, the address of a Service of the view, a backend of a gateway, a tool of an
//! agent, a model reference, a claim that is mounted. A client that names no address has no edge.

mod address;
mod copies;
mod flow;
mod held;
mod names;
mod workloads;

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::class::Class;
use crate::asset::governance::REDACTION;
use crate::asset::inventory::{Asset, Inventory};
use crate::asset::link::Links;
use crate::asset::provider;
use crate::facts::lineage::{Edge, Graph, Node, NodeKind};
use crate::resource::{Resource, ResourceId};
use crate::source::Span;
use crate::view::View;
use crate::yaml::NodeRef;

use address::Addresses;
pub use flow::{Leak, leaks, leaks_in};
use held::{Flow, Held};

/// The graph with the node of each asset, in the order of the inventory.
#[derive(Debug, Default)]
pub struct Lineage {
    /// Nodes and edges.
    pub graph: Graph,
    /// Node of each asset.
    pub assets: Vec<usize>,
    /// Workloads that are no assets but exchange data with one, each with its namespace and node.
    pub(crate) workloads: Vec<(Arc<Resource>, String, usize)>,
}

/// A node of an asset.
fn asset_node(asset: &Asset) -> Node {
    let reference = asset.reference();
    Node {
        kind: NodeKind::Asset,
        name: format!("{}:{reference}", asset.resource.kind()),
        words: format!("{} {reference}", asset.class.as_str()),
        redacts: asset.class == Class::Guardrail
            || asset
                .resource
                .annotation(REDACTION)
                .is_some_and(|v| !v.is_empty()),
    }
}

fn held_node(kind: NodeKind, name: String) -> Node {
    let word = match kind {
        NodeKind::Store if name.contains("://") => "store",
        NodeKind::Store => "claim",
        kind => kind.as_str(),
    };
    Node {
        kind,
        words: format!("{word} {name}"),
        name,
        redacts: false,
    }
}

impl Lineage {
    /// Draws the graph.
    #[must_use]
    pub fn of(view: &View, inventory: &Inventory, links: &[Links]) -> Self {
        let mut lineage = Self::default();
        for asset in &inventory.assets {
            let node = lineage.graph.node(asset_node(asset));
            lineage.assets.push(node);
        }
        let addresses = Addresses::of(view, inventory, links);
        for ((asset, links), &node) in inventory
            .assets
            .iter()
            .zip(links)
            .zip(&lineage.assets.clone())
        {
            let mut drawing = Drawing {
                lineage: &mut lineage,
                inventory,
                addresses: &addresses,
                from: node,
                stated: asset.resource.id,
                space: asset.namespace.as_str(),
            };
            drawing.models(asset);
            drawing.texts(&asset.resource);
            for backend in &links.backends {
                drawing.texts(backend);
            }
            for config in addresses.configs_of(&asset.resource, asset.namespace.as_str()) {
                drawing.texts(config);
            }
            for held in held::of(&asset.resource, asset.namespace.as_str()) {
                drawing.held(held);
            }
            drawing.names(asset);
        }
        workloads::draw(view, inventory, &addresses, &mut lineage);
        copies::draw(view, inventory, &addresses, &mut lineage);
        lineage
    }
}

/// Adds the edges of one asset.
struct Drawing<'a, 'v> {
    lineage: &'a mut Lineage,
    inventory: &'a Inventory,
    addresses: &'a Addresses<'v>,
    from: usize,
    /// The object whose fields are read.
    stated: ResourceId,
    space: &'a str,
}

impl Drawing<'_, '_> {
    fn edge(&mut self, from: usize, to: usize, says: String, span: Span) {
        self.lineage.graph.edge(Edge {
            from,
            to,
            says,
            span,
            stated: self.stated,
        });
    }

    /// Draws with another object as the one whose fields are read.
    fn stated_by(&mut self, resource: &Resource, draw: impl FnOnce(&mut Self)) {
        let own = std::mem::replace(&mut self.stated, resource.id);
        draw(self);
        self.stated = own;
    }

    /// Weights flow to what loads them.
    fn models(&mut self, asset: &Asset) {
        for (model, node) in asset.refs() {
            let from = self.lineage.graph.node(Node {
                kind: NodeKind::Model,
                name: model.uri.clone(),
                words: format!("model {}", model.uri),
                redacts: false,
            });
            self.edge(from, self.from, "loads the weights".to_owned(), node.span());
            if model.scheme == "pvc" {
                let claim = held::claim_name(self.space, &model.host);
                let store = self.lineage.graph.node(held_node(NodeKind::Store, claim));
                self.edge(store, from, "holds the weights".to_owned(), node.span());
            }
        }
    }

    fn held(&mut self, held: Held) {
        let other = self.lineage.graph.node(held_node(held.kind, held.name));
        if held.flow != Flow::Out {
            self.edge(other, self.from, held.says.to_owned(), held.span);
        }
        if held.flow != Flow::In {
            self.edge(self.from, other, held.says.to_owned(), held.span);
        }
    }

    /// Addresses in the texts of an object, without its metadata.
    fn texts(&mut self, resource: &Arc<Resource>) {
        self.stated_by(resource, |drawing| {
            for (key, value) in resource.object().entries() {
                if !matches!(
                    key.as_str(),
                    Some("apiVersion" | "kind" | "metadata" | "status")
                ) {
                    drawing.walk(value);
                }
            }
        });
    }

    /// Depth is that of the document, which the parser caps.
    fn walk(&mut self, node: NodeRef<'_>) {
        if node.is_map() {
            if let Some((config, value)) = self.addresses.value_of(node, self.space) {
                self.stated_by(config, |drawing| drawing.walk(value));
            }
            node.entries().for_each(|(_, value)| self.walk(value));
        } else if node.is_seq() {
            node.items().for_each(|item| self.walk(item));
        } else if let Some(text) = node.as_str() {
            self.text(text, node.span());
        }
    }

    fn text(&mut self, text: &str, span: Span) {
        for (host, provider) in provider::in_text(text) {
            self.provider(provider.name, host, format!("names {host}"), span);
        }
        for (host, found) in self.addresses.in_text(text, self.space) {
            for &asset in found {
                if let Some(&to) = self.lineage.assets.get(asset) {
                    self.edge(self.from, to, format!("calls {host}"), span);
                }
            }
            for (service, outside) in self.addresses.aliases_of(host, self.space) {
                if let Some(provider) = provider::of_host(outside.text()) {
                    let says = format!("{host} is {}", outside.text());
                    self.stated_by(service, |drawing| {
                        drawing.provider(provider.name, outside.text(), says, outside.span());
                    });
                }
            }
        }
    }

    fn provider(&mut self, name: &str, host: &str, says: String, span: Span) {
        let to = self.lineage.graph.node(Node {
            kind: NodeKind::Provider,
            name: format!("{name}/{host}"),
            words: if host.is_empty() {
                name.to_owned()
            } else {
                format!("{name} ({host})")
            },
            redacts: false,
        });
        self.edge(self.from, to, says, span);
    }
}

/// The Namespace objects of a view by name.
#[must_use]
pub fn namespaces(view: &View) -> HashMap<&str, &Arc<Resource>> {
    let mut found = HashMap::new();
    for member in view.of_kind("", "Namespace") {
        found
            .entry(member.resource.name.as_str())
            .or_insert(&member.resource);
    }
    found
}
