//! Which edit explains a change. Input: the proofs of both sides and the objects they rest on; output: `Cause`s: edited fields with their
//! place on each side, objects that came or went, and selectors that an edited label no longer fits.

use std::collections::{BTreeSet, HashMap};

use crate::drift::edit::{self, Edit};
use crate::drift::live;
use crate::facts::change::{Cause, Side};
use crate::facts::{Origin, Role, Step};
use crate::resource::{Resource, ResourceId};
use crate::source::{Span, to_usize};
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// The objects of two views, found by number and by identity.
#[derive(Debug)]
pub struct Objects<'v> {
    base: Index<'v>,
    head: Index<'v>,
    /// Objects that were renamed: base to head.
    renamed: HashMap<ResourceId, ResourceId>,
    renamed_from: HashMap<ResourceId, ResourceId>,
    /// What the head is called where neither side is older: an environment.
    name: Option<String>,
}

type Identity<'v> = (&'v str, &'v str, &'v str, &'v str);

#[derive(Debug)]
struct Index<'v> {
    view: &'v View,
    by_id: HashMap<ResourceId, u32>,
    by_identity: HashMap<Identity<'v>, u32>,
}

impl<'v> Index<'v> {
    fn of(view: &'v View) -> Self {
        let mut index = Self {
            view,
            by_id: HashMap::with_capacity(view.members.len()),
            by_identity: HashMap::with_capacity(view.members.len()),
        };
        for (at, member) in (0u32..).zip(&view.members) {
            index.by_id.insert(member.resource.id, at);
            index.by_identity.entry(identity(member)).or_insert(at);
        }
        index
    }

    fn of_id(&self, id: ResourceId) -> Option<&'v Member> {
        self.view.members.get(to_usize(*self.by_id.get(&id)?))
    }

    fn of_identity(&self, identity: &Identity<'_>) -> Option<&'v Member> {
        let at = self.by_identity.get(identity)?;
        self.view.members.get(to_usize(*at))
    }
}

fn identity(member: &Member) -> Identity<'_> {
    let resource = &member.resource;
    let namespace = member.namespace.as_str();
    (resource.group(), resource.kind(), namespace, &resource.name)
}

/// One object on both sides, or on one.
pub type Both<'v> = (Option<&'v Member>, Option<&'v Member>);

impl<'v> Objects<'v> {
    /// Indexes two views; `renamed` pairs objects of the base with objects of the head.
    #[must_use]
    pub fn of(
        base: &'v View,
        head: &'v View,
        renamed: impl IntoIterator<Item = (ResourceId, ResourceId)>,
    ) -> Self {
        let renamed: HashMap<_, _> = renamed.into_iter().collect();
        Self {
            base: Index::of(base),
            head: Index::of(head),
            renamed_from: renamed.iter().map(|(b, h)| (*h, *b)).collect(),
            renamed,
            name: None,
        }
    }

    /// The same for two environments: what differs is in one of them, not gone or new.
    #[must_use]
    pub fn in_environment(mut self, head: &str) -> Self {
        self.name = Some(head.to_owned());
        self
    }

    /// `is gone`, `is not in production`.
    fn only(&self, side: Side) -> String {
        match (&self.name, side) {
            (Some(head), Side::Base) => format!("is not in {head}"),
            (Some(head), Side::Head) => format!("is in {head} only"),
            (None, Side::Base) => String::from("is gone"),
            (None, Side::Head) => String::from("is new"),
        }
    }

    /// `no longer fits`, `does not fit in production`: what precedes a selector.
    fn fits(&self, head: bool) -> String {
        match (&self.name, head) {
            (Some(name), true) => format!("in {name} only fits"),
            (Some(name), false) => format!("in {name} does not fit"),
            (None, true) => String::from("now fits"),
            (None, false) => String::from("no longer fits"),
        }
    }

