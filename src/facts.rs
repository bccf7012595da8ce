//! L4: what the manifests add up to. Engines fill these values; rules judge them.

pub mod access;
pub mod assumptions;
pub mod before;
pub mod change;
pub mod egress;
pub mod exposure;
pub mod fact;
pub mod identity;
pub mod label_selector;
pub mod lineage;
pub mod pattern;
pub mod peers;
pub mod places;
pub mod policy;
pub mod record;
pub mod schema;
pub mod selector;
pub mod severity;
pub mod subject;
pub mod transport;
pub mod workload;

pub use assumptions::Assumptions;
pub use fact::{Fact, Origin, Role, Step, UnknownReason};
pub use severity::{Confidence, Severity};
