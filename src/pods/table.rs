//! L2: the table kind → where its pods are. Input: an object and a path; output: pod templates.
//!
//! Kubernetes: `k8s.io/api` types; the rest: the CRDs of each project (domain study, section 1.1). A path is field names
//! joined by dots; `x[]` is every item of a list, `*` every entry of a map, `*X` every entry whose key ends in `X`.

use crate::pods::PodTemplate;
use crate::yaml::NodeRef;

/// How the node at a path is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `metadata` and `spec`, like `spec.template` of a Deployment.
    Template,
    /// The fields of a pod spec themselves.
    Spec,
    /// A pod spec with KServe's model containers and own `labels` and `annotations` beside.
    KserveComponent,
    /// The fields of a single container, with some of a pod beside them.
    Container,
}

/// A built-in row.
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) kinds: &'static [&'static str],
    pub(crate) role: &'static str,
    pub(crate) path: &'static str,
    pub(crate) shape: Shape,
}

const fn row(
    group: &'static str,
    kinds: &'static [&'static str],
    role: &'static str,
    path: &'static str,
    shape: Shape,
) -> Row {
    Row {
        group,
        kinds,
        role,
        path,
        shape,
    }
}

/// Fields of an InferenceService component that are a container (v1beta1 `PredictorSpec`, `ExplainerSpec`).
pub(crate) const KSERVE_FRAMEWORKS: &[&str] = &[
    "model",
    "sklearn",
    "xgboost",
    "tensorflow",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "lightgbm",
    "paddle",
    "pmml",
    "art",
];

