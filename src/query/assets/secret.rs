//! Secrets and what renews them. Input: the name of a Secret and the view; output: component K of what is in it.
//!
//! External Secrets Operator `ExternalSecret` v1 (`refreshInterval`, one hour by default, 0 = once; `refreshPolicy`; `dataFrom[].sourceRef.generatorRef`);
//! Vault Secrets Operator `secrets.hashicorp.com/v1beta1`; cert-manager `Certificate` v1 (`duration`, 90 days by default, `renewBefore`).

use crate::asset::grade::{Component, TOP};
use crate::asset::signal::is_credential;
use crate::source::Span;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// What a Secret is worth as the place of a credential, when nothing renews it: 1 in a workload, 2 at a gateway.
pub(super) fn component(
    view: &View,
    space: &str,
    name: NodeRef<'_>,
    plain: u8,
    user: &str,
) -> Component {
    let text = name.text();
    let renewed = of_vault(view, space, text)
        .or_else(|| of_external(view, space, text))
        .or_else(|| of_certificate(view, space, text));
    let (value, words, span) =
        renewed.unwrap_or_else(|| (plain, "a static Secret".to_owned(), name.span()));
    Component::known(
        value,
        format!("{user} comes from Secret {text}: {words}"),
        Some(span),
    )
}

/// A Secret whose every key becomes a variable: none when no key is a credential, unknown when its keys are not in the view.
pub(super) fn whole(view: &View, space: &str, name: NodeRef<'_>) -> Option<Component> {
    let text = name.text();
    let secret = view.of_kind("", "Secret");
    let mut made = secret.filter(|m| m.namespace.as_str() == space && m.resource.name == text);
    let keys: Option<Vec<String>> = match (made.next(), external(view, space, text)) {
        (Some(secret), _) => {
            let object = secret.resource.object();
            let maps = ["data", "stringData"].map(|field| object.get(field));
            let keys = maps.into_iter().flatten().flat_map(NodeRef::entries);
            Some(keys.map(|(key, _)| key.key_text().into_owned()).collect())
        }
        (None, Some(external)) => {
            let spec = external.resource.object().get("spec");
            // What `dataFrom` brings is known to the store alone.
            let all = spec.and_then(|s| s.get("dataFrom")).is_some();
            let data = spec.and_then(|s| s.get("data")).into_iter();
            let keys = data
                .flat_map(NodeRef::items)
                .filter_map(|d| d.get("secretKey"));
            (!all).then(|| keys.map(|key| key.text().to_owned()).collect())
        }
        (None, None) => None,
    };
    match keys {
        Some(keys) => {
            let credential = keys.into_iter().find(|key| is_credential(key))?;
            Some(component(view, space, name, 1, &credential))
        }
        None => Some(Component::between(
            1,
            TOP,
            format!(
                "every key of Secret {text} becomes a variable; which there are, the files do not tell"
            ),
            Some(name.span()),
        )),
    }
}

fn external<'v>(view: &'v View, space: &str, name: &str) -> Option<&'v Member> {
    view.of_kind("external-secrets.io", "ExternalSecret")
        .filter(|m| m.namespace.as_str() == space)
        .find(|m| {
            let made = m.resource.object().at(&["spec", "target", "name"]);
            made.map_or(m.resource.name.as_str(), NodeRef::text) == name
        })
}

/// Generators that give out short-lived credentials.
const SHORT_LIVED: &[&str] = &[
    "VaultDynamicSecret",
    "STSSessionToken",
    "GCRAccessToken",
    "ACRAccessToken",
    "ECRAuthorizationToken",
];

fn of_external(view: &View, space: &str, name: &str) -> Option<(u8, String, Span)> {
    let external = external(view, space, name)?;
    let spec = external.resource.object().get("spec");
    let text = |field: &str| spec.and_then(|s| s.get(field)).map(NodeRef::text);
    let every = text("refreshInterval").unwrap_or("1h");
    let once = matches!(every, "0" | "0s" | "0m" | "0h")
        || matches!(text("refreshPolicy"), Some("CreatedOnce" | "OnChange"));
    if once {
        return None;
    }
    let span = external.resource.name_span();
    let generated = spec
        .and_then(|s| s.get("dataFrom"))
        .into_iter()
        .flat_map(NodeRef::items)
        .filter_map(|from| from.at(&["sourceRef", "generatorRef", "kind"]))
        .any(|kind| SHORT_LIVED.contains(&kind.text()));
    Some(if generated {
        let words = format!("an ExternalSecret gets a short-lived one every {every}");
        (4, words, span)
    } else {
        let words = format!("an ExternalSecret refreshes it every {every}");
        (3, words, span)
    })
}

/// Leased secrets are short-lived; static ones are fetched again after `refreshAfter`, and never without it.
fn of_vault(view: &View, space: &str, name: &str) -> Option<(u8, String, Span)> {
    ["VaultDynamicSecret", "VaultStaticSecret"]
        .iter()
        .find_map(|kind| {
            let made = view.of_kind("secrets.hashicorp.com", kind).find(|m| {
                let made = m.resource.object().at(&["spec", "destination", "name"]);
                m.namespace.as_str() == space && made.is_some_and(|n| n.text() == name)
            })?;
            let span = made.resource.name_span();
            let after = made.resource.object().at(&["spec", "refreshAfter"]);
            match (*kind, after) {
                ("VaultDynamicSecret", _) => Some((4, "Vault leases it".to_owned(), span)),
                (_, Some(after)) => {
                    let words = format!("Vault refreshes it every {}", after.text());
                    Some((3, words, span))
                }
                _ => None,
            }
        })
}

/// cert-manager renews what it issues.
fn of_certificate(view: &View, space: &str, name: &str) -> Option<(u8, String, Span)> {
    let certificate = view
        .of_kind("cert-manager.io", "Certificate")
        .filter(|m| m.namespace.as_str() == space)
        .find(|m| {
            let made = m.resource.object().at(&["spec", "secretName"]);
            made.is_some_and(|n| n.text() == name)
        })?;
    let spec = certificate.resource.object().get("spec");
    let text = |field: &str| spec.and_then(|s| s.get(field)).map(NodeRef::text);
    let lasts = text("duration").unwrap_or("2160h");
    let words = match text("renewBefore") {
        Some(before) => format!("cert-manager renews it {before} before its {lasts} are over"),
        None => format!("cert-manager renews it before its {lasts} are over"),
    };
    Some((3, words, certificate.resource.name_span()))
}
