//! meshgov: a policy-as-code linter for Kubernetes and service-mesh manifests.
//!
//! One straight line, no way back: discover → parse → view → facts → evaluate → report.
//! Modules are listed from the lowest layer to the highest; imports go downwards only (`tests/layers.rs`).

pub mod source;
pub mod yaml;
pub mod discover;

pub mod shape;
pub mod resource;
pub mod secret;
pub mod load;

pub mod view;
pub mod pods;

pub mod topology;
pub mod cel;
pub mod facts;

pub mod engine;
pub mod asset;
pub mod rule;
pub mod config;

pub mod finding;
pub mod fingerprint;
pub mod suppress;
pub mod evaluate;

pub mod report;
pub mod explain;
pub mod error;

pub mod cli;
