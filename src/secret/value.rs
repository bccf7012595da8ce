//! L2: values that are no secret. Input: the text of a value; output: whether it refers to a secret, stands in for one, or
//! is an ordinary setting.

use crate::secret::name::NameKind;

/// Shortest value taken for a key or token, in bytes.
pub(crate) const MIN_KEY: usize = 8;

/// How a value refers to a secret that is kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// `$(VAR)`, `${VAR}`, `$VAR`, `os.environ/VAR`.
    Variable,
    /// `{{ … }}`, `{% … %}`.
    Template,
    /// `ENC[…]`, an `age` or PGP message, a sealed value.
    Encrypted,
    /// `vault:`, `ref+…`, `op://`, `<path:…>`, a cloud's secret name.
    Store,
    /// `file:…`, `$__file{…}`.
    File,
}

/// Whether the value refers to a secret; a text that merely contains a reference beside other text counts too.
#[must_use]
pub fn reference(value: &str) -> Option<Reference> {
    let value = value.trim().trim_matches(['"', '\'']);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| value.starts_with(p));
    if starts(&[
        "ENC[",
        "-----BEGIN AGE ENCRYPTED",
        "-----BEGIN PGP MESSAGE",
        "sops:",
        "AgB",
        "$ANSIBLE_VAULT",
    ]) && !(value.starts_with("AgB") && value.len() < 200)
    {
        return Some(Reference::Encrypted);
    }
    if starts(&[
        "vault:",
        "vault://",
        "ref+",
        "op://",
        "<path:",
        "arn:aws:secretsmanager:",
        "arn:aws:ssm:",
        "awssm://",
        "awsssm://",
        "secretref:",
        "secretref+",
        "secret://",
        "sm://",
        "gcpsm://",
        "akv:",
        "azurekeyvault:",
        "@Microsoft.KeyVault(",
        "bws://",
        "doppler://",
        "keyvault:",
        "secretsmanager:",
        "ssm:",
        "!vault",
    ]) || is_cloud_secret_name(value)
    {
        return Some(Reference::Store);
    }
    if starts(&["file:", "$__file{", "@/"]) {
        return Some(Reference::File);
    }
    if value.contains("{{") || value.contains("{%") {
        return Some(Reference::Template);
    }
    if starts(&["os.environ/", "env:", "env://", "$__env{", "process.env."])
        || value.contains("$(")
        || value.contains("${")
        || is_dollar_variable(value)
    {
        return Some(Reference::Variable);
    }
    None
}

fn is_cloud_secret_name(value: &str) -> bool {
    value.starts_with("projects/") && value.contains("/secrets/")
}

fn is_dollar_variable(value: &str) -> bool {
    value.strip_prefix('$').is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// Words that only stand in examples and templates, never inside a real credential.
const STAND_INS: &[&str] = &[
    "your-",
    "your_",
    "<your",
    "replace",
    "placeholder",
    "insert",
    "example",
    "dummy",
    "redacted",
    "-here",
    "_here",
    "fill-me",
    "fill_me",
    "fillme",
    "fake",
    "todo",
    "sk-no-key",
    "no-key",
    "not-needed",
    "notneeded",
    "not-used",
    "unused",
    "xxxx",
    "****",
    "....",
];

/// Whether the value waits for the reader to fill it in. `changeme` and `test` do not: deployed, they are weak secrets.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    if is_clear_placeholder(value) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    STAND_INS.iter().any(|word| lower.contains(word)) || lower.starts_with("your")
}

/// The narrow reading of [`is_placeholder`], safe inside a Secret: shapes no credential has.
pub(crate) fn is_clear_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let mut chars = value.chars();
    let first = chars.next();
    value.is_empty()
        || (value.starts_with('<') && value.ends_with('>'))
        || (value.starts_with("__") && value.ends_with("__"))
        || (value.starts_with('%') && value.ends_with('%'))
        || matches!(
            lower.as_str(),
            "none" | "null" | "nil" | "n/a" | "empty" | "tbd" | "replaceme" | "undefined"
        )
        || (value.len() > 2 && chars.all(|c| Some(c) == first))
        || is_variable_name(value)
}

/// `OPENAI_API_KEY`, `REPLACE_ME`: the name of a variable instead of its value.
fn is_variable_name(value: &str) -> bool {
    value.contains('_')
        && value.starts_with(|c: char| c.is_ascii_uppercase())
        && value.split('_').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
        && value.bytes().filter(u8::is_ascii_digit).count() * 3 < value.len()
}

/// Whether the value is an ordinary setting in spite of its name: a switch, a path, an address, the name of a Secret.
pub(crate) fn is_plain_setting(value: &str, kind: NameKind) -> bool {
    let lower = value.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "enabled"
            | "disabled"
            | "optional"
            | "required"
    ) {
        return true;
    }
    let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_path(value)
        || is_address(value)
        || (kind != NameKind::Password && is_number)
        || (kind == NameKind::Secret && is_object_name(value))
        || (kind == NameKind::Key && names_a_secret(value))
}

fn is_path(value: &str) -> bool {
    let rest = value
        .strip_prefix("/")
        .or_else(|| value.strip_prefix("./"))
        .or_else(|| value.strip_prefix("~/"));
    rest.is_some_and(|rest| {
        rest.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-@".contains(&b))
    })
}

/// A URL; one with a password is found by its shape.
fn is_address(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| {
        scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+')
    })
}

/// A DNS label of words: `gateway-tls`, `my-secret`. Machine-made secrets mix digits into their letters.
fn is_object_name(value: &str) -> bool {
    value.contains('-')
        && value.len() <= 63
        && value
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

fn names_a_secret(value: &str) -> bool {
    let ends = [
        "-secret",
        "-secrets",
        "-credentials",
        "-creds",
        "-tls",
        "-token",
        "-key",
        "-keys",
    ];
    is_object_name(value) && ends.iter().any(|end| value.ends_with(end))
}

/// Whether nobody would type this: long enough, letters and digits, mixed.
pub(crate) fn is_machine_made(text: &str) -> bool {
    text.len() >= 12
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && entropy(text) >= 3.0
}

/// Shannon entropy in bits a byte.
#[must_use]
pub(crate) fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = f64::from(crate::source::to_u32(text.len()));
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
