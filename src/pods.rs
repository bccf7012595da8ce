//! L3: which kinds carry pod templates, and where. Input: a `Resource`; output: its templates.

use crate::resource::Resource;
use crate::yaml::NodeRef;

/// The pod template (`metadata`, `spec`) of a pod-carrying object; the object itself for a Pod.
#[must_use]
pub fn template(resource: &Resource) -> Option<NodeRef<'_>> {
    let path: &[&str] = match (resource.group(), resource.kind()) {
        ("", "Pod") => &[],
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("", "ReplicationController")
        | ("argoproj.io", "Rollout")
        | ("apps.openshift.io", "DeploymentConfig") => &["spec", "template"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
        _ => return None,
    };
    resource.object().at(path)
}
