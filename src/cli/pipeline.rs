//! L8: the straight line of a run: what was loaded → views → facts → verdicts → silencers. `check` and the examples of
//! rules share it.

use std::path::Path;
use std::sync::Arc;

use crate::cel::Reasons;
use crate::cli::io::Io;
use crate::cli::tree::TreeSource;
use crate::cli::{assumed, rendered};
use crate::config::{Config, assume};
use crate::discover::beside::{Nothing, OnDisk};
use crate::discover::display::{self, absolute};
use crate::discover::{self, Beside, Root};
use crate::engine::Analysis;
use crate::engine::subjects::MeshSummary;
use crate::error::Error;
use crate::evaluate::draft::Draft;
use crate::evaluate::engine::EngineRules;
use crate::evaluate::{CompiledRule, Judgement, evaluate};
use crate::facts::UnknownReason;
use crate::facts::assumptions::Assumptions;
use crate::facts::before::Base;
use crate::facts::change::{Change, Side};
use crate::facts::record::change::{ChangeRecord, ChangeSubject};
use crate::facts::subject::{Subject, SubjectKind, World};
use crate::load::{self, Loaded};
use crate::query::diff::{self, DiffReport, Tree};
use crate::query::environments::EnvironmentReport;
use crate::resource::{GroupKind, ResourceId};
use crate::source::{SourceFile, SourceId, Sources, to_u32};
use crate::view::View;
use crate::view::build::{ViewSettings, Views, build, views};
use crate::view::environments::Application;
use crate::view::gitops::Unread;
use crate::view::releases::{Rendered, complete};

mod asked;
mod environments;
mod silence;
mod summary;

pub(super) use asked::{asked, nothing_in, way_out};
pub use environments::{Compare, of_production, read_two};
pub use silence::Silencing;

/// Everything read, as views.
#[derive(Debug)]
pub struct Input {
    /// What was read.
    pub loaded: Loaded,
    /// The texts that spans index.
    pub sources: Sources,
    /// Views in order.
    pub views: Vec<Arc<View>>,
    /// What is wrong inside views.
    pub view_problems: Vec<crate::load::problem::InputProblem>,
    /// What is applied and not worked out.
    pub unread: Vec<Unread>,
    /// Objects that are judged.
    pub objects: usize,
    /// What engines take for granted.
    pub assume: Assumptions,
    /// The paths asked for, as printed, sorted.
    pub paths: Vec<String>,
    /// The meshes of each view, once judged.
    meshes: Vec<MeshSummary>,
    /// What else was found out about the views, to be merged with the verdicts.
    pub(super) found: Vec<Draft>,
    /// What changed since a base, with its causes in words.
    changes: Vec<(Change, Vec<String>)>,
    /// Applications whose environments the views are, once they are asked for.
    applications: Vec<Application>,
    /// Environments, once they are compared.
    environments: Option<EnvironmentReport>,
}

