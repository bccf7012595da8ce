//! L5: the config format as one table: what `Config` accepts and what `config schema` publishes.

use serde_json::{Value, json};

use crate::config::environments::FACTS;
use crate::rule::format::{CONFIDENCES, SEVERITIES};
use crate::shape::{Shape, list, map, one_of, optional, required, text};

/// The whole file.
#[must_use]
pub fn config() -> Shape {
    let gate: Vec<_> = SEVERITIES.iter().copied().chain(["never"]).collect();
    Shape::Object(vec![
        required(
            "version",
            Shape::Int(None, None),
            "version of this format: 1",
        ),
        optional(
            "views",
            map(list(text())),
            "objects applied to one cluster together: name to paths",
        ),
        optional(
            "environments",
            map(environments()),
            "applications whose environments are compared: name to what is known of them",
        ),
        optional(
            "assume",
            assume(),
            "facts that live outside the files; listed with every conclusion that rests on them",
        ),
        optional(
            "rules",
            map(rule()),
            "settings of single rules, by id or slug",
        ),
        optional(
            "select",
            list(text()),
            "run these rules only: ids, slugs or families",
        ),
        optional(
            "ignore",
            list(text()),
            "do not run these rules: ids, slugs or families",
        ),
        optional(
            "ignores",
            list(ignore()),
            "findings that are known and accepted",
        ),
        optional(
            "failOn",
            one_of(&gate),
            "least severity that fails a run; default high",
        ),
        optional(
            "failConfidence",
            one_of(CONFIDENCES),
            "least confidence that fails a run; default medium",
        ),
        optional(
            "workloads",
            list(workload()),
            "kinds that carry a pod template",
        ),
        optional(
            "render",
            list(render()),
            "commands that print manifests; run only where named here",
        ),
        optional(
            "expect",
            list(text()),
            "files of expectations that `check` evaluates too",
        ),
        optional("rulesDirs", list(text()), "folders with rules of your own"),
        optional(
            "baseline",
            text(),
            "file of accepted findings, written by `meshgov baseline create`",
        ),
    ])
}

fn rule() -> Shape {
    Shape::Object(vec![
        optional(
            "severity",
            one_of(SEVERITIES),
            "severity instead of the rule's own",
        ),
        optional("enabled", Shape::Bool, "whether the rule runs"),
        optional("params", Shape::Any, "parameter values"),
    ])
}

fn ignore() -> Shape {
    Shape::Object(vec![
        optional(
            "rule",
            text(),
            "id, slug or family; all rules when left out",
        ),
        optional("path", text(), "glob of paths, relative to the config"),
        optional("object", text(), "`[Kind:]namespace/name`, `*` allowed"),
        optional("until", text(), "last day it holds, YYYY-MM-DD"),
        required("reason", text(), "why the finding is accepted"),
    ])
}

fn environments() -> Shape {
    let difference = Shape::Object(vec![
        optional(
            "fact",
            one_of(FACTS),
            "which fact differs; any when left out",
        ),
        optional(
            "object",
            text(),
            "`[Kind:]namespace/name` as in production, `*` allowed",
        ),
        optional(
            "environments",
            list(text()),
            "environments it holds between; all when left out",
        ),
        optional("until", text(), "last day it holds, YYYY-MM-DD"),
        required("reason", text(), "why the environments are meant to differ"),
    ]);
    Shape::Object(vec![
        optional(
            "views",
            map(list(text())),
            "environment to one view of `views`, or to folders and files; when left out, the key is the name of an application that was found: `deploy/overlays/*`",
        ),
        optional(
            "production",
            list(text()),
            "environments that are production; when left out, those whose names say so",
        ),
        optional(
            "differences",
            list(difference),
            "differences that are meant",
        ),
    ])
}

fn workload() -> Shape {
    Shape::Object(vec![
        required("group", text(), "API group"),
        required("kind", text(), "kind"),
        required(
            "podTemplate",
            text(),
            "JSON pointer to the pod template: /spec/template; `*` is every item or entry",
        ),
    ])
}

fn render() -> Shape {
    Shape::Object(vec![
        required("name", text(), "name of the view or release it fills"),
        required(
            "command",
            list(text()),
            "program and arguments; it runs in the folder of the config",
        ),
        optional(
            "inputs",
            list(text()),
            "files and folders whose content decides the output; default: everything below the folder of the config",
        ),
        optional("namespace", text(), "namespace of what it prints"),
    ])
}

/// The `assume:` section; examples and rules use the same.
#[must_use]
pub fn assume() -> Shape {
    let namespace = Shape::Object(vec![optional(
        "labels",
        map(text()),
        "labels of the namespace",
    )]);
    Shape::Object(vec![
        optional(
            "complete",
            list(text()),
            "namespaces whose objects are all in the view; `root` for the mesh's root namespace",
        ),
        optional(
            "mesh",
            one_of(&["istio"]),
            "the mesh is there even without evidence",
        ),
        optional(
            "defaultNamespace",
            text(),
            "namespace of objects that name none",
        ),
        optional(
            "namespaces",
            map(namespace),
            "namespaces that live elsewhere",
        ),
        optional(
            "objects",
            list(text()),
            "files with objects that live elsewhere",
        ),
        optional(
            "istio",
            Shape::Object(vec![
                optional("rootNamespace", text(), "default istio-system"),
                optional("trustDomain", text(), "default cluster.local"),
                optional(
                    "trustDomainAliases",
                    list(text()),
                    "other names of the trust domain",
                ),
                optional(
                    "outboundTrafficPolicy",
                    one_of(&["ALLOW_ANY", "REGISTRY_ONLY"]),
                    "what a sidecar may call",
                ),
            ]),
            "the Istio installation",
        ),
        optional(
            "cni",
            Shape::Object(vec![optional(
                "enforcesNetworkPolicy",
                Shape::Bool,
                "whether the network plugin enforces NetworkPolicy",
            )]),
            "the network plugin",
        ),
    ])
}

/// JSON Schema of the config.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "meshgov.yaml",
    });
    if let (Value::Object(schema), Value::Object(shape)) = (&mut schema, config().to_json_schema())
    {
        schema.extend(shape);
    }
    schema
}
