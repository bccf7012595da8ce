//! The inventory of AI assets with what is known of each. Input: views and what may be assumed; output: `AssetReport`.

mod budget;
mod gateway;
mod ingress;
mod key;
mod kuadrant;
mod proxy;
mod reach;
mod secret;

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::grade::{Component, Grade};
use crate::asset::lineage::Lineage;
use crate::asset::link::{self, Links};
use crate::asset::model_ref::ModelRef;
use crate::asset::signal::Evidence;
use crate::asset::{Asset, Class, Inventory, governance};
use crate::engine::Analysis;
use crate::facts::Assumptions;
use crate::facts::lineage::Graph;
use crate::resource::{Resource, ResourceId};
use crate::source::{Sources, Span};
use crate::view::View;
use crate::yaml::NodeRef;

/// Everything the command prints.
#[derive(Debug)]
pub struct AssetReport {
    /// Assets, sure ones first, by namespace and name.
    pub assets: Vec<AssetEntry>,
    /// Names of the views that were read.
    pub views: Vec<String>,
    /// What answers rest on, sorted, each once.
    pub assumptions: Vec<String>,
    /// What could not be looked into and may hold assets, sorted, each once: `HelmRelease ml/ollama`.
    pub not_rendered: Vec<String>,
    /// Who sends data to whom, by view; views without an asset are left out.
    pub graphs: Vec<(String, Graph)>,
    /// The texts that spans index.
    pub sources: Sources,
}

/// One asset.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetEntry {
    /// `apiVersion` of the object.
    pub api_version: String,
    /// Kind of the object.
    pub kind: String,
    /// Effective namespace, `""` when nothing names it.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// What it does.
    pub class: Class,
    /// How sure that is, 0 to 1.
    pub score: f64,
    /// Whether it is listed only, without findings.
    pub possible: bool,
    /// The product, when known; else empty.
    pub product: &'static str,
    /// What speaks for it.
    pub signals: Vec<Evidence>,
    /// Models it names.
    pub refs: Vec<Stated<ModelRef>>,
    /// Hosts of external providers it names, with the provider.
    pub providers: Vec<Stated<(String, &'static str)>>,
    /// Images of its containers, without duplicates.
    pub images: Vec<String>,
    /// Service account of its pods; empty without pods.
    pub service_account: String,
    /// Owner by label or annotation.
    pub owner: Option<Stated<String>>,
    /// Data classification, its own or its namespace's.
    pub classification: Option<Stated<String>>,
    /// How it is reached from outside, worst first.
    pub exposure: Exposure,
    /// Who may call it, as typed members; empty when nothing narrows it or nothing is known.
    pub callers: Vec<String>,
    /// Access grade.
    pub grade: Grade,
    /// Views that hold it with these facts.
    pub views: Vec<String>,
    /// Where the object's name stands.
    pub span: Span,
}

/// A value with the place that states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// How something is reached, from the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exposure {
    /// The question does not arise.
    NotCalled,
    /// The files do not say.
    Unknown,
    /// No Service leads to it.
    Unserved,
    /// From inside the cluster.
    Cluster,
    /// By a route of a gateway or ingress.
    Route,
    /// By a port on every node.
    NodePort,
    /// By a load balancer of its own.
    LoadBalancer,
}

impl Exposure {
    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCalled => "-",
            Self::Unknown => "?",
            Self::Unserved => "none",
            Self::Cluster => "cluster",
            Self::Route => "route",
            Self::NodePort => "node port",
            Self::LoadBalancer => "load balancer",
        }
    }

    /// Whether callers from outside the cluster can get in.
    #[must_use]
    pub fn is_outside(self) -> bool {
        self >= Self::Route
    }
}

impl AssetEntry {
    /// `namespace/name`; only the name in the unnamed namespace.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        }
    }

    /// Whether two views tell the same of one object: the inventory of the object itself is equal by nature.
    fn is_like(&self, other: &Self) -> bool {
        let ranges = |entry: &Self| entry.grade.components().map(|(_, c)| c.range);
        self.namespace == other.namespace
            && self.exposure == other.exposure
            && self.callers == other.callers
            && self.owner == other.owner
            && self.classification == other.classification
            && ranges(self) == ranges(other)
    }
}

