//! The encoders extension (cel-go `ext/encoders.go`). Input: bytes or base64 text; output: the other.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Body, CallContext, Function};
use crate::cel::error::{CallError, ErrorKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

/// Standard alphabet, padding optional when decoding, as cel-go has it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn rows() -> Vec<Function> {
    vec![
        Function::global(
            "base64.encode",
            &[Type::Bytes],
            Type::String,
            "Bytes as base64 text.",
            Body::Builtin(encode),
        ),
        Function::global(
            "base64.decode",
            &[Type::String],
            Type::Bytes,
            "The bytes of a base64 text.",
            Body::Builtin(decode),
        ),
    ]
}

fn encode<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Result<Value<'a>, CallError> {
    let Some(Value::Bytes(bytes)) = args.first() else {
        return Err(CallError::bare(ErrorKind::NoOverload));
    };
    context.fuel.charge_bytes(bytes.len().saturating_mul(2))?;
    Ok(Value::text(BASE64.encode(bytes)))
}

fn decode<'a>(context: &mut CallContext<'_>, args: &[Value<'a>]) -> Result<Value<'a>, CallError> {
    let text = args
        .first()
        .and_then(Value::as_str)
        .ok_or_else(|| CallError::bare(ErrorKind::NoOverload))?;
    context.fuel.charge_bytes(text.len())?;
    BASE64
        .decode(text)
        .map(|bytes| Value::Bytes(bytes.into()))
        .map_err(|error| CallError::invalid(format!("not base64: {error}").to_lowercase()))
}
