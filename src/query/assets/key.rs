//! Credentials of an asset. Input: its variables and the policies of its backends; output: component K, the worst of all.

use crate::asset::Asset;
use crate::asset::grade::{Component, TOP};
use crate::asset::link::Links;
use crate::asset::signal::{is_credential, variables};
use crate::pods::{self, PodTemplate};
use crate::view::View;
use crate::yaml::NodeRef;

use super::secret;

pub(super) fn component(asset: &Asset, links: &Links, view: &View) -> Component {
    let mut found: Vec<Component> = Vec::new();
    let space = asset.namespace.as_str();
    let templates = pods::templates(&asset.resource);
    for container in templates.iter().flat_map(PodTemplate::containers) {
        for variable in variables(container.node).filter(|v| is_credential(v.name)) {
            let name = variable.name;
            if let Some(value) = variable.value.filter(|v| v.is_secret()) {
                found.push(Component::known(
                    0,
                    format!("{name} holds the key itself"),
                    Some(value.span()),
                ));
            }
            let secret = variable.from.and_then(|f| f.at(&["secretKeyRef", "name"]));
            if let Some(secret) = secret {
                found.push(secret::component(view, space, secret, 1, name));
            }
        }
        let sources = container.node.get("envFrom").into_iter();
        for source in sources.flat_map(NodeRef::items) {
            if let Some(name) = source.at(&["secretRef", "name"]) {
                found.extend(secret::whole(view, space, name));
            }
        }
    }
    let object = asset.resource.object();
    let place = (asset.resource.group(), asset.resource.kind());
    for (group, kind, path) in SECRETS {
        if place == (*group, *kind)
            && let Some(name) = object
                .at(path)
                .filter(|n| n.as_str().is_some_and(|t| !t.is_empty()))
        {
            found.push(secret::component(view, space, name, 1, "its key"));
        }
    }
    for policy in &links.policies {
        if policy.kind() == "BackendSecurityPolicy"
            && let Some(spec) = policy.object().get("spec")
        {
            found.push(of_backend_policy(view, space, spec));
        }
    }
    found
        .into_iter()
        .reduce(Component::worse)
        .or_else(|| federated_account(asset, links, view))
        .or_else(|| templates.iter().find_map(projected_token))
        .unwrap_or_else(|| Component::none("it holds no credential of a provider that we know"))
}

/// Fields of custom resources that name the Secret with the key of a provider or hub: kagent `modelconfig_types.go`, vLLM production stack
/// `operator/config/crd`, KAITO `workspace_types.go`, NVIDIA NIM operator `nimservice_types.go`.
const SECRETS: &[(&str, &str, &[&str])] = &[
    ("kagent.dev", "ModelConfig", &["spec", "apiKeySecret"]),
    ("kagent.dev", "ModelConfig", &["spec", "apiKeySecretRef"]),
    (
        "production-stack.vllm.ai",
        "VLLMRuntime",
        &["spec", "model", "hfTokenSecret", "hfTokenSecretName"],
    ),
    (
        "production-stack.vllm.ai",
        "VLLMRuntime",
        &["spec", "hfTokenSecret", "name"],
    ),
    (
        "production-stack.vllm.ai",
        "LoraAdapter",
        &["spec", "adapterSource", "credentialsSecretRef", "name"],
    ),
    (
        "kaito.sh",
        "Workspace",
        &["inference", "preset", "presetOptions", "modelAccessSecret"],
    ),
    ("apps.nvidia.com", "NIMService", &["spec", "authSecret"]),
];

/// A token for somebody else than the API server, which the kubelet renews: `expirationSeconds`, one hour unless it says otherwise
/// (Kubernetes `ServiceAccountTokenProjection`).
fn projected_token(template: &PodTemplate<'_>) -> Option<Component> {
    let volumes = template.spec.get("volumes").into_iter();
    let sources = volumes
        .flat_map(NodeRef::items)
        .filter_map(|volume| volume.at(&["projected", "sources"]))
        .flat_map(NodeRef::items);
    sources
        .filter_map(|source| source.get("serviceAccountToken"))
        .find_map(|token| {
            let audience = token.get("audience")?;
            let seconds = token.get("expirationSeconds");
            let seconds = seconds.and_then(NodeRef::as_i64).unwrap_or(3600);
            let says = format!(
                "a token for {} that expires after {seconds} s",
                audience.text()
            );
            Some(Component::known(TOP, says, Some(audience.span())))
        })
}

/// Annotations by which a cloud gives the pods of a service account short-lived tokens, and the providers that take them: EKS IAM roles for
/// service accounts, GKE and Azure workload identity.
const FEDERATED: &[(&str, &[&str])] = &[
    ("eks.amazonaws.com/role-arn", &["aws-bedrock", "sagemaker"]),
    ("iam.gke.io/gcp-service-account", &["vertex", "gemini"]),
    ("azure.workload.identity/client-id", &["azure-openai"]),
];

/// A cloud's model called without a key, by an account that the cloud knows.
fn federated_account(asset: &Asset, links: &Links, view: &View) -> Option<Component> {
    let space = asset.namespace.as_str();
    let account = view
        .of_kind("", "ServiceAccount")
        .filter(|m| m.namespace.as_str() == space)
        .find(|m| m.resource.name == links.service_account)?;
    let providers = asset.providers();
    account.resource.annotations().find_map(|(key, value)| {
        let (_, takers) = FEDERATED
            .iter()
            .find(|(name, _)| key.as_str() == Some(name))?;
        let taken = providers.iter().any(|(_, p, _)| takers.contains(&p.name));
        let says = "its service account gets short-lived tokens from the cloud";
        taken.then(|| Component::known(4, says, Some(value.span())))
    })
}

/// Envoy AI Gateway: the gateway holds the key (`BackendSecurityPolicy` v1alpha1).
fn of_backend_policy(view: &View, space: &str, spec: NodeRef<'_>) -> Component {
    let found = |paths: &[&[&str]]| paths.iter().find_map(|path| spec.at(path));
    let federated = found(&[
        &["awsCredentials", "oidcExchangeToken"],
        &["azureCredentials", "oidcExchangeToken"],
        &["gcpCredentials", "workloadIdentityFederationConfig"],
    ]);
    if let Some(node) = federated {
        return Component::known(4, "the gateway exchanges a token", Some(node.span()));
    }
    let secret = found(&[
        &["apiKey", "secretRef", "name"],
        &["azureAPIKey", "secretRef", "name"],
        &["anthropicAPIKey", "secretRef", "name"],
        &["awsCredentials", "credentialsFile", "secretRef", "name"],
        &["azureCredentials", "clientSecretRef", "name"],
        &["gcpCredentials", "credentialsFile", "secretRef", "name"],
    ]);
    match secret {
        Some(name) => secret::component(view, space, name, 2, "the gateway's key"),
        None => Component::between(2, TOP, "the gateway holds the key", Some(spec.span())),
    }
}
