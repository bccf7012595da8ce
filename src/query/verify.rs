//! Intent held against the tree. Input: `Expectation`s and the `Analysis` of a view; output: one `Check` each, in file order.

use crate::engine::Analysis;
use crate::engine::istio::{Answer, Call, Destination, Wire};
use crate::facts::Fact;
use crate::facts::access::network::Sender;
use crate::facts::peers::Identity;
use crate::facts::transport::Membership;
use crate::facts::workload::{Port, Protocol, Workload};
use crate::query::expectation::{
    CallQuestion, Caller, ClientTarget, Expectation, ExpectationError, Question,
};
use crate::source::Span;

/// What a fact that cannot be known reads as.
const UNKNOWN: &str = "unknown";

/// One expectation held against the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Bytes of the expectation.
    pub span: Span,
    /// What was expected, in words.
    pub expected: String,
    /// What holds, in the same words.
    pub actual: String,
    /// Whether they agree.
    pub ok: bool,
}

/// Answers every expectation.
///
/// # Errors
/// The author's: a reference that names no workload or Service, or several.
pub fn verify(
    analysis: &Analysis<'_>,
    expectations: &[Expectation],
) -> Result<Vec<Check>, ExpectationError> {
    expectations.iter().map(|e| check(analysis, e)).collect()
}

fn check(analysis: &Analysis<'_>, expectation: &Expectation) -> Result<Check, ExpectationError> {
    let asked = Asked {
        analysis,
        span: expectation.span,
    };
    let mut expected = expectation.is.clone();
    let mut actual = match &expectation.question {
        Question::Membership { of } => {
            let fact = analysis.membership(asked.workload(of)?);
            word(&fact, |m| m.as_str())
        }
        Question::Transport { of, port } => {
            let workload = asked.workload(of)?;
            let fact = analysis.transport(workload, &port_of(workload, *port));
            word(&fact, |t| t.mode.as_str())
        }
        Question::Access { to, port } => {
            let workload = asked.workload(to)?;
            let fact = analysis.reach(workload, &port_of(workload, *port));
            match fact.get().map(|r| r.access()) {
                None => UNKNOWN.to_owned(),
                Some(access) => {
                    let mut text = access.level.as_str().to_owned();
                    if let Some(set) = &expectation.set {
                        expected = format!("{expected} {}", set.join(" "));
                        let found: Vec<String> = access.set.iter().cloned().collect();
                        text = format!("{text} {}", found.join(" "));
                    }
                    text
                }
            }
        }
        Question::Call(call) => {
            let answer = asked.call(call)?;
            let mut text = answer.map_or(UNKNOWN, answer_word).to_owned();
            if let (Some(unprotected), Some(answer)) = (expectation.unprotected, answer) {
                expected = format!("{expected} unprotected={unprotected}");
                text = format!("{text} unprotected={}", !answer.proxied);
            }
            text
        }
        Question::Client {
            from,
            to,
            port,
            subset,
        } => {
            let fact = asked.client(from, to, *port, subset.as_deref())?;
            word(&fact, |w| w.as_str())
        }
    };
    actual.truncate(actual.trim_end().len());
    Ok(Check {
        span: expectation.span,
        ok: expected.trim_end() == actual,
        expected,
        actual,
    })
}

fn word<T>(fact: &Fact<T>, read: impl Fn(&T) -> &'static str) -> String {
    fact.get().map_or(UNKNOWN, read).to_owned()
}

fn answer_word(answer: Answer) -> &'static str {
    match (answer.allowed, answer.delegated) {
        (false, _) => "deny",
        (true, true) => "delegated",
        (true, false) => "allow",
    }
}

/// The port as the workload has it; an undeclared one is a valid question.
fn port_of(workload: &Workload, number: u16) -> Port {
    workload.port(number).cloned().unwrap_or(Port {
        number,
        name: String::new(),
        protocol: Protocol::Tcp,
        declared: None,
        services: Vec::new(),
    })
}

struct Asked<'a> {
    analysis: &'a Analysis<'a>,
    span: Span,
}

impl<'a> Asked<'a> {
    fn error(&self, message: String) -> ExpectationError {
        ExpectationError {
            span: self.span,
            message,
        }
    }

