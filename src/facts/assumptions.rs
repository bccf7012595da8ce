//! L4: what the reader tells us to take for granted. Input: the `assume:` section of a config or of a rule's example, its
//! shape already checked; output: `Assumptions`.

use std::collections::{BTreeMap, BTreeSet};

use crate::yaml::NodeRef;

/// The `assume:` section; everything absent is not assumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// Namespaces whose objects are all in the view; `root` stands for the mesh's root namespace.
    pub complete: BTreeSet<String>,
    /// A mesh that is there though the view shows no sign of it: `istio`
    pub mesh: Option<String>,
    /// Namespace of objects that name none.
    pub default_namespace: Option<String>,
    /// Labels of namespaces that have no Namespace object in the view.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Files with objects that are taken to be in every view, relative to the config.
    pub objects: Vec<String>,
    /// Istio's settings.
    pub istio: IstioAssumptions,
    /// Whether the network plugin enforces NetworkPolicy.
    pub cni_enforces_network_policy: Option<bool>,
}

/// `assume.istio`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IstioAssumptions {
    /// Root namespace, where mesh-wide policies live.
    pub root_namespace: Option<String>,
    /// Trust domain of the mesh.
    pub trust_domain: Option<String>,
    /// Other names of the trust domain.
    pub trust_domain_aliases: Vec<String>,
    /// `ALLOW_ANY` or `REGISTRY_ONLY`.
    pub outbound_traffic_policy: Option<String>,
}

impl Assumptions {
    /// Reads a section; scalars of any kind read as their text, so that a number need not be quoted.
    #[must_use]
    pub fn read(section: NodeRef<'_>) -> Self {
        let text = |path: &[&str]| section.at(path).and_then(scalar_text);
        let texts = |path: &[&str]| -> Vec<String> {
            let list = section.at(path);
            list.into_iter()
                .flat_map(NodeRef::items)
                .filter_map(scalar_text)
                .collect()
        };
        let truth = |path: &[&str]| section.at(path).and_then(NodeRef::as_bool);
        Self {
            complete: texts(&["complete"]).into_iter().collect(),
            mesh: text(&["mesh"]),
            default_namespace: text(&["defaultNamespace"]),
            namespaces: section
                .get("namespaces")
                .into_iter()
                .flat_map(NodeRef::entries)
                .map(|(name, namespace)| (name.key_text().into_owned(), labels(namespace)))
                .collect(),
            objects: texts(&["objects"]),
            istio: IstioAssumptions {
                root_namespace: text(&["istio", "rootNamespace"]),
                trust_domain: text(&["istio", "trustDomain"]),
                trust_domain_aliases: texts(&["istio", "trustDomainAliases"]),
                outbound_traffic_policy: text(&["istio", "outboundTrafficPolicy"]),
            },
            cni_enforces_network_policy: truth(&["cni", "enforcesNetworkPolicy"]),
        }
    }

    /// Whether all objects of a namespace are said to be in the view; `root` is the mesh's root namespace.
    #[must_use]
    pub fn is_complete(&self, namespace: &str, root: &str) -> bool {
        self.complete.contains(namespace) || (namespace == root && self.complete.contains("root"))
    }
}

fn labels(namespace: NodeRef<'_>) -> BTreeMap<String, String> {
    namespace
        .get("labels")
        .into_iter()
        .flat_map(NodeRef::entries)
        .filter_map(|(key, value)| Some((key.key_text().into_owned(), scalar_text(value)?)))
        .collect()
}

fn scalar_text(node: NodeRef<'_>) -> Option<String> {
    let is_scalar = !node.is_map() && !node.is_seq() && !node.is_null();
    is_scalar.then(|| node.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId};
    use std::sync::Arc;

    #[test]
    fn a_section_is_read_whole() {
        let text = "complete: [ml, root]\nmesh: istio\ndefaultNamespace: apps\nnamespaces: {ml: {labels: {istio-injection: enabled}}}\nistio: {trustDomain: 7, trustDomainAliases: [old.local]}\ncni: {enforcesNetworkPolicy: false}\n";
        let file = Arc::new(SourceFile::new(SourceId(0), "a", text));
        let parsed = crate::yaml::parse(&file);
        let assumed = Assumptions::read(parsed.tree.node(parsed.documents[0].root));
        assert_eq!(assumed.istio.trust_domain.as_deref(), Some("7"));
        assert_eq!(assumed.namespaces["ml"]["istio-injection"], "enabled");
        assert_eq!(assumed.cni_enforces_network_policy, Some(false));
        assert_eq!(assumed.istio.trust_domain_aliases, ["old.local"]);
        assert!(assumed.is_complete("ml", "istio-system"));
        assert!(assumed.is_complete("istio-system", "istio-system"));
        assert!(!assumed.is_complete("apps", "istio-system"));
    }
}
