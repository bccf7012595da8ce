//! L7: an ML-BOM. Input: `AssetReport`; output: CycloneDX 1.6 JSON (ECMA-424). No serial number and no time: equal input, equal bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value, json};

use crate::asset::ModelRef;
use crate::query::assets::{AssetEntry, AssetReport};

use super::{Options, percent_encoded, write_json};

/// Where lines stop to break: one component a line.
const DEPTH: usize = 2;

/// Writes one BOM; possible assets are left out.
pub(super) fn write(
    report: &AssetReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut bom = Bom::default();
    for asset in report.assets.iter().filter(|a| !a.possible) {
        bom.add(report, asset);
    }
    let components: Vec<_> = bom.models.into_values().chain(bom.assets).collect();
    let dependencies: Vec<_> = bom
        .depends
        .into_iter()
        .map(|(from, on)| {
            if on.is_empty() {
                json!({"ref": from})
            } else {
                json!({"ref": from, "dependsOn": on})
            }
        })
        .collect();
    // What is not rendered may hold more (CycloneDX 1.6 `compositions[].aggregate`).
    let aggregate = if report.not_rendered.is_empty() {
        "unknown"
    } else {
        "incomplete"
    };
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")}]},
        },
        "components": components,
        "services": bom.services.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies,
        "compositions": [{"aggregate": aggregate}],
    });
    write_json(&mut out, &document, DEPTH)?;
    out.flush()
}

#[derive(Default)]
struct Bom {
    models: BTreeMap<String, Value>,
    assets: Vec<Value>,
    services: BTreeMap<String, Value>,
    depends: BTreeMap<String, BTreeSet<String>>,
}

impl Bom {
    fn add(&mut self, report: &AssetReport, asset: &AssetEntry) {
        // One object may stand in several views with different facts; references must differ.
        let base = format!("asset:{}/{}/{}", asset.kind, asset.namespace, asset.name);
        let mut reference = base.clone();
        let mut copies = 1;
        while self.depends.contains_key(&reference) {
            copies += 1;
            reference = format!("{base}#{copies}");
        }
        let mut on = BTreeSet::new();
        for model in &asset.refs {
            let key = format!("model:{}", model.value.uri);
            self.models
                .entry(key.clone())
                .or_insert_with(|| model_component(&key, &model.value));
            self.depends.entry(key.clone()).or_default();
            on.insert(key);
        }
        for provider in &asset.providers {
            let (host, name) = &provider.value;
            let key = format!("provider:{host}");
            self.services.entry(key.clone()).or_insert_with(|| {
                json!({"bom-ref": key, "name": name, "endpoints": [format!("https://{host}")], "x-trust-boundary": true})
            });
            self.depends.entry(key.clone()).or_default();
            on.insert(key);
        }
        self.assets.push(asset_component(report, asset, &reference));
        self.depends.insert(reference, on);
    }
}

fn property(name: &str, value: impl Into<String>) -> Value {
    json!({"name": format!("meshgov:{name}"), "value": value.into()})
}

fn asset_component(report: &AssetReport, asset: &AssetEntry, reference: &str) -> Value {
    let mut properties = vec![
        property("class", asset.class.as_str()),
        property("score", format!("{:.2}", asset.score)),
        property("kind", asset.kind.as_str()),
        property("namespace", asset.namespace.as_str()),
        property("exposure", asset.exposure.as_str()),
        property("grade", asset.grade.letter().sign().to_string()),
    ];
    for (sign, component) in asset.grade.components() {
        properties.push(property(&format!("grade-{sign}"), component.shown()));
    }
    for (name, text) in [
        ("product", asset.product),
        ("service-account", asset.service_account.as_str()),
    ] {
        if !text.is_empty() {
            properties.push(property(name, text));
        }
    }
    for (name, stated) in [
        ("owner", &asset.owner),
        ("classification", &asset.classification),
    ] {
        if let Some(stated) = stated {
            properties.push(property(name, stated.value.as_str()));
        }
    }
    properties.extend(asset.images.iter().map(|i| property("image", i.as_str())));
    let mut component = Map::new();
    component.insert("type".into(), json!("application"));
    component.insert("bom-ref".into(), json!(reference));
    component.insert("name".into(), json!(asset.reference()));
    component.insert("properties".into(), Value::Array(properties));
    if let Some(file) = report.sources.get(asset.span.source) {
        let line = file.position(asset.span.start).line;
        let occurrence = json!({"location": file.path, "line": line});
        component.insert("evidence".into(), json!({"occurrences": [occurrence]}));
    }
    Value::Object(component)
}

fn model_component(reference: &str, model: &ModelRef) -> Value {
    let mut component = Map::new();
    component.insert("type".into(), json!("machine-learning-model"));
    component.insert("bom-ref".into(), json!(reference));
    if !model.owner.is_empty() {
        component.insert("publisher".into(), json!(model.owner));
    }
    let name = if model.name.is_empty() {
        &model.uri
    } else {
        &model.name
    };
    component.insert("name".into(), json!(name));
    if !model.revision.is_empty() {
        component.insert("version".into(), json!(model.revision));
    }
    if let Some(hex) = model.digest.strip_prefix("sha256:")
        && hex.len() == 64
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
    {
        let hash = json!({"alg": "SHA-256", "content": hex});
        component.insert("hashes".into(), json!([hash]));
    }
    if let Some(purl) = purl(model) {
        component.insert("purl".into(), json!(purl));
    }
    let properties = [
        property("uri", model.uri.as_str()),
        property("pin", model.pin.as_str()),
    ];
    component.insert("properties".into(), json!(properties));
    Value::Object(component)
}

/// `pkg:huggingface/owner/name@commit`; the type asks for the commit as version, so other references carry none.
fn purl(model: &ModelRef) -> Option<String> {
    (model.scheme == "hf" && !model.owner.is_empty() && !model.name.is_empty()).then(|| {
        let commit = match model.pin {
            crate::asset::Pin::Immutable => format!("@{}", model.revision.to_ascii_lowercase()),
            _ => String::new(),
        };
        format!(
            "pkg:huggingface/{}/{}{commit}",
            percent_encoded(&model.owner),
            percent_encoded(&model.name)
        )
    })
}
