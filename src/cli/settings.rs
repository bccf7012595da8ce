//! L8: flags + config → what a run does. Input: flags and the config they lead to; output: `Settings`: rules with their
//! settings, checked once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::Io;
use crate::cli::tree::TreeSource;
use crate::config::{Config, Override, find};
use crate::error::Error;
use crate::evaluate::CompiledRule;
use crate::evaluate::engine::EngineRules;
use crate::resource::GroupKind;
use crate::rule::{Rule, RuleSet, RuleSource};
use crate::shape::Problem;
use crate::yaml::NodeRef;

/// Flags of every command that reads the config and rules.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ConfigFlags {
    /// Config file instead of the nearest meshgov.yaml upwards
    #[arg(
        long,
        value_name = "FILE",
        env = "MESHGOV_CONFIG",
        conflicts_with = "no_config"
    )]
    pub(super) config: Option<PathBuf>,
    /// Read no config file
    #[arg(long)]
    pub(super) no_config: bool,
    /// Run none of the commands that the config's `render` names
    #[arg(long)]
    pub(super) no_render: bool,
    /// Folder with rules of your own, besides the built-in ones (repeatable)
    #[arg(long, value_name = "DIR", env = "MESHGOV_RULES", value_delimiter = ',')]
    pub(super) rules: Vec<PathBuf>,
}

/// Which rules run.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct FilterFlags {
    /// Run these rules only: ids, slugs or families (repeatable); INPUT and META rules always run
    #[arg(
        long,
        value_name = "RULE",
        value_delimiter = ',',
        env = "MESHGOV_SELECT"
    )]
    pub(super) select: Vec<String>,
    /// Do not run these rules: ids, slugs or families (repeatable)
    #[arg(
        long,
        value_name = "RULE",
        value_delimiter = ',',
        env = "MESHGOV_IGNORE"
    )]
    pub(super) ignore: Vec<String>,
}

/// What holds for a run.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    /// All rules there are.
    pub(super) rules: RuleSet,
    overrides: BTreeMap<String, Override>,
    select: Vec<String>,
    ignore: Vec<String>,
    /// Where the config says the baseline is.
    pub(super) baseline: Option<PathBuf>,
}

/// Paths of `views` and `rulesDirs` where there is nothing: most are typing errors, and silence would hide what they leave out.
fn missing_paths(config: &Config, folder: &Path) -> Vec<Problem> {
    let section = |name| config.root().and_then(|root| root.get(name)).into_iter();
    let views = section("views").flat_map(NodeRef::entries);
    let paths = views.flat_map(|(_, paths)| paths.items());
    paths
        .chain(section("rulesDirs").flat_map(NodeRef::items))
        .filter(|path| !folder.join(path.text()).exists())
        .map(|path| {
            Problem::at(path, format!("no such file or folder: `{}`", path.text()))
                .help("paths count from the folder of this file")
        })
        .collect()
}

impl ConfigFlags {
    /// Reads the config and the rules it and the flags name.
    pub(super) fn settings(&self, filters: &FilterFlags, io: &Io<'_>) -> Result<Settings, Error> {
        self.settings_in(&TreeSource::Disk, filters, io)
    }

    /// The same as a tree has them: what it does not track is read from the disk when a flag names it.
    pub(super) fn settings_in(
        &self,
        tree: &TreeSource,
        filters: &FilterFlags,
        io: &Io<'_>,
    ) -> Result<Settings, Error> {
        let path = match &self.config {
            Some(path) => Some(io.cwd.join(path)),
            None if self.no_config => None,
            None => find::nearest_config(&io.cwd, |path| match tree {
                TreeSource::Disk => path.is_file(),
                TreeSource::Git(_) => tree.has(io, path),
            }),
        };
        let mut config = match &path {
            None => Config::default(),
            Some(path) => {
                let shown = shown(path, &io.cwd);
                let text = match tree.text(io, path) {
                    Some(text) => text,
                    None => std::fs::read_to_string(path).map_err(|cause| Error::File {
                        action: "read",
                        path: shown.clone(),
                        cause,
                    })?,
                };
                Config::parse(&shown, &text).map_err(Error::Problems)?
            }
        };
        let mut rules = RuleSet::builtin()?;
        let folder = path.as_deref().and_then(Path::parent);
        if let (TreeSource::Disk, Some(folder)) = (tree, folder) {
            let missing = missing_paths(&config, folder);
            if !missing.is_empty() {
                return Err(Error::Problems(missing));
            }
        }
        config.folder = folder.map(Path::to_owned);
        if self.no_render {
            config.render.clear();
        }
        for dir in &config.rules_dirs {
            let full = folder.map_or_else(|| PathBuf::from(dir), |f| f.join(dir));
            add_rules(&mut rules, tree, &full, &shown(&full, &io.cwd), io)?;
        }
        for dir in &self.rules {
            let full = io.cwd.join(dir);
            add_rules(&mut rules, tree, &full, &dir.to_string_lossy(), io)?;
        }
        for filter in filters.select.iter().chain(&filters.ignore) {
            if !rules.has(filter) {
                let message = format!("no rule, slug or family is called `{filter}`");
                return Err(match rules.nearest(filter) {
                    Some(near) => Error::usage_help(message, format!("did you mean `{near}`?")),
                    None => Error::usage_help(message, "`meshgov rules` lists them"),
                });
            }
        }
        let overrides = config.overrides(&rules).map_err(Error::Problems)?;
        let select = if filters.select.is_empty() {
            config.select.clone()
        } else {
            filters.select.clone()
        };
        let ignore = filters
            .ignore
            .iter()
            .chain(&config.ignore)
            .cloned()
            .collect();
        let baseline = config
            .baseline
            .as_ref()
            .map(|file| folder.map_or_else(|| PathBuf::from(file), |f| f.join(file)));
        Ok(Settings {
            baseline,
            config,
            rules,
            overrides,
            select,
            ignore,
        })
    }
}

