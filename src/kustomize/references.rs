//! L2: references to renamed objects. Input: all objects of a finished build; output: the fields that name a renamed
//! object, renamed too; each keeps its own place.
//!
//! Semantics: kustomize api v0.18.0, filters/nameref/nameref.go and resmap/reswrangler.go
//! SubsetThatCouldBeReferencedByResource.

use std::collections::{BTreeSet, HashMap};

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::field_path::{Make, Misfit, Walk};
use crate::kustomize::ident::Gvk;
use crate::kustomize::node::{Key, Node, Value};
use crate::kustomize::objects::Objects;
use crate::kustomize::reference_table::{ROWS, Row};

/// What a reference needs to know of an object that may be meant.
struct Candidate {
    gvk: Gvk,
    name: String,
    namespace: String,
    effective: String,
    original_effective: String,
    cluster_scoped: bool,
    /// Earlier kinds and names.
    former: Vec<(String, String)>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// Updates every reference.
///
/// # Errors
/// A reference that fits several renamed objects, or a path that meets a value of the wrong shape.
pub(crate) fn update(objects: &mut Objects<'_>) -> Result<(), KustomizeError> {
    let candidates: Vec<Candidate> = objects
        .list
        .iter()
        .map(|o| Candidate {
            gvk: o.gvk(),
            name: o.name().to_owned(),
            namespace: o.namespace().to_owned(),
            effective: o.effective_namespace().to_owned(),
            original_effective: o.original_id().namespace,
            cluster_scoped: o.is_cluster_scoped(),
            former: (o.former.iter().map(|f| (f.kind.clone(), f.name.clone()))).collect(),
            prefixes: o.prefixes.iter().map(|p| (*p).to_owned()).collect(),
            suffixes: o.suffixes.iter().map(|s| (*s).to_owned()).collect(),
        })
        .collect();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let names: BTreeSet<&str> = candidate.former.iter().map(|(_, n)| n.as_str()).collect();
        for name in names {
            by_name.entry(name).or_default().push(at);
        }
    }
    if by_name.is_empty() {
        return Ok(());
    }
    for (at, object) in objects.each_mut().iter_mut().enumerate() {
        let Some(me) = candidates.get(at) else {
            continue;
        };
        let original = object.original_id().gvk;
        let scope = Scope {
            me,
            candidates: &candidates,
            by_name: &by_name,
            subject_namespaces: subject_namespaces(&object.node),
        };
        for row in ROWS.get(original.kind.as_str()).into_iter().flatten() {
            let (group, version) = row.referrer;
            if original.is_selected((group, version, "")) {
                scope.update(&mut object.node, row)?;
            }
        }
    }
    Ok(())
}

/// Namespaces of the service accounts that a role binding names.
fn subject_namespaces(object: &Node<'_>) -> Vec<String> {
    if object.get("kind").map(Node::text) != Some("RoleBinding") {
        return Vec::new();
    }
    object
        .get("subjects")
        .map_or(&[][..], Node::items)
        .iter()
        .filter(|s| s.get("kind").is_some_and(|k| k.text() == "ServiceAccount"))
        .filter_map(|s| s.get("namespace").map(|n| n.text().to_owned()))
        .collect()
}

/// One referrer with all that it may refer to.
struct Scope<'s> {
    me: &'s Candidate,
    candidates: &'s [Candidate],
    by_name: &'s HashMap<&'s str, Vec<usize>>,
    subject_namespaces: Vec<String>,
}

/// Why a reference could not be updated.
enum Stop {
    Misfit(Misfit),
    Error(KustomizeError),
}

