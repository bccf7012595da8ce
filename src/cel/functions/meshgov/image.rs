//! `image()`: a container image reference in, registry, repository, tag and digest out.
//!
//! Source: github.com/distribution/reference v0.6 (`regexp.go` for the grammar, `normalize.go` for
//! Docker Hub's short names). What was not written stays empty: a missing tag is not `latest`.

use std::fmt;

/// Why a string is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The text is outside the grammar.
    #[error("invalid image reference `{0}`")]
    Malformed(String),
    /// The repository has upper-case letters.
    #[error("invalid image reference `{0}`: repository name must be lowercase")]
    Uppercase(String),
    /// The repository is longer than 255 bytes.
    #[error("invalid image reference: repository name is longer than {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// The digest's length does not fit its algorithm.
    #[error("invalid image reference `{0}`: invalid digest")]
    Digest(String),
    /// The text is a bare image id.
    #[error("invalid image reference `{0}`: cannot be 64 hexadecimal digits")]
    Identifier(String),
}

/// distribution/reference `RepositoryNameTotalLengthMax`.
const MAX_NAME_BYTES: usize = 255;
const MAX_TAG_BYTES: usize = 128;
const DEFAULT_REGISTRY: &str = "docker.io";
const LEGACY_REGISTRY: &str = "index.docker.io";

/// A parsed image reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    registry: String,
    repository: String,
    tag: String,
    digest: String,
}

impl Image {
    /// Parses `text`; short names are Docker Hub's (`nginx` is `docker.io/library/nginx`).
    ///
    /// # Errors
    /// The text is not an image reference.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let malformed = || ImageError::Malformed(text.to_owned());
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ImageError::Identifier(text.to_owned()));
        }
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, check_digest(digest, text)?),
            None => (text, ""),
        };
        let (registry, rest) = split_registry(named);
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, tag),
            Some(_) => return Err(malformed()),
            None => (rest, ""),
        };
        let short = registry == DEFAULT_REGISTRY && !path.contains('/');
        let repository = if short {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(ImageError::Uppercase(text.to_owned()));
        }
        if !is_registry(registry) || !repository.split('/').all(is_path_component) {
            return Err(malformed());
        }
        if repository.len() > MAX_NAME_BYTES {
            return Err(ImageError::TooLong);
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.to_owned(),
            digest: digest.to_owned(),
        })
    }

    /// The registry's host, with its port if written; `docker.io` for short names.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path below the registry: `library/nginx`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag as written, or empty.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The digest with its algorithm, or empty.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// True when the reference is pinned by digest.
    #[must_use]
    pub fn contains_digest(&self) -> bool {
        !self.digest.is_empty()
    }

    /// What a runtime would pull: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn identifier(&self) -> &str {
        [self.digest.as_str(), self.tag.as_str()]
            .into_iter()
            .find(|part| !part.is_empty())
            .unwrap_or("latest")
    }

    /// Registry and repository.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

/// The normalised reference.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if !self.tag.is_empty() {
            write!(f, ":{}", self.tag)?;
        }
        if !self.digest.is_empty() {
            write!(f, "@{}", self.digest)?;
        }
        Ok(())
    }
}

/// normalize.go `splitDockerDomain`: the part before the first slash is a registry when it is
/// `localhost` or has a dot, a colon or an upper-case letter.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((LEGACY_REGISTRY, rest)) => (DEFAULT_REGISTRY, rest),
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.chars().any(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn is_registry(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        return inner.split_once(']').is_some_and(|(address, port)| {
            let ipv6 = |b: u8| b.is_ascii_hexdigit() || b == b':';
            !address.is_empty() && address.bytes().all(ipv6) && is_port(port)
        });
    }
    let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
    let component = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(component) && is_port(port)
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower-case letters and digits, joined by one dot, one or two underscores or any dashes.
fn is_path_component(text: &str) -> bool {
    let atom = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separators_ok = text
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'));
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| atom(*b))
        && bytes.last().is_some_and(|b| atom(*b))
        && separators_ok
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= MAX_TAG_BYTES
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// go-digest's algorithms and lengths.
fn check_digest<'t>(digest: &'t str, whole: &str) -> Result<&'t str, ImageError> {
    let hex_digits = match digest.split_once(':') {
        Some(("sha256", hex)) if hex.len() == 64 => hex,
        Some(("sha384", hex)) if hex.len() == 96 => hex,
        Some(("sha512", hex)) if hex.len() == 128 => hex,
        _ => return Err(ImageError::Digest(whole.to_owned())),
    };
    if hex_digits.bytes().all(is_lower_hex) {
        Ok(digest)
    } else {
        Err(ImageError::Digest(whole.to_owned()))
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[cfg(test)]
mod tests;