    /// An object of one side on both: base, then head.
    #[must_use]
    pub fn both(&self, side: Side, id: ResourceId) -> Both<'v> {
        match side {
            Side::Base => self.of_base(id),
            Side::Head => self.of_head(id),
        }
    }

    fn of_base(&self, id: ResourceId) -> Both<'v> {
        let Some(member) = self.base.of_id(id) else {
            return (None, None);
        };
        let head = match self.renamed.get(&id) {
            Some(id) => self.head.of_id(*id),
            None => self.head.of_identity(&identity(member)),
        };
        (Some(member), head)
    }

    fn of_head(&self, id: ResourceId) -> Both<'v> {
        let Some(member) = self.head.of_id(id) else {
            return (None, None);
        };
        let base = match self.renamed_from.get(&id) {
            Some(id) => self.base.of_id(*id),
            None => self.base.of_identity(&identity(member)),
        };
        (base, Some(member))
    }

    /// Objects of these kinds that differ in something that meshes read.
    #[must_use]
    pub fn edited(&self, kinds: impl Fn(&Resource) -> bool) -> Vec<Both<'v>> {
        let fits = |m: &&Member| kinds(&m.resource);
        let mut found = Vec::new();
        for member in self.head.view.members.iter().filter(fits) {
            let both = self.of_head(member.resource.id);
            let differs = match both {
                (Some(base), Some(head)) => !relevant(base, head, &BTreeSet::new()).is_empty(),
                _ => true,
            };
            if differs {
                found.push(both);
            }
        }
        for member in self.base.view.members.iter().filter(fits) {
            let both = self.of_base(member.resource.id);
            if both.1.is_none() {
                found.push(both);
            }
        }
        found
    }
}

/// What is to be explained.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'q> {
    /// The proof of the value before.
    pub base: &'q [Step],
    /// The proof of the value after.
    pub head: &'q [Step],
    /// Objects of the base that the fact rests on besides its proof: the workload, its Services.
    pub base_objects: &'q [ResourceId],
    /// The same of the head.
    pub head_objects: &'q [ResourceId],
    /// The namespaces of what the change is about.
    pub namespaces: &'q [&'q str],
}

/// Explains a change; empty when nothing that the facts rest on differs.
#[must_use]
pub fn explain(objects: &Objects<'_>, question: &Question<'_>) -> Vec<Cause> {
    let causes = within(objects, question);
    if !causes.is_empty() {
        return causes;
    }
    let mut causes = elsewhere(objects, question.namespaces);
    let mut seen = BTreeSet::new();
    causes.retain(|c| seen.insert((c.side, c.span)));
    causes
}

/// The same, looking at nothing but what the question names.
#[must_use]
pub fn within(objects: &Objects<'_>, question: &Question<'_>) -> Vec<Cause> {
    let touched = touched(objects, question);
    let keys: BTreeSet<String> = touched.iter().flat_map(|t| selected_keys(t.both)).collect();
    let mut causes = Vec::new();
    let mut labels = BTreeSet::new();
    for touch in &touched {
        match touch.both {
            (Some(base), Some(head)) => {
                for edit in relevant(base, head, &keys) {
                    if let [.., holder, key] = edit.path.as_slice()
                        && holder == "labels"
                    {
                        labels.insert(key.clone());
                    }
                    push_edit(&mut causes, &edit, objects);
                }
            }
            (Some(base), None) if touch.decides => {
                let span = touch.span.unwrap_or_else(|| base.resource.name_span());
                let says = format!("{} {}", named(base), objects.only(Side::Base));
                causes.push(cause(Side::Base, span, says));
            }
            (None, Some(head)) if touch.decides => {
                let span = touch.span.unwrap_or_else(|| head.resource.name_span());
                let says = format!("{} {}", named(head), objects.only(Side::Head));
                causes.push(cause(Side::Head, span, says));
            }
            _ => {}
        }
    }
    for touch in touched.iter().filter(|t| t.base != t.head) {
        let word = objects.fits(touch.head);
        causes.extend(selectors(touch.both, &labels, &word));
    }
    let mut seen = BTreeSet::new();
    causes.retain(|c| seen.insert((c.side, c.span)));
    causes
}

/// An object that a proof touches.
struct Touch<'v> {
    both: Both<'v>,
    /// Whether it decides on some side.
    decides: bool,
    /// Whether it decides in the base, and in the head.
    base: bool,
    head: bool,
    /// Where it decides.
    span: Option<Span>,
}

