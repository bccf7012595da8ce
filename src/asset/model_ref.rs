//! A model reference, normalised. Input: the URI or name that a field holds; output: scheme, owner, name, revision, digest, pin.

/// How firmly a reference names its bytes (the weakest first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pin {
    /// The files do not say what is loaded: a volume, a storage key.
    Opaque,
    /// A branch, `latest`, or nothing.
    Floating,
    /// A tag, or a numbered path segment.
    Version,
    /// A commit of 40 hex digits or a sha256 digest.
    Immutable,
}

impl Pin {
    /// The word used in rules and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Floating => "floating",
            Self::Version => "version",
            Self::Immutable => "immutable",
        }
    }
}

/// What a model-reference field means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef {
    /// The reference as a URI: hub names without scheme get `hf://`.
    pub uri: String,
    /// `hf`, `modelscope`, `oci`, `s3`, `gs`, `http`, `https`, `pvc` …; empty for a path.
    pub scheme: String,
    /// Publisher on a hub; empty elsewhere.
    pub owner: String,
    /// Model or object name without revision.
    pub name: String,
    /// Branch, tag or commit; empty when none is given.
    pub revision: String,
    /// `sha256:…` of an OCI reference; empty when none is given.
    pub digest: String,
    /// Host of a URL or registry of an OCI reference; bucket of an object store.
    pub host: String,
    /// Path after the host.
    pub path: String,
    /// How firmly it is pinned.
    pub pin: Pin,
}

impl ModelRef {
    /// Reads a model URI; a bare `owner/name` is a hub model.
    ///
    /// KServe splits `hf://owner/name:revision` on `:` only, so `@revision` is part of the name there and no pin
    /// (kserve `python/storage/kserve_storage/kserve_storage.py`, v0.17).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or_else(|| bare(text));
        let uri = if text.contains("://") || scheme.is_empty() {
            text.to_owned()
        } else {
            format!("{scheme}://{rest}")
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "hf" | "modelscope" => hub(uri, scheme, rest),
            "oci" | "oci+native" | "oci+fetch" => oci(uri, scheme, rest),
            _ => located(uri, scheme, rest),
        }
    }
}

/// A reference without `://`: a path, or a hub name such as `owner/name`.
fn bare(text: &str) -> (&str, &str) {
    let is_hub_name = text.split('/').count() == 2
        && !text.starts_with(['/', '.', '~', '$', '{', '<'])
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | ':' | '@'));
    if is_hub_name {
        ("hf", text)
    } else {
        ("", text)
    }
}

fn hub(uri: String, scheme: String, rest: &str) -> ModelRef {
    let (full, revision) = rest.split_once(':').unwrap_or((rest, ""));
    let (owner, name) = full.split_once('/').unwrap_or(("", full));
    let pin = match revision {
        "" | "main" | "master" | "latest" => Pin::Floating,
        commit if is_commit(commit) => Pin::Immutable,
        _ => Pin::Version,
    };
    ModelRef {
        uri,
        scheme,
        owner: owner.to_owned(),
        name: name.to_owned(),
        revision: revision.to_owned(),
        digest: String::new(),
        host: String::new(),
        path: full.to_owned(),
        pin,
    }
}

fn oci(uri: String, scheme: String, rest: &str) -> ModelRef {
    let (reference, digest) = rest.split_once('@').unwrap_or((rest, ""));
    let (host, path) = reference.split_once('/').unwrap_or(("", reference));
    let (path, tag) = path.rsplit_once(':').unwrap_or((path, ""));
    let pin = match (digest.starts_with("sha256:"), tag) {
        (true, _) => Pin::Immutable,
        (false, "" | "latest" | "main" | "master") => Pin::Floating,
        (false, _) => Pin::Version,
    };
    ModelRef {
        uri,
        scheme,
        owner: String::new(),
        name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        revision: tag.to_owned(),
        digest: digest.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        pin,
    }
}

fn located(uri: String, scheme: String, rest: &str) -> ModelRef {
    let (host, path) = if scheme.is_empty() {
        ("", rest)
    } else {
        rest.split_once('/').unwrap_or((rest, ""))
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let numbered = path.split('/').any(|part| {
        part.trim_start_matches(['v', 'V'])
            .starts_with(|c: char| c.is_ascii_digit())
    });
    let pin = match scheme.as_str() {
        "" | "pvc" | "file" => Pin::Opaque,
        _ if path.contains("versionId=") || numbered => Pin::Version,
        _ => Pin::Floating,
    };
    ModelRef {
        uri,
        scheme,
        owner: String::new(),
        name: path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or("")
            .to_owned(),
        revision: String::new(),
        digest: String::new(),
        host: host.to_owned(),
        path: path.to_owned(),
        pin,
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// uri → scheme, owner, name, revision, host, pin
    const CASES: &[(&str, [&str; 5], Pin)] = &[
        (
            "hf://acme/support-7b",
            ["hf", "acme", "support-7b", "", ""],
            Pin::Floating,
        ),
        (
            "acme/support-7b",
            ["hf", "acme", "support-7b", "", ""],
            Pin::Floating,
        ),
        (
            "hf://acme/m:main",
            ["hf", "acme", "m", "main", ""],
            Pin::Floating,
        ),
        (
            "hf://acme/m:v1.2",
            ["hf", "acme", "m", "v1.2", ""],
            Pin::Version,
        ),
        (
            "hf://acme/m@9f3c1d2e4b5a69788796a5b4c3d2e1f001122334",
            [
                "hf",
                "acme",
                "m@9f3c1d2e4b5a69788796a5b4c3d2e1f001122334",
                "",
                "",
            ],
            Pin::Floating,
        ),
        (
            "hf://acme/m:9f3c1d2e4b5a69788796a5b4c3d2e1f001122334",
            [
                "hf",
                "acme",
                "m",
                "9f3c1d2e4b5a69788796a5b4c3d2e1f001122334",
                "",
            ],
            Pin::Immutable,
        ),
        (
            "oci://reg.acme.io/models/churn:1.4",
            ["oci", "", "churn", "1.4", "reg.acme.io"],
            Pin::Version,
        ),
        (
            "oci://reg.acme.io:5000/churn@sha256:ab",
            ["oci", "", "churn", "", "reg.acme.io:5000"],
            Pin::Immutable,
        ),
        (
            "oci+native://reg.acme.io/churn",
            ["oci+native", "", "churn", "", "reg.acme.io"],
            Pin::Floating,
        ),
        (
            "http://u:p@downloads.acme.com/churn.onnx",
            ["http", "", "churn.onnx", "", "downloads.acme.com"],
            Pin::Floating,
        ),
        (
            "s3://models/fraud/v3",
            ["s3", "", "v3", "", "models"],
            Pin::Version,
        ),
        (
            "pvc://weights/llama",
            ["pvc", "", "llama", "", "weights"],
            Pin::Opaque,
        ),
        ("/mnt/models", ["", "", "models", "", ""], Pin::Opaque),
        ("{{.Name}}/x", ["", "", "x", "", ""], Pin::Opaque),
    ];

    #[test]
    fn references_are_split_and_graded() {
        for (uri, [scheme, owner, name, revision, host], pin) in CASES {
            let got = ModelRef::parse(uri);
            let parts = [&got.scheme, &got.owner, &got.name, &got.revision, &got.host];
            assert_eq!(parts, [scheme, owner, name, revision, host], "{uri}");
            assert_eq!(got.pin, *pin, "{uri}");
        }
    }
}