/// Adds the rule files at or below a path: those that the tree tracks, else those of the disk.
fn add_rules(
    rules: &mut RuleSet,
    tree: &TreeSource,
    path: &Path,
    shown: &str,
    io: &Io<'_>,
) -> Result<(), Error> {
    let tracked: Vec<(String, String)> = tree
        .texts(io, path)
        .into_iter()
        .map(|(below, text)| {
            let path = format!("{}/{below}", shown.trim_end_matches('/'));
            (path.trim_end_matches('/').to_owned(), text)
        })
        .collect();
    if tracked.is_empty() {
        return Ok(rules.add_path(path, shown)?);
    }
    let files = tracked.iter().map(|(p, t)| (p.as_str(), t.as_str()));
    Ok(rules.add(files, RuleSource::User)?)
}

impl Settings {
    /// The rules that run, in id order.
    pub(super) fn selected(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter().filter(|rule| self.runs(rule))
    }

    /// The rules that the filters name, in id order; all without a filter.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.selected().filter(|rule| {
            self.select.is_empty() || self.select.iter().any(|f| RuleSet::is_named(rule, f))
        })
    }

    fn runs(&self, rule: &Rule) -> bool {
        let named = |filters: &[String]| filters.iter().any(|f| RuleSet::is_named(rule, f));
        let enabled = self
            .overrides
            .get(&rule.info.id)
            .and_then(|o| o.enabled)
            .unwrap_or(true);
        let selected =
            self.select.is_empty() || named(&self.select) || rule.info.source == RuleSource::Engine;
        enabled && selected && !named(&self.ignore)
    }

    /// The rules that the program raises itself.
    pub(super) fn engine(&self) -> EngineRules {
        let mut engine = EngineRules::default();
        for rule in self.selected().filter(|r| is_engine(r)) {
            engine.add(rule, self.severity(rule));
        }
        engine
    }

    /// Compiles the rules that have something to judge. A rule of the user is always compiled, so that its faults show.
    pub(super) fn compiled(&self, kinds: &[&GroupKind]) -> Result<Vec<CompiledRule>, Error> {
        let mut compiled = Vec::new();
        let mut problems = Vec::new();
        for rule in self.selected().filter(|r| !is_engine(r)) {
            let has_work = rule.kinds.is_empty()
                || kinds
                    .iter()
                    .any(|k| rule.kinds.iter().any(|p| p.matches(k)));
            if !has_work && rule.info.source == RuleSource::Builtin {
                continue;
            }
            let params = self
                .overrides
                .get(&rule.info.id)
                .and_then(|o| o.params.as_ref());
            match CompiledRule::new(rule, self.severity(rule), params) {
                Ok(rule) => compiled.push(rule),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(compiled)
        } else {
            Err(Error::Problems(problems))
        }
    }

    fn severity(&self, rule: &Rule) -> crate::facts::Severity {
        self.overrides
            .get(&rule.info.id)
            .and_then(|o| o.severity)
            .unwrap_or(rule.info.severity)
    }
}

fn is_engine(rule: &Rule) -> bool {
    rule.info.source == RuleSource::Engine
}

/// A path as messages print it: relative to the working directory where that is above it.
pub(super) fn shown(path: &Path, cwd: &Path) -> String {
    let relative = path.strip_prefix(cwd).unwrap_or(path);
    relative.to_string_lossy().replace('\\', "/")
}
