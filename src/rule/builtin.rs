//! L5: the rules that ship with meshgov, embedded as text by `build.rs`. Output: their paths and texts, by file name.

/// Path below the repository and text of every built-in rule file, ordered by file name, hence by id.
pub static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));
