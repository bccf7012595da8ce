//! Names in an expression. Input: a chain of identifiers; output: the variable, type or namespaced function it spells.

use cel::common::ast::{Expr, IdedExpr};

/// The segments of a dotted name, with the node of each.
pub(crate) fn segments(expr: &IdedExpr) -> Option<Vec<(&str, &IdedExpr)>> {
    let mut out = Vec::new();
    let mut next = expr;
    loop {
        match &next.expr {
            Expr::Ident(name) => {
                out.push((name.as_str(), next));
                out.reverse();
                return Some(out);
            }
            Expr::Select(select) if !select.test => {
                out.push((select.field.as_str(), next));
                next = &select.operand;
            }
            _ => return None,
        }
    }
}

/// Names that spell types.
const TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "int",
    "list",
    "map",
    "net.CIDR",
    "net.IP",
    "null_type",
    "optional_type",
    "string",
    "type",
    "uint",
];

/// The type a name spells.
pub(crate) fn type_name(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix('.').unwrap_or(name);
    TYPES.iter().copied().find(|known| *known == name)
}
