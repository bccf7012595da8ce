//! Who holds which role. Input: bindings and roles of a `View`; output: the subject `identity`, one for each subject of a binding.
//!
//! Kubernetes RBAC: a RoleBinding may name a ClusterRole, whose rules then hold in its namespace (`rbac.authorization.k8s.io/v1`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::cel::{Origin, Record, RecordType, Value};
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

const GROUP: &str = "rbac.authorization.k8s.io";

/// `identity` with its roles.
#[derive(Debug)]
pub struct IdentityRecord {
    kind: String,
    namespace: String,
    name: String,
    grants: Vec<BoundRole>,
}

/// `identity.grants[]`.
#[derive(Debug)]
pub struct BoundRole {
    binding: Arc<Resource>,
    /// Position in the binding's `subjects`.
    subject: usize,
    role: Option<Arc<Resource>>,
}

/// One identity as a subject; variable `identity`. In the order in which bindings first name them.
#[must_use]
pub fn subjects(view: &View) -> Vec<Box<dyn Subject>> {
    let mut roles: HashMap<(&str, &str), &Arc<Resource>> = HashMap::new();
    for kind in ["Role", "ClusterRole"] {
        for member in view.of_kind(GROUP, kind) {
            let space = if kind == "Role" {
                member.namespace.as_str()
            } else {
                ""
            };
            roles
                .entry((space, member.resource.name.as_str()))
                .or_insert(&member.resource);
        }
    }
    let mut found: Vec<IdentityRecord> = Vec::new();
    let mut places: HashMap<(String, String, String), usize> = HashMap::new();
    let bindings = ["RoleBinding", "ClusterRoleBinding"];
    for member in bindings.iter().flat_map(|kind| view.of_kind(GROUP, kind)) {
        let object = member.resource.object();
        let role = object.get("roleRef").and_then(|reference| {
            let text = |name: &str| reference.get(name).and_then(NodeRef::as_str);
            let space = match text("kind")? {
                "Role" => member.namespace.as_str(),
                _ => "",
            };
            roles.get(&(space, text("name")?)).map(|r| Arc::clone(r))
        });
        let subjects = object.get("subjects").into_iter().flat_map(NodeRef::items);
        for (at, subject) in subjects.enumerate() {
            let text = |name: &str| subject.get(name).and_then(NodeRef::as_str).unwrap_or("");
            let key = (
                text("kind").to_owned(),
                text("namespace").to_owned(),
                text("name").to_owned(),
            );
            let place = *places.entry(key).or_insert_with_key(|(kind, space, name)| {
                found.push(IdentityRecord {
                    kind: kind.clone(),
                    namespace: space.clone(),
                    name: name.clone(),
                    grants: Vec::new(),
                });
                found.len() - 1
            });
            if let Some(identity) = found.get_mut(place) {
                identity.grants.push(BoundRole {
                    binding: Arc::clone(&member.resource),
                    subject: at,
                    role: role.clone(),
                });
            }
        }
    }
    found
        .into_iter()
        .map(|identity| Box::new(identity) as Box<dyn Subject>)
        .collect()
}

impl Record for IdentityRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::IDENTITY
    }

    fn field(&self, index: usize) -> Value<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "kind" => Value::Str(&self.kind),
            "namespace" => Value::Str(&self.namespace),
            "name" => Value::Str(&self.name),
            "grants" => {
                let grants = self.grants.iter().map(|g| Value::Record(g)).collect();
                // Records of nodes nest no list, so this cannot be too deep.
                Value::list(grants).unwrap_or(Value::Null)
            }
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        self.grants
            .first()
            .map_or(Origin::None, |grant| grant.own_origin())
    }
}

impl BoundRole {
    fn entry(&self) -> Option<NodeRef<'_>> {
        self.binding.object().get("subjects")?.item(self.subject)
    }
}

impl Record for BoundRole {
    fn record_type(&self) -> &'static RecordType {
        &schema::BOUND_ROLE
    }

    fn field(&self, index: usize) -> Value<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "binding" => Value::Node(self.binding.object()),
            "subject" => self.entry().map_or(Value::Null, Value::Node),
            "rules" => {
                let rules = self.role.as_ref().and_then(|r| r.object().get("rules"));
                match rules.filter(|r| r.is_seq()) {
                    Some(rules) => Value::Node(rules),
                    None => Value::list(Vec::new()).unwrap_or(Value::Null),
                }
            }
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Spans(Arc::from([self.binding.name_span()]))
    }
}

impl Subject for IdentityRecord {
    /// The first binding that names it: the identity itself is no object.
    fn resource(&self) -> &Arc<Resource> {
        #[expect(
            clippy::expect_used,
            reason = "an identity is made from a binding and has at least that one"
        )]
        let first = self.grants.first().expect("a binding names the identity");
        &first.binding
    }

    fn words(&self) -> String {
        let name = match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        };
        format!("{} {name}", self.kind)
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(self),
            _ => Value::Null,
        }
    }
}
