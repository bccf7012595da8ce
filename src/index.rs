//! L3: look-ups in a view. Input: a `View`; output: members by identity and by namespace.

use rustc_hash::FxHashMap;

use crate::resource::GroupKind;
use crate::source::{to_u32, to_usize};
use crate::view::{Member, View};

/// Members of a view by kind, namespace and name. Built once, used by engines and drift.
#[derive(Debug)]
pub struct Index<'v> {
    view: &'v View,
    by_name: FxHashMap<(&'v GroupKind, &'v str, &'v str), u32>,
    by_namespace: FxHashMap<(&'v GroupKind, &'v str), Vec<u32>>,
}

impl<'v> Index<'v> {
    /// Indexes a view; of several objects with one identity (an INPUT010 finding) the last counts, as when applied.
    #[must_use]
    pub fn of(view: &'v View) -> Self {
        let mut index = Self {
            view,
            by_name: FxHashMap::default(),
            by_namespace: FxHashMap::default(),
        };
        for (at, member) in view.members.iter().enumerate() {
            let kind = &member.resource.group_kind;
            let namespace = member.namespace.as_str();
            let at = to_u32(at);
            index
                .by_name
                .insert((kind, namespace, &member.resource.name), at);
            index
                .by_namespace
                .entry((kind, namespace))
                .or_default()
                .push(at);
        }
        index
    }

    /// The member with this identity; the namespace is `""` for cluster scope and for the unnamed namespace.
    #[must_use]
    pub fn get(&self, kind: &GroupKind, namespace: &str, name: &str) -> Option<&'v Member> {
        let at = self.by_name.get(&(kind, namespace, name))?;
        self.view.members.get(to_usize(*at))
    }

    /// Members of a kind in one namespace, in input order.
    #[must_use]
    pub fn in_namespace(&self, kind: &GroupKind, namespace: &str) -> Vec<&'v Member> {
        self.by_namespace
            .get(&(kind, namespace))
            .into_iter()
            .flatten()
            .filter_map(|at| self.view.members.get(to_usize(*at)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Root;
    use crate::source::{SourceFile, SourceId};
    use std::sync::Arc;

    #[test]
    fn members_are_found_by_identity_and_namespace() {
        let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: x}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: x}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n";
        let mut loaded = crate::load::load_text(&Arc::new(SourceFile::new(SourceId(0), "a", text)));
        loaded.files[0].roots = vec![0];
        let root = Root {
            shown: ".".to_owned(),
            is_folder: true,
        };
        let views = crate::view::build::views(&loaded, &[root], &Default::default()).views;
        let index = Index::of(&views[0]);
        let service = GroupKind {
            group: String::new(),
            kind: "Service".to_owned(),
        };
        let names = |namespace: &str| -> Vec<String> {
            let found = index.in_namespace(&service, namespace);
            found.iter().map(|m| m.resource.name.clone()).collect()
        };
        assert_eq!(names("x"), ["a", "b"]);
        assert_eq!(names(""), ["a"]);
        assert_eq!(index.get(&service, "x", "b").unwrap().resource.id.0, 1);
        assert!(index.get(&service, "y", "b").is_none());
    }
}
