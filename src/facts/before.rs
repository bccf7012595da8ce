//! L4: objects as they were. Input: the views of a base and one view of the head; output: `Before`: for each object of the
//! head its counterpart, or why nobody can tell.
//!
//! Views are paired by name. A view that the base does not have (its folder moved) is held against all views of the base.

use std::collections::HashMap;
use std::sync::Arc;

use crate::resource::{Resource, ResourceId};
use crate::view::{Member, Namespace, View};

/// The objects of a base, by view.
#[derive(Debug)]
pub struct Base<'b> {
    /// What the user calls it: `origin/main`.
    pub name: String,
    views: &'b [Arc<View>],
    /// Folders of the base that are other repositories.
    submodules: Vec<String>,
}

/// What an object was.
#[derive(Clone, Debug)]
pub enum Before {
    /// This.
    Object(Arc<Resource>),
    /// Nobody can tell; why.
    Unknown(String),
}

/// Group, kind, namespace and name.
type Identity = (String, String, Namespace, String);

impl<'b> Base<'b> {
    /// The base with these views.
    #[must_use]
    pub fn new(name: &str, views: &'b [Arc<View>], submodules: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            views,
            submodules,
        }
    }

    /// What the objects of a view of the head were; an object that is new is missing here.
    #[must_use]
    pub fn before(&self, head: &View) -> HashMap<ResourceId, Before> {
        let same: Vec<&Arc<View>> = self
            .views
            .iter()
            .filter(|view| view.name == head.name)
            .collect();
        let views = if same.is_empty() {
            self.views.iter().collect()
        } else {
            same
        };
        let mut known: HashMap<Identity, Vec<&Arc<Resource>>> = HashMap::new();
        for member in views.iter().flat_map(|view| &view.members) {
            let found = known.entry(identity(member)).or_default();
            if !found.iter().any(|other| other.id == member.resource.id) {
                found.push(&member.resource);
            }
        }
        head.members
            .iter()
            .filter(|member| !member.resource.name.is_empty())
            .filter_map(|member| {
                let found = known.get(&identity(member)).map_or(&[][..], Vec::as_slice);
                let before = match found {
                    [only] => Before::Object(Arc::clone(only)),
                    [] => Before::Unknown(self.perhaps(member, &views)?),
                    _ => {
                        Before::Unknown(format!("several views of {} hold this object", self.name))
                    }
                };
                Some((member.resource.id, before))
            })
            .collect()
    }

    /// Why an object that is not found may have been there all the same.
    fn perhaps(&self, member: &Member, views: &[&Arc<View>]) -> Option<String> {
        let name = &self.name;
        let path = &member.resource.tree.source().path;
        let is_below = |folder: &&String| {
            path.strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(folder) = self.submodules.iter().find(is_below) {
            return Some(format!("submodule {folder} is not read at {name}"));
        }
        let namespace = member.namespace.as_str();
        let opaque = views.iter().flat_map(|view| &view.opaque).find(|opaque| {
            opaque
                .namespace
                .as_deref()
                .is_none_or(|open| open == namespace)
        })?;
        Some(format!("{} could not be read at {name}", opaque.what))
    }
}

fn identity(member: &Member) -> Identity {
    let resource = &member.resource;
    (
        resource.group().to_owned(),
        resource.kind().to_owned(),
        member.namespace.clone(),
        resource.name.clone(),
    )
}
