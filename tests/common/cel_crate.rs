//! The cel crate's own evaluator, for comparison.

use std::collections::HashMap;
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, Env, Program, Value, extensions};
use meshgov::yaml::{NodeRef, Scalar};

/// Its standard environment with the extensions it has.
pub(crate) fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    for extension in [
        extensions::strings,
        extensions::lists,
        extensions::math,
        extensions::encoders,
    ] {
        env.add_extension(extension).unwrap();
    }
    Arc::new(env)
}

/// A manifest as its values.
pub(crate) fn convert(node: NodeRef<'_>) -> Value {
    if node.is_map() {
        let map: HashMap<Key, Value> = node
            .entries()
            .map(|(key, value)| {
                let key = Key::String(Arc::new(key.key_text().into_owned()));
                (key, convert(value))
            })
            .collect();
        return Value::Map(Map { map: Arc::new(map) });
    }
    match node.scalar() {
        None => Value::List(Arc::new(node.items().map(convert).collect())),
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::Bool(value)) => Value::Bool(value),
        Some(Scalar::Int(value)) => Value::Int(value),
        Some(Scalar::Uint(value)) => Value::UInt(value),
        Some(Scalar::Float(value)) => Value::Float(value),
        Some(Scalar::Str(text)) => Value::String(Arc::new(text.to_owned())),
    }
}

/// The result, or that it is an error.
pub(crate) fn evaluate(
    env: &Arc<Env>,
    program: &Program,
    values: &[(&str, Value)],
) -> Option<Value> {
    let mut context = Context::with_env(Arc::clone(env));
    for (name, value) in values {
        context.add_variable_from_value((*name).to_owned(), value.clone());
    }
    program.execute(&context).ok()
}
