//! Expected connections of `../shared/suites/netpol`, and ours in the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use meshgov::engine::Analysis;
use meshgov::engine::network_policy::called;
use meshgov::facts::access::traffic::{Direction, Ports};
use meshgov::facts::workload::{Protocol, Workload};
use meshgov::load;
use meshgov::source::{SourceFile, SourceId};
use meshgov::view::{Member, Namespace, View};

/// A range of addresses, where one is named, and what gets through.
type Through = (Option<(u32, u32)>, Connection);

/// One end of a connection: a workload in words, or a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Pod(String, u32),
    Range(u32, u32),
}

/// Ports by protocol, as ranges.
pub(crate) type Connection = BTreeMap<&'static str, Vec<(u32, u32)>>;

const PROTOCOLS: [Protocol; 3] = [Protocol::Sctp, Protocol::Tcp, Protocol::Udp];

pub(crate) struct Golden {
    pub(crate) lines: usize,
    named: BTreeMap<(String, String), Vec<Through>>,
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let number = |t: &str| t.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
    Some((number(low)?, number(high)?))
}

fn connection(text: &str) -> Connection {
    let mut found = Connection::new();
    if text == "All Connections" {
        return PROTOCOLS
            .iter()
            .map(|p| (p.as_str(), vec![(1, 65_535)]))
            .collect();
    }
    let mut protocol = "";
    for token in text.split([' ', ',']).filter(|t| !t.is_empty()) {
        if let Some(p) = PROTOCOLS.iter().find(|p| p.as_str() == token) {
            protocol = p.as_str();
            continue;
        }
        let (low, high) = token.split_once('-').unwrap_or((token, token));
        let ports = (low.parse().unwrap(), high.parse().unwrap());
        found.entry(protocol).or_default().push(ports);
    }
    found
}

impl Golden {
    pub(crate) fn read(text: &str) -> Self {
        let mut golden = Self {
            lines: 0,
            named: BTreeMap::new(),
        };
        for line in text.lines().filter(|l| !l.contains('{')) {
            let Some((ends, ports)) = line.split_once(" : ") else {
                continue;
            };
            let Some((from, to)) = ends.split_once(" => ") else {
                continue;
            };
            let clean = |t: &str| t.replace("[External]", "").trim().to_owned();
            let (from, to) = (clean(from), clean(to));
            let address = range(&from).or_else(|| range(&to));
            let word = |t: &str| {
                if range(t).is_some() {
                    "IP".to_owned()
                } else {
                    t.to_owned()
                }
            };
            golden.lines += 1;
            golden
                .named
                .entry((word(&from), word(&to)))
                .or_default()
                .push((address, connection(ports)));
        }
        golden
    }

    pub(crate) fn between(&self, from: &End, to: &End) -> Connection {
        let word = |end: &End| match end {
            End::Pod(name, _) => name.clone(),
            End::Range(..) => "IP".to_owned(),
        };
        let of = |end: &End| match end {
            End::Range(low, high) => Some((*low, *high)),
            End::Pod(..) => None,
        };
        let asked = of(from).or_else(|| of(to));
        let lists = self
            .named
            .get(&(word(from), word(to)))
            .into_iter()
            .flatten();
        let fits = |range: &Option<(u32, u32)>| match (range, asked) {
            (Some((low, high)), Some((a, b))) => *low <= a && b <= *high,
            _ => true,
        };
        let mut found = lists.filter(|(range, _)| fits(range));
        found
            .next()
            .map_or_else(Connection::new, |(_, c)| c.clone())
    }
}

/// Every object below a folder as one view; objects without namespace are in `default`. The expected connections take pods in the network of
/// their node for ordinary pods.
pub(crate) fn view(folder: &Path) -> View {
    view_of(folder, &|text| {
        text.replace("hostNetwork", "hostNetworkOff")
    })
}

/// The same with such pods as they are.
pub(crate) fn view_on_nodes(folder: &Path) -> View {
    view_of(folder, &str::to_owned)
}

fn view_of(folder: &Path, read: &dyn Fn(&str) -> String) -> View {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut members = Vec::new();
    for (at, path) in (0u32..).zip(files) {
        let text = read(&std::fs::read_to_string(&path).unwrap());
        let file = Arc::new(SourceFile::new(SourceId(at), path.to_string_lossy(), text));
        for resource in load::load_text(&file).resources {
            let namespace = match (resource.kind(), &resource.namespace) {
                ("Namespace", _) => Namespace::Cluster,
                (_, Some(name)) => Namespace::Named(name.as_str().into()),
                (_, None) => Namespace::Named("default".into()),
            };
            members.push(Member {
                resource,
                namespace,
            });
        }
    }
    View::new("suite".into(), "test".into(), members, Vec::new())
}

/// The ends of connections of a view: workloads by their owner, once; address ranges between the bounds of all policies.
pub(crate) struct Ends(Vec<End>);

