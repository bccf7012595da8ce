//! Which objects of a view are AI assets. Input: a `View`; output: `Inventory`. Kinds that cannot be assets are never looked at.

use std::sync::Arc;

use rayon::prelude::*;

use crate::asset::class::Class;
use crate::asset::family::{self, Family};
use crate::asset::model_ref::ModelRef;
use crate::asset::provider::{self, Provider};
use crate::asset::signal::{self, Evidence, Signal};
use crate::asset::stated;
use crate::pods;
use crate::resource::{GroupKind, Resource};
use crate::source::Span;
use crate::view::{Member, Namespace, View};
use crate::yaml::NodeRef;

/// Score from which an object is an asset.
pub const ASSET: f64 = 0.60;

/// Score below which findings about an asset have confidence low.
pub const SURE: f64 = 0.75;

/// Score from which an object is listed as possible.
pub const POSSIBLE: f64 = 0.40;

/// An object that is, or may be, an AI asset.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The object.
    pub resource: Arc<Resource>,
    /// Its effective namespace.
    pub namespace: Namespace,
    /// What it does.
    pub class: Class,
    /// How sure that is, 0 to 1, two decimals; 1 for kinds that are nothing else.
    pub score: f64,
    /// Name of the product, as far as image, command or kind tell; else empty.
    pub product: &'static str,
    /// What speaks for it, and for other classes.
    pub evidence: Vec<Evidence>,
}

impl Asset {
    /// Whether it is only listed, without findings.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.score < ASSET
    }

    /// Whether findings about it may have more than low confidence.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.score >= SURE
    }

    /// Whether its kind alone makes it an asset.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.evidence.iter().any(|e| e.signal == Signal::Kind)
    }

    /// `namespace/name`; only the name in the unnamed namespace and for cluster-scoped objects.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.namespace.as_str() {
            "" => self.resource.name.clone(),
            namespace => format!("{namespace}/{}", self.resource.name),
        }
    }

    /// Its model references: those of its kind's fields, then those that its containers name.
    #[must_use]
    pub fn refs(&self) -> Vec<(ModelRef, NodeRef<'_>)> {
        let mut found = crate::asset::model_refs(self.resource.object());
        for template in pods::templates(&self.resource) {
            for (model, node) in stated::stated(&template) {
                if !found.iter().any(|(known, _)| known.uri == model.uri) {
                    found.push((model, node));
                }
            }
        }
        found
    }

    /// Images of its containers as written, sorted, each once.
    #[must_use]
    pub fn images(&self) -> Vec<String> {
        let templates = pods::templates(&self.resource);
        let mut images: Vec<String> = templates
            .iter()
            .flat_map(pods::PodTemplate::containers)
            .filter_map(|c| c.node.get("image")?.as_str())
            .map(str::to_owned)
            .collect();
        images.sort();
        images.dedup();
        images
    }

    /// Hosts of external providers that its spec names, each once, with the provider and the place.
    #[must_use]
    pub fn providers(&self) -> Vec<(String, Provider, Span)> {
        let mut found = Vec::new();
        let object = self.resource.object();
        // KAITO keeps its fields beside `metadata`.
        for (key, value) in object.entries() {
            if !matches!(
                key.as_str(),
                Some("apiVersion" | "kind" | "metadata" | "status")
            ) {
                hosts(value, &mut found);
            }
        }
        found
    }
}

/// Walks a node; its depth and expanded size are capped by the parser.
fn hosts(node: NodeRef<'_>, found: &mut Vec<(String, Provider, Span)>) {
    if node.is_map() {
        node.entries().for_each(|(_, value)| hosts(value, found));
    } else if node.is_seq() {
        node.items().for_each(|item| hosts(item, found));
    } else if let Some(text) = node.as_str() {
        for (host, provider) in provider::in_text(text) {
            if !found.iter().any(|(known, ..)| known == host) {
                found.push((host.to_owned(), provider, node.span()));
            }
        }
    }
}

/// The assets of a view.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Assets and possible assets in the order of the view.
    pub assets: Vec<Asset>,
}

/// How a kind of object is judged.
#[derive(Clone, Copy)]
enum Way {
    Certain(&'static Family, Class),
    Scored,
}

impl Inventory {
    /// Finds the assets of a view.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let mut candidates: Vec<(&Member, Way)> = Vec::new();
        for group_kind in view.kinds() {
            let members = view
                .of_kind(&group_kind.group, &group_kind.kind)
                .filter(|member| !member.resource.is_assumed());
            let mut members = members.peekable();
            let carries_pods = |m: &&Member| pods::carries_pods(&m.resource);
            let way = match family::of_kind(group_kind) {
                Some((family, class)) => Way::Certain(family, class),
                None if members.peek().is_some_and(carries_pods) => Way::Scored,
                None => continue,
            };
            candidates.extend(members.map(|member| (member, way)));
        }
        // The order of the view, not that of its kinds.
        candidates.sort_by_key(|(member, _)| member.resource.id);
        let assets = candidates
            .par_iter()
            .with_min_len(64)
            .filter_map(|(member, way)| match way {
                Way::Certain(family, class) => Some(certain(member, family, *class)),
                Way::Scored => scored(member),
            })
            .collect();
        Self { assets }
    }

    /// Assets with this reference: `name`, `namespace/name` or `Kind:namespace/name`.
    pub fn named<'i>(&'i self, reference: &'i str) -> impl Iterator<Item = &'i Asset> {
        let (kind, rest) = match reference.split_once(':') {
            Some((kind, rest)) => (Some(kind), rest),
            None => (None, reference),
        };
        self.assets.iter().filter(move |asset| {
            kind.is_none_or(|kind| asset.resource.kind() == kind)
                && (asset.reference() == rest || asset.resource.name == rest)
        })
    }
}

/// Class and score of an object of which only the nodes are at hand; `None` below [`POSSIBLE`].
#[must_use]
pub fn class_of(object: NodeRef<'_>) -> Option<(Class, f64)> {
    let text = |name| object.get(name).and_then(NodeRef::as_str).unwrap_or("");
    let api_version = text("apiVersion");
    let kind = GroupKind {
        group: api_version
            .rsplit_once('/')
            .map_or("", |(group, _)| group)
            .to_owned(),
        kind: text("kind").to_owned(),
    };
    if let Some((_, class)) = family::of_kind(&kind) {
        return Some((class, 1.0));
    }
    let verdict = signal::verdict(object, &pods::templates_of(&kind, object))?;
    let score = rounded(verdict.score);
    (score >= POSSIBLE).then_some((verdict.class, score))
}

fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

fn certain(member: &Member, family: &'static Family, class: Class) -> Asset {
    let resource = &member.resource;
    let object = resource.object();
    Asset {
        resource: Arc::clone(resource),
        namespace: member.namespace.clone(),
        class,
        score: 1.0,
        product: family.name,
        evidence: vec![Evidence {
            signal: Signal::Kind,
            class,
            weight: 1.0,
            what: format!("kind {} of {}", resource.kind(), family.name),
            span: object.get("kind").unwrap_or(object).span(),
        }],
    }
}

fn scored(member: &Member) -> Option<Asset> {
    let templates = pods::templates(&member.resource);
    let verdict = signal::verdict(member.resource.object(), &templates)?;
    let score = rounded(verdict.score);
    (score >= POSSIBLE).then(|| Asset {
        resource: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        class: verdict.class,
        score,
        product: verdict.product,
        evidence: verdict.evidence,
    })
}
