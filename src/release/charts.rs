//! L3: charts whose values are understood. Input: a `Release`; output: objects that its values surely make, each value with the
//! place that sets it, and whether the release may hold policies beside.
//!
//! One row a chart, one file a chart that runs workloads. A row states what the chart's own templates do with documented
//! values; everything else of a release stays unknown.

mod ai_gateway;
mod app_template;
mod build;
mod istio_gateway;
mod litellm;
mod ollama;
mod open_webui;
mod vllm_stack;

use std::sync::Arc;

use crate::kustomize::node::Node;
use crate::release::{Chart, Release};
use crate::resource::{Resource, ResourceId};

/// What is known of a chart.
struct Row {
    /// Names of the chart.
    names: &'static [&'static str],
    /// Words of which its repository must have one, for names that other charts bear too.
    repository: &'static [&'static str],
    /// Whether releases with these values hold no policy, route or grant that the row does not make.
    is_closed: fn(&Chart) -> bool,
    /// The objects that the values make.
    objects: fn(&Release, &Chart) -> Vec<Node<'static>>,
}

const ROWS: &[Row] = &[
    // istio/istio manifests/charts/istio-control/istio-discovery: the mesh configuration, read by the Istio engine.
    Row {
        names: &["istiod", "istio-discovery"],
        repository: &[],
        is_closed: without_network_policy,
        objects: nothing,
    },
    // istio/istio manifests/charts/{base,istio-cni,ztunnel}: CRDs, accounts and node agents.
    Row {
        names: &["base", "cni", "ztunnel"],
        repository: &["istio"],
        is_closed: without_network_policy,
        objects: nothing,
    },
    Row {
        names: &["gateway"],
        repository: &["istio"],
        is_closed: without_network_policy,
        objects: istio_gateway::objects,
    },
    // kserve/kserve charts/kserve*-crd*, envoyproxy/ai-gateway manifests/charts/ai-gateway-crds-helm: definitions of kinds.
    Row {
        names: &[
            "ai-gateway-crds-helm",
            "kserve-crd",
            "kserve-crd-minimal",
            "kserve-llmisvc-crd",
            "kserve-llmisvc-crd-minimal",
        ],
        repository: &[],
        is_closed: |_| true,
        objects: nothing,
    },
    Row {
        names: &["ai-gateway-helm"],
        repository: &[],
        is_closed: open,
        objects: ai_gateway::objects,
    },
    Row {
        names: &["app-template"],
        repository: &[],
        is_closed: app_template::is_closed,
        objects: app_template::objects,
    },
    Row {
        names: &["vllm-stack"],
        repository: &[],
        is_closed: open,
        objects: vllm_stack::objects,
    },
    Row {
        names: &["ollama"],
        repository: &["otwld", "ollama-helm"],
        is_closed: ollama::is_closed,
        objects: ollama::objects,
    },
    Row {
        names: &["open-webui"],
        repository: &[],
        is_closed: open,
        objects: open_webui::objects,
    },
    Row {
        names: &["litellm-helm"],
        repository: &[],
        is_closed: open,
        objects: litellm::objects,
    },
];

fn row(chart: &Chart) -> Option<&'static Row> {
    ROWS.iter().find(|row| {
        let words = row.repository;
        row.names.contains(&chart.name.as_str())
            && (words.is_empty() || words.iter().any(|word| chart.repository.contains(word)))
    })
}

fn open(_: &Chart) -> bool {
    false
}

fn nothing(_: &Release, _: &Chart) -> Vec<Node<'static>> {
    Vec::new()
}

/// Istio's charts hold one kind of policy, since 1.28, when asked to (`templates/networkpolicy.yaml`).
fn without_network_policy(chart: &Chart) -> bool {
    let asked = chart.value(&["global", "networkPolicy", "enabled"]);
    asked.is_none_or(|asked| asked.text() == "false")
}

/// Whether a release of this chart holds no policy, route or grant that is not among [`objects`].
pub(crate) fn holds_no_policy(chart: &Chart) -> bool {
    chart.is_whole && row(chart).is_some_and(|row| (row.is_closed)(chart))
}

/// Whether the chart is one that configures Istio's control plane.
#[must_use]
pub fn is_istiod(chart: &Chart) -> bool {
    row(chart).is_some_and(|row| row.names.contains(&"istiod"))
}

/// The objects that the values of a release surely make; their numbers are set by the caller.
#[must_use]
pub fn objects(release: &Release) -> Vec<Resource> {
    let mut found = Vec::new();
    for chart in &release.charts {
        let Some(row) = row(chart) else { continue };
        for node in (row.objects)(release, chart) {
            let source = Arc::clone(release.resource.tree.source());
            let tree = Arc::new(node.to_tree(source));
            found.extend(Resource::new(ResourceId(0), &tree, 0));
        }
    }
    found
}
