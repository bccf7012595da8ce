//! L1: located YAML. Input: the bytes of a file, decoded into a `SourceFile`; output: a compact arena (`Tree`) in which
//! every key, value and comment has its bytes, plus the parse errors of the documents that could not be read.

mod budget;
pub mod builder;
pub mod decode;
mod documents;
mod entries;
pub mod key;
mod keys;
mod message;
pub mod node;
mod number;
pub mod parse;
mod place;
mod reader;
pub mod scalar;
pub mod tree;

pub use builder::TreeBuilder;
pub use decode::{DecodeError, decode};
pub use entries::Items;
pub use key::Key;
pub use node::{Kind, NodeRef, REDACTED, Style};
pub use parse::{
    Document, DuplicateKey, ParseError, ParseErrorKind, ParseOptions, Parsed, parse, parse_with,
};
pub use scalar::Scalar;
pub use tree::Tree;
