//! Percent-encoding as Go's `net/url` does it: text and its place in the URL in, bytes or text out.

use super::UrlError;

/// Where in a URL the text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Path,
    Host,
    Zone,
    UserPassword,
    QueryComponent,
    Fragment,
}

impl Mode {
    fn is_host(self) -> bool {
        matches!(self, Self::Host | Self::Zone)
    }
}

/// net/url `shouldEscape`: must `byte` be escaped here?
fn should_escape(byte: u8, mode: Mode) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    // A host keeps RFC 3986's sub-delimiters, brackets and colons, and "<>\"" for old users.
    if mode.is_host() {
        return !b"!$&'()*+,;=:[]<>\"".contains(&byte);
    }
    match byte {
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match mode {
            Mode::Path => byte == b'?',
            Mode::UserPassword => b"@/?:".contains(&byte),
            Mode::Fragment => false,
            _ => true,
        },
        b'!' | b'(' | b')' | b'*' => mode != Mode::Fragment,
        _ => true,
    }
}

/// Encodes what must be encoded, a space as `%20`.
pub(super) fn escape(bytes: &[u8], mode: Mode) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if should_escape(*byte, mode) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push(char::from(*byte));
        }
    }
    out
}

/// Decodes percent escapes; in a query component `+` is a space.
pub(super) fn unescape(text: &str, mode: Mode) -> Result<Vec<u8>, UrlError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    let mut offset = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let bad = || {
                    UrlError::Escape(text.get(offset..).unwrap_or(text).chars().take(3).collect())
                };
                let high = bytes.next().and_then(hex).ok_or_else(bad)?;
                let low = bytes.next().and_then(hex).ok_or_else(bad)?;
                let value = high * 16 + low;
                // In a host only bytes of other scripts, and the percent sign, may come escaped.
                let refused = match mode {
                    Mode::Host => high < 8 && value != b'%',
                    Mode::Zone => {
                        value != b'%' && value != b' ' && should_escape(value, Mode::Host)
                    }
                    _ => false,
                };
                if refused {
                    return Err(bad());
                }
                out.push(value);
                offset += 2;
            }
            b'+' if mode == Mode::QueryComponent => out.push(b' '),
            _ if mode.is_host() && byte.is_ascii() && should_escape(byte, mode) => {
                return Err(UrlError::HostCharacter(char::from(byte)));
            }
            _ => out.push(byte),
        }
        offset += 1;
    }
    Ok(out)
}

/// net/url `validEncoded`: is `text` a possible encoding, though not the default one?
pub(super) fn is_valid_encoding(text: &str, mode: Mode) -> bool {
    text.bytes()
        .all(|byte| b"!$&'()*+,;=:@[]%".contains(&byte) || !should_escape(byte, mode))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
