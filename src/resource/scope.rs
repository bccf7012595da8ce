//! L2: which kinds are cluster-scoped. Input: group and kind; output: the scope, where a table or a CRD of the tree tells.
//!
//! Kubernetes: `kubectl api-resources` of 1.34 and the REST storage of each group; projects: the `scope` of their CRDs.

use std::collections::HashMap;

use crate::resource::{GroupKind, Resource};
use crate::yaml::NodeRef;

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One per cluster.
    Cluster,
    /// One per namespace.
    Namespaced,
}

/// Scopes of the kinds that a tree defines itself, by its CustomResourceDefinitions.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    defined: HashMap<GroupKind, Scope>,
}

impl Scopes {
    /// Reads the CRDs among `resources`; of two for one kind the later counts.
    pub fn of<'r>(resources: impl IntoIterator<Item = &'r Resource>) -> Self {
        let defined = resources
            .into_iter()
            .filter(|r| r.is("apiextensions.k8s.io", "CustomResourceDefinition"))
            .filter_map(defined_kind)
            .collect();
        Self { defined }
    }

    /// Whether the kind is cluster-scoped; an unknown kind counts as namespaced.
    #[must_use]
    pub fn is_cluster(&self, kind: &GroupKind) -> bool {
        let known = self.defined.get(kind).copied().or_else(|| known(kind));
        known == Some(Scope::Cluster)
    }
}

fn defined_kind(crd: &Resource) -> Option<(GroupKind, Scope)> {
    let spec = crd.object().get("spec")?;
    let text = |path: &[&str]| spec.at(path).and_then(NodeRef::as_str);
    let kind = GroupKind {
        group: text(&["group"])?.to_owned(),
        kind: text(&["names", "kind"])?.to_owned(),
    };
    let scope = match text(&["scope"])? {
        "Cluster" => Scope::Cluster,
        "Namespaced" => Scope::Namespaced,
        _ => return None,
    };
    Some((kind, scope))
}

/// The scope of a kind from the built-in table.
#[must_use]
pub fn known(kind: &GroupKind) -> Option<Scope> {
    let (group, name) = (kind.group.as_str(), kind.kind.as_str());
    if is_known_cluster(group, name) {
        return Some(Scope::Cluster);
    }
    NAMESPACED
        .iter()
        .any(|(g, kinds)| *g == group && kinds.contains(&name))
        .then_some(Scope::Namespaced)
}

/// Whether the API server refuses an object of this kind without a name: all persisted built-in kinds, not the reviews.
/// Cluster-wide settings of operators are left out: repositories keep partial ones as profiles.
#[must_use]
pub fn needs_name(kind: &GroupKind) -> bool {
    let is_built_in = !kind.group.contains('.') || kind.group.ends_with(".k8s.io");
    !kind.kind.ends_with("Review")
        && match known(kind) {
            Some(Scope::Cluster) => is_built_in,
            Some(Scope::Namespaced) => true,
            None => false,
        }
}

fn is_known_cluster(group: &str, kind: &str) -> bool {
    CLUSTER
        .iter()
        .any(|(g, kinds)| *g == group && (kinds.is_empty() || kinds.contains(&kind)))
}

