//! `isClusterLocal()`: a host name in, whether it names something inside the cluster out.
//!
//! Source: Kubernetes' DNS specification 1.1 (`<service>.<namespace>.svc.<zone>`) and the search path the
//! kubelet gives pods (`<ns>.svc.<zone> svc.<zone> <zone>`), by which `x`, `x.ns` and `x.ns.svc` resolve to
//! services first. `x.ns` cannot be told from a public name by its shape (`llm.ml`, `openai.com`): it counts
//! as local when the namespace is known, or, where namespaces are not known, when it is no common top-level
//! domain.

/// The zone of a cluster that says nothing else.
pub const DEFAULT_DOMAIN: &str = "cluster.local";

/// What a host name's shape says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locality<'h> {
    /// Inside the cluster.
    Local,
    /// Outside, or no host name at all.
    External,
    /// `x.ns`: inside if a namespace has this name.
    IfNamespace(&'h str),
}

/// Two-label names with one of these ends are taken for public when no namespaces are known.
const COMMON_TOP_LEVEL_DOMAINS: [&str; 32] = [
    "ai", "app", "biz", "cloud", "cn", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "in",
    "info", "int", "io", "jp", "me", "mil", "net", "online", "org", "ru", "sh", "site", "so",
    "tech", "uk", "us", "xyz", "zone",
];

/// What the shape of `host` says in a cluster with the zone `domain`. A port, a final dot, a leading
/// `*.` and upper case are taken.
#[must_use]
pub fn locality<'h>(host: &'h str, domain: &str) -> Locality<'h> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let (wildcard, bare) = match name.strip_prefix("*.") {
        Some(bare) => (true, bare),
        None => (false, name),
    };
    if bare.parse::<std::net::IpAddr>().is_ok() || !bare.split('.').all(is_label) {
        return Locality::External;
    }
    if is_below(bare, domain) {
        return Locality::Local;
    }
    let labels: Vec<&str> = bare.split('.').collect();
    match labels.as_slice() {
        // `*.svc` holds every service, `x.ns.svc` and `pod.x.ns.svc` one.
        [.., last] if last.eq_ignore_ascii_case("svc") && (wildcard || labels.len() > 2) => {
            Locality::Local
        }
        [_] if !wildcard => Locality::Local,
        [ns] => Locality::IfNamespace(ns),
        [_, ns] if !wildcard => Locality::IfNamespace(ns),
        _ => Locality::External,
    }
}

/// Whether `host` is cluster-local. `namespaces` decides `x.ns` when given.
#[must_use]
pub fn is_cluster_local(
    host: &str,
    domain: &str,
    namespaces: Option<&dyn Fn(&str) -> bool>,
) -> bool {
    match (locality(host, domain), namespaces) {
        (Locality::Local, _) => true,
        (Locality::External, _) => false,
        (Locality::IfNamespace(name), Some(known)) => known(name),
        (Locality::IfNamespace(name), None) => {
            !COMMON_TOP_LEVEL_DOMAINS.contains(&name.to_ascii_lowercase().as_str())
        }
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    let zone = domain.trim_matches('.');
    name.len() >= zone.len()
        && name
            .get(name.len() - zone.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(zone))
        && name
            .get(..name.len() - zone.len())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        && !zone.is_empty()
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(host: &str) -> bool {
        is_cluster_local(host, DEFAULT_DOMAIN, None)
    }

    #[test]
    fn service_names_of_every_length_are_local() {
        for host in [
            "llm",
            "llm.ml",
            "llm.ml.svc",
            "llm-0.llm.ml.svc",
            "llm.ml.svc.cluster.local",
            "LLM.ml.SVC.Cluster.Local.",
            "llm.ml.svc:8080",
            "*.ml.svc.cluster.local",
            "*.svc.cluster.local",
            "*.ml.svc",
            "*.svc",
            "*.cluster.local",
            "10-0-0-1.ml.pod.cluster.local",
        ] {
            assert!(local(host), "{host}");
        }
    }

    #[test]
    fn public_names_addresses_and_garbage_are_not() {
        for host in [
            "",
            "*",
            "*.com",
            "openai.com",
            "api.openai.com",
            "huggingface.co",
            "10.0.0.1",
            "::1",
            "a..b",
            "svc.example.com",
            "x.cluster.local.evil.com",
            "notcluster.local.com",
            "*.api.ml",
            "http://llm",
            "xcluster.local.io",
        ] {
            assert!(!local(host), "{host}");
        }
    }

    #[test]
    fn known_namespaces_and_another_zone_decide() {
        let namespaces = |name: &str| name == "com";
        assert!(is_cluster_local(
            "llm.com",
            DEFAULT_DOMAIN,
            Some(&namespaces)
        ));
        assert!(!is_cluster_local(
            "llm.ml",
            DEFAULT_DOMAIN,
            Some(&namespaces)
        ));
        assert!(is_cluster_local("llm.ml.svc.k8s.acme", "k8s.acme", None));
        assert!(!is_cluster_local(
            "llm.ml.svc.cluster.local",
            "k8s.acme",
            None
        ));
        assert_eq!(
            locality("llm.ml", DEFAULT_DOMAIN),
            Locality::IfNamespace("ml")
        );
    }
}
