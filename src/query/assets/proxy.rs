//! A login proxy in the pod. Input: an asset with its Services; output: component U when everyone who comes by a Service passes the proxy.
//!
//! oauth2-proxy: listens on 4180 unless `--http-address` says otherwise, `--skip-auth-route` and `--skip-auth-regex` let requests past
//! (oauth2-proxy `docs/configuration/overview.md`).

use crate::asset::Asset;
use crate::asset::grade::{Component, TOP};
use crate::asset::link::Links;
use crate::asset::signal::{command_line, image_name};
use crate::pods::{self, PodTemplate};
use crate::resource::Resource;
use crate::yaml::NodeRef;

/// Where it listens by default.
const PORT: &str = "4180";

pub(super) fn user(asset: &Asset, links: &Links) -> Option<Component> {
    let templates = pods::templates(&asset.resource);
    let proxy = templates
        .iter()
        .flat_map(PodTemplate::containers)
        .map(|c| c.node)
        .find(|container| {
            image_name(*container).is_some_and(|(image, _)| image.ends_with("/oauth2-proxy"))
        })?;
    let by_proxy = |service: &std::sync::Arc<Resource>| leads_to(service, proxy);
    if links.services.is_empty() || !links.services.iter().all(by_proxy) {
        return None;
    }
    let line = command_line(proxy).map_or_else(String::new, |(line, _)| line);
    let skips = line.contains("--skip-auth-r");
    let says = "oauth2-proxy in the pod asks for a login by OpenID Connect";
    Some(if skips {
        let says = format!("{says}, but not on the paths that --skip-auth lists");
        Component::between(0, TOP, says, Some(proxy.span()))
    } else {
        Component::known(3, says, Some(proxy.span()))
    })
}

/// Whether every port of a Service is one of the proxy's.
fn leads_to(service: &Resource, proxy: NodeRef<'_>) -> bool {
    let declared: Vec<String> = proxy
        .get("ports")
        .into_iter()
        .flat_map(NodeRef::items)
        .flat_map(|port| [port.get("containerPort"), port.get("name")])
        .flatten()
        .map(|node| node.text().to_owned())
        .collect();
    let own = |target: &str| {
        target == PORT && declared.is_empty() || declared.iter().any(|known| known == target)
    };
    let ports = service.object().at(&["spec", "ports"]);
    let mut ports = ports.into_iter().flat_map(NodeRef::items).peekable();
    ports.peek().is_some()
        && ports.all(|port| {
            let target = port.get("targetPort").or_else(|| port.get("port"));
            target.is_some_and(|target| own(target.text()))
        })
}
