//! `expect:` files. Input: a located document; output: `Expectation`s, or what is wrong with them and where.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::facts::access::By;
use crate::facts::peers::{Identity, Request, Token};
use crate::source::Span;
use crate::yaml::NodeRef;

/// One entry of `expect:`.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Bytes of the entry.
    pub span: Span,
    /// What is asked.
    pub question: Question,
    /// The word under `is:`.
    pub is: String,
    /// The members under `set:`, sorted, for `access`.
    pub set: Option<Vec<String>>,
    /// The words under `by:`, for `access`: what proves the caller.
    pub by: Option<BTreeSet<By>>,
    /// Whether the call is expected to meet no proxy, for `call`.
    pub unprotected: Option<bool>,
    /// The view that is meant, when it is not every view that knows the names.
    pub view: Option<String>,
}

/// What an expectation asks.
#[derive(Clone, Debug)]
pub enum Question {
    /// `membership`.
    Membership {
        /// The workload.
        of: String,
    },
    /// `transport`.
    Transport {
        /// The workload.
        of: String,
        /// Container port.
        port: u16,
    },
    /// `access`.
    Access {
        /// The workload.
        to: String,
        /// Container port.
        port: u16,
    },
    /// `call`.
    Call(Box<CallQuestion>),
    /// `client`.
    Client {
        /// The calling workload.
        from: String,
        /// Where it calls.
        to: ClientTarget,
        /// Service port.
        port: u16,
        /// Subset of a DestinationRule.
        subset: Option<String>,
    },
    /// `unreachable`, also in turn.
    Unreachable {
        /// Who starts: a workload, `ns:NAMESPACE`, `sa:NAMESPACE/ACCOUNT` or `outside`.
        from: String,
        /// The workload that must not be reached.
        to: String,
    },
    /// `assets`: the AI assets there are, and no others.
    Assets {
        /// Their references.
        exactly: Vec<String>,
    },
    /// `providers`: the external model providers that may be named.
    Providers {
        /// Their names.
        only: Vec<String>,
    },
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Membership { of } => write!(f, "membership of {of}"),
            Self::Transport { of, port } => write!(f, "transport of {of} port {port}"),
            Self::Access { to, port } => write!(f, "access to {to} port {port}"),
            Self::Call(call) => {
                let from = match &call.from {
                    Caller::Workload(name) => name.clone(),
                    Caller::Identity(id, _) => format!("sa:{}/{}", id.namespace, id.account),
                    Caller::Anonymous => "anybody".to_owned(),
                };
                write!(f, "call from {from} to {} port {}", call.to, call.port)
            }
            Self::Client { from, to, port, .. } => {
                let (ClientTarget::Service(to) | ClientTarget::Host(to)) = to;
                write!(f, "what {from} sends to {to} port {port}")
            }
            Self::Unreachable { from, to } => write!(f, "{to} from {from}"),
            Self::Assets { .. } => write!(f, "AI assets"),
            Self::Providers { .. } => write!(f, "model providers"),
        }
    }
}

/// Where a `client` calls.
#[derive(Clone, Debug)]
pub enum ClientTarget {
    /// `service: namespace/name`.
    Service(String),
    /// `host: api.example.com`.
    Host(String),
}

/// Who makes a `call`.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A workload of the view, with the identity and dataplane it has.
    Workload(String),
    /// An identity; `ambient` or `sidecar` dataplane.
    Identity(Identity, bool),
    /// Nobody known.
    Anonymous,
}

/// A `call` in full.
#[derive(Clone, Debug)]
pub struct CallQuestion {
    /// Who calls.
    pub from: Caller,
    /// The workload called.
    pub to: String,
    /// Container port.
    pub port: u16,
    /// The request; its identity is still empty.
    pub request: Request,
    /// Whether it is HTTP.
    pub is_http: bool,
    /// Whether it is addressed to the pod, not to a Service.
    pub direct: bool,
}

/// What is wrong with an expectation: the author's fault.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ExpectationError {
    /// Where.
    pub span: Span,
    /// What.
    pub message: String,
    /// A way out.
    pub help: Option<String>,
}

/// Reads the entries of a document's `expect:`.
///
/// # Errors
/// The author's: an unknown kind of expectation, a field that is missing or makes no sense.
pub fn read(document: NodeRef<'_>) -> Result<Vec<Expectation>, ExpectationError> {
    let list = document
        .get("expect")
        .filter(|l| l.is_seq())
        .ok_or_else(|| error(document, "expected a list under `expect`"))?;
    list.items().map(entry).collect()
}

fn error(at: NodeRef<'_>, message: impl Into<String>) -> ExpectationError {
    ExpectationError {
        span: at.span(),
        message: message.into(),
        help: None,
    }
}

