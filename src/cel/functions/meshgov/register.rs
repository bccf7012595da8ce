//! The rows of meshgov's own functions in the function table.

use crate::cel::error::CallError;
use crate::cel::functions::Function;
use crate::cel::functions::meshgov::cluster_local::{DEFAULT_DOMAIN, is_cluster_local};
use crate::cel::functions::meshgov::image::Image;
use crate::cel::functions::meshgov::version::Version;
use crate::cel::functions::opaque::{
    Library, carry, charged_text, comparisons, exactly, global, invalid, member, receiver,
};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Library for Image {
    const TYPE_NAME: &'static str = "meshgov.Image";

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Library for Version {
    const TYPE_NAME: &'static str = "meshgov.Version";
}

const IMAGE: Type = Type::Opaque(Image::TYPE_NAME);
const VERSION: Type = Type::Opaque(Version::TYPE_NAME);

/// All rows.
pub(crate) fn rows() -> Vec<Function> {
    [
        image_parsing(),
        image_parts(),
        version_rows(),
        cluster_local_rows(),
    ]
    .concat()
}

fn image_parsing() -> Vec<Function> {
    vec![
        global(
            "image",
            &[Type::String],
            IMAGE,
            "Reads a container image reference; short names are Docker Hub's.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Image::parse(charged_text(context, text)?)
                    .map(carry)
                    .map_err(invalid)
            },
        ),
        global(
            "isImage",
            &[Type::String],
            Type::Bool,
            "Whether the string is a container image reference.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Ok(Value::Bool(
                    Image::parse(charged_text(context, text)?).is_ok(),
                ))
            },
        ),
    ]
}

fn image_parts() -> Vec<Function> {
    let only = &[IMAGE];
    vec![
        member(
            "registry",
            only,
            Type::String,
            "The registry; `docker.io` for short names.",
            |_, arguments| part(arguments, Image::registry),
        ),
        member(
            "repository",
            only,
            Type::String,
            "The path below the registry.",
            |_, arguments| part(arguments, Image::repository),
        ),
        member(
            "tag",
            only,
            Type::String,
            "The tag as written, or empty.",
            |_, arguments| part(arguments, Image::tag),
        ),
        member(
            "digest",
            only,
            Type::String,
            "The digest, or empty.",
            |_, arguments| part(arguments, Image::digest),
        ),
        member(
            "identifier",
            only,
            Type::String,
            "The digest, else the tag, else `latest`.",
            |_, arguments| part(arguments, Image::identifier),
        ),
        member(
            "containsDigest",
            only,
            Type::Bool,
            "Whether it is pinned by digest.",
            |_, arguments| Ok(Value::Bool(receiver::<Image>(arguments)?.contains_digest())),
        ),
    ]
}

fn part<'a>(
    arguments: &[Value<'a>],
    read: for<'i> fn(&'i Image) -> &'i str,
) -> Result<Value<'a>, CallError> {
    Ok(Value::text(read(receiver::<Image>(arguments)?)))
}

fn version_rows() -> Vec<Function> {
    let only = &[VERSION];
    let mut rows = vec![
        global(
            "version",
            &[Type::String],
            VERSION,
            "Reads a release tag such as `v1.30.4-eks-a1`; vendor suffixes do not count.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Version::parse(charged_text(context, text)?)
                    .map(carry)
                    .map_err(invalid)
            },
        ),
        global(
            "isVersion",
            &[Type::String],
            Type::Bool,
            "Whether the string is a release tag.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Ok(Value::Bool(
                    Version::parse(charged_text(context, text)?).is_ok(),
                ))
            },
        ),
        member(
            "major",
            only,
            Type::Int,
            "The first number.",
            |_, arguments| Ok(Value::Int(receiver::<Version>(arguments)?.major())),
        ),
        member(
            "minor",
            only,
            Type::Int,
            "The second number.",
            |_, arguments| Ok(Value::Int(receiver::<Version>(arguments)?.minor())),
        ),
        member(
            "patch",
            only,
            Type::Int,
            "The third number.",
            |_, arguments| Ok(Value::Int(receiver::<Version>(arguments)?.patch())),
        ),
    ];
    rows.extend(comparisons::<Version>());
    rows
}

fn cluster_local_rows() -> Vec<Function> {
    const DOC: &str =
        "Whether the host names something inside the cluster, whose domain may be given.";
    vec![
        global(
            "isClusterLocal",
            &[Type::String],
            Type::Bool,
            DOC,
            |context, arguments| {
                let [host] = exactly(arguments)?;
                let host = charged_text(context, host)?;
                Ok(Value::Bool(is_cluster_local(host, DEFAULT_DOMAIN, None)))
            },
        ),
        global(
            "isClusterLocal",
            &[Type::String, Type::String],
            Type::Bool,
            DOC,
            |context, arguments| {
                let [host, domain] = exactly(arguments)?;
                let host = charged_text(context, host)?;
                let domain = charged_text(context, domain)?;
                Ok(Value::Bool(is_cluster_local(host, domain, None)))
            },
        ),
    ]
}
