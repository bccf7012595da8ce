//! L3: what the Helm releases of a view add to it. Input: a `View`; output: the same with its releases, the namespaces that
//! they open, and the objects that charts of a known make surely hold.

use crate::load::broken::{Fills, template_fills};
use crate::load::{FileOutcome, Loaded, Skip};
use crate::release::{Applied, Files, charts, find};
use crate::resource::ResourceId;
use crate::source::{Span, to_u32};
use crate::view::{Member, Namespace, Opaque, View};

/// Completes every view.
#[must_use]
pub fn complete(views: Vec<View>, loaded: &Loaded) -> Vec<View> {
    let files = Files::of(loaded);
    let ids = views.iter().flat_map(|view| &view.members);
    let highest = ids.map(|m| m.resource.id.0 + 1).max();
    let mut next = highest
        .unwrap_or_default()
        .max(to_u32(loaded.resources.len()));
    views
        .into_iter()
        .map(|view| with_releases(view, &files, &mut next))
        .collect()
}

fn with_releases(view: View, files: &Files<'_>, next: &mut u32) -> View {
    let objects: Vec<Applied<'_>> = view
        .members
        .iter()
        .filter(|member| !member.resource.is_assumed())
        .map(|member| Applied {
            resource: &member.resource,
            namespace: member.namespace.as_str(),
        })
        .collect();
    let releases = find(&objects, &view.files, files);
    let mut opaque = view.opaque;
    opaque.extend(releases.iter().map(|release| Opaque {
        namespace: release.namespace.clone(),
        what: release.what.clone(),
        span: Some(release.span),
        opens: release.opens(),
    }));
    opaque.extend(templates(&view.files, files));
    let mut members = view.members;
    for release in &releases {
        for mut resource in charts::objects(release) {
            resource.made = true;
            resource.id = ResourceId(*next);
            *next += 1;
            let namespace = match &release.namespace {
                Some(name) => Namespace::Named(name.as_str().into()),
                None => Namespace::Unset,
            };
            members.push(Member {
                resource: resource.into(),
                namespace,
            });
        }
    }
    let mut complete = View::new(view.name, view.found_by, members, opaque);
    complete.repeated = view.repeated;
    complete.files = view.files;
    complete.releases = releases;
    complete
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
                namespace: match fills {
                    Fills::Any => None,
                    Fills::Unset => Some(String::new()),
                    Fills::Named(name) => Some(name),
                },
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
