//! L2: which fields hold the name of another object. Input: references.txt; output: its rows by the kind of the referrer.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::kustomize::field_path::split;

/// One field that names an object of a kind; empty group and version match any.
pub(crate) struct Row {
    /// Group and version of the referrer.
    pub(crate) referrer: (&'static str, &'static str),
    /// The field.
    pub(crate) path: &'static str,
    pub(crate) segments: Vec<String>,
    /// Group, version and kind of the object named.
    pub(crate) target: (&'static str, &'static str, &'static str),
}

/// The rows of each referrer's kind, in the order of the table.
pub(crate) static ROWS: LazyLock<HashMap<&str, Vec<Row>>> =
    LazyLock::new(|| rows(include_str!("references.txt")));

fn rows(table: &'static str) -> HashMap<&'static str, Vec<Row>> {
    let any = |word: &'static str| if word == "-" { "" } else { word };
    let mut rows: HashMap<&str, Vec<Row>> = HashMap::new();
    let mut target = ("", "", "");
    for line in table.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["#", ..] => {}
            ["=", group, version, kind] => target = (any(group), any(version), *kind),
            [group, version, kind, path] => rows.entry(kind).or_default().push(Row {
                referrer: (any(group), any(version)),
                path,
                segments: split(path),
                target,
            }),
            _ => {}
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_row() {
        let lines = include_str!("references.txt").lines();
        let written = lines.filter(|l| !l.starts_with(['#', '='])).count();
        assert_eq!(ROWS.values().map(Vec::len).sum::<usize>(), written);
        assert_eq!(written, 166);
        let ingress = ROWS.get("Ingress").unwrap();
        assert!(
            ingress
                .iter()
                .any(|r| r.segments.len() == 3 && r.target.2 == "Secret")
        );
    }
}
