//! The Istio engine against the hand-derived cases of `../shared/cases/istio`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "common/shared.rs"]
mod shared;
#[path = "common/view.rs"]
mod view;

use std::collections::BTreeMap;

use meshgov::engine::istio::Call;
use meshgov::engine::{Analysis, Assume};
use meshgov::facts::access::{Access, By, Level};
use meshgov::facts::peers::{Identity, Request, Token};
use meshgov::facts::transport::{Mode, Plaintext};
use meshgov::facts::workload::{Port, Protocol, Workload};
use serde_json::Value;

fn port_of(workload: &Workload, number: u16) -> Port {
    workload.port(number).cloned().unwrap_or(Port {
        number,
        name: String::new(),
        protocol: Protocol::Tcp,
        declared: None,
        services: Vec::new(),
    })
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Plaintext(Plaintext::Disabled) => "DISABLE",
        Mode::Plaintext(_) => "NONE",
        Mode::Permissive => "PERMISSIVE",
        Mode::Strict => "STRICT",
        Mode::Broken => "BROKEN",
    }
}

fn workload<'a>(analysis: &'a Analysis<'_>, check: &Value) -> &'a Workload {
    let reference = check["workload"].as_str().unwrap();
    let found = analysis.topology.named(reference).next();
    found.unwrap_or_else(|| panic!("no workload {reference}"))
}

fn answer(analysis: &Analysis<'_>, check: &Value) -> Option<String> {
    let workload = workload(analysis, check);
    match check["type"].as_str().unwrap() {
        "membership" => {
            let fact = analysis.membership(workload);
            Some(fact.get().unwrap().as_str().to_owned())
        }
        "mtls" => {
            let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
            let fact = analysis.transport(workload, &port_of(workload, number));
            let transport = fact.get().unwrap();
            if let Some(source) = check["source"].as_str() {
                let says = &fact.steps[0].says;
                let (policy, port) = source.split_once('#').unwrap_or((source, ""));
                let port = port.trim_end_matches("(dropped)");
                let policy = policy.trim_end_matches("(dropped)");
                let fits = match policy {
                    "default" => says.contains("where no policy says otherwise"),
                    _ => says.contains(&format!("PeerAuthentication {policy} ")),
                };
                assert!(fits && says.contains(port), "{source} decides, not: {says}");
                assert_eq!(source.contains("dropped"), says.contains("not enforced"));
            }
            if let Some(candidates) = check["candidates"].as_array() {
                let mut all: Vec<&str> = transport.alternatives.iter().map(|&m| word(m)).collect();
                all.push(word(transport.mode));
                all.sort_unstable();
                assert_eq!(
                    all,
                    candidates
                        .iter()
                        .map(|c| c.as_str().unwrap())
                        .collect::<Vec<_>>()
                );
            }
            Some(word(transport.mode).to_owned())
        }
        "probe" => Some(probe(analysis, workload, check)),
        _ => None,
    }
}

fn probe(analysis: &Analysis<'_>, workload: &Workload, check: &Value) -> String {
    let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
    let fact = analysis.reach(workload, &port_of(workload, number));
    let answer = fact.get().unwrap().answer(&call(check));
    let word = match (answer.proxied, answer.delegated, answer.allowed) {
        (false, _, _) => "allow-unprotected",
        (_, true, _) => "custom",
        (_, _, true) => "allow",
        (_, _, false) => "deny",
    };
    word.to_owned()
}

fn call(check: &Value) -> Call {
    let text = |name: &str, default: &str| check[name].as_str().unwrap_or(default).to_owned();
    let source = text("ip", "10.0.0.9").parse().unwrap();
    let headers = check["headers"].as_object().into_iter().flatten();
    Call {
        is_http: text("proto", "http") == "http",
        through_service: text("via", "service") == "service"
            && text("client", "ambient") == "ambient",
        request: Request {
            identity: check["id"].as_str().map(|id| Identity::parse(id).unwrap()),
            token: check["jwt"].as_object().map(token),
            source,
            remote: check["remote_ip"]
                .as_str()
                .map_or(source, |ip| ip.parse().unwrap()),
            destination: text("dst_ip", "10.9.9.9").parse().unwrap(),
            method: text("method", "GET"),
            path: text("path", "/"),
            host: text("host", "svc"),
            headers: headers
                .map(|(k, v)| (k.to_lowercase(), v.as_str().unwrap().to_owned()))
                .collect(),
            sni: text("sni", ""),
        },
    }
}

