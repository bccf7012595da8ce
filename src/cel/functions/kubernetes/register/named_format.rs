//! Rows of the named-format library.

use std::sync::Arc;

use crate::cel::functions::Function;
use crate::cel::functions::kubernetes::named_format::NamedFormat;
use crate::cel::functions::opaque::{
    Library, carried, carry, charged_text, exactly, global, member,
};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Library for NamedFormat {
    const TYPE_NAME: &'static str = "kubernetes.NamedFormat";
}

const FORMAT: Type = Type::Opaque(NamedFormat::TYPE_NAME);

pub(super) fn rows() -> Vec<Function> {
    let mut rows = constants();
    rows.push(global(
        "format.named",
        &[Type::String],
        Type::Optional(&FORMAT),
        "The format of that name, if there is one.",
        |context, arguments| {
            let [name] = exactly(arguments)?;
            let format = NamedFormat::named(charged_text(context, name)?);
            Ok(Value::Optional(
                format.map(|format| Arc::new(carry(format))),
            ))
        },
    ));
    rows.push(member(
        "validate",
        &[FORMAT, Type::String],
        Type::Optional(&Type::List(&Type::String)),
        "Why the string does not have the format; nothing when it has.",
        |context, arguments| {
            let [format, text] = exactly(arguments)?;
            let errors = carried::<NamedFormat>(format)?.validate(charged_text(context, text)?);
            if errors.is_empty() {
                return Ok(Value::Optional(None));
            }
            let errors = Value::list(errors.into_iter().map(Value::text).collect())?;
            Ok(Value::Optional(Some(Arc::new(errors))))
        },
    ));
    rows
}

fn constants() -> Vec<Function> {
    use NamedFormat as F;
    let constant = |name, code| global(name, &[], FORMAT, "A named Kubernetes format.", code);
    vec![
        constant("format.dns1123Label", |_, _| Ok(carry(F::Dns1123Label))),
        constant("format.dns1123Subdomain", |_, _| {
            Ok(carry(F::Dns1123Subdomain))
        }),
        constant("format.dns1035Label", |_, _| Ok(carry(F::Dns1035Label))),
        constant("format.qualifiedName", |_, _| Ok(carry(F::QualifiedName))),
        constant("format.dns1123LabelPrefix", |_, _| {
            Ok(carry(F::Dns1123LabelPrefix))
        }),
        constant("format.dns1123SubdomainPrefix", |_, _| {
            Ok(carry(F::Dns1123SubdomainPrefix))
        }),
        constant("format.dns1035LabelPrefix", |_, _| {
            Ok(carry(F::Dns1035LabelPrefix))
        }),
        constant("format.labelValue", |_, _| Ok(carry(F::LabelValue))),
        constant("format.uri", |_, _| Ok(carry(F::Uri))),
        constant("format.uuid", |_, _| Ok(carry(F::Uuid))),
        constant("format.byte", |_, _| Ok(carry(F::Byte))),
        constant("format.date", |_, _| Ok(carry(F::Date))),
        constant("format.datetime", |_, _| Ok(carry(F::Datetime))),
    ]
}
