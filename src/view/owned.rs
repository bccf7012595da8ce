//! Objects that controllers made. Input: the members of a view; output: the members without those that their owner stands for.
//!
//! An export of a cluster holds a Deployment, its ReplicaSets and their Pods. They are one workload; the template of the outermost is what
//! its owner wrote. What belongs to an object that is not here, or that carries no pods itself, stays.
//!
//! Kubernetes: kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents; apimachinery `pkg/apis/meta/v1/controller_ref.go`.

use std::collections::HashSet;

use crate::pods;
use crate::resource::Resource;
use crate::source::to_u32;
use crate::view::Member;
use crate::yaml::NodeRef;

/// The object that a controller made this one of: the owner reference with `controller: true`.
#[must_use]
pub fn controller(resource: &Resource) -> Option<NodeRef<'_>> {
    let owners = resource.object().at(&["metadata", "ownerReferences"])?;
    owners
        .items()
        .find(|owner| owner.get("controller").is_some_and(|c| c.text() == "true"))
}

/// Drops pod-carrying objects whose owner is here and carries pods too; returns how many.
pub(super) fn leave_out(members: &mut Vec<Member>) -> u32 {
    let carries = |m: &&Member| pods::template(&m.resource).is_some();
    let owned = |m: &&Member| carries(m) && controller(&m.resource).is_some();
    if !members.iter().any(|m| owned(&m)) {
        return 0;
    }
    let uid = |m: &Member| {
        let uid = m.resource.object().at(&["metadata", "uid"])?;
        Some(uid.text().to_owned())
    };
    let here: HashSet<String> = members.iter().filter(carries).filter_map(uid).collect();
    let before = members.len();
    members.retain(|member| {
        let owner = controller(&member.resource).and_then(|o| o.get("uid"));
        let is_here = owner.is_some_and(|uid| here.contains(uid.text()));
        !(is_here && carries(&member))
    });
    to_u32(before - members.len())
}
