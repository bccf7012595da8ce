//! L4: what rules judge, one at a time. Input: a view and the facts engines found in it; output: the table of subjects
//! with the variables each gives to expressions, and `World`, from which evaluation draws them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::cel::{Reasons, Type, Value};
use crate::facts::UnknownReason;
use crate::facts::before::{Base, Before};
use crate::facts::places::Places;
use crate::facts::schema;
use crate::resource::{Resource, ResourceId};
use crate::source::{Span, to_u32, to_usize};
use crate::view::{Member, Namespace, View};

/// What a rule judges; one evaluation per subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// One object of the kinds under `match`.
    Resource,
    /// One pod-carrying object.
    Workload,
    /// One container port of a workload.
    Port,
    /// One policy object of the kinds under `match`, with its effect.
    Policy,
    /// One route.
    Route,
    /// One way out of the mesh.
    Egress,
    /// One workload identity.
    Identity,
    /// One AI asset.
    Asset,
    /// One way in from outside the cluster.
    Exposure,
    /// The whole view.
    Tree,
    /// One typed change between two views.
    Change,
    /// One fact of a production environment that differs in another environment.
    Environment,
}

/// A variable that a kind of subject gives to expressions.
#[derive(Clone, Copy, Debug)]
pub struct SubjectVariable {
    /// Name in expressions.
    pub name: &'static str,
    /// Static type.
    pub ty: Type,
    /// One sentence for the docs.
    pub doc: &'static str,
}

/// A row of the table of subjects.
#[derive(Clone, Copy, Debug)]
pub struct SubjectRow {
    /// The kind.
    pub kind: SubjectKind,
    /// Its variables; [`Subject::value`] answers them by position.
    pub variables: &'static [SubjectVariable],
}

/// The object at the base of a comparison.
const OLD_OBJECT: SubjectVariable = SubjectVariable {
    name: "oldObject",
    ty: Type::Dyn,
    doc: "the object at the revision of `--base`; null when it is new there, and without `--base`",
};

/// Variables of rules on objects.
pub const OBJECT_VARIABLES: &[SubjectVariable] = &[
    SubjectVariable {
        name: "object",
        ty: Type::Dyn,
        doc: "the object as written",
    },
    OLD_OBJECT,
    SubjectVariable {
        name: "namespaceObject",
        ty: Type::Dyn,
        doc: "the Namespace the object lives in; null for cluster scope, unknown when it is not in the view",
    },
    SubjectVariable {
        name: "request",
        ty: Type::Dyn,
        doc: "what an admission request would say: operation (UPDATE when there is an `oldObject`, else CREATE), kind, namespace, name",
    },
];

