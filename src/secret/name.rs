//! L2: names that speak of a secret. Input: a name of a variable, flag or field; output: which kind of secret it announces.

/// How strictly a value under the name is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// A password: any value counts, `test` and `12345` too.
    Password,
    /// A machine-made key or token: short values are placeholders.
    Key,
    /// `…_SECRET`: like a key, but often the name of a Secret object.
    Secret,
}

/// The kind of secret a name announces; `None` for `TOKEN_URL`, `SECRET_NAME`, `…_FILE`, `KEY_ID`, `PUBLIC_KEY`: the last
/// words decide.
#[must_use]
pub fn kind(name: &str) -> Option<NameKind> {
    if !may_announce(name) {
        return None;
    }
    let words = words(name);
    let mut last = words.iter().rev().map(String::as_str).peekable();
    while last
        .peek()
        .is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()))
    {
        last.next();
    }
    let (one, two) = (last.next()?, last.next().unwrap_or(""));
    match (two, one) {
        (_, "password" | "passwd" | "passphrase" | "pwd" | "passcode" | "userpass") => {
            Some(NameKind::Password)
        }
        ("next" | "page" | "continue" | "cancel" | "csrf" | "eos" | "pad" | "stop", "token") => {
            None
        }
        (
            _,
            "token" | "apikey" | "apitoken" | "accesskey" | "secretkey" | "privatekey"
            | "authtoken" | "psk",
        ) => Some(NameKind::Key),
        (
            "api" | "access" | "private" | "secret" | "account" | "master" | "encryption"
            | "signing" | "auth" | "shared" | "storage" | "license" | "session" | "subscription"
            | "salt" | "admin" | "service" | "deploy" | "bot" | "webhook" | "app" | "application",
            "key",
        ) => Some(NameKind::Key),
        (
            "pull" | "tls" | "cert" | "certificate" | "ca" | "existing" | "image" | "kube" | "k8s"
            | "docker" | "registry" | "credential" | "credentials" | "external" | "cluster"
            | "create" | "for",
            "secret",
        ) => None,
        (_, "secret" | "clientsecret") => Some(NameKind::Secret),
        (_, "credential" | "credentials") => Some(NameKind::Secret),
        _ => None,
    }
}

/// Whether a field name of an arbitrary object announces a secret value. Narrower than [`kind`]: custom resources call the
/// name or the key of a Secret object `secret`, `secretKey`, `token` and `credentials`.
#[must_use]
pub fn field_kind(name: &str) -> Option<NameKind> {
    if !may_announce(name) {
        return None;
    }
    if is_variable(name) {
        return kind(name);
    }
    let words = words(name);
    let joined = words.concat();
    let ends = |end: &str| joined.ends_with(end);
    if ends("password") || ends("passwd") || ends("passphrase") {
        return Some(NameKind::Password);
    }
    let key = [
        "apikey",
        "accesstoken",
        "authtoken",
        "bearertoken",
        "apitoken",
        "bottoken",
        "refreshtoken",
        "accesskey",
        "secretaccesskey",
        "privatekey",
        "masterkey",
        "encryptionkey",
        "signingkey",
        "accountkey",
        "clientkeydata",
        "clientsecret",
        "sharedsecret",
        "adtoken",
    ];
    (joined == "token" || key.iter().any(|end| ends(end))).then_some(NameKind::Key)
}

/// Last letters of every name that [`kind`] or [`field_kind`] know, digits and separators left out. Nearly all names of a
/// manifest end otherwise, and need not be taken apart.
const ENDINGS: &[[u8; 3]] = &[
    *b"ord", *b"swd", *b"ase", *b"pwd", *b"ode", *b"ass", *b"ken", *b"key", *b"psk", *b"ret",
    *b"ial", *b"als", *b"ata",
];

fn may_announce(name: &str) -> bool {
    let mut letters = name
        .bytes()
        .rev()
        .filter(u8::is_ascii_alphabetic)
        .map(|b| b.to_ascii_lowercase());
    let (Some(last), Some(middle), Some(first)) = (letters.next(), letters.next(), letters.next())
    else {
        return false;
    };
    ENDINGS.contains(&[first, middle, last])
}

/// Whether the name is written like an environment variable.
fn is_variable(name: &str) -> bool {
    name.len() > 2
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().any(|b| b.is_ascii_uppercase())
}

/// Lower-case words of `SNAKE_CASE`, `kebab-case`, `dotted.names` and `camelCase`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut previous = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            previous = ' ';
            continue;
        }
        let next_is_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
        let starts = c.is_ascii_uppercase()
            && (previous.is_ascii_lowercase()
                || previous.is_ascii_digit()
                || (previous.is_ascii_uppercase() && next_is_lower));
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(c.to_ascii_lowercase());
        previous = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_known_name_is_sorted_out_by_its_ending() {
        for name in [
            "PASSWORD",
            "passwd",
            "passphrase",
            "DB_PWD",
            "passcode",
            "userPass",
            "HF_TOKEN_2",
            "apikey",
            "client-key-data",
            "psk",
            "CLIENT_SECRET",
            "credential",
            "credentials",
        ] {
            assert!(may_announce(name), "{name}");
        }
        assert!(!may_announce("image"));
        assert!(!may_announce("k8"));
    }

    #[test]
    fn words_follow_every_spelling() {
        assert_eq!(words("OPENAI_API_KEY"), ["openai", "api", "key"]);
        assert_eq!(words("azureAdToken"), ["azure", "ad", "token"]);
        assert_eq!(words("APIKey"), ["api", "key"]);
        assert_eq!(words("--hf-token"), ["hf", "token"]);
    }

    #[test]
    fn fields_of_custom_resources_are_read_narrowly() {
        assert_eq!(field_kind("clientSecret"), Some(NameKind::Key));
        assert_eq!(field_kind("adminPassword"), Some(NameKind::Password));
        assert_eq!(field_kind("DB_PASSWORD"), Some(NameKind::Password));
        for name in [
            "secretKey",
            "secret",
            "existingSecret",
            "secretName",
            "tokenSecretRef",
            "passwordKey",
            "key",
        ] {
            assert_eq!(field_kind(name), None, "{name}");
        }
    }
}
