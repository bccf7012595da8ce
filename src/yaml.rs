//! L1: located YAML. Input: a `SourceFile`; output: a compact arena (`Tree`) in which every key, value and comment has
//! its bytes, plus the parse errors of the documents that could not be read.

pub mod builder;
pub mod node;
pub mod parse;
pub mod scalar;
pub mod tree;

pub use builder::TreeBuilder;
pub use node::{Key, Kind, NodeRef, Style};
pub use parse::{Document, DuplicateKey, ParseError, ParseErrorKind, Parsed, parse};
pub use scalar::Scalar;
pub use tree::Tree;
