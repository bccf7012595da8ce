//! L8: `meshgov config render`. Input: a kustomization's folder, or the name of a view; output: the objects that are judged.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use crate::cli::pipeline::Input;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{Io, pipeline, stdout_failed};
use crate::discover::Request;
use crate::discover::display::{Base, absolute};
use crate::error::Error;
use crate::kustomize::files::KUSTOMIZATION_NAMES;
use crate::kustomize::{DiskFiles, Engine, KustomizeError, Options, Outcome, Refusal};
use crate::load;
use crate::report::objects;
use crate::shape::{Problem, nearest};
use crate::source::{SourceFile, Sources, Span, to_u32, to_usize};
use crate::view::{Member, Namespace, View};
use crate::yaml::Tree;

/// Arguments of `config render`.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// Folder with a kustomization, else the name of a view
    #[arg(value_name = "VIEW|DIR")]
    what: String,
    /// Where the view is looked for: files and folders [default: the working directory]
    paths: Vec<PathBuf>,
    /// Output format: yaml (a document an object), json (one list)
    #[arg(long, value_name = "FORMAT", default_value = "yaml", value_parser = ["yaml", "json"])]
    format: String,
    /// Print the values of Secrets and other credentials in clear
    #[arg(long)]
    show_secrets: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

impl Render {
    /// The objects as text; what is not known of a view is told beside it.
    pub(super) fn text(&self, io: &mut Io<'_>) -> Result<String, Error> {
        let folder = absolute(&io.cwd, Path::new(&self.what));
        let has_kustomization = KUSTOMIZATION_NAMES
            .iter()
            .any(|name| folder.join(name).is_file());
        let objects = if has_kustomization {
            self.kustomization(&folder, &io.cwd)?
        } else {
            self.view(io)?
        };
        Ok(match self.format.as_str() {
            "json" => objects::json(&objects),
            _ => objects::yaml(&objects),
        })
    }

    /// The objects of one kustomization, in kustomize's order.
    fn kustomization(&self, folder: &Path, cwd: &Path) -> Result<Vec<Value>, Error> {
        let base = Base::of(cwd);
        let shown = base.shown(folder);
        let files = DiskFiles::new(base.folder(), Sources::default());
        let options = Options {
            show_secrets: self.show_secrets,
            load_anywhere: false,
        };
        let Some(build) = Engine::new(&files).build(&shown, options) else {
            return Err(Error::usage(format!(
                "the kustomization of `{shown}` cannot be read"
            )));
        };
        let mut problems = Problems::of(files.sources(), build.secrets);
        match build.outcome {
            Outcome::Rendered(trees) => {
                return Ok(trees.iter().map(|tree| tree.node(0).to_json()).collect());
            }
            Outcome::Refused(refusals) => refusals.iter().for_each(|r| problems.refused(r, &shown)),
            Outcome::Broken(errors) => errors.iter().for_each(|e| problems.broken(e)),
        }
        Err(Error::Problems(problems.list))
    }

    /// The objects of a view, in its order, each with the namespace that it is judged in.
    fn view(&self, io: &mut Io<'_>) -> Result<Vec<Value>, Error> {
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let request = Request {
            cwd: io.cwd.clone(),
            paths: self.paths.clone(),
            stdin_name: None,
        };
        let bytes = pipeline::stdin(&request, io)?;
        let input = pipeline::read(&request, &settings.config, bytes.as_deref())?;
        let Some(view) = input.views.iter().find(|view| view.name == self.what) else {
            let names = input.views.iter().map(|view| view.name.as_str());
            return Err(self.no_view(names));
        };
        if view.members.is_empty() && !view.opaque.is_empty() {
            return Err(nothing_of(view, &input));
        }
        let known = || view.members.iter().map(|m| &m.resource);
        let made = known().filter(|r| r.is_made()).count();
        if let Some(words) = beside(view, made) {
            io.err.write_all(words.as_bytes()).map_err(stdout_failed)?;
        }
        let mut clear = Clear::default();
        let members = view.members.iter();
        let shown = members.filter(|m| !m.resource.is_made() && !m.resource.is_assumed());
        Ok(shown
            .map(|member| {
                let node = member.resource.object();
                let object = if self.show_secrets {
                    clear
                        .tree(&member.resource.tree)
                        .node(node.index())
                        .to_json()
                } else {
                    node.to_json()
                };
                in_namespace(object, member)
            })
            .collect())
    }

    fn no_view<'n>(&self, names: impl Iterator<Item = &'n str>) -> Error {
        let what = &self.what;
        let message = format!("no view is called `{what}`, and no kustomization stands there");
        let near = nearest(what, names);
        let help = near.map_or_else(
            || String::from("`meshgov config views`, with the same paths, lists the views"),
            |near| format!("did you mean `{near}`?"),
        );
        Error::usage_help(message, help)
    }
}

