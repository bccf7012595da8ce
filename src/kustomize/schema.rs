//! L2: list merge keys of the built-in kinds. Input: `apiVersion` and kind; output: the type whose lists are merged by key.
//!
//! The rows are the `x-kubernetes-patch-strategy: merge` fields of Kubernetes 1.21.2's OpenAPI document, the one that
//! kustomize 5.5 embeds (kyaml v0.18.1, openapi/kubernetesapi/v1_21_2). Kinds that it does not know have no merge keys.

/// The fields of a type that hold merged lists, or lead to them.
#[derive(Debug)]
pub(crate) struct Type(&'static [Field]);

/// One field of a [`Type`].
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    /// Type of the value, of the elements for a list.
    pub(crate) child: Option<&'static Type>,
    /// For a merged list its keys; none for a merged list of scalars.
    pub(crate) merge: Option<&'static [&'static str]>,
}

const fn field(
    name: &'static str,
    child: Option<&'static Type>,
    merge: Option<&'static [&'static str]>,
) -> Field {
    Field { name, child, merge }
}

impl Type {
    /// The row of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.0.iter().find(|f| f.name == name)
    }
}

/// The type of a built-in kind of Kubernetes 1.21.2.
pub(crate) fn of_kind(api_version: &str, kind: &str) -> Option<&'static Type> {
    let special = SPECIAL
        .iter()
        .find(|(v, k, _)| *v == api_version && *k == kind)
        .map(|(_, _, t)| *t);
    special.or_else(|| {
        PLAIN
            .iter()
            .find(|(v, kinds)| *v == api_version && kinds.contains(&kind))
            .map(|_| &PLAIN_OBJECT)
    })
}

static OBJECT_META: Type = Type(&[
    field("finalizers", None, Some(&[])),
    field("ownerReferences", None, Some(&["uid"])),
]);

static COMPONENT_STATUS: Type = Type(&[
    field("conditions", None, Some(&["type"])),
    field("metadata", Some(&OBJECT_META), None),
]);

static CONDITIONS: Type = Type(&[field("conditions", None, Some(&["type"]))]);

static WITH_CONDITIONS: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("status", Some(&CONDITIONS), None),
]);

static NODE_SPEC: Type = Type(&[field("podCIDRs", None, Some(&[]))]);

static NODE_STATUS: Type = Type(&[
    field("addresses", None, Some(&["type"])),
    field("conditions", None, Some(&["type"])),
]);

static NODE: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&NODE_SPEC), None),
    field("status", Some(&NODE_STATUS), None),
]);

static CONTAINER: Type = Type(&[
    field("env", None, Some(&["name"])),
    field("ports", None, Some(&["containerPort", "protocol"])),
    field("volumeDevices", None, Some(&["devicePath"])),
    field("volumeMounts", None, Some(&["mountPath"])),
]);

static EPHEMERAL_CONTAINER: Type = Type(&[
    field("env", None, Some(&["name"])),
    field("volumeDevices", None, Some(&["devicePath"])),
    field("volumeMounts", None, Some(&["mountPath"])),
]);

static PERSISTENT_VOLUME_CLAIM_TEMPLATE: Type =
    Type(&[field("metadata", Some(&OBJECT_META), None)]);

static EPHEMERAL_VOLUME_SOURCE: Type = Type(&[field(
    "volumeClaimTemplate",
    Some(&PERSISTENT_VOLUME_CLAIM_TEMPLATE),
    None,
)]);

static VOLUME: Type = Type(&[field("ephemeral", Some(&EPHEMERAL_VOLUME_SOURCE), None)]);

static POD_SPEC: Type = Type(&[
    field("containers", Some(&CONTAINER), Some(&["name"])),
    field(
        "ephemeralContainers",
        Some(&EPHEMERAL_CONTAINER),
        Some(&["name"]),
    ),
    field("hostAliases", None, Some(&["ip"])),
    field("imagePullSecrets", None, Some(&["name"])),
    field("initContainers", Some(&CONTAINER), Some(&["name"])),
    field(
        "topologySpreadConstraints",
        None,
        Some(&["topologyKey", "whenUnsatisfiable"]),
    ),
    field("volumes", Some(&VOLUME), Some(&["name"])),
]);

static POD_STATUS: Type = Type(&[
    field("conditions", None, Some(&["type"])),
    field("podIPs", None, Some(&["ip"])),
]);

static POD: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&POD_SPEC), None),
    field("status", Some(&POD_STATUS), None),
]);

static POD_TEMPLATE_SPEC: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&POD_SPEC), None),
]);

static POD_TEMPLATE: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("template", Some(&POD_TEMPLATE_SPEC), None),
]);

static WORKLOAD_SPEC: Type = Type(&[field("template", Some(&POD_TEMPLATE_SPEC), None)]);

static WORKLOAD: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&WORKLOAD_SPEC), None),
    field("status", Some(&CONDITIONS), None),
]);

static SERVICE_SPEC: Type = Type(&[field("ports", None, Some(&["port", "protocol"]))]);

static SERVICE: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&SERVICE_SPEC), None),
    field("status", Some(&CONDITIONS), None),
]);

static SERVICE_ACCOUNT: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("secrets", None, Some(&["name"])),
]);

static WEBHOOK_CONFIGURATION: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("webhooks", None, Some(&["name"])),
]);

