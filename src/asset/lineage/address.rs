//! Addresses inside the cluster. Input: Services with the assets behind them; output: which assets a text names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::inventory::Inventory;
use crate::asset::link::{Links, made_services};
use crate::pods;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

/// Namespace and name.
type Place = (String, String);

/// A Service that stands for a host outside, with the field that names it.
type Alias<'v> = (&'v Arc<Resource>, NodeRef<'v>);

/// Services of a view.
pub(super) struct Addresses<'v> {
    /// Assets behind a Service.
    behind: HashMap<Place, Vec<usize>>,
    /// Hosts outside that a Service stands for.
    aliases: HashMap<Place, Vec<Alias<'v>>>,
    configs: HashMap<Place, &'v Arc<Resource>>,
}

const NONE: &[usize] = &[];

impl<'v> Addresses<'v> {
    pub(super) fn of(view: &'v View, inventory: &Inventory, links: &[Links]) -> Self {
        let mut addresses = Self {
            behind: HashMap::new(),
            aliases: HashMap::new(),
            configs: HashMap::new(),
        };
        for (at, (asset, links)) in inventory.assets.iter().zip(links).enumerate() {
            if !asset.class.is_called() {
                continue;
            }
            let space = asset.namespace.as_str();
            let mut add = |name: String| {
                let list = addresses
                    .behind
                    .entry((space.to_owned(), name))
                    .or_default();
                if list.last() != Some(&at) {
                    list.push(at);
                }
            };
            links.services.iter().for_each(|s| add(s.name.clone()));
            made_services(asset).for_each(add);
        }
        for member in view.of_kind("", "Service") {
            let object = member.resource.object();
            let Some(node) = object.at(&["spec", "externalName"]) else {
                continue;
            };
            let place = (
                member.namespace.as_str().to_owned(),
                member.resource.name.clone(),
            );
            let alias = (&member.resource, node);
            addresses.aliases.entry(place).or_default().push(alias);
        }
        for member in view.of_kind("", "ConfigMap") {
            let place = (
                member.namespace.as_str().to_owned(),
                member.resource.name.clone(),
            );
            addresses.configs.entry(place).or_insert(&member.resource);
        }
        addresses
    }

    /// Addresses in a text that lead to a Service of the view, with the assets behind it.
    pub(super) fn in_text<'s, 't>(
        &'s self,
        text: &'t str,
        own: &str,
    ) -> Vec<(&'t str, &'s [usize])> {
        let mut found = Vec::new();
        let mut after_scheme = false;
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))) {
            // `http`, then two empty words, then the host.
            let is_host = after_scheme && !word.is_empty();
            if matches!(word, "http" | "https" | "grpc" | "ws" | "wss") {
                after_scheme = true;
                continue;
            }
            if !word.is_empty() {
                after_scheme = false;
            }
            if !is_host && !word.contains('.') {
                continue;
            }
            if let Some(place) = place(word, own)
                && (self.behind.contains_key(&place) || self.aliases.contains_key(&place))
            {
                found.push((word, self.behind.get(&place).map_or(NONE, Vec::as_slice)));
            }
        }
        found
    }

    /// Assets behind a Service, by its namespace and name.
    pub(super) fn behind(&self, (namespace, name): (&str, &str)) -> &[usize] {
        let place = (namespace.to_owned(), name.to_owned());
        self.behind.get(&place).map_or(NONE, Vec::as_slice)
    }

    /// The hosts outside that an address stands for.
    pub(super) fn aliases_of(&self, host: &str, own: &str) -> &[Alias<'v>] {
        place(host, own)
            .and_then(|place| self.aliases.get(&place))
            .map_or(&[], Vec::as_slice)
    }

    /// What an environment variable takes from a ConfigMap: `valueFrom` names it and a key.
    pub(super) fn value_of(
        &self,
        value_from: NodeRef<'_>,
        space: &str,
    ) -> Option<(&'v Arc<Resource>, NodeRef<'v>)> {
        let reference = value_from.get("configMapKeyRef")?;
        let name = reference.get("name")?.as_str()?;
        let config = *self.configs.get(&(space.to_owned(), name.to_owned()))?;
        let data = config.object().get("data")?;
        Some((config, data.get(reference.get("key")?.as_str()?)?))
    }

    /// ConfigMaps that the pods of an object mount or read.
    pub(super) fn configs_of(&self, resource: &Resource, space: &str) -> Vec<&'v Arc<Resource>> {
        let mut names: Vec<String> = Vec::new();
        for template in pods::templates(resource) {
            let volumes = template
                .spec
                .get("volumes")
                .into_iter()
                .flat_map(NodeRef::items);
            names.extend(volumes.filter_map(|v| text(v.at(&["configMap", "name"]))));
            for container in template.containers() {
                let sources = container
                    .node
                    .get("envFrom")
                    .into_iter()
                    .flat_map(NodeRef::items);
                names.extend(sources.filter_map(|s| text(s.at(&["configMapRef", "name"]))));
            }
        }
        names.sort();
        names.dedup();
        names
            .into_iter()
            .filter_map(|name| self.configs.get(&(space.to_owned(), name)).copied())
            .collect()
    }
}

fn text(node: Option<NodeRef<'_>>) -> Option<String> {
    node?.as_str().map(str::to_owned)
}

/// `name`, `name.namespace`, `name.namespace.svc` and anything below: Kubernetes DNS for Services.
fn place(host: &str, own: &str) -> Option<Place> {
    let mut labels = host.trim_end_matches('.').split('.');
    let name = labels.next().filter(|n| !n.is_empty())?;
    let space = labels.next().unwrap_or(own);
    if labels.next().is_some_and(|third| third != "svc") {
        return None;
    }
    Some((space.to_owned(), name.to_owned()))
}
