//! meshgov: a policy-as-code linter for Kubernetes and service-mesh manifests.
//!
//! One straight line, no way back: discover → parse → view → facts → evaluate → report.
//! Modules are listed from the lowest layer to the highest; imports go downwards only (`tests/layers.rs`).

pub mod facts;
pub mod finding;
pub mod kustomize;
pub mod resource;
pub mod rule;
pub mod source;
pub mod view;
pub mod yaml;
