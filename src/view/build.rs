//! L3: views of a run. Input: everything loaded and the settings; output: `Views` and the conflicts inside them.
//!
//! Finders run in a fixed order; each claims files, and the folders take what no finder claimed: first the configuration,
//! then Flux, Argo CD and leaf kustomizations (`gitops.rs`).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::discover::{Beside, Root};
use crate::load::broken::Fills;
use crate::load::problem::{InputProblem, ProblemKind};
use crate::load::{FileOutcome, Loaded, LoadedFile};
use crate::pods::PodKind;
use crate::resource::Resource;
use crate::resource::scope::Scopes;
use crate::source::{to_u32, to_usize};
use crate::view::content::Copies;
use crate::view::gitops::{self, Unread};
use crate::view::tool::is_for_a_tool;
use crate::view::{Lack, Member, Namespace, Opaque, View, conflict, folders, owned};

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
    /// What is applied and not worked out, sorted.
    pub unread: Vec<Unread>,
    /// Objects that are judged, or repeat one: those that were built instead of those that they were built from.
    pub objects: usize,
}

/// A view before namespaces are resolved.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Name printed in reports.
    pub name: String,
    /// How it was found, for the reader.
    pub found_by: String,
    /// Files by number that have a part in it.
    pub files: Vec<u32>,
    /// What it consists of.
    pub parts: Vec<Part>,
    /// What is applied and not known, but for the unread documents of the parts.
    pub opaque: Vec<Opaque>,
    /// Whether somebody says that these files belong together.
    pub is_declared: bool,
    /// Kustomizations that were built for it.
    pub overlays: usize,
    /// Whether it consists of files that no other finder claimed.
    pub is_plain: bool,
}

/// Objects of a view that are applied in one way.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Files by number whose objects and unread documents are applied as they stand.
    pub files: Vec<u32>,
    /// Objects that were built.
    pub resources: Vec<Arc<Resource>>,
    /// Namespace of objects that name none, from what applies them.
    pub namespace: Option<String>,
}

/// What GitOps sources come to, before the plain folders.
#[derive(Debug, Default)]
pub struct Built {
    plans: Vec<Plan>,
    claimed: BTreeSet<u32>,
    unread: Vec<Unread>,
    objects: usize,
}

/// Builds what the tree and the configuration say is applied. Objects that are built, and files that are read for that, join
/// what was loaded.
#[must_use]
pub fn build(
    loaded: &mut Loaded,
    roots: &[Root],
    beside: &dyn Beside,
    settings: &ViewSettings,
) -> Built {
    let found = gitops::find(loaded, roots, beside, settings);
    let is_part = |file: &u32| found.claimed.contains(file) && !found.raw.contains(file);
    let parts = (0u32..)
        .zip(&loaded.files)
        .filter(|(file, _)| is_part(file));
    let in_parts: usize = parts.map(|(_, file)| loaded.resources_of(file).len()).sum();
    let objects = loaded.resources.len() + found.resources.len() - in_parts;
    loaded.resources.extend(found.resources);
    loaded.problems.extend(found.problems);
    let is_shown = |problem: &InputProblem| {
        !(is_part(&problem.span.source.0) && problem.kind == ProblemKind::Unnamed)
    };
    loaded.problems.retain(is_shown);
    loaded.secrets.extend(found.secrets);
    for (mut file, secrets) in found.more {
        file.broken.clear();
        file.outcome = FileOutcome::Read(0);
        loaded.files.push(file);
        loaded.secrets.extend(secrets);
    }
    loaded.secrets.sort_unstable();
    loaded.secrets.dedup();
    Built {
        plans: found.plans,
        claimed: found.claimed,
        unread: found.unread,
        objects,
    }
}

/// Finds the views: those that were built, then the plain folders.
#[must_use]
pub fn views(loaded: &Loaded, roots: &[Root], built: Built, settings: &ViewSettings) -> Views {
    let every = loaded.resources.iter().chain(&settings.objects);
    let scopes = Scopes::of(every.map(|r| &**r));
    let mut claimed = built.claimed;
    // Files that were read on demand belong to no folder of the command line.
    claimed.extend(
        numbered(loaded)
            .filter(|(_, f)| f.roots.is_empty())
            .map(|(n, _)| n),
    );
    let open = numbered(loaded).filter(|(number, _)| !claimed.contains(number));
    let copies = Copies::of(
        open.flat_map(|(_, file)| loaded.resources_of(file))
            .map(|resource| (&**resource, None)),
        &scopes,
        settings.default_namespace.as_deref(),
    );
    let (mut plans, unread, objects) = (built.plans, built.unread, built.objects);
    let taken: BTreeSet<String> = plans.iter().map(|plan| plan.name.clone()).collect();
    let plain = plain_folders(loaded, roots, &claimed, &copies);
    plans.extend(plain.into_iter().map(|plan| rest(plan, &taken)));
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
    let tools = tools(loaded, &claimed);
    let objects = objects - tools.len().min(objects);
    let mut unread = unread;
    unread.extend(tools);
    unread.sort();
    unread.dedup();
    Views {
        views: builder.views,
        problems: builder.conflicts.problems,
        unread,
        objects,
    }
}

