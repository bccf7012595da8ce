//! `url()`: a URL in, its parts out, read as Go's `net/url` reads it.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/urls.go` (Kubernetes 1.36) over Go 1.26's
//! `net/url`: `isURL` is `ParseRequestURI`, `url()` is that followed by `Parse`, which alone knows
//! fragments and hosts without a scheme. The WHATWG `url` crate reads the same text differently
//! (it trims, lower-cases hosts and invents paths), so it cannot stand in.

mod escape;

use std::collections::BTreeMap;

use self::escape::{Mode, escape, unescape};

/// Why a string is no URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The text is empty.
    #[error("empty url")]
    Empty,
    /// The text has a control character.
    #[error("invalid control character in URL")]
    Control,
    /// The text begins with a colon.
    #[error("missing protocol scheme")]
    MissingScheme,
    /// The text is a relative reference.
    #[error("invalid URI for request")]
    Relative,
    /// The part before the first slash has a colon and there is no scheme.
    #[error("first path segment in URL cannot contain colon")]
    ColonInFirstSegment,
    /// A percent sign is not followed by two hexadecimal digits, or escapes what must not be escaped.
    #[error("invalid URL escape `{0}`")]
    Escape(String),
    /// The host has a character it cannot have.
    #[error("invalid character `{0}` in host name")]
    HostCharacter(char),
    /// An address in brackets is malformed, or brackets are unbalanced.
    #[error("invalid host `{0}`")]
    Host(String),
    /// What follows the host's colon is no number.
    #[error("invalid port `{0}` after host")]
    Port(String),
    /// The user part has a character it cannot have.
    #[error("invalid userinfo")]
    UserInfo,
}

/// A parsed URL.
#[derive(Debug, Clone, Default)]
pub struct Url {
    scheme: String,
    opaque: String,
    user: Option<String>,
    host: String,
    /// Decoded; may hold any bytes.
    path: Vec<u8>,
    /// As written; differs from the default encoding of `path`.
    raw_path: String,
    raw_query: String,
    fragment: Vec<u8>,
}

impl Url {
    /// Parses an absolute URI or an absolute path.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::read(text, true)?;
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::read(rest, false)?;
        url.fragment = unescape(fragment, Mode::Fragment)?;
        Ok(url)
    }

    /// True when `text` is an absolute URI or an absolute path; laxer than [`Url::parse`] on a
    /// fragment with a bad escape, as upstream.
    #[must_use]
    pub fn is_url(text: &str) -> bool {
        Self::read(text, true).is_ok()
    }

    /// Says why `text` is no URI, for `format.uri()`.
    ///
    /// # Errors
    /// The text is neither an absolute URI nor an absolute path.
    pub fn check(text: &str) -> Result<(), UrlError> {
        Self::read(text, true).map(|_| ())
    }

    /// The scheme in lower case, or empty.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Host and port as written; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host without its port and brackets.
    #[must_use]
    pub fn hostname(&self) -> &str {
        let host = self.host_and_port().0;
        host.strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port digits, or empty.
    #[must_use]
    pub fn port(&self) -> &str {
        self.host_and_port().1
    }

    fn host_and_port(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
            _ => (&self.host, ""),
        }
    }

    /// The path, percent-encoded: as written if that is a valid encoding, else encoded anew.
    #[must_use]
    pub fn escaped_path(&self) -> String {
        let written = !self.raw_path.is_empty()
            && escape::is_valid_encoding(&self.raw_path, Mode::Path)
            && unescape(&self.raw_path, Mode::Path).is_ok_and(|path| path == self.path);
        if written {
            self.raw_path.clone()
        } else if self.path == b"*" {
            "*".to_owned()
        } else {
            escape(&self.path, Mode::Path)
        }
    }

    /// The query, decoded: every key with its values in order. Pairs with a bad escape or a semicolon
    /// are left out, as in Go's `URL.Query`.
    #[must_use]
    pub fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in self.raw_query.split('&') {
            if pair.is_empty() || pair.contains(';') {
                continue;
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Ok(key), Ok(value)) = (
                unescape(key, Mode::QueryComponent),
                unescape(value, Mode::QueryComponent),
            ) {
                query.entry(text(&key)).or_default().push(text(&value));
            }
        }
        query
    }

    fn read(text: &str, via_request: bool) -> Result<Self, UrlError> {
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err(UrlError::Control);
        }
        if text.is_empty() && via_request {
            return Err(UrlError::Empty);
        }
        let mut url = Self::default();
        if text == "*" {
            url.path = b"*".to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        url.raw_query = query.to_owned();
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if via_request {
                return Err(UrlError::Relative);
            }
            if rest.split('/').next().is_some_and(|s| s.contains(':')) {
                return Err(UrlError::ColonInFirstSegment);
            }
        }
        let may_have_host = !url.scheme.is_empty() || (!via_request && !rest.starts_with("///"));
        if let Some(after) = rest.strip_prefix("//").filter(|_| may_have_host) {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            (url.user, url.host) = read_authority(authority, &url.scheme)?;
            rest = path;
        }
        url.path = unescape(rest, Mode::Path)?;
        if escape(&url.path, Mode::Path) != rest {
            url.raw_path = rest.to_owned();
        }
        Ok(url)
    }
}