/// The table of subjects. A new kind of subject is a row here and its facts in [`World::facts`].
pub const SUBJECTS: &[SubjectRow] = &[
    SubjectRow {
        kind: SubjectKind::Resource,
        variables: OBJECT_VARIABLES,
    },
    SubjectRow {
        kind: SubjectKind::Workload,
        variables: &[
            SubjectVariable {
                name: "workload",
                ty: Type::Record(&schema::WORKLOAD),
                doc: "the workload with its facts",
            },
            SubjectVariable {
                name: "object",
                ty: Type::Dyn,
                doc: "the object that carries the pod template, as written",
            },
            OLD_OBJECT,
        ],
    },
    SubjectRow {
        kind: SubjectKind::Port,
        variables: &[
            SubjectVariable {
                name: "port",
                ty: Type::Record(&schema::PORT),
                doc: "the port with its facts",
            },
            SubjectVariable {
                name: "workload",
                ty: Type::Record(&schema::WORKLOAD),
                doc: "the workload that listens on it",
            },
        ],
    },
    SubjectRow {
        kind: SubjectKind::Exposure,
        variables: &[
            SubjectVariable {
                name: "exposure",
                ty: Type::Record(&schema::EXPOSURE),
                doc: "one way in from outside the cluster",
            },
            SubjectVariable {
                name: "port",
                ty: Type::Record(&schema::PORT),
                doc: "the port it ends at",
            },
            SubjectVariable {
                name: "workload",
                ty: Type::Record(&schema::WORKLOAD),
                doc: "the workload it ends at",
            },
            SubjectVariable {
                name: "object",
                ty: Type::Dyn,
                doc: "what opens it, as written: the route, the Service, else the workload",
            },
        ],
    },
    SubjectRow {
        kind: SubjectKind::Policy,
        variables: &[
            SubjectVariable {
                name: "policy",
                ty: Type::Record(&schema::policy::POLICY),
                doc: "the policy with what it really does",
            },
            SubjectVariable {
                name: "object",
                ty: Type::Dyn,
                doc: "the policy as written",
            },
        ],
    },
    SubjectRow {
        kind: SubjectKind::Asset,
        variables: &[
            SubjectVariable {
                name: "asset",
                ty: Type::Record(&schema::ASSET),
                doc: "the AI asset with its facts",
            },
            SubjectVariable {
                name: "object",
                ty: Type::Dyn,
                doc: "the object that is the asset, as written",
            },
            OLD_OBJECT,
        ],
    },
    SubjectRow {
        kind: SubjectKind::Identity,
        variables: &[SubjectVariable {
            name: "identity",
            ty: Type::Record(&schema::IDENTITY),
            doc: "a group, user or service account that bindings name, with the roles they give it",
        }],
    },
    SubjectRow {
        kind: SubjectKind::Change,
        variables: &[
            SubjectVariable {
                name: "change",
                ty: Type::Record(&schema::CHANGE),
                doc: "what changed between two inputs; there are none without a base to compare with",
            },
            SubjectVariable {
                name: "object",
                ty: Type::Dyn,
                doc: "the object it is about, as it is to be",
            },
        ],
    },
    SubjectRow {
        kind: SubjectKind::Environment,
        variables: &[
            SubjectVariable {
                name: "difference",
                ty: Type::Record(&schema::DIFFERENCE),
                doc: "what differs between production and another environment of one application",
            },
            SubjectVariable {
                name: "object",
                ty: Type::Dyn,
                doc: "the object it is about, as it is in production",
            },
        ],
    },
    SubjectRow {
        kind: SubjectKind::Tree,
        variables: &[SubjectVariable {
            name: "objects",
            ty: Type::List(&Type::Dyn),
            doc: "all objects of the view; open when something of the view could not be read",
        }],
    },
];

/// The row of a kind; `None` while no engine gives facts of this kind.
#[must_use]
pub fn row(kind: SubjectKind) -> Option<&'static SubjectRow> {
    SUBJECTS.iter().find(|row| row.kind == kind)
}

