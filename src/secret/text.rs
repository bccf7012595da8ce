//! L2: secrets assigned inside other text: flags, shell, properties, embedded YAML and JSON. Input: a text; output: ranges.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::secret::name::{self, NameKind};
use crate::secret::{Class, judge, token, value};

/// `NAME=value`, `name: value`, `--name=value`, `"name": "value"`; the name ends like that of a secret.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?P<name>[A-Za-z0-9_.-]*(?i:passw(?:or)?d|passphrase|pwd|secret|token|key|credentials?))["']?(?P<sign>[ \t]*=[ \t]*|[ \t]*:[ \t]+|:)(?P<value>"[^"\r\n]*"|'[^'\r\n]*'|[^\s"',;&|)}\]]+)"#,
    )
    .ok()
});

/// How secret names end, as in [`ASSIGNMENT`].
const NAME_ENDS: &[&str] = &[
    "passwd",
    "password",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "credentials",
];

/// Offsets at which [`credentials`] is worth a look: where a secret name ends before `=` or `:`, with a quote and blanks between.
/// A cheap look over a whole file.
pub(crate) fn hints(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'=', b':', bytes).filter_map(|sign| {
        let before = bytes.get(..sign)?.trim_ascii_end();
        let name = match before {
            [name @ .., b'\\', b'"' | b'\''] | [name @ .., b'"' | b'\''] => name,
            name => name,
        };
        if !matches!(
            name.last()?.to_ascii_lowercase(),
            b'd' | b'e' | b't' | b'n' | b'y' | b'l' | b's'
        ) {
            return None;
        }
        let start_of = |end: &&str| {
            let start = name.len().checked_sub(end.len())?;
            name.get(start..)?
                .eq_ignore_ascii_case(end.as_bytes())
                .then_some(start)
        };
        NAME_ENDS.iter().find_map(start_of)
    })
}

/// Bytes of every credential in a text: tokens by shape, and literals assigned to secret names. Sorted, without overlap.
#[must_use]
pub fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = token::tokens(text)
        .into_iter()
        .map(|token| token.range)
        .collect();
    found.extend(assignments(text));
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|range| {
        let is_free = range.start >= end;
        end = end.max(range.end);
        is_free
    });
    found
}

fn assignments(text: &str) -> Vec<Range<usize>> {
    let Some(pattern) = ASSIGNMENT.as_ref() else {
        return Vec::new();
    };
    pattern
        .captures_iter(text)
        .filter_map(|captures| {
            let (name, sign, value) = (
                captures.name("name")?,
                captures.name("sign")?,
                captures.name("value")?,
            );
            let bare = value.as_str().trim_matches(['"', '\'']);
            let is_quoted = bare.len() != value.as_str().len();
            let from = value.start() + usize::from(is_quoted);
            let before = text.get(..name.start()).unwrap_or("");
            let site = Site {
                is_flag: name.as_str().starts_with("--"),
                is_attached: sign.as_str() == "=",
                is_colon: sign.as_str().contains(':'),
                is_quoted,
                starts_line: before.rsplit('\n').next().is_none_or(|line| {
                    line.trim_matches([' ', '\t', '-', '#', '"', '\'', '{'])
                        .is_empty()
                }),
            };
            site.is_literal(name.as_str(), bare)
                .then_some(from..from + bare.len())
        })
        .collect()
}

/// How an assignment is written.
struct Site {
    is_flag: bool,
    is_attached: bool,
    is_colon: bool,
    is_quoted: bool,
    starts_line: bool,
}

impl Site {
    /// Flags and environment variables are read like those of a pod; program text needs more evidence.
    fn is_literal(&self, name: &str, bare: &str) -> bool {
        if self.is_flag || (is_variable(name) && (self.is_attached || self.starts_line)) {
            return name::kind(name).is_some_and(|kind| judge(kind, bare) == Class::Literal);
        }
        let Some(kind) = name::field_kind(name) else {
            return false;
        };
        if judge(kind, bare) != Class::Literal || bare.contains(['(', '[', '{', '$', '*', '?']) {
            return false;
        }
        match kind {
            NameKind::Password => {
                let is_word = bare
                    .bytes()
                    .all(|b| b.is_ascii_alphabetic() || b"_.".contains(&b));
                (self.starts_line && (self.is_colon || self.is_attached))
                    || self.is_quoted
                    || (self.is_attached && !is_word)
            }
            NameKind::Key | NameKind::Secret => value::is_machine_made(bare),
        }
    }
}

fn is_variable(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Bytes of all values in the text of a Secret that could not be parsed: whatever follows a colon, and lines without one.
#[must_use]
pub fn values_by_line(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        let from = match body.find(": ") {
            Some(colon) => colon + 2,
            None if body.ends_with(':') || body.starts_with("---") => body.len(),
            None => body.len() - body.trim_start().len(),
        };
        let key = body.trim_start();
        let is_identity = ["kind:", "apiVersion:", "name:", "namespace:"]
            .iter()
            .any(|k| key.starts_with(k));
        if from < body.len() && !is_identity {
            found.push(at + from..at + body.len());
        }
        at += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        credentials(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn the_patterns_compile() {
        assert!(ASSIGNMENT.is_some());
    }

    #[test]
    fn a_secret_name_before_a_sign_is_a_hint() {
        for (text, expected) in [
            ("DB_PASSWORD=x", vec![3]),
            ("a: 1\nmy-token : x", vec![8]),
            (r#"{\"api_key\": \"x\"}"#, vec![7]),
            ("'pwd'\t= 1; Credentials:x", vec![1, 11]),
            ("credential=x, passphrase=y", vec![0, 14]),
            ("keys: x, a == b, secret, passwords: y, = :", vec![]),
        ] {
            assert_eq!(hints(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn assignments_of_literals_are_found() {
        for (text, expected) in [
            (
                "vllm serve m --api-key=abc12345 --port 80",
                vec!["abc12345"],
            ),
            ("export DB_PASSWORD=hunter2; run", vec!["hunter2"]),
            ("general:\n  password: hunter2\n", vec!["hunter2"]),
            ("{\"api_key\": \"k9Qw7dPzX31aB\"}", vec!["k9Qw7dPzX31aB"]),
            ("Server=db;Password=Pa55;", vec!["Pa55"]),
            (
                "master_key: sk-ant-api03-Zq8Rk2LmNp7TvWx4Yb1C",
                vec!["sk-ant-api03-Zq8Rk2LmNp7TvWx4Yb1C"],
            ),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn references_and_program_text_are_left_alone() {
        for text in [
            "--api-key=$(KEY)",
            "--tls-private-key=/etc/tls/key.pem",
            "export TOKEN=$(cat /var/run/token)",
            "token = get_token()",
            "def f(password=None, token=token): pass",
            "api_key: os.environ/OPENAI_API_KEY",
            "secretKey: password",
            "x.token = request.headers.token",
            "- --service-account-key-file=/keys/sa.pub",
            "key: value1234567890ab",
            "tokenReviews: true",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn an_unreadable_secret_shows_only_its_keys() {
        let text = "kind: Secret\ndata:\n  a: Zm9v\n  b: |\n    bGluZQ\n";
        let shown: Vec<&str> = values_by_line(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(shown, ["Zm9v", "|", "bGluZQ"]);
    }
}
