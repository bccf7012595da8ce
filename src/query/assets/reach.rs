//! Who reaches the pods of an asset. Input: the mesh's analysis; output: components W, U, O and the callers. Several ports: the worst.

use crate::asset::Asset;
use crate::asset::grade::{Because, Component, TOP};
use crate::engine::Analysis;
use crate::facts::access::{Access, By, Level};
use crate::facts::exposure::Exposure;
use crate::facts::workload::{Port, Protocol, Workload};
use crate::facts::{Fact, Role};

/// What reachability contributes.
pub(super) struct Reached {
    pub(super) workload: Component,
    pub(super) user: Component,
    pub(super) operation: Component,
    pub(super) callers: Vec<String>,
    /// Whether only gateways may call; `None` when that is not known.
    pub(super) only_gateways: Option<bool>,
}

/// API groups of meshes that have no engine yet: their policies may narrow what we call open.
const NOT_ANALYSED: &[(&str, &str)] = &[
    ("policy.linkerd.io", "Linkerd"),
    ("kuma.io", "Kuma"),
    ("consul.hashicorp.com", "Consul"),
    ("cilium.io", "Cilium"),
];

/// `by_routes_only`: what policies at a gateway demand is read elsewhere, so it is left out here.
pub(super) fn of(
    asset: &Asset,
    analysis: &Analysis<'_>,
    by_routes_only: bool,
    assumptions: &mut Vec<String>,
) -> Reached {
    let id = asset.resource.id;
    let workload = analysis
        .topology
        .workloads
        .iter()
        .find(|w| w.resource.id == id);
    let Some(workload) = workload else {
        return unknown(&format!(
            "the controller of {} makes the pods",
            asset.resource.kind()
        ));
    };
    let other = NOT_ANALYSED
        .iter()
        .find(|(group, _)| analysis.view.kinds().any(|kind| kind.group == *group));
    if let Some((_, mesh)) = other {
        return unknown(&format!("policies of {mesh} are not analysed yet"));
    }
    if analysis.istio.evidence.is_none() {
        assumptions.push("nothing outside the files restricts who calls: no mesh is seen".into());
    }
    let whole = [any_port()];
    let ports: &[Port] = if workload.ports.is_empty() {
        &whole
    } else {
        &workload.ports
    };
    let mut reached: Option<Reached> = None;
    for port in ports.iter().filter(|p| p.protocol == Protocol::Tcp) {
        let mut one = of_port(workload, port, analysis, assumptions);
        if let Some(user) = outside(workload, port, analysis, by_routes_only) {
            one.user = user;
        }
        reached = Some(match reached {
            None => one,
            Some(known) => both(known, one),
        });
    }
    reached.unwrap_or_else(|| unknown("no TCP port is declared"))
}

/// Stands for whatever a pod that declares no port listens on.
fn any_port() -> Port {
    Port {
        number: 8080,
        name: String::new(),
        protocol: Protocol::Tcp,
        declared: None,
        services: Vec::new(),
    }
}

fn unknown(why: &str) -> Reached {
    let range = || Component::between(0, TOP, why, None);
    Reached {
        workload: range(),
        user: range(),
        operation: Component::between(0, 3, why, None),
        callers: Vec::new(),
        only_gateways: None,
    }
}

fn both(one: Reached, other: Reached) -> Reached {
    let mut callers = one.callers;
    callers.extend(other.callers);
    callers.sort();
    callers.dedup();
    Reached {
        workload: one.workload.worse(other.workload),
        user: one.user.worse(other.user),
        operation: one.operation.worse(other.operation),
        callers,
        only_gateways: match (one.only_gateways, other.only_gateways) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
    }
}

fn of_port(
    workload: &Workload,
    port: &Port,
    analysis: &Analysis<'_>,
    assumptions: &mut Vec<String>,
) -> Reached {
    let reach = analysis.reach(workload, port);
    let access = Fact {
        value: reach
            .value
            .as_ref()
            .map(|r| r.access())
            .map_err(Clone::clone),
        steps: reach.steps.clone(),
    };
    for step in &access.steps {
        if matches!(step.role, Role::Assumed(_)) {
            assumptions.push(step.says.clone());
        }
    }
    let because: Vec<Because> = access
        .steps
        .iter()
        .map(|step| Because {
            says: format!("port {}: {}", port.number, step.says),
            span: step.span(),
        })
        .collect();
    let known = match &access.value {
        Ok(known) => known,
        Err(reasons) => {
            let words: Vec<_> = reasons.iter().map(|r| r.missing.as_str()).collect();
            return unknown(&words.join("; "));
        }
    };
    let component = |(value, says): (u8, String)| {
        let mut component = Component::known(value, format!("port {}: {says}", port.number), None);
        component.because.extend(because.iter().cloned());
        component
    };
    Reached {
        workload: component(workload_identity(known)),
        user: component(user_identity(known)),
        operation: component(operation(known)),
        only_gateways: only_gateways(known, analysis),
        callers: known.set.iter().cloned().collect(),
    }
}

