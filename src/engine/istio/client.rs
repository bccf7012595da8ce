//! What a client sends. Input: client, destination, Service port; output: mutual TLS, TLS, plaintext or broken, with what decided.
//!
//! istio/istio `pilot/pkg/networking/core/cluster_tls.go:buildUpstreamTLSSettings`, `pilot/pkg/model/push_context.go:
//! BestEffortInferServiceMTLSMode`, `pilot/pkg/xds/endpoints/mtls_checker.go`; the table of both sides: domain/istio.md §4.4.

use crate::engine::istio::Istio;
use crate::engine::istio::compile::Protocol;
use crate::engine::istio::destination_rule::Chosen;
use crate::engine::istio::listener::Listener;
use crate::engine::istio::peer_authentication::PaMode;
use crate::facts::transport::{Membership, Mode, Plaintext, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Fact, Step, UnknownReason};
use crate::topology::Topology;
use crate::yaml::NodeRef;

/// What arrives, ordered from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wire {
    /// Nothing gets through.
    Broken,
    /// Plaintext.
    Plaintext,
    /// TLS without client certificate, to the application.
    Tls,
    /// TLS with a client certificate of the user's own.
    MtlsCustom,
    /// Mutual TLS of the mesh.
    Mtls,
}

impl Wire {
    /// The word used in facts, output and `expect:` files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Plaintext => "plaintext",
            Self::Tls => "tls",
            Self::MtlsCustom => "mtls-custom",
            Self::Mtls => "mtls",
        }
    }
}

/// Where a client calls.
#[derive(Clone, Copy, Debug)]
pub enum Destination<'d> {
    /// A Service of the view.
    Service {
        /// Its namespace.
        namespace: &'d str,
        /// Its name.
        name: &'d str,
    },
    /// A host outside, perhaps declared by a ServiceEntry of `namespace`.
    Host {
        /// The host.
        host: &'d str,
        /// Namespace of its ServiceEntry.
        namespace: &'d str,
    },
}

/// What the client puts on the wire, before it meets the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Plaintext,
    Mtls,
    /// Mutual TLS of the mesh in an HBONE tunnel.
    Tunnel,
    Tls,
    MtlsCustom,
}

/// One pod behind the destination.
struct Server<'s> {
    membership: Membership,
    transport: Transport,
    port: &'s Port,
}

impl Istio {
    /// What arrives when `client` calls a Service port; `None` when nothing of the view answers to that Service and port.
    #[must_use]
    pub fn client(
        &self,
        topology: &Topology,
        client: &Workload,
        destination: &Destination<'_>,
        port: u16,
        subset: Option<&str>,
    ) -> Option<Fact<Wire>> {
        let membership = self.membership(topology, client);
        let of_client = match &membership.value {
            Ok(value) => *value,
            Err(reasons) => {
                return Some(Fact {
                    value: Err(reasons.clone()),
                    steps: membership.steps,
                });
            }
        };
        let (host, namespace, internal) = match destination {
            Destination::Service { namespace, name } => {
                let host = format!("{name}.{namespace}.svc.cluster.local");
                (host, *namespace, true)
            }
            Destination::Host { host, namespace } => {
                let internal = self.internal_hosts.contains(*host);
                ((*host).to_owned(), *namespace, internal)
            }
        };
        let chosen = (of_client == Membership::Sidecar)
            .then(|| self.destination_rules.choose(client, &host, namespace))
            .flatten();
        let call = Calling {
            istio: self,
            client: of_client,
            ambient_installed: self.ambient_installed,
            chosen,
            namespace,
            internal,
            port,
            subset,
        };
        let mut steps = membership.steps;
        let Destination::Service { namespace, name } = destination else {
            let (sent, step) = call.sends(None);
            steps.extend(step);
            return Some(Fact::known(sent.alone(), steps));
        };
        let servers = self.servers(topology, namespace, name, port);
        let mut worst: Option<(Wire, Vec<Step>)> = None;
        for (membership, transport, port) in &servers {
            let server = match (&membership.value, &transport.value) {
                (Ok(membership), Ok(transport)) => Server {
                    membership: *membership,
                    transport: transport.clone(),
                    port,
                },
                (Err(reasons), _) | (_, Err(reasons)) => {
                    return Some(unknown(reasons, steps));
                }
            };
            let (sent, step) = call.sends(Some(&server));
            let wire = meets(sent, &server);
            if worst.as_ref().is_none_or(|(known, _)| wire < *known) {
                let mut because: Vec<Step> = step.into_iter().collect();
                because.extend(transport.steps.iter().cloned());
                worst = Some((wire, because));
            }
        }
        let (wire, because) = worst?;
        let mut all = because;
        all.extend(steps);
        Some(Fact::known(wire, all))
    }

    fn servers<'t>(
        &self,
        topology: &'t Topology,
        namespace: &str,
        name: &str,
        port: u16,
    ) -> Vec<(Fact<Membership>, Fact<Transport>, &'t Port)> {
        let mut found = Vec::new();
        for workload in topology.behind(namespace, name) {
            let leads_here = |p: &&Port| {
                p.services
                    .iter()
                    .any(|s| s.port == port && s.service.name == name)
            };
            let Some(target) = workload.ports.iter().find(leads_here) else {
                continue;
            };
            let membership = self.membership(topology, workload);
            let transport = self.transport(workload, &membership, target);
            found.push((membership, transport, target));
        }
        found
    }
}

fn unknown(reasons: &[UnknownReason], steps: Vec<Step>) -> Fact<Wire> {
    Fact {
        value: Err(reasons.to_vec()),
        steps,
    }
}