impl<'s> Scope<'s> {
    fn update(&self, object: &mut Node<'_>, row: &Row) -> Result<(), KustomizeError> {
        let path = row.path;
        let role = path
            .ends_with("roleRef/name")
            .then(|| role_of(object))
            .flatten();
        let span = object.span;
        let mut stopped = None;
        let mut set = |node: &mut Node<'_>| {
            match self.set(node, row, role.as_ref()) {
                Ok(()) => {}
                Err(Stop::Misfit(misfit)) => return Err(misfit),
                Err(Stop::Error(error)) => stopped = Some(error),
            }
            Ok(())
        };
        let mut walk = Walk {
            make: Make::Nothing,
            cause: span,
            set: &mut set,
        };
        let walked = walk.run(object, &row.segments);
        if let Some(error) = stopped {
            return Err(error);
        }
        walked.map_err(|misfit| misfit.at(path, format!("{} {}", self.me.gvk.kind, self.me.name)))
    }

    fn set(
        &self,
        node: &mut Node<'_>,
        row: &Row,
        role: Option<&(String, String)>,
    ) -> Result<(), Stop> {
        if node.is_null() {
            return Ok(());
        }
        match &mut node.value {
            Value::Seq(items) => items.iter_mut().filter(|n| !n.is_null()).try_for_each(|n| {
                if matches!(n.value, Value::Seq(_)) {
                    return Err(Stop::Misfit(Misfit::new(n, "a string or map")));
                }
                self.set(n, row, role)
            }),
            Value::Map(_) => self.set_map(node, row, role),
            Value::Scalar(..) => {
                let all = |_: &Candidate| true;
                let target = self.choose(node, row, role, &all, false)?;
                if let Some(target) = target.filter(|t| t.name != node.text()) {
                    node.replace_by(Node::resolved(target.name.clone(), node.span));
                }
                Ok(())
            }
        }
    }

    /// A map with `name` and perhaps `namespace`, both of which follow the object.
    fn set_map(
        &self,
        node: &mut Node<'_>,
        row: &Row,
        role: Option<&(String, String)>,
    ) -> Result<(), Stop> {
        let Some(name) = node.get("name") else {
            return Err(Stop::Misfit(Misfit::new(node, "a map with `name`")));
        };
        let namespace = node.get("namespace").map(Node::text);
        let by_original = namespace.is_some_and(|ns| {
            self.candidates
                .iter()
                .any(|c| self.reaches(c) && !c.cluster_scoped && c.original_effective == ns)
        });
        let allowed = |c: &Candidate| match namespace {
            None => true,
            Some(ns) if by_original => c.original_effective == ns,
            Some(ns) => c.effective == ns,
        };
        let Some(target) = self.choose(name, row, role, &allowed, true)? else {
            return Ok(());
        };
        let span = name.span;
        if target.name == name.text() && target.namespace.is_empty() {
            return Ok(());
        }
        if target.name != name.text() {
            node.set(
                Key::new("name", span),
                Node::resolved(target.name.clone(), span),
            );
        }
        if !target.namespace.is_empty()
            && node.get("namespace").map(Node::text) != Some(&target.namespace)
        {
            let span = node.get("namespace").map_or(span, |n| n.span);
            let value = Node::resolved(target.namespace.clone(), span);
            node.set(Key::new("namespace", span), value);
        }
        Ok(())
    }

    /// Whether the referrer may refer to an object where it is.
    fn reaches(&self, target: &Candidate) -> bool {
        self.me.cluster_scoped
            || target.cluster_scoped
            || target.effective == self.me.effective
            || self.subject_namespaces.contains(&target.namespace)
    }

    fn choose(
        &self,
        reference: &Node<'_>,
        row: &Row,
        role: Option<&(String, String)>,
        allowed: &dyn Fn(&Candidate) -> bool,
        with_namespace: bool,
    ) -> Result<Option<&'s Candidate>, Stop> {
        let (group, version, kind) = row.target;
        let Some(named) = self.by_name.get(reference.text()) else {
            return Ok(None);
        };
        let was = |c: &Candidate, group: &str, version: &str, kind: &str| {
            (group.is_empty() || group == c.gvk.group)
                && (version.is_empty() || version == c.gvk.version)
                && c.former.iter().any(|(k, _)| kind.is_empty() || k == kind)
        };
        let mut fitting: Vec<&'s Candidate> = named
            .iter()
            .filter_map(|at| self.candidates.get(*at))
            .filter(|c| self.reaches(c) && allowed(c))
            .filter(|c| was(c, group, version, kind))
            .filter(|c| role.is_none_or(|(group, kind)| was(c, group, "", kind)))
            .filter(|c| {
                self.me.cluster_scoped
                    || c.cluster_scoped
                    || c.gvk.kind == "ServiceAccount"
                    || c.effective == self.me.effective
            })
            .collect();
        if fitting.len() == 1 {
            return Ok(fitting.pop());
        }
        fitting.retain(|c| same_context(self.me, c, true));
        if fitting.len() > 1 {
            fitting.retain(|c| same_context(self.me, c, false));
        }
        let Some(first) = fitting.first().copied() else {
            return Ok(None);
        };
        let same = |c: &&Candidate| {
            c.name == first.name && (!with_namespace || c.namespace == first.namespace)
        };
        if fitting.iter().all(same) {
            return Ok(Some(first));
        }
        let names: Vec<_> = (fitting.iter())
            .map(|c| format!("{} {}/{}", c.gvk.kind, c.effective, c.name))
            .collect();
        let kind = ErrorKind::AmbiguousReference {
            name: reference.text().to_owned(),
            candidates: names.join(", "),
        };
        Err(Stop::Error(KustomizeError::new(reference.span, kind)))
    }
}

/// API group and kind of a `roleRef`.
fn role_of(object: &Node<'_>) -> Option<(String, String)> {
    let part = |name| Some(object.at(&["roleRef", name])?.text().to_owned());
    Some((part("apiGroup")?, part("kind")?))
}

/// Whether two objects went through the same prefixes and suffixes at last.
fn same_context(a: &Candidate, b: &Candidate, allow_empty: bool) -> bool {
    let same = |x: &[String], y: &[String]| {
        if x.is_empty() || y.is_empty() {
            allow_empty || x.len() == y.len()
        } else {
            x.ends_with(y) || y.ends_with(x)
        }
    };
    same(&a.prefixes, &b.prefixes) && same(&a.suffixes, &b.suffixes)
}
