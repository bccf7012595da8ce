//! Multipliers: what only runs AI platforms. Input: names and images; output: a factor below 1 for operators, webhooks, exporters …

use crate::asset::signal::image_name;
use crate::asset::signal::patterns::Pattern;
use crate::yaml::NodeRef;

static WORDS: Pattern = Pattern::new(
    r"controller-manager|-operator$|operator-|webhook|device-plugin|dcgm|exporter|node-feature|web-app|console|dashboard-ui|cert-manager|admission|driver-manager|gpu-operator|storage-initializer|kube-rbac-proxy|proxyv2",
);

/// For the image and command of a container.
pub(super) fn factor_of_container(container: NodeRef<'_>) -> f64 {
    let image = image_name(container).is_some_and(|(image, _)| WORDS.is_match(image));
    let name = || {
        container
            .get("name")
            .and_then(NodeRef::as_str)
            .is_some_and(|name| WORDS.is_match(name))
    };
    if image || name() { 0.3 } else { 1.0 }
}

/// For the whole score of an object.
pub(super) fn factor_of_name(name: &str) -> f64 {
    if WORDS.is_match(name) { 0.4 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_count_less() {
        assert!(WORDS.compiles());
        assert!(factor_of_name("kserve-controller-manager") < 1.0);
        assert!((factor_of_name("chat") - 1.0).abs() < 1e-9);
    }
}
