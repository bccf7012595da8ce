//! Severity and confidence: the two axes of the gate. Input: words of rule files and flags; output: ordered values.

use serde::{Deserialize, Serialize};

/// How bad a finding is; fixed per rule. Ordered from `Note` to `Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Weakens a defence.
    Low,
    /// A gap that needs a second fault to hurt.
    Medium,
    /// A gap by itself.
    High,
    /// A gap that anyone can use.
    Critical,
}

impl Severity {
    /// The word used in rule files, flags and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How sure a finding is. Ordered from `Low` to `High`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Rests on an assumption, or on absence in an incomplete view.
    Low,
    /// Usually right.
    Medium,
    /// Certain from the files.
    High,
}

impl Confidence {
    /// The word used in rule files, flags and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
