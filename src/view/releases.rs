//! L3: what the Helm releases of a view add to it. Input: a `View` and what commands rendered; output: the same with its
//! releases, the namespaces that they open, and the objects that they surely hold.

use std::collections::HashSet;
use std::sync::Arc;

use crate::load::broken::{BrokenDocument, Fills, template_fills};
use crate::load::{FileOutcome, Loaded, Skip};
use crate::release::{Applied, Files, Release, charts, find};
use crate::resource::scope::Scopes;
use crate::resource::{Resource, ResourceId};
use crate::source::{Span, to_u32};
use crate::view::build::ViewSettings;
use crate::view::{Lack, Member, Namespace, Opaque, View};

/// What a command of the config printed.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Name of the release or view that it fills.
    pub name: String,
    /// Namespace of objects that name none, where the config says so.
    pub namespace: Option<String>,
    /// The objects.
    pub objects: Vec<Arc<Resource>>,
    /// Documents that could not be read.
    pub broken: Vec<BrokenDocument>,
}

/// Completes every view. What a command printed goes to the releases or the view of its name, else it is a view of its own.
#[must_use]
pub fn complete(
    views: Vec<View>,
    loaded: &Loaded,
    rendered: &[Rendered],
    settings: &ViewSettings,
) -> Vec<View> {
    let ids = views.iter().flat_map(|view| &view.members);
    let highest = ids.map(|m| m.resource.id.0 + 1).max();
    let every = loaded.resources.iter().chain(&settings.objects);
    let mut work = Work {
        files: Files::of(loaded),
        scopes: Scopes::of(every.map(|r| &**r)),
        settings,
        rendered,
        used: vec![false; rendered.len()],
        next: highest
            .unwrap_or_default()
            .max(to_u32(loaded.resources.len())),
    };
    let mut complete: Vec<View> = views.into_iter().map(|view| work.view(view)).collect();
    let alone: Vec<&Rendered> = rendered
        .iter()
        .zip(&work.used)
        .filter(|(_, used)| !**used)
        .map(|(rendered, _)| rendered)
        .collect();
    for rendered in alone {
        let (mut members, mut opaque) = (Vec::new(), Vec::new());
        work.add(rendered, None, &mut members, &mut opaque);
        let found_by = String::from("render");
        complete.push(View::new(rendered.name.clone(), found_by, members, opaque));
    }
    complete
}

struct Work<'l> {
    files: Files<'l>,
    scopes: Scopes,
    settings: &'l ViewSettings,
    rendered: &'l [Rendered],
    /// Which of them a release or view has taken.
    used: Vec<bool>,
    /// The next free number of an object.
    next: u32,
}

impl<'l> Work<'l> {
    fn view(&mut self, view: View) -> View {
        let objects: Vec<Applied<'_>> = view
            .members
            .iter()
            .filter(|member| !member.resource.is_assumed())
            .map(|member| Applied {
                resource: &member.resource,
                namespace: member.namespace.as_str(),
            })
            .collect();
        let releases = find(&objects, &view.files, &self.files);
        let templates = templates(&view.files, &self.files);
        let named = self.named(&view.name);
        if releases.is_empty() && templates.is_empty() && named.is_empty() {
            return view;
        }
        let mut opaque = view.opaque;
        let mut members = view.members;
        for rendered in named {
            self.add(rendered, None, &mut members, &mut opaque);
        }
        for release in &releases {
            let mut filled = false;
            for rendered in self.of_release(release) {
                filled = true;
                let namespace = release.namespace.as_deref();
                self.add(rendered, namespace, &mut members, &mut opaque);
            }
            if !filled {
                self.unrendered(release, &mut members, &mut opaque);
            }
        }
        opaque.extend(templates);
        let members = said_once(members);
        let mut complete = View::new(view.name, view.found_by, members, opaque);
        complete.repeated = view.repeated;
        complete.owned = view.owned;
        complete.overlays = view.overlays;
        complete.files = view.files;
        complete.releases = releases;
        complete
    }

