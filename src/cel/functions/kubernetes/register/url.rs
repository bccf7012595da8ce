//! Rows of the URL library.

use std::collections::BTreeMap;

use crate::cel::error::CallError;
use crate::cel::functions::Function;
use crate::cel::functions::kubernetes::url::Url;
use crate::cel::functions::opaque::{
    Library, carry, charged_text, exactly, global, invalid, member, receiver,
};
use crate::cel::types::Type;
use crate::cel::value::{MapKey, Value};

impl Library for Url {
    const TYPE_NAME: &'static str = "kubernetes.URL";
}

const URL: Type = Type::Opaque(Url::TYPE_NAME);

pub(super) fn rows() -> Vec<Function> {
    [parsing(), parts()].concat()
}

fn parsing() -> Vec<Function> {
    vec![
        global(
            "url",
            &[Type::String],
            URL,
            "Reads an absolute URI or an absolute path.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                let text = charged_text(context, text)?;
                Url::parse(text).map(carry).map_err(invalid)
            },
        ),
        global(
            "isURL",
            &[Type::String],
            Type::Bool,
            "Whether the string is an absolute URI or an absolute path.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Ok(Value::Bool(Url::is_url(charged_text(context, text)?)))
            },
        ),
    ]
}

fn parts() -> Vec<Function> {
    let only = &[URL];
    vec![
        member(
            "getScheme",
            only,
            Type::String,
            "The scheme, or empty.",
            |_, arguments| part(arguments, Url::scheme),
        ),
        member(
            "getHost",
            only,
            Type::String,
            "Host and port, or empty.",
            |_, arguments| part(arguments, Url::host),
        ),
        member(
            "getHostname",
            only,
            Type::String,
            "The host without port and brackets.",
            |_, arguments| part(arguments, Url::hostname),
        ),
        member(
            "getPort",
            only,
            Type::String,
            "The port, or empty.",
            |_, arguments| part(arguments, Url::port),
        ),
        member(
            "getEscapedPath",
            only,
            Type::String,
            "The percent-encoded path.",
            |_, arguments| Ok(Value::text(receiver::<Url>(arguments)?.escaped_path())),
        ),
        member(
            "getQuery",
            only,
            Type::Map(&Type::String, &Type::List(&Type::String)),
            "The decoded query: every key with its values.",
            |_, arguments| query(receiver::<Url>(arguments)?),
        ),
    ]
}

fn part<'a>(
    arguments: &[Value<'a>],
    read: for<'u> fn(&'u Url) -> &'u str,
) -> Result<Value<'a>, CallError> {
    Ok(Value::text(read(receiver::<Url>(arguments)?)))
}

fn query<'a>(url: &Url) -> Result<Value<'a>, CallError> {
    let mut entries = BTreeMap::new();
    for (key, values) in url.query() {
        let values = values.into_iter().map(Value::text).collect();
        entries.insert(MapKey::Text(key.into()), Value::list(values)?);
    }
    Value::map(entries)
}
