//! Access grades: each file of `testdata/asset/scenarios` says in `# grade: Kind:namespace/name LETTER W U O B K` what an asset has, and from the
//! best one every single step down lowers the one component it should.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::path::Path;
use std::sync::Arc;

use meshgov::facts::Assumptions;
use meshgov::load;
use meshgov::query::assets;
use meshgov::source::{SourceFile, SourceId, Sources};
use meshgov::view::{Member, Namespace, View};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/asset/scenarios")
}

/// `LETTER W? U? O? B? K?` of one asset.
fn grade(text: &str, reference: &str) -> String {
    let source = Arc::new(SourceFile::new(SourceId(0), "s.yaml", text));
    let members = load::load_text(&source)
        .resources
        .into_iter()
        .map(|resource| Member {
            namespace: match (&resource.namespace, resource.kind()) {
                (_, "Namespace") => Namespace::Cluster,
                (Some(name), _) => Namespace::Named(name.as_str().into()),
                (None, _) => Namespace::Unset,
            },
            resource,
        });
    let view = View::new("case".into(), "test".into(), members.collect(), Vec::new());
    let report = assets::assets(
        &[Arc::new(view)],
        &Assumptions::default(),
        Sources::default(),
    );
    let named = |a: &&assets::AssetEntry| format!("{}:{}", a.kind, a.reference()) == reference;
    let asset = report.assets.iter().find(named).unwrap();
    let mut words = vec![asset.grade.letter().sign().to_string()];
    for (sign, component) in asset.grade.components() {
        let shown = component.shown();
        words.push(match shown.as_str() {
            range if range.starts_with('?') => format!("{sign}?"),
            value => format!("{sign}{value}"),
        });
    }
    words.join(" ")
}

/// Reference and grade of a file's second or third line.
fn expected(text: &str) -> (&str, &str) {
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("# grade: "))
        .unwrap();
    line.split_once(' ').unwrap()
}