/// A workload as the expected connections write it: a pod by its owner.
pub(crate) fn words(workload: &Workload) -> String {
    let object = workload.resource.object();
    let owners = object.at(&["metadata", "ownerReferences"]);
    let owner = owners.and_then(|o| o.item(0));
    let text = |name: &str| Some(owner?.get(name)?.text().to_owned());
    let (mut name, mut kind) = (
        workload.name().to_owned(),
        workload.resource.kind().to_owned(),
    );
    if kind == "Pod" && owner.is_some() && text("kind").is_none_or(|k| k != "Node") {
        name = text("name").unwrap_or(name);
        kind = text("kind").unwrap_or(kind);
    }
    format!("{}/{name}[{kind}]", workload.namespace.as_str())
}

impl Ends {
    pub(crate) fn of(analysis: &Analysis<'_>) -> Self {
        let mut seen = BTreeSet::new();
        let mut ends = Vec::new();
        for workload in &analysis.topology.workloads {
            let words = words(workload);
            if seen.insert(words.clone()) {
                ends.push(End::Pod(words, workload.id.0));
            }
        }
        let mut cuts = BTreeSet::from([0u64, 1 << 32]);
        for policy in analysis.network.policies() {
            for rule in &policy.rules {
                for (low, high) in rule.peers.v4.ranges() {
                    cuts.insert(u64::try_from(*low).unwrap());
                    cuts.insert(u64::try_from(*high).unwrap() + 1);
                }
            }
        }
        let cuts: Vec<u64> = cuts.into_iter().collect();
        for pair in cuts.windows(2) {
            let number = |n: u64| u32::try_from(n).unwrap();
            ends.push(End::Range(number(pair[0]), number(pair[1] - 1)));
        }
        Self(ends)
    }
}

/// Every connection that is not from an end to itself, with its ports.
pub(crate) fn connections<'a>(
    analysis: &'a Analysis<'_>,
    ends: &'a Ends,
) -> Vec<(End, End, Connection)> {
    let network = &analysis.network;
    let workload = |id: &u32| {
        analysis
            .topology
            .workloads
            .get(usize::try_from(*id).unwrap())
            .unwrap()
    };
    // Ports between the bounds of all rules behave alike; named ports stand alone.
    let mut cuts = BTreeSet::from([1u32, 65_536]);
    for rule in network.policies().iter().flat_map(|p| &p.rules) {
        for ports in &rule.ports {
            if let Ports::Range(_, low, high) = ports {
                cuts.extend([u32::from(*low), u32::from(*high) + 1]);
            }
        }
    }
    for port in analysis.topology.workloads.iter().flat_map(|w| &w.ports) {
        cuts.extend([u32::from(port.number), u32::from(port.number) + 1]);
    }
    let cuts: Vec<u32> = cuts.into_iter().collect();
    let mut found: Vec<(End, End, Connection)> = Vec::new();
    let count = ends.0.len();
    let mut places = BTreeMap::new();
    for (i, from) in ends.0.iter().enumerate() {
        for (j, to) in ends.0.iter().enumerate() {
            if i != j && !matches!((from, to), (End::Range(..), End::Range(..))) {
                places.insert((i, j), found.len());
                found.push((from.clone(), to.clone(), Connection::new()));
            }
        }
    }
    let mut add = |place: usize, protocol: Protocol, low: u32, high: u32| {
        let list = found[place].2.entry(protocol.as_str()).or_default();
        match list.last_mut() {
            Some(last) if last.1 + 1 == low => last.1 = high,
            _ => list.push((low, high)),
        }
    };
    for protocol in PROTOCOLS {
        for pair in cuts.windows(2) {
            let (low, high) = (pair[0], pair[1] - 1);
            let number = u16::try_from(low).unwrap();
            for j in 0..count {
                let End::Pod(_, id) = &ends.0[j] else {
                    continue;
                };
                let to = workload(id);
                let port = called(Some(to), protocol, number);
                let pod = network.pods().number(to.id).unwrap();
                let ingress = network.through(Direction::Ingress, pod, &port).callers;
                let out = network.let_out(pod, &port);
                for i in (0..count).filter(|i| *i != j) {
                    let through = match &ends.0[i] {
                        End::Range(first, _) => ingress.v4.contains(u128::from(*first)),
                        End::Pod(_, id) => {
                            let from = u128::from(network.pods().number(workload(id).id).unwrap());
                            ingress.pods.contains(from)
                                && out.as_ref().is_none_or(|o| o.pods.contains(from))
                        }
                    };
                    if through {
                        add(places[&(i, j)], protocol, low, high);
                    }
                }
                let outside = network.outside(to, &called(None, protocol, number)).callers;
                for i in 0..count {
                    if let End::Range(first, _) = &ends.0[i]
                        && outside.v4.contains(u128::from(*first))
                    {
                        add(places[&(j, i)], protocol, low, high);
                    }
                }
            }
        }
    }
    found
}
