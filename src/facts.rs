//! L4: what the manifests add up to. Engines fill these values; rules judge them.

pub mod fact;
pub mod severity;
pub mod subject;

pub use fact::{Fact, Origin, Role, Step, UnknownReason};
pub use severity::{Confidence, Severity};
