//! meshgov's own CEL functions as pure functions: strings in, values or typed errors out.

pub mod cluster_local;
pub mod image;
pub mod version;
