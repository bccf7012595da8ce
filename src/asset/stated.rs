//! Models that containers name. Input: pod templates; output: model references in flags, variables and image volumes.

use crate::asset::model_ref::ModelRef;
use crate::asset::signal::variables;
use crate::pods::{PodTemplate, Shape};
use crate::yaml::NodeRef;

/// Flags whose value is a model.
const FLAGS: &[&str] = &[
    "--model",
    "--model-id",
    "--model-path",
    "--model-repository",
    "--model_base_path",
    "--model-dir",
];

/// Commands whose next word that is no flag is a model; the scheme is for names without one.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("vllm", "serve", "hf"),
    ("hf", "download", "hf"),
    ("huggingface-cli", "download", "hf"),
    ("ollama", "pull", "ollama"),
    ("ollama", "run", "ollama"),
];

/// Variables whose value is a model.
const VARIABLES: &[&str] = &[
    "MODEL_ID",
    "MODEL_STORAGE_URI",
    "STORAGE_URI",
    "HF_MODEL_ID",
];

/// References of a pod's containers and image volumes, in order, each once, with the node that states it.
#[must_use]
pub fn stated<'t>(template: &PodTemplate<'t>) -> Vec<(ModelRef, NodeRef<'t>)> {
    let mut found: Vec<(ModelRef, NodeRef<'t>)> = Vec::new();
    let mut add = |model: ModelRef, node: NodeRef<'t>| {
        if !model.uri.is_empty() && !found.iter().any(|(known, _)| known.uri == model.uri) {
            found.push((model, node));
        }
    };
    for container in template.containers().map(|c| c.node) {
        for (uri, node) in of_words(container) {
            add(ModelRef::parse(resolved(container, &uri)), node);
        }
        if is_dataset(container) {
            continue;
        }
        for variable in variables(container) {
            if VARIABLES.contains(&variable.name)
                && let Some(value) = variable.value
                && let Some(text) = value.as_str()
            {
                add(ModelRef::parse(text), value);
            }
        }
    }
    if template.shape != Shape::Container {
        let volumes = template.spec.get("volumes").into_iter();
        for node in volumes
            .flat_map(NodeRef::items)
            .filter_map(|volume| volume.at(&["image", "reference"]))
        {
            if let Some(text) = node.as_str() {
                add(ModelRef::parse(&format!("oci://{text}")), node);
            }
        }
    }
    found
}

/// The literal value of the variable that a reference consists of: `$(MODEL)`, `${MODEL}`, `$MODEL`.
fn resolved<'a>(container: NodeRef<'a>, text: &'a str) -> &'a str {
    let Some(name) = text.strip_prefix('$') else {
        return text;
    };
    let name = name.trim_matches(['(', ')', '{', '}']);
    let value = variables(container)
        .find(|variable| variable.name == name)
        .and_then(|variable| variable.value?.as_str());
    value.unwrap_or(text)
}

/// Kubeflow Trainer's initializer reads `STORAGE_URI` too, but what it fetches is training data
/// (kubeflow/trainer `pkg/initializers/dataset`).
fn is_dataset(container: NodeRef<'_>) -> bool {
    crate::asset::signal::image_name(container)
        .is_some_and(|(image, _)| image.ends_with("dataset-initializer"))
}

/// Words of command and arguments, shell strings split at blanks, each with the node that holds it.
fn words<'t>(container: NodeRef<'t>) -> Vec<(&'t str, NodeRef<'t>)> {
    let nodes = ["command", "cmd", "args"]
        .into_iter()
        .filter_map(|field| container.get(field));
    // Ollama pulls its models once it runs.
    let started = container.at(&["lifecycle", "postStart", "exec", "command"]);
    nodes
        .chain(started)
        .flat_map(|node| {
            let single = (!node.is_seq()).then_some(node);
            single.into_iter().chain(node.items())
        })
        .flat_map(|node| {
            node.text()
                .split([' ', '\n', '\t', ';', '&', '|', '"', '\''])
                .filter(|word| !word.is_empty() && *word != "\\")
                .map(move |word| (word, node))
        })
        .collect()
}

