//! One environment in the names of another. Input: a view and its `Twins`; output: the view as it would read there, every node in its place.
//!
//! Facts of the result speak of the other environment's namespaces and accounts, so that sets of callers compare as they stand.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::drift::twin::words::Place;
use crate::drift::twin::{Twins, Words};
use crate::resource::Resource;
use crate::view::{Member, Namespace, View};
use crate::yaml::{Kind, NodeRef, Tree};

/// Reads a view in the names of `there`.
#[must_use]
pub fn read_as(view: &View, twins: &Twins, there: &View) -> View {
    let names = own_names(view, twins, there);
    let words = &twins.words;
    let mut changes: HashMap<*const Tree, Vec<(u32, String)>> = HashMap::new();
    for (at, member) in view.members.iter().enumerate() {
        let mut texts = Vec::new();
        let object = member.resource.object();
        collect(object, words, Place::default(), &mut texts);
        let name = object.at(&["metadata", "name"]);
        if let Some(node) = name.map(NodeRef::resolved) {
            texts.retain(|(index, _)| *index != node.index());
            if let Some(name) = names.get(&at) {
                texts.push((node.index(), name.clone()));
            }
        }
        if !texts.is_empty() {
            let tree = Arc::as_ptr(&member.resource.tree);
            changes.entry(tree).or_default().extend(texts);
        }
    }
    let mut trees: HashMap<*const Tree, Arc<Tree>> = HashMap::new();
    let members = view.members.iter().enumerate().map(|(at, member)| {
        let pointer = Arc::as_ptr(&member.resource.tree);
        let tree = changes.get(&pointer).map(|texts| {
            let tree = trees
                .entry(pointer)
                .or_insert_with(|| Arc::new(member.resource.tree.with_texts(texts)));
            Arc::clone(tree)
        });
        renamed(member, tree, names.get(&at), words)
    });
    let mut opaque = view.opaque.clone();
    for lack in &mut opaque {
        if let Some(name) = &mut lack.namespace
            && let Some(other) = words.namespace(name)
        {
            other.clone_into(name);
        }
    }
    view.holding(members.collect(), opaque)
}

/// The name of each object that has another one there: its twin's, else what its kind's names come to. One that somebody else has already
/// is nobody's.
fn own_names(view: &View, twins: &Twins, there: &View) -> HashMap<usize, String> {
    let words = &twins.words;
    let mut names: HashMap<usize, String> = HashMap::new();
    for &(at, other) in &twins.pairs {
        if let (Some(own), Some(other)) = (view.members.get(at), there.members.get(other))
            && own.resource.name != other.resource.name
        {
            names.insert(at, other.resource.name.clone());
        }
    }
    for (at, member) in view.members.iter().enumerate() {
        let resource = &member.resource;
        let name = match resource.is("", "Namespace") {
            true => words.namespace(&resource.name),
            false => words.name(resource.kind(), &resource.name),
        };
        if let Some(name) = name {
            names.entry(at).or_insert_with(|| name.to_owned());
        }
    }
    let kept: HashSet<_> = view
        .members
        .iter()
        .enumerate()
        .filter(|(at, _)| !names.contains_key(at))
        .map(|(_, m)| {
            (
                &m.resource.group_kind,
                place_of(m, words),
                m.resource.name.as_str(),
            )
        })
        .collect();
    names.retain(|at, name| {
        view.members.get(*at).is_some_and(|m| {
            !kept.contains(&(&m.resource.group_kind, place_of(m, words), name.as_str()))
        })
    });
    names
}

fn place_of<'w>(member: &'w Member, words: &'w Words) -> &'w str {
    let own = member.namespace.as_str();
    words.namespace(own).unwrap_or(own)
}

fn renamed(
    member: &Member,
    tree: Option<Arc<Tree>>,
    name: Option<&String>,
    words: &Words,
) -> Member {
    let namespace = match &member.namespace {
        Namespace::Named(own) => match words.namespace(own) {
            Some(other) => Namespace::Named(Arc::from(other)),
            None => member.namespace.clone(),
        },
        other => other.clone(),
    };
    let Some(tree) = tree else {
        return Member {
            namespace,
            ..member.clone()
        };
    };
    let own = &member.resource;
    let place = own.namespace.as_deref();
    let resource = Resource {
        name: name.unwrap_or(&own.name).clone(),
        namespace: place.map(|own| words.namespace(own).unwrap_or(own).to_owned()),
        tree,
        ..Resource::clone(own)
    };
    Member {
        resource: Arc::new(resource),
        namespace,
    }
}

/// The strings below a node that read otherwise, by node.
fn collect(node: NodeRef<'_>, words: &Words, place: Place<'_>, texts: &mut Vec<(u32, String)>) {
    if node.is_map() {
        let text = |name: &str| node.get(name).and_then(NodeRef::as_str);
        let (kind, attribute) = (text("kind"), text("key"));
        for (key, value) in node.entries() {
            let key = key.key_text();
            let place = Place {
                key: &key,
                parent: place.key,
                kind,
                attribute,
            };
            collect(value, words, place, texts);
        }
    } else if node.is_seq() {
        node.items()
            .for_each(|item| collect(item, words, place, texts));
    } else if node.kind() == Kind::Str && !node.is_secret() {
        let node = node.resolved();
        if let Some(text) = words.text(node.text(), place) {
            texts.push((node.index(), text));
        }
    }
}