/// The bytes of standard input, where `-` is named.
pub(super) fn stdin(
    request: &discover::Request,
    io: &mut Io<'_>,
) -> Result<Option<Vec<u8>>, Error> {
    if !request.paths.iter().any(|p| p.as_os_str() == "-") {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    match io.stdin.read_to_end(&mut bytes) {
        Ok(_) => Ok(Some(bytes)),
        Err(cause) => Err(Error::File {
            action: "read",
            path: String::from("stdin"),
            cause,
        }),
    }
}

/// Finds and reads the inputs of the command line.
///
/// # Errors
/// A path that does not exist or cannot be read.
pub(super) fn read(
    request: &discover::Request,
    config: &Config,
    stdin: Option<&[u8]>,
) -> Result<Input, Error> {
    read_tree(request, config, stdin, &TreeSource::Disk)
}

/// Finds and reads the inputs of the command line in one tree. In a snapshot, a path that it does not have is nothing.
///
/// # Errors
/// A path that does not exist or cannot be read.
pub(super) fn read_tree(
    request: &discover::Request,
    config: &Config,
    stdin: Option<&[u8]>,
    source: &TreeSource,
) -> Result<Input, Error> {
    let mut discovered = match source {
        TreeSource::Disk => discover::discover(request)?,
        TreeSource::Git(snapshot) => snapshot.discover(request)?,
    };
    let assumed = assumed::files(config, &request.cwd, source)?;
    assumed::set_apart(&assumed, &mut discovered, &request.cwd);
    let mut loaded = load::load(&discovered, stdin);
    let assume = assume::read(config.assume());
    let mut settings = view_settings(config, &request.cwd);
    let on_disk = OnDisk::new(&display::Base::of(&request.cwd));
    let beside: &dyn Beside = match source {
        TreeSource::Disk => &on_disk,
        TreeSource::Git(snapshot) => &**snapshot,
    };
    let built = build(&mut loaded, &discovered.roots, beside, &settings);
    let commands = match source {
        TreeSource::Disk => config.render.len(),
        TreeSource::Git(_) => 0,
    };
    let assumed = assumed::load(&assumed, &mut loaded, commands, (&request.cwd, source))?;
    settings.objects = assumed.objects;
    let views = views(&loaded, &discovered.roots, built, &settings);
    // What commands print stands in no folder, so it joins the views once they are found.
    let rendered = match source {
        TreeSource::Disk => rendered::run(config, &mut loaded, &request.cwd)?,
        // Commands read the disk, which is not what a snapshot holds: there, releases stay unknown.
        TreeSource::Git(_) => Vec::new(),
    };
    let mut input = with_views(loaded, views, &rendered, &settings, assume);
    input.paths = discovered.roots.iter().map(|r| r.shown.clone()).collect();
    for source in assumed.sources {
        input.sources.add(source.path.clone(), source.text.clone());
    }
    Ok(input)
}

/// Paths in the config count from its folder; findings print them from the base.
fn printed(config: &Config, cwd: &Path) -> impl Fn(&String) -> String {
    let base = display::Base::of(cwd);
    let folder = config
        .folder
        .as_deref()
        .map_or_else(|| cwd.to_owned(), |f| absolute(cwd, f));
    move |path| match base.shown(&absolute(&folder, Path::new(path))) {
        shown if shown == "." => String::new(),
        shown => shown,
    }
}

fn view_settings(config: &Config, cwd: &Path) -> ViewSettings {
    let printed = printed(config, cwd);
    let mut named: Vec<(String, Vec<String>)> = config
        .views
        .iter()
        .map(|(name, paths)| (name.clone(), paths.iter().map(&printed).collect()))
        .collect();
    environments::add_views(config, &printed, &mut named);
    ViewSettings {
        named,
        default_namespace: assume::read(config.assume()).default_namespace,
        pods: config.workloads.clone(),
        ..ViewSettings::default()
    }
}

fn with_views(
    loaded: Loaded,
    found: Views,
    rendered: &[Rendered],
    settings: &ViewSettings,
    assume: Assumptions,
) -> Input {
    let Views {
        views,
        problems,
        unread,
        objects,
    } = found;
    let views = complete(views, &loaded, rendered, settings);
    Input {
        sources: loaded.sources(),
        loaded,
        views: views.into_iter().map(Arc::new).collect(),
        view_problems: problems,
        unread,
        objects,
        assume,
        paths: Vec::new(),
        meshes: Vec::new(),
        found: Vec::new(),
        changes: Vec::new(),
        applications: Vec::new(),
        environments: None,
    }
}

/// Reads texts that stand in no file: the manifests of a rule's example. All are one view.
#[must_use]
pub fn read_texts(files: &[(String, String)], assume: Assumptions) -> Input {
    read_views(files, assume, Vec::new())
}

/// The same; `named`: views with the folders they consist of.
fn read_views(
    files: &[(String, String)],
    assume: Assumptions,
    named: Vec<(String, Vec<String>)>,
) -> Input {
    let mut whole = Loaded::default();
    for (number, (path, text)) in (0u32..).zip(files) {
        let source = Arc::new(SourceFile::new(SourceId(number), path, text));
        let mut piece = load::load_text(&source);
        let first = to_u32(whole.resources.len());
        for resource in piece.resources {
            let mut resource = Arc::unwrap_or_clone(resource);
            resource.id = ResourceId(resource.id.0 + first);
            whole.resources.push(Arc::new(resource));
        }
        for problem in &mut piece.problems {
            problem.resource = problem.resource.map(|id| ResourceId(id.0 + first));
        }
        for mut file in piece.files {
            file.resources = (file.resources.0 + first, file.resources.1 + first);
            file.roots = vec![0];
            whole.files.push(file);
        }
        whole.problems.append(&mut piece.problems);
        whole.secrets.append(&mut piece.secrets);
    }
    let root = Root {
        shown: String::from("."),
        is_folder: true,
    };
    let settings = ViewSettings {
        named,
        default_namespace: assume.default_namespace.clone(),
        ..ViewSettings::default()
    };
    let paths = vec![root.shown.clone()];
    let built = build(&mut whole, std::slice::from_ref(&root), &Nothing, &settings);
    let views = views(&whole, &[root], built, &settings);
    let input = with_views(whole, views, &[], &settings, assume);
    Input { paths, ..input }
}

impl Input {
    /// Compares with what was: changes become subjects of rules. What only the base has is no subject, because findings point into the
    /// head.
    pub fn compare_with(&mut self, base: &Self) {
        fn tree(input: &Input) -> Tree<'_> {
            Tree {
                views: &input.views,
                assume: &input.assume,
            }
        }
        let sources = (base.sources.clone(), self.sources.clone());
        let report = diff::diff(tree(base), tree(self), sources);
        self.with_changes(&report);
    }

    /// Takes over what a comparison found.
    pub fn with_changes(&mut self, report: &DiffReport) {
        self.changes = report
            .changes
            .iter()
            .filter(|change| change.about.side == Side::Head)
            .map(|change| (change.clone(), report.places(change)))
            .collect();
    }

    /// The changes that a view shows, as subjects.
    fn change_subjects(&self, world: &mut World) -> Vec<Box<dyn Subject>> {
        let name = world.view.name.clone();
        let of_view = self.changes.iter().filter(|(c, _)| c.views.contains(&name));
        of_view
            .map(|(change, causes)| {
                let reasons = change.reasons().into_iter().map(|reason| {
                    // A place of the base is none of the head's.
                    world.reason(UnknownReason {
                        span: None,
                        ..reason
                    })
                });
                let unknown = Reasons::new(reasons.collect());
                Box::new(ChangeSubject(ChangeRecord {
                    change: change.clone(),
                    causes: causes.clone(),
                    unknown,
                })) as Box<dyn Subject>
            })
            .collect()
    }

    /// Kinds that occur in any view, each once.
    #[must_use]
    pub fn kinds(&self) -> Vec<&GroupKind> {
        let mut kinds: Vec<_> = self.views.iter().flat_map(|v| v.kinds()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// Objects that charts make of the values of releases.
    #[must_use]
    pub fn made(&self) -> usize {
        let members = self.views.iter().flat_map(|view| &view.members);
        members.filter(|m| m.resource.is_made()).count()
    }

    /// Every view with its facts, and what its opening line says; `today` (`YYYY-MM-DD`) ends approvals.
    #[must_use]
    pub fn worlds(&self, today: &str) -> Vec<(World, MeshSummary)> {
        self.views
            .iter()
            .map(|view| {
                let subjects = Analysis::of(view, &self.assume).subjects();
                let mut world = World::new(Arc::clone(view), subjects.reasons);
                world.facts = subjects.by_kind;
                let assets = crate::asset::record::subjects(view, today);
                world.facts.insert(SubjectKind::Asset, assets);
                let identities = crate::facts::identity::subjects(view);
                world.facts.insert(SubjectKind::Identity, identities);
                let changes = self.change_subjects(&mut world);
                world.facts.insert(SubjectKind::Change, changes);
                let differences = self.environment_subjects(&mut world);
                world.facts.insert(SubjectKind::Environment, differences);
                (world, subjects.summary)
            })
            .collect()
    }

    /// Judges everything and applies the silencers.
    pub fn judge(
        &mut self,
        rules: &[CompiledRule],
        engine: &EngineRules,
        silencing: &Silencing<'_>,
    ) -> Judgement {
        self.judge_since(rules, engine, silencing, None)
    }

    /// The same beside a base: rules see what the objects were there.
    pub fn judge_since(
        &mut self,
        rules: &[CompiledRule],
        engine: &EngineRules,
        silencing: &Silencing<'_>,
        base: Option<&Base<'_>>,
    ) -> Judgement {
        let worlds = self.worlds(silencing.today);
        let (mut worlds, meshes): (Vec<_>, Vec<_>) = worlds.into_iter().unzip();
        self.meshes = meshes;
        if let Some(base) = base {
            worlds.iter_mut().for_each(|world| world.compare(base));
        }
        let of_inputs = self.input_drafts(engine);
        let found = std::mem::take(&mut self.found);
        let mut judgement = evaluate(rules, &worlds, vec![of_inputs, found], &self.sources);
        if !silencing.off {
            self.silence(&mut judgement, rules, engine, silencing);
        }
        judgement
    }

    fn input_drafts(&self, engine: &EngineRules) -> Vec<Draft> {
        self.loaded
            .problems
            .iter()
            .chain(self.view_problems.iter().filter(|p| p.is_sure))
            .filter_map(|problem| {
                let resource = problem
                    .resource
                    .and_then(|id| self.loaded.resources.get(crate::source::to_usize(id.0)));
                engine.of_input(problem, resource)
            })
            .collect()
    }
}