fn of_words<'t>(container: NodeRef<'t>) -> Vec<(String, NodeRef<'t>)> {
    let words = words(container);
    let at = |i: usize| words.get(i).map_or("", |(word, _)| *word);
    let revision = words.iter().enumerate().find_map(|(i, (word, _))| {
        word.strip_prefix("--revision=")
            .or_else(|| (*word == "--revision").then(|| at(i + 1)))
    });
    let pinned = |uri: String| match revision {
        Some(revision) if uri.starts_with("hf://") => format!("{uri}:{revision}"),
        _ => uri,
    };
    let mut found = Vec::new();
    for (i, &(word, node)) in words.iter().enumerate() {
        let flag = FLAGS.iter().find_map(|flag| {
            let rest = word.strip_prefix(flag)?;
            if rest.is_empty() {
                Some(at(i + 1))
            } else {
                rest.strip_prefix('=')
            }
        });
        // `{{ .Name }}` is a placeholder with blanks.
        if let Some(value) = flag.filter(|v| !v.starts_with('-') && *v != "{{") {
            found.push((pinned(ModelRef::parse(value).uri), node));
        } else if word.starts_with("hf://") {
            found.push((word.to_owned(), node));
        }
        let command = COMMANDS
            .iter()
            .find(|(program, verb, _)| is_program(word, program) && at(i + 1) == *verb);
        if let Some((_, _, scheme)) = command {
            let named = words
                .get(i + 2..)
                .unwrap_or_default()
                .iter()
                // Values of flags cannot be told from the model: a word right after the verb, or one that looks like a path.
                .enumerate()
                .find(|(i, (word, _))| !word.starts_with('-') && (*i == 0 || word.contains('/')))
                .map(|(_, named)| named);
            if let Some(&(value, node)) = named {
                found.push((pinned(with_scheme(value, scheme)), node));
            }
        }
    }
    found
}

fn is_program(word: &str, program: &str) -> bool {
    word.rsplit('/').next() == Some(program)
}

fn with_scheme(value: &str, scheme: &str) -> String {
    if value.contains("://") || value.starts_with(['/', '.', '$', '{']) {
        value.to_owned()
    } else {
        format!("{scheme}://{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId};
    use std::sync::Arc;

    fn uris(container: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{container}]}}\n"
        );
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
        let loaded = crate::load::load_text(&source);
        crate::pods::templates(&loaded.resources[0])
            .iter()
            .flat_map(stated)
            .map(|(model, _)| model.uri)
            .collect()
    }

    #[test]
    fn flags_and_commands_name_models() {
        assert_eq!(
            uris(r#"{name: a, args: ["--model=acme/chat", "--revision", "v2"]}"#),
            ["hf://acme/chat:v2"]
        );
        assert_eq!(
            uris(r#"{name: a, command: [sh, -c, "vllm serve --port 80 acme/chat && echo"]}"#),
            ["hf://acme/chat"]
        );
        assert_eq!(
            uris(r#"{name: a, command: [vllm, serve, acme/chat]}"#),
            ["hf://acme/chat"]
        );
        assert_eq!(
            uris(r#"{name: a, command: [ollama, pull, "llama3:8b"]}"#),
            ["ollama://llama3:8b"]
        );
        assert_eq!(
            uris(r#"{name: a, args: ["hf://acme/chat:v2", /mnt/models]}"#),
            ["hf://acme/chat:v2"]
        );
        assert_eq!(
            uris(r#"{name: a, env: [{name: MODEL_ID, value: acme/embed}]}"#),
            ["hf://acme/embed"]
        );
    }

    #[test]
    fn a_variable_stands_for_its_value() {
        let with = |args: &str| {
            uris(&format!(
                r#"{{name: a, args: ["--model={args}"], env: [{{name: MODEL, value: acme/chat}}]}}"#
            ))
        };
        assert_eq!(with("$(MODEL)"), ["hf://acme/chat"]);
        assert_eq!(with("${MODEL}"), ["hf://acme/chat"]);
        assert_eq!(with("$(OTHER)"), ["$(OTHER)"]);
    }

    #[test]
    fn placeholders_and_datasets_are_no_models() {
        assert!(uris(r#"{name: a, args: ["--model {{ .Spec.Model.Name }}"]}"#).is_empty());
        let fetches = |image: &str| {
            uris(&format!(
                "{{name: a, image: {image}, env: [{{name: STORAGE_URI, value: hf://acme/x}}]}}"
            ))
        };
        assert!(fetches("ghcr.io/kubeflow/trainer/dataset-initializer").is_empty());
        assert_eq!(
            fetches("ghcr.io/kubeflow/trainer/model-initializer"),
            ["hf://acme/x"]
        );
    }
}
