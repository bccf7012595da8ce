//! The network policy engine against `../shared/suites/netpol` (expected connections), `../shared/cases/meshes` (hand-derived access) and the
//! reference evaluator `../shared/oracles/meshes/npref.py` on random clusters (`CLUSTERS`, `SEED`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "random/netpol.rs"]
mod generate;
#[path = "common/netpol.rs"]
mod netpol;
#[path = "random/pick.rs"]
mod pick;
#[path = "common/shared.rs"]
mod shared;
#[path = "common/view.rs"]
mod view;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use meshgov::engine::Analysis;
use meshgov::engine::network_policy::called;
use meshgov::facts::Assumptions;
use meshgov::facts::access::traffic::Direction;
use meshgov::facts::workload::{Port, Protocol, Workload};
use meshgov::query::access::edge::{Client, Verdict};
use netpol::{End, Ends, Golden, connections};
use pick::Pick;
use serde_json::{Value, json};

#[test]
fn expected_connections_of_every_directory() {
    let (mut directories, mut pairs, mut lines) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(shared::path("suites/netpol"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("expected.txt").is_file())
        .collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let golden = Golden::read(&std::fs::read_to_string(folder.join("expected.txt")).unwrap());
        let view = netpol::view(&folder.join("input"));
        let analysis = Analysis::of(&view, &Assumptions::default());
        let ends = Ends::of(&analysis);
        let mut differences = 0;
        for (from, to, got) in connections(&analysis, &ends) {
            let want = golden.between(&from, &to);
            pairs += 1;
            if got != want {
                differences += 1;
                if differences <= 3 {
                    wrong.push(format!("{name}: {from:?} => {to:?}: {got:?}, not {want:?}"));
                }
            }
        }
        directories += 1;
        lines += golden.lines;
    }
    println!(
        "{directories} directories, {pairs} pairs, {lines} lines, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(directories >= 50, "{directories}");
}

/// Pods in the network of their node, which the peer takes for ordinary ones. Kubernetes leaves two possibilities: a plugin does so too, or, as most
/// do, it takes their traffic for that of the node, which no policy selects and which a pod's own node may always send. So ours is never a
/// refusal, and where the peer refuses, it is unknown unless it is a policy about the pod on the node that refuses.
#[test]
fn pods_on_nodes_are_never_refused_for_sure() {
    let (mut allowed, mut by_own_policy, mut unknown) = (0, 0, 0);
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(shared::path("suites/netpol")).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(expected) = std::fs::read_to_string(folder.join("expected.txt")) else {
            continue;
        };
        let golden = Golden::read(&expected);
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let view = netpol::view_on_nodes(&folder.join("input"));
        let analysis = Analysis::of(&view, &Assumptions::default());
        let workloads = &analysis.topology.workloads;
        for to in workloads {
            for port in to.ports.iter().filter(|p| p.protocol == Protocol::Tcp) {
                let reach = analysis.reach(to, port);
                for from in workloads {
                    let ends = (netpol::words(from), netpol::words(to));
                    if ends.0 == ends.1 || !(from.host_network || to.host_network) {
                        continue;
                    }
                    let end = |words: &String, w: &Workload| End::Pod(words.clone(), w.id.0);
                    let want = golden.between(&end(&ends.0, from), &end(&ends.1, to));
                    let number = u32::from(port.number);
                    let open = want.get("TCP").is_some_and(|ranges| {
                        ranges
                            .iter()
                            .any(|(low, high)| (*low..=*high).contains(&number))
                    });
                    let edge = Client::of(&analysis, from).calls(&analysis, to, port, &reach);
                    match edge.verdict {
                        Verdict::Allow if open => allowed += 1,
                        Verdict::Allow if ordinary(&analysis, from, to) => by_own_policy += 1,
                        Verdict::Unknown => unknown += 1,
                        verdict => wrong.push(format!("{name}: {ends:?} {number}: {verdict:?}")),
                    }
                }
            }
        }
    }
    println!(
        "{allowed} calls from or to pods on nodes allowed, {by_own_policy} more that the peer refuses by policies about them, {unknown} not known"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(allowed > 0 && unknown > 0);
}

/// Whether no policy restricts the end of a call that is an ordinary pod.
fn ordinary(analysis: &Analysis<'_>, from: &Workload, to: &Workload) -> bool {
    let free = |direction, workload: &Workload| {
        let pod = analysis.network.pods().number(workload.id).unwrap();
        let mut policies = analysis.network.policies().iter();
        !policies.any(|p| p.direction == direction && p.subject.contains(u128::from(pod)))
    };
    (from.host_network || free(Direction::Egress, from))
        && (to.host_network || free(Direction::Ingress, to))
}

/// The lines `{ingress-controller} => workload : TCP ports`: what Ingresses and OpenShift Routes lead to. The peer takes the controller for a
/// pod of a namespace that no policy names; where policies admit some only, ours is unknown.
#[test]
fn what_ingress_controllers_get_to() {
    let (mut lines, mut open) = (0, 0);
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(shared::path("suites/netpol")).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(expected) = std::fs::read_to_string(folder.join("expected.txt")) else {
            continue;
        };
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut want: BTreeMap<(String, u16), bool> = BTreeMap::new();
        for line in expected.lines() {
            let Some(rest) = line.strip_prefix("{ingress-controller} => ") else {
                continue;
            };
            let (to, ports) = rest.split_once(" : TCP ").unwrap();
            for port in ports.split(',') {
                want.insert((to.to_owned(), port.parse().unwrap()), false);
            }
        }
        let view = netpol::view(&folder.join("input"));
        let analysis = Analysis::of(&view, &Assumptions::default());
        for way in &analysis.ways.exposures {
            if !matches!(way.opener.kind(), "Ingress" | "Route") {
                continue;
            }
            let workload = analysis.topology.workload(way.workload).unwrap();
            let reach = analysis.reach(workload, workload.port(way.port).unwrap());
            let access = analysis.from_outside(way, &reach);
            let level = access.get().map(|a| a.level.as_str());
            let key = (netpol::words(workload), way.port);
            match want.get_mut(&key) {
                Some(seen) => *seen = level != Some("nobody"),
                None if level == Some("anyone") => {
                    wrong.push(format!("{name}: {key:?} is not expected"));
                }
                None => open += usize::from(level.is_none()),
            }
        }
        lines += want.len();
        let lost = want.iter().filter(|(_, seen)| !**seen);
        wrong.extend(lost.map(|(key, _)| format!("{name}: {key:?} is not found")));
    }
    println!("{lines} ports behind ingress controllers, {open} more not known");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(lines, 8);
}

