//! Assets as rules read them. Input: an `Asset` with its `Links`; output: the subject `asset`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::asset::governance::{self, Unreadable};
use crate::asset::inventory::{Asset, Inventory};
use crate::asset::lineage::{self, Leak};
use crate::asset::link::{self, Grant, Links};
use crate::cel::{Origin, Record, RecordType, Value};
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::pods::{self, PodTemplate};
use crate::resource::Resource;
use crate::view::View;

/// One asset as a subject; variables `asset`, `object`. Possible assets are no subjects. `today` (`YYYY-MM-DD`) ends approvals.
#[must_use]
pub fn subjects(view: &View, today: &str) -> Vec<Box<dyn Subject>> {
    let mut inventory = Inventory::of(view);
    inventory.assets.retain(|asset| !asset.is_possible());
    if inventory.assets.is_empty() {
        return Vec::new();
    }
    let links = link::links(view, &inventory);
    let leaks = lineage::leaks(view, &inventory, &links);
    let namespaces = lineage::namespaces(view);
    let namespace_of = |asset: &Asset| namespaces.get(asset.namespace.as_str()).copied();
    let governed = inventory.assets.iter().any(|asset| {
        governance::is_governed(&asset.resource)
            || namespace_of(asset).is_some_and(|n| governance::is_governed(n))
    });
    let mut seen = HashSet::new();
    let mut unreadable: Vec<Vec<Unreadable>> = Vec::new();
    for asset in &inventory.assets {
        let mut found = governance::unreadable(&asset.resource);
        if let Some(namespace) = namespace_of(asset).filter(|n| seen.insert(n.id)) {
            found.extend(governance::unreadable(namespace));
        }
        unreadable.push(found);
    }
    let assets = inventory.assets.into_iter().zip(links).zip(leaks);
    let mut records: Vec<Box<dyn Subject>> = Vec::new();
    for (((asset, links), leaks), unreadable) in assets.zip(unreadable) {
        let namespace = namespace_of(&asset).map(Arc::clone);
        let mut record = AssetRecord::new(asset, links, leaks, namespace, today);
        record.governed = governed;
        record.unreadable = unreadable.into_iter().map(UnreadableRecord).collect();
        records.push(Box::new(record));
    }
    records
}

/// `asset` with its facts.
#[derive(Debug)]
pub struct AssetRecord {
    asset: Asset,
    links: Links,
    grants: Vec<GrantRecord>,
    leaks: Vec<LeakRecord>,
    unreadable: Vec<UnreadableRecord>,
    governed: bool,
    namespace: Option<Arc<Resource>>,
}

/// `asset.unreadable[]`.
#[derive(Debug)]
pub struct UnreadableRecord(Unreadable);

/// `asset.leaks[]`.
#[derive(Debug)]
pub struct LeakRecord {
    leak: Leak,
    approved: bool,
}

/// `asset.grants[]`.
#[derive(Debug)]
pub struct GrantRecord(Grant);

impl AssetRecord {
    fn new(
        asset: Asset,
        links: Links,
        leaks: Vec<Leak>,
        namespace: Option<Arc<Resource>>,
        today: &str,
    ) -> Self {
        let grants = links.grants.iter().cloned().map(GrantRecord).collect();
        let leaks = leaks.into_iter().map(|leak| LeakRecord {
            // Days as `YYYY-MM-DD` are ordered as texts.
            approved: leak.approved && (leak.until.is_empty() || leak.until.as_str() >= today),
            leak,
        });
        Self {
            leaks: leaks.collect(),
            asset,
            links,
            grants,
            unreadable: Vec::new(),
            governed: false,
            namespace,
        }
    }

    /// What a label or annotation of the asset or its Namespace says; empty when none does.
    fn stated<'r>(
        &'r self,
        read: fn(&'r Resource, Option<&'r Resource>) -> Option<crate::yaml::NodeRef<'r>>,
    ) -> Value<'r> {
        let node = read(&self.asset.resource, self.namespace.as_deref());
        node.map_or(Value::Str(""), Value::Node)
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
            "firstGateways" => objects(&self.links.first_gateways),
            "gatewayMissing" => Value::Bool(self.links.gateway_missing),
            "policies" => objects(&self.links.policies),
            "backends" => objects(&self.links.backends),
            "authorizations" => objects(&self.links.authorizations),
            "networkPolicies" => objects(&self.links.network_policies),
            "telemetry" => objects(&self.links.telemetry),
            "owner" => self.stated(governance::owner),
            "classification" => self.stated(governance::classification),
            "riskTier" => governance::risk_tier(resource).map_or(Value::Str(""), Value::Node),
            "governed" => Value::Bool(self.governed),
            "unreadable" => {
                let values = self.unreadable.iter().map(|u| Value::Record(u)).collect();
                Value::list(values).unwrap_or(Value::Null)
            }
            "leaks" => {
                let leaks = self.leaks.iter().map(|l| Value::Record(l)).collect();
                Value::list(leaks).unwrap_or(Value::Null)
            }
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

impl Record for LeakRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::LEAK
    }

    fn field(&self, index: usize) -> Value<'_> {
        let leak = &self.leak;
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "source" => Value::Str(&leak.source),
            "classification" => Value::Str(&leak.classification),
            "provider" => Value::Str(&leak.provider),
            "host" => Value::Str(&leak.host),
            "hops" => Value::Int(i64::try_from(leak.hops).unwrap_or(i64::MAX)),
            "redacted" => Value::Bool(leak.redacted),
            "approved" => Value::Bool(self.approved),
            "until" => Value::Str(&leak.until),
            "way" => Value::Str(&leak.way),
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Path(Arc::clone(&self.leak.steps))
    }
}

impl Record for UnreadableRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::UNREADABLE
    }

    fn field(&self, index: usize) -> Value<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "key" => Value::Str(&self.0.key),
            "value" => Value::Str(&self.0.value),
            "allowed" => Value::Str(&self.0.allowed),
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Spans(Arc::from([self.0.span]))
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
            "{} {} is {} {} (score {:.2})",
            self.asset.resource.kind(),
            self.asset.reference(),
            self.asset.class.article(),
            self.asset.class.as_str(),
            self.asset.score
        )]
    }
}
