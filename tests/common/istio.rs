//! Answers of the Istio engine in the words of `../shared/cases/istio/expected.json`.

use std::collections::BTreeMap;

use meshgov::engine::Analysis;
use meshgov::engine::istio::{Answer, Call, Destination, Reach, Wire};
use meshgov::facts::access::network::Sender;
use meshgov::facts::peers::{Identity, Request, Token};
use meshgov::facts::transport::{Mode, Plaintext};
use meshgov::facts::workload::{Port, Protocol, Workload};
use serde_json::Value;

pub(crate) fn port_of(workload: &Workload, number: u16) -> Port {
    workload.port(number).cloned().unwrap_or(Port {
        number,
        name: String::new(),
        protocol: Protocol::Tcp,
        declared: None,
        services: Vec::new(),
    })
}

pub(crate) fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Plaintext(Plaintext::Disabled) => "DISABLE",
        Mode::Plaintext(_) => "NONE",
        Mode::Permissive => "PERMISSIVE",
        Mode::Strict => "STRICT",
        Mode::Broken => "BROKEN",
    }
}

pub(crate) fn workload<'a>(analysis: &'a Analysis<'_>, check: &Value) -> &'a Workload {
    let reference = check["workload"].as_str().unwrap();
    let found = analysis.topology.named(reference).next();
    found.unwrap_or_else(|| panic!("no workload {reference}"))
}

pub(crate) fn answer(analysis: &Analysis<'_>, check: &Value) -> Option<String> {
    if check["type"] == "client" {
        return Some(client(analysis, check));
    }
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

pub(crate) fn client(analysis: &Analysis<'_>, check: &Value) -> String {
    let from = check["client"].as_str().unwrap();
    let from = analysis.topology.named(from).next().unwrap();
    let port = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
    let destination = match check["host"].as_str() {
        Some(host) => Destination::Host {
            host,
            namespace: check["ns"].as_str().unwrap(),
        },
        None => {
            let (namespace, name) = check["service"].as_str().unwrap().split_once('/').unwrap();
            Destination::Service { namespace, name }
        }
    };
    let subset = check["subset"].as_str();
    let fact = analysis
        .istio
        .client(&analysis.topology, from, &destination, port, subset)
        .unwrap();
    match fact.get().unwrap() {
        Wire::Tls => "tls-simple".to_owned(),
        wire => wire.as_str().to_owned(),
    }
}

/// Answers many checks of one view; who reaches a port is worked out once.
#[allow(dead_code, reason = "not every test asks many")]
pub(crate) struct Asked<'a> {
    analysis: &'a Analysis<'a>,
    reach: BTreeMap<(String, u64), Reach>,
}

#[allow(dead_code, reason = "not every test asks many")]
impl<'a> Asked<'a> {
    pub(crate) fn new(analysis: &'a Analysis<'a>) -> Self {
        Self {
            analysis,
            reach: BTreeMap::new(),
        }
    }

    pub(crate) fn answer(&mut self, check: &Value) -> String {
        if check["type"] != "probe" {
            return answer(self.analysis, check).unwrap();
        }
        let number = check["port"].as_u64().unwrap();
        let workload = workload(self.analysis, check);
        let key = (workload.reference(), number);
        let analysis = self.analysis;
        let reach = self.reach.entry(key).or_insert_with(|| {
            let port = port_of(workload, u16::try_from(number).unwrap());
            analysis.reach(workload, &port).get().unwrap().clone()
        });
        word_of(reach.answer(&call(check)))
    }
}

pub(crate) fn probe(analysis: &Analysis<'_>, workload: &Workload, check: &Value) -> String {
    let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
    let fact = analysis.reach(workload, &port_of(workload, number));
    word_of(fact.get().unwrap().answer(&call(check)))
}

fn word_of(answer: Answer) -> String {
    let word = match (answer.proxied, answer.delegated, answer.allowed) {
        (false, _, _) => "allow-unprotected",
        (_, true, _) => "custom",
        (_, _, true) => "allow",
        (_, _, false) => "deny",
    };
    word.to_owned()
}

pub(crate) fn call(check: &Value) -> Call {
    let text = |name: &str, default: &str| check[name].as_str().unwrap_or(default).to_owned();
    let source = text("ip", "10.0.0.9").parse().unwrap();
    let headers = check["headers"].as_object().into_iter().flatten();
    Call {
        sender: Sender::Unsaid,
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

pub(crate) fn token(jwt: &serde_json::Map<String, Value>) -> Token {
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
