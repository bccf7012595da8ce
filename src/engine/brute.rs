//! The set algebra and the combination of layers against an evaluator that knows neither: small random clusters, every request of a small universe,
//! one by one. `CLUSTERS` and `SEED` set the amount and the first cluster.

mod asked;
mod cluster;
mod manifest;
mod naive;
#[path = "../../tests/random/pick.rs"]
mod pick;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Analysis;
use crate::facts::Assumptions;
use crate::facts::access::Level;
use crate::facts::access::reach::Reach;
use crate::facts::peers::Request;
use crate::resource::{Resource, ResourceId};
use crate::source::{SourceFile, SourceId};
use crate::view::{Member, Namespace, View};
use cluster::{Cluster, PORTS, PodModel};
use naive::{ADDRESSES, identities, requests};
use pick::Pick;

/// One port of a cluster, with our answer.
struct Asked<'c> {
    cluster: &'c Cluster,
    server: &'c PodModel,
    port: u16,
    reach: Reach,
}

/// Counts of what was compared, so that a generator that has gone dull is seen.
#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    admitted: u64,
    calls: u64,
    carried: u64,
    pairs: u64,
    subsets: u64,
    empty: u64,
    levels: BTreeMap<Level, u64>,
    exact: u64,
}

fn view(text: &str) -> View {
    let file = Arc::new(SourceFile::new(SourceId(0), "cluster.yaml", text));
    let parsed = crate::yaml::parse(&file);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let tree = Arc::new(parsed.tree);
    let resources = (0u32..).zip(&parsed.documents);
    let resources = resources.map(|(at, d)| Resource::new(ResourceId(at), &tree, d.root).unwrap());
    let members = resources.map(|resource| Member {
        namespace: match &resource.namespace {
            Some(name) => Namespace::Named(name.as_str().into()),
            None => Namespace::Cluster,
        },
        resource: Arc::new(resource),
    });
    View::new(
        "cluster".into(),
        "test".into(),
        members.collect(),
        Vec::new(),
    )
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn sets_and_layers_agree_with_every_request_of_small_clusters() {
    let mut seen = Seen::default();
    let (clusters, seed) = (number("CLUSTERS", 60), number("SEED", 1));
    for at in seed..seed + clusters {
        let mut pick = Pick::new(at);
        let cluster = Cluster::random(&mut pick);
        if let Err(difference) = compare(&cluster, &mut seen) {
            let (small, difference) = shrink(cluster, difference);
            panic!("cluster {at}: {difference}\n{}", small.text());
        }
    }
    println!("{clusters} clusters: {seen:?}");
    if clusters >= 60 {
        let tenth = |part: u64, all: u64| {
            assert!(part * 10 > all && part * 10 < all * 9, "{part} of {all}")
        };
        tenth(seen.admitted, seen.requests);
        tenth(seen.carried, seen.calls);
        assert!(seen.subsets * 20 > seen.pairs && seen.empty > 0);
        assert_eq!(seen.levels.len(), 5, "{:?}", seen.levels);
        let ports: u64 = seen.levels.values().sum();
        assert!(seen.exact * 10 > ports * 9, "{} of {ports}", seen.exact);
    }
}

/// Takes policies away while some difference stays.
fn shrink(mut cluster: Cluster, mut difference: String) -> (Cluster, String) {
    fn without<T: Clone>(list: &[T], at: usize) -> Vec<T> {
        let mut list = list.to_vec();
        list.remove(at);
        list
    }
    loop {
        let c = &cluster;
        let mut smaller: Vec<Cluster> = Vec::new();
        smaller.extend((0..c.peer.len()).map(|i| Cluster {
            peer: without(&c.peer, i),
            ..c.clone()
        }));
        smaller.extend((0..c.authorization.len()).map(|i| Cluster {
            authorization: without(&c.authorization, i),
            ..c.clone()
        }));
        smaller.extend((0..c.network.len()).map(|i| Cluster {
            network: without(&c.network, i),
            ..c.clone()
        }));
        smaller.extend((0..c.admin.len()).map(|i| Cluster {
            admin: without(&c.admin, i),
            ..c.clone()
        }));
        smaller.extend((0..c.pods.len()).map(|i| Cluster {
            pods: without(&c.pods, i),
            ..c.clone()
        }));
        for (at, policy) in c.authorization.iter().enumerate() {
            for rule in 0..policy.rules.len() {
                let mut less = c.clone();
                less.authorization[at].rules.remove(rule);
                smaller.push(less);
            }
        }
        let next = smaller.into_iter().find_map(|less| {
            let found = compare(&less, &mut Seen::default()).err()?;
            Some((less, found))
        });
        match next {
            Some(found) => (cluster, difference) = found,
            None => return (cluster, difference),
        }
    }
}

/// Compares all answers about a cluster; the first difference in words.
fn compare(cluster: &Cluster, seen: &mut Seen) -> Result<(), String> {
    let view = view(&cluster.text());
    let analysis = Analysis::of(&view, &Assumptions::default());
    let mut all = Vec::new();
    for server in &cluster.pods {
        for port in PORTS {
            let name = format!("{}/{}", server.namespace, server.app);
            let workload = analysis.topology.named(&name).next().unwrap();
            let reach = analysis.reach(workload, workload.port(port).unwrap());
            let reach = reach.get().unwrap().clone();
            all.push(Asked {
                cluster,
                server,
                port,
                reach,
            });
        }
    }
    for asked in &all {
        asked.mesh_alone(seen)?;
        asked.every_call(&analysis, seen)?;
        asked.projection(seen)?;
    }
    for pair in all.windows(2) {
        if let [a, b] = pair {
            algebra(a, b, seen)?;
        }
    }
    Ok(())
}

/// Every request that patterns over the words of the clusters can tell apart.
fn universe() -> &'static [Request] {
    static ALL: std::sync::OnceLock<Vec<Request>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = Vec::new();
        for identity in identities() {
            for source in ADDRESSES {
                all.extend(requests(identity.as_ref(), source));
            }
        }
        all
    })
}

/// Operations on the sets of two ports, by their members.
fn algebra(a: &Asked<'_>, b: &Asked<'_>, seen: &mut Seen) -> Result<(), String> {
    if !(a.reach.proxied && b.reach.proxied) {
        return Ok(());
    }
    let (x, y) = (a.set(), b.set());
    let (both, either, left) = (x.intersect(&y), x.clone().union(y.clone()), x.subtract(&y));
    let (mut in_x, mut in_both, mut in_left) = (false, false, false);
    for request in universe() {
        let (of_a, of_b) = (a.naive(request), b.naive(request));
        in_x |= of_a;
        in_both |= of_a && of_b;
        in_left |= of_a && !of_b;
        let wrong = both.admits(request) != (of_a && of_b)
            || either.admits(request) != (of_a || of_b)
            || (!left.widened && left.admits(request) != (of_a && !of_b));
        if wrong {
            return Err(format!(
                "{} and {}: wrong about {request:?}",
                a.place(),
                b.place()
            ));
        }
    }
    seen.pairs += 1;
    seen.subsets += u64::from(!in_left);
    seen.empty += u64::from(!in_x);
    let answers = [
        ("empty", x.is_empty(), !in_x),
        ("disjoint", both.is_empty(), !in_both),
        (
            "subset",
            x.is_subset(&y),
            !in_left || left.widened && x.is_subset(&y),
        ),
    ];
    for (what, ours, naive) in answers {
        if ours != naive && !left.widened {
            return Err(format!(
                "{} and {}: {what} is {ours}, not {naive}: {x:?} and {y:?}",
                a.place(),
                b.place()
            ));
        }
    }
    Ok(())
}
