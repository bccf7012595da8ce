//! L5: `meshgov.yaml`. Input: its text; output: `Config`, typed and checked against one table of shapes, or every problem
//! with its place.

pub mod assume;
pub mod environments;
pub mod find;
pub mod format;
pub mod ignores;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::facts::{Confidence, Severity};
use crate::pods::PodKind;
use crate::rule::{RuleSet, load};
use crate::shape::{Problem, nearest};
use crate::source::{SourceFile, SourceId};
use crate::yaml::{self, NodeRef, Parsed};

pub use environments::Environments;
pub use ignores::Ignore;

/// A config file as read; file references are relative to its folder.
#[derive(Debug, Default)]
pub struct Config {
    /// Text and path; `None` without a config.
    pub file: Option<Arc<SourceFile>>,
    /// The folder that paths in it are relative to; `None` without a config.
    pub folder: Option<PathBuf>,
    parsed: Option<Parsed>,
    /// Declared views: name to paths.
    pub views: BTreeMap<String, Vec<String>>,
    /// Applications whose environments are compared.
    pub environments: Vec<Environments>,
    /// Filters (ids, slugs, families) of the rules to run; empty = all.
    pub select: Vec<String>,
    /// Filters of the rules not to run.
    pub ignore: Vec<String>,
    /// Silenced findings.
    pub ignores: Vec<Ignore>,
    /// Least severity that fails a run, when set; the inner `None` is `never`.
    pub fail_on: Option<Option<Severity>>,
    /// Least confidence that fails a run, when set.
    pub fail_confidence: Option<Confidence>,
    /// Kinds that carry pods.
    pub workloads: Vec<PodKind>,
    /// Commands that render manifests.
    pub render: Vec<Render>,
    /// Expectation files.
    pub expect: Vec<String>,
    /// Folders with rules.
    pub rules_dirs: Vec<String>,
    /// File of accepted findings.
    pub baseline: Option<String>,
}

/// A command that prints manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Render {
    /// Name of the view or release.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Files and folders whose content decides what it prints; empty = everything below the folder of the config.
    pub inputs: Vec<String>,
    /// Namespace of what it prints.
    pub namespace: Option<String>,
}

/// What the config says about one rule.
#[derive(Clone, Debug, Default)]
pub struct Override {
    /// Another severity.
    pub severity: Option<Severity>,
    /// Whether the rule runs.
    pub enabled: Option<bool>,
    /// Parameter values, defaults included.
    pub params: Option<Map<String, Value>>,
}

