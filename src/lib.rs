//! meshgov: a policy-as-code linter for Kubernetes and service-mesh manifests.
//!
//! One straight line, no way back: discover → parse → view → facts → evaluate → report.
//! Modules are listed from the lowest layer to the highest; imports go downwards only (`tests/layers.rs`).

pub mod source;
pub mod yaml;

pub mod resource;
pub mod shape;

pub mod view;

pub mod facts;

pub mod asset;
pub mod config;
pub mod rule;

pub mod finding;
pub mod fingerprint;
pub mod suppress;
