//! L7: what a run prints. Input: `Outcome` and `Options`; output: bytes on a writer. One file a format, one row a format in [`FORMATS`].

use std::io::{self, Write};

use crate::finding::Outcome;
use crate::query::access::AccessReport;
use crate::query::assets::AssetReport;
use crate::query::assume::AssumeReport;
use crate::query::diff::DiffReport;

mod access_graph;
mod access_json;
mod access_table;
mod access_why;
mod access_words;
mod assets_cyclonedx;
mod assets_graph;
mod assets_human;
mod assets_json;
mod assume;
mod change;
mod concise;
mod diff_human;
mod diff_json;
mod diff_markdown;
mod environments;
mod github;
mod human;
mod json;
mod layout;
mod markdown;
pub mod objects;
mod place;
mod redact;
mod sarif;
mod summary;
mod terminal;
mod text;

pub use assets_human::why;
pub use assume::yaml;
pub use environments::FORMATS as ENVIRONMENT_FORMATS;
pub use terminal::{ColorChoice, Terminal};

// What the formats share; they import it from here and never from each other.
use access_words::{answer, at, copied, way_in, who, wrapped};
use change::{
    Group, causes, counts, first_names, groups, notes, said, scope, sentence_of, step, telling,
    texts,
};
use layout::write_json;
use markdown::escaped;
use place::{Place, level, place, selected};
use redact::REDACTED;
use redact::Redactor;
use summary::{
    SEVERITIES, Summary, access, lacks, not_analysed_by_reason, not_evaluated_by_reason, opaque,
    opaque_names, transport, understood, unseen,
};
pub(crate) use text::plural;
use text::{
    and_more, first_paragraph, is_unprintable, number, one_line, percent_encoded, sentence,
    truncated,
};

/// What a report is about; each command that reports has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Document {
    /// Findings of `meshgov check`.
    Check,
    /// The inventory of `meshgov assets`.
    Assets,
    /// Who may call what, of `meshgov access`.
    Access,
    /// Missing facts, of `meshgov assume`.
    Assume,
    /// The changes of `meshgov diff`.
    Diff,
    /// The differences of `meshgov environments`.
    Environments,
}

/// How a run wants its reports.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the reader's terminal can show; only `human` looks at it.
    pub terminal: Terminal,
    /// `human` prints every finding with its source, however many there are.
    pub all: bool,
    /// Silenced findings are listed too.
    pub suppressed: bool,
    /// SARIF regions carry the flagged text.
    pub snippets: bool,
    /// SARIF category: tells apart several uploads for one commit.
    pub category: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            terminal: Terminal::default(),
            all: false,
            suppressed: false,
            snippets: true,
            category: "meshgov".to_owned(),
        }
    }
}

/// One way to print one document; `Input` is what the document is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Format<Input = Outcome> {
    /// What it prints.
    pub document: Document,
    /// The word after `--format`.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Writes the whole report; equal input gives equal bytes.
    pub write: fn(&Input, &Options, &mut dyn Write) -> io::Result<()>,
}

/// Every format of every document.
pub const FORMATS: &[Format] = &[
    Format {
        document: Document::Check,
        name: "human",
        about: "source, cause and fix of every finding, for a terminal",
        write: human::write,
    },
    Format {
        document: Document::Check,
        name: "concise",
        about: "one line a finding: path:line:col: severity slug (ID) message",
        write: concise::write,
    },
    Format {
        document: Document::Check,
        name: "json",
        about: "everything, for programs (version 1)",
        write: json::write,
    },
    Format {
        document: Document::Check,
        name: "sarif",
        about: "SARIF 2.1.0 for code scanning",
        write: sarif::write,
    },
    Format {
        document: Document::Check,
        name: "github",
        about: "annotations by workflow commands",
        write: github::write,
    },
    Format {
        document: Document::Check,
        name: "markdown",
        about: "a page for a job summary or a pull request",
        write: markdown::write,
    },
];

/// Every drawing of who sends data to whom.
pub const GRAPH_FORMATS: &[Format<AssetReport>] = &[
    Format {
        document: Document::Assets,
        name: "dot",
        about: "Graphviz digraph",
        write: assets_graph::dot,
    },
    Format {
        document: Document::Assets,
        name: "mermaid",
        about: "Mermaid flowchart, as Markdown shows it",
        write: assets_graph::mermaid,
    },
];

/// Every format of the inventory of assets.
pub const ASSET_FORMATS: &[Format<AssetReport>] = &[
    Format {
        document: Document::Assets,
        name: "human",
        about: "a table for a terminal",
        write: assets_human::write,
    },
    Format {
        document: Document::Assets,
        name: "json",
        about: "everything, for programs (version 1)",
        write: assets_json::write,
    },
    Format {
        document: Document::Assets,
        name: "cyclonedx",
        about: "CycloneDX 1.6 ML-BOM",
        write: assets_cyclonedx::write,
    },
];

/// Every format of the access report.
pub const ACCESS_FORMATS: &[Format<AccessReport>] = &[
    Format {
        document: Document::Access,
        name: "table",
        about: "a table for a terminal",
        write: access_table::write,
    },
    Format {
        document: Document::Access,
        name: "why",
        about: "the proof of every answer",
        write: access_why::write,
    },
    Format {
        document: Document::Access,
        name: "json",
        about: "everything, for programs (version 1)",
        write: access_json::write,
    },
    Format {
        document: Document::Access,
        name: "dot",
        about: "a Graphviz graph",
        write: access_graph::dot,
    },
    Format {
        document: Document::Access,
        name: "mermaid",
        about: "a Mermaid flowchart",
        write: access_graph::mermaid,
    },
];

/// Every format of the list of missing facts.
pub const ASSUME_FORMATS: &[Format<AssumeReport>] = &[
    Format {
        document: Document::Assume,
        name: "human",
        about: "a list for people, with the YAML to paste",
        write: assume::human,
    },
    Format {
        document: Document::Assume,
        name: "json",
        about: "everything, for programs (version 1)",
        write: assume::json,
    },
];

/// Every format of the posture diff.
pub const DIFF_FORMATS: &[Format<DiffReport>] = &[
    Format {
        document: Document::Diff,
        name: "human",
        about: "what each change means, its cause and the proofs, for a terminal",
        write: diff_human::write,
    },
    Format {
        document: Document::Diff,
        name: "json",
        about: "everything, for programs (version 1)",
        write: diff_json::write,
    },
    Format {
        document: Document::Diff,
        name: "markdown",
        about: "a pull-request comment with a graph of new callers",
        write: diff_markdown::write,
    },
];

/// The format of a document with this name.
#[must_use]
pub fn format(document: Document, name: &str) -> Option<&'static Format> {
    FORMATS
        .iter()
        .find(|f| f.document == document && f.name == name)
}

/// Names of the formats of a document, in the order of [`FORMATS`].
pub fn names(document: Document) -> impl Iterator<Item = &'static str> {
    FORMATS
        .iter()
        .filter(move |f| f.document == document)
        .map(|f| f.name)
}
