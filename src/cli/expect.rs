//! L8: `expect:` files inside `check`. Input: their texts and what was read; output: drafts of EXPECT001 for everything that does not hold.

use std::path::Path;
use std::sync::Arc;

use crate::cli::pipeline::Input;
use crate::cli::tree::TreeSource;
use crate::config::Config;
use crate::engine::Analysis;
use crate::error::Error;
use crate::evaluate::draft::Draft;
use crate::evaluate::engine::{EXPECTATION_UNMET, EngineRules};
use crate::query::expectation::{self, Expectation, ExpectationError};
use crate::query::verify::{self, Check};
use crate::shape::Problem;
use crate::source::SourceFile;
use crate::yaml;

/// Path and text of every expectation file of a config, as the tree that is judged holds it.
pub(super) fn files(
    config: &Config,
    cwd: &Path,
    tree: &TreeSource,
) -> Result<Vec<(String, String)>, Error> {
    let folder = config
        .file
        .as_ref()
        .and_then(|f| Path::new(&f.path).parent().map(Path::to_path_buf))
        .unwrap_or_default();
    let read = |name: &String| {
        let path = folder.join(name);
        let shown = path.to_string_lossy().replace('\\', "/");
        let not_text = |e| std::io::Error::new(std::io::ErrorKind::InvalidData, e);
        let bytes = tree.bytes(cwd, &path);
        match bytes.and_then(|bytes| String::from_utf8(bytes).map_err(not_text)) {
            Ok(text) => Ok((shown, text)),
            Err(cause) => Err(Error::File {
                action: "read",
                path: shown,
                cause,
            }),
        }
    };
    config.expect.iter().map(read).collect()
}

/// The expectations of every document of a file.
///
/// # Errors
/// The author's: what is no expectation.
pub(super) fn read(file: &Arc<SourceFile>) -> Result<Vec<Expectation>, Error> {
    let parsed = yaml::parse(file);
    if let Some(error) = parsed.errors.first() {
        let (span, message) = (error.span, error.kind.to_string());
        let help = None;
        return Err(faulty(
            file,
            ExpectationError {
                span,
                message,
                help,
            },
        ));
    }
    let mut all = Vec::new();
    for document in &parsed.documents {
        let node = parsed.tree.node(document.root);
        all.extend(expectation::read(node).map_err(|error| faulty(file, error))?);
    }
    Ok(all)
}

/// An author's fault, with its place.
pub(super) fn faulty(file: &Arc<SourceFile>, error: ExpectationError) -> Error {
    Error::Problems(vec![Problem {
        file: Arc::clone(file),
        span: error.span,
        message: error.message,
        help: error.help,
    }])
}

/// Holds expectations against every view that knows what they are about.
///
/// # Errors
/// The author's: what is no expectation; a reference that no view knows.
pub(super) fn drafts(
    input: &mut Input,
    files: Vec<(String, String)>,
    engine: &EngineRules,
) -> Result<Vec<Draft>, Error> {
    let mut found = Vec::new();
    if files.is_empty() {
        return Ok(found);
    }
    let mut expected = Vec::new();
    for (path, text) in files {
        let file = input.sources.add(path, text);
        let expectations = read(&file)?;
        expected.push((file, expectations));
    }
    let analyses: Vec<Analysis<'_>> = input
        .views
        .iter()
        .map(|view| Analysis::of(view, &input.assume))
        .collect();
    for (file, expectations) in &expected {
        for expectation in expectations {
            let mut failed = None;
            let mut known = false;
            let meant = |a: &&Analysis<'_>| {
                let view = expectation.view.as_ref();
                view.is_none_or(|view| *view == a.view.name)
            };
            for analysis in analyses.iter().filter(meant) {
                match verify::check(analysis, expectation) {
                    Ok(check) => {
                        known = true;
                        if !check.ok {
                            found.extend(unmet(engine, expectation, &check, analysis));
                        }
                    }
                    Err(error) => {
                        failed.get_or_insert(error);
                    }
                }
            }
            if !known {
                let nowhere = || ExpectationError {
                    span: expectation.span,
                    message: "no view to hold this against".to_owned(),
                    help: None,
                };
                return Err(faulty(file, failed.unwrap_or_else(nowhere)));
            }
        }
    }
    Ok(found)
}

fn unmet(
    engine: &EngineRules,
    expectation: &Expectation,
    check: &Check,
    analysis: &Analysis<'_>,
) -> Option<Draft> {
    let message = format!(
        "{}: expected {}, is {}",
        expectation.question, check.expected, check.actual
    );
    let related = check
        .because
        .iter()
        .filter_map(|step| Some((step.span()?, step.says.clone())));
    engine.of_expectation(
        EXPECTATION_UNMET,
        check.span,
        message,
        &analysis.view.name,
        related.collect(),
    )
}