/// A word for the ledger on every object of the plain folders that configures a tool.
fn tools(loaded: &Loaded, claimed: &BTreeSet<u32>) -> Vec<Unread> {
    let open = numbered(loaded).filter(|(number, _)| !claimed.contains(number));
    let objects = open.flat_map(|(_, file)| loaded.resources_of(file));
    let tools = objects.filter(|resource| is_for_a_tool(resource));
    tools
        .map(|resource| Unread {
            path: resource.tree.source().path.clone(),
            reason: format!("configuration of a tool: {}", resource.group()),
            is_lack: false,
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
                .map(|set| {
                    plain(
                        gitops::name(&set.name, roots, root),
                        "folder",
                        set.files,
                        false,
                    )
                }),
        );
    }
    if !alone.is_empty() {
        let only = match alone.as_slice() {
            [only] => loaded.files.get(to_usize(*only)),
            _ => None,
        };
        let name = only.map_or_else(|| "named files".to_owned(), |file| file.source.path.clone());
        plans.push(plain(name, "files", alone, true));
    }
    plans.sort_by(|a, b| a.name.cmp(&b.name));
    plans
}

/// A view of files as they stand.
fn plain(name: String, found_by: &str, files: Vec<u32>, is_declared: bool) -> Plan {
    Plan {
        name,
        found_by: found_by.to_owned(),
        parts: vec![Part {
            files: files.clone(),
            ..Part::default()
        }],
        files,
        is_declared,
        is_plain: true,
        ..Plan::default()
    }
}

/// Says so in the name when a folder holds files beside what was built of it.
fn rest(plan: Plan, taken: &BTreeSet<String>) -> Plan {
    if !taken.contains(&plan.name) {
        return plan;
    }
    Plan {
        name: format!("{} (other files)", plan.name),
        ..plan
    }
}

fn numbered(loaded: &Loaded) -> impl Iterator<Item = (u32, &LoadedFile)> {
    (0u32..).zip(&loaded.files)
}

/// What the unread documents of a file may hold.
fn unread_documents(file: &LoadedFile, default: Option<&str>) -> Vec<Opaque> {
    let documents = file.broken.iter().map(|broken| Opaque {
        lack: Lack::Unread,
        why: None,
        namespace: match &broken.fills {
            Fills::Any => None,
            Fills::Unset => Some(default.unwrap_or_default().to_owned()),
            Fills::Named(name) => Some(name.clone()),
        },
        what: broken.what.clone(),
        span: Some(broken.span),
        opens: true,
    });
    documents.collect()
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
        let mut opaque = plan.opaque;
        let mut objects: Vec<(&Arc<Resource>, Option<&str>)> = Vec::new();
        for part in &plan.parts {
            let default = part.namespace.as_deref();
            let default = default.or(self.settings.default_namespace.as_deref());
            let files = part.files.iter();
            for file in files.filter_map(|&at| loaded.files.get(to_usize(at))) {
                objects.extend(loaded.resources_of(file).iter().map(|r| (r, default)));
                opaque.extend(unread_documents(file, default));
            }
            objects.extend(part.resources.iter().map(|r| (r, default)));
        }
        objects.retain(|(resource, _)| !is_for_a_tool(resource));
        if objects.is_empty() && opaque.is_empty() {
            return;
        }
        let all = objects.len();
        // Objects that are built, or placed by what applies them, are copies of each other within their view only.
        let own = (!plan.is_plain).then(|| {
            let objects = objects
                .iter()
                .map(|(resource, default)| (&***resource, *default));
            Copies::of(objects, &self.scopes, None)
        });
        let copies = own.as_ref().unwrap_or(&self.copies);
        let kept = conflict::settle(objects, copies, plan.is_declared, &mut self.conflicts);
        let repeated = to_u32(all - kept.len());
        let default = self.settings.default_namespace.clone();
        let mut members: Vec<Member> = kept
            .into_iter()
            .map(|(resource, namespace)| self.member(Arc::clone(resource), namespace))
            .collect();
        let owned = owned::leave_out(&mut members);
        self.assume(&mut members, default.as_deref());
        let name = self.unique(plan.name);
        let mut view = View::new(name, plan.found_by, members, opaque);
        view.repeated = repeated;
        view.owned = owned;
        view.overlays = plan.overlays;
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
