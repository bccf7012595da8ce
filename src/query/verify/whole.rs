//! Expectations about a whole view: who reaches whom in turn, which AI assets there are, which providers they name. Input: the `Analysis`; output:
//! what holds beside what was expected.

use std::collections::BTreeSet;

use crate::asset::Inventory;
use crate::facts::Step;
use crate::facts::access::Level;
use crate::facts::exposure::join;
use crate::facts::workload::{Workload, WorkloadId};
use crate::query::access::edge::Verdict;
use crate::query::access::reach::{Hop, Ports};
use crate::query::expectation::ExpectationError;
use crate::view::View;

use super::{Asked, Held, UNKNOWN};

const OUT_OF_REACH: &str = "unreachable";

/// Whether no chain of calls leads from one to the other.
pub(super) fn unreachable(
    asked: &Asked<'_>,
    from: &str,
    to: &str,
) -> Result<Held, ExpectationError> {
    let target = asked.workload(to)?;
    let ports = Ports::of(asked.analysis);
    let held = |actual: String| Held {
        expected: OUT_OF_REACH.to_owned(),
        actual,
        because: Vec::new(),
    };
    let mut unknown = false;
    let starts = starts(asked, from, target)?;
    if starts.direct == Some(true) {
        return Ok(Held {
            because: starts.steps,
            ..held(format!("reachable from {from}"))
        });
    }
    unknown |= starts.direct.is_none();
    for start in starts.workloads {
        if start.id == target.id {
            continue;
        }
        let hops = ports.reached_from(start);
        let Some(last) = hops.iter().find(|h| h.to == target.id) else {
            continue;
        };
        let chain = chain(&hops, last);
        if chain.iter().any(|h| h.edge.verdict == Verdict::Unknown) {
            unknown = true;
            continue;
        }
        return Ok(held(format!("reachable: {}", words(asked, start, &chain))));
    }
    Ok(held(
        if unknown { UNKNOWN } else { OUT_OF_REACH }.to_owned(),
    ))
}

/// Where a chain of calls can start.
struct Starts<'a> {
    workloads: Vec<&'a Workload>,
    /// Whether the target itself is open to the start, for callers from outside; `None` = it cannot be known.
    direct: Option<bool>,
    steps: Vec<Step>,
}

fn starts<'a>(
    asked: &Asked<'a>,
    from: &str,
    target: &Workload,
) -> Result<Starts<'a>, ExpectationError> {
    let all = asked.analysis.topology.workloads.iter();
    let workloads: Vec<&Workload> = match from.split_once(':') {
        Some(("ns", namespace)) => all.filter(|w| w.namespace.as_str() == namespace).collect(),
        Some(("sa", account)) => all
            .filter(|w| join(w.namespace.as_str(), &w.service_account) == account)
            .collect(),
        _ if from == "outside" => return Ok(outside(asked, target)),
        _ => vec![asked.workload(from)?],
    };
    if workloads.is_empty() {
        return Err(asked.error(format!("`{from}` names no workload of the view")));
    }
    Ok(Starts {
        workloads,
        direct: Some(false),
        steps: Vec::new(),
    })
}

/// Workloads that callers from outside get to.
fn outside<'a>(asked: &Asked<'a>, target: &Workload) -> Starts<'a> {
    let analysis = asked.analysis;
    let mut starts = Starts {
        workloads: Vec::new(),
        direct: Some(false),
        steps: Vec::new(),
    };
    for way in &analysis.ways.exposures {
        let Some(workload) = analysis.topology.workload(way.workload) else {
            continue;
        };
        let port = super::port_of(workload, way.port);
        let access = analysis.from_outside(way, &analysis.reach(workload, &port));
        let open = access.get().map(|a| a.level != Level::Nobody);
        if workload.id == target.id && starts.direct == Some(false) {
            starts.direct = open;
            starts.steps = access.deciding().cloned().collect();
        } else if open == Some(true) {
            starts.workloads.push(workload);
        } else if open.is_none() && starts.direct == Some(false) {
            starts.direct = None;
        }
    }
    starts.workloads.dedup_by_key(|w| w.id);
    starts
}

/// The calls that lead to a hop, first to last.
fn chain<'h>(hops: &'h [Hop], last: &'h Hop) -> Vec<&'h Hop> {
    let mut chain = vec![last];
    let mut at = last;
    while at.calls > 1 {
        let Some(before) = hops
            .iter()
            .find(|h| h.to == at.from && h.calls == at.calls - 1)
        else {
            break;
        };
        chain.push(before);
        at = before;
    }
    chain.reverse();
    chain
}

fn words(asked: &Asked<'_>, start: &Workload, chain: &[&Hop]) -> String {
    let name = |id: WorkloadId| {
        let workload = asked.analysis.topology.workload(id);
        workload.map_or_else(String::new, Workload::reference)
    };
    let mut text = start.reference();
    for hop in chain {
        text = format!("{text} → {}:{}", name(hop.to), hop.port);
    }
    text
}

/// The AI assets of a view that findings are made about.
pub(super) fn assets(view: &View, exactly: &[String]) -> Held {
    let inventory = Inventory::of(view);
    let mut actual = BTreeSet::new();
    let mut because = Vec::new();
    for asset in inventory.assets.iter().filter(|a| !a.is_possible()) {
        let place = join(asset.namespace.as_str(), &asset.resource.name);
        let full = format!("{}:{place}", asset.resource.kind());
        // A name that the expectation writes with its kind is shown with it.
        let named = exactly.contains(&full);
        if !named && !exactly.contains(&place) {
            let says = format!("{full} counts as {}", asset.class.as_str());
            let span = asset.resource.name_span();
            because.push(Step::decides(&asset.resource, span, says));
        }
        actual.insert(if named { full } else { place });
    }
    let words = |names: &[String]| match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    Held {
        expected: words(exactly),
        actual: words(&actual.into_iter().collect::<Vec<_>>()),
        because,
    }
}

/// The external providers that AI assets name.
pub(super) fn providers(view: &View, only: &[String]) -> Held {
    let inventory = Inventory::of(view);
    let mut others = BTreeSet::new();
    let mut because = Vec::new();
    for asset in &inventory.assets {
        for (host, provider, span) in asset.providers() {
            if only.iter().any(|o| o == provider.name) {
                continue;
            }
            let words = format!("{} ({host})", provider.name);
            let says = format!("the asset calls {words}");
            because.push(Step::decides(&asset.resource, span, says));
            others.insert(words);
        }
    }
    let expected = match only {
        [] => "no provider".to_owned(),
        only => format!("no provider but {}", only.join(", ")),
    };
    let actual = if others.is_empty() {
        expected.clone()
    } else {
        let others: Vec<String> = others.into_iter().collect();
        format!("also {}", others.join(", "))
    };
    Held {
        expected,
        actual,
        because,
    }
}
