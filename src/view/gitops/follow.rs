//! L3: everything that one cluster applies. Input: where it starts; output: its parts, found by building folders and following
//! the Flux Kustomizations and Argo CD Applications among their objects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::kustomize::files::join;
use crate::resource::Resource;
use crate::source::Span;
use crate::view::build::Part;
use crate::view::gitops::entries::Entry;
use crate::view::gitops::flux::{self, Known, key};
use crate::view::gitops::units::{Built, NOT_RENDERED, Units};
use crate::view::gitops::{Unread, argo};
use crate::view::{Lack, Opaque};

/// What is applied to a cluster.
#[derive(Debug, Default)]
pub(super) struct Followed {
    pub(super) parts: Vec<Part>,
    pub(super) opaque: Vec<Opaque>,
    /// Files that have a part in it, by number.
    pub(super) files: BTreeSet<u32>,
    /// Folders of the kustomizations that were built.
    pub(super) overlays: BTreeSet<String>,
    /// Who applies it.
    pub(super) ways: BTreeSet<&'static str>,
    pub(super) unread: Vec<Unread>,
}

impl Followed {
    /// Adds a folder; `namespace` is that of objects that name none.
    pub(super) fn add(&mut self, built: &Built, namespace: Option<String>) {
        self.files.extend(&built.files);
        self.overlays.extend(built.overlays.iter().cloned());
        self.opaque.extend(built.opaque.iter().cloned());
        self.parts.push(Part {
            files: built.raw.clone(),
            resources: built.resources.clone(),
            namespace,
        });
    }
}

/// A cluster other than the one that the objects stand for, by name.
pub(super) type Cluster = Option<String>;

/// Follows an entry; one entry may serve several clusters.
pub(super) fn cluster(units: &mut Units<'_>, entry: &Entry) -> BTreeMap<Cluster, Followed> {
    let mut walk = Walk::new(units);
    if let Some(applier) = &entry.applies_itself {
        walk.queue.push_back((Arc::clone(applier), None));
    } else if entry.is_whole {
        let built = walk.units.entry(&entry.folder);
        walk.take(&built, None, None);
    }
    walk.run();
    for folder in &entry.anchors {
        if !walk.has(folder) {
            let built = walk.units.anchor(folder);
            walk.take(&built, None, None);
        }
    }
    walk.run();
    walk.clusters
}

/// Follows what stands in or below some paths, which the configuration says belong together.
pub(super) fn declared(units: &mut Units<'_>, paths: &[String]) -> Followed {
    let paths: Vec<String> = paths.iter().map(|path| join("", path)).collect();
    let built = units.below(&paths);
    let mut walk = Walk::new(units);
    walk.take(&built, None, None);
    walk.run();
    let mut whole = Followed::default();
    for (_, followed) in walk.clusters {
        whole.parts.extend(followed.parts);
        whole.opaque.extend(followed.opaque);
        whole.files.extend(followed.files);
        whole.overlays.extend(followed.overlays);
        whole.ways.extend(followed.ways);
        whole.unread.extend(followed.unread);
    }
    whole
}

struct Walk<'w, 'u> {
    units: &'w mut Units<'u>,
    clusters: BTreeMap<Cluster, Followed>,
    known: Known,
    /// Appliers met, by cluster, kind, namespace and name.
    seen: BTreeSet<(Cluster, String, String, String)>,
    /// Objects taken in, so that a folder that is reached twice counts once.
    taken: BTreeSet<(Cluster, Option<String>, u32)>,
    queue: VecDeque<(Arc<Resource>, Cluster)>,
    /// Appliers that wait for a ConfigMap.
    waiting: VecDeque<(Arc<Resource>, Cluster)>,
}

