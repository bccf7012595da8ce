//! L7: objects as text. Input: JSON values; output: a YAML document each, or one JSON list.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The objects as YAML documents, each begun by `---`.
#[must_use]
pub fn yaml(objects: &[Value]) -> String {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        match object {
            Value::Object(map) if !map.is_empty() => write_map(&mut text, map, 0, false),
            other => {
                write_inline(&mut text, other, 0);
                text.push('\n');
            }
        }
    }
    text
}

/// The objects as one JSON list.
#[must_use]
pub fn json(objects: &[Value]) -> String {
    let text = serde_json::to_string_pretty(objects).unwrap_or_default();
    text + "\n"
}

/// Entries of a map, a line each; the first continues the line when `is_open`, as behind the dash of a list.
fn write_map(text: &mut String, map: &Map<String, Value>, indent: usize, is_open: bool) {
    for (at, (key, value)) in map.iter().enumerate() {
        if at > 0 || !is_open {
            pad(text, indent);
        }
        text.push_str(&scalar(key));
        text.push(':');
        write_value(text, value, indent);
    }
}

/// What stands behind a colon, with the line's end.
fn write_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            write_map(text, map, indent + 2, false);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write_items(text, items, indent, false);
        }
        other => {
            text.push(' ');
            write_inline(text, other, indent + 2);
            text.push('\n');
        }
    }
}

/// Items of a list, a dash each.
fn write_items(text: &mut String, items: &[Value], indent: usize, is_open: bool) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || !is_open {
            pad(text, indent);
        }
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => write_map(text, map, indent + 2, true),
            Value::Array(items) if !items.is_empty() => write_items(text, items, indent + 2, true),
            other => {
                write_inline(text, other, indent + 2);
                text.push('\n');
            }
        }
    }
}

/// A scalar or an empty collection; lines of a block scalar are indented by `indent`.
fn write_inline(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(string) if is_block(string) => {
            let body = string.strip_suffix('\n');
            text.push_str(if body.is_some() { "|" } else { "|-" });
            for line in body.unwrap_or(string).split('\n') {
                text.push('\n');
                if !line.is_empty() {
                    pad(text, indent);
                    text.push_str(line);
                }
            }
        }
        Value::String(string) => text.push_str(&scalar(string)),
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// Whether lines of text keep their meaning as a literal block without indicators.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\n', '\t'])
        && !body.ends_with('\n')
        && body.chars().all(|c| c == '\n' || c == '\t' || is_shown(c))
        && body
            .split('\n')
            .all(|line| !line.ends_with([' ', '\t']) && !line.starts_with('\t'))
}

/// A string as plain scalar where it cannot be anything else, else between double quotes.
fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_shown(c) => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// YAML 1.1 and 1.2 read these words as something else than a string.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn is_plain(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_-./ @+".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && !text.ends_with(' ')
        && text.split(':').enumerate().all(|(at, part)| {
            part.chars().all(is_inner) && (at == 0 || part.starts_with(|c| c != ' '))
        })
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether every YAML reader takes the character as it stands.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn pad(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::yaml;
    use crate::source::{SourceFile, SourceId};

    #[test]
    fn objects_are_written_in_block_style() {
        let object = json!({"kind": "X", "list": [{"a": 1, "b": [[true, null]]}, "on", []], "text": "a: b\n  c\n", "empty": {}});
        let expected = "---\nkind: X\nlist:\n- a: 1\n  b:\n  - - true\n    - null\n- \"on\"\n- []\ntext: |\n  a: b\n    c\nempty: {}\n";
        assert_eq!(yaml(&[object]), expected);
    }

    #[test]
    fn every_string_is_read_back_as_itself() {
        let texts = [
            "",
            " ",
            "a",
            "a b",
            "a ",
            " a",
            "~",
            "null",
            "No",
            "1",
            "1e3",
            "0x1",
            ".5",
            "-",
            "- a",
            "a: b",
            "a:b",
            "a:",
            ":a",
            "a #b",
            "#",
            "2024-01-31",
            "12:30",
            "=",
            "<<",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "'a'",
            "\"a\"",
            "\\",
            "{",
            "[a]",
            "a,b",
            "|",
            ">",
            "?",
            "a\nb",
            "a\nb\n",
            "a\nb\n\n",
            "\na",
            " a\nb",
            "a \nb",
            "a\n b",
            "a\n\tb",
            "a\tb",
            "a\rb",
            "\u{7f}",
            "\u{85}",
            "\u{2028}\nx",
            "\u{feff}",
            "ä ö",
            "ä\nö\n",
            "😀",
            "a\n---\nb",
            "a\n\n\nb",
            "\n",
            "\0",
            "NaN",
            ".inf",
            "y",
        ];
        let object = json!({"list": texts.to_vec(), "map": texts.iter().map(|t| (*t, *t)).collect::<std::collections::BTreeMap<_, _>>()});
        let text = yaml(std::slice::from_ref(&object));
        let source = Arc::new(SourceFile::new(SourceId(0), "x", text.clone()));
        let parsed = crate::yaml::parse(&source);
        assert!(parsed.errors.is_empty(), "{text}");
        assert_eq!(parsed.documents.len(), 1, "{text}");
        let root = parsed.documents[0].root;
        assert_eq!(parsed.tree.node(root).to_json(), object, "{text}");
    }
}
