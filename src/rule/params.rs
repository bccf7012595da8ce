//! L5: rule parameters. Input: `params:` of a rule file and overrides of the config; output: the values that CEL reads.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::shape::{Field, Problem, Shape};
use crate::yaml::NodeRef;

/// The declared parameters of a rule.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// One field per parameter, with its default.
    pub fields: Vec<Field>,
}

impl Params {
    /// Reads the schemas under `params:`, reporting what they do not support and defaults that do not fit.
    pub fn read(node: NodeRef<'_>, problems: &mut Vec<Problem>) -> Self {
        let fields = node
            .entries()
            .filter_map(|(key, schema)| field(&key.key_text(), schema, problems))
            .collect();
        Self { fields }
    }

    /// The values without overrides.
    #[must_use]
    pub fn defaults(&self) -> Map<String, Value> {
        self.fields
            .iter()
            .filter_map(|f| Some((f.name.to_string(), f.default.clone()?)))
            .collect()
    }

    /// The values with overrides from `node`, and what of them does not fit.
    pub fn overridden(&self, node: NodeRef<'_>, problems: &mut Vec<Problem>) -> Map<String, Value> {
        self.shape().check(node, problems);
        let mut values = self.defaults();
        for (key, value) in node.entries() {
            values.insert(key.key_text().into_owned(), value.to_json());
        }
        values
    }

    /// The parameters as one object.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::Object(self.fields.clone())
    }
}

fn field(name: &str, schema: NodeRef<'_>, problems: &mut Vec<Problem>) -> Option<Field> {
    let before = problems.len();
    let shape = shape(schema, problems)?;
    let Some(default) = schema.get("default") else {
        problems.push(
            Problem::at(schema, format!("parameter `{name}` has no `default`"))
                .help("a rule works without configuration, so each parameter needs a default"),
        );
        return None;
    };
    shape.check(default, problems);
    (problems.len() == before).then(|| Field {
        name: Cow::Owned(name.to_owned()),
        doc: Cow::Owned(
            schema
                .get("description")
                .map_or_else(String::new, |d| d.text().to_owned()),
        ),
        shape,
        required: false,
        default: Some(default.to_json()),
    })
}

const KEYS: &[&str] = &[
    "type",
    "description",
    "enum",
    "items",
    "properties",
    "default",
    "minimum",
    "maximum",
    "pattern",
];
const TYPES: &[&str] = &["string", "boolean", "integer", "number", "array", "object"];

fn shape(schema: NodeRef<'_>, problems: &mut Vec<Problem>) -> Option<Shape> {
    for (key, _) in schema.entries() {
        let name = key.key_text();
        if !KEYS.contains(&name.as_ref()) {
            problems.push(
                Problem::at(
                    key,
                    format!("`{name}` is not supported in a parameter's schema"),
                )
                .help(format!("supported: {}", KEYS.join(", "))),
            );
        }
    }
    let kind = schema.get("type").map_or("", NodeRef::text);
    Some(match kind {
        "string" => string(schema, problems),
        "boolean" => Shape::Bool,
        "integer" => Shape::Int(bound(schema, "minimum"), bound(schema, "maximum")),
        "number" => {
            let number = |name: &str| schema.get(name).and_then(|n| n.to_json().as_f64());
            Shape::Number(number("minimum"), number("maximum"))
        }
        "array" => Shape::List(Box::new(match schema.get("items") {
            Some(items) => shape(items, problems)?,
            None => Shape::Any,
        })),
        "object" => match schema.get("properties") {
            None => Shape::Map(Box::new(Shape::Any)),
            Some(properties) => Shape::Object(
                properties
                    .entries()
                    .filter_map(|(key, value)| {
                        Some(Field {
                            name: Cow::Owned(key.key_text().into_owned()),
                            doc: Cow::Borrowed(""),
                            shape: shape(value, problems)?,
                            required: false,
                            default: None,
                        })
                    })
                    .collect(),
            ),
        },
        other => {
            let node = schema.get("type").unwrap_or(schema);
            problems.push(
                Problem::at(node, format!("`{other}` is not a parameter type"))
                    .help(format!("one of {}", TYPES.join(", "))),
            );
            return None;
        }
    })
}

fn bound(schema: NodeRef<'_>, name: &str) -> Option<i64> {
    schema.get(name).and_then(NodeRef::as_i64)
}

fn string(schema: NodeRef<'_>, problems: &mut Vec<Problem>) -> Shape {
    if let Some(words) = schema.get("enum") {
        let words = words.items().map(|w| Cow::Owned(w.text().to_owned()));
        return Shape::Text(words.collect());
    }
    let Some(pattern) = schema.get("pattern") else {
        return Shape::Text(Vec::new());
    };
    if let Err(error) = regex::Regex::new(pattern.text()) {
        let message = error.to_string();
        let last = message.lines().next_back().unwrap_or("").to_owned();
        problems.push(Problem::at(
            pattern,
            format!("the pattern does not compile: {last}"),
        ));
    }
    Shape::Pattern(pattern.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleFile;

    fn read(yaml: &str) -> (Params, Vec<String>) {
        let file = RuleFile::parse("X001-a.yaml", yaml).unwrap();
        let mut problems = Vec::new();
        let params = Params::read(file.head(), &mut problems);
        (params, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn defaults_are_read_and_overrides_checked() {
        let (params, problems) = read(
            "days: {type: integer, minimum: 1, default: 30}\nnames: {type: array, items: {type: string, pattern: '^[a-z]+$'}, default: [a]}\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            serde_json::to_string(&params.defaults()).unwrap(),
            r#"{"days":30,"names":["a"]}"#
        );
        let file = RuleFile::parse("c.yaml", "days: 0\nnames: [b, C]\nnmes: []\n").unwrap();
        let mut problems = Vec::new();
        params.overridden(file.head(), &mut problems);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "c.yaml:1:7: `0` is not at least 1",
                "c.yaml:2:12: `C` does not match `^[a-z]+$`",
                "c.yaml:3:1: unknown key `nmes`",
            ]
        );
    }

    #[test]
    fn schemas_that_do_not_hold_are_reported() {
        let (_, problems) = read(
            "a: {type: strng, default: x}\nb: {type: integer, default: x}\nc: {type: string}\nd: {type: string, oneOf: [], default: ''}\ne: {type: string, pattern: '(', default: ''}\n",
        );
        assert_eq!(
            problems,
            [
                "X001-a.yaml:1:11: `strng` is not a parameter type",
                "X001-a.yaml:2:29: expected an integer, found a string",
                "X001-a.yaml:3:4: parameter `c` has no `default`",
                "X001-a.yaml:4:19: `oneOf` is not supported in a parameter's schema",
                "X001-a.yaml:5:28: the pattern does not compile: error: unclosed group",
            ]
        );
    }
}
