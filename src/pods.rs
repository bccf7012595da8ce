//! L2: which kinds carry pods, and where. Input: a `Resource`; output: its pod templates with their containers.

pub mod table;

use crate::resource::{GroupKind, Resource};
use crate::yaml::NodeRef;

pub use table::Shape;

/// A kind that carries a pod template because the config says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodKind {
    /// API group without version, empty for core.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Field names down to the pod template; `*` is every item of a list or entry of a map.
    pub path: std::sync::Arc<[String]>,
}

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
        _ => {
            let own = resource.pod_path.as_deref()?;
            return match table::along(resource.object(), own).as_slice() {
                [only] if only.get("spec").is_some() => Some(*only),
                // Several templates are no single workload.
                _ => None,
            };
        }
    };
    resource.object().at(path)
}

/// One kind of pod that an object runs: a Deployment has one, a RayCluster one for the head and one for each worker group.
#[derive(Clone, Debug)]
pub struct PodTemplate<'t> {
    /// What the pod does in its object, `""` where there is only one: `head`, `worker small`, `predictor`.
    pub role: String,
    /// Labels of the pod, where the object sets any.
    pub labels: Option<NodeRef<'t>>,
    /// Annotations of the pod, where the object sets any.
    pub annotations: Option<NodeRef<'t>>,
    /// The node that holds the fields of a pod spec; for [`Shape::Container`] that of the container.
    pub spec: NodeRef<'t>,
    /// How `spec` is to be read.
    pub shape: Shape,
}

/// When a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContainerRole {
    /// Runs to its end before the others start.
    Init,
    /// An init container with `restartPolicy: Always`: runs beside the others. KEP-753.
    Sidecar,
    /// Runs for the life of the pod.
    Main,
    /// Added to a running pod for debugging.
    Ephemeral,
}

/// A container of a pod template.
#[derive(Clone, Copy, Debug)]
pub struct Container<'t> {
    /// The container's mapping.
    pub node: NodeRef<'t>,
    /// When it runs.
    pub role: ContainerRole,
}

/// A port that a container declares.
#[derive(Clone, Copy, Debug)]
pub struct ContainerPort<'t> {
    /// The port's mapping.
    pub node: NodeRef<'t>,
    /// `containerPort`.
    pub number: u16,
    /// `name`, `""` when absent.
    pub name: &'t str,
    /// `protocol`, `TCP` when absent.
    pub protocol: &'t str,
}

/// Every pod template of an object, in field order of the table; then those where the config says they are.
#[must_use]
pub fn templates(resource: &Resource) -> Vec<PodTemplate<'_>> {
    let mut found = templates_of(&resource.group_kind, resource.object());
    if let Some(path) = &resource.pod_path {
        for template in table::along(resource.object(), path)
            .into_iter()
            .filter_map(table::whole)
        {
            let known = |t: &PodTemplate<'_>| t.spec.index() == template.spec.index();
            if !found.iter().any(known) {
                found.push(template);
            }
        }
    }
    found
}

/// The same for an object of which only the nodes are at hand.
#[must_use]
pub fn templates_of<'t>(kind: &GroupKind, object: NodeRef<'t>) -> Vec<PodTemplate<'t>> {
    table::BUILT_IN
        .iter()
        .filter(|row| kind.group == row.group && row.kinds.contains(&kind.kind.as_str()))
        .flat_map(|row| table::at(object, row.role, row.path, row.shape))
        .collect()
}

/// Whether objects like this one can carry pods at all.
#[must_use]
pub fn carries_pods(resource: &Resource) -> bool {
    let kind = &resource.group_kind;
    let known = table::BUILT_IN
        .iter()
        .any(|row| kind.group == row.group && row.kinds.contains(&kind.kind.as_str()));
    known || resource.pod_path.is_some()
}

impl<'t> PodTemplate<'t> {
    /// Name of the service account; `default` when none is named, as admission sets it.
    #[must_use]
    pub fn service_account(&self) -> &'t str {
        let text = |name| self.spec.get(name).and_then(NodeRef::as_str);
        text("serviceAccountName")
            .or_else(|| text("serviceAccount"))
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    /// Containers in the order of the spec: init, main, ephemeral, then those that the kind implies.
    pub fn containers(&self) -> impl Iterator<Item = Container<'t>> + use<'t> {
        let spec = self.spec;
        let lists: &[(&str, ContainerRole)] = match self.shape {
            Shape::Container => &[],
            _ => &[
                ("initContainers", ContainerRole::Init),
                ("containers", ContainerRole::Main),
                ("ephemeralContainers", ContainerRole::Ephemeral),
            ],
        };
        let listed = lists.iter().flat_map(move |&(field, role)| {
            let items = spec.get(field).into_iter().flat_map(NodeRef::items);
            items.filter(|node| node.is_map()).map(move |node| {
                let restarts = node.get("restartPolicy").and_then(NodeRef::as_str);
                let role = match (role, restarts) {
                    (ContainerRole::Init, Some("Always")) => ContainerRole::Sidecar,
                    _ => role,
                };
                Container { node, role }
            })
        });
        let main = |node| Container {
            node,
            role: ContainerRole::Main,
        };
        let implied: &[&str] = match self.shape {
            Shape::KserveComponent => table::KSERVE_FRAMEWORKS,
            _ => &[],
        };
        let implied = implied
            .iter()
            .filter_map(move |field| spec.get(field))
            .filter(|node| node.is_map());
        let itself = (self.shape == Shape::Container).then_some(spec);
        listed.chain(implied.map(main)).chain(itself.map(main))
    }