/// Kinds of expectations, each with the words that `is` may hold; none = the kind has no `is`.
const KINDS: [(&str, &[&str]); 8] = [
    (
        "membership",
        &["none", "sidecar", "ambient", "meshed", "unknown"],
    ),
    (
        "transport",
        &["plaintext", "permissive", "strict", "broken", "unknown"],
    ),
    (
        "access",
        &[
            "anyone",
            "mesh",
            "namespaces",
            "identities",
            "nobody",
            "unknown",
        ],
    ),
    ("call", &["allow", "deny", "delegated", "unknown"]),
    (
        "client",
        &[
            "mtls",
            "mtls-custom",
            "tls",
            "plaintext",
            "broken",
            "unknown",
        ],
    ),
    ("unreachable", &[]),
    ("assets", &[]),
    ("providers", &[]),
];

fn words(kind: NodeRef<'_>) -> Result<&'static [&'static str], ExpectationError> {
    let name = kind.key_text();
    let known = KINDS.iter().find(|(known, _)| *known == name);
    known.map(|(_, words)| *words).ok_or_else(|| {
        let names = KINDS.iter().map(|(name, _)| *name);
        let all: Vec<&str> = names.clone().collect();
        let near = crate::shape::nearest(&name, names);
        let help = near.map_or_else(
            || format!("one of {}", all.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        ExpectationError {
            help: Some(help),
            ..error(kind, format!("`{name}` is no kind of expectation"))
        }
    })
}

/// The word under `is`, one of those that the kind knows.
fn is(body: NodeRef<'_>, words: &[&str]) -> Result<String, ExpectationError> {
    if words.is_empty() {
        return Ok(String::new());
    }
    let node = required(body, "is")?;
    if words.contains(&node.text()) {
        return Ok(node.text().to_owned());
    }
    Err(ExpectationError {
        help: Some(format!("one of {}", words.join(", "))),
        ..error(node, format!("`{}` is no answer to that", node.text()))
    })
}

fn texts(body: NodeRef<'_>, name: &str) -> Result<Vec<String>, ExpectationError> {
    let list = required(body, name)?;
    if !list.is_seq() {
        return Err(error(list, format!("expected a list under `{name}`")));
    }
    let mut texts: Vec<String> = list.items().map(|n| n.text().to_owned()).collect();
    texts.sort();
    Ok(texts)
}

fn entry(node: NodeRef<'_>) -> Result<Expectation, ExpectationError> {
    let mut kinds = node.entries().filter(|(key, _)| key.key_text() != "view");
    let (key, body) = kinds.next().ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        error(node, format!("expected one of {}", names.join(", ")))
    })?;
    if let Some((second, _)) = kinds.next() {
        return Err(error(second, "an entry holds one expectation"));
    }
    let words = words(key)?;
    let kind = key.key_text();
    let text = |name: &str| required(body, name).map(|n| n.text().to_owned());
    let port = || port(body);
    let question = match kind.as_ref() {
        "membership" => Question::Membership { of: text("of")? },
        "transport" => Question::Transport {
            of: text("of")?,
            port: port()?,
        },
        "access" => Question::Access {
            to: text("to")?,
            port: port()?,
        },
        "call" => Question::Call(Box::new(call(body)?)),
        "client" => Question::Client {
            from: text("from")?,
            to: client_target(required(body, "to")?)?,
            port: port()?,
            subset: body.get("subset").map(|n| n.text().to_owned()),
        },
        "unreachable" => Question::Unreachable {
            from: text("from")?,
            to: text("to")?,
        },
        "assets" => Question::Assets {
            exactly: texts(body, "exactly")?,
        },
        _ => Question::Providers {
            only: texts(body, "only")?,
        },
    };
    let set = body.get("set").map(|list| {
        let mut set: Vec<String> = list.items().map(|m| m.text().to_owned()).collect();
        set.sort();
        set
    });
    Ok(Expectation {
        span: node.span(),
        question,
        is: is(body, words)?,
        set,
        by: body.get("by").map(by).transpose()?,
        unprotected: body.get("unprotected").and_then(NodeRef::as_bool),
        view: node.get("view").map(|n| n.text().to_owned()),
    })
}

/// What proves a caller; an empty list is nothing.
fn by(list: NodeRef<'_>) -> Result<BTreeSet<By>, ExpectationError> {
    let known = [By::Network, By::Mtls, By::Jwt];
    let read = |node: NodeRef<'_>| {
        let found = known.into_iter().find(|by| by.as_str() == node.text());
        found.ok_or_else(|| ExpectationError {
            help: Some("network, mtls or jwt".to_owned()),
            ..error(node, format!("`{}` proves no caller", node.text()))
        })
    };
    if !list.is_seq() {
        return Err(error(list, "expected a list under `by`"));
    }
    list.items().map(read).collect()
}

