//! L7: assets as a table, and the proof of one. Input: `AssetReport`; output: text of at most 80 columns, as far as names allow.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::asset::grade::{Because, Letter};
use crate::query::assets::{AssetEntry, AssetReport};
use crate::source::Span;

use super::{Options, one_line, plural};

/// How many things that are not rendered are named.
const NAMED: usize = 3;

/// Width of the table.
const WIDTH: usize = 80;

/// Widths of class, score, grade and exposure; the name gets the rest.
const CLASS: usize = 14;
const SCORE: usize = 5;
const GRADE: usize = 19;
const EXPOSED: usize = 13;
const NAME: usize = WIDTH - CLASS - SCORE - GRADE - EXPOSED - 4;

/// Writes the table.
pub(super) fn write(
    report: &AssetReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let sure: Vec<_> = report.assets.iter().filter(|a| !a.possible).collect();
    let possible: Vec<_> = report.assets.iter().filter(|a| a.possible).collect();
    let mut text = String::new();
    if sure.is_empty() {
        text.push_str("No AI asset found.\n");
    } else {
        row(&mut text, ["ASSET", "CLASS", "SCORE", "GRADE", "EXPOSED"]);
        let named = named(&sure);
        for asset in &sure {
            entry(&mut text, report, asset, &named);
        }
    }
    if !possible.is_empty() {
        text.push_str("\nPossible, too little evidence for findings:\n");
        let named = named(&possible);
        for asset in &possible {
            entry(&mut text, report, asset, &named);
        }
    }
    text.push('\n');
    let _ = writeln!(
        text,
        "{}, {} possible, in {}",
        plural(sure.len(), "asset"),
        possible.len(),
        plural(report.views.len(), "view"),
    );
    if sure
        .iter()
        .any(|a| matches!(a.grade.letter(), Letter::Between(..)))
    {
        text.push_str(
            "? = the files do not say enough for one letter; --why NAME tells what is missing\n",
        );
    }
    let (shown, rest) = report
        .not_rendered
        .split_at(report.not_rendered.len().min(NAMED));
    for what in shown {
        let _ = writeln!(text, "not rendered, may hold assets: {}", one_line(what));
    }
    if !rest.is_empty() {
        let _ = writeln!(
            text,
            "not rendered, may hold assets: {} more; `meshgov config views` lists them",
            rest.len()
        );
    }
    for assumption in &report.assumptions {
        let _ = writeln!(text, "assumed: {assumption}");
    }
    out.write_all(text.as_bytes())
}

fn row(text: &mut String, [name, class, score, grade, exposed]: [&str; 5]) {
    let line = format!("{name:<NAME$} {class:<CLASS$} {score:>SCORE$} {grade:<GRADE$} {exposed}");
    let _ = writeln!(text, "{}", line.trim_end());
}

/// How many assets of each kind have a reference.
type Named<'r> = HashMap<String, BTreeMap<&'r str, usize>>;

fn named<'r>(assets: &[&'r AssetEntry]) -> Named<'r> {
    let mut named = Named::new();
    for asset in assets {
        let kinds = named.entry(asset.reference()).or_default();
        *kinds.entry(asset.kind.as_str()).or_default() += 1;
    }
    named
}

/// The row of an asset, which says as much as tells it from others of its name.
fn entry(text: &mut String, report: &AssetReport, asset: &AssetEntry, named: &Named<'_>) {
    let mut reference = asset.reference();
    let kinds = named.get(&reference);
    let several = kinds
        .and_then(|kinds| kinds.get(asset.kind.as_str()))
        .is_some_and(|&count| count > 1);
    if kinds.is_some_and(|kinds| kinds.len() > 1) {
        reference = format!("{}:{reference}", asset.kind);
    }
    let name = one_line(&reference);
    let score = format!("{:.2}", asset.score);
    let grade = grade(asset);
    let cells = [
        "",
        asset.class.as_str(),
        &score,
        &grade,
        asset.exposure.as_str(),
    ];
    if name.chars().count() > NAME {
        // A long name stands on a line of its own, whole: it is what people search for.
        let _ = writeln!(text, "{name}");
        row(text, cells);
    } else {
        let [_, class, score, grade, exposed] = cells;
        row(text, [name.as_ref(), class, score, grade, exposed]);
    }
    if several {
        let views = asset.views.join(", ");
        let _ = writeln!(text, "  {} in {}", at(report, asset.span), one_line(&views));
    }
    for model in &asset.refs {
        let _ = writeln!(
            text,
            "  model {} ({})",
            one_line(&model.value.uri),
            model.value.pin.as_str()
        );
    }
    for provider in &asset.providers {
        let (host, name) = &provider.value;
        let _ = writeln!(text, "  calls {host} ({name})");
    }
}

/// `F W0 U- O0 B0 K1`.
fn grade(asset: &AssetEntry) -> String {
    let letter = asset.grade.letter();
    if letter == Letter::None || asset.possible {
        return "-".to_owned();
    }
    let mut text = letter.sign().to_string();
    for (sign, component) in asset.grade.components() {
        let value = match component.range {
            Some((low, high)) if low != high => "?".to_owned(),
            _ => component.shown(),
        };
        let _ = write!(text, " {sign}{value}");
    }
    text
}

/// The proof of one asset: its evidence and each component of its grade.
#[must_use]
pub fn why(report: &AssetReport, asset: &AssetEntry) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} {} is {} {} (score {:.2})",
        asset.kind,
        one_line(&asset.reference()),
        asset.class.article(),
        asset.class.as_str(),
        asset.score
    );
    let _ = writeln!(text, "  {}", at(report, asset.span));
    text.push_str("evidence\n");
    for signal in &asset.signals {
        let _ = writeln!(
            text,
            "  {:.2} {} speaks for {}: {}\n       {}",
            signal.weight,
            signal.signal.as_str(),
            signal.class.as_str(),
            one_line(&signal.what),
            at(report, signal.span)
        );
    }
    if !asset.refs.is_empty() {
        text.push_str("models\n");
        for model in &asset.refs {
            let pin = model.value.pin.as_str();
            let _ = writeln!(
                text,
                "  {} ({pin})\n       {}",
                one_line(&model.value.uri),
                at(report, model.span)
            );
        }
    }
    if !asset.callers.is_empty() {
        let _ = writeln!(text, "callers\n  {}", asset.callers.join(", "));
    }
    let _ = match asset.grade.letter() {
        Letter::None => writeln!(text, "grade -"),
        Letter::Known(letter) => writeln!(text, "grade {letter}"),
        Letter::Between(worst, best) => {
            writeln!(
                text,
                "grade ?, between {worst} and {best}: it depends on what is unknown"
            )
        }
    };
    for (sign, component) in asset.grade.components() {
        let _ = writeln!(text, "  {sign} {}", component.shown());
        for because in &component.because {
            reason(&mut text, report, because);
        }
    }
    text
}

fn reason(text: &mut String, report: &AssetReport, because: &Because) {
    let _ = writeln!(text, "    {}", one_line(&because.says));
    if let Some(span) = because.span {
        let _ = writeln!(text, "       {}", at(report, span));
    }
}

/// `path:line:column`.
fn at(report: &AssetReport, span: Span) -> String {
    report
        .sources
        .get(span.source)
        .map_or_else(String::new, |file| {
            let place = file.position(span.start);
            format!("{}:{}:{}", file.path, place.line, place.column)
        })
}