/// Why a view has no object: each place that should give some.
fn nothing_of(view: &View, input: &Input) -> Error {
    let mut problems = Problems::of(input.sources.clone(), input.loaded.secrets.clone());
    for opaque in &view.opaque {
        let Some(span) = opaque.span else { continue };
        let mut known = input.loaded.problems.iter();
        let (message, help) = match known.find(|problem| problem.span == span) {
            Some(problem) => (problem.message.clone(), Some(problem.help.clone())),
            None => (opaque.missing(), None),
        };
        problems.add(span, message, help);
    }
    if problems.list.is_empty() {
        let missing = view.opaque.iter().map(|o| o.missing());
        return Error::usage(missing.collect::<Vec<_>>().join(", "));
    }
    Error::Problems(problems.list)
}

/// What belongs to a view and is not among the objects printed; nothing when they are all.
fn beside(view: &View, made: usize) -> Option<String> {
    let mut words: Vec<String> = view.opaque.iter().map(|o| o.missing()).collect();
    words.sort();
    words.dedup();
    if made > 0 {
        words.push(format!(
            "{made} objects that charts make of their values stand in no manifest"
        ));
    }
    (!words.is_empty()).then(|| {
        let lines: Vec<String> = words.iter().map(|w| format!("not in it: {w}\n")).collect();
        lines.concat()
    })
}

/// The object with the namespace that the view gives it.
fn in_namespace(mut object: Value, member: &Member) -> Value {
    if let Namespace::Named(name) = &member.namespace
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert(String::from("namespace"), Value::from(&**name));
    }
    object
}

/// Trees without marks of secrets, each copied once.
#[derive(Default)]
struct Clear {
    /// By the address of the marked tree, which lives as long as the view.
    trees: HashMap<*const Tree, Tree>,
}

impl Clear {
    fn tree(&mut self, marked: &Arc<Tree>) -> &Tree {
        self.trees.entry(Arc::as_ptr(marked)).or_insert_with(|| {
            let mut tree = Tree::clone(marked);
            tree.show_secrets();
            tree
        })
    }
}

/// Why a kustomization has no objects, with places; source lines are shown without their secrets.
struct Problems {
    sources: Sources,
    secrets: Vec<Span>,
    masked: HashMap<u32, Arc<SourceFile>>,
    list: Vec<Problem>,
}

impl Problems {
    fn of(sources: Sources, secrets: Vec<Span>) -> Self {
        Self {
            sources,
            secrets,
            masked: HashMap::new(),
            list: Vec::new(),
        }
    }

    fn refused(&mut self, refusal: &Refusal, folder: &str) {
        let field = &refusal.field;
        let message = match field.as_str() {
            "remote base" => String::from("a remote base is not fetched"),
            _ => format!("`{field}` of a kustomization is not worked out"),
        };
        let help = format!("pipe in what kustomize makes of it: `kustomize build {folder}`");
        self.add(refusal.span, message, Some(help));
    }

    fn broken(&mut self, error: &KustomizeError) {
        let message = format!("this kustomization cannot be built: {}", error.kind);
        self.add(error.span, message, error.help().map(str::to_owned));
    }

    fn add(&mut self, span: Span, message: String, help: Option<String>) {
        let Some(source) = self.sources.get(span.source) else {
            return;
        };
        let masked = self.masked.entry(span.source.0);
        self.list.push(Problem {
            file: Arc::clone(masked.or_insert_with(|| masked_source(source, &self.secrets))),
            span,
            message,
            help,
        });
    }
}

/// The file with a `*` in place of every byte of a secret. What a generator reads may be one as a whole.
fn masked_source(source: &Arc<SourceFile>, secrets: &[Span]) -> Arc<SourceFile> {
    let own = load::load_text(source).secrets;
    let known = secrets.iter().filter(|secret| secret.source == source.id);
    let path = source.path.as_str();
    let is_manifest = [".yaml", ".yml", "Kustomization"];
    let whole = Span {
        source: source.id,
        start: 0,
        end: to_u32(source.text.len()),
    };
    let whole = (!is_manifest.iter().any(|end| path.ends_with(end))).then_some(&whole);
    let mut bytes = source.text.as_bytes().to_vec();
    for secret in own.iter().chain(known).chain(whole) {
        let range = to_usize(secret.start)..to_usize(secret.end);
        for byte in bytes.get_mut(range).into_iter().flatten() {
            if *byte != b'\n' {
                *byte = b'*';
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Arc::new(SourceFile::new(source.id, source.path.clone(), text)),
        Err(_) => Arc::clone(source),
    }
}
