//! L2: namespace, prefix, suffix, labels, annotations, replicas and images. Input: the objects of a kustomization and one
//! of its fields; output: the objects changed, every set value at the place of that field.
//!
//! Semantics: kustomize api v0.18.0, internal/builtins and filters of the same names.

use std::borrow::Cow;

use crate::kustomize::decode::Text;
use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::field_path::{FieldSpec, Make, Misfit, Walk, split};
use crate::kustomize::ident::Gvk;
use crate::kustomize::layer::{Labels, Replicas};
use crate::kustomize::node::{Key, Node, Value};
use crate::kustomize::objects::{Object, Objects};
use crate::kustomize::shared;
use crate::kustomize::specs;
use crate::yaml::Kind;

/// Runs `set` on what the specs lead to in one object.
fn apply<'a, S>(
    object: &mut Object<'a>,
    fields: &[FieldSpec<'_>],
    make: Make,
    cause: &Text,
    mut set: S,
) -> Result<(), KustomizeError>
where
    S: FnMut(&mut Node<'a>) -> Result<(), Misfit>,
{
    let gvk = object.gvk();
    for spec in fields {
        if !gvk.is_selected((spec.group, spec.version, spec.kind)) {
            continue;
        }
        let mut walk = Walk {
            make: if spec.create { make } else { Make::Nothing },
            cause: cause.span,
            set: &mut set,
        };
        if let Err(misfit) = walk.run(&mut object.node, &split(spec.path)) {
            return Err(misfit.at(spec.path, object.id().to_string()));
        }
    }
    Ok(())
}

/// Puts a scalar in the place of another.
pub(crate) fn set_scalar<'a>(node: &mut Node<'a>, value: Node<'a>) -> Result<(), Misfit> {
    if !matches!(node.value, Value::Scalar(..)) {
        return Err(Misfit::new(node, "a scalar"));
    }
    node.replace_by(value);
    Ok(())
}

const EVERY: FieldSpec<'static> = FieldSpec {
    group: "",
    version: "",
    kind: "",
    path: "metadata/namespace",
    create: true,
};

/// `namespace:`. Of a role binding's subjects those named `default` move.
pub(crate) fn namespace<'a>(
    objects: &mut Objects<'a>,
    namespace: &'a Text,
) -> Result<(), KustomizeError> {
    let value = Node::verbatim(namespace);
    for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
        object.remember();
        let is_v1 = object.api_version() == "v1";
        let is_binding = matches!(object.kind(), "RoleBinding" | "ClusterRoleBinding");
        if !object.is_cluster_scoped() {
            apply(object, &[EVERY], Make::Scalar, namespace, |node| {
                set_scalar(node, value.clone())
            })?;
        }
        if is_binding {
            binding_subjects(object, &value)?;
        }
        let fields: Vec<_> = specs::NAMESPACE
            .iter()
            .copied()
            .filter(|spec| is_v1 || spec.path != "metadata/name")
            .collect();
        apply(object, &fields, Make::Scalar, namespace, |node| {
            set_scalar(node, value.clone())
        })?;
    }
    objects.check_clash()
}

fn binding_subjects<'a>(object: &mut Object<'a>, value: &Node<'a>) -> Result<(), KustomizeError> {
    let id = object.id();
    let Some(subjects) = object.node.get_mut("subjects").filter(|s| !s.is_null()) else {
        return Ok(());
    };
    if !matches!(subjects.value, Value::Seq(_)) {
        return Err(Misfit::new(subjects, "a list").at("subjects", id.to_string()));
    }
    for subject in subjects.items_mut() {
        if subject.get("name").is_some_and(|n| n.text() == "default") {
            subject.set(Key::new("namespace", value.span), value.clone());
        }
    }
    Ok(())
}

/// Kinds whose names stay as they are.
fn keeps_name(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.group == "apiregistration.k8s.io" && gvk.kind == "APIService")
}

/// Which end of a name is extended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affix {
    /// `namePrefix:`.
    Prefix,
    /// `nameSuffix:`.
    Suffix,
}

