//! L3: views of a run. Input: everything loaded and the settings; output: `Views` and the conflicts inside them.
//!
//! Finders run in a fixed order; each claims files, and the folders take what no finder claimed. Flux, Argo CD and leaf
//! kustomizations join the list as further finders.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::discover::Root;
use crate::load::broken::Fills;
use crate::load::problem::InputProblem;
use crate::load::{Loaded, LoadedFile};
use crate::pods::PodKind;
use crate::resource::Resource;
use crate::resource::scope::Scopes;
use crate::source::{to_u32, to_usize};
use crate::view::content::Copies;
use crate::view::{Member, Namespace, Opaque, View, conflict, folders};

/// What the configuration says about views.
#[derive(Clone, Debug, Default)]
pub struct ViewSettings {
    /// Views by name with the folders or files they consist of, as printed paths.
    pub named: Vec<(String, Vec<String>)>,
    /// `assume.defaultNamespace`.
    pub default_namespace: Option<String>,
    /// `assume.objects`: objects taken to be in every view.
    pub objects: Vec<Arc<Resource>>,
    /// `workloads`: kinds that carry a pod template.
    pub pods: Vec<PodKind>,
}

/// All views of a run with what is wrong inside them.
#[derive(Debug, Default)]
pub struct Views {
    /// Configured ones first, then sorted by name; names are unique.
    pub views: Vec<View>,
    /// INPUT010 data, in view order; a conflict seen in several views once.
    pub problems: Vec<InputProblem>,
}

/// A view before namespaces are resolved.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Name printed in reports.
    pub name: String,
    /// How it was found, for the reader.
    pub found_by: &'static str,
    /// Files by number: their objects and their unread documents.
    pub files: Vec<u32>,
    /// Namespace of objects that name none, from what applies the view.
    pub namespace: Option<String>,
    /// Whether somebody says that these files belong together.
    pub is_declared: bool,
}

/// Finds the views.
#[must_use]
pub fn views(loaded: &Loaded, roots: &[Root], settings: &ViewSettings) -> Views {
    let every = loaded.resources.iter().chain(&settings.objects);
    let scopes = Scopes::of(every.map(|r| &**r));
    let copies = Copies::of(
        loaded.resources.iter().map(|r| &**r),
        &scopes,
        settings.default_namespace.as_deref(),
    );
    let mut plans = configured(loaded, settings);
    let claimed: BTreeSet<u32> = plans
        .iter()
        .flat_map(|plan| plan.files.iter().copied())
        .collect();
    plans.extend(plain_folders(loaded, roots, &claimed, &copies));
    let mut builder = Builder {
        loaded,
        settings,
        scopes,
        copies,
        names: HashMap::new(),
        taken: BTreeSet::new(),
        views: Vec::new(),
        conflicts: conflict::Conflicts::default(),
    };
    for plan in plans {
        builder.add(plan);
    }
    Views {
        views: builder.views,
        problems: builder.conflicts.problems,
    }
}

/// Finder: `views:` of the configuration.
fn configured(loaded: &Loaded, settings: &ViewSettings) -> Vec<Plan> {
    let is_below = |path: &str, folder: &str| {
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        folder.is_empty()
            || folder == "."
            || path == folder
            || path
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    settings
        .named
        .iter()
        .map(|(name, paths)| Plan {
            name: name.clone(),
            found_by: "config",
            files: numbered(loaded)
                .filter(|(_, file)| paths.iter().any(|path| is_below(&file.source.path, path)))
                .map(|(number, _)| number)
                .collect(),
            namespace: None,
            is_declared: true,
        })
        .collect()
}

/// Finder: every folder asked for, and the files named one by one.
///
/// Named files form one view; with a single folder beside them they belong to it, as in `kubectl apply -f dir -f file`.
fn plain_folders(
    loaded: &Loaded,
    roots: &[Root],
    claimed: &BTreeSet<u32>,
    copies: &Copies,
) -> Vec<Plan> {
    let mut sets: Vec<(String, Vec<u32>)> = roots
        .iter()
        .filter(|root| root.is_folder)
        .map(|root| (root.shown.clone(), Vec::new()))
        .collect();
    let mut position = 0..sets.len();
    let at: Vec<Option<usize>> = roots
        .iter()
        .map(|root| {
            if root.is_folder {
                position.next()
            } else {
                None
            }
        })
        .collect();
    let mut alone: Vec<u32> = Vec::new();
    for (number, file) in numbered(loaded).filter(|(number, _)| !claimed.contains(number)) {
        let holders: BTreeSet<usize> = file
            .roots
            .iter()
            .filter_map(|&root| *at.get(to_usize(root))?)
            .collect();
        if holders.is_empty() {
            alone.push(number);
        }
        for holder in holders {
            if let Some((_, files)) = sets.get_mut(holder) {
                files.push(number);
            }
        }
    }
    let mut plans = Vec::new();
    if let [(_, files)] = sets.as_mut_slice() {
        files.append(&mut alone);
        files.sort_unstable();
    }
    for (root, files) in &sets {
        plans.extend(
            folders::split(loaded, root, files, copies)
                .into_iter()
                .map(|set| Plan {
                    name: set.name,
                    found_by: "folder",
                    files: set.files,
                    namespace: None,
                    is_declared: false,
                }),
        );
    }
    if !alone.is_empty() {
        let only = match alone.as_slice() {
            [only] => loaded.files.get(to_usize(*only)),
            _ => None,
        };
        plans.push(Plan {
            name: only.map_or_else(|| "named files".to_owned(), |file| file.source.path.clone()),
            found_by: "files",
            files: alone,
            namespace: None,
            is_declared: true,
        });
    }
    plans.sort_by(|a, b| a.name.cmp(&b.name));
    plans
}

fn numbered(loaded: &Loaded) -> impl Iterator<Item = (u32, &LoadedFile)> {
    (0u32..).zip(&loaded.files)
}

struct Builder<'l> {
    loaded: &'l Loaded,
    settings: &'l ViewSettings,
    scopes: Scopes,
    copies: Copies,
    /// Namespace names, each stored once.
    names: HashMap<String, Arc<str>>,
    /// View names in use.
    taken: BTreeSet<String>,
    views: Vec<View>,
    conflicts: conflict::Conflicts,
}