    fn named(&mut self, view: &str) -> Vec<&'l Rendered> {
        self.taken(|rendered| rendered.name == view)
    }

    fn of_release(&mut self, release: &Release) -> Vec<&'l Rendered> {
        let (_, own) = release.what.split_once(' ').unwrap_or(("", ""));
        let full = release
            .namespace
            .as_ref()
            .map(|namespace| format!("{namespace}/{}", release.name));
        let names = [release.what.as_str(), own, &release.name];
        self.taken(|rendered| {
            names.contains(&rendered.name.as_str()) || full.as_ref() == Some(&rendered.name)
        })
    }

    fn taken(&mut self, fits: impl Fn(&Rendered) -> bool) -> Vec<&'l Rendered> {
        let mut found = Vec::new();
        for (rendered, used) in self.rendered.iter().zip(&mut self.used) {
            if fits(rendered) {
                *used = true;
                found.push(rendered);
            }
        }
        found
    }

    /// What a command printed, in a view.
    fn add(
        &self,
        rendered: &Rendered,
        of_release: Option<&str>,
        members: &mut Vec<Member>,
        opaque: &mut Vec<Opaque>,
    ) {
        let namespace = rendered
            .namespace
            .as_deref()
            .or(of_release)
            .or(self.settings.default_namespace.as_deref());
        members.extend(rendered.objects.iter().map(|resource| Member {
            namespace: self.namespace(resource, namespace),
            resource: with_pods(resource, self.settings),
        }));
        opaque.extend(rendered.broken.iter().map(|broken| Opaque {
            lack: Lack::Unread,
            why: None,
            namespace: filled(broken.fills.clone(), namespace),
            what: broken.what.clone(),
            span: Some(broken.span),
            opens: true,
        }));
    }

    fn namespace(&self, resource: &Resource, default: Option<&str>) -> Namespace {
        if self.scopes.is_cluster(&resource.group_kind) {
            return Namespace::Cluster;
        }
        match resource.namespace.as_deref().or(default) {
            Some(name) => Namespace::Named(name.into()),
            None => Namespace::Unset,
        }
    }

    /// A release that nobody rendered: what its values say, and what it leaves open.
    fn unrendered(
        &mut self,
        release: &Release,
        members: &mut Vec<Member>,
        opaque: &mut Vec<Opaque>,
    ) {
        let span = Some(release.span);
        // An ApplicationSet that is not followed may be a release as well: it opens more than that.
        let is_known = |o: &Opaque| o.span == span && o.what == release.what;
        if !opaque.iter().any(is_known) {
            opaque.push(Opaque {
                lack: Lack::Unrendered,
                why: None,
                namespace: release.namespace.clone(),
                what: release.what.clone(),
                span,
                opens: release.opens(),
            });
        }
        for mut resource in charts::objects(release) {
            resource.made = true;
            resource.id = ResourceId(self.next);
            self.next += 1;
            members.push(Member {
                namespace: self.namespace(&resource, release.namespace.as_deref()),
                resource: resource.into(),
            });
        }
    }
}

/// Leaves out what a chart makes of values where the view holds the object itself: rendered beside its release.
fn said_once(members: Vec<Member>) -> Vec<Member> {
    let identity = |m: &Member| {
        let kind = m.resource.kind().to_owned();
        (kind, m.namespace.clone(), m.resource.name.clone())
    };
    let made: HashSet<_> = members
        .iter()
        .filter(|m| m.resource.is_made())
        .map(identity)
        .collect();
    if made.is_empty() {
        return members;
    }
    let own: HashSet<_> = members
        .iter()
        .filter(|m| !m.resource.is_made())
        .map(identity)
        .filter(|identity| made.contains(identity))
        .collect();
    members
        .into_iter()
        .filter(|m| !m.resource.is_made() || !own.contains(&identity(m)))
        .collect()
}

fn with_pods(resource: &Arc<Resource>, settings: &ViewSettings) -> Arc<Resource> {
    let mut kinds = settings.pods.iter();
    match kinds.find(|row| resource.is(&row.group, &row.kind)) {
        None => Arc::clone(resource),
        Some(row) => Arc::new(Resource {
            pod_path: Some(Arc::clone(&row.path)),
            ..(**resource).clone()
        }),
    }
}

/// The namespace that something unread fills: `None` = any, `""` = the unnamed one.
fn filled(fills: Fills, default: Option<&str>) -> Option<String> {
    match fills {
        Fills::Any => None,
        Fills::Unset => Some(default.unwrap_or("").to_owned()),
        Fills::Named(name) => Some(name),
    }
}

/// Templates that stand in no chart: what they become is as unknown.
fn templates(numbers: &[u32], files: &Files<'_>) -> Vec<Opaque> {
    let mut found = Vec::new();
    for file in numbers.iter().filter_map(|&number| files.numbered(number)) {
        let is_template = matches!(
            file.outcome,
            FileOutcome::Skipped {
                reason: Skip::Template,
                ..
            }
        );
        let path = file.source.path.as_str();
        // A chart's own templates are part of its release.
        if !is_template || files.is_in_chart(path) {
            continue;
        }
        for fills in template_fills(&file.source.text) {
            found.push(Opaque {
                lack: Lack::Unrendered,
                why: None,
                namespace: filled(fills, None),
                what: format!("template {path}"),
                span: Some(Span {
                    source: file.source.id,
                    start: 0,
                    end: 0,
                }),
                opens: true,
            });
        }
    }
    found
}
