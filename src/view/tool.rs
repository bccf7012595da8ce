//! L3: files that look like manifests and configure a tool. Input: an object; output: whether a cluster can have it.

use crate::resource::Resource;

/// API groups that no server serves: a program reads such a file where it runs.
///
/// skaffold.dev/docs/references/yaml, kind.sigs.k8s.io/docs/user/configuration, k3d.io/usage/configfile, eksctl.io/usage/schema,
/// kpt.dev `Kptfile`, kubernetes.io/docs/reference/config-api (kubeadm, kubelet, audit, client authentication), Flux plugins,
/// kubectl.docs.kubernetes.io (kustomize and its plugins).
const GROUPS: [&str; 12] = [
    "audit.k8s.io",
    "builtin",
    "client.authentication.k8s.io",
    "eksctl.io",
    "k3d.io",
    "kind.x-k8s.io",
    "kpt.dev",
    "kubeadm.k8s.io",
    "kubelet.config.k8s.io",
    "kustomize.config.k8s.io",
    "schema.plugin.fluxcd.io",
    "skaffold",
];

/// Whether the object configures a tool, so that nobody applies it.
pub(crate) fn is_for_a_tool(resource: &Resource) -> bool {
    GROUPS.binary_search(&resource.group()).is_ok()
}