fn touched<'v>(objects: &Objects<'v>, question: &Question<'_>) -> Vec<Touch<'v>> {
    let mut found: Vec<Touch<'v>> = Vec::new();
    let mut add = |both: Both<'v>, decides: bool, span: Option<Span>, side: Side| {
        let id = |m: Option<&Member>| m.map(|m| m.resource.id);
        let known = found
            .iter_mut()
            .find(|t| (id(t.both.0), id(t.both.1)) == (id(both.0), id(both.1)));
        match known {
            Some(touch) => {
                touch.decides |= decides;
                touch.span = touch.span.or(span);
                touch.base |= decides && side == Side::Base;
                touch.head |= decides && side == Side::Head;
            }
            None if both.0.is_some() || both.1.is_some() => found.push(Touch {
                both,
                decides,
                base: decides && side == Side::Base,
                head: decides && side == Side::Head,
                span,
            }),
            None => {}
        }
    };
    for id in question.base_objects {
        add(objects.of_base(*id), false, None, Side::Base);
    }
    for id in question.head_objects {
        add(objects.of_head(*id), false, None, Side::Head);
    }
    for step in question.base {
        if let Origin::Field { resource, span } = step.origin {
            let decides = step.role == Role::Decides;
            let at = decides.then_some(span);
            add(objects.of_base(resource), decides, at, Side::Base);
        }
    }
    for step in question.head {
        if let Origin::Field { resource, span } = step.origin {
            let decides = step.role == Role::Decides;
            let at = decides.then_some(span);
            add(objects.of_head(resource), decides, at, Side::Head);
        }
    }
    found
}

fn cause(side: Side, span: Span, says: String) -> Cause {
    Cause { side, span, says }
}

/// `Deployment ml/llm`.
#[must_use]
pub fn named(member: &Member) -> String {
    let resource = &member.resource;
    match member.namespace.as_str() {
        "" => format!("{} {}", resource.kind(), resource.name),
        namespace => format!("{} {namespace}/{}", resource.kind(), resource.name),
    }
}

/// The places of an edit.
pub fn push_edit(causes: &mut Vec<Cause>, edit: &Edit, objects: &Objects<'_>) {
    let field = edit.field();
    let says = match (&edit.before, &edit.after, &objects.name) {
        (Some(before), Some(after), None) => format!("{field}: {before} → {after}"),
        (Some(before), Some(after), Some(head)) => {
            format!("{field}: {after} in {head}, {before} there")
        }
        (None, Some(after), None) if after == "{}" && edit.base.is_some() => {
            format!("{field} is empty now")
        }
        (None, Some(after), Some(head)) if after == "{}" && edit.base.is_some() => {
            format!("{field} is empty in {head}")
        }
        (Some(before), None, None) if before == "{}" && edit.head.is_some() => {
            format!("{field} was empty")
        }
        (Some(before), None, Some(_)) if before == "{}" && edit.head.is_some() => {
            format!("{field} is empty there")
        }
        (Some(before), None, _) if edit.head.is_none() => {
            format!("{field}: {before} {}", objects.only(Side::Base))
        }
        (None, Some(after), _) if edit.base.is_none() => {
            format!("{field}: {after} {}", objects.only(Side::Head))
        }
        _ if edit.head.is_none() => format!("{field} {}", objects.only(Side::Base)),
        _ if edit.base.is_none() => format!("{field} {}", objects.only(Side::Head)),
        (.., None) => field,
        (.., Some(head)) => format!("{field} is another one in {head}"),
    };
    let side = |side, span: Option<Span>| span.map(|span| cause(side, span, says.clone()));
    causes.extend(side(Side::Base, edit.base));
    causes.extend(side(Side::Head, edit.head));
}

/// The edits of an object that a mesh looks at; of a pod's labels those that something selects by.
fn relevant(base: &Member, head: &Member, keys: &BTreeSet<String>) -> Vec<Edit> {
    let (before, after) = (base.resource.object(), head.resource.object());
    let mut edits = edit::edits(before, after);
    let resource = &head.resource;
    match (live::is_live(&base.resource), live::is_live(resource)) {
        (true, false) => edits.retain(|e| e.head.is_some() || !live::is_default(&base.resource, e)),
        (false, true) => edits.retain(|e| e.base.is_some() || !live::is_default(resource, e)),
        _ => {}
    }
    let carries_pods = crate::pods::template(resource).is_some();
    edits.retain(|e| match (resource.group(), resource.kind()) {
        _ if carries_pods => of_pods(e, keys, resource.kind() == "Pod"),
        ("", "Namespace") => e.is_below(&["metadata", "labels"]) && is_mesh_key(e),
        ("", "Service") => {
            e.is_below(&["spec"]) || (e.is_below(&["metadata", "labels"]) && is_mesh_key(e))
        }
        _ if e.is_below(&["metadata", "annotations"]) => is_mesh_key(e),
        _ => !e.is_below(&["metadata"]) && !e.is_below(&["status"]),
    });
    edits
}

/// Whether the last field is a key of Istio's.
fn is_mesh_key(edit: &Edit) -> bool {
    edit.path.last().is_some_and(|key| key.contains("istio"))
}

