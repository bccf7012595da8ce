//! L3: what a build came to. Input: the outcome of one kustomization; output: its objects as resources, or what is not known of
//! them, with the problem or the line of the ledger that says why.

use std::sync::Arc;

use crate::kustomize::{Applied, Build, ErrorKind, KustomizeError, Outcome, Refusal};
use crate::load::problem::{InputProblem, ProblemKind};
use crate::load::{FileOutcome, Skip};
use crate::resource::{Resource, ResourceId};
use crate::source::{SourceFile, Span, to_u32};
use crate::view::gitops::Unread;
use crate::view::gitops::units::{Built, Units};
use crate::view::{Lack, Opaque};

impl Units<'_> {
    /// Takes in what the build of a folder came to.
    pub(super) fn absorb(
        &mut self,
        folder: &str,
        build: Option<Build>,
        applied: Option<&Applied>,
    ) -> Built {
        let mut built = Built::default();
        let Some(build) = build else {
            return built;
        };
        let numbers = build.consumed.iter();
        built.files = numbers.filter_map(|path| self.files.number(path)).collect();
        built.files.extend(self.leaves.file(folder));
        self.results.secrets.extend(build.secrets);
        let namespace = build.namespace;
        match build.outcome {
            Outcome::Rendered(trees) => {
                built.overlays.push(folder.to_owned());
                for tree in trees {
                    let number = self.loaded.resources.len() + self.results.resources.len();
                    let resource = Resource::new(ResourceId(to_u32(number)), &tree, 0);
                    if let Some(resource) = resource.map(Arc::new) {
                        self.results.resources.push(Arc::clone(&resource));
                        built.resources.push(resource);
                    }
                }
            }
            Outcome::Refused(refusals) => {
                let span = refusals.first().map(|refusal| refusal.span);
                let mut reasons = Vec::new();
                for refusal in &refusals {
                    let (kind, detail) = self.refusal(refusal);
                    self.unread(folder, applied, format!("{kind}: {detail}"));
                    reasons.push(detail);
                }
                let why = format!("not worked out: {}", reasons.join(", "));
                let opaque = opaque(Lack::Unbuilt, folder, namespace, span);
                built.opaque.push(Opaque {
                    why: Some(why),
                    ..opaque
                });
            }
            Outcome::Broken(errors) => {
                let span = errors.first().map(|error| error.span);
                let opaque = opaque(Lack::Broken, folder, namespace, span);
                built.opaque.push(Opaque {
                    why: summary(&errors),
                    ..opaque
                });
                for error in errors {
                    self.broken(folder, applied, error);
                }
            }
        }
        built
    }

    fn unread(&mut self, folder: &str, applied: Option<&Applied>, reason: String) {
        let own = self.leaves.file(folder).and_then(|file| self.file(file));
        let path = own.or_else(|| self.file(applied?.source().id.0));
        self.results.unread.push(Unread {
            path: path.map_or_else(|| folder.to_owned(), |file| file.source.path.clone()),
            reason,
            is_lack: true,
        });
    }

    /// What is not worked out: the kind of thing, as the ledger groups it, and which.
    fn refusal(&self, refusal: &Refusal) -> (&'static str, String) {
        let place = self.place(refusal.span);
        match refusal.field.as_str() {
            "remote base" => {
                let source = self.text_at(refusal.span);
                let address =
                    source.map_or_else(String::new, |source| source.slice(refusal.span).to_owned());
                let address = address.trim_matches(['"', '\'']);
                let detail = format!("`{address}` at {place}");
                ("remote base of a kustomization", detail)
            }
            field => (
                "kustomization with a field that is not worked out",
                format!("`{field}` at {place}"),
            ),
        }
    }

    fn broken(&mut self, folder: &str, applied: Option<&Applied>, error: KustomizeError) {
        let file = self.file(error.span.source.0);
        let is_template = matches!(
            file.map(|file| &file.outcome),
            Some(FileOutcome::Skipped {
                reason: Skip::Template,
                ..
            })
        );
        if is_template {
            let place = self.place(error.span);
            let reason = format!("kustomization of a template: {place}");
            return self.unread(folder, applied, reason);
        }
        if self.is_known(&error) {
            return;
        }
        let problem = InputProblem {
            kind: ProblemKind::Kustomization,
            span: error.span,
            message: format!("this kustomization cannot be built: {}", error.kind),
            help: error
                .help()
                .unwrap_or("correct it; until then nothing of it is checked")
                .to_owned(),
            related: Vec::new(),
            resource: None,
            is_sure: !matches!(error.kind, ErrorKind::MissingSource(_)),
        };
        // A base is seen from many leaves.
        if !self.results.problems.contains(&problem) {
            self.results.problems.push(problem);
        }
    }

    /// Whether loading has reported the same already: a document that cannot be read, a field given twice.
    fn is_known(&self, error: &KustomizeError) -> bool {
        let kind = match error.kind {
            ErrorKind::Unreadable(_) => ProblemKind::Unparsable,
            ErrorKind::KeyTwice(_) => ProblemKind::DuplicateKey,
            _ => return false,
        };
        let mut known = self.loaded.problems.iter();
        known.any(|problem| problem.kind == kind && problem.span.source == error.span.source)
    }

    /// Reports a value of the wrong type in an object that applies something; returns what stands for it.
    pub(in crate::view::gitops) fn misfit(
        &mut self,
        applier: &Resource,
        error: KustomizeError,
    ) -> Opaque {
        let span = Some(error.span);
        self.broken("", None, error);
        Opaque {
            lack: Lack::Broken,
            why: None,
            namespace: None,
            what: format!("{} {}", applier.kind(), applier.name),
            span,
            opens: true,
        }
    }

    /// The path of the file that holds a place.
    pub(in crate::view::gitops) fn path(&self, span: Span) -> String {
        self.text_at(span)
            .map_or_else(String::new, |source| source.path.clone())
    }

    fn text_at(&self, span: Span) -> Option<Arc<SourceFile>> {
        match self.file(span.source.0) {
            Some(file) => Some(Arc::clone(&file.source)),
            None => self.files.source(span.source),
        }
    }

    /// `base/kustomization.yaml:5:1`.
    fn place(&self, span: Span) -> String {
        self.text_at(span).map_or_else(String::new, |source| {
            let at = source.position(span.start);
            format!("{}:{}:{}", source.path, at.line, at.column)
        })
    }
}

/// The first of several errors, and how many more there are.
fn summary(errors: &[KustomizeError]) -> Option<String> {
    let (first, more) = errors.split_first()?;
    Some(match more.len() {
        0 => first.kind.to_string(),
        n => format!("{}, and {n} more", first.kind),
    })
}

/// What stands for a kustomization that was not built.
fn opaque(lack: Lack, folder: &str, namespace: Option<String>, span: Option<Span>) -> Opaque {
    let folder = if folder.is_empty() { "." } else { folder };
    Opaque {
        lack,
        why: None,
        namespace,
        what: format!("kustomization {folder}"),
        span,
        opens: true,
    }
}
