//! L6: findings that are known and old. Input: findings, and a baseline or the findings of a base; output: which of them are
//! new, and which entries are done with.
//!
//! A baseline is a text file: a head, then one sorted line an entry: family of the fingerprint, count, digest of the value
//! (`-` where there is none, or it is secret), and for the reader the rule and the object.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::ignores::is_date;
use crate::finding::{Finding, Suppressed};
use crate::shape::Problem;
use crate::source::{SourceFile, SourceId, Sources, Span, to_u32};

/// First line of the file: name and version of the format.
const HEAD: &str = "meshgov-baseline 1";

/// A finding as a baseline knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// [`Finding::family`].
    pub family: String,
    /// Digest of the value; `-` where there is none.
    pub digest: String,
}

/// What is accepted of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How many.
    pub count: usize,
    /// Rule and object, for the reader.
    pub words: String,
}

/// A baseline file as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Day of acceptance, `YYYY-MM-DD`.
    pub accepted: String,
    /// Printed paths of the run, sorted: entries can only be called fixed by a run over the same.
    pub paths: Vec<String>,
    salt: String,
    /// The entries.
    pub entries: BTreeMap<Known, Accepted>,
}

/// The texts of a run, from which values are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'t> {
    /// What spans index.
    pub sources: &'t Sources,
    /// Byte ranges that no file may hold, sorted.
    pub secrets: &'t [Span],
}

impl<'t> Texts<'t> {
    /// The value a finding points at; `None` for secrets and for what is more than one line.
    fn value(&self, finding: &Finding) -> Option<&'t str> {
        let span = finding.span;
        let text = self.sources.get(span.source)?.slice(span);
        let before = |secret: &Span| (secret.source, secret.end) <= (span.source, span.start);
        // Secrets do not overlap, so the first that ends behind the start decides.
        let next = self.secrets.get(self.secrets.partition_point(before));
        let is_secret = next.is_some_and(|s| s.source == span.source && s.start < span.end);
        (!is_secret && !text.is_empty() && !text.contains('\n')).then_some(text)
    }
}

impl Baseline {
    /// Accepts all findings that are not silenced.
    #[must_use]
    pub fn of(findings: &[Finding], texts: Texts<'_>, today: &str, paths: Vec<String>) -> Self {
        let open = || findings.iter().filter(|f| f.suppressed.is_none());
        let mut families: Vec<&str> = open().map(|f| f.family.as_str()).collect();
        families.sort_unstable();
        // The salt keeps digests of two files from being compared. It is no secret, and equal runs give equal files.
        let salt = hex(&[today, &families.concat()], 8);
        let mut baseline = Self {
            accepted: today.to_owned(),
            paths,
            salt,
            entries: BTreeMap::new(),
        };
        for finding in open() {
            let known = baseline.known(finding, texts);
            let accepted = baseline.entries.entry(known).or_insert_with(|| Accepted {
                count: 0,
                words: words(finding, texts),
            });
            accepted.count += 1;
        }
        baseline
    }

    fn known(&self, finding: &Finding, texts: Texts<'_>) -> Known {
        let digest = texts
            .value(finding)
            .map_or_else(|| String::from("-"), |value| hex(&[&self.salt, value], 8));
        Known {
            family: finding.family.clone(),
            digest,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The user's: every line that is no entry.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let file = Arc::new(SourceFile::new(SourceId(0), path, text));
        let mut baseline = Self::default();
        let mut problems = Vec::new();
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let start = at;
            at += line.len();
            let line = line.trim_end();
            if number == 0 && line == HEAD || line.is_empty() {
                continue;
            }
            if number == 0 || baseline.read(line).is_none() {
                problems.push(Problem {
                    file: Arc::clone(&file),
                    span: Span {
                        source: file.id,
                        start: to_u32(start),
                        end: to_u32(start + line.len()),
                    },
                    message: match number {
                        0 => format!("no baseline: the first line is not `{HEAD}`"),
                        _ => String::from("this line is no entry of a baseline"),
                    },
                    help: Some(String::from("`meshgov baseline create` writes the file")),
                });
            }
            if number == 0 && !problems.is_empty() {
                break;
            }
        }
        if problems.is_empty() {
            Ok(baseline)
        } else {
            Err(problems)
        }
    }

