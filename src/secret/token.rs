//! L2: credentials known by their shape. Input: any text; output: where tokens stand in it.
//!
//! Shapes: the providers' documented prefixes (domain study, section 2.6) and RFC 7519, RFC 7468, RFC 3986 §3.2.1.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use crate::secret::value;

/// A credential found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// What it is, for messages: `OpenAI API key`.
    pub what: &'static str,
}

/// Least entropy of a token's body, in bits a character: below, it is an example.
const MIN_ENTROPY: f64 = 3.0;

/// One shape: the group name in the pattern, what it is, the pattern.
const SHAPES: &[(&str, &str, &str)] = &[
    ("anthropic", "Anthropic API key", r"sk-ant-[\w-]{20,}"),
    (
        "openai",
        "OpenAI API key",
        r"sk-(?:proj|svcacct|admin)-[\w-]{20,}",
    ),
    (
        "openrouter",
        "OpenRouter API key",
        r"sk-or-v1-[0-9a-f]{32,}",
    ),
    ("langfuse", "Langfuse secret key", r"sk-lf-[0-9a-f-]{30,}"),
    ("sk", "API key", r"sk-[A-Za-z0-9]{32,}"),
    ("hf", "Hugging Face token", r"hf_[A-Za-z0-9]{30,}"),
    ("groq", "Groq API key", r"gsk_[A-Za-z0-9]{40,}"),
    ("google", "Google API key", r"AIza[\w-]{35}"),
    ("xai", "xAI API key", r"xai-[A-Za-z0-9]{40,}"),
    ("pplx", "Perplexity API key", r"pplx-[A-Za-z0-9]{40,}"),
    ("replicate", "Replicate token", r"r8_[A-Za-z0-9]{36,}"),
    ("nvidia", "NVIDIA API key", r"nvapi-[\w-]{40,}"),
    (
        "bedrock",
        "Amazon Bedrock API key",
        r"ABSK[A-Za-z0-9+/=]{60,}",
    ),
    ("pinecone", "Pinecone API key", r"pcsk_[A-Za-z0-9_]{40,}"),
    (
        "langsmith",
        "LangSmith API key",
        r"lsv2_(?:pt|sk)_[0-9a-f_]{32,}",
    ),
    ("aws", "AWS access key ID", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    (
        "github",
        "GitHub token",
        r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})",
    ),
    ("gitlab", "GitLab token", r"glpat-[\w-]{20,}"),
    ("slack", "Slack token", r"xox[abeprs]-[A-Za-z0-9-]{20,}"),
    ("npm", "npm token", r"npm_[A-Za-z0-9]{36}"),
    ("docker", "Docker Hub token", r"dckr_pat_[\w-]{20,}"),
    (
        "sendgrid",
        "SendGrid API key",
        r"SG\.[\w-]{20,}\.[\w-]{30,}",
    ),
    ("vault", "Vault token", r"hv[sb]\.[\w-]{24,}"),
    (
        "jwt",
        "JSON web token",
        r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    ),
    (
        "azure",
        "Azure shared key",
        r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}",
    ),
    (
        "bearer",
        "bearer token",
        r"(?:[Bb]earer|[Bb]asic) [A-Za-z0-9._~+/-]{16,}={0,2}",
    ),
];

static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let alternatives: Vec<String> = SHAPES
        .iter()
        .map(|(name, _, pattern)| format!("(?P<{name}>{pattern})"))
        .collect();
    Regex::new(&format!(r"(?-u)\b(?:{})", alternatives.join("|"))).ok()
});

static PRIVATE_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("PRIVATE KEY"));
static SCHEME_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("://"));
/// base64 of `-----BEGIN `.
static BEGIN_BASE64: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("LS0tLS1CRUdJTiB"));

/// base64 of `-----BEGIN PRIVATE KEY`, `…RSA PRIVATE KEY`, `…EC PRIVATE KEY`, `…OPENSSH PRIVATE KEY`.
const BASE64_KEYS: &[&str] = &[
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBSU0EgUFJJVkFURS",
    "LS0tLS1CRUdJTiBFQyBQUklWQVRF",
    "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVE",
];

/// The credentials in a text, in order, without overlap. Placeholders, examples and references in such shapes do not count.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = look_alikes(text);
    found.retain(|(_, is_real)| *is_real);
    found.into_iter().map(|(token, _)| token).collect()
}

/// Whatever has the shape of a credential, with whether it is taken for one. Reports mask the others as well: an example
/// that is shown costs more than one that is not.
pub(crate) fn look_alikes(text: &str) -> Vec<(Token, bool)> {
    let mut found = shapes(text);
    let real = private_keys(text).into_iter().chain(url_passwords(text));
    found.extend(real.map(|token| (token, true)));
    found.sort_by_key(|(token, _)| (token.range.start, token.range.end));
    let mut end = 0;
    found.retain(|(token, _)| {
        let is_free = token.range.start >= end;
        if is_free {
            end = token.range.end;
        }
        is_free
    });
    found
}

