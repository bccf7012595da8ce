//! Mesh-wide settings. Input: ConfigMap `istio`, IstioOperator, Istio CR, Helm values of `istiod`; output: `MeshConfig`.
//!
//! Defaults: istio/istio `pkg/config/mesh/mesh.go:DefaultMeshConfig`.

use std::sync::Arc;

use crate::facts::Step;
use crate::facts::assumptions::IstioAssumptions;
use crate::release::charts::is_istiod;
use crate::release::{Chart, Release};
use crate::resource::Resource;
use crate::source::SourceFile;
use crate::view::View;
use crate::yaml::{self, NodeRef};

/// What a port list annotation or value captures when nothing is set: every port.
pub(crate) const ALL_PORTS: &str = "*";

/// An external authorizer of `extensionProviders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Name that CUSTOM policies use.
    pub name: String,
    /// Whether it is `envoyExtAuthzGrpc`, which also works on TCP ports.
    pub grpc: bool,
    /// Whether it authorizes at all: `envoyExtAuthzGrpc` or `envoyExtAuthzHttp`.
    pub authorizes: bool,
}

/// Settings of the mesh; a field that no file sets has Istio's default.
#[derive(Clone, Debug)]
pub struct MeshConfig {
    /// Whether an object of the view installs or configures the mesh, so that the view shows all of it.
    pub present: bool,
    /// Namespace of mesh-wide policies.
    pub root_namespace: String,
    /// The trust domain, then its aliases.
    pub trust_domains: Vec<String>,
    /// Whether clients use mutual TLS without being told.
    pub auto_mtls: bool,
    /// External authorizers.
    pub providers: Vec<Provider>,
    /// Whether DestinationRules without `exportTo` stay in their namespace.
    pub private_destination_rules: bool,
    /// Whether sidecars accept HBONE, so that ambient callers reach them with an identity.
    pub sidecar_hbone: bool,
    /// Whether unlabelled namespaces get sidecars.
    pub inject_by_default: bool,
    /// Whether injection is off unless a pod asks for it (`global.proxy.autoInject: disabled`).
    pub inject_on_request: bool,
    /// `global.proxy.includeInboundPorts`.
    pub include_inbound_ports: String,
    /// `global.proxy.excludeInboundPorts`.
    pub exclude_inbound_ports: String,
    /// `outboundTrafficPolicy.mode`, with where it stands.
    pub outbound: Option<(String, Step)>,
    /// The fields that were read, for proofs.
    pub steps: Vec<Step>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self {
            present: false,
            root_namespace: "istio-system".to_owned(),
            trust_domains: vec!["cluster.local".to_owned()],
            auto_mtls: true,
            providers: Vec::new(),
            private_destination_rules: false,
            sidecar_hbone: false,
            inject_by_default: false,
            inject_on_request: false,
            include_inbound_ports: ALL_PORTS.to_owned(),
            exclude_inbound_ports: String::new(),
            outbound: None,
            steps: Vec::new(),
        }
    }
}

impl MeshConfig {
    /// Reads the settings of a view: Helm values and operators first, then the ConfigMap, which is what the control plane reads.
    #[must_use]
    pub fn of(view: &View, assume: &IstioAssumptions) -> Self {
        let mut config = Self::default();
        if let Some(root) = &assume.root_namespace {
            config.root_namespace.clone_from(root);
        }
        if let Some(domain) = &assume.trust_domain {
            config.trust_domains = vec![domain.clone()];
        }
        let aliases = assume.trust_domain_aliases.iter().cloned();
        config.trust_domains.extend(aliases);
        if let Some(mode) = &assume.outbound_traffic_policy {
            let says = format!("calls out of the mesh: {mode}");
            let step = Step::assumed("istio.outboundTrafficPolicy", says);
            config.outbound = Some((mode.clone(), step));
        }
        for (group, kind) in [
            ("install.istio.io", "IstioOperator"),
            ("sailoperator.io", "Istio"),
            ("operator.istio.io", "Istio"),
        ] {
            for member in view.of_kind(group, kind) {
                config.read_operator(&member.resource);
            }
        }
        for release in &view.releases {
            for chart in release.charts.iter().filter(|chart| is_istiod(chart)) {
                config.read_release(release, chart);
            }
        }
        for member in view.of_kind("", "ConfigMap") {
            let name = &member.resource.name;
            if name == "istio" || name.starts_with("istio-") {
                config.read_config_map(&member.resource);
            }
        }
        config
    }

