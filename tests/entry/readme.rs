//! The README says what the program prints.

use std::fs;
use std::path::{Path, PathBuf};

use super::{meshgov, text};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a language, without their fences.
fn blocks<'t>(markdown: &'t str, language: &str) -> Vec<&'t str> {
    let open = format!("```{language}\n");
    markdown
        .split(open.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// A line of three dots stands for lines left out.
const LEFT_OUT: &str = "...";

/// Whether the pieces of a trimmed transcript stand in the output in this order, the first at its start and the last at its
/// end, each made of whole lines.
fn shows(transcript: &str, printed: &str) -> bool {
    let printed = format!("\n{printed}");
    let pieces: Vec<String> = format!("\n{transcript}")
        .split(&format!("\n{LEFT_OUT}\n"))
        .map(|piece| format!("\n{}", piece.trim_matches('\n')))
        .collect();
    let mut rest = printed.trim_end_matches('\n');
    let last = pieces.len() - 1;
    for (number, piece) in pieces.iter().enumerate() {
        let found = if number == 0 && last > 0 {
            rest.starts_with(piece.as_str()).then_some(0)
        } else if number == last {
            rest.ends_with(piece.as_str())
                .then(|| rest.len() - piece.len())
        } else {
            rest.find(piece.as_str())
        };
        let Some(at) = found else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

#[test]
fn transcripts_are_what_the_program_prints() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let transcripts = blocks(&readme, "console");
    assert!(!transcripts.is_empty());
    for transcript in transcripts {
        let (command, expected) = transcript.split_once('\n').unwrap();
        let words: Vec<&str> = command
            .strip_prefix("$ meshgov ")
            .unwrap_or_else(|| panic!("no command: {command}"))
            .split(' ')
            .collect();
        let printed = text(&meshgov(&words, folder.path()));
        assert!(
            shows(expected, &printed),
            "README.md shows for `{command}`\n{expected}\nbut the program prints\n{printed}"
        );
    }
}

#[test]
fn a_trimmed_transcript_shows_whole_pieces_in_order() {
    let printed = "a\nb\nc\nd\n";
    for good in ["a\nb\nc\nd\n", "a\n...\nd\n", "a\nb\n...\nd\n"] {
        assert!(shows(good, printed), "{good}");
    }
    for bad in [
        "a\nb\n",
        "b\n...\nd\n",
        "a\n...\nc\n...\nb\n...\nd\n",
        "a\n...\nx\n...\nd\n",
    ] {
        assert!(!shows(bad, printed), "{bad}");
    }
}

/// Every relative link of the hand-written pages leads to a file.
#[test]
fn links_lead_somewhere() {
    let mut pages: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
    ]
    .iter()
    .map(|name| root().join(name))
    .collect();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            pages.push(path);
        }
    }
    let mut broken = Vec::new();
    for page in pages {
        let content = fs::read_to_string(&page).unwrap();
        for target in content
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap();
            let is_relative = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            if is_relative && !page.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
