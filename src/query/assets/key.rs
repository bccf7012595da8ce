//! Credentials of an asset. Input: its variables and the policies of its backends; output: component K, the worst of all.

use crate::asset::Asset;
use crate::asset::grade::{Component, TOP};
use crate::asset::link::Links;
use crate::asset::signal::{is_credential, variables};
use crate::pods::{self, PodTemplate};
use crate::source::Span;
use crate::view::View;
use crate::yaml::NodeRef;

pub(super) fn component(asset: &Asset, links: &Links, view: &View) -> Component {
    let mut worst: Option<Component> = None;
    let mut add = |component: Component| {
        worst = Some(match worst.take() {
            None => component,
            Some(known) => known.worse(component),
        });
    };
    let space = asset.namespace.as_str();
    let templates = pods::templates(&asset.resource);
    for container in templates.iter().flat_map(PodTemplate::containers) {
        for variable in variables(container.node).filter(|v| is_credential(v.name)) {
            let name = variable.name;
            if let Some(value) = variable.value.filter(|v| v.is_secret()) {
                add(Component::known(
                    0,
                    format!("{name} holds the key itself"),
                    Some(value.span()),
                ));
            }
            let secret = variable.from.and_then(|f| f.at(&["secretKeyRef", "name"]));
            if let Some(secret) = secret {
                add(of_secret(view, space, secret, 1, name));
            }
        }
    }
    for policy in &links.policies {
        if policy.kind() == "BackendSecurityPolicy"
            && let Some(spec) = policy.object().get("spec")
        {
            add(of_backend_policy(view, space, spec));
        }
    }
    worst
        .or_else(|| federated_account(asset, links, view))
        .unwrap_or_else(|| Component::none("it holds no credential of a provider that we know"))
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

/// A Secret: managed outside when an ExternalSecret makes it and refreshes it.
fn of_secret(view: &View, space: &str, name: NodeRef<'_>, plain: u8, user: &str) -> Component {
    let text = name.text();
    let external = view
        .of_kind("external-secrets.io", "ExternalSecret")
        .filter(|m| m.namespace.as_str() == space)
        .find(|m| {
            let made = m.resource.object().at(&["spec", "target", "name"]);
            made.map_or(m.resource.name.as_str(), NodeRef::text) == text
        });
    let refreshes = external.is_some_and(|m| {
        let every = m.resource.object().at(&["spec", "refreshInterval"]);
        // The default is one hour (external-secrets `spec.refreshInterval`); 0 fetches once.
        every.is_none_or(|e| !matches!(e.text(), "0" | "0s" | "0m" | "0h"))
    });
    if let Some((value, words, span)) = of_vault(view, space, text) {
        return Component::known(
            value,
            format!("{user} comes from Secret {text}: {words}"),
            Some(span),
        );
    }
    let (value, words) = match (external, refreshes) {
        (Some(_), true) => (3, "an ExternalSecret refreshes it"),
        _ => (plain, "a static Secret"),
    };
    let span = external.map_or(name.span(), |m| m.resource.name_span());
    Component::known(
        value,
        format!("{user} comes from Secret {text}: {words}"),
        Some(span),
    )
}

/// Vault Secrets Operator (`secrets.hashicorp.com/v1beta1`): leased secrets are short-lived; static ones are fetched again after
/// `refreshAfter`, and never without it.
fn of_vault(view: &View, space: &str, name: &str) -> Option<(u8, &'static str, Span)> {
    ["VaultDynamicSecret", "VaultStaticSecret"]
        .iter()
        .find_map(|kind| {
            let made = view.of_kind("secrets.hashicorp.com", kind).find(|m| {
                let made = m.resource.object().at(&["spec", "destination", "name"]);
                m.namespace.as_str() == space && made.is_some_and(|n| n.text() == name)
            })?;
            let span = made.resource.name_span();
            let again = made
                .resource
                .object()
                .at(&["spec", "refreshAfter"])
                .is_some();
            match (*kind, again) {
                ("VaultDynamicSecret", _) => Some((4, "Vault leases it", span)),
                (_, true) => Some((3, "Vault refreshes it", span)),
                _ => None,
            }
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
        Some(name) => of_secret(view, space, name, 2, "the gateway's key"),
        None => Component::between(2, TOP, "the gateway holds the key", Some(spec.span())),
    }
}
