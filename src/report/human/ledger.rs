//! L7: the last lines of `human`. Input: `Outcome`; output: counts, the gate, what was read, left out, not decided and assumed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::finding::Outcome;
use crate::report::{
    Options, Summary, and_more, not_analysed_by_reason, not_evaluated_by_reason, number, one_line,
    opaque, opaque_names, plural,
};

use super::paint::{Look, paint};
use super::{LISTED, separated};

/// What is not known of the views, by why, each with what to do about it.
const WAYS_OUT: [(&str, &str); 3] = [
    (
        "not rendered",
        "to judge what they hold: `render` in meshgov.yaml, or helm template … | meshgov check -",
    ),
    (
        "not built",
        "to judge what they hold, where kustomize builds them: kustomize build … | meshgov check -",
    ),
    (
        "not followed",
        "to judge what they apply: `views` in meshgov.yaml with the folders (why not: meshgov config views)",
    ),
];

/// Writes the ledger.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    Ledger { outcome, options }.ledger(out)
}

struct Ledger<'a> {
    outcome: &'a Outcome,
    options: &'a Options,
}

impl Ledger<'_> {
    fn ledger(&self, out: &mut dyn Write) -> io::Result<()> {
        let outcome = self.outcome;
        let summary = Summary::of(outcome);
        // Without any object the opening line has said it all.
        if outcome.objects > 0 || summary.total > 0 || summary.unseen.is_some() {
            self.totals(&summary, out)?;
        }
        self.not_analysed(out)?;
        for (title, way_out) in WAYS_OUT {
            self.opaque(title, way_out, out)?;
        }
        self.not_decided(out)?;
        self.assumed(out)
    }

    fn totals(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        let outcome = self.outcome;
        let worst = outcome
            .findings
            .iter()
            .find(|f| f.suppressed.is_none())
            .map_or(Look::Bold, |f| Look::Severity(f.severity));
        writeln!(
            out,
            "\n{}",
            paint(
                self.options.terminal,
                worst,
                &separated(self.options, &summary.counts())
            )
        )?;
        let gate = summary.gate(outcome.gate);
        writeln!(out, "{}", separated(self.options, &gate))?;
        writeln!(
            out,
            "read: {} in {}, {}, {}",
            plural(outcome.objects, "object"),
            plural(outcome.files, "file"),
            plural(outcome.views.len(), "view"),
            plural(outcome.rules.len(), "rule")
        )
    }

    fn not_analysed(&self, out: &mut dyn Write) -> io::Result<()> {
        let outcome = self.outcome;
        if outcome.not_analysed.is_empty() {
            return Ok(());
        }
        let count = plural(outcome.not_analysed.len(), "file");
        writeln!(out, "not analysed: {count}")?;
        for (reason, entries) in not_analysed_by_reason(outcome) {
            let reason = one_line(reason);
            let count = number(entries.len());
            if !self.options.all {
                let paths = and_more(entries.iter().map(|(path, _)| path), LISTED);
                writeln!(out, "  {reason}: {count} ({paths})")?;
                continue;
            }
            writeln!(out, "  {reason}: {count}")?;
            for (path, detail) in entries {
                let colon = if detail.is_empty() { "" } else { ": " };
                writeln!(out, "    {}{colon}{}", one_line(path), one_line(detail))?;
            }
        }
        Ok(())
    }

    fn opaque(&self, title: &str, way_out: &str, out: &mut dyn Write) -> io::Result<()> {
        let names = opaque_names(self.outcome, title);
        if names.is_empty() {
            return Ok(());
        }
        writeln!(out, "{title}: {}", opaque(self.outcome, title))?;
        let lines = names.iter().map(|name| one_line(name).into_owned());
        self.listed(lines, "more entry", out)?;
        writeln!(out, "  {way_out}")
    }

    fn not_decided(&self, out: &mut dyn Write) -> io::Result<()> {
        let outcome = self.outcome;
        if outcome.not_evaluated.is_empty() {
            return Ok(());
        }
        let count = plural(outcome.not_evaluated.len(), "judgement");
        writeln!(out, "not decided: {count}")?;
        let reasons = not_evaluated_by_reason(outcome);
        let lines = reasons.iter().map(|(reason, count, rules)| {
            let rules = and_more(rules.iter(), LISTED);
            format!("{}: {} ({rules})", one_line(reason), number(*count))
        });
        self.listed(lines, "more reason", out)
    }

    fn assumed(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut assumptions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for view in &self.outcome.views {
            for assumption in &view.assumptions {
                assumptions.entry(assumption).or_default().push(&view.name);
            }
        }
        let views = &self.outcome.views;
        if assumptions.is_empty() {
            return Ok(());
        }
        writeln!(out, "assumed:")?;
        let all_views = views.len();
        let lines = assumptions.iter().map(|(assumption, views)| {
            if views.len() == all_views {
                one_line(assumption).into_owned()
            } else {
                format!(
                    "{} ({})",
                    one_line(assumption),
                    and_more(views.iter(), LISTED)
                )
            }
        });
        self.listed(lines, "more assumption", out)
    }

    fn listed(
        &self,
        lines: impl ExactSizeIterator<Item = String>,
        more: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let total = lines.len();
        let shown = match total {
            n if self.options.all || n <= LISTED + 1 => n,
            _ => LISTED,
        };
        for line in lines.take(shown) {
            writeln!(out, "  {line}")?;
        }
        if total > shown {
            let more = plural(total - shown, more);
            writeln!(out, "  and {more} (every one: --all)")?;
        }
        Ok(())
    }
}