fn shapes(text: &str) -> Vec<(Token, bool)> {
    let Some(pattern) = TOKENS.as_ref() else {
        return Vec::new();
    };
    // Most texts hold none, and captures cost an allocation each.
    if !pattern.is_match(text) {
        return Vec::new();
    }
    pattern
        .captures_iter(text)
        .filter_map(|captures| {
            let (name, what) = SHAPES
                .iter()
                .map(|(name, what, _)| (*name, *what))
                .find(|(name, _)| captures.name(name).is_some())?;
            let whole = captures.get(0)?;
            let skip = match name {
                "azure" => whole.as_str().find('=').map_or(0, |at| at + 1),
                "bearer" => whole.as_str().find(' ').map_or(0, |at| at + 1),
                _ => 0,
            };
            let body = whole.as_str().get(skip..)?;
            let has_digit = body.bytes().any(|b| b.is_ascii_digit());
            // Tokens of Hugging Face are often letters alone (gitleaks `huggingface-access-token`: `hf_[A-Za-z]{34}`).
            let is_real = (has_digit || name == "hf")
                && !value::is_placeholder(body)
                && !body.contains("1234567")
                && value::entropy(body) >= MIN_ENTROPY;
            let token = Token {
                range: whole.start() + skip..whole.end(),
                what,
            };
            (is_real || !value::is_clear_placeholder(body)).then_some((token, is_real))
        })
        .collect()
}

/// PEM private keys, from the dashes to the dashes; bare or in base64.
fn private_keys(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for at in PRIVATE_KEY.find_iter(text.as_bytes()) {
        let before = text.get(..at).unwrap_or("");
        let Some(start) = before.rfind("-----BEGIN ") else {
            continue;
        };
        if before
            .get(start..)
            .is_some_and(|label| label.contains('\n'))
        {
            continue;
        }
        let rest = text.get(at..).unwrap_or("");
        let end = rest
            .find("-----END ")
            .and_then(|end| Some(end + 9 + rest.get(end + 9..)?.find("-----")? + 5))
            .unwrap_or(rest.len());
        found.push(Token {
            range: start..at + end,
            what: "private key",
        });
    }
    for start in BEGIN_BASE64.find_iter(text.as_bytes()) {
        let body = text.get(start..).unwrap_or("");
        if !BASE64_KEYS.iter().any(|key| body.starts_with(key)) {
            continue;
        }
        let len = body
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
            .count();
        found.push(Token {
            range: start..start + len,
            what: "private key",
        });
    }
    found
}

/// Passwords in `scheme://user:password@host`.
fn url_passwords(text: &str) -> Vec<Token> {
    let ends_authority = |c: char| {
        c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '`' | '?' | '#' | ',')
    };
    SCHEME_END
        .find_iter(text.as_bytes())
        .filter_map(|at| {
            let start = at + 3;
            let rest = text.get(start..)?;
            let authority = rest.get(..rest.find(ends_authority).unwrap_or(rest.len()))?;
            let (user_info, host) = authority.rsplit_once('@')?;
            let (user, password) = user_info.split_once(':')?;
            let is_literal = !password.is_empty()
                && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[' || c == '$')
                && value::reference(password).is_none()
                && !value::is_placeholder(password);
            let from = start + user.len() + 1;
            is_literal.then_some(Token {
                range: from..from + password.len(),
                what: "password in a URL",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &'static str)> {
        tokens(text)
            .into_iter()
            .map(|token| (&text[token.range], token.what))
            .collect()
    }

    #[test]
    fn the_pattern_compiles() {
        assert!(TOKENS.is_some());
    }

    #[test]
    fn tokens_are_found_inside_other_text() {
        assert_eq!(
            found("curl -H 'Authorization: Bearer abcDEF0192837465xyz' https://u:p4ss@h/x"),
            [
                ("abcDEF0192837465xyz", "bearer token"),
                ("p4ss", "password in a URL")
            ]
        );
        assert_eq!(
            found("--key=sk-ant-api03-Zq8Rk2LmNp7TvWx4Yb1C"),
            [("sk-ant-api03-Zq8Rk2LmNp7TvWx4Yb1C", "Anthropic API key")]
        );
        let pem = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb";
        assert_eq!(found(pem)[0].0.len(), pem.len() - 4);
    }

    #[test]
    fn examples_and_words_are_no_tokens() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk-openai-1234567890abcdefghij",
            "Bearer authentication-required",
            "https://u:$(PW)@h",
            "https://u:<password>@h/x",
            "http://host:8080/a@b",
            "-----BEGIN PUBLIC KEY-----",
            "task-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
        ] {
            assert_eq!(tokens(text), [], "{text}");
        }
    }
}
