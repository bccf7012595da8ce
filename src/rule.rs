//! L5: rules as data. Input: rule files, built-in and the user's; output: `Rule`.

use serde::{Deserialize, Serialize};

use crate::facts::{Confidence, Severity};

/// What a rule judges; one evaluation per subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// One object of the kinds under `match`.
    Resource,
    /// One pod-carrying object.
    Workload,
    /// One container port of a workload.
    Port,
    /// One policy object of the kinds under `match`, with its effect.
    Policy,
    /// One route.
    Route,
    /// One way out of the mesh.
    Egress,
    /// One workload identity.
    Identity,
    /// One AI asset.
    Asset,
    /// One way in from outside the mesh.
    Exposure,
    /// The whole view.
    Tree,
    /// One typed change between two views.
    Change,
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSource {
    /// Raised by the program itself (INPUT*, META*); has no expressions.
    Engine,
    /// Ships with meshgov.
    Builtin,
    /// From `--rules DIR` or the config.
    User,
}

/// What every report needs of a rule.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// 1–8 capitals and 3 digits: `MTLS001`.
    pub id: String,
    /// What is wrong, in kebab case: `plaintext-accepted`.
    pub slug: String,
    /// One line, lower case, no full stop.
    pub summary: String,
    /// Severity of every finding of the rule.
    pub severity: Severity,
    /// Confidence unless a finding rests on assumption.
    pub confidence: Confidence,
    /// First version that had it.
    pub since: String,
    /// What it judges.
    pub subject: SubjectKind,
    /// Where it comes from.
    pub source: RuleSource,
    /// Links for the reader.
    pub references: Vec<String>,
    /// Framework controls that a passing rule supports evidence for.
    pub controls: Vec<String>,
    /// Markdown: why it matters (second document of the rule file).
    pub why: String,
    /// Markdown: how to fix it.
    pub fix: String,
}

impl RuleInfo {
    /// The family: the capitals of the id, lower case (`mtls`).
    #[must_use]
    pub fn family(&self) -> String {
        self.id
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .to_ascii_lowercase()
    }
}
