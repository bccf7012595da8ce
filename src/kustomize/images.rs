//! L2: `images:`. Input: the objects and one entry; output: image references rewritten, placed at the entry.
//!
//! Semantics: kustomize api v0.18.0, filters/imagetag and internal/image/image.go.

use regex::Regex;

use crate::kustomize::error::KustomizeError;
use crate::kustomize::field_path::{Make, Misfit, Walk, split};
use crate::kustomize::layer::Image;
use crate::kustomize::node::{Node, Value};
use crate::kustomize::objects::Objects;
use crate::kustomize::specs;
use crate::kustomize::transform::set_scalar;
use crate::source::Span;

/// Rewrites the images that one entry names.
pub(crate) fn images<'a>(
    objects: &mut Objects<'a>,
    image: &'a Image,
) -> Result<(), KustomizeError> {
    let Some(rewrite) = Rewrite::new(image) else {
        return Ok(());
    };
    for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
        if object.kind() == "CustomResourceDefinition" {
            continue;
        }
        let id = object.id();
        containers(&mut object.node, &rewrite)
            .map_err(|misfit| misfit.at("containers/image", id.to_string()))?;
        for spec in specs::IMAGES {
            let mut walk = Walk {
                make: Make::Nothing,
                cause: rewrite.span,
                set: &mut |node: &mut Node<'a>| rewrite.apply(node),
            };
            walk.run(&mut object.node, &split(spec.path))
                .map_err(|misfit| misfit.at(spec.path, id.to_string()))?;
        }
    }
    Ok(())
}

/// Every list called `containers` or `initContainers`, at any depth.
fn containers(node: &mut Node<'_>, rewrite: &Rewrite<'_>) -> Result<(), Misfit> {
    match &mut node.value {
        Value::Scalar(..) => Ok(()),
        Value::Seq(items) => items.iter_mut().try_for_each(|n| containers(n, rewrite)),
        Value::Map(entries) => entries.iter_mut().try_for_each(|entry| {
            containers(&mut entry.value, rewrite)?;
            if !matches!(&*entry.key.text, "containers" | "initContainers") {
                return Ok(());
            }
            for container in entry.value.items_mut().iter_mut().filter(|c| !c.is_null()) {
                if !container.is_map() {
                    return Err(Misfit::new(container, "a map"));
                }
                if let Some(image) = container.get_mut("image") {
                    rewrite.apply(image)?;
                }
            }
            Ok(())
        }),
    }
}

struct Rewrite<'i> {
    image: &'i Image,
    matches: Regex,
    /// The part of the entry that decides: tag, digest, suffix or name.
    span: Span,
}

impl<'i> Rewrite<'i> {
    /// `None` when the entry changes nothing or its name is no expression.
    fn new(image: &'i Image) -> Option<Self> {
        let parts = [
            &image.new_tag,
            &image.digest,
            &image.tag_suffix,
            &image.new_name,
        ];
        let span = parts.into_iter().flatten().next()?.span;
        // NOTE: kustomize puts the name into the expression unescaped.
        let pattern = format!(
            "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
            image.name
        );
        let matches = Regex::new(&pattern).ok()?;
        Some(Self {
            image,
            matches,
            span,
        })
    }

    fn apply(&self, node: &mut Node<'_>) -> Result<(), Misfit> {
        if !matches!(node.value, Value::Scalar(..)) {
            return Err(Misfit::new(node, "a scalar"));
        }
        if !self.matches.is_match(node.text()) {
            return Ok(());
        }
        let text = self.rewritten(node.text());
        if text == node.text() {
            return Ok(());
        }
        set_scalar(node, Node::resolved(text, self.span))
    }

    fn rewritten(&self, reference: &str) -> String {
        let (name, mut tag, mut digest) = parts(reference);
        let text = |field: &'i Option<crate::kustomize::decode::Text>| {
            field.as_ref().map(|t| t.text.as_str())
        };
        let image = self.image;
        let name = text(&image.new_name).unwrap_or(name);
        let suffixed;
        match (
            text(&image.new_tag),
            text(&image.digest),
            text(&image.tag_suffix),
        ) {
            (Some(new_tag), new_digest, _) => (tag, digest) = (new_tag, new_digest.unwrap_or("")),
            (None, Some(new_digest), _) => (tag, digest) = ("", new_digest),
            (None, None, Some(suffix)) => {
                suffixed = format!("{tag}{suffix}");
                (tag, digest) = (&suffixed, "");
            }
            (None, None, None) => {}
        }
        let mut text = name.to_owned();
        for (mark, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }
}

/// Name, tag and digest of a reference; a port of the registry belongs to the name.
fn parts(reference: &str) -> (&str, &str, &str) {
    let path = match reference.find('/') {
        Some(at) if at > 0 => at,
        _ => 0,
    };
    let search = reference.get(path..).unwrap_or("");
    let (before, digest) = match search.find('@') {
        Some(at) => reference.split_at(path + at),
        None => (reference, ""),
    };
    let colon = before.get(path..).and_then(|s| s.find(':'));
    let (name, tag) = match colon {
        Some(at) => before.split_at(path + at),
        None => (before, ""),
    };
    (
        name,
        tag.trim_start_matches(':'),
        digest.trim_start_matches('@'),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_split_at_tag_and_digest_only() {
        assert_eq!(parts("nginx"), ("nginx", "", ""));
        assert_eq!(parts("nginx:1"), ("nginx", "1", ""));
        assert_eq!(parts("host:5000/nginx"), ("host:5000/nginx", "", ""));
        assert_eq!(
            parts("host:5000/n:1@sha256:ab"),
            ("host:5000/n", "1", "sha256:ab")
        );
        assert_eq!(parts("n@sha256:ab"), ("n", "", "sha256:ab"));
    }
}