#[test]
fn access_of_every_network_policy_case() {
    let expected: Value =
        serde_json::from_str(&shared::read("cases/meshes/expected.json")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, case) in expected["cases"].as_object().unwrap() {
        if case["system"] != "networkpolicy" {
            continue;
        }
        let view = view::of(&shared::read(&format!("cases/meshes/{name}.yaml")));
        let analysis = Analysis::of(&view, &Assumptions::default());
        let check = &case["expect"][0];
        let reference = check["workload"].as_str().unwrap();
        let workload = analysis.topology.named(reference).next().unwrap();
        let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
        let fact = analysis.reach(workload, workload.port(number).unwrap());
        let access = fact.get().unwrap().access();
        let plain = |m: &String| {
            let rest = m.split_once(':').map_or(m.as_str(), |(_, rest)| rest);
            rest.to_owned()
        };
        let mut set: Vec<String> = access.set.iter().map(plain).collect();
        // The cases list the namespaces of the view where we say all but some.
        if set == ["*"] && !access.except.is_empty() {
            let except: Vec<String> = access.except.iter().map(plain).collect();
            set = analysis.topology.namespaces.keys().cloned().collect();
            set.retain(|n| !except.contains(n));
            set.retain(|n| {
                analysis
                    .topology
                    .workloads
                    .iter()
                    .any(|w| w.namespace.as_str() == n)
            });
        }
        let by: Vec<&str> = access.by.iter().map(|b| b.as_str()).collect();
        let by = if by.is_empty() {
            "none".to_owned()
        } else {
            by.join("+")
        };
        let nets: Vec<&String> = access.nets.iter().collect();
        let callers = &check["callers"];
        let nets_wanted = callers.get("nets").cloned().unwrap_or_else(|| json!([]));
        let got = json!({"level": access.level.as_str(), "set": set, "by": by, "nets": nets});
        let want = json!({"level": callers["level"], "set": callers["set"], "by": callers["by"], "nets": nets_wanted});
        count += 1;
        if got != want {
            wrong.push(format!("{name}: {got}, not {want}"));
        }
    }
    println!("{count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 16);
}

#[test]
fn random_clusters_agree_with_the_reference() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let (clusters, seed) = (number("CLUSTERS", 2_000), number("SEED", 1));
    let mut oracle = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/random/netpol_oracle.py"
        ))
        .arg(shared::path("oracles/meshes/npref.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 with PyYAML");
    let mut input = oracle.stdin.take().unwrap();
    let mut output = BufReader::new(oracle.stdout.take().unwrap());
    let mut ask = |documents: &[Value], probes: &[Value]| -> Vec<bool> {
        let line = json!({"objects": documents, "probes": probes}).to_string();
        writeln!(input, "{line}").unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("the oracle failed on {line}"))
    };
    let mut cells: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut allowed, mut all) = (0u64, 0u64);
    for at in seed..seed + clusters {
        let mut pick = Pick::new(at);
        let documents = generate::cluster(&mut pick);
        let probes = generate::probes(&mut pick, 100);
        let theirs = ask(&documents, &probes);
        let ours = ours(&documents, &probes);
        let features = generate::features(&documents);
        for (probe, (ours, theirs)) in probes.iter().zip(ours.iter().zip(&theirs)) {
            if ours != theirs {
                let mut best = documents.clone();
                let mut next = 0;
                while next < best.len() {
                    let mut smaller = best.clone();
                    smaller.remove(next);
                    let one = std::slice::from_ref(probe);
                    let keeps = !generate::is_pod(&best[next])
                        && self::ours(&smaller, one) != ask(&smaller, one);
                    if keeps {
                        best = smaller;
                    } else {
                        next += 1;
                    }
                }
                let texts: Vec<String> = best.iter().map(Value::to_string).collect();
                panic!(
                    "cluster {at}: {probe}: ours {ours}, reference {theirs}\n{}",
                    texts.join("\n---\n")
                );
            }
            all += 1;
            allowed += u64::from(*theirs);
            for feature in &features {
                let cell = cells.entry(feature.clone()).or_default();
                if *theirs {
                    cell.0 += 1;
                } else {
                    cell.1 += 1;
                }
            }
        }
    }
    println!("{:<44} {:>9} {:>9}", "part of a policy", "allow", "deny");
    for (feature, (allow, deny)) in &cells {
        println!("{feature:<44} {allow:>9} {deny:>9}");
    }
    println!("{all} probes of {clusters} clusters: {allowed} allowed, 0 differences");
    if clusters >= 2_000 {
        assert!(cells.values().all(|(a, d)| *a >= 50 && *d >= 50));
        assert!(allowed * 10 >= all && (all - allowed) * 10 >= all);
    }
    oracle.kill().unwrap();
    oracle.wait().unwrap();
}