impl Builder<'_> {
    /// Builds one view; a set of files without object and without unread document is none.
    fn add(&mut self, plan: Plan) {
        let loaded = self.loaded;
        let files: Vec<&LoadedFile> = plan
            .files
            .iter()
            .filter_map(|&at| loaded.files.get(to_usize(at)))
            .collect();
        let objects: Vec<&Arc<Resource>> = files
            .iter()
            .flat_map(|file| loaded.resources_of(file))
            .collect();
        let default = plan
            .namespace
            .or_else(|| self.settings.default_namespace.clone());
        let opaque: Vec<Opaque> = files
            .iter()
            .flat_map(|file| &file.broken)
            .map(|broken| Opaque {
                namespace: match &broken.fills {
                    Fills::Any => None,
                    Fills::Unset => Some(default.clone().unwrap_or_default()),
                    Fills::Named(name) => Some(name.clone()),
                },
                what: broken.what.clone(),
                span: Some(broken.span),
                opens: true,
            })
            .collect();
        if objects.is_empty() && opaque.is_empty() {
            return;
        }
        let all = objects.len();
        let kept = conflict::settle(objects, &self.copies, plan.is_declared, &mut self.conflicts);
        let repeated = to_u32(all - kept.len());
        let mut members: Vec<Member> = kept
            .into_iter()
            .map(|resource| self.member(resource, default.as_deref()))
            .collect();
        self.assume(&mut members, default.as_deref());
        let name = self.unique(plan.name);
        let mut view = View::new(name, plan.found_by.to_owned(), members, opaque);
        view.repeated = repeated;
        view.files = plan.files;
        self.views.push(view);
    }

    /// Adds the objects that are taken to exist, but for those that the view holds itself.
    fn assume(&mut self, members: &mut Vec<Member>, default: Option<&str>) {
        if self.settings.objects.is_empty() {
            return;
        }
        let identity = |m: &Member| {
            let resource = &m.resource;
            let kind = resource.group_kind.clone();
            (kind, m.namespace.clone(), resource.name.clone())
        };
        let own: HashSet<_> = members.iter().map(identity).collect();
        for resource in self.settings.objects.clone() {
            let member = self.member(resource, default);
            if !own.contains(&identity(&member)) {
                members.push(member);
            }
        }
    }

    fn member(&mut self, resource: Arc<Resource>, default: Option<&str>) -> Member {
        let namespace = if self.scopes.is_cluster(&resource.group_kind) {
            Namespace::Cluster
        } else {
            match resource.namespace.as_deref().or(default) {
                Some(name) => Namespace::Named(self.namespace(name)),
                None => Namespace::Unset,
            }
        };
        Member {
            resource: self.with_pods(resource),
            namespace,
        }
    }

    /// The object with the place of its pod template, where the config names its kind.
    fn with_pods(&self, resource: Arc<Resource>) -> Arc<Resource> {
        let mut kinds = self.settings.pods.iter();
        match kinds.find(|row| resource.is(&row.group, &row.kind)) {
            None => resource,
            Some(row) => Arc::new(Resource {
                pod_path: Some(Arc::clone(&row.path)),
                ..Arc::unwrap_or_clone(resource)
            }),
        }
    }

    fn namespace(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let stored: Arc<str> = Arc::from(name);
        self.names.insert(name.to_owned(), Arc::clone(&stored));
        stored
    }

    fn unique(&mut self, name: String) -> String {
        let mut unique = name.clone();
        let mut number = 2u32;
        while !self.taken.insert(unique.clone()) {
            unique = format!("{name} ({number})");
            number += 1;
        }
        unique
    }
}
