//! L3: generators of an ApplicationSet whose parameters stand in the tree: lists, folders of the repository, and the product of
//! two of them. Input: the spec; output: one set of parameters for each Application, or why they are not known.
//!
//! Semantics: argo-cd v2.14 `applicationset/generators/{list,git,matrix}.go`.

use std::collections::BTreeMap;

use globset::GlobBuilder;

use crate::kustomize::files::join;
use crate::view::gitops::paths::Folders;
use crate::yaml::NodeRef;

/// Applications that one set may make.
const MAX_APPLICATIONS: usize = 10_000;

/// Parameters of one generated Application, by the text inside the braces.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    values: BTreeMap<String, String>,
    /// Whether the template is Go's: parameters start with a dot.
    is_go: bool,
}

impl Parameters {
    /// Of an Application that nothing generates.
    pub(super) fn none() -> Self {
        Self::default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Fills parameters into a text of the template.
    ///
    /// # Errors
    /// What stands between the braces is no parameter: a function, or another generator's.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else {
                return Err(format!("`{text}` is no template"));
            };
            let name = name.trim_matches(['-', ' ']);
            let value = if self.is_go {
                name.strip_prefix('.')
                    .and_then(|name| self.values.get(name))
            } else {
                self.values.get(name)
            };
            let Some(value) = value else {
                return Err(format!("`{{{{{name}}}}}` is not known from the tree"));
            };
            out.push_str(before);
            out.push_str(value);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The parameters of every Application of the set.
///
/// # Errors
/// A generator whose parameters do not stand in the tree, named.
pub(super) fn parameters(
    spec: NodeRef<'_>,
    folders: &Folders,
    from: &str,
) -> Result<Vec<Parameters>, String> {
    let is_go = spec.get("goTemplate").and_then(NodeRef::as_bool) == Some(true);
    let mut all = Vec::new();
    for generator in spec.get("generators").into_iter().flat_map(NodeRef::items) {
        for values in of_generator(generator, is_go, folders, from)? {
            all.push(Parameters { values, is_go });
        }
    }
    if all.len() > MAX_APPLICATIONS {
        return Err(format!(
            "it makes more than {MAX_APPLICATIONS} Applications"
        ));
    }
    Ok(all)
}

type Values = BTreeMap<String, String>;

fn of_generator(
    generator: NodeRef<'_>,
    is_go: bool,
    folders: &Folders,
    from: &str,
) -> Result<Vec<Values>, String> {
    let mut sets = None;
    for (key, value) in generator.entries() {
        sets = match &*key.key_text() {
            "list" => Some(list(value)?),
            "git" => Some(git(value, is_go, folders, from)?),
            "matrix" => Some(matrix(value, is_go, folders, from)?),
            name => return Err(format!("generator `{name}` is not worked out")),
        };
    }
    Ok(sets.unwrap_or_default())
}

fn list(generator: NodeRef<'_>) -> Result<Vec<Values>, String> {
    if let Some((key, _)) = generator
        .entries()
        .find(|(key, _)| key.key_text() != "elements")
    {
        return Err(format!("`list.{}` is not worked out", key.key_text()));
    }
    let elements = generator
        .get("elements")
        .into_iter()
        .flat_map(NodeRef::items);
    let mut sets = Vec::new();
    for element in elements {
        let mut values = Values::new();
        flatten("", element, &mut values);
        for value in values.values() {
            known(value)?;
        }
        sets.push(values);
    }
    Ok(sets)
}

/// A text of a generator, unless the generator before it in a matrix has a say in it.
fn known(text: &str) -> Result<&str, String> {
    if text.contains("{{") {
        return Err(format!("`{text}` of a generator is not worked out"));
    }
    Ok(text)
}

fn flatten(prefix: &str, node: NodeRef<'_>, values: &mut Values) {
    for (key, value) in node.entries() {
        let name = match prefix {
            "" => key.key_text().into_owned(),
            prefix => format!("{prefix}.{}", key.key_text()),
        };
        if value.is_map() {
            flatten(&name, value, values);
        } else if !value.is_seq() {
            values.insert(name, value.text().to_owned());
        }
    }
}

/// Folders of the repository by pattern: later entries do not overrule an excluding one.
fn git(
    generator: NodeRef<'_>,
    is_go: bool,
    folders: &Folders,
    from: &str,
) -> Result<Vec<Values>, String> {
    for field in ["files", "values", "pathParamPrefix", "template"] {
        if generator.get(field).is_some_and(|n| !n.is_null()) {
            return Err(format!("`git.{field}` is not worked out"));
        }
    }
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for entry in generator
        .get("directories")
        .into_iter()
        .flat_map(NodeRef::items)
    {
        let path = entry.get("path").map_or("", NodeRef::text);
        let path = known(path)?;
        let path = join("", path);
        // Go's `path.Match`: no star crosses a slash, and braces stand for themselves.
        let mut pattern = path.replace('{', "[{]").replace('}', "[}]");
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
        let Ok(glob) = glob else {
            return Err(format!("`{path}` is no pattern"));
        };
        let is_excluding = entry.get("exclude").and_then(NodeRef::as_bool) == Some(true);
        let list = if is_excluding {
            &mut unwanted
        } else {
            &mut wanted
        };
        list.push(glob.compile_matcher());
    }
    let top = folders.top(from, |folder| {
        wanted.iter().any(|glob| glob.is_match(folder))
    });
    let found = folders.below(&top).filter_map(|folder| {
        let path = folder.strip_prefix(top.as_str())?.trim_start_matches('/');
        let is_hidden = path.split('/').any(|part| part.starts_with('.'));
        let is_in = !path.is_empty()
            && !is_hidden
            && wanted.iter().any(|glob| glob.is_match(path))
            && !unwanted.iter().any(|glob| glob.is_match(path));
        is_in.then(|| of_folder(path, is_go))
    });
    Ok(found.collect())
}

fn of_folder(path: &str, is_go: bool) -> Values {
    let base = path.rsplit('/').next().unwrap_or(path);
    let (whole, prefix) = if is_go {
        ("path.path", "path")
    } else {
        ("path", "path")
    };
    let mut values = Values::from([
        (whole.to_owned(), path.to_owned()),
        (format!("{prefix}.basename"), base.to_owned()),
        (format!("{prefix}.basenameNormalized"), sanitized(base)),
    ]);
    if !is_go {
        for (number, part) in path.split('/').enumerate() {
            values.insert(format!("{prefix}[{number}]"), part.to_owned());
        }
    }
    values
}

/// `SanitizeName` in argo-cd `applicationset/utils/utils.go`.
fn sanitized(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '.');
    let name: String = lower
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .take(253)
        .collect();
    name.trim_matches(['-', '.']).to_owned()
}

