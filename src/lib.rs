//! meshgov: a policy-as-code linter for Kubernetes and service-mesh manifests.
//!
//! One straight line, no way back: discover → parse → view → facts → evaluate → report.
//! Modules are listed from the lowest layer to the highest; imports go downwards only (`tests/layers.rs`).

pub mod source;

pub mod discover;
pub mod yaml;

pub mod kustomize;
pub mod load;
pub mod render;
pub mod resource;
pub mod secret;
pub mod shape;

pub mod pods;

pub mod release;
pub mod view;

pub mod cel;
pub mod facts;
pub mod topology;

pub mod asset;
pub mod config;
pub mod drift;
pub mod engine;
pub mod rule;

pub mod baseline;
pub mod evaluate;
pub mod finding;
pub mod fingerprint;
pub mod query;
pub mod suppress;

pub mod error;
pub mod explain;
pub mod report;

pub mod cli;
