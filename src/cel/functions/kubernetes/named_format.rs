//! `format.named("x").validate(s)`: a string in, why it breaks a named Kubernetes format out.
//!
//! Sources: `k8s.io/apiserver/pkg/cel/library/format.go`, `k8s.io/apimachinery/pkg/api/validate/content`
//! (Kubernetes 1.36) and kube-openapi `pkg/validation/strfmt` for `uuid`, `byte`, `date` and `datetime`.
//! The messages are upstream's, because rules print and compare them.

use super::url::Url;

/// A named format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant is the format of its name, see `NamedFormat::name`"
)]
pub enum NamedFormat {
    Dns1123Label,
    Dns1123Subdomain,
    Dns1035Label,
    QualifiedName,
    Dns1123LabelPrefix,
    Dns1123SubdomainPrefix,
    Dns1035LabelPrefix,
    LabelValue,
    Uri,
    Uuid,
    Byte,
    Date,
    Datetime,
}

impl NamedFormat {
    /// Every format, in the order of upstream's documentation.
    pub const ALL: [Self; 13] = [
        Self::Dns1123Label,
        Self::Dns1123Subdomain,
        Self::Dns1035Label,
        Self::QualifiedName,
        Self::Dns1123LabelPrefix,
        Self::Dns1123SubdomainPrefix,
        Self::Dns1035LabelPrefix,
        Self::LabelValue,
        Self::Uri,
        Self::Uuid,
        Self::Byte,
        Self::Date,
        Self::Datetime,
    ];

    /// The format of that name, as `format.named` looks it up.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The name in `format.<name>()`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns1123Label => "dns1123Label",
            Self::Dns1123Subdomain => "dns1123Subdomain",
            Self::Dns1035Label => "dns1035Label",
            Self::QualifiedName => "qualifiedName",
            Self::Dns1123LabelPrefix => "dns1123LabelPrefix",
            Self::Dns1123SubdomainPrefix => "dns1123SubdomainPrefix",
            Self::Dns1035LabelPrefix => "dns1035LabelPrefix",
            Self::LabelValue => "labelValue",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
            Self::Byte => "byte",
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }

    /// Why `text` does not have the format; empty when it has.
    #[must_use]
    pub fn validate(self, text: &str) -> Vec<String> {
        match self {
            Self::Dns1123Label => dns1123_label(text),
            Self::Dns1123Subdomain => dns1123_subdomain(text),
            Self::Dns1035Label => dns1035_label(text),
            Self::QualifiedName => label_key(text),
            Self::Dns1123LabelPrefix => dns1123_label(&as_prefix(text)),
            Self::Dns1123SubdomainPrefix => dns1123_subdomain(&as_prefix(text)),
            Self::Dns1035LabelPrefix => dns1035_label(&as_prefix(text)),
            Self::LabelValue => label_value(text),
            Self::Uri => match Url::check(text) {
                Ok(()) => Vec::new(),
                Err(error) => vec![format!("parse {text:?}: {error}")],
            },
            Self::Uuid => unless(is_uuid(text), "does not match the UUID format"),
            Self::Byte => unless(is_base64(text), "invalid base64"),
            Self::Date => unless(is_date(text), "invalid date"),
            Self::Datetime => unless(is_datetime(text), "invalid datetime"),
        }
    }
}

const LABEL_PATTERN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_PATTERN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const KEY_PATTERN: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const MAX_LABEL_BYTES: usize = 63;
const MAX_SUBDOMAIN_BYTES: usize = 253;

fn dns1123_label(text: &str) -> Vec<String> {
    let mut errors = too_long(text, MAX_LABEL_BYTES);
    if !is_label(text, |b| b.is_ascii_alphanumeric()) {
        if is_subdomain(text) {
            errors.push("must not contain dots".to_owned());
        } else {
            errors.push(pattern_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character",
                LABEL_PATTERN,
                &["my-name", "123-abc"],
            ));
        }
    }
    errors
}

fn dns1123_subdomain(text: &str) -> Vec<String> {
    let mut errors = too_long(text, MAX_SUBDOMAIN_BYTES);
    if !is_subdomain(text) {
        errors.push(pattern_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '-' or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN_PATTERN,
            &["example.com"],
        ));
    }
    errors
}

