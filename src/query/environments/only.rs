//! What one environment has and another has not. Input: two views in the same names; output: workloads and policies without a counterpart.
//! That is neither weaker nor stronger: what they do to others is a difference of its own.

use std::collections::{HashMap, HashSet};

use crate::drift::cause::is_of_mesh;
use crate::pods;
use crate::view::{Member, View};

/// An object without a counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// The application.
    pub application: String,
    /// The environment that has it.
    pub environment: String,
    /// Environments that have not.
    pub not_in: Vec<String>,
    /// Its kind.
    pub kind: String,
    /// `namespace/name`, as it is called there.
    pub object: String,
}

/// Two environments, the second read in the names of the first.
#[derive(Clone, Copy, Debug)]
pub struct Holds<'h> {
    /// The application.
    pub application: &'h str,
    /// Production and what is applied there.
    pub here: (&'h str, &'h View),
    /// The other and what is applied there.
    pub there: (&'h str, &'h View),
}

impl Holds<'_> {
    /// Adds objects that no counterpart has; `apart`: positions, there and here, of those that have several.
    pub(super) fn only(&self, apart: (&[usize], &[usize]), found: &mut Vec<Only>) {
        self.one(self.here, self.there, apart.1, found);
        self.one(self.there, self.here, apart.0, found);
    }

    fn one(
        &self,
        (name, view): (&str, &View),
        (missing, other): (&str, &View),
        apart: &[usize],
        found: &mut Vec<Only>,
    ) {
        let known: HashSet<_> = other.members.iter().map(identity).collect();
        for (at, member) in view.members.iter().enumerate() {
            // What could not be read may hold the counterpart.
            let may_have = other.is_open(member.namespace.as_str());
            let is_alone = !apart.contains(&at) && !known.contains(&identity(member));
            if counts(member) && is_alone && !may_have {
                found.push(self.entry(name, missing, member));
            }
        }
    }

    /// Adds objects that have several counterparts; `there`: the other environment in its own names.
    pub(super) fn apart(&self, apart: (&[usize], &[usize]), there: &View, found: &mut Vec<Only>) {
        let sides = [
            (self.here.0, self.there.0, self.here.1, apart.1),
            (self.there.0, self.here.0, there, apart.0),
        ];
        for (name, missing, view, list) in sides {
            let members = list.iter().filter_map(|&at| view.members.get(at));
            found.extend(
                members
                    .filter(|m| counts(m))
                    .map(|m| self.entry(name, missing, m)),
            );
        }
    }

    fn entry(&self, environment: &str, missing: &str, member: &Member) -> Only {
        let name = &member.resource.name;
        Only {
            application: self.application.to_owned(),
            environment: environment.to_owned(),
            not_in: vec![missing.to_owned()],
            kind: member.resource.kind().to_owned(),
            object: match member.namespace.as_str() {
                "" => name.clone(),
                namespace => format!("{namespace}/{name}"),
            },
        }
    }
}

fn identity(member: &Member) -> (&str, &str, &str, &str) {
    let resource = &member.resource;
    let namespace = member.namespace.as_str();
    (resource.group(), resource.kind(), namespace, &resource.name)
}

/// Workloads, and what decides about traffic.
fn counts(member: &Member) -> bool {
    let resource = &member.resource;
    let is_policy = is_of_mesh(resource) && !resource.is("", "Namespace");
    !resource.is_assumed() && (is_policy || pods::template(resource).is_some())
}

/// One entry for what several environments lack.
pub(super) fn merged(list: Vec<Only>) -> Vec<Only> {
    let mut merged: Vec<Only> = Vec::new();
    let mut places: HashMap<[String; 4], usize> = HashMap::new();
    for one in list {
        let key = [
            one.application.clone(),
            one.environment.clone(),
            one.kind.clone(),
            one.object.clone(),
        ];
        let at = *places.entry(key).or_insert(merged.len());
        match merged.get_mut(at) {
            Some(known) => {
                for name in one.not_in {
                    if !known.not_in.contains(&name) {
                        known.not_in.push(name);
                    }
                }
            }
            None => merged.push(one),
        }
    }
    merged
}