static STATEFUL_SET_SPEC: Type = Type(&[
    field("template", Some(&POD_TEMPLATE_SPEC), None),
    field("volumeClaimTemplates", Some(&WITH_CONDITIONS), None),
]);

static STATEFUL_SET: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&STATEFUL_SET_SPEC), None),
    field("status", Some(&CONDITIONS), None),
]);

static JOB_TEMPLATE_SPEC: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&WORKLOAD_SPEC), None),
]);

static CRON_JOB_SPEC: Type = Type(&[field("jobTemplate", Some(&JOB_TEMPLATE_SPEC), None)]);

static CRON_JOB: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&CRON_JOB_SPEC), None),
]);

static CSI_NODE_SPEC: Type = Type(&[field("drivers", None, Some(&["name"]))]);

static CSI_NODE: Type = Type(&[
    field("metadata", Some(&OBJECT_META), None),
    field("spec", Some(&CSI_NODE_SPEC), None),
]);

static PLAIN_OBJECT: Type = Type(&[field("metadata", Some(&OBJECT_META), None)]);

/// Kinds with merged lists of their own.
static SPECIAL: &[(&str, &str, &Type)] = &[
    ("v1", "ComponentStatus", &COMPONENT_STATUS),
    ("v1", "Namespace", &WITH_CONDITIONS),
    ("v1", "Node", &NODE),
    ("v1", "PersistentVolumeClaim", &WITH_CONDITIONS),
    ("v1", "Pod", &POD),
    ("v1", "PodTemplate", &POD_TEMPLATE),
    ("v1", "ReplicationController", &WORKLOAD),
    ("v1", "Service", &SERVICE),
    ("v1", "ServiceAccount", &SERVICE_ACCOUNT),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        &WEBHOOK_CONFIGURATION,
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        &WEBHOOK_CONFIGURATION,
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        &WEBHOOK_CONFIGURATION,
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        &WEBHOOK_CONFIGURATION,
    ),
    ("apiregistration.k8s.io/v1", "APIService", &WITH_CONDITIONS),
    (
        "apiregistration.k8s.io/v1beta1",
        "APIService",
        &WITH_CONDITIONS,
    ),
    ("apps/v1", "DaemonSet", &WORKLOAD),
    ("apps/v1", "Deployment", &WORKLOAD),
    ("apps/v1", "ReplicaSet", &WORKLOAD),
    ("apps/v1", "StatefulSet", &STATEFUL_SET),
    ("batch/v1", "CronJob", &CRON_JOB),
    ("batch/v1", "Job", &WORKLOAD),
    ("batch/v1beta1", "CronJob", &CRON_JOB),
    ("policy/v1", "PodDisruptionBudget", &WITH_CONDITIONS),
    ("policy/v1beta1", "PodDisruptionBudget", &WITH_CONDITIONS),
    ("storage.k8s.io/v1", "CSINode", &CSI_NODE),
    ("storage.k8s.io/v1beta1", "CSINode", &CSI_NODE),
];

/// Kinds whose only merged lists are those of `metadata`.
static PLAIN: &[(&str, &[&str])] = &[
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    (
        "apiextensions.k8s.io/v1beta1",
        &["CustomResourceDefinition"],
    ),
    ("apps/v1", &["ControllerRevision"]),
    ("authentication.k8s.io/v1", &["TokenRequest", "TokenReview"]),
    ("authentication.k8s.io/v1beta1", &["TokenReview"]),
    (
        "authorization.k8s.io/v1",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    (
        "authorization.k8s.io/v1beta1",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    ("autoscaling/v1", &["HorizontalPodAutoscaler", "Scale"]),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"]),
    ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"]),
    ("certificates.k8s.io/v1", &["CertificateSigningRequest"]),
    (
        "certificates.k8s.io/v1beta1",
        &["CertificateSigningRequest"],
    ),
    ("coordination.k8s.io/v1", &["Lease"]),
    ("coordination.k8s.io/v1beta1", &["Lease"]),
    ("discovery.k8s.io/v1", &["EndpointSlice"]),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"]),
    ("events.k8s.io/v1", &["Event"]),
    ("events.k8s.io/v1beta1", &["Event"]),
    ("extensions/v1beta1", &["Ingress"]),
    (
        "flowcontrol.apiserver.k8s.io/v1beta1",
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    (
        "networking.k8s.io/v1",
        &["Ingress", "IngressClass", "NetworkPolicy"],
    ),
    ("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"]),
    ("node.k8s.io/v1", &["RuntimeClass"]),
    ("node.k8s.io/v1beta1", &["RuntimeClass"]),
    ("policy/v1beta1", &["Eviction", "PodSecurityPolicy"]),
    (
        "rbac.authorization.k8s.io/v1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io/v1", &["PriorityClass"]),
    ("scheduling.k8s.io/v1beta1", &["PriorityClass"]),
    (
        "storage.k8s.io/v1",
        &["CSIDriver", "StorageClass", "VolumeAttachment"],
    ),
    (
        "storage.k8s.io/v1beta1",
        &[
            "CSIDriver",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
        ],
    ),
    (
        "v1",
        &[
            "Binding",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "PersistentVolume",
            "ResourceQuota",
            "Secret",
        ],
    ),
];
