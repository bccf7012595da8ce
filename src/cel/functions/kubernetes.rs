//! Kubernetes' CEL libraries as pure functions: strings and numbers in, values or typed errors out.
//!
//! Semantics follow the doc comments of `k8s.io/apiserver/pkg/cel/library` (Kubernetes 1.36) and
//! <https://kubernetes.io/docs/reference/using-api/cel/>; each file names its source and where it
//! had to choose between a documented rule and what the Go code happens to do.

pub mod cidr;
pub mod format;
pub mod ip;
pub mod lists;
pub mod named_format;
pub mod quantity;
pub mod regex;
pub mod semver;
pub mod url;
