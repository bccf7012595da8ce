//! L3: views of a run. Input: everything loaded and the settings; output: `Views` and the conflicts inside them.
//!
//! Finders run in a fixed order; each claims objects, and the folders take what no finder claimed. Flux, Argo CD and leaf
//! kustomizations join the list as further finders.

use std::collections::HashMap;
use std::sync::Arc;

use crate::discover::Root;
use crate::load::Loaded;
use crate::load::broken::Fills;
use crate::load::problem::InputProblem;
use crate::resource::Resource;
use crate::resource::scope::Scopes;
use crate::view::{Member, Namespace, Opaque, View};

/// What the configuration says about views.
#[derive(Clone, Debug, Default)]
pub struct ViewSettings {
    /// Views by name with the folders or files they consist of, as printed paths.
    pub named: Vec<(String, Vec<String>)>,
    /// `assume.defaultNamespace`.
    pub default_namespace: Option<String>,
    /// `assume.objects`: objects taken to be in every view.
    pub objects: Vec<Arc<Resource>>,
}

/// All views of a run with what is wrong inside them.
#[derive(Debug, Default)]
pub struct Views {
    /// Sorted by name; configured ones first.
    pub views: Vec<View>,
    /// INPUT010 data, in view order, each pair of places once.
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
}

/// Finds the views.
#[must_use]
pub fn views(loaded: &Loaded, roots: &[Root], settings: &ViewSettings) -> Views {
    let scopes = Scopes::of(loaded.resources.iter().map(|r| &**r));
    let mut names = Names::default();
    let mut out = Views::default();
    for plan in plans(loaded, roots, settings) {
        out.views
            .push(build(&plan, loaded, settings, &scopes, &mut names));
    }
    out
}

fn plans(loaded: &Loaded, roots: &[Root], _settings: &ViewSettings) -> Vec<Plan> {
    (0u32..)
        .zip(roots)
        .map(|(number, root)| Plan {
            name: root.shown.clone(),
            found_by: "folder",
            files: (0u32..)
                .zip(&loaded.files)
                .filter(|(_, file)| file.roots.contains(&number))
                .map(|(at, _)| at)
                .collect(),
            namespace: None,
        })
        .collect()
}

/// Namespace names, each stored once.
#[derive(Default)]
struct Names(HashMap<String, Arc<str>>);

impl Names {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let stored: Arc<str> = Arc::from(name);
        self.0.insert(name.to_owned(), Arc::clone(&stored));
        stored
    }
}

fn build(
    plan: &Plan,
    loaded: &Loaded,
    settings: &ViewSettings,
    scopes: &Scopes,
    names: &mut Names,
) -> View {
    let default = plan
        .namespace
        .as_ref()
        .or(settings.default_namespace.as_ref());
    let files = || {
        plan.files
            .iter()
            .filter_map(|&at| loaded.files.get(crate::source::to_usize(at)))
    };
    let own = files().flat_map(|file| loaded.resources_of(file));
    let members = own
        .chain(&settings.objects)
        .map(|resource| Member {
            resource: Arc::clone(resource),
            namespace: if scopes.is_cluster(&resource.group_kind) {
                Namespace::Cluster
            } else {
                match resource.namespace.as_ref().or(default) {
                    Some(name) => Namespace::Named(names.get(name)),
                    None => Namespace::Unset,
                }
            },
        })
        .collect();
    let opaque = files()
        .flat_map(|file| &file.broken)
        .map(|broken| Opaque {
            namespace: match &broken.fills {
                Fills::Any => None,
                Fills::Unset => Some(default.cloned().unwrap_or_default()),
                Fills::Named(name) => Some(name.clone()),
            },
            what: broken.what.clone(),
            span: Some(broken.span),
        })
        .collect();
    View::new(plan.name.clone(), plan.found_by.to_owned(), members, opaque)
}