/// Draws up the inventory of all views.
#[must_use]
pub fn assets(views: &[Arc<View>], assume: &Assumptions, sources: Sources) -> AssetReport {
    let mut entries = Entries::default();
    let mut assumptions = Vec::new();
    let mut graphs = Vec::new();
    let opaque = views.iter().flat_map(|view| &view.opaque);
    let mut not_rendered: Vec<String> = opaque.map(|o| o.what.clone()).collect();
    not_rendered.sort();
    not_rendered.dedup();
    for view in views {
        let inventory = Inventory::of(view);
        if inventory.assets.is_empty() {
            continue;
        }
        let analysis = Analysis::of(view, assume);
        let found = of_view(&inventory, &analysis, &mut assumptions);
        let links: Vec<Links> = found.iter().map(|asset| asset.links.clone()).collect();
        let lineage = Lineage::of(view, &inventory, &links);
        graphs.push((view.name.clone(), lineage.graph));
        for asset in found {
            entries.add(asset.entry);
        }
    }
    let mut entries = entries.list;
    entries.sort_by(|a, b| {
        let key = |e: &AssetEntry| {
            (
                e.possible,
                e.namespace.clone(),
                e.name.clone(),
                e.kind.clone(),
            )
        };
        key(a).cmp(&key(b)).then(a.span.cmp(&b.span))
    });
    assumptions.sort();
    assumptions.dedup();
    AssetReport {
        assets: entries,
        views: views.iter().map(|v| v.name.clone()).collect(),
        assumptions,
        not_rendered,
        graphs,
        sources,
    }
}

/// An asset of one view with the objects that say how it is reached.
#[derive(Debug)]
pub(crate) struct OfView {
    /// The object.
    pub(crate) resource: Arc<Resource>,
    /// What is known of it.
    pub(crate) entry: AssetEntry,
    /// The objects around it.
    pub(crate) links: Links,
}

impl OfView {
    /// The object and those that lead to it.
    pub(crate) fn related(&self) -> Vec<ResourceId> {
        let links = &self.links;
        let lists = [
            &links.services,
            &links.routes,
            &links.gateways,
            &links.policies,
        ];
        std::iter::once(self.resource.id)
            .chain(lists.into_iter().flatten().map(|r| r.id))
            .collect()
    }
}

/// The assets of one view; what answers rest on is added to `assumptions`.
pub(crate) fn of_view(
    inventory: &Inventory,
    analysis: &Analysis<'_>,
    assumptions: &mut Vec<String>,
) -> Vec<OfView> {
    let links = link::links(analysis.view, inventory);
    let assets = inventory.assets.iter().zip(links);
    assets
        .map(|(asset, links)| OfView {
            resource: Arc::clone(&asset.resource),
            entry: entry(asset, &links, analysis, assumptions),
            links,
        })
        .collect()
}

/// Entries by the place of the object, so that one seen through several views is found again.
#[derive(Default)]
struct Entries {
    list: Vec<AssetEntry>,
    by_span: HashMap<Span, Vec<usize>>,
}

impl Entries {
    /// Adds an entry, or only its view when the same is known already; the proof of the grade stays that of the first view.
    fn add(&mut self, entry: AssetEntry) {
        let known = self.by_span.entry(entry.span).or_default();
        for &at in known.iter() {
            if let Some(other) = self.list.get_mut(at)
                && other.is_like(&entry)
            {
                other.views.extend(entry.views);
                return;
            }
        }
        known.push(self.list.len());
        self.list.push(entry);
    }
}

