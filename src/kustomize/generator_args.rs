//! L2: entries of `configMapGenerator` and `secretGenerator`. Input: located YAML; output: `GeneratorArgs`.

use crate::kustomize::decode::{Field, Text, fields};
use crate::kustomize::error::KustomizeError;
use crate::source::Span;
use crate::yaml::NodeRef;

/// `generatorOptions:` or the `options:` of one generator.
#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: Vec<(Text, Text)>,
    pub(crate) annotations: Vec<(Text, Text)>,
    pub(crate) disable_hash: bool,
    /// Where `immutable: true` stands.
    pub(crate) immutable: Option<Span>,
}

impl GeneratorOptions {
    /// Fills in what the kustomization says for all its generators (api v0.18.0, types/generatoroptions.go).
    pub(crate) fn with_global(mut self, global: Option<&Self>) -> Self {
        let Some(global) = global else {
            return self;
        };
        fill(&mut self.labels, &global.labels);
        fill(&mut self.annotations, &global.annotations);
        self.disable_hash |= global.disable_hash;
        self.immutable = self.immutable.or(global.immutable);
        self
    }
}

fn fill(local: &mut Vec<(Text, Text)>, global: &[(Text, Text)]) {
    for pair in global {
        if !local.iter().any(|(key, _)| key.text == pair.0.text) {
            local.push(pair.clone());
        }
    }
    local.sort_by(|a, b| a.0.text.cmp(&b.0.text));
}

/// What to do with an object of the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// It must not exist.
    Create,
    /// It is replaced.
    Replace,
    /// Its data is extended.
    Merge,
}

/// One generator.
#[derive(Clone, Debug)]
pub(crate) struct GeneratorArgs {
    /// The entry.
    pub(crate) span: Span,
    pub(crate) name: Option<Text>,
    pub(crate) namespace: Option<Text>,
    pub(crate) behavior: Behavior,
    pub(crate) secret_type: Option<Text>,
    pub(crate) literals: Vec<Text>,
    pub(crate) files: Vec<Text>,
    pub(crate) envs: Vec<Text>,
    pub(crate) options: GeneratorOptions,
}

/// Reads one generator.
pub(crate) fn generator(node: NodeRef<'_>, path: &str) -> Result<GeneratorArgs, KustomizeError> {
    let known = [
        "name",
        "namespace",
        "behavior",
        "type",
        "literals",
        "files",
        "envs",
        "env",
        "options",
    ];
    // `type` belongs to secrets alone.
    let known = if path.eq_ignore_ascii_case("secretGenerator") {
        known.to_vec()
    } else {
        known.into_iter().filter(|k| *k != "type").collect()
    };
    let mut args = GeneratorArgs {
        span: node.span(),
        name: None,
        namespace: None,
        behavior: Behavior::Create,
        secret_type: None,
        literals: Vec::new(),
        files: Vec::new(),
        envs: Vec::new(),
        options: GeneratorOptions::default(),
    };
    let mut env = None;
    for field in fields(node, path, &known)? {
        match field.name {
            "name" => args.name = Some(field.string()?).filter(|t| !t.text.is_empty()),
            "namespace" => args.namespace = Some(field.string()?).filter(|t| !t.text.is_empty()),
            "behavior" => {
                args.behavior = match field.string()?.text.as_str() {
                    "replace" => Behavior::Replace,
                    "merge" => Behavior::Merge,
                    _ => Behavior::Create,
                }
            }
            "type" => args.secret_type = Some(field.string()?).filter(|t| !t.text.is_empty()),
            "literals" => args.literals = field.strings()?,
            "files" => args.files = field.strings()?,
            "envs" => args.envs = field.strings()?,
            "env" => env = Some(field.string()?).filter(|t| !t.text.is_empty()),
            _ => args.options = options(&field)?,
        }
    }
    args.envs.extend(env);
    Ok(args)
}

/// Reads generator options.
pub(crate) fn options(field: &Field<'_>) -> Result<GeneratorOptions, KustomizeError> {
    let known = [
        "labels",
        "annotations",
        "disableNameSuffixHash",
        "immutable",
    ];
    let mut options = GeneratorOptions::default();
    for field in fields(field.value, &field.path, &known)? {
        match field.name {
            "labels" => options.labels = field.pairs()?,
            "annotations" => options.annotations = field.pairs()?,
            "disableNameSuffixHash" => options.disable_hash = field.boolean()?,
            _ => {
                options.immutable = Some(field.value.span()).filter(|_| field.boolean() == Ok(true))
            }
        }
    }
    Ok(options)
}
