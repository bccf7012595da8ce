//! A secret appears in no output. One canary stands in every place where manifests hold secrets; the real binary runs every
//! command that prints manifests, in every format.

use std::fs;
use std::path::Path;

use super::{meshgov, text};

/// Looks like nothing: only its place says that it is secret.
const CANARY: &str = "cAnArY7q2Zx9vB4";
/// Looks like a provider's key: secret wherever it stands.
const TOKEN: &str = "sk-ant-api03-cAnArY7q2Zx9vB4LmNp7TvWx4Yb1C";

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Path and text of every file; each trips at least one rule at the place of its secret, so that reports show the place.
fn files() -> Vec<(&'static str, String)> {
    let data = base64(CANARY);
    let token_data = base64(TOKEN);
    vec![
        (
            "pod.yaml",
            format!(
                "apiVersion: v1
kind: Pod
metadata:
  name: app
  namespace: web
  labels: {{istio-injection: enabled}}
  annotations:
    example.com/api-key: {CANARY}
    example.com/note: \"log in with password={CANARY} please\"
    example.com/hook: https://bot:{CANARY}@hooks.example.com/x
    example.com/raw: {TOKEN}
    kubectl.kubernetes.io/last-applied-configuration: |
      {{\"kind\":\"Pod\",\"spec\":{{\"containers\":[{{\"env\":[{{\"name\":\"OPENAI_API_KEY\",\"value\":\"{CANARY}\"}}]}}]}}}}
spec:
  containers:
    - name: app
      image: ghcr.io/acme/app:1
      command: [sh, -c, \"export HF_TOKEN={CANARY}; vllm serve m --api-key {CANARY} --trust-remote-code\"]
      args:
        - --api-key={CANARY}
        - --api-key
        - {CANARY}
        - --openai-token
        - {TOKEN}
      env:
        - name: OPENAI_API_KEY
          value: {CANARY}
        - {{name: ANTHROPIC_API_KEY, value: {TOKEN}}} # was {CANARY}? no: api_key={CANARY} and {TOKEN}
        - name: OPENAI_BASE_URL
          value: http://user:{CANARY}@api.openai.com/v1
        - name: DATABASE_URL
          value: postgres://app:{CANARY}@db/app
        - name: WHATEVER
          value: {TOKEN}
"
            ),
        ),
        (
            "secret.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: keys, namespace: web}}\ndata:\n  anything: {data}\n  token: {token_data}\n\
                 stringData:\n  some: {CANARY}\n  block: |\n    {CANARY}\n  url: http://x:{CANARY}@y\n"
            ),
        ),
        (
            "list.json",
            format!(
                r#"{{"apiVersion":"v1","kind":"List","items":[{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"l","namespace":"web"}},"stringData":{{"a":"{CANARY}"}}}},{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c","namespace":"web"}},"data":{{"OPENAI_API_KEY":"{TOKEN}","db.password":"{CANARY}"}}}}]}}"#
            ),
        ),
        (
            "configmap.yaml",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: litellm, namespace: web}}\ndata:\n  config.yaml: |\n    general_settings:\n      \
                 master_key: {TOKEN}\n      database_password: {CANARY}\n  app.properties: |\n    spring.datasource.password={CANARY}\n"
            ),
        ),
        (
            "route.yaml",
            format!(
                "apiVersion: aigateway.envoyproxy.io/v1alpha1\nkind: MCPRoute\nmetadata: {{name: tools, namespace: web}}\nspec:\n  backendRefs:\n    - name: github\n      \
                 securityPolicy:\n        apiKey:\n          inline: {CANARY}\n"
            ),
        ),
        (
            "custom.yaml",
            format!(
                "apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: t, namespace: web}}\nspec:\n  clientSecret: {CANARY}\n  auth: {{password: {{value: {CANARY}}}}}\n  \
                 headers: [{{name: Authorization, value: \"Bearer {TOKEN}\"}}]\n"
            ),
        ),
        // Twice the same object and the same key, with unequal secrets: INPUT findings point at them.
        (
            "twice.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: keys, namespace: web}}\nstringData:\n  a: {CANARY}\n  a: {CANARY}x\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: keys, namespace: web}}\nstringData: {{b: {CANARY}}}\n"
            ),
        ),
        // Documents that cannot be read; messages and snippets show their lines.
        (
            "broken.yaml",
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: b}}\nstringData:\n  a: {CANARY}\n  b: \"{CANARY}\n---\nkind: Pod\nenv: {{OPENAI_API_KEY: {TOKEN}\n"),
        ),
        (
            "broken-line.yaml",
            format!("apiVersion: v1\nkind: Secret\nstringData:\n  password: {CANARY}: [{CANARY}\n"),
        ),
        ("template.yaml", format!("{{{{ if .x }}}}\napiVersion: v1\nkind: Secret\nstringData: {{a: {CANARY}}}\n{{{{ end }}}}\n")),
        // A silencer that is void is shown as it stands.
        (
            "silenced.yaml",
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: s # meshgov: ignore[NOPE001] reason=\"token={TOKEN}\"\n  namespace: web\n  annotations: {{meshgov.dev/ignore: \"XYZ {TOKEN}\"}}\n"),
        ),
    ]
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files() {
        fs::write(folder.path().join(path), content).unwrap();
    }
    folder
}