#[test]
fn every_scenario_has_the_grade_it_says() {
    let mut letters = String::new();
    let mut wrong = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let (reference, want) = expected(&text);
        let got = grade(&text, reference);
        if got != want {
            wrong.push(format!("{}: want {want}, got {got}", path.display()));
        }
        letters.push_str(&want[..1]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(files.len(), 11);
    assert!("ABCDF?".chars().all(|l| letters.contains(l)), "{letters}");
}

/// One thing taken away: words, what stands there, what takes its place, the grade afterwards, and the components that may change.
type Step = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const CLAIMS: &str = "    authorization: {team: {patternMatching: {patterns: [{predicate: 'auth.identity.groups.exists(g, g == \"chat\")'}]}}}\n";

/// From the best server. Whoever may call beside the gateway is not limited by it, so that a wider W takes B along.
#[rustfmt::skip]
const SERVER: &[Step] = &[
    ("the gateway's whole namespace may call", "principals: [cluster.local/ns/gw/sa/ai-istio]", "namespaces: [gw]", "B W3 U4 O2 B3 K3", "W"),
    ("four namespaces may call", "principals: [cluster.local/ns/gw/sa/ai-istio]", "namespaces: [gw, a, b, c]", "C W2 U4 O2 B? K3", "WB"),
    ("every mesh workload may call", "principals: [cluster.local/ns/gw/sa/ai-istio]", "principals: ['*']", "D W1 U4 O2 B0 K3", "WB"),
    ("nobody asks who calls", "    - from: [{source: {principals: [cluster.local/ns/gw/sa/ai-istio]}}]\n      to:", "    - to:", "D W1 U4 O2 B0 K3", "WB"),
    ("the pods are outside the mesh", "labels: {istio-injection: enabled}", "labels: {istio-injection: disabled}", "F W0 U4 O0 B0 K3", "WOB"),
    ("no claim decides", CLAIMS, "", "B W4 U2 O2 B3 K3", "U"),
    ("a token is optional", "{idp: {jwt: {issuerUrl: \"https://idp.example.com\"}}}", "{idp: {jwt: {issuerUrl: \"https://idp.example.com\"}}, nobody: {anonymous: {}}}", "B W4 U1 O2 B3 K3", "U"),
    ("no token is asked for", "kind: AuthPolicy", "kind: Other", "B W4 U0 O2 B3 K3", "U"),
    ("everything below a path", "paths: [/v1/chat/completions]", "paths: [/v1/*]", "B W4 U4 O1 B3 K3", "O"),
    ("every path", "methods: [POST], paths: [/v1/chat/completions]", "methods: [POST]", "C W4 U4 O0 B3 K3", "O"),
    ("a budget that callers choose", "expression: auth.identity.sub", "expression: request.headers.x-user", "B W4 U4 O2 B2 K3", "B"),
    ("one budget for all", ", counters: [{expression: auth.identity.sub}]", "", "B W4 U4 O2 B1 K3", "B"),
    ("no budget", "kind: TokenRateLimitPolicy", "kind: Other", "C W4 U4 O2 B0 K3", "B"),
    ("the key is fetched once", "refreshInterval: 1h", "refreshInterval: \"0\"", "C W4 U4 O2 B3 K1", "K"),
    ("the key stands in the manifest", "valueFrom: {secretKeyRef: {name: hub, key: token}}", "value: hf_QqZ7tVbN3mKxWc9RfLpY2sDgHjUaEoTi", "F W4 U4 O2 B3 K0", "K"),
];

/// From the best AI gateway, whose W the files leave open: who holds a client certificate is for the authority that signs it.
#[rustfmt::skip]
const GATEWAY: &[Step] = &[
    ("no client certificate", "    clientValidation: {caCertificateRefs: [{name: clients}]}\n", "    minVersion: \"1.3\"\n", "F W0 U4 O3 B4 K4", "W"),
    ("no claim decides", "  authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {jwt: {provider: idp, claims: [{name: team, values: [chat]}]}}}]}\n", "", "? W? U3 O3 B4 K4", "U"),
    ("nobody authenticates users, nor fills the header", "kind: SecurityPolicy", "kind: Other", "? W? U0 O3 B2 K4", "UB"),
    ("a token is optional", "  jwt:\n", "  jwt:\n    optional: true\n", "? W? U1 O3 B4 K4", "U"),
    ("a rule takes every model", "    - matches: [{headers: [{name: x-ai-eg-model, value: small}]}]\n      backendRefs: [{name: bedrock}]\n", "    - backendRefs: [{name: bedrock}]\n", "? W? U4 O1 B4 K4", "O"),
    ("one budget for all models", "                - {name: x-ai-eg-model, value: small}\n", "", "? W? U4 O3 B3 K4", "B"),
    ("a budget that callers choose", "          claimToHeaders: [{header: x-user, claim: sub}]\n", "", "? W? U4 O3 B2 K4", "B"),
    ("the limit adds up what no route writes", "metadataKey: total", "metadataKey: tokens", "? W? U4 O3 B0 K4", "B"),
    ("no budget", "kind: BackendTrafficPolicy", "kind: Other", "? W? U4 O3 B0 K4", "B"),
    ("a static key", "    oidcExchangeToken: {awsRoleArn: \"arn:aws:iam::1:role/llm\"}\n", "    credentialsFile: {secretRef: {name: aws}}\n", "? W? U4 O3 B4 K2", "K"),
];

/// Takes each step from a scenario and holds the grade against what the step says.
fn descend(file: &str, steps: &[Step]) {
    let best = std::fs::read_to_string(folder().join(file)).unwrap();
    let (reference, top) = expected(&best);
    assert_eq!(grade(&best, reference), top);
    let mut wrong = Vec::new();
    for (words, from, to, want, may) in steps {
        assert_eq!(best.matches(from).count(), 1, "{words}");
        let got = grade(&best.replace(from, to), reference);
        if got != *want {
            wrong.push(format!("{words}: want {want}, got {got}"));
        }
        let components = |grade: &'static str| grade.split(' ').skip(1);
        let top: Vec<&str> = top.split(' ').skip(1).collect();
        let changed: String = top
            .iter()
            .zip(components(want))
            .filter(|(a, b)| *a != b)
            .map(|(a, _)| &a[..1])
            .collect();
        assert_eq!(changed, *may, "{words}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_step_down_lowers_what_it_should() {
    descend("best.yaml", SERVER);
    descend("gateway-best.yaml", GATEWAY);
}

/// A server behind an Ingress, in a namespace without a mesh.
const BEHIND_INGRESS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, namespace: ml}
spec:
  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
        - {name: main, image: vllm/vllm-openai:v1, ports: [{containerPort: 8000}]}
        - {name: login, image: quay.io/oauth2-proxy/oauth2-proxy:v7, args: [--upstream=http://127.0.0.1:8000], ports: [{containerPort: 4180, name: login}]}
---
apiVersion: v1
kind: Service
metadata: {name: chat, namespace: ml}
spec: {selector: {app: chat}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: chat, namespace: ml, annotations: {example.com/none: x}}
spec: {rules: [{http: {paths: [{backend: {service: {name: chat, port: {number: 80}}}}]}}]}
";

/// Words, what stands there, what takes its place, objects beside, and component U afterwards.
#[rustfmt::skip]
const USERS: &[(&str, &str, &str, &str, &str)] = &[
    ("nobody asks", "", "", "", "U0"),
    ("every Service leads to the proxy", "targetPort: 8000", "targetPort: login", "", "U3"),
    ("by its number", "targetPort: 8000", "targetPort: 4180", "", "U3"),
    ("the proxy stands beside the way", "args: [--upstream=http://127.0.0.1:8000]", "args: [--skip-auth-route=/v1]", "", "U0"),
    ("ingress-nginx asks an authorizer", "example.com/none: x", "nginx.ingress.kubernetes.io/auth-url: https://auth", "", "U?"),
    ("Kong checks a token", "example.com/none: x", "konghq.com/plugins: 'cors, jwt'", "apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: jwt, namespace: ml}\nplugin: jwt\n---\napiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: cors, namespace: ml}\nplugin: cors\n", "U2"),
    ("Kong's plugin is elsewhere", "example.com/none: x", "konghq.com/plugins: jwt", "", "U?"),
    ("Traefik asks for passwords", "example.com/none: x", "traefik.ingress.kubernetes.io/router.middlewares: ml-login@kubernetescrd", "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: login, namespace: ml}\nspec: {basicAuth: {secret: users}}\n", "U2"),
];

#[test]
fn users_prove_themselves_outside_a_mesh_too() {
    for (words, from, to, beside, want) in USERS {
        let text = format!("{}---\n{beside}", BEHIND_INGRESS.replace(from, to));
        let got = grade(&text, "Deployment:ml/chat");
        let user = got.split(' ').find(|w| w.starts_with('U')).unwrap();
        assert_eq!(user, *want, "{words}: {got}");
    }
}

/// A server with a key, and what its key is worth: words, its container's fields, objects beside, component K.
#[rustfmt::skip]
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("no key", "", "", "K-"),
    ("a literal", "env: [{name: HF_TOKEN, value: hf_QqZ7tVbN3mKxWc9RfLpY2sDgHjUaEoTi}]", "", "K0"),
    ("a static Secret", "env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: t}}}]", "", "K1"),
    ("an ExternalSecret that fetches once", "env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: t}}}]", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: hub, namespace: ml}\nspec: {refreshPolicy: CreatedOnce}\n", "K1"),
    ("one that refreshes, an hour by default", "env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: t}}}]", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: hub, namespace: ml}\nspec: {}\n", "K3"),
    ("one that is generated", "env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: t}}}]", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: hub, namespace: ml}\nspec: {refreshInterval: 30m, dataFrom: [{sourceRef: {generatorRef: {kind: VaultDynamicSecret, name: v}}}]}\n", "K4"),
    ("cert-manager renews it", "env: [{name: OPENAI_API_KEY, valueFrom: {secretKeyRef: {name: hub, key: tls.key}}}]", "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, namespace: ml}\nspec: {secretName: hub, duration: 24h, renewBefore: 8h}\n", "K3"),
    ("whole Secret, with a key in it", "envFrom: [{secretRef: {name: hub}}]", "apiVersion: v1\nkind: Secret\nmetadata: {name: hub, namespace: ml}\nstringData: {HF_TOKEN: x}\n", "K1"),
    ("whole Secret, without one", "envFrom: [{secretRef: {name: hub}}]", "apiVersion: v1\nkind: Secret\nmetadata: {name: hub, namespace: ml}\nstringData: {DATABASE: x}\n", "K-"),
    ("whole Secret, from elsewhere", "envFrom: [{secretRef: {name: hub}}]", "", "K?"),
];

#[test]
fn keys_are_worth_what_renews_them() {
    let server = |fields: &str, pod: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: chat, namespace: ml}}\nspec: {{template: {{spec: {{containers: [{{name: main, image: vllm/vllm-openai:v1, {fields}}}], {pod}}}}}}}\n"
        )
    };
    let key = |text: &str| {
        let grade = grade(text, "Deployment:ml/chat");
        grade.split(' ').next_back().unwrap().to_owned()
    };
    for (words, fields, beside, want) in KEYS {
        let text = format!("{}---\n{beside}", server(fields, ""));
        assert_eq!(key(&text), *want, "{words}");
    }
    let token = |more: &str| {
        let volume = format!(
            "volumes: [{{name: t, projected: {{sources: [{{serviceAccountToken: {{path: t{more}}}}}]}}}}]"
        );
        key(&server("", &volume))
    };
    // The API server's own tokens open no model.
    assert_eq!(token(""), "K-");
    assert_eq!(
        token(", audience: api.example.com, expirationSeconds: 600"),
        "K4"
    );
}

