//! ReferenceGrant: who may name objects of another namespace. Input: the grants of a view; output: whether a reference is granted.
//!
//! kubernetes-sigs/gateway-api `apis/v1beta1/referencegrant_types.go`: the grant stands in the namespace of what is named.

use crate::view::View;
use crate::yaml::NodeRef;

use super::{items, text};

/// Whether an object of `kind` in `from` may name a Service (or another kind of group `to_group`) in namespace `to`.
pub(super) fn granted(
    view: &View,
    kind: &str,
    from: &str,
    to: &str,
    (to_group, to_kind, to_name): (&str, &str, &str),
) -> bool {
    let fits_from = |entry: NodeRef<'_>| {
        text(entry, "group") == "gateway.networking.k8s.io"
            && text(entry, "kind") == kind
            && text(entry, "namespace") == from
    };
    let fits_to = |entry: NodeRef<'_>| {
        text(entry, "group") == to_group
            && text(entry, "kind") == to_kind
            && (text(entry, "name").is_empty() || text(entry, "name") == to_name)
    };
    view.of_kind("gateway.networking.k8s.io", "ReferenceGrant")
        .filter(|member| member.namespace.as_str() == to)
        .any(|member| {
            let object = member.resource.object();
            items(object, &["spec", "from"]).any(fits_from)
                && items(object, &["spec", "to"]).any(fits_to)
        })
}
