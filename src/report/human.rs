//! L7: `human`: what a person reads in a terminal. Input: `Outcome`; output: what was understood, findings with their source, the ledger.
//!
//! Findings stand under their rule, the worst rule first, so that why and fix are told once. Past [`FEW`] findings a
//! rule shows its first ones in full, then one line each, then a count; the table and the ledger at the end count
//! everything, and `--all` prints everything.

mod ledger;
mod marks;
mod paint;
mod snippet;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};

use crate::explain;
use crate::facts::Confidence;
use crate::finding::{Finding, Outcome};
use crate::source::SourceId;

use super::{
    Options, Redactor, and_more, first_paragraph, number, one_line, place, plural, selected,
    sentence, understood,
};
use marks::Mark;
use paint::{Look, entry, link, paint};

/// Up to here every finding is printed in full.
const FEW: usize = 10;
/// Findings of one rule that are printed in full, and then in one line each, when there are many.
const FULL: usize = 2;
const LINES: usize = 8;
/// Places of one finding that are drawn.
const PLACES: usize = 6;
/// Entries of one list of the ledger.
const LISTED: usize = 5;
/// Views of one finding that are named: of a shared file there may be dozens, the same for finding after finding.
const VIEWS: usize = 2;

/// Writes the whole page.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let page = Page {
        outcome,
        options,
        redactor: Redactor::new(&outcome.secrets),
        handler: handler(options),
    };
    let opening = understood(outcome);
    writeln!(out, "{}", separated(options, &one_line(&opening)))?;
    let open: Vec<&Finding> = selected(outcome, options)
        .filter(|f| f.suppressed.is_none())
        .collect();
    let groups = by_rule(&open);
    let many = open.len() > FEW && !options.all;
    for group in &groups {
        page.rule(group, many, &mut out)?;
    }
    // Where every rule has one finding the table would say it all again.
    if groups.len() > 1 && open.len() > FEW.max(groups.len()) {
        page.table(&groups, &mut out)?;
    }
    page.ignored(&mut out)?;
    ledger::write(outcome, options, &mut out)?;
    out.flush()
}

/// Our own dots, for terminals that cannot show them.
fn separated<'a>(options: &Options, line: &'a str) -> std::borrow::Cow<'a, str> {
    if options.terminal.unicode {
        line.into()
    } else {
        line.replace(" · ", " | ").into()
    }
}

fn handler(options: &Options) -> GraphicalReportHandler {
    let terminal = options.terminal;
    snippet::handler(GraphicalTheme {
        characters: if terminal.unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters::ascii()
        },
        styles: if terminal.color {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        },
    })
}

/// Findings under their rule, rules in the order of their first finding.
fn by_rule<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        let at = *index.entry(&finding.rule.id).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

struct Page<'a> {
    outcome: &'a Outcome,
    options: &'a Options,
    redactor: Redactor,
    handler: GraphicalReportHandler,
}