fn entry(
    asset: &Asset,
    links: &Links,
    analysis: &Analysis<'_>,
    assumptions: &mut Vec<String>,
) -> AssetEntry {
    let resource = &asset.resource;
    let refs = asset.refs().into_iter().map(|(model, node)| Stated {
        value: model,
        span: node.span(),
    });
    let providers = asset
        .providers()
        .into_iter()
        .map(|(host, provider, span)| Stated {
            value: (host, provider.name),
            span,
        });
    let namespace = analysis.topology.namespaces.get(asset.namespace.as_str());
    let namespace = namespace.map(AsRef::as_ref);
    let exposure = exposure(asset, links);
    let (grade, callers) = grade(asset, links, exposure, analysis, assumptions);
    AssetEntry {
        api_version: resource.api_version(),
        kind: resource.kind().to_owned(),
        namespace: asset.namespace.as_str().to_owned(),
        name: resource.name.clone(),
        class: asset.class,
        score: asset.score,
        possible: asset.is_possible(),
        product: asset.product,
        signals: asset.evidence.clone(),
        refs: refs.collect(),
        providers: providers.collect(),
        images: asset.images(),
        service_account: links.service_account.clone(),
        owner: governance::owner(resource, namespace).map(stated),
        classification: governance::classification(resource, namespace).map(stated),
        exposure,
        callers,
        grade,
        views: vec![analysis.view.name.clone()],
        span: resource.name_span(),
    }
}

fn exposure(asset: &Asset, links: &Links) -> Exposure {
    if !asset.class.is_called() {
        return Exposure::NotCalled;
    }
    let of_service = |service: &Arc<Resource>| {
        let spec = service.object().get("spec");
        let kind = spec.and_then(|s| s.get("type")).map_or("", |t| t.text());
        let ips = spec.and_then(|s| s.get("externalIPs"));
        match kind {
            "LoadBalancer" => Exposure::LoadBalancer,
            "NodePort" => Exposure::NodePort,
            _ if ips.is_some_and(|ips| !ips.is_empty()) => Exposure::LoadBalancer,
            _ => Exposure::Cluster,
        }
    };
    let by_service = links.services.iter().map(of_service).max();
    let names_gateway = !links.gateways.is_empty() || links.gateway_missing;
    let by_route = (!links.routes.is_empty() || names_gateway).then_some(Exposure::Route);
    by_service.max(by_route).unwrap_or(if asset.is_certain() {
        // Its controller makes the Services.
        Exposure::Unknown
    } else {
        Exposure::Unserved
    })
}

fn grade(
    asset: &Asset,
    links: &Links,
    exposure: Exposure,
    analysis: &Analysis<'_>,
    assumptions: &mut Vec<String>,
) -> (Grade, Vec<String>) {
    let key = key::component(asset, links, analysis.view);
    let none = || Component::none("nobody calls it");
    if !asset.class.is_called() {
        let grade = Grade {
            workload: none(),
            user: none(),
            operation: none(),
            budget: none(),
            key,
        };
        return (grade, Vec::new());
    }
    if asset.resource.kind() == "AIServiceBackend" {
        let none = || Component::none("requests arrive by the routes that name it");
        let grade = Grade {
            workload: none(),
            user: none(),
            operation: none(),
            budget: none(),
            key,
        };
        return (grade, Vec::new());
    }
    if gateway::is_gateway(asset) {
        let grade = Grade {
            workload: gateway::workload(links),
            user: gateway::user(asset, links, analysis.view),
            operation: gateway::operation(asset),
            budget: gateway::budget(asset, links, analysis.view),
            key,
        };
        return (grade, Vec::new());
    }
    let reached = reach::of(asset, analysis, exposure == Exposure::Route, assumptions);
    let users = proxy::user(asset, links).unwrap_or(reached.user);
    let grade = Grade {
        user: if exposure == Exposure::Route {
            // Whoever comes by a route must pass both.
            gateway::user(asset, links, analysis.view).stronger(users)
        } else if exposure.is_outside() || exposure == Exposure::Unknown {
            users
        } else {
            Component::none("no way in from outside the cluster")
        },
        workload: reached.workload,
        operation: reached.operation,
        budget: gateway::budget_behind(asset, links, analysis.view, reached.only_gateways),
        key,
    };
    (grade, reached.callers)
}

fn stated(node: NodeRef<'_>) -> Stated<String> {
    Stated {
        value: node.text().to_owned(),
        span: node.span(),
    }
}
