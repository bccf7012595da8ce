//! References to workloads as people write them: `[Kind:]namespace/name`, or a bare name that is the only one. Input: text and the topologies of
//! views; output: the workload, or why the text names none or several.

use crate::facts::workload::Workload;
use crate::shape::nearest;
use crate::topology::Topology;

/// What is wrong with a reference: the author's fault.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ReferenceError {
    /// What.
    pub message: String,
    /// A way out.
    pub help: String,
}

/// The workload that a reference names.
///
/// # Errors
/// No workload, or several kinds, have the name.
pub fn workload<'t>(
    topology: &'t Topology,
    reference: &str,
) -> Result<&'t Workload, ReferenceError> {
    let found = all(topology, reference);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(none(topology, reference)),
        several => Err(ambiguous(reference, several)),
    }
}

fn ambiguous(reference: &str, several: &[&Workload]) -> ReferenceError {
    let names: Vec<String> = several
        .iter()
        .map(|w| format!("{}:{}", w.resource.kind(), w.reference()))
        .collect();
    ReferenceError {
        message: format!("`{reference}` is {}", names.join(" and ")),
        help: "write the one that is meant".to_owned(),
    }
}

fn none(topology: &Topology, reference: &str) -> ReferenceError {
    let names: Vec<String> = topology.workloads.iter().map(Workload::reference).collect();
    let plain = reference
        .split_once(':')
        .map_or(reference, |(_, name)| name);
    ReferenceError {
        message: format!("no workload `{reference}`"),
        help: nearest(plain, names.iter().map(String::as_str)).map_or_else(
            || "`meshgov access` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ),
    }
}

/// Every workload that fits: by kind and full name, else by the bare name alone.
fn all<'t>(topology: &'t Topology, reference: &str) -> Vec<&'t Workload> {
    let (kind, name) = match reference.split_once(':') {
        Some((kind, name)) => (Some(kind), name),
        None => (None, reference),
    };
    let of_kind = |w: &&Workload| kind.is_none_or(|k| w.resource.kind() == k);
    let full: Vec<&Workload> = topology.named(name).filter(of_kind).collect();
    if !full.is_empty() || name.contains('/') {
        return full;
    }
    topology
        .workloads
        .iter()
        .filter(|w| w.name() == name)
        .filter(of_kind)
        .collect()
}
