//! Every format over one hand-made `Outcome`: the only place where rendered text is snapshotted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

mod report_support;

use meshgov::report::{Document, Options, Terminal, names};
use report_support::{render, tour};

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/report/tour"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_tour_reads_well_in_every_format() {
    let outcome = tour();
    for name in names(Document::Check) {
        snapshot(name, &render(&outcome, &Options::default(), name));
    }
}

#[test]
fn the_tour_reads_well_on_a_terminal_of_80_columns_with_colours_and_silenced_findings() {
    let options = Options {
        suppressed: true,
        terminal: Terminal {
            color: true,
            links: true,
            unicode: false,
            width: 80,
        },
        ..Options::default()
    };
    let text = render(&tour(), &options, "human");
    snapshot("human-colour", &text.replace('\x1b', "ESC"));
}