/// Rows are tried in order.
#[rustfmt::skip]
pub(crate) const BUILT_IN: &[Row] = &[
    row("", &["Pod"], "", "", Shape::Template),
    row("", &["PodTemplate"], "", "template", Shape::Template),
    row("", &["ReplicationController"], "", "spec.template", Shape::Template),
    row("apps", &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"], "", "spec.template", Shape::Template),
    row("batch", &["Job"], "", "spec.template", Shape::Template),
    row("batch", &["CronJob"], "", "spec.jobTemplate.spec.template", Shape::Template),
    row("apps.openshift.io", &["DeploymentConfig"], "", "spec.template", Shape::Template),
    row("argoproj.io", &["Rollout"], "", "spec.template", Shape::Template),
    row("serving.knative.dev", &["Service", "Configuration"], "", "spec.template", Shape::Template),
    row("leaderworkerset.x-k8s.io", &["LeaderWorkerSet"], "leader", "spec.leaderWorkerTemplate.leaderTemplate", Shape::Template),
    row("leaderworkerset.x-k8s.io", &["LeaderWorkerSet"], "worker", "spec.leaderWorkerTemplate.workerTemplate", Shape::Template),
    row("jobset.x-k8s.io", &["JobSet"], "", "spec.replicatedJobs[].template.spec.template", Shape::Template),
    row("agents.x-k8s.io", &["Sandbox"], "", "spec.podTemplate", Shape::Template),
    row("extensions.agents.x-k8s.io", &["SandboxTemplate"], "", "spec.podTemplate", Shape::Template),
    // KServe
    row("serving.kserve.io", &["InferenceService"], "predictor", "spec.predictor", Shape::KserveComponent),
    row("serving.kserve.io", &["InferenceService"], "predictor worker", "spec.predictor.workerSpec", Shape::Spec),
    row("serving.kserve.io", &["InferenceService"], "transformer", "spec.transformer", Shape::KserveComponent),
    row("serving.kserve.io", &["InferenceService"], "explainer", "spec.explainer", Shape::KserveComponent),
    row("serving.kserve.io", &["ServingRuntime", "ClusterServingRuntime"], "", "spec", Shape::KserveComponent),
    row("serving.kserve.io", &["ServingRuntime", "ClusterServingRuntime"], "worker", "spec.workerSpec", Shape::Spec),
    row("serving.kserve.io", &["LLMInferenceService", "LLMInferenceServiceConfig"], "", "spec.template", Shape::Spec),
    row("serving.kserve.io", &["LLMInferenceService", "LLMInferenceServiceConfig"], "worker", "spec.worker", Shape::Spec),
    row("serving.kserve.io", &["LLMInferenceService", "LLMInferenceServiceConfig"], "prefill", "spec.prefill.template", Shape::Spec),
    row("serving.kserve.io", &["LLMInferenceService", "LLMInferenceServiceConfig"], "prefill worker", "spec.prefill.worker", Shape::Spec),
    row("serving.kserve.io", &["LLMInferenceService", "LLMInferenceServiceConfig"], "scheduler", "spec.router.scheduler.template", Shape::Spec),
    // Ray
    row("ray.io", &["RayCluster"], "head", "spec.headGroupSpec.template", Shape::Template),
    row("ray.io", &["RayCluster"], "worker", "spec.workerGroupSpecs[].template", Shape::Template),
    row("ray.io", &["RayService"], "head", "spec.rayClusterConfig.headGroupSpec.template", Shape::Template),
    row("ray.io", &["RayService"], "worker", "spec.rayClusterConfig.workerGroupSpecs[].template", Shape::Template),
    row("ray.io", &["RayJob"], "head", "spec.rayClusterSpec.headGroupSpec.template", Shape::Template),
    row("ray.io", &["RayJob"], "worker", "spec.rayClusterSpec.workerGroupSpecs[].template", Shape::Template),
    row("ray.io", &["RayJob"], "submitter", "spec.submitterPodTemplate", Shape::Template),
    row("ray.io", &["RayCronJob"], "head", "spec.jobTemplate.rayClusterSpec.headGroupSpec.template", Shape::Template),
    row("ray.io", &["RayCronJob"], "worker", "spec.jobTemplate.rayClusterSpec.workerGroupSpecs[].template", Shape::Template),
    // Seldon
    row("machinelearning.seldon.io", &["SeldonDeployment"], "", "spec.predictors[].componentSpecs[]", Shape::Template),
    row("mlops.seldon.io", &["Server", "ServerConfig"], "", "spec.podSpec", Shape::Spec),
    // Kubeflow
    row("kubeflow.org", &["Notebook"], "", "spec.template", Shape::Template),
    row("kubeflow.org", &["PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "JAXJob", "PaddleJob"], "", "spec.*ReplicaSpecs.*.template", Shape::Template),
    row("trainer.kubeflow.org", &["TrainingRuntime", "ClusterTrainingRuntime"], "", "spec.template.spec.replicatedJobs[].template.spec.template", Shape::Template),
    row("trainer.kubeflow.org", &["TrainJob"], "trainer", "spec.trainer", Shape::Container),
    row("trainer.kubeflow.org", &["TrainJob"], "", "spec.podTemplateOverrides[]", Shape::Template),
    // KAITO has no `spec`.
    row("kaito.sh", &["Workspace", "InferenceSet"], "inference", "inference.template", Shape::Template),
    row("kaito.sh", &["InferenceSet"], "inference", "spec.template.inference.template", Shape::Template),
    // NVIDIA Dynamo: `podTemplate` in v1beta1, `extraPodSpec` with a `mainContainer` in v1alpha1.
    row("nvidia.com", &["DynamoGraphDeployment"], "", "spec.components[].podTemplate", Shape::Template),
    row("nvidia.com", &["DynamoGraphDeployment"], "", "spec.services.*.extraPodSpec", Shape::Spec),
    row("nvidia.com", &["DynamoGraphDeployment"], "", "spec.services.*.extraPodSpec.mainContainer", Shape::Container),
    row("nvidia.com", &["DynamoComponentDeployment"], "", "spec.podTemplate", Shape::Template),
    row("nvidia.com", &["DynamoComponentDeployment"], "", "spec.extraPodSpec", Shape::Spec),
    row("nvidia.com", &["DynamoComponentDeployment"], "", "spec.extraPodSpec.mainContainer", Shape::Container),
    // Operators whose objects are one container.
    row("apps.nvidia.com", &["NIMService", "NIMBuild"], "", "spec", Shape::Container),
    row("production-stack.vllm.ai", &["VLLMRuntime", "VLLMRouter", "CacheServer"], "", "spec", Shape::Container),
    row("kagent.dev", &["Agent"], "", "spec.declarative.deployment", Shape::Container),
    row("kagent.dev", &["Agent"], "", "spec.byo.deployment", Shape::Container),
    row("kagent.dev", &["SandboxAgent"], "", "spec.byo", Shape::Container),
    row("kagent.dev", &["Harness"], "", "spec.workload", Shape::Container),
    row("kagent.dev", &["MCPServer"], "", "spec.deployment", Shape::Container),
];

/// The nodes at a path of the config: plain field names, `*` for every item or entry.
pub(crate) fn along<'t>(object: NodeRef<'t>, path: &[String]) -> Vec<NodeRef<'t>> {
    let mut found = vec![object];
    for step in path {
        found = found
            .into_iter()
            .flat_map(|node| -> Vec<NodeRef<'t>> {
                if step != "*" {
                    return node.get(step).into_iter().collect();
                }
                let values = node.entries().map(|(_, value)| value);
                node.items().chain(values).collect()
            })
            .collect();
    }
    found
}