/// One client calling one destination.
struct Calling<'c> {
    istio: &'c Istio,
    client: Membership,
    ambient_installed: bool,
    chosen: Option<Chosen<'c>>,
    namespace: &'c str,
    internal: bool,
    port: u16,
    subset: Option<&'c str>,
}

impl Calling<'_> {
    /// What the client sends, with the field that says so.
    fn sends(&self, server: Option<&Server<'_>>) -> (Sent, Option<Step>) {
        let ambient_server = server.is_some_and(|s| s.membership == Membership::Ambient);
        match self.client {
            Membership::None | Membership::Meshed => return (Sent::Plaintext, None),
            Membership::Ambient => {
                let hbone_sidecar = server.is_some_and(|s| s.membership == Membership::Sidecar)
                    && self.istio.config.sidecar_hbone;
                let tunnel = ambient_server || hbone_sidecar;
                return (
                    if tunnel {
                        Sent::Tunnel
                    } else {
                        Sent::Plaintext
                    },
                    None,
                );
            }
            Membership::Sidecar => {}
        }
        // An ambient server is reached in a tunnel whatever the rule says; TLS of the rule goes inside.
        let tunnel = self.ambient_installed && ambient_server;
        let rule = self
            .chosen
            .as_ref()
            .and_then(|c| Some((c, c.tls(self.subset, self.port)?)));
        let Some((chosen, (resource, tls))) = rule else {
            let sent = self.automatic(server, tunnel);
            return (sent, None);
        };
        let mode = tls.get("mode").map_or("DISABLE", NodeRef::text);
        let span = tls.get("mode").unwrap_or(tls).span();
        let says = format!("DestinationRule {} asks for {mode}", resource.name);
        let step = Step::decides(resource, span, says);
        let sent = match mode {
            "SIMPLE" | "MUTUAL" if loses_credential(tls, mode, chosen) => Sent::Plaintext,
            "SIMPLE" => Sent::Tls,
            "MUTUAL" => Sent::MtlsCustom,
            "ISTIO_MUTUAL" => Sent::Mtls,
            _ => Sent::Plaintext,
        };
        let sent = match sent {
            Sent::Plaintext | Sent::Mtls if tunnel => Sent::Tunnel,
            other => other,
        };
        (sent, Some(step))
    }

    /// Without `tls`: mutual TLS where the server has a proxy and is not known to refuse it; the mode is inferred from namespace and mesh
    /// policies only.
    fn automatic(&self, server: Option<&Server<'_>>, tunnel: bool) -> Sent {
        if !self.internal {
            return Sent::Plaintext;
        }
        if tunnel {
            return Sent::Tunnel;
        }
        let (Some(server), true) = (server, self.istio.config.auto_mtls) else {
            return Sent::Plaintext;
        };
        let inferred = self.istio.peer_authentications.inferred(self.namespace);
        if inferred.mode == PaMode::Disable {
            return Sent::Plaintext;
        }
        let chosen = self.chosen.as_ref();
        let mutual = match chosen.and_then(|c| c.endpoint_mode(self.subset, self.port)) {
            Some(mode) => mode == "ISTIO_MUTUAL",
            None => {
                server.membership == Membership::Sidecar
                    && server.transport.mode != Mode::Plaintext(Plaintext::Disabled)
            }
        };
        if mutual { Sent::Mtls } else { Sent::Plaintext }
    }
}

/// Certificates from a Secret reach a sidecar only through a rule with a workload selector; MUTUAL without any certificate is an error of
/// the builder. Both leave plaintext.
fn loses_credential(tls: NodeRef<'_>, mode: &str, chosen: &Chosen<'_>) -> bool {
    let text = |name: &str| tls.get(name).map(NodeRef::text).filter(|t| !t.is_empty());
    match text("credentialName") {
        Some(name) => !name.starts_with("configmap://") && !chosen.is_for_pods(),
        None => mode == "MUTUAL" && text("clientCertificate").is_none(),
    }
}

impl Sent {
    /// What arrives where no proxy of the mesh waits.
    fn alone(self) -> Wire {
        match self {
            Self::Plaintext => Wire::Plaintext,
            Self::Mtls | Self::Tunnel => Wire::Mtls,
            Self::Tls => Wire::Tls,
            Self::MtlsCustom => Wire::MtlsCustom,
        }
    }
}

/// What is sent meets what the server's port accepts.
fn meets(sent: Sent, server: &Server<'_>) -> Wire {
    let mode = server.transport.mode;
    let unproxied = matches!(
        mode,
        Mode::Plaintext(Plaintext::Unmeshed | Plaintext::Bypassed)
    );
    let sidecar = server.membership == Membership::Sidecar;
    match sent {
        Sent::Plaintext if mode == Mode::Strict => Wire::Broken,
        Sent::Plaintext => Wire::Plaintext,
        Sent::Mtls | Sent::Tunnel if unproxied => Wire::Broken,
        Sent::Tunnel => Wire::Mtls,
        Sent::Mtls if sidecar && mode.accepts_identity() => Wire::Mtls,
        Sent::Mtls => Wire::Broken,
        Sent::Tls | Sent::MtlsCustom if sidecar && mode == Mode::Strict => Wire::Broken,
        // The permissive chain of an HTTP port takes plaintext HTTP or the mesh's own TLS, nothing else.
        Sent::Tls | Sent::MtlsCustom
            if sidecar
                && mode == Mode::Permissive
                && Listener::of_port(server.port) == Listener::Known(Protocol::Http) =>
        {
            Wire::Broken
        }
        Sent::Tls | Sent::MtlsCustom => sent.alone(),
    }
}
