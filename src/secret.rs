//! L2: which scalars are secret. Input: names and values, or a tree before it is shared; output: their class, marked nodes,
//! and the spans that no report may show.
//!
//! A *literal* stands in the file; a *reference* (`${VAR}`, `ENC[…]`, `op://…`) and a *placeholder* (`<your-token>`) do not
//! give anything away. Rules judge literals; readers of a tree never see one.

pub mod mark;
pub mod name;
pub mod text;
pub mod token;
pub mod value;

pub(crate) use mark::{broken_spans, mark, mark_rendered};
pub use token::{Token, tokens};
pub use value::Reference;

/// What a value is, given the name it stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing secret.
    NotSecret,
    /// Stands for a secret that is kept elsewhere, or is encrypted.
    Reference(Reference),
    /// To be filled in by the reader.
    Placeholder,
    /// The secret itself.
    Literal,
}

/// Classifies a value under a name: of an environment variable, a command-line flag, a ConfigMap key, a field.
///
/// A provider's token is a literal under any name; other values only count under a name that speaks of a secret.
#[must_use]
pub fn classify(name: &str, value: &str) -> Class {
    let value = value.trim();
    if let Some(reference) = value::reference(value) {
        return if name::kind(name).is_some() {
            Class::Reference(reference)
        } else {
            Class::NotSecret
        };
    }
    if !token::tokens(value).is_empty() {
        return Class::Literal;
    }
    name::kind(name).map_or(Class::NotSecret, |kind| judge(kind, value))
}

/// Classifies a value whose name announces a secret.
fn judge(kind: name::NameKind, value: &str) -> Class {
    let value = value.trim();
    if let Some(reference) = value::reference(value) {
        return Class::Reference(reference);
    }
    let is_punctuation = value.bytes().all(|b| b.is_ascii_punctuation());
    if is_punctuation || value::is_placeholder(value) {
        return Class::Placeholder;
    }
    if value::is_plain_setting(value, kind) {
        return Class::NotSecret;
    }
    if kind != name::NameKind::Password && value.len() < value::MIN_KEY {
        return Class::Placeholder;
    }
    Class::Literal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, value: &str) -> &'static str {
        match classify(name, value) {
            Class::NotSecret => "no",
            Class::Reference(_) => "reference",
            Class::Placeholder => "placeholder",
            Class::Literal => "literal",
        }
    }

    #[test]
    fn names_and_values_decide_together() {
        for (name, value, expected) in [
            ("OPENAI_API_KEY", "k9Qw-7dPzX31", "literal"),
            ("OPENAI_API_KEY", "$(KEY)", "reference"),
            ("OPENAI_API_KEY", "${KEY:-x}", "reference"),
            ("OPENAI_API_KEY", "{{ .Values.key }}", "reference"),
            (
                "OPENAI_API_KEY",
                "ENC[AES256_GCM,data:Zm9v,type:str]",
                "reference",
            ),
            ("OPENAI_API_KEY", "vault:secret/data/x#key", "reference"),
            ("OPENAI_API_KEY", "ref+awssecrets://x", "reference"),
            ("OPENAI_API_KEY", "op://vault/item/field", "reference"),
            ("OPENAI_API_KEY", "<path:secret/data/x#key>", "reference"),
            ("OPENAI_API_KEY", "os.environ/OPENAI_API_KEY", "reference"),
            ("OPENAI_API_KEY", "<your-token>", "placeholder"),
            ("OPENAI_API_KEY", "REPLACE_ME", "placeholder"),
            ("OPENAI_API_KEY", "xxxxxxxx", "placeholder"),
            ("OPENAI_API_KEY", "", "placeholder"),
            ("OPENAI_API_KEY", "EMPTY", "placeholder"),
            ("OPENAI_API_KEY", "OPENAI_API_KEY", "placeholder"),
            ("OPENAI_API_KEY", "sk-no-key-required", "placeholder"),
            ("apiKey", "k9Qw-7dPzX31", "literal"),
            ("DB_PASSWORD", "changeme", "literal"),
            ("DB_PASSWORD", "test", "literal"),
            ("DB_PASSWORD", "12345", "literal"),
            ("DB_PASSWORD_FILE", "/run/secrets/db", "no"),
            ("DB_PASSWORD", "/run/secrets/db", "no"),
            ("TOKEN_URL", "https://idp.example.com/token", "no"),
            ("SECRET_NAME", "openai", "no"),
            ("AWS_ACCESS_KEY_ID", "notreallyakey", "no"),
            (
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzz",
                "literal",
            ),
            ("MAX_TOKENS", "4096", "no"),
            ("TLS_SECRET", "gateway-tls", "no"),
            ("CLIENT_SECRET", "9f8e7d6c5b4a", "literal"),
            ("USE_TOKEN", "true", "no"),
            ("TOKENIZER", "mistralai/x", "no"),
            ("HF_TOKEN", "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345", "literal"),
            ("ANYTHING", "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345", "literal"),
            ("SSH_AUTH_SOCK", "abcdefgh1234", "no"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp/key.json", "no"),
            ("DATABASE_URL", "postgres://app:hunter2@db/app", "literal"),
            ("DATABASE_URL", "postgres://app:$(PW)@db/app", "no"),
            ("PUBLIC_KEY", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "no"),
        ] {
            assert_eq!(class(name, value), expected, "{name}={value}");
        }
    }
}