    fn read_operator(&mut self, resource: &Arc<Resource>) {
        let Some(spec) = resource.object().get("spec") else {
            return;
        };
        self.found(resource, spec, "installs Istio");
        if let Some(values) = spec.get("values") {
            self.read_values(resource, values);
        }
        if let Some(mesh) = spec.get("meshConfig") {
            self.read_mesh(resource, mesh);
        }
    }

    fn read_release(&mut self, release: &Release, chart: &Chart) {
        let resource = &release.resource;
        // What cannot be read may set anything, so such a release shows Istio but not all of its settings.
        self.present |= chart.is_whole;
        self.steps
            .push(Step::decides(resource, release.span, "installs istiod"));
        // `profile: ambient` lets sidecars speak HBONE (istio-discovery `files/profile-ambient.yaml`).
        if chart.value(&["profile"]).map(NodeRef::text) == Some("ambient") {
            self.sidecar_hbone = true;
        }
        if let Some(values) = chart.values() {
            self.read_values(resource, values);
        }
    }

    fn read_config_map(&mut self, resource: &Arc<Resource>) {
        let Some(node) = resource.object().at(&["data", "mesh"]) else {
            return;
        };
        self.found(resource, node, "configures the mesh");
        let file = Arc::new(SourceFile::new(node.span().source, "mesh", node.text()));
        let parsed = yaml::parse(&file);
        if let Some(document) = parsed.documents.first() {
            self.read_mesh(resource, parsed.tree.node(document.root));
        }
    }

    fn found(&mut self, resource: &Resource, node: NodeRef<'_>, says: &str) {
        self.present = true;
        self.steps.push(Step::decides(resource, node.span(), says));
    }

    fn read_values(&mut self, resource: &Arc<Resource>, values: NodeRef<'_>) {
        let text = |path: &[&str]| values.at(path).map(NodeRef::text);
        if let Some(ports) = text(&["global", "proxy", "includeInboundPorts"]) {
            ports.clone_into(&mut self.include_inbound_ports);
        }
        if let Some(ports) = text(&["global", "proxy", "excludeInboundPorts"]) {
            ports.clone_into(&mut self.exclude_inbound_ports);
        }
        if let Some(mode) = text(&["global", "proxy", "autoInject"]) {
            self.inject_on_request = mode == "disabled";
        }
        let by_default = ["sidecarInjectorWebhook", "enableNamespacesByDefault"];
        if let Some(all) = values.at(&by_default).and_then(NodeRef::as_bool) {
            self.inject_by_default = all;
        }
        if let Some(mesh) = values.get("meshConfig") {
            self.read_mesh(resource, mesh);
        }
    }

    fn read_mesh(&mut self, resource: &Resource, mesh: NodeRef<'_>) {
        if let Some(mode) = mesh.at(&["outboundTrafficPolicy", "mode"]) {
            // The mesh settings of a ConfigMap are a text of their own, whose places mean nothing outside it.
            let span = self.steps.last().and_then(Step::span);
            let says = format!("the mesh says {}", mode.text());
            let step = Step::decides(resource, span.unwrap_or_else(|| resource.name_span()), says);
            self.outbound = Some((mode.text().to_owned(), step));
        }
        let text = |name: &str| mesh.get(name).map(NodeRef::text).filter(|t| !t.is_empty());
        if let Some(root) = text("rootNamespace") {
            root.clone_into(&mut self.root_namespace);
        }
        if let Some(domain) = text("trustDomain") {
            self.trust_domains = vec![domain.to_owned()];
        }
        if let Some(aliases) = mesh.get("trustDomainAliases") {
            self.trust_domains.truncate(1);
            let aliases = aliases.items().map(|a| a.text().to_owned());
            self.trust_domains.extend(aliases);
        }
        if let Some(auto) = mesh.get("enableAutoMtls").and_then(NodeRef::as_bool) {
            self.auto_mtls = auto;
        }
        if let Some(export) = mesh.get("defaultDestinationRuleExportTo") {
            self.private_destination_rules = export.items().any(|e| e.text() == ".");
        }
        let hbone = ["defaultConfig", "proxyMetadata", "ISTIO_META_ENABLE_HBONE"];
        if let Some(on) = mesh.at(&hbone) {
            self.sidecar_hbone = on.text() == "true";
        }
        if let Some(providers) = mesh.get("extensionProviders") {
            self.providers = providers.items().map(provider).collect();
        }
    }
}

fn provider(node: NodeRef<'_>) -> Provider {
    let grpc = node.get("envoyExtAuthzGrpc").is_some();
    Provider {
        name: node.get("name").map_or("", NodeRef::text).to_owned(),
        grpc,
        authorizes: grpc || node.get("envoyExtAuthzHttp").is_some(),
    }
}
