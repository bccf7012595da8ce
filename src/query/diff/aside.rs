//! What is set aside before two views are compared. Input: two views; output: the views as they are compared, and `Aside`, which names it.
//!
//! What cannot be known and is the same on both sides (a release that is not rendered, a broken document) is taken to hold the same. Where
//! one side is an export of a cluster, nothing is said of what only one side can hold: objects that controllers made, namespaces that the
//! tree says nothing about, kinds and namespaces that were not exported.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::drift::cause::is_of_mesh;
use crate::drift::{edit, live};
use crate::resource::{GroupKind, Resource};
use crate::source::Sources;
use crate::view::owned::controller;
use crate::view::{Lack, Member, Namespace, Opaque, View};

/// What a comparison leaves out, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// What is not known and the same on both sides: `HelmRelease ml/cache`.
    pub alike: BTreeSet<String>,
    /// What is not known on some side and may differ: a kustomization that is not built, a release with other values.
    pub unknown: BTreeSet<String>,
    /// Kinds and namespaces of the tree that the export does not hold: `AuthorizationPolicy`, `namespace ml`.
    pub not_exported: BTreeSet<String>,
    /// Namespaces that only the export has.
    pub not_in_tree: BTreeSet<String>,
    /// The namespace of the export that objects of the tree without one are taken to be in.
    pub placed: BTreeSet<String>,
    /// Objects of the export that controllers made of others.
    pub made: usize,
    /// Documents that only the base cannot read: `broken Pod`.
    pub unread_in_base: BTreeSet<String>,
    /// Documents that only the head cannot read.
    pub unread_in_head: BTreeSet<String>,
}

/// The two views as they are compared, `None` where a view is compared as it is; and whether one lacks what the other has.
pub(super) fn set_aside(
    base: &View,
    head: &View,
    sources: (&Sources, &Sources),
    same: SameSpec,
    aside: &mut Aside,
) -> (Option<View>, Option<View>, bool) {
    aside.unread_in_base.extend(only_unread(base, head));
    aside.unread_in_head.extend(only_unread(head, base));
    let exports = (is_export(base), is_export(head));
    if exports.0 == exports.1 && (base.opaque.is_empty() || head.opaque.is_empty()) {
        return (None, None, false);
    }
    let (mut b, mut h) = (Part::of(base), Part::of(head));
    let mut lacks = Vec::new();
    match exports {
        (true, false) => lacks = against_export(&mut h, &mut b, aside),
        (false, true) => lacks = against_export(&mut b, &mut h, aside),
        _ => {}
    }
    alike(&mut b, &mut h, sources, same, aside);
    for part in [&mut b, &mut h] {
        part.is_other |= !lacks.is_empty();
        part.opaque.extend(lacks.iter().cloned());
    }
    let opens = |part: &Part| part.opaque.iter().any(|o| o.opens);
    let lacks = exports.0 != exports.1 && (opens(&b) || opens(&h));
    (b.view(base), h.view(head), lacks)
}

/// What a view lacks that is not named otherwise, by name.
pub(super) fn unknown(view: &View) -> impl Iterator<Item = String> {
    let open = |o: &&Opaque| o.opens && o.lack != Lack::Unexported;
    view.opaque.iter().filter(open).map(|o| o.what.clone())
}

/// Whether two trees are made of the same texts in the same order: then nothing differs that is not known.
pub(super) fn same_texts(base: &Sources, head: &Sources) -> bool {
    let texts = |sources: &Sources| -> Vec<_> {
        let mut files: Vec<_> = sources.iter().cloned().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    };
    let (base, head) = (texts(base), texts(head));
    base.len() == head.len() && base.iter().zip(&head).all(|(a, b)| a.text == b.text)
}

/// Broken documents of a view that the other has not: whoever reads that an object is gone has to know that it may be one of them.
fn only_unread<'v>(view: &'v View, other: &'v View) -> impl Iterator<Item = String> + use<'v> {
    let broken = view.opaque.iter().filter(|o| o.is_broken());
    broken
        .filter(|own| !other.opaque.iter().any(|o| o.what == own.what))
        .map(|own| own.what.clone())
}

/// A view in the making.
struct Part {
    members: Vec<Member>,
    opaque: Vec<Opaque>,
    is_other: bool,
}

impl Part {
    fn of(view: &View) -> Self {
        Self {
            members: view.members.clone(),
            opaque: view.opaque.clone(),
            is_other: false,
        }
    }

    fn view(self, original: &View) -> Option<View> {
        self.is_other
            .then(|| original.holding(self.members, self.opaque))
    }

    /// Keeps some members; returns how many went.
    fn keep(&mut self, keeps: impl Fn(&Member) -> bool) -> usize {
        let before = self.members.len();
        self.members.retain(keeps);
        let gone = before - self.members.len();
        self.is_other |= gone > 0;
        gone
    }

