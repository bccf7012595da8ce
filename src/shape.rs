//! L2: what our own YAML files may hold. Input: a located node and a `Shape`; output: `Problem`s with positions, and the
//! same table as JSON Schema. Rule files, the config, rule parameters and expectation files are all read through it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::source::{SourceFile, Span};
use crate::yaml::{Kind, NodeRef};

/// A fault of the person who wrote the file, with its place.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The file at fault.
    pub file: Arc<SourceFile>,
    /// Where, in that file.
    pub span: Span,
    /// Lower-case sentence without a stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a node.
    #[must_use]
    pub fn at(node: NodeRef<'_>, message: impl Into<String>) -> Self {
        Self {
            file: Arc::clone(node.tree().source()),
            span: node.span(),
            message: message.into(),
            help: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.file.position(self.span.start);
        write!(
            f,
            "{}:{}:{}: {}",
            self.file.path, at.line, at.column, self.message
        )
    }
}

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Anything.
    Any,
    /// A string; with choices, one of them.
    Text(Vec<Cow<'static, str>>),
    /// A string that the pattern matches somewhere (anchor it to match the whole).
    Pattern(String),
    /// A string that a test accepts, with the pattern that says the same; where a regular expression costs too much.
    Tested(&'static str, fn(&str) -> bool),
    /// A boolean.
    Bool,
    /// An integer within bounds.
    Int(Option<i64>, Option<i64>),
    /// A number within bounds.
    Number(Option<f64>, Option<f64>),
    /// A list.
    List(Box<Shape>),
    /// A mapping with free keys.
    Map(Box<Shape>),
    /// A mapping with named fields.
    Object(Vec<Field>),
}

/// A field of [`Shape::Object`].
#[derive(Clone, Debug)]
pub struct Field {
    /// Key.
    pub name: Cow<'static, str>,
    /// What it means, one sentence.
    pub doc: Cow<'static, str>,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it may not be left out.
    pub required: bool,
    /// What holds when it is left out.
    pub default: Option<Value>,
}

/// An optional field.
#[must_use]
pub fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field {
        name: name.into(),
        doc: doc.into(),
        shape,
        required: false,
        default: None,
    }
}

/// A required field.
#[must_use]
pub fn required(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field {
        required: true,
        ..optional(name, shape, doc)
    }
}

/// Any string.
#[must_use]
pub fn text() -> Shape {
    Shape::Text(Vec::new())
}