impl Config {
    /// Reads a config.
    ///
    /// # Errors
    /// The user's: all problems found.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let file = Arc::new(SourceFile::new(SourceId(0), path, text));
        let parsed = yaml::parse(&file);
        let problem = |span, message: String| Problem {
            file: Arc::clone(&file),
            span,
            message,
            help: None,
        };
        if let Some(error) = parsed.errors.first() {
            return Err(vec![problem(error.span, error.kind.to_string())]);
        }
        let mut config = Self {
            file: Some(Arc::clone(&file)),
            ..Self::default()
        };
        let [document, rest @ ..] = parsed.documents.as_slice() else {
            return Ok(config);
        };
        let root = parsed.tree.node(document.root);
        let mut problems = Vec::new();
        format::config().check(root, &mut problems);
        if let Some(second) = rest.first() {
            let node = parsed.tree.node(second.root);
            problems.push(Problem::at(node, "a config has one document"));
        }
        if problems.is_empty() {
            config.read(root, &mut problems);
        }
        if problems.is_empty() {
            config.parsed = Some(parsed);
            Ok(config)
        } else {
            Err(problems)
        }
    }

    fn read(&mut self, root: NodeRef<'_>, problems: &mut Vec<Problem>) {
        if let Some(version) = root.get("version").filter(|v| v.as_i64() != Some(1)) {
            problems.push(
                Problem::at(
                    version,
                    format!("version `{}` is not known", version.text()),
                )
                .help("write `version: 1`"),
            );
        }
        self.views = root
            .get("views")
            .into_iter()
            .flat_map(NodeRef::entries)
            .map(|(name, paths)| (name.key_text().into_owned(), texts(Some(paths))))
            .collect();
        self.environments = root
            .get("environments")
            .into_iter()
            .flat_map(NodeRef::entries)
            .map(|(name, node)| environments::read(name, node, problems))
            .collect();
        self.select = texts(root.get("select"));
        self.ignore = texts(root.get("ignore"));
        self.expect = texts(root.get("expect"));
        self.rules_dirs = texts(root.get("rulesDirs"));
        self.baseline = root.get("baseline").map(|n| n.text().to_owned());
        self.fail_on = root.get("failOn").map(|n| load::word(n.text()));
        self.fail_confidence = root
            .get("failConfidence")
            .and_then(|n| load::word(n.text()));
        self.workloads = list(root, "workloads")
            .filter_map(|node| pod_kind(node, problems))
            .collect();
        self.render = list(root, "render").map(render).collect();
        for command in list(root, "render").filter_map(|node| node.get("command")) {
            if command.is_empty() {
                problems.push(Problem::at(command, "this command has no word").help(HELM));
            }
        }
        self.ignores = list(root, "ignores")
            .filter_map(|node| ignores::read(node, problems))
            .collect();
    }

    /// The `assume:` section.
    #[must_use]
    pub fn assume(&self) -> Option<NodeRef<'_>> {
        self.root()?.get("assume")
    }

    /// The whole mapping.
    #[must_use]
    pub fn root(&self) -> Option<NodeRef<'_>> {
        let parsed = self.parsed.as_ref()?;
        Some(parsed.tree.node(parsed.documents.first()?.root))
    }

    /// Settings of single rules by id, checked against the rules of this run.
    ///
    /// # Errors
    /// The user's: rules that do not exist, parameters that do not fit, filters that match nothing.
    pub fn overrides(&self, rules: &RuleSet) -> Result<BTreeMap<String, Override>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut found = BTreeMap::new();
        let root = self.root();
        for (key, node) in root
            .and_then(|r| r.get("rules"))
            .into_iter()
            .flat_map(NodeRef::entries)
        {
            let Some(rule) = rules.find(&key.key_text()) else {
                problems.push(no_rule(key, &key.key_text(), rules));
                continue;
            };
            found.insert(
                rule.info.id.clone(),
                Override {
                    severity: node.get("severity").and_then(|s| load::word(s.text())),
                    enabled: node.get("enabled").and_then(NodeRef::as_bool),
                    params: node
                        .get("params")
                        .map(|p| rule.params.overridden(p, &mut problems)),
                },
            );
        }
        for filter in ["select", "ignore"].iter().flat_map(|name| {
            root.and_then(|r| r.get(name))
                .into_iter()
                .flat_map(NodeRef::items)
        }) {
            if !rules.has(filter.text()) {
                problems.push(no_rule(filter, filter.text(), rules));
            }
        }
        for rule in root
            .into_iter()
            .flat_map(|r| list(r, "ignores"))
            .filter_map(|i| i.get("rule"))
        {
            if !rules.has(rule.text()) {
                problems.push(no_rule(rule, rule.text(), rules));
            }
        }
        if problems.is_empty() {
            Ok(found)
        } else {
            Err(problems)
        }
    }
}

fn no_rule(node: NodeRef<'_>, name: &str, rules: &RuleSet) -> Problem {
    let problem = Problem::at(node, format!("no rule, slug or family is called `{name}`"));
    match rules.nearest(name) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("`meshgov rules` lists them"),
    }
}

/// A row of `workloads`; the pointer is a JSON pointer (RFC 6901) with `*` for every item or entry.
fn pod_kind(node: NodeRef<'_>, problems: &mut Vec<Problem>) -> Option<PodKind> {
    let text = |name: &str| node.get(name).map_or("", NodeRef::text).to_owned();
    let pointer = node.get("podTemplate")?;
    let Some(path) = pointer.text().strip_prefix('/') else {
        let message = format!("`{}` is no JSON pointer", pointer.text());
        problems.push(Problem::at(pointer, message).help("write `/spec/template`"));
        return None;
    };
    Some(PodKind {
        group: text("group"),
        kind: text("kind"),
        path: path
            .split('/')
            .map(|s| s.replace("~1", "/").replace("~0", "~"))
            .collect(),
    })
}

