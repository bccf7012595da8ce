//! L2: bytes → documents → objects. Input: discovered files; output: `Loaded`: sources, resources, and an account of every
//! file. A broken document hides no neighbour.

pub mod broken;
pub mod objects;
pub mod problem;
mod read;

use std::sync::Arc;

use rayon::prelude::*;

use crate::discover::{Discovered, InputFile};
use crate::load::broken::BrokenDocument;
use crate::load::problem::{InputProblem, ProblemKind};
use crate::resource::{Resource, ResourceId};
use crate::secret;
use crate::source::{SourceFile, SourceId, Sources, Span, to_u32, to_usize};
use crate::yaml::{Document, Parsed, Tree};

/// Why a file contributes no object, although it is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// It does not parse and looks like a template of Helm, Jinja or Go.
    Template,
    /// It does not parse and nothing in it looks like a Kubernetes object; the parser's words.
    NotYaml(String),
    /// It is no text in UTF-8 or UTF-16, too large, or not readable; a problem says more.
    Unreadable,
    /// A folder that is another git repository.
    Submodule,
    /// A pointer to a file that Git LFS keeps elsewhere.
    LfsPointer,
}

impl std::fmt::Display for Skip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Template => f.write_str("template"),
            Self::NotYaml(words) => write!(f, "not YAML and no Kubernetes object: {words}"),
            Self::Unreadable => f.write_str("not readable"),
            Self::Submodule => f.write_str("submodule: another git repository"),
            Self::LfsPointer => f.write_str("pointer of Git LFS: `git lfs pull` brings the file"),
        }
    }
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// It was read; it holds this many Kubernetes objects, perhaps none, and every document could be read.
    Read(u32),
    /// Some document could not be read; it holds this many Kubernetes objects beside.
    Broken(u32),
    /// It was not analysed.
    Skipped {
        /// Why.
        reason: Skip,
        /// Where reading stopped, for a text that does not parse.
        span: Option<Span>,
    },
}

/// One file with what was read of it; its number is that of its source.
#[derive(Debug)]
pub struct LoadedFile {
    /// Its text.
    pub source: Arc<SourceFile>,
    /// What became of it.
    pub outcome: FileOutcome,
    /// Its nodes, objects or not (values files and kustomizations are read by later stages).
    pub tree: Arc<Tree>,
    /// Its documents.
    pub documents: Vec<Document>,
    /// Comments with their `#`, in file order.
    pub comments: Vec<Span>,
    /// Documents that could not be read but may hold objects: they open their namespaces.
    pub broken: Vec<BrokenDocument>,
    /// Positions in [`Loaded::resources`]: first, one past the last.
    pub resources: (u32, u32),
    /// Positions in [`Discovered::roots`] of the paths that lead to it.
    pub roots: Vec<u32>,
}

impl LoadedFile {
    /// The folder of the file as printed; empty for the base.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.source
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
    }
}

/// Everything read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// In discovery order; a file's position is its source's number.
    pub files: Vec<LoadedFile>,
    /// The objects, in file order.
    pub resources: Vec<Arc<Resource>>,
    /// What is wrong with the inputs themselves, in file order.
    pub problems: Vec<InputProblem>,
    /// Byte ranges that no report may show, sorted.
    pub secrets: Vec<Span>,
}

impl Loaded {
    /// The texts that spans index.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources::new(self.files.iter().map(|f| Arc::clone(&f.source)).collect())
    }

    /// The objects of one file.
    #[must_use]
    pub fn resources_of(&self, file: &LoadedFile) -> &[Arc<Resource>] {
        let (first, end) = file.resources;
        self.resources
            .get(to_usize(first)..to_usize(end))
            .unwrap_or(&[])
    }

    /// The file that an object stands in (for a rendered object: the one that names it).
    #[must_use]
    pub fn file_of(&self, resource: &Resource) -> Option<&LoadedFile> {
        self.files.get(to_usize(resource.tree.source().id.0))
    }
}

/// What one worker makes of one file.
struct Piece {
    file: LoadedFile,
    resources: Vec<Resource>,
    problems: Vec<InputProblem>,
    secrets: Vec<Span>,
}

/// Reads and parses every file, on all cores; `stdin` holds the bytes of standard input, where it was named.
#[must_use]
pub fn load(discovered: &Discovered, stdin: Option<&[u8]>) -> Loaded {
    let numbered: Vec<(u32, &InputFile)> = (0u32..).zip(&discovered.files).collect();
    let pieces: Vec<Piece> = numbered
        .par_iter()
        .map(|&(number, input)| piece(SourceId(number), input, stdin))
        .collect();
    let mut loaded = Loaded::default();
    for mut piece in pieces {
        let first = to_u32(loaded.resources.len());
        for mut resource in piece.resources {
            resource.id.0 += first;
            loaded.resources.push(Arc::new(resource));
        }
        for problem in &mut piece.problems {
            problem.resource = problem.resource.map(|id| ResourceId(id.0 + first));
        }
        piece.file.resources = (first, to_u32(loaded.resources.len()));
        loaded.files.push(piece.file);
        loaded.problems.append(&mut piece.problems);
        loaded.secrets.append(&mut piece.secrets);
    }
    loaded
}

