//! L8: what a run did not see. Input: everything read, or the outcome; output: what was not analysed, whether silence proves anything, and what
//! to say where there is no object at all.

use crate::cli::pipeline::{self, Input};
use crate::finding::{NotAnalysed, Outcome};
use crate::load::{FileOutcome, Skip};
use crate::view::Lack;

pub(super) fn not_analysed(input: &Input) -> Vec<NotAnalysed> {
    let mut found: Vec<_> = input
        .loaded
        .files
        .iter()
        .filter_map(|file| match &file.outcome {
            FileOutcome::Skipped { reason, .. } => Some(NotAnalysed {
                path: file.source.path.clone(),
                reason: reason.to_string(),
            }),
            FileOutcome::Read(_) | FileOutcome::Broken(_) => None,
        })
        .collect();
    found.extend(input.unread.iter().map(|unread| NotAnalysed {
        path: unread.path.clone(),
        reason: unread.reason.clone(),
    }));
    found.sort();
    found
}

/// Why there is no object, and what to do about it.
pub(super) fn nothing(outcome: &Outcome) -> String {
    let files = outcome.files;
    let is_template = |n: &&NotAnalysed| n.reason == Skip::Template.to_string();
    let templates = outcome.not_analysed.iter().filter(is_template).count();
    let all = outcome.views.iter().flat_map(|view| &view.opaque);
    let is_unbuilt = |(lack, _): &&(Lack, String)| matches!(lack, Lack::Unbuilt | Lack::Broken);
    let unbuilt = all.filter(is_unbuilt).count();
    if unbuilt == 0 {
        return pipeline::nothing_in(files, &pipeline::way_out(templates, true));
    }
    format!(
        "error: no Kubernetes object is known (kustomizations not built: {unbuilt})\n  \
         help: pipe in what kustomize makes of it: kustomize build FOLDER | meshgov check -\n"
    )
}

/// Whether something was not read or not decided, so that silence proves nothing.
pub(super) fn is_incomplete(outcome: &Outcome) -> bool {
    !outcome.not_analysed.is_empty()
        || !outcome.not_evaluated.is_empty()
        || outcome.views.iter().any(|v| !v.opaque.is_empty())
}