/// Whether each probe's connection is possible.
fn ours(documents: &[Value], probes: &[Value]) -> Vec<bool> {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    let view = view::of(&texts.join("\n---\n"));
    let analysis = Analysis::of(&view, &Assumptions::default());
    let named = |text: &str| analysis.topology.named(text).next();
    let network = &analysis.network;
    let outside = |text: &str| {
        let v4: std::net::Ipv4Addr = text.parse().unwrap();
        u128::from(u32::from(v4))
    };
    let ask = |probe: &Value| {
        let text = |name: &str| probe[name].as_str().unwrap();
        let protocol = Protocol::read(probe["protocol"].as_str());
        let number = u16::try_from(probe["port"].as_u64().unwrap()).unwrap();
        let (from, to) = (named(text("from")), named(text("to")));
        let called = called(to, protocol, number);
        let Some(to) = to else {
            let through = network.outside(from.unwrap(), &called);
            return through.callers.v4.contains(outside(text("to")));
        };
        let pod = network.pods().number(to.id).unwrap();
        let ingress = network.through(Direction::Ingress, pod, &called);
        let Some(from) = from else {
            return ingress.callers.v4.contains(outside(text("from")));
        };
        let both = network.leaves(from, to, &called).get() == Some(&true)
            && ingress
                .callers
                .pods
                .contains(u128::from(network.pods().number(from.id).unwrap()));
        // The combined answer is the same set, asked from the port.
        let port = Port {
            number,
            name: String::new(),
            protocol,
            declared: None,
            services: Vec::new(),
        };
        let reach = analysis.reach(to, &port);
        let plain = &reach.get().unwrap().network.plain;
        assert_eq!(
            plain.as_ref().is_none_or(|n| n.admits_workload(from.id)),
            both,
            "{probe}"
        );
        both
    };
    probes.iter().map(ask).collect()
}
