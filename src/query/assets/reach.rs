//! Who reaches the pods of an asset. Input: the mesh's analysis; output: components W, U, O and the callers. Several ports: the worst.

use crate::asset::Asset;
use crate::asset::grade::{Because, Component, TOP};
use crate::engine::Analysis;
use crate::facts::access::{Access, By, Level};
use crate::facts::workload::{Port, Protocol, Workload};
use crate::facts::{Fact, Role};

/// What reachability contributes.
pub(super) struct Reached {
    pub(super) workload: Component,
    pub(super) user: Component,
    pub(super) operation: Component,
    pub(super) callers: Vec<String>,
}

/// API groups of meshes that have no engine yet: their policies may narrow what we call open.
const NOT_ANALYSED: &[(&str, &str)] = &[
    ("policy.linkerd.io", "Linkerd"),
    ("kuma.io", "Kuma"),
    ("consul.hashicorp.com", "Consul"),
    ("cilium.io", "Cilium"),
];

pub(super) fn of(asset: &Asset, analysis: &Analysis<'_>, assumptions: &mut Vec<String>) -> Reached {
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
        let one = of_port(workload, port, analysis, assumptions);
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
    }
}

fn of_port(
    workload: &Workload,
    port: &Port,
    analysis: &Analysis<'_>,
    assumptions: &mut Vec<String>,
) -> Reached {
    let fact = analysis.reach(workload, port);
    let access = Fact {
        value: fact.value.map(|reach| reach.access()),
        steps: fact.steps,
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
        callers: known.set.iter().cloned().collect(),
    }
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
    match access.level {
        Level::Nobody => (3, "nobody may call".into()),
        _ if access.requests.iter().any(|r| r.starts_with("path:")) => {
            (2, "only listed paths".into())
        }
        _ => (0, "every path".into()),
    }
}