/// What users must prove who come from outside, on the weakest way in; `None` without a way.
fn outside(
    workload: &Workload,
    port: &Port,
    analysis: &Analysis<'_>,
    by_routes_only: bool,
) -> Option<Component> {
    let reach = analysis.reach(workload, port);
    let ways = analysis.ways.to(workload.id, port.number, port.protocol);
    let of_way = |way: &Exposure| {
        let mut way = way.clone();
        if by_routes_only {
            way.delegated.clear();
        }
        let fact = analysis.from_outside(&way, &reach);
        let mut component = match &fact.value {
            Ok(access) => {
                let (value, says) = user_identity(access);
                Component::known(
                    value,
                    format!("port {} from outside: {says}", port.number),
                    None,
                )
            }
            Err(reasons) => {
                let words: Vec<_> = reasons.iter().map(|r| r.missing.as_str()).collect();
                Component::between(0, TOP, words.join("; "), None)
            }
        };
        component
            .because
            .extend(fact.steps.iter().map(|step| Because {
                says: step.says.clone(),
                span: step.span(),
            }));
        component
    };
    ways.map(of_way).reduce(Component::worse)
}

/// Whether every caller is a gateway: an account, or a namespace, of gateways alone; `None` when the view does not hold what runs there. Istio
/// runs the pods of a Gateway `g` of class `c` as account `g-c` (istio.io, "Kubernetes Gateway API", automated deployment).
fn only_gateways(access: &Access, analysis: &Analysis<'_>) -> Option<bool> {
    if access.level == Level::Nobody {
        return Some(true);
    }
    let named = matches!(access.level, Level::Identities | Level::Namespaces);
    if !named || !access.proxied || !access.by.contains(&By::Mtls) || access.set.is_empty() {
        return Some(false);
    }
    let mut all = Some(true);
    for member in &access.set {
        match is_gateway(member, analysis) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

fn is_gateway(member: &str, analysis: &Analysis<'_>) -> Option<bool> {
    let (space, account) = match member.strip_prefix("sa:") {
        Some(account) => {
            let (space, name) = account.split_once('/')?;
            (space, Some(name))
        }
        None => (member.strip_prefix("ns:")?, None),
    };
    let mut gateway = None;
    for workload in &analysis.topology.workloads {
        let runs_there = workload.namespace.as_str() == space
            && account.is_none_or(|name| workload.service_account == name);
        if runs_there && !workload.is_gateway() {
            return Some(false);
        }
        if runs_there {
            gateway = Some(true);
        }
    }
    let group = "gateway.networking.k8s.io";
    let made = analysis.view.of_kind(group, "Gateway").any(|g| {
        let class = g.resource.object().at(&["spec", "gatewayClassName"]);
        let name = format!("{}-{}", g.resource.name, class.map_or("", |c| c.text()));
        g.namespace.as_str() == space && account.is_none_or(|account| account == name)
    });
    if made { Some(true) } else { gateway }
}

fn workload_identity(access: &Access) -> (u8, String) {
    let identified = access.by.contains(&By::Mtls);
    let namespaces = access.set.iter().filter(|m| m.starts_with("ns:")).count();
    match access.level {
        Level::Nobody => (TOP, "nobody may call".into()),
        _ if !access.proxied => (0, "no proxy asks who calls".into()),
        _ if !identified => (0, "callers need no workload identity".into()),
        Level::Anyone | Level::Mesh if access.set.iter().any(|m| m.starts_with("td:")) => {
            (2, "every workload of a trust domain may call".into())
        }
        Level::Anyone | Level::Mesh => (1, "every workload of the mesh may call".into()),
        Level::Namespaces if namespaces > 3 => (
            2,
            format!("every workload of {namespaces} namespaces may call"),
        ),
        Level::Namespaces => (3, "every workload of named namespaces may call".into()),
        Level::Identities => (TOP, "named service accounts may call".into()),
    }
}

fn user_identity(access: &Access) -> (u8, String) {
    let tokens: Vec<&String> = access
        .set
        .iter()
        .filter(|m| m.starts_with("jwt:"))
        .collect();
    match access.level {
        Level::Nobody => (TOP, "nobody may call".into()),
        _ if !access.by.contains(&By::Jwt) => (0, "no token is asked for".into()),
        _ if access.requests.iter().any(|r| r.starts_with("claim ")) => {
            (4, "claims of the token decide".into())
        }
        _ if !tokens.is_empty() && tokens.iter().all(|t| !t.contains('*')) => {
            (3, "issuer and subject of the token are fixed".into())
        }
        _ => (2, "any valid token will do".into()),
    }
}

fn operation(access: &Access) -> (u8, String) {
    let paths: Vec<&str> = access
        .requests
        .iter()
        .filter_map(|r| r.strip_prefix("path:"))
        .collect();
    let is_whole = |path: &&str| matches!(*path, "*" | "/*");
    match access.level {
        Level::Nobody => (3, "nobody may call".into()),
        _ if paths.is_empty() || paths.iter().any(is_whole) => (0, "every path".into()),
        _ if paths.iter().any(|path| path.contains('*')) => (1, "everything below a path".into()),
        _ => (2, "only listed paths".into()),
    }
}