impl<'w, 'u> Walk<'w, 'u> {
    fn new(units: &'w mut Units<'u>) -> Self {
        let sources = units.loaded.resources.iter();
        let known = sources
            .filter(|resource| flux::is_source(resource))
            .map(|source| (known_key(source, None), Arc::clone(source)))
            .collect();
        Self {
            units,
            clusters: BTreeMap::new(),
            known,
            seen: BTreeSet::new(),
            taken: BTreeSet::new(),
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Whether a kustomization or file of this folder is taken in.
    fn has(&self, folder: &str) -> bool {
        let own = self.units.leaves.file(folder);
        let direct = self.units.folders.files(folder).iter().copied();
        let mut files = own.into_iter().chain(direct.filter(|_| own.is_none()));
        files.any(|file| self.clusters.values().any(|c| c.files.contains(&file)))
    }

    fn run(&mut self) {
        loop {
            if let Some((applier, cluster)) = self.queue.pop_front() {
                self.apply(&applier, &cluster, true);
            } else if let Some((applier, cluster)) = self.waiting.pop_front() {
                self.apply(&applier, &cluster, false);
            } else {
                return;
            }
        }
    }

    /// Takes a folder in and queues the appliers among its objects.
    fn take(&mut self, built: &Built, namespace: Option<String>, cluster: Cluster) {
        let first = (self.units.objects(built).next()).map(|resource| resource.id.0);
        let followed = self.clusters.entry(cluster.clone()).or_default();
        if let Some(first) = first
            && !(self.taken).insert((cluster.clone(), namespace.clone(), first))
        {
            followed.files.extend(&built.files);
            return;
        }
        followed.add(built, namespace.clone());
        for resource in self.units.objects(built) {
            if flux::is_applier(resource) || argo::is_applier(resource) {
                self.queue
                    .push_back((Arc::clone(resource), cluster.clone()));
            }
            if matches!(resource.kind(), "ConfigMap" | "ArtifactGenerator") {
                let key = known_key(resource, namespace.as_deref());
                self.known.insert(key, Arc::clone(resource));
            }
        }
    }

    fn apply(&mut self, applier: &Arc<Resource>, cluster: &Cluster, may_wait: bool) {
        let is_flux = flux::is_applier(applier);
        let way = if is_flux { "Flux" } else { "Argo CD" };
        let followed = self.clusters.entry(cluster.clone()).or_default();
        followed.ways.insert(way);
        if is_flux {
            self.flux(applier, cluster, may_wait);
        } else {
            self.argo(applier, cluster);
        }
    }

    fn is_new(&mut self, applier: &Resource, cluster: &Cluster) -> bool {
        let (kind, namespace, name) = known_key(applier, None);
        self.seen.insert((cluster.clone(), kind, namespace, name))
    }

    fn flux(&mut self, applier: &Arc<Resource>, cluster: &Cluster, may_wait: bool) {
        let (substitution, waits) = flux::variables(applier, &self.known);
        if waits && may_wait {
            self.waiting
                .push_back((Arc::clone(applier), cluster.clone()));
            return;
        }
        if !self.is_new(applier, cluster) {
            return;
        }
        let from = Units::folder_of(applier);
        let order = flux::order(applier, &self.known).and_then(|order| {
            match self.units.resolve(&order.path, from) {
                Some(folder) => Ok((order, folder)),
                None => Err(format!("there is no folder `{}` here", order.path)),
            }
        });
        let (order, folder) = match order {
            Ok(found) => found,
            Err(why) => return self.unread(applier, cluster, &why),
        };
        let target = order.cluster.or_else(|| cluster.clone());
        match flux::applied(applier, order.span, substitution) {
            Ok(applied) => {
                let built = self.units.flux(&folder, applied);
                self.take(&built, None, target.clone());
            }
            Err(error) => {
                let opaque = self.units.misfit(applier, error);
                let followed = self.clusters.entry(target.clone()).or_default();
                followed.opaque.push(opaque);
            }
        }
        let followed = self.clusters.entry(target).or_default();
        followed.ways.insert("Flux");
    }

    fn argo(&mut self, applier: &Arc<Resource>, cluster: &Cluster) {
        if !self.is_new(applier, cluster) {
            return;
        }
        let from = Units::folder_of(applier);
        for order in argo::orders(applier, self.units.folders, from) {
            let order = match order {
                Ok(order) => order,
                Err(why) => {
                    self.unread(applier, cluster, &why);
                    continue;
                }
            };
            let target = order.cluster.clone().or_else(|| cluster.clone());
            match self.units.argo(&order, from) {
                Ok(built) => self.take(&built, order.namespace.clone(), target.clone()),
                Err(why) => self.unread(applier, &target, &why),
            }
            let followed = self.clusters.entry(target).or_default();
            followed.ways.insert("Argo CD");
        }
    }

    /// Notes an applier whose objects are not known.
    fn unread(&mut self, applier: &Resource, cluster: &Cluster, why: &str) {
        if why == NOT_RENDERED && applier.kind() == "Application" {
            // Its chart is a release like others, listed and read for its values with them; an ApplicationSet's objects are nowhere else.
            return;
        }
        let object = applier.object();
        let text = |path: &[&str]| object.at(path).and_then(|n| n.as_str()).map(str::to_owned);
        let namespace = text(&["spec", "targetNamespace"]);
        let (kind, namespace_of, name) = known_key(applier, None);
        let what = if namespace_of.is_empty() {
            format!("{kind} {name}")
        } else {
            format!("{kind} {namespace_of}/{name}")
        };
        let span: Span = applier.name_span();
        let followed = self.clusters.entry(cluster.clone()).or_default();
        followed.unread.push(Unread {
            path: self.units.path(span),
            reason: format!("{kind} that is not followed: `{name}`, {why}"),
            is_lack: true,
        });
        followed.opaque.push(Opaque {
            lack: Lack::Unfollowed,
            why: Some(why.to_owned()),
            namespace,
            what,
            span: Some(span),
            opens: true,
        });
    }
}

fn known_key(resource: &Resource, namespace: Option<&str>) -> (String, String, String) {
    let own = resource.namespace.as_deref().or(namespace).unwrap_or("");
    key(resource.kind(), own, &resource.name)
}