/// Two URLs are equal when they print alike, as upstream compares them.
impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.opaque == other.opaque
            && self.user == other.user
            && self.host == other.host
            && self.raw_query == other.raw_query
            && self.fragment == other.fragment
            && self.escaped_path() == other.escaped_path()
    }
}

impl Eq for Url {}

fn split_scheme(text: &str) -> Result<(&str, &str), UrlError> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err(UrlError::MissingScheme),
            b':' => return Ok(text.split_once(':').unwrap_or(("", text))),
            _ => break,
        }
    }
    Ok(("", text))
}

fn read_authority(authority: &str, scheme: &str) -> Result<(Option<String>, String), UrlError> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Ok((None, read_host(authority, scheme)?));
    };
    let host = read_host(host, scheme)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    if !user.bytes().all(allowed) {
        return Err(UrlError::UserInfo);
    }
    unescape(user, Mode::UserPassword)?;
    Ok((Some(user.to_owned()), host))
}

fn read_host(host: &str, scheme: &str) -> Result<String, UrlError> {
    let invalid = || UrlError::Host(host.to_owned());
    if let Some(inner) = host.strip_prefix('[') {
        let (address, port) = inner.rsplit_once(']').ok_or_else(invalid)?;
        check_port(port)?;
        let (literal, zone) = address.split_once("%25").unwrap_or((address, ""));
        // Since Go 1.25.2 only an IPv6 address may stand in brackets (CVE-2025-47912).
        let decoded = text(&unescape(literal, Mode::Host)?);
        decoded
            .parse::<std::net::Ipv6Addr>()
            .map_err(|_| invalid())?;
        let zone_part = if address.contains("%25") {
            format!("%{}", text(&unescape(zone, Mode::Zone)?))
        } else {
            String::new()
        };
        return Ok(format!("[{decoded}{zone_part}]{port}"));
    }
    if let Some((name, port)) = host.rsplit_once(':') {
        check_port(&format!(":{port}"))?;
        // Since Go 1.26 a web host has no colon outside its port (`http://a:1:2/`).
        if name.contains(':') && matches!(scheme, "http" | "https") {
            return Err(invalid());
        }
    }
    Ok(text(&unescape(host, Mode::Host)?))
}

fn check_port(port: &str) -> Result<(), UrlError> {
    let digits = port.strip_prefix(':').unwrap_or(port);
    if (port.is_empty() || port.starts_with(':')) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err(UrlError::Port(port.to_owned()))
    }
}

/// Go's strings hold any bytes, CEL's only text: what is not UTF-8 becomes the replacement character.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