/// Reads one text that stands in no discovered file: an example of a rule, an object taken for granted.
#[must_use]
pub fn load_text(source: &Arc<SourceFile>) -> Loaded {
    let mut piece = analyse(source, true, Vec::new());
    piece.file.resources = (0, to_u32(piece.resources.len()));
    Loaded {
        files: vec![piece.file],
        resources: piece.resources.into_iter().map(Arc::new).collect(),
        problems: piece.problems,
        secrets: piece.secrets,
    }
}

fn piece(id: SourceId, input: &InputFile, stdin: Option<&[u8]>) -> Piece {
    match read::text(input, stdin) {
        Ok(text) => {
            let source = Arc::new(SourceFile::new(id, input.shown.clone(), text));
            analyse(&source, input.named, input.roots.clone())
        }
        Err(failure) => {
            let source = Arc::new(SourceFile::new(id, input.shown.clone(), ""));
            let mut piece = empty(&source, input.roots.clone());
            let problem = failure.problem(id);
            piece.file.outcome = FileOutcome::Skipped {
                reason: if problem.is_some() {
                    Skip::Unreadable
                } else {
                    Skip::Submodule
                },
                span: None,
            };
            piece.problems.extend(problem);
            piece
        }
    }
}

fn empty(source: &Arc<SourceFile>, roots: Vec<u32>) -> Piece {
    Piece {
        file: LoadedFile {
            source: Arc::clone(source),
            outcome: FileOutcome::Read(0),
            tree: Arc::new(Tree::new(Arc::clone(source))),
            documents: Vec::new(),
            comments: Vec::new(),
            broken: Vec::new(),
            resources: (0, 0),
            roots,
        },
        resources: Vec::new(),
        problems: Vec::new(),
        secrets: Vec::new(),
    }
}

fn analyse(source: &Arc<SourceFile>, named: bool, roots: Vec<u32>) -> Piece {
    let mut piece = empty(source, roots);
    if source.text.is_empty() || read::is_foreign_json(source) {
        return piece;
    }
    if read::is_lfs_pointer(&source.text) {
        piece.file.outcome = FileOutcome::Skipped {
            reason: Skip::LfsPointer,
            span: None,
        };
        return piece;
    }
    let mut parsed = crate::yaml::parse(source);
    if let Some(error) = parsed.errors.first()
        && let Some(reason) = broken::whole_file(source, error, named)
    {
        piece.file.outcome = FileOutcome::Skipped {
            reason,
            span: Some(error.span),
        };
        piece.secrets = secret::mark(&mut parsed.tree, &[], &parsed.comments);
        return piece;
    }
    piece.problems = broken::problems(source, &parsed);
    piece.file.broken = broken::documents(source, &parsed);
    let found = objects::find(&parsed);
    let secret_objects: Vec<u32> = found
        .iter()
        .filter(|object| object.is_secret(&parsed.tree))
        .map(|object| object.root)
        .collect();
    piece.secrets = secret::mark(&mut parsed.tree, &secret_objects, &parsed.comments);
    for broken in &piece.file.broken {
        piece
            .secrets
            .extend(secret::broken_spans(source, &broken.range));
    }
    piece.secrets.sort_unstable();
    let Parsed {
        tree,
        documents,
        comments,
        duplicates,
        errors,
    } = parsed;
    let tree = Arc::new(tree);
    piece.resources = found.iter().filter_map(|o| o.resource(&tree)).collect();
    for (number, resource) in (0u32..).zip(&mut piece.resources) {
        resource.id = ResourceId(number);
    }
    piece
        .problems
        .extend(problem::duplicate_keys(&duplicates, &piece.resources));
    piece.problems.extend(problem::unnamed(&piece.resources));
    piece.problems.sort_by_key(|p| (p.span.start, p.kind));
    let count = to_u32(piece.resources.len());
    piece.file.outcome = if errors.is_empty() {
        FileOutcome::Read(count)
    } else {
        FileOutcome::Broken(count)
    };
    piece.file.tree = tree;
    piece.file.documents = documents;
    piece.file.comments = comments;
    piece
}

/// Counts of a run, for the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Files seen.
    pub files: usize,
    /// Files with at least one object.
    pub with_objects: usize,
    /// Files read whole that hold no Kubernetes object.
    pub without_objects: usize,
    /// Files with a document that could not be read.
    pub broken: usize,
    /// Files that were not analysed.
    pub skipped: usize,
    /// Objects.
    pub objects: usize,
}

impl Loaded {
    /// Accounts for every file: the four kinds of files add up to all files, but for a broken file with objects, which counts
    /// as broken only.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger {
            files: self.files.len(),
            objects: self.resources.len(),
            ..Ledger::default()
        };
        for file in &self.files {
            match file.outcome {
                FileOutcome::Read(0) => ledger.without_objects += 1,
                FileOutcome::Read(_) => ledger.with_objects += 1,
                FileOutcome::Broken(_) => ledger.broken += 1,
                FileOutcome::Skipped { .. } => ledger.skipped += 1,
            }
        }
        ledger
    }

    /// Whether a problem of this kind was met.
    #[must_use]
    pub fn has(&self, kind: ProblemKind) -> bool {
        self.problems.iter().any(|p| p.kind == kind)
    }
}
