//! L2: what stops a kustomization. Output: `KustomizeError`s and `Refusal`s, each with the place in the user's file.

use crate::source::Span;

/// Why a kustomization cannot be built; the user's files are at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct KustomizeError {
    /// The place to mend.
    pub span: Span,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// What is wrong with a kustomization or what it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// A resource or patch that is not there.
    #[error("no file or kustomization at `{0}`")]
    MissingFile(String),
    /// A file that a generator reads and that is not there; such files are often kept out of git.
    #[error("no file at `{0}`")]
    MissingSource(String),
    /// A folder without `kustomization.yaml`, or the start of the build is no kustomization.
    #[error("no kustomization in `{0}`")]
    MissingKustomization(String),
    /// More than one of the three file names in one folder.
    #[error("more than one kustomization file in `{0}`")]
    ManyKustomizations(String),
    /// A base that is the folder itself or one above it.
    #[error("cycle: `{0}` is or contains the folder that names it")]
    Cycle(String),
    /// A file outside the kustomization's folder.
    #[error("`{0}` is not in or below the kustomization's folder")]
    Outside(String),
    /// An absolute path as base.
    #[error("base `{0}` must be a relative path")]
    Absolute(String),
    /// The file is no kustomization: a list, a scalar, nothing.
    #[error("a kustomization must be a map, not {0}")]
    NotMap(&'static str),
    /// A kustomization without any field.
    #[error("the kustomization is empty")]
    Empty,
    /// A field that kustomize does not know.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// A value of the wrong type.
    #[error("`{field}` must be {wanted}")]
    FieldType {
        /// Field name.
        field: String,
        /// What it must be, with article.
        wanted: &'static str,
    },
    /// `kind` or `apiVersion` of the kustomization.
    #[error("{0}")]
    WrongKind(String),
    /// A file that is no YAML, or an object that is none.
    #[error("{0}")]
    Unreadable(String),
    /// A number, boolean or null as a field name of an object.
    #[error("field name `{0}` must be quoted")]
    KeyType(String),
    /// The same field twice in one map of an object.
    #[error("field `{0}` is given twice")]
    KeyTwice(String),
    /// The same identity twice.
    #[error("{0} is already in this build")]
    Clash(String),
    /// A patch whose object is not there.
    #[error("no object matches the patch for {0}")]
    NoTarget(String),
    /// A patch that fits several objects.
    #[error("several objects match the patch for {0}")]
    ManyTargets(String),
    /// A patch entry that cannot be understood.
    #[error("{0}")]
    BadPatch(&'static str),
    /// A patch value whose shape differs from the object's.
    #[error("the patch has {got} where the object has {wanted}")]
    PatchShape {
        /// Shape in the object, with article.
        wanted: &'static str,
        /// Shape in the patch, with article.
        got: &'static str,
    },
    /// `$patch` with another word than merge, replace or delete.
    #[error("unknown `$patch` directive `{0}`")]
    UnknownDirective(String),
    /// An element of a merged list with the wrong shape.
    #[error("an element of this list must be {wanted}, not {got}")]
    ListElement {
        /// Shape that the merge key needs, with article.
        wanted: &'static str,
        /// Shape found, with article.
        got: &'static str,
    },
    /// A JSON6902 operation that fails.
    #[error("JSON patch operation `{}` does not apply: {reason}", format!("{op} {path}").trim())]
    JsonPatch {
        /// Operation name as written.
        op: String,
        /// Pointer as written.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// A regular expression or label selector of a target.
    #[error("bad {field} `{text}` in a patch target")]
    BadSelector {
        /// Field of the target.
        field: &'static str,
        /// Its text.
        text: String,
    },
    /// A transformer met a value of the wrong shape on its path.
    #[error("`{path}` of {object} meets {got} where {wanted} is needed")]
    FieldPath {
        /// Path that the transformer follows.
        path: String,
        /// The object.
        object: String,
        /// Shape needed, with article.
        wanted: &'static str,
        /// Shape found, with article.
        got: &'static str,
    },
    /// A replicas entry whose object is not there.
    #[error("no Deployment, ReplicaSet, StatefulSet or ReplicationController is named `{0}`")]
    NoReplicas(String),
    /// A generator's source or option.
    #[error("{0}")]
    Generator(String),
    /// A generator with behavior merge or replace and nothing to change.
    #[error("{0} does not exist: behavior merge or replace needs it")]
    NothingToMerge(String),
    /// A generator that makes what is there already.
    #[error("{0} exists: behavior must be merge or replace")]
    NeedsBehavior(String),
    /// More bases, objects, elements of a merged list, or values copied by a JSON patch than the cap.
    #[error("more than {0} in one build; bases count as often as they are reached")]
    TooMany(usize),
    /// A reference that fits several renamed objects.
    #[error("`{name}` may refer to several renamed objects: {candidates}")]
    AmbiguousReference {
        /// The reference as written.
        name: String,
        /// The objects, comma-separated.
        candidates: String,
    },
}

impl KustomizeError {
    pub(crate) fn new(span: Span, kind: ErrorKind) -> Self {
        Self { span, kind }
    }

    pub(crate) fn patch_shape(span: Span, wanted: &'static str, got: &'static str) -> Self {
        Self::new(span, ErrorKind::PatchShape { wanted, got })
    }

    pub(crate) fn unknown_directive(span: Span, text: &str) -> Self {
        Self::new(span, ErrorKind::UnknownDirective(text.to_owned()))
    }

    pub(crate) fn list_element(span: Span, wanted: &'static str, got: &'static str) -> Self {
        Self::new(span, ErrorKind::ListElement { wanted, got })
    }

    /// What to do, ready to paste where possible.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match &self.kind {
            ErrorKind::MissingFile(_) | ErrorKind::MissingKustomization(_) => {
                "add the file, or take the entry out"
            }
            ErrorKind::MissingSource(_) => {
                "add the file; if it is kept out of git, pipe in what is built where it is: kustomize build … | meshgov check -"
            }
            ErrorKind::ManyKustomizations(_) => "keep one of the files",
            ErrorKind::Cycle(_) => "name the folders that hold the objects, not a folder above",
            ErrorKind::Outside(_) => {
                "make the other folder a kustomization and name that folder as a base"
            }
            ErrorKind::NotMap(_) => "start with `resources:`",
            ErrorKind::KeyType(_) => "put the field name in quotes",
            ErrorKind::Clash(_) => "rename one, or turn the second into a patch",
            ErrorKind::NoTarget(_) => {
                "check apiVersion, kind, name and namespace of the patch, or give it a `target:`"
            }
            ErrorKind::UnknownDirective(_) => "use `merge`, `replace` or `delete`",
            ErrorKind::NeedsBehavior(_) => "add `behavior: merge`",
            ErrorKind::NothingToMerge(_) => "use `behavior: create`",
            _ => return None,
        })
    }
}

/// A field whose effect is not worked out here: the leaf is *not analysed*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The field, or `remote base`.
    pub field: String,
    /// The key of the field, or the entry that names the remote base.
    pub span: Span,
    /// Folder of the kustomization that uses it.
    pub folder: String,
}
