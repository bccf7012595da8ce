//! Assets as rules read them. Input: an `Asset` with its `Links`; output: the subject `asset`.

use std::sync::Arc;

use crate::asset::inventory::{Asset, Inventory};
use crate::asset::link::{self, Grant, Links};
use crate::cel::{Origin, Record, RecordType, Value};
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::pods::{self, PodTemplate};
use crate::resource::Resource;
use crate::view::View;

/// One asset as a subject; variables `asset`, `object`. Possible assets are no subjects.
#[must_use]
pub fn subjects(view: &View) -> Vec<Box<dyn Subject>> {
    let mut inventory = Inventory::of(view);
    inventory.assets.retain(|asset| !asset.is_possible());
    let links = link::links(view, &inventory);
    inventory
        .assets
        .into_iter()
        .zip(links)
        .map(|(asset, links)| Box::new(AssetRecord::new(asset, links)) as Box<dyn Subject>)
        .collect()
}

/// `asset` with its facts.
#[derive(Debug)]
pub struct AssetRecord {
    asset: Asset,
    links: Links,
    grants: Vec<GrantRecord>,
}

/// `asset.grants[]`.
#[derive(Debug)]
pub struct GrantRecord(Grant);

impl AssetRecord {
    fn new(asset: Asset, links: Links) -> Self {
        let grants = links.grants.iter().cloned().map(GrantRecord).collect();
        Self {
            asset,
            links,
            grants,
        }
    }
}

/// Objects as a list; they nest no list, so it cannot be too deep.
fn objects(list: &[Arc<Resource>]) -> Value<'_> {
    let nodes = list.iter().map(|r| Value::Node(r.object())).collect();
    Value::list(nodes).unwrap_or(Value::Null)
}

impl Record for AssetRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::ASSET
    }

    fn field(&self, index: usize) -> Value<'_> {
        let resource = &self.asset.resource;
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "kind" => Value::Str(resource.kind()),
            "namespace" => Value::Str(self.asset.namespace.as_str()),
            "name" => Value::Str(&resource.name),
            "class" => Value::Str(self.asset.class.as_str()),
            "called" => Value::Bool(self.asset.class.is_called()),
            "score" => Value::Double(self.asset.score),
            "product" => Value::Str(self.asset.product),
            "containers" => {
                let templates = pods::templates(resource);
                let containers = templates.iter().flat_map(PodTemplate::containers);
                Value::list(containers.map(|c| Value::Node(c.node)).collect())
                    .unwrap_or(Value::Null)
            }
            "serviceAccount" => Value::Str(&self.links.service_account),
            "services" => objects(&self.links.services),
            "routes" => objects(&self.links.routes),
            "gateways" => objects(&self.links.gateways),
            "gatewayMissing" => Value::Bool(self.links.gateway_missing),
            "policies" => objects(&self.links.policies),
            "backends" => objects(&self.links.backends),
            "grants" => {
                let grants = self.grants.iter().map(|g| Value::Record(g)).collect();
                Value::list(grants).unwrap_or(Value::Null)
            }
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Spans(Arc::from([self.asset.resource.name_span()]))
    }
}

impl Record for GrantRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::GRANT
    }

    fn field(&self, index: usize) -> Value<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "binding" => Value::Node(self.0.binding.object()),
            "power" => Value::Str(self.0.power),
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Spans(Arc::from([self.0.binding.name_span()]))
    }
}

impl Subject for AssetRecord {
    fn resource(&self) -> &Arc<Resource> {
        &self.asset.resource
    }

    fn words(&self) -> String {
        let kind = self.asset.resource.kind();
        format!(
            "{} {kind} {}",
            self.asset.class.as_str(),
            self.asset.reference()
        )
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(self),
            1 => Value::Node(self.asset.resource.object()),
            _ => Value::Null,
        }
    }

    /// Below a score of 0.75 that it is an asset at all is an assumption, which caps confidence.
    fn assumptions(&self) -> Vec<String> {
        if self.asset.is_sure() {
            return Vec::new();
        }
        vec![format!(
            "{} {} is a {} (score {:.2})",
            self.asset.resource.kind(),
            self.asset.reference(),
            self.asset.class.as_str(),
            self.asset.score
        )]
    }
}
