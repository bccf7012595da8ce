//! Rows of the semver library.

use crate::cel::error::CallError;
use crate::cel::functions::CallContext;
use crate::cel::functions::Function;
use crate::cel::functions::kubernetes::semver::Semver;
use crate::cel::functions::opaque::{
    Library, carry, charged_text, comparisons, global, invalid, member, no_overload, receiver,
};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Library for Semver {
    const TYPE_NAME: &'static str = "kubernetes.Semver";

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

const SEMVER: Type = Type::Opaque(Semver::TYPE_NAME);

pub(super) fn rows() -> Vec<Function> {
    let mut rows = Vec::new();
    for parameters in [&[Type::String][..], &[Type::String, Type::Bool]] {
        rows.push(global(
            "semver",
            parameters,
            SEMVER,
            "Reads a semantic version; `true` normalises `v1.2` first.",
            |context, arguments| parse(context, arguments)?.map(carry).map_err(invalid),
        ));
        rows.push(global(
            "isSemver",
            parameters,
            Type::Bool,
            "Whether the string is a semantic version; `true` normalises `v1.2` first.",
            |context, arguments| Ok(Value::Bool(parse(context, arguments)?.is_ok())),
        ));
    }
    let only = &[SEMVER];
    rows.push(member(
        "major",
        only,
        Type::Int,
        "The major number.",
        |_, arguments| {
            receiver::<Semver>(arguments)?
                .major()
                .map(Value::Int)
                .map_err(invalid)
        },
    ));
    rows.push(member(
        "minor",
        only,
        Type::Int,
        "The minor number.",
        |_, arguments| {
            receiver::<Semver>(arguments)?
                .minor()
                .map(Value::Int)
                .map_err(invalid)
        },
    ));
    rows.push(member(
        "patch",
        only,
        Type::Int,
        "The patch number.",
        |_, arguments| {
            receiver::<Semver>(arguments)?
                .patch()
                .map(Value::Int)
                .map_err(invalid)
        },
    ));
    rows.extend(comparisons::<Semver>());
    rows
}

fn parse(
    context: &mut CallContext<'_>,
    arguments: &[Value<'_>],
) -> Result<Result<Semver, crate::cel::functions::kubernetes::semver::SemverError>, CallError> {
    let (text, normalize) = match arguments {
        [text] => (text, false),
        [text, Value::Bool(normalize)] => (text, *normalize),
        _ => return Err(no_overload()),
    };
    Ok(Semver::parse(charged_text(context, text)?, normalize))
}
