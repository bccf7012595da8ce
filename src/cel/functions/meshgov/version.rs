//! `version()`: a release as people tag it in, numbers that compare out.
//!
//! Takes what Istio, Kubernetes and their vendors write: `1.27`, `v1.30.4-eks-a737599`,
//! `1.22.0-distroless`, `release-1.24`, `1.24-alpha.0f3`. Only what means "before the release" (alpha, beta,
//! rc, dev, pre, snapshot) ranks below it; any other suffix is a build of the same release.

use std::cmp::Ordering;

/// The text has no version number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no version number in `{0}`")]
pub struct VersionError(String);

/// A release: up to three numbers and a suffix.
#[derive(Debug, Clone)]
pub struct Version {
    numbers: [u32; 3],
    suffix: String,
}

const PRERELEASE_WORDS: [&str; 6] = ["alpha", "beta", "rc", "dev", "pre", "snapshot"];

impl Version {
    /// Parses one to three numbers with an optional `v` or `release-` before and a suffix, set off by
    /// `-`, `+`, `_` or another dot, after; missing numbers are zero.
    ///
    /// # Errors
    /// The text does not begin with such a number.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let refused = || VersionError(text.to_owned());
        let unprefixed = text.strip_prefix("release-").unwrap_or(text);
        let mut rest = unprefixed.strip_prefix(['v', 'V']).unwrap_or(unprefixed);
        let mut numbers = [0; 3];
        for (index, number) in numbers.iter_mut().enumerate() {
            let candidate = match index {
                0 => rest,
                _ => match rest.strip_prefix('.') {
                    Some(after) => after,
                    None => break,
                },
            };
            let end = candidate
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(candidate.len());
            let (digits, after) = candidate.split_at(end);
            if digits.is_empty() && index > 0 {
                break;
            }
            *number = digits.parse().map_err(|_| refused())?;
            rest = after;
        }
        let suffix = match rest.chars().next() {
            None => "",
            Some('-' | '+' | '_' | '.') => rest.get(1..).unwrap_or_default(),
            // `1.30rc1`, but not `10Gi` or `1password`.
            Some(_) if prerelease_word(rest).is_some() => rest,
            Some(_) => return Err(refused()),
        };
        Ok(Self {
            numbers,
            suffix: suffix.to_owned(),
        })
    }

    /// The first number.
    #[must_use]
    pub fn major(&self) -> i64 {
        let [major, ..] = self.numbers;
        i64::from(major)
    }

    /// The second number, zero if absent.
    #[must_use]
    pub fn minor(&self) -> i64 {
        let [_, minor, _] = self.numbers;
        i64::from(minor)
    }

    /// The third number, zero if absent.
    #[must_use]
    pub fn patch(&self) -> i64 {
        let [.., patch] = self.numbers;
        i64::from(patch)
    }

    /// What follows the numbers, without its separator.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// True when the suffix marks something before the release.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        prerelease_word(&self.suffix).is_some()
    }

    /// Releases rank above their prereleases; among those the word and its number decide.
    fn stage(&self) -> (usize, u32) {
        match prerelease_word(&self.suffix) {
            None => (usize::MAX, 0),
            Some((word, rest)) => {
                let rank = ["dev", "snapshot", "pre", "alpha", "beta", "rc"]
                    .iter()
                    .position(|known| *known == word)
                    .unwrap_or_default();
                let digits = rest.trim_start_matches(['.', '-']);
                let end = digits
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(digits.len());
                let number = digits.get(..end).and_then(|text| text.parse().ok());
                (rank, number.unwrap_or_default())
            }
        }
    }
}

/// The prerelease word a suffix begins with and what follows it; `preview` and `devel` count.
fn prerelease_word(suffix: &str) -> Option<(&'static str, &str)> {
    PRERELEASE_WORDS.into_iter().find_map(|word| {
        let head = suffix.get(..word.len())?;
        let rest = suffix.get(word.len()..)?;
        head.eq_ignore_ascii_case(word).then_some((word, rest))
    })
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.numbers, self.stage()).cmp(&(other.numbers, other.stage()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_found_behind_the_usual_prefixes() {
        for (text, numbers, suffix) in [
            ("1.27", [1, 27, 0], ""),
            ("v1.30.4-eks-a737599", [1, 30, 4], "eks-a737599"),
            ("1.22.0-distroless", [1, 22, 0], "distroless"),
            ("release-1.24", [1, 24, 0], ""),
            ("v1.29.1+k3s2", [1, 29, 1], "k3s2"),
            ("1.30.5-gke.1014001", [1, 30, 5], "gke.1014001"),
            ("1.24-alpha.0f3", [1, 24, 0], "alpha.0f3"),
            ("1.20.3.4", [1, 20, 3], "4"),
            ("2", [2, 0, 0], ""),
        ] {
            assert_eq!(version(text).numbers, numbers, "{text}");
            assert_eq!(version(text).suffix(), suffix, "{text}");
        }
    }

    #[test]
    fn only_prereleases_rank_below_the_release() {
        assert_eq!(version("1.22.0-distroless"), version("1.22"));
        assert_eq!(version("v1.30.4-eks-1"), version("1.30.4+k3s2"));
        assert!(version("1.24.0-rc.1") < version("1.24"));
        assert!(version("1.24.0-beta.2") < version("1.24.0-beta.10"));
        assert!(version("1.24.0-alpha.9") < version("1.24.0-beta.0"));
        assert!(version("1.9") < version("1.10"));
    }

    #[test]
    fn text_without_a_version_is_refused() {
        for text in [
            "",
            "latest",
            "v",
            "10Gi",
            "main",
            "stable-1.2",
            "99999999999.1",
        ] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
    }
}
