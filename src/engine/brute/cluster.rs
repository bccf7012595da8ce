//! Small random clusters. Input: a seed; output: a cluster as data.
//!
//! The words are few, so that every pattern over them can be told apart by some request of the universe (see `naive`).

use super::pick::Pick;

/// Namespaces of the view; `a*` and `*b` each hold two of them.
pub(super) const NAMESPACES: [&str; 3] = ["a", "ab", "xb"];
/// Service accounts of workloads.
pub(super) const ACCOUNTS: [&str; 2] = ["x", "y"];
/// Container ports: the first speaks HTTP, the second bytes.
pub(super) const PORTS: [u16; 2] = [8080, 9090];
/// The namespace of mesh-wide policies.
pub(super) const ROOT: &str = "istio-system";
const APPS: [&str; 2] = ["p", "q"];

/// How the pods of a namespace take part in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dataplane {
    Outside,
    Sidecar,
    Ambient,
}

#[derive(Clone, Debug)]
pub(super) struct NamespaceModel {
    pub(super) name: &'static str,
    pub(super) team: &'static str,
    pub(super) dataplane: Dataplane,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PodModel {
    pub(super) namespace: &'static str,
    pub(super) app: &'static str,
    pub(super) account: &'static str,
}

/// A PeerAuthentication: of root, of a namespace, or of the pods with a label.
#[derive(Clone, Debug)]
pub(super) struct PeerAuthentication {
    pub(super) namespace: &'static str,
    pub(super) app: Option<&'static str>,
    pub(super) mode: &'static str,
    /// The mode of the second port, where it has its own.
    pub(super) port: Option<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) principals: Vec<&'static str>,
    pub(super) not_principals: Vec<&'static str>,
    pub(super) namespaces: Vec<&'static str>,
    pub(super) not_namespaces: Vec<&'static str>,
    pub(super) blocks: Vec<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Operation {
    pub(super) methods: Vec<&'static str>,
    pub(super) paths: Vec<&'static str>,
    pub(super) not_paths: Vec<&'static str>,
    pub(super) ports: Vec<u16>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct MeshRule {
    pub(super) from: Vec<Source>,
    pub(super) to: Vec<Operation>,
}

#[derive(Clone, Debug)]
pub(super) struct AuthorizationPolicy {
    pub(super) namespace: &'static str,
    pub(super) app: Option<&'static str>,
    pub(super) deny: bool,
    pub(super) rules: Vec<MeshRule>,
}

/// A label selector: nothing asked, a label with a value, or anything but that value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Selector {
    All,
    Is(&'static str),
    IsNot(&'static str),
}

#[derive(Clone, Debug)]
pub(super) enum Peer {
    /// Namespaces (`None` = that of the policy) and pods.
    Pods(Option<Selector>, Selector),
    Block(&'static str, Option<&'static str>),
}

#[derive(Clone, Debug)]
pub(super) struct NetworkRule {
    /// Empty = everyone.
    pub(super) peers: Vec<Peer>,
    /// Empty = every port.
    pub(super) ports: Vec<u16>,
    /// What a policy of administrators does; unused elsewhere.
    pub(super) action: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct NetworkPolicy {
    pub(super) namespace: &'static str,
    pub(super) pods: Selector,
    pub(super) ingress: Option<Vec<NetworkRule>>,
    pub(super) egress: Option<Vec<NetworkRule>>,
}

#[derive(Clone, Debug)]
pub(super) struct AdminPolicy {
    /// `None` = the baseline.
    pub(super) priority: Option<usize>,
    pub(super) namespaces: Selector,
    pub(super) pods: Selector,
    pub(super) ingress: Vec<NetworkRule>,
    pub(super) egress: Vec<NetworkRule>,
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) namespaces: Vec<NamespaceModel>,
    pub(super) pods: Vec<PodModel>,
    pub(super) peer: Vec<PeerAuthentication>,
    pub(super) authorization: Vec<AuthorizationPolicy>,
    pub(super) network: Vec<NetworkPolicy>,
    pub(super) admin: Vec<AdminPolicy>,
}

impl Cluster {
    pub(super) fn random(pick: &mut Pick) -> Self {
        let namespaces = NAMESPACES.map(|name| NamespaceModel {
            name,
            team: word(pick, &["red", "blue"]),
            dataplane: match pick.below(6) {
                0 => Dataplane::Outside,
                1 | 2 => Dataplane::Ambient,
                _ => Dataplane::Sidecar,
            },
        });
        let mut pods = Vec::new();
        for namespace in NAMESPACES {
            for app in pick.some(&APPS, 1, 2) {
                let account = word(pick, &ACCOUNTS);
                pods.push(PodModel {
                    namespace,
                    app,
                    account,
                });
            }
        }
        let mut peer = Vec::new();
        for namespace in [ROOT, "a", "ab", "xb"] {
            if pick.chance(40) {
                peer.push(peer_authentication(pick, namespace, None, false));
            }
            if namespace != ROOT && pick.chance(25) {
                // Ports of ambient pods have rules of their own, which the differential test covers.
                let of = namespaces.iter().find(|n| n.name == namespace);
                let ports = of.is_some_and(|n| n.dataplane == Dataplane::Sidecar);
                peer.push(peer_authentication(pick, namespace, Some("p"), ports));
            }
        }
        let authorization = (0..pick.below(4)).map(|_| authorization(pick)).collect();
        let layered = pick.chance(70);
        let network = if layered { pick.below(4) } else { 0 };
        let network = (0..network).map(|_| network_policy(pick)).collect();
        let mut admin = Vec::new();
        if layered && pick.chance(40) {
            admin.push(admin_policy(pick, Some(5)));
            if pick.chance(50) {
                admin.push(admin_policy(pick, Some(9)));
            }
        }
        if layered && pick.chance(30) {
            admin.push(admin_policy(pick, None));
        }
        Self {
            namespaces: namespaces.to_vec(),
            pods,
            peer,
            authorization,
            network,
            admin,
        }
    }

    pub(super) fn dataplane(&self, namespace: &str) -> Dataplane {
        let found = self.namespaces.iter().find(|n| n.name == namespace);
        found.map_or(Dataplane::Outside, |n| n.dataplane)
    }
}

fn word(pick: &mut Pick, list: &[&'static str]) -> &'static str {
    pick.one::<&'static str>(list)
}

fn peer_authentication(
    pick: &mut Pick,
    namespace: &'static str,
    app: Option<&'static str>,
    ports: bool,
) -> PeerAuthentication {
    const MODES: [&str; 3] = ["STRICT", "PERMISSIVE", "DISABLE"];
    let mode = word(pick, &MODES);
    let port = (ports && pick.chance(40)).then(|| word(pick, &MODES));
    PeerAuthentication {
        namespace,
        app,
        mode,
        port,
    }
}

fn authorization(pick: &mut Pick) -> AuthorizationPolicy {
    AuthorizationPolicy {
        namespace: word(pick, &[ROOT, "a", "ab", "xb"]),
        app: pick.chance(40).then_some("p"),
        deny: pick.chance(30),
        rules: (0..1 + pick.below(2))
            .map(|_| MeshRule {
                from: (0..pick.below(3)).map(|_| source(pick)).collect(),
                to: (0..pick.below(2)).map(|_| operation(pick)).collect(),
            })
            .collect(),
    }
}

fn source(pick: &mut Pick) -> Source {
    const PRINCIPALS: [&str; 6] = [
        "*",
        "cluster.local/ns/a/sa/x",
        "cluster.local/ns/ab/sa/y",
        "cluster.local/ns/xb/*",
        "*/sa/x",
        "old.example/ns/a/sa/x",
    ];
    const NAMES: [&str; 4] = ["a", "xb", "a*", "*b"];
    const BLOCKS: [&str; 3] = ["10.0.0.0/8", "10.1.0.0/16", "192.168.0.1"];
    let mut source = Source::default();
    // A source without any field is refused at admission.
    let fields = if pick.chance(60) {
        vec![*pick.one(&[0, 2])]
    } else {
        pick.some(&[0, 1, 2, 3, 4], 1, 2)
    };
    for field in fields {
        match field {
            0 => source.principals = pick.some(&PRINCIPALS, 1, 2),
            1 => source.not_principals = pick.some(&PRINCIPALS, 1, 2),
            2 => source.namespaces = pick.some(&NAMES, 1, 2),
            3 => source.not_namespaces = pick.some(&NAMES, 1, 2),
            _ => source.blocks = pick.some(&BLOCKS, 1, 2),
        }
    }
    source
}

fn operation(pick: &mut Pick) -> Operation {
    const PATHS: [&str; 3] = ["/v1/*", "/v1/chat", "*.md"];
    let mut operation = Operation::default();
    for field in pick.some(&[0, 1, 2, 3], 1, 2) {
        match field {
            0 => operation.methods = pick.some(&["GET", "POST", "P*"], 1, 2),
            1 => operation.paths = pick.some(&PATHS, 1, 2),
            2 => operation.not_paths = pick.some(&PATHS, 1, 1),
            _ => operation.ports = pick.some(&PORTS, 1, 1),
        }
    }
    operation
}

fn selector(pick: &mut Pick, values: &[&'static str]) -> Selector {
    match pick.below(5) {
        0 | 1 => Selector::All,
        2 | 3 => Selector::Is(word(pick, values)),
        _ => Selector::IsNot(word(pick, values)),
    }
}

fn network_rules(pick: &mut Pick, actions: &[&'static str]) -> Vec<NetworkRule> {
    (0..pick.below(3))
        .map(|_| {
            let peers = if actions.is_empty() { pick.below(3) } else { 1 };
            let peers = (0..peers).map(|_| peer(pick, actions.is_empty())).collect();
            NetworkRule {
                peers,
                ports: match pick.below(4) {
                    0 => vec![15008],
                    1 => vec![*pick.one(&PORTS), 15008],
                    _ => Vec::new(),
                },
                action: if actions.is_empty() {
                    ""
                } else {
                    word(pick, actions)
                },
            }
        })
        .collect()
}

fn peer(pick: &mut Pick, with_blocks: bool) -> Peer {
    if with_blocks && pick.chance(25) {
        let except = pick.chance(40).then_some("10.1.0.0/16");
        return Peer::Block(word(pick, &["10.0.0.0/8", "0.0.0.0/0"]), except);
    }
    let own = with_blocks && pick.chance(30);
    let namespaces = selector(pick, &["red", "blue"]);
    Peer::Pods((!own).then_some(namespaces), selector(pick, &APPS))
}

fn network_policy(pick: &mut Pick) -> NetworkPolicy {
    let ingress = pick.chance(80).then(|| network_rules(pick, &[]));
    NetworkPolicy {
        namespace: word(pick, &NAMESPACES),
        pods: selector(pick, &APPS),
        egress: (ingress.is_none() || pick.chance(30)).then(|| network_rules(pick, &[])),
        ingress,
    }
}

fn admin_policy(pick: &mut Pick, priority: Option<usize>) -> AdminPolicy {
    let actions: &[&str] = match priority {
        Some(_) => &["Allow", "Deny", "Pass"],
        None => &["Allow", "Deny"],
    };
    AdminPolicy {
        priority,
        namespaces: selector(pick, &["red", "blue"]),
        pods: selector(pick, &APPS),
        ingress: network_rules(pick, actions),
        egress: network_rules(pick, actions),
    }
}
