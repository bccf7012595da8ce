//! L5: rules as data. Input: rule files, built-in and the user's; output: `Rule`.

pub mod builtin;
pub mod example;
pub mod expression;
pub mod file;
pub mod format;
pub mod load;
pub mod matching;
pub mod params;
pub mod set;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::facts::{Confidence, Severity};

pub use crate::facts::subject::SubjectKind;
pub use expression::Expression;
pub use file::RuleFile;
pub use matching::KindPattern;
pub use set::RuleSet;

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

/// A rule as its file says, expressions not yet compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What reports need.
    pub info: Arc<RuleInfo>,
    /// The text it was read from.
    pub file: Arc<RuleFile>,
    /// Kinds it looks at; empty where the subject is no object.
    pub kinds: Vec<KindPattern>,
    /// Declared parameters with their defaults.
    pub params: params::Params,
    /// Named values, in order; each may use the earlier ones.
    pub variables: Vec<Named>,
    /// All must be true for the rule to apply.
    pub conditions: Vec<Named>,
    /// Each must be true.
    pub validations: Vec<Validation>,
    /// Rules whose findings on the same subject this one's make redundant.
    pub supersedes: Vec<String>,
}

impl Rule {
    /// Whether the file ships with meshgov or is the user's; an engine rule of the user does not exist.
    #[must_use]
    pub fn file_source(&self) -> RuleSource {
        match self.info.source {
            RuleSource::User => RuleSource::User,
            RuleSource::Builtin | RuleSource::Engine => RuleSource::Builtin,
        }
    }
}

/// A named expression.
#[derive(Clone, Debug)]
pub struct Named {
    /// Name, an identifier for variables.
    pub name: String,
    /// The expression.
    pub expression: Expression,
}

/// One thing that must hold, and how to say that it does not.
#[derive(Clone, Debug)]
pub struct Validation {
    /// True = compliant.
    pub expression: Expression,
    /// Fixed message.
    pub message: Option<String>,
    /// Message computed from the subject.
    pub message_expression: Option<Expression>,
    /// List whose elements are judged one by one as `item`.
    pub each: Option<Expression>,
    /// The fact or field to point at.
    pub at: Option<Expression>,
}
