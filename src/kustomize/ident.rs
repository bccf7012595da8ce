//! L2: what kustomize knows an object by. Input: `apiVersion`, `kind`, name and namespace; output: `Gvk` and `ResId`.
//!
//! Semantics: kustomize kyaml v0.18.1, resid/gvk.go and resid/resid.go; the scopes are openapi/openapi.go's
//! precomputedIsNamespaceScoped. A kind that is not listed counts as namespaced.

/// Group, version and kind; an empty part of a selector matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Gvk {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
}

impl Gvk {
    /// Splits an `apiVersion` at its first slash.
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// `group/version`, or `version` for core kinds.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether every part that is given equals this one's.
    pub(crate) fn is_selected(&self, (group, version, kind): (&str, &str, &str)) -> bool {
        (group.is_empty() || group == self.group)
            && (version.is_empty() || version == self.version)
            && (kind.is_empty() || kind == self.kind)
    }

    /// Whether the kind is one of the built-in cluster-scoped kinds.
    pub(crate) fn is_cluster_scoped(&self) -> bool {
        CLUSTER_SCOPED.iter().any(|(group, versions, kinds)| {
            *group == self.group
                && versions.contains(&self.version.as_str())
                && kinds.contains(&self.kind.as_str())
        })
    }
}

/// Namespace of cluster-scoped objects in comparisons.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";

/// The identity of an object, now or earlier in the build.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResId {
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    /// Effective namespace: `default` when none is given, [`NO_NAMESPACE`] for cluster-scoped kinds.
    pub(crate) namespace: String,
}

impl ResId {
    /// The identity of an object whose `metadata.namespace` is `namespace` (`""` = none).
    pub(crate) fn new(gvk: Gvk, name: &str, namespace: &str) -> Self {
        let namespace = if gvk.is_cluster_scoped() {
            NO_NAMESPACE
        } else if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        Self {
            namespace: namespace.to_owned(),
            gvk,
            name: name.to_owned(),
        }
    }

    /// Whether the object is cluster-scoped.
    pub(crate) fn is_cluster_scoped(&self) -> bool {
        self.namespace == NO_NAMESPACE
    }
}

impl std::fmt::Display for ResId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.gvk.kind)?;
        if !self.is_cluster_scoped() {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{} ({})", self.name, self.gvk.api_version())
    }
}

type Scope = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CLUSTER_SCOPED: &[Scope] = &[
    (
        "",
        &["v1"],
        &[
            "ComponentStatus",
            "Namespace",
            "Node",
            "NodeProxyOptions",
            "PersistentVolume",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
    (
        "apiextensions.k8s.io",
        &["v1", "v1beta1"],
        &["CustomResourceDefinition"],
    ),
    (
        "apiregistration.k8s.io",
        &["v1", "v1beta1"],
        &["APIService"],
    ),
    (
        "certificates.k8s.io",
        &["v1", "v1beta1"],
        &["CertificateSigningRequest"],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        &["v1beta1"],
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    ("networking.k8s.io", &["v1", "v1beta1"], &["IngressClass"]),
    ("node.k8s.io", &["v1", "v1beta1"], &["RuntimeClass"]),
    ("policy", &["v1beta1"], &["PodSecurityPolicy"]),
    (
        "rbac.authorization.k8s.io",
        &["v1", "v1beta1"],
        &["ClusterRole", "ClusterRoleBinding"],
    ),
    ("scheduling.k8s.io", &["v1", "v1beta1"], &["PriorityClass"]),
    (
        "storage.k8s.io",
        &["v1", "v1beta1"],
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
    ),
];
