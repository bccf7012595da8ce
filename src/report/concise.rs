//! L7: `concise`: one grep-able line a finding, and a note where no workload was seen. Input: `Outcome`; output: `path:line:col: severity slug (ID) message`.

use std::io::{self, BufWriter, Write};

use crate::facts::Confidence;
use crate::finding::Outcome;

use super::{Options, one_line, place, selected, unseen};

/// Writes one line for each finding; silence must not speak for what nobody saw.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for finding in selected(outcome, options) {
        let at = place(&outcome.sources, finding.span);
        write!(
            out,
            "{}:{}:{}: {} {} ({}) {}",
            one_line(at.path),
            at.start.line,
            at.start.column,
            finding.severity.as_str(),
            finding.rule.slug,
            finding.rule.id,
            one_line(&finding.message)
        )?;
        if finding.confidence == Confidence::Low {
            write!(out, " [low confidence]")?;
        }
        if let Some(suppressed) = &finding.suppressed {
            write!(
                out,
                " [ignored by {}: {}]",
                suppressed.by,
                one_line(&suppressed.reason)
            )?;
        }
        writeln!(out)?;
    }
    if let Some(unseen) = unseen(outcome) {
        writeln!(out, "note: {}", one_line(&unseen))?;
    }
    out.flush()
}