    /// Drops lacks by position.
    fn without(&mut self, lacks: &BTreeSet<usize>) {
        let mut at = 0..;
        self.opaque
            .retain(|_| at.next().is_none_or(|at| !lacks.contains(&at)));
        self.is_other = true;
    }

    fn namespaces(&self) -> BTreeSet<String> {
        let named = self.members.iter().filter_map(|m| match &m.namespace {
            Namespace::Named(name) => Some(name.to_string()),
            Namespace::Cluster | Namespace::Unset => None,
        });
        named.collect()
    }
}

/// Whether most of a view was written by an API server. Single objects with a `uid` stand in many a repository.
pub(super) fn is_export(view: &View) -> bool {
    let live = view.members.iter().filter(|m| live::is_live(&m.resource));
    live.count() * 2 > view.members.len()
}

/// Leaves out what the two sides cannot be compared in; returns what may be missing on both then.
fn against_export(tree: &mut Part, export: &mut Part, aside: &mut Aside) -> Vec<Opaque> {
    aside.made += export.keep(|m| controller(&m.resource).is_none());
    releases(tree, export, aside);
    place(tree, export, aside);
    let mut lacks = Vec::new();
    let (here, there) = (tree.namespaces(), export.namespaces());
    export.keep(|m| is_in(m, &here));
    aside.not_in_tree.extend(there.difference(&here).cloned());
    tree.keep(|m| is_in(m, &there));
    for name in here.difference(&there) {
        lacks.push(lack(format!("namespace {name}"), Some(name.clone())));
        aside.not_exported.insert(format!("namespace {name}"));
    }
    let exported: BTreeSet<GroupKind> = kinds(export).into_iter().collect();
    for kind in kinds(tree).difference(&exported) {
        let is_of_kind = |m: &Member| m.resource.group_kind == *kind;
        let of_mesh = tree
            .members
            .iter()
            .any(|m| is_of_kind(m) && is_of_mesh(&m.resource));
        if of_mesh {
            lacks.push(lack(kind.kind.clone(), None));
        }
        tree.keep(|m| !is_of_kind(m));
        aside.not_exported.insert(kind.kind.clone());
    }
    lacks
}

/// Objects that name no namespace were applied to one: the one of the export that holds most of them.
fn place(tree: &mut Part, export: &Part, aside: &mut Aside) {
    let identity = |m: &Member| (m.resource.group_kind.clone(), m.resource.name.clone());
    let is_unset = |m: &&Member| m.namespace == Namespace::Unset;
    let homeless: BTreeSet<_> = tree.members.iter().filter(is_unset).map(identity).collect();
    let mut counts: BTreeMap<&Namespace, usize> = BTreeMap::new();
    for member in &export.members {
        if matches!(member.namespace, Namespace::Named(_)) && homeless.contains(&identity(member)) {
            *counts.entry(&member.namespace).or_default() += 1;
        }
    }
    let most = counts
        .into_iter()
        .max_by_key(|(name, n)| (*n, Reverse(*name)));
    let Some((home, _)) = most else { return };
    for member in &mut tree.members {
        if member.namespace == Namespace::Unset {
            member.namespace = home.clone();
        }
    }
    tree.is_other = true;
    aside.placed.insert(home.as_str().to_owned());
}

fn lack(what: String, namespace: Option<String>) -> Opaque {
    Opaque {
        lack: Lack::Unexported,
        namespace,
        what,
        why: None,
        span: None,
        opens: true,
    }
}

/// Whether a member lives in one of these namespaces or in none; a Namespace lives in itself.
fn is_in(member: &Member, namespaces: &BTreeSet<String>) -> bool {
    match &member.namespace {
        Namespace::Named(name) => namespaces.contains(&**name),
        Namespace::Cluster if member.resource.is("", "Namespace") => {
            namespaces.contains(&member.resource.name)
        }
        Namespace::Cluster | Namespace::Unset => true,
    }
}

fn kinds(part: &Part) -> BTreeSet<GroupKind> {
    let kinds = part.members.iter().map(|m| m.resource.group_kind.clone());
    kinds.collect()
}

/// What a release installs stands in the export and not in the tree: it is left out on both sides.
fn releases(tree: &mut Part, export: &mut Part, aside: &mut Aside) {
    let is_release = |o: &Opaque| o.lack == Lack::Unrendered;
    let names: BTreeSet<String> = tree
        .opaque
        .iter()
        .filter(|o| is_release(o))
        .map(|o| o.what.clone())
        .collect();
    if names.is_empty() {
        return;
    }
    for part in [&mut *tree, &mut *export] {
        part.opaque.retain(|o| !is_release(o));
        part.is_other = true;
    }
    export.keep(|m| !installed_by(&m.resource, &names));
    aside.alike.extend(names);
}

