//! L2: the entries of a kustomization's lists. Input: located YAML; output: the typed entries of `Layer`.

use crate::kustomize::decode::{Field, Text, fields, wrong};
use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::inline;
use crate::kustomize::layer::{
    Image, LabelField, Labels, Patch, PatchContent, Replicas, SortOptions, Target,
};
use crate::kustomize::node::Node;
use crate::yaml::NodeRef;

/// Fields that a path in `labels[].fields` may go down; every one may be made.
const MAX_SEGMENTS: usize = 99;

/// Reads every item of a list.
pub(crate) fn list<T>(
    field: &Field<'_>,
    read: fn(NodeRef<'_>, &str) -> Result<T, KustomizeError>,
) -> Result<Vec<T>, KustomizeError> {
    field
        .items()?
        .into_iter()
        .map(|item| read(item, &field.path))
        .collect()
}

/// A string that is not empty.
pub(crate) fn given(field: &Field<'_>) -> Result<Option<Text>, KustomizeError> {
    Ok(Some(field.string()?).filter(|t| !t.text.is_empty()))
}

/// A `labels:` entry.
pub(crate) fn labels(node: NodeRef<'_>, path: &str) -> Result<Labels, KustomizeError> {
    let known = ["pairs", "includeSelectors", "includeTemplates", "fields"];
    let mut labels = Labels::default();
    for field in fields(node, path, &known)? {
        match field.name {
            "pairs" => labels.pairs = field.pairs()?,
            "includeSelectors" => labels.include_selectors = field.boolean()?,
            "includeTemplates" => labels.include_templates = field.boolean()?,
            _ => labels.fields = list(&field, label_field)?,
        }
    }
    Ok(labels)
}

fn label_field(node: NodeRef<'_>, path: &str) -> Result<LabelField, KustomizeError> {
    let mut spec = LabelField::default();
    for field in fields(node, path, &["group", "version", "kind", "path", "create"])? {
        match field.name {
            "group" => spec.group = field.string()?.text,
            "version" => spec.version = field.string()?.text,
            "kind" => spec.kind = field.string()?.text,
            "path" => {
                spec.path = field.string()?.text;
                if spec.path.matches('/').count() > MAX_SEGMENTS {
                    return Err(wrong(
                        field.value,
                        &field.path,
                        "a path of at most 100 fields",
                    ));
                }
            }
            _ => spec.create = field.boolean()?,
        }
    }
    Ok(spec)
}

/// A `patchesStrategicMerge:` entry.
pub(crate) fn strategic(node: NodeRef<'_>, path: &str) -> Result<Patch, KustomizeError> {
    let text = node
        .as_str()
        .ok_or_else(|| wrong(node, path, "a list of strings"))?;
    // NOTE: kustomize tries the text as a patch before it takes it for a path.
    let inline = inline::documents(node)
        .ok()
        .filter(|documents| !documents.is_empty() && documents.iter().all(Node::is_map));
    let content = match inline {
        Some(documents) => PatchContent::Inline(documents),
        None => PatchContent::Path(Text {
            text: text.to_owned(),
            style: node.style(),
            span: node.span(),
        }),
    };
    Ok(Patch {
        span: node.span(),
        content,
        target: None,
        allow_name_change: false,
        allow_kind_change: false,
    })
}

/// A `patches:` or `patchesJson6902:` entry.
pub(crate) fn patch(node: NodeRef<'_>, path: &str) -> Result<Patch, KustomizeError> {
    let (mut inline_text, mut file, mut read_target) = (None, None, None);
    let (mut allow_name_change, mut allow_kind_change) = (false, false);
    for field in fields(node, path, &["path", "patch", "target", "options"])? {
        match field.name {
            "path" => file = given(&field)?,
            "patch" => inline_text = given(&field)?.map(|_| field.value),
            "target" => read_target = Some(target(&field)?),
            _ => {
                if !field.value.is_map() {
                    return Err(wrong(field.value, &field.path, "a map"));
                }
                for (key, value) in field.value.entries() {
                    let on = value
                        .as_bool()
                        .ok_or_else(|| wrong(value, &field.path, "true or false"))?;
                    match &*key.key_text() {
                        "allowNameChange" => allow_name_change = on,
                        "allowKindChange" => allow_kind_change = on,
                        _ => {}
                    }
                }
            }
        }
    }
    let (span, content) = match (
        inline_text.filter(|n| !n.secret_text().trim().is_empty()),
        file,
    ) {
        (Some(text), None) => (text.span(), PatchContent::Inline(inline::documents(text)?)),
        (None, Some(file)) => (file.span, PatchContent::Path(file)),
        (Some(_), Some(_)) => return bad(node, "a patch entry has `path` or `patch`, not both"),
        (None, None) => return bad(node, "a patch entry needs `path` or `patch`"),
    };
    Ok(Patch {
        span,
        content,
        target: read_target,
        allow_name_change,
        allow_kind_change,
    })
}

fn bad<T>(node: NodeRef<'_>, message: &'static str) -> Result<T, KustomizeError> {
    Err(KustomizeError::new(
        node.span(),
        ErrorKind::BadPatch(message),
    ))
}

fn target(field: &Field<'_>) -> Result<Target, KustomizeError> {
    let known = [
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "labelSelector",
        "annotationSelector",
    ];
    let mut target = Target::default();
    for field in fields(field.value, &field.path, &known)? {
        let value = given(&field)?;
        match field.name {
            "group" => target.group = value,
            "version" => target.version = value,
            "kind" => target.kind = value,
            "name" => target.name = value,
            "namespace" => target.namespace = value,
            "labelSelector" => target.label_selector = value,
            _ => target.annotation_selector = value,
        }
    }
    Ok(target)
}

/// An `images:` entry.
pub(crate) fn image(node: NodeRef<'_>, path: &str) -> Result<Image, KustomizeError> {
    let known = ["name", "newName", "newTag", "tagSuffix", "digest"];
    let mut image = Image::default();
    for field in fields(node, path, &known)? {
        match field.name {
            "name" => image.name = field.string()?.text,
            "newName" => image.new_name = given(&field)?,
            "newTag" => image.new_tag = given(&field)?,
            "tagSuffix" => image.tag_suffix = given(&field)?,
            _ => image.digest = given(&field)?,
        }
    }
    Ok(image)
}

/// A `replicas:` entry.
pub(crate) fn replicas(node: NodeRef<'_>, path: &str) -> Result<Replicas, KustomizeError> {
    let mut read = Replicas {
        name: Text {
            text: String::new(),
            style: node.style(),
            span: node.span(),
        },
        count: 0,
        count_span: node.span(),
    };
    for field in fields(node, path, &["name", "count"])? {
        match field.name {
            "name" => read.name = field.string()?,
            _ => (read.count, read.count_span) = (field.integer()?, field.value.span()),
        }
    }
    Ok(read)
}

/// `sortOptions:`.
pub(crate) fn sort(field: &Field<'_>) -> Result<SortOptions, KustomizeError> {
    let mut sort = SortOptions::default();
    let mut order = None;
    for field in fields(field.value, &field.path, &["order", "legacySortOptions"])? {
        if field.name == "order" {
            order = Some(field.string()?.text);
            continue;
        }
        for field in fields(field.value, &field.path, &["orderFirst", "orderLast"])? {
            let kinds = field.strings()?.into_iter().map(|t| t.text).collect();
            match field.name {
                "orderFirst" => sort.first = Some(kinds),
                _ => sort.last = Some(kinds),
            }
        }
    }
    sort.fifo = match order.as_deref() {
        Some("legacy") => false,
        Some("fifo") if sort.first.is_none() && sort.last.is_none() => true,
        _ => {
            return Err(wrong(
                field.value,
                "sortOptions.order",
                "`legacy` or `fifo`",
            ));
        }
    };
    Ok(sort)
}