/// `namePrefix:` or `nameSuffix:`.
pub(crate) fn affix<'a>(objects: &mut Objects<'a>, text: &'a Text, affix: Affix) {
    for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
        if keeps_name(&object.original_id().gvk) {
            continue;
        }
        let name = match affix {
            Affix::Prefix => {
                object.prefixes.push(&text.text);
                format!("{}{}", text.text, object.name())
            }
            Affix::Suffix => {
                object.suffixes.push(&text.text);
                format!("{}{}", object.name(), text.text)
            }
        };
        object.remember();
        if object.node.get("metadata").is_some() {
            object.set_name(Node::resolved(name, text.span));
        }
    }
}

/// The paths that a `labels:` entry sets.
pub(crate) fn label_specs(labels: &Labels) -> Result<Vec<FieldSpec<'_>>, KustomizeError> {
    let mut fields: Vec<FieldSpec<'_>> = labels
        .fields
        .iter()
        .map(|f| FieldSpec {
            group: &f.group,
            version: &f.version,
            kind: &f.kind,
            path: &f.path,
            create: f.create,
        })
        .collect();
    let metadata = FieldSpec {
        path: "metadata/labels",
        ..EVERY
    };
    let builtin: Vec<FieldSpec<'_>> = if labels.include_selectors {
        specs::SELECTORS
            .iter()
            .chain(specs::TEMPLATES)
            .copied()
            .collect()
    } else if labels.include_templates {
        specs::TEMPLATES.iter().copied().chain([metadata]).collect()
    } else {
        vec![metadata]
    };
    for spec in builtin {
        let same = fields.iter().find(|f| {
            let own = |a: &str, b: &str| b.is_empty() || a == b;
            f.path == spec.path
                && own(f.group, spec.group)
                && own(f.version, spec.version)
                && own(f.kind, spec.kind)
        });
        match same {
            Some(f) if f.create != spec.create => {
                let message =
                    "`fields` says otherwise about `create` than kustomize does".to_owned();
                let span = labels.pairs.first().map(|(key, _)| key.span);
                let kind = ErrorKind::Generator(message);
                return span.map_or(Ok(Vec::new()), |span| Err(KustomizeError::new(span, kind)));
            }
            Some(_) => {}
            None => fields.push(spec),
        }
    }
    Ok(fields)
}

/// The paths of `commonLabels:`.
pub(crate) fn common_label_specs() -> Vec<FieldSpec<'static>> {
    specs::SELECTORS
        .iter()
        .chain(specs::TEMPLATES)
        .copied()
        .collect()
}

/// Sets labels or annotations.
pub(crate) fn pairs<'a>(
    objects: &mut Objects<'a>,
    pairs: &'a [(Text, Text)],
    fields: &[FieldSpec<'_>],
) -> Result<(), KustomizeError> {
    for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
        for (key, value) in pairs {
            object.groups += 1;
            let mark = shared::group(object.groups);
            let mut wrote_shared = false;
            apply(object, fields, Make::Map, key, |node| {
                if !node.is_map() {
                    return Err(Misfit::new(node, "a map"));
                }
                let old = node.get(&key.text).map(|old| old.shared);
                wrote_shared |= old.is_some_and(|mark| mark != 0);
                let mut value = Node::verbatim(value);
                value.shared = mark;
                node.set(Key::verbatim(key), value);
                Ok(())
            })?;
            if wrote_shared {
                shared::spread(&mut object.node);
            }
        }
    }
    Ok(())
}

/// One `replicas:` entry.
pub(crate) fn replicas(
    objects: &mut Objects<'_>,
    replicas: &Replicas,
) -> Result<(), KustomizeError> {
    let mut found = false;
    for spec in specs::REPLICAS {
        for object in objects.each_mut().iter_mut().filter(|o| !o.deleted) {
            let meant = (object.kind() == spec.kind && object.name() == replicas.name.text)
                || object
                    .former
                    .iter()
                    .any(|f| f.kind == spec.kind && f.name == replicas.name.text);
            if !meant {
                continue;
            }
            found = true;
            let count = || {
                let text: Cow<'_, str> = replicas.count.to_string().into();
                Node::scalar(Kind::Int, text, replicas.count_span)
            };
            let cause = Text {
                span: replicas.count_span,
                ..replicas.name.clone()
            };
            apply(object, &[*spec], Make::Scalar, &cause, |node| {
                set_scalar(node, count())
            })?;
        }
    }
    if found {
        return Ok(());
    }
    let name = replicas.name.text.clone();
    Err(KustomizeError::new(
        replicas.name.span,
        ErrorKind::NoReplicas(name),
    ))
}
