//! What a proxy takes a port's traffic for. Input: the Service port that leads to it; output: HTTP, TCP, or found out per connection.
//!
//! istio/istio `pkg/config/kube/conversion.go:ConvertProtocol`; of several Services the oldest decides, here the first in input order.

use crate::engine::istio::compile::Protocol;
use crate::facts::workload::{Port, ServicePort};

/// Ports that are TCP unless declared otherwise.
const WELL_KNOWN_TCP: [u16; 4] = [25, 53, 3306, 27017];

/// Protocols in which a connection may be read; one, or both when the proxy sniffs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// Read as this protocol.
    Known(Protocol),
    /// Found out from the first bytes.
    Auto,
}

impl Listener {
    /// The listener of a workload port; a port that no Service names is sniffed.
    pub(crate) fn of_port(port: &Port) -> Self {
        port.services.first().map_or(Self::Auto, Self::of_service)
    }

    /// The listener of a Service port.
    pub(crate) fn of_service(port: &ServicePort) -> Self {
        let app = port.app_protocol.as_deref().filter(|p| !p.is_empty());
        let name = match app {
            Some("kubernetes.io/h2c") => "http2",
            Some("kubernetes.io/ws") => "http",
            Some("kubernetes.io/wss") => "https",
            Some(other) => other,
            None => &port.name,
        };
        let name = name.to_lowercase();
        if name.starts_with("grpc-web") {
            return Self::Known(Protocol::Http);
        }
        match name.split('-').next().unwrap_or("") {
            "http" | "http2" | "grpc" | "http_proxy" => Self::Known(Protocol::Http),
            "tcp" | "tls" | "https" | "mongo" | "mysql" | "redis" => Self::Known(Protocol::Tcp),
            _ if WELL_KNOWN_TCP.contains(&port.port) => Self::Known(Protocol::Tcp),
            _ => Self::Auto,
        }
    }

    /// The protocols to consider.
    pub(crate) fn protocols(self) -> &'static [Protocol] {
        match self {
            Self::Known(Protocol::Http) => &[Protocol::Http],
            Self::Known(Protocol::Tcp) => &[Protocol::Tcp],
            Self::Auto => &[Protocol::Http, Protocol::Tcp],
        }
    }
}
