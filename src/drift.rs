//! L5: two views of the same application. Input: their objects and fact values; output: pairs, edits, directions and causes, from which
//! `query::diff` makes `Change`s.

pub mod cause;
pub mod edit;
pub mod lattice;
pub mod live;
pub mod pair;
pub mod statement;
pub mod twin;
