//! L4: `workload`: one pod-carrying object as rules see it. Input: members of a view; output: subjects of kind workload.

use std::sync::Arc;

use crate::cel::{Field, Origin, Record, RecordType, Type, Value};
use crate::facts::subject::{Subject, SubjectKind, World};
use crate::pods;
use crate::resource::Resource;
use crate::view::Member;
use crate::yaml::NodeRef;

/// The row of the fact table.
pub static WORKLOAD: RecordType = RecordType {
    name: "workload",
    fields: &[
        Field {
            name: "kind",
            ty: Type::String,
            doc: "kind of the object that carries the pod template",
        },
        Field {
            name: "namespace",
            ty: Type::String,
            doc: "effective namespace, empty for the unnamed one",
        },
        Field {
            name: "name",
            ty: Type::String,
            doc: "name of the object",
        },
        Field {
            name: "serviceAccount",
            ty: Type::String,
            doc: "service account of the pods, `default` when none is named",
        },
        Field {
            name: "labels",
            ty: Type::Dyn,
            doc: "labels of the pod template, null when there are none",
        },
        Field {
            name: "annotations",
            ty: Type::Dyn,
            doc: "annotations of the pod template, null when there are none",
        },
        Field {
            name: "spec",
            ty: Type::Dyn,
            doc: "the pod spec",
        },
        Field {
            name: "containers",
            ty: Type::List(&Type::Dyn),
            doc: "init containers and containers of the pod, as written",
        },
    ],
};

/// A pod-carrying object.
#[derive(Debug)]
struct Workload {
    resource: Arc<Resource>,
    namespace: String,
    /// Node of the pod template.
    template: u32,
}

/// Adds the workloads of a view to its facts.
pub fn add_workloads(world: &mut World) {
    let subjects: Vec<Box<dyn Subject>> = world
        .view
        .members
        .iter()
        .filter_map(|m| Some(Box::new(Workload::of(m)?) as Box<dyn Subject>))
        .collect();
    world.facts.insert(SubjectKind::Workload, subjects);
}

impl Workload {
    fn of(member: &Member) -> Option<Self> {
        Some(Self {
            template: pods::template(&member.resource)?.resolved().index(),
            resource: Arc::clone(&member.resource),
            namespace: member.namespace.as_str().to_owned(),
        })
    }

    fn template(&self) -> NodeRef<'_> {
        self.resource.tree.node(self.template)
    }

    fn at(&self, path: &[&str]) -> Option<NodeRef<'_>> {
        self.template().at(path)
    }

    fn containers(&self) -> Value<'_> {
        let lists = ["initContainers", "containers"];
        let items = lists
            .iter()
            .filter_map(|list| self.at(&["spec", list]))
            .flat_map(NodeRef::items)
            .map(Value::Node);
        Value::list(items.collect()).unwrap_or(Value::Null)
    }
}

impl Record for Workload {
    fn record_type(&self) -> &'static RecordType {
        &WORKLOAD
    }

    fn field(&self, index: usize) -> Value<'_> {
        let node = |path: &[&str]| self.at(path).map_or(Value::Null, Value::Node);
        match WORKLOAD.fields.get(index).map_or("", |f| f.name) {
            "kind" => Value::Str(self.resource.kind()),
            "namespace" => Value::Str(&self.namespace),
            "name" => Value::Str(&self.resource.name),
            "serviceAccount" => Value::Str(
                self.at(&["spec", "serviceAccountName"])
                    .and_then(NodeRef::as_str)
                    .unwrap_or("default"),
            ),
            "labels" => node(&["metadata", "labels"]),
            "annotations" => node(&["metadata", "annotations"]),
            "spec" => node(&["spec"]),
            "containers" => self.containers(),
            _ => Value::Null,
        }
    }

    fn origin(&self, index: usize) -> Origin<'_> {
        let path: &[&str] = match WORKLOAD.fields.get(index).map_or("", |f| f.name) {
            "serviceAccount" => &["spec", "serviceAccountName"],
            "labels" => &["metadata", "labels"],
            "annotations" => &["metadata", "annotations"],
            "containers" => &["spec", "containers"],
            "spec" => &["spec"],
            _ => return Origin::None,
        };
        let mut node = self.template();
        for field in path {
            match node.get(field) {
                Some(child) => node = child,
                None => {
                    return Origin::Missing {
                        ancestor: node,
                        field: Arc::from(*field),
                    };
                }
            }
        }
        Origin::Node(node)
    }

    fn own_origin(&self) -> Origin<'_> {
        self.resource
            .object()
            .at(&["metadata", "name"])
            .map_or(Origin::None, Origin::Node)
    }
}

impl Subject for Workload {
    fn resource(&self) -> &Arc<Resource> {
        &self.resource
    }

    fn words(&self) -> String {
        let name = &self.resource.name;
        match self.namespace.as_str() {
            "" => format!("{} {name}", self.resource.kind()),
            namespace => format!("{} {namespace}/{name}", self.resource.kind()),
        }
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(self),
            1 => Value::Node(self.resource.object()),
            _ => Value::Null,
        }
    }
}
