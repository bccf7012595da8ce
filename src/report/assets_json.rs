//! L7: assets for programs. Input: `AssetReport`; output: the contract of architecture.md §7, version 1.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::asset::grade::{Component, Letter};
use crate::query::assets::{AssetEntry, AssetReport, Stated};
use crate::source::Span;

use super::{Options, write_json};

/// Where lines stop to break: one asset a line.
const DEPTH: usize = 2;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Value,
    assets: Vec<Value>,
    views: &'a [String],
    assumptions: &'a [String],
    #[serde(rename = "notRendered")]
    not_rendered: &'a [String],
}

/// Writes one JSON document.
pub(super) fn write(
    report: &AssetReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let document = Document {
        version: 1,
        tool: json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")}),
        assets: report.assets.iter().map(|a| asset(report, a)).collect(),
        views: &report.views,
        assumptions: &report.assumptions,
        not_rendered: &report.not_rendered,
    };
    write_json(&mut out, &document, DEPTH)?;
    out.flush()
}

fn asset(report: &AssetReport, asset: &AssetEntry) -> Value {
    let place = |span| place(report, span);
    let signals: Vec<_> = asset
        .signals
        .iter()
        .map(|e| {
            json!({"signal": e.signal.as_str(), "class": e.class.as_str(), "weight": round(e.weight), "what": e.what, "at": place(e.span)})
        })
        .collect();
    let refs: Vec<_> = asset
        .refs
        .iter()
        .map(|r| {
            let m = &r.value;
            json!({"uri": m.uri, "scheme": m.scheme, "owner": m.owner, "name": m.name, "revision": m.revision,
                   "digest": m.digest, "host": m.host, "path": m.path, "pin": m.pin.as_str(), "at": place(r.span)})
        })
        .collect();
    let providers: Vec<_> = asset
        .providers
        .iter()
        .map(|p| json!({"host": p.value.0, "provider": p.value.1, "at": place(p.span)}))
        .collect();
    let stated = |stated: &Option<Stated<String>>| stated.as_ref().map(|s| s.value.clone());
    json!({
        "kind": asset.kind,
        "namespace": asset.namespace,
        "name": asset.name,
        "apiVersion": asset.api_version,
        "class": asset.class.as_str(),
        "score": round(asset.score),
        "possible": asset.possible,
        "product": asset.product,
        "signals": signals,
        "refs": refs,
        "providers": providers,
        "images": asset.images,
        "serviceAccount": asset.service_account,
        "owner": stated(&asset.owner),
        "classification": stated(&asset.classification),
        "exposure": asset.exposure.as_str(),
        "callers": asset.callers,
        "grade": grade(report, asset),
        "views": asset.views,
        "at": place(asset.span),
    })
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Letter and components: `"F"`, `"?"`, `"-"`; a component is a number, null when it does not apply, else `[least, greatest]`.
fn grade(report: &AssetReport, asset: &AssetEntry) -> Value {
    let letter = asset.grade.letter();
    let value = |component: &Component| match component.range {
        None => Value::Null,
        Some((low, high)) if low == high => json!(low),
        Some((low, high)) => json!([low, high]),
    };
    let mut fields = serde_json::Map::new();
    fields.insert("letter".into(), json!(letter.sign().to_string()));
    if let Letter::Between(worst, best) = letter {
        let between = [worst.to_string(), best.to_string()];
        fields.insert("between".into(), json!(between));
    }
    let mut because = serde_json::Map::new();
    for (sign, component) in asset.grade.components() {
        fields.insert(sign.to_string(), value(component));
        let reasons: Vec<_> = component
            .because
            .iter()
            .map(|b| json!({"says": b.says, "at": b.span.map(|s| place(report, s))}))
            .collect();
        because.insert(sign.to_string(), Value::Array(reasons));
    }
    fields.insert("because".into(), Value::Object(because));
    Value::Object(fields)
}

fn place(report: &AssetReport, span: Span) -> Value {
    let Some(file) = report.sources.get(span.source) else {
        return Value::Null;
    };
    let start = file.position(span.start);
    json!({"path": file.path, "line": start.line, "column": start.column})
}