/// Whether an object belongs to one of these releases: Helm annotates what it installs (helm `pkg/action/validate.go`), Argo CD and most
/// charts label it.
fn installed_by(resource: &Resource, releases: &BTreeSet<String>) -> bool {
    let metadata = resource.object().get("metadata");
    let text = |map: &str, key: &str| {
        let value = metadata?.get(map)?.get(key)?;
        Some(value.text().to_owned())
    };
    let release = text("annotations", "meta.helm.sh/release-name")
        .or_else(|| text("labels", "app.kubernetes.io/instance"));
    release.is_some_and(|name| {
        releases.iter().any(|what| {
            let of = what.rsplit([' ', '/']).next().unwrap_or(what);
            of == name || name.ends_with(&format!("-{of}"))
        })
    })
}

/// Drops what is not known and the same on both sides.
fn alike(
    b: &mut Part,
    h: &mut Part,
    sources: (&Sources, &Sources),
    same_spec: SameSpec,
    aside: &mut Aside,
) {
    if b.opaque.is_empty() || h.opaque.is_empty() {
        return;
    }
    let mut same = BTreeSet::new();
    for (at, before) in b.opaque.iter().enumerate() {
        let after = (h.opaque.iter().enumerate()).find(|(_, o)| {
            (&o.what, &o.namespace, o.opens) == (&before.what, &before.namespace, before.opens)
        });
        if let Some((other, after)) = after
            && is_alike((b, before), (h, after), sources, same_spec)
        {
            same.insert((at, other));
        }
    }
    if same.is_empty() {
        return;
    }
    let opens = |&(at, _): &(usize, usize)| b.opaque.get(at).filter(|o| o.opens);
    aside
        .alike
        .extend(same.iter().filter_map(opens).map(|o| o.what.clone()));
    let (own, other): (BTreeSet<usize>, BTreeSet<usize>) = same.into_iter().unzip();
    b.without(&own);
    h.without(&other);
}

/// Whether a lack is about equal bytes: the same document, the same object, else the same folder of a chart. What a kustomization that is
/// not worked out is made of is not known, so that it is never taken to be the same.
fn is_alike(
    (b, before): (&Part, &Opaque),
    (h, after): (&Part, &Opaque),
    sources: (&Sources, &Sources),
    same_spec: SameSpec,
) -> bool {
    match before.lack {
        Lack::Unread => file(sources.0, before) == file(sources.1, after),
        Lack::Unrendered => match (declared(b, &before.what), declared(h, &after.what)) {
            (Some(was), Some(is)) => same_spec(was, is),
            (None, None) => chart(sources.0, before) == chart(sources.1, after),
            _ => false,
        },
        Lack::Unbuilt | Lack::Broken | Lack::Unfollowed | Lack::Unexported => false,
    }
}

/// The text of the file that a lack stands in.
fn file<'s>(sources: &'s Sources, opaque: &Opaque) -> Option<&'s str> {
    let file = sources.get(opaque.span?.source)?;
    Some(&file.text)
}

/// What was read of the chart that a lack stands in: texts by their path in it.
fn chart<'s>(sources: &'s Sources, opaque: &Opaque) -> BTreeMap<&'s str, &'s str> {
    let path = opaque
        .span
        .and_then(|span| sources.get(span.source))
        .map_or("", |file| file.path.as_str());
    let folder = match path.split_once("/templates/") {
        Some((chart, _)) => chart,
        None => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let inside = |path: &'s str| path.strip_prefix(folder)?.strip_prefix('/');
    sources
        .iter()
        .filter_map(|file| Some((inside(&file.path)?, file.text.as_str())))
        .collect()
}

/// Whether two declarations of a release are taken to install the same.
pub(super) type SameSpec = fn(&Resource, &Resource) -> bool;

/// Whether both say the same.
pub(super) fn same_spec(was: &Resource, is: &Resource) -> bool {
    match (was.object().get("spec"), is.object().get("spec")) {
        (Some(was), Some(is)) => edit::same(was, is),
        (None, None) => true,
        _ => false,
    }
}

/// The same but for how much of it runs: what environments differ in by trade.
pub(super) fn same_but_size(was: &Resource, is: &Resource) -> bool {
    let by_trade = |edit: &edit::Edit| {
        let key = edit.path.last().map_or("", String::as_str);
        SIZES.contains(&key) || !edit.is_below(&["spec"])
    };
    edit::edits(was.object(), is.object()).iter().all(by_trade)
}

/// Values that say how many pods a chart makes, how large, and of which build.
const SIZES: &[&str] = &[
    "replicaCount",
    "replicas",
    "minReplicas",
    "maxReplicas",
    "cpu",
    "memory",
    "size",
    "storage",
    "tag",
    "interval",
    "timeout",
];

/// The object that declares what is not rendered: `HelmRelease ml/cache`.
fn declared<'p>(part: &'p Part, what: &str) -> Option<&'p Resource> {
    let (kind, name) = what.split_once(' ')?;
    let found = part.members.iter().find(|m| {
        m.resource.kind() == kind
            && match name.split_once('/') {
                Some((namespace, name)) => {
                    m.namespace.as_str() == namespace && m.resource.name == name
                }
                None => m.resource.name == name,
            }
    });
    found.map(|m| &*m.resource)
}