/// An example of `render`'s `command`.
const HELM: &str = "write `[helm, template, ollama, charts/ollama]`";

fn render(node: NodeRef<'_>) -> Render {
    Render {
        name: node.get("name").map_or("", NodeRef::text).to_owned(),
        command: texts(node.get("command")),
        inputs: texts(node.get("inputs")),
        namespace: node.get("namespace").map(|n| n.text().to_owned()),
    }
}

fn list<'t>(root: NodeRef<'t>, name: &str) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    root.get(name).into_iter().flat_map(NodeRef::items)
}

fn texts(node: Option<NodeRef<'_>>) -> Vec<String> {
    node.into_iter()
        .flat_map(NodeRef::items)
        .map(|n| n.text().to_owned())
        .collect()
}

/// The nearest of some words, for flags.
#[must_use]
pub fn nearest_rule(filter: &str, rules: &RuleSet) -> Option<String> {
    rules
        .nearest(filter)
        .or_else(|| nearest(filter, []).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        Config::parse("meshgov.yaml", text)
            .unwrap_err()
            .iter()
            .map(|p| format!("{p} | {}", p.help.as_deref().unwrap_or("")))
            .collect()
    }

    #[test]
    fn a_full_config_is_read() {
        let config = Config::parse(
            "meshgov.yaml",
            "version: 1\nviews: {prod: [clusters/prod]}\nselect: [mtls]\nfailOn: medium\nfailConfidence: low\nworkloads: [{group: acme.dev, kind: Worker, podTemplate: /spec/template}]\nignores:\n  - {rule: MTLS001, path: legacy/**, reason: bridge, until: 2027-03-31}\n",
        )
        .unwrap();
        assert_eq!(config.views["prod"], ["clusters/prod"]);
        assert_eq!(config.fail_on, Some(Some(Severity::Medium)));
        assert_eq!(config.fail_confidence, Some(Confidence::Low));
        assert_eq!(*config.workloads[0].path, ["spec", "template"]);
        assert_eq!(config.ignores[0].reason, "bridge");
    }

    #[test]
    fn never_is_a_gate_that_nothing_fails() {
        let config = Config::parse("meshgov.yaml", "version: 1\nfailOn: never\n").unwrap();
        assert_eq!(config.fail_on, Some(None));
    }

    #[test]
    fn unknown_keys_name_the_nearest_and_their_place() {
        assert_eq!(
            problems("version: 1\nfail-on: high\nassume: {istio: {rootNamespce: '1.27'}}\n"),
            [
                "meshgov.yaml:2:1: unknown key `fail-on` | did you mean `failOn`?",
                "meshgov.yaml:3:18: unknown key `rootNamespce` | did you mean `rootNamespace`?"
            ]
        );
    }

    #[test]
    fn another_version_is_refused() {
        assert_eq!(
            problems("version: 2\n"),
            ["meshgov.yaml:1:10: version `2` is not known | write `version: 1`"]
        );
    }

    #[test]
    fn rules_named_must_exist_and_params_fit() {
        let mut rules = RuleSet::default();
        let rule = "id: ABC001\nsummary: s\nseverity: high\nconfidence: medium\nsince: 0.1.0\nsubject: tree\nparams: {days: {type: integer, default: 3}}\nvalidations: [{expression: 'true'}]\n";
        rules
            .add(
                [("ABC001-a-b.yaml", rule)].into_iter(),
                crate::rule::RuleSource::User,
            )
            .unwrap();
        let config = Config::parse(
            "meshgov.yaml",
            "version: 1\nignore: [xyz]\nrules:\n  ABC002: {enabled: false}\n  a-b: {severity: low, params: {days: many}}\n",
        )
        .unwrap();
        let found: Vec<_> = config
            .overrides(&rules)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "meshgov.yaml:4:3: no rule, slug or family is called `ABC002`",
                "meshgov.yaml:5:39: expected an integer, found a string",
                "meshgov.yaml:2:10: no rule, slug or family is called `xyz`",
            ]
        );
    }
}