/// A subject that consists of facts.
pub trait Subject: Send + Sync + std::fmt::Debug {
    /// The object that findings are about.
    fn resource(&self) -> &Arc<Resource>;
    /// What is judged, in words: `port 8080 of ml/llm`.
    fn words(&self) -> String;
    /// The value of the variable at this position of its row.
    fn value(&self, variable: usize) -> Value<'_>;
    /// Where to point when nothing smaller is to blame.
    fn span(&self) -> Span {
        self.resource().name_span()
    }
    /// What the facts rest on without proof, in words; a finding drawn from them has confidence low.
    fn assumptions(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A view with everything known about it: what rules are evaluated over.
#[derive(Debug)]
pub struct World {
    /// The view.
    pub view: Arc<View>,
    /// Subjects by kind, in the order of the view.
    pub facts: BTreeMap<SubjectKind, Vec<Box<dyn Subject>>>,
    /// What is missing, by the numbers in [`Reasons`].
    reasons: Vec<UnknownReason>,
    numbers: HashMap<UnknownReason, u32>,
    /// Namespaces by name: position of the Namespace among the members, or the number of the reason why there is none.
    namespaces: BTreeMap<String, Result<usize, u32>>,
    /// Numbers of the reasons why there may be more objects.
    open: Vec<u32>,
    /// What objects were, when there is a base: an object, or the number of the reason why nobody can tell.
    before: HashMap<ResourceId, Result<Arc<Resource>, u32>>,
    /// Made by the first verdict that asks: most views have few.
    places: OnceLock<Places>,
}

impl World {
    /// A view without facts; `reasons` numbers what its facts will call unknown.
    #[must_use]
    pub fn new(view: Arc<View>, reasons: Vec<UnknownReason>) -> Self {
        let mut world = Self {
            view,
            facts: BTreeMap::new(),
            numbers: (0u32..)
                .zip(&reasons)
                .map(|(number, reason)| (reason.clone(), number))
                .collect(),
            reasons,
            namespaces: BTreeMap::new(),
            open: Vec::new(),
            before: HashMap::new(),
            places: OnceLock::new(),
        };
        let view = Arc::clone(&world.view);
        for opaque in view.opaque.iter().filter(|o| o.opens) {
            let number = world.reason(UnknownReason {
                missing: opaque.missing(),
                span: opaque.span,
            });
            world.open.push(number);
        }
        for (at, member) in view.members.iter().enumerate() {
            if member.resource.is("", "Namespace") {
                world
                    .namespaces
                    .insert(member.resource.name.clone(), Ok(at));
            }
        }
        for member in &view.members {
            if let Namespace::Named(name) = &member.namespace
                && !world.namespaces.contains_key(name.as_ref())
            {
                let number = world.reason(UnknownReason {
                    missing: format!("Namespace {name} is not in the view"),
                    span: None,
                });
                world.namespaces.insert(name.to_string(), Err(number));
            }
        }
        world
    }

    /// The number of a reason.
    pub fn reason(&mut self, reason: UnknownReason) -> u32 {
        let next = to_u32(self.reasons.len());
        *self.numbers.entry(reason).or_insert_with_key(|reason| {
            self.reasons.push(reason.clone());
            next
        })
    }

    /// The reasons with these numbers.
    pub fn reasons<'w>(&'w self, numbers: &'w Reasons) -> impl Iterator<Item = &'w UnknownReason> {
        numbers
            .as_slice()
            .iter()
            .filter_map(|&n| self.reasons.get(to_usize(n)))
    }

    /// Holds the view against a base: its objects get their `oldObject`.
    pub fn compare(&mut self, base: &Base<'_>) {
        let view = Arc::clone(&self.view);
        let before = base.before(&view).into_iter().map(|(id, before)| {
            let before = match before {
                Before::Object(object) => Ok(object),
                Before::Unknown(missing) => Err(self.reason(UnknownReason {
                    missing,
                    span: None,
                })),
            };
            (id, before)
        });
        self.before = before.collect();
    }

    /// The object that was what this one is now.
    #[must_use]
    pub fn old(&self, resource: &Resource) -> Option<&Arc<Resource>> {
        self.before.get(&resource.id)?.as_ref().ok()
    }

    /// `oldObject` of an object.
    #[must_use]
    pub fn old_object(&self, resource: &Resource) -> Value<'_> {
        match self.before.get(&resource.id) {
            None => Value::Null,
            Some(Ok(old)) => Value::Node(old.object()),
            Some(Err(number)) => Value::Unknown(Reasons::one(*number)),
        }
    }

    /// `namespaceObject` of a member.
    #[must_use]
    pub fn namespace_object(&self, member: &Member) -> Value<'_> {
        let Namespace::Named(name) = &member.namespace else {
            return Value::Null;
        };
        match self.namespaces.get(name.as_ref()) {
            Some(Ok(at)) => self
                .view
                .members
                .get(*at)
                .map_or(Value::Null, |m| Value::Node(m.resource.object())),
            Some(Err(number)) => Value::Unknown(Reasons::one(*number)),
            None => Value::Null,
        }
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(&self.view))
    }

    /// The member that is this object.
    #[must_use]
    pub fn member(&self, id: ResourceId) -> Option<&Member> {
        self.places().member(&self.view, id)
    }

    /// The member whose text holds this place.
    #[must_use]
    pub fn holder(&self, place: Span) -> Option<&Member> {
        self.places().holder(&self.view, place)
    }

    /// `objects` of the view.
    #[must_use]
    pub fn objects(&self) -> Value<'_> {
        let items: Vec<_> = self
            .view
            .members
            .iter()
            .map(|m| Value::Node(m.resource.object()))
            .collect();
        let list = if self.open.is_empty() {
            Value::list(items)
        } else {
            Value::open_list(items, Reasons::new(self.open.clone()))
        };
        // Nodes nest no list, so this cannot be too deep.
        list.unwrap_or(Value::Null)
    }
}
