//! L5: all rules of a run. Input: built-in and user files; output: `RuleSet`: rules by id, with unique ids.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::discover::display::io_words;
use crate::rule::{Rule, RuleFile, RuleSource, builtin, load};
use crate::shape::{Problem, nearest};

/// Rules in id order.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
}

/// Why rules could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The rule author's: what is wrong in the files.
    #[error("{}", .0.first().map_or_else(String::new, ToString::to_string))]
    Problems(Vec<Problem>),
    /// The user's: a folder that cannot be read.
    #[error("cannot read rules from `{path}`: {}", io_words(.cause))]
    Unreadable {
        /// As given.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The user's: a folder without a rule file.
    #[error("`{0}` holds no rule file")]
    Empty(String),
}

impl RuleSet {
    /// The rules that ship with meshgov.
    ///
    /// # Errors
    /// A built-in file at fault; a test excludes it.
    pub fn builtin() -> Result<Self, LoadError> {
        let mut set = Self::default();
        let files = builtin::FILES.iter().map(|(path, text)| (*path, *text));
        set.add(files, RuleSource::Builtin)?;
        Ok(set)
    }

    /// Adds every rule file below a folder, or one file; `shown` is what messages call it.
    ///
    /// # Errors
    /// The user's: an unreadable or empty folder, malformed rules, an id that is taken.
    pub fn add_path(&mut self, path: &Path, shown: &str) -> Result<(), LoadError> {
        let unreadable = |cause| LoadError::Unreadable {
            path: shown.to_owned(),
            cause,
        };
        let mut paths = Vec::new();
        list(path, 0, &mut paths).map_err(unreadable)?;
        if paths.is_empty() {
            return Err(LoadError::Empty(shown.to_owned()));
        }
        paths.sort();
        let mut files = Vec::new();
        for file in paths {
            let text = std::fs::read_to_string(&file).map_err(unreadable)?;
            let below = file.strip_prefix(path).unwrap_or(&file);
            let name = Path::new(shown).join(below);
            files.push((name.to_string_lossy().replace('\\', "/"), text));
        }
        let files = files
            .iter()
            .map(|(p, t)| (p.trim_end_matches('/'), t.as_str()));
        self.add(files, RuleSource::User)
    }

    /// Adds rule files by path and text.
    ///
    /// # Errors
    /// The author's: all problems of all files.
    pub fn add<'f>(
        &mut self,
        files: impl Iterator<Item = (&'f str, &'f str)>,
        source: RuleSource,
    ) -> Result<(), LoadError> {
        let mut problems = Vec::new();
        for (path, text) in files {
            let read = RuleFile::parse(path, text)
                .map_err(|problem| vec![problem])
                .and_then(|file| load::read(&Arc::new(file), source));
            match read {
                Ok(rule) => self.insert(rule, &mut problems),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(LoadError::Problems(problems))
        }
    }

    fn insert(&mut self, rule: Rule, problems: &mut Vec<Problem>) {
        let taken = self
            .rules
            .iter()
            .find(|r| r.info.id == rule.info.id || r.info.slug == rule.info.slug);
        if let Some(other) = taken {
            let node = rule.file.head().get("id").unwrap_or(rule.file.head());
            problems.push(
                Problem::at(node, format!("rule `{}` is there already", rule.info.id)).help(
                    format!(
                        "{} {} comes from {}; ids and slugs are unique",
                        other.info.id, other.info.slug, other.file.source.path
                    ),
                ),
            );
            return;
        }
        let at = self.rules.partition_point(|r| r.info.id < rule.info.id);
        self.rules.insert(at, Arc::new(rule));
    }

    /// Rules in id order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter()
    }

    /// The rule with this id (any case) or slug.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Rule>> {
        self.rules
            .iter()
            .find(|r| r.info.id.eq_ignore_ascii_case(name) || r.info.slug == name)
    }

    /// Whether a filter (id, slug or family) names this rule.
    #[must_use]
    pub fn is_named(rule: &Rule, filter: &str) -> bool {
        rule.info.id.eq_ignore_ascii_case(filter)
            || rule.info.slug == filter
            || rule.info.family().eq_ignore_ascii_case(filter)
    }

    /// Whether a filter names any rule.
    #[must_use]
    pub fn has(&self, filter: &str) -> bool {
        self.rules.iter().any(|r| Self::is_named(r, filter))
    }

    /// What a filter that names no rule most likely means.
    #[must_use]
    pub fn nearest(&self, filter: &str) -> Option<String> {
        let families: Vec<String> = self.rules.iter().map(|r| r.info.family()).collect();
        let names = self
            .rules
            .iter()
            .flat_map(|r| [r.info.id.as_str(), r.info.slug.as_str()]);
        nearest(filter, names.chain(families.iter().map(String::as_str))).map(str::to_owned)
    }
}

/// Collects rule files below a path, following no deeper than 16 folders.
fn list(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        let is_hidden = entry
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'));
        let is_rule = entry.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if entry.is_dir() && depth < 16 && !is_hidden {
            list(&entry, depth + 1, found)?;
        } else if entry.is_file() && is_rule && !is_hidden {
            found.push(entry);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "id: ABC001\nsummary: s\nseverity: high\nconfidence: medium\nsince: 0.1.0\nsubject: tree\nvalidations: [{expression: 'true'}]\n";

    #[test]
    fn ids_are_unique_and_found_in_any_case_by_slug_and_family() {
        let mut set = RuleSet::default();
        set.add([("x/ABC001-a-b.yaml", RULE)].into_iter(), RuleSource::User)
            .unwrap();
        assert!(set.find("abc001").is_some());
        assert!(set.has("a-b") && set.has("abc") && !set.has("a"));
        assert_eq!(set.nearest("ABC002").as_deref(), Some("ABC001"));
        let error = set
            .add([("y/ABC001-c.yaml", RULE)].into_iter(), RuleSource::User)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "y/ABC001-c.yaml:1:5: rule `ABC001` is there already"
        );
    }

    #[test]
    fn every_builtin_file_loads() {
        RuleSet::builtin().unwrap();
    }
}
