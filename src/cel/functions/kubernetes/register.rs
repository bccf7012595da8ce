//! The rows of Kubernetes' libraries in the function table: names, types, one sentence each and the
//! code that reads the arguments and calls the pure functions beside this file.

use crate::cel::functions::Function;

mod format;
mod lists;
mod named_format;
mod net;
mod quantity;
mod regex;
mod semver;
mod url;

pub(crate) use regex::with_constant_pattern;

/// All rows.
pub(crate) fn rows() -> Vec<Function> {
    [
        quantity::rows(),
        semver::rows(),
        url::rows(),
        net::rows(),
        regex::rows(),
        lists::rows(),
        format::rows(),
        named_format::rows(),
    ]
    .concat()
}