fn dns1035_label(text: &str) -> Vec<String> {
    let mut errors = too_long(text, MAX_LABEL_BYTES);
    if !is_label(text, |b| b.is_ascii_alphabetic()) {
        errors.push(pattern_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
             with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    errors
}

fn label_key(text: &str) -> Vec<String> {
    let describe = || {
        pattern_error(
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
             an alphanumeric character",
            KEY_PATTERN,
            &["MyName", "my.name", "123-abc"],
        )
    };
    let mut errors = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                let prefixed = dns1123_subdomain(prefix).into_iter();
                errors.extend(prefixed.map(|error| format!("prefix part {error}")));
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')",
                describe()
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    }
    let length = too_long(name, MAX_LABEL_BYTES).into_iter();
    errors.extend(length.map(|error| format!("name part {error}")));
    if !is_key(name) {
        errors.push(format!("name part {}", describe()));
    }
    errors
}

fn label_value(text: &str) -> Vec<String> {
    let mut errors = too_long(text, MAX_LABEL_BYTES);
    if !text.is_empty() && !is_key(text) {
        errors.push(pattern_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' \
             or '.', and must start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// A prefix may end in a dash: the two last characters count as one good one, as upstream's
/// `maskTrailingDash` has it.
fn as_prefix(text: &str) -> String {
    let mut chars = text.chars();
    if text.len() > 1 && chars.next_back() == Some('-') {
        chars.next_back();
        format!("{}a", chars.as_str())
    } else {
        text.to_owned()
    }
}

fn is_label(text: &str, first: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(|b| lower(*b) && first(*b))
        && bytes.last().is_some_and(|b| lower(*b))
        && bytes.iter().all(|b| lower(*b) || *b == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.')
        .all(|label| is_label(label, |b| b.is_ascii_alphanumeric()))
}

fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// strfmt `UUIDPattern`: 8-4-4-4-12 hexadecimal digits, each dash optional.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (index, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        match rest.split_at_checked(digits) {
            Some((group, after)) if group.bytes().all(|b| b.is_ascii_hexdigit()) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// govalidator `Base64`: padded groups of four, at least one.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - digits.len() <= 2
        && digits
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// RFC 3339 `full-date`.
fn is_date(text: &str) -> bool {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shape && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// strfmt `IsDateTime`: a date, `T`, a time up to 23:59:59, an optional fraction and an offset.
fn is_datetime(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let Some((date, time)) = lower.split_once('t') else {
        return false;
    };
    let Some((clock, rest)) = time.split_at_checked(8) else {
        return false;
    };
    let clock_ok = match clock.split(':').collect::<Vec<_>>().as_slice() {
        [hour, minute, second] => {
            two_digits(hour, 23) && two_digits(minute, 59) && two_digits(second, 59)
        }
        _ => false,
    };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if offset.len() == fraction.len() {
                return false;
            }
            offset
        }
        None => rest,
    };
    is_date(date) && clock_ok && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    let numeric = |rest: &str| {
        rest.split_once(':')
            .is_some_and(|(hours, minutes)| two_digits(hours, 99) && two_digits(minutes, 99))
    };
    text == "z" || text.strip_prefix(['+', '-']).is_some_and(numeric)
}

fn two_digits(text: &str, max: u8) -> bool {
    text.len() == 2
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u8>().is_ok_and(|number| number <= max)
}

fn unless(valid: bool, message: &str) -> Vec<String> {
    if valid {
        Vec::new()
    } else {
        vec![message.to_owned()]
    }
}

fn too_long(text: &str, max_bytes: usize) -> Vec<String> {
    let message = format!("must be no more than {max_bytes} bytes");
    unless(text.len() <= max_bytes, &message)
}

/// The wording of upstream's `RegexError`, its odd comma before "or" included.
fn pattern_error(rule: &str, pattern: &str, examples: &[&str]) -> String {
    let quoted: Vec<String> = examples.iter().map(|text| format!("'{text}', ")).collect();
    let examples = quoted.join(" or ");
    format!("{rule} (e.g. {examples}regex used for validation is '{pattern}')")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(name: &str, text: &str) -> bool {
        NamedFormat::named(name).unwrap().validate(text).is_empty()
    }

    #[test]
    fn prefixes_may_end_in_a_dash() {
        assert!(valid("dns1123LabelPrefix", "my-label-prefix-"));
        assert!(valid("dns1123SubdomainPrefix", "mysubdomain.prefix.-"));
        assert!(!valid("dns1123Label", "my-label-prefix-"));
        assert!(!valid("dns1123LabelPrefix", "-"));
    }

    #[test]
    fn lengths_and_dots_have_their_own_messages() {
        let long = "a".repeat(64);
        assert_eq!(
            NamedFormat::Dns1123Label.validate(&long),
            ["must be no more than 63 bytes"]
        );
        assert_eq!(
            NamedFormat::Dns1123Label.validate("a.b"),
            ["must not contain dots"]
        );
        assert_eq!(
            NamedFormat::QualifiedName.validate("/a"),
            ["prefix part must be non-empty"]
        );
        assert_eq!(NamedFormat::QualifiedName.validate("a/").len(), 2);
        assert_eq!(NamedFormat::QualifiedName.validate("a/b/c").len(), 1);
    }

    #[test]
    fn dates_uuids_and_bytes_follow_strfmt() {
        for (name, text, expected) in [
            ("date", "2024-02-29", true),
            ("date", "2023-02-29", false),
            ("date", "2021-1-01", false),
            ("datetime", "2021-01-01t00:00:00z", true),
            ("datetime", "2021-01-01T23:59:60Z", false),
            ("datetime", "2021-01-01T00:00:00.123+02:00", true),
            ("datetime", "2021-01-01T00:00:00", false),
            ("datetime", "2021-01-01 00:00:00Z", false),
            ("uuid", "123E4567e89b12d3a456426614174000", true),
            ("uuid", "123e4567-e89b-12d3-a456-42661417400", false),
            ("byte", "", false),
            ("byte", "aGVsbG8", false),
            ("byte", "aG===", false),
            ("labelValue", "", true),
        ] {
            assert_eq!(valid(name, text), expected, "{name} {text}");
        }
    }
}