fn token(jwt: &serde_json::Map<String, Value>) -> Token {
    fn collect(path: &str, value: &Value, claims: &mut BTreeMap<String, Vec<String>>) {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    collect(&path, value, claims);
                }
            }
            Value::Array(list) => {
                claims.insert(path.to_owned(), list.iter().map(text).collect());
            }
            one => {
                claims.insert(path.to_owned(), vec![text(one)]);
            }
        }
    }
    let mut claims = BTreeMap::new();
    collect("", jwt.get("claims").unwrap_or(&Value::Null), &mut claims);
    claims.remove("");
    let text = |name: &str| {
        jwt.get(name)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    Token {
        issuer: text("iss"),
        subject: text("sub"),
        claims,
        valid: jwt.get("valid").and_then(Value::as_bool).unwrap_or(true),
    }
}

/// The level's word in the terms of the cases.
fn level_word(access: &Access) -> &'static str {
    match (access.proxied, access.level, access.by.contains(&By::Mtls)) {
        (false, ..) => "ANYONE_UNPROTECTED",
        (_, Level::Anyone, _) if access.by.contains(&By::Network) => "IP_BLOCKS",
        (_, Level::Anyone, _) => "ANYONE",
        (_, Level::Nobody, _) => "NOBODY",
        (_, _, false) => "REQUEST_PRINCIPALS",
        (_, Level::Mesh, _) => "ANY_MESH_IDENTITY",
        (_, Level::Namespaces, _) => "NAMESPACES",
        (_, Level::Identities, _) => "PRINCIPALS",
    }
}

#[test]
fn level_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/istio/expected.json")).unwrap();
    let mut right = 0;
    let mut wrong = Vec::new();
    for case in expected["cases"].as_array().unwrap() {
        let Some(level) = case["level"].as_str() else {
            continue;
        };
        let text = shared::read(&format!("cases/istio/{}", case["file"].as_str().unwrap()));
        let view = view::of(&text);
        let analysis = Analysis::of(&view, &Assume::default());
        let checks = case["checks"].as_array().unwrap();
        let check = checks.iter().find(|c| c["port"].is_u64()).unwrap();
        let workload = workload(&analysis, check);
        let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
        let fact = analysis.reach(workload, &port_of(workload, number));
        let access = fact.get().unwrap().access();
        if level_word(&access) == level {
            right += 1;
        } else {
            wrong.push(format!("{}: {level}, got {access:?}", case["id"]));
        }
    }
    println!("level: {right} of {}", right + wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(right, 66);
}

#[test]
fn facts_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/istio/expected.json")).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in expected["cases"].as_array().unwrap() {
        let text = shared::read(&format!("cases/istio/{}", case["file"].as_str().unwrap()));
        let view = view::of(&text);
        let analysis = Analysis::of(&view, &Assume::default());
        for check in case["checks"].as_array().unwrap() {
            let kind = check["type"].as_str().unwrap();
            if !matches!(kind, "membership" | "mtls" | "probe") {
                continue;
            }
            let got = answer(&analysis, check);
            let count = counts.entry(kind.to_owned()).or_default();
            count.1 += 1;
            if got.as_deref() == check["expect"].as_str() {
                count.0 += 1;
            } else {
                wrong.push(format!("{}: {check} got {got:?}", case["id"]));
            }
        }
    }
    for (kind, (right, all)) in &counts {
        println!("{kind}: {right} of {all}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts["membership"].1, 15);
    assert_eq!(counts["mtls"].1, 32);
    assert_eq!(counts["probe"].1, 139);
}