fn required<'n>(body: NodeRef<'n>, name: &str) -> Result<NodeRef<'n>, ExpectationError> {
    body.get(name)
        .ok_or_else(|| error(body, format!("`{name}` is missing")))
}

fn port(body: NodeRef<'_>) -> Result<u16, ExpectationError> {
    let node = required(body, "port")?;
    node.as_i64()
        .and_then(|n| u16::try_from(n).ok())
        .filter(|&n| n > 0)
        .ok_or_else(|| error(node, format!("`{}` is no port", node.text())))
}

fn client_target(node: NodeRef<'_>) -> Result<ClientTarget, ExpectationError> {
    let text = |name: &str| node.get(name).map(|n| n.text().to_owned());
    match (text("service"), text("host")) {
        (Some(service), None) => Ok(ClientTarget::Service(service)),
        (None, Some(host)) => Ok(ClientTarget::Host(host)),
        _ => Err(error(node, "expected `service` or `host`")),
    }
}

fn call(body: NodeRef<'_>) -> Result<CallQuestion, ExpectationError> {
    let from = required(body, "from")?;
    let request = body.get("request");
    let of = |name: &str, default: &str| {
        request
            .and_then(|r| r.get(name))
            .map_or(default, NodeRef::text)
            .to_owned()
    };
    let address = |holder: NodeRef<'_>, name: &str| -> Result<Option<IpAddr>, ExpectationError> {
        let Some(node) = holder.get(name) else {
            return Ok(None);
        };
        let parsed = node.text().parse();
        parsed
            .map(Some)
            .map_err(|_| error(node, format!("`{}` is no address", node.text())))
    };
    let mut sent = Request {
        method: of("method", "GET"),
        path: of("path", "/"),
        host: of("host", ""),
        sni: of("sni", ""),
        token: from.get("jwt").map(token),
        headers: request
            .and_then(|r| r.get("headers"))
            .into_iter()
            .flat_map(NodeRef::entries)
            .map(|(k, v)| (k.key_text().to_lowercase(), v.text().to_owned()))
            .collect(),
        ..Request::default()
    };
    if let Some(ip) = address(from, "ip")? {
        sent.source = ip;
        sent.remote = ip;
    }
    if let Some(ip) = address(from, "remoteIp")? {
        sent.remote = ip;
    }
    if let Some(ip) = request.map_or(Ok(None), |r| address(r, "destination"))? {
        sent.destination = ip;
    }
    Ok(CallQuestion {
        from: caller(from)?,
        to: required(body, "to")?.text().to_owned(),
        port: port(body)?,
        is_http: of("protocol", "http") == "http",
        direct: body.get("via").map(NodeRef::text) == Some("direct"),
        request: sent,
    })
}

fn caller(from: NodeRef<'_>) -> Result<Caller, ExpectationError> {
    if let Some(workload) = from.get("workload") {
        return Ok(Caller::Workload(workload.text().to_owned()));
    }
    if let Some(node) = from.get("identity") {
        let identity = Identity::parse(node.text()).ok_or_else(|| {
            error(
                node,
                "an identity reads trust-domain/ns/NAMESPACE/sa/ACCOUNT",
            )
        })?;
        let ambient = from.get("dataplane").map(NodeRef::text) == Some("ambient");
        return Ok(Caller::Identity(identity, ambient));
    }
    if from.get("anonymous").and_then(NodeRef::as_bool) == Some(true) {
        return Ok(Caller::Anonymous);
    }
    Err(error(
        from,
        "expected `workload`, `identity` or `anonymous: true`",
    ))
}

fn token(node: NodeRef<'_>) -> Token {
    let text = |name: &str| node.get(name).map_or("", NodeRef::text).to_owned();
    let mut claims = std::collections::BTreeMap::new();
    if let Some(node) = node.get("claims") {
        collect(&mut Vec::new(), node, &mut claims);
    }
    Token {
        issuer: text("issuer"),
        subject: text("subject"),
        claims,
        valid: node.get("valid").and_then(NodeRef::as_bool) != Some(false),
    }
}

/// Claims by dotted path, each with its list of values. Depth is bounded by the parser's.
fn collect(
    path: &mut Vec<String>,
    node: NodeRef<'_>,
    claims: &mut std::collections::BTreeMap<String, Vec<String>>,
) {
    if node.is_map() {
        for (key, value) in node.entries() {
            path.push(key.key_text().into_owned());
            collect(path, value, claims);
            path.pop();
        }
        return;
    }
    let values = if node.is_seq() {
        node.items().map(|v| v.text().to_owned()).collect()
    } else {
        vec![node.text().to_owned()]
    };
    claims.insert(path.join("."), values);
}