    /// `[Kind:]namespace/name`.
    fn workload(&self, reference: &str) -> Result<&'a Workload, ExpectationError> {
        let (kind, name) = match reference.split_once(':') {
            Some((kind, name)) => (Some(kind), name),
            None => (None, reference),
        };
        let fits = |w: &&Workload| kind.is_none_or(|k| w.resource.kind() == k);
        let found: Vec<&Workload> = self.analysis.topology.named(name).filter(fits).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(self.error(format!("no workload `{reference}`"))),
            several => {
                let kinds: Vec<String> = several
                    .iter()
                    .map(|w| format!("{}:{name}", w.resource.kind()))
                    .collect();
                Err(self.error(format!("`{reference}` is {}", kinds.join(" and "))))
            }
        }
    }

    /// `None` when the facts that decide are unknown.
    fn call(&self, call: &CallQuestion) -> Result<Option<Answer>, ExpectationError> {
        let workload = self.workload(&call.to)?;
        let port = port_of(workload, call.port);
        let mut request = call.request.clone();
        let mut ambient = false;
        let mut sender = Sender::Unsaid;
        match &call.from {
            Caller::Anonymous => {}
            Caller::Identity(identity, is_ambient) => {
                request.identity = Some(identity.clone());
                ambient = *is_ambient;
            }
            Caller::Workload(reference) => {
                let client = self.workload(reference)?;
                sender = Sender::Workload(client.id);
                match self.identity_of(client, workload, &port) {
                    Sends::Unknown => return Ok(None),
                    Sends::Nothing => {
                        return Ok(Some(Answer {
                            allowed: false,
                            delegated: false,
                            proxied: true,
                        }));
                    }
                    Sends::Identity(identity, is_ambient) => {
                        request.identity = identity;
                        ambient = is_ambient;
                    }
                }
            }
        }
        if request.host.is_empty() {
            let service = port.services.first().map(|s| s.service.name.clone());
            request.host = service.unwrap_or_else(|| workload.name().to_owned());
        }
        let call = Call {
            request,
            is_http: call.is_http,
            through_service: ambient && !call.direct,
            sender,
        };
        let reach = self.analysis.reach(workload, &port);
        Ok(reach.get().map(|r| r.answer(&call)))
    }

    /// What a workload presents to another one, by what arrives when it calls the Service before the port.
    fn identity_of(&self, client: &Workload, server: &Workload, port: &Port) -> Sends {
        let membership = self.analysis.membership(client);
        let Some(&dataplane) = membership.get() else {
            return Sends::Unknown;
        };
        if dataplane == Membership::None {
            return Sends::Identity(None, false);
        }
        let istio = &self.analysis.istio;
        let identity = Identity {
            trust_domain: istio
                .config
                .trust_domains
                .first()
                .cloned()
                .unwrap_or_default(),
            namespace: client.namespace.as_str().to_owned(),
            account: client.service_account.clone(),
        };
        let ambient = dataplane == Membership::Ambient;
        let Some(service) = port.services.first() else {
            return Sends::Identity(Some(identity), ambient);
        };
        let destination = Destination::Service {
            namespace: server.namespace.as_str(),
            name: &service.service.name,
        };
        let topology = &self.analysis.topology;
        let wire = istio.client(topology, client, &destination, service.port, None);
        match wire.as_ref().map(|fact| fact.get()) {
            Some(None) => Sends::Unknown,
            Some(Some(Wire::Broken)) => Sends::Nothing,
            Some(Some(Wire::Plaintext | Wire::Tls | Wire::MtlsCustom)) => {
                Sends::Identity(None, false)
            }
            Some(Some(Wire::Mtls)) | None => Sends::Identity(Some(identity), ambient),
        }
    }

    fn client(
        &self,
        from: &str,
        to: &ClientTarget,
        port: u16,
        subset: Option<&str>,
    ) -> Result<Fact<Wire>, ExpectationError> {
        let client = self.workload(from)?;
        let (what, destination) = match to {
            ClientTarget::Service(reference) => {
                let (namespace, name) = reference.split_once('/').unwrap_or(("", reference));
                (reference, Destination::Service { namespace, name })
            }
            ClientTarget::Host(host) => {
                let namespace = client.namespace.as_str();
                (host, Destination::Host { host, namespace })
            }
        };
        let topology = &self.analysis.topology;
        self.analysis
            .istio
            .client(topology, client, &destination, port, subset)
            .ok_or_else(|| self.error(format!("nothing stands behind port {port} of `{what}`")))
    }
}

/// What a workload presents.
enum Sends {
    /// It cannot be known.
    Unknown,
    /// Nothing arrives.
    Nothing,
    /// Something arrives, perhaps without identity; whether through the ambient dataplane.
    Identity(Option<Identity>, bool),
}
