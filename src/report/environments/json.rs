//! L7: environments for programs. Input: `EnvironmentReport`; output: one JSON document, version 1.

use std::io::{self, BufWriter, Write};

use serde_json::{Value, json};

use crate::facts::Step;
use crate::facts::change::Side;
use crate::query::environments::{Difference, EnvironmentReport, Only, Verdict};

use super::{line, proved, reasons, side};
use crate::report::{Options, place, write_json};

/// Where lines stop to break: one difference a line.
const DEPTH: usize = 2;

/// Writes one JSON document.
pub(in crate::report) fn write(
    report: &EnvironmentReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let of = |verdict| {
        let list = report.differences.iter();
        let is = |d: &&Difference| d.verdict == verdict && d.intended.is_none();
        list.filter(is).count()
    };
    let intended = report.differences.iter().filter(|d| d.intended.is_some());
    let applications = report.applications.iter().map(|application| {
        let environments = application.environments.iter().map(|e| {
            json!({"name": e.name, "view": report.views.get(e.view), "production": e.is_production})
        });
        json!({
            "name": application.name,
            "foundBy": if application.is_declared { "config" } else { "names" },
            "environments": environments.collect::<Vec<_>>(),
            "absent": application.absent,
            "notCompared": application.why_not(),
        })
    });
    let read_as = report.read_as.iter().map(|[application, environment, from, to]| {
        json!({"application": application, "environment": environment, "namespace": from, "as": to})
    });
    let spent = report.spent.iter().map(|spent| {
        let file = report.config.as_deref();
        json!({
            "path": file.map(|f| f.path.as_str()),
            "line": file.map(|f| f.position(spent.span.start).line),
            "expired": spent.expired,
        })
    });
    let document = json!({
        "version": 1,
        "tool": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        "applications": applications.collect::<Vec<_>>(),
        "differences": report.differences.iter().map(|d| difference(report, d)).collect::<Vec<_>>(),
        "only": only(&report.only),
        "notToldApart": only(&report.apart),
        "readAs": read_as.collect::<Vec<_>>(),
        "open": report.open,
        "alike": report.alike,
        "notFound": report.not_found,
        "spent": spent.collect::<Vec<_>>(),
        "summary": {
            "weaker": of(Verdict::Weaker),
            "unknown": of(Verdict::Unknown),
            "different": of(Verdict::Different),
            "stronger": of(Verdict::Stronger),
            "intended": intended.count(),
            "ports": report.ports,
            "undecided": report.undecided,
        },
    });
    let mut out = BufWriter::new(out);
    write_json(&mut out, &document, DEPTH)?;
    out.flush()
}

fn difference(report: &EnvironmentReport, difference: &Difference) -> Value {
    let change = &difference.change;
    let about = &change.about;
    let cause = change.cause.iter().map(|cause| {
        let place = place(&report.sources, cause.span);
        let is_here = cause.side == Side::Head;
        json!({
            "environment": side(difference, cause),
            "here": is_here,
            "path": place.path,
            "line": place.start.line,
            "says": cause.says,
        })
    });
    let proof =
        |steps: &[Step]| -> Vec<String> { steps.iter().map(|s| proved(report, s)).collect() };
    let intended = difference.intended.as_ref();
    json!({
        "application": difference.application,
        "environment": difference.environment,
        "others": difference.others,
        "verdict": difference.verdict.as_str(),
        "kind": change.kind.as_str(),
        "subject": about.words(),
        "here": change.after.words(),
        "there": change.before.words(),
        "unknown": reasons(difference),
        "message": line(difference),
        "intended": intended.map(|(reason, until)| json!({"reason": reason, "until": until})),
        "resource": {
            "apiVersion": about.resource.api_version(),
            "kind": about.resource.kind(),
            "namespace": about.namespace,
            "name": about.resource.name,
        },
        "asset": about.is_asset,
        "moreCallers": change.edges.as_ref().map_or(0, |e| e.added),
        "cause": cause.collect::<Vec<_>>(),
        "proof": {"here": proof(&change.head_proof), "there": proof(&change.base_proof)},
    })
}

fn only(list: &[Only]) -> Vec<Value> {
    let one = |only: &Only| {
        json!({
            "application": only.application,
            "environment": only.environment,
            "notIn": only.not_in,
            "kind": only.kind,
            "object": only.object,
        })
    };
    list.iter().map(one).collect()
}