    /// Takes in one line after the first.
    fn read(&mut self, line: &str) -> Option<()> {
        let (first, rest) = line.split_once(' ')?;
        match first {
            "accepted" => self.accepted = Some(rest).filter(|d| is_date(d))?.to_owned(),
            "path" => self.paths.push(rest.to_owned()),
            "salt" => self.salt = rest.to_owned(),
            family => {
                let mut fields = rest.splitn(3, ' ');
                let count: usize = fields.next()?.parse().ok().filter(|n| *n > 0)?;
                let digest = fields.next()?.to_owned();
                let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
                if family.len() != 32 || !is_hex(family) || !(digest == "-" || is_hex(&digest)) {
                    return None;
                }
                let known = Known {
                    family: family.to_owned(),
                    digest,
                };
                let accepted = self.entries.entry(known).or_insert_with(|| Accepted {
                    count: 0,
                    words: fields.next().unwrap_or("").to_owned(),
                });
                accepted.count += count;
            }
        }
        Some(())
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}\naccepted {}\n", self.accepted);
        for path in &self.paths {
            let _ = writeln!(text, "path {path}");
        }
        let _ = writeln!(text, "salt {}", self.salt);
        for (known, accepted) in &self.entries {
            let _ = writeln!(
                text,
                "{} {} {} {}",
                known.family, accepted.count, known.digest, accepted.words
            );
        }
        text
    }

    /// Marks the findings that are accepted; returns what is left of each entry that more was accepted of than is found.
    pub fn apply(
        &self,
        findings: &mut [Finding],
        texts: Texts<'_>,
        path: &str,
    ) -> BTreeMap<Known, usize> {
        let mut left: BTreeMap<Known, usize> = self
            .entries
            .iter()
            .map(|(known, accepted)| (known.clone(), accepted.count))
            .collect();
        for finding in findings.iter_mut().filter(|f| f.suppressed.is_none()) {
            let Some(count) = left.get_mut(&self.known(finding, texts)) else {
                continue;
            };
            if *count == 0 {
                continue;
            }
            *count -= 1;
            finding.suppressed = Some(Suppressed {
                by: String::from("baseline"),
                reason: format!("accepted on {} in {path}", self.accepted),
                until: None,
            });
        }
        left.retain(|_, count| *count > 0);
        left
    }

    /// Drops what is left over; returns how many entries are gone.
    pub fn prune(&mut self, left: &BTreeMap<Known, usize>) -> usize {
        let before = self.entries.len();
        for (known, count) in left {
            if let Some(accepted) = self.entries.get_mut(known) {
                accepted.count = accepted.count.saturating_sub(*count);
            }
        }
        self.entries.retain(|_, accepted| accepted.count > 0);
        before - self.entries.len()
    }
}

/// Rule and object; the path where there is no object.
fn words(finding: &Finding, texts: Texts<'_>) -> String {
    let rule = &finding.rule.id;
    if finding.resource.kind.is_empty() {
        let file = texts.sources.get(finding.span.source);
        return format!("{rule} {}", file.map_or("", |f| f.path.as_str()));
    }
    format!("{rule} {}", finding.resource).replace('\n', " ")
}

fn hex(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut text = String::new();
    for byte in hash.finalize().iter().take(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Keeps the findings that a base did not have, by fingerprint; returns how many it had. What is silenced now and was there
/// then is old; what was silenced then and is not now is new.
pub fn keep_new(
    findings: &mut Vec<Finding>,
    old: &[Finding],
    is_comparable: impl Fn(&Finding) -> bool,
) -> usize {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in old {
        *all.entry(&finding.fingerprint).or_default() += 1;
        if finding.suppressed.is_none() {
            *open.entry(&finding.fingerprint).or_default() += 1;
        }
    }
    let mut known = 0;
    findings.retain(|finding| {
        let counts = if finding.suppressed.is_some() {
            &mut all
        } else {
            &mut open
        };
        let left = counts.get_mut(finding.fingerprint.as_str());
        match left.filter(|left| **left > 0 && is_comparable(finding)) {
            Some(left) => {
                *left -= 1;
                known += usize::from(finding.suppressed.is_none());
                false
            }
            None => true,
        }
    });
    known
}

/// How many findings carry a mark of the baseline.
#[must_use]
pub fn accepted(findings: &[Finding]) -> usize {
    let by = |f: &&Finding| f.suppressed.as_ref().is_some_and(|s| s.by == "baseline");
    findings.iter().filter(by).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_is_written_is_read() {
        let text = format!(
            "{HEAD}\naccepted 2026-11-27\npath apps\npath clusters\nsalt 00ff\n{FAMILY} 2 - AIKEY001 Deployment web/a\n"
        );
        let baseline = Baseline::parse("b.txt", &text).unwrap();
        assert_eq!(baseline.paths, ["apps", "clusters"]);
        assert_eq!(baseline.text(), text);
    }

    #[test]
    fn a_line_that_is_no_entry_is_shown() {
        let message = |text: &str| Baseline::parse("b.txt", text).unwrap_err()[0].to_string();
        assert_eq!(
            message("hello\n"),
            "b.txt:1:1: no baseline: the first line is not `meshgov-baseline 1`"
        );
        for bad in ["deadbeef 1 - X", "accepted soon", "salt"] {
            assert_eq!(
                message(&format!("{HEAD}\n{bad}\n")),
                "b.txt:2:1: this line is no entry of a baseline",
                "{bad}"
            );
        }
        let none = format!("{HEAD}\n{FAMILY} 0 - X\n");
        assert!(Baseline::parse("b.txt", &none).is_err());
    }

    #[test]
    fn pruning_lowers_counts_and_drops_what_is_done() {
        let text = format!("{HEAD}\naccepted 2026-11-27\nsalt 00\n{FAMILY} 3 - X\n");
        let mut baseline = Baseline::parse("b.txt", &text).unwrap();
        let known = baseline.entries.keys().next().unwrap().clone();
        assert_eq!(baseline.prune(&BTreeMap::from([(known.clone(), 1)])), 0);
        assert_eq!(baseline.entries[&known].count, 2);
        assert_eq!(baseline.prune(&BTreeMap::from([(known, 2)])), 1);
        assert!(baseline.entries.is_empty());
    }
}