fn matrix(
    generator: NodeRef<'_>,
    is_go: bool,
    folders: &Folders,
    from: &str,
) -> Result<Vec<Values>, String> {
    if let Some((key, _)) = generator
        .entries()
        .find(|(key, _)| key.key_text() != "generators")
    {
        return Err(format!("`matrix.{}` is not worked out", key.key_text()));
    }
    let mut sets = vec![Values::new()];
    for child in generator
        .get("generators")
        .into_iter()
        .flat_map(NodeRef::items)
    {
        let own = of_generator(child, is_go, folders, from)?;
        if sets.len().saturating_mul(own.len()) > MAX_APPLICATIONS {
            return Err(format!(
                "it makes more than {MAX_APPLICATIONS} Applications"
            ));
        }
        let pairs = sets.iter();
        let pairs = pairs.flat_map(|left| own.iter().map(move |right| (left, right)));
        sets = pairs
            .map(|(left, right)| both(left, right, is_go))
            .collect::<Result<_, _>>()?;
    }
    Ok(sets)
}

/// Parameters of two generators: in Go templates the first one's count, otherwise they may not differ
/// (`mergo.Merge` and `CombineStringMaps` in `matrix.go`).
fn both(left: &Values, right: &Values, is_go: bool) -> Result<Values, String> {
    let mut both = left.clone();
    for (name, value) in right {
        match both.get(name) {
            Some(known) if known == value => {}
            Some(known) if is_go && !known.is_empty() => {}
            Some(_) if !is_go => {
                return Err(format!("two generators give different values for `{name}`"));
            }
            _ => {
                both.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(both)
}
