//! L8: the generated pages under `docs/`. Input: rules, tables and the command tree; output: paths with their texts. A test
//! compares them with the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::asset::family::FAMILIES;
use crate::cli::rules::pretty;
use crate::config;
use crate::error::Error;
use crate::evaluate::functions::functions;
use crate::explain::rule_markdown;
use crate::facts::subject::SUBJECTS;
use crate::rule::{RuleSet, example, format};

/// What stands at the head of generated pages.
const NOTE: &str = "<!-- generated: UPDATE_DOCS=1 cargo test --test docs -->\n\n";

/// Every generated page by path below the repository.
///
/// # Errors
/// Built-in rules that do not load.
pub fn pages() -> Result<BTreeMap<String, String>, Error> {
    let rules = RuleSet::builtin()?;
    let mut pages = BTreeMap::new();
    let mut index =
        format!("{NOTE}# Rules\n\n| rule | severity | what is wrong |\n|---|---|---|\n");
    for rule in rules.iter() {
        let info = example::with_texts(&rule.info, &rule.file);
        let name = format!("{}-{}.md", info.id, info.slug);
        let _ = writeln!(
            index,
            "| [{}]({name}) {} | {} | {} |",
            info.id,
            info.slug,
            info.severity.as_str(),
            info.summary.replace('|', "\\|")
        );
        let mut page = format!("{NOTE}{}", rule_markdown(&info));
        page.push_str(&examples(rule));
        pages.insert(format!("docs/rules/{name}"), page);
    }
    pages.insert(String::from("docs/rules/README.md"), index);
    pages.insert(String::from("docs/cli.md"), cli());
    pages.insert(String::from("docs/facts.md"), facts());
    pages.insert(String::from("docs/asset-kinds.md"), asset_kinds());
    pages.insert(
        String::from("docs/schema/rule.schema.json"),
        pretty(&format::json_schema()),
    );
    pages.insert(
        String::from("docs/schema/config.schema.json"),
        pretty(&config::format::json_schema()),
    );
    Ok(pages)
}

fn examples(rule: &crate::rule::Rule) -> String {
    let mut text = String::new();
    for example in example::texts(&rule.file).unwrap_or_default().examples {
        let _ = writeln!(text, "\n## Example: {}\n", example.name);
        for (path, manifest) in example.files {
            if path != "input.yaml" {
                let _ = writeln!(text, "`{path}`:\n");
            }
            let _ = writeln!(text, "```yaml\n{}\n```", manifest.trim_end());
        }
    }
    text
}

/// The help of every command.
fn cli() -> String {
    let mut text = format!("{NOTE}# Commands\n");
    let mut root = super::command();
    root.build();
    command(&mut text, &mut root, "");
    text
}

fn command(text: &mut String, of: &mut clap::Command, above: &str) {
    let name = format!("{above}{}", of.get_name());
    let help = of.clone().term_width(100).render_long_help().to_string();
    let _ = writeln!(text, "\n## {name}\n\n```text\n{}\n```", help.trim_end());
    for sub in of.get_subcommands_mut() {
        command(text, sub, &format!("{name} "));
    }
}

/// Kinds that are AI assets for certain.
fn asset_kinds() -> String {
    let mut text = format!(
        "{NOTE}# Kinds that are AI assets\n\n| product | kind | API group | class |\n|---|---|---|---|\n"
    );
    for family in FAMILIES {
        for kind in family.kinds {
            let _ = writeln!(
                text,
                "| {} | {} | `{}` | {} |",
                family.name,
                kind.kind,
                kind.group,
                kind.class.as_str()
            );
        }
    }
    text
}

/// What expressions may name.
fn facts() -> String {
    let mut text = format!(
        "{NOTE}# What expressions see\n\nBesides these: `params` (the rule's parameters), `variables` (its variables) and, under `each`, `item`.\n"
    );
    for row in SUBJECTS {
        let kind = format!("{:?}", row.kind).to_lowercase();
        let _ = writeln!(
            text,
            "\n## Subject `{kind}`\n\n| variable | type | meaning |\n|---|---|---|"
        );
        for variable in row.variables {
            let (name, ty, doc) = (variable.name, variable.ty, variable.doc);
            let _ = writeln!(text, "| `{name}` | `{ty}` | {doc} |");
            if let crate::cel::Type::Record(record) = ty {
                for field in record.fields {
                    let _ = writeln!(
                        text,
                        "| `{name}.{}` | `{}` | {} |",
                        field.name, field.ty, field.doc
                    );
                }
            }
        }
    }
    text.push_str("\n## Functions\n\n| function | meaning |\n|---|---|\n");
    for function in functions().iter() {
        let _ = writeln!(
            text,
            "| `{}` | {} |",
            function.signature().replace('|', "\\|"),
            function.doc.replace('|', "\\|")
        );
    }
    text
}