fn of_pods(edit: &Edit, keys: &BTreeSet<String>, is_pod: bool) -> bool {
    let has = |part: &str| edit.path.iter().any(|p| p == part);
    if edit.path == ["metadata", "namespace"] {
        return true;
    }
    if !is_pod && !has("template") {
        return false;
    }
    if let [.., holder, key] = edit.path.as_slice()
        && matches!(holder.as_str(), "labels" | "annotations")
        && has("metadata")
    {
        return key.contains("istio") || (holder == "labels" && keys.contains(key));
    }
    let last = edit.path.last().map_or("", String::as_str);
    matches!(
        last,
        "metadata" | "serviceAccountName" | "serviceAccount" | "hostNetwork" | "ports"
    ) || has("ports")
        || edit.path.iter().any(|p| p == "[istio-proxy]")
        || matches!(
            edit.path.as_slice(),
            [.., list, item] if item.starts_with('[')
                && matches!(list.as_str(), "containers" | "initContainers")
        )
}

/// Label keys that an object selects pods by.
fn selected_keys((base, head): Both<'_>) -> Vec<String> {
    [base, head]
        .into_iter()
        .flatten()
        .filter(|m| crate::pods::template(&m.resource).is_none())
        .flat_map(|m| selector(&m.resource))
        .map(|(key, _)| key)
        .collect()
}

/// The pairs of an object's selector with their places.
fn selector(resource: &Resource) -> Vec<(String, Span)> {
    let spec = resource.object().get("spec");
    let map = ["selector", "podSelector"]
        .into_iter()
        .find_map(|field| spec?.get(field))
        .map(|selector| selector.get("matchLabels").unwrap_or(selector));
    map.into_iter()
        .flat_map(NodeRef::entries)
        .filter(|(_, value)| !value.is_map())
        .map(|(key, value)| {
            let start = key.span();
            let span = if start.source == value.span().source && start.start <= value.span().end {
                Span {
                    end: value.span().end,
                    ..start
                }
            } else {
                start
            };
            (key.key_text().into_owned(), span)
        })
        .collect()
}

/// The selector lines of an object that exists on both sides and counts on one: an edited label made the difference.
fn selectors((base, head): Both<'_>, labels: &BTreeSet<String>, word: &str) -> Vec<Cause> {
    let (Some(base), Some(head)) = (base, head) else {
        return Vec::new();
    };
    if crate::pods::template(&head.resource).is_some() {
        return Vec::new();
    }
    let says = format!("which {word} the selector of {}", named(head));
    let of = |side, member: &Member| {
        selector(&member.resource)
            .into_iter()
            .filter(|(key, _)| labels.contains(key))
            .map(|(_, span)| cause(side, span, says.clone()))
            .collect::<Vec<_>>()
    };
    let mut causes = of(Side::Base, base);
    causes.extend(of(Side::Head, head));
    causes
}

/// Whether an object of this kind can change what meshes do without standing in a proof.
#[must_use]
pub fn is_of_mesh(resource: &Resource) -> bool {
    let group = resource.group();
    group.ends_with("istio.io")
        || group == "gateway.networking.k8s.io"
        || group == "networking.k8s.io"
        || matches!((group, resource.kind()), ("", "Namespace"))
        || (resource.is("", "ConfigMap") && resource.name.starts_with("istio"))
}

/// Edits of mesh objects that no proof names: of the subject's namespaces, else of any other.
fn elsewhere(objects: &Objects<'_>, namespaces: &[&str]) -> Vec<Cause> {
    let edited = objects.edited(is_of_mesh);
    let lives_here = |both: &&Both<'_>| {
        let member = both.1.or(both.0);
        member.is_some_and(|m| {
            namespaces.contains(&m.namespace.as_str())
                || (m.resource.kind() == "Namespace"
                    && namespaces.contains(&m.resource.name.as_str()))
        })
    };
    let near: Vec<Both<'_>> = edited.iter().filter(lives_here).copied().collect();
    let chosen = if near.is_empty() { edited } else { near };
    let mut causes = Vec::new();
    for both in chosen {
        match both {
            (Some(base), Some(head)) => relevant(base, head, &BTreeSet::new())
                .iter()
                .for_each(|e| push_edit(&mut causes, e, objects)),
            (Some(base), None) => {
                let says = format!("{} {}", named(base), objects.only(Side::Base));
                causes.push(cause(Side::Base, base.resource.name_span(), says));
            }
            (None, Some(head)) => {
                let says = format!("{} {}", named(head), objects.only(Side::Head));
                causes.push(cause(Side::Head, head.resource.name_span(), says));
            }
            (None, None) => {}
        }
    }
    causes
}
