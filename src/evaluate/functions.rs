//! L6: the functions of every rule. Output: CEL's standard ones with those of Kubernetes, meshgov and its AI assets.

use std::sync::{Arc, LazyLock};

use crate::asset;
use crate::cel::FunctionTable;

static FUNCTIONS: LazyLock<Arc<FunctionTable>> = LazyLock::new(|| {
    let mut table = FunctionTable::standard();
    for row in asset::functions::rows() {
        table.add(row);
    }
    Arc::new(table)
});

/// The one table of functions, built on first use.
#[must_use]
pub fn functions() -> Arc<FunctionTable> {
    Arc::clone(&FUNCTIONS)
}
