//! CEL functions: pure value functions in, values or typed errors out.

pub mod kubernetes;
pub mod meshgov;
