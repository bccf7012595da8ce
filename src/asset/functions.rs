//! CEL functions about models and providers. Input: manifest nodes and strings; output: rows for the function table.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::asset::model_ref::ModelRef;
use crate::asset::{governance, inventory, model_refs, provider};

use crate::cel::{Body, CallContext, CallError, Function, MapKey, Type, Value};
use crate::secret;
use crate::yaml::NodeRef;
use crate::yaml::node::REDACTED;

/// The rows that rules about AI assets need.
#[must_use]
pub fn rows() -> Vec<Function> {
    vec![
        Function::global(
            "modelRefs",
            &[Type::Dyn],
            Type::List(&Type::Dyn),
            "the model references of an object, each with uri, scheme, owner, name, revision, digest, host, path, pin (opaque, floating, version, immutable) and field, the node that states it",
            Body::Builtin(model_refs_of),
        ),
        Function::global(
            "assetClass",
            &[Type::Dyn],
            Type::String,
            "what an object is as an AI asset, such as `model-server`, when its score is 0.75 or more; else empty",
            Body::Builtin(asset_class),
        ),
        Function::global(
            "aiCredentials",
            &[Type::Dyn],
            Type::List(&Type::Dyn),
            "the scalars of an object that hold a provider credential, recognised by its shape",
            Body::Builtin(credentials_of),
        ),
        Function::global(
            "isRedacted",
            &[Type::Dyn],
            Type::Bool,
            "whether a value is a secret literal, whose text no rule and no report sees; references and placeholders are not",
            Body::Builtin(is_redacted),
        ),
        Function::global(
            "isConfidential",
            &[Type::Dyn],
            Type::Bool,
            "whether an object, or a map of labels, says that it holds confidential or protected data (phi, pci, pii, restricted, special-category), or as a high-risk system",
            Body::Builtin(is_confidential),
        ),
        Function::global(
            "urlHost",
            &[Type::String],
            Type::String,
            "the host of a URL or of `host:port/path`, without port; empty when there is none",
            Body::Builtin(url_host),
        ),
        Function::global(
            "llmProvider",
            &[Type::String],
            Type::String,
            "the external LLM provider a host name belongs to, such as `openai`; empty for every other host",
            Body::Builtin(llm_provider),
        ),
    ]
}

fn model_refs_of<'a>(
    _: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let Some(Value::Node(object)) = arguments.first() else {
        return Value::list(Vec::new());
    };
    let items = model_refs(*object)
        .into_iter()
        .map(|(model, node)| reference(&model, node))
        .collect::<Result<Vec<_>, _>>()?;
    Value::list(items)
}

fn asset_class<'a>(
    _: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let Some(Value::Node(object)) = arguments.first() else {
        return Ok(Value::text(""));
    };
    let sure = inventory::class_of(*object).filter(|(_, score)| *score >= inventory::SURE);
    Ok(Value::text(sure.map_or("", |(class, _)| class.as_str())))
}

fn is_confidential<'a>(
    _: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let node = match arguments.first() {
        Some(Value::Node(node)) => *node,
        _ => return Ok(Value::Bool(false)),
    };
    Ok(Value::Bool(governance::says_confidential(node)))
}

fn reference<'a>(model: &ModelRef, node: NodeRef<'a>) -> Result<Value<'a>, CallError> {
    let key = |name: &'static str| MapKey::Text(Arc::from(name));
    let text = |value: &str| Value::text(value);
    Value::map(BTreeMap::from([
        (key("uri"), text(&model.uri)),
        (key("scheme"), text(&model.scheme)),
        (key("owner"), text(&model.owner)),
        (key("name"), text(&model.name)),
        (key("revision"), text(&model.revision)),
        (key("digest"), text(&model.digest)),
        (key("host"), text(&model.host)),
        (key("path"), text(&model.path)),
        (key("pin"), text(model.pin.as_str())),
        (key("field"), Value::Node(node)),
    ]))
}

fn credentials_of<'a>(
    _: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let mut found = Vec::new();
    if let Some(Value::Node(object)) = arguments.first()
        && object.tree().has_secrets()
    {
        collect_credentials(*object, &mut found);
    }
    Value::list(found)
}

/// Walks an object; its depth and expanded size are capped by the parser.
fn collect_credentials<'a>(node: NodeRef<'a>, found: &mut Vec<Value<'a>>) {
    if node.is_map() {
        for (_, value) in node.entries() {
            collect_credentials(value, found);
        }
    } else if node.is_seq() {
        for item in node.items() {
            collect_credentials(item, found);
        }
    } else if node.is_secret()
        && secret::tokens(node.secret_text())
            .iter()
            .any(is_of_ai_provider)
    {
        found.push(Value::Node(node));
    }
}

/// Whether a credential belongs to a model provider, hub or AI tool; passwords in URLs and private keys have other owners.
fn is_of_ai_provider(token: &secret::Token) -> bool {
    const OWNERS: &[&str] = &[
        "Anthropic",
        "OpenAI",
        "OpenRouter",
        "Langfuse",
        "Hugging Face",
        "Groq",
        "Google API",
        "xAI",
        "Perplexity",
        "Replicate",
        "NVIDIA",
        "Amazon Bedrock",
        "Pinecone",
        "LangSmith",
    ];
    token.what == "API key" || OWNERS.iter().any(|owner| token.what.starts_with(owner))
}

fn is_redacted<'a>(
    _: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let redacted = match arguments.first() {
        Some(Value::Node(node)) => node.is_secret(),
        Some(value) => value.as_str().is_some_and(|text| text.contains(REDACTED)),
        None => false,
    };
    Ok(Value::Bool(redacted))
}

fn url_host<'a>(_: &mut CallContext<'_>, arguments: &[Value<'a>]) -> Result<Value<'a>, CallError> {
    let text = arguments.first().and_then(Value::as_str).unwrap_or("");
    Ok(Value::text(provider::host_of_url(text).unwrap_or("")))
}

fn llm_provider<'a>(
    _: &mut CallContext<'_>,
    arguments: &[Value<'a>],
) -> Result<Value<'a>, CallError> {
    let host = arguments.first().and_then(Value::as_str).unwrap_or("");
    Ok(Value::text(provider::of_host(host).map_or("", |p| p.name)))
}
