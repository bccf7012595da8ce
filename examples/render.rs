//! Prints what `kubectl kustomize DIR` would, as a JSON array: a stand-in for `meshgov config render DIR --format json`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints"
)]

use std::process::ExitCode;

use meshgov::kustomize::{DiskFiles, Engine, Options, Outcome};
use meshgov::source::Sources;

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).unwrap_or_default();
    let files = DiskFiles::new("", Sources::default());
    let options = Options {
        show_secrets: true,
        load_anywhere: false,
    };
    let Some(build) = Engine::new(&files).build(&folder, options) else {
        eprintln!("no kustomization in {folder}");
        return ExitCode::from(2);
    };
    let sources = files.sources();
    let place = |span: meshgov::source::Span| {
        sources.get(span.source).map_or(String::new(), |file| {
            let at = file.position(span.start);
            format!("{}:{}:{}", file.path, at.line, at.column)
        })
    };
    match build.outcome {
        Outcome::Rendered(objects) => {
            let json: Vec<_> = objects.iter().map(|tree| tree.node(0).to_json()).collect();
            println!("{}", serde_json::Value::from(json));
            ExitCode::SUCCESS
        }
        Outcome::Refused(refusals) => {
            for r in refusals {
                eprintln!(
                    "{}: not analysed: {} in {}",
                    place(r.span),
                    r.field,
                    r.folder
                );
            }
            ExitCode::from(4)
        }
        Outcome::Broken(errors) => {
            for e in errors {
                eprintln!("{}: {e}", place(e.span));
            }
            ExitCode::from(1)
        }
    }
}