impl Page<'_> {
    fn rule(&self, group: &[&Finding], many: bool, out: &mut dyn Write) -> io::Result<()> {
        let full = match many {
            // Two more in full cost hardly more room than the lines that replace them.
            true if group.len() > FULL + 1 => FULL,
            _ => group.len(),
        };
        let mut text = String::new();
        for finding in group.iter().take(full) {
            text.clear();
            text.push('\n');
            self.finding(finding, &mut text);
            out.write_all(text.as_bytes())?;
        }
        let rest = group.get(full..).unwrap_or_default();
        let lines = match rest.len() {
            n if n <= LINES + 1 => n,
            _ => LINES,
        };
        for finding in rest.iter().take(lines) {
            writeln!(out, "  also {}", self.line(finding))?;
        }
        if rest.len() > lines {
            let files: std::collections::BTreeSet<SourceId> = rest
                .iter()
                .skip(lines)
                .map(|finding| finding.span.source)
                .collect();
            let title = group.first().map_or("", |f| f.rule.slug.as_str());
            writeln!(
                out,
                "  and {} in {} (every one: --all, or --format concise --select {title})",
                plural(rest.len() - lines, "more finding"),
                plural(files.len(), "file"),
            )?;
        }
        let Some(first) = group.first() else {
            return Ok(());
        };
        text.clear();
        self.why_and_fix(first, &mut text);
        out.write_all(text.as_bytes())
    }

    fn finding(&self, finding: &Finding, out: &mut String) {
        let terminal = self.options.terminal;
        let severity = finding.severity;
        let title = format!(
            "{}[{}]",
            severity.as_str(),
            explain::rule_title(&finding.rule)
        );
        let title = paint(terminal, Look::Severity(severity), &title);
        let url = explain::rule_url(&finding.rule);
        out.push_str(&link(terminal, url.as_deref(), &title));
        out.push(' ');
        out.push_str(&paint(terminal, Look::Bold, &one_line(&finding.message)));
        out.push('\n');
        self.places(finding, out);
        if finding.confidence == Confidence::Low {
            let on = match finding.assumptions.as_slice() {
                [] => "low".to_owned(),
                all => format!("low, rests on {}", and_more(all.iter(), LISTED)),
            };
            entry(terminal, "confidence", &on, out);
        } else if !finding.assumptions.is_empty() {
            let on = and_more(finding.assumptions.iter(), LISTED);
            entry(terminal, "assumed", &on, out);
        }
        if self.outcome.views.len() > 1 && !finding.views.is_empty() {
            let named = if self.options.all {
                finding.views.len()
            } else {
                VIEWS
            };
            entry(
                terminal,
                "views",
                &and_more(finding.views.iter(), named),
                out,
            );
        }
    }

    /// The source, file by file: miette draws labels of one file at a time.
    fn places(&self, finding: &Finding, out: &mut String) {
        let mut marks = vec![Mark {
            span: finding.span,
            label: &finding.label,
            primary: true,
        }];
        let shown = match finding.related.len() {
            n if self.options.all || n <= PLACES + 1 => n,
            _ => PLACES,
        };
        marks.extend(finding.related.iter().take(shown).map(|related| Mark {
            span: related.span,
            label: &related.label,
            primary: false,
        }));
        while let Some(first) = marks.first() {
            let source = first.span.source;
            let (here, rest) = marks.into_iter().partition(|m| m.span.source == source);
            marks = rest;
            if let Some(file) = self.outcome.sources.get(source) {
                let drawn = snippet::draw(&self.handler, file, &self.redactor, &here, out);
                debug_assert!(drawn.is_ok(), "a String takes every text");
            }
        }
        if finding.related.len() > shown {
            let more = plural(finding.related.len() - shown, "more related place");
            entry(self.options.terminal, "and", &more, out);
        }
    }

    fn why_and_fix(&self, finding: &Finding, out: &mut String) {
        let terminal = self.options.terminal;
        let why = first_paragraph(&finding.rule.why);
        if !why.is_empty() {
            entry(terminal, "why", sentence(&why), out);
        }
        let fix = first_paragraph(&finding.rule.fix);
        if !fix.is_empty() {
            entry(terminal, "fix", fix.trim_end_matches(['.', ':']), out);
        }
        entry(
            terminal,
            "see",
            &format!("meshgov explain {}", finding.rule.id),
            out,
        );
    }

    fn line(&self, finding: &Finding) -> String {
        let at = place(&self.outcome.sources, finding.span);
        let doubt = match finding.confidence {
            Confidence::Low => " (low confidence)",
            _ => "",
        };
        format!(
            "{}:{}:{} {}{doubt}",
            one_line(at.path),
            at.start.line,
            at.start.column,
            one_line(&finding.message)
        )
    }

    fn table(&self, groups: &[Vec<&Finding>], out: &mut dyn Write) -> io::Result<()> {
        let width = groups.iter().map(|g| number(g.len()).len()).max();
        let width = width.unwrap_or_default();
        writeln!(out)?;
        let titles = groups.iter().filter_map(|g| g.first());
        let titles = titles.map(|f| explain::rule_title(&f.rule).len()).max();
        let titles = titles.unwrap_or_default();
        for group in groups {
            let Some(first) = group.first() else { continue };
            let title = explain::rule_title(&first.rule);
            let severity = format!("{:<8}", first.severity.as_str());
            writeln!(
                out,
                "{:>width$}  {}  {title:<titles$}  {}",
                number(group.len()),
                paint(
                    self.options.terminal,
                    Look::Severity(first.severity),
                    &severity
                ),
                paint(self.options.terminal, Look::Dim, &first.rule.summary),
            )?;
        }
        Ok(())
    }

    fn ignored(&self, out: &mut dyn Write) -> io::Result<()> {
        let ignored =
            selected(self.outcome, self.options).filter_map(|f| Some((f, f.suppressed.as_ref()?)));
        for (at, (finding, suppressed)) in ignored.enumerate() {
            if at == 0 {
                writeln!(out, "\nignored:")?;
            }
            let until = suppressed.until.as_ref();
            writeln!(
                out,
                "  {} {}: by {}{}, {}",
                self.line(finding),
                explain::rule_title(&finding.rule),
                suppressed.by,
                until.map_or(String::new(), |day| format!(" until {day}")),
                one_line(&suppressed.reason)
            )?;
        }
        Ok(())
    }
}
