//! L7: a posture diff for programs. Input: `DiffReport`; output: the contract of architecture.md §7, version 1.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::facts::Step;
use crate::facts::change::{Change, Side, State};
use crate::query::diff::DiffReport;

use super::{Options, place, sentence_of, step, texts, write_json};

/// Where lines stop to break: one change a line.
const DEPTH: usize = 2;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u32,
    tool: Value,
    changes: Vec<Value>,
    views: Vec<Value>,
    set_aside: Value,
    summary: Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    widened: usize,
    changed: usize,
    narrowed: usize,
    ports: usize,
    edges_added: usize,
    edges_removed: usize,
    undecided: usize,
}

/// Writes one JSON document.
pub(super) fn write(
    report: &DiffReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    use crate::facts::change::Direction;
    let of = |direction| {
        let is = |c: &&Change| c.direction == direction;
        report.changes.iter().filter(is).count()
    };
    let document = Document {
        version: 1,
        tool: json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")}),
        changes: report.changes.iter().map(|c| change(report, c)).collect(),
        views: report
            .views
            .iter()
            .map(|(base, head)| {
                let of = |side, name: &Option<String>| {
                    let name = name.as_deref();
                    name.map(|name| report.path(side, name).to_owned())
                };
                json!({"base": of(Side::Base, base), "head": of(Side::Head, head)})
            })
            .collect(),
        set_aside: json!({
            "alike": report.aside.alike,
            "unknown": report.aside.unknown,
            "notExported": report.aside.not_exported,
            "notInTree": report.aside.not_in_tree,
            "placed": report.aside.placed,
            "madeByControllers": report.aside.made,
            "unreadInBase": report.aside.unread_in_base,
            "unreadInHead": report.aside.unread_in_head,
        }),
        summary: Summary {
            widened: of(Direction::Widened),
            changed: of(Direction::Changed),
            narrowed: of(Direction::Narrowed),
            ports: report.edges.ports,
            edges_added: report.edges.added,
            edges_removed: report.edges.removed,
            undecided: report.edges.undecided,
        },
    };
    let mut out = BufWriter::new(out);
    write_json(&mut out, &document, DEPTH)?;
    out.flush()
}

fn change(report: &DiffReport, change: &Change) -> Value {
    let about = &change.about;
    let cause = change.cause.iter().map(|cause| {
        let place = place(texts(report, cause.side), cause.span);
        json!({
            "side": cause.side.as_str(),
            "path": report.path(cause.side, place.path),
            "line": place.start.line,
            "says": cause.says,
        })
    });
    let proof = |side, steps: &[Step]| -> Vec<String> {
        steps.iter().map(|s| step(report, side, s)).collect()
    };
    let mut value = json!({
        "kind": change.kind.as_str(),
        "subject": about.words(),
        "before": state(&change.before),
        "after": state(&change.after),
        "direction": change.direction.as_str(),
        "message": sentence_of(change, &about.words()),
        "cause": cause.collect::<Vec<_>>(),
        "resource": {
            "apiVersion": about.resource.api_version(),
            "kind": about.resource.kind(),
            "namespace": about.namespace,
            "name": about.resource.name,
        },
        "asset": about.is_asset,
        "views": change.views.iter().map(|v| report.path(about.side, v)).collect::<Vec<_>>(),
        "proof": {
            "base": proof(Side::Base, &change.base_proof),
            "head": proof(Side::Head, &change.head_proof),
        },
    });
    let mut extra = |name: &str, more: Value| {
        if let Value::Object(map) = &mut value {
            map.insert(name.to_owned(), more);
        }
    };
    if change.is_undecided() {
        let reasons: Vec<String> = change.reasons().into_iter().map(|r| r.missing).collect();
        extra("unknown", json!(reasons));
    }
    if let Some(port) = about.port {
        extra(
            "port",
            json!({"number": port.number, "protocol": port.protocol}),
        );
    }
    if change.clients > 0 {
        extra("clients", json!(change.clients));
    }
    if let Some(edges) = &change.edges {
        let more = json!({
            "before": edges.before,
            "after": edges.after,
            "added": edges.added,
            "removed": edges.removed,
            "anonymous": edges.anonymous,
            "undecided": edges.undecided,
            "firstAdded": edges.first_added,
            "firstRemoved": edges.first_removed,
        });
        extra("callers", more);
    }
    value
}

/// `null` where the subject does not exist.
fn state(state: &State) -> Value {
    match state {
        State::Absent => Value::Null,
        State::Known(_) | State::Unknown(_) => json!(state.words()),
    }
}