/// Cluster-scoped kinds by group; no kinds = every kind of the group.
const CLUSTER: &[(&str, &[&str])] = &[
    (
        "",
        &["Namespace", "Node", "PersistentVolume", "ComponentStatus"],
    ),
    (
        "rbac.authorization.k8s.io",
        &["ClusterRole", "ClusterRoleBinding"],
    ),
    (
        "storage.k8s.io",
        &[
            "StorageClass",
            "VolumeAttachment",
            "CSIDriver",
            "CSINode",
            "VolumeAttributesClass",
        ],
    ),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("node.k8s.io", &["RuntimeClass"]),
    (
        "networking.k8s.io",
        &["IngressClass", "IPAddress", "ServiceCIDR"],
    ),
    (
        "certificates.k8s.io",
        &["CertificateSigningRequest", "ClusterTrustBundle"],
    ),
    ("admissionregistration.k8s.io", &[]),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    (
        "flowcontrol.apiserver.k8s.io",
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    (
        "resource.k8s.io",
        &["DeviceClass", "ResourceSlice", "DeviceTaintRule"],
    ),
    ("policy", &["PodSecurityPolicy"]),
    (
        "authentication.k8s.io",
        &["TokenReview", "SelfSubjectReview"],
    ),
    (
        "authorization.k8s.io",
        &[
            "SubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
        ],
    ),
    (
        "snapshot.storage.k8s.io",
        &["VolumeSnapshotClass", "VolumeSnapshotContent"],
    ),
    // Networking, meshes and gateways.
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    (
        "policy.networking.k8s.io",
        &[
            "AdminNetworkPolicy",
            "BaselineAdminNetworkPolicy",
            "ClusterNetworkPolicy",
        ],
    ),
    (
        "sailoperator.io",
        &[
            "Istio",
            "IstioRevision",
            "IstioRevisionTag",
            "IstioCNI",
            "ZTunnel",
        ],
    ),
    (
        "kuma.io",
        &[
            "Mesh",
            "MeshInsight",
            "ServiceInsight",
            "Zone",
            "ZoneInsight",
            "CircuitBreaker",
            "ExternalService",
            "FaultInjection",
            "HealthCheck",
            "MeshGateway",
            "MeshGatewayRoute",
            "ProxyTemplate",
            "RateLimit",
            "Retry",
            "Timeout",
            "TrafficLog",
            "TrafficPermission",
            "TrafficRoute",
            "TrafficTrace",
            "VirtualOutbound",
            "MeshGatewayConfig",
        ],
    ),
    (
        "cilium.io",
        &[
            "CiliumClusterwideNetworkPolicy",
            "CiliumClusterwideEnvoyConfig",
            "CiliumNode",
            "CiliumIdentity",
            "CiliumLoadBalancerIPPool",
            "CiliumBGPPeeringPolicy",
            "CiliumBGPClusterConfig",
            "CiliumBGPPeerConfig",
            "CiliumBGPAdvertisement",
            "CiliumBGPNodeConfig",
            "CiliumBGPNodeConfigOverride",
            "CiliumEgressGatewayPolicy",
            "CiliumCIDRGroup",
            "CiliumL2AnnouncementPolicy",
            "CiliumExternalWorkload",
            "CiliumPodIPPool",
        ],
    ),
    ("crd.projectcalico.org", CALICO),
    ("projectcalico.org", CALICO),
    (
        "operator.tigera.io",
        &[
            "Installation",
            "APIServer",
            "TigeraStatus",
            "Goldmane",
            "Whisker",
        ],
    ),
    (
        "spire.spiffe.io",
        &[
            "ClusterSPIFFEID",
            "ClusterStaticEntry",
            "ClusterFederatedTrustDomain",
        ],
    ),
    ("cert-manager.io", &["ClusterIssuer"]),
    ("trust.cert-manager.io", &["Bundle"]),
    // Policy engines.
    (
        "kyverno.io",
        &[
            "ClusterPolicy",
            "ClusterCleanupPolicy",
            "GlobalContextEntry",
        ],
    ),
    (
        "policies.kyverno.io",
        &[
            "ValidatingPolicy",
            "MutatingPolicy",
            "GeneratingPolicy",
            "DeletingPolicy",
            "ImageValidatingPolicy",
        ],
    ),
    ("wgpolicyk8s.io", &["ClusterPolicyReport"]),
    ("constraints.gatekeeper.sh", &[]),
    ("mutations.gatekeeper.sh", &[]),
    ("templates.gatekeeper.sh", &["ConstraintTemplate"]),
    ("expansion.gatekeeper.sh", &["ExpansionTemplate"]),
    ("externaldata.gatekeeper.sh", &["Provider"]),
    // AI platforms.
    (
        "serving.kserve.io",
        &[
            "ClusterServingRuntime",
            "ClusterStorageContainer",
            "ClusterLocalModel",
            "LocalModelCache",
            "LocalModelNode",
            "LocalModelNodeGroup",
        ],
    ),
    ("trainer.kubeflow.org", &["ClusterTrainingRuntime"]),
    ("kubeflow.org", &["Profile"]),
    ("nvidia.com", &["ClusterPolicy", "NVIDIADriver"]),
    (
        "kueue.x-k8s.io",
        &[
            "ClusterQueue",
            "ResourceFlavor",
            "Cohort",
            "Topology",
            "WorkloadPriorityClass",
            "AdmissionCheck",
        ],
    ),
    // Delivery, secrets, platform.
    (
        "argoproj.io",
        &["ClusterWorkflowTemplate", "ClusterAnalysisTemplate"],
    ),
    (
        "external-secrets.io",
        &[
            "ClusterSecretStore",
            "ClusterExternalSecret",
            "ClusterPushSecret",
        ],
    ),
    ("generators.external-secrets.io", &["ClusterGenerator"]),
    ("keda.sh", &["ClusterTriggerAuthentication"]),
    ("karpenter.sh", &["NodePool", "NodeClaim"]),
    ("karpenter.k8s.aws", &["EC2NodeClass"]),
    ("networking.internal.knative.dev", &["ClusterDomainClaim"]),
    ("tekton.dev", &["ClusterTask"]),
    ("operator.tekton.dev", &[]),
    (
        "metacontroller.k8s.io",
        &["CompositeController", "DecoratorController"],
    ),
    ("apiextensions.crossplane.io", &[]),
    ("pkg.crossplane.io", &[]),
    ("config.openshift.io", &[]),
    ("security.openshift.io", &["SecurityContextConstraints"]),
    ("project.openshift.io", &["Project"]),
];

const CALICO: &[&str] = &[
    "GlobalNetworkPolicy",
    "GlobalNetworkSet",
    "StagedGlobalNetworkPolicy",
    "Tier",
    "IPPool",
    "IPReservation",
    "HostEndpoint",
    "FelixConfiguration",
    "BGPConfiguration",
    "BGPPeer",
    "BGPFilter",
    "ClusterInformation",
    "KubeControllersConfiguration",
    "IPAMBlock",
    "IPAMConfig",
    "IPAMHandle",
    "BlockAffinity",
    "CalicoNodeStatus",
];

/// Namespaced kinds that the API server knows itself, and mesh kinds whose absence of a name is surely an error.
const NAMESPACED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    (
        "apps",
        &[
            "ControllerRevision",
            "DaemonSet",
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
        ],
    ),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    ("batch", &["CronJob", "Job"]),
    ("coordination.k8s.io", &["Lease"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("networking.k8s.io", &["Ingress", "NetworkPolicy"]),
    ("policy", &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io", &["Role", "RoleBinding"]),
    ("storage.k8s.io", &["CSIStorageCapacity"]),
    (
        "security.istio.io",
        &[
            "AuthorizationPolicy",
            "PeerAuthentication",
            "RequestAuthentication",
        ],
    ),
    (
        "networking.istio.io",
        &[
            "DestinationRule",
            "EnvoyFilter",
            "Gateway",
            "ProxyConfig",
            "ServiceEntry",
            "Sidecar",
            "VirtualService",
            "WorkloadEntry",
            "WorkloadGroup",
        ],
    ),
    (
        "gateway.networking.k8s.io",
        &[
            "BackendTLSPolicy",
            "GRPCRoute",
            "Gateway",
            "HTTPRoute",
            "ListenerSet",
            "ReferenceGrant",
            "TCPRoute",
            "TLSRoute",
            "UDPRoute",
        ],
    ),
    ("gateway.networking.x-k8s.io", &["XListenerSet"]),
    ("route.openshift.io", &["Route"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, kind: &str) -> GroupKind {
        GroupKind {
            group: group.to_owned(),
            kind: kind.to_owned(),
        }
    }

    #[test]
    fn scopes_come_from_the_table() {
        assert_eq!(known(&kind("", "Namespace")), Some(Scope::Cluster));
        assert_eq!(known(&kind("apps", "Deployment")), Some(Scope::Namespaced));
        assert_eq!(
            known(&kind("constraints.gatekeeper.sh", "K8sAnything")),
            Some(Scope::Cluster)
        );
        // KServe's Gateway API neighbour shares the kind name with Istio's; both are namespaced.
        assert_eq!(
            known(&kind("networking.istio.io", "Gateway")),
            Some(Scope::Namespaced)
        );
        assert_eq!(known(&kind("example.com", "Deployment")), None);
    }
}