/// Every way in which the canary could be legible.
fn leak(printed: &str) -> Option<String> {
    let forms = [CANARY.to_owned(), base64(CANARY), base64(TOKEN)];
    let at = forms.iter().find_map(|form| printed.find(form.as_str()))?;
    let around = printed.get(at.saturating_sub(200)..).unwrap_or(printed);
    Some(around.chars().take(400).collect())
}

fn run(arguments: &[&str], cwd: &Path) -> String {
    let output = meshgov(arguments, cwd);
    let printed = text(&output);
    if let Some(around) = leak(&printed) {
        panic!("{arguments:?} prints the canary:\n{around}");
    }
    printed
}

#[test]
fn no_format_prints_a_secret() {
    let folder = tree();
    for format in ["human", "concise", "json", "sarif", "github", "markdown"] {
        for more in [
            &["--no-config"][..],
            &["--no-config", "--no-ignores", "--strict"],
        ] {
            let arguments = [&["check", "--format", format], more].concat();
            let printed = run(&arguments, folder.path());
            // The places are reported, so that silence is not what keeps the secret.
            // GitHub shows the first few only.
            let named = if format == "github" { 1 } else { 8 };
            for rule in [
                "AIKEY001", "AIKEY002", "AIKEY003", "AIKEY006", "AIEGR001", "INPUT001", "INPUT002",
                "INPUT010",
            ]
            .into_iter()
            .take(named)
            {
                assert!(
                    printed.contains(rule),
                    "{format} does not name {rule}:\n{printed}"
                );
            }
        }
    }
}

#[test]
fn no_expression_reads_a_secret() {
    let folder = tree();
    for expression in [
        "object",
        "string(object)",
        "object.data",
        "object.stringData.some",
        "object.spec.containers[0].env.map(e, e.value)",
        "object.spec.containers[0].args.join(' ')",
        "object.spec.containers[0].command[2]",
        "object.metadata.annotations",
        "object.spec.backendRefs[0].securityPolicy.apiKey.inline + 'x'",
        "object.stringData.some.size()",
        "object.spec.clientSecret.startsWith('cAn')",
    ] {
        for more in [&["--no-config"][..], &["--no-config", "--trace"]] {
            let arguments = [&["eval", expression], more].concat();
            run(&arguments, folder.path());
        }
    }
}

#[test]
fn nothing_a_rule_file_holds_is_printed_by_mistake() {
    // Rules are no manifests: their texts are shown. What they say of a secret is a reference to it all the same.
    let folder = tree();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(
        folder.path().join("rules/OWN001-own-rule.yaml"),
        "id: OWN001\nsummary: tells everything it sees\nseverity: high\nconfidence: high\nsince: 0.1.0\nsubject: resource\nmatch: [\"*\"]\n\
         validations:\n  - expression: 'false'\n    messageExpression: 'string(object)'\n",
    )
    .unwrap();
    for format in ["human", "concise", "json", "sarif", "github", "markdown"] {
        run(
            &[
                "check",
                "--no-config",
                "--rules",
                "rules",
                "--format",
                format,
            ],
            folder.path(),
        );
    }
}