/// One of these strings.
#[must_use]
pub fn one_of(words: &[&'static str]) -> Shape {
    Shape::Text(words.iter().map(|w| Cow::Borrowed(*w)).collect())
}

/// A list of this.
#[must_use]
pub fn list(of: Shape) -> Shape {
    Shape::List(Box::new(of))
}

/// A mapping with free keys and these values.
#[must_use]
pub fn map(of: Shape) -> Shape {
    Shape::Map(Box::new(of))
}

impl Shape {
    /// Reports everything in `node` that does not fit.
    pub fn check(&self, node: NodeRef<'_>, problems: &mut Vec<Problem>) {
        match self {
            Self::Any => {}
            Self::Text(words) => check_text(node, words, problems),
            Self::Pattern(pattern) => check_pattern(node, pattern, problems),
            Self::Tested(pattern, test) => match node.as_str() {
                None => problems.push(wrong(node, "a string")),
                Some(word) if !test(word) => problems.push(Problem::at(
                    node,
                    format!("`{word}` does not match `{pattern}`"),
                )),
                Some(_) => {}
            },
            Self::Bool => {
                if node.as_bool().is_none() {
                    problems.push(wrong(node, "`true` or `false`"));
                }
            }
            Self::Int(least, most) => match node.as_i64() {
                None => problems.push(wrong(node, "an integer")),
                Some(n) if least.is_some_and(|l| n < l) || most.is_some_and(|m| n > m) => {
                    problems.push(out_of_bounds(node, least.as_ref(), most.as_ref()));
                }
                Some(_) => {}
            },
            Self::Number(least, most) => match node.to_json().as_f64() {
                None => problems.push(wrong(node, "a number")),
                Some(n) if least.is_some_and(|l| n < l) || most.is_some_and(|m| n > m) => {
                    problems.push(out_of_bounds(node, least.as_ref(), most.as_ref()));
                }
                Some(_) => {}
            },
            Self::List(of) => {
                if !node.is_seq() {
                    let problem = wrong(node, "a list");
                    problems.push(match node.as_str() {
                        Some(word) => problem.help(format!("write `[{word}]`")),
                        None => problem,
                    });
                }
                node.items().for_each(|item| of.check(item, problems));
            }
            Self::Map(of) => {
                if !node.is_map() {
                    problems.push(wrong(node, "a mapping"));
                }
                node.entries()
                    .for_each(|(_, value)| of.check(value, problems));
            }
            Self::Object(fields) => check_object(node, fields, problems),
        }
    }

    /// The shape as JSON Schema (draft 2020-12 vocabulary).
    #[must_use]
    pub fn to_json_schema(&self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Text(words) if words.is_empty() => json!({"type": "string"}),
            Self::Text(words) => json!({"type": "string", "enum": words}),
            Self::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
            Self::Tested(pattern, _) => json!({"type": "string", "pattern": pattern}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Int(least, most) => bounds("integer", json!(least), json!(most)),
            Self::Number(least, most) => bounds("number", json!(least), json!(most)),
            Self::List(of) => json!({"type": "array", "items": of.to_json_schema()}),
            Self::Map(of) => {
                json!({"type": "object", "additionalProperties": of.to_json_schema()})
            }
            Self::Object(fields) => object_schema(fields),
        }
    }
}

fn check_text(node: NodeRef<'_>, words: &[Cow<'static, str>], problems: &mut Vec<Problem>) {
    match node.as_str() {
        None => problems
            .push(wrong(node, "a string").help("put it in quotes if it is meant to be text")),
        Some(word) if !words.is_empty() && !words.iter().any(|w| w == word) => {
            let problem = Problem::at(node, format!("`{word}` is not one of {}", join(words)));
            problems.push(match nearest(word, words.iter().map(AsRef::as_ref)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
        Some(_) => {}
    }
}

fn check_pattern(node: NodeRef<'_>, pattern: &str, problems: &mut Vec<Problem>) {
    let Some(word) = node.as_str() else {
        problems.push(wrong(node, "a string"));
        return;
    };
    // A pattern that does not compile was reported where it is declared.
    if regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(word)) {
        problems.push(Problem::at(
            node,
            format!("`{word}` does not match `{pattern}`"),
        ));
    }
}

fn check_object(node: NodeRef<'_>, fields: &[Field], problems: &mut Vec<Problem>) {
    if !node.is_map() {
        problems.push(wrong(node, "a mapping"));
        return;
    }
    for (key, value) in node.entries() {
        let name = key.key_text();
        match fields.iter().find(|f| f.name == name) {
            Some(field) => field.shape.check(value, problems),
            None => {
                let problem = Problem::at(key, format!("unknown key `{name}`"));
                let known = fields.iter().map(|f| f.name.as_ref());
                problems.push(match nearest(&name, known.clone()) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem.help(format!(
                        "known keys: {}",
                        known.collect::<Vec<_>>().join(", ")
                    )),
                });
            }
        }
    }
    for field in fields.iter().filter(|f| f.required) {
        if node.get(&field.name).is_none() {
            problems.push(
                Problem::at(node, format!("`{}` is missing", field.name)).help(field.doc.clone()),
            );
        }
    }
    let duplicates =
        node.raw_entries().count() - node.entries().count().min(node.raw_entries().count());
    if duplicates > 0 {
        problems.push(Problem::at(node, "a key is given twice"));
    }
}

fn wrong(node: NodeRef<'_>, expected: &str) -> Problem {
    let found = match node.kind() {
        Kind::Null | Kind::Alias => "nothing",
        Kind::Bool => "a boolean",
        Kind::Int => "an integer",
        Kind::Float => "a number",
        Kind::Str => "a string",
        Kind::Seq => "a list",
        Kind::Map => "a mapping",
    };
    Problem::at(node, format!("expected {expected}, found {found}"))
}

fn out_of_bounds<T: std::fmt::Display>(
    node: NodeRef<'_>,
    least: Option<&T>,
    most: Option<&T>,
) -> Problem {
    let bounds = match (least, most) {
        (Some(l), Some(m)) => format!("between {l} and {m}"),
        (Some(l), None) => format!("at least {l}"),
        (None, Some(m)) => format!("at most {m}"),
        (None, None) => String::from("in bounds"),
    };
    Problem::at(node, format!("`{}` is not {bounds}", node.text()))
}

fn join(words: &[Cow<'static, str>]) -> String {
    let quoted: Vec<_> = words.iter().map(|w| format!("`{w}`")).collect();
    quoted.join(", ")
}

fn bounds(kind: &str, least: Value, most: Value) -> Value {
    let mut schema = json!({"type": kind});
    if let Value::Object(map) = &mut schema {
        for (name, bound) in [("minimum", least), ("maximum", most)] {
            if !bound.is_null() {
                map.insert(name.to_owned(), bound);
            }
        }
    }
    schema
}

fn object_schema(fields: &[Field]) -> Value {
    let mut properties = serde_json::Map::new();
    for field in fields {
        let mut schema = field.shape.to_json_schema();
        if let Value::Object(map) = &mut schema {
            if !field.doc.is_empty() {
                map.insert("description".to_owned(), json!(field.doc));
            }
            if let Some(default) = &field.default {
                map.insert("default".to_owned(), default.clone());
            }
        }
        properties.insert(field.name.to_string(), schema);
    }
    let required: Vec<_> = fields
        .iter()
        .filter(|f| f.required)
        .map(|f| &f.name)
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// The known word that `word` most likely means: at most a third of its letters differ, ignoring case, `-` and `_`.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |w: &str| w.replace(['-', '_'], "").to_lowercase();
    let wanted = plain(word);
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&wanted, &plain(k)), k))
        .filter(|(distance, k)| *distance <= (k.len().max(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn problems(shape: &Shape, yaml: &str) -> Vec<String> {
        let file = Arc::new(SourceFile::new(SourceId(0), "f.yaml", yaml));
        let parsed = crate::yaml::parse(&file);
        let mut found = Vec::new();
        shape.check(parsed.tree.node(parsed.documents[0].root), &mut found);
        found
            .iter()
            .map(|p| format!("{p} | {}", p.help.as_deref().unwrap_or("")))
            .collect()
    }

    fn shape() -> Shape {
        Shape::Object(vec![
            required("severity", one_of(&["high", "low"]), "how bad"),
            optional("count", Shape::Int(Some(1), Some(9)), ""),
            optional("names", list(text()), ""),
            optional("on", Shape::Bool, ""),
        ])
    }

    #[test]
    fn a_file_that_fits_has_no_problem() {
        assert_eq!(
            problems(&shape(), "severity: high\ncount: 3\nnames: [a, b]\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn unknown_keys_and_words_name_the_nearest_and_their_place() {
        assert_eq!(
            problems(&shape(), "severty: high\nseverity: hihg\n"),
            [
                "f.yaml:1:1: unknown key `severty` | did you mean `severity`?",
                "f.yaml:2:11: `hihg` is not one of `high`, `low` | did you mean `high`?"
            ]
        );
    }

    #[test]
    fn types_bounds_and_missing_fields_are_reported_together() {
        assert_eq!(
            problems(&shape(), "count: 12\nnames: x\nzebra: 1"),
            [
                "f.yaml:1:8: `12` is not between 1 and 9 | ",
                "f.yaml:2:8: expected a list, found a string | write `[x]`",
                "f.yaml:3:1: unknown key `zebra` | known keys: severity, count, names, on",
                "f.yaml:1:1: `severity` is missing | how bad"
            ]
        );
    }

    #[test]
    fn hyphens_and_case_do_not_hide_the_nearest_key() {
        assert_eq!(nearest("fail-on", ["failOn", "ignore"]), Some("failOn"));
        assert_eq!(nearest("xyz", ["failOn", "ignore"]), None);
    }
}