#[test]
fn a_listener_set_between_route_and_gateway_changes_no_grade() {
    let best = std::fs::read_to_string(folder().join("gateway-best.yaml")).unwrap();
    let (reference, top) = expected(&best);
    let set = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\nmetadata: {name: more, namespace: ai}\nspec: {parentRef: {name: ai}, listeners: [{name: https, protocol: HTTPS, port: 8443, tls: {certificateRefs: [{name: ai}]}}]}\n";
    let direct = "parentRefs: [{name: ai}]";
    assert!(best.contains(direct));
    let by_set = best.replace(direct, "parentRefs: [{name: more, kind: ListenerSet}]") + set;
    let allowed = by_set.replace(
        "gatewayClassName: envoy",
        "gatewayClassName: envoy\n  allowedListeners: {namespaces: {from: Same}}",
    );
    assert_eq!(grade(&allowed, reference), top);
    // A policy may name the set instead of the Gateway.
    let target = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: ai}]";
    let at_set = target.replace("Gateway, name: ai", "ListenerSet, name: more");
    assert_eq!(grade(&allowed.replace(target, &at_set), reference), top);
    // Of a set that is not in the view nobody knows the Gateway.
    let lost = best.replace(direct, "parentRefs: [{name: more, kind: ListenerSet}]");
    assert_eq!(grade(&lost, reference), "? W? U? O3 B? K4");
}

#[test]
fn a_route_of_openshift_leads_to_an_asset() {
    let (server, _) = BEHIND_INGRESS
        .split_once("---\napiVersion: networking.k8s.io")
        .unwrap();
    let user = |manifests: &str| {
        let grade = grade(manifests, "Deployment:ml/chat");
        grade.split(' ').nth(2).unwrap().to_owned()
    };
    let route = "---\napiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: chat, namespace: ml}\nspec: {to: {kind: Service, name: chat}}\n";
    assert_eq!(user(server), "U-");
    assert_eq!(user(&format!("{server}{route}")), "U0");
    let idle = route.replace("name: chat}}", "name: chat, weight: 0}}");
    assert_eq!(user(&format!("{server}{idle}")), "U-");
}
