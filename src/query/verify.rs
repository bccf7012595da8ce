//! Intent held against the tree. Input: `Expectation`s and the `Analysis` of a view; output: one `Check` each, in file order.

mod whole;

use std::collections::BTreeSet;

use crate::engine::Analysis;
use crate::engine::istio::{Answer, Call, Destination, Wire};
use crate::facts::access::By;
use crate::facts::access::network::Sender;
use crate::facts::workload::{Port, Protocol, Workload};
use crate::facts::{Fact, Step};
use crate::query::access::edge::{Client, Presents, is_on_node};
use crate::query::expectation::{
    CallQuestion, Caller, ClientTarget, Expectation, ExpectationError, Question,
};
use crate::query::reference;
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
    /// What decides the fact in question, with places.
    pub because: Vec<Step>,
}

/// Answers every expectation.
///
/// # Errors
/// As for [`check`].
pub fn verify(
    analysis: &Analysis<'_>,
    expectations: &[Expectation],
) -> Result<Vec<Check>, ExpectationError> {
    expectations.iter().map(|e| check(analysis, e)).collect()
}

/// Answers one expectation.
///
/// # Errors
/// The author's: a reference that names no workload or Service, or several.
pub fn check(
    analysis: &Analysis<'_>,
    expectation: &Expectation,
) -> Result<Check, ExpectationError> {
    let asked = Asked {
        analysis,
        span: expectation.span,
    };
    let mut held = asked.answer(expectation)?;
    held.actual.truncate(held.actual.trim_end().len());
    Ok(Check {
        span: expectation.span,
        ok: held.expected.trim_end() == held.actual,
        expected: held.expected,
        actual: held.actual,
        because: held.because,
    })
}

/// What was expected and what holds, in the same words.
struct Held {
    expected: String,
    actual: String,
    because: Vec<Step>,
}

impl Held {
    fn of<T>(expected: &str, fact: &Fact<T>, read: impl Fn(&T) -> &'static str) -> Self {
        Self {
            expected: expected.to_owned(),
            actual: fact.get().map_or(UNKNOWN, read).to_owned(),
            because: deciding(fact),
        }
    }
}

fn deciding<T>(fact: &Fact<T>) -> Vec<Step> {
    fact.deciding().cloned().collect()
}

/// `mtls+network`, or `nothing`.
fn proofs(by: &BTreeSet<By>) -> String {
    if by.is_empty() {
        return "nothing".to_owned();
    }
    let words: Vec<&str> = by.iter().map(|by| by.as_str()).collect();
    words.join("+")
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
            help: None,
        }
    }

    fn answer(&self, expectation: &Expectation) -> Result<Held, ExpectationError> {
        let is = expectation.is.as_str();
        Ok(match &expectation.question {
            Question::Membership { of } => {
                let fact = self.analysis.membership(self.workload(of)?);
                Held::of(is, &fact, |m| m.as_str())
            }
            Question::Transport { of, port } => {
                let workload = self.workload(of)?;
                let fact = self.analysis.transport(workload, &port_of(workload, *port));
                Held::of(is, &fact, |t| t.mode.as_str())
            }
            Question::Access { to, port } => {
                let workload = self.workload(to)?;
                let fact = self.analysis.reach(workload, &port_of(workload, *port));
                let mut held = Held::of(is, &fact, |r| r.access().level.as_str());
                if let (Some(set), Some(reach)) = (&expectation.set, fact.get()) {
                    let found: Vec<String> = reach.access().set.into_iter().collect();
                    held.expected = format!("{} {}", held.expected, set.join(" "));
                    held.actual = format!("{} {}", held.actual, found.join(" "));
                }
                if let (Some(by), Some(reach)) = (&expectation.by, fact.get()) {
                    held.expected = format!("{} by {}", held.expected, proofs(by));
                    held.actual = format!("{} by {}", held.actual, proofs(&reach.access().by));
                }
                held
            }
            Question::Call(call) => {
                let (answer, because) = self.call(call)?;
                let mut held = Held {
                    expected: is.to_owned(),
                    actual: answer.map_or(UNKNOWN, answer_word).to_owned(),
                    because,
                };
                if let (Some(unprotected), Some(answer)) = (expectation.unprotected, answer) {
                    held.expected = format!("{is} unprotected={unprotected}");
                    held.actual = format!("{} unprotected={}", held.actual, !answer.proxied);
                }
                held
            }
            Question::Client {
                from,
                to,
                port,
                subset,
            } => {
                let fact = self.client(from, to, *port, subset.as_deref())?;
                Held::of(is, &fact, |w| w.as_str())
            }
            Question::Unreachable { from, to } => whole::unreachable(self, from, to)?,
            Question::Assets { exactly } => whole::assets(self.analysis.view, exactly),
            Question::Providers { only } => whole::providers(self.analysis.view, only),
        })
    }

    /// `[Kind:]namespace/name`.
    fn workload(&self, reference: &str) -> Result<&'a Workload, ExpectationError> {
        reference::workload(&self.analysis.topology, reference).map_err(|e| ExpectationError {
            help: Some(e.help),
            ..self.error(e.message)
        })
    }

    /// No answer when the facts that decide are unknown.
    fn call(&self, call: &CallQuestion) -> Result<(Option<Answer>, Vec<Step>), ExpectationError> {
        let workload = self.workload(&call.to)?;
        let port = port_of(workload, call.port);
        let mut request = call.request.clone();
        let mut ambient = false;
        let mut sender = Sender::Unsaid;
        let mut doubtful = false;
        let mut on_node = false;
        match &call.from {
            Caller::Anonymous => {}
            Caller::Identity(identity, is_ambient) => {
                request.identity = Some(identity.clone());
                ambient = *is_ambient;
            }
            Caller::Workload(reference) => {
                let client = self.workload(reference)?;
                sender = Sender::Workload(client.id);
                doubtful = self.analysis.network.doubt_of_leaving(client).is_some();
                on_node = is_on_node(client, workload);
                let client = Client::of(self.analysis, client);
                ambient = client.is_ambient();
                match client.presents(self.analysis, workload, &port) {
                    Presents::Unknown => return Ok((None, Vec::new())),
                    Presents::Nothing => {
                        let denied = Answer {
                            allowed: false,
                            delegated: false,
                            proxied: true,
                        };
                        return Ok((Some(denied), Vec::new()));
                    }
                    Presents::Identity(identity) => request.identity = identity,
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
        let Some(known) = reach.get() else {
            return Ok((None, deciding(&reach)));
        };
        let mut answer = Some(known.answer(&call));
        if doubtful {
            // Whether it leaves its own pod is not known; whether it would be refused all the same may be.
            let most = known.at_most();
            answer = Some(most.as_ref().unwrap_or(known).answer(&call)).filter(|a| !a.allowed);
        }
        if on_node && known.without_network().answer(&call).allowed {
            answer = answer.filter(|a| a.allowed);
        }
        Ok((answer, deciding(&reach)))
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
