//! L3: which objects are applied to one cluster together. Input: resources and what declares views; output: `View`s.

pub mod build;
mod conflict;
mod content;
pub mod environments;
mod folders;
pub mod gitops;
pub mod owned;
pub mod releases;
mod tool;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::release::Release;
use crate::resource::{GroupKind, Resource};
use crate::source::Span;

/// Where an object of a view lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// The kind is cluster-scoped.
    Cluster,
    /// A named namespace, from the object or from what applies it.
    Named(Arc<str>),
    /// Nothing names it: all such objects of a view are taken to share one unnamed namespace (a listed assumption).
    Unset,
}

impl Namespace {
    /// The name for look-ups and messages; `""` for cluster scope and for the unnamed namespace.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Cluster | Self::Unset => "",
        }
    }
}

/// An object as part of a view.
#[derive(Clone, Debug)]
pub struct Member {
    /// The object.
    pub resource: Arc<Resource>,
    /// Its effective namespace in this view.
    pub namespace: Namespace,
}

/// Why the contents of something are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// A document that cannot be read.
    Unread,
    /// A release or template that nobody rendered.
    Unrendered,
    /// A kustomization that is not worked out here.
    Unbuilt,
    /// A kustomization that kustomize cannot build either.
    Broken,
    /// An object of Flux or Argo CD that does not say here what it applies.
    Unfollowed,
    /// A kind or a namespace that an export of a cluster does not hold.
    Unexported,
}

impl Lack {
    /// What stands before a list of such things: `not rendered`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Unread => "not read",
            Self::Unrendered => "not rendered",
            Self::Unbuilt | Self::Broken => "not built",
            Self::Unfollowed => "not followed",
            Self::Unexported => "not exported",
        }
    }
}

/// Something of the view whose contents are not known: an unreadable document, an unrendered release.
#[derive(Clone, Debug)]
pub struct Opaque {
    /// Why they are not known.
    pub lack: Lack,
    /// Namespace it would fill; `None` = any namespace.
    pub namespace: Option<String>,
    /// What it is, for the ledger: `HelmRelease ml/ollama`, `broken document`.
    pub what: String,
    /// What about it is not worked out, where no problem of the run says so.
    pub why: Option<String>,
    /// Where it stands, when in a file.
    pub span: Option<Span>,
    /// Whether it may hold objects that change an answer; false for a release whose chart is known to hold none.
    pub opens: bool,
}

impl Opaque {
    /// Whether it is a document of the view that cannot be read, so that nobody can call its contents known.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.lack == Lack::Unread
    }

    /// Whether it is a kind that an export does not hold.
    #[must_use]
    pub fn is_one_kind(&self) -> bool {
        self.lack == Lack::Unexported && self.namespace.is_none()
    }

    /// Whether it may hold objects of a kind; a broken document often tells that it does not.
    #[must_use]
    pub fn may_hold(&self, kind: &str) -> bool {
        if self.is_one_kind() {
            return self.what == kind;
        }
        match self.what.strip_prefix("broken ") {
            Some(of) => of == kind || of == "document" || of.ends_with("List"),
            None => true,
        }
    }

    /// The lack in words: `HelmRelease ml/ollama is not rendered`.
    #[must_use]
    pub fn missing(&self) -> String {
        let words = match self.lack {
            Lack::Unread => "could not be read",
            Lack::Unrendered => "is not rendered",
            Lack::Unbuilt => "is not built",
            Lack::Broken => "cannot be built",
            Lack::Unfollowed => "is not followed",
            Lack::Unexported => "is not in the export",
        };
        format!("{} {words}", self.what)
    }
}

/// The objects applied to one cluster together: the unit of every conclusion.
#[derive(Debug)]
pub struct View {
    /// Name printed in reports; unique in a run.
    pub name: String,
    /// How it was found, in words for the reader: `folder`, `kustomization`, `config`.
    pub found_by: String,
    /// Objects in input order.
    pub members: Vec<Member>,
    /// What opens namespaces of the view.
    pub opaque: Vec<Opaque>,
    /// Files of the run that belong to it, by number, whether they hold objects or not.
    pub files: Vec<u32>,
    /// Helm releases that it installs.
    pub releases: Vec<Release>,
    /// Objects left out because the view holds an equal one already.
    pub repeated: u32,
    /// Objects left out because a controller made them of another object of the view.
    pub owned: u32,
    /// Kustomizations that were built for it.
    pub overlays: usize,
    by_kind: BTreeMap<GroupKind, Vec<u32>>,
}

impl View {
    /// Indexes the members of a view.
    #[must_use]
    pub fn new(name: String, found_by: String, members: Vec<Member>, opaque: Vec<Opaque>) -> Self {
        let mut by_kind: BTreeMap<GroupKind, Vec<u32>> = BTreeMap::new();
        for (at, member) in (0u32..).zip(&members) {
            by_kind
                .entry(member.resource.group_kind.clone())
                .or_default()
                .push(at);
        }
        Self {
            name,
            found_by,
            members,
            opaque,
            files: Vec::new(),
            releases: Vec::new(),
            repeated: 0,
            owned: 0,
            overlays: 0,
            by_kind,
        }
    }

    /// The view with other members and other lacks, as far as that goes.
    #[must_use]
    pub fn holding(&self, members: Vec<Member>, opaque: Vec<Opaque>) -> Self {
        Self {
            files: self.files.clone(),
            releases: self.releases.clone(),
            repeated: self.repeated,
            owned: self.owned,
            overlays: self.overlays,
            ..Self::new(self.name.clone(), self.found_by.clone(), members, opaque)
        }
    }

    /// Members of one group and kind, in input order.
    pub fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &Member> {
        self.by_kind
            .get(&GroupKind {
                group: group.to_owned(),
                kind: kind.to_owned(),
            })
            .into_iter()
            .flatten()
            .filter_map(|&at| self.members.get(crate::source::to_usize(at)))
    }

    /// The same, but of several objects of one namespace and name the last: applied in this order it is the one that stays.
    pub fn effective_of_kind(&self, group: &str, kind: &str) -> Vec<&Member> {
        let mut seen: HashSet<(&str, &str)> = HashSet::new();
        let mut found: Vec<&Member> = self.of_kind(group, kind).collect();
        found.reverse();
        found.retain(|member| {
            let resource = &member.resource;
            let unnamed = resource.generated || resource.name.is_empty();
            unnamed || seen.insert((member.namespace.as_str(), &resource.name))
        });
        found.reverse();
        found
    }

    /// Group and kinds that occur.
    pub fn kinds(&self) -> impl Iterator<Item = &GroupKind> {
        self.by_kind.keys()
    }

    /// What of it is not known, by why, in words.
    #[must_use]
    pub fn lacks(&self) -> Vec<(Lack, String)> {
        self.opaque
            .iter()
            .map(|o| (o.lack, o.what.clone()))
            .collect()
    }

    /// Whether something unread may add objects to this namespace.
    #[must_use]
    pub fn is_open(&self, namespace: &str) -> bool {
        self.opaque
            .iter()
            .any(|o| o.opens && o.namespace.as_deref().is_none_or(|n| n == namespace))
    }
}
