//! `semver()`: a semantic version in, its parts and its precedence out.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/semverlib.go` (Kubernetes 1.34, library version 1),
//! which parses with `github.com/blang/semver/v4`. Equality and order are semver precedence, so
//! build metadata does not count.

use std::cmp::Ordering;

/// Why a string is no semantic version, or a part of it no CEL `int`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SemverError {
    /// There are not three dot-separated elements.
    #[error("no major.minor.patch elements found")]
    Elements,
    /// An element or the metadata is malformed.
    #[error("invalid semantic version: {0}")]
    Malformed(String),
    /// Normalising would have to invent elements in front of metadata (`1.2-rc`).
    #[error("short version cannot contain prerelease or build metadata")]
    ShortWithMetadata,
    /// A number is above 2^63-1.
    #[error("version number does not fit an int")]
    Number,
}

/// A semantic version.
#[derive(Debug, Clone)]
pub struct Semver(::semver::Version);

impl Semver {
    /// Parses `text`. With `normalize` one leading `v` and leading zeros are dropped and missing
    /// minor and patch numbers are read as zero.
    ///
    /// # Errors
    /// The text is not a semantic version.
    pub fn parse(text: &str, normalize: bool) -> Result<Self, SemverError> {
        if normalize {
            Self::strict(&normalized(text)?)
        } else {
            Self::strict(text)
        }
    }

    fn strict(text: &str) -> Result<Self, SemverError> {
        if text.splitn(3, '.').count() != 3 {
            return Err(SemverError::Elements);
        }
        ::semver::Version::parse(text)
            .map(Self)
            .map_err(|error| SemverError::Malformed(error.to_string()))
    }

    /// The major number.
    ///
    /// # Errors
    /// The number does not fit 64 signed bits.
    pub fn major(&self) -> Result<i64, SemverError> {
        i64::try_from(self.0.major).map_err(|_| SemverError::Number)
    }

    /// The minor number.
    ///
    /// # Errors
    /// The number does not fit 64 signed bits.
    pub fn minor(&self) -> Result<i64, SemverError> {
        i64::try_from(self.0.minor).map_err(|_| SemverError::Number)
    }

    /// The patch number.
    ///
    /// # Errors
    /// The number does not fit 64 signed bits.
    pub fn patch(&self) -> Result<i64, SemverError> {
        i64::try_from(self.0.patch).map_err(|_| SemverError::Number)
    }
}

impl std::fmt::Display for Semver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

fn normalized(text: &str) -> Result<String, SemverError> {
    let mut parts: Vec<String> = text
        .strip_prefix('v')
        .unwrap_or(text)
        .splitn(3, '.')
        .map(without_leading_zeros)
        .collect();
    if parts.len() < 3 {
        if parts.last().is_some_and(|part| part.contains(['+', '-'])) {
            return Err(SemverError::ShortWithMetadata);
        }
        parts.resize(3, "0".to_owned());
    }
    Ok(parts.join("."))
}

/// Keeps one zero in front of whatever is not a digit (`00-rc` is `0-rc`).
fn without_leading_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        rest.to_owned()
    } else {
        format!("0{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_ignores_build_metadata_and_ranks_prereleases_first() {
        let parse = |text| Semver::parse(text, false).unwrap();
        assert_eq!(parse("1.2.3+a"), parse("1.2.3+b"));
        assert!(parse("1.0.0-alpha") < parse("1.0.0-alpha.1"));
        assert!(parse("1.0.0-2") < parse("1.0.0-10"));
        assert!(parse("1.0.0-rc.1") < parse("1.0.0"));
    }

    #[test]
    fn normalizing_touches_numbers_only() {
        let parse = |text| Semver::parse(text, true);
        assert_eq!(parse("v01.02").unwrap().to_string(), "1.2.0");
        assert_eq!(parse("1.2.00-rc.1").unwrap().to_string(), "1.2.0-rc.1");
        assert_eq!(parse("1.2-rc"), Err(SemverError::ShortWithMetadata));
        assert!(parse("vv1.2.3").is_err());
        assert!(parse("18446744073709551615.0.0").unwrap().major().is_err());
    }
}