/// The template that a node with `metadata` and `spec` is.
pub(crate) fn whole(node: NodeRef<'_>) -> Option<PodTemplate<'_>> {
    template(String::new(), node, Shape::Template)
}

/// The templates at a path.
pub(crate) fn at<'t>(
    object: NodeRef<'t>,
    role: &str,
    path: &str,
    shape: Shape,
) -> Vec<PodTemplate<'t>> {
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    if !path.contains(['[', '*']) {
        let node = steps.try_fold(object, |node, step| node.get(step));
        let found = node.and_then(|node| template(role.to_owned(), node, shape));
        return found.into_iter().collect();
    }
    let mut found = vec![(role.to_owned(), object)];
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|(role, node)| follow(&role, node, step))
            .collect();
    }
    found
        .into_iter()
        .filter_map(|(role, node)| template(role, node, shape))
        .collect()
}

fn follow<'t>(role: &str, node: NodeRef<'t>, step: &str) -> Vec<(String, NodeRef<'t>)> {
    let named = |name: &str| format!("{role} {name}").trim().to_owned();
    if let Some(field) = step.strip_suffix("[]") {
        let items = node.get(field).into_iter().flat_map(NodeRef::items);
        return items
            .map(|item| {
                let name = ["groupName", "name"]
                    .iter()
                    .find_map(|field| item.get(field)?.as_str());
                (named(name.unwrap_or("")), item)
            })
            .collect();
    }
    match step.strip_prefix('*') {
        None => node
            .get(step)
            .map(|next| (role.to_owned(), next))
            .into_iter()
            .collect(),
        Some("") => node
            .entries()
            .map(|(key, value)| (named(&key.key_text()), value))
            .collect(),
        Some(end) => node
            .entries()
            .filter(|(key, _)| key.key_text().ends_with(end))
            .map(|(_, value)| (role.to_owned(), value))
            .collect(),
    }
}

fn template(role: String, node: NodeRef<'_>, shape: Shape) -> Option<PodTemplate<'_>> {
    let (spec, holder) = match shape {
        Shape::Template => (node.get("spec")?, node.get("metadata")),
        Shape::Spec => (node, None),
        Shape::KserveComponent | Shape::Container => (node, Some(node)),
    };
    let map = |name| holder?.get(name).filter(|labels| labels.is_map());
    spec.is_map().then_some(PodTemplate {
        role,
        labels: map("labels"),
        annotations: map("annotations"),
        spec,
        shape,
    })
}
