//! ToolHive. Input: its objects; output: classes. Kinds: `deploy/charts/operator-crds` of stacklok/toolhive.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

pub(super) const FAMILY: Family = Family {
    name: "ToolHive",
    kinds: KINDS,
    refs: no_refs,
};

const KINDS: &[Kind] = &[kind("toolhive.stacklok.dev", "MCPServer", Class::McpServer)];
