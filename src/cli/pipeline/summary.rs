//! L8: what was understood of the views. Input: views and what their mesh facts add up to; output: the opening lines of reports.

use crate::cli::pipeline::Input;
use crate::engine::subjects::MeshSummary;
use crate::finding::{EnvironmentSummary, ViewSummary};
use crate::resource::ResourceId;
use crate::view::{Namespace, View};

impl Input {
    /// What the opening lines of reports say.
    #[must_use]
    pub fn summaries(&self) -> Vec<ViewSummary> {
        let none = MeshSummary::default();
        let meshes = self.meshes.iter().chain(std::iter::repeat(&none));
        let views = self.views.iter().zip(meshes).enumerate();
        views
            .map(|(at, (view, mesh))| ViewSummary {
                environment: self.environment(at),
                ..summary(view, mesh, self.defined_differently(view))
            })
            .collect()
    }

    /// Which environment the view at this position is.
    fn environment(&self, view: usize) -> Option<EnvironmentSummary> {
        self.applications.iter().find_map(|application| {
            let mut list = application.environments.iter().enumerate();
            let (rank, own) = list.find(|(_, e)| e.view == view)?;
            Some(EnvironmentSummary {
                application: application.name.clone(),
                rank,
                name: own.name.clone(),
                production: own.is_production,
            })
        })
    }

    /// Objects of a view that stand in several files with different content. Alternatives in one folder are often meant, so this is
    /// something taken for granted and no finding; INPUT010 speaks where it cannot be meant.
    fn defined_differently(&self, view: &View) -> usize {
        let alternatives = self.view_problems.iter().filter(|p| !p.is_sure);
        let ids: std::collections::BTreeSet<ResourceId> =
            alternatives.filter_map(|p| p.resource).collect();
        let members = view.members.iter().map(|m| m.resource.id);
        members.filter(|id| ids.contains(id)).count()
    }
}
/// What `assume.objects` adds to a view, a line a file.
fn assumed_objects(view: &View) -> Vec<String> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for member in view.members.iter().filter(|m| m.resource.is_assumed()) {
        let path = member.resource.tree.source().path.as_str();
        *counts.entry(path).or_default() += 1;
    }
    let words = counts.into_iter().map(|(path, count)| match count {
        1 => format!("1 object of {path} is applied too (assume.objects)"),
        n => format!("{n} objects of {path} are applied too (assume.objects)"),
    });
    words.collect()
}

fn summary(view: &View, mesh: &MeshSummary, twice: usize) -> ViewSummary {
    let judged = || view.members.iter().filter(|m| !m.resource.is_assumed());
    let unset = judged().filter(|m| m.namespace == Namespace::Unset).count();
    let mut assumptions = Vec::new();
    if unset > 0 {
        assumptions.push(match unset {
            1 => "an object that names no namespace is applied to an unnamed one".to_owned(),
            _ => format!("{unset} objects that name no namespace are applied to one and the same"),
        });
    }
    if twice > 0 {
        assumptions.push(match twice {
            1 => "of an object that is defined differently elsewhere, the last definition counts"
                .to_owned(),
            _ => format!(
                "of {twice} objects that several files define differently, the last one counts"
            ),
        });
    }
    if view.owned > 0 {
        assumptions.push(match view.owned {
            1 => "an object that a controller made of another one is left out".to_owned(),
            n => format!("{n} objects that controllers made of others are left out"),
        });
    }
    assumptions.extend(assumed_objects(view));
    assumptions.extend(mesh.assumptions.iter().cloned());
    ViewSummary {
        mesh: mesh.mesh.clone(),
        meshed: mesh.meshed,
        transport_decided: mesh.transport,
        access_decided: mesh.access,
        name: view.name.clone(),
        found_by: view.found_by.clone(),
        overlays: view.overlays,
        objects: judged().count(),
        unset_namespace: unset,
        workloads: judged()
            .filter(|m| crate::pods::template(&m.resource).is_some())
            .count(),
        opaque: view.lacks(),
        assumptions,
        ..ViewSummary::default()
    }
}
