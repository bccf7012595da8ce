//! L3: values that are set one by one. Input: `--set` paths of Argo CD and `targetPath` of Flux; output: nested values.
//!
//! Argo CD passes `helm.parameters` as `--set` or `--set-string` (argo-cd `util/helm/cmd.go`); Flux parses `targetPath` with
//! the same strvals (helm v3 `pkg/strvals/parser.go`). Lists by index are left out: the parameter then counts as unread.

use crate::kustomize::inline::part_of;
use crate::kustomize::node::{Node, plain_kind};
use crate::release::merge::nested;
use crate::yaml::{Kind, NodeRef};

/// Keys of a path: no chart nests its values deeper.
const MAX_DEPTH: usize = 64;

/// The keys of a dotted path, `\.` for a dot inside one; `None` for list indices.
pub(crate) fn keys(path: &str) -> Option<Vec<String>> {
    if path.is_empty() || path.contains(['[', '{', ',', '=']) {
        return None;
    }
    let mut keys = vec![String::new()];
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => keys.last_mut()?.push(chars.next()?),
            '.' => keys.push(String::new()),
            c => keys.last_mut()?.push(c),
        }
    }
    let is_plain = keys.len() <= MAX_DEPTH && keys.iter().all(|key| !key.is_empty());
    is_plain.then_some(keys)
}

/// An entry of `helm.parameters`.
pub(crate) fn of_argo(parameter: NodeRef<'_>) -> Option<Node<'static>> {
    let value = parameter.get("value")?;
    let is_text = parameter.get("forceString").and_then(NodeRef::as_bool) == Some(true);
    single(parameter.get("name")?.text(), value, is_text)
}

/// One scalar at a path; `--set` reads it as YAML reads a plain scalar unless it is forced to be text.
pub(crate) fn single(path: &str, value: NodeRef<'_>, is_text: bool) -> Option<Node<'static>> {
    let text = value.secret_text();
    // `--set` splits at commas and takes braces for lists.
    if !is_text && text.contains([',', '{', '\\']) {
        return None;
    }
    let kind = if is_text { Kind::Str } else { plain_kind(text) };
    let span = part_of(value.span(), text, 0, text.len());
    let mut node = Node::scalar(kind, text.to_owned(), span);
    node.secret = value.is_secret().then(|| value.text().to_owned().into());
    Some(nested(&keys(path)?, node))
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn dots_part_keys_unless_escaped() {
        let of = |path: &str| keys(path);
        let words = |list: &[&str]| Some(list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(of("image.tag"), words(&["image", "tag"]));
        assert_eq!(
            of(r"nodeSelector.a\.b/c"),
            words(&["nodeSelector", "a.b/c"])
        );
        assert_eq!(of("hosts[0].name"), None);
        assert_eq!(of("a..b"), None);
        assert_eq!(of(&"a.".repeat(100_000)), None);
    }
}