    /// Ports that containers declare, in order; entries without a valid number are left out.
    pub fn ports(&self) -> impl Iterator<Item = ContainerPort<'t>> + use<'t> {
        self.containers()
            .filter_map(|container| container.node.get("ports"))
            .flat_map(NodeRef::items)
            .filter_map(|node| {
                let number = node.get("containerPort").and_then(NodeRef::as_i64)?;
                let text = |field| node.get(field).and_then(NodeRef::as_str);
                Some(ContainerPort {
                    node,
                    number: u16::try_from(number).ok().filter(|&n| n > 0)?,
                    name: text("name").unwrap_or(""),
                    protocol: text("protocol").unwrap_or("TCP"),
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId};
    use std::sync::Arc;

    fn describe(text: &str) -> Vec<String> {
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text));
        let loaded = crate::load::load_text(&source);
        templates(&loaded.resources[0])
            .into_iter()
            .map(|template| {
                let names: Vec<String> = template
                    .containers()
                    .map(|c| {
                        let text = |f| c.node.get(f).and_then(NodeRef::as_str);
                        let role = format!("{:?}", c.role).to_lowercase();
                        format!("{role} {}", text("name").or(text("image")).unwrap_or("-"))
                    })
                    .collect();
                let role = match template.role.as_str() {
                    "" => String::new(),
                    role => format!("{role}: "),
                };
                format!("{role}{} {}", template.service_account(), names.join(", "))
            })
            .collect()
    }

    #[test]
    fn a_deployment_has_one_template_with_all_kinds_of_containers() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {serviceAccountName: sa, initContainers: [{name: i}, {name: s, restartPolicy: Always}], containers: [{name: c, ports: [{containerPort: 80}]}]}}}\n";
        assert_eq!(describe(text), ["sa init i, sidecar s, main c"]);
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text));
        let loaded = crate::load::load_text(&source);
        let found = templates(&loaded.resources[0]);
        let ports: Vec<u16> = found[0].ports().map(|p| p.number).collect();
        assert_eq!(ports, [80]);
    }

    #[test]
    fn custom_resources_hide_their_pods_in_many_places() {
        let ray = "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {name: r}\nspec: {rayClusterConfig: {headGroupSpec: {template: {spec: {containers: [{name: h}]}}}, workerGroupSpecs: [{groupName: small, template: {spec: {containers: [{name: w}]}}}]}}\n";
        assert_eq!(
            describe(ray),
            ["head: default main h", "worker small: default main w"]
        );
        let kserve = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: i}\nspec: {predictor: {serviceAccountName: s3, model: {image: vllm}, workerSpec: {containers: [{name: w}]}}, transformer: {containers: [{name: t}]}}\n";
        assert_eq!(
            describe(kserve),
            [
                "predictor: s3 main vllm",
                "predictor worker: default main w",
                "transformer: default main t"
            ]
        );
        let kaito = "apiVersion: kaito.sh/v1beta1\nkind: Workspace\nmetadata: {name: k}\ninference: {template: {spec: {containers: [{name: c}]}}}\n";
        assert_eq!(describe(kaito), ["inference: default main c"]);
        let job = "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nmetadata: {name: p}\nspec: {pytorchReplicaSpecs: {Master: {template: {spec: {containers: [{name: m}]}}}, Worker: {template: {spec: {containers: [{name: w}]}}}}}\n";
        assert_eq!(
            describe(job),
            ["Master: default main m", "Worker: default main w"]
        );
        let mcp = "apiVersion: kagent.dev/v1alpha1\nkind: MCPServer\nmetadata: {name: m}\nspec: {deployment: {image: x, serviceAccountName: q}}\n";
        assert_eq!(describe(mcp), ["q main x"]);
    }

    #[test]
    fn the_config_adds_kinds() {
        let text = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {pods: [{spec: {containers: [{name: a}]}}, {spec: {containers: [{name: b}]}}]}\n";
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text));
        let loaded = crate::load::load_text(&source);
        let mut thing = (*loaded.resources[0]).clone();
        assert!(templates(&thing).is_empty() && !carries_pods(&thing));
        let path = |steps: &[&str]| Some(steps.iter().map(|s| (*s).to_owned()).collect());
        thing.pod_path = path(&["spec", "pods", "*"]);
        assert_eq!(templates(&thing).len(), 2);
        assert!(template(&thing).is_none() && carries_pods(&thing));
        thing.pod_path = path(&["spec", "pods"]);
        assert!(templates(&thing).is_empty());
    }

    #[test]
    fn a_template_that_the_table_knows_counts_once() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: c}]}}}\n";
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text));
        let mut deployment = (*crate::load::load_text(&source).resources[0]).clone();
        deployment.pod_path = Some(["spec", "template"].map(str::to_owned).into());
        assert_eq!(templates(&deployment).len(), 1);
    }
}
